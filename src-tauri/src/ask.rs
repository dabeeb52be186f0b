//! What a user can ask for, in the menu and in the window alike. Asking decides nothing.

use jiff::civil::time;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use protocol::{AfterTaskAct, RunnerName, WorkDirId};
use serde::{Deserialize, Serialize};

/// One click. Its JSON is what the window sends, and the id of a menu item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Ask {
    /// The window is there and wants to know what to show.
    Look,
    Pause {
        runners: Vec<RunnerName>,
        how_long: PauseLength,
    },
    /// Clears the user's own pause and no other.
    Resume {
        runners: Vec<RunnerName>,
    },
    /// Opens the page of the runner's task in the browser.
    OpenTask {
        runner: RunnerName,
    },
    StartSupervisor,
    OpenWindow,
    /// Opens the window there.
    OpenPage {
        page: Page,
    },
    /// Opens the window at clean-up, where the plan is made at once.
    CleanUp,
    /// Opens a working directory in the file manager; where it lies is the supervisor's word.
    OpenDirectory {
        directory: WorkDirId,
    },
    /// Once no task runs any more.
    AfterTask {
        act: AfterTaskAct,
    },
    /// Takes that back, or has read that it could not be done.
    NothingAfterTask,
    /// Whether the machine stays awake while a task runs.
    KeepAwake {
        on: bool,
    },
    /// The notices were read.
    Dismiss,
    /// Ends this app; supervisor, agents and tasks go on. The window's palette says it too.
    Quit,
}

/// A page of the window; `Page` in `ui/src/bridge.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Page {
    Overview,
    Directories,
    CleanUp,
    Preinstall,
    History,
    Logs,
    Doctor,
    Settings,
    SetUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PauseLength {
    QuarterHour,
    Hour,
    /// 09:00 on the next calendar day, on the clock of the wall.
    UntilTomorrow,
    UntilResumed,
}

impl PauseLength {
    pub(crate) const ALL: [Self; 4] =
        [Self::QuarterHour, Self::Hour, Self::UntilTomorrow, Self::UntilResumed];

    /// As an item below "Pause claiming".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::QuarterHour => "15 minutes",
            Self::Hour => "1 hour",
            Self::UntilTomorrow => "Until tomorrow 09:00",
            Self::UntilResumed => "Until I resume",
        }
    }

    /// After "Pause".
    pub(crate) fn in_a_sentence(self) -> &'static str {
        match self {
            Self::QuarterHour => "for 15 minutes",
            Self::Hour => "for 1 hour",
            Self::UntilTomorrow => "until tomorrow 09:00",
            Self::UntilResumed => "until I resume",
        }
    }

    /// The moment it ends, absolute so that sleep and clock changes cannot stretch it. None: never.
    pub(crate) fn until(self, now: &ZonedDateTime) -> Option<Timestamp> {
        match self {
            Self::QuarterHour => Some(now.timestamp() + 15.minutes()),
            Self::Hour => Some(now.timestamp() + 1.hour()),
            Self::UntilTomorrow => tomorrow_at_nine(now),
            Self::UntilResumed => None,
        }
    }
}

fn tomorrow_at_nine(now: &ZonedDateTime) -> Option<Timestamp> {
    let morning = now.date().tomorrow().ok()?.to_datetime(time(9, 0, 0, 0));
    Some(morning.to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(length: PauseLength, now: &str) -> Option<String> {
        let now: ZonedDateTime = now.parse().expect("a time");
        let until = length.until(&now)?;
        Some(until.to_zoned_datetime(now.time_zone().clone()).datetime().to_string())
    }

    #[test]
    fn tomorrow_is_the_next_calendar_day_even_after_midnight() {
        let length = PauseLength::UntilTomorrow;
        let late = until(length, "2026-03-02T23:59:00+00:00[UTC]");
        assert_eq!(late.as_deref(), Some("2026-03-03T09:00:00"));
        let early = until(length, "2026-03-03T00:01:00+00:00[UTC]");
        assert_eq!(early.as_deref(), Some("2026-03-04T09:00:00"));
    }

    #[test]
    fn tomorrow_is_nine_on_the_wall_when_the_clocks_change() {
        let length = PauseLength::UntilTomorrow;
        let spring = until(length, "2026-03-28T20:00:00+01:00[Europe/Berlin]");
        assert_eq!(spring.as_deref(), Some("2026-03-29T09:00:00"));
        let autumn = until(length, "2026-10-24T20:00:00+02:00[Europe/Berlin]");
        assert_eq!(autumn.as_deref(), Some("2026-10-25T09:00:00"));
    }

    #[test]
    fn an_hour_is_sixty_minutes_when_the_clocks_change() {
        let spring = until(PauseLength::Hour, "2026-03-29T01:30:00+01:00[Europe/Berlin]");
        assert_eq!(spring.as_deref(), Some("2026-03-29T03:30:00"));
    }

    #[test]
    fn until_i_resume_has_no_end() {
        assert_eq!(until(PauseLength::UntilResumed, "2026-03-02T12:00:00+00:00[UTC]"), None);
    }

    #[test]
    fn every_click_that_the_window_knows_is_known_here() {
        let bridge = include_str!("../../ui/src/bridge.ts");
        let clicks: Vec<_> = bridge
            .lines()
            .filter_map(|line| line.trim().strip_prefix("| { do: \"")?.split_once('"'))
            .map(|(name, _)| name)
            .filter(|name| *name != "call")
            .collect();
        assert!(clicks.contains(&"look") && clicks.contains(&"dismiss"), "{clicks:?}");
        for click in clicks {
            let read = serde_json::from_value::<Ask>(serde_json::json!({ "do": click }));
            // Of some a field is missing here; what they are called is known.
            let why = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!why.contains("unknown variant"), "{click}: {why}");
        }
    }

    #[test]
    fn a_word_that_the_window_may_not_say_is_refused() {
        let later = r#"{"do":"resume","runners":["a"],"force":true}"#;
        serde_json::from_str::<Ask>(later).expect_err("an unknown field");
    }
}
