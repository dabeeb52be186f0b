//! What is done around a task by the owner's word: the clean-up before it, in a process of its own and
//! for a limited time, and the end of what it leaves running. Nothing of it is on the task's own
//! streams, and no crash or hang of it costs the task.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cleanup::work::{self, Request, Said, TaskCleanUp, TaskCleaned, Work};
use process::{ExitWatch, Pid, ProcessId};
use run_dir::{RunDir, TaskDir};

use crate::as_job_user::JobUser;
use crate::clock::now;
use crate::end_tree::{Trees, below_this_process, end_trees};
use crate::gate::{TOKEN_VARIABLE, own_program};
use crate::link::{Forward, Link};
use crate::note::note;
use crate::signals::Signals;
use crate::wait::wait;
use crate::work_lock::WorkLock;

/// From the limit that clean-up itself keeps to the one that is kept for it.
const GRACE: Duration = Duration::from_secs(2);
/// From one try for the lock to the next once the task runs: then it is held for very long, or by something
/// that hangs.
const LOCK_NOW_AND_THEN: Duration = Duration::from_secs(1);
/// Larger than any answer about one task.
const LONGEST_ANSWER: u64 = 8 << 20;

/// The working directory is this task's until this is dropped.
#[derive(Default)]
pub(crate) struct Held {
    lock: Option<WorkLock>,
    ends_left_overs: bool,
    /// What a command of the owner's left running: it is not the task's.
    pub(crate) spared: Vec<ProcessId>,
}

/// How the clean-up before a task ended.
pub(crate) enum Cleaned {
    /// The task may begin.
    Begin(Box<Held>),
    /// The owner wants no task after a clean-up that failed.
    Refused,
    /// The agent sent this signal, so there will be no task.
    Signalled(i32),
    /// The other side of the wrapper died.
    FrontDied,
}

/// Takes the working directory for the task and cleans up, if the run says so. `task`: none where it could
/// get no folder; then there is no clean-up, because nobody would know of it.
pub(crate) fn before(
    run: &RunDir,
    task: Option<&TaskDir>,
    job_user: Option<&JobUser>,
    link: &mut Link,
    signals: &Signals,
) -> anyhow::Result<Cleaned> {
    let Some(plan) = plan_of(run) else { return Ok(Cleaned::Begin(Box::default())) };
    let name = name_of(run, task);
    let work = run.plan().written().map(|plan| plan.working_directory).unwrap_or_default();
    let begun = Instant::now();
    let within = Duration::from_secs(u64::from(plan.within_seconds));
    let mut lock = WorkLock::open(&plan.lock, &name, work);
    if let Ok(lock) = &mut lock {
        match lock.take_until(begun + within, link, signals)? {
            None => {}
            Some(Word::Signal(number)) => return Ok(Cleaned::Signalled(number)),
            Some(Word::Gone) => return Ok(Cleaned::FrontDied),
        }
    }
    let before = plan.before.clone().filter(|before| !before.is_nothing()).zip(task);
    let came = match (&lock, before) {
        (_, None) => None,
        (Err(error), Some(_)) => {
            Some(Came::Failed(format!("nothing is cleaned up: {}: {error}", plan.lock)))
        }
        (Ok(lock), Some(_)) if !lock.is_held() => Some(Came::Failed(format!(
            "nothing is cleaned up: another holds {} for longer than a task waits",
            plan.lock
        ))),
        (Ok(lock), Some((mut asked, task))) => {
            if let Some(fresh) = &mut asked.fresh {
                fresh.name = lock.kept_as();
            }
            let left = within.saturating_sub(begun.elapsed()).as_secs().max(1);
            let request = Request {
                version: work::VERSION,
                within_seconds: u32::try_from(left).ok(),
                work: Work::BeforeTask(asked),
            };
            Some(match Cleaner::start(task, &request, job_user) {
                Ok(cleaner) => cleaner.follow(begun + within + GRACE, link, signals)?,
                Err(error) => Came::Failed(format!("clean-up could not be started: {error:#}")),
            })
        }
    };
    // Where nothing ran there is nothing to look for, and no task waits for a look.
    let spared = if came.is_some() { below_this_process() } else { Vec::new() };
    let held = Box::new(Held { lock: lock.ok(), ends_left_overs: plan.end_left_overs, spared });
    let Some((came, task)) = came.zip(task) else {
        held.begin(false);
        return Ok(Cleaned::Begin(held));
    };
    let (done, failures, is_fresh) = match came {
        Came::Answer(Said::BeforeTask { done, failures, is_fresh }) => {
            (Some(done), failures, is_fresh)
        }
        Came::Answer(Said::Failed { why }) | Came::Failed(why) => (None, vec![why], false),
        Came::Answer(other) => {
            (None, vec![format!("clean-up gave another answer: {other:?}")], false)
        }
        Came::Word(Word::Signal(number)) => return Ok(Cleaned::Signalled(number)),
        Came::Word(Word::Gone) => return Ok(Cleaned::FrontDied),
    };
    let failed = !failures.is_empty();
    for why in &failures {
        note(run, format_args!("clean-up before task {name}: {why}"));
    }
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let refused = failed && plan.fail_task;
    let cleaned =
        TaskCleaned { version: work::VERSION, at: now(), milliseconds, done, failures, refused };
    if let Err(error) = write(&task.clean_up(), &cleaned) {
        note(run, format_args!("the clean-up before task {name} could not be recorded: {error}"));
    }
    if refused {
        return Ok(Cleaned::Refused);
    }
    held.begin(is_fresh);
    Ok(Cleaned::Begin(held))
}

