//! An Ansible playbook of items, so that ten machines get the same: with the modules that come with
//! ansible-core, and what a person has to do said at the end.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::calls::Call;
use crate::catalogue::Catalogue;
use crate::item::{Check, Item, Ways};
use crate::machine::Os;
use crate::package::Manager;
use crate::plan::{Step, StepItem, What};
use crate::probe::{first_there, where_is};

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

/// Once for all of its packages.
const REFRESH: &str = "    - name: Refresh apt's lists of packages
      become: true
      ansible.builtin.apt:
        update_cache: true
        cache_valid_time: 3600
      changed_when: false
      ignore_errors: true
      when: ansible_facts['os_family'] == 'Debian'
";

/// Of these and of what they need.
pub fn playbook(catalogue: &Catalogue, items: &[&Item]) -> String {
    let mut tasks = String::new();
    let mut came = Vec::new();
    for (os, system) in [(Os::Linux, "Linux"), (Os::Macos, "Darwin")] {
        let items = with_needs(catalogue, items, os);
        let all: Vec<Holds> = items.into_iter().flat_map(|item| holds(item, os, system)).collect();
        for it in all.iter().filter(|it| it.comes_by_itself()) {
            check(&mut tasks, it);
        }
        let by_apt = |it: &Holds| managers(it.ways).any(|manager| manager == Manager::Apt);
        if all.iter().any(by_apt) {
            tasks.push_str(REFRESH);
        }
        for (manager, family) in [(Manager::Apt, "Debian"), (Manager::Dnf, "RedHat")] {
            came.extend(all.iter().filter_map(|it| packages(&mut tasks, it, manager, family)));
        }
        came.extend(all.iter().flat_map(|it| other(&mut tasks, it)));
        for it in &all {
            by_hand(&mut tasks, it);
        }
    }
    if tasks.is_empty() {
        tasks.push_str(NOTHING);
    }
    failed(&mut tasks, &came);
    let within_the_block = tasks.lines().map(|line| format!("    {line}\n"));
    format!("{HEAD}{}", within_the_block.collect::<String>())
}

/// Each after what it needs there and what brings its managers: on any release and architecture, as
/// nobody knows where the playbook will run.
fn with_needs<'a>(catalogue: &'a Catalogue, items: &[&'a Item], os: Os) -> Vec<&'a Item> {
    let (mut seen, mut ordered) = (BTreeSet::new(), Vec::new());
    for &item in items {
        put_after_needs(catalogue, item, os, &mut seen, &mut ordered);
    }
    ordered
}

fn put_after_needs<'a>(
    catalogue: &'a Catalogue,
    item: &'a Item,
    os: Os,
    seen: &mut BTreeSet<&'a str>,
    ordered: &mut Vec<&'a Item>,
) {
    if !seen.insert(item.id.as_str()) {
        return;
    }
    let ways = holds(item, os, "").into_iter().map(|it| it.ways);
    let brought = ways.flat_map(managers).filter_map(Manager::brought_by);
    let brought = brought.filter_map(|id| catalogue.item(id));
    let needed = item.needs.iter().filter_map(|id| catalogue.item(id));
    for first in needed.chain(brought) {
        put_after_needs(catalogue, first, os, seen, ordered);
    }
    ordered.push(item);
}

/// What an item is on some machines, and on which.
struct Holds<'a> {
    item: &'a Item,
    ways: &'a Ways,
    when: String,
    /// Of variables that are about it there.
    name: String,
}

impl Holds<'_> {
    fn comes_by_itself(&self) -> bool {
        managers(self.ways).next().is_some() || self.ways.ours.is_some()
    }

    fn check(&self) -> &Check {
        self.ways.check.as_ref().unwrap_or(&self.item.check)
    }

    fn is_missing(&self) -> String {
        format!("there_{}.rc | default(1) != 0", self.name)
    }
}

/// The narrowest first, as [`Item::ways`] looks for them, each where none before it holds.
fn holds<'a>(item: &'a Item, os: Os, system: &str) -> Vec<Holds<'a>> {
    let suites = item.on.iter().filter(|_| os == Os::Linux);
    let mut suites: Vec<(&str, &Ways)> = suites.map(|(name, ways)| (&**name, ways)).collect();
    suites.sort_by_key(|(name, _)| !name.contains('-'));
    let of_suites = suites.into_iter().map(|(name, ways)| (name, is_suite(name), Some(ways)));
    let arm = "ansible_facts['architecture'] in ['aarch64', 'arm64']".to_owned();
    let x86 = "ansible_facts['architecture'] in ['x86_64', 'amd64']".to_owned();
    let (of_arm, of_x86, of_all) = match os {
        Os::Linux => (&item.linux_aarch64, &item.linux_x86_64, &item.linux),
        Os::Macos => (&item.macos_aarch64, &item.macos_x86_64, &item.macos),
    };
    let of_arch = [("arm", arm, of_arm.as_ref()), ("x86", x86, of_x86.as_ref())];
    let mut before = format!("ansible_facts['system'] == '{system}'");
    let mut found = Vec::new();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    for (suite, is_it, ways) in of_suites.chain(of_arch) {
        let Some(ways) = ways else { continue };
        let name = format!("{}_{}_{suite}", item.id, system.to_lowercase());
        let when = format!("{before} and {is_it}");
        found.push(Holds { item, ways, when, name: name.chars().map(plain).collect() });
        before = format!("{before} and not ({is_it})");
    }
    if let Some(ways) = of_all {
        let name = format!("{}_{}", item.id, system.to_lowercase());
        let name = name.chars().map(plain).collect();
        found.push(Holds { item, ways, when: before, name });
    }
    found
}

