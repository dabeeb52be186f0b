//! An Ansible playbook of items, so that ten machines get the same: with the modules that come with
//! ansible-core, and what a person has to do said at the end.

use std::fmt::Write as _;
use std::path::Path;

use crate::calls::Call;
use crate::item::{Check, Item};
use crate::machine::{Arch, Machine, Os};
use crate::package::Manager;
use crate::plan::{Step, StepItem, What};

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
        PATH: \"{{ ansible_facts['env']['HOME'] }}/.local/bin:{{ ansible_facts['env']['PATH'] }}\"
      block:
";

/// A list of tasks without any would be no play.
const NOTHING: &str = "    - name: Nothing to do\n      ansible.builtin.meta: noop\n";

pub fn playbook(items: &[&Item]) -> String {
    let mut tasks = String::new();
    for (os, system) in [(Os::Linux, "Linux"), (Os::Macos, "Darwin")] {
        let machine = Machine { os, arch: Arch::Other, managers: Vec::new(), stubs: false };
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
    ways.is_some_and(|ways| ways.managers().next().is_some() || ways.ours.is_some())
}

/// The variable that says whether an item is there.
fn there(item: &Item, system: &str) -> String {
    format!("there_{}_{}", item.id.replace('-', "_"), system.to_lowercase())
}

/// All that the system's own package manager installs of what is missing, in one task. Names of packages
/// have no quotes in them.
fn packages(tasks: &mut String, items: &[&Item], manager: Manager, family: &str) {
    let machine =
        Machine { os: Os::Linux, arch: Arch::Other, managers: vec![manager], stubs: false };
    let mut missing = Vec::new();
    for item in items {
        let names = item.ways(&machine).map(|ways| ways.of(manager)).unwrap_or_default();
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

/// One that another manager installs, or that we write: where its check says that it is not there.
fn other(tasks: &mut String, item: &Item, machine: &Machine, system: &str) {
    let Some(ways) = item.ways(machine) else { return };
    let absent = format!(
        "      when: ansible_facts['system'] == '{system}' and {}.rc | default(1) != 0\n",
        there(item, system)
    );
    match (ways.managers().next(), &ways.ours) {
        // In the task above.
        (Some(Manager::Apt | Manager::Dnf), _) | (None, None) => {}
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
    let alone = !comes_by_itself(item, machine);
    let Some(words) = ways.then.as_ref().or(ways.human.as_ref().filter(|_| alone)) else { return };
    let name = text(&format!("By hand: {}", item.title));
    let _ = write!(
        tasks,
        "    - name: {name}\n      ansible.builtin.debug:\n        msg: {}\n      when: ansible_facts['system'] == '{system}'\n",
        text(words)
    );
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
        let path = check.paths.first().map(|path| path.replacen("~/", &format!("{HOME}/"), 1));
        vec!["/bin/test".into(), "-e".into(), path.unwrap_or_default()]
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

    #[test]
    fn what_looks_like_a_template_stays_a_text() {
        assert_eq!(text("{{ lookup('pipe', 'id') }}"), "!unsafe \"{{ lookup('pipe', 'id') }}\"");
        assert_eq!(text(&format!("{HOME}/x")), format!("\"{HOME}/x\""));
        assert_eq!(text("a\n\"b\""), "\"a\\n\\\"b\\\"\"");
    }
}
