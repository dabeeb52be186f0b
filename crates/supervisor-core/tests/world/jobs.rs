//! What takes the supervisor a while: the world may change before it ends, and it may end badly.

use protocol::{Bytes, Install, ProblemCode, RunId, RunnerName};
use supervisor_core::{Event, Wanted};

use super::World;
use super::disk::{Lock, RunDir};
use super::keeper::Keeper;
use super::supervisor::problem;

#[derive(Debug, Clone)]
pub(crate) enum Job {
    Save {
        number: u64,
        wanted: Wanted,
    },
    Install(RunnerName),
    /// Reads the token; makes the run's directory then.
    Gather(RunnerName),
    /// The directory is made and locked; the keeper is to be started.
    Spawn(RunId),
    /// A keeper was started; the first reading of it is on its way.
    Tell(RunId),
    Probe(Option<String>),
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Well,
    /// Half done: progress, or a directory that is seen before it is locked.
    Halfway,
    Badly,
    /// It failed by what was reported, and yet it was done; or only the user can mend it.
    Oddly,
}

impl Job {
    pub(crate) fn run(&self) -> Option<&RunId> {
        match self {
            Self::Spawn(run) | Self::Tell(run) => Some(run),
            Self::Save { .. } | Self::Install(_) | Self::Gather(_) | Self::Probe(_) => None,
        }
    }
}

impl World {
    /// Ends the job at `which`; false where there is none.
    pub(crate) fn job_ends(&mut self, which: usize, ending: Ending) -> bool {
        let Some(supervisor) = &mut self.supervisor else { return false };
        if supervisor.jobs.is_empty() {
            return false;
        }
        let job = supervisor.jobs.remove(which % supervisor.jobs.len());
        self.say(|| format!("   {job:?} ends: {ending:?}"));
        match job {
            Job::Save { number, wanted } => self.save_ends(number, &wanted, ending),
            Job::Install(runner) => self.install_ends(runner, ending),
            Job::Gather(runner) => self.gather_ends(runner, ending),
            Job::Spawn(run) => self.spawn_ends(run, ending),
            Job::Tell(run) => self.tell_started(&run),
            Job::Probe(api_url) => {
                let failure = (!self.network || ending != Ending::Well).then(|| "no route".into());
                self.event(Event::Probed { api_url, failure });
            }
        }
        self.carry_out();
        true
    }

    fn save_ends(&mut self, number: u64, wanted: &Wanted, ending: Ending) {
        let ok = !self.disk_full && matches!(ending, Ending::Well | Ending::Halfway);
        if ok || ending == Ending::Oddly && !self.disk_full {
            self.wanted = wanted.clone();
        }
        if ok {
            self.wants.saved(number, wanted);
            self.event(Event::Saved(number));
        } else {
            self.wants.save_failed(number);
            self.event(Event::SaveFailed { number, why: "no space left on device".into() });
        }
    }

    fn install_ends(&mut self, runner: RunnerName, ending: Ending) {
        match ending {
            Ending::Well => {
                self.event(Event::AgentReady { runner, version: "3.1.11".into() });
            }
            Ending::Halfway => {
                let (received, total) = (Bytes(1), Some(Bytes(2)));
                let again = Job::Install(runner.clone());
                let install = Install { received, total, ..Install::default() };
                self.event(Event::InstallAdvanced { runner, install });
                self.again(again);
            }
            Ending::Badly | Ending::Oddly => {
                let problem = problem(ProblemCode::AgentNotInstalled, self.now);
                self.event(Event::InstallFailed { runner, problem, wait: None });
            }
        }
    }

    fn gather_ends(&mut self, runner: RunnerName, ending: Ending) {
        let mark = match ending {
            Ending::Well | Ending::Halfway => self.settings.listed.get(&runner).copied(),
            Ending::Badly | Ending::Oddly => None,
        };
        let Some(mark) = mark else { return self.gather_fails(runner, ending) };
        let Some(supervisor) = &self.supervisor else { return };
        if !supervisor.core.wants_start(&runner, self.now) {
            return self.event(Event::StartPutOff(runner));
        }
        self.law_of_starts(&runner);
        self.runs_made += 1;
        let run = RunId::from(format!("run-{:04}", self.runs_made).as_str());
        let dir = RunDir::new(runner, mark, self.now);
        self.runs.insert(run.clone(), dir);
        if ending == Ending::Halfway {
            self.look(&run);
        }
        if let Some(dir) = self.runs.get_mut(&run) {
            dir.lock = Lock::Supervisor;
        }
        self.again(Job::Spawn(run));
    }

    fn gather_fails(&mut self, runner: RunnerName, ending: Ending) {
        let only_the_user_can = ending == Ending::Oddly;
        if ending == Ending::Badly && self.runs_made.is_multiple_of(2) {
            let problem = problem(ProblemCode::AgentNotInstalled, self.now);
            return self.event(Event::AgentUnusable { runner, problem });
        }
        let code =
            if only_the_user_can { ProblemCode::TokenMissing } else { ProblemCode::CannotStart };
        let problem = problem(code, self.now);
        self.event(Event::StartFailed(runner, problem));
    }

    fn spawn_ends(&mut self, run: RunId, ending: Ending) {
        let failed = self.no_spawn || matches!(ending, Ending::Badly | Ending::Oddly);
        let Some(dir) = self.runs.get_mut(&run) else { return };
        dir.touched = true;
        if failed {
            dir.lock = Lock::Free;
            let runner = dir.runner.clone();
            let problem = problem(ProblemCode::CannotStart, self.now);
            return self.event(Event::StartFailed(runner, problem));
        }
        dir.lock = Lock::Keeper;
        dir.keeper = Some(Keeper::of_a_new_run());
        self.again(Job::Tell(run));
    }

    fn tell_started(&mut self, run: &RunId) {
        let Some(facts) = self.take_reading(run) else {
            // Its plan cannot be read: nobody can tell whose it is, and it is not pruned.
            let Some(runner) = self.runs.get(run).map(|dir| dir.runner.clone()) else { return };
            let problem = problem(ProblemCode::CannotStart, self.now);
            self.event(Event::StartFailed(runner, problem));
            return self.look(run);
        };
        self.note_told(&facts);
        self.event(Event::RunStarted(Box::new(facts)));
        if let Some(dir) = self.runs.get_mut(run) {
            dir.touched = true;
        }
    }

    fn again(&mut self, job: Job) {
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.jobs.push(job);
        }
    }
}
