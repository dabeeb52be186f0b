//! Commands run as another user, by sudo and that user's login shell. Its profiles may hang, or leave
//! something behind that keeps our pipes open: nobody waits for that, and what hangs is ended.

use std::io::{self, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use process::{Liveness, Pid, ProcessId, Signal};

/// What a single command is given.
const PATIENCE: Duration = Duration::from_secs(15);
/// What ending one is given.
pub(crate) const ENDING: Duration = Duration::from_secs(2);
/// For what was said last, once the command has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
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
    let (stdout, stderr) = (Said::by(child.stdout.take()), Said::by(child.stderr.take()));
    loop {
        if let Some(status) = child.try_wait()? {
            let last = Instant::now() + LAST_WORDS;
            return Ok(Output { status, stdout: stdout.until(last), stderr: stderr.until(last) });
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

/// What comes out of a pipe, read by a thread: whoever keeps the other end open holds up nobody else.
struct Said {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Said {
    fn by(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let Some(mut pipe) = pipe else { return };
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                let mut bytes = into.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader }
    }

    /// All of it, or what has come by then.
    fn until(self, last: Instant) -> Vec<u8> {
        while !self.reader.is_finished() && Instant::now() < last {
            std::thread::sleep(BETWEEN_LOOKS);
        }
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
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
            run(&mut command, None, Instant::now() + Duration::from_secs(5)).unwrap_err()
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
