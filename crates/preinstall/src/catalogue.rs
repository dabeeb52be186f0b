//! All items and presets: the built-in ones, and the owner's over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::item::{Item, ItemError, Ways, is_id};
use crate::machine::{Machine, Os};
use crate::package::Manager;

/// A named list of items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub id: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub what_for: String,
    #[serde(default)]
    pub items: Vec<String>,
    /// On a Mac these too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_macos: Vec<String>,
}

impl Preset {
    /// Of all systems.
    fn all(&self) -> impl Iterator<Item = &String> {
        self.items.iter().chain(&self.on_macos)
    }
}

/// All there is to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// In the order of the presets, the others after them.
    pub items: Vec<Item>,
    pub presets: Vec<Preset>,
    own_items: BTreeSet<String>,
    own_presets: BTreeSet<String>,
    /// Presets that name nothing for this system.
    elsewhere: BTreeSet<String>,
}

/// A name that cannot be followed here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNamed {
    #[error("There is no item or preset {0}.")]
    Unknown(String),
    #[error("Nothing of the preset {0} is for this system.")]
    Elsewhere(String),
}

static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Presets {
        preset: Vec<Preset>,
    }
    let presets: Presets = toml::from_str(PRESETS).expect("the built-in presets are valid");
    let mut items: BTreeMap<String, Item> = FILES
        .iter()
        .map(|text| {
            let item: Item = toml::from_str(text).expect("a built-in item is valid");
            (item.id.clone(), item)
        })
        .collect();
    let named = presets.preset.iter().flat_map(Preset::all);
    let mut ordered: Vec<Item> = named.filter_map(|id| items.remove(id)).collect();
    ordered.extend(items.into_values());
    Catalogue {
        items: ordered,
        presets: presets.preset,
        own_items: BTreeSet::new(),
        own_presets: BTreeSet::new(),
        elsewhere: BTreeSet::new(),
    }
});

impl Catalogue {
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The built-in ones with the owner's tables `[[preinstall.item]]` and `[[preinstall.preset]]`. One
    /// with the id of a built-in takes its place. What cannot be followed is left out and told.
    pub fn with(
        items: &[serde_json::Value],
        presets: &[serde_json::Value],
    ) -> (Self, Vec<ItemError>) {
        let mut all = BUILT_IN.clone();
        let mut refused = Vec::new();
        for table in items {
            match own::<Item>(table, "item").and_then(|item| item.judge().map(|()| item)) {
                Err(error) => refused.push(error),
                Ok(mut item) => {
                    if item.title.is_empty() {
                        item.title.clone_from(&item.id);
                    }
                    all.own_items.insert(item.id.clone());
                    match all.items.iter_mut().find(|known| known.id == item.id) {
                        Some(known) => *known = item,
                        None => all.items.push(item),
                    }
                }
            }
        }
        for item in &all.items {
            if let Some(needed) = item.needs.iter().find(|id| all.item(id).is_none()) {
                let what = format!("item {}", item.id);
                refused.push(ItemError::new(what, "needs", format!("there is no item {needed}")));
            }
        }
        for table in presets {
            match own::<Preset>(table, "preset").and_then(|preset| all.judge(preset)) {
                Err(error) => refused.push(error),
                Ok(preset) => {
                    all.own_presets.insert(preset.id.clone());
                    match all.presets.iter_mut().find(|known| known.id == preset.id) {
                        Some(known) => *known = preset,
                        None => all.presets.push(preset),
                    }
                }
            }
        }
        (all, refused)
    }

    fn judge(&self, mut preset: Preset) -> Result<Preset, ItemError> {
        let what = format!("preset {}", preset.id);
        if !is_id(&preset.id) {
            let why = "1 to 64 lower-case letters, digits and -, no - first";
            return Err(ItemError::new(what, "id", why));
        }
        if let Some(unknown) = preset.all().find(|id| self.item(id).is_none()) {
            return Err(ItemError::new(what, "items", format!("there is no item {unknown}")));
        }
        if preset.title.is_empty() {
            preset.title.clone_from(&preset.id);
        }
        Ok(preset)
    }

