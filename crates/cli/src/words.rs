//! Sizes, durations, moments and states as people say them; exact values are in `--json`.

use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use protocol::{AfterTaskAct, Bytes, Install, PauseBy, RunnerState, Task, TaskResult};

use crate::print::Tone;

/// "12 s", "4 min", "1 h 12 min", "3 days 4 h"; nothing is shorter than no time.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let pair = |big: String, small: i64, unit: &str| {
        if small == 0 { big } else { format!("{big} {small} {unit}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => pair(format!("{hours} h"), minutes % 60, "min"),
        (1, _, _) => pair("1 day".to_owned(), hours % 24, "h"),
        (_, _, _) => pair(format!("{days} days"), hours % 24, "h"),
    }
}

/// What is left of a time, in minutes begun: of an hour that has just begun, "1 h".
pub(crate) fn left(left: SignedDuration) -> String {
    duration(SignedDuration::from_mins((left.as_secs().max(0) + 59) / 60))
}

/// From `start` to `end`.
pub(crate) fn between(start: Timestamp, end: Timestamp) -> String {
    duration(end.duration_since(start))
}

/// "812 B", "41 MB", "2.1 GB": powers of ten, as disks are sold and shown.
pub(crate) fn size(Bytes(bytes): Bytes) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    for (unit, name) in units {
        // What would be rounded to a thousand of the unit below is one of this.
        if bytes < unit - unit / 2000 {
            continue;
        }
        // Tenths of the big units, whole numbers of the small ones: what one can act on.
        if unit >= 1_000_000_000 {
            let tenths = (bytes + unit / 20) / (unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        return format!("{} {name}", (bytes + unit / 2) / unit);
    }
    format!("{bytes} B")
}

/// "17:30", "tomorrow 09:00", "Tue 24 Nov 09:00", "24 Nov 2027 09:00": in the zone of `now`.
pub(crate) fn moment(moment: Timestamp, now: &ZonedDateTime) -> String {
    let local = moment.to_zoned_datetime(now.time_zone().clone());
    let (day, today) = (local.date(), now.date());
    let format = if day == today {
        "%H:%M"
    } else if today.tomorrow().is_ok_and(|tomorrow| day == tomorrow) {
        "tomorrow %H:%M"
    } else if today.yesterday().is_ok_and(|yesterday| day == yesterday) {
        "yesterday %H:%M"
    } else if day.year() == today.year() {
        "%a %-d %b %H:%M"
    } else {
        "%-d %b %Y %H:%M"
    };
    local.strftime(format).to_string()
}

/// A state is a shape, a word and a colour, always all three.
pub(crate) fn state(state: RunnerState) -> (&'static str, &'static str, Tone) {
    let tone = match state {
        RunnerState::Problem => Tone::Bad,
        RunnerState::Offline | RunnerState::Unknown => Tone::Warning,
        RunnerState::Draining | RunnerState::Busy | RunnerState::Updating => Tone::Accent,
        RunnerState::Paused => Tone::Quiet,
        RunnerState::Idle => Tone::Good,
    };
    (state.shape(), state.word(), tone)
}

/// Who holds a pause, after "paused by".
pub(crate) fn pause_by(by: PauseBy) -> &'static str {
    match by {
        PauseBy::You => "you",
        PauseBy::Disk => "the disk rule",
        PauseBy::Schedule => "the schedule",
        PauseBy::AfterTask => "what comes after the task",
        PauseBy::Preinstall => "an installation of what jobs need",
        PauseBy::Other => "a rule",
    }
}

/// What comes after the last task: "the machine sleeps".
pub(crate) fn after_task(act: AfterTaskAct) -> &'static str {
    match act {
        AfterTaskAct::Pause => "every runner is paused",
        AfterTaskAct::Quit => "the supervisor ends",
        AfterTaskAct::Sleep => "the machine sleeps",
        AfterTaskAct::Restart => "the machine restarts",
    }
}

pub(crate) fn result(result: TaskResult) -> String {
    match result {
        TaskResult::Succeeded => "succeeded".to_owned(),
        TaskResult::Failed { exit_code: Some(code) } => format!("failed, exit {code}"),
        TaskResult::Failed { exit_code: None } => "failed".to_owned(),
        TaskResult::Cancelled => "cancelled by you".to_owned(),
        TaskResult::Lost => "lost".to_owned(),
        TaskResult::Unknown => "unknown".to_owned(),
    }
}

/// What a task is called: "web-app / build on main", as far as it is known.
pub(crate) fn task(task: &Task) -> String {
    let names: Vec<&str> =
        [&task.project, &task.job].into_iter().flatten().map(String::as_str).collect();
    let names = if names.is_empty() { "a task".to_owned() } else { names.join(" / ") };
    let branch = led_by(" on ", task.branch.as_deref());
    let build = led_by(", build ", task.build_number.as_deref());
    format!("{names}{branch}{build}")
}

