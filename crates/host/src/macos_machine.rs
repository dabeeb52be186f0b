//! macOS's side of what is asked about the machine itself: the system's version file, mount flags, `pmset`, `ps`.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::statfs;

use crate::programs::{Running, name_of};
use crate::sleep::{Sleep, from_pmset};

/// From `SystemVersion.plist`, which is text.
pub(crate) fn system_name(root: &Path) -> (Option<String>, Option<String>) {
    let file = root.join("System/Library/CoreServices/SystemVersion.plist");
    let text = fs::read_to_string(file).unwrap_or_default();
    let version = text
        .split_once("<key>ProductVersion</key>")
        .and_then(|(_, after)| after.split_once("<string>"))
        .and_then(|(_, after)| after.split_once("</string>"))
        .map(|(version, _)| version.trim().to_owned());
    (version.as_ref().map(|version| format!("macOS {version}")), version)
}

/// `sysctl.proc_translated` is 1 for programs under Rosetta, and unknown where there is none.
pub(crate) fn is_translated() -> bool {
    const NAME: &CStr = c"sysctl.proc_translated";
    let mut value: libc::c_int = 0;
    let mut size = size_of_val(&value);
    // SAFETY: the name ends with a zero, `value` has room for `size` bytes, and nothing is set.
    #[expect(unsafe_code, reason = "sysctl has no safe interface")]
    let code = unsafe {
        libc::sysctlbyname(
            NAME.as_ptr(),
            (&raw mut value).cast(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    code == 0 && value == 1
}

pub(crate) fn no_exec(path: &Path) -> io::Result<bool> {
    Ok(statfs(path)?.f_flags & libc::MNT_NOEXEC.cast_unsigned() != 0)
}

/// Without the command line tools `/usr/bin/git` and its like only ask for them to be installed.
pub(crate) fn tools_are_stubs() -> bool {
    let asked = Command::new("/usr/bin/xcode-select")
        .arg("-p")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| !status.success())
}

pub(crate) fn sleep(_: &Path) -> Sleep {
    match Command::new("/usr/bin/pmset").arg("-g").stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            from_pmset(&String::from_utf8_lossy(&output.stdout))
        }
        Ok(output) => Sleep::Unknown(format!("pmset -g: {}", output.status)),
        Err(error) => Sleep::Unknown(format!("pmset cannot be started: {error}")),
    }
}

pub(crate) fn running(_: &Path, names: &[&str]) -> io::Result<Vec<Running>> {
    // The last column may hold spaces: the program's path in one listing, the whole line in another.
    let programs = ps("pid=,comm=")?;
    let lines = ps("pid=,args=")?;
    let of = |(pid, program): &(u32, String)| {
        names.contains(&name_of(program)).then(|| {
            let line = lines.iter().find(|(other, _)| other == pid);
            let command = line.map_or_else(|| program.clone(), |(_, line)| line.clone());
            Running { pid: *pid, command }
        })
    };
    Ok(programs.iter().filter_map(of).collect())
}

fn ps(columns: &str) -> io::Result<Vec<(u32, String)>> {
    let output =
        Command::new("/bin/ps").args(["-axww", "-o", columns]).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("ps: {}", output.status)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let row = |line: &str| {
        let (pid, rest) = line.trim_start().split_once(' ')?;
        Some((pid.parse().ok()?, rest.trim().to_owned()))
    };
    Ok(text.lines().filter_map(row).collect())
}
