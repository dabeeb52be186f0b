//! What the owner is told of while nobody looks: which problems are worth it and when, at most one of
//! a kind and runner an hour, and once that it is over. Words that a pipeline chose are made harmless
//! here, and short.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use protocol::{
    AfterTaskAct, FinishedTask, Notice, NoticeAbout, NoticeOffer, NoticesSeen, PauseBy,
    PauseReason, Preferences, PreinstallEnd, PreinstallReceipt, Problem, ProblemCode,
    Runner as Shown, RunnerName, RunnerState, TaskResult, turns_direction,
};

use crate::core::Core;
use crate::effect::Effect;
use crate::headline::holders;

const AT_MOST_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// What may pass by itself is told after this long.
const LASTS: SignedDuration = SignedDuration::from_mins(5);
/// An agent that ended so often in a row is in a loop.
const LOOP: u32 = 3;
/// Characters of a name that somebody else chose.
const LONGEST_NAME: usize = 80;
const LONGEST_BODY: usize = 300;

/// A notice that is to be kept and shown; it gets its id where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    pub at: Timestamp,
    pub runner: Option<RunnerName>,
    pub about: NoticeAbout,
    pub title: String,
    pub body: String,
    pub offers: Vec<NoticeOffer>,
}

type Kind = (Option<RunnerName>, ProblemCode);

#[derive(Debug, Default, Clone)]
pub(crate) struct Telling {
    told: BTreeMap<Kind, Told>,
    /// Ends of pauses that were told, while the pause is not off the disk yet.
    ended: BTreeSet<(RunnerName, Timestamp)>,
    to_tell: Vec<NewNotice>,
    pub(crate) next: Option<Timestamp>,
    pub(crate) seen: Option<NoticesSeen>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Timestamp,
    /// That it is over has not been told.
    open: bool,
}

impl Telling {
    /// What was told before this supervisor began, in any order: it is not told again.
    pub(crate) fn remember(&mut self, mut notices: Vec<Notice>) {
        notices.sort_by_key(|notice| notice.id);
        for Notice { runner, about, at, .. } in notices {
            match about {
                NoticeAbout::Problem { code } => {
                    self.told.insert((runner, code), Told { at, open: true });
                }
                NoticeAbout::Healed { code } => {
                    if let Some(told) = self.told.get_mut(&(runner, code)) {
                        told.open = false;
                    }
                }
                NoticeAbout::PauseEnded
                | NoticeAbout::AfterTask { .. }
                | NoticeAbout::TaskEnded { .. }
                | NoticeAbout::PreinstallFailed
                | NoticeAbout::Other => {}
            }
        }
    }

    fn problem(
        &mut self,
        of: Option<&RunnerName>,
        problem: &Problem,
        failures: u32,
        now: Timestamp,
    ) {
        let Some(wait) = worth(problem.code, failures) else { return };
        let kind = (of.cloned(), problem.code);
        let told = self.told.get(&kind).copied();
        if told.is_some_and(|told| told.open) {
            return;
        }
        // A clock that was set back does not put it off.
        let due = problem.since.min(now).checked_add(wait).unwrap_or(now);
        let again = told.filter(|told| told.at <= now);
        let again = again.and_then(|told| told.at.checked_add(AT_MOST_EVERY).ok());
        let due = again.map_or(due, |again| due.max(again));
        if due > now {
            self.next = [self.next, Some(due)].into_iter().flatten().min();
            return;
        }
        self.told.insert(kind, Told { at: now, open: true });
        let reading = problem.reading.as_deref().map(|reading| bounded(reading, 200));
        let body: Vec<String> =
            reading.map(sentence).into_iter().chain([problem.hint.clone()]).collect();
        self.to_tell.push(NewNotice {
            at: now,
            runner: of.cloned(),
            about: NoticeAbout::Problem { code: problem.code },
            title: match of {
                Some(name) => format!("{name}: {}", problem.summary.trim_end_matches('.')),
                None => problem.summary.clone(),
            },
            body: body.join(" "),
            offers: vec![NoticeOffer::Details],
        });
    }

