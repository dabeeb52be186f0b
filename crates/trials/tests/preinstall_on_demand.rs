//! What takes minutes and a network, on demand (`--run-ignored all`): the archive's names, a clean Debian,
//! an exported playbook.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use protocol::{Preinstall, PreinstallEnd, PreinstallHow, PreinstallPlan, PreinstallReceipt};
use skipped::skipped;
use trials::{Api, DEADLINE, Options, Place, Supervisor, has_tools, is_root, program, until};

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[test]
#[ignore = "asks the archive's lists: run it on demand"]
fn every_debian_package_of_the_catalogue_is_in_the_archive() {
    if !has_tools(&["apt-cache"]) {
        return;
    }
    if !succeeds("apt-cache", &["show", "bash"]) {
        return skipped("apt has no lists of packages here");
    }
    let place = Place::new();
    let api = Api::of(&place);
    place.folders().ensure().unwrap();
    let supervisor = Supervisor::start(&place, &api, &Options::default());
    let said = place.runnerctl(&["preinstall", "list", "--json"]);
    let list: Preinstall = serde_json::from_str(&said).unwrap();
    let mut asked = 0;
    let mut unknown = Vec::new();
    for item in &list.items {
        if let PreinstallHow::Packages { by, names, .. } = &item.how
            && by == "apt"
        {
            asked += names.len();
            unknown.extend(names.iter().filter(|name| !succeeds("apt-cache", &["show", name])));
        }
    }
    assert!(asked > 30, "{asked}");
    assert_eq!(unknown, Vec::<&String>::new());
    supervisor.stop();
}

/// Of a Debian.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A folder that is a Debian of its own.
struct Debian<'a> {
    root: &'a Path,
}

impl<'a> Debian<'a> {
    /// Once it answers.
    fn supervisor(&self) -> Child {
        let command = &["runner-tray-supervisor"];
        let supervisor = self.command(command).stdout(Stdio::null()).spawn().unwrap();
        until(DEADLINE, "the supervisor answers", || {
            self.says(&["runnerctl", "supervisor", "status"]).0 == Some(0)
        });
        supervisor
    }

    fn made(root: &'a Path) -> Self {
        let output = Command::new("debootstrap")
            .args(["--variant=minbase", "bookworm"])
            .arg(root)
            .args(mirror())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let debian = Self { root };
        for (from, to) in [("proc", "proc"), ("sysfs", "sys")] {
            assert!(succeeds("mount", &["-t", from, from, root.join(to).to_str().unwrap()]));
        }
        // The way to the archive is this machine's.
        for file in ["/etc/resolv.conf", "/etc/hosts"] {
            let _ = fs::copy(file, root.join(file.trim_start_matches('/')));
        }
        for entry in fs::read_dir("/etc/apt/apt.conf.d").into_iter().flatten().flatten() {
            let to = root.join("etc/apt/apt.conf.d").join(entry.file_name());
            if !to.exists() {
                let _ = fs::copy(entry.path(), to);
            }
        }
        // So is the way to registries.
        for entry in
            fs::read_dir("/usr/local/share/ca-certificates").into_iter().flatten().flatten()
        {
            let to = root.join("usr/local/share/ca-certificates");
            fs::create_dir_all(&to).unwrap();
            let _ = fs::copy(entry.path(), to.join(entry.file_name()));
        }
        let _ = fs::copy("/etc/pip.conf", root.join("etc/pip.conf"));
        let npmrc = format!("cafile={CERTIFICATES}\n");
        run_dir::write_atomically(&root.join("root/.npmrc"), npmrc.as_bytes()).unwrap();
        for name in ["runnerctl", "runner-tray-supervisor", "runner-tray-keeper"] {
            fs::copy(program(name), root.join("usr/bin").join(name)).unwrap();
        }
        debian
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.root).args(words).env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("RUNNER_TRAY_HOME", "/root/tray").env("RUNNER_TRAY_ALLOW_ROOT", "1");
        for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", "/root").env("SSL_CERT_FILE", CERTIFICATES);
        command
    }

    fn says(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.command(words).output().unwrap();
        (output.status.code(), text(&output))
    }
}