    /// With presets that name nothing but what is a matter of such a machine; one without any is none.
    #[must_use]
    pub fn needed_on(mut self, machine: &Machine) -> Self {
        let spare = self.items.iter().filter(|item| item.is_spare(machine));
        let spare: BTreeSet<&String> = spare.map(|item| &item.id).collect();
        for preset in &mut self.presets {
            let on_macos = std::mem::take(&mut preset.on_macos);
            if machine.os == Os::Macos {
                preset.items.extend(on_macos);
            }
            preset.items.retain(|id| !spare.contains(id));
        }
        let (here, elsewhere) =
            self.presets.into_iter().partition(|preset: &Preset| !preset.items.is_empty());
        self.presets = here;
        self.elsewhere.extend(elsewhere.into_iter().map(|preset| preset.id));
        self
    }

    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub fn is_own_item(&self, id: &str) -> bool {
        self.own_items.contains(id)
    }

    pub fn is_own_preset(&self, id: &str) -> bool {
        self.own_presets.contains(id)
    }

    /// The items that are meant, each once, in the catalogue's order.
    pub fn named(&self, items: &[String], presets: &[String]) -> Result<Vec<&Item>, NotNamed> {
        let mut wanted = BTreeSet::new();
        let of_preset = |id: &String| {
            let preset = self.presets.iter().find(|preset| preset.id == *id);
            preset.map(Preset::all).ok_or_else(|| {
                let is_elsewhere = self.elsewhere.contains(id);
                let why = if is_elsewhere { NotNamed::Elsewhere } else { NotNamed::Unknown };
                why(id.clone())
            })
        };
        for id in presets {
            wanted.extend(of_preset(id)?);
        }
        for id in items {
            match self.item(id) {
                Some(item) => drop(wanted.insert(&item.id)),
                // Of another system: it is on no list here.
                None => wanted.extend(of_preset(id)?),
            }
        }
        Ok(self.items.iter().filter(|item| wanted.contains(&item.id)).collect())
    }

