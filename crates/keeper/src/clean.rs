//! `clean`: clean-up as a process of its own, so that neither its memory nor a crash of it is anybody
//! else's. Asked to end, it leaves whole what it has not begun.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use cleanup::Stop;

use crate::clock::now;
use crate::signals::{STOPS, Signals};
use crate::wait::wait;

pub(crate) fn serve() -> anyhow::Result<ExitCode> {
    let signals = Signals::listen(&STOPS)?;
    // Both live as long as this process: a thread waits for the signals to its end.
    let stop: &'static Stop = Box::leak(Box::new(Stop::never()));
    std::thread::spawn(move || {
        while wait(&[signals.as_fd()], None).is_ok() {
            if signals.stop_asked() {
                stop.ask();
            }
        }
    });
    cleanup::work::serve(io::stdin().lock(), io::stdout(), now(), stop)?;
    Ok(ExitCode::SUCCESS)
}
