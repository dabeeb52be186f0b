//! An Ansible playbook of items, so that ten machines get the same: with the modules that come with
//! ansible-core, and what a person has to do said at the end.

use std::fmt::Write as _;
use std::path::Path;

use crate::calls::Call;
use crate::item::{Check, Item, Ways};
use crate::machine::{Arch, Machine, Os};
use crate::package::Manager;
use crate::plan::{Step, StepItem, What};
use crate::probe::FIRST_THERE;

/// What Ansible puts there when it runs.
const HOME: &str = "{{ ansible_facts['env']['HOME'] }}";

const HEAD: &str = "\
# What CircleCI jobs need, written by Runner Tray. Try it, then run it:
#   ansible-playbook --check -i HOSTS, PLAYBOOK
#   ansible-playbook -i HOSTS, PLAYBOOK
- name: What CircleCI jobs need
  hosts: all
  gather_facts: false
  tasks:
    - name: What there is
      ansible.builtin.setup:
    - name: What jobs need
      environment:
        PATH: \"{{ ansible_facts['env']['HOME'] }}/.local/bin:/opt/homebrew/bin:/opt/homebrew/sbin:{{ ansible_facts['env']['PATH'] }}\"
      block:
";

/// A list of tasks without any would be no play.
const NOTHING: &str = "    - name: Nothing to do\n      ansible.builtin.meta: noop\n";

pub fn playbook(items: &[&Item]) -> String {
    let mut tasks = String::new();
    for (os, system) in [(Os::Linux, "Linux"), (Os::Macos, "Darwin")] {
        let machine = Machine::with(os, Arch::Other, &[]);
        for item in items.iter().filter(|item| comes_by_itself(item, &machine)) {
            let when = format!("ansible_facts['system'] == '{system}'");
            check(&mut tasks, item, item.check_on(&machine), &there(item, system), &when);
        }
        if os == Os::Linux {
            packages(&mut tasks, items, Manager::Apt, "Debian");
            packages(&mut tasks, items, Manager::Dnf, "RedHat");
        }
        for item in items {
            other(&mut tasks, item, &machine, system);
        }
        for item in items {
            by_hand(&mut tasks, item, &machine, system);
        }
    }
    let tasks = if tasks.is_empty() { NOTHING } else { &tasks };
    let within_the_block = tasks.lines().map(|line| format!("    {line}\n"));
    format!("{HEAD}{}", within_the_block.collect::<String>())
}

fn comes_by_itself(item: &Item, machine: &Machine) -> bool {
    let ways = item.ways(machine);
    ways.is_some_and(|ways| managers(ways).next().is_some() || ways.ours.is_some())
}

/// A playbook does not know how new what is there will be: what asks for that is left to people.
fn managers(ways: &Ways) -> impl Iterator<Item = Manager> + '_ {
    ways.managers().filter(|_| ways.with_at_least.is_none())
}

/// The families of systems whose own package manager brings it, in quotes.
fn families(ways: &Ways) -> Vec<&'static str> {
    let of = |manager| match manager {
        Manager::Apt => Some("'Debian'"),
        Manager::Dnf => Some("'RedHat'"),
        Manager::Brew
        | Manager::Cask
        | Manager::Npm
        | Manager::Pipx
        | Manager::Pip
        | Manager::Cargo
        | Manager::Go
        | Manager::Gem => None,
    };
    managers(ways).filter_map(of).collect()
}

/// Where no package of the system brings it: what holds for the rest.
fn elsewhere(ways: &Ways, system: &str) -> String {
    let families = families(ways);
    let rest = if families.is_empty() {
        String::new()
    } else {
        format!(" and ansible_facts['os_family'] not in [{}]", families.join(", "))
    };
    format!("ansible_facts['system'] == '{system}'{rest}")
}

/// The variable that says whether an item is there.
fn there(item: &Item, system: &str) -> String {
    format!("there_{}_{}", item.id.replace('-', "_"), system.to_lowercase())
}

