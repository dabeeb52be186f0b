//! Jobs with a user of their own: they run, are cancelled and cleared away as that user, and reach
//! nothing of the owner's. Real users, made by the trial and removed with it; needs root and sudo.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

mod another;
mod finds;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use another::{jobs_get_another_user, what_an_earlier_user_left_is_shown_and_stays};
use client::ClientError;
use local_circleci::{NewTask, Outcome};
use protocol::{
    Boundary, CleanupPlan, CleanupReceipt, JobsRunAs, Runner, RunnerState, TaskResult, TokenStore,
    WorkDir, WorkDirKind, WorkDirs,
};
use run_dir::{RunDir, Side, TaskEnd};
use trials::{
    Api, CLASS, Circle, DEADLINE, Desktop, Job, Options, Place, RUNNER, Secret, Supervisor,
    TaskProcesses, User, has_tools, is_alive, is_root, kill, until, until_some,
};

fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// A runner whose jobs have a user of their own.
struct World {
    supervisor: Supervisor,
    circle: Circle,
    api: Api,
    place: Place,
}

impl World {
    /// Folders that others may pass through, to what is theirs; `place` is its owner's already.
    fn with(place: Place) -> Self {
        for (name, mode) in [("", 0o755), ("home", 0o755), ("signs", 0o777)] {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(place.path(name), mode).expect("a folder of ours");
        }
        let circle = Circle::start(&place);
        let api = Api::of(&place);
        let supervisor = Supervisor::start(&place, &api, &Options::default());
        Self { supervisor, circle, api, place }
    }

    fn set_up(&self, user: Option<&str>, token_store: TokenStore) -> Result<(), ClientError> {
        let user = user.map(|user| JobsRunAs::User(user.to_owned()));
        self.set_up_so(user, token_store)
    }

    /// None: whoever jobs run as by now.
    fn set_up_so(
        &self,
        job_user: Option<JobsRunAs>,
        token_store: TokenStore,
    ) -> Result<(), ClientError> {
        let spec = protocol::RunnerSpec {
            job_user,
            token_store: token_store.into(),
            ..self.circle.spec(CLASS)
        };
        self.api.set_up_as(RUNNER, spec, Some(&self.circle.token(CLASS))).map(drop)
    }

    #[track_caller]
    fn until_runner(&self, what: &str, is_so: impl Fn(&Runner) -> bool) -> Runner {
        until_some(DEADLINE, what, || self.api.runner(RUNNER).filter(|runner| is_so(runner)))
    }

    #[track_caller]
    fn until_state(&self, state: RunnerState) -> Runner {
        self.until_runner(&format!("it is {state:?}"), |runner| runner.state == state)
    }

    fn run(&self) -> RunDir {
        let runs = self.place.runs();
        let ids = runs.list().expect("the folder of runs");
        runs.run(ids.last().expect("there is a run"))
    }

    fn job(&self, name: &str) -> Job {
        let job = Job::that_waits(&self.place, &self.circle, CLASS, name);
        job.until_begun();
        self.until_state(RunnerState::Busy);
        job
    }

    /// What a task prints that ends well.
    #[track_caller]
    fn output(&self, task: &NewTask) -> String {
        let number = self.circle.enqueue(task);
        let done = self.circle.finished(number);
        let output = self.circle.output(number);
        assert_eq!(done.outcome, Some(Outcome::Success), "{output}");
        output
    }

    fn finish(self) {
        self.api.pause(RUNNER).expect("a pause");
        self.until_state(RunnerState::Paused);
        self.supervisor.stop();
        drop(self.circle);
    }
}

fn a_task_runs_as_that_user(world: &World, user: &User) {
    let show = r#"id -un; cd; pwd; touch "$CIRCLE_WORKING_DIRECTORY/made" && echo written"#;
    let output = world.output(&NewTask::new(CLASS).step("who", show));
    assert!(output.contains(&format!("{}\n/home/{0}\nwritten\n", user.name)), "{output}");
}

