//! A log of a gigabyte: its last page, and a search through all of it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use client::{LogQuery, LogSearchQuery};
use protocol::RunnerName;

use crate::Bench;
use crate::numbers::{mb, median, percentile, ratio, short};
use crate::report::{Bar, Section, Table};
use crate::rig::{RUNNER, Rig};

const SIZE: u64 = 1_000_000_000;
const LINES: u64 = 200;
/// It stands in the log so often, far from one another.
const FOUND: usize = 40;
const WORD: &str = "needle";

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let size = if bench.quick { SIZE / 10 } else { SIZE };
    let (pages, searches) = (bench.times(100, 10), bench.times(9, 2));
    let mut rig = Rig::start("")?;
    rig.task("true");
    // Without a keeper nobody cuts the log.
    rig.pause(RUNNER)?;
    let log = rig.newest_run(RUNNER).context("the runner has a run")?.agent_log();
    rig.stop_supervisor();
    fill(&log, size)?;
    rig.start_supervisor();
    let rg = bench.peers.program("ripgrep", "rg")?;

    let quiet = bench.quiet.wait();
    let mut times: [Vec<f64>; 5] = Default::default();
    for _ in 0..pages {
        times[0].push(timed(|| page(&rig))?);
        times[1]
            .push(timed(|| run(rig.place.command("runnerctl").args(["logs", "--lines", "200"])))?);
        times[2].push(timed(|| run(Command::new("tail").args(["-n", "200"]).arg(&log)))?);
    }
    for _ in 0..searches {
        times[3].push(timed(|| search(&rig))?);
        times[4].push(timed(|| run(Command::new(&rg).args(["-n", WORD]).arg(&log)))?);
    }
    let [api, ctl, tail, ours, theirs] = &times;
    let mut table = Table::new(&["", "median ms", "p95", "Runner Tray / it"]);
    let mut line = |name: &str, times: &[f64], of: &[f64]| {
        let ratio = ratio(median(of), median(times));
        table.line([name.to_owned(), short(median(times)), short(percentile(times, 95)), ratio]);
    };
    line("last page: `GET /v1/runners/mini/logs?lines=200`", api, api);
    line("last page: `runnerctl logs --lines 200`", ctl, api);
    line("last page: `tail -n 200`", tail, api);
    line("search: `GET /v1/runners/mini/logs/search?word=needle`", ours, ours);
    line("search: `rg -n needle`", theirs, ours);
    Ok(Section {
        title: "A log of a gigabyte".into(),
        how: format!(
            "agent.log of {} MB in the page cache, with a word at {FOUND} places. {pages} pages and {searches} whole searches, by turns. A search\n\
             through the API is several calls, each for at most 256 MB; ours also look for pieces of the runner's token.",
            short(mb(size))
        ),
        table,
        notes: vec![quiet],
        bars: vec![
            Bar::new("last page of 1 GB of log", median(api), 50.0, "ms"),
            Bar::new("last page: 1.2 x tail", median(api), median(tail) * 1.2, "ms"),
            Bar::new("last page by runnerctl", median(ctl), 50.0, "ms"),
            Bar::new("search of 1 GB of log: 1.5 x rg", median(ours), median(theirs) * 1.5, "ms"),
        ],
    })
}

fn fill(log: &Path, size: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(log)?);
    let (mut written, mut number, mut next) = (0, 0_u64, 0);
    while written < size {
        let mut line = format!(
            "12:00:{:02}.{:03} {:05x} {}ms task span app=runner id={number} result=success step=build-and-test",
            number / 1000 % 60,
            number % 1000,
            number.wrapping_mul(48_271) & 0xf_ffff,
            number % 977,
        );
        if written >= next {
            line.push_str(" needle");
            next += size / FOUND as u64;
        }
        line.push('\n');
        file.write_all(line.as_bytes())?;
        written += line.len() as u64;
        number += 1;
    }
    file.flush()?;
    Ok(())
}

/// In ms.
fn timed(what: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    what()?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    ensure!(
        output.stdout.split(|byte| *byte == b'\n').count() > FOUND,
        "{command:?} said too little"
    );
    Ok(())
}

fn page(rig: &Rig) -> Result<()> {
    let runner: RunnerName = RUNNER.parse()?;
    let query = LogQuery { lines: Some(LINES), ..LogQuery::default() };
    let page = rig.api.call(async |client| client.logs(&runner, query).await)?;
    ensure!(page.text.lines().count() == 200, "the page has {} lines", page.text.lines().count());
    Ok(())
}

fn search(rig: &Rig) -> Result<()> {
    let runner: RunnerName = RUNNER.parse()?;
    let (mut found, mut from) = (0, None::<String>);
    loop {
        let query = LogSearchQuery { word: WORD, run: None, from: from.as_deref(), limit: None };
        let answer = rig.api.call(async |client| client.search_logs(&runner, query).await)?;
        found += answer.found.len();
        from = answer.next;
        if from.is_none() {
            break;
        }
    }
    ensure!(found >= FOUND, "{found} were found");
    Ok(())
}
