//! What to do about what is missing: pure. Only what is missing is in it, what others need first, one
//! call a package manager; what is too old only where that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{HumanStep, ItemChecked, ItemState, PreinstallLeft};
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::item::{Item, Ways};
use crate::machine::Machine;
use crate::package::Manager;
use crate::version::Version;

/// A call of a package manager, or what is done in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub what: What,
    pub items: Vec<StepItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mb: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// apt's lists of packages are brought up to date; what is installed stays as it is.
    Refresh,
    Packages {
        manager: Manager,
        upgrade: bool,
    },
    /// Runner Tray writes it itself.
    Ours {
        name: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepItem {
    pub id: String,
    pub title: String,
    /// Packages.
    pub names: Vec<String>,
    /// Its manager, which is no admin, asks for an admin's rights by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
}

impl Step {
    /// All packages, each once.
    pub fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let all = self.items.iter().flat_map(|item| &item.names);
        all.filter(|name| seen.insert(*name)).cloned().collect()
    }

    /// "Install Git and jq with apt".
    pub fn title(&self) -> String {
        let titles: Vec<&str> = self.items.iter().map(|item| item.title.as_str()).collect();
        let what = match titles.split_last() {
            None => String::new(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) if others.len() < 3 => {
                format!("{} and {last}", others.join(", "))
            }
            Some(_) => format!("{} items", titles.len()),
        };
        match &self.what {
            What::Refresh => "Refresh apt's lists of packages".to_owned(),
            What::Packages { manager, upgrade: false } => {
                format!("Install {what} with {}", manager.name())
            }
            What::Packages { manager, upgrade: true } => {
                format!("Upgrade {what} with {}", manager.name())
            }
            What::Ours { .. } => format!("Write the {what}"),
        }
    }

    /// Its manager's name for people.
    pub fn by(&self) -> &'static str {
        match &self.what {
            What::Refresh => Manager::Apt.name(),
            What::Packages { manager, .. } => manager.name(),
            What::Ours { .. } => "Runner Tray",
        }
    }

    /// All of it, or a part of it that asks for these rights by itself.
    pub fn needs_admin(&self) -> bool {
        self.runs_as_admin() || self.items.iter().any(|item| item.admin)
    }

    /// Its calls are an admin's.
    pub fn runs_as_admin(&self) -> bool {
        match &self.what {
            What::Refresh => true,
            What::Packages { manager, .. } => manager.needs_admin(),
            What::Ours { .. } => false,
        }
    }

    /// It runs as the user that jobs run as.
    pub fn is_the_users(&self) -> bool {
        match &self.what {
            What::Packages { manager, .. } => manager.is_the_users(),
            What::Refresh | What::Ours { .. } => false,
        }
    }

    /// The same for those items alone whose packages are among the words of a call.
    pub(crate) fn of(&self, argv: &[String]) -> Self {
        let named = |item: &&StepItem| item.names.iter().any(|name| argv.contains(name));
        let items = self.items.iter().filter(named).cloned().collect();
        Self { items, ..self.clone() }
    }

    /// The same for these items alone.
    #[must_use]
    pub fn only(&self, ids: &[String]) -> Self {
        let items = self.items.iter().filter(|item| ids.contains(&item.id));
        Self { items: items.cloned().collect(), ..self.clone() }
    }
}

/// A plan, before it has a name and a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub steps: Vec<Step>,
    pub human: Vec<HumanStep>,
    pub already: Vec<ItemChecked>,
    pub left: Vec<PreinstallLeft>,
}

/// `checked` has what was found of `asked` and of all that they need.
pub fn plan(
    catalogue: &Catalogue,
    asked: &[&Item],
    checked: &[ItemChecked],
    machine: &Machine,
    upgrade: bool,
) -> Draft {
    let checked = checked.iter().map(|item| (item.id.as_str(), item)).collect();
    let mut planner = Planner {
        catalogue,
        checked,
        machine,
        upgrade,
        calls: BTreeMap::new(),
        ours: Vec::new(),
        seen: BTreeMap::new(),
        draft: Draft::default(),
    };
    for item in asked {
        planner.see(item, true);
    }
    planner.finish()
}

struct Planner<'a> {
    catalogue: &'a Catalogue,
    checked: BTreeMap<&'a str, &'a ItemChecked>,
    machine: &'a Machine,
    upgrade: bool,
    /// By the manager's order; upgrades apart.
    calls: BTreeMap<(Manager, bool), Vec<&'a Item>>,
    ours: Vec<(&'a Item, String)>,
    /// Whether it is there once the plan is carried out.
    seen: BTreeMap<&'a str, bool>,
    draft: Draft,
}

impl<'a> Planner<'a> {
    /// `asked`: by name, and not only because another needs it. Whether it is there in the end.
    fn see(&mut self, item: &'a Item, asked: bool) -> bool {
        if let Some(known) = self.seen.get(item.id.as_str()) {
            return *known;
        }
        // Items that need each other in a ring find each other there.
        self.seen.insert(&item.id, true);
        let there = self.decide(item, asked);
        self.seen.insert(&item.id, there);
        there
    }

    fn decide(&mut self, item: &'a Item, asked: bool) -> bool {
        let Some(checked) = self.checked.get(item.id.as_str()).copied() else {
            return false;
        };
        let mut leave = |why: &str| {
            if asked {
                let left = PreinstallLeft { item: checked.clone(), why: why.to_owned() };
                self.draft.left.push(left);
            }
        };
        match checked.state {
            ItemState::Present => {
                if asked {
                    self.draft.already.push(checked.clone());
                }
                true
            }
            ItemState::Missing => self.bring(item, checked, false),
            ItemState::TooOld if self.upgrade && asked => self.bring(item, checked, true),
            ItemState::TooOld => {
                leave("It is there and too old. It is upgraded only where you say so.");
                true
            }
            ItemState::TooNew => {
                leave("It is newer than wanted, and nothing is ever put back to an older version.");
                true
            }
            ItemState::Broken => {
                leave("It is there and does not work. Mend or remove it, then check again.");
                false
            }
            ItemState::Unknown => {
                leave("It cannot be told whether it is there. Check again once that is clear.");
                false
            }
        }
    }

