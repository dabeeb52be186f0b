//! Somebody who looks all the time whether a runner has two agents. Knows them by the records of
//! the runs, and remembers each that was ever there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use process::ProcessId;
use run_dir::{RunId, RunsFolder};

use crate::background::Background;
use crate::is_alive;

pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    runs: RunsFolder,
    eyes: Option<Background>,
}

#[derive(Default)]
struct Seen {
    /// Runner and agent of each run.
    agents: BTreeMap<RunId, (String, ProcessId)>,
    ended: BTreeSet<RunId>,
    complaints: Vec<String>,
}

impl Witness {
    pub fn of(runs: RunsFolder) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (looks, all) = (Arc::clone(&seen), runs.clone());
        let eyes = Background::again_and_again(move || lock(&looks).look(&all));
        Self { seen, runs, eyes: Some(eyes) }
    }

    /// Looks no more: it opens files all the time, and a trial may count what that costs others.
    pub fn rests(&mut self) {
        self.eyes = None;
    }

    /// How many agents there were in all.
    pub fn agents(&self) -> usize {
        let mut seen = lock(&self.seen);
        seen.look(&self.runs);
        seen.agents.len()
    }

    /// Panics if a runner had two agents at any look so far.
    #[track_caller]
    pub fn assert_never_two_agents(&self) {
        let seen = lock(&self.seen);
        assert!(seen.complaints.is_empty(), "{:#?}", seen.complaints);
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn look(&mut self, runs: &RunsFolder) {
        for id in runs.list().unwrap_or_default() {
            if self.agents.contains_key(&id) {
                continue;
            }
            let run = runs.run(&id);
            if let (Some(plan), Some(started)) = (run.plan().written(), run.started().written()) {
                self.agents.insert(id, (plan.runner, started.process));
            }
        }
        let mut alive: BTreeMap<&str, Vec<&RunId>> = BTreeMap::new();
        for (id, (runner, agent)) in &self.agents {
            if self.ended.contains(id) {
                continue;
            }
            if is_alive(agent) {
                alive.entry(runner).or_default().push(id);
            } else {
                self.ended.insert(id.clone());
            }
        }
        for (runner, runs) in alive {
            // One of them may have ended while the others were looked at.
            let still = runs.iter().filter(|run| is_alive(&self.agents[**run].1));
            if still.count() > 1 {
                self.complaints.push(format!("{runner} has several agents: {runs:?}"));
            }
        }
    }
}
