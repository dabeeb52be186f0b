//! Installing with stand-ins that print what apt, Homebrew and dnf print (`outputs/`): what is made of it.

use std::sync::{Arc, Mutex};

use protocol::{ItemState, PreinstallEnd, PreinstallOutcome};
use tokio::sync::{Notify, watch};

use crate::stand_ins::{Place, Replay, ends, linux, mac, recorded};
use crate::{Catalogue, Format, Item, Manager, Progress, Record, Told, check, import};

const BREW_IS_THERE: Replay =
    Replay { words: "--version", says: "brew-version.txt", code: 0, brings: &[], once: false };

/// What is installed by both at once.
const BOTH: &[&str] = &["hallo", "figlette"];

fn failed(outcomes: &[PreinstallOutcome]) -> &PreinstallOutcome {
    let failed: Vec<_> = outcomes.iter().filter(|it| it.outcome == PreinstallEnd::Failed).collect();
    let [one] = &failed[..] else { panic!("{failed:?}") };
    one
}

#[tokio::test]
async fn what_homebrew_and_dnf_say_of_what_they_installed_is_kept() {
    for (program, manager, words, says) in [
        ("brew", Manager::Brew, "install --formula hallo figlette", "brew-installs.txt"),
        (
            "dnf",
            Manager::Dnf,
            "install -y --setopt=install_weak_deps=False hallo figlette",
            "dnf-installs.txt",
        ),
    ] {
        let place = Place::new();
        place.replays(
            program,
            &[BREW_IS_THERE, Replay { words, says, brings: BOTH, ..Replay::default() }],
        );
        let machine = if manager == Manager::Brew { mac() } else { linux(manager) };
        let all = Place::catalogue(BOTH, program);
        let carried = place.install(&all, BOTH, &machine).await;
        assert!(ends(&carried.done).iter().all(|(_, end)| *end == PreinstallEnd::Installed));
        let last = carried.progress.last().unwrap().last_line.clone().unwrap();
        let wanted = std::fs::read_to_string(recorded(says)).unwrap();
        assert_eq!(Some(last.as_str()), wanted.trim_end().lines().last(), "{program}");
    }
}

#[tokio::test]
async fn a_package_that_they_do_not_know_fails_alone_with_their_words() {
    let of_dnf = "install -y --setopt=install_weak_deps=False";
    for (program, manager, before, says, words) in [
        (
            "brew",
            Manager::Brew,
            "install --formula",
            "brew-knows-none.txt",
            "Error: No formulae found for moon.",
        ),
        ("dnf", Manager::Dnf, of_dnf, "dnf-knows-none.txt", "Error: Unable to find a match: moon"),
    ] {
        let place = Place::new();
        let leaked = |words: String| -> &'static str { words.leak() };
        let none = |names: &str| Replay {
            words: leaked(format!("{before} {names}")),
            says,
            code: 1,
            ..Replay::default()
        };
        let hallo = Replay {
            words: leaked(format!("{before} hallo")),
            brings: &["hallo"],
            ..Replay::default()
        };
        place.replays(program, &[BREW_IS_THERE, none("hallo moon"), none("moon"), hallo]);
        let machine = if manager == Manager::Brew { mac() } else { linux(manager) };
        let all = Place::catalogue(&["hallo", "moon"], program);
        let carried = place.install(&all, &["hallo", "moon"], &machine).await;
        let moon = failed(&carried.done.outcomes);
        assert_eq!(moon.item.id, "moon");
        assert!(moon.said.as_deref().unwrap().ends_with(words), "{moon:?}");
    }
}

#[tokio::test]
async fn what_they_say_is_there_and_jobs_do_not_find_is_no_success() {
    let of_dnf = "install -y --setopt=install_weak_deps=False hallo";
    for (program, manager, words, says) in [
        ("brew", Manager::Brew, "install --formula hallo", "brew-has-it.txt"),
        ("dnf", Manager::Dnf, of_dnf, "dnf-has-it.txt"),
    ] {
        let place = Place::new();
        place.replays(program, &[BREW_IS_THERE, Replay { words, says, ..Replay::default() }]);
        let machine = if manager == Manager::Brew { mac() } else { linux(manager) };
        let all = Place::catalogue(&["hallo"], program);
        let carried = place.install(&all, &["hallo"], &machine).await;
        let hallo = failed(&carried.done.outcomes);
        assert_eq!(hallo.item.reading, "hallo is in no folder of the PATH of jobs");
        // The tool did not fail, and what it said is told all the same.
        assert!(hallo.said.as_deref().unwrap().contains("is already installed"), "{hallo:?}");
    }
}

#[tokio::test]
async fn a_cask_that_needs_a_password_is_refused_and_shows_why() {
    let place = Place::new();
    let cask = Replay {
        words: "install --cask hallo",
        says: "brew-cask-needs-sudo.txt",
        code: 1,
        ..Replay::default()
    };
    place.replays("brew", &[BREW_IS_THERE, cask]);
    let all = Place::catalogue(&["hallo"], "cask");
    let carried = place.install(&all, &["hallo"], &mac()).await;
    let hallo = failed(&carried.done.outcomes);
    assert!(hallo.said.as_deref().unwrap().contains("sudo: a password is required"), "{hallo:?}");
    assert_eq!(hallo.command.as_deref(), Some("brew install --cask hallo"));
}

