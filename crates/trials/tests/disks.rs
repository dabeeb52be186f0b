//! Disks that fail in other ways than by being full: no inodes, read-only, errors on every access, a
//! power cut. Tasks that run are not lost, what was promised is still there afterwards, and nothing
//! is taken for idle that cannot be read. File systems of the trial's own; needs root to mount them.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use client::ClientError;
use local_circleci::Outcome;
use process::ProcessId;
use protocol::{Check, Finding, Findings, Level, ProblemCode, RunnerState, TaskResult};
use run_dir::End;
use trials::{
    Breaks, Circle, DEADLINE, Fills, Options, Ours, Place, RUNNER, RealDisk, Rig, SmallDisk,
    has_tools, is_root, kill, kill_at_once, nap, until, until_some,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

/// Its runner waits for tasks, and the agent has all it needs.
fn idle(place: Place) -> Rig {
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    until(DEADLINE, "the agent claims", || {
        rig.circle.control().agents().is_ok_and(|agents| !agents.is_empty())
    });
    rig
}

#[test]
fn without_inodes_a_pause_holds_tasks_end_well_and_it_heals() {
    let place = Place::new();
    let disk = SmallDisk::over(&place.path("home"), place.root(), "size=200m,nr_inodes=2000");
    let Some(disk) = disk else { return };
    let mut rig = idle(place);
    let first = rig.long_job();
    first.until_begun();
    until(DEADLINE, "what is set aside is there", || {
        rig.run().path().join("tasks/.next/task.lock").exists()
            && rig.place.runs().path().join(".next/exit.json").exists()
    });
    disk.use_up_inodes();
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    first.let_go();
    rig.assert_ended_well(&first);
    rig.until_state(RunnerState::Paused);
    disk.use_up_inodes();
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Paused);

    // The next run was set aside; the one after it was not.
    disk.use_up_inodes();
    rig.api.resume(RUNNER).unwrap();
    let second = rig.short_job();
    rig.assert_ended_well(&second);
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Paused);
    disk.use_up_inodes();
    rig.api.resume(RUNNER).unwrap();
    let (_, problem) = rig.until_problem(ProblemCode::CannotStart);
    assert!(problem.reading.unwrap().contains("No space left"));
    assert!(!disk.has_inodes());
    disk.free_inodes();
    rig.assert_works_again();
    until(DEADLINE, "all is in the history", || rig.api.history().unwrap().len() == 3);
    for task in rig.api.history().unwrap() {
        assert_eq!(task.result, TaskResult::Succeeded, "{task:?}");
    }
    rig.finish();
}

/// What a disk runs out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lacks {
    Space,
    Inodes,
}

impl Lacks {
    fn take(self, disk: &RealDisk) {
        match self {
            Self::Space => disk.fill(),
            Self::Inodes => disk.use_up_inodes(),
        }
    }

    fn give_back(self, disk: &RealDisk) {
        match self {
            Self::Space => disk.free(),
            Self::Inodes => disk.free_inodes(),
        }
    }
}

/// A whole task, a drain and a crash, on a real file system on which nothing more can be written.
fn works_on_a_disk_that_lacks(lacks: Lacks) {
    let place = Place::new();
    let Some(disk) = RealDisk::over(&place.path("home"), place.root()) else { return };
    let mut rig = idle(place);
    until(DEADLINE, "what is set aside is there", || {
        rig.run().path().join("tasks/.next/task.lock").exists()
            && rig.place.runs().path().join(".next/exit.json").exists()
    });
    lacks.take(&disk);

    // A task from its beginning to its end, in which its runner is told to drain.
    let first = rig.long_job();
    first.until_begun();
    rig.until_state(RunnerState::Busy);
    lacks.take(&disk);
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    let run = rig.run();
    until_some(DEADLINE, "the drain is on record", || run.drain_sent().written());
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_state(RunnerState::Draining);
    first.let_go();
    rig.assert_ended_well(&first);
    rig.until_state(RunnerState::Paused);
    assert_eq!(run.exit().written().unwrap().end, End::Code(0));

    // A crash of the agent in the middle of the next one.
    lacks.take(&disk);
    rig.api.resume(RUNNER).unwrap();
    let second = rig.long_job();
    second.until_begun();
    let run = rig.run();
    let (task, processes) = rig.task(&run);
    lacks.take(&disk);
    kill(&run.started().written().unwrap().process);
    until_some(DEADLINE, "its end is on record", || run.exit().written());
    assert_eq!(run.exit().written().unwrap().end, End::Signal(9));
    rig.until_problem(ProblemCode::AgentCrashed);
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_runner("its task is known still", |runner| runner.task.is_some());
    second.let_go();
    second.until_nothing_is_left(&processes.all());
    until_some(DEADLINE, "the task's end is on record", || task.finished().written());
    assert!(second.is_done());

    lacks.give_back(&disk);
    let third = rig.short_job();
    assert_eq!(rig.circle.finished(third.number).outcome, Some(Outcome::Success));
    rig.until_well();
    until(DEADLINE, "all is in the history", || rig.api.history().unwrap().len() == 3);
    for task in rig.api.history().unwrap() {
        assert_eq!(task.result, TaskResult::Succeeded, "{task:?}");
    }
    rig.finish();
}

