//! pm2: its command starts a daemon in the background, which keeps the children.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::json;

use super::Way;
use crate::files::write;

pub(super) struct Pm2 {
    pub(super) bin: PathBuf,
}

impl Pm2 {
    fn pm2(&self, verb: &str, what: &Path) -> Command {
        let mut command = Command::new(self.bin.join("pm2"));
        command.arg(verb).arg(what);
        command
    }
}

impl Way for Pm2 {
    fn name(&self) -> &'static str {
        "pm2"
    }

    fn configure(&self, place: &Path, child: &Path, count: usize) -> Result<()> {
        let app = |number| json!({ "name": format!("child-{number}"), "script": child, "exec_mode": "fork", "interpreter": "none" });
        let apps: Vec<_> = (1..=count).map(app).collect();
        write(&place.join("children.json"), &json!({ "apps": apps }).to_string())
    }

    fn start(&self, place: &Path) -> Command {
        self.pm2("start", &place.join("children.json"))
    }

    fn pid_file(&self) -> Option<&'static str> {
        Some("pm2.pid")
    }

    fn off(&self, _place: &Path) -> Command {
        self.pm2("stop", Path::new("child-1"))
    }

    fn on(&self, _place: &Path) -> Command {
        self.pm2("start", Path::new("child-1"))
    }
}
