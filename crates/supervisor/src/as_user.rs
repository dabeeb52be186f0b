//! Commands run as another user, by sudo and that user's login shell. Its profiles may hang, or leave
//! something behind that keeps our pipes open: nobody waits for that, and what hangs is ended.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use process::{Liveness, Pid, ProcessId, Signal};

/// What a single command is given.
const PATIENCE: Duration = Duration::from_secs(15);
/// What ending one is given.
pub(crate) const ENDING: Duration = Duration::from_secs(6);
/// Of what is said, in bytes.
const MOST_KEPT: usize = 1 << 20;
/// More than a pipe holds.
const PIECES_AT_ONCE: usize = 256;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// When nobody waits any longer for a command that starts now.
pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

pub(crate) fn as_user(user: &str, command: &[&str], until: Instant) -> io::Result<Output> {
    run(Command::new("sudo").args(["-niHu", user, "--"]).args(command), Some(user), until)
}

/// `user` is who it runs as, where that is somebody else. An error of kind `TimedOut`: it was ended.
pub(crate) fn run(command: &mut Command, user: Option<&str>, until: Instant) -> io::Result<Output> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .current_dir("/")
        .spawn()?;
    let (mut stdout, mut stderr) = (Said::by(child.stdout.take())?, Said::by(child.stderr.take())?);
    loop {
        let ended = child.try_wait()?;
        stdout.take();
        stderr.take();
        if let Some(status) = ended {
            return Ok(Output { status, stdout: stdout.bytes, stderr: stderr.bytes });
        }
        if Instant::now() > until {
            end(&mut child, user);
            let why = format!("no end within {} s", begun.elapsed().as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

fn end(child: &mut Child, user: Option<&str>) {
    end_by_force(Pid::of_child(child), user);
    // Where it could not be ended it is nobody's to wait for.
    let _ = child.kill();
    let _ = child.try_wait();
}

/// Ends a child of ours and all that it has started. What runs as another user only that user, or root,
/// may end; sudo then ends by itself. Blocking.
pub(crate) fn end_by_force(child: Pid, user: Option<&str>) {
    let last = Instant::now() + ENDING;
    let mut known: Vec<ProcessId> = Vec::new();
    loop {
        for id in tree(child) {
            if !known.contains(&id) {
                known.push(id);
            }
        }
        known.retain(|id| process::alive(id) != Liveness::Dead);
        if known.is_empty() || Instant::now() > last {
            return;
        }
        for id in &known {
            // Refused for what is another user's.
            let _ = process::signal(id, Signal::KILL);
        }
        if let Some(user) = user {
            signal_as(user, "-KILL", &known);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Asks a child of ours to end. sudo passes that on to what it runs; where it is not ours to signal, what
/// it runs is told as its own user. Blocking.
pub(crate) fn ask_to_end(child: Pid, user: Option<&str>) {
    let told = ProcessId::of(child).and_then(|id| process::signal(&id, Signal::TERM));
    if let (Err(_), Some(user)) = (told, user) {
        signal_as(user, "-TERM", &tree(child));
    }
}

fn tree(child: Pid) -> Vec<ProcessId> {
    let tree = process::tree(child).unwrap_or_default();
    tree.into_iter().filter_map(|pid| ProcessId::of(pid).ok()).collect()
}

/// Not by a login shell: that one's profile is what hangs.
fn signal_as(user: &str, signal: &str, ids: &[ProcessId]) {
    let left = ids.iter().filter(|id| process::alive(id) != Liveness::Dead);
    let pids: Vec<String> = left.map(|id| id.pid.to_string()).collect();
    if !pids.is_empty() {
        let mut command = Command::new("sudo");
        command.args(["-nu", user, "--", "/bin/kill", signal]).args(pids).current_dir("/");
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// What comes out of a pipe; whoever keeps its other end open holds up nobody.
struct Said<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
}

impl<P: Read + AsFd> Said<P> {
    fn by(pipe: Option<P>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipe, bytes: Vec::new() })
    }

    /// Takes what lies in the pipe: all that was said by whoever has ended.
    fn take(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let mut piece = [0; 4096];
        // Somebody may go on saying something for ever.
        for _ in 0..PIECES_AT_ONCE {
            match pipe.read(&mut piece) {
                // The rest is only taken out of the way.
                Ok(length @ 1..) if self.bytes.len() < MOST_KEPT => {
                    self.bytes.extend_from_slice(&piece[..length]);
                }
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        shell
    }

    /// The process that a script has written down, once it has.
    fn written(file: &std::path::Path) -> ProcessId {
        let pid = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        ProcessId::of(Pid::new(pid).unwrap()).unwrap()
    }

    #[test]
    fn what_it_says_and_how_it_ends_is_told() {
        let output = run(&mut shell("echo out; echo err >&2; exit 3"), None, soon()).unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            (output.stdout.as_slice(), output.stderr.as_slice()),
            (&b"out\n"[..], &b"err\n"[..])
        );
    }

    #[test]
    fn what_hangs_is_ended_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let (file, began) = (folder.path().join("pid"), folder.path().join("began"));
        // The one that hangs is a child, and heeds nothing that it can choose not to.
        let hangs = format!(
            "trap '' TERM; echo $$ > {}; : > {}; sleep 1000; sleep 1000",
            file.display(),
            began.display()
        );
        let mut command =
            shell(&format!("sh -c '{}' & wait; sleep 1000", hangs.replace('\'', "'\\''")));
        let ended = std::thread::spawn(move || {
            // It is known to hang before anybody gives up on it.
            run(&mut command, None, Instant::now() + Duration::from_secs(10)).unwrap_err()
        });
        while !began.exists() {
            assert!(!ended.is_finished(), "it was given up before it hung");
            std::thread::sleep(BETWEEN_LOOKS);
        }
        let hung = written(&file);
        let error = ended.join().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
        assert_eq!(process::alive(&hung), Liveness::Dead);
    }

    #[test]
    fn what_it_leaves_behind_with_our_pipe_open_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; echo done", file.display());
        let output = run(&mut shell(&script), None, soon()).unwrap();
        assert_eq!(output.stdout, b"done\n");
        process::signal(&written(&file), Signal::KILL).unwrap();
    }
}
