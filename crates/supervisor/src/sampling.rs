//! Looks at the processes of running tasks: while somebody watches, and for a moment after a step began.

use std::time::Duration;

use supervisor_core::Event;

use crate::supervisor::Supervisor;

/// How often a step that has begun is looked at for the name of its job.
pub(crate) const LOOKS: u32 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

impl Supervisor {
    pub(crate) fn running_tasks(&self) -> impl Iterator<Item = &protocol::Task> {
        self.core.snapshot().runners.iter().filter_map(|runner| runner.task.as_ref())
    }

    /// When to look at the processes of running tasks next: while somebody watches, and for a moment
    /// after a step began where the job has no name yet.
    pub(crate) fn next_sample(&self) -> Option<Duration> {
        if self.looks > 0 && self.running_tasks().any(|task| task.job.is_none()) {
            return Some(LOOK_AGAIN);
        }
        (self.watchers > 0 && self.running_tasks().next().is_some()).then_some(SAMPLE_EVERY)
    }

    /// Looks at the processes of every running task.
    pub(crate) fn sample(&mut self) {
        let running: Vec<_> =
            self.running_tasks().filter_map(|task| Some((task.id.clone(), task.pid?))).collect();
        for (task, pid) in running {
            if let Some(processes) = crate::usage::sample(&task, pid, &mut self.sampler) {
                self.event(Event::ProcessesSeen { task, processes });
            }
        }
    }
}