fn its_owner_takes_the_jobs_back(world: &World) {
    let before = world.until_state(RunnerState::Idle).agent_pid;
    world.set_up_so(Some(JobsRunAs::Owner), TokenStore::Keychain).unwrap();
    world.until_runner("another agent runs jobs as the owner", |runner| {
        matches!(runner.boundary, Boundary::SameUser { .. })
            && runner.state == RunnerState::Idle
            && runner.agent_pid.is_some_and(|pid| Some(pid) != before)
    });
    let output = world.output(&NewTask::new(CLASS).step("who", "id -un"));
    assert_eq!(output.lines().last(), Some("root"), "{output}");
}

/// What belongs to the job user is measured, set aside and removed as that user.
fn what_its_tasks_leave_is_cleaned_up_as_that_user(world: &World, user: &User) {
    let leave = r#"cd "$CIRCLE_WORKING_DIRECTORY"; head -c 100000 /dev/urandom > big; mkdir shut; touch shut/in; chmod 0 shut"#;
    world.output(&NewTask::new(CLASS).step("leave", leave));
    let output = world.output(
        &NewTask::new(CLASS).step("look", r#"cd "$CIRCLE_WORKING_DIRECTORY"; echo "found: $(ls)""#),
    );
    assert!(output.contains("found: \n"), "it begins with nothing: {output}");
    world.until_state(RunnerState::Idle);
    let with_big = |dir: &WorkDir| Path::new(&dir.path).join("big").exists();
    let ask = |words: &[&str]| world.place.runnerctl(words);
    let dirs: WorkDirs = serde_json::from_str(&ask(&["workdirs", "--json"])).unwrap();
    let dir = dirs.directories.iter().find(|dir| with_big(dir)).expect("what the task left");
    assert_eq!(dir.kind, WorkDirKind::Kept);
    assert_eq!(dir.job_user.as_deref(), Some(&*user.name));
    assert!(dir.size.is_some_and(|size| size.0 >= 100_000), "{dir:?}");
    assert_eq!(fs::metadata(&dir.path).unwrap().uid(), user.id);
    let plan = ask(&["clean", "--dry-run", "--directory", &dir.id.0, "--json"]);
    let plan: CleanupPlan = serde_json::from_str(&plan).unwrap();
    assert_eq!((plan.groups.len(), plan.entries), (1, 1), "it is nobody else's: {plan:?}");
    assert_eq!(Some(plan.bytes), dir.size);
    let clean = || -> CleanupReceipt {
        let receipt = ask(&["clean", "--directory", &dir.id.0, "--json"]);
        let receipt: CleanupReceipt = serde_json::from_str(&receipt).unwrap();
        assert!(receipt.failures.is_empty() && receipt.cut_short.is_none(), "{receipt:?}");
        assert!(receipt.groups.len() == 1 && receipt.groups[0].went == 1, "{receipt:?}");
        assert_eq!(receipt.groups[0].planned, dir.size);
        assert!(!Path::new(&dir.path).exists());
        // Whoever moved it made the trash.
        let trash = Path::new(&dir.path).with_file_name(".runner-tray-trash");
        assert_eq!(fs::metadata(trash).unwrap().uid(), user.id);
        receipt
    };
    let said = ask(&["clean", "--undo", &clean().id.to_string()]);
    assert!(said.contains("1 entries are back."), "{said}");
    assert!(with_big(dir));
    clean();
    its_working_directory_is_emptied_and_filled_again(world, user);
}

fn its_working_directory_is_emptied_and_filled_again(world: &World, user: &User) {
    let ask = |words: &[&str]| world.place.runnerctl(words);
    let work = world.until_state(RunnerState::Idle).working_directory;
    world.output(&NewTask::new(CLASS).step("leave", r#"touch "$CIRCLE_WORKING_DIRECTORY/left""#));
    world.until_state(RunnerState::Idle);
    let left = Path::new(&work).join("left");
    assert_eq!(fs::metadata(&left).unwrap().uid(), user.id);
    // A task holds it by a lock that its own user cannot see.
    let job = world.job("holds");
    let refused = world.place.runnerctl_fails(&["clean", "--directory", RUNNER]);
    assert!(refused.contains("works in"), "{refused}");
    job.let_go();
    world.until_state(RunnerState::Idle);
    world.output(&NewTask::new(CLASS).step("leave", r#"touch "$CIRCLE_WORKING_DIRECTORY/left""#));
    world.until_state(RunnerState::Idle);
    let receipt = ask(&["clean", "--directory", RUNNER, "--json"]);
    let receipt: CleanupReceipt = serde_json::from_str(&receipt).unwrap();
    assert!(receipt.failures.is_empty() && receipt.groups[0].went == 1, "{receipt:?}");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
    let undo = ["clean", "--undo", &receipt.id.to_string()];
    let job = world.job("works");
    let output = world.place.command("runnerctl").args(undo).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("Put it back after the task"), "{output:?}");
    assert!(!left.exists());
    job.let_go();
    world.until_state(RunnerState::Idle);
    ask(&undo);
    assert!(left.exists());
}

fn a_cancel_ends_all_of_its_task(world: &World) {
    let job = world.job("cancelled");
    let shown = world.until_runner("it shows its task", |runner| runner.task.is_some());
    world.api.cancel(RUNNER, &shown.task.expect("just seen").id).unwrap();
    job.until_nothing_is_left(&[]);
    world.until_runner("the cancelled task is over", |runner| {
        runner.last_task.as_ref().is_some_and(|task| task.result == TaskResult::Cancelled)
    });
    world.until_state(RunnerState::Idle);
}

fn a_killed_wrapper_leaves_nothing_of_its_task(world: &World) {
    for side in [Side::Front, Side::Guard] {
        let job = world.job(&format!("{side:?}"));
        let run = world.run();
        let task = run.tasks().unwrap().pop().unwrap();
        let processes = TaskProcesses::of(&task).unwrap();
        assert!(!job.processes().is_empty());
        kill(match side {
            Side::Front => &processes.front,
            Side::Guard | Side::Both => &processes.guard,
        });
        job.until_nothing_is_left(&processes.all());
        let end = until_some(DEADLINE, "the end is recorded", || task.finished().written()).end;
        assert_eq!(end, TaskEnd::Lost(side));
    }
    let output = world.output(&NewTask::new(CLASS).step("next", "echo the next one runs"));
    assert!(output.contains("the next one runs"));
}

/// What a job left behind when both sides of its wrapper were killed is cleared by the next task.
fn left_overs_are_cleared_by_the_next_task(world: &World) {
    let job = world.job("left");
    let task = world.run().tasks().unwrap().pop().unwrap();
    let processes = TaskProcesses::of(&task).unwrap();
    for side in [&processes.guard, &processes.front] {
        process::signal(side, process::Signal::STOP).unwrap();
    }
    kill(&processes.guard);
    kill(&processes.front);
    world.output(&NewTask::new(CLASS).step("next", "true"));
    job.until_nothing_is_left(&processes.all());
}

/// By its owner's hand, and where the owner wants it after each task; never by another user.
fn what_its_tasks_leave_running_is_ended_as_that_user(world: &World, user: &User) {
    let script = "setsid sleep 300 < /dev/null > /dev/null 2>&1 & echo $! > \"$LEFT\"";
    let leave = |name: &str| {
        let recorded = world.api.whole_history().unwrap().len();
        let file = world.place.path("signs").join(name);
        world
            .output(&NewTask::new(CLASS).env("LEFT", file.to_str().unwrap()).step("leave", script));
        let pid: u32 = until_some(DEADLINE, "its number is there", || {
            fs::read_to_string(&file).ok()?.trim().parse().ok()
        });
        until(DEADLINE, "the task is in the history", || {
            world.api.whole_history().unwrap().len() > recorded
        });
        world.until_state(RunnerState::Idle);
        process::Pid::new(pid).and_then(|pid| process::ProcessId::of(pid).ok())
    };
    let ask = |words: &[&str]| world.place.runnerctl(words);
    let left = leave("left").expect("it runs on");
    assert_eq!(process::owner(left.pid).unwrap(), Some(user.id));
    let words = ["clean", "--dry-run", "--preset", "left-over-processes", "--json"];
    let plan: CleanupPlan = serde_json::from_str(&ask(&words)).unwrap();
    assert_eq!(plan.entries, 1, "{plan:?}");
    ask(&["clean", "--preset", "left-over-processes"]);
    until(DEADLINE, "it was ended", || !is_alive(&left));
    ask(&["preferences", "set", "end-left-overs", "on"]);
    assert!(leave("ended").is_none_or(|left| !is_alive(&left)));
    ask(&["preferences", "set", "end-left-overs", "off"]);
}

/// Tries what a hostile job would try, and says how each went.
const REACH: &str = r#"
try() {
    local what=$1; shift
    if said=$("$@" 2>&1 </dev/null); then echo "reached $what: $said"; else echo "denied $what"; fi
}
try 'the state folder' ls "$HOME_OF_OWNER/state"
try 'the socket' curl --silent --show-error --max-time 30 --unix-socket "$HOME_OF_OWNER/state/supervisor.sock" http://x/v1/snapshot
try 'the run folder' cat "$RUN/plan.json"
try 'the log of the agent' cat "$RUN/agent.log"
try 'the run folder for a cancel' test -w "$RUN/cancel.json"
try 'a token file' cat "$HOME_OF_OWNER/state/tokens/mini"
try 'the settings' cat "$HOME_OF_OWNER/config/settings.toml"
try 'writing the settings' test -w "$HOME_OF_OWNER/config/settings.toml"
try 'writing the keeper' test -w "$HELPER"
try 'writing beside the keeper' test -w "${HELPER%/*}"
try 'writing the agent' test -w "$AGENT_PROGRAM"
try 'writing the task agent' test -w "$TASK_AGENTS/circleci-agent"
try 'the environment of the agent' cat "/proc/$AGENT/environ"
try 'the memory of the agent' bash -c ': <"$0"' "/proc/$AGENT/mem"
try 'the descriptors of the agent' ls "/proc/$AGENT/fd"
try 'the folder of the agent' ls "/proc/$AGENT/cwd/"
try 'signalling the agent' kill -0 "$AGENT"
try 'signalling the supervisor' kill -0 "$SUPERVISOR"
try 'the environment of the supervisor' cat "/proc/$SUPERVISOR/environ"
try 'the folder of the keychain' ls "$KEYCHAIN"
try 'the session of the owner' dbus-send --bus="$BUS" --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames
try 'being the owner' sudo -n true
echo "== everything that it can read of other processes"
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' || true
env
"#;

/// What a job says it reached and what was denied to it, and all else that it printed.
fn reach(world: &World, desktop: &Desktop) -> (Vec<String>, Vec<String>, String) {
    let runner = world.until_state(RunnerState::Idle);
    let run = world.run();
    let plan = run.plan().written().unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut task = NewTask::new(CLASS).step("reach", REACH);
    for (name, value) in [
        ("HOME_OF_OWNER", text(&world.place.path("home"))),
        ("RUN", text(run.path())),
        ("HELPER", text(&plan.helper)),
        ("AGENT_PROGRAM", plan.argv[0].clone()),
        ("TASK_AGENTS", text(&plan.task_agent_directory)),
        ("AGENT", runner.agent_pid.unwrap().to_string()),
        ("SUPERVISOR", world.supervisor.id().pid.to_string()),
        ("KEYCHAIN", text(desktop.folder())),
        ("BUS", desktop.address().to_owned()),
    ] {
        task = task.env(name, &value);
    }
    let output = world.output(&task);
    let (tries, all) = output.split_once("== everything").unwrap();
    let began = |with: &str| {
        let lines = tries.lines().filter_map(|line| line.strip_prefix(with));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (reached, denied) = (began("reached "), began("denied "));
    let all_tries = REACH.lines().filter(|line| line.starts_with("try '")).count();
    assert_eq!(reached.len() + denied.len(), all_tries, "{tries}");
    (reached, denied, all.to_owned())
}

fn nothing_of_the_owners_is_reached(world: &World, desktop: &Desktop) {
    let (reached, _, all) = reach(world, desktop);
    assert!(reached.is_empty(), "{reached:#?}");
    let token = Secret::new(&world.circle.token(CLASS));
    assert_eq!(token.form_in(all.as_bytes()), None);
}

/// So it is told in README and status; and so the tries above can succeed.
#[test]
fn without_a_user_of_its_own_a_job_reaches_all_that_its_owner_reaches() {
    if !is_root() || !has_tools(&["curl", "sudo"]) {
        return;
    }
    let Some(desktop) = Desktop::start() else { return };
    let mut place = Place::new();
    place.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    let world = World::with(place);
    world.set_up(None, TokenStore::Keychain).unwrap();
    let runner = world.until_state(RunnerState::Idle);
    assert!(matches!(runner.boundary, Boundary::SameUser { .. }));
    let (_, denied, all) = reach(&world, &desktop);
    assert_eq!(denied, ["a token file"], "there is none: the token is in the keychain");
    let token = Secret::new(&world.circle.token(CLASS));
    assert_eq!(token.form_in(all.as_bytes()), Some("plain"), "in the agent's environment");
    world.finish();
}

#[test]
fn a_jobs_own_user_is_a_boundary_and_its_tasks_are_kept_as_well_as_the_owners() {
    if !User::can_be_made() || !has_tools(&["curl"]) {
        return;
    }
    let user = User::make("job");
    let Some(desktop) = Desktop::start() else { return };
    let mut place = Place::new();
    place.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    let world = World::with(place);
    world.set_up(Some(&user.name), TokenStore::Keychain).unwrap();
    let runner = world.until_state(RunnerState::Idle);
    assert!(matches!(runner.boundary, Boundary::JobUser { user: shown, .. } if shown == user.name));
    a_task_runs_as_that_user(&world, &user);
    what_its_tasks_leave_is_cleaned_up_as_that_user(&world, &user);
    what_its_tasks_leave_running_is_ended_as_that_user(&world, &user);
    nothing_of_the_owners_is_reached(&world, &desktop);
    a_cancel_ends_all_of_its_task(&world);
    a_killed_wrapper_leaves_nothing_of_its_task(&world);
    left_overs_are_cleared_by_the_next_task(&world);
    its_owner_takes_the_jobs_back(&world);
    world.finish();
}

/// A place of an ordinary user's, who may use our programs.
fn place_of(owner: &User) -> Option<Place> {
    let program = trials::program("runner-tray-supervisor");
    let reaches = ["-u", &owner.name, "--", "test", "-x", program.to_str()?];
    if !run("runuser", &reaches) {
        skipped::skipped(&format!("other users cannot reach {}", program.display()));
        return None;
    }
    let mut place = Place::new();
    let ids = format!("{}:{}", owner.id, owner.group);
    assert!(run("chown", &["--recursive", &ids, place.root().to_str()?]));
    place.set_user(owner.id, owner.group);
    for name in ["USER", "LOGNAME"] {
        place.set_env(name, owner.name.as_str());
    }
    place.set_env("RUNNER_TRAY_ALLOW_ROOT", "0");
    Some(place)
}

#[test]
fn an_ordinary_owner_with_one_sudoers_line_has_jobs_run_as_another_user() {
    if !User::can_be_made() || !has_tools(&["runuser", "chown"]) {
        return;
    }
    let user = User::make("work");
    let mut owner = User::make("owner");
    let Some(place) = place_of(&owner) else { return };
    let world = World::with(place);
    let refused = world.set_up(Some(&user.name), TokenStore::File).unwrap_err();
    let ClientError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.code, "job-user-unusable");
    let line = format!("`{} ALL=({}) NOPASSWD: ALL`", owner.name, user.name);
    assert!(refused.hint.contains(&line), "{}", refused.hint);

    owner.may_run_as(&user.name);
    world.set_up(Some(&user.name), TokenStore::File).unwrap();
    world.until_state(RunnerState::Idle);
    a_task_runs_as_that_user(&world, &user);
    what_its_tasks_leave_is_cleaned_up_as_that_user(&world, &user);
    what_its_tasks_leave_running_is_ended_as_that_user(&world, &user);
    a_cancel_ends_all_of_its_task(&world);
    a_killed_wrapper_leaves_nothing_of_its_task(&world);
    left_overs_are_cleared_by_the_next_task(&world);

    let leave = r#"cd "$CIRCLE_WORKING_DIRECTORY"; echo of the first > left; mkdir -m 0700 shut"#;
    world.output(&NewTask::new(CLASS).step("leave", leave));
    let next = User::make("next");
    owner.may_run_as(&next.name);
    jobs_get_another_user(&world, &next);
    let shown = what_an_earlier_user_left_is_shown_and_stays(&world, "jobs.1");
    assert_eq!(shown.size, None, "what cannot be seen is not said to be small");
    world.finish();
}
