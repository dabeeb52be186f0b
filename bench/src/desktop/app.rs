//! A program with a tray icon, and what the bench does with it: starts it, opens and closes its
//! window, ends it with all that it is made of.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use process::{ProcessId, Signal};

use super::screen::Seen;
use super::session::Session;
use super::watcher::Icon;
use crate::Bench;
use crate::contender::until_dead;
use crate::proc::{Memory, family, memory, program_of};
use crate::rig::Rig;

/// After a start or an open, until all that is loaded late is loaded.
const SETTLE: Duration = Duration::from_secs(4);
/// `WebKitWebProcess`, as the kernel cuts it.
const WEB_PROCESS: &str = "WebKitWebProces";

const PYSTRAY: &str = include_str!("pystray_tray.py");

pub(crate) struct App<'a> {
    pub(crate) name: &'static str,
    session: &'a Session,
    command: Box<dyn Fn() -> Command + 'a>,
    running: Option<(trials::Ours, Icon)>,
}

/// A window that was opened by a click in the tray.
pub(crate) struct Opened {
    pub(crate) seen: Seen,
    /// From the click on, in ms.
    pub(crate) there_ms: f64,
    pub(crate) painted_ms: f64,
}

impl<'a> App<'a> {
    /// The product: its supervisor runs, and its runner waits for tasks.
    pub(crate) fn ours(session: &'a Session, rig: &'a Rig) -> Self {
        let command = || {
            let mut command = rig.place.command("runner-tray");
            session.join(&mut command);
            command
        };
        Self::new("Runner Tray", session, Box::new(command))
    }

    pub(crate) fn smallest(session: &'a Session) -> Self {
        let program = trials::program("smallest-app");
        Self::new("smallest Tauri app", session, Box::new(move || session.command(&program)))
    }

    /// A tray with a menu of two items in Python, by the same library for icons.
    pub(crate) fn pystray(bench: &Bench, session: &'a Session) -> Result<Self> {
        let python = bench.peers.program("pystray", "python")?;
        let types: PathBuf = bench.peers.program("appindicator-types", "girepository-1.0")?;
        let command = move || {
            let mut command = session.command(&python);
            command.args(["-c", PYSTRAY]).env("GI_TYPELIB_PATH", &types);
            command
        };
        Ok(Self::new("pystray tray", session, Box::new(command)))
    }

    fn new(
        name: &'static str,
        session: &'a Session,
        command: Box<dyn Fn() -> Command + 'a>,
    ) -> Self {
        Self { name, session, command, running: None }
    }

    /// How long it took until its icon was there, in ms.
    pub(crate) fn start(&mut self) -> Result<f64> {
        self.session.forget_icons();
        let command = (self.command)();
        let begun = Instant::now();
        let started = trials::Ours::start(command);
        let icon = self.session.next_icon()?;
        let took = since(begun, icon.at);
        self.running = Some((started, icon));
        trials::nap(SETTLE);
        Ok(took)
    }

    /// All processes that it is made of.
    pub(crate) fn own(&self) -> Vec<ProcessId> {
        self.running.iter().flat_map(|(started, _)| family(started.id().clone())).collect()
    }

    pub(crate) fn web_processes(&self) -> usize {
        self.own().iter().filter(|process| program_of(process) == WEB_PROCESS).count()
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        memory(&self.own())
    }

    /// By the first item of the tray's menu.
    pub(crate) fn open(&self) -> Result<Opened> {
        let (_, icon) = self.running.as_ref().expect("it was started");
        let menu = self.session.menu(icon)?;
        let begun = Instant::now();
        menu.click_first()?;
        let seen = self.session.screen.until_painted()?;
        let (there_ms, painted_ms) = (since(begun, seen.there), since(begun, seen.painted));
        Ok(Opened { seen, there_ms, painted_ms })
    }

    /// Returns once its window is off the screen; what it was made of may take longer.
    pub(crate) fn close(&self, opened: &Opened) -> Result<()> {
        self.session.screen.close(opened.seen.window)?;
        self.session.screen.until_blank()
    }

    pub(crate) fn stop(&mut self) -> Result<()> {
        let own = self.own();
        let Some((mut started, _)) = self.running.take() else { return Ok(()) };
        process::signal(started.id(), Signal::TERM)?;
        started.ended(self.name);
        own.iter().for_each(until_dead);
        Ok(())
    }
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{} was not ended: {error:#}", self.name);
        }
    }
}

pub(crate) fn settle() {
    trials::nap(SETTLE);
}

fn since(begun: Instant, at: Instant) -> f64 {
    at.duration_since(begun).as_secs_f64() * 1000.0
}