/// `debian-12`, `ubuntu`: as /etc/os-release has them, in Ansible's words.
fn is_suite(name: &str) -> String {
    let (id, version) = name.rsplit_once('-').map_or((name, None), |(id, it)| (id, Some(it)));
    let id = if id == "rhel" { "redhat" } else { id };
    let is_it = format!("ansible_facts['distribution'] | lower == '{id}'");
    let Some(version) = version else { return is_it };
    format!(
        "{is_it} and '{version}' in [ansible_facts['distribution_major_version'], ansible_facts['distribution_version']]"
    )
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
fn elsewhere(it: &Holds) -> String {
    let families = families(it.ways);
    if families.is_empty() {
        return it.when.clone();
    }
    format!("{} and ansible_facts['os_family'] not in [{}]", it.when, families.join(", "))
}

/// What cannot be had keeps no other from its place; in the end it is told.
fn may_fail(tasks: &mut String, came: String) -> String {
    let _ = write!(tasks, "      register: {came}\n      ignore_errors: true\n");
    came
}

fn failed(tasks: &mut String, came: &[String]) {
    if came.is_empty() {
        return;
    }
    let any: Vec<String> = came.iter().map(|came| format!("{came} is failed")).collect();
    let _ = write!(
        tasks,
        "    - name: All could be installed\n      ansible.builtin.assert:\n        that: not ({})\n        fail_msg: What is ignored above was not installed.\n        quiet: true\n",
        any.join(" or ")
    );
}

/// What the system's own package manager installs of it. Names of packages have no quotes in them.
fn packages(tasks: &mut String, it: &Holds, manager: Manager, family: &str) -> Option<String> {
    managers(it.ways).find(|its| *its == manager)?;
    let (module, more) = if manager == Manager::Apt {
        ("apt", "        install_recommends: false\n")
    } else {
        ("dnf", "        install_weak_deps: false\n")
    };
    let _ = write!(
        tasks,
        "    - name: {}\n      become: true\n      ansible.builtin.{module}:\n        name: ['{}']\n        state: present\n{more}      when: {} and ansible_facts['os_family'] == '{family}' and {}\n",
        text(&format!("Install {} with {}", it.item.title, manager.name())),
        it.ways.of(manager).join("', '"),
        it.when,
        it.is_missing(),
    );
    Some(may_fail(tasks, format!("came_{}_{module}", it.name)))
}

/// One that another manager installs where the system's own does not, or that we write: where its check
/// says that it is not there.
fn other(tasks: &mut String, it: &Holds) -> Vec<String> {
    let (item, ways) = (it.item, it.ways);
    let absent = format!("      when: {} and {}\n", elsewhere(it), it.is_missing());
    let manager = managers(ways).find(|manager| !manager.needs_admin());
    let mut came = Vec::new();
    match (manager, &ways.ours) {
        (None, None) => {}
        (Some(manager), _) => {
            let step = Step {
                what: What::Packages { manager, upgrade: false },
                items: vec![StepItem {
                    id: item.id.clone(),
                    title: item.title.clone(),
                    names: ways.of(manager).to_vec(),
                    admin: false,
                }],
                size_mb: None,
            };
            for (number, call) in Call::of(&step, Path::new(HOME)).into_iter().enumerate() {
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
                came.push(may_fail(tasks, format!("came_{}_{number}", it.name)));
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
    came
}

fn by_hand(tasks: &mut String, it: &Holds) {
    let (item, ways) = (it.item, it.ways);
    let mut say = |words: &str, when: &str| {
        let name = text(&format!("By hand: {}", item.title));
        let _ = write!(
            tasks,
            "    - name: {name}\n      ansible.builtin.debug:\n        msg: {}\n      when: {when}\n",
            text(words)
        );
    };
    if let Some(words) = &ways.then {
        say(words, &it.when);
    }
    let has_other = managers(ways).any(|manager| !manager.needs_admin()) || ways.ours.is_some();
    if has_other || ways.not_needed.is_some() || ways.not_here.is_some() {
        return;
    }
    let link = item.links.first().map_or("its home page", String::as_str);
    let none = format!("No package of this system is known. See {link}.");
    say(ways.human.as_ref().unwrap_or(&none), &elsewhere(it));
}

fn check(tasks: &mut String, it: &Holds) {
    let check = it.check();
    let argv: Vec<String> = if check.only_there {
        where_is(check.command.first().map_or("", String::as_str))
    } else if !check.command.is_empty() {
        check.command.clone()
    } else if let Some(plist) = &check.plist {
        vec!["/bin/test".into(), "-e".into(), plist.file.clone()]
    } else {
        first_there(check.paths.iter().map(|path| path.replacen("~/", &format!("{HOME}/"), 1)))
    };
    let _ = write!(
        tasks,
        "    - name: {}\n      ansible.builtin.command:\n        argv: [{}]\n      register: there_{}\n      changed_when: false\n      failed_when: false\n      check_mode: false\n      when: {}\n",
        text(&format!("Is {} there", it.item.title)),
        argv.iter().map(|word| text(word)).collect::<Vec<_>>().join(", "),
        it.name,
        it.when
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
#[path = "ansible_tests.rs"]
mod tests;
