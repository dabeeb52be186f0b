//! Tells the loop which run directory changed, or which other file that the user may change. By the kernel's own notices where there are any, else
//! by looking every second.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Config, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use protocol::RunId;

use crate::input::{Input, Loop};

pub(crate) struct Watch {
    watcher: Box<dyn Watcher + Send>,
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Watch {
    /// Watches nothing yet; `runs` is the folder of all runs, then the settings file and this
    /// program's.
    pub(crate) fn new(runs: &Path, [settings, program]: [PathBuf; 2], to: Loop) -> Self {
        let runs = runs.to_owned();
        let tell = move |event: notify::Result<notify::Event>| {
            match event {
                Ok(event) if !event.need_rescan() => told(&event, &runs, &settings, &program, &to),
                // Some news was lost: everything is read again.
                Ok(_) | Err(_) => to.send(Input::NewsLost),
            }
        };
        let told_too = tell.clone();
        let watcher: Box<dyn Watcher + Send> =
            match RecommendedWatcher::new(tell, Config::default()) {
                Ok(watcher) => Box::new(watcher),
                Err(error) => {
                    tracing::warn!(%error, "no notices from the kernel: looking every second");
                    let config = Config::default().with_poll_interval(LOOK_EVERY);
                    match PollWatcher::new(told_too, config) {
                        Ok(watcher) => Box::new(watcher),
                        Err(_) => Box::new(notify::NullWatcher),
                    }
                }
            };
        Self { watcher }
    }

    pub(crate) fn run(&mut self, folder: &Path) {
        if let Err(error) = self.watcher.watch(folder, RecursiveMode::Recursive) {
            tracing::warn!(%error, folder = %folder.display(), "cannot watch a run");
        }
    }

    pub(crate) fn folder(&mut self, folder: &Path) {
        if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, folder = %folder.display(), "cannot watch a folder");
        }
    }

    /// The file of this program, and not its folder: there others' programs lie, and whoever starts one
    /// would be noticed. While it is gone its folder has to do.
    pub(crate) fn program(&mut self, program: &Path) {
        let folder = program.parent().unwrap_or(program);
        if program.exists() {
            // A watch goes on with the file that had the name before.
            self.forget(program);
            self.folder(program);
            self.forget(folder);
        } else {
            self.folder(folder);
        }
    }

    pub(crate) fn forget(&mut self, folder: &Path) {
        // It may be gone already, and its watch with it.
        let _ = self.watcher.unwatch(folder);
    }
}

fn told(event: &notify::Event, runs: &Path, settings: &Path, program: &Path, to: &Loop) {
    // Our own reading is no change.
    if matches!(event.kind, EventKind::Access(_)) {
        return;
    }
    for path in &event.paths {
        if path == settings {
            to.send(Input::SettingsTouched);
        } else if path == program {
            to.send(Input::ProgramTouched);
        } else if let Some(run) = run_of(path, runs) {
            to.send(Input::Touched(run));
        } else if crate::rotate::is_record(path) {
            to.send(Input::RotationsTouched);
        }
    }
}

fn run_of(path: &Path, runs: &Path) -> Option<RunId> {
    let first = path.strip_prefix(runs).ok()?.components().next()?;
    let name = first.as_os_str().to_str()?;
    (!name.starts_with('.')).then(|| RunId::from(name))
}