    /// Only an agent that works proves that it is over: what nobody tries, nobody knows.
    fn healed(&mut self, shown: &[Shown], of_machine: &[Problem], now: Timestamp) {
        self.told.retain(|(name, _), _| {
            name.as_ref().is_none_or(|name| shown.iter().any(|runner| runner.name == *name))
        });
        let open = self.told.iter_mut().filter(|(_, told)| told.open);
        for ((name, code), told) in open {
            let Some(name) = name else {
                told.open = of_machine.iter().any(|problem| problem.code == *code);
                // What the owner has ended himself is no news to him.
                if !told.open && !code.waits_for_you() {
                    self.to_tell.push(healed(None, "This machine is well again", *code, now));
                }
                continue;
            };
            let Some(runner) = shown.iter().find(|runner| runner.name == *name) else { continue };
            let works = matches!(runner.state, RunnerState::Idle | RunnerState::Busy);
            if !works || runner.problems.iter().any(|problem| problem.code == *code) {
                continue;
            }
            told.open = false;
            let title = format!("{name} is well again");
            self.to_tell.push(healed(Some(name), &title, *code, now));
        }
    }
}

fn healed(of: Option<&RunnerName>, title: &str, code: ProblemCode, now: Timestamp) -> NewNotice {
    NewNotice {
        at: now,
        runner: of.cloned(),
        about: NoticeAbout::Healed { code },
        title: title.to_owned(),
        body: format!("This is over: {}", code.about().summary),
        offers: vec![NoticeOffer::Details],
    }
}

impl Core {
    /// Pauses of yours that are past their end, before they are taken off the disk.
    pub(crate) fn tell_ended_pauses(&mut self, now: Timestamp) {
        let mut ended = BTreeSet::new();
        for (name, wants) in &self.wanted.runners {
            let is_over = |pause: &&PauseReason| pause.until.is_some_and(|until| until <= now);
            let Some(until) =
                wants.pauses.iter().find(|pause| pause.by == PauseBy::You).filter(is_over)
            else {
                continue;
            };
            let key = (name.clone(), until.until.unwrap_or(now));
            if !self.telling.ended.contains(&key) {
                let still: Vec<PauseReason> =
                    wants.pauses.iter().filter(|pause| !is_over(pause)).cloned().collect();
                self.telling.to_tell.push(pause_ended(name, &still, now));
            }
            ended.insert(key);
        }
        self.telling.ended = ended;
    }

    pub(crate) fn tell_after_task(&mut self, act: AfterTaskAct, now: Timestamp) {
        let (title, offers) = match act {
            AfterTaskAct::Pause => ("Paused, as you asked", vec![NoticeOffer::Resume]),
            AfterTaskAct::Quit => ("Runner Tray ends, as you asked", Vec::new()),
            AfterTaskAct::Sleep => ("The machine goes to sleep, as you asked", Vec::new()),
            AfterTaskAct::Restart => ("The machine restarts, as you asked", Vec::new()),
        };
        self.telling.to_tell.push(NewNotice {
            at: now,
            runner: None,
            about: NoticeAbout::AfterTask { act },
            title: title.into(),
            body: "No task runs any more.".into(),
            offers,
        });
    }

    /// It was not in the history before.
    pub(crate) fn tell_task(&mut self, task: &FinishedTask, now: Timestamp) {
        self.telling.to_tell.push(task_ended(task, now));
    }

    /// One where all went well, or that the owner has ended himself, is no news.
    pub(crate) fn tell_preinstall(
        &mut self,
        receipt: &PreinstallReceipt,
        cancelled: bool,
        now: Timestamp,
    ) {
        let failed = receipt.items.iter().filter(|it| it.outcome == PreinstallEnd::Failed);
        let failed: Vec<&str> = failed.map(|it| it.item.title.as_str()).collect();
        let why = receipt.cut_short.as_ref().filter(|_| !cancelled);
        if failed.is_empty() && why.is_none() {
            return;
        }
        let lacks =
            (!failed.is_empty()).then(|| sentence(format!("Not there: {}", failed.join(", "))));
        let body: Vec<String> = lacks.into_iter().chain(why.cloned()).collect();
        self.telling.to_tell.push(NewNotice {
            at: now,
            runner: None,
            about: NoticeAbout::PreinstallFailed,
            title: "Not all that jobs need was installed".into(),
            body: bounded(&body.join(" "), LONGEST_BODY),
            offers: vec![NoticeOffer::Details],
        });
    }

