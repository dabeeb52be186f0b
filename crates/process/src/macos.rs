//! macOS: libproc, sysctl and kqueue. Type-checked on Linux, unproven on macOS.
#![expect(unsafe_code, reason = "libproc, sysctl and kqueue have no safe form")]

use std::ffi::{CStr, OsStr, OsString, c_int, c_void};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};

use crate::act::check_then_kill;
use crate::{BootId, GrowthWatch, Look, Peer, Pid, ProcessId, Sent, Signal, StartTime, State};

pub(crate) fn boot_id() -> io::Result<BootId> {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: the buffer has the length that is passed; the kernel writes no more.
    let failed = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    let text = CStr::from_bytes_until_nul(&text).map_err(io::Error::other)?;
    Ok(BootId(text.to_string_lossy().into_owned()))
}

/// Asks libproc for one of its records; the record is the answer only if it came whole.
fn pid_info<T: Copy>(pid: Pid, flavor: c_int, argument: u64) -> io::Result<T> {
    let mut record = MaybeUninit::<T>::zeroed();
    let size = c_int::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: the buffer is as long as said, and all records are plain numbers and bytes.
    let written = unsafe {
        libc::proc_pidinfo(pid.raw(), flavor, argument, record.as_mut_ptr().cast(), size)
    };
    if written < size {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: written whole, and zeroed before.
    Ok(unsafe { record.assume_init() })
}

fn bsd_info(pid: Pid) -> io::Result<Option<libc::proc_bsdinfo>> {
    // Argument 1 has the kernel look among zombies too (xnu bsd/kern/proc_info.c, `findzomb`).
    match pid_info(pid, libc::PROC_PIDTBSDINFO, 1) {
        Ok(info) => Ok(Some(info)),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn owner(pid: Pid) -> io::Result<Option<u32>> {
    Ok(bsd_info(pid)?.map(|info| info.pbi_ruid))
}

pub(crate) fn look(pid: Pid) -> io::Result<Option<Look>> {
    let Some(info) = bsd_info(pid)? else { return Ok(None) };
    let zombie = info.pbi_status == libc::SZOMB;
    // Not to be had of a zombie, nor of another user's process.
    let task: Option<libc::proc_taskinfo> = pid_info(pid, libc::PROC_PIDTASKINFO, 0).ok();
    Ok(Some(Look {
        parent: Pid::new(info.pbi_ppid),
        start: StartTime(info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec),
        state: match info.pbi_status {
            libc::SZOMB => State::Zombie,
            libc::SSTOP => State::Stopped,
            _ => State::Runs,
        },
        threads: if zombie { 0 } else { task.map_or(1, |task| task.pti_threadnum.cast_unsigned()) },
        cpu: task.map_or(Duration::ZERO, |task| {
            mach_time(task.pti_total_user.saturating_add(task.pti_total_system))
        }),
        rss: task.map_or(0, |task| task.pti_resident_size),
    }))
}

#[expect(deprecated, reason = "the mach2 crate for one call is not worth its while")]
fn mach_time(units: u64) -> Duration {
    let mut base = libc::mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: writes the two numbers of the record.
    let failed = unsafe { libc::mach_timebase_info(&raw mut base) } != 0;
    if failed || base.denom == 0 {
        return Duration::from_nanos(units);
    }
    let nanos = u128::from(units) * u128::from(base.numer) / u128::from(base.denom);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

pub(crate) fn is_single_threaded() -> bool {
    let task: io::Result<libc::proc_taskinfo> = pid_info(Pid::own(), libc::PROC_PIDTASKINFO, 0);
    task.is_ok_and(|task| task.pti_threadnum == 1)
}

pub(crate) fn children(pid: Pid) -> io::Result<Vec<Pid>> {
    let mut room = 64_usize;
    loop {
        let mut pids = vec![0_i32; room];
        let size = c_int::try_from(room * size_of::<i32>()).map_err(io::Error::other)?;
        // SAFETY: the buffer is as long as said.
        let count = unsafe {
            libc::proc_listchildpids(pid.raw(), pids.as_mut_ptr().cast::<c_void>(), size)
        };
        let Ok(count) = usize::try_from(count) else { return Err(io::Error::last_os_error()) };
        // A full buffer may have had more to say.
        if count >= room {
            room *= 4;
            continue;
        }
        pids.truncate(count);
        return Ok(pids.into_iter().filter_map(|pid| Pid::new(u32::try_from(pid).ok()?)).collect());
    }
}

pub(crate) fn program(pid: Pid) -> Option<String> {
    let path = program_path(pid)?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

fn program_path(pid: Pid) -> Option<PathBuf> {
    let mut program = [0_u8; 4096];
    // SAFETY: the buffer is as long as said.
    let length = unsafe { libc::proc_pidpath(pid.raw(), program.as_mut_ptr().cast(), 4096) };
    let path = program.get(..usize::try_from(length).ok()?)?;
    (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(path)))
}

pub(crate) fn cwd(pid: Pid) -> Option<PathBuf> {
    let info: libc::proc_vnodepathinfo = pid_info(pid, libc::PROC_PIDVNODEPATHINFO, 0).ok()?;
    let path: Vec<u8> = info
        .pvi_cdir
        .vip_path
        .iter()
        .flatten()
        .map(|byte| byte.cast_unsigned())
        .take_while(|byte| *byte != 0)
        .collect();
    (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(&path)))
}

pub(crate) fn environ(pid: Pid) -> Option<Vec<(OsString, OsString)>> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid.raw()];
    let mut length = 0;
    let ask = |name: &mut [c_int; 3], to: *mut c_void, length: &mut usize| {
        // SAFETY: `to` is null or a buffer of `length` bytes.
        unsafe { libc::sysctl(name.as_mut_ptr(), 3, to, length, ptr::null_mut(), 0) == 0 }
    };
    ask(&mut name, ptr::null_mut(), &mut length).then_some(())?;
    let mut block = vec![0_u8; length];
    ask(&mut name, block.as_mut_ptr().cast(), &mut length).then_some(())?;
    block.truncate(length);
    parse_arguments(&block)
}

/// The block is: argc, the path of the program, zero bytes, argc arguments, the environment.
fn parse_arguments(block: &[u8]) -> Option<Vec<(OsString, OsString)>> {
    let (argc, rest) = block.split_first_chunk::<4>()?;
    let argc = usize::try_from(i32::from_ne_bytes(*argc)).ok()?;
    let after_path = rest.iter().position(|byte| *byte == 0)?;
    let rest = rest.get(after_path..)?;
    let first = rest.iter().position(|byte| *byte != 0)?;
    let entries = rest.get(first..)?.split(|byte| *byte == 0).skip(argc);
    let pairs = entries.take_while(|entry| !entry.is_empty()).filter_map(|entry| {
        let (name, value) = entry.split_at(entry.iter().position(|byte| *byte == b'=')?);
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value.get(1..)?).to_owned()))
    });
    Some(pairs.collect())
}

