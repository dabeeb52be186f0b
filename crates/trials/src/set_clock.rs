//! A clock that a trial can set, for all programs of its place: libfaketime (Debian: `faketime`).

use std::fs;
use std::path::PathBuf;

use crate::{Place, Rig};

pub struct SetClock {
    file: PathBuf,
}

impl SetClock {
    /// Nothing, with a printed line, where libfaketime is not installed.
    pub fn of(place: &mut Place) -> Option<Self> {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut libraries =
            folders.map(|folder| folder.path().join("faketime").join("libfaketimeMT.so.1"));
        let Some(library) = libraries.find(|library| library.is_file()) else {
            skipped::skipped("libfaketime is not installed");
            return None;
        };
        let clock = Self { file: place.path("clock") };
        clock.set("+0");
        place.set_env("LD_PRELOAD", library);
        place.set_env("FAKETIME_TIMESTAMP_FILE", clock.file.as_os_str());
        for name in ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"] {
            place.set_env(name, "1");
        }
        Some(clock)
    }

    /// Sets it off the real one: `+2h`, `-1d`.
    pub fn set(&self, to: &str) {
        run_dir::write_atomically(&self.file, to.as_bytes()).expect("a file of ours");
    }
}

impl Rig {
    /// Wakes the supervisor. The kernel's alarm knows nothing of a clock of ours and so does not go off
    /// when that is set, as it does in truth; another event stands for it.
    pub fn poke(&self) {
        let settings = self.place.folders().settings_file();
        let text = fs::read_to_string(&settings).expect("the settings");
        let limit = 1_000_000 + text.len();
        let text = text.replace("[[runner]]\n", &format!("[[runner]]\nlog_limit = {limit}\n"));
        run_dir::write_atomically(&settings, text.as_bytes()).expect("a file of ours");
    }
}
