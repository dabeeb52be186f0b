//! What a running task's own processes use, and what a step's environment tells of the job. Reads
//! the task's tree and no other process; keeps no value of any variable but the named ones.

use std::path::Path;
use std::time::Instant;

use process::Pid;
use protocol::{Bytes, Usage};
use supervisor_core::Processes;

/// The sample before, for the rate.
pub(crate) struct Sample {
    cpu_seconds: f64,
    at: Instant,
}

/// Looks at the tree below `pid`. `last` is brought up to date.
pub(crate) fn sample(pid: u32, last: &mut Option<Sample>) -> Option<Processes> {
    let root = Pid::new(pid)?;
    let now = Instant::now();
    let used = process::usage(root).ok()?;
    let cpu_seconds = used.cpu.as_secs_f64();
    let cpu_percent = last.as_ref().and_then(|last| {
        let seconds = now.duration_since(last.at).as_secs_f64();
        (seconds > 0.05).then(|| ((cpu_seconds - last.cpu_seconds).max(0.0) / seconds) * 100.0)
    });
    *last = Some(Sample { cpu_seconds, at: now });
    let step = process::tree(root).ok()?.into_iter().rev().find_map(step_of);
    let step = step.unwrap_or_default();
    Some(Processes {
        usage: Usage {
            processes: used.processes,
            cpu_percent,
            cpu_seconds,
            memory: Bytes(used.rss),
        },
        branch: step.branch,
        job: step.job,
        project: step.project,
        directory: step.directory,
    })
}

#[derive(Default)]
struct Step {
    branch: Option<String>,
    job: Option<String>,
    project: Option<String>,
    directory: Option<String>,
}

/// A step's environment has the documented variables of its job; the task agent's has not.
fn step_of(pid: Pid) -> Option<Step> {
    let environment = process::environ(pid)?;
    let value = |name: &str| {
        environment
            .iter()
            .find(|(variable, _)| variable.to_str() == Some(name))
            .and_then(|(_, value)| value.to_str())
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let job = value("CIRCLE_JOB")?;
    let project = value("CIRCLE_PROJECT_USERNAME")
        .zip(value("CIRCLE_PROJECT_REPONAME"))
        .map(|(owner, name)| format!("{owner}/{name}"));
    Some(Step {
        branch: value("CIRCLE_BRANCH").or_else(|| value("CIRCLE_TAG")),
        job: Some(job),
        project,
        // As its job has it; a relative one is somewhere below its user's home.
        directory: value("CIRCLE_WORKING_DIRECTORY")
            .filter(|directory| Path::new(directory).is_absolute())
            .or_else(|| process::cwd(pid).map(|path| path.display().to_string())),
    })
}
