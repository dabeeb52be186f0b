//! macOS's side: Library folders, file systems by their "local" flag, the Keychain's codes.

use std::{
    ffi::CStr,
    io,
    os::fd::{BorrowedFd, OwnedFd},
    path::Path,
    process::{Command, Stdio},
};

use directories::ProjectDirs;
use rustix::{fs::statfs, io::Errno};

use crate::{Folders, Signer, keychain::Unavailable};

/// For `directories`: the bundle's identifier, com.runner-tray.RunnerTray.
pub(crate) const NAME: [&str; 3] = ["com", "runner-tray", "RunnerTray"];

pub(crate) fn folders(dirs: &ProjectDirs) -> Folders {
    // All of `directories`' folders but the cache are one and the same here.
    let support = dirs.data_local_dir();
    let library = support.parent().and_then(Path::parent).unwrap_or(support);
    Folders {
        state: support.join("state"),
        data: support.join("data"),
        config: support.join("config"),
        logs: library.join("Logs").join(dirs.project_path()),
    }
}

/// The kind of network file system that `path`, which exists, lies on; None = a local one.
pub(crate) fn network_file_system(path: &Path) -> io::Result<Option<String>> {
    let about = statfs(path)?;
    if about.f_flags & libc::MNT_LOCAL.cast_unsigned() != 0 {
        return Ok(None);
    }
    let name: Vec<u8> = about.f_fstypename.iter().map(|byte| byte.cast_unsigned()).collect();
    let name = CStr::from_bytes_until_nul(&name).map(|name| name.to_string_lossy().into_owned());
    Ok(Some(name.unwrap_or_else(|_| "unknown".to_owned())))
}

/// Security.framework's codes (`SecBase.h`), which `keyring` hands on as text only.
pub(crate) fn keychain_unavailable(words: &str) -> Option<Unavailable> {
    let says = |code: &str, name: &str| words.contains(code) || words.contains(name);
    if says("-25308", "errSecInteractionNotAllowed") || says("-25315", "errSecInteractionRequired")
    {
        Some(Unavailable::Locked)
    } else if says("-25307", "errSecNoDefaultKeychain")
        || says("-25294", "errSecNoSuchKeychain")
        || says("-25291", "errSecNotAvailable")
    {
        Some(Unavailable::NoService(words.to_owned()))
    } else {
        None
    }
}

/// What browsers and others put on files that came from the internet.
const QUARANTINE: &str = "com.apple.quarantine";

/// Apple's own code, or a certificate that Apple gave to a developer for programs outside its store
/// (Apple's TN3127: the marks of the intermediate and of the leaf). Without a requirement `codesign`
/// takes a signature by anybody, which every linker makes.
const BY_A_DEVELOPER: &str = "=anchor apple or (anchor apple generic \
     and certificate 1[field.1.2.840.113635.100.6.2.6] exists \
     and certificate leaf[field.1.2.840.113635.100.6.1.13] exists)";

pub(crate) fn check_signature(program: &Path, signer: Signer) -> Result<(), String> {
    let mut codesign = Command::new("/usr/bin/codesign");
    codesign.args(["--verify", "--strict"]);
    if signer == Signer::Developer {
        codesign.args(["-R", BY_A_DEVELOPER]);
    }
    passes("codesign", codesign.arg(program))?;
    // Gatekeeper looks only at what is marked; so do we. Where nobody can tell, it is asked.
    let mark = rustix::fs::getxattr(program, QUARANTINE, &mut [0_u8; 256]);
    if mark == Err(Errno::NOATTR) {
        return Ok(());
    }
    let mut spctl = Command::new("/usr/sbin/spctl");
    passes("spctl", spctl.args(["--assess", "--type", "install"]).arg(program))
}

fn passes(name: &str, tool: &mut Command) -> Result<(), String> {
    let output = tool
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} says: {}", words.trim().chars().take(300).collect::<String>()))
}

/// Where owners have a folder that every user of the machine reaches.
pub(crate) const SHARED: &str = "/Users/Shared/runner-tray";

/// macOS has no alarm by the wall clock that a descriptor tells of.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux, where it can fail")]
pub(crate) fn new_alarm() -> io::Result<Option<OwnedFd>> {
    Ok(None)
}

pub(crate) fn set_alarm(_: BorrowedFd<'_>, _: i64, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
