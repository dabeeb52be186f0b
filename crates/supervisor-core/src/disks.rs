//! Whether a disk that tasks or state lie on is nearly full: looked at when the runners are known, after
//! each task and every ten minutes, and more often until there is room again.

use jiff::{SignedDuration, Timestamp};
use protocol::{Problem, ProblemCode};

use crate::core::Core;
use crate::effect::Effect;
use crate::facts::Disk;
use crate::keep_awake::is_past;

const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(10);
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// A task needs so much in no time; of a small disk it is a twentieth.
const NEARLY_FULL: u64 = 2_000_000_000;

#[derive(Debug, Default, Clone)]
pub(crate) struct Disks {
    /// Those that are nearly full, and since when there is one.
    low: Vec<Disk>,
    low_since: Option<Timestamp>,
    asked: Option<Timestamp>,
    /// The answer has come.
    answered: bool,
    task_ran: bool,
}

impl Disks {
    pub(crate) fn seen(&mut self, disks: Vec<Disk>, now: Timestamp) {
        self.answered = true;
        let was_low = |disk: &Disk| self.low.iter().any(|low| low.at == disk.at);
        let low: Vec<Disk> =
            disks.into_iter().filter(|disk| disk.is_nearly_full(was_low(disk))).collect();
        self.low_since = (!low.is_empty()).then(|| self.low_since.unwrap_or(now));
        self.low = low;
    }

    fn decide(&mut self, task_runs: bool, now: Timestamp) -> Option<Effect> {
        let task_ended = std::mem::replace(&mut self.task_ran, task_runs) && !task_runs;
        let is_due = match self.asked {
            None => true,
            Some(asked) => self.answered && (task_ended || is_past(asked, self.wait(), now)),
        };
        if !is_due {
            return None;
        }
        (self.asked, self.answered) = (Some(now), false);
        Some(Effect::LookAtDisks)
    }

    fn next_turn(&self) -> Option<Timestamp> {
        self.asked.filter(|_| self.answered)?.checked_add(self.wait()).ok()
    }

    fn wait(&self) -> SignedDuration {
        if self.low.is_empty() { LOOK_EVERY } else { LOOK_AGAIN }
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        let readings: Vec<&str> = self.low.iter().map(|disk| disk.reading.as_str()).collect();
        let problem = Problem::of(ProblemCode::DiskNearlyFull, self.low_since?);
        Some(problem.reading(readings.join(", ")))
    }
}

impl Core {
    /// What to look at now, and when next; nothing where no task of ours could fill a disk.
    pub(crate) fn watch_disks(
        &mut self,
        task_runs: bool,
        now: Timestamp,
    ) -> (Option<Effect>, Option<Timestamp>) {
        if !self.runners.values().any(|runner| runner.in_settings) {
            self.disks = Disks::default();
            return (None, None);
        }
        let look = self.disks.decide(task_runs, now);
        (look, self.disks.next_turn())
    }
}

impl Disk {
    /// Twice as much must be free before it counts as enough again.
    fn is_nearly_full(&self, was: bool) -> bool {
        let least = NEARLY_FULL.min(self.total / 20);
        self.free < if was { least.saturating_mul(2) } else { least }
    }
}
