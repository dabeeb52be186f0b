//! Replacing this process by a program with signals exactly as told, which std's exec does not do:
//! it empties the mask and sets SIGPIPE to its default.
#![expect(unsafe_code, reason = "sigaction, sigmask and execve have no safe form")]

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::Signal;

/// Signal numbers that are looked at: the classic ones and Linux' real-time ones.
const NUMBERS: std::ops::RangeInclusive<i32> = 1..=64;

/// Which signals a process blocks and ignores; all others have their default effect.
#[expect(clippy::unsafe_derive_deserialize, reason = "any two lists of numbers are safe to apply")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalState {
    pub blocked: Vec<i32>,
    pub ignored: Vec<i32>,
}

static PIPE_IGNORED_AT_START: AtomicBool = AtomicBool::new(false);

/// Runs before std's runtime, which sets SIGPIPE to ignored before main.
extern "C" fn note_sigpipe() {
    PIPE_IGNORED_AT_START.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
}

// SAFETY: a function that takes no arguments and only asks the kernel may run before main.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
static BEFORE_MAIN: extern "C" fn() = note_sigpipe;

fn is_ignored(number: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null new action only asks; on success the old one is written whole.
    unsafe {
        libc::sigaction(number, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

impl SignalState {
    /// As this process was started with. Call it before any handler is installed.
    pub fn at_start() -> Self {
        let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: a null new mask only asks; the old one is written whole on success.
        let mask = unsafe {
            libc::sigemptyset(mask.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr());
            mask.assume_init()
        };
        // SAFETY: the mask is initialised; numbers out of range give -1, which is not 1.
        let blocked = NUMBERS.filter(|n| unsafe { libc::sigismember(&raw const mask, *n) } == 1);
        let ignored = NUMBERS.filter(|n| {
            if *n == libc::SIGPIPE {
                PIPE_IGNORED_AT_START.load(Ordering::Relaxed)
            } else {
                is_ignored(*n)
            }
        });
        Self { blocked: blocked.collect(), ignored: ignored.collect() }
    }

    /// From now on these wait, with what was blocked at the start, until this is taken back.
    pub fn hold_back(&self, signals: &[Signal]) {
        let held = signals.iter().map(|signal| signal.as_raw());
        Self { blocked: self.blocked.iter().copied().chain(held).collect(), ..Self::default() }
            .apply_mask();
    }

    /// What was held back comes now; blocked is what was at the start.
    pub fn let_through(&self) {
        self.apply_mask();
    }

    /// Blocks exactly these from now on, and leaves what is ignored and handled as it is.
    fn apply_mask(&self) {
        let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the set is emptied, hence initialised, before anything else uses it.
        unsafe {
            libc::sigemptyset(mask.as_mut_ptr());
            for number in &self.blocked {
                libc::sigaddset(mask.as_mut_ptr(), *number);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, mask.as_ptr(), ptr::null_mut());
        }
    }

    fn apply(&self) {
        for number in NUMBERS {
            let ignore = self.ignored.contains(&number);
            // SAFETY: SIG_IGN and SIG_DFL are valid for every number; KILL, STOP and numbers the
            // libc keeps for itself are refused without effect.
            unsafe { libc::signal(number, if ignore { libc::SIG_IGN } else { libc::SIG_DFL }) };
        }
        self.apply_mask();
    }
}

/// Lets every signal through to this thread, whatever the parent had blocked.
pub fn unblock_signals() {
    SignalState::default().apply_mask();
}

/// Replaces this process by `argv` (not empty; the first without a slash is looked up in the PATH
/// of `environment`). Returns only if that failed.
pub fn exec(
    argv: &[OsString],
    environment: &[(OsString, OsString)],
    signals: &SignalState,
) -> io::Error {
    match try_exec(argv, environment, signals) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn try_exec(
    argv: &[OsString],
    environment: &[(OsString, OsString)],
    signals: &SignalState,
) -> io::Result<std::convert::Infallible> {
    let Some(name) = argv.first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program to run was given"));
    };
    let program = CString::new(find(name, environment)?.as_os_str().as_bytes())?;
    let argv = argv.iter().map(|arg| Ok(CString::new(arg.as_bytes())?));
    let argv = argv.collect::<io::Result<Vec<_>>>()?;
    let environment = environment
        .iter()
        .map(|(name, value)| Ok(CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())?));
    let environment = environment.collect::<io::Result<Vec<_>>>()?;
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
    };
    let (argv, environment) = (pointers(&argv), pointers(&environment));
    signals.apply();
    // SAFETY: both vectors end in null, and their strings live until execve returns.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
    Err(io::Error::last_os_error())
}

/// Where a program lies, by the rule of execvp(3).
fn find(name: &OsStr, environment: &[(OsString, OsString)]) -> io::Result<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Ok(name.into());
    }
    let path =
        environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    std::env::split_paths(path.unwrap_or(OsStr::new("/bin:/usr/bin")))
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not found in PATH"))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Ends this process by the signal that ended another, without a core file of our own. Should the
/// signal not end it, it exits with 128 + the number, as shells say it.
pub fn die_of(number: i32) -> ! {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    SignalState::default().apply();
    if let (Some(signal), Some(own)) = (Signal::from_named_raw(number), crate::Pid::own().rustix())
    {
        let _ = rustix::process::kill_process(own, signal);
    }
    std::process::exit(128 + number)
}
