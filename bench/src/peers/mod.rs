//! Other supervisors, each in a folder of its own with a number of equal children. Ends only what it
//! started, by identity.

mod circus;
mod pm2;
mod runit;
mod supervisord;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use process::{Pid, ProcessId, Signal};
use tempfile::TempDir;

use crate::bell::Bell;
use crate::contender::{Contender, until_dead};
use crate::proc::family;

/// How one of them is used.
trait Way {
    fn name(&self) -> &'static str;

    /// Writes its configuration for `count` children.
    fn configure(&self, place: &Path, child: &Path, count: usize) -> Result<()>;

    /// Brings it and its children up.
    fn start(&self, place: &Path) -> Command;

    /// Where its number is to be found, when [`Way::start`] leaves it running in the background.
    fn pid_file(&self) -> Option<&'static str> {
        None
    }

    fn off(&self, place: &Path) -> Command;

    fn on(&self, place: &Path) -> Command;

    /// What asks it to end with its children.
    fn end(&self) -> Signal {
        Signal::TERM
    }
}

/// What `fetch-peers` has fetched.
pub(crate) struct Fetched(BTreeMap<String, (String, PathBuf)>);

impl Fetched {
    /// For the bench of that name.
    pub(crate) fn read(folder: &Path, bench: &str) -> Result<Self> {
        let path = folder.join(bench).with_extension("tsv");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("reading {}; ./dev bench makes it", path.display()))?;
        let fields = text.lines().filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?.to_owned(), (fields.next()?.to_owned(), fields.next()?.into())))
        });
        Ok(Self(fields.collect()))
    }

    fn folder(&self, name: &str) -> Result<&Path> {
        self.0
            .get(name)
            .map(|(_, folder)| folder.as_path())
            .with_context(|| format!("no {name} was fetched"))
    }

    /// The program of a package.
    pub(crate) fn program(&self, package: &str, name: &str) -> Result<PathBuf> {
        Ok(self.folder(package)?.join(name))
    }

    /// Name and version of each.
    pub(crate) fn versions(&self) -> Vec<String> {
        self.0.iter().map(|(name, (version, _))| format!("{name} {version}")).collect()
    }

    /// Every peer with so many children, configured and not started.
    pub(crate) fn all(&self, child: &Path, children: usize) -> Result<Vec<Box<dyn Contender>>> {
        let ways: [Box<dyn Way>; 4] = [
            Box::new(runit::Runit { bin: self.folder("runit")?.to_owned() }),
            Box::new(supervisord::Supervisord { bin: self.folder("supervisor")?.to_owned() }),
            Box::new(circus::Circus { bin: self.folder("circus")?.to_owned() }),
            Box::new(pm2::Pm2 { bin: self.folder("pm2")?.to_owned() }),
        ];
        ways.into_iter()
            .map(|way| Ok(Box::new(Peer::new(way, child, children)?) as Box<dyn Contender>))
            .collect()
    }
}

struct Peer {
    way: Box<dyn Way>,
    place: TempDir,
    bell: Bell,
    child: PathBuf,
    root: Option<ProcessId>,
    started: Option<std::process::Child>,
}

impl Peer {
    fn new(way: Box<dyn Way>, child: &Path, children: usize) -> Result<Self> {
        let place = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let bell = Bell::hang(place.path())?;
        way.configure(place.path(), child, children)?;
        Ok(Self { way, place, bell, child: fs::canonicalize(child)?, root: None, started: None })
    }

    fn in_place(&self, mut command: Command) -> Command {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.place.path())
            .env("PM2_HOME", self.place.path())
            .env("LANG", "C.UTF-8");
        command.env("PM2_DISABLE_VERSION_CHECK", "true");
        command.current_dir(self.place.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The one that keeps the children.
    fn root(&self) -> Result<ProcessId> {
        if let Some(root) = &self.root {
            return Ok(root.clone());
        }
        match self.way.pid_file() {
            None => {
                let started = self.started.as_ref().context("it was not started")?;
                Ok(ProcessId::of(Pid::of_child(started))?)
            }
            Some(file) => {
                let text = fs::read_to_string(self.place.path().join(file))?;
                let pid = text
                    .trim()
                    .parse()
                    .ok()
                    .and_then(Pid::new)
                    .context("a pid file has a number")?;
                Ok(ProcessId::of(pid)?)
            }
        }
    }

    /// All below the root, and the root: its own processes, and the children.
    fn family(&self) -> Result<(Vec<ProcessId>, Vec<ProcessId>)> {
        let all = family(self.root()?);
        let is_child = |process: &ProcessId| {
            fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|exe| exe == self.child)
        };
        Ok(all.into_iter().partition(|process| !is_child(process)))
    }
}

impl Contender for Peer {
    fn name(&self) -> &'static str {
        self.way.name()
    }

    fn bell(&self) -> &Bell {
        &self.bell
    }

    fn start(&mut self) -> Result<()> {
        let mut command = self.in_place(self.way.start(self.place.path()));
        self.started = Some(command.spawn().with_context(|| format!("starting {command:?}"))?);
        Ok(())
    }

    fn own(&self) -> Result<Vec<ProcessId>> {
        Ok(self.family()?.0)
    }

    fn off(&mut self, child: &ProcessId) -> Result<()> {
        let mut command = self.in_place(self.way.off(self.place.path()));
        let status = command.status()?;
        ensure!(status.success(), "{command:?} ended with {status}");
        until_dead(child);
        Ok(())
    }

    fn on(&self) -> Command {
        self.in_place(self.way.on(self.place.path()))
    }

    fn stop(&mut self) -> Result<()> {
        if self.started.is_none() {
            return Ok(());
        }
        let (own, children) = self.family()?;
        process::signal(&self.root()?, self.way.end())?;
        let all = || own.iter().chain(&children);
        let begun = std::time::Instant::now();
        while all().any(trials::is_alive) && begun.elapsed() < Duration::from_secs(20) {
            trials::nap(Duration::from_millis(10));
            if let Some(started) = &mut self.started {
                // Reaped, so that it does not count as alive.
                let _ = started.try_wait();
            }
        }
        for left in all() {
            process::signal(left, Signal::KILL)?;
            until_dead(left);
        }
        if let Some(mut started) = self.started.take() {
            started.wait()?;
        }
        self.root = None;
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{} was not ended: {error:#}", self.way.name());
        }
    }
}
