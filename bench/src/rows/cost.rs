//! What it costs to be there: memory, CPU time and wake-ups, while nothing happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use client::{Client, Detail};
use futures::StreamExt;
use protocol::{Pause, RunnerName};
use trials::CLASS;

use crate::Bench;
use crate::numbers::{mb, ratio, short, whole};
use crate::proc::{Effort, Memory, memory, watch};
use crate::report::{Bar, Section, Table};
use crate::rig::Rig;

/// Paused from its first moment; only its pause's note changes.
const SPARE: &str = "spare";
/// Somebody who looks at a running task gets one every three seconds.
const SNAPSHOTS_AN_HOUR: usize = 1200;
const IDLE: Duration = Duration::from_mins(1);
/// Threads that wait for more work are gone after this.
const SETTLE: Duration = Duration::from_secs(15);

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let snapshots = bench.times(SNAPSHOTS_AN_HOUR, 200);
    let rig = used(snapshots)?;
    let folder = tempfile::tempdir()?;
    let child = super::child(folder.path())?;
    let mut peers = bench.peers.all(&child, 1)?;
    for peer in &mut peers {
        peer.start()?;
        peer.bell().next()?;
    }
    let mut groups = vec![rig.own()?];
    for peer in &peers {
        groups.push(peer.own()?);
    }
    // To ask who they are wakes them, too.
    trials::nap(SETTLE);

    let quiet = bench.quiet.wait();
    let efforts = watch(&groups, IDLE);
    let memories = groups.iter().map(|group| memory(group)).collect::<Result<Vec<_>>>()?;
    let keeper = memory(&[rig.keeper()?])?;
    let listened = while_somebody_listens(&rig)?;

    let names: Vec<&str> =
        std::iter::once("Runner Tray").chain(peers.iter().map(|peer| peer.name())).collect();
    let mut section = section(&names, &memories, &efforts);
    section.bars.extend(bars(&names, &memories, &efforts, keeper));
    section.notes = vec![
        format!(
            "Of Runner Tray's memory the keeper has {} MB PSS, {} MB anonymous.",
            mega(keeper.pss),
            mega(keeper.anonymous)
        ),
        format!(
            "While a client listens and nothing happens: {} ms CPU, {} wake-ups in {} moments.",
            short(listened.cpu_ms()),
            listened.wake_ups,
            listened.moments
        ),
        format!("Before it idled, {snapshots} snapshots were sent to a client that listened."),
        quiet,
    ];
    for peer in &mut peers {
        peer.stop()?;
    }
    Ok(section)
}

fn mega(bytes: u64) -> String {
    short(mb(bytes))
}

fn section(names: &[&str], memories: &[Memory], efforts: &[Effort]) -> Section {
    let mut table = Table::new(&[
        "",
        "PSS MB",
        "anonymous MB",
        "PSS, Runner Tray / it",
        "CPU ms",
        "wake-ups",
        "moments",
    ]);
    for ((name, memory), effort) in names.iter().zip(memories).zip(efforts) {
        table.line([
            (*name).to_owned(),
            mega(memory.pss),
            mega(memory.anonymous),
            ratio(whole(memories[0].pss), whole(memory.pss)),
            short(effort.cpu_ms()),
            effort.wake_ups.to_string(),
            effort.moments.to_string(),
        ]);
    }
    Section {
        title: "Being there".into(),
        how: "Supervisor and keeper of one runner that has done a task and sent an hour's worth of snapshots; each peer with one child.\n\
              Memory by `/proc/PID/smaps_rollup`, without the child's. Then 60 s in which nothing happens: CPU time by `schedstat`,\n\
              wake-ups as voluntary context switches of all threads; a moment is a stretch of wake-ups with a second of silence\n\
              before it. All contenders idle at the same time."
            .into(),
        table,
        ..Section::default()
    }
}

fn bars(names: &[&str], memories: &[Memory], efforts: &[Effort], keeper: Memory) -> Vec<Bar> {
    let runit = names.iter().zip(efforts).find(|(name, _)| **name == "runit");
    let runit = runit.map_or(0.0, |(_, effort)| effort.cpu_ms());
    vec![
        Bar::new("supervisor and keeper, PSS", mb(memories[0].pss), 16.0, "MB"),
        Bar::new("supervisor and keeper, anonymous", mb(memories[0].anonymous), 6.0, "MB"),
        Bar::new("keeper, PSS", mb(keeper.pss), 3.0, "MB"),
        Bar::new(
            "moments in 60 idle seconds (the probe)",
            whole(efforts[0].moments as u64),
            1.0,
            "",
        ),
        Bar::new(
            "CPU in 60 idle seconds: runit's and 10 ms",
            efforts[0].cpu_ms(),
            runit + 10.0,
            "ms",
        ),
    ]
}

/// Runner Tray after some use.
fn used(snapshots: usize) -> Result<Rig> {
    let mut rig = Rig::start("")?;
    let listener = Listener::start(&rig.socket()?);
    rig.task("for n in $(seq 500); do echo line $n; done; sleep 3");
    rig.api.set_up_as(SPARE, rig.circle.spec(CLASS), Some("no-such-token"))?;
    rig.pause(SPARE)?;
    let spare: RunnerName = SPARE.parse()?;
    for number in 0..snapshots {
        let pause = Pause { until: None, note: Some(format!("note {number}")) };
        rig.api.call(async |client| client.pause(&spare, &pause).await)?;
    }
    trials::until(trials::DEADLINE, "all snapshots came", || listener.count() >= snapshots);
    listener.end();
    Ok(rig)
}

fn while_somebody_listens(rig: &Rig) -> Result<Effort> {
    let listener = Listener::start(&rig.socket()?);
    trials::nap(SETTLE);
    let effort = watch(&[rig.own()?], IDLE).pop().context("one group was watched")?;
    listener.end();
    Ok(effort)
}

/// A client that listens, on a thread of its own.
struct Listener {
    count: Arc<AtomicUsize>,
    enough: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Listener {
    fn start(socket: &std::path::Path) -> Self {
        let (enough, ended) = tokio::sync::oneshot::channel();
        let (count, socket) = (Arc::<AtomicUsize>::default(), socket.to_owned());
        let counts = Arc::clone(&count);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let client = Client::connect(socket).expect("a client");
                let mut events = client.events(Detail::Usage);
                let listen = async {
                    while let Some(Ok(_)) = events.next().await {
                        counts.fetch_add(1, Ordering::Relaxed);
                    }
                };
                tokio::select! { () = listen => {}, _ = ended => {} }
            });
        });
        Self { count, enough, thread }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn end(self) {
        let _ = self.enough.send(());
        let _ = self.thread.join();
    }
}
