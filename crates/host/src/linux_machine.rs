//! Linux's side of what is asked about the machine itself: os-release, mount flags, systemd's and the desktop's settings
//! for sleep, `/proc`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::programs::{Running, name_of};
use crate::sleep::Sleep;

/// `os-release(5)`: name and version.
pub(crate) fn system_name(root: &Path) -> (Option<String>, Option<String>) {
    let text = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|file| fs::read_to_string(root.join(file)).ok())
        .unwrap_or_default();
    (assigned(&text, "PRETTY_NAME"), assigned(&text, "VERSION_ID"))
}

/// Of lines `KEY=value`, the last; quotes are taken off.
fn assigned(text: &str, key: &str) -> Option<String> {
    let mut values = text.lines().filter_map(|line| line.trim().split_once('='));
    let value = values.rfind(|(name, _)| name.trim() == key)?.1;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// Linux has no translator of its own.
pub(crate) fn is_translated() -> bool {
    false
}

pub(crate) fn no_exec(path: &Path) -> io::Result<bool> {
    Ok(statvfs(path)?.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

/// What is there is what is meant.
pub(crate) fn tools_are_stubs() -> bool {
    false
}

pub(crate) fn sleep(root: &Path) -> Sleep {
    let kernel = root.join("sys/power/state");
    match fs::read_to_string(&kernel) {
        Ok(states) if states.trim().is_empty() => {
            return Sleep::Never(format!(
                "{} is empty: this system cannot sleep",
                kernel.display()
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Sleep::Never(format!("no {}: this system cannot sleep", kernel.display()));
        }
        Ok(_) => {}
        Err(error) => return Sleep::Unknown(format!("{}: {error}", kernel.display())),
    }
    for unit in ["sleep.target", "suspend.target"] {
        let unit = root.join("etc/systemd/system").join(unit);
        if fs::read_link(&unit).is_ok_and(|to| to == Path::new("/dev/null")) {
            return Sleep::Never(format!("{} is masked", unit.display()));
        }
    }
    let logind = match logind(root) {
        Ok(text) => text,
        Err(error) => return Sleep::Unknown(format!("logind.conf: {error}")),
    };
    let idle = assigned(&logind, "IdleAction").filter(|action| sleeps(action));
    if let Some(action) = idle {
        return Sleep::ByItself(format!("logind.conf: IdleAction={action}"));
    }
    let desktop = if root == Path::new("/") { desktop() } else { None };
    desktop.unwrap_or_else(|| Sleep::WhenTold("logind.conf sets no IdleAction that sleeps".into()))
}

fn sleeps(action: &str) -> bool {
    ["suspend", "hibernate", "hybrid-sleep", "suspend-then-hibernate", "sleep"].contains(&action)
}

/// All of `logind.conf(5)`'s files that exist, in the order in which they count.
fn logind(root: &Path) -> io::Result<String> {
    let mut files = vec![root.join("etc/systemd/logind.conf")];
    for folder in ["usr/lib/systemd/logind.conf.d", "etc/systemd/logind.conf.d"] {
        let entries = match fs::read_dir(root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let mut parts: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        parts.retain(|path| path.extension().is_some_and(|it| it == "conf"));
        parts.sort();
        files.extend(parts);
    }
    let mut all = String::new();
    for file in files {
        match fs::read_to_string(&file) {
            Ok(text) => all.push_str(&(text + "\n")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io::Error::other(format!("{}: {error}", file.display()))),
        }
    }
    Ok(all)
}

/// GNOME's settings, which others of its family share. None where no desktop is known to run.
fn desktop() -> Option<Sleep> {
    const SCHEMA: &str = "org.gnome.settings-daemon.plugins.power";
    let get = |key: &str| {
        let output = Command::new("gsettings")
            .args(["get", SCHEMA, key])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().trim_matches('\'').to_owned())
    };
    let running = std::env::var("XDG_CURRENT_DESKTOP").ok().filter(|name| !name.is_empty());
    let gnome = running.as_ref().is_none_or(|name| name.contains("GNOME"));
    if let Some(action) = get("sleep-inactive-ac-type").filter(|_| gnome) {
        let seconds = get("sleep-inactive-ac-timeout").unwrap_or_default();
        let seconds = seconds.rsplit(' ').next().unwrap_or_default().to_owned();
        return Some(if sleeps(&action) && seconds != "0" {
            Sleep::ByItself(format!("GNOME: {action} after {seconds} s at rest, on mains power"))
        } else {
            Sleep::WhenTold("GNOME: not by itself on mains power".into())
        });
    }
    running.map(|name| Sleep::Unknown(format!("the settings of {name} are not known here")))
}

pub(crate) fn running(root: &Path, names: &[&str]) -> io::Result<Vec<Running>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("proc"))?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that ended meanwhile, or that is hidden from us with its folder.
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        let words: Vec<String> = line
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        if words.first().is_some_and(|program| names.contains(&name_of(program))) {
            found.push(Running { pid, command: words.join(" ").trim_end().to_owned() });
        }
    }
    found.sort_by_key(|running| running.pid);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Files below a root, each with what is in it.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = fs::File::create(path).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }
        root
    }

    #[test]
    fn a_system_is_named_as_it_names_itself() {
        let text = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        let here = root(&[("etc/os-release", text)]);
        let (name, version) = system_name(here.path());
        assert_eq!(name.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(version.as_deref(), Some("12"));
        assert_eq!(system_name(root(&[]).path()), (None, None));
    }

    #[test]
    fn a_kernel_without_sleep_and_a_masked_target_never_sleep() {
        assert!(matches!(sleep(root(&[]).path()), Sleep::Never(_)));
        assert!(matches!(sleep(root(&[("sys/power/state", "\n")]).path()), Sleep::Never(_)));
        let masked = root(&[("sys/power/state", "freeze mem disk\n")]);
        fs::create_dir_all(masked.path().join("etc/systemd/system")).unwrap();
        symlink("/dev/null", masked.path().join("etc/systemd/system/sleep.target")).unwrap();
        assert!(matches!(sleep(masked.path()), Sleep::Never(why) if why.contains("masked")));
    }

    #[test]
    fn the_last_word_of_logind_counts() {
        let state = ("sys/power/state", "mem\n");
        let early = ("etc/systemd/logind.conf", "#IdleAction=suspend\n[Login]\nIdleAction=suspend");
        let late = ("etc/systemd/logind.conf.d/10.conf", "[Login]\nIdleAction = ignore\n");
        assert!(matches!(sleep(root(&[state, early]).path()), Sleep::ByItself(_)));
        assert!(matches!(sleep(root(&[state, early, late]).path()), Sleep::WhenTold(_)));
        assert!(matches!(sleep(root(&[state]).path()), Sleep::WhenTold(_)));
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let here = root(&[("sys/power/state/not-a-file", "")]);
        assert!(matches!(sleep(here.path()), Sleep::Unknown(_)));
        let here = root(&[("sys/power/state", "mem"), ("etc/systemd/logind.conf/x", "")]);
        assert!(matches!(sleep(here.path()), Sleep::Unknown(_)));
        running(root(&[]).path(), &["circleci-runner"]).unwrap_err();
    }

    #[test]
    fn programs_are_found_by_the_name_of_their_file_alone() {
        let here = root(&[
            ("proc/1/cmdline", "/sbin/init\0"),
            ("proc/31/cmdline", "/usr/bin/circleci-runner\0machine\0-c\0/etc/a b.yaml\0"),
            ("proc/32/cmdline", "grep\0circleci-runner\0"),
            ("proc/self/cmdline", "circleci-runner\0"),
            ("proc/33/other", ""),
        ]);
        let found = running(here.path(), &["circleci-runner"]).unwrap();
        let command = "/usr/bin/circleci-runner machine -c /etc/a b.yaml".to_owned();
        assert_eq!(found, [Running { pid: 31, command }]);
    }
}
