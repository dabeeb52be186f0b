//! Who holds a lock of a package manager, as the kernel tells it. Takes no lock itself.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::package::Manager;

/// Somebody else's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    /// Its program's name, where that can be read.
    pub name: Option<String>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (process {})", self.pid),
            None => write!(f, "process {}", self.pid),
        }
    }
}

/// What a manager waits for by itself, of the line that says so.
pub(crate) fn waits(manager: Manager, line: &str) -> Option<String> {
    match manager {
        // apt-pkg/deb/debsystem.cc; what follows is its progress.
        Manager::Apt => {
            let why = line.strip_prefix("Waiting for cache lock: ")?;
            Some(match held_by(why) {
                Some(holder) => format!("apt is used by {holder}"),
                None => "apt is used by another process".to_owned(),
            })
        }
        // dnf/lock.py.
        Manager::Dnf => {
            let pid =
                line.strip_prefix("Waiting for process with pid ")?.strip_suffix(" to finish.")?;
            Some(format!("dnf is used by process {pid}"))
        }
        Manager::Brew
        | Manager::Cask
        | Manager::Npm
        | Manager::Pipx
        | Manager::Pip
        | Manager::Cargo
        | Manager::Go
        | Manager::Gem => None,
    }
}

/// `... It is held by process 813 (name)`, where apt knows.
fn held_by(words: &str) -> Option<Holder> {
    let (_, holder) = words.split_once("It is held by process ")?;
    let digits = holder.find(|c: char| !c.is_ascii_digit()).unwrap_or(holder.len());
    let (pid, rest) = holder.split_at(digits);
    let name = rest.strip_prefix(" (").and_then(|rest| rest.rsplit_once(')'));
    Some(Holder { pid: pid.parse().ok()?, name: name.map(|(name, _)| name.to_owned()) })
}

/// Who is in the way of a manager that gave up because another process of it is at work; one that is
/// called again then succeeds. Homebrew names no holder: the command in its words is its own.
pub(crate) fn gave_up(manager: Manager, said: &str) -> Option<String> {
    match manager {
        // Library/Homebrew/exceptions.rb (OperationInProgressError) and utils/lock.sh.
        Manager::Brew | Manager::Cask => {
            let busy = ["has already locked", "Another active Homebrew"];
            busy.iter()
                .any(|words| said.contains(words))
                .then(|| "Homebrew is used by another process of it".to_owned())
        }
        Manager::Apt
        | Manager::Dnf
        | Manager::Npm
        | Manager::Pipx
        | Manager::Pip
        | Manager::Cargo
        | Manager::Go
        | Manager::Gem => None,
    }
}

/// The files that apt and dpkg lock while they change something. Other managers wait, or say so, by
/// themselves.
pub(crate) fn files(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Apt => &[
            "/var/lib/dpkg/lock-frontend",
            "/var/lib/dpkg/lock",
            "/var/lib/apt/lists/lock",
            "/var/cache/apt/archives/lock",
        ],
        Manager::Dnf
        | Manager::Brew
        | Manager::Cask
        | Manager::Npm
        | Manager::Pipx
        | Manager::Pip
        | Manager::Cargo
        | Manager::Go
        | Manager::Gem => &[],
    }
}

const LOOKS: u32 = 3;

/// Who holds a kernel lock on one of the files. Nobody where that cannot be read, as on macOS.
pub fn holder_of(files: &[impl AsRef<Path>]) -> Option<Holder> {
    let look = |_| {
        let locks = locks()?;
        files.iter().find_map(|file| {
            let about = std::fs::metadata(file).ok()?;
            holder_in(&locks, &device(about.dev()), about.ino())
        })
    };
    // One that is given back while the list is read may hide the next one in it.
    let pid = (0..LOOKS).find_map(look)?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    Some(Holder {
        pid,
        name: name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
    })
}

/// The kernel's list, in as few pieces as it gives.
fn locks() -> Option<String> {
    let mut text = Vec::with_capacity(1 << 16);
    std::fs::File::open("/proc/locks").ok()?.read_to_end(&mut text).ok()?;
    String::from_utf8(text).ok()
}

