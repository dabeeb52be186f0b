//! The supervisor round the core: carries out effects in their order, and may be killed between any
//! two of them. What it knew is lost then; what it wrote is not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use protocol::{Problem, ProblemCode, RunId, RunnerName, SupervisorInfo, TaskId};
use supervisor_core::{Core, Effect, Event, RunFacts, StateFile, Wish};

use super::World;
use super::disk::Lock;
use super::jobs::Job;
use super::keeper::Keeper;
use super::news::Late;

pub(crate) struct Supervisor {
    pub(crate) core: Core,
    effects: VecDeque<Effect>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) wake: Option<Timestamp>,
    /// It is killed after so many more effects.
    pub(crate) killed_after: Option<u8>,
    pub(crate) read_only: bool,
    pub(crate) readings: BTreeMap<RunId, u64>,
    pub(crate) heard: BTreeMap<RunId, usize>,
    pub(crate) late: Vec<Late>,
    /// The newest reading of each run that the core was given.
    pub(crate) told: BTreeMap<RunId, RunFacts>,
    /// Runs whose plan could not be read the last time, and whether their agent may live.
    pub(crate) strays: BTreeMap<RunId, bool>,
    /// What the core was told of the settings, while they can be read.
    pub(crate) settings: Option<BTreeMap<RunnerName, u32>>,
    pub(crate) recorded: BTreeSet<TaskId>,
    pub(crate) revision: u64,
}

impl World {
    /// A new life, from the disk: all runs are read before the settings are.
    pub(crate) fn supervisor_starts(&mut self) {
        if self.supervisor.is_some() {
            return;
        }
        self.say(|| "   the supervisor starts".into());
        let state = if self.wanted_readable {
            self.wants.new_life(&self.wanted);
            StateFile::Read(self.wanted.clone())
        } else {
            StateFile::Kept(problem(ProblemCode::StateUnreadable, self.now))
        };
        let info = SupervisorInfo { version: "0".into(), pid: 1, started_at: self.now };
        self.supervisor = Some(Supervisor {
            core: Core::new(info, self.boot_id(), state),
            effects: VecDeque::new(),
            jobs: Vec::new(),
            wake: None,
            killed_after: None,
            read_only: !self.wanted_readable,
            readings: BTreeMap::new(),
            heard: BTreeMap::new(),
            late: Vec::new(),
            told: BTreeMap::new(),
            strays: BTreeMap::new(),
            settings: None,
            recorded: BTreeSet::new(),
            revision: 0,
        });
        let runs: Vec<RunId> = self.runs.keys().cloned().collect();
        for run in runs {
            self.look(&run);
        }
        self.tell_settings();
        self.carry_out();
    }

