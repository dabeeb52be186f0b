//! Whether files are in use: open in a process, or listened on.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};

use crate::os;

/// Of each of these paths, whether it or anything below it is open in a process, mapped, its program,
/// or where it stands; of processes that this user may look at. Looks at every one of them: not for a
/// timer. The paths are canonical.
pub fn are_held(paths: &[PathBuf]) -> io::Result<Vec<bool>> {
    let mut held = vec![false; paths.len()];
    for pid in os::all_processes()? {
        os::each_open_path(pid, |open| {
            for (path, held) in paths.iter().zip(&mut held) {
                *held |= open.starts_with(path);
            }
        });
    }
    Ok(held)
}

/// Whether somebody listens on the socket at `path`. None: that cannot be known. Where the system has
/// no list, it connects.
pub fn is_listened_on(path: &Path) -> Option<bool> {
    if os::is_listed_socket(path) {
        return Some(true);
    }
    let address = SocketAddrUnix::new(path).ok()?;
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).ok()?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC).ok()?;
    ioctl_fionbio(&socket, true).ok()?;
    match connect(&socket, &address) {
        Err(Errno::CONNREFUSED) => Some(false),
        // A full queue, or another type of socket: there is somebody.
        Ok(()) | Err(Errno::AGAIN | Errno::PROTOTYPE | Errno::INPROGRESS) => Some(true),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use std::process::Command;

    use super::*;

    #[test]
    fn a_socket_is_listened_on_as_long_as_its_listener_lives() {
        let folder = tempfile::tempdir().unwrap();
        let (stream, datagram) = (folder.path().join("a.sock"), folder.path().join("b.sock"));
        let listener = UnixListener::bind(&stream).unwrap();
        let other = UnixDatagram::bind(&datagram).unwrap();
        assert_eq!([&stream, &datagram].map(|path| is_listened_on(path)), [Some(true); 2]);
        drop((listener, other));
        assert_eq!([&stream, &datagram].map(|path| is_listened_on(path)), [Some(false); 2]);
        assert_eq!(is_listened_on(&folder.path().join("none")), None);
        assert_eq!(is_listened_on(&folder.path().join("x".repeat(300))), None);
    }

    #[test]
    fn a_file_is_held_by_who_has_it_open_or_stands_above_it_and_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let paths = ["open", "stood-in", "free", "ope"].map(|name| base.join(name));
        for path in &paths {
            std::fs::create_dir_all(path.join("deep")).unwrap();
        }
        let _open = std::fs::File::create(base.join("open/deep/file")).unwrap();
        let mut child = Command::new("sleep");
        let mut child = child.arg("60").current_dir(base.join("stood-in/deep")).spawn().unwrap();
        let held = are_held(&paths).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(held, [true, true, false, false]);
    }
}
