//! Linux: /proc, pidfd and prctl.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, PidfdFlags, pidfd_open, pidfd_send_signal, test_kill_process,
};

use crate::act::check_then_kill;
use crate::{
    BootId, GrowthWatch, Liveness, Look, Peer, Pid, ProcessId, Sent, Signal, StartTime, State,
    alive,
};

pub(crate) fn boot_id() -> io::Result<BootId> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(BootId(text.trim().to_owned()))
}

pub(crate) fn look(pid: Pid) -> io::Result<Option<Look>> {
    let stat = match std::fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error) if is_gone(&error) => return absent_or_hidden(pid),
        Err(error) => return Err(error),
    };
    parse_stat(&stat).map(Some).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat has another shape"))
    })
}

/// proc(5): the name in parentheses may hold anything, so fields are counted after the last `)`.
fn parse_stat(stat: &[u8]) -> Option<Look> {
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let text = std::str::from_utf8(stat.get(after_name..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    // Numbered as in proc(5), where the state is field 3.
    let field = |number: usize| fields.get(number - 3).copied();
    let number = |at: usize| field(at)?.parse::<u64>().ok();
    let mut ticks = [14, 15, 16, 17].into_iter().map(number);
    let ticks = ticks.try_fold(0_u64, |sum, ticks| Some(sum.saturating_add(ticks?)))?;
    Some(Look {
        parent: Pid::new(field(4)?.parse().ok()?),
        start: StartTime(number(22)?),
        state: match field(3)? {
            "Z" | "X" | "x" => State::Zombie,
            "T" | "t" => State::Stopped,
            _ => State::Runs,
        },
        threads: field(20)?.parse().ok()?,
        cpu: Duration::from_millis(
            ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1),
        ),
        rss: number(24)?.saturating_mul(rustix::param::page_size() as u64),
    })
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// With `hidepid`, /proc does not list the processes of others: absent there is not yet gone.
fn absent_or_hidden(pid: Pid) -> io::Result<Option<Look>> {
    let Some(raw) = pid.rustix() else { return Ok(None) };
    match test_kill_process(raw) {
        Err(Errno::SRCH) => Ok(None),
        Ok(()) | Err(_) => match std::fs::read(format!("/proc/{pid}/stat")) {
            // It started between the two questions.
            Ok(stat) => Ok(parse_stat(&stat)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("/proc hides process {pid}"),
            )),
        },
    }
}

/// Its folder of threads has a link from each of them, beside its own two (proc(5)).
pub(crate) fn is_single_threaded() -> bool {
    std::fs::metadata("/proc/self/task").is_ok_and(|threads| threads.nlink() == 3)
}

/// Kernels since 3.5 with `CONFIG_PROC_CHILDREN` (all distributions' own).
pub(crate) fn children(pid: Pid) -> io::Result<Vec<Pid>> {
    let threads = match std::fs::read_dir(format!("/proc/{pid}/task")) {
        Ok(threads) => threads,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    let mut offered = false;
    for thread in threads {
        let Ok(thread) = thread else { continue };
        // A thread that ended meanwhile has handed its children to another one.
        let Ok(text) = std::fs::read_to_string(thread.path().join("children")) else { continue };
        offered = true;
        found.extend(text.split_ascii_whitespace().filter_map(|n| Pid::new(n.parse().ok()?)));
    }
    if !offered && look(pid)?.is_some_and(|look| !look.is_dead()) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this kernel does not list the children of a process",
        ));
    }
    Ok(found)
}

/// From status and not from the owner of `/proc/PID`, which is root for programs that hide their
/// memory.
pub(crate) fn owner(pid: Pid) -> io::Result<Option<u32>> {
    let status = match std::fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => status,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let real = line.and_then(|ids| ids.split_ascii_whitespace().next()?.parse().ok());
    real.map(Some).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/status names no user"))
    })
}

/// What was replaced or removed meanwhile is called so by proc(5).
pub(crate) fn program(pid: Pid) -> Option<String> {
    let of_file = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let of_file = of_file.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = match of_file {
        Some(name) => name,
        None => std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?,
    };
    Some(name.trim().trim_end_matches(" (deleted)").to_owned())
}

