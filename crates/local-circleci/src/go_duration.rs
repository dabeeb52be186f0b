//! Durations as Go writes and reads them: `5h`, `1h30m`, `1.5s`, `300ms`.

use std::fmt::Write as _;
use std::time::Duration;

const UNITS: [(&str, f64); 7] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Reads what Go's `time.ParseDuration` reads, except negative ones.
///
/// # Errors
/// The sentence Go would print.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(|| format!("time: missing unit in duration {text:?}"))?;
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = &rest[..letters];
        let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
        };
        seconds += number * length;
        rest = &rest[letters..];
    }
    if text.is_empty() {
        return Err(invalid());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| invalid())
}

/// Writes whole seconds as Go's `Duration.String` does: `5h0m0s`, `1m30s`, `45s`.
pub(crate) fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let mut text = String::new();
    if seconds >= 3600 {
        let _ = write!(text, "{}h", seconds / 3600);
    }
    if seconds >= 60 {
        let _ = write!(text, "{}m", seconds / 60 % 60);
    }
    let _ = match duration.subsec_millis() {
        0 => write!(text, "{}s", seconds % 60),
        part => write!(text, "{}.{part:03}s", seconds % 60),
    };
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_none(text in "\\PC{0,20}|[0-9.hmsnuµ+-]{0,40}") {
            let _ = parse(&text);
            let _ = text.parse::<crate::Variant>();
        }
    }

    #[test]
    fn reads_durations_as_go_does() {
        assert_eq!(parse("72h"), Ok(Duration::from_hours(72)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse("50m"), Ok(Duration::from_mins(50)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "5", "h", "five", "5 h", "-5h", "5d"] {
            assert!(parse(text).is_err(), "{text:?} was taken");
        }
        assert_eq!(parse("5d"), Err(r#"time: unknown unit "d" in duration "5d""#.to_owned()));
    }

    #[test]
    fn writes_durations_as_go_does() {
        assert_eq!(format(Duration::from_hours(5)), "5h0m0s");
        assert_eq!(format(Duration::from_secs(90)), "1m30s");
        assert_eq!(format(Duration::from_millis(1500)), "1.500s");
    }
}