    fn bring(&mut self, item: &'a Item, checked: &ItemChecked, upgrade: bool) -> bool {
        for id in &item.needs {
            if let Some(needed) = self.catalogue.item(id) {
                self.see(needed, false);
            }
        }
        let leave = |planner: &mut Self, why: String| {
            planner.draft.left.push(PreinstallLeft { item: checked.clone(), why });
            false
        };
        let Some(ways) = item.ways(self.machine) else {
            return leave(self, "Nothing is known of how it comes onto this system.".into());
        };
        if let Some(why) = &ways.not_here {
            return leave(self, format!("Not on this system: {why}."));
        }
        let mut first = None;
        let least = ways.with_at_least.as_deref().and_then(Version::of);
        for manager in ways.managers() {
            match self.reach(manager, least.as_ref()) {
                Ok(()) if asks_by_itself(ways, manager) && !self.machine.sudo => {
                    self.by_hand(item, &in_a_terminal(ways, manager));
                    return false;
                }
                Ok(()) => {
                    self.calls.entry((manager, upgrade)).or_default().push(item);
                    if let Some(words) = &ways.then {
                        self.by_hand(item, words);
                    }
                    return true;
                }
                Err(brought_by) => first = first.or(brought_by),
            }
        }
        if let Some(name) = &ways.ours {
            self.ours.push((item, name.clone()));
            return true;
        }
        if let Some(words) = &ways.human {
            self.by_hand(item, words);
            return false;
        }
        leave(
            self,
            match first {
                Some(title) => format!("{title} has to be there first."),
                None => "None of its package managers is on this machine.".to_owned(),
            },
        )
    }

    /// Whether that manager can be called once the steps before it are done; else what brings it. Which
    /// version a step brings is not known before it is there.
    fn reach(&mut self, manager: Manager, least: Option<&Version>) -> Result<(), Option<String>> {
        let Some(id) = manager.brought_by() else {
            return if self.machine.has(manager) { Ok(()) } else { Err(None) };
        };
        let Some(item) = self.catalogue.item(id) else { return Err(None) };
        // Homebrew on Linux is nobody's duty.
        let is_at_home = item.ways(self.machine).is_some_and(|ways| {
            ways.managers().next().is_some() || self.machine.os == crate::Os::Macos
        });
        let is_there = self.checked.get(id).is_some_and(|it| {
            matches!(it.state, ItemState::Present | ItemState::TooOld | ItemState::TooNew)
        });
        if let Some(least) = least {
            let version = self.checked.get(id).and_then(|it| it.version.as_deref());
            let is_new = version.and_then(Version::of).is_some_and(|version| version >= *least);
            return if is_there && is_new {
                Ok(())
            } else {
                Err(Some(format!("{} {least} or newer", item.title)))
            };
        }
        if is_there || is_at_home && self.see(item, false) {
            Ok(())
        } else {
            Err(Some(item.title.clone()))
        }
    }

    fn by_hand(&mut self, item: &Item, words: &str) {
        self.draft.human.push(HumanStep {
            item: item.id.clone(),
            title: item.title.clone(),
            words: words.to_owned(),
            link: item.links.first().cloned(),
        });
    }

    fn finish(self) -> Draft {
        let Self { calls, ours, mut draft, .. } = self;
        if calls.keys().any(|(manager, _)| *manager == Manager::Apt) {
            draft.steps.push(Step { what: What::Refresh, items: Vec::new(), size_mb: None });
        }
        for ((manager, upgrade), items) in calls {
            let of_step = |item: &Item| {
                let ways = item.ways(self.machine);
                let names = ways.map(|ways| ways.of(manager).to_vec()).unwrap_or_default();
                StepItem {
                    admin: ways.is_some_and(|ways| asks_by_itself(ways, manager)),
                    ..of(item, names)
                }
            };
            let of_step: Vec<StepItem> = items.iter().map(|item| of_step(item)).collect();
            draft.steps.push(Step {
                what: What::Packages { manager, upgrade },
                size_mb: size_of(&items, &of_step),
                items: of_step,
            });
        }
        for (item, name) in ours {
            let items = vec![of(item, Vec::new())];
            draft.steps.push(Step { what: What::Ours { name }, items, size_mb: None });
        }
        draft
    }
}

fn of(item: &Item, names: Vec<String>) -> StepItem {
    StepItem { id: item.id.clone(), title: item.title.clone(), names, admin: false }
}

fn asks_by_itself(ways: &Ways, manager: Manager) -> bool {
    ways.admin && manager == Manager::Cask
}

fn in_a_terminal(ways: &Ways, manager: Manager) -> String {
    let command = format!("brew install --cask {}", ways.of(manager).join(" "));
    let then = ways.then.as_ref().map(|then| format!(" {then}")).unwrap_or_default();
    format!("Its installer asks for your password: run `{command}` in a terminal.{then}")
}

/// Packages that several items name are there once.
fn size_of(items: &[&Item], of_step: &[StepItem]) -> Option<u32> {
    let mut seen = BTreeSet::new();
    let mut sizes = items.iter().zip(of_step).filter_map(|(item, StepItem { names, .. })| {
        let is_new = names.iter().filter(|name| seen.insert(*name)).count() > 0;
        item.size_mb.filter(|_| is_new)
    });
    sizes.next().map(|first| first + sizes.sum::<u32>())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