pub(crate) fn cwd(pid: Pid) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

pub(crate) fn environ(pid: Pid) -> Option<Vec<(OsString, OsString)>> {
    // Until a program that was just started has run, the kernel shows nothing of it.
    let block = std::fs::read(format!("/proc/{pid}/environ")).ok().filter(|it| !it.is_empty())?;
    let pairs = block.split(|byte| *byte == 0).filter_map(|entry| {
        let equals = entry.iter().position(|byte| *byte == b'=')?;
        let (name, value) = entry.split_at(equals);
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value.get(1..)?).to_owned()))
    });
    Some(pairs.collect())
}

/// proc(5): `SigPnd` and `ShdPnd` of status are masks in hexadecimal, signal 1 in bit 0.
pub(crate) fn signal_pending(pid: Pid, signal: Signal) -> Option<bool> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let bit = 1_u64 << (signal.as_raw() - 1);
    let masks = status
        .lines()
        .filter_map(|line| line.strip_prefix("SigPnd:").or_else(|| line.strip_prefix("ShdPnd:")))
        .map(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mut pending = false;
    for mask in masks {
        pending |= mask? & bit != 0;
    }
    Some(pending)
}

pub(crate) fn signal(id: &ProcessId, signal: Signal) -> io::Result<Sent> {
    let Some(pid) = id.pid.rustix() else { return Ok(Sent::Gone) };
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(Errno::SRCH) => return Ok(Sent::Gone),
        // Kernels before 5.3, and containers that refuse the call.
        Err(Errno::NOSYS | Errno::PERM) => return check_then_kill(id, signal),
        Err(error) => return Err(error.into()),
    };
    // The pidfd holds on to one process; whether it is the right one is asked after taking it.
    match alive(id) {
        Liveness::Dead => return Ok(Sent::Gone),
        Liveness::Unknown => {
            return Err(io::Error::other(format!("cannot tell whether process {id} still runs")));
        }
        Liveness::Alive => {}
    }
    match pidfd_send_signal(pidfd, signal) {
        Ok(()) => Ok(Sent::Delivered),
        Err(Errno::SRCH) => Ok(Sent::Gone),
        Err(error) => Err(error.into()),
    }
}

pub(crate) const ORPHANS_COME: bool = true;

pub(crate) fn become_subreaper() -> io::Result<()> {
    rustix::process::set_child_subreaper(Pid::own().rustix())?;
    Ok(())
}

pub(crate) fn die_with_parent(signal: Signal) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(signal))?;
    Ok(())
}

/// prctl(2): an exec sets it back.
pub(crate) fn leave_cores(leave: bool) {
    let dumpable = if leave { DumpableBehavior::Dumpable } else { DumpableBehavior::NotDumpable };
    let _ = rustix::process::set_dumpable_behavior(dumpable);
}

pub(crate) fn peer_of(stream: BorrowedFd<'_>) -> io::Result<Peer> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    Ok(Peer { uid: peer.uid.as_raw(), pid: Some(peer.pid.into()) })
}

/// A pidfd is readable once the process has ended. `None` where the kernel has none to give.
pub(crate) fn exit_fd(pid: Pid) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = pid.rustix() else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(Errno::SRCH | Errno::NOSYS | Errno::PERM) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn growth_watch(path: &Path) -> Option<GrowthWatch> {
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let fd = inotify::init(flags).ok()?;
    inotify::add_watch(&fd, path, inotify::WatchFlags::MODIFY).ok()?;
    Some(GrowthWatch(fd))
}

/// Of those that /proc shows.
pub(crate) fn all_processes() -> io::Result<Vec<Pid>> {
    let entries = std::fs::read_dir("/proc")?.flatten();
    Ok(entries.filter_map(|entry| Pid::new(entry.file_name().to_str()?.parse().ok()?)).collect())
}

