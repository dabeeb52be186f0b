//! Holds docs/proof.md against the sources: what it names as a test is there, under that name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sources;

/// Where tests are written.
const ROOTS: [&str; 4] = ["crates", "bench", "src-tauri", "ui/tests"];

/// Before a name they stand for the file that was named before; after it for the rest of the name.
const DOTS: [char; 2] = ['.', '…'];

/// Every test that the page names, by the last part of its path. Lists and wholes (`{a, b}`, `*`) name
/// none.
fn named(page: &str) -> Vec<&str> {
    let in_ticks = page.split('`').skip(1).step_by(2);
    let is_test =
        |name: &&str| name.contains("::") || name.starts_with("...") || name.starts_with('…');
    in_ticks
        .filter(is_test)
        .filter(|name| !name.contains(['{', '*']))
        .filter_map(|name| name.rsplit("::").next())
        .map(|name| name.trim_start_matches(DOTS))
        .filter(|name| !name.is_empty())
        .collect()
}

/// All sources with tests in them, and the names of their files and folders.
fn sources(root: &Path) -> String {
    let mut files = Vec::new();
    for folder in ROOTS {
        sources::list(&root.join(folder), &mut files).expect("the sources can be listed");
    }
    let tray = fs::read_dir(root.join("src-tauri/tests/tray")).expect("the tests of the tray");
    files.extend(tray.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
    let text = |file: &std::path::PathBuf| {
        let text = fs::read_to_string(file).expect("a source can be read");
        let stem = file.file_stem().unwrap_or_default().display();
        let folder = file.parent().and_then(Path::file_name).unwrap_or_default().display();
        format!("mod {stem};\nmod {folder};\n{text}\n")
    };
    files.iter().map(text).collect()
}

/// The names of all functions and modules.
fn declared(sources: &str) -> BTreeSet<&str> {
    let words: Vec<&str> = sources
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|it| !it.is_empty())
        .collect();
    let pairs = words.windows(2).filter(|pair| ["fn", "def", "mod"].contains(&pair[0]));
    pairs.map(|pair| pair[1]).collect()
}

/// A function, a module or, by its words, a test of the window. One that ends in `...` begins so.
fn is_there(name: &str, declared: &BTreeSet<&str>, sources: &str) -> bool {
    let begins = name.trim_end_matches(DOTS);
    if begins.contains(' ') {
        return sources.contains(&format!("\"{begins}"));
    }
    if begins == name {
        return declared.contains(name);
    }
    declared.iter().any(|found| found.starts_with(begins))
}

#[test]
fn every_test_that_the_proof_names_is_there() {
    let root = crate::root();
    let page = fs::read_to_string(root.join("docs/proof.md")).expect("the page");
    let (_, page) = page.split_once("\n## ").expect("it has chapters");
    let (sources, named) = (sources(&root), named(page));
    let declared = declared(&sources);
    assert!(named.len() > 300, "{} tests were found on the page", named.len());
    let missing: Vec<&str> =
        named.into_iter().filter(|name| !is_there(name, &declared, &sources)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_name_that_nothing_has_is_found_out() {
    let page = "`a::b::one_that_is`, `...and_one`, `...begins_...`, `a::{b, c}`, `plain`";
    let named = named(page);
    assert_eq!(named, ["one_that_is", "and_one", "begins_..."]);
    let sources = "fn one_that_is() {} fn and_one_more() {} fn begins_so() {}";
    let declared = declared(sources);
    let there: Vec<bool> = named.iter().map(|name| is_there(name, &declared, sources)).collect();
    assert_eq!(there, [true, false, true]);
}