impl Held {
    /// Whether the owner wants ended what a task leaves running.
    pub(crate) fn ends_left_overs(&self) -> bool {
        self.ends_left_overs
    }

    /// A task that had to begin without its lock takes it as soon as it can; when to try again.
    pub(crate) fn try_lock(&mut self) -> Option<Duration> {
        let lock = self.lock.as_mut()?;
        if lock.is_held() {
            return None;
        }
        if !lock.try_take() {
            return Some(LOCK_NOW_AND_THEN);
        }
        lock.begin(false);
        None
    }

    fn begin(&self, is_fresh: bool) {
        if let Some(lock) = self.lock.as_ref().filter(|lock| lock.is_held()) {
            lock.begin(is_fresh);
        }
    }
}

fn plan_of(run: &RunDir) -> Option<TaskCleanUp> {
    let text = match run_dir::read_at_most(&run.clean_up(), LONGEST_ANSWER) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            note(run, format_args!("{}: {error}", run.clean_up().display()));
            return None;
        }
    };
    match serde_json::from_slice::<TaskCleanUp>(&text) {
        Ok(plan) if plan.version <= work::VERSION => Some(plan),
        Ok(plan) => {
            note(run, format_args!("the clean-up is of a later release ({})", plan.version));
            None
        }
        Err(error) => {
            note(run, format_args!("{}: {error}", run.clean_up().display()));
            None
        }
    }
}

/// Under which the next task's clean-up keeps what this one leaves.
fn name_of(run: &RunDir, task: Option<&TaskDir>) -> String {
    let run = run.path().file_name().unwrap_or_default().to_string_lossy();
    task.map_or_else(|| format!("{run}.unrecorded"), |task| format!("{run}.{}", task.number()))
}

/// What the other side of the wrapper has to say meanwhile.
#[derive(Clone, Copy)]
pub(crate) enum Word {
    Signal(i32),
    /// Nothing any more: it died.
    Gone,
}

impl Word {
    pub(crate) fn of(link: &mut Link) -> anyhow::Result<Option<Self>> {
        let came = link.receive::<Forward>()?;
        let signal = came.messages.first().map(|Forward(number)| Self::Signal(*number));
        Ok(signal.or(came.closed.then_some(Self::Gone)))
    }
}

/// Whole or not at all; a task does not wait until it would outlive a power cut.
fn write(path: &Path, cleaned: &TaskCleaned) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let new = path.with_extension("new");
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec(cleaned)?)?;
    Ok(std::fs::rename(new, path)?)
}

/// The process that cleans up.
struct Cleaner<'a> {
    job_user: Option<&'a JobUser>,
    child: Child,
    id: Option<ProcessId>,
    stdin: Option<ChildStdin>,
    stdout: OwnedFd,
    said: Vec<u8>,
}

/// What came of it.
enum Came {
    Answer(Said),
    Failed(String),
    Word(Word),
}

impl<'a> Cleaner<'a> {
    fn start(
        task: &TaskDir,
        request: &Request,
        job_user: Option<&'a JobUser>,
    ) -> anyhow::Result<Self> {
        let log = File::options().append(true).create(true).open(task.clean_up_log())?;
        let mut command = match job_user {
            Some(job_user) => job_user.helper(),
            None => own_program()?,
        };
        // Nor has what it starts any use for it.
        command.env_remove(TOKEN_VARIABLE);
        command.arg("clean").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = process::spawn_apart(&mut command)?;
        let id = ProcessId::of(Pid::of_child(&child)).ok();
        let mut stdin = child.stdin.take();
        if let Some(stdin) = &mut stdin {
            let mut line = serde_json::to_vec(request)?;
            line.push(b'\n');
            // One that ended already says why by its exit.
            let _ = stdin.write_all(&line);
        }
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stdout = stdout.ok_or_else(|| anyhow::anyhow!("it has no output"))?;
        Ok(Self { job_user, child, id, stdin, stdout, said: Vec::new() })
    }