#[test]
fn on_a_real_disk_that_is_full_a_task_a_drain_and_a_crash_are_all_kept() {
    works_on_a_disk_that_lacks(Lacks::Space);
}

#[test]
fn on_a_real_disk_without_inodes_a_task_a_drain_and_a_crash_are_all_kept() {
    works_on_a_disk_that_lacks(Lacks::Inodes);
}

/// All that a power cut or the end of a machine ends: every process of the trial but the server's.
fn kill_everything(rig: &mut Rig) {
    let server = rig.circle.id().clone();
    until(DEADLINE, "nothing but the server is left", || {
        let found = rig.place.processes();
        let ours: Vec<&ProcessId> =
            found.iter().map(|found| &found.id).filter(|id| **id != server).collect();
        kill_at_once(&ours);
        ours.is_empty()
    });
    // Dead already, and not waited for.
    rig.supervisor = None;
}

/// Where the plan can be read a task runs without records. Where it cannot, nobody knows as which user
/// it may run, so it is refused: CircleCI shows that, and it can be rerun.
fn begun_on_a_broken_disk(how: Breaks) -> (Option<Outcome>, bool) {
    match how {
        Breaks::ReadOnly => (Some(Outcome::Success), true),
        Breaks::InputOutput | Breaks::NoPower => (Some(Outcome::InfrastructureFail), false),
    }
}

fn state_on_a_disk_that_breaks(how: Breaks) {
    let place = Place::new();
    let state = place.folders().state;
    fs::create_dir_all(&state).unwrap();
    let Some(mut disk) = RealDisk::over(&state, place.root()) else { return };
    let mut rig = idle(place);
    rig.assert_works_again();
    until(DEADLINE, "it is in the history", || rig.api.history().unwrap().len() == 1);
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    disk.breaks(how);

    // What is asked for and cannot be kept is refused, and said.
    let refused = rig.api.pause(RUNNER).unwrap_err();
    let ClientError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.code, "cannot-save", "{refused:?}");
    rig.until_common_problem(ProblemCode::CannotSave);
    let runner = rig.runner();
    assert!(matches!(runner.state, RunnerState::Busy | RunnerState::Unknown), "{runner:#?}");
    assert!(runner.pause_reasons.is_empty());

    // The task that runs comes to its end.
    job.let_go();
    rig.assert_ended_well(&job);
    let next = rig.short_job();
    let task = rig.circle.finished(next.number);
    assert_eq!((task.outcome, next.is_done()), begun_on_a_broken_disk(how), "{task:#?}");
    assert_eq!(rig.witness.agents(), 1);

    // A supervisor cannot work there, and says why; the agent goes on.
    rig.kill_supervisor();
    let tried = rig.place.command("runner-tray-supervisor").output().unwrap();
    let words = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{words}");
    assert!(words.contains(state.to_str().unwrap()), "{words}");
    let later = rig.short_job();
    assert_eq!(rig.circle.finished(later.number).outcome, begun_on_a_broken_disk(how).0);

    // The machine is started anew, with a disk that was repaired.
    kill_everything(&mut rig);
    disk.unmount();
    disk.repair();
    disk.mount().unwrap();
    rig.start_supervisor(&USUAL);
    rig.assert_works_again();
    let history = until_some(DEADLINE, "the history is there", || rig.api.history().ok());
    let results: Vec<_> = history.iter().map(|task| task.result).collect();
    assert_eq!(results.last(), Some(&TaskResult::Succeeded), "{results:?}");
    rig.finish();
}

#[test]
fn on_a_disk_that_turns_read_only_tasks_end_well_and_nothing_is_promised() {
    state_on_a_disk_that_breaks(Breaks::ReadOnly);
}

#[test]
fn on_a_disk_that_gives_errors_tasks_end_well_and_nothing_is_promised() {
    state_on_a_disk_that_breaks(Breaks::InputOutput);
}

