//! One runner, "mini", and its supervisor's core, moved by hand. Effects are told in a few words.

use jiff::{SignedDuration, Timestamp};
use protocol::{
    Boundary, PauseBy, Problem, ProblemCode, RunId, Runner, RunnerName, RunnerState,
    SupervisorInfo, TaskId,
};
use supervisor_core::{
    AgentSeen, Core, Drained, Effect, Event, ExitSeen, Heard, Link, LockSeen, Read, Refusal,
    RunFacts, RunnerFacts, StateFile, TaskEnd, TaskFacts, Wanted, Wish,
};

pub(crate) const BOOT: &str = "this-boot";

pub(crate) struct Scene {
    pub(crate) core: Core,
    pub(crate) now: Timestamp,
    /// The newest run, as it was last read.
    pub(crate) run: RunFacts,
    pub(crate) wake: Option<Timestamp>,
    did: Vec<String>,
    /// What changes nothing about runners: staying awake, notices.
    asides: Vec<String>,
    /// How often the disks were to be looked at.
    pub(crate) looks_at_disks: u32,
    runs: u32,
    save: Option<(u64, Wanted)>,
    disk: Wanted,
}

impl Scene {
    /// The settings name the runner; its agent is installed and is to be started.
    pub(crate) fn new() -> Self {
        let mut scene = Self::without_settings(StateFile::Read(Wanted::default()));
        scene.tell(Event::SettingsRead(vec![facts_of("mini")]));
        scene.tell(Event::AgentReady { runner: mini(), version: "3.1.11".into() });
        scene
    }

    pub(crate) fn without_settings(state: StateFile) -> Self {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        Self {
            core: new_core(state, now),
            now,
            run: run_facts("none", now),
            wake: None,
            did: Vec::new(),
            asides: Vec::new(),
            looks_at_disks: 0,
            runs: 0,
            save: None,
            disk: Wanted::default(),
        }
    }

    /// An agent of it waits for tasks; nothing is left to be done.
    pub(crate) fn idle() -> Self {
        let mut scene = Self::new();
        scene.starts();
        scene.hears(Heard::ClaimAnswered);
        scene.did();
        scene
    }

    /// Its agent works on task 1.
    pub(crate) fn busy() -> Self {
        let mut scene = Self::idle();
        scene.task_begins();
        scene.did();
        scene
    }

    /// The supervisor is killed and started again; the disk has what was saved.
    pub(crate) fn restarts(&mut self) {
        self.restarts_with(Vec::new());
    }

    /// The same; the agent's log is read from its beginning.
    pub(crate) fn restarts_with(&mut self, log: Vec<Heard>) {
        self.core = new_core(StateFile::Read(self.disk.clone()), self.now);
        self.wake = None;
        self.save = None;
        self.run.reading = 1;
        self.tell(Event::RunRead(Box::new(self.run.clone())));
        for heard in log {
            self.hears(heard);
        }
        self.reads_log();
    }

    /// The supervisor is killed and started again before there ever was a run.
    pub(crate) fn starts_anew(&mut self) {
        self.core = new_core(StateFile::Read(self.disk.clone()), self.now);
        self.wake = None;
        self.save = None;
        self.tell(Event::SettingsRead(vec![facts_of("mini")]));
    }

    pub(crate) fn settings_are_read(&mut self) {
        self.tell(Event::SettingsRead(vec![facts_of("mini")]));
        self.tell(Event::AgentReady { runner: mini(), version: "3.1.11".into() });
    }

    // ------------------------------------------------------------ the world

    /// A keeper starts an agent, in a new run.
    pub(crate) fn starts(&mut self) {
        self.starts_keeper();
        let at = self.now;
        self.reads(|run| run.agent = agent_started(at));
        self.hears(Heard::AgentStarted { version: None });
    }

    pub(crate) fn starts_keeper(&mut self) {
        self.runs += 1;
        self.run = run_facts(&format!("run-{}", self.runs), self.now);
        self.tell(Event::RunStarted(Box::new(self.run.clone())));
    }

    /// A change of the run, read at once and with its log.
    pub(crate) fn reads(&mut self, change: impl FnOnce(&mut RunFacts)) {
        change(&mut self.run);
        self.run.reading += 1;
        self.tell(Event::RunRead(Box::new(self.run.clone())));
        self.reads_log();
    }

    pub(crate) fn reads_log(&mut self) {
        let (run, tail) = (self.run.run.clone(), Some("its last lines".into()));
        self.tell(Event::LogRead { run, tail });
    }

