//! Everything there is to show at one moment; the menu, the icon and the window are made from it alone.

use protocol::{Runner, RunnerState, Snapshot};
use serde::{Deserialize, Serialize};

use crate::ask::Page;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) supervisor: Seen,
    /// What the user should read once, the newest last.
    pub(crate) notices: Vec<Notice>,
    /// Where the tray last sent the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) go: Option<Go>,
    /// How many of the doctor's findings ask for something; the menu alone says it. None: not known.
    #[serde(skip)]
    pub(crate) findings: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Go {
    pub(crate) to: Page,
    /// The plan of a clean-up is made there at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) plan: bool,
    /// Grows, so that the window knows a new word from one that it has followed.
    pub(crate) times: u32,
}

/// What is known of the supervisor. Only `Live` says anything of a runner.
#[expect(clippy::large_enum_variant, reason = "there is one of it, and mostly it is live")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Seen {
    Connecting,
    Starting,
    /// Nothing listens at its socket.
    Absent {
        why: String,
    },
    /// It is there and gives no answer that can be used.
    Unclear {
        why: String,
    },
    Live {
        snapshot: Snapshot,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// What happened, one sentence.
    pub(crate) title: String,
    /// The way out.
    pub(crate) hint: String,
}

impl View {
    pub(crate) fn new() -> Self {
        Self { supervisor: Seen::Connecting, notices: Vec::new(), go: None, findings: None }
    }

    /// None: nothing is known.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        match &self.supervisor {
            Seen::Live { snapshot } => Some(snapshot),
            Seen::Connecting | Seen::Starting | Seen::Absent { .. } | Seen::Unclear { .. } => None,
        }
    }

    pub(crate) fn runners(&self) -> &[Runner] {
        self.snapshot().map_or(&[], |snapshot| &snapshot.runners)
    }

    /// The one state that stands for all, the worst of them. Unknown is never idle, and a machine
    /// without a runner is not connected to CircleCI.
    pub(crate) fn face(&self) -> RunnerState {
        let Some(snapshot) = self.snapshot() else { return RunnerState::Unknown };
        if !snapshot.problems.is_empty() {
            return RunnerState::Problem;
        }
        let worst = snapshot.runners.iter().map(|runner| runner.state).min();
        worst.unwrap_or(RunnerState::Offline)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::scenes;

    /// Whether nothing of the one is missing or another in the other, which may have more.
    fn holds(all: &Value, some: &Value) -> bool {
        match (all, some) {
            (Value::Object(all), Value::Object(some)) => {
                some.iter().all(|(name, value)| all.get(name).is_some_and(|it| holds(it, value)))
            }
            (Value::Array(all), Value::Array(some)) => {
                all.len() == some.len() && all.iter().zip(some).all(|(all, some)| holds(all, some))
            }
            (all, some) => all == some,
        }
    }

    #[test]
    fn the_window_and_the_app_mean_the_same_by_a_view() {
        for (name, text) in scenes::texts() {
            let view: View = serde_json::from_str(&text).expect(&name);
            let (ours, theirs): (Value, Value) = (
                serde_json::to_value(&view).expect(&name),
                serde_json::from_str(&text).expect(&name),
            );
            assert!(holds(&ours, &theirs), "ui/fixtures/{name}.json: {ours:#}");
        }
    }

    #[test]
    fn what_is_not_known_never_looks_idle() {
        for name in ["connecting", "starting", "absent", "unclear"] {
            assert_eq!(scenes::view(name).face(), RunnerState::Unknown, "{name}");
        }
        assert_ne!(scenes::view("no-runner").face(), RunnerState::Idle);
    }

    #[test]
    fn a_paused_or_idle_runner_never_hides_one_that_works_or_needs_somebody() {
        assert_eq!(scenes::view("busy-and-paused").face(), RunnerState::Busy);
        assert_eq!(scenes::view("several").face(), RunnerState::Draining);
        assert_eq!(scenes::view("several-with-a-problem").face(), RunnerState::Problem);
        assert_eq!(scenes::view("state-from-a-newer-version").face(), RunnerState::Problem);
    }
}
