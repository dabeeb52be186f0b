//! The supervisor as a service of a real systemd user manager, in a mount namespace of its own: enabled,
//! killed, stopped, started and disabled; the agent goes on all the while.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use protocol::RunnerState;
use trials::{Circle, DEADLINE, Options, Ours, Place, Rig, has_tools, is_root, nap, until};

const UNIT: &str = "runner-tray-supervisor.service";
const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// Runs what it reads, line by line, in a session with a user manager; says the exit code of each.
///
/// A user manager takes all that is in its control group into a scope of its own, and the whole machine
/// where that is the root: so the session has groups that hold nothing else.
const SESSION: &str = r#"
while IFS=: read -r _ controllers path; do
    for root in "/sys/fs/cgroup/${controllers#name=}" /sys/fs/cgroup/unified; do
        [ -e "$root/cgroup.procs" ] || continue
        group="$root$path/$CONTROL_GROUP"
        mkdir "$group" 2>/dev/null && echo $$ >"$group/cgroup.procs"
    done
done </proc/$$/cgroup 2>/dev/null
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR" || exit 1
chmod 700 "$XDG_RUNTIME_DIR"
/usr/lib/systemd/systemd --user >"$HOME/systemd.log" 2>&1 &
manager=$!
for _ in $(seq 1200); do systemctl --user is-system-running >/dev/null 2>&1 && break; sleep 0.05; done
echo "ready"
while read -r line; do sh -c "$line" >"$HOME/said" 2>&1; echo "$?" >"$HOME/code"; echo "done"; done
systemctl --user stop runner-tray-supervisor.service >/dev/null 2>&1
kill "$manager"; wait "$manager"
"#;

/// The control groups of a session, removed with this value once nothing is in them.
struct ControlGroups(String);

impl ControlGroups {
    fn new() -> Self {
        Self(format!("runner-tray-trial-{}", std::process::id()))
    }

    /// Each with all below it, the lowest first.
    fn there(&self) -> Vec<PathBuf> {
        let find = ["/sys/fs/cgroup", "-depth", "-type", "d", "-path"];
        let found = Command::new("find").args(find).arg(format!("*/{}*", self.0)).output();
        let found = found.map(|found| found.stdout).unwrap_or_default();
        String::from_utf8_lossy(&found).lines().map(PathBuf::from).collect()
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        for _ in 0..100 {
            let there = self.there();
            if there.is_empty() {
                return;
            }
            for group in there {
                let _ = std::fs::remove_dir(group);
            }
            nap(Duration::from_millis(50));
        }
        println!("control groups are left: {:?}", self.there());
    }
}

struct Session {
    process: Ours,
    said: PathBuf,
}

impl Session {
    fn start(place: &Place, groups: &ControlGroups) -> Self {
        let mut command = place.command("/usr/bin/unshare");
        command.env("CONTROL_GROUP", &groups.0);
        command.args(["-m", "--propagation", "private", "bash", "-c", SESSION]);
        command.env("XDG_RUNTIME_DIR", "/run/user/0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut session = Self { process: Ours::start(command), said: place.path("owner") };
        session.answered("ready");
        session
    }

    fn answered(&mut self, word: &str) {
        let stdout = self.process.child().stdout.as_mut().expect("a pipe");
        let mut line = vec![0; word.len() + 1];
        stdout.read_exact(&mut line).expect("the session says something");
        assert_eq!(String::from_utf8_lossy(&line).trim_end(), word);
    }

    /// What the command said, and whether it went well.
    fn run(&mut self, command: &str) -> (bool, String) {
        let stdin = self.process.child().stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{command}").expect("the session reads");
        self.answered("done");
        let read = |name: &str| std::fs::read_to_string(self.said.join(name)).unwrap_or_default();
        (read("code").trim() == "0", read("said"))
    }

    #[track_caller]
    fn runnerctl(&mut self, arguments: &str) -> String {
        let program = trials::program("runnerctl");
        let (well, said) = self.run(&format!("{} {arguments}", program.display()));
        assert!(well, "runnerctl {arguments}: {said}");
        said
    }

    /// The user manager ends, and the session with it.
    fn end(mut self) {
        drop(self.process.child().stdin.take());
        let ended = self.process.child().wait().expect("a child of ours");
        assert!(ended.success() || ended.code().is_some(), "{ended:?}");
    }

    fn main_pid(&mut self) -> u32 {
        let show = "systemctl --user show runner-tray-supervisor.service -p MainPID --value";
        self.run(show).1.trim().parse().unwrap_or_default()
    }
}

#[test]
fn a_supervisor_of_systemd_s_comes_back_after_a_crash_and_the_agent_never_notices() {
    if !has_tools(&["unshare", "systemctl", "bash"]) || !is_root() {
        return;
    }
    if !std::path::Path::new("/usr/lib/systemd/systemd").is_file() {
        skipped::skipped("systemd is not installed");
        return;
    }
    let groups = ControlGroups::new();
    let of_the_first = control_groups(1);
    let place = Place::new();
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    let job = rig.long_job();
    rig.until_state(RunnerState::Busy);
    let agent = rig.runner().agent_pid.expect("an agent");

    // Without a service manager it is said, and the supervisor that runs goes on.
    let refused = rig.place.command("runnerctl").args(["supervisor", "enable"]).output().unwrap();
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("no service manager"), "{words}");
    assert!(rig.api.health().is_ok());

