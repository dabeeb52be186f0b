//! The mark of a task's processes: the job, as variables that CircleCI gives to every step name it.
//!
//! For where orphans are lost (macOS). It must never add anything to an environment, nor keep or log
//! anything else of one.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use process::{Liveness, ProcessId};

/// Documented at circleci.com/docs; the parallel nodes of a job have the first in common.
const NAMES: [&str; 2] = ["CIRCLE_WORKFLOW_JOB_ID", "CIRCLE_NODE_INDEX"];
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Which job, and since when.
pub(crate) struct Mark {
    since: ProcessId,
    /// The variables of [`NAMES`].
    job: Vec<(OsString, OsString)>,
}

impl Mark {
    /// As a descendant of the task agent shows it, the topmost first. The agent may not be reaped yet.
    pub(crate) fn below(agent: &ProcessId) -> Option<Self> {
        let tree = process::tree(agent.pid).unwrap_or_default();
        let below = tree.into_iter().skip(1).filter_map(|pid| ProcessId::of(pid).ok());
        Self::of(agent, below)
    }

    /// As the first of these shows it; what is as old as the task agent, or younger, may have it.
    pub(crate) fn of(
        agent: &ProcessId,
        among: impl IntoIterator<Item = ProcessId>,
    ) -> Option<Self> {
        // A runner that is itself in a job passes that one's variables on: they tell no task apart.
        let around = job_in(&std::env::vars_os().collect::<Vec<_>>());
        let job = among.into_iter().find_map(|id| {
            let job = job_in(&process::environ(id.pid)?)?;
            // Asked last: the number may have become another's while its environment was read.
            let is_its_own =
                process::alive(&id) == Liveness::Alive && Some(&job) != around.as_ref();
            is_its_own.then_some(job)
        })?;
        Some(Self { since: agent.clone(), job })
    }

    /// The processes that run and have it, where the system shows their environment.
    pub(crate) fn processes(&self) -> Vec<ProcessId> {
        process::marked(&self.since, &self.job).unwrap_or_default()
    }
}

fn job_in(variables: &[(OsString, OsString)]) -> Option<Vec<(OsString, OsString)>> {
    let of_name = |name: &str| {
        let found = variables.iter().find(|(variable, _)| variable.to_str() == Some(name));
        found.filter(|(_, value)| !value.is_empty()).cloned()
    };
    NAMES.into_iter().map(of_name).collect()
}

/// Looks for a task's mark while the task runs, less and less often, until it is found.
pub(crate) struct Search {
    pub(crate) found: Option<Mark>,
    next: Instant,
    pause: Duration,
}

impl Search {
    pub(crate) fn begun(now: Instant) -> Self {
        Self { found: None, next: now + FIRST_PAUSE, pause: FIRST_PAUSE }
    }

    /// Looks if it is time to; when it will be again.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        look: impl FnOnce() -> Option<Mark>,
    ) -> Option<Duration> {
        if self.found.is_none() && now >= self.next {
            self.found = look();
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            self.next = now + self.pause;
        }
        self.found.is_none().then(|| self.next.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_less_and_less_often_and_never_again_once_it_is_known() {
        let mut now = Instant::now();
        let mut search = Search::begun(now);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let pause = search.turn(now, || None).unwrap();
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        let second = Duration::from_secs(1);
        assert_eq!(
            search.turn(now.checked_sub(second).unwrap(), || panic!("too early")),
            Some(second)
        );
        let mark = Mark { since: ProcessId::own().unwrap(), job: Vec::new() };
        assert_eq!(search.turn(now, || Some(mark)), None);
        assert_eq!(search.turn(now + LONGEST_PAUSE, || panic!("it is known")), None);
        assert!(search.found.is_some());
    }

    #[test]
    fn a_job_is_named_by_both_variables_and_nothing_else_is_kept() {
        let job = |variables: &[(&str, &str)]| {
            let variables =
                variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
            job_in(&variables.collect::<Vec<_>>())
        };
        let [id, node] = NAMES;
        let kept = job(&[("SECRET", "s"), (node, "0"), (id, "a")]).unwrap();
        assert_eq!(kept, [(id.into(), "a".into()), (node.into(), "0".into())]);
        assert_eq!(job(&[(id, "a")]), None);
        assert_eq!(job(&[(node, "0")]), None);
        assert_eq!(job(&[(id, ""), (node, "0")]), None);
    }
}
