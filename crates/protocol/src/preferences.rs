//! What the owner chooses for the whole machine, whatever its runners are.

use serde::{Deserialize, Serialize};

/// `GET /v1/preferences`, and part of every snapshot.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct Preferences {
    pub keep_awake: KeepAwakePreference,
    pub notifications: NotificationPreference,
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

impl PreferencesChange {
    /// The preferences as they are to be.
    #[must_use]
    pub fn applied_to(self, before: Preferences) -> Preferences {
        let (keep, tell) =
            (self.keep_awake.unwrap_or_default(), self.notifications.unwrap_or_default());
        let Preferences { keep_awake, notifications } = before;
        Preferences {
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
    fn a_change_of_what_is_not_known_is_refused() {
        for unknown in [r#"{"music": {}}"#, r#"{"keep_awake": {"forever": true}}"#] {
            assert!(serde_json::from_str::<PreferencesChange>(unknown).is_err(), "{unknown}");
        }
    }
}
