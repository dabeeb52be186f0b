//! Looks at the processes of running tasks: while somebody watches, and for a moment after a step began.

use std::time::Duration;

use supervisor_core::Event;
use tokio::time::Instant;

use crate::supervisor::Supervisor;

/// How often a step that has begun is looked at for the name of its job.
pub(crate) const LOOKS: u32 = 8;
/// Until the second and the third look; each further one comes after twice as long.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Each look is painted by whoever watches, which costs more than the look.
const SAMPLE_EVERY: Duration = Duration::from_secs(3);

impl Supervisor {
    pub(crate) fn running_tasks(&self) -> impl Iterator<Item = &protocol::Task> {
        self.core.snapshot().runners.iter().filter_map(|runner| runner.task.as_ref())
    }

    /// When to look at the processes of running tasks next: while somebody watches, and for a moment
    /// after a step began where the job has no name yet.
    pub(crate) fn next_sample(&self) -> Option<Instant> {
        if self.looks > 0 && self.running_tasks().any(|task| task.job.is_none()) {
            let doubled = LOOKS.saturating_sub(self.looks + 1);
            let wait = LOOK_AGAIN * 2_u32.pow(doubled);
            let longest = if self.watchers > 0 { SAMPLE_EVERY } else { wait };
            return Some(self.sampled_at + wait.min(longest));
        }
        let watched = self.watchers > 0 && self.running_tasks().next().is_some();
        watched.then(|| self.sampled_at + SAMPLE_EVERY)
    }

    /// Looks at the processes of every running task.
    pub(crate) fn sample(&mut self) {
        let running: Vec<_> =
            self.running_tasks().filter_map(|task| Some((task.id.clone(), task.pid?))).collect();
        self.sampled_at = Instant::now();
        self.samples.retain(|task, _| running.iter().any(|(running, _)| running == task));
        for (task, pid) in running {
            let last = self.samples.entry(task.clone()).or_default();
            if let Some(processes) = crate::usage::sample(pid, last) {
                self.event(Event::ProcessesSeen { task, processes });
            }
        }
    }
}
