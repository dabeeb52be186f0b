//! Caches of package managers and of Xcode: made by the real program where there is one, cleaned, and
//! used again; real files in the right places where there is none.

use std::fs;
use std::path::Path;
use std::process::Command;

use cleanup::preset::{Choice, Detail, Limits, Platform};
use skipped::skipped;

use crate::scene::{Scene, fill, named};

fn capped(preset: &str, bytes: u64) -> Choice {
    let limits = Limits { at_most_bytes: Some(bytes), ..Limits::default() };
    Choice { limits, ..Choice::built_in(preset) }
}

/// Runs a program in the scene's home. None: it said that there is no network or no such program.
fn real(scene: &Scene, program: &str, words: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(words).env("HOME", scene.home()).current_dir(scene.home());
    command.env("XDG_CACHE_HOME", scene.home().join(".cache"));
    let outside = ["CARGO_HOME", "CARGO_TARGET_DIR", "npm_config_cache", "PIP_CACHE_DIR"];
    for name in outside.iter().chain(&["PIP_FIND_LINKS", "PIP_NO_CACHE_DIR"]) {
        command.env_remove(name);
    }
    // Toolchains are not in the scene's home.
    if let Some(home) = std::env::home_dir().filter(|_| std::env::var_os("RUSTUP_HOME").is_none()) {
        command.env("RUSTUP_HOME", home.join(".rustup"));
    }
    // A registry may fail once.
    let tries = std::iter::repeat_with(|| command.output()).take(3);
    let mut tries = tries.skip_while(|it| it.as_ref().is_ok_and(|it| !it.status.success()));
    let ended = tries.next();
    match ended.unwrap_or_else(|| command.output()) {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            skipped(&format!("{program} {words:?} fails here: {last}"));
            None
        }
        Err(error) => {
            skipped(&format!("{program} cannot be started: {error}"));
            None
        }
    }
}

#[test]
fn npm_loads_again_what_was_taken_from_its_cache() {
    let scene = Scene::new();
    // The configuration of this machine, without which there may be no registry.
    if let Some(home) = std::env::var_os("HOME") {
        let _ = fs::copy(Path::new(&home).join(".npmrc"), scene.home().join(".npmrc"));
    }
    fill(&scene.home().join("package.json"), 0);
    fs::remove_file(scene.home().join("package.json")).unwrap();
    let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "is-number@7.0.0"];
    if real(&scene, "npm", &install).is_none() {
        return;
    }
    let cache = scene.home().join(".npm/_cacache");
    assert!(cache.is_dir());
    assert_eq!(named(&scene.group(Choice::built_in("npm-cache"))), [""; 0], "it was used today");
    let (group, done) = scene.clean(capped("npm-cache", 1));
    assert!(named(&group).contains(&"_cacache".to_owned()), "{group:?}");
    assert_eq!(done.freed(), group.bytes.unwrap());
    assert!(!cache.exists() && scene.home().join("node_modules/is-number").exists());
    fs::remove_dir_all(scene.home().join("node_modules")).unwrap();
    assert!(real(&scene, "npm", &install).is_some());
    assert!(real(&scene, "npm", &["cache", "verify"]).is_some());
    assert!(cache.is_dir() && scene.home().join("node_modules/is-number").exists());
}

/// A wheel that pip builds is in its cache whatever a registry says of keeping what it sends.
#[test]
fn pip_makes_again_what_was_taken_from_its_cache() {
    let scene = Scene::new();
    let wheel = |to: &str| {
        let words = ["-m", "pip", "wheel", "--no-deps", "--no-binary=six", "-w", to, "six==1.16.0"];
        real(&scene, "python3", &words)
    };
    if wheel("one").is_none() {
        return;
    }
    let again = wheel("two").unwrap();
    assert!(again.contains("Using cached"), "{again}");
    let cache = scene.home().join(".cache/pip");
    assert!(cache.join("wheels").is_dir());
    let (group, done) = scene.clean(capped("pip-cache", 1));
    assert!(named(&group).contains(&"wheels".to_owned()), "{group:?}");
    assert_eq!(done.freed(), group.bytes.unwrap());
    let anew = wheel("three").unwrap();
    assert!(!anew.contains("Using cached six-1.16.0-py2"), "{anew}");
    assert!(scene.home().join("three/six-1.16.0-py2.py3-none-any.whl").exists());
    assert!(cache.join("wheels").is_dir(), "and it is in the cache again");
}