    /// All that is to be told now, by what the owner wants to hear.
    pub(crate) fn tell(
        &mut self,
        shown: &[Shown],
        of_machine: &[Problem],
        wanted: Preferences,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.telling.next = None;
        for runner in shown {
            let failures =
                self.runners.get(&runner.name).map_or(0, |runner| runner.start_again.failures());
            for problem in &runner.problems {
                self.telling.problem(Some(&runner.name), problem, failures, now);
            }
        }
        for problem in of_machine {
            self.telling.problem(None, problem, 0, now);
        }
        self.telling.healed(shown, of_machine, now);
        let wanted = wanted.notifications;
        let is_wanted = |notice: &NewNotice| match notice.about {
            NoticeAbout::Problem { .. }
            | NoticeAbout::Healed { .. }
            | NoticeAbout::PreinstallFailed => wanted.problems,
            NoticeAbout::PauseEnded | NoticeAbout::AfterTask { .. } => wanted.pause_ended,
            NoticeAbout::TaskEnded { .. } => wanted.tasks,
            NoticeAbout::Other => false,
        };
        let told = std::mem::take(&mut self.telling.to_tell).into_iter();
        told.filter(is_wanted).map(|notice| Effect::Tell(Box::new(notice))).collect()
    }
}

/// How long a problem must have lasted to be told; nothing where it never is.
#[expect(clippy::wildcard_enum_match_arm, reason = "a problem is told where somebody says so")]
fn worth(code: ProblemCode, failures: u32) -> Option<SignedDuration> {
    match code {
        ProblemCode::TokenRefused
        | ProblemCode::NoRoom
        | ProblemCode::DiskNearlyFull
        | ProblemCode::AfterTaskRefused => Some(SignedDuration::ZERO),
        ProblemCode::AgentExitsAtStart | ProblemCode::AgentCrashed => {
            (failures >= LOOP).then_some(SignedDuration::ZERO)
        }
        ProblemCode::Offline
        | ProblemCode::ClaimRefused
        | ProblemCode::KeychainLocked
        | ProblemCode::KeychainWaits => Some(LASTS),
        _ => None,
    }
}

fn pause_ended(name: &RunnerName, still: &[PauseReason], now: Timestamp) -> NewNotice {
    let (title, body) = if still.is_empty() {
        (format!("{name} claims tasks again"), "Your pause is over.".to_owned())
    } else {
        (format!("Your pause of {name} is over"), format!("It stays paused {}.", holders(still)))
    };
    NewNotice {
        at: now,
        runner: Some(name.clone()),
        about: NoticeAbout::PauseEnded,
        title,
        body,
        offers: vec![NoticeOffer::Details],
    }
}

fn task_ended(task: &FinishedTask, now: Timestamp) -> NewNotice {
    let project = task
        .project
        .as_deref()
        .map_or("A task", |project| project.rsplit_once('/').map_or(project, |(_, name)| name));
    let build = task.build_number.as_deref().map(|number| format!(" {number}")).unwrap_or_default();
    let end = match task.result {
        TaskResult::Succeeded => "succeeded",
        TaskResult::Failed { .. } => "failed",
        TaskResult::Cancelled => "was cancelled",
        TaskResult::Lost => "was lost",
        TaskResult::Unknown => "is over",
    };
    let took = task.started_at.duration_until(task.finished_at).max(SignedDuration::ZERO);
    let minutes = took.as_mins();
    let took = if minutes > 0 { format!("{minutes} min") } else { format!("{} s", took.as_secs()) };
    let exit = match task.result {
        TaskResult::Failed { exit_code: Some(code) } => format!(", exit code {code}"),
        TaskResult::Failed { exit_code: None }
        | TaskResult::Succeeded
        | TaskResult::Cancelled
        | TaskResult::Lost
        | TaskResult::Unknown => String::new(),
    };
    let branch =
        task.branch.as_deref().map(|branch| format!("{}, ", bounded(branch, LONGEST_NAME)));
    let mut offers = vec![NoticeOffer::Details];
    if task.link.is_some() {
        offers.insert(0, NoticeOffer::Open);
    }
    NewNotice {
        at: now,
        runner: Some(task.runner.clone()),
        about: NoticeAbout::TaskEnded {
            task: task.id.clone(),
            result: task.result,
            link: task.link.clone(),
        },
        title: format!("{} {end}", bounded(&format!("{project}{build}"), LONGEST_NAME)),
        body: format!("{}on {}, after {took}{exit}", branch.unwrap_or_default(), task.runner),
        offers,
    }
}

fn sentence(words: String) -> String {
    if words.ends_with(['.', '!', '?']) { words } else { format!("{words}.") }
}

/// In one line, without what moves the cursor or turns the direction of writing.
fn bounded(words: &str, longest: usize) -> String {
    let mut plain: String = words
        .chars()
        .filter(|&c| !turns_direction(c))
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .take(longest + 1)
        .collect();
    if plain.chars().count() > longest {
        plain = plain.chars().take(longest - 1).chain(['…']).collect();
    }
    plain
}
