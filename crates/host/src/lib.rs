//! Platform code above the floor: where things live, the keychain, the machine and its owner.
//! Nothing here knows of runners' states or of CircleCI.
//!
//! `linux.rs` and `macos.rs` hold the same function names and are chosen once, here; so are their
//! `…_desktop.rs` and `…_machine.rs`.

mod account;
mod alarm;
mod autostart;
mod desktop;
mod detached;
mod folders;
mod folders_error;
pub mod keychain;
mod network_home;
mod private_folder;
mod programs;
mod room;
mod root;
mod shared;
mod signature;
mod sleep;
mod system;
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

pub use account::Account;
pub use alarm::Alarm;
pub use autostart::{start_at_login, starts_at_login};
pub use desktop::{TrayPicture, has_display, tray_icons_are_shown};
pub use detached::detach;
pub use folders::{Folders, HOME_VARIABLE};
pub use folders_error::FoldersError;
pub use network_home::refuse_network_home;
pub use programs::{Running, running};
pub use room::Room;
pub use root::{ALLOW_ROOT_VARIABLE, refuse_root};
pub use signature::check_signature;
pub use sleep::Sleep;
pub use system::{System, machine_name};

/// Whether programs that are on the PATH only offer to install what they are named after (macOS's
/// command line tools).
pub fn tools_are_stubs() -> bool {
    os_machine::tools_are_stubs()
}
