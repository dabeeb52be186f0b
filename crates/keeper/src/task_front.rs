//! `task RUN_DIR -- COMMAND`: the side of the task wrapper that the agent starts and knows.
//!
//! It passes signals in and the exit out, and adds nothing else: streams, descriptors, limits,
//! umask, nice, signals and environment reach the task agent as they came. The agent may KILL it;
//! then the guard ends the task. If the guard dies, this side does.

use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use process::{Forked, Inherited, Pid, ProcessId, Signal, SignalState};
use run_dir::{JobPath, Plan, Record, RunDir, Side, TaskEnd, TaskFinished, TaskNumber};

use crate::as_job_user::JobUser;
use crate::clock::now;
use crate::end_tree::{Trees, end_trees};
use crate::gate::TOKEN_VARIABLE;
use crate::link::{Forward, Link, Told};
use crate::note::{kept, note, panics_to_log};
use crate::signals::Signals;
use crate::task_guard;
use crate::wait::wait;

/// What is passed on to the task agent.
pub(crate) const FORWARDED: [Signal; 6] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

pub(crate) fn task(run: &RunDir, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let at_start = SignalState::at_start();
    let inherited = Inherited::at_start()?;
    panics_to_log(run);
    // Without the plan nobody knows whether the task may run as this user: the only refusal.
    let plan = plan(run)?;
    let job_user = JobUser::of(&plan);
    let command = in_front_of(job_user.as_ref(), &plan.job_path, command);

    // Before there is a guard whose orphans could be anybody's.
    process::become_subreaper()?;
    // Before anything listens to signals: what the guard hears is its own. The task may begin, and a signal for it
    // come, before this side listens.
    at_start.hold_back(&FORWARDED);
    let split = match split() {
        Ok(Split::Guard(link)) => return Ok(guarding(run, link, at_start, &command)),
        Ok(Split::Front(guard, link)) => Ok((guard, link)),
        Err(error) => Err(error),
    };
    // What is ignored stays so, here and in the task agent.
    let heard = FORWARDED.into_iter().filter(|signal| !at_start.ignored.contains(&signal.as_raw()));
    let signals = Signals::listen(&heard.collect::<Vec<_>>())?;
    at_start.let_through();
    let front = match split {
        Ok((guard, link)) => Front {
            run,
            job_user,
            guard,
            link,
            task: None,
            spared: Vec::new(),
            inherited: Some(inherited),
        },
        Err(error) => return Err(unguarded(run, &command, &at_start, &error)),
    };
    match front.follow(&signals)? {
        Outcome::Over(TaskEnd::Code(code)) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        Outcome::Over(TaskEnd::Signal(number)) => process::die_of(number),
        Outcome::Over(TaskEnd::Lost(_)) => Ok(ExitCode::FAILURE),
        Outcome::NeverRan => {
            let error = anyhow::anyhow!("the guard ended before the task began");
            Err(unguarded(run, &command, &at_start, &error))
        }
    }
}

fn plan(run: &RunDir) -> anyhow::Result<Plan> {
    match run.plan() {
        Record::Written(plan) => Ok(plan),
        Record::Absent | Record::Blank => anyhow::bail!("{}: no plan", run.path().display()),
        Record::Unreadable(why) => anyhow::bail!("{}: {why}", run.path().display()),
        Record::Newer(version) => {
            anyhow::bail!("{}: the plan is of a later release ({version})", run.path().display())
        }
    }
}

fn in_front_of(job_user: Option<&JobUser>, path: &JobPath, command: &[OsString]) -> Vec<OsString> {
    let Some(job_user) = job_user else { return command.to_vec() };
    let sudo = job_user.sudo().map(OsString::from).into_iter();
    let with_path = crate::with_path::in_front(job_user.program(), path);
    sudo.chain(with_path).chain(command.iter().cloned()).collect()
}

/// The last resort, so that no task is lost because a wrapper could not be started: the command
/// takes this process over. Returns why it could not.
fn unguarded(
    run: &RunDir,
    command: &[OsString],
    signals: &SignalState,
    why: &anyhow::Error,
) -> anyhow::Error {
    note(run, format_args!("the task runs without a guard: {why:#}"));
    // Held on by the command, so that the runner does not look idle. (sudo closes it.)
    let lock = run.take_unrecorded_lock(now());
    let _ = lock.as_ref().map(|lock| lock.as_ref().map(|lock| process::keep_over_exec(lock, true)));
    let kept = std::env::vars_os().filter(|(name, _)| name != TOKEN_VARIABLE);
    process::exec(command, &kept.collect::<Vec<_>>(), signals).into()
}

