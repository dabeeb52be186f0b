//! The process that cleans up, asked once: the owner's, or through sudo a job user's.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use cleanup::preset::Act;
use cleanup::work::{Request, Said, VERSION, Work};
use host::Folders;
use process::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::as_user;

/// More than any answer has. It may come from another user, whose processes may say anything.
const LONGEST: usize = 64 << 20;

/// From the word that it is to end until it is ended by force: it ends between two files, and what it runs
/// within ten seconds.
const GRACE: Duration = Duration::from_secs(20);
/// It tells of each file that it comes to. One that says nothing for so long hangs, on a disk that does not
/// answer or in a login profile.
const SILENT: Duration = Duration::from_mins(10);

/// Asks and tells how far it gets. Whoever sends `true` by `stop` ends it; what was not begun is left
/// whole. An error is in words for people.
pub(crate) async fn ask(
    folders: &Folders,
    user: Option<&str>,
    work: Work,
    stop: watch::Receiver<bool>,
    advanced: impl FnMut(u64, u64),
) -> Result<Said, String> {
    let patience = Patience { silent: SILENT + commands_in(&work), grace: GRACE };
    converse(command(folders, user).await?, user, work, patience, stop, advanced).await
}

/// Nobody waits for ever.
struct Patience {
    silent: Duration,
    grace: Duration,
}

/// What the commands of a draft may take; they tell nothing meanwhile.
fn commands_in(work: &Work) -> Duration {
    let Work::CarryOut { draft, .. } = work else { return Duration::ZERO };
    let steps = draft.groups.iter().flat_map(|group| &group.steps);
    let seconds = steps.map(|step| match &step.act {
        Act::Run { time_limit_seconds, .. } => u64::from(*time_limit_seconds),
        Act::Fresh { .. } | Act::End { .. } => 0,
    });
    Duration::from_secs(seconds.sum())
}

async fn converse(
    mut command: Command,
    user: Option<&str>,
    work: Work,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
    mut advanced: impl FnMut(u64, u64),
) -> Result<Said, String> {
    let mut child = command
        .arg("clean")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| format!("clean-up could not be started: {error}"))?;
    let request = Request { version: VERSION, within_seconds: None, work };
    let mut line = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
    line.push(b'\n');
    let mut stdin = child.stdin.take().ok_or("clean-up has no input")?;
    // One that ended already says why by its end, and one that reads nothing is given up below.
    tokio::spawn(async move { stdin.write_all(&line).await });
    let mut stdout = child.stdout.take().ok_or("clean-up has no output")?;
    let (mut lines, mut chunk) = (Lines::default(), vec![0; 64 << 10]);
    let pid = child.id().and_then(Pid::new);
    let mut answer = None;
    let mut told_to_end = None;
    let mut until = Instant::now() + patience.silent;
    loop {
        tokio::select! {
            read = stdout.read(&mut chunk) => {
                let read = read.unwrap_or(0);
                let bytes = if read == 0 { b"\n" } else { chunk.get(..read).unwrap_or_default() };
                let Some(all) = lines.hear(bytes) else {
                    off_the_loop(as_user::ask_to_end, pid, user).await;
                    return Err("clean-up said more than anybody reads".to_owned());
                };
                for said in all {
                    if let Said::Advanced { entries, bytes } = said {
                        advanced(entries, bytes);
                    } else {
                        answer = Some(said);
                    }
                }
                if read == 0 {
                    break;
                }
                if told_to_end.is_none() {
                    until = Instant::now() + patience.silent;
                }
            }
            changed = stop.changed(), if told_to_end.is_none() => {
                if changed.is_err() || *stop.borrow() {
                    // It ends by itself then: between two files.
                    off_the_loop(as_user::ask_to_end, pid, user).await;
                    told_to_end = Some("clean-up was told to end");
                    until = Instant::now() + patience.grace;
                }
            }
            () = tokio::time::sleep_until(until) => match told_to_end {
                None => {
                    off_the_loop(as_user::ask_to_end, pid, user).await;
                    told_to_end = Some("clean-up gave no sign of life");
                    until = Instant::now() + patience.grace;
                }
                Some(why) => {
                    off_the_loop(as_user::end_by_force, pid, user).await;
                    return Err(format!("{why}, did not end, and was ended by force"));
                }
            }
        }
    }
    let status = tokio::time::timeout(patience.grace, child.wait()).await;
    if status.is_err() {
        // It has said what it says.
        off_the_loop(as_user::end_by_force, pid, user).await;
    }
    match (answer, status) {
        (Some(Said::Failed { why }), _) => Err(why),
        (Some(said), _) => Ok(said),
        (None, Ok(Ok(status))) => Err(match told_to_end {
            None => format!("clean-up broke off: {status}"),
            Some(why) => format!("{why} and broke off: {status}"),
        }),
        (None, Ok(Err(error))) => Err(format!("clean-up broke off: {error}")),
        (None, Err(_)) => Err("clean-up broke off, did not end, and was ended by force".to_owned()),
    }
}

