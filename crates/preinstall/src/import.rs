//! Lists of packages that others wrote, read: a Brewfile or an apt list becomes items. Nothing in them
//! is run; a line that is more than a package's name is left out and told.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Catalogue;
use crate::item::{Check, Item, Ways};
use crate::package::Manager;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Brewfile,
    AptList,
}

/// What a list came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Ids of items, those of `new` too, each once.
    pub items: Vec<String>,
    /// Of packages that no item was of.
    pub new: Vec<Item>,
    /// Lines that are no packages, or whose items would take the place of others, one sentence each.
    pub left_out: Vec<String>,
}

pub fn import(catalogue: &Catalogue, format: Format, text: &str) -> Imported {
    let mut found = Imported::default();
    let mut seen = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let read = match format {
            Format::Brewfile => of_brewfile(line),
            Format::AptList => of_apt_list(line),
        };
        let named = read.and_then(|(manager, name)| match manager.refuses(&name) {
            None => Ok((manager, name)),
            Some(_) => Err("it is no package's name"),
        });
        let (manager, name) = match named {
            Ok(named) => named,
            Err(why) => {
                found.left_out.push(left_out(number, why, line));
                continue;
            }
        };
        // One package may bring several.
        let known = catalogue.items.iter().filter(|item| {
            item.all_ways().into_iter().any(|(_, ways)| ways.of(manager).contains(&name))
        });
        let mut ids: Vec<String> = known.map(|item| item.id.clone()).collect();
        if ids.is_empty() {
            let id = id_of(manager, &name);
            let before = found.new.iter().find(|item| item.id == id);
            // Two names may come to one id, and an id may be that of an item that the owner wrote.
            if catalogue.item(&id).is_some() || before.is_some_and(|item| item.title != name) {
                let why = format!("another item has the id {id}, which it would have");
                found.left_out.push(left_out(number, &why, line));
                continue;
            }
            if before.is_none() {
                found.new.push(item_of(manager, &name, id.clone()));
            }
            ids.push(id);
        }
        found.items.extend(ids.into_iter().filter(|id| seen.insert(id.clone())));
    }
    found
}

fn left_out(number: usize, why: &str, line: &str) -> String {
    let shown: String = line.chars().take(80).collect();
    format!("Line {number} is left out, {why}: {shown}")
}

/// `brew "name"` or `cask "name"`; options after it would be lost.
fn of_brewfile(line: &str) -> Result<(Manager, String), &'static str> {
    let Some((word, rest)) = line.split_once(char::is_whitespace) else {
        return Err("it is neither brew nor cask");
    };
    let manager = match word {
        "brew" => Manager::Brew,
        "cask" => Manager::Cask,
        _ => return Err("it is neither brew nor cask"),
    };
    let rest = rest.trim();
    let name = ['"', '\''].iter().find_map(|quote| rest.strip_prefix(*quote)?.strip_suffix(*quote));
    match name {
        Some(name) => Ok((manager, name.to_owned())),
        None => Err("it has options or no name"),
    }
}

/// `name`, or a line of `dpkg --get-selections`.
fn of_apt_list(line: &str) -> Result<(Manager, String), &'static str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [name] | [name, "install"] => {
            // `:amd64` names the architecture.
            Ok((Manager::Apt, name.split(':').next().unwrap_or_default().to_owned()))
        }
        [_, ..] | [] => Err("it is no package to install"),
    }
}

fn id_of(manager: Manager, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let front = if manager == Manager::Cask { "cask" } else { manager.program() };
    let front = front.trim_end_matches("-get");
    let id: String = format!("{front}-{name}").chars().map(plain).take(64).collect();
    id.trim_end_matches('-').to_owned()
}

