//! A program that outlives whoever started it: in a session of its own, so that neither a closed
//! terminal nor a signal to the starter's group reaches it.

use std::{io, os::unix::process::CommandExt, process::Command, process::Stdio};

use rustix::process::setsid;

/// Lets `command` start its program in a session of its own, at `/`, with nothing on its standard
/// input and output; its standard error stays as it was set. Whoever starts it and lives long must
/// wait for it, or a zombie is left.
#[expect(unsafe_code, reason = "std has no stable way to make a session")]
pub fn detach(command: &mut Command) -> &mut Command {
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    // SAFETY: between fork and exec only setsid(2) is called, which allocates and locks nothing.
    unsafe { command.pre_exec(|| setsid().map(drop).map_err(io::Error::from)) }
}

#[cfg(test)]
mod tests {
    use std::{
        fs, thread,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn a_detached_program_has_a_session_and_a_place_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        let told = home.path().join("told");
        let mut command = Command::new("/bin/sh");
        // Its input is empty, so `cat` tells that and does not wait.
        command.args(["-c", "cat; pwd > \"$0\"; exec sleep 1000"]).arg(&told);
        let mut child = detach(&mut command).spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let session = rustix::process::getsid(Some(pid)).unwrap();
        let start = Instant::now();
        while fs::read(&told).unwrap_or_default().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(30), "it says nothing");
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!((session, fs::read_to_string(&told).unwrap().as_str()), (pid, "/\n"));
    }
}
