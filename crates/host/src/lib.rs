//! Platform code above the floor: where things live, the keychain, the machine and its owner.
//! Nothing here knows of runners' states or of CircleCI.
//!
//! `linux.rs` and `macos.rs` hold the same function names and are chosen once, here; so are their
//! `…_desktop.rs`, `…_machine.rs`, `…_service.rs` and `…_session.rs`.

mod account;
mod alarm;
#[cfg(all(test, target_os = "linux"))]
mod arbitrary;
mod autostart;
pub mod awake;
mod desktop;
mod detached;
mod folders;
mod folders_error;
pub mod keychain;
pub mod login_service;
mod network_home;
pub mod notification;
mod power;
mod private_folder;
mod programs;
mod room;
mod root;
mod shared;
mod signature;
mod sleep;
mod system;
mod this_program;
pub mod token_file;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;
#[cfg(target_os = "linux")]
#[path = "linux_desktop.rs"]
mod os_desktop;
#[cfg(target_os = "macos")]
#[path = "macos_desktop.rs"]
mod os_desktop;
#[cfg(target_os = "linux")]
#[path = "linux_machine.rs"]
mod os_machine;
#[cfg(target_os = "macos")]
#[path = "macos_machine.rs"]
mod os_machine;

#[cfg(target_os = "linux")]
#[path = "linux_service.rs"]
mod os_service;
#[cfg(target_os = "macos")]
#[path = "macos_service.rs"]
mod os_service;
#[cfg(target_os = "linux")]
#[path = "linux_session.rs"]
mod os_session;
#[cfg(target_os = "macos")]
#[path = "macos_session.rs"]
mod os_session;

pub use account::Account;
pub use alarm::Alarm;
pub use autostart::{start_at_login, starts_at_login};
pub use desktop::{TrayPicture, calm_web_view, display_of_session, has_display, watch_tray};
pub use detached::detach;
pub use folders::{Folders, HOME_VARIABLE};
pub use folders_error::FoldersError;
pub use network_home::refuse_network_home;
pub use power::{Power, SUPPLIES};
pub use process::keep_little_memory;
pub use programs::{Running, running};
pub use room::Room;
pub use root::{ALLOW_ROOT_VARIABLE, refuse_root};
pub use signature::{Signer, check_signature};
pub use sleep::Sleep;
pub use system::{System, machine_name};
pub use this_program::this_program;

/// Whether notifications are the supervisor's to show here, so that they come with the app closed; on
/// macOS only an app may show any.
pub const SHOWS_NOTIFICATIONS: bool = cfg!(target_os = "linux");

/// The program that shows a folder; none: the one that the desktop opens folders with. On macOS a folder
/// may be a program, which a file manager by its name does not start.
pub const FILE_MANAGER: Option<&str> =
    if cfg!(target_os = "macos") { Some("Finder") } else { None };

/// What shows an address in the owner's browser.
pub const OPENER: &str = if cfg!(target_os = "linux") { "xdg-open" } else { "/usr/bin/open" };

/// What an admin types to make a user for jobs.
pub fn make_user_command(user: &str) -> String {
    if cfg!(target_os = "linux") {
        format!("sudo useradd --create-home --shell /bin/bash {user}")
    } else {
        format!("sudo sysadminctl -addUser {user}")
    }
}

/// Whether programs that are on the PATH only offer to install what they are named after (macOS's
/// command line tools).
pub fn tools_are_stubs() -> bool {
    os_machine::tools_are_stubs()
}