#[test]
fn cargo_loads_again_what_was_taken_from_its_cache_and_its_lock_is_heeded() {
    let mut scene = Scene::new();
    let project = scene.home().join("project");
    fill(&project.join("src/lib.rs"), 0);
    let manifest = "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nitoa = \"=1.0.11\"\n";
    let mut file = fs::File::create(project.join("Cargo.toml")).unwrap();
    std::io::Write::write_all(&mut file, manifest.as_bytes()).unwrap();
    if let Some(home) = std::env::var_os("CARGO_HOME").or_else(|| std::env::var_os("HOME")) {
        let home = Path::new(&home);
        fs::create_dir_all(scene.home().join(".cargo")).unwrap();
        for config in [home.join("config.toml"), home.join(".cargo/config.toml")] {
            let _ = fs::copy(config, scene.home().join(".cargo/config.toml"));
        }
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let fetch =
        |scene: &Scene| real(scene, &cargo, &["fetch", "--manifest-path", "project/Cargo.toml"]);
    if fetch(&scene).is_none() {
        return;
    }
    let cargo_cache = || capped("cargo-cache", 1);
    let lock = fs::File::open(scene.home().join(".cargo/.package-cache")).unwrap();
    lock.lock().unwrap();
    assert_eq!(named(&scene.group(cargo_cache())), [""; 0], "a cargo is at work");
    drop(lock);
    scene.around.idle = false;
    assert_eq!(
        scene.group(cargo_cache()).notes,
        ["it is done only while no task runs on this machine"]
    );
    scene.around.idle = true;
    let (group, done) = scene.clean(cargo_cache());
    assert_eq!(named(&group), ["itoa-1.0.11", "itoa-1.0.11.crate"]);
    assert_eq!(done.freed(), group.bytes.unwrap());
    assert!(fetch(&scene).is_some());
    assert_eq!(named(&scene.group(cargo_cache())), ["itoa-1.0.11", "itoa-1.0.11.crate"]);
}

/// The layouts as their makers document them.
#[test]
fn caches_without_a_program_here_go_by_use_and_size_where_they_lie() {
    let mut scene = Scene::new();
    scene.around.platform = Platform::Macos;
    let xcode = "Library/Developer/Xcode";
    let cases: [(&str, &[&str], &[&str]); 6] = [
        (
            "xcode-derived-data",
            &["DerivedData/App-abc/Build/a", "DerivedData/Other-def/Index/b"],
            &["App-abc", "Other-def"],
        ),
        ("xcode-archives", &["Archives/2026-01-02/App 1.xcarchive/dSYMs/a"], &["App 1.xcarchive"]),
        (
            "xcode-device-support",
            &["iOS DeviceSupport/17.0 (21A329)/Symbols/a", "watchOS DeviceSupport/10.0/b"],
            &["10.0", "17.0 (21A329)"],
        ),
        (
            "homebrew-cache",
            &["../../Caches/Homebrew/downloads/ab--tree--2.1.bottle.tar.gz"],
            &["ab--tree--2.1.bottle.tar.gz"],
        ),
        (
            "gradle-cache",
            &[
                "../../../.gradle/caches/8.5/a",
                "../../../.gradle/wrapper/dists/gradle-8.5-bin/b",
                "../../../.gradle/daemon/8.5/daemon-1.out.log",
            ],
            &["8.5", "8.5", "gradle-8.5-bin"],
        ),
        (
            "cocoapods-cache",
            &["../../Caches/CocoaPods/Pods/Release/Alamofire/5.8/a"],
            &["Alamofire"],
        ),
    ];
    for (_, files, _) in &cases {
        for file in *files {
            // Folders that are left on the way are made first.
            let path = scene.home().join(xcode).join(file);
            let plain: Vec<_> = path.components().fold(Vec::new(), |mut parts, part| {
                if part == std::path::Component::ParentDir {
                    parts.pop();
                } else {
                    parts.push(part);
                }
                parts
            });
            fill(&plain.into_iter().collect::<std::path::PathBuf>(), 10_000);
        }
    }
    fill(&scene.home().join(xcode).join("UserData/canary"), 1);
    fill(&scene.home().join(".gradle/gradle.properties"), 1);
    for (preset, _, expected) in cases {
        assert_eq!(named(&scene.group(Choice::built_in(preset))), [""; 0], "{preset}: used today");
        scene.in_days(100);
        let (group, done) = scene.clean(Choice::built_in(preset));
        assert_eq!(named(&group), expected, "{preset}");
        assert!(group.bytes.unwrap() >= 10_000);
        assert_eq!(done.freed(), group.bytes.unwrap(), "{preset}");
        assert_eq!(named(&scene.group(Choice::built_in(preset))), [""; 0]);
        scene.in_days(0);
    }
    assert!(scene.home().join(xcode).join("UserData/canary").exists());
    assert!(scene.home().join(".gradle/gradle.properties").exists());
}

#[test]
fn a_preset_of_another_system_says_so() {
    let mut scene = Scene::new();
    scene.around.platform = Platform::Linux;
    fill(&scene.home().join("Library/Developer/Xcode/DerivedData/a/b"), 1);
    scene.in_days(100);
    let group = scene.group(Choice::built_in("xcode-derived-data"));
    assert!(group.plan.is_none());
    assert_eq!(group.notes, ["it is for macOS only"]);
}

#[test]
fn an_unknown_preset_and_a_limit_that_one_cannot_heed_stop_no_other() {
    let scene = Scene::new();
    fill(&scene.runner().kept.join("a/file"), 1);
    let limit = Limits { keep_last: Some(1), ..Limits::default() };
    let choices = [
        Choice::built_in("no-such"),
        Choice { limits: limit, ..Choice::built_in("docker-images") },
        Choice { limits: Limits { keep_last: Some(0), ..limit }, ..Choice::built_in("kept") },
    ];
    let draft = scene.draft(&choices, Detail::Quick);
    assert!(draft.groups[0].notes[0].contains("there is no such preset. Known are: fresh, kept"));
    let expected = "clean-up preset docker-images: limits.keep_last: it takes only unused_days";
    assert_eq!(draft.groups[1].notes, [expected]);
    assert_eq!(named(&draft.groups[2]), ["a"]);
}
