//! How soon a client that listens sees that a task runs. Only the order is asserted; the times are
//! printed: `cargo nextest run -p trials --test snapshot_latency --no-capture`.

use client::{Client, Detail};
use futures::StreamExt;
use jiff::Timestamp;
use trials::{CLASS, DEADLINE, Job, Options, Rig, until};

const TASKS: usize = 20;

/// A task as the listener first saw it, and when.
type Seen = std::sync::Arc<std::sync::Mutex<Vec<(protocol::Task, Timestamp)>>>;

#[expect(clippy::disallowed_methods, reason = "what is measured is the time by the clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn listen(socket: std::path::PathBuf, seen: &Seen) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = Client::connect(socket).expect("a client");
        let mut events = client.events(Detail::Plain);
        while let Some(Ok(snapshot)) = events.next().await {
            let at = now();
            let mut seen = seen.lock().expect("nobody panics with it");
            for task in snapshot.runners.into_iter().filter_map(|runner| runner.task) {
                if seen.iter().all(|(known, _)| known.id != task.id) {
                    seen.push((task, at));
                }
            }
        }
    });
}

#[test]
fn a_client_sees_each_task_before_it_ends_and_how_soon_is_printed() {
    let rig = Rig::idle(&Options::default());
    let socket = rig.place.folders().socket().unwrap();
    let seen = Seen::default();
    let listener = std::thread::spawn({
        let seen = std::sync::Arc::clone(&seen);
        move || listen(socket, &seen)
    });
    for count in 1..=TASKS {
        let job = Job::that_is_quiet(&rig.place, &rig.circle, CLASS, &count.to_string());
        until(DEADLINE, "the client sees it", || seen.lock().unwrap().len() == count);
        job.let_go();
        rig.circle.finished(job.number);
        until(DEADLINE, "its end is in the history", || {
            rig.api.history().is_ok_and(|tasks| tasks.len() == count)
        });
    }
    let run = rig.run();
    let mut waits: Vec<f64> = Vec::new();
    let mut before = None;
    for (task, at) in seen.lock().unwrap().iter() {
        let (_, number) = task.id.as_str().rsplit_once('.').unwrap();
        let record = run.task(run_dir::TaskNumber(number.parse().unwrap()));
        let (started, finished) = (record.started().written(), record.finished().written());
        let (started, finished) = (started.unwrap().at, finished.unwrap().at);
        assert!(*at < finished, "{task:?} was seen at {at} and ended at {finished}");
        assert!(before.is_none_or(|before| task.started_at > before), "{task:?} began too early");
        before = Some(finished);
        // It may be seen a moment before its record has a time.
        waits.push(started.duration_until(*at).as_secs_f64().max(0.0) * 1000.0);
    }
    assert_eq!(waits.len(), TASKS);
    waits.sort_by(f64::total_cmp);
    let at = |part: usize| waits[(TASKS * part).div_ceil(100) - 1];
    println!(
        "from a task's start to a listening client, {TASKS} tasks: p50 {:.1} ms, p95 {:.1} ms, longest {:.1} ms",
        at(50),
        at(95),
        at(100),
    );
    rig.finish();
    listener.join().unwrap();
}