/// macOS shows no pending signals of another process.
pub(crate) fn signal_pending(_pid: Pid, _signal: Signal) -> Option<bool> {
    None
}

pub(crate) fn signal(id: &ProcessId, signal: Signal) -> io::Result<Sent> {
    check_then_kill(id, signal)
}

/// macOS has no subreapers: orphans go to launchd.
pub(crate) const ORPHANS_COME: bool = false;

#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux")]
pub(crate) fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// macOS has no signal for the death of a parent; the task guard stands in for it.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux")]
pub(crate) fn die_with_parent(_signal: Signal) -> io::Result<()> {
    Ok(())
}

/// macOS leaves none unless its owner raises launchd's limit of 0.
pub(crate) fn leave_cores(_leave: bool) {}

pub(crate) fn peer_of(stream: BorrowedFd<'_>) -> io::Result<Peer> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: writes two numbers.
    if unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut uid, &raw mut gid) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut pid: libc::pid_t = 0;
    let mut length =
        libc::socklen_t::try_from(size_of::<libc::pid_t>()).map_err(io::Error::other)?;
    // SAFETY: the option is one pid_t, and `length` says so.
    let failed = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_LOCAL,
            libc::LOCAL_PEERPID,
            (&raw mut pid).cast(),
            &raw mut length,
        )
    };
    let pid = if failed == 0 { u32::try_from(pid).ok().and_then(Pid::new) } else { None };
    Ok(Peer { uid, pid })
}

