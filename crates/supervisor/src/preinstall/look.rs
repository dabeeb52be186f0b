//! Tools looked at: for a check, a plan or a report.

use std::time::{Duration, Instant};

use ::preinstall::{Catalogue, Item, Machine};
use host::System;
use protocol::{
    ApiError, AskPreinstall, ItemChecked, Preinstall, PreinstallChecked, PreinstallPlan,
    RunnerName, SoftwareReport,
};
use supervisor_core::Event;

use super::calls::{PreinstallCall, not_named};
use super::run::StoredPlan;
use super::shown;
use super::whose::{Eyes, eyes};
use crate::api::refusal;
use crate::environment::agent_environment;
use crate::input::{Input, Loop, Reply};
use crate::places::commands;
use crate::supervisor::{Supervisor, now};

const TELL_EVERY: Duration = Duration::from_millis(200);

/// A look that may begin.
struct Look {
    all: Catalogue,
    asked: Vec<String>,
    whose: super::whose::Whose,
    folders: host::Folders,
    to_loop: Loop,
}

impl Supervisor {
    pub(super) fn preinstall_list(&self) -> Result<Preinstall, ApiError> {
        let (all, refused) = self.catalogue()?;
        let environment = agent_environment(&[], &commands(false, &self.folders));
        let path = environment.get("PATH").map_or("", String::as_str);
        let machine = Machine::this(path, host::tools_are_stubs());
        Ok(shown::list(&all.needed_on(&machine), refused, &machine))
    }

    /// All where nothing is named.
    fn look(&self, asked: &AskPreinstall, all_of_none: bool) -> Result<Look, ApiError> {
        let (all, _) = self.catalogue()?;
        let machine = Machine::this("", false);
        let all = all.needed_on(&machine);
        let none = asked.items.is_empty() && asked.presets.is_empty();
        let named: Vec<String> = if none && all_of_none {
            let needed = all.items.iter().filter(|item| !item.is_spare(&machine));
            needed.map(|item| item.id.clone()).collect()
        } else {
            let named = all.named(&asked.items, &asked.presets).map_err(|it| not_named(&it))?;
            named.iter().map(|item| item.id.clone()).collect()
        };
        let whose = self.whose(asked.runner.as_ref())?;
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        Ok(Look { all, asked: named, whose, folders, to_loop })
    }

    pub(super) fn look_at_tools(&self, asked: &AskPreinstall, reply: Reply<PreinstallChecked>) {
        let look = match self.look(asked, true) {
            Ok(look) => look,
            Err(error) => return drop(reply.send(Err(error))),
        };
        tokio::spawn(async move {
            let seen = look.all_of(false).await.map(|(eyes, items)| PreinstallChecked {
                at: now(),
                jobs: eyes.jobs.shown(),
                items,
            });
            let _ = reply.send(seen);
        });
    }

    pub(super) fn software_report(
        &self,
        runner: Option<&RunnerName>,
        reply: Reply<SoftwareReport>,
    ) {
        let asked = AskPreinstall { runner: runner.cloned(), ..AskPreinstall::default() };
        let look = match self.look(&asked, true) {
            Ok(look) => look,
            Err(error) => return drop(reply.send(Err(error))),
        };
        tokio::spawn(async move {
            let seen = look.all_of(false).await.map(|(eyes, items)| {
                let system = System::at("/".as_ref());
                SoftwareReport {
                    made_at: now(),
                    system: system.name.unwrap_or_else(|| system.os.to_owned()),
                    arch: system.arch.to_owned(),
                    jobs: eyes.jobs.shown(),
                    items,
                }
            });
            let _ = reply.send(seen);
        });
    }

    pub(super) fn plan_preinstall(&self, asked: &AskPreinstall, reply: Reply<PreinstallPlan>) {
        let look = match self.look(asked, false) {
            Ok(look) => look,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let upgrade = asked.upgrade;
        tokio::spawn(async move {
            let to_loop = look.to_loop.clone();
            let plan = look.plan(upgrade).await;
            to_loop.send(Input::Preinstall(PreinstallCall::Planned(Box::new(plan), reply)));
        });
    }

    pub(super) fn looked_at_tools(&mut self, how_far: Option<(usize, usize)>) {
        self.preinstalling.looking = how_far;
        self.show_preinstall();
    }

    pub(super) fn show_preinstall(&mut self) {
        let shown = self.preinstalling.shown();
        self.event(Event::PreinstallSeen(Box::new(shown)));
    }
}

impl Look {
    /// `with_needs`: also what those need that are asked for.
    async fn all_of(&self, with_needs: bool) -> Result<(Eyes, Vec<ItemChecked>), ApiError> {
        let eyes = eyes(self.whose.clone(), &self.folders).await;
        let eyes = eyes.map_err(|why| refusal::failed(&why))?;
        let named: Vec<&Item> = self.asked.iter().filter_map(|id| self.all.item(id)).collect();
        let items = if with_needs { self.all.with_needs(&named, &eyes.machine) } else { named };
        let mut told = Instant::now();
        let tell = |how_far| {
            self.to_loop.send(Input::Preinstall(PreinstallCall::Looked(how_far)));
        };
        tell(Some((0, items.len())));
        let seen = ::preinstall::check(&items, &eyes.machine, &eyes.jobs, |done| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                tell(Some((done, items.len())));
            }
        })
        .await;
        tell(None);
        Ok((eyes, seen))
    }

    async fn plan(self, upgrade: bool) -> Result<StoredPlan, ApiError> {
        let (eyes, checked) = self.all_of(true).await?;
        let asked: Vec<&Item> = self.asked.iter().filter_map(|id| self.all.item(id)).collect();
        let draft = ::preinstall::plan(&self.all, &asked, &checked, &eyes.machine, upgrade);
        let named = draft.steps.iter().flat_map(|step| &step.items);
        let items = named.filter_map(|item| self.all.item(&item.id)).cloned().collect();
        Ok(StoredPlan::new(draft, items, self.whose, eyes.jobs))
    }
}
