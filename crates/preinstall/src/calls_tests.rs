//! Calls of every manager, and that no word of anybody becomes a shell's.

use proptest::prelude::*;

use super::*;
use crate::item::Item;
use crate::plan::StepItem;
use crate::probe::{first_there, value_of, where_is};

fn jobs(is_job_user: bool) -> Jobs {
    Jobs {
        runner: None,
        user: "ci".into(),
        is_job_user,
        home: "/home/ci".into(),
        environment: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
    }
}

fn step(manager: Manager, names: &[&str]) -> Step {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    Step {
        what: What::Packages { manager, upgrade: false },
        items: vec![StepItem { id: "x".into(), title: "X".into(), names, admin: false }],
        size_mb: None,
    }
}

fn words(command: &Command) -> Vec<String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

#[test]
fn apt_asks_nobody_upgrades_nothing_and_removes_nothing() {
    let calls = Call::of(&step(Manager::Apt, &["git", "jq"]), "/home/ci".as_ref());
    let [call] = &calls[..] else { panic!("{calls:?}") };
    for word in ["-y", "--no-upgrade", "--no-remove", "--no-install-recommends"] {
        assert!(call.argv.iter().any(|it| it == word), "{word}: {call:?}");
    }
    assert_eq!(call.argv[call.argv.len() - 3..], ["--", "git", "jq"]);
    let sudo = words(&call.command(Rights::Sudo, &jobs(false), &BTreeMap::new()));
    assert_eq!(sudo[1..4], ["-n", "--", "/usr/bin/env"]);
    assert!(sudo.contains(&"DEBIAN_FRONTEND=noninteractive".to_owned()), "{sudo:?}");
    let pkexec = words(&call.command(Rights::Pkexec, &jobs(false), &BTreeMap::new()));
    assert!(pkexec[0].ends_with("pkexec") && pkexec[1] == "/usr/bin/env", "{pkexec:?}");
    let root = call.command(Rights::Root, &jobs(false), &BTreeMap::new());
    assert!(words(&root)[0].ends_with("apt-get"), "{root:?}");
    assert!(root.get_envs().any(|(name, _)| name == "DEBIAN_FRONTEND"));
}

#[test]
fn what_is_a_users_own_is_installed_as_the_user_that_jobs_run_as() {
    let calls = Call::of(&step(Manager::Npm, &["yarn"]), "/home/ci".as_ref());
    let as_ci = words(&calls[0].command(Rights::Sudo, &jobs(true), &BTreeMap::new()));
    assert_eq!(as_ci[..6], ["sudo", "-n", "-H", "-u", "ci", "--"]);
    assert!(as_ci.contains(&"PATH=/usr/bin:/bin".to_owned()), "{as_ci:?}");
    assert!(as_ci.contains(&"/home/ci/.local".to_owned()), "{as_ci:?}");
    let brew = Call::of(&step(Manager::Brew, &["jq"]), "/home/ci".as_ref());
    let brew = brew[0].command(Rights::Sudo, &jobs(true), &BTreeMap::new());
    assert!(words(&brew)[0].ends_with("brew"), "Homebrew is the owner's: {brew:?}");
}

#[test]
fn managers_that_take_one_package_at_a_time_are_called_once_for_each() {
    for (manager, calls) in [(Manager::Pipx, 2), (Manager::Go, 2), (Manager::Cargo, 1)] {
        assert_eq!(Call::of(&step(manager, &["a", "b"]), "/h".as_ref()).len(), calls);
    }
}

/// Words and settings that are there only without an upgrade, and only with one. None: what the
/// manager installs is the newest either way.
#[test]
fn an_upgrade_is_asked_of_each_manager_in_its_own_words() {
    let of_brew: &[&str] =
        &["HOMEBREW_NO_INSTALL_UPGRADE=1", "HOMEBREW_NO_INSTALLED_DEPENDENTS_CHECK=1"];
    let table: [(Manager, &[&str], &[&str]); Manager::ALL.len()] = [
        (Manager::Apt, &["--no-upgrade"], &[]),
        (Manager::Dnf, &[], &["upgrade"]),
        (Manager::Brew, of_brew, &[]),
        (Manager::Cask, of_brew, &[]),
        (Manager::Npm, &[], &[]),
        (Manager::Pipx, &[], &["--force"]),
        (Manager::Pip, &[], &["--upgrade"]),
        (Manager::Cargo, &[], &[]),
        (Manager::Go, &[], &[]),
        (Manager::Gem, &["--conservative"], &[]),
    ];
    assert_eq!(table.map(|(manager, ..)| manager), Manager::ALL);
    for (manager, as_it_is, newer) in table {
        let words = |upgrade: bool| -> Vec<String> {
            let what = What::Packages { manager, upgrade };
            let calls = Call::of(&Step { what, ..step(manager, &["a"]) }, "/h".as_ref());
            let words = |call: Call| {
                let set =
                    call.environment.into_iter().map(|(name, value)| format!("{name}={value}"));
                set.chain(call.argv).collect::<Vec<_>>()
            };
            calls.into_iter().flat_map(words).collect()
        };
        let only = |of: &[String], other: &[String]| -> Vec<String> {
            of.iter().filter(|word| !other.contains(word)).cloned().collect()
        };
        let (without, with) = (words(false), words(true));
        assert_eq!(only(&without, &with), as_it_is, "{manager:?}");
        assert_eq!(only(&with, &without), newer, "{manager:?}");
        assert!([without, with].iter().all(|words| words.ends_with(&["a".to_owned()])));
    }
}