    /// They and all that they need, directly or by others, and what brings their package managers.
    pub fn with_needs<'a>(&'a self, items: &[&'a Item], machine: &Machine) -> Vec<&'a Item> {
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&Item> = items.to_vec();
        while let Some(item) = open.pop() {
            if !wanted.insert(&item.id) {
                continue;
            }
            let managers = item.ways(machine).into_iter().flat_map(Ways::managers);
            let brought = managers.filter_map(Manager::brought_by);
            open.extend(brought.filter_map(|id| self.item(id)));
            open.extend(item.needs.iter().filter_map(|id| self.item(id)));
        }
        self.items.iter().filter(|item| wanted.contains(item.id.as_str())).collect()
    }
}

fn own<T: serde::de::DeserializeOwned>(
    table: &serde_json::Value,
    kind: &str,
) -> Result<T, ItemError> {
    let id = table.get("id").and_then(serde_json::Value::as_str).unwrap_or("without an id");
    serde_json::from_value(table.clone())
        .map_err(|error| ItemError::new(format!("{kind} {id}"), "fields", error.to_string()))
}

const PRESETS: &str = include_str!("../presets.toml");

const FILES: &[&str] = &[
    include_str!("../catalogue/adb.toml"),
    include_str!("../catalogue/android-licences.toml"),
    include_str!("../catalogue/android-sdk.toml"),
    include_str!("../catalogue/bash.toml"),
    include_str!("../catalogue/ca-certificates.toml"),
    include_str!("../catalogue/cargo-nextest.toml"),
    include_str!("../catalogue/chrome.toml"),
    include_str!("../catalogue/chromedriver.toml"),
    include_str!("../catalogue/chromium.toml"),
    include_str!("../catalogue/circleci.toml"),
    include_str!("../catalogue/clippy.toml"),
    include_str!("../catalogue/cocoapods.toml"),
    include_str!("../catalogue/command-line-tools.toml"),
    include_str!("../catalogue/coreutils.toml"),
    include_str!("../catalogue/curl.toml"),
    include_str!("../catalogue/docker-compose.toml"),
    include_str!("../catalogue/docker-running.toml"),
    include_str!("../catalogue/docker.toml"),
    include_str!("../catalogue/fastlane.toml"),
    include_str!("../catalogue/firefox.toml"),
    include_str!("../catalogue/full-disk-access.toml"),
    include_str!("../catalogue/gcc.toml"),
    include_str!("../catalogue/geckodriver.toml"),
    include_str!("../catalogue/git-lfs.toml"),
    include_str!("../catalogue/git.toml"),
    include_str!("../catalogue/gnupg.toml"),
    include_str!("../catalogue/go.toml"),
    include_str!("../catalogue/golangci-lint.toml"),
    include_str!("../catalogue/gotestsum.toml"),
    include_str!("../catalogue/gradle.toml"),
    include_str!("../catalogue/gzip.toml"),
    include_str!("../catalogue/homebrew.toml"),
    include_str!("../catalogue/jdk.toml"),
    include_str!("../catalogue/jq.toml"),
    include_str!("../catalogue/kvm.toml"),
    include_str!("../catalogue/make.toml"),
    include_str!("../catalogue/maven.toml"),
    include_str!("../catalogue/node.toml"),
    include_str!("../catalogue/npm.toml"),
    include_str!("../catalogue/pip.toml"),
    include_str!("../catalogue/pipx.toml"),
    include_str!("../catalogue/pnpm.toml"),
    include_str!("../catalogue/podman.toml"),
    include_str!("../catalogue/poetry.toml"),
    include_str!("../catalogue/python.toml"),
    include_str!("../catalogue/ruby.toml"),
    include_str!("../catalogue/rust.toml"),
    include_str!("../catalogue/rustfmt.toml"),
    include_str!("../catalogue/ssh.toml"),
    include_str!("../catalogue/swiftlint.toml"),
    include_str!("../catalogue/tar.toml"),
    include_str!("../catalogue/tox.toml"),
    include_str!("../catalogue/typescript.toml"),
    include_str!("../catalogue/unzip.toml"),
    include_str!("../catalogue/uv.toml"),
    include_str!("../catalogue/venv.toml"),
    include_str!("../catalogue/xcbeautify.toml"),
    include_str!("../catalogue/xcode-licence.toml"),
    include_str!("../catalogue/xcode.toml"),
    include_str!("../catalogue/xvfb.toml"),
    include_str!("../catalogue/yarn.toml"),
    include_str!("../catalogue/zip.toml"),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::machine::Arch;

    #[test]
    fn every_file_of_the_catalogue_is_in_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(files, FILES.len());
        assert_eq!(Catalogue::built_in().items.len(), files, "each with an id of its own");
    }