    pub(crate) fn hears(&mut self, heard: Heard) {
        self.tell(Event::LogHeard { run: self.run.run.clone(), heard });
    }

    /// The keeper has sent the TERM.
    pub(crate) fn drains(&mut self) {
        let drained = drained(self.now, self.run.tasks.len(), true);
        self.reads(|run| run.drain = Read::Yes(drained));
    }

    /// The keeper was killed before it could say that it sent the TERM.
    pub(crate) fn may_drain(&mut self) {
        let drained = drained(self.now, self.run.tasks.len(), false);
        self.reads(|run| run.drain = Read::Yes(drained));
    }

    pub(crate) fn exits(&mut self, code: i32) {
        let at = self.now;
        self.reads(|run| {
            run.lock = LockSeen::Free;
            run.exit = Read::Yes(ExitSeen::Code { code, at });
        });
    }

    pub(crate) fn task_begins(&mut self) -> TaskId {
        let number = u32::try_from(self.run.tasks.len()).unwrap() + 1;
        let task = TaskId::new(&self.run.run, number);
        let begun = TaskFacts {
            task: task.clone(),
            number,
            started_at: self.now,
            pid: Some(4000 + number),
            directory: None,
            end: TaskEnd::Running,
        };
        self.reads(|run| run.tasks.push(begun));
        task
    }

    pub(crate) fn task_ends(&mut self, code: i32) {
        let at = self.now;
        self.reads(|run| {
            run.tasks.last_mut().unwrap().end = TaskEnd::Exited { code: Some(code), at };
        });
    }

    pub(crate) fn tell(&mut self, event: Event) {
        let effects = self.core.handle(event, self.now);
        self.note(effects);
    }

    /// Time goes by; how often the core asked to be woken in it.
    pub(crate) fn wait(&mut self, seconds: i64) -> u32 {
        let until = self.now + SignedDuration::from_secs(seconds);
        let mut woken = 0;
        while let Some(at) = self.wake.filter(|at| *at <= until) {
            assert!(at > self.now || woken < 1000, "it asks to be woken for ever");
            self.now = self.now.max(at);
            self.wake = None;
            self.tell(Event::Woke);
            woken += 1;
        }
        self.now = until;
        woken
    }

    pub(crate) fn set_clock(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.tell(Event::Woke);
    }

    // ------------------------------------------------------------ people

    pub(crate) fn wish(&mut self, wish: Wish) -> Result<(), Refusal> {
        let effects = self.core.wish(wish, self.now)?;
        self.note(effects);
        Ok(())
    }

    pub(crate) fn asks_pause(&mut self, by: PauseBy, until: Option<Timestamp>) {
        let (runner, note, reading) = (mini(), None, None);
        self.wish(Wish::Pause { runner, by, until, note, reading }).unwrap();
    }

    pub(crate) fn pause(&mut self, by: PauseBy) {
        self.asks_pause(by, None);
        self.saves();
    }

    pub(crate) fn resume(&mut self, by: PauseBy) {
        self.wish(Wish::Resume { runner: mini(), by }).unwrap();
        self.saves();
    }

    pub(crate) fn cancel(&mut self, task: &TaskId) -> Result<(), Refusal> {
        self.wish(Wish::Cancel { runner: mini(), task: task.clone() })
    }

    pub(crate) fn stop_install(&mut self) {
        self.wish(Wish::StopInstall { runner: mini() }).unwrap();
    }

    pub(crate) fn want_install(&mut self) {
        self.wish(Wish::Install { runner: mini() }).unwrap();
    }

    pub(crate) fn saves(&mut self) {
        let Some((number, wanted)) = self.save.take() else { return };
        self.disk = wanted;
        self.tell(Event::Saved(number));
    }

    pub(crate) fn save_fails(&mut self) {
        let (number, _) = self.save.take().unwrap();
        self.tell(Event::SaveFailed { number, why: "no space left on device".into() });
    }

    // ------------------------------------------------------------ what came of it

    /// What was done since the last time this was asked.
    pub(crate) fn did(&mut self) -> Vec<String> {
        std::mem::take(&mut self.did)
    }

