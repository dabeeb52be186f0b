//! Standard error as a Go program has it: whoever writes to it without a reader dies of SIGPIPE.
//! It must never print through `eprintln!`, which would panic instead.

use std::io::{self, ErrorKind, Write};

/// Writes all of `text`. A broken pipe ends the process by SIGPIPE, as the Go runtime does for the
/// descriptors 1 and 2 (package os/signal, "SIGPIPE"). Other errors are dropped: there is nowhere
/// left to tell them.
pub(crate) fn write(text: &[u8]) {
    die_of_broken_pipe(io::stderr().lock().write_all(text));
}

/// The same for standard output.
pub(crate) fn write_to_stdout(text: &[u8]) {
    let mut stdout = io::stdout().lock();
    die_of_broken_pipe(stdout.write_all(text).and_then(|()| stdout.flush()));
}

fn die_of_broken_pipe(written: io::Result<()>) {
    if written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGPIPE);
    }
}
