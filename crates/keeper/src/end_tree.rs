//! Ends all processes of a lost task: stops them first, so that none escapes by forking, then KILLs.
//!
//! Of a task whose wrapper died: the agent believes it dead, and what of it ran on would spoil the next
//! task. And of one that ended, where its owner wants nothing of it to run on.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use process::{ExitWatch, Liveness, Pid, ProcessId, Signal};

use crate::as_job_user::{Act, JobUser, ask};
use crate::mark::Mark;

/// KILL works at once except on a process that waits for a device.
const LIMIT: Duration = Duration::from_secs(10);

/// Which processes are meant.
#[derive(Default)]
pub(crate) struct Trees {
    /// All descendants of this process.
    pub(crate) below_this_process: bool,
    /// These and their descendants.
    pub(crate) roots: Vec<ProcessId>,
    /// All that are in the group or the session of this one, ended or not: where orphans do not come to
    /// this process (macOS) they are found so.
    pub(crate) led_by: Option<ProcessId>,
    /// All that have this mark, wherever they are: set only where orphans do not come to this process.
    pub(crate) mark: Option<Mark>,
    /// Neither these nor their descendants, wherever they are.
    pub(crate) spared: Vec<ProcessId>,
}

/// Ends them, with the job user's help where they are the job user's; those that are still there
/// in the end.
pub(crate) fn end_trees(trees: &Trees, job_user: Option<&JobUser>) -> Vec<ProcessId> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let refused = stop_all(trees);
        let running = trees.running();
        if running.is_empty() || Instant::now() > deadline {
            return running;
        }
        if let Some(job_user) = job_user
            && !refused.is_empty()
        {
            // Best effort: what it could not do shows in the next round.
            let _ = ask(job_user, Act::End, refused);
        }
        for id in &running {
            let _ = process::signal(id, Signal::KILL);
        }
        for id in &running {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(Some(watch)) = ExitWatch::of(id) {
                let _ = watch.wait(Some(left));
            }
        }
    }
}

/// The running descendants of this process.
pub(crate) fn below_this_process() -> Vec<ProcessId> {
    Trees { below_this_process: true, ..Trees::default() }.running()
}

/// Stops them all, until no new one appears; those that we may not signal.
fn stop_all(trees: &Trees) -> Vec<ProcessId> {
    let mut seen = HashSet::new();
    let mut refused = Vec::new();
    loop {
        let new: Vec<_> =
            trees.running().into_iter().filter(|id| seen.insert(id.clone())).collect();
        if new.is_empty() {
            return refused;
        }
        for id in new {
            if process::signal(&id, Signal::STOP).is_err_and(|error| is_refusal(&error)) {
                refused.push(id);
            }
        }
    }
}

fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

impl Trees {
    /// Learns the task's mark of those that are meant so far, where it is needed and not known.
    pub(crate) fn learn_mark(&mut self) {
        if let Some(agent) = &self.led_by
            && self.mark.is_none()
            && !process::ORPHANS_COME
        {
            self.mark = Mark::of(agent, self.running());
        }
    }

    /// Those that run. A process that dies while its parent's list is read moves its children to
    /// where the walk has been already; so none is only believed when nobody died since the walk
    /// before.
    pub(crate) fn running(&self) -> Vec<ProcessId> {
        let mut known_dead = HashSet::new();
        loop {
            let (dead, running): (Vec<_>, Vec<_>) =
                self.walk().into_iter().partition(|id| process::alive(id) == Liveness::Dead);
            let died_since = dead.into_iter().filter(|id| known_dead.insert(id.clone())).count();
            if !running.is_empty() || died_since == 0 {
                return running;
            }
        }
    }

    /// All of them, ended ones too.
    fn walk(&self) -> HashSet<ProcessId> {
        let own = self.below_this_process.then(Pid::own);
        let below = own.and_then(|own| process::tree(own).ok()).unwrap_or_default();
        let roots = self.roots.iter().filter(|root| process::alive(root) != Liveness::Dead);
        let trees = roots.flat_map(|root| process::tree(root.pid).unwrap_or_default());
        let pids = below.into_iter().chain(trees).filter(|pid| *pid != Pid::own());
        // It looks at every process of the machine, which no task waits for in vain.
        let leader = self.led_by.as_ref().filter(|_| !process::ORPHANS_COME);
        let led = leader.and_then(|leader| process::led_by(leader).ok());
        let mut found: HashSet<ProcessId> =
            pids.filter_map(|pid| ProcessId::of(pid).ok()).collect();
        found.extend(led.unwrap_or_default());
        found.extend(self.mark.iter().flat_map(Mark::processes));
        for spared in self.spared.iter().filter(|id| process::alive(id) != Liveness::Dead) {
            let tree = process::tree(spared.pid).unwrap_or_default();
            found.retain(|id| !tree.contains(&id.pid));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Child, Command, Stdio};

    use super::*;

    const PLAYS: &str = "END_TREE_TEST_PLAYS";

    /// One of the processes below, until its input ends; by itself it does nothing. macOS would not show
    /// the environment of a program of its own.
    #[test]
    fn plays_a_process() {
        if std::env::var_os(PLAYS).is_some() {
            io::stdin().lock().read_to_end(&mut Vec::new()).unwrap();
        }
    }

    fn of_node(job: &str, node: &str) -> (ProcessId, Child) {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "end_tree::tests::plays_a_process"])
            .env(PLAYS, "1")
            .env("CIRCLE_WORKFLOW_JOB_ID", job)
            .env("CIRCLE_NODE_INDEX", node)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        (ProcessId::of(Pid::of_child(&child)).unwrap(), child)
    }

    #[test]
    fn what_has_the_mark_is_found_wherever_it_is_and_what_is_spared_is_not() {
        let own = ProcessId::own().unwrap();
        let job = format!("the job of test {own}");
        let (marked, mut child) = of_node(&job, "0");
        let (spared, mut spared_child) = of_node(&job, "0");
        let (_, mut other_child) = of_node(&job, "1");
        // It shows none before it has run.
        while process::environ(marked.pid).is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let mark = Mark::of(&own, [marked.clone()]);
        assert!(mark.is_some());
        let trees = Trees { mark, spared: vec![spared], ..Trees::default() };
        assert_eq!(trees.running(), [marked]);
        // Their input ends with it.
        for child in [&mut child, &mut spared_child, &mut other_child] {
            child.wait().unwrap();
        }
        assert_eq!(trees.running(), []);
    }
}
