//! supervisor: `supervisord` in the foreground, `supervisorctl` over a Unix socket.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::Way;
use crate::files::write;

pub(super) struct Supervisord {
    pub(super) bin: PathBuf,
}

impl Supervisord {
    fn ctl(&self, verb: &str, place: &Path) -> Command {
        let mut command = Command::new(self.bin.join("supervisorctl"));
        command.arg("-c").arg(place.join("supervisord.conf")).arg(verb).arg("child:*");
        command
    }
}

impl Way for Supervisord {
    fn name(&self) -> &'static str {
        "supervisor"
    }

    fn configure(&self, place: &Path, child: &Path, count: usize) -> Result<()> {
        let (here, child) = (place.display(), child.display());
        let text = format!(
            "[supervisord]\nnodaemon=true\nlogfile={here}/supervisord.log\npidfile={here}/supervisord.pid\n\
             [unix_http_server]\nfile={here}/supervisor.sock\n\
             [supervisorctl]\nserverurl=unix://{here}/supervisor.sock\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
             [program:child]\ncommand={child}\nnumprocs={count}\nprocess_name=child-%(process_num)d\n\
             autorestart=true\n"
        );
        write(&place.join("supervisord.conf"), &text)
    }

    fn start(&self, place: &Path) -> Command {
        let mut command = Command::new(self.bin.join("supervisord"));
        command.arg("-c").arg(place.join("supervisord.conf"));
        command
    }

    fn off(&self, place: &Path) -> Command {
        self.ctl("stop", place)
    }

    fn on(&self, place: &Path) -> Command {
        self.ctl("start", place)
    }
}
