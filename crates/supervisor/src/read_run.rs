//! One run directory, read whole, as the core's facts. What cannot be read becomes `Unknown`.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use process::Liveness;
use protocol::{RunId, RunnerName, TaskId, TokenStore};
use run_dir::{Record, RunDir, TaskDir, TaskState};
use supervisor_core::{
    AgentSeen, Cancelled, Drained, ExitSeen, LockSeen, Phase, Read, RunFacts, RunnerFacts, TaskEnd,
    TaskFacts,
};

/// What a run directory turned out to be.
pub(crate) enum Found {
    Run(Box<RunFacts>),
    /// Its plan cannot be read; `may_live` where an agent of it may run all the same.
    Stray {
        may_live: bool,
    },
    Gone,
}

/// Reads the run's records, its lock, and whether its agent lives. `reading` counts readings; `boot`
/// names this boot; `over` remembers tasks that are over, which change no more.
pub(crate) fn read_run(
    folder: &RunDir,
    run: &RunId,
    reading: u64,
    boot: &str,
    over: &mut BTreeMap<u32, TaskFacts>,
    now: Timestamp,
) -> Found {
    match std::fs::metadata(folder.path()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Gone,
        // It cannot be looked at, and who knows what lives in it.
        Err(_) => return Found::Stray { may_live: true },
        Ok(_) => {}
    }
    // The lock first: a keeper writes exit.json before it lets go.
    let lock = match folder.lock_held() {
        Ok(true) => LockSeen::Held,
        Ok(false) => LockSeen::Free,
        Err(_) => LockSeen::Unknown,
    };
    let (agent, exit) = (agent_of(folder), exit_of(folder));
    let plan = folder.plan();
    let Some((plan, runner)) =
        plan.written().and_then(|plan| runner_of(&plan).map(|runner| (plan, runner)))
    else {
        let over = Phase::of(lock, &agent, &exit, boot) == Phase::Over;
        return Found::Stray { may_live: !over || may_run_task(folder) };
    };
    let directory = plan.working_directory.display().to_string();
    Found::Run(Box::new(RunFacts {
        reading,
        run: run.clone(),
        runner,
        agent_version: plan.agent_version.unwrap_or_else(|| "unknown".into()),
        planned_at: planned_at(run).unwrap_or(now),
        lock,
        agent,
        drain: drain_of(folder),
        cancel: cancel_of(folder, run),
        exit,
        tasks: tasks_of(folder, run, &directory, over, now),
        unrecorded_task: unrecorded_task_of(folder),
    }))
}

fn may_run_task(folder: &RunDir) -> bool {
    let runs = |task: &TaskDir| matches!(task.state(), TaskState::Running | TaskState::Unknown(_));
    !unrecorded_task_of(folder).is_no()
        || folder.tasks().map_or(true, |tasks| tasks.iter().any(runs))
}

fn unrecorded_task_of(folder: &RunDir) -> Read<Timestamp> {
    match folder.unrecorded_task() {
        Ok(None) => Read::No,
        Ok(Some(since)) => Read::Yes(since),
        Err(_) => Read::Unknown,
    }
}

fn runner_of(plan: &run_dir::Plan) -> Option<RunnerFacts> {
    let name: RunnerName = plan.runner.parse().ok()?;
    Some(RunnerFacts {
        name,
        resource_class: plan.resource_class.parse().ok()?,
        working_directory: plan.working_directory.display().to_string(),
        // Shown only until the settings are read, or where they no longer name the runner.
        boundary: crate::boundary::boundary(plan.job_user.as_deref(), TokenStore::Keychain),
        // Of the settings alone: what runs has its agent.
        api_url: None,
        releases_url: String::new(),
        mark: plan.settings_mark.clone(),
        token_store: None,
        token_copy: None,
    })
}

/// The run's name begins with the moment it was planned at.
pub(crate) fn planned_at(run: &RunId) -> Option<Timestamp> {
    let (stamp, _) = run.as_str().rsplit_once('-')?;
    let time = jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%.fZ", stamp).ok()?.to_datetime().ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
}

fn agent_of(folder: &RunDir) -> AgentSeen {
    match folder.started() {
        Record::Absent | Record::Blank => AgentSeen::NotStarted,
        Record::Unreadable(_) | Record::Newer(_) => AgentSeen::Unknown,
        Record::Written(started) => AgentSeen::Started {
            alive: match process::alive(&started.process) {
                Liveness::Alive => Read::Yes(()),
                Liveness::Dead => Read::No,
                Liveness::Unknown => Read::Unknown,
            },
            pid: started.process.pid.get(),
            boot: started.process.boot.0,
            at: started.at,
        },
    }
}

