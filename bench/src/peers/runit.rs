//! runit: `runsvdir` watches a folder of services, one `runsv` keeps each.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use process::Signal;

use super::Way;

pub(super) struct Runit {
    pub(super) bin: PathBuf,
}

impl Runit {
    fn sv(&self, verb: &str, place: &Path) -> Command {
        let mut command = Command::new(self.bin.join("sv"));
        command.arg(verb).arg(place.join("services/child-1"));
        command
    }
}

impl Way for Runit {
    fn name(&self) -> &'static str {
        "runit"
    }

    fn configure(&self, place: &Path, child: &Path, count: usize) -> Result<()> {
        for number in 1..=count {
            let service = place.join(format!("services/child-{number}"));
            fs::create_dir_all(&service)?;
            symlink(child, service.join("run"))?;
        }
        Ok(())
    }

    /// It looks for `runsv` in PATH.
    fn start(&self, place: &Path) -> Command {
        let mut command = Command::new("/usr/bin/env");
        command.arg(format!("PATH={}:/usr/bin:/bin", self.bin.display()));
        command.arg(self.bin.join("runsvdir")).arg(place.join("services"));
        command
    }

    fn off(&self, place: &Path) -> Command {
        self.sv("down", place)
    }

    fn on(&self, place: &Path) -> Command {
        self.sv("up", place)
    }

    /// At a TERM it would leave its services running.
    fn end(&self) -> Signal {
        Signal::HUP
    }
}
