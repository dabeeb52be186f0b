//! A new version is put in place of the one that runs: the supervisor becomes the new one with the same
//! pid, and a task that runs meanwhile knows nothing of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use process::{Pid, State};
use protocol::RunnerState;
use trials::{DEADLINE, Options, Rig, Supervisor, nap, program, until};

const SUPERVISOR: &str = "runner-tray-supervisor";
const KEEPER: &str = "runner-tray-keeper";

/// As a package manager does: a new file takes the name.
fn install(folder: &Path, name: &str, more: &[u8]) {
    let new = folder.join("new");
    fs::copy(program(name), &new).expect("a program of ours");
    let mut file = fs::File::options().append(true).open(&new).expect("a copy of ours");
    std::io::Write::write_all(&mut file, more).expect("room for it");
    drop(file);
    fs::rename(&new, folder.join(name)).expect("a copy of ours");
}

fn helpers(rig: &Rig) -> usize {
    fs::read_dir(rig.place.folders().helpers()).expect("the folder of helpers").count()
}

#[test]
fn a_supervisor_that_is_upgraded_in_a_task_costs_nothing_and_leaves_no_zombie() {
    let mut rig = Rig::bare(&Options::default());
    rig.kill_supervisor();
    let folder = rig.place.path("program");
    fs::create_dir(&folder).expect("a folder of ours");
    install(&folder, KEEPER, b"");
    install(&folder, SUPERVISOR, b"");
    let supervisor = Supervisor::start_program(&rig.place, &rig.api, &folder.join(SUPERVISOR));
    let pid = supervisor.id().pid;
    rig.supervisor = Some(supervisor);
    rig.set_up();
    let job = rig.long_job();
    job.until_begun();
    rig.until_state(RunnerState::Busy);
    let first = rig.run();
    let began = rig.api.snapshot().expect("it answers").supervisor.started_at;

    install(&folder, KEEPER, b"another version");
    install(&folder, SUPERVISOR, b"another version");
    until(DEADLINE, "the new version has taken over", || {
        rig.api.snapshot().is_ok_and(|snapshot| {
            snapshot.supervisor.started_at > began && snapshot.supervisor.pid == pid.get()
        })
    });
    rig.until_state(RunnerState::Busy);
    assert_eq!(helpers(&rig), 1, "the run keeps the keeper that it began with");
    job.let_go();
    rig.assert_ended_well(&job);

    // The next run has the new keeper; nobody is left of the first.
    trials::kill(&first.started().written().expect("it began").process);
    let next = rig.short_job();
    rig.assert_ended_well(&next);
    assert_eq!(helpers(&rig), 2);
    until(DEADLINE, "no child of the supervisor is a zombie", || {
        nap(Duration::from_millis(50));
        let children: Vec<Pid> = process::children(pid).expect("its children");
        children.iter().all(|child| {
            let look = process::look(*child).ok().flatten();
            look.is_none_or(|look| look.state != State::Zombie)
        })
    });
    rig.finish();
}
