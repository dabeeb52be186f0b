//! The laws: what must hold after every step, judged by what the world knows and not by what the
//! core believes.

use protocol::{FinishedTask, RunId, Runner, RunnerName, RunnerState, TaskId, TaskResult};
use supervisor_core::{AgentSeen, LockSeen, Read, RunFacts, TaskFacts, Wanted, Wish};

use super::World;
use super::disk::{How, RunDir, TaskDir};
use super::jobs::Job;
use super::supervisor::Supervisor;
use super::wants::holder;

/// Neither agent nor keeper of the run live, and that is certain.
pub(crate) fn is_over(facts: &RunFacts, boot: &str) -> bool {
    if facts.exit.yes().is_some() {
        return true;
    }
    match (&facts.lock, &facts.agent) {
        (LockSeen::Held | LockSeen::Unknown, _) | (_, AgentSeen::Unknown) => false,
        (LockSeen::Free, AgentSeen::NotStarted) => true,
        (LockSeen::Free, AgentSeen::Started { boot: then, alive, .. }) => {
            then != boot || alive.is_no()
        }
    }
}

/// A task outlives its agent, not its boot.
fn may_run_task(facts: &RunFacts, boot: &str) -> bool {
    let earlier = matches!(&facts.agent, AgentSeen::Started { boot: then, .. } if then != boot);
    !earlier && facts.tasks.iter().any(TaskFacts::may_run)
}

impl World {
    pub(crate) fn check_laws(&mut self) {
        self.law_of_one_agent();
        self.law_of_promises();
        self.law_of_the_snapshot();
    }

    fn law_of_one_agent(&mut self) {
        for runner in self.runners.clone() {
            let of_runner = self.runs.iter().filter(|(_, dir)| dir.runner == runner);
            let live: Vec<RunId> =
                of_runner.filter(|(_, dir)| dir.lives()).map(|(run, _)| run.clone()).collect();
            if live.len() > 1 {
                self.broke("one agent per runner", || format!("{runner} has {live:?}"));
            }
        }
    }

    fn law_of_promises(&mut self) {
        if let Some(lost) = self.wants.lost_promise(&self.wanted) {
            self.broke("a pause that was promised is on disk", || lost);
        }
    }

    fn law_of_the_snapshot(&mut self) {
        if let Some((law, how)) = self.wrong_in_the_snapshot() {
            self.broke(law, || how);
        }
    }

    fn wrong_in_the_snapshot(&self) -> Option<(&'static str, String)> {
        let supervisor = self.supervisor.as_ref()?;
        let snapshot = supervisor.core.snapshot();
        let is_shown = |name: &RunnerName| snapshot.runners.iter().any(|it| it.name == *name);
        let mut listed = supervisor.settings.iter().flat_map(|listed| listed.keys());
        if let Some(name) = listed.find(|name| !is_shown(name)) {
            return Some(("every runner is shown", name.to_string()));
        }
        snapshot.runners.iter().find_map(|shown| self.wrong_about(supervisor, shown))
    }

    fn wrong_about(
        &self,
        supervisor: &Supervisor,
        shown: &Runner,
    ) -> Option<(&'static str, String)> {
        let read = shown.run.as_ref().filter(|run| !supervisor.strays.contains_key(*run));
        let told = read.and_then(|run| supervisor.told.get(run));
        if shown.state == RunnerState::Idle && !told.is_some_and(is_surely_idle) {
            let told = told.map(super::story::of_facts);
            return Some(("unknown is never idle", format!("{} by {told:?}", shown.name)));
        }
        if shown.state == RunnerState::Paused && shown.pause_reasons.is_empty() {
            return Some(("a pause has a reason", shown.name.to_string()));
        }
        let mut by: Vec<u8> = shown.pause_reasons.iter().map(|pause| holder(pause.by)).collect();
        by.sort_unstable();
        let saved = self.wants.in_force(&shown.name, self.now);
        (!supervisor.read_only && by != saved).then(|| {
            ("pauses are shown as they are", format!("{}: {by:?}, saved {saved:?}", shown.name))
        })
    }

    pub(crate) fn law_of_starts(&mut self, runner: &RunnerName) {
        let Some(supervisor) = &self.supervisor else { return };
        let boot = self.boot_id();
        let in_the_way: Vec<&RunId> = supervisor
            .told
            .values()
            .filter(|facts| facts.runner.name == *runner)
            .filter(|facts| !is_over(facts, &boot) || may_run_task(facts, &boot))
            .map(|facts| &facts.run)
            .filter(|run| !supervisor.strays.contains_key(*run))
            .chain(supervisor.strays.iter().filter(|(_, lives)| **lives).map(|(run, _)| run))
            .collect();
        let starting = supervisor.jobs.iter().any(|job| match job {
            Job::Gather(other) => other == runner,
            Job::Spawn(run) | Job::Tell(run) => {
                self.runs.get(run).is_some_and(|dir| dir.runner == *runner)
            }
            Job::Save { .. } | Job::Install(_) | Job::Probe(_) => false,
        });
        let wrong = if supervisor.read_only || supervisor.settings.is_none() {
            "what is wanted cannot be read".into()
        } else if supervisor.settings.as_ref().is_some_and(|it| !it.contains_key(runner)) {
            "it is not in the settings".into()
        } else if !self.wants.in_force(runner, self.now).is_empty() {
            "a pause is in force".into()
        } else if starting {
            "another start is under way".into()
        } else if !in_the_way.is_empty() {
            format!("{in_the_way:?} may live")
        } else {
            return;
        };
        self.broke("no start but where one is wanted and safe", || format!("{runner}: {wrong}"));
    }

