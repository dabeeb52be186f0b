//! What jobs need, installed for real by the package managers of this machine: apt as root and as a user
//! who may use `sudo -n`, npm, pip, pipx and cargo into homes of the trial's own. It needs a network.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

mod own_apt;

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use protocol::{PreinstallEnd, PreinstallNow, PreinstallPlan, PreinstallReceipt};
use serde::de::DeserializeOwned;
use skipped::skipped;
use trials::{
    Api, Options, Ours, Place, SmallDisk, Supervisor, User, has_tools, is_root, until_some,
};

/// Small, without dependencies, and nobody's.
const HELLO: &str = "hello";
const SL: &str = "sl";

struct World {
    supervisor: Supervisor,
    api: Api,
    place: Place,
}

/// `(id, check, way)`.
fn item((id, check, way): &(&str, &str, &str)) -> String {
    format!(
        "[[preinstall.item]]\nid = \"{id}\"\ncheck = {check}\nlinux = {{ {way} }}\nmacos = {{ {way} }}\n"
    )
}

impl World {
    fn with(place: Place, items: &[(&str, &str, &str)]) -> Self {
        let items: String = items.iter().map(item).collect();
        place.folders().ensure().unwrap();
        let file = place.folders().settings_file();
        run_dir::write_atomically(&file, items.as_bytes()).unwrap();
        Self::start(place)
    }

    fn start(place: Place) -> Self {
        let api = Api::of(&place);
        let supervisor = Supervisor::start(&place, &api, &Options::default());
        Self { supervisor, api, place }
    }

    fn json<T: DeserializeOwned>(&self, words: &[&str]) -> T {
        let said = self.place.runnerctl(words);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{words:?}: {error}\n{said}"))
    }

