//! A program that outlives whoever started it: in a session of its own, so that neither a closed
//! terminal nor a signal to the starter's group reaches it.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use rustix::process::setsid;

/// Starts `exe` with `args` in a session of its own, at `/`, with nothing on its standard streams.
/// Gives its pid. The environment is handed on as it is.
#[expect(unsafe_code, reason = "std has no stable way to make a session")]
pub fn spawn_detached(exe: &Path, args: &[impl AsRef<OsStr>]) -> io::Result<u32> {
    let mut command = Command::new(exe);
    command.args(args).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only setsid(2) is called, which allocates and locks nothing.
    unsafe { command.pre_exec(|| setsid().map(drop).map_err(io::Error::from)) };
    let mut child = command.spawn()?;
    let pid = child.id();
    // A starter that lives long must not keep a zombie: this thread waits, and ends with either.
    thread::spawn(move || child.wait());
    Ok(pid)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[test]
    fn a_detached_program_has_a_session_of_its_own_and_leaves_no_zombie() {
        let home = tempfile::tempdir().unwrap();
        let told = home.path().join("told");
        let script = "ps -o sid= -p $$ > \"$0.new\"; pwd >> \"$0.new\"; mv \"$0.new\" \"$0\"";
        let args = [OsStr::new("-c"), OsStr::new(script), told.as_os_str()];
        let pid = spawn_detached(Path::new("/bin/sh"), &args).unwrap();
        let session = crate::keychain::tests_until(|| fs::read_to_string(&told).ok());
        let words: Vec<_> = session.split_whitespace().collect();
        assert_eq!(words, [pid.to_string().as_str(), "/"]);
        let gone = || {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            rustix::process::test_kill_process(pid).is_err().then_some(())
        };
        crate::keychain::tests_until(gone);
        let _ = Duration::ZERO;
    }

    #[test]
    fn a_program_that_is_not_there_is_told_at_once() {
        let error = spawn_detached(Path::new("/no/such/program"), &["x"]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
