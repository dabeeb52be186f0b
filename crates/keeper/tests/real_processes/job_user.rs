//! Tasks of a user of their own: run, signalled and ended through sudo, by an owner who may not
//! touch that user's processes. Needs root to make the two users.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command};

use process::{Liveness, Pid, ProcessId, Signal, alive, signal};
use run_dir::{Record, RunDir, Side, TaskEnd, TaskNumber};

use crate::home::{Home, KEEPER, lines, until, until_dead, until_written, wait};

/// Two users and a sudoers line, for as long as the value lives.
struct TwoUsers {
    owner: String,
    job: String,
    sudoers: PathBuf,
}

fn run(command: &[&str]) -> bool {
    let [program, args @ ..] = command else { return false };
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

impl TwoUsers {
    fn make() -> Option<Self> {
        if !rustix::process::geteuid().is_root() || !run(&["sudo", "-n", "true"]) {
            skipped::skipped("only root can make users, and sudo is needed");
            return None;
        }
        let id = std::process::id();
        let (owner, job) = (format!("rt-owner-{id}"), format!("rt-job-{id}"));
        let sudoers = PathBuf::from(format!("/etc/sudoers.d/runner-tray-test-{id}"));
        let users = Self { owner, job, sudoers };
        for user in [&users.owner, &users.job] {
            // Another test may be making a user just now.
            until("the user is made", || run(&["useradd", "-m", "-s", "/bin/bash", user]));
        }
        let line = format!("{} ALL=({}) NOPASSWD: ALL\n", users.owner, users.job);
        crate::home::fs::write_file(users.sudoers.clone(), &line, 0o440);
        Some(users)
    }

    fn uid(user: &str) -> u32 {
        let output = Command::new("id").args(["-u", user]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

impl Drop for TwoUsers {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.sudoers);
        for user in [&self.owner, &self.job] {
            // Another test may have the list of users just now.
            for _ in 0..200 {
                if run(&["userdel", "-rf", user]) {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }
    }
}

struct Stage<'users> {
    home: Home,
    users: &'users TwoUsers,
    run: RunDir,
    keeper: PathBuf,
}

impl<'users> Stage<'users> {
    fn set(users: &'users TwoUsers) -> Self {
        let home = Home::new();
        let keeper = home.path("keeper");
        std::fs::copy(KEEPER, &keeper).unwrap();
        let mut plan = home.plan();
        plan.helper.clone_from(&keeper);
        plan.job_user = Some(users.job.clone());
        let (run, lock) = home.run(&plan);
        drop(lock);
        let here = home.folder.path().to_str().unwrap();
        let runs = home.runs.path().to_str().unwrap();
        let work = home.path("work");
        std::fs::create_dir(&work).unwrap();
        for command in [
            ["chmod", "755", here, keeper.to_str().unwrap()],
            ["chown", "-R", &users.owner, runs],
            ["chown", "-R", &users.job, work.to_str().unwrap()],
        ] {
            assert!(self::run(&command), "{command:?}");
        }
        Self { home, users, run, keeper }
    }

    /// Starts a task as the owner's agent does. A script is a file, since `sudo -i` has a shell
    /// read the command: that one would replace each `$` in it.
    fn task(&self, script: &str) -> Child {
        let script = self.home.script("task", &format!("#!/bin/bash\n{script}\n"));
        let uid = TwoUsers::uid(&self.users.owner);
        Command::new(&self.keeper)
            .arg("task")
            .arg(self.run.path())
            .arg("--")
            .args([script, self.home.path("work")])
            .current_dir("/")
            .process_group(0)
            .uid(uid)
            .gid(uid)
            .spawn()
            .unwrap()
    }

    fn noted(&self, name: &str) -> Vec<String> {
        lines(&self.home.path("work").join(name))
    }

    /// The processes that a task noted, once there are so many.
    fn noted_pids(&mut self, count: usize) -> Vec<ProcessId> {
        until("all of the task is up", || self.noted("pids").len() == count);
        let pids = self.noted("pids");
        pids.iter().map(|pid| self.home.remember_pid(pid.parse().unwrap())).collect()
    }

    fn end(&self, number: u32) -> TaskEnd {
        let task = self.run.task(TaskNumber(number));
        until_written("the end is on record", || task.finished()).end
    }
}

/// Notes itself, a daemon that left it, and TERMs.
const BUSY: &str = r#"
( setsid bash -c 'echo $$ >>"$0/pids"; exec sleep 1000' "$1" >/dev/null 2>&1 & )
trap 'echo TERM >>"$1/signals"; exit 5' TERM
echo $$ >>"$1/pids"
while :; do sleep 0.05; done
"#;

fn it_runs_as_that_user_and_cannot_reach_the_run(users: &TwoUsers) {
    let stage = Stage::set(users);
    let script = format!(
        "id -un >\"$1/who\"; cat '{}' >\"$1/plan\" 2>/dev/null; exit 23",
        stage.run.path().join("plan.json").display()
    );
    assert_eq!(wait(&mut stage.task(&script)).code(), Some(23));
    assert_eq!(stage.noted("who"), std::slice::from_ref(&users.job));
    assert_eq!(stage.noted("plan"), Vec::<String>::new());
    assert_eq!(stage.end(1), TaskEnd::Code(23));
}

fn a_signal_reaches_it(users: &TwoUsers) {
    let mut stage = Stage::set(users);
    let mut front = stage.task(BUSY);
    stage.noted_pids(2);
    signal(&ProcessId::of(Pid::of_child(&front)).unwrap(), Signal::TERM).unwrap();
    let status = wait(&mut front);
    assert_eq!((status.code(), status.signal()), (Some(5), None));
    assert_eq!(stage.noted("signals"), ["TERM"]);
    let left = stage.run.task(TaskNumber(1)).finished().written().unwrap().left_behind;
    assert_eq!(left.len(), 1, "the daemon is named and left alone");
}

fn a_killed_front_takes_it_along(users: &TwoUsers) {
    let mut stage = Stage::set(users);
    let mut front = stage.task(BUSY);
    let processes = stage.noted_pids(2);
    signal(&ProcessId::of(Pid::of_child(&front)).unwrap(), Signal::KILL).unwrap();
    wait(&mut front);
    processes.iter().for_each(until_dead);
    assert_eq!(stage.end(1), TaskEnd::Lost(Side::Front));
    let finished = stage.run.task(TaskNumber(1)).finished();
    assert!(matches!(finished, Record::Written(finished) if finished.left_behind.is_empty()));
}

fn a_killed_guard_takes_it_along(users: &TwoUsers) {
    let mut stage = Stage::set(users);
    let mut front = stage.task(BUSY);
    let processes = stage.noted_pids(2);
    let started = stage.run.task(TaskNumber(1)).started().written().unwrap();
    signal(&started.guard, Signal::KILL).unwrap();
    assert_eq!(wait(&mut front).code(), Some(1));
    assert!(processes.iter().all(|id| alive(id) == Liveness::Dead));
    assert_eq!(stage.end(1), TaskEnd::Lost(Side::Guard));
}

fn the_next_task_clears_what_two_killed_sides_left(users: &TwoUsers) {
    let mut stage = Stage::set(users);
    let mut front = stage.task("echo $$ >>\"$1/pids\"; sleep 1000; true");
    let processes = stage.noted_pids(1);
    let started = stage.run.task(TaskNumber(1)).started().written().unwrap();
    for what in [Signal::STOP, Signal::KILL] {
        signal(&started.guard, what).unwrap();
        signal(&started.front, what).unwrap();
    }
    wait(&mut front);
    assert_eq!(alive(&processes[0]), Liveness::Alive, "sudo is between: it lost nobody");
    // A zombie that PID 1 does not reap is dead.
    let seen = format!("ps -o stat= -p {} | grep -v Z && exit 1; exit 0", processes[0]);
    assert_eq!(wait(&mut stage.task(&seen)).code(), Some(0));
    processes.iter().for_each(until_dead);
    assert_eq!(stage.end(1), TaskEnd::Lost(Side::Both));
    assert_eq!(stage.end(2), TaskEnd::Code(0));
}

#[test]
fn heavy_a_job_users_tasks_are_kept_as_well_as_the_owners() {
    let Some(users) = TwoUsers::make() else { return };
    it_runs_as_that_user_and_cannot_reach_the_run(&users);
    a_signal_reaches_it(&users);
    a_killed_front_takes_it_along(&users);
    a_killed_guard_takes_it_along(&users);
    the_next_task_clears_what_two_killed_sides_left(&users);
}
