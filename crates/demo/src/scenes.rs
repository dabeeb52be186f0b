//! The demonstration itself, scene by scene; each checks what it shows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use local_circleci::{NewTask, Outcome, TaskNumber};
use protocol::{Runner, RunnerState};

use crate::place::Place;
use crate::telling::{Shown, Telling};
use crate::work;

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn play(place: &Place, telling: &mut Telling) -> Result<Shown> {
    let mut shown = Shown::default();
    let repository = work::repository(place.home())?;

    telling.scene("Set-up");
    telling.quote(&place.set_up()?);
    let _app = crate::app::open(place, telling);

    telling.scene("A task");
    let first = queue(place, telling, &work::job("build", &repository, 1))?;
    finish(place, telling, &mut shown, first)?;

    telling.scene("A pause that waits for its task");
    let second = queue(place, telling, &work::job("integration", &repository, 3))?;
    wait_for(place, telling, RunnerState::Busy)?;
    telling.quote(&place.runnerctl(&["pause", "--for", "1h", "--note", "showing off"])?);
    wait_for(place, telling, RunnerState::Draining)?;
    let waiting = queue(place, telling, &work::job("lint", &repository, 0))?;
    finish(place, telling, &mut shown, second)?;
    wait_for(place, telling, RunnerState::Paused)?;
    let counts = place.circle().counts(crate::place::CLASS)?;
    ensure!(counts.unclaimed == 1, "the paused runner claimed a task");
    telling.say("The next task waits in the queue, unclaimed.");
    shown.pause_waited = true;

    telling.scene("Resume");
    telling.quote(&place.runnerctl(&["resume"])?);
    finish(place, telling, &mut shown, waiting)?;
    shown.resumed = true;

    telling.scene("kill -9 of the supervisor in the middle of a task");
    let third = queue(place, telling, &work::job("deploy", &repository, 3))?;
    wait_for(place, telling, RunnerState::Busy)?;
    let pid = place.supervisor_pid()?;
    kill(pid)?;
    telling.say(&format!("The supervisor (pid {pid}) is gone; the task does not notice."));
    telling.quote(&place.runnerctl(&["supervisor", "start"])?);
    let state = runner(place)?.state;
    telling.say(&format!("A new supervisor found it: {}.", state.word()));
    telling.quote(&place.runnerctl(&["status"])?);
    finish(place, telling, &mut shown, third)?;
    shown.kill_survived = true;

    telling.scene("What was recorded");
    // The last task is in the history as soon as the supervisor has seen its end.
    until("the history", || Ok((recorded(place)? == shown.tasks.len()).then_some(())))?;
    telling.quote(&place.runnerctl(&["history"])?);
    Ok(shown)
}

fn recorded(place: &Place) -> Result<usize> {
    let page: protocol::HistoryPage =
        serde_json::from_str(&place.runnerctl(&["history", "--json"])?)?;
    Ok(page.tasks.len())
}

fn queue(place: &Place, telling: &mut Telling, task: &NewTask) -> Result<TaskNumber> {
    let number = place.circle().enqueue(task)?;
    telling.say(&format!("Queued: {} / {} on {}.", task.project, task.job, task.branch));
    Ok(number)
}

/// Follows the runner until the task is over, and keeps its result.
fn finish(
    place: &Place,
    telling: &mut Telling,
    shown: &mut Shown,
    number: TaskNumber,
) -> Result<()> {
    let task = until("the end of the task", || {
        telling.watch(&runner(place)?);
        let task = place.circle().task(number)?;
        Ok((task.state == local_circleci::TaskState::Finished).then_some(task))
    })?;
    let well = task.outcome == Some(Outcome::Success);
    let output = place.circle().output(number)?;
    if let Some(line) = output.lines().find(|line| line.contains("tests passed")) {
        telling.say(&format!("Its output says: {}", line.trim()));
    }
    let took = task.claimed_at.zip(task.finished_at).map(|(from, to)| from.duration_until(to));
    telling.say(&format!("CircleCI has its result: {}.", if well { "success" } else { "failed" }));
    shown.tasks.push((task.job.clone(), well, took.unwrap_or_default()));
    Ok(())
}

fn wait_for(place: &Place, telling: &mut Telling, state: RunnerState) -> Result<()> {
    until(state.word(), || {
        let runner = runner(place)?;
        telling.watch(&runner);
        if let Some(problem) = runner.problems.first() {
            bail!("{} {}", problem.summary, problem.hint);
        }
        Ok((runner.state == state).then_some(()))
    })
}

fn runner(place: &Place) -> Result<Runner> {
    place.snapshot()?.runners.into_iter().next().context("the runner is not there")
}

fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        crate::interrupt::check()?;
        ensure!(Instant::now() < deadline, "waited {} s for: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn kill(pid: u32) -> Result<()> {
    let pid = process::Pid::new(pid).context("the supervisor has a pid")?;
    let supervisor = process::ProcessId::of(pid)?;
    process::signal(&supervisor, process::Signal::KILL)?;
    until("the supervisor's end", || {
        Ok((process::alive(&supervisor) == process::Liveness::Dead).then_some(()))
    })
}