impl Drop for Debian<'_> {
    fn drop(&mut self) {
        for name in ["proc", "sys"] {
            succeeds("umount", &["-l", self.root.join(name).to_str().unwrap()]);
        }
    }
}

/// The one that this machine's apt uses, where it is a Debian.
fn mirror() -> Option<String> {
    let output = Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]).output();
    let text = String::from_utf8_lossy(&output.ok()?.stdout).into_owned();
    let is_debian = |line: &&str| line.starts_with("http") && !line.contains("security");
    text.lines().find(is_debian).map(str::to_owned)
}

#[test]
#[ignore = "makes a Debian: run it on demand"]
fn in_a_clean_debian_the_essentials_are_installed_and_a_second_run_changes_nothing() {
    if !is_root() || !has_tools(&["debootstrap", "chroot", "mount"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("debian")).unwrap();
    let root = folder.path().join("debian");
    let debian = Debian::made(&root);
    let mut supervisor = debian.supervisor();
    let (_, before) = debian.says(&["runnerctl", "preinstall", "plan", "essentials"]);
    assert!(before.contains("apt-get") && before.contains("git"), "{before}");
    let (code, said) =
        debian.says(&["runnerctl", "preinstall", "install", "essentials", "--item", "xvfb"]);
    assert_eq!(code, Some(0), "{said}");
    let list = || debian.says(&["dpkg-query", "-W"]).1;
    let packages = list();
    assert!(packages.contains("git-lfs"), "{packages}");
    let (code, again) =
        debian.says(&["runnerctl", "preinstall", "install", "essentials", "--item", "xvfb"]);
    assert_eq!(code, Some(0), "{again}");
    assert!(again.contains("Nothing to install"), "{again}");
    assert_eq!(list(), packages);
    assert_eq!(wrong_sizes(&debian), Vec::<String>::new());
    assert_eq!(debian.says(&["runnerctl", "supervisor", "stop"]).0, Some(0));
    supervisor.wait().unwrap();
}

/// Plans whose sizes are not about what apt itself says, which is what is promised.
fn wrong_sizes(debian: &Debian<'_>) -> Vec<String> {
    let said = debian.says(&["runnerctl", "preinstall", "list", "--json"]).1;
    let list: Preinstall = serde_json::from_str(&said).unwrap();
    let mut wrong = Vec::new();
    for (preset, _) in PRESETS {
        let said = debian.says(&["runnerctl", "preinstall", "plan", preset, "--json"]).1;
        let plan: PreinstallPlan = serde_json::from_str(&said).unwrap();
        let by_apt = plan.steps.iter().find(|step| step.by == "apt" && !step.items.is_empty());
        let step = by_apt.unwrap();
        let items = list.items.iter().filter(|item| step.items.contains(&item.id));
        let names = items.filter_map(|item| match &item.how {
            PreinstallHow::Packages { names, .. } => Some(names.iter().map(String::as_str)),
            PreinstallHow::Ours { .. } | PreinstallHow::Human { .. } | PreinstallHow::Other => None,
        });
        let install = ["apt-get", "--assume-no", "--no-install-recommends", "install"];
        let words: Vec<&str> = install.into_iter().chain(names.flatten()).collect();
        let apt = of_apt(&debian.says(&words).1);
        let planned = step.size.unwrap().0 / 1_000_000;
        println!("{preset}: {planned} MB planned, {apt} MB by apt");
        if planned + 10 < apt * 3 / 4 || planned > apt * 2 + 60 {
            wrong.push(format!("{preset}: {planned} MB planned, {apt} MB by apt"));
        }
    }
    wrong
}

/// In megabytes, of "After this operation, 428 MB of additional disk space will be used."
fn of_apt(said: &str) -> u64 {
    let line = said.lines().find_map(|line| line.strip_prefix("After this operation, ")).unwrap();
    let (number, rest) = line.split_once(' ').unwrap();
    let number: f64 = number.replace(',', "").parse().unwrap();
    let of = |number: f64| format!("{number:.0}").parse().unwrap();
    match rest.split(' ').next() {
        Some("GB") => of(number * 1000.0),
        Some("MB") => of(number),
        Some(_) | None => 0,
    }
}

#[test]
#[ignore = "makes a Debian with Ansible: run it on demand"]
fn in_a_clean_debian_an_exported_playbook_brings_containers_by_the_names_of_its_release() {
    if !is_root() || !has_tools(&["debootstrap", "chroot", "mount"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("debian")).unwrap();
    let root = folder.path().join("debian");
    let debian = Debian::made(&root);
    let mut supervisor = debian.supervisor();
    assert_eq!(debian.says(&["apt-get", "-q", "update"]).0, Some(0));
    let ansible = ["ansible-core", "python3-apt"];
    let install = ["apt-get", "-q", "-y", "--no-install-recommends", "install"];
    let (code, said) = debian.says(&[&install[..], &ansible].concat());
    assert_eq!(code, Some(0), "{said}");
    let presets = ["containers", "containers-podman"];
    let words = [&["runnerctl", "preinstall", "export", "ansible"], &presets[..]].concat();
    let book = debian.command(&words).output().unwrap().stdout;
    run_dir::write_atomically(&root.join("root/playbook.yml"), &book).unwrap();
    let words = ["ansible-playbook", "-i", "localhost,", "-c", "local", "/root/playbook.yml"];
    let (code, first) = debian.says(&words);
    assert_eq!(code, Some(0), "{first}");
    for tool in ["docker", "docker-compose", "podman"] {
        assert!(root.join("usr/bin").join(tool).exists(), "{tool}: {first}");
    }
    assert!(first.contains("This release has `docker-compose` alone."), "{first}");
    let (code, again) = debian.says(&words);
    assert!(code == Some(0) && again.contains("changed=0 "), "{again}");
    // The list for apt has the same names.
    let words = [&["runnerctl", "preinstall", "export", "apt-list"], &presets[..]].concat();
    let (_, list) = debian.says(&words);
    assert!(list.contains("docker.io\n") && !list.contains("docker-cli"), "{list}");
    assert_eq!(debian.says(&["runnerctl", "supervisor", "stop"]).0, Some(0));
    supervisor.wait().unwrap();
}

/// Each, and what of it is left to people in this release: what builds it is too old, or no program can.
const PRESETS: [(&str, &[&str]); 8] = [
    ("jvm", &[]),
    ("python", &[]),
    ("node", &[]),
    ("go", &["golangci-lint"]),
    ("containers", &["docker-running"]),
    ("containers-podman", &[]),
    ("browsers", &["geckodriver"]),
    ("rust", &["cargo-nextest"]),
];

#[test]
#[ignore = "makes a Debian and fills it with some gigabytes: run it on demand"]
fn in_a_clean_debian_presets_are_installed_and_a_second_plan_has_no_step() {
    if !is_root() || !has_tools(&["debootstrap", "chroot", "mount"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("debian")).unwrap();
    let root = folder.path().join("debian");
    let debian = Debian::made(&root);
    let mut supervisor = debian.supervisor();
    let json = |words: &[&str]| {
        let output = debian.command(&[&["runnerctl", "preinstall"], words].concat()).output();
        let output = output.unwrap();
        assert!(output.stdout.starts_with(b"{"), "{words:?}: {}", text(&output));
        output
    };
    json(&["install", "--json", "--item", "ca-certificates"]);
    let mut wrong = Vec::new();
    for (preset, by_people) in PRESETS {
        let output = json(&["install", preset, "--json"]);
        let done: PreinstallReceipt = serde_json::from_slice(&output.stdout).unwrap();
        println!("{preset}: {} s", done.seconds);
        for it in &done.items {
            println!("  {}: {:?}, {}", it.item.id, it.outcome, it.item.reading);
            if it.outcome != PreinstallEnd::Installed {
                wrong.push(format!("{preset}: {it:?}"));
            }
        }
        let output = json(&["plan", preset, "--json"]);
        let again: PreinstallPlan = serde_json::from_slice(&output.stdout).unwrap();
        let human: Vec<&str> = again.human.iter().map(|step| step.item.as_str()).collect();
        if !again.steps.is_empty() || !again.left.is_empty() || human != by_people {
            wrong.push(format!("{preset} again: {again:?}"));
        }
        // It says whether all is there.
        let code = debian.says(&["runnerctl", "preinstall", "install", preset]).0;
        if code != Some(i32::from(!by_people.is_empty())) {
            wrong.push(format!("{preset}: {code:?}"));
        }
    }
    assert_eq!(debian.says(&["runnerctl", "supervisor", "stop"]).0, Some(0));
    supervisor.wait().unwrap();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
#[ignore = "installs Ansible into a folder: run it on demand"]
fn an_exported_playbook_is_checked_run_and_run_again_without_a_change() {
    if !is_root() || !has_tools(&["apt-get", "python3", "npm"]) {
        return;
    }
    let place = Place::new();
    let venv = place.path("signs").join("ansible");
    let made = succeeds("python3", &["-m", "venv", venv.to_str().unwrap()])
        && succeeds(venv.join("bin/pip").to_str().unwrap(), &["-q", "install", "ansible-core"]);
    if !made || !succeeds("apt-get", &["-q", "-y", "install", "python3-apt"]) {
        return skipped("ansible-core or python3-apt cannot be had here");
    }
    succeeds("apt-get", &["-q", "-y", "purge", "hello"]);
    let items = "[[preinstall.item]]\nid = \"hello\"\ncheck = { command = [\"hello\", \"--version\"] }\nlinux = { apt = \"hello\" }\n\
                 [[preinstall.item]]\nid = \"mkdirp\"\ncheck = { command = [\"mkdirp\", \"--version\"] }\nlinux = { npm = \"mkdirp\" }\n";
    place.folders().ensure().unwrap();
    run_dir::write_atomically(&place.folders().settings_file(), items.as_bytes()).unwrap();
    let api = Api::of(&place);
    let supervisor = Supervisor::start(&place, &api, &Options::default());
    let words = ["preinstall", "export", "ansible", "hello", "mkdirp", "circleci", "xcode"];
    let playbook = place.path("signs").join("playbook.yml");
    run_dir::write_atomically(&playbook, place.runnerctl(&words).as_bytes()).unwrap();
    let all = place.path("signs").join("all.yml");
    let presets = [
        "essentials",
        "ios",
        "android",
        "node",
        "python",
        "go",
        "rust",
        "jvm",
        "containers",
        "containers-podman",
        "browsers",
    ];
    let words = [&["preinstall", "export", "ansible"], &presets[..]].concat();
    run_dir::write_atomically(&all, place.runnerctl(&words).as_bytes()).unwrap();
    let run = |book: &Path, more: &[&str]| {
        let output = Command::new(venv.join("bin/ansible-playbook"))
            .args([
                "-i",
                "localhost,",
                "-c",
                "local",
                "-e",
                "ansible_python_interpreter=/usr/bin/python3",
            ])
            .args(more)
            .arg(book)
            .env("HOME", place.path("owner"))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let said = text(&output);
        assert!(output.status.success(), "{more:?}: {said}");
        said
    };
    // All of the catalogue is understood and tried, and nothing is done.
    run(&all, &["--check"]);
    run(&playbook, &["--check"]);
    assert!(!Path::new("/usr/bin/hello").exists());
    let first = run(&playbook, &[]);
    assert!(Path::new("/usr/bin/hello").exists(), "{first}");
    assert!(place.path("owner").join(".local/bin/mkdirp").exists(), "{first}");
    let again = run(&playbook, &[]);
    assert!(again.contains("changed=0 "), "{again}");
    succeeds("apt-get", &["-q", "-y", "purge", "hello"]);
    supervisor.stop();
}
