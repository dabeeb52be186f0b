//! The task queue: who waits, who runs, who is done. Pure; it must never hand a task out twice,
//! unless that very trouble is asked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::control::{Counts, NewTask, Outcome, Step, Task, TaskNumber, TaskState};
use crate::wire::{StepEnd, StepStart};

/// A task may be given back so often (container runner's sources: 409 after that).
const UNCLAIMS: u32 = 3;

/// Everything about one task, as it lies on disk.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) task: Task,
    pub(super) plan: NewTask,
    pub(super) names: Names,
}

/// The random names of a task. The token lets its task agent speak for it, nobody else.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Names {
    pub(super) token: String,
    pub(super) allocation: String,
    pub(super) job_id: String,
    pub(super) pipeline_id: String,
    pub(super) workflow_id: String,
    pub(super) revision: String,
}

/// Why a task's report was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    UnknownToken,
    Ended,
    TooManyUnclaims,
}

#[derive(Default)]
pub(super) struct Queue {
    records: BTreeMap<TaskNumber, Record>,
    touched: BTreeSet<TaskNumber>,
    /// Tasks that the next claim of their class gets once more.
    again: BTreeSet<TaskNumber>,
}

impl Queue {
    pub(super) fn restored(records: impl IntoIterator<Item = Record>) -> Self {
        let records = records.into_iter().map(|record| (record.task.number, record)).collect();
        Self { records, ..Self::default() }
    }

    /// The records that changed since the last call.
    pub(super) fn take_touched(&mut self) -> Vec<Record> {
        let touched = std::mem::take(&mut self.touched);
        touched.iter().filter_map(|number| self.records.get(number).cloned()).collect()
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.records.values().map(|record| &record.task)
    }

    pub(super) fn task(&self, number: TaskNumber) -> Option<&Task> {
        self.records.get(&number).map(|record| &record.task)
    }

    pub(super) fn next_number(&self) -> TaskNumber {
        TaskNumber(self.records.last_key_value().map_or(0, |(number, _)| number.0) + 1)
    }

    pub(super) fn add(&mut self, plan: NewTask, names: Names, build_url: String, now: Timestamp) {
        let number = self.next_number();
        let task = Task {
            number,
            task_id: format!("{}-0-build", names.job_id),
            job_id: names.job_id.clone(),
            build_url,
            resource_class: plan.resource_class.clone(),
            project: plan.project.clone(),
            branch: plan.branch.clone(),
            job: plan.job.clone(),
            state: TaskState::Queued,
            outcome: None,
            message: None,
            runner: None,
            claims: 0,
            cancel_wished: false,
            queued_at: now,
            claimed_at: None,
            finished_at: None,
            steps: Vec::new(),
        };
        self.records.insert(number, Record { task, plan, names });
        self.touched.insert(number);
    }

    /// The oldest waiting task of a class, now running on `runner`. What that runner had running
    /// before is lost: a machine runner runs one task at a time, so it forgot the earlier one.
    pub(super) fn claim(&mut self, class: &str, runner: &str, now: Timestamp) -> Option<&Record> {
        self.lose_forgotten(class, runner, now);
        if let Some(number) = self.again_for(class) {
            self.again.remove(&number);
            let record = self.records.get_mut(&number)?;
            record.task.claims += 1;
            self.touched.insert(number);
            return Some(record);
        }
        let record = self.records.values_mut().find(|record| {
            record.task.state == TaskState::Queued && record.task.resource_class == class
        })?;
        record.task.state = TaskState::Running;
        record.task.runner = Some(runner.to_owned());
        record.task.claims += 1;
        record.task.claimed_at = Some(now);
        self.touched.insert(record.task.number);
        Some(record)
    }

    /// The next claim of the task's class is answered with it, whoever has it already.
    pub(super) fn hand_out_again(&mut self, number: TaskNumber) -> Option<()> {
        self.records.get(&number)?;
        self.again.insert(number);
        Some(())
    }

    fn again_for(&self, class: &str) -> Option<TaskNumber> {
        let of_class = |number: &&TaskNumber| {
            self.records.get(number).is_some_and(|record| record.task.resource_class == class)
        };
        self.again.iter().find(of_class).copied()
    }

    fn lose_forgotten(&mut self, class: &str, runner: &str, now: Timestamp) {
        for record in self.records.values_mut() {
            let task = &mut record.task;
            let is_theirs = task.resource_class == class && task.runner.as_deref() == Some(runner);
            if task.state == TaskState::Running && is_theirs {
                let message = "the runner asked for more work without reporting this task's end";
                task.message = Some(message.to_owned());
                finish(task, Outcome::InfrastructureFail, now);
                self.touched.insert(task.number);
            }
        }
    }

    /// The record whose task agent holds `token`, running or not.
    pub(super) fn with_token(&self, token: &str) -> Result<&Record, Unheard> {
        let found = self.records.values().find(|record| record.names.token == token);
        found.ok_or(Unheard::UnknownToken)
    }

    pub(super) fn start_step(
        &mut self,
        token: &str,
        start: StepStart,
        now: Timestamp,
    ) -> Result<(), Unheard> {
        let task = self.running(token)?;
        task.steps.push(Step {
            step: start.step,
            name: start.name,
            step_type: start.step_type,
            started_at: now,
            ended_at: None,
            exit_code: None,
        });
        Ok(())
    }

