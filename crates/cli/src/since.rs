//! A moment in the past, from what a person writes: a time ago, a day, or an exact moment. Reads no
//! clock and no zone of its own.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp, ZonedDateTime};

use crate::when::NoMoment;

/// `--since` and `--until`: "24h", "7 days", "2026-11-01", "2026-11-01T09:00", with an offset or in `now`'s zone.
pub(crate) fn since(text: &str, now: &ZonedDateTime) -> Result<Timestamp, NoMoment> {
    let text = text.trim();
    let in_zone = |civil: DateTime| now.time_zone().to_timestamp(civil);
    let moment = if let Ok(exact) = text.parse::<Timestamp>() {
        Ok(exact)
    } else if let Ok(ago) = text.parse::<Span>() {
        now.checked_sub(ago.abs()).map(|then| then.timestamp())
    } else if let Ok(moment) = text.parse::<DateTime>().or_else(|_| {
        // A day alone is meant from its beginning.
        text.parse::<Date>().map(|day| day.at(0, 0, 0, 0))
    }) {
        in_zone(moment)
    } else {
        return Err(NoMoment {
            what: format!("'{text}' is no time ago and no moment."),
            hint: "Write it like 24h, \"7 days\", 2026-11-01 or 2026-11-01T09:00.".to_owned(),
        });
    };
    moment.map_err(|_| NoMoment {
        what: format!("'{text}' is further away than any calendar goes."),
        hint: "To see all there is, leave it away.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        // The night in which the clock was set back an hour.
        "2026-11-01T12:00[America/New_York]".parse().unwrap()
    }

    #[test]
    fn a_time_ago_a_day_and_a_moment_are_understood_in_the_zone() {
        for (text, moment) in [
            ("1h", "2026-11-01T16:00:00Z"),
            ("1 day", "2026-10-31T16:00:00Z"),
            (" 7 days ", "2026-10-25T16:00:00Z"),
            ("2026-11-01", "2026-11-01T04:00:00Z"),
            ("2026-10-31T09:30", "2026-10-31T13:30:00Z"),
            ("2026-10-31T09:30:00+02:00", "2026-10-31T07:30:00Z"),
        ] {
            let moment: Timestamp = moment.parse().unwrap();
            assert_eq!(since(text, &now()), Ok(moment), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_told_with_what_to_write() {
        for text in ["", "yesterdayish", "24", "2026-13-01"] {
            assert!(since(text, &now()).unwrap_err().hint.contains("24h"), "{text}");
        }
        assert!(since("99999 years", &now()).is_err());
    }
}
