//! Work for a process of its own: one request on its standard input, lines of JSON on its standard
//! output, of which the last is the answer. The same for the owner's things and, run through sudo, for
//! a job user's. It knows its home and its folder for temporary files itself.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::in_use::{InUse, in_use};
use crate::measure::{Size, measure_all};
use crate::place::Place;
use crate::preset::{
    Around, Choice, Detail, Done, Draft, FreeGoal, Freshened, RunnerAround, Undo, are_met,
    carry_out, draft, fresh, missed, sweep,
};
use crate::put_back::{PutBack, goes_to, put_back};
use crate::receipt::Receipt;
use crate::remove::batches;
use crate::roots::{Root, RootError};
use crate::stop::{Progress, Stop};
use crate::trash::lying_in;

/// The version that this release speaks; a later one is refused.
pub const VERSION: u32 = 1;
const TELL_EVERY: Duration = Duration::from_millis(300);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub version: u32,
    /// It ends by itself after so many seconds, and leaves whole what it has not begun.
    pub within_seconds: Option<u32>,
    pub work: Work,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The sizes of folders.
    Measure { folders: Vec<Place> },
    /// The entries of folders: what is kept there.
    List { folders: Vec<Place> },
    /// What would go.
    Draft { choices: Vec<Choice>, around: Around, goals: Vec<FreeGoal> },
    /// What a draft lists goes.
    CarryOut {
        draft: Draft,
        undo: Undo,
        /// Batches in a trash are named by it, to be put back by it. None: now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// A task is about to begin.
    BeforeTask(BeforeTask),
    /// What was set aside before `until` goes for good, and what was going when somebody was killed.
    Sweep { choices: Vec<Choice>, around: Around, until: Timestamp },
    /// What was set aside at `at` is put back; in the working directory of one of the runners only while
    /// no task has its lock.
    PutBack {
        roots: Vec<Place>,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        runners: Vec<RunnerAround>,
    },
}

/// What is done before a task; whoever asks holds the lock of its working directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforeTask {
    /// The task begins in an empty working directory.
    pub fresh: Option<Fresh>,
    pub choices: Vec<Choice>,
    pub around: Around,
    pub goals: Vec<FreeGoal>,
}

impl BeforeTask {
    /// It is plain without a look at a folder that there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        self.fresh.is_none() && self.choices.is_empty() && are_met(&self.goals)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    pub work: Place,
    pub kept: Place,
    /// What is in it now is kept under this name.
    pub name: String,
}

/// What is done around each task of a run, as a file of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCleanUp {
    pub version: u32,
    /// A task waits so long for it at most.
    pub within_seconds: u32,
    /// Where it fails the task is not begun.
    pub fail_task: bool,
    /// Processes that a task leaves running are ended.
    pub end_left_overs: bool,
    /// A task holds this file's kernel lock while it uses the working directory, and leaves its name in it.
    pub lock: Place,
    /// None: nothing is cleaned up.
    pub before: Option<BeforeTask>,
}

/// What the clean-up before one task did, as a file of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCleaned {
    pub version: u32,
    pub at: Timestamp,
    /// How long the task waited for it.
    pub milliseconds: u64,
    /// None: it could not say.
    pub done: Option<Done>,
    /// In words; empty where all went well.
    pub failures: Vec<String>,
    /// The task was not begun for it.
    pub refused: bool,
}

/// What is said; an [`Said::Advanced`] is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Advanced {
        entries: u64,
        bytes: u64,
    },
    Measured {
        sizes: Vec<Measured>,
    },
    Listed {
        entries: Vec<Listed>,
    },
    Drafted {
        draft: Draft,
    },
    Done {
        done: Done,
    },
    BeforeTask {
        done: Done,
        failures: Vec<String>,
        /// The working directory is empty.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_fresh: bool,
    },
    Swept {
        receipts: Vec<Receipt>,
    },
    PutBack {
        put_back: u64,
        not: Vec<String>,
        /// Roots that this user cannot look into.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shut: Vec<Place>,
    },
    Failed {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    pub folder: Place,
    /// In words where it cannot be read.
    pub size: Result<Size, String>,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub folder: Place,
    pub name: Place,
    pub inode: u64,
    pub owner: u32,
    /// When its name or rights last changed.
    pub since: Option<Timestamp>,
}