    #[test]
    fn every_item_has_a_check_a_way_for_both_systems_words_and_a_link() {
        let all = Catalogue::built_in();
        for item in &all.items {
            item.judge().unwrap();
            assert!(item.what_for.ends_with('.') && !item.title.is_empty(), "{}", item.id);
            assert!(!item.links.is_empty(), "{} has no link", item.id);
            for (os, managers) in [
                (Os::Linux, &[Manager::Apt][..]),
                (Os::Linux, &[Manager::Dnf]),
                (Os::Macos, &[Manager::Brew, Manager::Cask]),
            ] {
                for arch in [Arch::X86, Arch::Arm] {
                    let machine = Machine::with(os, arch, managers);
                    let ways = item.ways(&machine);
                    let ways = ways.unwrap_or_else(|| panic!("{}: nothing for {os:?}", item.id));
                    let by_itself = ways
                        .managers()
                        .any(|manager| machine.has(manager) || manager.brought_by().is_some());
                    assert!(
                        by_itself
                            || ways.ours.is_some()
                            || ways.human.is_some()
                            || item.is_spare(&machine),
                        "{}: no way with {managers:?}",
                        item.id
                    );
                }
            }
            for (name, ways) in item.all_ways() {
                // What nobody has to do, or can, is no step of anybody's.
                let mut asks = ways.human.iter().chain(&ways.then);
                let none = ["not needed", "this is for", "there is no"];
                let is_none =
                    |words: &String| none.iter().any(|none| words.to_lowercase().starts_with(none));
                assert!(!asks.any(is_none), "{}: {name}", item.id);
                let says = [&ways.not_needed, &ways.not_here].into_iter().flatten();
                assert!(says.clone().all(|why| !why.ends_with('.')), "{}: {name}", item.id);
                let is_alone = ways.managers().next().is_none() && ways.human.is_none();
                assert!(is_alone || says.count() == 0, "{}: {name}", item.id);
                // Where what installs it is too old there is another way.
                assert!(
                    ways.with_at_least.is_none() || ways.human.is_some(),
                    "{}: {name}",
                    item.id
                );
            }
            for needed in &item.needs {
                assert!(all.item(needed).is_some(), "{} needs {needed}", item.id);
            }
        }
    }

    #[test]
    fn every_preset_names_items_that_there_are_and_says_what_it_is_for() {
        let all = Catalogue::built_in();
        for preset in &all.presets {
            assert!(preset.what_for.ends_with('.') && preset.all().next().is_some(), "{preset:?}");
            all.judge(preset.clone()).unwrap();
        }
        assert_eq!(all.presets.len(), 11);
    }

    #[test]
    fn what_a_machine_has_no_need_of_is_in_no_preset_there() {
        let mac = Machine::with(Os::Macos, Arch::Arm, &[]);
        let debian = Machine::with(Os::Linux, Arch::X86, &[Manager::Apt]);
        let of = |machine: &Machine, id: &str| {
            let all = Catalogue::built_in().clone().needed_on(machine);
            all.presets.into_iter().find(|preset| preset.id == id).map(|preset| preset.items)
        };
        for (preset, item) in [("android", "kvm"), ("browsers", "xvfb"), ("browsers", "chromium")] {
            assert!(of(&debian, preset).unwrap().contains(&item.to_owned()), "{item}");
            assert!(!of(&mac, preset).unwrap().contains(&item.to_owned()), "{item}");
        }
        assert!(of(&mac, "browsers").unwrap().contains(&"chrome".to_owned()));
        assert!(!of(&debian, "browsers").unwrap().contains(&"chrome".to_owned()));
        assert_eq!(of(&debian, "ios"), None, "nothing of it is a matter of Linux");
        let on_debian = Catalogue::built_in().clone().needed_on(&debian);
        let refused = on_debian.named(&["ios".to_owned()], &[]).unwrap_err();
        assert_eq!(refused.to_string(), "Nothing of the preset ios is for this system.");
        let ios = of(&mac, "ios").unwrap();
        for id in ["command-line-tools", "xcode", "xcode-licence", "full-disk-access", "cocoapods"]
        {
            assert!(ios.contains(&id.to_owned()), "{id}");
            assert!(Catalogue::built_in().item(id).unwrap().is_spare(&debian), "{id}");
        }
        let all = Catalogue::built_in();
        let named = all.named(&[], &["ios".to_owned()]).unwrap();
        assert_eq!(all.named(&["ios".to_owned()], &[]).unwrap(), named, "no item is called so");
        assert_eq!(named.len(), ios.len(), "a list for a Mac can be written anywhere");
    }

    #[test]
    fn one_of_docker_and_podman_is_enough() {
        let all = Catalogue::built_in();
        let of = |id: &str| all.presets.iter().find(|preset| preset.id == id).unwrap();
        let (docker, podman) = (of("containers"), of("containers-podman"));
        assert!(!docker.items.contains(&"podman".to_owned()));
        assert_eq!(podman.items, ["podman"]);
        for preset in [docker, podman] {
            assert!(preset.what_for.contains("one of the two is enough"), "{preset:?}");
        }
    }

