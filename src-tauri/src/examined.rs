//! When the doctor is to be asked: of each supervisor at once, and again when other things are wrong. It never
//! asks itself.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use protocol::{ProblemCode, Snapshot};

/// To look costs the machine something, and problems may come and go.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What was so when it was asked last. None: it never was.
#[derive(Default)]
pub(crate) struct Examined(Option<Last>);

struct Last {
    supervisor: u32,
    /// None: what it found is not said any more.
    problems: Option<BTreeSet<ProblemCode>>,
    at: Timestamp,
}

impl Examined {
    /// Whether it is to be asked now; from then on it counts as asked.
    pub(crate) fn asks(&mut self, snapshot: &Snapshot, now: Timestamp) -> bool {
        let Some(due) = self.due(snapshot) else { return false };
        // A clock that was set back puts nothing off for longer.
        if now < due && now.duration_until(due) <= AT_MOST_EVERY {
            return false;
        }
        let problems = Some(problems(snapshot));
        self.0 = Some(Last { supervisor: snapshot.supervisor.pid, problems, at: now });
        true
    }

    /// From when on it is to be asked. None: it was.
    pub(crate) fn due(&self, snapshot: &Snapshot) -> Option<Timestamp> {
        match &self.0 {
            Some(last) if last.supervisor == snapshot.supervisor.pid => {
                let is_known = last.problems.as_ref() == Some(&problems(snapshot));
                (!is_known).then(|| last.at + AT_MOST_EVERY)
            }
            Some(_) | None => Some(Timestamp::MIN),
        }
    }

    /// What it found is not said any more.
    pub(crate) fn forget(&mut self) {
        if let Some(last) = &mut self.0 {
            last.problems = None;
        }
    }
}

/// The machine's and every runner's.
fn problems(snapshot: &Snapshot) -> BTreeSet<ProblemCode> {
    let of_runners = snapshot.runners.iter().flat_map(|runner| &runner.problems);
    snapshot.problems.iter().chain(of_runners).map(|problem| problem.code).collect()
}
