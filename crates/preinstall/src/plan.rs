//! What to do about what is missing: pure. Only what is missing is in it, what others need first, one
//! call a package manager; what is too old only where that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{HumanStep, ItemChecked, ItemState, PreinstallLeft};
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::item::Item;
use crate::machine::Machine;
use crate::package::Manager;

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

    pub fn needs_admin(&self) -> bool {
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
        let mut first = None;
        for manager in ways.managers() {
            match self.reach(manager) {
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

    /// Whether that manager can be called once the steps before it are done; else what brings it.
    fn reach(&mut self, manager: Manager) -> Result<(), Option<&'a str>> {
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
        if is_there || is_at_home && self.see(item, false) {
            Ok(())
        } else {
            Err(Some(item.title.as_str()))
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
            let sizes: Vec<u32> = items.iter().filter_map(|item| item.size_mb).collect();
            let names = |item: &Item| {
                item.ways(self.machine).map(|ways| ways.of(manager).to_vec()).unwrap_or_default()
            };
            draft.steps.push(Step {
                what: What::Packages { manager, upgrade },
                items: items.iter().map(|item| of(item, names(item))).collect(),
                size_mb: (!sizes.is_empty()).then(|| sizes.iter().sum()),
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
    StepItem { id: item.id.clone(), title: item.title.clone(), names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Arch, Os};

    fn debian() -> Machine {
        Machine { os: Os::Linux, arch: Arch::X86, managers: vec![Manager::Apt], stubs: false }
    }

    fn mac() -> Machine {
        Machine { os: Os::Macos, arch: Arch::Arm, managers: Vec::new(), stubs: false }
    }

    /// All are missing, but for what `there` says.
    fn planned(
        machine: &Machine,
        asked: &[&str],
        there: &[(&str, ItemState)],
        upgrade: bool,
    ) -> Draft {
        let all = Catalogue::built_in();
        let asked: Vec<&Item> = asked.iter().map(|id| all.item(id).unwrap()).collect();
        let state = |id: &str| {
            there.iter().find(|(it, _)| *it == id).map_or(ItemState::Missing, |(_, state)| *state)
        };
        let checked: Vec<ItemChecked> = all
            .items
            .iter()
            .map(|item| ItemChecked {
                id: item.id.clone(),
                title: item.title.clone(),
                state: state(&item.id),
                reading: "as told".into(),
                version: None,
                found_at: None,
                wants: None,
            })
            .collect();
        plan(all, &asked, &checked, machine, upgrade)
    }

    fn calls(draft: &Draft) -> Vec<(String, Vec<String>)> {
        draft.steps.iter().map(|step| (step.by().to_owned(), step.names())).collect()
    }

    #[test]
    fn only_what_is_missing_is_planned_in_one_call_a_manager() {
        let draft = planned(
            &debian(),
            &["git", "jq", "curl", "yarn", "typescript"],
            &[
                ("git", ItemState::Present),
                ("node", ItemState::Present),
                ("npm", ItemState::Present),
            ],
            false,
        );
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            calls(&draft),
            [
                ("apt".to_owned(), names(&[])),
                ("apt".to_owned(), names(&["jq", "curl"])),
                ("npm".to_owned(), names(&["yarn", "typescript"])),
            ]
        );
        assert_eq!(draft.already.len(), 1);
        assert_eq!(draft.steps[1].title(), "Install jq and curl with apt");
        assert_eq!(draft.steps[1].size_mb, Some(4));
    }

    #[test]
    fn what_is_there_is_never_upgraded_unless_that_is_asked_for() {
        let there = [
            ("git", ItemState::TooOld),
            ("node", ItemState::TooNew),
            ("jq", ItemState::Broken),
            ("curl", ItemState::Unknown),
        ];
        let asked = ["git", "node", "jq", "curl"];
        let draft = planned(&debian(), &asked, &there, false);
        assert_eq!(draft.steps, []);
        assert_eq!(draft.left.len(), 4, "{draft:?}");
        let draft = planned(&debian(), &asked, &there, true);
        assert_eq!(draft.steps[1].what, What::Packages { manager: Manager::Apt, upgrade: true });
        assert_eq!(draft.steps[1].names(), ["git"]);
        assert_eq!(draft.left.len(), 3);
    }

    #[test]
    fn what_another_needs_comes_first_and_what_brings_a_manager_before_it() {
        let draft = planned(&debian(), &["yarn", "uv"], &[], false);
        let order: Vec<&str> = draft.steps.iter().map(Step::by).collect();
        assert_eq!(order, ["apt", "apt", "npm", "pipx"]);
        let apt = draft.steps[1].names();
        for name in ["nodejs", "npm", "pipx", "python3"] {
            assert!(apt.contains(&name.to_owned()), "{apt:?}");
        }
    }

    #[test]
    fn what_a_need_lacks_is_not_upgraded_either() {
        let draft = planned(
            &debian(),
            &["yarn"],
            &[("node", ItemState::TooOld), ("npm", ItemState::Present)],
            true,
        );
        assert_eq!(calls(&draft), [("npm".to_owned(), vec!["yarn".to_owned()])]);
    }

    #[test]
    fn without_homebrew_a_mac_says_what_comes_first() {
        let draft = planned(&mac(), &["jq", "xcode"], &[], false);
        assert_eq!(draft.steps, []);
        let human: Vec<&str> = draft.human.iter().map(|step| step.item.as_str()).collect();
        assert_eq!(human, ["homebrew", "xcode"]);
        assert_eq!(draft.left[0].why, "Homebrew has to be there first.");
        let draft = planned(
            &mac(),
            &["jq", "chromium", "docker"],
            &[("homebrew", ItemState::Present)],
            false,
        );
        let by: Vec<&str> = draft.steps.iter().map(Step::by).collect();
        assert_eq!(by, ["Homebrew", "Homebrew (cask)"]);
        assert_eq!(draft.human.len(), 1, "Docker has to be opened once: {draft:?}");
    }

    #[test]
    fn without_a_package_manager_people_are_asked_or_nothing_is_promised() {
        let bare = Machine { managers: Vec::new(), ..debian() };
        let draft = planned(&bare, &["jq", "kvm", "circleci"], &[], false);
        assert_eq!(draft.left[0].why, "None of its package managers is on this machine.");
        assert_eq!(draft.human[0].item, "kvm");
        assert_eq!(draft.steps[0].what, What::Ours { name: "circleci".into() });
    }

    #[test]
    fn a_second_plan_has_nothing_to_do() {
        for preset in &Catalogue::built_in().presets {
            let ids: Vec<&str> = preset.items.iter().map(String::as_str).collect();
            let there: Vec<(&str, ItemState)> =
                ids.iter().map(|id| (*id, ItemState::Present)).collect();
            let draft = planned(&debian(), &ids, &there, false);
            assert_eq!((draft.steps.len(), draft.human.len(), draft.left.len()), (0, 0, 0));
            assert_eq!(draft.already.len(), ids.len());
        }
    }
}
