//! `docs/preinstall.md`: the catalogue of what jobs need, as a page.

use std::fmt::Write as _;
use std::path::Path;

use preinstall::{Catalogue, Item, Ways};

use crate::generated::Generated;

const HEAD: &str = "\
# What jobs need

<!-- Generated from crates/preinstall/catalogue by `cargo xtask generated write`. -->

`runnerctl preinstall` looks whether these are there and installs what is missing: `check`, `plan`, `install`. Only what is
missing is installed; what is too old only with `--upgrade`. Checks see the PATH and the user that jobs have.
";

const OWN: &str = r#"
## Your own

In `settings.toml`, with the same fields as the files of the catalogue. One with the id of a built-in takes its place.

```toml
[[preinstall.item]]
id = "just"
title = "just"
what_for = "Runs our recipes."
links = ["https://just.systems/"]
check = { command = ["just", "--version"], version = "just {version}", at_least = "1.20" }
linux = { cargo = "just" }
macos = { brew = "just" }

[[preinstall.preset]]
id = "web"
items = ["node", "just", "chromium"]
```

A check is a `command` (a program in the PATH of jobs and its arguments; no shell reads them), `paths` of which one is
there, or on macOS a `plist` (`{ file = "...", key = "..." }`). `version` is the text before the version and `{version}`;
`at_least` and `below` are the wanted range. `missing_exit` is an exit code by which the command says that it is missing,
`only_there = true` means that the program is not run, and `within_seconds` is its time limit (10).

`linux` and `macos` say how it comes there: `apt`, `dnf`, `brew`, `cask`, `npm`, `pipx`, `pip`, `cargo`, `go` or `gem`, each a
package or a list; `human` what somebody does by hand; `then` what somebody does after that. `linux_x86_64`,
`linux_aarch64`, `macos_x86_64` and `macos_aarch64` take their place on such a machine, and `on.ubuntu` or `on.debian-12` on
such a system (`ID` and `VERSION_ID` of `/etc/os-release`). `with_at_least` is how new cargo, go or another manager has to be;
where it is older, `human` is what is left. `not_needed` says why jobs on such a machine need no such thing, `not_here` why
there is none: it is in no count. `admin = true`: the cask's installer asks for a password, and is left to you where sudo would
ask. A preset's `on_macos` are items that are in it on a Mac alone.
`needs` names items that come first. `pip` is refused by systems that keep Python to themselves (PEP 668; Debian since 12):
there use `pipx`, or an environment of the job's own.
A package's name is a name alone: options, addresses, paths and patterns are refused.
"#;

pub(crate) fn files(root: &Path) -> Vec<Generated> {
    vec![Generated {
        path: root.join("docs/preinstall.md"),
        bytes: page().into_bytes(),
        same: |old, new| old == new,
    }]
}

fn page() -> String {
    let all = Catalogue::built_in();
    let mut page = HEAD.to_owned();
    page.push_str("\n## Presets\n\n| preset | for | items |\n| --- | --- | --- |\n");
    for preset in &all.presets {
        let list = |items: &[String]| format!("`{}`", items.join("`, `"));
        let everywhere = Some(&preset.items).filter(|it| !it.is_empty()).map(|it| list(it));
        let on_macos = Some(&preset.on_macos).filter(|it| !it.is_empty());
        let on_macos = on_macos.map(|it| format!("on macOS {}", list(it)));
        let items: Vec<String> = everywhere.into_iter().chain(on_macos).collect();
        let _ = writeln!(page, "| `{}` | {} | {} |", preset.id, preset.what_for, items.join(", "));
    }
    page.push_str("\n## Items\n\n| item | what for | Linux | macOS | about |\n| --- | --- | --- | --- | --- |\n");
    for item in &all.items {
        let size = item.size_mb.map_or_else(String::new, |mb| format!("{mb} MB"));
        let link = item.links.first().map_or("", String::as_str);
        let _ = writeln!(
            page,
            "| [`{}`]({link}) | {} | {} | {} | {size} |",
            item.id,
            item.what_for,
            on_linux(item),
            ways(item, item.macos.as_ref()),
        );
    }
    page.push_str(OWN);
    page
}

/// With what is otherwise on some systems.
fn on_linux(item: &Item) -> String {
    let usual = ways(item, item.linux.as_ref());
    let others = item.on.iter().map(|(suite, it)| format!("on {suite}: {}", ways(item, Some(it))));
    [usual].into_iter().chain(others).collect::<Vec<_>>().join("; ")
}

fn ways(item: &Item, ways: Option<&Ways>) -> String {
    let Some(ways) = ways else { return String::new() };
    let by = ways
        .managers()
        .map(|manager| format!("{}: `{}`", manager.name(), ways.of(manager).join("`, `")));
    let mut all: Vec<String> = by.collect();
    if ways.ours.is_some() {
        all.push(format!("Runner Tray writes it ({})", item.id));
    }
    all.extend(ways.human.iter().chain(&ways.then).map(|words| format!("by hand: {words}")));
    all.extend(ways.admin.then(|| "asks for a password".to_owned()));
    all.extend(ways.not_needed.iter().map(|why| format!("not needed: {why}")));
    all.extend(ways.not_here.iter().map(|why| format!("not there: {why}")));
    all.join("; ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_and_preset_has_its_line_on_the_page() {
        let page = page();
        for item in &Catalogue::built_in().items {
            assert!(page.contains(&format!("| [`{}`](", item.id)), "{}", item.id);
        }
        for preset in &Catalogue::built_in().presets {
            assert!(page.contains(&format!("\n| `{}` |", preset.id)), "{}", preset.id);
        }
    }

    #[test]
    fn what_the_page_says_of_ones_own_is_followed() {
        let text = OWN.split("```toml\n").nth(1).and_then(|it| it.split("```").next());
        let read: toml::Value = toml::from_str(text.expect("an example")).expect("TOML");
        let read = serde_json::to_value(&read["preinstall"]).expect("a table");
        let list = |name: &str| read[name].as_array().expect("a list").clone();
        let (all, refused) = Catalogue::with(&list("item"), &list("preset"));
        assert_eq!(refused, []);
        assert!(all.item("just").is_some());
    }
}
