//! A rig that goes through many rounds, and what must be remembered of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use local_circleci::TaskNumber;
use protocol::RunnerState;
use trials::{DEADLINE, Job, Options, Ours, Rig, until};

use crate::chance::Chance;

/// So much noise of the agent's own, and so little room for it, that its log is cut all the time.
pub(crate) const OPTIONS: Options<'_> = Options { hold_at: None, variant: "noise-bytes=1500" };
const LOG_LIMIT: &str = "log_limit = 40000";

pub(crate) struct World {
    /// Ends before the rig does.
    pub(crate) client: Option<Ours>,
    pub(crate) rig: Rig,
    pub(crate) chance: Chance,
    /// The jobs of this round.
    pub(crate) jobs: Vec<Job>,
    /// Tasks whose wrapper was killed: they are to end whole.
    pub(crate) unwrapped: BTreeSet<TaskNumber>,
    /// Tasks that the owner cancelled: they may end badly.
    pub(crate) cancelled: BTreeSet<TaskNumber>,
    /// Runs whose keeper was killed: their exit code may be unknown.
    pub(crate) keeper_killed: BTreeSet<PathBuf>,
    /// Runs that were over at an earlier check.
    pub(crate) checked: BTreeSet<PathBuf>,
    began: Instant,
}

impl World {
    pub(crate) fn new(chance: Chance) -> Self {
        let rig = Rig::bare(&OPTIONS);
        rig.set_up();
        rig.until_state(RunnerState::Idle);
        rig.add_setting(LOG_LIMIT);
        until(DEADLINE, "the agent has a small log", || {
            let plan = rig.run().plan().written();
            plan.is_some_and(|plan| plan.log_limit < 100_000)
        });
        rig.until_state(RunnerState::Idle);
        Self {
            client: None,
            rig,
            chance,
            jobs: Vec::new(),
            unwrapped: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            keeper_killed: BTreeSet::new(),
            checked: BTreeSet::new(),
            began: Instant::now(),
        }
    }

    /// For whoever has to find out what happened.
    pub(crate) fn say(&self, what: &str) {
        println!("{:8.3} {what}", self.began.elapsed().as_secs_f64());
    }

    /// A client that follows the log; it ends by itself when the supervisor is away for long.
    pub(crate) fn follow_logs(&mut self) {
        let ended = |client: &mut Ours| client.child().try_wait().expect("ours").is_some();
        if self.client.as_mut().is_none_or(ended) {
            let mut command = self.rig.place.command("runnerctl");
            command.args(["logs", "-f", "-n", "1"]).stdout(Stdio::null()).stderr(Stdio::null());
            self.client = Some(Ours::start(command));
        }
    }

    pub(crate) fn end(mut self) {
        self.client = None;
        self.rig.quiesce();
        self.check();
        self.all_is_in_the_history();
        self.rig.finish();
    }

    /// The server's tasks that are claimed and not over.
    pub(crate) fn running(&self) -> Option<TaskNumber> {
        let running = |job: &&Job| {
            let task = self.rig.circle.task(job.number);
            task.state == local_circleci::TaskState::Running
        };
        self.jobs.iter().find(running).map(|job| job.number)
    }

    pub(crate) fn forget_jobs(&mut self) {
        for job in self.jobs.drain(..) {
            job.forget();
        }
        // Only what the last agent wrote tells anything.
        let _ = fs::remove_dir_all(self.rig.place.path("tmp"));
        fs::create_dir_all(self.rig.place.path("tmp")).expect("a folder of ours");
    }
}
