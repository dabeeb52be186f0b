//! How the supervisor learns what became of its runs: at once, late, twice, or in the wrong order.

use protocol::{ProblemCode, RunId};
use supervisor_core::{Event, LockSeen, Read, RunFacts};

use super::World;
use super::disk::{Lock, hidden, runner_facts};
use super::supervisor::problem;

/// A reading that is under way.
pub(crate) struct Late {
    run: RunId,
    reading: u64,
    lock: LockSeen,
    /// Absent while only the lock has been read.
    rest: Option<RunFacts>,
}

impl World {
    /// Looks at all that changed since it was last looked at; false where nothing did.
    pub(crate) fn hear_news(&mut self) -> bool {
        let Some(supervisor) = &self.supervisor else { return false };
        let gone = supervisor.told.keys().chain(supervisor.strays.keys());
        let gone: Vec<RunId> = gone.filter(|run| !self.runs.contains_key(run)).cloned().collect();
        let touched = self.runs.iter().filter(|(_, dir)| dir.touched).map(|(run, _)| run.clone());
        let touched: Vec<RunId> = touched.chain(gone).collect();
        for run in &touched {
            self.look(run);
            self.carry_out();
        }
        let settings = self.settings.touched;
        if settings {
            self.tell_settings();
            self.carry_out();
        }
        settings || !touched.is_empty()
    }

    /// One complete reading of a run and of its log.
    pub(crate) fn look(&mut self, run: &RunId) {
        if !self.runs.contains_key(run) {
            return self.tell_gone(run);
        }
        if let Some(facts) = self.take_reading(run) {
            self.tell(facts);
            return self.read_log(run);
        }
        let may_live = self.may_live(run);
        let Some(supervisor) = &mut self.supervisor else { return };
        supervisor.strays.insert(run.clone(), may_live);
        self.event(Event::StrayRun { run: run.clone(), may_live });
    }

    /// Nothing where the plan cannot be read.
    pub(crate) fn take_reading(&mut self, run: &RunId) -> Option<RunFacts> {
        let supervisor = self.supervisor.as_mut()?;
        let dir = self.runs.get_mut(run)?;
        dir.touched = false;
        if dir.hides(hidden::PLAN) {
            return None;
        }
        let reading = supervisor.readings.entry(run.clone()).or_default();
        *reading += 1;
        Some(dir.read(run, *reading, dir.lock_seen(), self.boot))
    }

    fn may_live(&self, run: &RunId) -> bool {
        let Some(dir) = self.runs.get(run) else { return false };
        let facts = dir.read(run, 0, dir.lock_seen(), self.boot);
        !super::laws::is_over(&RunFacts { exit: Read::No, ..facts }, &self.boot_id())
    }

    pub(crate) fn tell(&mut self, facts: RunFacts) {
        self.note_told(&facts);
        self.event(Event::RunRead(Box::new(facts)));
    }

    pub(crate) fn note_told(&mut self, facts: &RunFacts) {
        let Some(supervisor) = &mut self.supervisor else { return };
        let known = supervisor.told.get(&facts.run);
        if known.is_none_or(|known| known.reading < facts.reading) {
            supervisor.strays.remove(&facts.run);
            supervisor.told.insert(facts.run.clone(), facts.clone());
        }
    }

    fn tell_gone(&mut self, run: &RunId) {
        let Some(supervisor) = &mut self.supervisor else { return };
        supervisor.strays.remove(run);
        supervisor.told.remove(run);
        supervisor.late.retain(|late| late.run != *run);
        self.event(Event::RunGone(run.clone()));
    }

    /// Hears what is new in the log, to its end.
    pub(crate) fn read_log(&mut self, run: &RunId) {
        let Some(supervisor) = &mut self.supervisor else { return };
        let Some(dir) = self.runs.get(run) else { return };
        let position = supervisor.heard.insert(run.clone(), dir.log.len()).unwrap_or(0);
        let lines = dir.log.get(position..).unwrap_or_default().to_vec();
        for heard in lines {
            self.event(Event::LogHeard { run: run.clone(), heard });
        }
        let tail = Some("its last lines".into());
        self.event(Event::LogRead { run: run.clone(), tail });
    }

    /// Begins a reading that is delivered later; torn, only the lock is read now.
    pub(crate) fn read_later(&mut self, run: &RunId, torn: bool) {
        let Some(facts) = self.take_reading(run) else { return };
        if let Some(dir) = self.runs.get_mut(run) {
            dir.touched = true;
        }
        let Some(supervisor) = &mut self.supervisor else { return };
        supervisor.late.push(Late {
            run: run.clone(),
            reading: facts.reading,
            lock: facts.lock,
            rest: (!torn).then_some(facts),
        });
    }

    /// Delivers a reading that is under way; false where there is none.
    pub(crate) fn late_news(&mut self, which: usize, twice: bool) -> bool {
        let Some(supervisor) = &mut self.supervisor else { return false };
        if supervisor.late.is_empty() {
            return false;
        }
        let Late { run, reading, lock, rest } =
            supervisor.late.remove(which % supervisor.late.len());
        let Some(dir) = self.runs.get(&run) else { return true };
        let facts = rest.unwrap_or_else(|| dir.read(&run, reading, lock, self.boot));
        if twice {
            self.tell(facts.clone());
        }
        self.tell(facts);
        self.read_log(&run);
        self.carry_out();
        true
    }

    pub(crate) fn tell_settings(&mut self) {
        let Some(supervisor) = &mut self.supervisor else { return };
        self.settings.touched = false;
        let event = if self.settings.readable {
            supervisor.settings = Some(self.settings.listed.clone());
            let facts = self.settings.listed.iter().map(|(name, mark)| runner_facts(name, *mark));
            Event::SettingsRead(facts.collect())
        } else {
            supervisor.settings = None;
            Event::SettingsUnreadable(problem(ProblemCode::SettingsUnreadable, self.now))
        };
        self.event(event);
    }

    /// Deletes the oldest run that is over, as the supervisor does with what is in the history.
    pub(crate) fn prune(&mut self) {
        let Some(supervisor) = &self.supervisor else { return };
        let done = self.runs.iter().find(|(run, dir)| {
            let recorded =
                |number: u32| self.history.contains_key(&protocol::TaskId::new(run, number));
            let starting = supervisor.jobs.iter().any(|job| job.run() == Some(run));
            !starting
                && dir.lock == Lock::Free
                && dir.exit.is_some()
                && dir.tasks.iter().all(|task| task.end.is_some() && recorded(task.number))
        });
        if let Some(run) = done.map(|(run, _)| run.clone()) {
            self.say(|| format!("   {run} is deleted"));
            self.runs.remove(&run);
            self.look(&run);
            self.carry_out();
        }
    }
}
