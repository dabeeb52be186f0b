//! Other processes that do nothing, so that a machine is full of them. Ended with this value, each by
//! the handle it was started by; they end by themselves should the bench be killed.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

pub(crate) struct Sleepers(Vec<Child>);

/// In seconds.
const LONGEST: &str = "1800";

impl Sleepers {
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Until there are so many.
    pub(crate) fn grow(&mut self, count: usize) -> Result<()> {
        while self.0.len() < count {
            let mut sleep = Command::new("sleep");
            sleep.arg(LONGEST).env_clear().env("PATH", "/usr/bin:/bin");
            sleep.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let started = sleep.spawn().with_context(|| {
                let many = self.0.len();
                format!("starting process {many} of {count} (`ulimit -u` and pids.max of the control group bound them)")
            })?;
            self.0.push(started);
        }
        Ok(())
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}
