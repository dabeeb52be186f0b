//! What may happen.

use jiff::SignedDuration;
use protocol::{RunId, RunnerName, TaskId};
use supervisor_core::{Event, Wish};

use super::World;
use super::agent::Manner;
use super::disk::How;
use super::jobs::Ending;
use super::keeper::At;
use super::wants::HOLDERS;

/// One thing that happens. Numbers choose among what there is, whatever that is by then.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Pause { runner: u8, by: u8, minutes: u8 },
    Resume { runner: u8, by: u8 },
    Cancel { run: u8, newest: bool },
    StopInstall { runner: u8 },
    Install { runner: u8 },
    Wait { seconds: u16 },
    SetClock { seconds: i32 },
    Reboot,
    SupervisorDies,
    SupervisorDiesAfter { effects: u8 },
    SupervisorStarts,
    KeeperMoves { run: u8, moves: u8, seen: bool },
    KeeperDies { run: u8, seen: bool },
    KeeperDiesAt { run: u8, at: At },
    KeeperCannotStart { run: u8 },
    AgentMoves { run: u8, manner: Manner, seen: bool },
    Queue { runner: u8, tasks: u8 },
    TaskSpeaks { run: u8, failed: bool, seen: bool },
    TaskEnds { run: u8, how: How, seen: bool },
    Job { which: u8, ending: Ending },
    News,
    ReadLater { run: u8, torn: bool },
    LateNews { which: u8, twice: bool },
    Hide { run: u8, what: u8 },
    Unhide { run: u8 },
    List { runner: u8, seen: bool },
    Change { runner: u8, seen: bool },
    SettingsReadable { yes: bool },
    WantedReadable { yes: bool },
    DiskFull { yes: bool },
    NoSpawn { yes: bool },
    Network { up: bool },
    TokenChanged { runner: u8 },
    Prune,
    AllGoesWell { moments: u8 },
}

impl World {
    pub(crate) fn take(&mut self, step: &Step) {
        match *step {
            Step::Pause { runner, by, minutes } => {
                let runner = self.runner(runner);
                let by = HOLDERS[usize::from(by) % 3];
                let until =
                    (minutes > 0).then(|| self.now + SignedDuration::from_mins(i64::from(minutes)));
                self.wish(Wish::Pause { runner, by, until, note: None, reading: None });
            }
            Step::Resume { runner, by } => {
                let runner = self.runner(runner);
                self.wish(Wish::Resume { runner, by: HOLDERS[usize::from(by) % 3] });
            }
            Step::Cancel { run, newest } => self.cancel(run, newest),
            Step::StopInstall { runner } => {
                let runner = self.runner(runner);
                self.wish(Wish::StopInstall { runner });
            }
            Step::Install { runner } => {
                let runner = self.runner(runner);
                self.wish(Wish::Install { runner });
            }
            Step::Wait { seconds } => self.wait(SignedDuration::from_secs(i64::from(seconds))),
            Step::SetClock { seconds } => {
                self.set_clock(SignedDuration::from_secs(i64::from(seconds)));
            }
            Step::Reboot => self.reboot(),
            Step::SupervisorDies => self.supervisor_dies(),
            Step::SupervisorDiesAfter { effects } => {
                if let Some(supervisor) = &mut self.supervisor {
                    supervisor.killed_after = Some(effects);
                }
            }
            Step::SupervisorStarts => self.supervisor_starts(),
            Step::KeeperMoves { run, moves, seen } => self.at_run(run, seen, |world, run| {
                for _ in 0..moves {
                    world.keeper_moves(run);
                }
            }),
            Step::KeeperDies { run, seen } => self.at_run(run, seen, World::keeper_dies),
            Step::KeeperDiesAt { run, at } => {
                self.at_run(run, false, |world, run| world.keeper_dies_at(run, at));
            }
            Step::KeeperCannotStart { run } => self.at_run(run, false, World::keeper_cannot_start),
            Step::AgentMoves { run, manner, seen } => self.at_run(run, seen, |world, run| {
                world.agent_moves(run, manner);
            }),
            Step::Queue { runner, tasks } => {
                let runner = self.runner(runner);
                *self.queue.entry(runner).or_default() += u32::from(tasks);
            }
            Step::TaskSpeaks { run, failed, seen } => {
                self.at_run(run, seen, |world, run| world.task_speaks(run, failed));
            }
            Step::TaskEnds { run, how, seen } => self.at_run(run, seen, |world, run| {
                world.task_ends(run, how);
            }),
            Step::Job { which, ending } => {
                self.job_ends(usize::from(which), ending);
            }
            Step::News => {
                self.hear_news();
            }
            Step::ReadLater { run, torn } => {
                self.at_run(run, false, |world, run| world.read_later(run, torn));
            }
            Step::LateNews { which, twice } => {
                self.late_news(usize::from(which), twice);
            }
            Step::Hide { run, what } => self.at_run(run, true, |world, run| {
                let dir = world.runs.get_mut(run).unwrap();
                dir.hidden |= 1 << (what % 8);
                dir.touched = true;
            }),
            Step::Unhide { run } => self.at_run(run, true, |world, run| {
                let dir = world.runs.get_mut(run).unwrap();
                dir.hidden = 0;
                dir.touched = true;
            }),
            Step::List { runner, seen } => {
                let runner = self.runner(runner);
                if self.settings.listed.remove(&runner).is_none() {
                    self.settings.listed.insert(runner, 0);
                }
                self.settings_edited(seen);
            }
            Step::Change { runner, seen } => {
                let runner = self.runner(runner);
                if let Some(mark) = self.settings.listed.get_mut(&runner) {
                    *mark += 1;
                }
                self.settings_edited(seen);
            }
            Step::SettingsReadable { yes } => {
                self.settings.readable = yes;
                self.settings_edited(true);
            }
            Step::WantedReadable { yes } => self.wanted_readable = yes,
            Step::DiskFull { yes } => self.disk_full = yes,
            Step::NoSpawn { yes } => self.no_spawn = yes,
            Step::Network { up } => self.network = up,
            Step::TokenChanged { runner } => {
                let runner = self.runner(runner);
                self.event(Event::TokenChanged(runner));
                self.carry_out();
            }
            Step::Prune => self.prune(),
            Step::AllGoesWell { moments } => {
                for _ in 0..moments {
                    self.all_goes_well();
                    self.wait(SignedDuration::from_secs(1));
                }
            }
        }
    }

    fn runner(&self, which: u8) -> RunnerName {
        self.runners[usize::from(which) % self.runners.len()].clone()
    }

    /// Does something to a run, the newer ones first.
    fn at_run(&mut self, which: u8, seen: bool, act: impl FnOnce(&mut Self, &RunId)) {
        let few = self.runners.len() + 1;
        let Some(run) = self.runs.keys().rev().nth(usize::from(which) % few).cloned() else {
            return;
        };
        act(self, &run);
        if seen {
            self.hear_news();
        }
    }

    fn cancel(&mut self, which: u8, newest: bool) {
        self.at_run(which, false, |world, run| {
            let dir = &world.runs[run];
            let task = if newest { dir.tasks.last() } else { dir.tasks.first() };
            let Some(task) = task.map(|task| TaskId::new(run, task.number)) else { return };
            let runner = dir.runner.clone();
            world.wish(Wish::Cancel { runner, task });
        });
    }

    fn settings_edited(&mut self, seen: bool) {
        self.settings.touched = true;
        if seen {
            self.hear_news();
        }
    }
}
