//! `bench preinstall`: how long it takes to know what jobs need of this machine, beside the same commands
//! one after another in bash; and an installation that has nothing to do, by `runnerctl` and a supervisor.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use trials::{Api, Options, Place, Supervisor};

use crate::numbers::{median, percentile, ratio, short};
use crate::report::{Bar, Section, Table};
use crate::{About, Bench};

pub(crate) const ABOUT: About = About {
    name: "preinstall",
    title: "Benchmarks of preinstall",
    file: "docs/benchmarks-preinstall.md",
    note: "All are programs that are timed from their start to their end. The check is by the bench's own\n\
           program, which calls the engine and nothing else; the installation by `runnerctl` and a supervisor.",
    programs: &["bench-preinstall", "runnerctl", "runner-tray-supervisor"],
    rows: &[("check", check), ("no-op", no_op)],
};

const OURS: &str = "bench-preinstall";

/// Of the environment HOME and PATH alone: what jobs have.
fn bare(mut command: Command) -> Command {
    command.env_clear();
    for name in ["HOME", "PATH"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// In ms, and what it printed.
fn run(command: &mut Command) -> Result<(f64, String)> {
    command.stdin(Stdio::null());
    let begun = Instant::now();
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let ms = begun.elapsed().as_secs_f64() * 1000.0;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    Ok((ms, String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn ours(words: &[&str]) -> Command {
    let mut command = Command::new(trials::program(OURS));
    command.args(words);
    bare(command)
}

/// By item, how its command ended.
fn codes(said: &str) -> BTreeMap<&str, bool> {
    let pairs = said.lines().filter_map(|line| line.split_once('\t'));
    pairs.map(|(item, code)| (item, code == "0")).collect()
}

/// That both did the same is shown before it is timed.
fn compare(works: &str, codes_of_bash: &str) -> Result<usize> {
    let (works, theirs) = (codes(works), codes(codes_of_bash));
    let other = works.iter().filter(|(item, works)| theirs.get(*item) != Some(works));
    let other: Vec<_> = other.collect();
    ensure!(other.is_empty(), "bash finds these otherwise: {other:?}");
    Ok(works.len())
}

fn number(said: &str, name: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    line.unwrap_or("?").to_owned()
}

fn check(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(10, 2);
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("commands.sh");
    let (_, commands) = run(&mut ours(&["script"]))?;
    crate::files::write(&script, &commands)?;
    let bash = |script: &Path| {
        let mut command = Command::new("bash");
        command.arg("--norc").arg(script);
        bare(command)
    };
    let (_, works) = run(&mut ours(&["works"]))?;
    let saying = folder.path().join("codes.sh");
    crate::files::write(&saying, &run(&mut ours(&["codes"]))?.1)?;
    let same = compare(&works, &run(&mut bash(&saying))?.1)?;
    let quiet = bench.quiet.wait();
    // Once before, so that all of it is in memory.
    let (_, said) = run(&mut ours(&["check"]))?;
    run(&mut bash(&script))?;
    let (mut of_ours, mut of_bash) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                of_ours.push(run(&mut ours(&["check"]))?.0);
            } else {
                of_bash.push(run(&mut bash(&script))?.0);
            }
        }
    }
    let (mine, theirs) = (median(&of_ours), median(&of_bash));
    let mut table = Table::new(&["", "median, ms", "p95, ms", "of bash's time"]);
    for (name, times) in [("Runner Tray", &of_ours), ("bash, one after another", &of_bash)] {
        let middle = median(times);
        table.line([
            name.to_owned(),
            short(middle),
            short(percentile(times, 95)),
            ratio(middle, theirs),
        ]);
    }
    Ok(Section {
        title: "Check of the whole catalogue".into(),
        how: format!(
            "{rounds} rounds by turns. All {} items of the catalogue, of which {} are there; a tool that is not there costs bash a look\n\
             at the PATH. bash throws away what the commands say; Runner Tray reads the versions and judges them. Both have the same\n\
             environment, but for options by which Runner Tray has what runs on Java begin sooner; Python it asks once for all. Of {same} it was compared first that they end alike.",
            number(&said, "items"),
            number(&said, "there")
        ),
        table,
        notes: vec![format!("{quiet}.")],
        bars: vec![Bar::new("check: half of bash's time", mine, theirs / 2.0, "ms")],
    })
}

fn no_op(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(10, 2);
    let mut place = Place::new();
    let bin = place.path("signs").join("bin");
    std::fs::create_dir(&bin)?;
    let (_, said) = run(&mut ours(&["largest"]))?;
    let preset = number(&said, "preset");
    let (_, lacks) = run(&mut ours(&["lacks", &bin.to_string_lossy()]))?;
    let path = std::env::var("PATH").unwrap_or_default();
    place.set_env("PATH", format!("{}:{path}", bin.display()));
    place.folders().ensure()?;
    let api = Api::of(&place);
    let supervisor = Supervisor::start(&place, &api, &Options::default());
    let quiet = bench.quiet.wait();
    let mut times = Vec::new();
    for _ in 0..=rounds {
        let mut command = place.command("runnerctl");
        let (ms, words) = run(command.args(["preinstall", "install", &preset]))?;
        ensure!(words.starts_with("Nothing to install"), "there is something to do: {words}");
        times.push(ms);
    }
    supervisor.stop();
    let times = &times[1..];
    let mut table = Table::new(&["", "median, ms", "p95, ms"]);
    table.line(["Runner Tray".to_owned(), short(median(times)), short(percentile(times, 95))]);
    Ok(Section {
        title: "An installation that has nothing to do".into(),
        how: format!(
            "{rounds} times: `runnerctl preinstall install {preset}` ({} items, the largest preset) asks a supervisor, which checks and\n\
             plans it and finds no step to carry out. What this machine lacks of it ({}) is there as a script that prints a version.",
            number(&said, "items"),
            lacks.lines().count()
        ),
        table,
        notes: vec![format!("{quiet}.")],
        bars: vec![Bar::new("no-op installation", median(times), 2000.0, "ms")],
    })
}
