//! What is known of a task beyond its files: from the agent's log and its own processes.

use std::path::Path;

use protocol::{FinishedTask, RunnerName, Task, TaskResult, Usage};

use crate::facts::{Heard, Link, Processes, TaskEnd, TaskFacts};

#[derive(Debug, Default, Clone)]
pub(crate) struct Story {
    link: Link,
    step: Option<String>,
    branch: Option<String>,
    job: Option<String>,
    directory: Option<String>,
    usage: Option<Usage>,
    failed_step: Option<FailedStep>,
    pub(crate) recorded: Option<FinishedTask>,
}

#[derive(Debug, Clone, Copy)]
struct FailedStep {
    exit_code: Option<i32>,
}

impl Story {
    pub(crate) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::TaskNamed { link, .. } => self.name(link),
            Heard::StepStarted { step, .. } => self.step = Some(step),
            Heard::StepEnded { failed: true, exit_code, .. } => {
                self.failed_step = Some(FailedStep { exit_code });
            }
            Heard::StepEnded { failed: false, .. }
            | Heard::AgentStarted { .. }
            | Heard::ClaimAnswered
            | Heard::ClaimFailed { .. }
            | Heard::TokenRefused { .. } => {}
        }
    }

    fn name(&mut self, link: Link) {
        self.link.url = link.url.or(self.link.url.take());
        self.link.project = link.project.or(self.link.project.take());
        self.link.build_number = link.build_number.or(self.link.build_number.take());
    }

    pub(crate) fn see(&mut self, processes: Processes) {
        self.usage = Some(processes.usage);
        self.branch = processes.branch.or(self.branch.take());
        self.job = processes.job.or(self.job.take());
        self.link.project = self.link.project.take().or(processes.project);
        self.directory = processes.directory.or(self.directory.take());
    }

    pub(crate) fn running(&self, facts: &TaskFacts, cancelling: bool) -> Task {
        Task {
            id: facts.task.clone(),
            started_at: facts.started_at,
            project: self.link.project.clone(),
            branch: self.branch.clone(),
            job: self.job.clone(),
            build_number: self.link.build_number.clone(),
            link: self.link.url.clone(),
            step: self.step.clone(),
            directory: self.directory.clone().or_else(|| facts.directory.clone()),
            pid: facts.pid,
            cancelling,
            usage: self.usage,
        }
    }

    /// The task as history keeps it; nothing while it runs.
    pub(crate) fn finished(
        &self,
        facts: &TaskFacts,
        runner: &RunnerName,
        cancelled: bool,
    ) -> Option<FinishedTask> {
        let (finished_at, result) = match facts.end {
            TaskEnd::Running | TaskEnd::Unknown => return None,
            TaskEnd::Exited { at, .. } | TaskEnd::Lost { at } | TaskEnd::Unreadable { at }
                if cancelled =>
            {
                (at, TaskResult::Cancelled)
            }
            TaskEnd::Lost { at } => (at, TaskResult::Lost),
            TaskEnd::Unreadable { at } => (at, self.result_without_code()),
            TaskEnd::Exited { code, at } => (at, self.result(code)),
        };
        Some(FinishedTask {
            id: facts.task.clone(),
            runner: runner.clone(),
            project: self.link.project.clone(),
            branch: self.branch.clone(),
            job: self.job.clone(),
            build_number: self.link.build_number.clone(),
            link: self.link.url.clone(),
            started_at: facts.started_at,
            finished_at,
            result,
            directory: self.chosen_directory(facts),
        })
    }

    /// Where its job wanted to work, unless that is the runner's directory or inside it.
    fn chosen_directory(&self, facts: &TaskFacts) -> Option<String> {
        let (theirs, runners) = (self.directory.as_ref()?, facts.directory.as_ref()?);
        (!Path::new(theirs).starts_with(runners)).then(|| theirs.clone())
    }

    fn result_without_code(&self) -> TaskResult {
        match self.failed_step {
            Some(step) => TaskResult::Failed { exit_code: step.exit_code },
            None => TaskResult::Unknown,
        }
    }

    /// That a failed job makes the task agent exit with anything but 0 is not documented, so a
    /// failed step in the log counts as well.
    fn result(&self, code: Option<i32>) -> TaskResult {
        match (code, self.failed_step) {
            (_, Some(step)) => TaskResult::Failed { exit_code: step.exit_code.or(code) },
            (Some(0), None) => TaskResult::Succeeded,
            (code, None) => TaskResult::Failed { exit_code: code },
        }
    }
}
