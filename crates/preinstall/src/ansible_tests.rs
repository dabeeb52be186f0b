//! Playbooks: whole, in order, and nobody else's code.

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
fn every_task_stands_where_the_others_do() {
    let all = Catalogue::built_in();
    let items: Vec<&Item> = all.items.iter().collect();
    let book = playbook(all, &items);
    let (_, block) = book.split_once("      block:\n").unwrap();
    for task in block.lines().filter(|line| line.trim_start().starts_with("- name: ")) {
        assert!(task.starts_with("        - name: "), "{task}");
    }
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
        !book.contains("By hand: Xvfb") || !task(&book, "\"By hand: Xvfb\"").0.contains("Darwin")
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
    let book = playbook(all, &[all.item("docker").unwrap(), all.item("docker-compose").unwrap()]);
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
    assert!(book.contains("['docker-compose-v2']") && book.contains("['docker.io', 'docker-cli']"));
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
    for name in ["\"Install jq with apt\"", "\"Install jq with dnf\"", "\"Install Yarn with npm\""]
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
