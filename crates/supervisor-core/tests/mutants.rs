//! Seeded bugs, each of which the tests must catch: see `mutants.toml`. A copy of this crate is built
//! for each, in a folder of its own that later runs find as they left it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use toml::{Table, Value};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
/// How many histories a test lives through at most: the same as in the normal run.
const HISTORIES: &str = "2500";
const HISTORIES_WITHOUT_A_MUTANT: &str = "200";

#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
struct Mutant {
    name: String,
    test: String,
    caught_by: String,
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
struct Edit {
    file: PathBuf,
    find: String,
    replace: String,
}

/// What became of a test program.
enum Verdict {
    Passed,
    Failed(String),
}

#[test]
fn heavy_every_mutant_is_caught() {
    let text = fs::read_to_string(Path::new(CRATE).join("tests/mutants.toml")).unwrap();
    let mutants: Mutants = toml::from_str(&text).unwrap();
    let next = AtomicUsize::new(0);
    let escaped = Mutex::new(Vec::new());
    let catch = || {
        while let Some(mutant) = mutants.mutant.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(how) = is_caught(mutant) {
                escaped.lock().unwrap().push(format!("{}: {how}", mutant.name));
            }
        }
    };
    // While one is built, another is run.
    std::thread::scope(|scope| {
        scope.spawn(catch);
        scope.spawn(catch);
    });
    let escaped = escaped.into_inner().unwrap();
    assert!(escaped.is_empty(), "{} escaped:\n{}", escaped.len(), escaped.join("\n"));
}

#[test]
fn heavy_the_copy_without_a_mutant_passes() {
    let copy = copy("no-mutant", &BTreeMap::new());
    for test in ["promises", "histories"] {
        let program = build(&copy, test).unwrap();
        if let Verdict::Failed(how) = run(&program, None) {
            panic!("{test} fails without any mutant:\n{how}");
        }
    }
}

fn is_caught(mutant: &Mutant) -> Result<(), String> {
    let mut changed: BTreeMap<&Path, String> = BTreeMap::new();
    for Edit { file, find, replace } in &mutant.edits {
        let original = || fs::read_to_string(Path::new(CRATE).join(file)).unwrap();
        let text = changed.entry(file).or_insert_with(original);
        let stands = text.matches(find.as_str()).count();
        if stands != 1 {
            return Err(format!("{} has {stands} times, not once: {find}", file.display()));
        }
        *text = text.replace(find, replace);
    }
    let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = mutant.name.chars().map(letters).collect();
    let program = build(&copy(&name, &changed), &mutant.test)?;
    match run(&program, Some(&mutant.caught_by)) {
        Verdict::Failed(_) => Ok(()),
        Verdict::Passed => Err(format!("{} passes: {}", mutant.test, mutant.caught_by)),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants")
}

/// A workspace of its own with this crate in it, but for `changed`.
fn copy(name: &str, changed: &BTreeMap<&Path, String>) -> PathBuf {
    let copy = folder().join(name);
    let root = Path::new(CRATE).join("../..").canonicalize().unwrap();
    write(&copy.join("Cargo.toml"), &workspace(&root));
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    // Cargo leaves out what this crate does not need, so the whole one is kept to compare with.
    if fs::read_to_string(copy.join("whole.lock")).unwrap_or_default() != lock {
        write(&copy.join("Cargo.lock"), &lock);
        write(&copy.join("whole.lock"), &lock);
    }
    let mut manifest: Table = read_toml(&Path::new(CRATE).join("Cargo.toml"));
    // By its own name, so that cargo takes no copy for another.
    manifest["package"].as_table_mut().unwrap().insert("name".into(), name.into());
    // What only this test needs.
    manifest["dev-dependencies"].as_table_mut().unwrap().remove("toml");
    write(&copy.join("core/Cargo.toml"), &manifest.to_string());
    for file in files(Path::new(CRATE), &["src", "tests"]) {
        if file.file_name() == Some(OsStr::new("mutants.rs")) {
            continue;
        }
        let text = changed.get(file.as_path()).cloned();
        let text =
            text.unwrap_or_else(|| fs::read_to_string(Path::new(CRATE).join(&file)).unwrap());
        write(&copy.join("core").join(&file), &text);
    }
    copy
}

/// The root's manifest, as far as this crate needs it, from anywhere.
fn workspace(root: &Path) -> String {
    let mut workspace =
        read_toml(&root.join("Cargo.toml"))["workspace"].as_table().unwrap().clone();
    workspace.retain(|key, _| ["resolver", "package", "dependencies", "lints"].contains(&key));
    workspace.insert("members".into(), Value::Array(vec!["core".into()]));
    for (_, dependency) in workspace["dependencies"].as_table_mut().unwrap() {
        let Some(path) = dependency.get_mut("path") else { continue };
        *path = root.join(path.as_str().unwrap()).to_str().unwrap().into();
    }
    let profile = "[profile.dev]\ndebug = false\nincremental = false\n";
    let workspace = Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]);
    format!("{workspace}\n{profile}")
}

fn build(copy: &Path, test: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "test",
            "--offline",
            "--quiet",
            "--no-run",
            "--test",
            test,
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", folder().join("target"))
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(format!("does not compile:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut programs = messages
        .filter_map(|message: serde_json::Value| message["executable"].as_str().map(PathBuf::from));
    programs.next().ok_or_else(|| "nothing was built".into())
}

fn run(program: &Path, only: Option<&str>) -> Verdict {
    let histories = if only.is_some() { HISTORIES } else { HISTORIES_WITHOUT_A_MUTANT };
    let output = Command::new(program)
        .args(only.into_iter().flat_map(|name| ["--exact", name]))
        .env("RUNNER_TRAY_HISTORIES", histories)
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let text = text_of(&output);
    let ran = only.is_none() || text.contains("running 1 test");
    assert!(ran, "there is no test {only:?}");
    if output.status.success() {
        return Verdict::Passed;
    }
    let failed = text.contains("panicked at") && text.contains("test result: FAILED");
    assert!(failed, "{} ended otherwise than by a failed test:\n{text}", program.display());
    Verdict::Failed(text)
}

fn text_of(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn read_toml(path: &Path) -> Table {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// All files below these folders, as paths from `base`.
fn files(base: &Path, folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| base.join(folder)).collect();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension() == Some(OsStr::new("rs")) {
                found.push(path.strip_prefix(base).unwrap().to_owned());
            }
        }
    }
    found
}

/// Writes only what differs, so that what was built of it stays as good as new.
#[expect(clippy::disallowed_methods, reason = "a test's own copy need not survive a crash")]
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