/// All that the system's own package manager installs of what is missing, in one task. Names of packages
/// have no quotes in them.
fn packages(tasks: &mut String, items: &[&Item], manager: Manager, family: &str) {
    let machine = Machine::with(Os::Linux, Arch::Other, &[manager]);
    let mut missing = Vec::new();
    for item in items {
        let ways = item.ways(&machine).filter(|ways| managers(ways).any(|it| it == manager));
        let names = ways.map(|ways| ways.of(manager)).unwrap_or_default();
        if !names.is_empty() {
            let there = there(item, "Linux");
            let names = names.join("', '");
            missing.push(format!("({there}.rc | default(1) != 0) | ternary(['{names}'], [])"));
        }
    }
    if missing.is_empty() {
        return;
    }
    let missing = missing.join(" + ");
    let (module, more) = if manager == Manager::Apt {
        ("apt", "        update_cache: true\n        install_recommends: false\n")
    } else {
        ("dnf", "        install_weak_deps: false\n")
    };
    let _ = write!(
        tasks,
        "    - name: Packages of {}\n      become: true\n      ansible.builtin.{module}:\n        name: \"{{{{ {missing} }}}}\"\n        state: present\n{more}      when: ansible_facts['os_family'] == '{family}' and ({missing}) | length > 0\n",
        manager.name(),
    );
}

/// One that another manager installs where the system's own does not, or that we write: where its check
/// says that it is not there.
fn other(tasks: &mut String, item: &Item, machine: &Machine, system: &str) {
    let Some(ways) = item.ways(machine) else { return };
    let absent = format!(
        "      when: {} and {}.rc | default(1) != 0\n",
        elsewhere(ways, system),
        there(item, system)
    );
    let manager = managers(ways).find(|manager| !manager.needs_admin());
    match (manager, &ways.ours) {
        (None, None) => {}
        (Some(manager), _) => {
            let step = Step {
                what: What::Packages { manager, upgrade: false },
                items: vec![StepItem {
                    id: item.id.clone(),
                    title: item.title.clone(),
                    names: ways.of(manager).to_vec(),
                }],
                size_mb: None,
            };
            for call in Call::of(&step, Path::new(HOME)) {
                let _ = write!(
                    tasks,
                    "    - name: {}\n      ansible.builtin.command:\n        argv: [{}]\n      environment:\n",
                    text(&step.title()),
                    call.argv.iter().map(|word| text(word)).collect::<Vec<_>>().join(", ")
                );
                for (name, value) in &call.environment {
                    let _ = writeln!(tasks, "        {name}: {}", text(value));
                }
                tasks.push_str(&absent);
            }
        }
        (None, Some(_)) => {
            let _ = write!(
                tasks,
                "    - name: {}\n      ansible.builtin.file:\n        path: {}\n        state: directory\n{absent}    - name: {}\n      ansible.builtin.copy:\n        dest: {}\n        mode: \"0755\"\n        content: {}\n{absent}",
                text("A folder for it"),
                text(&format!("{HOME}/.local/bin")),
                text(&item.title),
                text(&format!("{HOME}/.local/bin/circleci")),
                text(crate::install::CIRCLECI),
            );
        }
    }
}

fn by_hand(tasks: &mut String, item: &Item, machine: &Machine, system: &str) {
    let Some(ways) = item.ways(machine) else { return };
    let mut say = |words: &str, when: &str| {
        let name = text(&format!("By hand: {}", item.title));
        let _ = write!(
            tasks,
            "    - name: {name}\n      ansible.builtin.debug:\n        msg: {}\n      when: {when}\n",
            text(words)
        );
    };
    if let Some(words) = &ways.then {
        say(words, &format!("ansible_facts['system'] == '{system}'"));
    }
    let has_other = managers(ways).any(|manager| !manager.needs_admin()) || ways.ours.is_some();
    if has_other || ways.not_needed.is_some() {
        return;
    }
    let link = item.links.first().map_or("its home page", String::as_str);
    let none = format!("No package of this system is known. See {link}.");
    say(ways.human.as_ref().unwrap_or(&none), &elsewhere(ways, system));
}

