//! Linux's side: XDG folders, file systems by their magic number, the Secret Service's words.

use std::{
    fs, io,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::Path,
};

use directories::ProjectDirs;
use rustix::fs::{major, minor, statfs};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::{Folders, Signer, keychain::Unavailable};

/// For `directories`, which uses only the last here.
pub(crate) const NAME: [&str; 3] = ["com", "runner-tray", "runner-tray"];

pub(crate) fn folders(dirs: &ProjectDirs) -> Folders {
    let state = dirs.state_dir().unwrap_or(dirs.data_local_dir()).to_owned();
    let logs = state.join("logs");
    Folders {
        state,
        data: dirs.data_local_dir().to_owned(),
        config: dirs.config_dir().to_owned(),
        logs,
    }
}

/// Magic numbers of file systems whose other end is elsewhere (statfs(2), linux/magic.h).
const NETWORK: [(u64, &str); 14] = [
    (0x0000_6969, "nfs"),
    (0x0000_517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x0000_564c, "ncp"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x4750_4653, "gpfs"),
];
const FUSE: u64 = 0x6573_5546;

/// What lies behind FUSE is only in the mount's name.
const NETWORK_FUSE: [&str; 11] = [
    "sshfs",
    "curlftpfs",
    "davfs",
    "davfs2",
    "s3fs",
    "rclone",
    "gcsfuse",
    "glusterfs",
    "ceph-fuse",
    "gvfsd-fuse",
    "google-drive-ocamlfuse",
];

/// The kind of network file system that `path`, which exists, lies on; None = a local one.
pub(crate) fn network_file_system(path: &Path) -> io::Result<Option<String>> {
    // On 32-bit systems the number is signed; only its 32 bits count.
    let kind = u64::try_from(i128::from(statfs(path)?.f_type) & 0xffff_ffff).unwrap_or_default();
    if kind != FUSE {
        return Ok(network_kind(kind).map(str::to_owned));
    }
    let device = fs::metadata(path)?.dev();
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(fuse_kind(&mounts, major(device), minor(device)))
}

fn network_kind(kind: u64) -> Option<&'static str> {
    NETWORK.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// `36 35 98:0 /root /mount opts - fuse.sshfs source opts` (`proc_pid_mountinfo(5)`).
pub(crate) fn fuse_kind(mounts: &str, major: u32, minor: u32) -> Option<String> {
    let device = format!("{major}:{minor}");
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&device))?;
    let mut after = mount.split_once(" - ")?.1.split(' ');
    let (kind, source) = (after.next()?, after.next().unwrap_or_default());
    let name = kind.strip_prefix("fuse.").unwrap_or(source);
    NETWORK_FUSE.contains(&name).then(|| name.to_owned())
}

/// Words of the Secret Service that `keyring` hands on as text only.
pub(crate) fn keychain_unavailable(words: &str) -> Option<Unavailable> {
    let says = |part: &str| words.contains(part);
    // It was there when the store was opened, and has gone.
    let nobody = says("org.freedesktop.DBus.Error.ServiceUnknown")
        || says("org.freedesktop.DBus.Error.NameHasNoOwner")
        || says("no secret service provider or dbus session found");
    if nobody {
        Some(Unavailable::NoService(words.to_owned()))
    } else if says("IsLocked") || says("object locked") || says("prompt dismissed") {
        Some(Unavailable::Locked)
    } else {
        None
    }
}

#[expect(clippy::unnecessary_wraps, reason = "macOS may refuse")]
pub(crate) fn check_signature(_program: &Path, _signer: Signer) -> Result<(), String> {
    Ok(())
}

/// Where owners have a folder that every user of the machine reaches.
pub(crate) const SHARED: &str = "/var/lib/runner-tray";

/// `timerfd_create(2)` on the wall clock.
pub(crate) fn new_alarm() -> io::Result<Option<OwnedFd>> {
    Ok(Some(timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC)?))
}

/// `TFD_TIMER_CANCEL_ON_SET`: a clock that is set by a jump makes it readable too.
pub(crate) fn set_alarm(alarm: BorrowedFd<'_>, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    let at = Timespec { tv_sec: seconds.max(0), tv_nsec: i64::from(nanoseconds.max(1)) };
    let never = Timespec { tv_sec: 0, tv_nsec: 0 };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(alarm, flags, &Itimerspec { it_interval: never, it_value: at })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_number() {
        assert_eq!(network_kind(0x6969), Some("nfs"));
        assert_eq!(network_kind(0xff53_4d42), Some("cifs"));
        for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert_eq!(network_kind(local), None);
        }
    }

    #[test]
    fn fuse_is_a_network_only_where_its_name_says_so() {
        let mounts = "\
            36 35 0:52 / /home/me/box rw - fuse.sshfs me@box:/home rw\n\
            37 35 0:53 / /media/stick rw,nosuid shared:1 - fuseblk /dev/sdb1 rw\n\
            38 35 0:54 / /mnt/dav rw - fuse davfs2 rw\n";
        assert_eq!(fuse_kind(mounts, 0, 52).as_deref(), Some("sshfs"));
        assert_eq!(fuse_kind(mounts, 0, 53), None);
        assert_eq!(fuse_kind(mounts, 0, 54).as_deref(), Some("davfs2"));
        assert_eq!(fuse_kind(mounts, 0, 99), None);
    }
}
