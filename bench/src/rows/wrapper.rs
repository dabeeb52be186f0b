//! What the task wrapper adds to the command it wraps.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use process::{Pid, ProcessId, Signal};
use run_dir::{Plan, RunDir, RunId, RunsFolder};

use crate::Bench;
use crate::numbers::{mb, median, percentile, short};
use crate::proc::memory;
use crate::report::{Bar, Section, Table};

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(300, 20);
    let folder = tempfile::tempdir()?;
    let runs = RunsFolder::open(folder.path())?;
    runs.reserve_next()?;
    // Held, as its keeper would: a wrapper asks nobody else.
    let (run, _lock) = runs.create(&plan(folder.path()), "")?;
    let quiet = bench.quiet.wait();
    let (mut alone, mut wrapped) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(timed(&mut Command::new("true"))?);
        wrapped.push(timed(wrapper(&run).arg("true"))?);
        forget_tasks(&run)?;
    }
    let mut table = Table::new(&["", "median ms", "p95"]);
    for (name, times) in [("alone", &alone), ("wrapped", &wrapped)] {
        table.line([name.to_owned(), short(median(times)), short(percentile(times, 95))]);
    }
    let added = median(&wrapped) - median(&alone);
    let size = weighed(&run)?;
    Ok(Section {
        title: "The task wrapper".into(),
        how: format!(
            "`true` {rounds} times and, by turns, `runner-tray-keeper task RUN -- true`, from its start until its end was reaped: two\n\
             processes more, their records and locks. Memory: PSS of the two while a command runs."
        ),
        table,
        notes: vec![
            format!("While it runs, its two processes have {} MB PSS.", short(size)),
            quiet,
        ],
        bars: vec![
            Bar::new("wrapper, added to `true` (median)", added, 5.0, "ms"),
            Bar::new("wrapper, PSS", size, 3.0, "MB"),
        ],
    })
}

pub(crate) fn wrapper(run: &RunDir) -> Command {
    let mut command = Command::new(trials::program("runner-tray-keeper"));
    command.arg("task").arg(run.path()).arg("--");
    command
}

pub(crate) fn timed(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).status()?;
    let time = begun.elapsed().as_secs_f64() * 1000.0;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(time)
}

/// As the supervisor does after a while.
pub(crate) fn forget_tasks(run: &RunDir) -> Result<()> {
    for task in run.tasks()? {
        run.remove_task(task.number())?;
    }
    Ok(())
}

/// In MB.
fn weighed(run: &RunDir) -> Result<f64> {
    let mut front = wrapper(run).args(["sleep", "60"]).stdin(Stdio::null()).spawn()?;
    let started = trials::until_some(trials::DEADLINE, "the task runs", || {
        run.tasks().ok()?.pop()?.started().written()
    });
    // Both wait by now, or soon: a moment for what they let go of.
    trials::nap(std::time::Duration::from_millis(500));
    let own = ProcessId::of(Pid::of_child(&front)).context("the wrapper runs")?;
    let size = memory(&[own, started.guard])?;
    process::signal(&started.process, Signal::TERM)?;
    front.wait()?;
    Ok(mb(size.pss))
}

#[expect(clippy::disallowed_methods, reason = "a run is named after the time of its start")]
pub(crate) fn plan(folder: &Path) -> Plan {
    Plan {
        run: RunId::new(Timestamp::now()),
        runner: "bench".into(),
        resource_class: "bench/linux".into(),
        settings_mark: String::new(),
        argv: vec!["/bin/true".into()],
        cwd: "/".into(),
        environment: Vec::new(),
        agent_version: None,
        working_directory: folder.to_owned(),
        task_agent_directory: folder.to_owned(),
        helper: trials::program("runner-tray-keeper"),
        job_user: None,
        job_path: run_dir::JobPath::default(),
        token_mark: None,
        log_limit: 1 << 20,
    }
}