/// "Downloading the agent 3.1.11: 41 of 63 MB, 5 MB a second, 5 s left", or why it stands still.
pub(crate) fn download(install: &Install) -> String {
    let version = led_by(" ", install.version.as_deref());
    let received = size(install.received);
    let progress = match install.total.map(size) {
        None => format!("{received} so far"),
        Some(total) => match (received.split_once(' '), total.split_once(' ')) {
            (Some((number, unit)), Some((_, same))) if unit == same => {
                format!("{number} of {total}")
            }
            (_, _) => format!("{received} of {total}"),
        },
    };
    if let Some(waits) = &install.waits {
        return format!("Downloading the agent{version} waits at {progress}: {}", waits.why);
    }
    let rate = install.rate.map_or_else(String::new, |rate| format!(", {} a second", size(rate)));
    let left = install.seconds_left.filter(|_| install.total != Some(install.received));
    let left = left.map_or_else(String::new, |seconds| {
        let left = SignedDuration::from_secs(seconds.try_into().unwrap_or(i64::MAX));
        format!(", {} left", duration(left))
    });
    format!("Downloading the agent{version}: {progress}{rate}{left}")
}

/// Of a supervisor that is newer than this program.
pub(crate) const UNKNOWN_BOUNDARY: &str =
    "Of a kind that this version does not know; count on none.";

/// What is not known is said so.
pub(crate) fn known(text: Option<&str>) -> &str {
    text.unwrap_or("unknown")
}

/// A part of a sentence that is there only where its text is.
pub(crate) fn led_by(lead: &str, text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("{lead}{text}"))
}

/// "a", "a and b", "a, b and c".
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    match items.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn durations_are_as_long_as_one_needs() {
        for (seconds, words) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (299, "4 min"),
            (3600, "1 h"),
            (4320, "1 h 12 min"),
            (86_400, "1 day"),
            (90_000, "1 day 1 h"),
            (273_600, "3 days 4 h"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn what_is_left_counts_the_minute_that_has_begun() {
        for (seconds, words) in [(-5, "0 s"), (1, "1 min"), (60, "1 min"), (3599, "1 h")] {
            assert_eq!(left(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_download_is_told_with_all_that_is_known_of_it() {
        let install = Install { received: Bytes(41_000_000), ..Install::default() };
        assert_eq!(download(&install), "Downloading the agent: 41 MB so far");
        let install = Install {
            version: Some("3.1.11".into()),
            total: Some(Bytes(63_000_000)),
            rate: Some(Bytes(5_200_000)),
            seconds_left: Some(5),
            ..install
        };
        let told = "Downloading the agent 3.1.11: 41 of 63 MB, 5 MB a second, 5 s left";
        assert_eq!(download(&install), told);
        let waits = protocol::InstallWaits {
            why: "https://x.example/a answered with HTTP status 503".into(),
            until: Timestamp::UNIX_EPOCH,
        };
        let told = "Downloading the agent 3.1.11 waits at 41 of 63 MB: \
                    https://x.example/a answered with HTTP status 503";
        assert_eq!(download(&Install { waits: Some(waits), ..install }), told);
    }

    #[test]
    fn sizes_never_read_as_a_thousand_of_a_unit() {
        for (bytes, words) in [
            (0, "0 B"),
            (812, "812 B"),
            (999, "999 B"),
            (1000, "1 kB"),
            (999_499, "999 kB"),
            (999_999, "1 MB"),
            (41_300_000, "41 MB"),
            (999_999_999, "1.0 GB"),
            (2_149_999_999, "2.1 GB"),
            (9_999_999_999, "10.0 GB"),
            (1_500_000_000_000, "1.5 TB"),
        ] {
            assert_eq!(size(Bytes(bytes)), words, "{bytes}");
        }
    }

    #[test]
    fn a_moment_says_its_day_where_that_is_not_today() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let now: Timestamp = "2026-11-23T17:00:00Z".parse().expect("a time");
        let now = now.to_zoned_datetime(zone);
        for (time, words) in [
            ("2026-11-23T16:30:00Z", "17:30"),
            ("2026-11-24T08:00:00Z", "tomorrow 09:00"),
            ("2026-11-22T10:02:00Z", "yesterday 11:02"),
            ("2026-11-27T08:05:00Z", "Fri 27 Nov 09:05"),
            ("2027-07-01T07:00:00Z", "1 Jul 2027 09:00"),
        ] {
            assert_eq!(moment(time.parse().expect("a time"), &now), words);
        }
    }

    #[test]
    fn lists_read_aloud() {
        assert_eq!(list::<&str>(&[]), "none");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