fn check(tasks: &mut String, item: &Item, check: &Check, there: &str, when: &str) {
    let argv: Vec<String> = if check.only_there {
        let program = check.command.first().cloned().unwrap_or_default();
        vec!["/bin/sh".into(), "-c".into(), "command -v -- \"$0\"".into(), program]
    } else if !check.command.is_empty() {
        check.command.clone()
    } else if let Some(plist) = &check.plist {
        vec!["/bin/test".into(), "-e".into(), plist.file.clone()]
    } else {
        let paths = check.paths.iter().map(|path| path.replacen("~/", &format!("{HOME}/"), 1));
        let shell = ["/bin/sh", "-c", FIRST_THERE, "sh"].into_iter().map(str::to_owned);
        shell.chain(paths).collect()
    };
    let _ = write!(
        tasks,
        "    - name: {}\n      ansible.builtin.command:\n        argv: [{}]\n      register: {there}\n      changed_when: false\n      failed_when: false\n      check_mode: false\n      when: {when}\n",
        text(&format!("Is {} there", item.title)),
        argv.iter().map(|word| text(word)).collect::<Vec<_>>().join(", ")
    );
}

/// A text in YAML, which JSON's are. What looks like a template and is none of ours stays what it is.
fn text(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    let rest = text.replace(HOME, "");
    let is_template = rest.contains("{{") || rest.contains("{%") || rest.contains("{#");
    if is_template { format!("!unsafe {json}") } else { json }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn a_playbook_has_each_item_and_no_template_of_others() {
        let all = Catalogue::built_in();
        let items: Vec<&Item> = all.items.iter().collect();
        let book = playbook(&items);
        for word in ["['git']", "\"yarn\"", "ansible.builtin.dnf", "By hand: Xcode"] {
            assert!(book.contains(word), "{word}");
        }
        for line in book.lines() {
            let rest = line.replace(HOME, "").replace("{{ ansible_facts['env']['PATH'] }}", "");
            let is_ours = rest.contains("!unsafe") || rest.contains("name: \"{{ (there_");
            assert!(!rest.contains("{{") || is_ours, "{line}");
        }
        assert!(playbook(&[]).contains("Nothing to do"));
    }

    /// The task of that name, in one line, and how often there is one.
    fn task(book: &str, name: &str) -> (String, usize) {
        let all: Vec<&str> = book.split("- name: ").filter(|it| it.starts_with(name)).collect();
        (all.first().map_or(String::new(), |task| task.replace('\n', " ")), all.len())
    }

    #[test]
    fn where_the_systems_own_manager_has_none_there_is_another_way_or_it_is_said() {
        let all = Catalogue::built_in();
        let items: Vec<&Item> = all.items.iter().collect();
        let book = playbook(&items);
        let (by_go, _) = task(&book, "\"Install gotestsum with go\"");
        assert!(by_go.contains("'os_family'] not in ['Debian']"), "{by_go}");
        let (gradle, _) = task(&book, "\"By hand: Gradle\"");
        assert!(gradle.contains("wrapper") && gradle.contains("not in ['Debian']"), "{gradle}");
        let (jq, _) = task(&book, "\"By hand: jq\"");
        assert!(jq.contains("not in ['Debian', 'RedHat']"), "{jq}");
        // Whether what builds it is new enough is not known when the playbook is written.
        assert_eq!(task(&book, "\"Install cargo-nextest with cargo\"").1, 0);
        assert!(task(&book, "\"By hand: cargo-nextest\"").0.contains("nexte.st"));
        assert!(
            !book.contains("By hand: Xvfb")
                || !task(&book, "\"By hand: Xvfb\"").0.contains("Darwin")
        );
    }

    #[test]
    fn a_playbook_looks_at_every_path_and_finds_homebrew() {
        let all = Catalogue::built_in();
        let book = playbook(&[all.item("ca-certificates").unwrap()]);
        for path in ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"] {
            assert!(book.contains(path), "{path}");
        }
        assert!(book.contains("/.local/bin:/opt/homebrew/bin:/opt/homebrew/sbin:"), "{book}");
    }

    #[test]
    fn what_looks_like_a_template_stays_a_text() {
        assert_eq!(text("{{ lookup('pipe', 'id') }}"), "!unsafe \"{{ lookup('pipe', 'id') }}\"");
        assert_eq!(text(&format!("{HOME}/x")), format!("\"{HOME}/x\""));
        assert_eq!(text("a\n\"b\""), "\"a\\n\\\"b\\\"\"");
    }
}