/// As the list writes it; Linux keeps both numbers in two parts each.
fn device(dev: u64) -> String {
    let major = (dev >> 32 & 0xffff_f000) | (dev >> 8 & 0xfff);
    let minor = (dev >> 12 & 0xffff_ff00) | (dev & 0xff);
    format!("{major:02x}:{minor:02x}")
}

/// `1: POSIX  ADVISORY  WRITE 813 fe:01:1573 0 EOF`, see proc(5); one that waits has `->` after its
/// number. Below an overlay and the like, whose device is no real one (its first number is 0), the list may
/// name another: there the file's number has to be enough.
fn holder_in(locks: &str, device: &str, inode: u64) -> Option<u32> {
    let holds = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[_, _, _, "WRITE", pid, place, ..] = &words[..] else { return None };
        let (on, number) = place.rsplit_once(':')?;
        (number.parse() == Ok(inode)).then(|| Some((on == device, pid.parse().ok()?))).flatten()
    });
    let holds: Vec<(bool, u32)> = holds.filter(|(_, pid)| *pid != 0).collect();
    let exact = holds.iter().find(|(exact, _)| *exact);
    let no_real_one = device.starts_with("00:");
    exact.or(holds.first().filter(|_| no_real_one)).map(|(_, pid)| *pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_read_from_the_kernels_list() {
        let locks = "1: POSIX  ADVISORY  WRITE 813 fe:01:1573 0 EOF\n\
                     1: -> POSIX  ADVISORY  WRITE 900 fe:01:1573 0 EOF\n\
                     2: FLOCK  ADVISORY  READ 7 fe:01:99 0 EOF\n\
                     3: POSIX  ADVISORY  WRITE 55 00:31:1573 0 EOF\n";
        assert_eq!(holder_in(locks, "fe:01", 1573), Some(813));
        assert_eq!(holder_in(locks, "00:31", 1573), Some(55));
        assert_eq!(holder_in(locks, "00:99", 1573), Some(813), "as below an overlay");
        assert_eq!(holder_in(locks, "08:01", 1573), None, "a stranger's file on another disk");
        assert_eq!(holder_in(locks, "fe:01", 99), None, "who reads keeps nobody from it");
        assert_eq!(holder_in(locks, "fe:01", 1), None);
        assert_eq!(holder_in("", "fe:01", 1573), None);
    }

    #[test]
    fn what_apt_waits_for_by_itself_is_read_of_its_line_with_and_without_a_terminal() {
        let lock = "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend";
        for (rest, holder) in [
            (". It is held by process 813 (apt-get)...", "apt-get (process 813)"),
            (". It is held by process 813 (apt-get)... 12/600s", "apt-get (process 813)"),
            (". It is held by process 813 (unattended (up)...", "unattended (up (process 813)"),
            (". It is held by process 813...", "process 813"),
            (" - open (11: Resource temporarily unavailable)...", "another process"),
        ] {
            let waits = waits(Manager::Apt, &format!("{lock}{rest}"));
            assert_eq!(waits, Some(format!("apt is used by {holder}")), "{rest}");
        }
        assert_eq!(waits(Manager::Apt, "Reading package lists..."), None);
    }

    #[test]
    fn a_device_is_written_as_the_kernel_writes_it() {
        assert_eq!(device(0xfe01), "fe:01");
        assert_eq!(device(0x31), "00:31");
        assert_eq!(device(0x0010_0103), "01:103");
    }

    #[test]
    fn who_holds_a_real_lock_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lock");
        let open = std::fs::File::create(&file).unwrap();
        assert_eq!(holder_of(&[&file]), None);
        open.lock().unwrap();
        if !Path::new("/proc/locks").exists() {
            return skipped::skipped("this system does not tell who holds a lock");
        }
        let holder = holder_of(&[Path::new("/nowhere"), &file]).expect("it is held");
        assert_eq!(holder.pid, std::process::id());
        assert!(holder.to_string().ends_with(&format!("(process {})", holder.pid)));
    }
}
