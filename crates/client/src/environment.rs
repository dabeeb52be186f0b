//! What of its caller's environment a supervisor is started with: what it is known to need, by name,
//! and nothing else. It lives long, and whoever may read its environment must not find there what
//! somebody's shell happened to hold.

use std::ffi::OsString;

/// Never by prefix: who knows what else is called so.
const PASSED_ON: &[&str] = &[
    // Whose it is: where the folders are, and what agents and `sudo` go by.
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    // What it and its agents find programs by.
    "PATH",
    // Where this desktop keeps its folders (XDG Base Directory Specification).
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    // The session's bus, on which the keychain is; without its address it is in the other one.
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    // The system's bus, on which the machine is kept awake, where it is not in its usual place.
    "DBUS_SYSTEM_BUS_ADDRESS",
    // The screen, on which a notification's button opens a window or a page.
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
    // For the words and times of jobs.
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    // Jobs fetch code with it.
    "SSH_AUTH_SOCK",
    // How CircleCI is reached. An address of a proxy may hold a password; without it nothing works.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    // Roots of trust in other places than the system's.
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    // Ours.
    host::HOME_VARIABLE,
    host::ALLOW_ROOT_VARIABLE,
    "RUNNER_TRAY_LOG",
    "RUST_BACKTRACE",
    // Of builds for tests: where keepers stop, and how the stand-in for CircleCI behaves.
    #[cfg(debug_assertions)]
    "RUNNER_TRAY_HOLD_AT",
    #[cfg(debug_assertions)]
    "RUNNER_TRAY_POWER_SUPPLIES",
    #[cfg(debug_assertions)]
    "LOCAL_CIRCLECI_VARIANT",
    #[cfg(debug_assertions)]
    "LOCAL_CIRCLECI_MAX_BACKOFF_MS",
];

/// Names and values, for `Command::envs` after `env_clear`.
pub(crate) fn of_supervisor() -> Vec<(&'static str, OsString)> {
    PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect()
}
