//! When a pause ends: from what a person writes to one absolute moment. Reads no clock and no zone
//! of its own, so that daylight saving can be tested.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, ZonedDateTime};

use crate::words;

/// Why a text names no moment in the future, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoMoment {
    pub(crate) what: String,
    pub(crate) hint: String,
}

/// `--for`: "15m", "1h30m", "2 days". Hours are counted; days and longer keep the time of day.
pub(crate) fn after(text: &str, now: &ZonedDateTime) -> Result<Timestamp, NoMoment> {
    let unreadable = || NoMoment {
        what: format!("'{text}' is not a length of time."),
        hint: "Write a number with its unit, for example 15m, 1h30m or 2 days.".to_owned(),
    };
    let span: Span = text.trim().parse().map_err(|_| unreadable())?;
    if !span.is_positive() {
        return Err(NoMoment {
            what: format!("'{text}' is not longer than no time."),
            ..unreadable()
        });
    }
    let end = now.checked_add(span).map_err(|_| NoMoment {
        what: format!("'{text}' is longer than any calendar."),
        hint: "To pause until you resume, leave --for away.".to_owned(),
    })?;
    Ok(end.timestamp())
}

/// `--until`: "17:30", "tomorrow 09:00", "2026-11-24T09:00", with an offset or in `now`'s zone.
pub(crate) fn until(text: &str, now: &ZonedDateTime) -> Result<Timestamp, NoMoment> {
    let text = text.trim();
    let (moment, has_no_day) = if let Ok(exact) = text.parse::<Timestamp>() {
        (exact, false)
    } else {
        let (civil, has_no_day) = civil(text, now.date()).ok_or_else(|| NoMoment {
            what: format!("'{text}' is not a time."),
            hint: "Write it like 17:30, \"tomorrow 09:00\" or 2026-11-24T09:00.".to_owned(),
        })?;
        (first_after(civil, now, now.time_zone()), has_no_day)
    };
    if moment > now.timestamp() {
        return Ok(moment);
    }
    Err(NoMoment {
        what: format!(
            "{} is past: it is {} now.",
            words::moment(moment, now),
            now.strftime("%H:%M")
        ),
        hint: if has_no_day {
            format!("For tomorrow, write --until \"tomorrow {text}\".")
        } else {
            "Write a time that is still to come.".to_owned()
        },
    })
}

/// The day and time of day that a text names, and whether it left the day to us.
fn civil(text: &str, today: Date) -> Option<(DateTime, bool)> {
    if let Some(time) = time_of_day(text) {
        return Some((today.to_datetime(time), true));
    }
    // A date alone could mean its beginning or its end.
    if !text.contains(':') {
        return None;
    }
    if let Some((day, time)) = text.split_once(char::is_whitespace) {
        let day = match day.to_ascii_lowercase().as_str() {
            "today" => Some(today),
            "tomorrow" => today.tomorrow().ok(),
            date => date.parse().ok(),
        };
        return Some((day?.to_datetime(time_of_day(time.trim())?), false));
    }
    text.parse().ok().map(|civil| (civil, false))
}

/// "9:00", "17:30" or "17:30:15".
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, _) = text.split_once(':')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    if !digits(text) || hour.is_empty() {
        return None;
    }
    format!("{text:0>width$}", width = text.len() + 2_usize.saturating_sub(hour.len())).parse().ok()
}