/// Its manager is asked whether it is there.
fn item_of(manager: Manager, name: &str, id: String) -> Item {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let names = vec![name.to_owned()];
    let (linux, macos, command, version) = match manager {
        Manager::Brew => (
            None,
            Some(Ways { brew: names, ..Ways::default() }),
            words(&["brew", "list", "--versions", "--formula", name]),
            None,
        ),
        Manager::Cask => (
            None,
            Some(Ways { cask: names, ..Ways::default() }),
            words(&["brew", "list", "--versions", "--cask", name]),
            None,
        ),
        Manager::Apt
        | Manager::Dnf
        | Manager::Npm
        | Manager::Pipx
        | Manager::Pip
        | Manager::Cargo
        | Manager::Go
        | Manager::Gem => (
            Some(Ways { apt: names, ..Ways::default() }),
            None,
            words(&["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name]),
            Some("installed {version}".to_owned()),
        ),
    };
    Item {
        id,
        title: name.to_owned(),
        what_for: format!("From a list for {}.", manager.name()),
        links: Vec::new(),
        size_mb: None,
        needs: Vec::new(),
        check: Check {
            command,
            version,
            missing_exit: Some(1),
            within_seconds: Some(30),
            ..Check::default()
        },
        linux,
        macos,
        linux_x86_64: None,
        linux_aarch64: None,
        macos_x86_64: None,
        macos_aarch64: None,
        on: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, Machine, Os, apt_list, brewfile};

    #[test]
    fn a_brewfile_becomes_items_and_nothing_in_it_is_run() {
        let text = "tap \"acme/tap\"\nbrew \"jq\" # JSON\nbrew 'ripgrep'\ncask \"firefox\"\n\
                    brew \"git\", args: [\"HEAD\"]\nsystem(\"rm -rf /\")\nbrew \"../x\"\nmas \"Xcode\", id: 497799835\n";
        let found = import(Catalogue::built_in(), Format::Brewfile, text);
        assert_eq!(found.items, ["jq", "brew-ripgrep", "firefox"]);
        assert_eq!(found.new.len(), 1);
        found.new[0].judge().unwrap();
        assert_eq!(found.left_out.len(), 5, "{:?}", found.left_out);
        assert!(found.left_out[4].contains("Line 8"), "{:?}", found.left_out);
    }

    #[test]
    fn an_apt_list_and_a_list_of_selections_become_items() {
        let text =
            "# mine\ngit\nripgrep\nlibc6:amd64\tinstall\nvim\tdeinstall\nx; rm -rf /\n-y\ngit\n";
        let found = import(Catalogue::built_in(), Format::AptList, text);
        assert_eq!(found.items, ["git", "apt-ripgrep", "apt-libc6"]);
        assert_eq!(found.left_out.len(), 3, "{:?}", found.left_out);
        for item in &found.new {
            item.judge().unwrap();
        }
    }

    #[test]
    fn a_package_whose_id_is_anothers_is_left_out_and_told() {
        let found = import(Catalogue::built_in(), Format::AptList, "a+b\na-b\na+b\n");
        assert_eq!((&found.items[..], found.new.len()), (&["apt-a-b".to_owned()][..], 1));
        assert_eq!(found.new[0].title, "a+b");
        let [why] = &found.left_out[..] else { panic!("{found:?}") };
        assert!(why.starts_with("Line 2 ") && why.contains("the id apt-a-b"), "{why}");
        let own = serde_json::json!({ "id": "apt-ripgrep", "check": { "command": ["rg"] } });
        let (all, _) = Catalogue::with(&[own], &[]);
        let found = import(&all, Format::AptList, "ripgrep\n");
        assert_eq!((found.items.len(), found.new.len(), found.left_out.len()), (0, 0, 1));
    }

    #[test]
    fn what_is_exported_is_imported_as_the_same() {
        type List<'a> = Box<dyn Fn(&[&Item]) -> (String, Vec<String>) + 'a>;
        let all = Catalogue::built_in();
        let on = |suites: &[&str]| Machine {
            suites: suites.iter().map(ToString::to_string).collect(),
            ..Machine::with(Os::Linux, Arch::X86, &[])
        };
        let machines =
            [on(&[]), on(&["debian-12", "debian"]), on(&["debian-13", "debian"]), on(&["ubuntu"])];
        let of_apt = machines.iter().map(|machine| -> (Format, List) {
            (Format::AptList, Box::new(move |items: &[&Item]| apt_list(items, machine)))
        });
        let of_brew: (Format, List) = (Format::Brewfile, Box::new(brewfile));
        for (format, list) in of_apt.chain([of_brew]) {
            let mut kept = 0;
            for preset in &all.presets {
                let items = all.named(&[], std::slice::from_ref(&preset.id)).unwrap();
                let (text, left_out) = list(&items);
                let found = import(all, format, &text);
                assert_eq!((found.new.len(), found.left_out.len()), (0, 0), "{text}");
                for item in items.iter().filter(|item| !left_out.contains(&item.title)) {
                    assert!(found.items.contains(&item.id), "{}: {text}", item.id);
                    kept += 1;
                }
                // What came besides comes with the same packages.
                let again: Vec<&Item> =
                    found.items.iter().map(|id| all.item(id).unwrap()).collect();
                assert_eq!(list(&again).0, text, "{}", preset.id);
            }
            assert!(kept > 30, "{format:?}: {kept}");
        }
        let found = import(all, Format::Brewfile, "brew \"rust\"\n");
        assert_eq!(found.items, ["rust", "rustfmt", "clippy"]);
    }
}
