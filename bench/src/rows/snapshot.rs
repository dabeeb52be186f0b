//! How soon a client that listens learns that a task runs, in a machine that is ever fuller.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use client::{Client, Detail};
use futures::StreamExt;
use jiff::Timestamp;
use protocol::TaskId;
use trials::Place;

use crate::Bench;
use crate::numbers::{median, percentile, short};
use crate::report::{Bar, Section, Table};
use crate::rig::Rig;
use crate::sleepers::Sleepers;

/// An agent that asks for tasks often, so that the bench need not wait for it.
const EAGER: &str = "max-backoff-ms=100";

/// A task, and when the listener first saw it.
type Seen = Arc<Mutex<Vec<(TaskId, Timestamp)>>>;

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let tasks = bench.times(60, 5);
    let fullness: &[usize] = if bench.quick { &[0, 100] } else { &[0, 100, 1000, 2500, 5000] };
    let mut rig = Rig::start(EAGER)?;
    let known = Seen::default();
    let (socket, listens) = (rig.socket()?, Arc::clone(&known));
    // It ends with the supervisor.
    std::thread::spawn(move || listen(socket, &listens));
    let mut sleepers = Sleepers::none();
    let mut table = Table::new(&["other processes", "median ms", "p95", "longest"]);
    let mut bars = Vec::new();
    // Later the kernel's own work for so many processes would count as somebody else's.
    let quiet = bench.quiet.wait();
    for &count in fullness {
        sleepers.grow(count)?;
        let waits = waits(&mut rig, &known, tasks)?;
        let p95 = percentile(&waits, 95);
        table.line([
            count.to_string(),
            short(median(&waits)),
            short(p95),
            short(percentile(&waits, 100)),
        ]);
        if [0, 5000].contains(&count) {
            let what = format!("task start to a client's snapshot, p95, {count} other processes");
            bars.push(Bar::new(what, p95, 50.0, "ms"));
        }
    }
    drop(sleepers);
    Ok(Section {
        title: "From a task's start to the snapshot".into(),
        how: format!(
            "{tasks} tasks each: from the moment that the wrapper made the task's folder, the first that it leaves, until a client that\n\
             listens to `GET /v1/events` has read a snapshot with that task. The others are `sleep`. A folder's time is the kernel's\n\
             clock, which ticks every few milliseconds."
        ),
        table,
        notes: vec![quiet],
        bars,
    })
}

/// From each task's first trace until it was seen, in ms.
fn waits(rig: &mut Rig, seen: &Seen, tasks: usize) -> Result<Vec<f64>> {
    (0..tasks)
        .map(|_| {
            let task = rig.task("sleep 0.2");
            let begun = begun(&rig.place, &task.id)?;
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let at = seen.iter().find(|(id, _)| *id == task.id).map(|(_, at)| *at);
            let at = at.with_context(|| format!("{} was never seen while it ran", task.id))?;
            Ok(begun.duration_until(at).as_secs_f64() * 1000.0)
        })
        .collect()
}

fn begun(place: &Place, task: &TaskId) -> Result<Timestamp> {
    let (run, number) = task.as_str().rsplit_once('.').context("a task's name has its number")?;
    let run = place.runs().run(&run.parse().ok().context("a task's name has its run")?);
    let folder = run.task(run_dir::TaskNumber(number.parse()?));
    let made = std::fs::metadata(folder.path()).and_then(|about| about.created());
    let made = made.with_context(|| format!("when the folder of {task} was made"))?;
    Ok(Timestamp::try_from(made)?)
}

fn listen(socket: PathBuf, seen: &Seen) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = Client::connect(socket).expect("a client");
        let mut events = client.events(Detail::Plain);
        while let Some(Ok(snapshot)) = events.next().await {
            let at = now();
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for task in snapshot.runners.into_iter().filter_map(|runner| runner.task) {
                if seen.iter().all(|(known, _)| *known != task.id) {
                    seen.push((task.id, at));
                }
            }
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the time by the clock")]
fn now() -> Timestamp {
    Timestamp::now()
}
