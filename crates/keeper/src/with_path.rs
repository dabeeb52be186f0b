//! `with-path FIRST LAST -- COMMAND`: becomes the command, with folders before and after those of the
//! PATH. As the job user, whose login has set the PATH; sudo passes on none of ours.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

use process::SignalState;
use run_dir::JobPath;

/// An argument that is empty does not come through sudo's login shell.
const NONE: &str = "-";
const USUAL: &[u8] = b"/usr/local/bin:/usr/bin:/bin";

/// What stands before a command; nothing where the PATH stays as it is.
pub(crate) fn in_front(helper: &Path, path: &JobPath) -> Vec<OsString> {
    if path.is_usual() {
        return Vec::new();
    }
    let list = |folders: &[String]| match folders {
        [] => OsString::from(NONE),
        folders => OsString::from(folders.join(":")),
    };
    vec![
        helper.as_os_str().to_owned(),
        "with-path".into(),
        list(&path.first),
        list(&path.last),
        "--".into(),
    ]
}

/// The verb. Returns only where the command cannot be run.
pub(crate) fn with_path(
    first: &OsStr,
    last: &OsStr,
    command: &[OsString],
) -> anyhow::Result<ExitCode> {
    let home = std::env::var_os("HOME").unwrap_or_default();
    let usual = std::env::var_os("PATH");
    let path = around(first, usual.as_deref(), last, &home);
    let kept = std::env::vars_os().filter(|(name, _)| name != "PATH");
    let environment: Vec<(OsString, OsString)> = kept.chain([("PATH".into(), path)]).collect();
    Err(process::exec(command, &environment, &SignalState::at_start()).into())
}

/// Each folder once, the first of it.
fn around(first: &OsStr, usual: Option<&OsStr>, last: &OsStr, home: &OsStr) -> OsString {
    let bytes = |list: &OsStr| if list == NONE { Vec::new() } else { list.as_bytes().to_vec() };
    let usual = usual.map_or(USUAL, OsStr::as_bytes).to_vec();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for part in [bytes(first), usual, bytes(last)] {
        for folder in part.split(|byte| *byte == b':').filter(|folder| !folder.is_empty()) {
            let folder = match folder.strip_prefix(b"~/") {
                Some(rest) => [home.as_bytes(), b"/", rest].concat(),
                None => folder.to_vec(),
            };
            if !all.contains(&folder) {
                all.push(folder);
            }
        }
    }
    OsString::from_vec(all.join(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_around_the_path_each_once() {
        let path = |first: &str, usual: Option<&str>, last: &str| {
            let usual = usual.map(OsStr::new);
            around(first.as_ref(), usual, last.as_ref(), "/home/ci".as_ref())
        };
        assert_eq!(path("-", Some("/usr/bin::/bin"), "-"), "/usr/bin:/bin");
        assert_eq!(
            path("~/bin:/opt/go/bin", Some("/usr/bin:/opt/go/bin"), "~/.local/bin:/usr/bin"),
            "/home/ci/bin:/opt/go/bin:/usr/bin:/home/ci/.local/bin"
        );
        assert_eq!(path("-", None, "/x"), "/usr/local/bin:/usr/bin:/bin:/x");
    }

    #[test]
    fn nothing_stands_before_a_command_whose_path_stays_as_it_is() {
        assert_eq!(in_front("/k".as_ref(), &JobPath::default()), Vec::<OsString>::new());
        let path = JobPath { first: Vec::new(), last: vec!["~/.local/bin".into()] };
        assert_eq!(in_front("/k".as_ref(), &path), ["/k", "with-path", "-", "~/.local/bin", "--"]);
    }
}
