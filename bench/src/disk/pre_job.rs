//! What the clean-up before a task adds to it where there is nothing to do.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use cleanup::preset::{Around, Choice, FreeGoal, Platform, RunnerAround, What, When, built_in};
use cleanup::work::{BeforeTask, Fresh, TaskCleanUp, TaskCleaned, VERSION};
use run_dir::{RunDir, RunsFolder, TaskNumber};

use crate::Bench;
use crate::numbers::{median, percentile, short};
use crate::report::{Bar, Section, Table};
use crate::rows::wrapper::{forget_tasks, plan, timed, wrapper};

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(200, 10);
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("work"))?;
    let runs = RunsFolder::open(folder.path())?;
    // Held, as their keepers would.
    let (without, _lock) = runs.create(&plan(folder.path()), "")?;
    let (with, _other_lock) = runs.create(&plan(folder.path()), "")?;
    run_dir::write_atomically(&with.clean_up(), &serde_json::to_vec(&usual(folder.path()))?)?;
    finds_nothing(&with)?;
    let quiet = bench.quiet.wait();
    let (mut bare, mut cleaned) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (run, times) in [(&without, &mut bare), (&with, &mut cleaned)] {
            times.push(timed(wrapper(run).arg("true"))?);
            forget_tasks(run)?;
        }
    }
    let mut table = Table::new(&["", "median ms", "p95"]);
    for (name, times) in [("without clean-up", &bare), ("with it", &cleaned)] {
        table.line([name.to_owned(), short(median(times)), short(percentile(times, 95))]);
    }
    let added = median(&cleaned) - median(&bare);
    let bar = "pre-job with nothing to do, added to a task (median)";
    Ok(Section {
        title: "Before a task".into(),
        how: format!(
            "`runner-tray-keeper task RUN -- true` {rounds} times and, by turns, the same with what is done before a task unless its owner\n\
             chose otherwise: a fresh directory, kept ones, `/tmp/circleci-*`, and free space that is there. None of it has anything to do. From\n\
             the start of the wrapper until its end was reaped; a process that cleans up, its plan and its record are in it."
        ),
        table,
        notes: vec![quiet],
        bars: vec![Bar::new(bar, added, 10.0, "ms")],
    })
}

/// What the supervisor writes for a runner whose owner chose nothing.
fn usual(folder: &Path) -> TaskCleanUp {
    let (work, kept) = (folder.join("work"), folder.join("work.kept"));
    let lock = folder.join("work.lock");
    let fresh = Fresh { work: (&work).into(), kept: (&kept).into(), name: String::new() };
    let is_usual = |preset: &&cleanup::preset::Preset| {
        let elsewhere = matches!(preset.what, What::Fresh | What::Processes);
        preset.default && preset.when == When::BeforeTask && !elsewhere
    };
    let choices = built_in().iter().filter(is_usual).map(|it| Choice::built_in(&it.id)).collect();
    let around = Around {
        platform: Platform::here(),
        home: folder.to_owned(),
        temp: std::env::temp_dir(),
        path: Vec::new(),
        runners: vec![RunnerAround { name: "bench".into(), work, kept, lock: lock.clone() }],
        left_over: Vec::new(),
        never_delete: Vec::new(),
        idle: false,
        others: false,
    };
    let goals = vec![FreeGoal { path: folder.to_owned(), wanted: 1, least: Some(1) }];
    TaskCleanUp {
        version: VERSION,
        within_seconds: 120,
        fail_task: false,
        end_left_overs: false,
        lock: lock.into(),
        before: Some(BeforeTask { fresh: Some(fresh), choices, around, goals }),
    }
}

/// A row of something else would be no row.
fn finds_nothing(run: &RunDir) -> Result<()> {
    timed(wrapper(run).arg("true"))?;
    let cleaned: TaskCleaned =
        serde_json::from_slice(&fs::read(run.task(TaskNumber(1)).clean_up())?)?;
    let done = cleaned.done.as_ref();
    let is_nothing = done.is_some_and(|done| {
        done.groups.iter().all(|group| group.files.is_none() && group.steps.is_empty())
    });
    ensure!(is_nothing && cleaned.failures.is_empty(), "there was something to do: {cleaned:?}");
    forget_tasks(run)
}