    /// What was told, or done to keep the machine awake, since the last time this was asked.
    pub(crate) fn asides(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asides)
    }

    pub(crate) fn shown(&self) -> &Runner {
        self.core.snapshot().runners.first().unwrap()
    }

    pub(crate) fn state(&self) -> (RunnerState, &str) {
        (self.shown().state, &self.shown().headline)
    }

    pub(crate) fn problems(&self) -> Vec<ProblemCode> {
        let own = self.shown().problems.iter();
        own.chain(&self.core.snapshot().problems).map(|problem| problem.code).collect()
    }

    fn note(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let words = match effect {
                Effect::Save { number, wanted } => {
                    self.save = Some((number, wanted));
                    "save".into()
                }
                Effect::Install(_) => "install".into(),
                Effect::CallOff(_) => "call off".into(),
                Effect::StartRun(_) => "start".into(),
                Effect::Adopt(run) => format!("adopt {run}"),
                Effect::Drain(run) => format!("drain {run}"),
                Effect::DrainAgain { run, .. } => format!("drain {run} again"),
                Effect::Cancel { task, .. } => format!("cancel {task}"),
                Effect::Record(task) => format!("record {} {:?}", task.id, task.result),
                Effect::Amend(task) => format!("amend {} {:?}", task.id, task.result),
                Effect::Probe(_) => "probe".into(),
                Effect::LookAtPower => {
                    self.asides.push("look at power".into());
                    continue;
                }
                Effect::LookAtDisks => {
                    self.looks_at_disks += 1;
                    continue;
                }
                Effect::KeepAwake(on) => {
                    self.asides.push(if on { "keep awake" } else { "let sleep" }.into());
                    continue;
                }
                Effect::AfterTask(act) => format!("after task {}", act.as_str()),
                Effect::Tell(notice) => {
                    self.asides.push(format!("tell {}", notice.title));
                    continue;
                }
                Effect::WakeAt(at) => {
                    self.wake = at;
                    continue;
                }
                Effect::Publish => continue,
            };
            self.did.push(words);
        }
    }
}

fn new_core(state: StateFile, now: Timestamp) -> Core {
    let info = SupervisorInfo { version: "0.1.0".into(), pid: 7, started_at: now };
    Core::new(info, BOOT.into(), state)
}

pub(crate) fn mini() -> RunnerName {
    "mini".parse().unwrap()
}

pub(crate) fn facts_of(name: &str) -> RunnerFacts {
    RunnerFacts {
        name: name.parse().unwrap(),
        resource_class: "acme/macos".parse().unwrap(),
        working_directory: "/srv/work".into(),
        boundary: Boundary::SameUser { meaning: "a job can read what you can".into() },
        api_url: None,
        releases_url: "https://releases.example".into(),
        mark: "settings-1".into(),
        token_store: None,
        token_copy: None,
    }
}

/// A keeper has the lock and has started nothing yet.
pub(crate) fn run_facts(run: &str, planned_at: Timestamp) -> RunFacts {
    RunFacts {
        reading: 1,
        run: RunId::from(run),
        runner: facts_of("mini"),
        agent_version: "3.1.11".into(),
        planned_at,
        lock: LockSeen::Held,
        agent: AgentSeen::NotStarted,
        drain: Read::No,
        cancel: Read::No,
        exit: Read::No,
        tasks: Vec::new(),
        unrecorded_task: Read::No,
    }
}

pub(crate) fn agent_started(at: Timestamp) -> AgentSeen {
    AgentSeen::Started { boot: BOOT.into(), pid: 4000, at, alive: Read::Yes(()) }
}

pub(crate) fn drained(at: Timestamp, tasks_before: usize, sent: bool) -> Drained {
    Drained { at, tasks_before: u32::try_from(tasks_before).unwrap(), sent, lost: false }
}

pub(crate) fn named(at: Timestamp, build: &str) -> Heard {
    let url = Some(format!("https://app.example/{build}"));
    Heard::TaskNamed { at: Some(at), link: Link { url, project: None, build_number: None } }
}

pub(crate) fn step_failed(at: Timestamp) -> Heard {
    Heard::StepEnded { at: Some(at), failed: true, exit_code: Some(2) }
}

pub(crate) fn problem(code: ProblemCode) -> Problem {
    Problem {
        code,
        summary: "Something is wrong.".into(),
        reading: None,
        hint: "Mend it.".into(),
        details: None,
        since: Timestamp::UNIX_EPOCH,
    }
}

pub(crate) fn cannot_start(needs_user: bool) -> Event {
    let code = if needs_user { ProblemCode::TokenMissing } else { ProblemCode::CannotStart };
    Event::StartFailed(mini(), problem(code))
}
