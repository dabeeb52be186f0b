//! The app beside the demo, where there is a display and the app was built.

use std::process::{Child, Stdio};

use crate::place::Place;
use crate::telling::Telling;

/// Ends the app with the demo.
pub(crate) struct App(Child);

impl Drop for App {
    fn drop(&mut self) {
        // Ours alone, and it holds no state.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn open(place: &Place, telling: &mut Telling) -> Option<App> {
    let display =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !display && !cfg!(target_vendor = "apple") {
        telling.say("No display: this is the whole show. With one, the app opens beside it.");
        return None;
    }
    let child = place.command("runner-tray").and_then(|mut app| {
        app.arg("--window").env("RUNNER_TRAY_MANY", "1");
        Ok(app.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    });
    match child {
        Ok(child) => {
            telling.say("The app is open: look at the tray while this goes on.");
            Some(App(child))
        }
        Err(error) => {
            telling.say(&format!("The app could not be opened: {error}."));
            None
        }
    }
}
