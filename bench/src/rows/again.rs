//! Up again after a `kill -9` of a child that had lived long.

use std::time::Duration;

use anyhow::{Context, Result};
use process::Signal;

use super::{Times, contenders};
use crate::Bench;
use crate::contender::ms;
use crate::report::{Section, Table};

/// After a minute an agent counts as settled; every contender takes it for well started by then.
const LONG: Duration = Duration::from_secs(66);

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let (children, rounds) = (bench.times(10, 3), bench.times(2, 1));
    let folder = tempfile::tempdir()?;
    let mut contenders = contenders(bench, folder.path(), children)?;
    let mut times = Times::of(&contenders);
    let mut quiet = Vec::new();
    for _ in 0..rounds {
        let mut up = Vec::new();
        for contender in &mut contenders {
            contender.start()?;
            up.push(
                contender.bell().several(children).with_context(|| contender.name().to_owned())?,
            );
        }
        trials::nap(LONG);
        quiet.push(bench.quiet.wait());
        for number in 0..children {
            for (at, (contender, up)) in contenders.iter().zip(&up).enumerate() {
                let begun = std::time::Instant::now();
                process::signal(&up[number].child, Signal::KILL)?;
                let rung = contender.bell().next().with_context(|| contender.name().to_owned())?;
                times.add(at, ms(begun, &rung));
            }
        }
        for contender in &mut contenders {
            contender.stop()?;
        }
    }
    let mut table = Table::new(&["", "median ms", "p95", "Runner Tray / it"]);
    for at in 0..contenders.len() {
        table.line([vec![times.name(at)], times.cells(at)].concat());
    }
    Ok(Section {
        title: "Up again after kill -9".into(),
        how: format!(
            "Each contender keeps {children} children for {} s or longer; then one child after another gets a KILL, all contenders by\n\
             turns, and the time runs until its successor says that it is up. {rounds} times over, each child once.",
            LONG.as_secs()
        ),
        table,
        notes: quiet,
        bars: times.bars("up again after kill -9"),
    })
}
