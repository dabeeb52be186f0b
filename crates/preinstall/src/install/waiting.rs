//! What is waited for: a tool that works, also one of a process that died, and a lock that another holds.
//! None of it holds up the loop that this runs in.

use std::io;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use process::ExitWatch;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Installation, LOOK_EVERY, Progress, Stop, Told, manager_of};
use crate::lock::{files, holder_of, waits};
use crate::plan::Step;
use crate::record::Record;

impl Record {
    /// What was started by whoever wrote it, while it is at work.
    pub fn at_work(&self) -> Option<(usize, ExitWatch)> {
        let processes = self.steps.iter().enumerate().map(|(at, rest)| (at, rest.state.process()));
        let mut watches =
            processes.filter_map(|(at, process)| Some((at, ExitWatch::of(process?).ok()??)));
        watches.find(|(_, watch)| !watch.has_ended())
    }

    /// Until nothing of it is at work. Nothing more is known of a tool than that.
    pub async fn until_nothing_works(&self) {
        while let Some((_, mut watch)) = self.at_work() {
            while let Some(same) = looked(watch).await {
                watch = same;
            }
        }
    }
}

impl Installation {
    /// Whoever began it is gone; what it started may still be at work.
    pub(super) async fn follow_what_was_begun(&self, told: &mut Told<'_>) {
        let Some((at, watch)) = self.record.at_work() else { return };
        let Some(rest) = self.record.steps.get(at) else { return };
        self.follow(watch, at, &rest.step, told).await;
    }

    pub(super) async fn follow(
        &self,
        watch: ExitWatch,
        at: usize,
        step: &Step,
        told: &mut Told<'_>,
    ) {
        let mut watch = Some(watch);
        while let Some(same) = watch.take() {
            watch = looked(same).await;
            let now = self.progress(at, step, None);
            let line = now.last_line.as_deref().unwrap_or_default();
            let waits = manager_of(step).and_then(|manager| waits(manager, line));
            (told.progress)(Progress { waits, ..now });
            let _ = self.output.bound();
        }
    }

    /// Until nobody else holds a lock that the step's manager takes; who still does where that lasts too
    /// long.
    pub(super) async fn wait_for_lock(
        &mut self,
        at: usize,
        step: &Step,
        cancel: &mut watch::Receiver<bool>,
        told: &mut Told<'_>,
    ) -> Result<Option<String>, Stop> {
        let Some(manager) = manager_of(step) else { return Ok(None) };
        let usual: Vec<PathBuf> = files(manager).iter().map(PathBuf::from).collect();
        let files = self.locks.clone().filter(|_| !usual.is_empty()).unwrap_or(usual);
        let mut noted = None;
        loop {
            if *cancel.borrow() {
                return Err(Stop::Cancelled);
            }
            let Some(holder) = holder_of(&files) else { return Ok(None) };
            let waits = format!("{} is used by {holder}", manager.name());
            if self.lock_patience.is_zero() {
                return Ok(Some(waits));
            }
            if noted.as_ref() != Some(&waits) {
                self.output.note(&format!("Waiting: {waits}."));
                noted = Some(waits.clone());
            }
            (told.progress)(self.progress(at, step, Some(waits)));
            let begun = Instant::now();
            pause(LOOK_EVERY, cancel).await;
            self.lock_patience = self.lock_patience.saturating_sub(begun.elapsed());
        }
    }
}

/// For a moment, or until it ended; then there is nothing to look at any more.
async fn looked(watch: ExitWatch) -> Option<ExitWatch> {
    let waiting = tokio::task::spawn_blocking(move || {
        let ended = watch.wait(Some(LOOK_EVERY)).unwrap_or_else(|_| watch.has_ended());
        (!ended).then_some(watch)
    });
    waiting.await.ok().flatten()
}

/// How it ended, once it has; the system may know no other way to see that it did.
pub(super) async fn ended(child: &mut Child) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Shorter where it is cancelled.
pub(super) async fn pause(length: Duration, cancel: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        changed = cancel.changed() => {
            if changed.is_err() {
                tokio::time::sleep(length).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_that_works_on_holds_up_nobody_else() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        // It ends only by what is done beside.
        let (status, ()) = tokio::join!(ended(&mut child), async { drop(stdin) });
        assert!(status.unwrap().success());
    }
}
