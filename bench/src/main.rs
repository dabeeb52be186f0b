//! What Runner Tray costs, side by side with others in the same run: `bench supervise` with other
//! supervisors, `bench app` with the smallest Tauri app, `bench cleanup` with du, rm and their like,
//! `bench preinstall` with the same commands in bash. It
//! starts only processes of its own, ends them all, and speaks to loopback alone.

mod bell;
mod contender;
mod desktop;
mod disk;
mod files;
mod machine;
mod needs;
mod numbers;
mod ours;
mod peers;
mod proc;
mod quiet;
mod release_server;
mod report;
mod results;
mod rig;
mod rows;
mod sleepers;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use peers::Fetched;
use quiet::Quiet;
use report::Section;
use results::Results;

const USAGE: &str = "usage: bench WHAT --peers FOLDER [--quick] [--only ROW[,ROW]] [--patience SECONDS] [--write FILE]

  WHAT        supervise: cost, start, again, wrapper, snapshot, download, log, runners, history
              app: tray, window, idle
              cleanup: measure, remove-small, remove-real, remove-large, memory
              preinstall: check, no-op
  --peers     what bench/fetch-peers made
  --quick     fewer repetitions and small growth curves: to try the bench, not to publish
  --only      these rows; the report has the others as they were measured last
  --patience  how long each row waits for a quiet machine (600)
  --write     the report as Markdown, too

Exits 1 where a bar is missed by more than a factor of 2.";

type Row = fn(&Bench) -> Result<Section>;

/// One of the benches.
pub(crate) struct About {
    name: &'static str,
    title: &'static str,
    /// Where its report is published.
    file: &'static str,
    note: &'static str,
    /// Ours, whose sizes are told.
    programs: &'static [&'static str],
    rows: &'static [(&'static str, Row)],
}

const ALL: [About; 4] = [rows::ABOUT, desktop::ABOUT, disk::ABOUT, needs::ABOUT];

/// What every row is given.
pub(crate) struct Bench {
    about: &'static About,
    peers: Fetched,
    results: Results,
    quick: bool,
    quiet: Quiet,
    only: Option<Vec<String>>,
    write: Option<PathBuf>,
}

impl Bench {
    /// A number of repetitions, fewer where it is to be quick.
    pub(crate) fn times(&self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }
}

fn main() -> ExitCode {
    let done = asked(std::env::args().skip(1)).and_then(|bench| run(&bench));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn asked(mut args: impl Iterator<Item = String>) -> Result<Bench> {
    const BENCHES: &[About] = &ALL;
    let what = args.next().unwrap_or_default();
    let about = BENCHES.iter().find(|about| about.name == what);
    let about = about.with_context(|| USAGE)?;
    let (mut folder, mut quick, mut only, mut write, mut patience) = (None, false, None, None, 600);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value\n\n{USAGE}"));
        match arg.as_str() {
            "--peers" => folder = Some(PathBuf::from(value()?)),
            "--quick" => quick = true,
            "--only" => only = Some(rows(about, &value()?)?),
            "--patience" => {
                patience = value()?.parse().context("--patience is a number of seconds")?;
            }
            "--write" => write = Some(PathBuf::from(value()?)),
            other => anyhow::bail!("what is {other}?\n\n{USAGE}"),
        }
    }
    let folder = folder.with_context(|| format!("--peers is missing\n\n{USAGE}"))?;
    let kept = if quick { "results-quick" } else { "results" };
    Ok(Bench {
        about,
        peers: Fetched::read(&folder, about.name)?,
        results: Results::open(&folder.join(kept).join(about.name))?,
        quick,
        quiet: Quiet::new(Duration::from_secs(patience)),
        only,
        write,
    })
}

fn rows(about: &About, asked: &str) -> Result<Vec<String>> {
    let is_known = |row: &&str| about.rows.iter().any(|(name, _)| name == row);
    if let Some(unknown) = asked.split(',').find(|row| !is_known(row)) {
        anyhow::bail!("bench {} has no row {unknown}\n\n{USAGE}", about.name);
    }
    Ok(asked.split(',').map(str::to_owned).collect())
}

/// Whether no bar was missed by far.
fn run(bench: &Bench) -> Result<bool> {
    let head = machine::told(bench)?;
    println!("{head}");
    let mut sections: Vec<Section> = Vec::new();
    for (name, row) in bench.about.rows {
        if bench.only.as_ref().is_some_and(|only| !only.iter().any(|asked| asked == name)) {
            sections.extend(bench.results.of(name)?);
            continue;
        }
        eprintln!("measuring: {name}");
        let mut section = row(bench).with_context(|| format!("measuring {name}"))?;
        section
            .notes
            .push(format!("Load of the machine when it ended: {}.", quiet::load_average()));
        println!("{}", section.text());
        sections.push(bench.results.keep(name, section)?);
    }
    let bars = report::bars(&sections);
    println!("## The bars\n\n{bars}");
    if let Some(file) = &bench.write {
        let all: Vec<String> = sections.iter().map(Section::text).collect();
        files::write(file, &format!("{head}\n## The bars\n\n{bars}\n{}", all.join("\n")))?;
    }
    let mut missed =
        sections.iter().flat_map(|section| &section.bars).filter(|bar| !bar.is_met()).peekable();
    if missed.peek().is_none() {
        eprintln!("every bar is met");
    }
    let mut good = true;
    for bar in missed {
        eprintln!("missed: {}", bar.what);
        good &= !bar.is_missed_by_far();
    }
    Ok(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_does_not_exist_is_refused_and_not_passed_over() {
        let args = ["supervise", "--peers", "/nowhere", "--only", "cost,strat"];
        let refused = asked(args.map(str::to_owned).into_iter()).err().expect("no such row");
        assert!(refused.to_string().starts_with("bench supervise has no row strat"), "{refused}");
    }
}
