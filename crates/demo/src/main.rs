//! Shows Runner Tray at work, with nothing but this machine: an offline stand-in for CircleCI, a home
//! of its own, real tasks. Every word it prints about a runner is what `runnerctl` says; it leaves
//! nothing running and nothing on disk.

mod app;
mod interrupt;
mod keychain;
mod place;
mod scenes;
mod telling;
mod work;

use std::process::ExitCode;

use crate::keychain::Keychain;
use crate::place::Place;
use crate::telling::Telling;

fn main() -> ExitCode {
    match show() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True where everything went as promised.
fn show() -> anyhow::Result<bool> {
    interrupt::note_signals()?;
    let keychain = Keychain::find()?;
    if let Some(status) = keychain.go_into_a_session_of_its_own()? {
        return Ok(status);
    }
    let place = Place::make(&keychain)?;
    let mut telling = Telling::begin();
    telling
        .say("Runner Tray against an offline stand-in for CircleCI. Nothing leaves this machine.");
    telling.say("It takes about 20 s; Ctrl-C ends it and all it started.");
    telling.say(&format!("Everything lies in {} and goes with it.", place.home().display()));
    telling.say(&format!("The token goes to {}.", keychain.words()));
    let shown = scenes::play(&place, &mut telling);
    let ended = place.end();
    let shown = shown?;
    let left = ended?;
    telling.summary(&shown, &left);
    Ok(shown.all_well() && left.is_empty())
}
