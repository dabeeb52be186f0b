//! Somebody who looks all the time whether a runner has two agents. Knows them by the records of
//! the runs, and remembers each that was ever there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use process::ProcessId;
use run_dir::{RunId, RunsFolder};

use crate::{is_alive, nap};

const BETWEEN_LOOKS: Duration = Duration::from_millis(15);

pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
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
        let enough = Arc::<AtomicBool>::default();
        let thread = std::thread::spawn({
            let (seen, enough) = (Arc::clone(&seen), Arc::clone(&enough));
            move || {
                while !enough.load(Ordering::Relaxed) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).look(&runs);
                    nap(BETWEEN_LOOKS);
                }
            }
        });
        Self { seen, enough, thread: Some(thread) }
    }

    /// How many agents there were in all.
    pub fn agents(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).agents.len()
    }

    /// Panics if a runner had two agents at any look so far.
    #[track_caller]
    pub fn assert_never_two_agents(&self) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(seen.complaints.is_empty(), "{:#?}", seen.complaints);
    }
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
            } else if is_alive(agent) {
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

impl Drop for Witness {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