fn drain_of(folder: &RunDir) -> Read<Drained> {
    match folder.drain() {
        Record::Absent | Record::Blank => Read::No,
        Record::Unreadable(_) | Record::Newer(_) => Read::Unknown,
        Record::Written(drain) => Read::Yes(Drained {
            at: drain.at,
            tasks_before: drain.tasks_before,
            // Half written is written: the signal was sent before.
            sent: !folder.drain_sent().is_unwritten(),
            lost: !folder.drain_lost().is_unwritten(),
        }),
    }
}

fn cancel_of(folder: &RunDir, run: &RunId) -> Read<Cancelled> {
    match folder.cancel() {
        Record::Absent | Record::Blank => Read::No,
        Record::Unreadable(_) | Record::Newer(_) => Read::Unknown,
        Record::Written(cancel) => {
            let task = TaskId::new(run, cancel.task.0);
            // What was done about an earlier word says nothing of this one.
            let done = folder.cancel_sent();
            match done.as_ref().written().filter(|done| done.task == cancel.task) {
                // Its task had ended by itself: nothing was cancelled.
                Some(done) if done.outcome == run_dir::CancelOutcome::TaskOver => Read::No,
                Some(_) => Read::Yes(Cancelled { task, sent: true }),
                None => {
                    let unreadable = !done.is_unwritten() && done.as_ref().written().is_none();
                    Read::Yes(Cancelled { task, sent: unreadable })
                }
            }
        }
    }
}

fn exit_of(folder: &RunDir) -> Read<ExitSeen> {
    match folder.exit() {
        Record::Absent | Record::Blank => Read::No,
        Record::Unreadable(_) | Record::Newer(_) => Read::Unknown,
        Record::Written(exit) => Read::Yes(match exit.end {
            run_dir::End::Code(code) => ExitSeen::Code { code, at: exit.at },
            run_dir::End::Signal(signal) => ExitSeen::Signal { signal, at: exit.at },
            run_dir::End::Unknown => ExitSeen::Unknown { at: exit.at },
            run_dir::End::NeverStarted(why) => {
                ExitSeen::NeverStarted { at: exit.at, why: Some(why) }
            }
        }),
    }
}

fn tasks_of(
    folder: &RunDir,
    run: &RunId,
    directory: &str,
    over: &mut BTreeMap<u32, TaskFacts>,
    now: Timestamp,
) -> Vec<TaskFacts> {
    let Ok(tasks) = folder.tasks() else {
        // Nobody can tell whether one runs.
        return vec![TaskFacts {
            task: TaskId::new(run, 0),
            number: 0,
            started_at: now,
            pid: None,
            directory: None,
            end: TaskEnd::Unknown,
        }];
    };
    over.retain(|number, _| tasks.iter().any(|task| task.number().0 == *number));
    let mut read = |task: &TaskDir| {
        let number = task.number().0;
        if let Some(known) = over.get(&number) {
            return known.clone();
        }
        let facts = task_of(task, run, directory, now);
        if matches!(facts.end, TaskEnd::Exited { .. }) {
            over.insert(number, facts.clone());
        }
        facts
    };
    tasks.iter().map(&mut read).collect()
}

fn task_of(task: &TaskDir, run: &RunId, directory: &str, now: Timestamp) -> TaskFacts {
    let state = task.state();
    let started = task.started().written();
    let end = match state {
        TaskState::Running => TaskEnd::Running,
        TaskState::Unknown(_) => TaskEnd::Unknown,
        TaskState::Unreadable(_) => {
            TaskEnd::Unreadable { at: changed_at(task.path()).unwrap_or(now) }
        }
        TaskState::Lost => TaskEnd::Lost { at: changed_at(task.path()).unwrap_or(now) },
        TaskState::Finished(finished) => match finished.end {
            run_dir::TaskEnd::Code(code) => TaskEnd::Exited { code: Some(code), at: finished.at },
            run_dir::TaskEnd::Signal(_) => TaskEnd::Exited { code: None, at: finished.at },
            run_dir::TaskEnd::Lost(_) => TaskEnd::Lost { at: finished.at },
        },
    };
    TaskFacts {
        task: TaskId::new(run, task.number().0),
        number: task.number().0,
        // Between the folder and its record: the folder's own time.
        started_at: started
            .as_ref()
            .map(|started| started.at)
            .or_else(|| changed_at(task.path()))
            .unwrap_or(now),
        pid: started.as_ref().map(|started| started.process.pid.get()),
        directory: Some(directory.to_owned()),
        end,
    }
}

/// When the folder got its name: its content was prepared long before.
fn changed_at(path: &Path) -> Option<Timestamp> {
    let about = std::fs::metadata(path).ok()?;
    Timestamp::new(about.ctime(), i32::try_from(about.ctime_nsec()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_name_tells_when_it_was_planned() {
        let at: Timestamp = "2026-11-23T18:10:47.123Z".parse().unwrap();
        let run = RunId::from(run_dir::RunId::new(at).as_str());
        assert_eq!(planned_at(&run), Some(at));
    }
}
