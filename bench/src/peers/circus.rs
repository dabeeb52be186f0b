//! circus: `circusd` in the foreground, `circusctl` over its socket.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::Way;
use crate::files::write;

pub(super) struct Circus {
    pub(super) bin: PathBuf,
}

impl Circus {
    fn ctl(&self, verb: &str, place: &Path) -> Command {
        let mut command = Command::new(self.bin.join("circusctl"));
        command.arg("--endpoint").arg(endpoint(place)).arg(verb).arg("child");
        command
    }
}

fn endpoint(place: &Path) -> String {
    format!("ipc://{}/endpoint", place.display())
}

impl Way for Circus {
    fn name(&self) -> &'static str {
        "circus"
    }

    fn configure(&self, place: &Path, child: &Path, count: usize) -> Result<()> {
        let text = format!(
            "[circus]\nendpoint = {}\npubsub_endpoint = ipc://{}/pubsub\n\
             [watcher:child]\ncmd = {}\nnumprocesses = {count}\ncopy_env = True\n",
            endpoint(place),
            place.display(),
            child.display(),
        );
        write(&place.join("circus.ini"), &text)
    }

    fn start(&self, place: &Path) -> Command {
        let mut command = Command::new(self.bin.join("circusd"));
        command.arg(place.join("circus.ini"));
        command
    }

    fn off(&self, place: &Path) -> Command {
        self.ctl("stop", place)
    }

    fn on(&self, place: &Path) -> Command {
        self.ctl("start", place)
    }
}