    pub(super) fn end_step(
        &mut self,
        token: &str,
        end: &StepEnd,
        now: Timestamp,
    ) -> Result<(), Unheard> {
        let task = self.running(token)?;
        if let Some(step) = task.steps.iter_mut().rfind(|step| step.step == end.step) {
            step.ended_at = Some(now);
            step.exit_code = end.exit_code;
        }
        Ok(())
    }

    /// The task agent's last word.
    pub(super) fn end(
        &mut self,
        token: &str,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), Unheard> {
        finish(self.running(token)?, outcome, now);
        Ok(())
    }

    /// The runner's word that the task failed; counts only where the task agent had none.
    pub(super) fn fail(
        &mut self,
        token: &str,
        message: String,
        now: Timestamp,
    ) -> Result<(), Unheard> {
        match self.running(token) {
            Ok(task) => {
                task.message = Some(message);
                finish(task, Outcome::InfrastructureFail, now);
                Ok(())
            }
            Err(Unheard::Ended) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Puts a claimed task back in its place in the queue.
    pub(super) fn unclaim(&mut self, token: &str) -> Result<(), Unheard> {
        let task = self.running(token)?;
        if task.claims > UNCLAIMS {
            return Err(Unheard::TooManyUnclaims);
        }
        task.state = TaskState::Queued;
        task.runner = None;
        task.claimed_at = None;
        task.steps.clear();
        Ok(())
    }

    /// Asks for the end of a task: a waiting one ends at once, a running one when its agent obeys.
    pub(super) fn cancel(&mut self, number: TaskNumber, now: Timestamp) -> Option<()> {
        let task = &mut self.records.get_mut(&number)?.task;
        match task.state {
            TaskState::Queued => finish(task, Outcome::Canceled, now),
            TaskState::Running => task.cancel_wished = true,
            TaskState::Finished => {}
        }
        self.touched.insert(number);
        Some(())
    }

    pub(super) fn counts(&self, class: &str) -> Counts {
        let count = |state| {
            let of_class = |task: &&Task| task.resource_class == class && task.state == state;
            self.tasks().filter(of_class).count() as u64
        };
        Counts { unclaimed: count(TaskState::Queued), running: count(TaskState::Running) }
    }

    pub(super) fn is_busy(&self, class: &str, runner: &str) -> bool {
        self.tasks().any(|task| {
            task.state == TaskState::Running
                && task.resource_class == class
                && task.runner.as_deref() == Some(runner)
        })
    }

    fn running(&mut self, token: &str) -> Result<&mut Task, Unheard> {
        let found = self.records.values_mut().find(|record| record.names.token == token);
        let task = &mut found.ok_or(Unheard::UnknownToken)?.task;
        if task.state != TaskState::Running {
            return Err(Unheard::Ended);
        }
        self.touched.insert(task.number);
        Ok(task)
    }
}

fn finish(task: &mut Task, outcome: Outcome, now: Timestamp) {
    task.state = TaskState::Finished;
    task.outcome = Some(outcome);
    task.finished_at = Some(now);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(token: &str) -> Names {
        Names {
            token: token.to_owned(),
            allocation: String::new(),
            job_id: String::new(),
            pipeline_id: String::new(),
            workflow_id: String::new(),
            revision: String::new(),
        }
    }

    fn queue(tokens: &[&str]) -> Queue {
        let mut queue = Queue::default();
        for token in tokens {
            let plan = NewTask::new("acme/macos");
            queue.add(plan, names(token), String::new(), Timestamp::UNIX_EPOCH);
        }
        queue
    }

    fn claim(queue: &mut Queue, runner: &str) -> Option<TaskNumber> {
        let now = Timestamp::UNIX_EPOCH;
        queue.claim("acme/macos", runner, now).map(|record| record.task.number)
    }

    #[test]
    fn tasks_are_handed_out_once_and_oldest_first() {
        let mut queue = queue(&["a", "b"]);
        assert_eq!(claim(&mut queue, "one"), Some(TaskNumber(1)));
        assert_eq!(claim(&mut queue, "two"), Some(TaskNumber(2)));
        assert_eq!(claim(&mut queue, "three"), None);
        assert_eq!(queue.counts("acme/macos"), Counts { unclaimed: 0, running: 2 });
    }

    #[test]
    fn another_class_gets_nothing() {
        let mut queue = queue(&["a"]);
        assert!(queue.claim("acme/linux", "one", Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn a_runner_that_claims_again_has_lost_its_task() {
        let mut queue = queue(&["a"]);
        claim(&mut queue, "one");
        assert_eq!(claim(&mut queue, "one"), None);
        let task = queue.task(TaskNumber(1)).unwrap();
        assert_eq!(task.outcome, Some(Outcome::InfrastructureFail));
        assert_eq!(queue.end("a", Outcome::Success, Timestamp::UNIX_EPOCH), Err(Unheard::Ended));
    }

    #[test]
    fn a_task_goes_back_three_times_and_no_more() {
        let mut queue = queue(&["a"]);
        for _ in 0..3 {
            claim(&mut queue, "one");
            assert_eq!(queue.unclaim("a"), Ok(()));
        }
        claim(&mut queue, "one");
        assert_eq!(queue.unclaim("a"), Err(Unheard::TooManyUnclaims));
    }

    #[test]
    fn the_task_agents_word_stands_against_the_runners() {
        let mut queue = queue(&["a"]);
        claim(&mut queue, "one");
        queue.end("a", Outcome::Failed, Timestamp::UNIX_EPOCH).unwrap();
        queue.fail("a", "exit code 1".to_owned(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(queue.task(TaskNumber(1)).unwrap().outcome, Some(Outcome::Failed));
    }
}