async fn off_the_loop(act: fn(Pid, Option<&str>), pid: Option<Pid>, user: Option<&str>) {
    let (Some(pid), user) = (pid, user.map(str::to_owned)) else { return };
    let _ = tokio::task::spawn_blocking(move || act(pid, user.as_deref())).await;
}

/// What was said, a line at a time, and the line that is not at its end.
#[derive(Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// What these bytes bring to its end, without what a login profile may print before it. Nothing
    /// where a line is longer than any answer.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Option<Vec<Said>> {
        let (mut said, mut rest) = (Vec::new(), bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(rest.get(..end).unwrap_or_default());
            said.extend(serde_json::from_slice::<Said>(&self.begun).ok());
            self.begun.clear();
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self.begun.extend_from_slice(rest);
        (self.begun.len() <= LONGEST).then_some(said)
    }
}

async fn command(folders: &Folders, user: Option<&str>) -> Result<Command, String> {
    let place = match user {
        None => folders.helpers(),
        Some(_) => folders.shared().join("helpers"),
    };
    let helper = tokio::task::spawn_blocking(move || crate::helpers::keeper(&place)).await;
    let helper: PathBuf = helper
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("clean-up could not be started: {error:#}"))?;
    Ok(match user {
        None => Command::new(helper),
        Some(user) => {
            let mut command = Command::new("sudo");
            command.args(["-niHu", user, "--"]).arg(helper);
            command
        }
    })
}

#[cfg(test)]
mod tests {
    use process::{Liveness, ProcessId, alive};

    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(200);

    /// In the place of the process that cleans up; `begun` writes down that it runs.
    struct StandIn {
        folder: tempfile::TempDir,
    }

    impl StandIn {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        async fn asked(
            &self,
            script: &str,
            patience: Patience,
            stop: watch::Receiver<bool>,
        ) -> Result<Said, String> {
            let file = self.folder.path().join("pid");
            let file = file.display();
            let begun = format!("begun() {{ echo $$ > {file}.new; mv {file}.new {file}; }}");
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &format!("{begun}\n{script}")]);
            let work = Work::List { folders: Vec::new() };
            converse(command, None, work, patience, stop, |_, _| {}).await
        }

        async fn process(&self) -> ProcessId {
            let file = self.folder.path().join("pid");
            loop {
                if let Ok(pid) = std::fs::read_to_string(&file) {
                    return ProcessId::of(Pid::new(pid.trim().parse().unwrap()).unwrap()).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    const DEAF: &str = "trap '' TERM; begun; while :; do sleep 1000; done";

    #[tokio::test]
    async fn one_that_is_told_to_end_and_does_not_is_ended_by_force() {
        let it = StandIn::new();
        let (stop, told) = watch::channel(false);
        let patience = Patience { silent: LONG, grace: SHORT };
        let stopping = async {
            let id = it.process().await;
            stop.send(true).unwrap();
            id
        };
        let (said, id) = tokio::join!(it.asked(DEAF, patience, told), stopping);
        let why = said.unwrap_err();
        assert_eq!(why, "clean-up was told to end, did not end, and was ended by force");
        assert_eq!(alive(&id), Liveness::Dead);
    }

    #[tokio::test]
    async fn one_that_gives_no_sign_of_life_is_ended() {
        let (_stop, told) = watch::channel(false);
        let patience = Patience { silent: SHORT, grace: LONG };
        let why = StandIn::new().asked("exec sleep 1000", patience, told).await.unwrap_err();
        assert!(why.starts_with("clean-up gave no sign of life and broke off: "), "{why}");
    }

    #[tokio::test]
    async fn one_that_has_answered_and_does_not_end_is_believed() {
        let (_stop, told) = watch::channel(false);
        let it = StandIn::new();
        let script = "trap '' TERM; begun; echo '{\"listed\":{\"entries\":[]}}'; exec >&-; \
                      while :; do sleep 1000; done";
        let patience = Patience { silent: LONG, grace: SHORT };
        let (said, id) = tokio::join!(it.asked(script, patience, told), it.process());
        assert_eq!(said, Ok(Said::Listed { entries: Vec::new() }));
        assert_eq!(alive(&id), Liveness::Dead);
    }

    #[test]
    fn what_its_commands_may_take_is_no_silence() {
        let step = |seconds: u32| {
            serde_json::json!({
                "act": { "run": {
                    "program": "/bin/true", "words": [], "home": "/", "path": [], "time_limit_seconds": seconds,
                } },
                "words": "true", "why": "it is wanted", "bytes": null,
            })
        };
        let group = serde_json::json!({
            "preset": "mine", "title": "Mine", "risk": "low", "plan": null, "bytes": null, "notes": [],
            "steps": [step(60), step(24 * 3600)],
        });
        let draft =
            serde_json::json!({ "version": 1, "made": "2026-11-23T12:00:00Z", "groups": [group] });
        let draft = serde_json::from_value(draft).unwrap();
        let work = Work::CarryOut { draft, undo: cleanup::preset::Undo::Gone, at: None };
        assert_eq!(commands_in(&work), Duration::from_mins(24 * 60 + 1));
        assert_eq!(commands_in(&Work::List { folders: Vec::new() }), Duration::ZERO);
    }
}
