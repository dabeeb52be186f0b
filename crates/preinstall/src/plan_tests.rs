//! Plans: what is in them, in which order, and what is never.

use super::*;
use crate::machine::{Arch, Os};

fn debian() -> Machine {
    Machine::with(Os::Linux, Arch::X86, &[Manager::Apt])
}

fn mac() -> Machine {
    Machine::with(Os::Macos, Arch::Arm, &[])
}

/// All are missing, but for what `there` says.
fn planned(machine: &Machine, asked: &[&str], there: &[(&str, ItemState)], upgrade: bool) -> Draft {
    let all = Catalogue::built_in();
    let asked: Vec<&Item> = asked.iter().map(|id| all.item(id).unwrap()).collect();
    let state = |id: &str| {
        there.iter().find(|(it, _)| *it == id).map_or(ItemState::Missing, |(_, state)| *state)
    };
    let checked: Vec<ItemChecked> = all
        .items
        .iter()
        .map(|item| checked_as(item, state(&item.id), (item.id == "rust").then_some("1.63.0")))
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
        &[("git", ItemState::Present), ("node", ItemState::Present), ("npm", ItemState::Present)],
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
    assert_eq!(draft.steps[1].size_mb, Some(14));
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
fn what_installs_it_and_is_too_old_or_not_there_yet_leaves_it_to_people() {
    for rust in [ItemState::Present, ItemState::Missing] {
        let there = [("rust", rust), ("gcc", ItemState::Present)];
        let draft = planned(&debian(), &["cargo-nextest"], &there, false);
        assert!(!draft.steps.iter().any(|step| step.by() == "cargo"), "{draft:?}");
        assert_eq!(draft.human[0].item, "cargo-nextest");
    }
    let own = serde_json::json!({
        "id": "just", "check": { "command": ["just"] },
        "linux": { "cargo": "just", "with_at_least": "1.63" },
    });
    let (all, _) = Catalogue::with(&[own], &[]);
    let just = all.item("just").unwrap();
    let mut checked = vec![checked_as(just, ItemState::Missing, None)];
    checked.push(checked_as(all.item("rust").unwrap(), ItemState::Present, Some("1.63.0")));
    let draft = plan(&all, &[just], &checked, &debian(), false);
    assert_eq!(calls(&draft), [("cargo".to_owned(), vec!["just".to_owned()])]);
    checked[1].version = Some("1.60.0".into());
    let draft = plan(&all, &[just], &checked, &debian(), false);
    assert_eq!(draft.left[0].why, "Rust 1.63 or newer has to be there first.");
}

fn checked_as(item: &Item, state: ItemState, version: Option<&str>) -> ItemChecked {
    ItemChecked {
        id: item.id.clone(),
        title: item.title.clone(),
        state,
        reading: "as told".into(),
        version: version.map(str::to_owned),
        found_at: None,
        wants: None,
    }
}

#[test]
fn a_jdk_on_a_mac_is_asked_of_the_system_and_comes_as_a_cask() {
    let jdk = Catalogue::built_in().item("jdk").unwrap();
    let check = jdk.check_on(&mac());
    assert_eq!(
        (check.command[0].as_str(), check.missing_exit),
        ("/usr/libexec/java_home", Some(1))
    );
    let there = [("homebrew", ItemState::Present)];
    let allowed = Machine { sudo: true, ..mac() };
    let draft = planned(&allowed, &["jdk"], &there, false);
    assert_eq!(calls(&draft), [("Homebrew (cask)".to_owned(), vec!["temurin".to_owned()])]);
    let step = &draft.steps[0];
    assert!(step.needs_admin() && !step.runs_as_admin(), "Homebrew itself is no admin: {step:?}");
}

#[test]
fn what_asks_for_a_password_by_itself_is_left_to_people_where_nobody_can_be_asked() {
    let there = [("homebrew", ItemState::Present)];
    let draft = planned(&mac(), &["jdk", "docker", "chrome"], &there, false);
    assert_eq!(calls(&draft), [("Homebrew (cask)".to_owned(), vec!["google-chrome".to_owned()])]);
    assert!(!draft.steps[0].needs_admin(), "{draft:?}");
    let human: Vec<(&str, &str)> =
        draft.human.iter().map(|step| (step.item.as_str(), step.words.as_str())).collect();
    let [("jdk", jdk), ("docker", docker)] = human[..] else { panic!("{human:?}") };
    assert!(jdk.contains("`brew install --cask temurin`"), "{jdk}");
    assert!(docker.contains("`brew install --cask docker-desktop`"), "{docker}");
    assert!(docker.contains("Open Docker once"), "{docker}");
}

#[test]
fn what_is_of_another_system_is_left_with_the_reason_and_is_no_step_of_anybodys() {
    let draft = planned(&debian(), &["xcode", "cocoapods", "jq"], &[], false);
    assert_eq!(draft.human, []);
    let left: Vec<&str> = draft.left.iter().map(|left| left.why.as_str()).collect();
    let mac_alone = "Not on this system: it is for macOS alone: run these jobs on a Mac.";
    assert_eq!(left, [mac_alone, mac_alone]);
    assert_eq!(draft.steps[1].names(), ["jq"]);
}

#[test]
fn a_package_that_several_items_name_has_its_size_once() {
    let size = |machine: &Machine, asked: &[&str]| {
        let there = [("homebrew", ItemState::Present), ("gcc", ItemState::Present)];
        let draft = planned(machine, asked, &there, false);
        draft.steps.iter().filter_map(|step| step.size_mb).sum::<u32>()
    };
    assert_eq!(size(&mac(), &["rust", "rustfmt", "clippy"]), size(&mac(), &["rust"]));
    let apart = size(&debian(), &["rust", "rustfmt", "clippy"]);
    assert!(apart > size(&debian(), &["rust"]), "packages of their own there: {apart}");
}

#[test]
fn without_homebrew_a_mac_says_what_comes_first() {
    let draft = planned(&mac(), &["jq", "xcode"], &[], false);
    assert_eq!(draft.steps, []);
    let human: Vec<&str> = draft.human.iter().map(|step| step.item.as_str()).collect();
    assert_eq!(human, ["homebrew", "xcode"]);
    assert_eq!(draft.left[0].why, "Homebrew has to be there first.");
    let draft =
        planned(&mac(), &["jq", "firefox", "podman"], &[("homebrew", ItemState::Present)], false);
    let by: Vec<&str> = draft.steps.iter().map(Step::by).collect();
    assert_eq!(by, ["Homebrew", "Homebrew (cask)"]);
    assert_eq!(draft.human.len(), 1, "Podman's machine has to be made: {draft:?}");
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