/// A kqueue that waits for the end of a process; like every kqueue it can be polled.
pub(crate) fn exit_fd(pid: Pid) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = pid.rustix() else { return Ok(None) };
    let queue = kqueue()?;
    rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
    let end = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
    let change = [Event::new(end, EventFlags::ADD | EventFlags::ONESHOT, ptr::null_mut())];
    let mut none: [Event; 0] = [];
    // SAFETY: the filter names a process and no descriptor.
    match unsafe { kevent(&queue, &change, &mut none, Some(Duration::ZERO)) } {
        Ok(_) => Ok(Some(queue)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// No inotify; the caller looks now and then.
pub(crate) fn growth_watch(_path: &Path) -> Option<GrowthWatch> {
    None
}

pub(crate) fn all_processes() -> io::Result<Vec<Pid>> {
    let mut room = 4096_usize;
    loop {
        let mut pids = vec![0_i32; room];
        let size = c_int::try_from(room * size_of::<i32>()).map_err(io::Error::other)?;
        // SAFETY: the buffer is as long as said.
        let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast::<c_void>(), size) };
        let Ok(count) = usize::try_from(count) else { return Err(io::Error::last_os_error()) };
        // A full buffer may have had more to say.
        if count >= room {
            room *= 4;
            continue;
        }
        pids.truncate(count);
        return Ok(pids.into_iter().filter_map(|pid| Pid::new(u32::try_from(pid).ok()?)).collect());
    }
}

pub(crate) fn close_on_exec_from(first: u32) {
    // SAFETY: takes nothing and gives a number.
    let most = unsafe { libc::getdtablesize() }.min(1 << 16);
    for fd in first.cast_signed()..most {
        // SAFETY: no descriptor is closed here; of one that is not open it is an error without effect.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// `struct vnode_fdinfowithpath` of `sys/proc_info.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct OpenFile {
    flags: u32,
    status: u32,
    offset: i64,
    kind: i32,
    guard: u32,
    file: libc::vnode_info_path,
}

/// What it has open and where it stands, as far as this user may look. Mapped files are its program alone.
pub(crate) fn each_open_path(pid: Pid, mut each: impl FnMut(&Path)) {
    /// `PROC_PIDFDVNODEPATHINFO` and `PROX_FDTYPE_VNODE` of `sys/proc_info.h`.
    const WITH_PATH: c_int = 2;
    const FILE: u32 = 1;
    if let Some(path) = cwd(pid) {
        each(&path);
    }
    if let Some(path) = program_path(pid) {
        each(&path);
    }
    let mut fds = vec![libc::proc_fdinfo { proc_fd: 0, proc_fdtype: 0 }; 4096];
    let size = c_int::try_from(fds.len() * size_of::<libc::proc_fdinfo>()).unwrap_or(c_int::MAX);
    // SAFETY: the buffer is as long as said.
    let filled = unsafe {
        libc::proc_pidinfo(pid.raw(), libc::PROC_PIDLISTFDS, 0, fds.as_mut_ptr().cast(), size)
    };
    fds.truncate(usize::try_from(filled).unwrap_or_default() / size_of::<libc::proc_fdinfo>());
    for fd in fds.iter().filter(|fd| fd.proc_fdtype == FILE) {
        let mut open = MaybeUninit::<OpenFile>::zeroed();
        let size = c_int::try_from(size_of::<OpenFile>()).unwrap_or_default();
        // SAFETY: the record is as long as said, and all of it is plain numbers and bytes.
        let open = unsafe {
            let to = open.as_mut_ptr().cast();
            (libc::proc_pidfdinfo(pid.raw(), fd.proc_fd, WITH_PATH, to, size) == size)
                .then(|| open.assume_init())
        };
        if let Some(open) = open {
            let path = open.file.vip_path.iter().flatten().map(|byte| byte.cast_unsigned());
            let path: Vec<u8> = path.take_while(|byte| *byte != 0).collect();
            each(Path::new(OsStr::from_bytes(&path)));
        }
    }
}

/// There is no list to be had.
pub(crate) fn is_listed_socket(_path: &Path) -> bool {
    false
}
