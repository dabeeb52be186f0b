//! Starting: everything that must be true before the loop may turn, in order.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use host::Folders;
use jiff::tz::TimeZone;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::api::{self, Api};
use crate::input::{Input, Loop};
use crate::program::Program;
use crate::supervisor::{Opened, Supervisor, now};
use crate::take::Ended;
use crate::wanted_file::WantedFile;

const LOGS_KEPT: usize = 7;
const LINES_WAITING: usize = 4096;
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// One that is just ending gives no more answers, and has the lock for moments yet.
const LETS_GO: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) fn run() -> Result<()> {
    process::keep_little_memory();
    let program = Program::this()?;
    host::refuse_root()?;
    let folders = Folders::find()?;
    // Before anything is made there.
    host::refuse_network_home(&folders.state)?;
    folders.ensure()?;
    // Nobody else may own this state: held until the process ends.
    let lock = take_lock(&folders)?;
    let log = log_to(&folders);
    let (wanted, state) = WantedFile::open(&folders.wanted_file(), now());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .context("starting the runtime")?;
    let ended = runtime.block_on(async {
        let (to_loop, inputs) = Loop::new();
        // It walks through a folder of all time zones.
        let zone = tokio::task::spawn_blocking(TimeZone::system);
        let (snapshots, reader) = watch::channel::<Arc<str>>("".into());
        let socket = folders.socket()?;
        let opened = Opened {
            folders: folders.clone(),
            wanted,
            state,
            program: program.clone(),
            to_loop: to_loop.clone(),
            snapshots,
        };
        let supervisor = Supervisor::new(opened)?;
        let zone = zone.await.unwrap_or(TimeZone::UTC);
        // Bound last, and nothing is waited for until there is a snapshot: whoever reaches the socket finds a
        // supervisor that works.
        let listener = bind(&socket)?;
        tracing::info!(socket = %socket.display(), "the supervisor begins");
        let api = Api {
            to_loop: to_loop.clone(),
            snapshots: reader,
            history: folders.history_file(),
            folders: folders.clone(),
            rotating: Arc::default(),
            tokens: Arc::default(),
        };
        tokio::spawn(end_at_signal(to_loop.clone()));
        let (end, ends) = tokio::sync::oneshot::channel();
        let serving = tokio::spawn(async move {
            if let Err(error) = api::serve(listener, api, ends).await {
                tracing::error!(%error, "the local API ended");
            }
        });
        let ended = supervisor.run(inputs, zone).await;
        // Answers under way still reach their callers.
        let _ = end.send(());
        let _ = tokio::time::timeout(LAST_ANSWERS, serving).await;
        // The lock is still ours, so the socket is too.
        let _ = std::fs::remove_file(&socket);
        ended
    })?;
    // Reading of logs or waiting for locks must not hold up the end.
    runtime.shutdown_background();
    match ended {
        Ended::Asked => Ok(()),
        Ended::Replaced => {
            drop((lock, log));
            Err(program.take_over()).context("becoming the new version of this program")
        }
    }
}

fn take_lock(folders: &Folders) -> Result<File> {
    let path = folders.lock_file();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LETS_GO => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another supervisor works with {}; see `runnerctl supervisor status`",
                folders.state.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
    }
}

/// The lock is held, so a socket that is there is a dead one's.
fn bind(socket: &std::path::Path) -> Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("removing the old {}", socket.display()));
        }
    }
    let listener =
        UnixListener::bind(socket).with_context(|| format!("listening at {}", socket.display()))?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("closing {} to others", socket.display()))?;
    Ok(listener)
}

fn log_to(folders: &Folders) -> WorkerGuard {
    let daily = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("supervisor")
        .filename_suffix("log")
        .max_log_files(LOGS_KEPT)
        .build(&folders.logs);
    let (writer, guard) = match daily {
        Ok(daily) => writing(daily),
        // A full disk is no reason not to work.
        Err(error) => {
            let logs = folders.logs.display();
            let _ = writeln!(std::io::stderr(), "cannot write a log below {logs}: {error}");
            writing(std::io::stderr())
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("RUNNER_TRAY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).init();
    guard
}

/// A thread that writes. The room for lines that wait is taken at once, 32 bytes each.
fn writing(to: impl std::io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING).finish(to)
}

async fn end_at_signal(to_loop: Loop) {
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return tracing::error!("no signals can be caught");
    };
    // A closed terminal is no reason to end.
    let mut hangup = signal(SignalKind::hangup()).ok();
    loop {
        tokio::select! {
            _ = term.recv() => return to_loop.send(Input::Signal("SIGTERM")),
            _ = int.recv() => return to_loop.send(Input::Signal("SIGINT")),
            () = async { match hangup.as_mut() {
                Some(hangup) => { hangup.recv().await; }
                None => std::future::pending().await,
            } } => {}
        }
    }
}
