//! Durations as Go programs write them (`72h`, `1h30m`, `30s`): the agent's configuration has no
//! other form. Never negative, and never beyond what Go can hold (about 292 years).

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration in Go's notation; exact to the nanosecond both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(pub Duration);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a duration. Write hours, minutes and seconds as in 5h, 1h30m or 90s.")]
pub struct DurationError {
    text: String,
}

impl GoDuration {
    pub const fn hours(hours: u64) -> Self {
        Self(Duration::from_secs(hours * 3600))
    }
}

/// Longest first where one is the start of another ("ms" before "m").
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        nanoseconds(text.trim())
            .filter(|&total| i64::try_from(total).is_ok())
            .map(|total| Self(Duration::from_nanos(total)))
            .ok_or_else(|| DurationError { text: text.to_owned() })
    }
}

fn nanoseconds(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = 0_u64;
    loop {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (unit, size) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        total = total.checked_add(amount(whole, fraction, *size)?)?;
        rest = &after[unit.len()..];
        if rest.is_empty() {
            return Some(total);
        }
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn amount(whole: &str, fraction: &str, size: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(size)?;
    let mut scale = size;
    let mut part = 0_u128;
    let mut divisor = 1_u128;
    // A nanosecond is the smallest there is: digits beyond it are dropped, as Go does.
    for digit in fraction.bytes() {
        if scale == 0 {
            break;
        }
        scale /= 10;
        part = part * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    total = total.checked_add(u64::try_from(part * u128::from(size) / divisor).ok()?)?;
    Some(total)
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut seconds = self.0.as_secs();
        let nanoseconds = self.0.subsec_nanos();
        if seconds == 0 && nanoseconds == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in [("h", 3600), ("m", 60)] {
            if seconds >= size {
                write!(f, "{}{unit}", seconds / size)?;
                seconds %= size;
            }
        }
        if nanoseconds != 0 {
            let fraction = format!("{nanoseconds:09}");
            write!(f, "{seconds}.{}s", fraction.trim_end_matches('0'))
        } else if seconds != 0 {
            write!(f, "{seconds}s")
        } else {
            Ok(())
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_documented_forms_are_read() {
        for (text, seconds) in [
            ("72h", 259_200),
            ("1h30m", 5_400),
            ("50m", 3_000),
            ("30s", 30),
            ("1.5h", 5_400),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(GoDuration(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!("1m250ms".parse(), Ok(GoDuration(Duration::from_millis(60_250))));
    }

    #[test]
    fn what_go_would_refuse_is_refused() {
        for text in
            ["", "5", "h", ".", ".h", "-1h", "5 h", "5d", "5h3", "99999999999h", "1hh", "٣h"]
        {
            assert!(text.parse::<GoDuration>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn it_is_written_as_a_person_would() {
        for text in ["5h", "1h30m", "50m", "30s", "1h5s", "0.25s", "0s"] {
            assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn every_duration_survives_writing_and_reading(nanoseconds in 0..=i64::MAX.cast_unsigned()) {
            let duration = GoDuration(Duration::from_nanos(nanoseconds));
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}|[0-9.hmsnu]{0,60}") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
