//! The window: from a click in the tray to the first paint, and what stays when it is closed.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::app::{App, settle};
use super::session::Session;
use crate::Bench;
use crate::numbers::{median, percentile, ratio, short, whole};
use crate::report::{Bar, Section, Table};
use crate::rig::Rig;

/// In which a web process must be gone.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Found {
    there: Vec<f64>,
    painted: Vec<f64>,
    again: Vec<f64>,
    before: Vec<f64>,
    open: Vec<f64>,
    closed: Vec<f64>,
    given_back: Vec<f64>,
    left: usize,
}

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(6, 2);
    let rig = Rig::start("")?;
    let session = Session::start()?;
    let mut apps = [App::ours(&session, &rig), App::smallest(&session)];
    let quiet = bench.quiet.wait();
    let mut found = [Found::default(), Found::default()];
    for round in 0..rounds {
        for turn in 0..apps.len() {
            let at = (round + turn) % apps.len();
            look(&mut apps[at], &mut found[at])?;
        }
    }
    let mut table = Table::new(&[
        "",
        "first paint, median ms",
        "p95",
        "Runner Tray / it",
        "of that until the window is there",
        "opened again, median ms",
        "PSS MB before",
        "open",
        "closed",
        "web process gone after, ms",
    ]);
    for (app, it) in apps.iter().zip(&found) {
        table.line([
            app.name.to_owned(),
            short(median(&it.painted)),
            short(percentile(&it.painted, 95)),
            ratio(median(&found[0].painted), median(&it.painted)),
            short(median(&it.there)),
            short(median(&it.again)),
            short(median(&it.before)),
            short(median(&it.open)),
            short(median(&it.closed)),
            short(median(&it.given_back)),
        ]);
    }
    let [ours, smallest] = &found;
    Ok(Section {
        title: "The window".into(),
        how: format!(
            "{rounds} rounds by turns, each with a fresh start. The first item of the tray's menu is clicked over the session bus; it opens the\n\
             window. The display tells the bench of every change (X11's DAMAGE); after each the bench reads the pixels of the window. First\n\
             paint: {} different colours or more, which text has and a blank window has not. Both are measured so. Then the window is closed as\n\
             its close button does it, opened again, and closed. Memory of all processes of each, web process included.",
            8
        ),
        table,
        notes: vec![quiet],
        bars: vec![
            Bar::new(
                "click to first paint: of the smallest app's",
                median(&ours.painted) / median(&smallest.painted),
                1.5,
                "x",
            ),
            Bar::new(
                "web processes left after the window was closed",
                whole(ours.left as u64),
                0.0,
                "",
            ),
        ],
    })
}

fn look(app: &mut App<'_>, found: &mut Found) -> Result<()> {
    app.start()?;
    found.before.push(megabytes(app)?);
    let opened = app.open()?;
    found.there.push(opened.there_ms);
    found.painted.push(opened.painted_ms);
    settle();
    found.open.push(megabytes(app)?);
    app.close(&opened)?;
    let begun = Instant::now();
    while app.web_processes() > 0 && begun.elapsed() < PATIENCE {
        trials::nap(Duration::from_millis(10));
    }
    found.given_back.push(begun.elapsed().as_secs_f64() * 1000.0);
    settle();
    found.left += app.web_processes();
    found.closed.push(megabytes(app)?);
    let opened = app.open()?;
    found.again.push(opened.painted_ms);
    app.close(&opened)?;
    app.stop()
}

fn megabytes(app: &App<'_>) -> Result<f64> {
    Ok(whole(app.memory()?.pss) / 1e6)
}