/// Reads the request and answers it. An error: nobody hears the answer.
pub fn serve(
    input: impl BufRead,
    output: impl Write + Send,
    now: Timestamp,
    stop: &Stop,
) -> io::Result<()> {
    let mut output = output;
    let mut line = String::new();
    let mut input = input;
    input.read_line(&mut line)?;
    let request: Request = match serde_json::from_str(&line) {
        Ok(request) => request,
        Err(error) => return say(&mut output, &failed(format!("the request: {error}"))),
    };
    if request.version > VERSION {
        let why = format!("the request is of a later release ({})", request.version);
        return say(&mut output, &failed(why));
    }
    let progress = Progress::default();
    let ended = AtomicBool::new(false);
    let teller = std::thread::current();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let answer = within(request.within_seconds, stop, |stop| {
                work(request.work.clone(), now, stop, &progress)
            });
            ended.store(true, Ordering::Release);
            teller.unpark();
            answer
        });
        let mut told = (0, 0);
        while !ended.load(Ordering::Acquire) {
            std::thread::park_timeout(TELL_EVERY);
            let new = (progress.entries(), progress.bytes());
            if new != told && !ended.load(Ordering::Acquire) {
                told = new;
                let (entries, bytes) = new;
                if say(&mut output, &Said::Advanced { entries, bytes }).is_err() {
                    // Whoever asked is gone: what is begun is left whole.
                    stop.ask();
                }
            }
        }
        let answer = worker.join().unwrap_or_else(|_| failed("it broke".to_owned()));
        say(&mut output, &answer)
    })
}

fn failed(why: String) -> Said {
    Said::Failed { why }
}

