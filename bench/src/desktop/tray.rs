//! The tray alone: from start to icon, and memory.

use anyhow::Result;

use super::app::App;
use super::session::Session;
use crate::Bench;
use crate::numbers::{median, percentile, ratio, short, whole};
use crate::report::{Bar, Section, Table};
use crate::rig::Rig;

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(8, 3);
    let rig = Rig::start("")?;
    let session = Session::start()?;
    let mut apps =
        [App::ours(&session, &rig), App::smallest(&session), App::pystray(bench, &session)?];
    let quiet = bench.quiet.wait();
    let (mut times, mut sizes, mut own) = (vec![vec![]; 3], vec![vec![]; 3], vec![vec![]; 3]);
    for round in 0..rounds {
        // Everybody is first once; nobody shares a page with another of them.
        for turn in 0..apps.len() {
            let at = (round + turn) % apps.len();
            let app = &mut apps[at];
            times[at].push(app.start()?);
            let memory = app.memory()?;
            sizes[at].push(whole(memory.pss));
            own[at].push(whole(memory.anonymous));
            app.stop()?;
        }
    }
    let mut table = Table::new(&[
        "",
        "start to tray, median ms",
        "p95",
        "Runner Tray / it",
        "PSS MB",
        "anonymous MB",
        "PSS, Runner Tray / it",
    ]);
    let mega = |bytes: &[f64]| short(median(bytes) / 1e6);
    for (at, app) in apps.iter().enumerate() {
        table.line([
            app.name.to_owned(),
            short(median(&times[at])),
            short(percentile(&times[at], 95)),
            ratio(median(&times[0]), median(&times[at])),
            mega(&sizes[at]),
            mega(&own[at]),
            ratio(median(&sizes[0]), median(&sizes[at])),
        ]);
    }
    let of_smallest = |what: &[Vec<f64>]| median(&what[0]) / median(&what[1]);
    Ok(Section {
        title: "The tray".into(),
        how: format!(
            "{rounds} rounds, all by turns. From the start of the program until its icon is registered with the panel. Memory of all its\n\
             processes by `/proc/PID/smaps_rollup`, 4 s later, no window was opened. Runner Tray's supervisor runs and is no part of it;\n\
             the smallest app has an icon, a menu of two items and a window on demand, and is built as Runner Tray is ([its source](../bench/smallest-app/src/main.rs))."
        ),
        table,
        notes: vec![quiet],
        bars: vec![
            Bar::new("tray alone, PSS: of the smallest app's", of_smallest(&sizes), 1.1, "x"),
            Bar::new("start to tray: of the smallest app's", of_smallest(&times), 1.3, "x"),
        ],
    })
}