#[test]
fn after_a_power_cut_at_any_moment_what_was_promised_is_there_and_all_loads() {
    let place = Place::new();
    let home = place.path("home");
    let Some(mut disk) = RealDisk::over(&home, place.root()) else { return };
    let mut rig = idle(place);
    let mut paused = false;
    for moment in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
        let before = rig.api.whole_history().unwrap();
        let job = rig.short_job();
        nap(Duration::from_millis(moment));
        // What is answered holds.
        paused = !paused;
        if paused {
            rig.api.pause(RUNNER).unwrap();
        } else {
            rig.api.resume(RUNNER).unwrap();
        }
        nap(Duration::from_millis(moment * 3 % 50));
        disk.breaks(Breaks::NoPower);
        kill_everything(&mut rig);
        disk.unmount();
        disk.mount().unwrap();
        rig.start_supervisor(&USUAL);

        let snapshot = rig.api.snapshot().unwrap();
        assert!(snapshot.problems.is_empty(), "after {moment} ms: {:#?}", snapshot.problems);
        let runner = rig.runner();
        assert_eq!(
            runner.pause_reasons.len(),
            usize::from(paused),
            "after {moment} ms: {runner:#?}"
        );
        let history = rig.api.whole_history().unwrap();
        for task in before {
            assert!(history.iter().any(|known| known.id == task.id), "{task:?} is lost");
        }
        if paused {
            rig.until_state(RunnerState::Paused);
            continue;
        }
        // A job whose agent lost its power is CircleCI's to give up.
        let next = rig.short_job();
        rig.assert_ended_well(&next);
        rig.circle.finished(job.number);
        until(DEADLINE, "it is in the history", || {
            rig.api.history().is_ok_and(|tasks| {
                tasks.first().is_some_and(|task| task.result == TaskResult::Succeeded)
            })
        });
        rig.until_well();
    }
    rig.finish();
}

#[test]
fn a_home_that_is_read_only_is_refused_with_its_name_and_a_reason() {
    let place = Place::new();
    let home = place.path("home");
    let Some(disk) = RealDisk::over(&home, place.root()) else { return };
    disk.breaks(Breaks::ReadOnly);
    let tried = place.command("runner-tray-supervisor").output().unwrap();
    let words = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{words}");
    assert!(words.contains("Read-only file system") && words.contains("home"), "{words}");
    let tried = place.command("runnerctl").arg("status").output().unwrap();
    assert_eq!(tried.status.code(), Some(3));
}

/// A file system that is mounted over a network, as far as anybody can see (`fuse.sshfs`), and empty.
struct Remote {
    at: PathBuf,
    daemon: Option<Ours>,
}

/// Answers what the kernel asks of the folder itself (linux/fuse.h, protocol 7.31): who it is, what is in
/// it, and how large it is. Nothing is there, and nothing can be
/// made.
const DAEMON: &str = r#"
import ctypes, errno, os, struct, sys
at = sys.argv[1]
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40755,user_id=0,group_id=0".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"me@box:/home", at.encode(), b"fuse.sshfs", 0, options) != 0:
    sys.exit(77)
attributes = struct.pack("<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
answers = {
    3: struct.pack("<QII", 1, 0, 0) + attributes,                       # GETATTR
    17: struct.pack("<QQQQQIIII24x", 1, 1, 1, 1, 1, 4096, 255, 4096, 0),  # STATFS
    26: struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 10, 4096, 1, 0, 0, 0),  # INIT
}
print("mounted", flush=True)
while True:
    try:
        question = os.read(fuse, 1 << 20)
    except OSError as error:
        if error.errno == errno.EINTR:
            continue
        break
    _, opcode, unique = struct.unpack_from("<IIQ", question)
    if opcode in (2, 42):  # FORGET, BATCH_FORGET want no answer
        continue
    body = answers.get(opcode, b"")
    # LOOKUP finds nothing; what else there is this file system does not know.
    code = 0 if body else -errno.ENOENT if opcode == 1 else -errno.ENOSYS
    os.write(fuse, struct.pack("<IiQ", 16 + len(body), code, unique) + body)
"#;

impl Remote {
    fn over(at: &Path) -> Option<Self> {
        if !is_root() || !has_tools(&["python3"]) {
            return None;
        }
        let mut command = Command::new("python3");
        command.args(["-c", DAEMON]).arg(at).stdout(Stdio::piped());
        let mut daemon = Ours::start(command);
        let mut said = String::new();
        let stdout = daemon.child().stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut said).unwrap();
        if said.trim() != "mounted" {
            skipped::skipped("this kernel mounts nothing by FUSE");
            return None;
        }
        Some(Self { at: at.to_owned(), daemon: Some(daemon) })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
        drop(self.daemon.take());
    }
}

#[test]
fn a_home_that_is_mounted_over_a_network_is_refused_with_its_kind_and_the_doctor_says_so() {
    let place = Place::new();
    let home = place.path("home");
    let Some(remote) = Remote::over(&home) else { return };
    let tried = place.command("runner-tray-supervisor").output().unwrap();
    let words = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{words}");
    assert!(words.contains("sshfs") && words.contains(home.to_str().unwrap()), "{words}");
    let mut doctor = place.command("runner-tray-supervisor");
    let found = doctor.args(["doctor", "--reach", "http://127.0.0.1:1"]).output().unwrap();
    let found: Findings = serde_json::from_slice(&found.stdout).unwrap();
    let is_told =
        |finding: &Finding| finding.check == Check::NetworkHome && finding.level == Level::Bad;
    assert!(found.findings.iter().any(is_told), "{found:#?}");

    // The same folder on this machine is taken.
    drop(remote);
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.assert_works_again();
    rig.finish();
}