#[test]
fn an_admin_is_asked_once_for_lists_packages_and_each_alone() {
    let once = |names: &[&str]| Call::at_once(&step(Manager::Apt, names), true).unwrap();
    let call = once(&["git", "$(x)"]);
    assert_eq!(call.argv[..2], ["/bin/sh", "-c"]);
    assert_eq!(call.argv[3..], ["packages", "git", "$(x)"]);
    assert_eq!(call.argv[2], once(&["other"]).argv[2], "no name is in the text");
    assert!(call.argv[2].contains("update") && call.argv[2].contains("--no-remove"));
    let shown = call.shown(Rights::Pkexec, &jobs(false));
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].ends_with(" update") && lines[1].ends_with("-- git '$(x)'"), "{shown}");
    let words = words(&call.command(Rights::Pkexec, &jobs(false), &BTreeMap::new()));
    assert!(words[0].ends_with("pkexec") && words[1] == "/usr/bin/env", "{words:?}");
    assert_eq!(Call::at_once(&step(Manager::Npm, &["yarn"]), false), None);
}

#[test]
fn what_is_shown_may_be_pasted() {
    let argv = ["apt-get", "-o", "A=b", "it's", "", "a\nb"].map(str::to_owned);
    assert_eq!(quoted(&argv), "apt-get -o A=b 'it'\\''s' '' 'a\u{fffd}b'");
}

/// Words that mean something to a shell or to a package manager, among others.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9+.@/_-]{0,12}",
        "[a-z]{1,8}(@|==).{0,8}",
        "[a-z]{1,3}\\.[a-z]{2,3}/[a-z]{1,4}@.{0,8}",
        "[a-z][a-z0-9-]{0,6}[a-z0-9]((@|==)[0-9.]{1,4})?",
        "[a-z]{1,3}\\.[a-z]{2,3}/[a-z]{1,4}@[a-z0-9.]{1,6}",
        ".{0,12}",
        r"(\$\(|`|;|\||&&|--|-o|https?://|\.\./|@|=| ){0,3}[a-z]{0,4}(;|-|\^|/sid|=1|`|\)){0,2}",
    ]
}

/// Whatever the owner's settings or a list say: it is refused, or it reaches the manager as one
/// argument, after the words that we chose, and no shell reads it.
#[test]
fn a_name_is_one_argument_or_refused() {
    let accepted = std::cell::RefCell::new([0; Manager::ALL.len()]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let tried = runner.run(&(names(), 0..Manager::ALL.len()), |(name, at)| {
        let manager = Manager::ALL[at];
        let own = serde_json::json!({
            "id": "x", "check": { "command": ["x"] },
            "linux": { (field(manager)): [name.clone()] },
        });
        let item: Item = serde_json::from_value(own).unwrap();
        if item.judge().is_err() || name.is_empty() {
            return Ok(());
        }
        accepted.borrow_mut()[at] += 1;
        for call in Call::of(&step(manager, &[&name]), "/h".as_ref()) {
            let usual = Call::of(&step(manager, &["usual"]), "/h".as_ref()).remove(0);
            prop_assert_eq!(call.argv.len(), usual.argv.len());
            prop_assert_eq!(call.argv.last(), Some(&name));
            let before = usual.argv.len() - 1;
            prop_assert_eq!(&call.argv[..before], &usual.argv[..before]);
            for rights in [Rights::Root, Rights::Sudo, Rights::Pkexec] {
                let words = words(&call.command(rights, &jobs(true), &BTreeMap::new()));
                let of_a_shell =
                    |word: &String| ["sh", "bash", "-c", "-i"].contains(&word.as_str());
                // A package may be called as a shell is.
                prop_assert!(!words[..words.len() - 1].iter().any(of_a_shell));
                prop_assert_eq!(words.last(), Some(&name));
            }
            prop_assert!(!name.starts_with('-') && !name.contains(char::is_whitespace));
        }
        if let Some(once) = Call::at_once(&step(manager, &[&name]), true) {
            let usual = Call::at_once(&step(manager, &["usual"]), true).unwrap();
            prop_assert_eq!(&once.argv[..4], &usual.argv[..4]);
            prop_assert_eq!(&once.argv[4..], std::slice::from_ref(&name));
        }
        Ok(())
    });
    tried.unwrap();
    // Were all refused, nothing would have been shown.
    let accepted = accepted.into_inner();
    assert!(accepted.iter().all(|cases| *cases > 0), "accepted by manager: {accepted:?}");
}

/// Words that make a file `made` where a shell reads them, among others.
fn words_of_checks() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}",
        ".{0,12}",
        r#"[a-z./~-]{0,3}(\$\(|`|;|\||&&|'|"|\n|>){1,2} ?(touch )?made(\)|`|'|"|;| ){0,2}"#,
    ]
}

