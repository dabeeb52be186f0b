//! The programs that measure or remove a tree, ours first, each used as its manual says.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::trees::{TREE, Yard};
use crate::Bench;

pub(crate) struct Tool {
    pub(crate) name: &'static str,
    command: Box<dyn Fn(&Yard) -> Command>,
}

/// How long it took, in ms, and what it printed.
pub(crate) struct Done {
    pub(crate) ms: f64,
    text: String,
}

impl Tool {
    fn new(name: &'static str, command: impl Fn(&Yard) -> Command + 'static) -> Self {
        Self { name, command: Box::new(command) }
    }

    pub(crate) fn run(&self, yard: &Yard) -> Result<Done> {
        let mut command = (self.command)(yard);
        command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        let begun = Instant::now();
        let output = command.output().with_context(|| format!("starting {command:?}"))?;
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
        Ok(Done { ms, text: String::from_utf8_lossy(&output.stdout).into_owned() })
    }
}

impl Done {
    /// A number that our own program said.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let line = self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
        line.and_then(|number| number.parse().ok())
    }
}

pub(crate) const OURS: &str = "Runner Tray";

pub(crate) fn ours_measures() -> Tool {
    Tool::new(OURS, |yard| with(trials::program("bench-cleanup"), &["measure"], &yard.tree()))
}

pub(crate) fn ours_removes() -> Tool {
    Tool::new(OURS, |yard| {
        let mut command = with(trials::program("bench-cleanup"), &["remove"], yard.path());
        command.arg(TREE);
        command
    })
}

/// du alone is what a bar of its own is for; the others are the best there is.
pub(crate) fn measuring(bench: &Bench) -> Result<Vec<Tool>> {
    let diskus = bench.peers.program("diskus", "diskus")?;
    let dust = bench.peers.program("du-dust", "dust")?;
    let dua = bench.peers.program("dua-cli", "dua")?;
    Ok(vec![
        ours_measures(),
        Tool::new("du -s", |yard| with("du", &["-s"], &yard.tree())),
        Tool::new("diskus", move |yard| with(&diskus, &[], &yard.tree())),
        Tool::new("dust -d 0", move |yard| with(&dust, &["-d", "0", "-b", "-P"], &yard.tree())),
        Tool::new("dua", move |yard| with(&dua, &["aggregate"], &yard.tree())),
    ])
}

pub(crate) fn removing(bench: &Bench) -> Result<Vec<Tool>> {
    let rmz = bench.peers.program("rmz", "rmz")?;
    Ok(vec![
        ours_removes(),
        Tool::new("rm -rf", |yard| with("rm", &["-rf"], &yard.tree())),
        Tool::new("rmz", move |yard| with(&rmz, &[], &yard.tree())),
    ])
}

fn with(program: impl AsRef<Path>, arguments: &[&str], path: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).arg(path);
    command
}