    /// Until it answers, the limit is over, or the agent wants no task any more.
    fn follow(
        mut self,
        until: Instant,
        link: &mut Link,
        signals: &Signals,
    ) -> anyhow::Result<Came> {
        drop(self.stdin.take());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.end();
                return Ok(Came::Failed("clean-up took too long and was ended".to_owned()));
            }
            let fds = [self.stdout.as_fd(), link.as_fd(), signals.as_fd()];
            let ready = wait(&fds, Some(left))?;
            signals.take();
            if ready.get(1) == Some(&true)
                && let Some(word) = Word::of(link)?
            {
                self.end();
                return Ok(Came::Word(word));
            }
            if ready.first() == Some(&true) {
                match self.read() {
                    Ok(true) => return Ok(self.answer()),
                    Ok(false) => {}
                    Err(why) => {
                        self.end();
                        return Ok(Came::Failed(why));
                    }
                }
            }
        }
    }

    /// Whether that was all.
    fn read(&mut self) -> Result<bool, String> {
        let mut some = [0_u8; 16 << 10];
        let count = rustix::io::read(&self.stdout, &mut some)
            .map_err(|error| format!("what clean-up says cannot be read: {error}"))?;
        if self.said.len() as u64 > LONGEST_ANSWER {
            return Err("clean-up said more than anybody reads".to_owned());
        }
        self.said.extend_from_slice(some.get(..count).unwrap_or_default());
        Ok(count == 0)
    }

    fn answer(mut self) -> Came {
        let status = self.wait(GRACE);
        let lines = self.said.split(|byte| *byte == b'\n');
        let said = lines.filter_map(|line| serde_json::from_slice::<Said>(line).ok());
        // A login profile may print something, and progress is no answer.
        let mut said = said.filter(|said| !matches!(said, Said::Advanced { .. }));
        let answer = said.next_back();
        if answer.is_none() {
            // Who broke off may have left something running.
            self.end();
        }
        answer.map_or_else(
            || match status {
                Some(status) => Came::Failed(format!("clean-up broke off: {status}")),
                None => Came::Failed("clean-up broke off and does not end".to_owned()),
            },
            Came::Answer,
        )
    }

    /// It and all that it has started; nothing of the task's is there yet. One that waits for a device
    /// ends when that answers, and no task waits for it: the guard takes its exit with all others.
    fn end(&mut self) {
        let roots = self.id.iter().cloned().collect();
        end_trees(&Trees { below_this_process: true, roots, ..Trees::default() }, self.job_user);
        let _ = self.child.try_wait();
    }

    /// None: it is there still.
    fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        let watch = self.id.as_ref().and_then(|id| ExitWatch::of(id).ok().flatten());
        let _ = watch.map(|watch| watch.wait(Some(at_most)));
        self.child.try_wait().ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What may be on disk of bytes that were being written.
    fn torn(whole: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
        (0..whole.len()).flat_map(move |cut| {
            let mut zeros = whole.to_vec();
            zeros[cut..].fill(0);
            [whole[..cut].to_vec(), zeros]
        })
    }

    /// It is written beside its place and then gets its name.
    #[test]
    fn a_receipt_is_the_old_or_the_new_at_each_step_of_a_power_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clean-up.json");
        let cleaned = |milliseconds| TaskCleaned {
            version: work::VERSION,
            at: jiff::Timestamp::UNIX_EPOCH,
            milliseconds,
            done: None,
            failures: vec!["why".to_owned()],
            refused: false,
        };
        let read = || serde_json::from_slice::<TaskCleaned>(&fs::read(&path).unwrap()).unwrap();
        write(&path, &cleaned(1)).unwrap();
        let whole = serde_json::to_vec(&cleaned(2)).unwrap();
        for torn in torn(&whole) {
            run_dir::write_atomically(&path.with_extension("new"), &torn).unwrap();
            assert_eq!(read(), cleaned(1));
        }
        write(&path, &cleaned(2)).unwrap();
        assert_eq!(read(), cleaned(2));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_plan_that_was_torn_is_noted_and_cleans_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::at(folder.path().to_owned());
        let plan = TaskCleanUp {
            version: work::VERSION,
            within_seconds: 30,
            fail_task: true,
            end_left_overs: true,
            lock: folder.path().into(),
            before: None,
        };
        let whole = serde_json::to_vec(&plan).unwrap();
        run_dir::write_atomically(&run.clean_up(), &whole).unwrap();
        assert_eq!(plan_of(&run), Some(plan));
        for torn in torn(&whole) {
            run_dir::write_atomically(&run.clean_up(), &torn).unwrap();
            assert_eq!(plan_of(&run), None);
        }
        assert!(fs::read_to_string(run.keeper_log()).unwrap().contains("clean-up.json"));
    }
}