/// A check of each kind, whatever stands in it: refused, or what is run has its words as arguments,
/// after ours, and no shell reads them. A range and a pattern are no words of it at all.
#[test]
fn a_check_is_refused_or_its_words_are_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let accepted = std::cell::RefCell::new([0; 4]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let versions = prop_oneof!["[0-9]{1,3}(\\.[0-9]{1,3}){0,2}", ".{0,8}"];
    let all = (0..4_usize, words_of_checks(), versions);
    let tried = runner.run(&all, |(kind, word, version)| {
        let file = format!("/{word}");
        let check = match kind {
            0 => serde_json::json!({
                "command": ["x", word], "version": "{version}", "at_least": version,
            }),
            1 => serde_json::json!({ "command": [word], "only_there": true }),
            2 => serde_json::json!({ "paths": [file, format!("~/{word}")] }),
            _ => serde_json::json!({ "plist": { "file": file, "key": word } }),
        };
        let own = serde_json::json!({ "id": "x", "check": check });
        let item: Item = serde_json::from_value(own).unwrap();
        if item.judge().is_err() {
            return Ok(());
        }
        accepted.borrow_mut()[kind] += 1;
        let home = |path: &String| jobs(true).below_home(path).display().to_string();
        let argv = match (kind, &item.check.plist) {
            (0, _) => item.check.command.clone(),
            (1, _) => where_is(&word),
            (_, None) => first_there(item.check.paths.iter().map(home)),
            (_, Some(plist)) => value_of(plist),
        };
        let ours: Vec<&str> = match kind {
            0 => vec!["x", &word],
            1 => vec!["/bin/sh", "-c", "command -v -- \"$0\"", &word],
            2 => {
                prop_assert_eq!(&argv[4..], [home(&file), home(&format!("~/{word}"))]);
                let text = first_there(std::iter::empty()).swap_remove(2);
                prop_assert_eq!(&argv[2], &text);
                vec!["/bin/sh", "-c", &argv[2], "sh", &argv[4], &argv[5]]
            }
            _ => vec!["/usr/bin/plutil", "-extract", &word, "raw", "-o", "-", &file],
        };
        prop_assert_eq!(&argv, &ours);
        for is_job_user in [false, true] {
            let words = words(&jobs(is_job_user).command(&argv, &[]));
            prop_assert!(words.ends_with(&argv[1..]), "{words:?}");
            let before = &words[..words.len() - (argv.len() - 1)];
            prop_assert!(!before.iter().any(|it| it == "-c" || it == "-i"), "{words:?}");
        }
        if argv[0] == "/bin/sh" {
            let mut shell = Command::new("/bin/sh");
            let ended = shell.args(&argv[1..]).current_dir(&folder).output();
            prop_assert!(ended.is_ok(), "{ended:?}");
            prop_assert!(!folder.path().join("made").exists(), "a shell read {word:?}");
        }
        Ok(())
    });
    tried.unwrap();
    let accepted = accepted.into_inner();
    assert!(accepted.iter().all(|cases| *cases > 0), "accepted of each kind: {accepted:?}");
}

fn field(manager: Manager) -> &'static str {
    match manager {
        Manager::Apt => "apt",
        Manager::Dnf => "dnf",
        Manager::Brew => "brew",
        Manager::Cask => "cask",
        Manager::Npm => "npm",
        Manager::Pipx => "pipx",
        Manager::Pip => "pip",
        Manager::Cargo => "cargo",
        Manager::Go => "go",
        Manager::Gem => "gem",
    }
}
