//! What others wrote and our programs contain: each crate that is linked into them and each package that is built into
//! the window, with its licence and the texts that it brings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::generated::Generated;

const PROGRAMS: [&str; 4] =
    ["runner-tray", "runner-tray-cli", "runner-tray-supervisor", "runner-tray-keeper"];
/// What of `ui/node_modules` is in the window; the rest builds and tests it.
const WINDOW: [&str; 2] = ["@tauri-apps/api", "svelte"];
const TEXTS: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

const HEAD: &str = "\
What the programs of Runner Tray contain that others wrote, with the licence of each.
The texts follow; where several bring the same one, it stands once.
";

/// One that others wrote: `name version (licence)`, and its texts.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    title: String,
    texts: Vec<String>,
}

/// `installers/generated/third-party`.
pub(crate) fn notices(root: &Path) -> anyhow::Result<Generated> {
    let mut parts = crates(&metadata(root)?)?;
    for name in WINDOW {
        parts.push(package(&root.join("ui/node_modules").join(name))?);
    }
    parts.sort_by(|one, other| one.title.cmp(&other.title));
    Ok(Generated {
        path: root.join("installers/generated/third-party"),
        bytes: page(&parts).into_bytes(),
        same: |old, new| old == new,
    })
}

fn metadata(root: &Path) -> anyhow::Result<Value> {
    let about = said(Command::new("rustc").arg("-vV"), root)?;
    let about = String::from_utf8_lossy(&about).into_owned();
    let system = about.lines().find_map(|line| line.strip_prefix("host: "));
    let system = system.context("rustc -vV names no host")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--offline", "--filter-platform", system]);
    serde_json::from_slice(&said(&mut command, root)?).context("read what cargo metadata printed")
}

fn said(command: &mut Command, root: &Path) -> anyhow::Result<Vec<u8>> {
    let output = command.current_dir(root).output().with_context(|| format!("{command:?}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {words}");
    Ok(output.stdout)
}

/// All that the programs are linked with: no crate that only builds or tests, and no macro.
fn crates(metadata: &Value) -> anyhow::Result<Vec<Part>> {
    let form = "cargo metadata printed a form that is not known here";
    let list = |value: &Value, name: &str| value[name].as_array().cloned().context(form);
    let by_id = |list: Vec<Value>| -> BTreeMap<String, Value> {
        list.into_iter().map(|it| (it["id"].as_str().unwrap_or_default().to_owned(), it)).collect()
    };
    let packages = by_id(list(metadata, "packages")?);
    let nodes = by_id(list(&metadata["resolve"], "nodes")?);
    let mut wanted: Vec<&str> = packages
        .iter()
        .filter(|(_, it)| it["source"].is_null())
        .filter(|(_, it)| it["name"].as_str().is_some_and(|name| PROGRAMS.contains(&name)))
        .map(|(id, _)| id.as_str())
        .collect();
    ensure!(wanted.len() == PROGRAMS.len(), form);
    let mut linked = BTreeMap::new();
    while let Some(id) = wanted.pop() {
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else {
            anyhow::bail!(form);
        };
        let kinds = package["targets"].to_string();
        if kinds.contains("\"proc-macro\"") || linked.insert(id, package).is_some() {
            continue;
        }
        let deps = node["deps"].as_array().context(form)?;
        let is_linked = |dep: &&Value| {
            dep["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|it| it["kind"].is_null()))
        };
        wanted.extend(deps.iter().filter(is_linked).filter_map(|dep| dep["pkg"].as_str()));
    }
    linked
        .into_values()
        .filter(|package| !package["source"].is_null())
        .map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str().context(form)?);
            part(package, manifest.parent().context(form)?)
        })
        .collect()
}

/// A package of npm's.
fn package(folder: &Path) -> anyhow::Result<Part> {
    let path = folder.join("package.json");
    let text = fs::read(&path)
        .with_context(|| format!("read {}. Run: npm --prefix ui ci", path.display()))?;
    let about: Value =
        serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    part(&about, folder)
}

/// From its name, version and licence, which both kinds have by the same keys.
fn part(about: &Value, folder: &Path) -> anyhow::Result<Part> {
    let of = |name: &str| about[name].as_str().unwrap_or("unknown");
    let title = format!("{} {} ({})", of("name"), of("version"), of("license"));
    let mut texts = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if TEXTS.iter().any(|text| name.starts_with(text)) {
            let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
            texts.push(String::from_utf8_lossy(&text).trim().to_owned());
        }
    }
    Ok(Part { title, texts })
}

fn page(parts: &[Part]) -> String {
    let mut page = HEAD.to_owned();
    let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    page.push('\n');
    for part in parts {
        let _ = writeln!(page, "  {}", part.title);
        for text in &part.texts {
            texts.entry(text).or_default().push(&part.title);
        }
    }
    for (text, titles) in texts {
        let line = "-".repeat(80);
        let _ = write!(page, "\n{line}\n{}\n{line}\n\n{text}\n", titles.join("\n"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_and_package_in_our_programs_is_named_with_its_licence() {
        let notices = notices(&crate::root()).expect("readable");
        let page = String::from_utf8(notices.bytes).expect("text");
        for name in ["  tauri 2", "  rusqlite 0", "  rustls 0", "  svelte 5", "  @tauri-apps/api 2"]
        {
            assert!(page.contains(&format!("\n{name}")), "{name} is missing");
        }
        let (list, texts) = page.split_once("\n\n---").expect("texts");
        assert!(list.lines().all(|line| !line.ends_with("(unknown)")), "{list}");
        assert!(texts.contains("Permission is hereby granted, free of charge"), "no text");
        // They build and test, and are in no program.
        for name in ["  insta ", "  tauri-build ", "  serde_derive ", "  vite "] {
            assert!(!list.contains(&format!("\n{name}")), "{name} is in no program");
        }
        assert!(!list.contains("runner-tray"), "ours is not a third party's");
    }

    #[test]
    fn a_text_that_many_bring_stands_once_below_all_their_names() {
        let part = |title: &str| Part { title: title.to_owned(), texts: vec!["Free.".to_owned()] };
        let page = page(&[part("a 1 (MIT)"), part("b 2 (MIT)")]);
        assert_eq!(page.matches("Free.").count(), 1, "{page}");
        assert!(page.contains("\na 1 (MIT)\nb 2 (MIT)\n---"), "{page}");
    }
}
