//! What the owner chooses for the whole machine, whatever its runners are.

use serde::{Deserialize, Serialize};

use crate::calls::present;

/// `GET /v1/preferences`, and part of every snapshot.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct Preferences {
    pub keep_awake: KeepAwakePreference,
    pub notifications: NotificationPreference,
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<CleanupPreference>"))]
    pub cleanup: CleanupPreference,
}

/// Whether the machine stays awake while a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct KeepAwakePreference {
    pub on: bool,
    /// On battery below this the machine may sleep all the same; 0 to 100.
    pub battery_floor_percent: u8,
}

impl Default for KeepAwakePreference {
    fn default() -> Self {
        Self { on: true, battery_floor_percent: 30 }
    }
}

/// What the owner is told of while no window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct NotificationPreference {
    /// Problems, and that they are over.
    pub problems: bool,
    /// Pauses that end, or begin, by themselves.
    pub pause_ended: bool,
    /// Every task that is over.
    pub tasks: bool,
}

impl Default for NotificationPreference {
    fn default() -> Self {
        Self { problems: true, pause_ended: true, tasks: false }
    }
}

/// How the disk is kept from filling up; which presets are on is in [`crate::Presets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct CleanupPreference {
    /// With less free on a volume that tasks fill, none is claimed; 0: never. Absent: 10 GB, or a
    /// twentieth of the volume where that is less.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub stop_below_gb: Option<u32>,
    /// With more free they are claimed again, and so much is what clean-up makes room for. Absent:
    /// half as much again as the mark above.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub go_on_above_gb: Option<u32>,
    /// A task waits for the clean-up before it so long at most.
    pub before_task_seconds: u32,
    pub when_it_fails: WhenCleanupFails,
    /// Processes that a task leaves behind are ended.
    pub end_left_overs: bool,
    /// Absent: never by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub weekly: Option<Weekly>,
}

impl Default for CleanupPreference {
    fn default() -> Self {
        Self {
            stop_below_gb: None,
            go_on_above_gb: None,
            before_task_seconds: 120,
            when_it_fails: WhenCleanupFails::GoOn,
            end_left_overs: false,
            weekly: None,
        }
    }
}

/// What becomes of a task whose clean-up failed, or took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum WhenCleanupFails {
    GoOn,
    FailTask,
}

/// A time of the week, by this machine's clock. The clean-up begins then, or at the next moment at
/// which no task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Weekly {
    /// 1 is Monday, 7 is Sunday.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
}

/// `PUT /v1/preferences`: what is absent stays as it is, and what is not known is refused. Answered
/// with the [`Preferences`] as they are then.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PreferencesChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub keep_awake: Option<KeepAwakeChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub notifications: Option<NotificationChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cleanup: Option<CleanupChange>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct KeepAwakeChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub on: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub battery_floor_percent: Option<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct NotificationChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub problems: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub pause_ended: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub tasks: Option<bool>,
}

/// Null takes a mark, or the weekly time, away.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CleanupChange {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number | null"))]
    pub stop_below_gb: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number | null"))]
    pub go_on_above_gb: Option<Option<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub before_task_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub when_it_fails: Option<WhenCleanupFails>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub end_left_overs: Option<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Weekly | null"))]
    pub weekly: Option<Option<Weekly>>,
}

impl CleanupChange {
    fn applied_to(self, before: CleanupPreference) -> CleanupPreference {
        CleanupPreference {
            stop_below_gb: self.stop_below_gb.unwrap_or(before.stop_below_gb),
            go_on_above_gb: self.go_on_above_gb.unwrap_or(before.go_on_above_gb),
            before_task_seconds: self.before_task_seconds.unwrap_or(before.before_task_seconds),
            when_it_fails: self.when_it_fails.unwrap_or(before.when_it_fails),
            end_left_overs: self.end_left_overs.unwrap_or(before.end_left_overs),
            weekly: self.weekly.unwrap_or(before.weekly),
        }
    }
}

impl PreferencesChange {
    /// The preferences as they are to be.
    #[must_use]
    pub fn applied_to(self, before: Preferences) -> Preferences {
        let (keep, tell) =
            (self.keep_awake.unwrap_or_default(), self.notifications.unwrap_or_default());
        let Preferences { keep_awake, notifications, cleanup } = before;
        Preferences {
            cleanup: self.cleanup.unwrap_or_default().applied_to(cleanup),
            keep_awake: KeepAwakePreference {
                on: keep.on.unwrap_or(keep_awake.on),
                battery_floor_percent: keep
                    .battery_floor_percent
                    .unwrap_or(keep_awake.battery_floor_percent),
            },
            notifications: NotificationPreference {
                problems: tell.problems.unwrap_or(notifications.problems),
                pause_ended: tell.pause_ended.unwrap_or(notifications.pause_ended),
                tasks: tell.tasks.unwrap_or(notifications.tasks),
            },
        }
    }
}

/// Whether the machine is kept awake just now.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct KeepAwake {
    pub held: bool,
    /// A task runs and the machine may sleep all the same: why, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub why_not: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_all_it_does_not_name() {
        let change: PreferencesChange =
            serde_json::from_str(r#"{"notifications": {"tasks": true}}"#).expect("a change");
        let after = change.applied_to(Preferences::default());
        assert!(after.notifications.tasks && after.notifications.problems);
        assert_eq!(after.keep_awake, KeepAwakePreference { on: true, battery_floor_percent: 30 });
        assert_eq!(PreferencesChange::default().applied_to(after), after);
    }

    #[test]
    fn null_takes_a_mark_away_and_silence_leaves_it() {
        let said = |text| serde_json::from_str::<PreferencesChange>(text).expect("a change");
        let with = said(r#"{"cleanup": {"stop_below_gb": 15, "weekly": {"day": 7, "hour": 3}}}"#)
            .applied_to(Preferences::default());
        assert_eq!(with.cleanup.stop_below_gb, Some(15));
        assert_eq!(said(r#"{"cleanup": {}}"#).applied_to(with), with);
        let less = said(r#"{"cleanup": {"stop_below_gb": null}}"#).applied_to(with);
        assert_eq!(less.cleanup.stop_below_gb, None);
        assert_eq!(less.cleanup.weekly, Some(Weekly { day: 7, hour: 3 }));
    }

    #[test]
    fn a_change_of_what_is_not_known_is_refused() {
        for unknown in [r#"{"music": {}}"#, r#"{"keep_awake": {"forever": true}}"#] {
            assert!(serde_json::from_str::<PreferencesChange>(unknown).is_err(), "{unknown}");
        }
    }
}