    pub(crate) fn law_of_drains(&mut self, run: &RunId) {
        let Some(supervisor) = &self.supervisor else { return };
        let Some(told) = supervisor.told.get(run) else { return };
        let runner = &told.runner;
        let paused = !self.wants.in_force(&runner.name, self.now).is_empty();
        let unlisted = supervisor.settings.as_ref().is_some_and(|listed| {
            listed.get(&runner.name).is_none_or(|mark| format!("mark-{mark}") != runner.mark)
        });
        if supervisor.read_only || !paused && !unlisted {
            self.broke("no drain without a saved reason", || run.to_string());
        }
    }

    pub(crate) fn law_of_installations(&mut self, runner: &RunnerName) {
        if !self.wants.may_install(runner) {
            self.broke("no installation against its owner's word", || runner.to_string());
        }
    }

    pub(crate) fn law_of_adoptions(&mut self, run: &RunId) {
        let of_boot = |dir: &RunDir| dir.started.as_ref().map(|started| started.boot);
        let earlier = self.runs.get(run).and_then(of_boot).filter(|boot| *boot != self.boot);
        if let Some(boot) = earlier {
            self.broke("no agent outlives its boot", || format!("{run} is of boot {boot}"));
        }
    }

    pub(crate) fn law_of_saves(&mut self, number: u64, wanted: &Wanted) {
        if self.supervisor.as_ref().is_some_and(|it| it.read_only) {
            self.broke("unreadable state is not written over", || format!("save {number}"));
        } else if let Err(how) = self.wants.saves(number, wanted) {
            self.broke("each holder's pause is its own", || how);
        }
    }

    pub(crate) fn law_of_wishes(&mut self, wish: &Wish, taken: bool) {
        let Wish::Cancel { task, .. } = wish else { return };
        let Some(supervisor) = &self.supervisor else { return };
        let mut tasks = supervisor.told.values().flat_map(|facts| &facts.tasks);
        if taken && tasks.any(|known| known.task == *task && !known.may_run()) {
            self.broke("only a task that may run is cancelled", || task.to_string());
        }
    }

    pub(crate) fn law_of_revisions(&mut self) {
        let Some(supervisor) = &mut self.supervisor else { return };
        let (before, after) = (supervisor.revision, supervisor.core.snapshot().revision);
        supervisor.revision = after;
        if after < before {
            self.broke("revisions grow", || format!("{after} after {before}"));
        }
    }

    pub(crate) fn law_of_records(&mut self, task: &FinishedTask, amended: bool) {
        let Some(supervisor) = &mut self.supervisor else { return };
        let first = supervisor.recorded.insert(task.id.clone());
        let mut told = supervisor.told.values();
        let of_run = told.find(|run| run.tasks.iter().any(|known| known.task == task.id));
        if of_run.is_some_and(|run| run.cancel.is_unknown()) {
            self.recorded_blindly.insert(task.id.clone());
        }
        if first == amended {
            self.broke("a task is recorded once", || format!("{}, amended: {amended}", task.id));
        }
        if !self.tasks().any(|(id, known)| id == task.id && known.end.is_some()) {
            self.broke("only what is over is recorded", || task.id.to_string());
        }
    }

    fn tasks(&self) -> impl Iterator<Item = (TaskId, &TaskDir)> {
        let runs = self.runs.iter();
        let tasks = runs.flat_map(|(run, dir)| dir.tasks.iter().map(move |task| (run, task)));
        tasks.map(|(run, task)| (TaskId::new(run, task.number), task))
    }

    /// At the end: every task that finished is in the history, and as what it was.
    pub(crate) fn law_of_history(&mut self) {
        let mut finished = self.tasks().filter(|(_, task)| task.end.is_some());
        let wrong = finished.find_map(|(id, task)| {
            let record = self.history.get(&id).map(|record| record.result);
            let cancelled = self.words.contains(&id);
            // A cancel that could not be read then, and a supervisor that was killed then.
            let excused = self.recorded_blindly.contains(&id) && record.is_some();
            let truly = record.is_some_and(|record| is_told_truly(task, cancelled, record));
            let truth = (task.end.map(|end| end.how), task.failed_step, cancelled);
            (!excused && !truly).then(|| {
                format!("{id}: (end, a step failed, cancelled) = {truth:?}, recorded: {record:?}")
            })
        });
        drop(finished);
        if let Some(wrong) = wrong {
            self.broke("every task is recorded as what it was", || wrong);
        }
    }
}

fn is_told_truly(task: &TaskDir, worded: bool, told: TaskResult) -> bool {
    let Some(how) = task.end.map(|end| end.how) else { return false };
    let failed = task.failed_step || !matches!(how, How::Code(0));
    match told {
        TaskResult::Succeeded => how == How::Code(0) && !failed,
        TaskResult::Failed { .. } => matches!(how, How::Code(_)) && failed,
        // It may have failed of itself while its cancel was on the way: nobody can tell the two apart.
        TaskResult::Cancelled => how == How::Cancelled || worded && failed,
        TaskResult::Lost => how == How::Lost,
        TaskResult::Unknown => false,
    }
}

fn is_surely_idle(facts: &RunFacts) -> bool {
    let alive = matches!(&facts.agent, AgentSeen::Started { alive: Read::Yes(()), .. });
    alive
        && facts.lock != LockSeen::Unknown
        && facts.exit.yes().is_none()
        && facts.drain.is_no()
        && facts.tasks.iter().all(|task| !task.may_run())
}
