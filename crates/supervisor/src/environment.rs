//! The environment an agent is started with: what a login shell of the owner would have, and nothing
//! of ours.

use std::collections::BTreeMap;
use std::path::Path;

use host::Account;

/// Taken over from the supervisor where they are set.
const TAKEN_OVER: [&str; 21] = [
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
const PATH: &str = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin";
/// Where Homebrew is on Apple silicon. It comes before what macOS brings, as Homebrew's own set-up of a
/// shell has it.
const HOMEBREW: [&str; 2] = ["/opt/homebrew/bin", "/opt/homebrew/sbin"];
const OF_SYSTEM: &str = "/usr/bin";

/// Where a user's own package managers put programs.
const OF_USER: &str = "~/.local/bin";

/// What the PATH of jobs ends with: Homebrew's programs where there is one, that user's own, then
/// `commands` of ours, so that a real one of the same name comes before.
pub(crate) fn last(commands: &Path) -> Vec<String> {
    last_with(commands, is_there())
}

fn last_with(commands: &Path, homebrew: bool) -> Vec<String> {
    let homebrew = HOMEBREW.iter().filter(|_| homebrew).map(ToString::to_string);
    homebrew.chain([OF_USER.to_owned(), commands.display().to_string()]).collect()
}

fn is_there() -> bool {
    Path::new(HOMEBREW[0]).is_dir()
}

/// Names and values, without the token. The PATH begins with `first`.
pub(crate) fn agent_environment(first: &[String], commands: &Path) -> BTreeMap<String, String> {
    // Under cron, ssh and launchd the environment may lack these.
    let owner = Account::mine().ok().flatten();
    let of_owner = |name: &str| {
        let owner = owner.as_ref()?;
        match name {
            "HOME" => owner.home.to_str().map(str::to_owned),
            "USER" | "LOGNAME" => Some(owner.user.clone()),
            "SHELL" => owner.shell.to_str().map(str::to_owned),
            _ => None,
        }
    };
    let mut environment =
        from(|name| std::env::var(name).ok().or_else(|| of_owner(name)), is_there());
    let home = environment.get("HOME").cloned().unwrap_or_default();
    if let Some(path) = environment.get_mut("PATH") {
        *path = around(path, first, &last(commands), &home);
    }
    environment
}

/// Each folder once; `~/` is `home`.
pub(crate) fn around(path: &str, first: &[String], last: &[String], home: &str) -> String {
    let of_home = |folder: &String| match folder.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None => folder.clone(),
    };
    let usual = path.split(':').map(str::to_owned);
    let all = first.iter().map(of_home).chain(usual).chain(last.iter().map(of_home));
    let mut seen = std::collections::BTreeSet::new();
    all.filter(|folder| seen.insert(folder.clone())).collect::<Vec<_>>().join(":")
}

fn from(get: impl Fn(&str) -> Option<String>, homebrew: bool) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> =
        TAKEN_OVER.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?))).collect();
    // The stand-in's switches, for tests of the product against its variants.
    #[cfg(debug_assertions)]
    for name in ["LOCAL_CIRCLECI_VARIANT", "LOCAL_CIRCLECI_MAX_BACKOFF_MS"] {
        environment.extend(get(name).map(|value| (name.to_owned(), value)));
    }
    let mut path = get("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| PATH.into());
    // A service manager's PATH lacks what the owner's shell has.
    let has = |path: &str, folder: &str| path.split(':').any(|known| known == folder);
    for folder in PATH.split(':') {
        if !has(&path, folder) {
            path = format!("{path}:{folder}");
        }
    }
    if homebrew {
        let mut folders: Vec<&str> = path.split(':').collect();
        let at = folders.iter().position(|folder| *folder == OF_SYSTEM).unwrap_or(0);
        let lacks: Vec<&str> = HOMEBREW.into_iter().filter(|it| !has(&path, it)).collect();
        folders.splice(at..at, lacks);
        path = folders.join(":");
    }
    environment.insert("PATH".into(), path);
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_named_variables_reaches_the_agent() {
        let environment = from(|name| Some(format!("my {name}")), false);
        assert!(!environment.contains_key("CIRCLECI_RUNNER_API_AUTH_TOKEN"));
        assert!(!environment.contains_key("DBUS_SESSION_BUS_ADDRESS"));
        assert!(!environment.contains_key("RUNNER_TRAY_HOME"));
        assert_eq!(environment["HOME"], "my HOME");
    }

    #[test]
    fn the_settings_folders_come_first_and_our_own_commands_last() {
        let first = ["/opt/node/bin".to_owned(), "~/bin".to_owned()];
        let last = last_with("/data/commands".as_ref(), false);
        let path = around("/usr/bin:/bin:/usr/bin", &first, &last, "/h");
        assert_eq!(path, "/opt/node/bin:/h/bin:/usr/bin:/bin:/h/.local/bin:/data/commands");
    }

    #[test]
    fn a_bare_path_is_completed() {
        let environment = from(|name| (name == "PATH").then(|| "/usr/bin:/x".into()), true);
        assert_eq!(
            environment["PATH"],
            "/opt/homebrew/bin:/opt/homebrew/sbin:/usr/bin:/x:/usr/local/bin:/usr/local/sbin:/usr/sbin:/bin:/sbin"
        );
        let of_owner = "/usr/bin:/opt/homebrew/bin".to_owned();
        let environment = from(|name| (name == "PATH").then(|| of_owner.clone()), true);
        let path = &environment["PATH"];
        assert!(
            path.starts_with("/opt/homebrew/sbin:/usr/bin:/opt/homebrew/bin:"),
            "what the owner put in order stays so: {path}"
        );
        let of_jobs = around("/usr/bin", &[], &last_with("/data/commands".as_ref(), true), "/h");
        assert_eq!(
            of_jobs,
            "/usr/bin:/opt/homebrew/bin:/opt/homebrew/sbin:/h/.local/bin:/data/commands"
        );
    }
}