/// The moment of a local time: where clocks are set back and it comes twice, the first that is still
/// to come; where they are set forward over it, as much later as they are set.
fn first_after(civil: DateTime, now: &ZonedDateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let moment = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => ambiguous.compatible(),
        AmbiguousOffset::Fold { .. } => match ambiguous.earlier() {
            Ok(first) if first > now.timestamp() => Ok(first),
            Ok(_) | Err(_) => ambiguous.later(),
        },
    };
    // Only at the ends of the calendar, where any past moment gives the right error.
    moment.unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_moment_to_come_or_none(
            text in "\\PC{0,30}|[0-9hmsdw .:TZ+-]{0,30}|P[0-9YMWDTHS.]{0,20}",
        ) {
            let now = at("2026-03-28T12:00:00Z");
            for moment in [after(&text, &now), until(&text, &now)].into_iter().flatten() {
                prop_assert!(moment > now.timestamp());
            }
        }
    }

    /// Berlin's rules: forward on 29 March 2026 at 02:00, back on 25 October 2026 at 03:00.
    fn at(now: &str) -> ZonedDateTime {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        now.parse::<Timestamp>().expect("a time").to_zoned_datetime(zone)
    }

    #[track_caller]
    fn expect(result: Result<Timestamp, NoMoment>, moment: &str) {
        assert_eq!(result.map(|moment| moment.to_string()), Ok(moment.to_owned()));
    }

    #[test]
    fn a_time_of_day_is_today() {
        let now = at("2026-11-23T16:00:00Z"); // 17:00
        expect(until("17:30", &now), "2026-11-23T16:30:00Z");
        expect(until(" 23:59:30 ", &now), "2026-11-23T22:59:30Z");
        expect(until("today 18:00", &now), "2026-11-23T17:00:00Z");
        expect(until("9:00", &at("2026-11-23T05:00:00Z")), "2026-11-23T08:00:00Z");
    }

    #[test]
    fn tomorrow_at_nine_is_local_nine_whatever_the_clocks_do() {
        expect(until("tomorrow 09:00", &at("2026-11-23T16:00:00Z")), "2026-11-24T08:00:00Z");
        // Saturday noon; on Sunday the clocks go forward, then back.
        expect(until("tomorrow 09:00", &at("2026-03-28T11:00:00Z")), "2026-03-29T07:00:00Z");
        expect(until("tomorrow 09:00", &at("2026-10-24T10:00:00Z")), "2026-10-25T08:00:00Z");
        expect(until("Tomorrow  9:00", &at("2026-12-31T12:00:00Z")), "2027-01-01T08:00:00Z");
    }

    #[test]
    fn a_date_with_an_offset_is_exact_and_one_without_is_local() {
        let now = at("2026-11-23T16:00:00Z");
        expect(until("2026-11-24T09:00", &now), "2026-11-24T08:00:00Z");
        expect(until("2026-11-24 09:00", &now), "2026-11-24T08:00:00Z");
        expect(until("2026-11-24T09:00+03:00", &now), "2026-11-24T06:00:00Z");
        expect(until("2026-11-24T09:00:00Z", &now), "2026-11-24T09:00:00Z");
    }

    #[test]
    fn a_time_that_the_clocks_jump_over_comes_an_hour_later() {
        let now = at("2026-03-28T23:00:00Z"); // 00:00 on the day
        expect(until("02:30", &now), "2026-03-29T01:30:00Z"); // 03:30 by the new clock
    }

    #[test]
    fn of_a_time_that_comes_twice_the_next_one_counts() {
        expect(until("02:30", &at("2026-10-24T23:00:00Z")), "2026-10-25T00:30:00Z");
        // 02:45 for the first time: 02:30 comes once more, 02:50 at once.
        let between = at("2026-10-25T00:45:00Z");
        expect(until("02:30", &between), "2026-10-25T01:30:00Z");
        expect(until("02:50", &between), "2026-10-25T00:50:00Z");
    }

    #[test]
    fn a_time_that_is_past_is_refused_in_words_that_help() {
        let now = at("2026-11-23T17:05:00Z");
        let refused = until("17:30", &now).expect_err("it is past");
        assert_eq!(refused.what, "17:30 is past: it is 18:05 now.");
        assert_eq!(refused.hint, "For tomorrow, write --until \"tomorrow 17:30\".");
        let refused = until("2026-11-22 09:00", &now).expect_err("it is past");
        assert_eq!(refused.what, "yesterday 09:00 is past: it is 18:05 now.");
        assert!(until("18:05", &now).is_err(), "now is not to come");
        assert!(until("2026-11-23T17:05:00Z", &now).is_err(), "now is not to come");
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        let now = at("2026-11-23T16:00:00Z");
        for text in [
            "",
            "soon",
            "25:00",
            "17",
            "17:3x",
            ":30",
            "2026-11-24",
            "tomorrow",
            "2026-13-01T09:00",
            "24:00",
        ] {
            assert!(until(text, &now).is_err(), "{text:?}");
        }
    }

    #[test]
    fn hours_are_counted_and_days_keep_the_time_of_day() {
        let now = at("2026-11-23T16:00:00Z");
        expect(after("15m", &now), "2026-11-23T16:15:00Z");
        expect(after("1h30m", &now), "2026-11-23T17:30:00Z");
        expect(after("2 hours", &now), "2026-11-23T18:00:00Z");
        // Saturday noon before the clocks go forward: a day is 23 hours long.
        let spring = at("2026-03-28T11:00:00Z");
        expect(after("24h", &spring), "2026-03-29T11:00:00Z");
        expect(after("1 day", &spring), "2026-03-29T10:00:00Z");
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused() {
        let now = at("2026-11-23T16:00:00Z");
        for text in ["", "90", "soon", "-1h", "1h ago", "0m", "1x", "9999999 days"] {
            assert!(after(text, &now).is_err(), "{text:?}");
        }
    }
}
