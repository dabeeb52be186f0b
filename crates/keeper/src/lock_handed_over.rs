//! The run's lock, which the supervisor took and passed to us as the standard output.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use anyhow::Context;
use run_dir::RunDir;

/// Takes over the lock and nothing else, for as long as the value lives. It must be held already, and by us: a
/// keeper that had to take it could be the second one.
pub(crate) fn lock_handed_over(run: &RunDir) -> anyhow::Result<File> {
    // What else came is an accident of whoever started the supervisor, and no agent's business.
    process::Inherited::at_start()?.close_all_but(&[]);
    let lock = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let held = run.lock_is_held_by(&lock);
    anyhow::ensure!(
        held.with_context(|| format!("the lock of {} cannot be read", run.path().display()))?,
        "the standard output is not the held lock of {}",
        run.path().display()
    );
    // Nothing may ever be printed into the lock file.
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(lock)
}
