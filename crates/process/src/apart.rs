//! A program in a session of its own, and who is in a session or a group.
#![expect(unsafe_code, reason = "what runs between fork and exec has no safe form, nor has getsid")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use crate::{Pid, ProcessId, os};

/// Starts it in a session of its own, whose number is its pid, with no descriptor but the three
/// standard ones.
pub fn spawn_apart(command: &mut Command) -> io::Result<Child> {
    // SAFETY: between fork and exec only system calls are made, which may be made there.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            os::close_on_exec_from(3);
            Ok(())
        });
    }
    command.spawn()
}

/// The processes that run in the session of that number. Looks at every process of the machine: not
/// for a timer. The number stays the session's as long as one of them runs or its leader is not reaped.
pub fn in_session(leader: Pid) -> io::Result<Vec<ProcessId>> {
    running_of(|pid| session(pid) == Some(leader))
}

/// The processes that run in the group, or in the session, that this process leads or led. Looks at every
/// process of the machine: not for a timer. None once another process has its number.
pub fn led_by(leader: &ProcessId) -> io::Result<Vec<ProcessId>> {
    let is_another = ProcessId::of(leader.pid).is_ok_and(|there| there != *leader);
    if is_another {
        return Ok(Vec::new());
    }
    let number = Some(leader.pid);
    let mut members = running_of(|pid| group(pid) == number || session(pid) == number)?;
    members.retain(|id| id.start >= leader.start);
    Ok(members)
}

fn running_of(is_meant: impl Fn(Pid) -> bool) -> io::Result<Vec<ProcessId>> {
    let members = os::all_processes()?.into_iter().filter(|pid| is_meant(*pid));
    let running = members.filter(|pid| matches!(os::look(*pid), Ok(Some(look)) if !look.is_dead()));
    Ok(running.filter_map(|pid| ProcessId::of(pid).ok()).collect())
}

fn group(pid: Pid) -> Option<Pid> {
    // SAFETY: takes a number and gives one.
    let group = unsafe { libc::getpgid(pid.raw()) };
    u32::try_from(group).ok().and_then(Pid::new)
}

/// The kernel's own threads are in none.
fn session(pid: Pid) -> Option<Pid> {
    // SAFETY: takes a number and gives one.
    let session = unsafe { libc::getsid(pid.raw()) };
    u32::try_from(session).ok().and_then(Pid::new)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::Stdio;

    use super::*;
    use crate::Signal;

    #[test]
    fn all_of_a_session_are_found_and_nobody_else() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & sleep 60 & echo; wait"]).stdout(Stdio::piped());
        let mut child = spawn_apart(&mut command).unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let leader = Pid::of_child(&child);
        let members = in_session(leader).unwrap();
        assert_eq!(members.len(), 3, "{members:?}");
        assert!(members.iter().any(|id| id.pid == leader));
        for id in &members {
            crate::signal(id, Signal::KILL).unwrap();
        }
        child.wait().unwrap();
        for id in members {
            if let Some(watch) = crate::ExitWatch::of(&id).unwrap() {
                watch.wait(None).unwrap();
            }
        }
        assert_eq!(in_session(leader).unwrap(), []);
    }

    #[test]
    fn orphans_are_found_by_the_group_of_their_leader_and_nobody_else_is() {
        let in_its_group = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.process_group(0).spawn().unwrap();
            (ProcessId::of(Pid::of_child(&child)).unwrap(), child)
        };
        let (other, mut other_child) = in_its_group("exec sleep 60");
        let (leader, mut child) = in_its_group("sleep 60 &");
        child.wait().unwrap();
        let members = led_by(&leader).unwrap();
        assert_eq!(members.len(), 1, "{members:?}");
        assert_eq!(led_by(&other).unwrap(), std::slice::from_ref(&other));
        // Whoever has the number now leads others.
        let start = crate::StartTime(members[0].start.0 + 1);
        let another = ProcessId { pid: members[0].pid, start, boot: leader.boot.clone() };
        assert_eq!(led_by(&another).unwrap(), []);
        for id in members.iter().chain([&other]) {
            crate::signal(id, Signal::KILL).unwrap();
        }
        other_child.wait().unwrap();
    }

    #[test]
    fn no_descriptor_is_passed_on() {
        let (_reader, writer) = std::io::pipe().unwrap();
        crate::keep_over_exec(&writer, true).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "for fd in /dev/fd/*; do [ -e $fd ] && echo ${fd##*/}; done"]);
        let child = spawn_apart(command.stdin(Stdio::null()).stdout(Stdio::piped())).unwrap();
        let output = child.wait_with_output().unwrap();
        let open = String::from_utf8(output.stdout).unwrap();
        // The shell itself has one open while it reads the folder.
        assert!(open.lines().all(|fd| fd.parse::<u32>().unwrap() <= 3), "{open}");
        assert!(open.starts_with("0\n1\n2\n"), "{open}");
    }
}