    #[test]
    fn a_release_that_has_it_otherwise_is_asked_for_what_it_has() {
        let all = Catalogue::built_in();
        let on = |suites: &[&str]| Machine {
            suites: suites.iter().map(ToString::to_string).collect(),
            ..Machine::with(Os::Linux, Arch::X86, &[Manager::Apt])
        };
        let apt =
            |id: &str, machine: &Machine| all.item(id).unwrap().ways(machine).unwrap().apt.clone();
        let bookworm = on(&["debian-12", "debian"]);
        assert_eq!(apt("docker", &bookworm), ["docker.io"]);
        let trixie = on(&["debian-13", "debian"]);
        assert_eq!(apt("docker", &trixie), ["docker.io", "docker-cli"]);
        assert!(apt("podman", &trixie).contains(&"passt".to_owned()));
        assert!(!apt("podman", &bookworm).contains(&"passt".to_owned()));
        let compose = all.item("docker-compose").unwrap();
        assert_eq!(compose.check_on(&bookworm).command[0], "docker-compose");
        let ubuntu = on(&["ubuntu-24.04", "ubuntu"]);
        assert_eq!(apt("docker-compose", &ubuntu), ["docker-compose-v2"]);
        for id in ["chromium", "chromedriver", "firefox"] {
            assert!(all.item(id).unwrap().ways(&ubuntu).unwrap().human.is_some(), "{id}");
        }
    }

    #[test]
    fn what_brings_a_package_manager_is_in_the_catalogue() {
        for manager in Manager::ALL {
            if let Some(id) = manager.brought_by() {
                assert!(Catalogue::built_in().item(id).is_some(), "{manager:?}");
            }
        }
    }

    #[test]
    fn the_owners_own_are_there_too_and_what_cannot_be_followed_is_told() {
        let items = [
            json!({ "id": "just", "check": { "command": ["just", "--version"] }, "linux": { "cargo": "just" } }),
            json!({ "id": "git", "title": "Our Git", "check": { "command": ["git", "--version"] } }),
            json!({ "id": "evil", "check": { "command": ["x"] }, "linux": { "apt": "x; rm -rf /" } }),
            json!({ "check": 3 }),
        ];
        let presets = [
            json!({ "id": "ours", "items": ["just", "git"] }),
            json!({ "id": "void", "items": ["moon"] }),
        ];
        let (all, refused) = Catalogue::with(&items, &presets);
        assert_eq!(all.item("just").unwrap().title, "just");
        assert_eq!(all.item("git").unwrap().title, "Our Git");
        assert!(all.is_own_item("git") && !all.is_own_item("jq") && all.is_own_preset("ours"));
        let told: Vec<String> = refused.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("item evil: linux.apt-get"), "{told:?}");
        assert!(told[1].contains("item without an id"), "{told:?}");
        assert!(told[2].contains("preset void: items: there is no item moon"), "{told:?}");
        let named = all.named(&["jq".into()], &["ours".into()]).unwrap();
        let named: Vec<&str> = named.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(named, ["git", "jq", "just"]);
        assert_eq!(all.named(&["moon".into()], &[]), Err(NotNamed::Unknown("moon".into())));
    }

    #[test]
    fn what_an_item_needs_comes_with_it() {
        let all = Catalogue::built_in();
        let debian = Machine::with(Os::Linux, Arch::X86, &[Manager::Apt]);
        let ids = |items: &[&str]| -> Vec<String> {
            let items: Vec<&Item> = items.iter().map(|id| all.item(id).unwrap()).collect();
            all.with_needs(&items, &debian).iter().map(|item| item.id.clone()).collect()
        };
        assert_eq!(ids(&["jq"]), ["jq"]);
        let of_yarn = ids(&["yarn"]);
        assert!(of_yarn.contains(&"npm".to_owned()) && of_yarn.contains(&"node".to_owned()));
    }
}
