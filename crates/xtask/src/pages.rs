//! Holds the links of all pages against what is there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sources;

/// Where pages are, beside those at the top.
const ROOTS: [&str; 5] = ["docs", "bench", "crates", "icons", "installers"];

fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in ROOTS {
        sources::list_of(&["md"], &root.join(folder), &mut pages).expect("the pages can be listed");
    }
    let top = fs::read_dir(root).expect("the top").flatten().map(|entry| entry.path());
    pages.extend(top.filter(|path| path.extension().is_some_and(|it| it == "md")));
    pages
}

/// Where each `](...)` leads, without what is on the web or on the page itself.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty() && !file.contains("://")).collect()
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let root = crate::root();
    let (mut seen, mut missing) = (0, Vec::new());
    for page in pages(&root) {
        let text = fs::read_to_string(&page).expect("a page can be read");
        for link in links(&text) {
            seen += 1;
            if !page.with_file_name(link).exists() {
                missing.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(seen > 20, "{seen} links were found");
    assert_eq!(missing, [""; 0]);
}

#[test]
fn links_to_the_web_and_to_the_page_itself_are_others_to_hold() {
    let page = "[a](b.md#c) ![d](e/f.png) [g](https://h.i/j.md) [k](#l)";
    assert_eq!(links(page), ["b.md", "e/f.png"]);
}
