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
const REFRESH: &str = "\
    - name: Refresh apt's lists of packages
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_playbook_has_each_item_and_no_template_of_others() {
        let all = Catalogue::built_in();
        let items: Vec<&Item> = all.items.iter().collect();
        let book = playbook(all, &items);
        for word in ["['git']", "\"yarn\"", "ansible.builtin.dnf", "By hand: Xcode"] {
            assert!(book.contains(word), "{word}");
        }
        for line in book.lines() {
            let rest = line.replace(HOME, "").replace("{{ ansible_facts['env']['PATH'] }}", "");
            assert!(!rest.contains("{{") || rest.contains("!unsafe"), "{line}");
        }
        assert!(playbook(all, &[]).contains("Nothing to do"));
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
        let book = playbook(all, &items);
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

    /// What else holds of those that are of one name.
    fn when(book: &str, name: &str) -> Vec<String> {
        let all = book.split("- name: ").filter(|it| it.starts_with(name));
        let when = |task: &str| {
            task.lines().find_map(|line| line.trim().strip_prefix("when: ")).map(str::to_owned)
        };
        all.filter_map(when).collect()
    }

    #[test]
    fn a_release_that_has_it_otherwise_has_tasks_of_its_own() {
        let all = Catalogue::built_in();
        let book =
            playbook(all, &[all.item("docker").unwrap(), all.item("docker-compose").unwrap()]);
        let bookworm = "ansible_facts['distribution'] | lower == 'debian' and '12' in [";
        let ubuntu = "ansible_facts['distribution'] | lower == 'ubuntu'";
        let of_docker = when(&book, "\"Install Docker with apt\"");
        let [first, second, rest] = &of_docker[..] else { panic!("{of_docker:?}") };
        assert!(first.contains(bookworm) && !first.contains("not ("), "{first}");
        assert!(second.contains(&format!(" and {ubuntu} and ")), "{second}");
        let of_neither = [format!("not ({bookworm}"), format!("not ({ubuntu})")];
        assert!(of_neither.iter().all(|not| rest.contains(not)), "{rest}");
        let (name, _) = task(&book, "\"Install Docker Compose with apt\"");
        assert!(name.contains("['docker-compose']") && name.contains(bookworm), "{name}");
        assert!(
            book.contains("['docker-compose-v2']") && book.contains("['docker.io', 'docker-cli']")
        );
        // It is looked at otherwise there, into a variable of its own.
        assert!(book.contains("argv: [\"docker-compose\", \"--version\"]"), "{book}");
        assert!(book.contains("register: there_docker_compose_linux_debian_12\n"), "{book}");
        let (by_hand, _) = task(&book, "\"By hand: Docker Compose\"");
        assert!(by_hand.contains("This release has") && by_hand.contains(bookworm), "{by_hand}");
    }

    #[test]
    fn what_is_needed_and_what_brings_a_manager_is_in_it_and_comes_first() {
        let all = Catalogue::built_in();
        let at = |book: &str, name: &str| {
            let task = format!("- name: \"{name}\"\n");
            book.find(&task).unwrap_or_else(|| panic!("no {name} in {book}"))
        };
        let yarn = playbook(all, &[all.item("yarn").unwrap()]);
        let node = at(&yarn, "Install Node.js with apt");
        let npm = at(&yarn, "Install npm with apt");
        assert!(node < npm && npm < at(&yarn, "Install Yarn with npm"), "{yarn}");
        let homebrew = when(&yarn, "\"By hand: Homebrew\"");
        assert!(matches!(&homebrew[..], [one] if one.contains("'Darwin'")), "{homebrew:?}");
        // Ubuntu has no package of sdkmanager.
        let android = playbook(all, &all.named(&[], &["android".to_owned()]).unwrap());
        let sdk = at(&android, "Install Android command line tools with pipx");
        assert!(at(&android, "Install pipx with apt") < sdk, "{android}");
        // What a playbook leaves to people it needs no manager for.
        let geckodriver = playbook(all, &[all.item("geckodriver").unwrap()]);
        assert!(!geckodriver.contains("Install Rust with"), "{geckodriver}");
    }

    #[test]
    fn one_that_cannot_be_had_keeps_no_other_from_its_place_and_is_told_in_the_end() {
        let all = Catalogue::built_in();
        let book = playbook(all, &[all.item("jq").unwrap(), all.item("yarn").unwrap()]);
        for name in
            ["\"Install jq with apt\"", "\"Install jq with dnf\"", "\"Install Yarn with npm\""]
        {
            assert!(task(&book, name).0.contains("ignore_errors: true"), "{name}");
        }
        let (last, times) = task(&book, "All could be installed");
        assert!(times == 1 && last.contains("came_jq_linux_apt is failed or"), "{last}");
        assert_eq!(book.matches("update_cache").count(), 1);
    }

    #[test]
    fn a_playbook_looks_at_every_path_and_finds_homebrew() {
        let all = Catalogue::built_in();
        let book = playbook(all, &[all.item("ca-certificates").unwrap()]);
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

    /// Each line without what stands in quotes, and without the names of variables about that release.
    fn conditions(suite: &str, item: &Item) -> Vec<String> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = format!("odd_linux_{suite}").chars().map(plain).collect();
        let book = playbook(Catalogue::built_in(), &[item]).replace(&name, "NAME");
        book.lines().map(|line| line.split('\'').step_by(2).collect()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the owner calls a system: it is refused, or stays within its quotes.
        #[test]
        fn a_systems_name_is_refused_or_changes_no_condition(
            suite in prop_oneof![
                "[a-z0-9._-]{1,12}",
                "(debian|rhel)-?[0-9.]{0,5}",
                ".{0,12}",
                r#"[a-z]{0,4}(' or true|'|"|\{\{|\}\}|#|\n| ){1,2}[a-z]{0,4}"#,
            ],
        ) {
            let item = |suite: &str| -> Item {
                let own = serde_json::json!({
                    "id": "odd", "title": "Odd", "check": { "command": ["odd"] },
                    "on": { (suite): { "apt": "odd", "npm": "odd" } },
                });
                serde_json::from_value(own).unwrap()
            };
            let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
            let is_plain = !suite.is_empty() && suite.chars().all(plain);
            prop_assert_eq!(item(&suite).judge().is_ok(), is_plain);
            if is_plain {
                let usual = if suite.contains('-') { "usual-1" } else { "usual" };
                prop_assert_eq!(
                    conditions(&suite, &item(&suite)),
                    conditions(usual, &item(usual))
                );
            }
        }
    }
}
