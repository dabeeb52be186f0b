//! A command with a time limit: what it says and how it ends, or that it had to be ended. What it leaves
//! behind with our pipes open holds up nobody.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::{Liveness, Pid, ProcessId, Signal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use crate::jobs::sudo;

/// Enough of what a version command says.
const ENOUGH: usize = 64 << 10;
/// For what was said last, once the command has ended.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// What ending another user's processes is given.
const ENDING: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) enum Ran {
    /// `code` is absent where a signal ended it.
    Ended {
        code: Option<i32>,
        said: String,
    },
    NotStarted(io::Error),
    /// It had no end in time and was ended.
    TooLong,
}

pub(crate) async fn run(command: Command, within: Duration, other_user: Option<&str>) -> Ran {
    run_until(command, tokio::time::sleep(within), other_user).await
}

async fn run_until(
    command: Command,
    limit: impl Future<Output = ()>,
    other_user: Option<&str>,
) -> Ran {
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.kill_on_drop(false).spawn() {
        Ok(child) => child,
        Err(error) => return Ran::NotStarted(error),
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut status = None;
    let mut all_read = false;
    {
        let reading = async { tokio::join!(read(stdout, &mut out), read(stderr, &mut err)) };
        // Once it has ended.
        let last_words = tokio::time::sleep(LAST_WORDS);
        tokio::pin!(reading, limit, last_words);
        while status.is_none() || !all_read {
            tokio::select! {
                biased;
                ended = child.wait(), if status.is_none() => {
                    match ended {
                        Ok(ended) => status = Some(ended),
                        Err(error) => return Ran::NotStarted(error),
                    }
                    last_words.as_mut().reset(Instant::now() + LAST_WORDS);
                }
                _ = &mut reading, if !all_read => all_read = true,
                () = &mut limit, if status.is_none() => break,
                () = &mut last_words, if status.is_some() => break,
            }
        }
    }
    let Some(status) = status else {
        end(child.id(), other_user).await;
        let _ = tokio::time::timeout(LAST_WORDS, child.wait()).await;
        return Ran::TooLong;
    };
    out.push(b'\n');
    out.extend(err);
    Ran::Ended { code: status.code(), said: String::from_utf8_lossy(&out).trim().to_owned() }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut piece).await {
        // The rest is read, so that nobody waits for us, and let go.
        if into.len() < ENOUGH {
            into.extend_from_slice(&piece[..length]);
        }
    }
}

/// Ends it and all that it has started.
async fn end(pid: Option<u32>, other_user: Option<&str>) {
    let Some(root) = pid.and_then(Pid::new) else { return };
    let tree = process::tree(root).unwrap_or_default();
    let ids: Vec<ProcessId> = tree.into_iter().filter_map(|pid| ProcessId::of(pid).ok()).collect();
    for id in &ids {
        // Refused for what is another user's.
        let _ = process::signal(id, Signal::KILL);
    }
    let Some(user) = other_user else { return };
    let left = ids.iter().filter(|id| process::alive(id) != Liveness::Dead);
    let pids: Vec<String> = left.map(|id| id.pid.to_string()).collect();
    if !pids.is_empty() {
        let mut kill = tokio::process::Command::new(sudo());
        kill.args(["-n", "-u", user, "--", "/bin/kill", "-KILL"]).args(pids).current_dir("/");
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        // A sudo that hangs holds up nobody.
        let _ = tokio::time::timeout(ENDING, kill.status()).await;
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

    #[tokio::test]
    async fn what_it_says_and_how_it_ends_is_told() {
        let ran = run(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(10), None).await;
        let Ran::Ended { code: Some(3), said } = ran else { panic!("{ran:?}") };
        assert_eq!(said, "out\n\nerr");
        let none = run(Command::new("/nowhere/x"), Duration::from_secs(10), None).await;
        assert!(matches!(none, Ran::NotStarted(_)), "{none:?}");
    }

    #[tokio::test]
    async fn what_hangs_is_ended_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sh -c 'echo $$ > {}; exec sleep 1000'", file.display());
        // The limit comes once it is certain that it hangs.
        let hangs = async {
            while !std::fs::read_to_string(&file).is_ok_and(|pid| pid.ends_with('\n')) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ran = run_until(shell(&script), hangs, None).await;
        assert!(matches!(ran, Ran::TooLong), "{ran:?}");
        let pid = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        if let Ok(id) = ProcessId::of(Pid::new(pid).unwrap())
            && let Some(watch) = process::ExitWatch::of(&id).unwrap()
        {
            assert!(watch.wait(Some(Duration::from_mins(1))).unwrap(), "it was ended");
        }
    }

    #[tokio::test]
    async fn what_it_leaves_behind_with_our_pipes_open_holds_up_nobody() {
        let begun = Instant::now();
        let ran = run(shell("sleep 30 & echo $!"), Duration::from_mins(1), None).await;
        let Ran::Ended { said, .. } = ran else { panic!("{ran:?}") };
        assert!(begun.elapsed() < Duration::from_secs(20));
        let left = ProcessId::of(Pid::new(said.parse().unwrap()).unwrap()).unwrap();
        process::signal(&left, Signal::KILL).unwrap();
    }
}
