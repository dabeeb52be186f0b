//! This machine's clock against the servers'.

use jiff::{SignedDuration, Timestamp};
use protocol::{Check, Finding, Level};

/// What an answer may take on its way, and more than any clock that is kept is off.
const WARN: SignedDuration = SignedDuration::from_mins(2);
/// From here on S3, where caches and artifacts are, refuses (`RequestTimeTooSkewed`).
const BAD: SignedDuration = SignedDuration::from_mins(15);

/// Each server's own time beside ours when it came. What most of them say is believed.
pub fn clock(times: &[(Timestamp, Timestamp)]) -> Finding {
    let mut off: Vec<SignedDuration> =
        times.iter().map(|(theirs, ours)| ours.duration_since(*theirs)).collect();
    off.sort_unstable();
    let Some(off) = off.get(off.len() / 2).copied().filter(|_| !off.is_empty()) else {
        let why = "no server has told its time";
        return Finding::new(Check::Clock, Level::Unknown, "clock", format!("not known: {why}"));
    };
    let way = if off.is_negative() { "behind" } else { "ahead of" };
    let reading = format!("{:#} {way} the servers", SignedDuration::from_secs(off.abs().as_secs()));
    let finding = |level| Finding::new(Check::Clock, level, "clock", reading.clone());
    let mend = "Have the clock set by the network: `sudo timedatectl set-ntp true` (macOS: System \
                Settings, General, Date & Time).";
    match off.abs() {
        off if off >= BAD => finding(Level::Bad).mend(mend),
        off if off >= WARN => finding(Level::Warn).mend(mend),
        _ => Finding { reading: "as the servers' is".into(), ..finding(Level::Ok) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off_either_way() {
        let at = |seconds: i64| Timestamp::from_second(1_900_000_000 + seconds).unwrap();
        for (off, level) in [
            (0, Level::Ok),
            (119, Level::Ok),
            (-119, Level::Ok),
            (121, Level::Warn),
            (-600, Level::Warn),
            (900, Level::Bad),
            (-86_400, Level::Bad),
        ] {
            let finding = clock(&[(at(0), at(off))]);
            assert_eq!(finding.level, level, "{off}: {finding:?}");
        }
        assert!(clock(&[(at(0), at(-600))]).reading.contains("behind"));
        assert!(clock(&[(at(0), at(7200))]).reading.contains("ahead of"));
    }

    #[test]
    fn one_server_that_lies_is_outvoted_and_none_is_unknown() {
        let at = |seconds: i64| Timestamp::from_second(1_900_000_000 + seconds).unwrap();
        let times = [(at(0), at(1)), (at(-90_000), at(1)), (at(0), at(2))];
        assert_eq!(clock(&times).level, Level::Ok);
        assert_eq!(clock(&[]).level, Level::Unknown);
    }
}
