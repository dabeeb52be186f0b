//! What to do next: derived from what is wanted and what is, after every event, from scratch.

use jiff::{SignedDuration, Timestamp};
use protocol::{Install, PauseReason, RunnerName};

use crate::effect::Effect;
use crate::facts::LockSeen;
use crate::run::{DRAIN_GRACE, Phase, SETTLED, SILENT_START};
use crate::runner::{Release, Runner};

const PROBE_EVERY: SignedDuration = SignedDuration::from_mins(1);
const UNADOPTED: SignedDuration = SignedDuration::from_secs(5);

/// What holds for all runners at this moment.
pub(crate) struct Situation<'a> {
    pub(crate) boot: &'a str,
    pub(crate) now: Timestamp,
    /// State could not be read: keep what runs, start and stop nothing.
    pub(crate) read_only: bool,
    /// A run that may live does not say whose it is.
    pub(crate) stray: bool,
}

/// The effects due now for one runner. `pauses` are those on disk and not past their deadline.
pub(crate) fn decide(
    runner: &mut Runner,
    pauses: &[PauseReason],
    situation: &Situation,
) -> Vec<Effect> {
    let &Situation { boot, now, read_only, stray } = situation;
    let mut effects = Vec::new();
    runner.judge_ended_runs(boot, now);
    let wanted = runner.in_settings && pauses.is_empty();

    let mark = runner.facts.mark.clone();
    let mut free = !runner.starting && !stray;
    let mut settled = false;
    for (id, run) in &mut runner.runs {
        let phase = run.phase(boot);
        match phase {
            Phase::Over => {
                free &= run.judged;
                continue;
            }
            Phase::Unknown => {}
            Phase::Orphan => {
                if run.ask_adopt(now) {
                    effects.push(Effect::Adopt(id.clone()));
                }
            }
            Phase::Starting | Phase::Kept => {
                let current = run.facts.runner.mark == mark;
                let out_of_place = !wanted || !current;
                if out_of_place && !read_only && run.ask_drain(now) {
                    effects.push(Effect::Drain(id.clone()));
                }
                if let Some(proof) = run.ask_drain_again() {
                    effects.push(Effect::DrainAgain { run: id.clone(), proof });
                }
                settled |= phase == Phase::Kept && run.settled(now);
            }
        }
        free = false;
    }
    if settled {
        runner.trouble = None;
        if runner.live_run(boot).is_some_and(|run| lived(run.agent_started_at(), now) >= SETTLED) {
            runner.start_again.reset();
        }
    }

    if wanted && free && !read_only {
        effects.extend(bring_up(runner, now));
    }
    if probe_due(runner, boot, now).is_some_and(|at| at <= now) {
        runner.probed_at = Some(now);
        effects.push(Effect::Probe(runner.facts.name.clone()));
    }
    effects
}

/// The next step towards an agent, if its time has come.
fn bring_up(runner: &mut Runner, now: Timestamp) -> Option<Effect> {
    let name: RunnerName = runner.facts.name.clone();
    match runner.release {
        Release::Installing(_) => None,
        Release::Unasked | Release::Failed(_) => {
            if runner.install_again.due(now).is_some() {
                return None;
            }
            runner.release = Release::Installing(Install {
                version: None,
                received: protocol::Bytes(0),
                total: None,
            });
            Some(Effect::Install(name))
        }
        Release::Ready(_) => {
            if runner.needs_user || runner.start_again.due(now).is_some() {
                return None;
            }
            runner.starting = true;
            Some(Effect::StartRun(name))
        }
    }
}

/// When this runner next wants a turn though nothing happens.
pub(crate) fn next_turn(
    runner: &mut Runner,
    pauses: &[PauseReason],
    situation: &Situation,
) -> Option<Timestamp> {
    let &Situation { boot, now, .. } = situation;
    let mut moments = vec![crate::pause::next_deadline(pauses), probe_due(runner, boot, now)];
    if runner.in_settings && pauses.is_empty() {
        if matches!(runner.release, Release::Failed(_)) {
            moments.push(runner.install_again.due(now));
        } else if !runner.needs_user {
            moments.push(runner.start_again.due(now));
        }
    }
    for run in runner.runs.values() {
        let phase = run.phase(boot);
        let later = |from: Option<Timestamp>, wait: SignedDuration| {
            from.and_then(|at| at.checked_add(wait).ok()).filter(|at| *at > now)
        };
        match phase {
            Phase::Over | Phase::Unknown => {}
            Phase::Orphan => moments.push(later(Some(now), UNADOPTED)),
            Phase::Starting | Phase::Kept => {
                if runner.trouble.is_some() || runner.start_again.failures() > 0 {
                    moments.push(later(run.agent_started_at(), SETTLED));
                }
                if !run.heard_from {
                    moments.push(later(run.agent_started_at(), SILENT_START));
                }
                let drained = run.facts.drain.yes().filter(|drained| !drained.sent);
                moments.push(later(drained.map(|drained| drained.at), DRAIN_GRACE));
                if drained.is_none() && run.may_drain() && run.facts.drain.is_no() {
                    moments.push(later(Some(now), UNADOPTED));
                }
            }
        }
    }
    moments.into_iter().flatten().min()
}

/// The server is asked only while an agent waits for tasks, and at most once a minute.
fn probe_due(runner: &Runner, boot: &str, now: Timestamp) -> Option<Timestamp> {
    let run = runner.live_run(boot)?;
    let waits = run.phase(boot) == Phase::Kept
        && run.facts.lock == LockSeen::Held
        && run.current_task().is_none()
        && !run.may_drain();
    if !waits {
        return None;
    }
    let since = match runner.probed_at {
        Some(at) if at <= now => at,
        Some(_) => now,
        None => run.agent_started_at()?.min(now),
    };
    since.checked_add(PROBE_EVERY).ok()
}

fn lived(from: Option<Timestamp>, now: Timestamp) -> SignedDuration {
    from.map_or(SignedDuration::ZERO, |at| at.duration_until(now))
}
