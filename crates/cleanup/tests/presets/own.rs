//! The owner's own presets, as `settings.toml` has them.

use cleanup::preset::{Choice, Platform, Preset, Risk, When, own};

use crate::scene::{Scene, fill, named};

const GOOD: &str = r#"
[[cleanup.preset]]
id = "ccache"
title = "Compiler cache"
risk = "low"
when = "before_task"
platforms = ["linux", "macos"]
limits = { unused_days = 10, at_most_bytes = 5_000_000_000 }
what = { folders = [{ root = "~/.ccache/*", names = ["*.o", "*.d"], entries = "files" }] }

[[cleanup.preset]]
id = "bazel"
what = { command = { script = "bazel clean", time_limit_seconds = 60 } }
"#;

fn read(settings: &str) -> (Vec<Preset>, Vec<String>) {
    let settings: toml::Table = settings.parse().unwrap();
    let tables: Vec<toml::Table> = settings["cleanup"]["preset"].clone().try_into().unwrap();
    let (good, bad) = own(&tables);
    (good, bad.iter().map(ToString::to_string).collect())
}

#[test]
fn what_is_not_said_is_careful() {
    let (good, bad) = read(GOOD);
    assert_eq!(bad, [""; 0]);
    let bazel = &good[1];
    assert_eq!((bazel.risk, bazel.when, bazel.default), (Risk::Medium, When::IdleOnly, false));
    assert_eq!(bazel.platforms, [Platform::Linux, Platform::Macos]);
    assert_eq!(bazel.title, "bazel");
    let json = serde_json::to_string(&Choice::own(good[0].clone())).unwrap();
    assert_eq!(serde_json::from_str::<Choice>(&json).unwrap(), Choice::own(good[0].clone()));
}

#[test]
fn folders_of_the_owners_are_cleaned_as_the_built_in_ones_are() {
    let mut scene = Scene::new();
    for file in ["0/a.o", "0/a.txt", "1/b.d", "1/deep.o/c"] {
        fill(&scene.home().join(".ccache").join(file), 10);
    }
    std::os::unix::fs::symlink("/", scene.home().join(".ccache/link")).unwrap();
    let choice = Choice::own(read(GOOD).0.remove(0));
    assert_eq!(named(&scene.group(choice.clone())), [""; 0]);
    scene.in_days(11);
    let (group, _) = scene.clean(choice);
    assert_eq!(named(&group), ["a.o", "b.d"]);
    assert!(scene.home().join(".ccache/0/a.txt").exists());
    assert!(scene.home().join(".ccache/1/deep.o/c").exists());
}

#[test]
fn a_bad_one_is_told_by_its_name_the_field_and_what_is_allowed() {
    let folder = |root: &str, rest: &str| {
        format!("id = \"x\"\nwhat = {{ folders = [{{ root = \"{root}\"{rest} }}] }}")
    };
    let cases = [
        ("title = \"a\"".into(), "(without an id): what: it must say what it does"),
        ("id = \"A b\"\nwhat = \"kept\"".into(), "A b: id: 1 to 64 lower-case letters, digits and -"),
        ("id = \"kept\"\nwhat = \"kept\"".into(), "kept: id: another preset has it already"),
        ("id = \"x\"\nwhat = \"kept\"".into(), "x: what: folders or command. The others are built in"),
        (folder("/", ""), "what.folders.root: /: it is the top of the whole file system"),
        (folder("~", ""), "what.folders.root: ~: it is or contains a home. Name a folder inside it"),
        (folder("/home/", ""), "it is or contains a home"),
        (folder("~/../x", ""), "a path without .."),
        (folder("~/*", ""), "a * only below a folder that is named"),
        (folder("relative", ""), "an absolute path, or one that begins with ~/ or {temp}"),
        (folder("{temp}x", ""), "an absolute path, or one that begins with ~/ or {temp}"),
        (folder("~/a", ", names = [\"a/b\"]"), "what.folders.names: names of entries of the folder, without /"),
        (folder("~/a", ", names = []"), "what.folders.names: at least one pattern"),
        (folder("~/a", ", entries = \"devices\""), "x: what: unknown variant `devices`, expected one of"),
        (folder("~/a", ", nmaes = []"), "unknown field `nmaes`, expected one of"),
        (folder("~/a", "") + "\nrisk = \"none\"", "x: risk: unknown variant `none`"),
        (folder("~/a", "") + "\nrisk = \"none\"", "Allowed is: \"low\", \"medium\" or \"high\""),
        (folder("~/a", "") + "\nplatforms = []", "x: platforms: at least one of"),
        (folder("~/a", "") + "\nwhy = 3", "x: why: invalid type: integer `3`, expected a string. Allowed is: a text"),
        (folder("~/a", "") + "\nlimits = { days = 3 }", "x: limits: unknown field `days`"),
        (folder("~/a", "") + "\nlimits = { unused_days = -3 }", "x: limits: invalid value"),
        (folder("~/a", "") + "\ncolour = 1", "x: colour: there is no such field. Allowed are: id, title"),
        ("id = \"x\"\nwhat = { command = { script = \" \", time_limit_seconds = 1 } }".into(),
            "x: what.command.script: commands for /bin/sh"),
        ("id = \"x\"\nwhat = { command = { script = \"a\", time_limit_seconds = 0 } }".into(),
            "x: what.command.time_limit_seconds: 1 to 86400 seconds"),
        ("id = \"x\"\nlimits = { keep_last = 1 }\nwhat = { command = { script = \"a\", time_limit_seconds = 9 } }".into(),
            "x: limits.keep_last: it takes no limits"),
    ];
    for (table, expected) in cases {
        let table: String = table;
        let (good, bad) = read(&format!("[[cleanup.preset]]\n{table}\n{GOOD}"));
        assert_eq!(good.len(), 2, "a bad one costs no other: {table}");
        assert_eq!(bad.len(), 1, "{table}");
        assert!(bad[0].starts_with("clean-up preset "), "{}", bad[0]);
        assert!(bad[0].contains(expected), "{table}\n{}\n{expected}", bad[0]);
    }
    let (good, bad) = read(&format!(
        "{GOOD}{}",
        GOOD.split("[[cleanup.preset]]\nid = \"bazel\"").next().unwrap()
    ));
    assert_eq!((good.len(), bad.len()), (2, 1), "the first of two with one name counts");
}

/// What came another way than through the settings, and what its path has come to mean.
#[test]
fn a_root_that_is_too_much_is_refused_when_it_is_drafted_too() {
    let scene = Scene::new();
    let mut preset = read(GOOD).0.remove(0);
    let cleanup::preset::What::Folders(folders) = &mut preset.what else {
        panic!("it has folders")
    };
    folders[0].root = "/etc/../".into();
    let group = scene.group(Choice::own(preset.clone()));
    assert!(group.plan.is_none() && group.notes[0].contains("a path without .."), "{group:?}");
    let cleanup::preset::What::Folders(folders) = &mut preset.what else {
        panic!("it has folders")
    };
    folders[0].root = "~/link".into();
    std::os::unix::fs::symlink("/", scene.home().join("link")).unwrap();
    let group = scene.group(Choice::own(preset));
    assert!(group.plan.is_none() && group.notes[0].contains("the top of the whole"), "{group:?}");
}