    /// A receipt, however it went.
    fn install(&self, names: &[&str]) -> PreinstallReceipt {
        let mut command = self.place.command("runnerctl");
        let output =
            command.args(["preinstall", "install", "--json"]).args(names).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{names:?}: {error}\n{}", String::from_utf8_lossy(&output.stderr))
        })
    }

    /// Installs them, and a second time has nothing to do.
    fn installs(&self, names: &[&str]) {
        let done = self.install(names);
        for item in &done.items {
            assert_eq!(item.outcome, PreinstallEnd::Installed, "{item:?}");
        }
        assert!(!done.items.is_empty() && done.cut_short.is_none(), "{done:?}");
        let words = [&["preinstall", "plan", "--json"], names].concat();
        let again: PreinstallPlan = self.json(&words);
        assert_eq!(again.steps, [], "a second run is a no-op");
        assert_eq!(again.already.len(), names.len());
    }

    fn finish(self) {
        self.supervisor.stop();
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// Whether apt works here and knows of such a package; says so where it does not.
fn apt_has(package: &str) -> bool {
    if !is_root() || !has_tools(&["apt-get", "dpkg"]) {
        return false;
    }
    let has = || succeeds("apt-cache", &["show", package]);
    let has = has() || succeeds("apt-get", &["-q", "update"]) && has();
    if !has {
        skipped("apt has no lists of packages here");
    }
    has
}

/// Of this machine for as long as the value lives, and not before.
struct Away(&'static str);

impl Away {
    fn now(package: &'static str) -> Self {
        let away = Self(package);
        away.purge();
        away
    }

    fn purge(&self) {
        let wait = "DPkg::Lock::Timeout=120";
        succeeds("apt-get", &["-q", "-y", "-o", wait, "purge", self.0]);
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.purge();
    }
}

const OF_HELLO: (&str, &str, &str) = (
    HELLO,
    "{ command = [\"hello\", \"--version\"], version = \"hello (GNU Hello) {version}\" }",
    "apt = \"hello\"",
);

#[test]
fn apt_installs_as_root_what_is_missing_and_a_package_that_does_not_exist_stops_no_other() {
    if !apt_has(HELLO) {
        return;
    }
    let _away = Away::now(HELLO);
    let moon = ("moon", "{ command = [\"moon\"] }", "apt = \"no-such-package-of-ours\"");
    let world = World::with(Place::new(), &[OF_HELLO, moon]);
    let done = world.install(&["hello", "moon"]);
    let of = |id: &str| done.items.iter().find(|it| it.item.id == id).unwrap();
    assert_eq!(of("hello").outcome, PreinstallEnd::Installed, "{done:?}");
    assert_eq!(of("moon").outcome, PreinstallEnd::Failed);
    let said = of("moon").said.as_deref().unwrap();
    assert!(said.contains("Unable to locate package no-such-package-of-ours"), "{said}");
    world.installs_nothing_more();
    world.finish();
}

impl World {
    fn installs_nothing_more(&self) {
        let again: PreinstallPlan = self.json(&["preinstall", "plan", "hello", "--json"]);
        assert_eq!((again.steps.len(), again.already.len()), (0, 1));
    }
}

#[test]
fn apt_waits_for_a_lock_that_another_process_holds_and_names_it() {
    if !apt_has(HELLO) || !has_tools(&["python3"]) {
        return;
    }
    let _away = Away::now(HELLO);
    let world = World::with(Place::new(), &[OF_HELLO]);
    let script = "import fcntl,sys\nf=open('/var/lib/dpkg/lock-frontend','w')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('held',flush=True)\nsys.stdin.read()";
    let mut holder = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    holder.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
    let mut command = world.place.command("runnerctl");
    command.args(["preinstall", "install", "hello"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = Ours::start(command);
    // Its lists come from the network first.
    let waits = until_some(Duration::from_mins(5), "it waits", || {
        match world.api.snapshot().ok()?.preinstall {
            Some(PreinstallNow::Installing(runs)) => runs.waits,
            _ => None,
        }
    });
    assert!(waits.contains(&format!("(process {})", holder.id())), "{waits}");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert!(client.ended("runnerctl").success());
    world.installs_nothing_more();
    world.finish();
}

#[test]
fn with_a_mirror_that_is_down_it_says_so() {
    if !apt_has(HELLO) {
        return;
    }
    let _away = Away::now(HELLO);
    // What was downloaded once is not asked for.
    succeeds("apt-get", &["clean"]);
    let mut place = Place::new();
    for name in ["http_proxy", "https_proxy"] {
        place.set_env(name, "http://127.0.0.1:9");
    }
    let world = World::with(place, &[OF_HELLO]);
    let done = world.install(&["hello"]);
    assert_eq!(done.items[0].outcome, PreinstallEnd::Failed, "{done:?}");
    let said = done.items[0].said.as_deref().unwrap();
    assert!(said.contains("127.0.0.1"), "{said}");
    world.finish();
}

#[test]
fn apt_installs_for_a_user_who_may_use_sudo_and_is_refused_to_one_who_may_not() {
    if !User::can_be_made() || !apt_has(SL) {
        return;
    }
    let _away = Away::now(SL);
    let mut user = User::make("pre");
    let program = trials::program("runner-tray-supervisor");
    if !succeeds("runuser", &["-u", &user.name, "--", "test", "-x", program.to_str().unwrap()]) {
        return skipped("other users cannot reach our programs");
    }
    let mut place = Place::new();
    place.folders().ensure().unwrap();
    let text = item(&(SL, "{ command = [\"/usr/games/sl\"], only_there = true }", "apt = \"sl\""));
    run_dir::write_atomically(&place.folders().settings_file(), text.as_bytes()).unwrap();
    let ids = format!("{}:{}", user.id, user.group);
    assert!(succeeds("chown", &["--recursive", &ids, place.root().to_str().unwrap()]));
    place.set_user(user.id, user.group);
    for name in ["USER", "LOGNAME"] {
        place.set_env(name, user.name.as_str());
    }
    place.set_env("RUNNER_TRAY_ALLOW_ROOT", "0");
    let world = World::start(place);
    let refused = world.place.runnerctl_fails(&["preinstall", "install", SL]);
    assert!(refused.contains("sudo asks for a password"), "{refused}");
    assert!(!succeeds("dpkg", &["-s", SL]), "nothing was begun");
    user.may_run_as("root");
    world.installs(&[SL]);
    assert!(succeeds("dpkg", &["-s", SL]));
    world.finish();
}

/// A home that tools may write to, with what this machine's user has told them of toolchains and
/// certificates.
fn home() -> Place {
    let place = Place::new();
    let home = std::path::PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    for (name, variable) in [(".rustup", "RUSTUP_HOME"), (".cargo", "CARGO_HOME")] {
        let there = std::env::var_os(variable).map_or_else(|| home.join(name), Into::into);
        if there.is_dir() {
            std::os::unix::fs::symlink(there, place.path("owner").join(name)).unwrap();
        }
    }
    let told = std::fs::read_to_string(home.join(".npmrc")).unwrap_or_default();
    let certificates = std::env::var("NODE_EXTRA_CA_CERTS").ok();
    let certificates = certificates.map(|file| format!("cafile={file}\n")).unwrap_or_default();
    let npmrc = place.path("owner").join(".npmrc");
    run_dir::write_atomically(&npmrc, format!("{told}\n{certificates}").as_bytes()).unwrap();
    place
}

#[test]
fn npm_installs_into_the_home_of_jobs() {
    if !has_tools(&["node", "npm"]) {
        return;
    }
    if !succeeds("npm", &["view", "mkdirp", "version"]) {
        return skipped("npm's registry cannot be reached");
    }
    let mkdirp = (
        "mkdirp",
        "{ command = [\"mkdirp\", \"--version\"], version = \"{version}\" }",
        "npm = \"mkdirp\"",
    );
    let world = World::with(home(), &[mkdirp]);
    world.installs(&["mkdirp"]);
    assert!(world.place.path("owner").join(".local/bin/mkdirp").exists());
    world.finish();
}

#[test]
fn pip_installs_for_the_user_that_jobs_run_as() {
    if !has_tools(&["python3"]) {
        return;
    }
    let dry = ["-m", "pip", "install", "--user", "--dry-run", "--no-deps", "iniconfig"];
    if !succeeds("python3", &dry) {
        return skipped(
            "pip cannot install here: there is none, no network, or the system says no",
        );
    }
    // One that this Python does not have.
    let package = ["iniconfig", "toolz", "pyfiglet"]
        .into_iter()
        .find(|name| !succeeds("python3", &["-c", &format!("import {name}")]))
        .unwrap();
    let check =
        format!("{{ command = [\"python3\", \"-c\", \"import {package}\"], missing_exit = 1 }}");
    let way = format!("pip = \"{package}\"");
    let world = World::with(home(), &[(package, &check, &way)]);
    world.installs(&[package]);
    world.finish();
}

#[test]
fn cargo_builds_a_crate_into_the_home_of_jobs() {
    if !has_tools(&["cargo", "cc"]) {
        return;
    }
    if !succeeds("cargo", &["info", CRATE]) {
        return skipped("cargo's registry cannot be reached");
    }
    let check = format!("{{ command = [\"{CRATE}\", \"--version\"], version = \"{{version}}\" }}");
    let way = format!("cargo = \"{CRATE}\"");
    let world = World::with(home(), &[("tiny", &check, &way)]);
    world.installs(&["tiny"]);
    world.finish();
}

/// A crate with a program and without dependencies.
const CRATE: &str = "shellharden";

#[test]
fn apt_brings_pipx_which_brings_a_program() {
    if !apt_has("pipx") {
        return;
    }
    // Where it is not this machine's own it goes again.
    let _away = (!succeeds("dpkg", &["-s", "pipx"])).then(|| Away("pipx"));
    let pycowsay = ("pycowsay", "{ command = [\"pycowsay\", \"hi\"] }", "pipx = \"pycowsay\"");
    let world = World::with(home(), &[pycowsay]);
    let plan: PreinstallPlan = world.json(&["preinstall", "plan", "pycowsay", "--json"]);
    let last = plan.steps.last().unwrap();
    assert_eq!(last.by, "pipx", "{plan:?}");
    world.installs(&["pycowsay"]);
    assert!(world.place.path("owner").join(".local/bin/pycowsay").exists());
    world.finish();
}

#[test]
fn on_a_full_disk_npm_ends_well_and_the_check_and_its_words_say_otherwise() {
    if !has_tools(&["node", "npm"]) {
        return;
    }
    if !succeeds("npm", &["view", "mkdirp", "version"]) {
        return skipped("npm's registry cannot be reached");
    }
    let mkdirp = ("mkdirp", "{ command = [\"mkdirp\", \"--version\"] }", "npm = \"mkdirp\"");
    let world = World::with(home(), &[mkdirp]);
    let (local, left) = (world.place.path("owner").join(".local"), world.place.path("gone"));
    std::fs::create_dir_all(&local).unwrap();
    let Some(disk) = SmallDisk::over(&local, &left, "size=8k") else {
        return world.finish();
    };
    let done = world.install(&["mkdirp"]);
    assert_eq!(done.items[0].outcome, PreinstallEnd::Failed, "{done:?}");
    let said = done.items[0].said.as_deref().unwrap();
    assert!(said.contains("ENOSPC"), "npm warns and exits with 0: {said}");
    drop(disk);
    world.installs(&["mkdirp"]);
    world.finish();
}
