//! How costs grow with the number of runners.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Bench;
use crate::contender::Contender;
use crate::numbers::{mb, median, short};
use crate::ours::Ours;
use crate::proc::{memory, watch};
use crate::release_server::ReleaseServer;
use crate::report::{Section, Table};

const IDLE: Duration = Duration::from_mins(1);
const SETTLE: Duration = Duration::from_secs(15);

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let counts: &[usize] = if bench.quick { &[1, 5] } else { &[1, 5, 10, 25, 50] };
    let folder = tempfile::tempdir()?;
    let child = super::child(folder.path())?;
    let server = ReleaseServer::start(&child, folder.path())?;
    let mut table = Table::new(&[
        "runners",
        "supervisor PSS MB",
        "anonymous",
        "keepers PSS MB",
        "all up, ms",
        "snapshot, ms",
        "idle 60 s: CPU ms",
        "wake-ups",
    ]);
    let mut notes = Vec::new();
    for &count in counts {
        let mut ours = Ours::new(&server, count)?;
        notes.push(format!("With {count}: {}.", bench.quiet.wait()));
        let begun = Instant::now();
        ours.start()?;
        ours.bell().several(count)?;
        let up = begun.elapsed().as_secs_f64() * 1000.0;
        let snapshot = snapshots(&ours)?;
        trials::nap(SETTLE);
        let effort = watch(&[ours.own()?], IDLE).pop().unwrap_or_default();
        let (supervisor, keepers) = (memory(&[ours.supervisor()?])?, memory(&ours.keepers()?)?);
        table.line([
            count.to_string(),
            short(mb(supervisor.pss)),
            short(mb(supervisor.anonymous)),
            short(mb(keepers.pss)),
            short(up),
            short(snapshot),
            short(effort.cpu_ms()),
            effort.wake_ups.to_string(),
        ]);
        ours.stop()?;
    }
    Ok(Section {
        title: "Growth: runners".into(),
        how: "One supervisor with so many runners, each with a keeper and an agent. \"All up\": from the start of the supervisor until the last\n\
              agent is up. \"Snapshot\": one call of `GET /v1/snapshot`, median of 50. Each runner's server is probed once a minute."
            .into(),
        table,
        notes,
        bars: Vec::new(),
    })
}

/// In ms.
fn snapshots(ours: &Ours) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        ours.api.snapshot()?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&times))
}