#[tokio::test]
async fn homebrew_that_gives_up_for_another_process_is_waited_for_and_called_again() {
    for says in ["brew-is-locked.txt", "brew-is-active.txt"] {
        let place = Place::new();
        let words = "install --formula hallo";
        let locked = Replay { words, says, code: 1, once: true, ..Replay::default() };
        let done = Replay { words, brings: &["hallo"], ..Replay::default() };
        place.replays("brew", &[BREW_IS_THERE, locked, done]);
        let all = Place::catalogue(&["hallo"], "brew");
        let carried = place.install(&all, &["hallo"], &mac()).await;
        assert_eq!(ends(&carried.done), [("hallo".into(), PreinstallEnd::Installed)], "{says}");
        let installs = place.calls("brew").into_iter().filter(|it| it.starts_with("install"));
        assert_eq!(installs.count(), 2);
        let waits: Vec<String> = carried.progress.into_iter().filter_map(|now| now.waits).collect();
        assert_eq!(waits, ["Homebrew is used by another process of it"]);
    }
}

#[tokio::test]
async fn a_wait_for_another_homebrew_can_be_cancelled() {
    let place = Place::new();
    let words = "install --formula hallo";
    let locked = Replay { words, says: "brew-is-locked.txt", code: 1, ..Replay::default() };
    place.replays("brew", &[BREW_IS_THERE, locked]);
    let all = Place::catalogue(&["hallo"], "brew");
    let draft = place.draft(&all, &["hallo"], &mac()).await;
    let installation = place.installation(Place::record(&all, draft), &mac());
    let (cancel, told) = watch::channel(false);
    let mut advanced = |now: Progress| {
        if now.waits.is_some() {
            cancel.send_replace(true);
        }
    };
    let mut save = |_: &Record| Ok(());
    let told = (told, Told { progress: &mut advanced, save: &mut save });
    let done = installation.carry_out(told.0, told.1).await;
    assert_eq!(done.cut_short.as_deref(), Some("It was cancelled."));
}

#[tokio::test]
async fn one_that_waits_for_another_process_by_itself_is_told_with_who_that_is() {
    for (program, manager, says, wanted) in [
        ("apt-get", Manager::Apt, "apt-waits.txt", "apt is used by python3 (process 4711)"),
        ("dnf", Manager::Dnf, "dnf-waits.txt", "dnf is used by process 4711"),
    ] {
        let place = Place::new();
        let (go, bin) = (place.path("state").join("go"), place.path("bin").display().to_string());
        // The line's end comes with the next one: apt writes over it at a terminal.
        place.program(
            program,
            &format!(
                "case \"$*\" in *update) exit 0;; esac\n\
                 printf %s \"$(cat '{}')\"; while [ ! -e {} ]; do sleep 0.05; done; echo; echo done\n\
                 printf '#!/bin/sh\\necho hallo 1.2.3\\n' > {bin}/hallo; chmod +x {bin}/hallo",
                recorded(says),
                go.display(),
            ),
        );
        let field = if manager == Manager::Apt { "apt" } else { "dnf" };
        let all = Place::catalogue(&["hallo"], field);
        let machine = linux(manager);
        let draft = place.draft(&all, &["hallo"], &machine).await;
        let installation = place.installation(Place::record(&all, draft), &machine);
        let (_cancel, told) = watch::channel(false);
        let (waits, saw) = (Arc::new(Mutex::new(None)), Notify::new());
        let into = Arc::clone(&waits);
        let mut advanced = |now: Progress| {
            if now.waits.is_some() {
                *into.lock().unwrap() = now.waits;
                saw.notify_one();
            }
        };
        let mut save = |_: &Record| Ok(());
        let told = (told, Told { progress: &mut advanced, save: &mut save });
        let (done, ()) = tokio::join!(installation.carry_out(told.0, told.1), async {
            saw.notified().await;
            std::fs::File::create(&go).unwrap();
        });
        assert_eq!(waits.lock().unwrap().as_deref(), Some(wanted));
        assert_eq!(ends(&done), [("hallo".into(), PreinstallEnd::Installed)]);
    }
}

#[tokio::test]
async fn homebrew_is_asked_whether_it_has_what_came_from_a_list() {
    let place = Place::new();
    let list = |words, says, code| Replay { words, says, code, ..Replay::default() };
    place.replays(
        "brew",
        &[
            list("list --versions --formula ripgrep", "brew-lists.txt", 0),
            list("list --versions --formula fd", "", 1),
            list("list --versions --cask figma", "brew-lists-no-cask.txt", 1),
        ],
    );
    let text = "brew \"ripgrep\"\nbrew \"fd\"\ncask \"figma\"\n";
    let found = import(Catalogue::built_in(), Format::Brewfile, text);
    let items: Vec<&Item> = found.new.iter().collect();
    let seen = check(&items, &mac(), &place.jobs(), |_| ()).await;
    let states: Vec<ItemState> = seen.iter().map(|item| item.state).collect();
    assert_eq!(states, [ItemState::Present, ItemState::Missing, ItemState::Missing], "{seen:?}");
}
