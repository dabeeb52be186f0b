//! What to do next: derived from what is wanted and what is, after every event, from scratch.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use protocol::{Install, PauseReason, RunnerName};

use crate::asked::DRAIN_GRACE;
use crate::effect::Effect;
use crate::facts::{LockSeen, Phase, RunnerFacts};
use crate::rotation::Rotation;
use crate::run::{Run, SETTLED};
use crate::runner::{Release, Runner};

const PROBE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// What was asked for and not done is asked for again this much later.
const UNHEARD: SignedDuration = SignedDuration::from_secs(5);

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

    let mut free = !runner.starting && !stray;
    let mut settled = false;
    for (id, run) in &mut runner.runs {
        let phase = run.phase(boot);
        let unwanted = is_unwanted(run, &runner.facts, runner.in_settings, pauses, read_only);
        if run.is_live(boot)
            && let Some(task) = run.ask_cancel(now)
        {
            effects.push(Effect::Cancel { run: id.clone(), task });
        }
        match phase {
            Phase::Over => {
                // A task may outlive its agent, and must not meet the next one in its directory.
                free &= run.judged && !run.is_live(boot);
                continue;
            }
            Phase::Unknown => {
                // Whoever keeps it can be told; one that drains already is not told twice.
                if unwanted && run.ask_drain(now) {
                    effects.push(Effect::Drain(id.clone()));
                }
            }
            Phase::Orphan => {
                if run.ask_adopt(now) {
                    effects.push(Effect::Adopt(id.clone()));
                }
            }
            Phase::Starting | Phase::Kept => {
                if unwanted && run.ask_drain(now) {
                    effects.push(Effect::Drain(id.clone()));
                }
                if let Some(proof) = run.ask_drain_again(now) {
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
            runner.install_again.reset();
        }
    }

    if wanted && free && !read_only {
        effects.extend(bring_up(runner, now));
    }
    if runner.live_run(boot).is_none() {
        // What nobody tries, nobody knows.
        (runner.offline, runner.claim_failed_at) = (None, None);
    }
    effects
}

/// One question to each server that is due to be asked, however many runners wait for its tasks.
pub(crate) fn probes<'a>(
    runners: impl Iterator<Item = &'a mut Runner>,
    boot: &str,
    now: Timestamp,
) -> Vec<Effect> {
    let mut runners: Vec<&mut Runner> = runners.collect();
    let mut servers = BTreeSet::new();
    for runner in &mut runners {
        let since = runner.probed_at.or(runner.live_run(boot).and_then(Run::agent_started_at));
        if since.is_some_and(|at| at > now) {
            // A clock that was set back does not put the next one off.
            runner.probed_at = Some(now);
        }
        if probe_due(runner, boot).is_some_and(|at| at <= now) {
            servers.insert(runner.facts.api_url.clone());
        }
    }
    for runner in runners.iter_mut().filter(|runner| servers.contains(&runner.facts.api_url)) {
        runner.probed_at = Some(now);
    }
    servers.into_iter().map(Effect::Probe).collect()
}

/// The run's agent is to claim no more. A pause holds even while the settings cannot be read; that a
/// runner was removed or changed is not known then.
fn is_unwanted(
    run: &Run,
    facts: &RunnerFacts,
    in_settings: bool,
    pauses: &[PauseReason],
    read_only: bool,
) -> bool {
    let current = in_settings && run.facts.runner.mark == facts.mark;
    !pauses.is_empty() || !read_only && !current
}

/// The next step towards an agent, if its time has come.
fn bring_up(runner: &mut Runner, now: Timestamp) -> Option<Effect> {
    let name: RunnerName = runner.facts.name.clone();
    match runner.release {
        Release::Installing(_) | Release::Stopped(_) => None,
        Release::Unasked | Release::Failed(_) => {
            if runner.install_again.due(now).is_some() {
                return None;
            }
            runner.release = Release::Installing(Install::default());
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
    let &Situation { boot, now, read_only, .. } = situation;
    let mut moments = vec![crate::pause::next_deadline(pauses), probe_due(runner, boot)];
    let left = runner.rotation.as_ref().and_then(Rotation::left_for_good);
    moments.push(left.filter(|at| *at > now));
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
        let unwanted = is_unwanted(run, &runner.facts, runner.in_settings, pauses, read_only);
        let undrained = unwanted && run.facts.drain.is_no() && phase != Phase::Over;
        let uncancelled = run.uncancelled().is_some() && run.is_live(boot);
        if phase == Phase::Orphan || undrained || uncancelled {
            moments.push(later(Some(now), UNHEARD));
        }
        match phase {
            Phase::Over | Phase::Unknown | Phase::Orphan => {}
            Phase::Starting | Phase::Kept => {
                if runner.trouble.is_some() || runner.start_again.failures() > 0 {
                    moments.push(later(run.agent_started_at(), SETTLED));
                }
                moments.push(run.unproven_until().filter(|until| *until > now));
                let drained = run.facts.drain.yes().filter(|drained| !drained.sent);
                moments.push(later(drained.map(|drained| drained.at), DRAIN_GRACE));
                moments.push(run.lingers_from().filter(|from| *from > now));
                if run.proof_of_loss().is_some() {
                    moments.push(later(Some(now), UNHEARD));
                }
            }
        }
    }
    moments.into_iter().flatten().min()
}

/// The server is asked only while an agent waits for tasks, and at most once a minute. Which server it
/// is the settings say.
fn probe_due(runner: &Runner, boot: &str) -> Option<Timestamp> {
    let run = runner.live_run(boot).filter(|run| waits_for_tasks(run, boot))?;
    if !runner.in_settings {
        return None;
    }
    runner.probed_at.or(run.agent_started_at())?.checked_add(PROBE_EVERY).ok()
}

pub(crate) fn waits_for_tasks(run: &Run, boot: &str) -> bool {
    run.phase(boot) == Phase::Kept
        && run.facts.lock == LockSeen::Held
        && !run.facts.may_run_task(boot)
        && !run.was_told_to_drain()
}

fn lived(from: Option<Timestamp>, now: Timestamp) -> SignedDuration {
    from.map_or(SignedDuration::ZERO, |at| at.duration_until(now))
}
