//! Who was started with certain variables in the environment.

use std::ffi::OsString;
use std::io;

use crate::{Liveness, ProcessId, alive, environ, os};

/// The processes that run, started no earlier than `since`, and have all of these variables in the
/// environment they were started with, where the system shows it ([`environ`]); none for no variables.
/// Looks at every process of the machine: not for a timer.
pub fn marked(since: &ProcessId, variables: &[(OsString, OsString)]) -> io::Result<Vec<ProcessId>> {
    if variables.is_empty() {
        return Ok(Vec::new());
    }
    let has_all = |id: &ProcessId| {
        environ(id.pid).is_some_and(|its| variables.iter().all(|variable| its.contains(variable)))
    };
    let all = os::all_processes()?.into_iter().filter_map(|pid| ProcessId::of(pid).ok());
    let marked = all.filter(|id| id.start >= since.start).filter(has_all);
    // Asked last: the number may have become another's while its environment was read.
    Ok(marked.filter(|id| alive(id) == Liveness::Alive).collect())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{ChildStdin, Command, Stdio};

    use super::*;
    use crate::{Pid, StartTime, spawn_apart};

    const PLAYS: &str = "MARKED_TEST_PLAYS";
    const JOB: &str = "MARKED_TEST_JOB";
    const NODE: &str = "MARKED_TEST_NODE";

    /// One of the processes below, until its input ends; by itself it does nothing. macOS would not show
    /// the environment of a program of its own.
    #[test]
    fn plays_a_process() {
        if std::env::var_os(PLAYS).is_none() {
            return;
        }
        let mut told = File::options().write(true).open("/dev/fd/3").unwrap();
        writeln!(told, "{}", std::process::id()).unwrap();
        std::io::stdin().lock().read_to_end(&mut Vec::new()).unwrap();
    }

    /// An orphan in a session that is not ours; it ends when its input is dropped.
    fn orphan(variables: &[(&str, &str)]) -> (ProcessId, ChildStdin) {
        let script = "exec 4<&0
            \"$0\" --exact marked::tests::plays_a_process <&4 4<&- 3>&1 >/dev/null 2>&1 &";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(std::env::current_exe().unwrap());
        command.env(PLAYS, "1").envs(variables.iter().copied());
        let mut child = spawn_apart(command.stdin(Stdio::piped()).stdout(Stdio::piped())).unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut number = String::new();
        BufReader::new(output).read_line(&mut number).unwrap();
        child.wait().unwrap();
        let pid = Pid::new(number.trim().parse().unwrap()).unwrap();
        (ProcessId::of(pid).unwrap(), input)
    }

    #[test]
    fn an_orphan_in_another_session_is_found_by_all_of_its_variables_and_nobody_else_is() {
        let since = ProcessId::own().unwrap();
        let job = since.pid.to_string();
        let job = job.as_str();
        let (meant, _input) = orphan(&[(JOB, job), (NODE, "1")]);
        let _others = [
            orphan(&[(JOB, job)]),
            orphan(&[(JOB, job), (NODE, "2")]),
            orphan(&[(NODE, "1")]),
            orphan(&[]),
        ];
        let variables: [(OsString, OsString); 2] =
            [(JOB.into(), job.into()), (NODE.into(), "1".into())];
        assert_eq!(marked(&since, &[]).unwrap(), []);
        let later = ProcessId { start: StartTime(meant.start.0 + 1), ..since.clone() };
        assert_eq!(marked(&later, &variables).unwrap(), []);
        assert_eq!(marked(&since, &variables).unwrap(), [meant]);
    }
}