    let mut session = Session::start(&rig.place, &groups);
    let by_hand = rig.api.health().unwrap().pid;
    let said = session.runnerctl("supervisor enable");
    assert!(said.contains("starts with every login"), "{said}");
    drop(rig.supervisor.take());
    let first = session.main_pid();
    assert!(first != 0 && first != by_hand);
    assert_eq!(rig.api.health().unwrap().pid, first);
    assert!(session.runnerctl("supervisor status --json").contains("\"at_login\": true"));
    assert_eq!(rig.runner().agent_pid, Some(agent));
    session.runnerctl("supervisor enable");
    assert_eq!(session.main_pid(), first, "said twice is said once");

    // Killed, it is started again.
    let (killed, _) = session.run(&format!("kill -9 {first}"));
    assert!(killed);
    until(DEADLINE, "systemd starts it again", || {
        rig.api.health().is_ok_and(|health| health.pid != first)
    });
    let second = session.main_pid();
    assert_eq!(rig.api.health().unwrap().pid, second);
    rig.until_runner("the agent goes on", |runner| runner.agent_pid == Some(agent));

    // Stopped, it stays so; started, systemd starts it.
    session.runnerctl("supervisor stop");
    nap(Duration::from_secs(4));
    assert!(rig.api.health().is_err(), "an end that was asked for is none to mend");
    session.runnerctl("supervisor start");
    assert_eq!(rig.api.health().unwrap().pid, session.main_pid());

    // systemd's own stop ends neither agent nor task.
    session.run("systemctl --user restart runner-tray-supervisor.service");
    until(DEADLINE, "it answers again", || rig.api.health().is_ok());
    rig.until_runner("the agent goes on", |runner| runner.agent_pid == Some(agent));
    job.let_go();
    rig.assert_ended_well(&job);

    session.runnerctl("supervisor disable");
    assert!(!rig.place.path("owner/.config/systemd/user/runner-tray-supervisor.service").exists());
    assert_eq!(session.main_pid(), 0);
    assert!(rig.api.health().is_ok(), "one that ran runs on, without systemd");
    session.end();
    rig.quiesce();
    rig.place.runnerctl(&["supervisor", "stop"]);
    until(DEADLINE, "it has ended", || rig.api.health().is_err());
    assert_eq!(control_groups(1), of_the_first, "no process but ours was moved");
}

#[test]
fn a_unit_that_a_package_brought_is_used_and_none_of_ours_stands_before_it() {
    if !has_tools(&["unshare", "systemctl", "bash"]) || !is_root() {
        return;
    }
    if !std::path::Path::new("/usr/lib/systemd/systemd").is_file() {
        skipped::skipped("systemd is not installed");
        return;
    }
    let groups = ControlGroups::new();
    let mut rig = Rig::bare(&USUAL);
    let own = rig.place.path("owner/.config/systemd/user").join(UNIT);
    let mut session = Session::start(&rig.place, &groups);
    let link = |session: &mut Session| {
        let wants = "readlink \"$HOME/.config/systemd/user/default.target.wants/\"*";
        session.run(wants).1.trim().to_owned()
    };

    // Before there is a package, one of ours is written.
    session.runnerctl("supervisor enable");
    drop(rig.supervisor.take());
    assert!(own.is_file());
    assert_eq!(link(&mut session), own.display().to_string());
    let pid = session.main_pid();

    // A folder of the manager's list that only this session has, as /usr/lib/systemd/user is the package's.
    let unit = std::fs::read_to_string(&own).unwrap();
    let package = rig.place.path("package");
    run_dir::write_atomically(&package, unit.as_bytes()).unwrap();
    let into = format!("/run/systemd/user/{UNIT}");
    let brought = format!("install -Dm644 '{}' {into}", package.display());
    assert!(session.run(&brought).0);
    session.runnerctl("supervisor enable");
    assert!(!own.exists(), "there is one description, and it is the package's");
    assert_eq!(link(&mut session), into);
    assert_eq!(session.main_pid(), pid, "what runs goes on");
    assert!(session.runnerctl("supervisor status --json").contains("\"at_login\": true"));
    session.runnerctl("supervisor stop");
    session.runnerctl("supervisor start");
    assert_ne!(session.main_pid(), 0, "systemd keeps the package's");

    // A package's that starts another program is left alone, and ours goes before it.
    assert!(session.run(&format!("sed -i 's|^ExecStart=.*|ExecStart=/bin/false|' {into}")).0);
    session.runnerctl("supervisor enable");
    assert_eq!(std::fs::read_to_string(&own).unwrap(), unit);
    assert_eq!(link(&mut session), own.display().to_string());

    session.runnerctl("supervisor disable");
    assert!(!own.exists());
    assert!(session.run(&format!("test -f {into}")).0, "a package's file is the package's");
    session.end();
    rig.place.runnerctl(&["supervisor", "stop"]);
    until(DEADLINE, "it has ended", || rig.api.health().is_err());
}

/// A process's groups, as the kernel tells them.
fn control_groups(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if !has_tools(&["systemd-analyze"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runner-tray-supervisor.service");
    let unit = host::login_service::systemd_unit(&trials::program("runner-tray-supervisor"), None);
    run_dir::write_atomically(&file, unit.as_bytes()).unwrap();
    let output = Command::new("systemd-analyze").args(["--user", "verify"]).arg(&file).output();
    let words = String::from_utf8_lossy(&output.unwrap().stderr).into_owned();
    // It exits 0 with bad values; only silence is well.
    let about_it: Vec<&str> = words
        .lines()
        .filter(|line| line.contains("runner-tray-supervisor") && !line.contains("man "))
        .collect();
    assert_eq!(about_it, Vec::<&str>::new(), "{words}");
}
