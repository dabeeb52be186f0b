//! How soon a client that listens learns that a task runs, in a machine that is ever fuller.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
            "{tasks} tasks each: from the moment that the wrapper's process began until a client that listens to `GET /v1/events` has\n\
             read a snapshot with that task. The others are `sleep`. The kernel tells such moments to 10 ms."
        ),
        table,
        notes: vec![quiet],
        bars,
    })
}

/// From the start of each task's wrapper until it was seen, in ms.
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

/// When the wrapper's process began.
fn begun(place: &Place, task: &TaskId) -> Result<Timestamp> {
    let (run, number) = task.as_str().rsplit_once('.').context("a task's name has its number")?;
    let run = place.runs().run(&run.parse().ok().context("a task's name has its run")?);
    let record = run.task(run_dir::TaskNumber(number.parse()?)).started().written();
    let ticks = record.with_context(|| format!("the start of {task} is on record"))?.front.start.0;
    let began = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second());
    let age = since_boot()?.checked_sub(began).context("a process begins after the machine")?;
    Ok(now() - age)
}

fn since_boot() -> Result<Duration> {
    let uptime = std::fs::read_to_string("/proc/uptime")?;
    let seconds = uptime.split(' ').next().context("/proc/uptime begins with seconds")?;
    Ok(Duration::try_from_secs_f64(seconds.parse()?)?)
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
