//! The child that every contender keeps: it rings once, then waits for ever. It must do nothing else,
//! so that what is measured is whoever keeps it. An ending signal ends it, as any program.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

fn main() {
    // HOME is the one variable that every contender hands on.
    if let Some(home) = std::env::var_os("HOME") {
        let bell = PathBuf::from(home).join("bell");
        if let Ok(socket) = UnixDatagram::unbound() {
            // Nobody may listen any more.
            let _ = socket.send_to(&std::process::id().to_le_bytes(), bell);
        }
    }
    loop {
        std::thread::park();
    }
}
