//! A job finds what it would find without Runner Tray: the same task once through the whole product
//! and once by an agent that was started directly, without a command prefix.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use local_circleci::{NewTask, Outcome};
use process::{Inherited, Signal};
use protocol::RunnerState;
use trials::{Api, CLASS, DEADLINE, Options, Ours, Place, RUNNER, Rig, until};

/// All that a process inherits, of the step's bash and of the task agent above it.
const PROBE: &str = r#"
ulimit -Sa; ulimit -Ha
echo "umask $(umask)"; echo "nice $(nice)"; echo "in $(pwd)"; echo "by $(id)"
inherited() {
    echo "== $1"
    # By bash itself, which blocks a signal while it waits for a program.
    while read -r line; do
        case $line in
        Sig[BICP]*|Shd*|Groups*|NoNewPrivs*|Seccomp:*|Cap*|Cpus_allowed:*|Umask*) echo "$line" ;;
        esac
    done <"/proc/$2/status"
    cat "/proc/$2/oom_score_adj" "/proc/$2/limits" "/proc/$2/cgroup"
    # Terminal and nice of a process whose name may hold anything.
    sed 's/.*) //' "/proc/$2/stat" | cut -d ' ' -f 5,17
    readlink "/proc/$2/cwd" "/proc/$2/root"
}
inherited bash $$
inherited 'task agent' "$PPID"
for fd in /proc/$$/fd/*; do echo "fd ${fd##*/} $(readlink "$fd")"; done
for fd in 0 1 2; do echo "task agent's fd $fd $(readlink "/proc/$PPID/fd/$fd")"; done
echo "== environment of bash"; env
echo "== environment of the task agent"; tr '\0' '\n' <"/proc/$PPID/environ"
"#;
const TOKEN: &str = "CIRCLECI_RUNNER_API_AUTH_TOKEN";
/// What the task agent makes up for each task.
const OF_ONE_TASK: [&str; 10] = [
    "BASH_ENV",
    "CIRCLE_BUILD_NUM",
    "CIRCLE_BUILD_URL",
    "CIRCLE_INTERNAL_TASK_DATA",
    "CIRCLE_PIPELINE_ID",
    "CIRCLE_SHELL_ENV",
    "CIRCLE_SHA1",
    "CIRCLE_WORKFLOW_ID",
    "CIRCLE_WORKFLOW_JOB_ID",
    "CIRCLE_WORKFLOW_WORKSPACE_ID",
];

/// What remains when the numbers of pipes and the values of one task are taken out.
fn comparable(report: &str, log: &str) -> Vec<String> {
    let line = |line: &str| {
        if let Some((name, _)) = line.split_once('=')
            && OF_ONE_TASK.contains(&name)
        {
            return format!("{name} has a value");
        }
        match line.split_once(":[") {
            Some((kind, _)) if line.contains("fd ") => kind.to_owned(),
            Some(_) | None => line.replace(log, "LOG"),
        }
    };
    report.lines().map(line).collect()
}

fn report(rig: &Rig) -> String {
    let task = NewTask::new(CLASS).env("OF_THE_JOB", "two  words").step("probe", PROBE);
    let number = rig.circle.enqueue(&task);
    let task = rig.circle.finished(number);
    let output = rig.circle.output(number);
    assert_eq!(task.outcome, Some(Outcome::Success), "{output}");
    output
}

/// The environment of the agent that the product runs, its token among it.
fn agents_environment(rig: &Rig) -> Vec<(String, String)> {
    let agent = rig.run().started().written().expect("the agent is on record").process;
    let bytes = fs::read(format!("/proc/{}/environ", agent.pid)).expect("the agent lives");
    let text = String::from_utf8(bytes).expect("names and values are UTF-8");
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The same agent, with the same configuration but for the prefix, started by nobody special.
fn bare_report(rig: &Rig, environment: Vec<(String, String)>) -> String {
    let run = rig.run();
    let config = fs::read_to_string(run.config()).expect("the run's configuration");
    let (before, rest) = config.split_once("  command_prefix:\n").expect("it has a prefix");
    let (_, after) = rest.split_once("  - '--'\n").expect("the prefix ends so");
    let bare = rig.place.path("bare.yaml");
    run_dir::write_atomically(&bare, [before, after].concat().as_bytes()).expect("a file of ours");
    let log = File::create(rig.place.path("bare.log")).expect("a file of ours");
    let plan = run.plan().written().expect("the run's plan");
    // However nice whoever runs this test is.
    let own = Command::new("nice").output().expect("nice says how nice we are").stdout;
    let own = String::from_utf8(own).expect("a number");
    let mut command = Command::new("nice");
    command.arg("-n").arg(format!("-{}", own.trim())).arg(&plan.argv[0]);
    command.arg("machine").arg("--config").arg(&bare).current_dir(&plan.cwd);
    command.env_clear().envs(environment).stdin(Stdio::null());
    command.stdout(log.try_clone().expect("a file of ours")).stderr(log);
    // What whoever runs this test left open is no part of it.
    Inherited::at_start().expect("descriptors can be listed").close_all_but(&[]);
    let mut agent = Ours::start(command);
    let report = report(rig);
    agent.signal(Signal::TERM);
    assert!(agent.ended("the agent").success());
    report
}

fn assert_same_with_and_without_the_product(rig: &Rig) {
    let environment = agents_environment(rig);
    let log = rig.run().agent_log();
    let ours = report(rig);
    rig.api.pause(RUNNER).expect("a pause");
    rig.until_state(RunnerState::Paused);
    let bare = bare_report(rig, environment);
    assert!(bare.contains(TOKEN), "without the product a job finds its runner's token");
    assert!(!ours.contains(TOKEN), "{ours}");
    let ours = comparable(&ours, log.to_str().expect("UTF-8"));
    let mut bare = comparable(&bare, rig.place.path("bare.log").to_str().expect("UTF-8"));
    bare.retain(|line| !line.starts_with(TOKEN));
    assert!(ours.len() > 80, "{ours:#?}");
    for (ours, bare) in ours.iter().zip(&bare) {
        assert_eq!(ours, bare);
    }
    assert_eq!(ours.len(), bare.len());
}

#[test]
fn limits_signals_descriptors_and_environment_of_a_job_are_those_without_runner_tray() {
    let rig = Rig::idle(&Options::default());
    assert_same_with_and_without_the_product(&rig);
    rig.finish();
}

/// A supervisor with the habits of an odd service manager.
fn start_oddly(place: &Place, api: &Api) -> Ours {
    let usual = place.command("runner-tray-supervisor");
    let mut command = Command::new("/bin/bash");
    command.args(["-c", "umask 077; trap '' INT QUIT USR1; exec nice -n 5 \"$0\""]);
    command.arg(usual.get_program()).env_clear().current_dir(place.root());
    command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = Ours::start(command);
    until(DEADLINE, "the supervisor answers", || {
        assert!(process.child().try_wait().expect("a child of ours").is_none());
        api.health().is_ok()
    });
    process
}

#[test]
fn a_supervisor_with_odd_umask_nice_and_signals_hands_none_of_them_to_a_job() {
    // Nobody else may take a nice back.
    if !trials::is_root() {
        return;
    }
    let mut rig = Rig::bare(&Options::default());
    rig.kill_supervisor();
    let mut supervisor = start_oddly(&rig.place, &rig.api);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    assert_same_with_and_without_the_product(&rig);
    supervisor.signal(Signal::TERM);
    assert!(supervisor.ended("the supervisor").success());
    rig.start_supervisor(&Options::default());
    rig.finish();
}
