//! What a keeper has to say, in keeper.log of its run: never on the streams of a task.

use std::io::Write;
use std::process::ExitCode;

use run_dir::RunDir;

use crate::clock::now;

/// Adds a line. If it cannot be written there is nobody to tell.
pub(crate) fn note(run: &RunDir, text: impl std::fmt::Display) {
    if let Ok(mut log) = run.open_keeper_log() {
        let line = format!("{:.3} [{}] {text}\n", now(), std::process::id());
        let _ = log.write_all(line.as_bytes());
    }
}

/// Does the work, and puts an error or a panic of it into keeper.log.
pub(crate) fn kept(run: &RunDir, work: impl FnOnce() -> anyhow::Result<ExitCode>) -> ExitCode {
    panics_to_log(run);
    work().unwrap_or_else(|error| {
        note(run, format_args!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// Keeps the words of a panic off the standard error, which may be a task's.
pub(crate) fn panics_to_log(run: &RunDir) {
    let run = run.clone();
    std::panic::set_hook(Box::new(move |panic| note(&run, panic)));
}
