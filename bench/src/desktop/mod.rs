//! `bench app`: what the tray and its window cost, beside the smallest Tauri app that has both, and
//! beside a tray made with another toolkit.

mod app;
mod idle;
mod menu;
mod screen;
mod session;
mod tray;
mod watcher;
mod window;

use crate::About;

pub(crate) const ABOUT: About = About {
    name: "app",
    title: "Benchmarks of the app",
    file: "docs/benchmarks-app.md",
    note: "Each runs alone on a display without a\n\
           graphics card (Xvfb) and a session bus of the bench's own, where the bench plays the panel that tray icons register with.",
    programs: &["runner-tray", "smallest-app"],
    rows: &[("tray", tray::row), ("window", window::row), ("idle", idle::row)],
};
