//! A rotation of a token that was begun and that nobody is at: told, with the step it came to, until
//! it is finished. Whoever is at it would only be disturbed.

use jiff::{SignedDuration, Timestamp};
use protocol::{Problem, ProblemCode, RotationStep, RunnerName};

use crate::facts::{RotationFacts, RotationSeen};

/// Between two calls of the command that is at it.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    seen: RotationSeen,
    /// Since when nobody is at it.
    left: Option<Timestamp>,
}

impl Rotation {
    pub(crate) fn new(facts: RotationFacts, before: Option<Self>, now: Timestamp) -> Self {
        let left = before.and_then(|before| before.left).unwrap_or(now);
        Self { seen: facts.seen, left: (!facts.attended).then_some(left) }
    }

    /// When nobody comes back to it any more.
    pub(crate) fn left_for_good(&self) -> Option<Timestamp> {
        self.left?.checked_add(PAUSE).ok()
    }

    /// `proven`: the agent with the new token has had a claim answered.
    pub(crate) fn problem(
        &self,
        runner: &RunnerName,
        proven: bool,
        now: Timestamp,
    ) -> Option<Problem> {
        // A clock that was set back does not put it off.
        let left = self.left.filter(|left| *left > now || left.duration_until(now) >= PAUSE)?;
        let (code, since, reading) = match &self.seen {
            RotationSeen::Begun { at, next } => {
                (ProblemCode::RotationUnfinished, *at, came_to(*next, proven).to_owned())
            }
            RotationSeen::Void { at } => {
                let reading = "another token was set since: said again, it is given up";
                (ProblemCode::RotationUnfinished, *at, reading.to_owned())
            }
            RotationSeen::Unreadable(why) => (ProblemCode::RotationUnreadable, left, why.clone()),
        };
        Some(Problem::of(code, since).reading(reading).with("NAME", runner.as_str()))
    }
}

fn came_to(next: RotationStep, proven: bool) -> &'static str {
    match next {
        RotationStep::Create => "no new token is stored yet",
        RotationStep::Swap => "the new token is stored, and no agent has it yet",
        RotationStep::Prove if !proven => {
            "the new token is the runner's, and no claim with it was answered yet"
        }
        RotationStep::Prove | RotationStep::Delete => {
            "the new token works, and the old one is not known to be deleted"
        }
        RotationStep::Done | RotationStep::Other => "all but its record is done",
    }
}