/// Which side of the wrapper this process is.
enum Split {
    Front(Pid, Link),
    Guard(Link),
}

/// The guard is a copy of this process: to start a program once more would take longer than all else that the
/// wrapper does. It is out of reach of a KILL to the group in which the agent may have put this side.
fn split() -> anyhow::Result<Split> {
    let (ours, theirs) = UnixStream::pair()?;
    // Each side drops the other's end, so that it hears when the other is gone.
    Ok(match process::fork()? {
        Forked::Child => {
            drop(ours);
            Split::Guard(Link::over(theirs))
        }
        Forked::Parent(guard) => Split::Front(guard, Link::over(ours)),
    })
}

fn guarding(run: &RunDir, link: Link, at_start: SignalState, command: &[OsString]) -> ExitCode {
    kept(run, || task_guard::guard(run, link, at_start, command))
}

struct Front<'run> {
    run: &'run RunDir,
    job_user: Option<JobUser>,
    guard: Pid,
    link: Link,
    task: Option<TaskNumber>,
    /// What was there before it.
    spared: Vec<ProcessId>,
    /// Held until the task runs, for the case that this side must run it.
    inherited: Option<Inherited>,
}

enum Outcome {
    Over(TaskEnd),
    /// The guard died before there was a task.
    NeverRan,
}

impl Front<'_> {
    fn follow(mut self, signals: &Signals) -> anyhow::Result<Outcome> {
        use std::os::fd::AsFd;
        let mut over = None;
        loop {
            let ready = wait(&[self.link.as_fd(), signals.as_fd()], None)?;
            for signal in signals.take() {
                // If it cannot be sent, the link's end is about to be read.
                let _ = self.link.send(&Forward(signal.as_raw()));
            }
            if ready.first() != Some(&true) {
                continue;
            }
            let came = self.link.receive::<Told>()?;
            for told in came.messages {
                match told {
                    Told::Running { task, spared } => {
                        (self.task, self.spared) = (task, spared);
                        if let Some(inherited) = self.inherited.take() {
                            inherited.let_go(&[])?;
                        }
                    }
                    Told::Over(end) => over = Some(end),
                }
            }
            if came.closed {
                break;
            }
        }
        if over.is_none() && self.inherited.is_some() {
            return Ok(Outcome::NeverRan);
        }
        let end = over.unwrap_or_else(|| self.without_guard());
        // Gone, or as good as: it lets go of task.lock before the agent hears of the end.
        // An error only means that somebody ignores SIGCHLD, and then it is reaped already.
        let _ = process::wait_for_child(self.guard);
        Ok(Outcome::Over(end))
    }

    /// The guard died: nobody else is left to end what it kept, unless it was over.
    fn without_guard(&self) -> TaskEnd {
        let task = self.task.map(|number| self.run.task(number));
        // Written down is told: others have read it.
        if let Some(finished) = task.as_ref().and_then(|task| task.finished().written()) {
            return finished.end;
        }
        note(self.run, "the guard of a task died, so the task is ended");
        // Where orphans do not come to this process (macOS), the record says where to look.
        let agent = task.as_ref().and_then(|task| task.started().written());
        let agent = agent.map(|started| started.process);
        let led_by = agent.clone();
        let roots = agent.iter().cloned().collect();
        let spared = self.spared.clone();
        let mut trees = Trees { below_this_process: true, roots, led_by, mark: None, spared };
        trees.learn_mark();
        let left = end_trees(&trees, self.job_user.as_ref());
        if !left.is_empty() {
            note(self.run, format_args!("these processes could not be ended: {left:?}"));
        }
        let end = TaskEnd::Lost(Side::Guard);
        if let Some(task) = task {
            let mut finished = TaskFinished::nothing_left(end.clone(), now());
            finished.left_behind = left;
            if let Err(error) = task.write_finished(&finished) {
                note(self.run, format_args!("a task's end could not be recorded: {error}"));
            }
        }
        end
    }
}
