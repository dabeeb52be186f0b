//! The snapshot: everything a client may see, derived and never stored.

use jiff::Timestamp;
use protocol::{
    FinishedTask, PauseReason, Problem, ProblemCode, Runner as Shown, TaskResult, TokenSeen,
};

use crate::decide::Situation;
use crate::facts::{AgentSeen, Phase, Read};
use crate::headline;
use crate::problems;
use crate::runner::{Release, Runner};

/// One runner as clients see it; remembers since when it is in its state.
pub(crate) fn show(runner: &mut Runner, pauses: &[PauseReason], situation: &Situation) -> Shown {
    let &Situation { boot, now, .. } = situation;
    let (state, headline) = headline::state(runner, pauses, situation);
    let state_since = match runner.shown {
        Some((before, since)) if before == state => since,
        Some(_) | None => now,
    };
    runner.shown = Some((state, state_since));
    let live = runner.live_run(boot);
    let task = live.and_then(|run| {
        let task = run.current_task()?;
        let story = run.stories.get(&task.task).cloned().unwrap_or_default();
        Some(story.running(task, run.cancelling(&task.task)))
    });
    let agent_version = match (live, &runner.release) {
        (Some(run), _) => Some(run.facts.agent_version.clone()),
        (None, Release::Ready(version)) => Some(version.clone()),
        (
            None,
            Release::Unasked | Release::Installing(_) | Release::Failed(_) | Release::Stopped(_),
        ) => None,
    };
    let last_task = last_task(runner);
    Shown {
        name: runner.facts.name.clone(),
        resource_class: runner.facts.resource_class.clone(),
        api_url: runner.facts.api_url.clone(),
        state,
        headline,
        state_since,
        pause_reasons: pauses.to_vec(),
        task,
        problems: troubles(runner, last_task.as_ref(), boot, now),
        agent_version,
        agent_pid: live.and_then(|run| run.agent_pid(boot)),
        run: live.map(|run| run.facts.run.clone()),
        working_directory: runner.facts.working_directory.clone(),
        boundary: runner.facts.boundary.clone(),
        install: match &runner.release {
            Release::Installing(install) => Some(install.clone()),
            Release::Unasked | Release::Ready(_) | Release::Failed(_) | Release::Stopped(_) => None,
        },
        token: token_seen(runner, boot),
        token_store: runner.facts.token_store,
        last_task,
    }
}

fn token_seen(runner: &Runner, boot: &str) -> TokenSeen {
    if runner.is_proven(boot) {
        return TokenSeen::Accepted;
    }
    let refused = runner.live_run(boot).is_some_and(|run| run.refused.is_some());
    match &runner.trouble {
        Some(problem) if problem.code == ProblemCode::TokenMissing => TokenSeen::Missing,
        Some(problem) if problem.code == ProblemCode::TokenRefused => TokenSeen::Refused,
        Some(_) | None if refused => TokenSeen::Refused,
        Some(_) | None => TokenSeen::Untried,
    }
}

/// A runner's problems, the one that stops it first.
fn troubles(
    runner: &Runner,
    last_task: Option<&FinishedTask>,
    boot: &str,
    now: Timestamp,
) -> Vec<Problem> {
    let mut found: Vec<Problem> = runner.trouble.iter().cloned().collect();
    if let Release::Failed(problem) | Release::Stopped(problem) = &runner.release
        && !found.contains(problem)
    {
        found.push(problem.clone());
    }
    for run in runner.runs.values().filter(|run| run.is_live(boot)) {
        let (phase, unknowns) = (run.phase(boot), run.facts.unknowns());
        if phase == Phase::Unknown || !unknowns.is_empty() {
            let since = run.facts.planned_at;
            found.push(problems::run_unreadable(since, run.facts.run.as_str(), &unknowns));
        }
        if phase == Phase::Orphan {
            let since = run.agent_started_at().unwrap_or(run.facts.planned_at);
            found.push(problems::unattended(since));
        }
        if let Read::Yes(since) = run.facts.unrecorded_task {
            found.push(problems::task_unrecorded(since, run.facts.run.as_str()));
        }
        if let (Some(line), Some(since)) = (&run.refused, run.agent_started_at()) {
            found.push(problems::token_refused(since, line, None));
        }
        if matches!(run.facts.agent, AgentSeen::Started { .. }) {
            found.extend(run.drain_unconfirmed(now).map(problems::drain_unconfirmed));
        }
        if phase == Phase::Kept {
            let ignores = run.ignores_drain(now);
            found.extend(ignores.map(|(since, tasks)| problems::drain_ignored(since, tasks)));
        }
    }
    found.extend(runner.offline.iter().cloned());
    let copy = runner.facts.token_copy.as_ref();
    found.extend(copy.map(|copy| problems::token_copied(&runner.facts.name, copy)));
    let proven = runner.is_proven(boot);
    let rotation = runner.rotation.as_ref();
    found.extend(rotation.and_then(|it| it.problem(&runner.facts.name, proven, now)));
    // Until the next one is over: nobody has to say that he has seen it.
    let lost = last_task.filter(|task| task.result == TaskResult::Lost);
    found.extend(lost.map(problems::task_lost));
    found
}

fn last_task(runner: &Runner) -> Option<FinishedTask> {
    runner
        .runs
        .values()
        .flat_map(|run| run.facts.tasks.iter().map(move |task| (run, task)))
        .filter_map(|(run, task)| {
            let story = run.stories.get(&task.task).cloned().unwrap_or_default();
            story.finished(task, &runner.facts.name, run.was_cancelled(task))
        })
        .max_by_key(|task| task.finished_at)
}
