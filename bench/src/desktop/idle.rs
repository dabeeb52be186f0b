//! What is used while nothing is asked for: with the window closed, and with it open over a task.

use std::time::Duration;

use anyhow::{Context, Result};
use local_circleci::NewTask;
use protocol::RunnerState;
use trials::CLASS;

use super::app::{App, settle};
use super::session::Session;
use crate::Bench;
use crate::numbers::{short, whole};
use crate::proc::{ticks, watch};
use crate::report::{Bar, Section, Table};
use crate::rig::{RUNNER, Rig};

const WHILE: Duration = Duration::from_mins(1);
/// In seconds; longer than it is looked at.
const TASK: &str = "for n in $(seq 90); do echo line $n; sleep 1; done";

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rig = Rig::start("")?;
    let session = Session::start()?;
    let quiet = bench.quiet.wait();
    let mut apps =
        [App::ours(&session, &rig), App::smallest(&session), App::pystray(bench, &session)?];
    for app in &mut apps {
        app.start()?;
    }
    for app in &apps[..2] {
        let opened = app.open()?;
        settle();
        app.close(&opened)?;
    }
    settle();
    settle();
    let groups: Vec<_> = apps.iter().map(App::own).collect();
    let before: Vec<u64> = groups.iter().map(|group| ticks(group)).collect();
    let closed = watch(&groups, WHILE);
    let used: Vec<u64> =
        groups.iter().zip(before).map(|(group, before)| ticks(group) - before).collect();
    for app in &mut apps[1..] {
        app.stop()?;
    }

    let number = rig.circle.enqueue(&NewTask::new(CLASS).step("work", TASK));
    trials::until(trials::DEADLINE, "the runner is busy", || {
        rig.api.runner(RUNNER).is_some_and(|runner| runner.state == RunnerState::Busy)
    });
    let opened = apps[0].open()?;
    settle();
    let open = watch(&[apps[0].own()], WHILE).pop().context("one group was watched")?;
    anyhow::ensure!(
        rig.api.runner(RUNNER).is_some_and(|runner| runner.state == RunnerState::Busy),
        "the task ended too soon"
    );
    apps[0].close(&opened)?;
    apps[0].stop()?;
    rig.circle.finished(number);

    let mut table = Table::new(&["", "ticks", "CPU ms", "wake-ups"]);
    for ((app, ticks), effort) in apps.iter().zip(&used).zip(&closed) {
        table.line([
            format!("{}, window closed", app.name),
            ticks.to_string(),
            short(effort.cpu_ms()),
            effort.wake_ups.to_string(),
        ]);
    }
    table.line([
        "Runner Tray, Overview open over a task".to_owned(),
        "-".to_owned(),
        short(open.cpu_ms()),
        open.wake_ups.to_string(),
    ]);
    let share = open.cpu.as_secs_f64() / WHILE.as_secs_f64() * 100.0;
    Ok(Section {
        title: "Idle".into(),
        how: "60 s each, all processes of each. Window closed: the window was opened and closed before, the runner waits for tasks; all idle in the\n\
              same minute. CPU time in ticks of the kernel's (10 ms each, by `/proc/PID/stat`) and by `schedstat`; wake-ups are voluntary context\n\
              switches. Overview open: the window shows the runner while its task runs, which prints a line every second; the task's own use and\n\
              the supervisor's are not counted."
            .into(),
        table,
        notes: vec![quiet],
        bars: vec![
            Bar::new("CPU in 60 s, window closed", whole(used[0]), 0.0, "ticks"),
            Bar::new("CPU, Overview open and a task running", share, 1.0, "% of a core"),
        ],
    })
}