/// `close_range` since Linux 5.11 with this flag; else one by one, as far as they are likely to be.
#[expect(unsafe_code, reason = "close_range and fcntl by number have no safe form")]
pub(crate) fn close_on_exec_from(first: u32) {
    // SAFETY: no descriptor is closed here; exec closes them.
    let done =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done != 0 {
        for fd in first.cast_signed()..4096 {
            // SAFETY: as above; of one that is not open it is an error without effect.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// What it has open, mapped, and where it stands, as far as this user may look.
pub(crate) fn each_open_path(pid: Pid, mut each: impl FnMut(&Path)) {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    for link in ["cwd", "root", "exe"] {
        if let Ok(path) = std::fs::read_link(proc.join(link)) {
            each(&path);
        }
    }
    for fd in std::fs::read_dir(proc.join("fd")).into_iter().flatten().flatten() {
        if let Ok(path) = std::fs::read_link(fd.path()) {
            each(&path);
        }
    }
    // proc(5): five fields, then the path.
    for line in std::fs::read(proc.join("maps")).unwrap_or_default().split(|byte| *byte == b'\n') {
        if let Some(start) = line.iter().position(|byte| *byte == b'/') {
            each(Path::new(OsStr::from_bytes(line.get(start..).unwrap_or_default())));
        }
    }
}

/// proc(5): after a line of titles, seven fields and the path that it was bound to. One that was bound by
/// a relative path and ends in the same name is taken for it, too.
pub(crate) fn is_listed_socket(path: &Path) -> bool {
    is_listed(&std::fs::read("/proc/net/unix").unwrap_or_default(), path)
}

fn is_listed(list: &[u8], path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    list.split(|byte| *byte == b'\n').skip(1).any(|line| {
        let bound = Path::new(OsStr::from_bytes(after_fields(line, 7)));
        bound == path || (bound.is_relative() && bound.file_name() == Some(name))
    })
}

fn after_fields(line: &[u8], count: usize) -> &[u8] {
    let skip = |line: &mut &[u8], is_over: fn(&u8) -> bool| {
        let end = line.iter().position(is_over).unwrap_or(line.len());
        *line = line.get(end..).unwrap_or_default();
    };
    let mut rest = line;
    for _ in 0..count {
        skip(&mut rest, |byte| *byte != b' ');
        skip(&mut rest, |byte| *byte == b' ');
    }
    rest.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_of_a_stat_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            text in "[0-9]{1,8} \\([ -~]{0,8}\\)( -?[0-9]{1,20}){0,60}",
        ) {
            let _ = parse_stat(&bytes);
            let _ = parse_stat(text.as_bytes());
        }

        #[test]
        fn a_socket_is_found_among_any_bytes(
            before in prop::collection::vec(any::<u8>(), 0..300),
            name in "/[^\n\\x00/]{1,20}",
        ) {
            let name = Path::new(&name);
            prop_assume!(name.as_os_str().as_bytes().trim_ascii() == name.as_os_str().as_bytes());
            prop_assume!(name.file_name().is_some());
            let _ = is_listed(&before, name);
            let line = b"\n0: 2 0 0 1 1 123 ";
            let list = [&before[..], line, name.as_os_str().as_bytes()].concat();
            prop_assert!(is_listed(&list, name));
        }
    }

    #[test]
    fn the_path_of_a_socket_is_found_behind_padded_fields() {
        let line = b"0000000000000000: 00000002 00000000 00010000 0001 01   123 /run/a b";
        assert_eq!(after_fields(line, 7), b"/run/a b");
        assert_eq!(after_fields(b"0: 2 0 0 1 1 12345", 7), b"");
        assert!(!is_listed_socket(Path::new("/")));
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = b"42 (a) S 9 (x)) Z 7 1 1 0 -1 0 0 0 0 0 100 50 25 25 20 0 3 0 12345 1 2 18";
        let look = parse_stat(stat).unwrap();
        assert_eq!(look.parent, Pid::new(7));
        assert_eq!(look.start, StartTime(12345));
        assert_eq!(look.state, State::Zombie);
        assert_eq!(look.threads, 3);
        assert!(!look.is_dead(), "other threads still run");
    }
}
