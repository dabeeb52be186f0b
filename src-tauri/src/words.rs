//! Times and other people's texts as a menu says them. Pure: the clock is an argument.

use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use protocol::turns_direction;

/// "under 1 min", "4 min", "2 h 5 min". A clock that was set back shows no negative time.
pub(crate) fn elapsed(from: Timestamp, now: &ZonedDateTime) -> String {
    span(minutes_between(from, now))
}

/// What is left until then, in minutes begun: "under 1 min", "42 min", "15 h 20 min".
pub(crate) fn left(until: Timestamp, now: &ZonedDateTime) -> String {
    match minutes_left(until, now) {
        i64::MIN..=1 => span(0),
        minutes => span(minutes),
    }
}

/// When [`left`] says something else.
pub(crate) fn next_left(until: Timestamp, now: &ZonedDateTime) -> Timestamp {
    until - (minutes_left(until, now) - 1).max(0).minutes()
}

fn span(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, 0) => "under 1 min".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// When [`elapsed`] says something else.
pub(crate) fn next_minute(from: Timestamp, now: &ZonedDateTime) -> Timestamp {
    if from > now.timestamp() {
        return from + 1.minute();
    }
    from + (minutes_between(from, now) + 1).minutes()
}

/// "17:30", "tomorrow 09:00", "Thu 09:00", "14 Mar 09:00": as short as the distance allows.
pub(crate) fn moment(at: Timestamp, now: &ZonedDateTime) -> String {
    let at = at.to_zoned_datetime(now.time_zone().clone());
    let days = now.date().until(at.date()).map_or(0, |span| span.get_days());
    let format = match days {
        0 => "%H:%M",
        1 => "tomorrow %H:%M",
        2..7 => "%a %H:%M",
        i32::MIN..0 | 7.. => "%-d %b %H:%M",
    };
    at.strftime(format).to_string()
}

/// When [`moment`] says something else.
pub(crate) fn next_midnight(now: &ZonedDateTime) -> Option<Timestamp> {
    let tomorrow = now.date().tomorrow().ok()?;
    Some(tomorrow.to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp())
}

/// Somebody else's text as one short line that cannot change how the rest of the line reads: no
/// controls, no line breaks, nothing that turns the direction of what follows. `most` counts letters.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let mut letters = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !c.is_control() && !turns_direction(c));
    let mut line: String = letters.by_ref().take(most).collect();
    if letters.next().is_some() {
        line.push('…');
    }
    line.trim().to_owned()
}

fn minutes_between(from: Timestamp, now: &ZonedDateTime) -> i64 {
    (now.timestamp().as_second() - from.as_second()).max(0) / 60
}

/// Rounded up.
fn minutes_left(until: Timestamp, now: &ZonedDateTime) -> i64 {
    let left = now.timestamp().duration_until(until);
    left.as_mins() + i64::from(left > SignedDuration::from_mins(left.as_mins()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::at;

    #[test]
    fn elapsed_time_is_said_in_whole_minutes() {
        let from = at("2026-03-02T12:00:00Z").timestamp();
        for (now, words) in [
            ("2026-03-02T12:00:59Z", "under 1 min"),
            ("2026-03-02T12:01:00Z", "1 min"),
            ("2026-03-02T12:59:59Z", "59 min"),
            ("2026-03-02T14:05:00Z", "2 h 5 min"),
            ("2026-03-02T11:00:00Z", "under 1 min"),
        ] {
            assert_eq!(elapsed(from, &at(now)), words, "{now}");
        }
    }

    #[test]
    fn the_next_minute_is_when_the_words_change() {
        let from = at("2026-03-02T12:00:07Z").timestamp();
        for now in ["2026-03-02T12:00:07Z", "2026-03-02T12:04:30Z", "2026-03-02T11:00:00Z"] {
            let now = at(now);
            let next = next_minute(from, &now);
            assert!(next > now.timestamp(), "{now}");
            let zone = now.time_zone().clone();
            assert_ne!(
                elapsed(from, &next.to_zoned_datetime(zone.clone())),
                elapsed(from, &now),
                "{now}"
            );
            let just_before = (next - 1.second()).to_zoned_datetime(zone);
            assert_eq!(elapsed(from, &just_before), elapsed(from, &now), "{now}");
        }
    }

    #[test]
    fn what_is_left_is_said_in_minutes_begun_and_until_it_is_over() {
        let until = at("2026-03-02T15:05:00Z").timestamp();
        for (now, words) in [
            ("2026-03-02T12:00:00Z", "3 h 5 min"),
            ("2026-03-02T14:04:59Z", "1 h 1 min"),
            ("2026-03-02T14:05:00Z", "1 h 0 min"),
            ("2026-03-02T15:03:00.001Z", "2 min"),
            ("2026-03-02T15:04:00Z", "under 1 min"),
            ("2026-03-02T15:06:00Z", "under 1 min"),
        ] {
            let now = at(now);
            assert_eq!(left(until, &now), words, "{now}");
            let zone = now.time_zone().clone();
            let next = next_left(until, &now);
            if next > now.timestamp() && next < until {
                assert_ne!(left(until, &next.to_zoned_datetime(zone)), words, "{now}");
            }
        }
    }

    #[test]
    fn a_moment_is_said_as_shortly_as_its_distance_allows() {
        let now = at("2026-03-02T12:00:00Z");
        for (moment_, words) in [
            ("2026-03-02T16:30:00Z", "17:30"),
            ("2026-03-03T08:00:00Z", "tomorrow 09:00"),
            ("2026-03-05T08:00:00Z", "Thu 09:00"),
            ("2026-03-09T08:00:00Z", "9 Mar 09:00"),
            ("2026-03-01T08:00:00Z", "1 Mar 09:00"),
        ] {
            assert_eq!(moment(moment_.parse().expect("a moment"), &now), words);
        }
    }

    #[test]
    fn a_text_from_outside_stays_one_short_harmless_line() {
        assert_eq!(plain("a\nb\u{7}\u{202e}c\u{2069}", 9), "a bc");
        assert_eq!(plain(&"x".repeat(10_000), 40).chars().count(), 41);
        assert_eq!(plain("<b>&_&</b>", 40), "<b>&_&</b>");
    }
}