fn say(output: &mut impl Write, said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

/// Stops at the limit, or when it is asked to.
fn within<T>(seconds: Option<u32>, stop: &Stop, work: impl FnOnce(&Stop) -> T) -> T {
    let limit = seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let Some(deadline) = limit.and_then(|limit| Instant::now().checked_add(limit)) else {
        return work(stop);
    };
    stop.at_the_latest(deadline);
    work(stop)
}

fn work(work: Work, now: Timestamp, stop: &Stop, progress: &Progress) -> Said {
    match work {
        Work::Measure { folders } => measure(&folders, stop, progress),
        Work::List { folders } => list(&folders),
        Work::Draft { choices, around, goals } => {
            let around = at_home(around);
            let drafted = draft(&choices, &around, &goals, Detail::Measured, now, stop, progress);
            Said::Drafted { draft: drafted }
        }
        Work::CarryOut { draft, undo, at } => {
            Said::Done { done: carry_out(&draft, undo, at.unwrap_or(now), stop, progress) }
        }
        Work::BeforeTask(before) => before_task(before, now, stop, progress),
        Work::Sweep { choices, around, until } => {
            let around = at_home(around);
            let receipts = sweep(&choices, &around, until, now, stop, progress);
            Said::Swept { receipts }
        }
        Work::PutBack { roots, at, runners } => back(&roots, at, &runners),
    }
}

/// Whose process this is has another home than whoever asked.
fn at_home(around: Around) -> Around {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let path = std::env::var_os("PATH").unwrap_or_default();
    Around {
        home: home.unwrap_or(around.home),
        temp: std::env::temp_dir(),
        path: std::env::split_paths(&path).collect(),
        ..around
    }
}

fn measure(folders: &[Place], stop: &Stop, progress: &Progress) -> Said {
    let paths: Vec<PathBuf> = folders
        .iter()
        .map(|it| std::fs::canonicalize(&**it).unwrap_or_else(|_| it.to_path_buf()))
        .collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let sizes = measure_all(&paths, stop, progress).into_iter().zip(folders);
    let sizes = sizes.map(|(size, folder)| Measured {
        folder: folder.clone(),
        size: size.map_err(|error| error.to_string()),
    });
    Said::Measured { sizes: sizes.collect() }
}

fn list(folders: &[Place]) -> Said {
    use std::os::unix::fs::MetadataExt;
    let mut entries = Vec::new();
    for folder in folders {
        let Ok(read) = std::fs::read_dir(&**folder) else { continue };
        for entry in read.flatten() {
            let Ok(about) = std::fs::symlink_metadata(entry.path()) else { continue };
            let name = entry.file_name();
            if !about.is_dir() || crate::is_trash(&name) {
                continue;
            }
            entries.push(Listed {
                folder: folder.clone(),
                name: Place::from(name),
                inode: about.ino(),
                owner: about.uid(),
                since: Timestamp::from_second(about.ctime()).ok(),
            });
        }
    }
    Said::Listed { entries }
}

fn before_task(before: BeforeTask, now: Timestamp, stop: &Stop, progress: &Progress) -> Said {
    let (mut failures, mut is_fresh) = (Vec::new(), false);
    let fresh_one = before.fresh.as_ref().filter(|it| !before.around.is_marked(&it.work));
    if let Some(Fresh { work, kept, name }) = fresh_one {
        match fresh(work, kept, name) {
            Ok(Freshened::Kept(_) | Freshened::Nothing) => is_fresh = true,
            Err(error) => failures.push(error.to_string()),
        }
    }
    let around = at_home(before.around);
    let drafted =
        draft(&before.choices, &around, &before.goals, Detail::Quick, now, stop, progress);
    let done = carry_out(&drafted, Undo::Gone, now, stop, progress);
    failures.extend(missed(&before.goals));
    if stop.is_asked() {
        failures.push("its time was over before all was done".to_owned());
    }
    Said::BeforeTask { done, failures, is_fresh }
}

fn back(roots: &[Place], at: Timestamp, runners: &[RunnerAround]) -> Said {
    let of_then =
        |batch: &crate::Batch| batch.at().map(Timestamp::as_second) == Some(at.as_second());
    let (mut count, mut not, mut shut) = (0, Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for path in roots.iter().filter(|path| seen.insert((*path).clone())) {
        let root = match Root::of_trash(path) {
            Ok(root) => root,
            Err(
                refused
                @ (RootError::Top { .. } | RootError::Home { .. } | RootError::Mount { .. }),
            ) => {
                // Else nothing of that clean-up waits there.
                if lying_in(path).1.iter().any(of_then) {
                    not.push(refused.to_string());
                }
                continue;
            }
            // Of several users' roots each looks after its own.
            Err(
                RootError::Unreachable { .. }
                | RootError::NotAbsolute { .. }
                | RootError::Unknown { .. },
            ) => {
                shut.push(path.clone());
                continue;
            }
        };
        let listed = batches(&root).unwrap_or_default();
        for batch in listed.into_iter().filter(|batch| of_then(batch)) {
            match batch_back(&root, &batch, runners) {
                Ok((some, others)) => {
                    count += some;
                    not.extend(others);
                }
                Err(why) => not.push(format!("{path}: {why}")),
            }
        }
    }
    Said::PutBack { put_back: count, not, shut }
}

/// How many came back, and what did not.
fn batch_back(
    root: &Root,
    batch: &crate::Batch,
    runners: &[RunnerAround],
) -> Result<(u64, Vec<String>), String> {
    let to = goes_to(root, batch).map_err(|error| error.to_string())?;
    let is_in = |runner: &&RunnerAround| {
        std::fs::canonicalize(&runner.work).is_ok_and(|work| to.starts_with(work))
    };
    let mut locks = Vec::new();
    // Held until the last is back: a task that begins meanwhile waits for some renames at most.
    for runner in runners.iter().filter(is_in) {
        match in_use(&runner.lock) {
            InUse::Free(lock) => locks.push(lock),
            InUse::Held => {
                return Err(format!(
                    "a task of {} works in {}. Put it back after the task",
                    runner.name,
                    to.display()
                ));
            }
            InUse::Unknown(why) => {
                return Err(format!(
                    "a task of {} may work in {} ({why}). Put it back after the task",
                    runner.name,
                    to.display()
                ));
            }
        }
    }
    let (mut count, mut not) = (0, Vec::new());
    for (item, fate) in put_back(root, batch).map_err(|error| error.to_string())? {
        match fate {
            PutBack::Done => count += 1,
            // Put back before, or never set aside.
            PutBack::Gone => {}
            PutBack::NameTaken => not.push(format!("{item}: something else has its name now")),
            PutBack::Failed(why) => not.push(format!("{item}: {why}")),
        }
    }
    Ok((count, not))
}