    pub(crate) fn supervisor_dies(&mut self) {
        if self.supervisor.take().is_some() {
            self.say(|| "   the supervisor is killed".into());
        }
        for run in self.runs.values_mut().filter(|run| run.lock == Lock::Supervisor) {
            run.lock = Lock::Free;
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.say(|| format!("   -> {}", super::story::of_event(&event)));
        let now = self.now;
        let Some(supervisor) = &mut self.supervisor else { return };
        let effects = supervisor.core.handle(event, now);
        supervisor.effects.extend(effects);
    }

    pub(crate) fn wish(&mut self, wish: Wish) {
        let now = self.now;
        let Some(supervisor) = &mut self.supervisor else { return };
        let answer = supervisor.core.wish(wish.clone(), now);
        let taken = answer.is_ok();
        supervisor.effects.extend(answer.into_iter().flatten());
        self.say(|| format!("   wish {wish:?}, taken: {taken}"));
        self.law_of_wishes(&wish, taken);
        if taken {
            self.wants.wished(&wish);
            if let Wish::Cancel { task, .. } = wish {
                self.words.insert(task);
            }
        }
        self.carry_out();
    }

    pub(crate) fn carry_out(&mut self) {
        let mut carried_out = 0;
        while let Some(effect) = self.supervisor.as_mut().and_then(|it| it.effects.pop_front()) {
            if self.is_killed_now() {
                return;
            }
            carried_out += 1;
            if carried_out > 1_000 {
                return self.broke("it comes to rest", || format!("and still {effect:?}"));
            }
            self.say(|| format!("   <- {}", super::story::of_effect(&effect)));
            self.carry_out_one(effect);
        }
    }

    fn is_killed_now(&mut self) -> bool {
        let Some(supervisor) = &mut self.supervisor else { return true };
        match &mut supervisor.killed_after {
            Some(0) => {
                self.supervisor_dies();
                true
            }
            Some(more) => {
                *more -= 1;
                false
            }
            None => false,
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Save { number, wanted } => {
                self.law_of_saves(number, &wanted);
                self.job(Job::Save { number, wanted });
            }
            Effect::Install(runner) => {
                self.law_of_installations(&runner);
                self.job(Job::Install(runner));
            }
            Effect::CallOff(runner) => {
                if let Some(supervisor) = &mut self.supervisor {
                    let is_of = |job: &Job| matches!(job, Job::Install(of) if *of == runner);
                    supervisor.jobs.retain(|job| !is_of(job));
                }
            }
            Effect::StartRun(runner) => {
                self.law_of_starts(&runner);
                self.job(Job::Gather(runner));
            }
            Effect::Adopt(run) => self.adopt(&run),
            Effect::Drain(run) => {
                self.law_of_drains(&run);
                match self.runs.get_mut(&run).and_then(|dir| dir.keeper.as_mut()) {
                    Some(keeper) => keeper.stop_asked = true,
                    None => self.event(Event::DrainFailed(run)),
                }
            }
            Effect::DrainAgain { run, proof } => {
                if let Some(dir) = self.runs.get_mut(&run).filter(|_| !self.disk_full) {
                    dir.drain_lost = Some(proof.iter().map(number_of).collect());
                    dir.touched = true;
                }
                self.tell_to_look(&run);
            }
            Effect::Cancel { run, task } => {
                if !self.words.contains(&task) {
                    self.broke("a cancel needs the user's word", || task.to_string());
                }
                if let Some(dir) = self.runs.get_mut(&run) {
                    dir.cancel = Some(number_of(&task));
                    dir.touched = true;
                }
                self.tell_to_look(&run);
            }
            Effect::Record(task) => {
                self.law_of_records(&task, false);
                self.history.entry(task.id.clone()).or_insert(task);
            }
            Effect::Amend(task) => {
                self.law_of_records(&task, true);
                self.history.insert(task.id.clone(), task);
            }
            Effect::Probe(api_url) => self.job(Job::Probe(api_url)),
            // What these decide is told in the promises; here they change nothing.
            Effect::LookAtPower | Effect::LookAtDisks | Effect::KeepAwake(_) | Effect::Tell(_) => {}
            Effect::AfterTask(act) => self.broke("nobody asked for it", || format!("{act:?}")),
            Effect::WakeAt(at) => {
                if let Some(supervisor) = &mut self.supervisor {
                    supervisor.wake = at;
                }
            }
            Effect::Publish => self.law_of_revisions(),
        }
    }

    fn job(&mut self, job: Job) {
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.jobs.push(job);
        }
    }

    /// The second half of what was written: a kill may come between the two.
    fn tell_to_look(&mut self, run: &RunId) {
        if self.is_killed_now() {
            return;
        }
        if let Some(keeper) = self.runs.get_mut(run).and_then(|dir| dir.keeper.as_mut()) {
            keeper.look_asked = true;
        }
    }

    fn adopt(&mut self, run: &RunId) {
        self.law_of_adoptions(run);
        let no_spawn = self.no_spawn;
        match self.runs.get_mut(run) {
            Some(dir) if dir.lock == Lock::Free && !no_spawn => {
                dir.lock = Lock::Keeper;
                dir.keeper = Some(Keeper::of_an_orphan());
                dir.touched = true;
            }
            Some(_) | None => self.event(Event::AdoptFailed(run.clone())),
        }
    }
}

fn number_of(task: &TaskId) -> u32 {
    task.as_str().rsplit_once('.').and_then(|(_, number)| number.parse().ok()).unwrap()
}

pub(crate) fn problem(code: ProblemCode, since: Timestamp) -> Problem {
    let (summary, hint) = ("Something failed.".into(), "Look at it.".into());
    Problem { code, summary, reading: None, hint, details: None, since }
}
