//! The floor: what the operating system knows of a process, and the few ways to act on one; and
//! folders through their handles ([`folder`]).
//!
//! It must never act on a number alone: a pid is reused, so whatever signals or judges a process
//! takes a [`ProcessId`] (pid, start time and boot) and checks it first.
//!
//! `linux.rs` and `macos.rs` hold the same function names and are chosen once, here; so are their
//! `…_folder.rs`. Only [`in_session`], [`led_by`], [`marked()`] and [`are_held`] look at all processes of the
//! machine.

mod act;
mod apart;
mod exec;
mod fds;
pub mod folder;
mod fork;
mod holders;
mod identity;
mod look;
mod marked;
mod memory;
mod peer;
mod tree;
mod watch;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;
#[cfg(target_os = "linux")]
#[path = "linux_folder.rs"]
mod os_folder;
#[cfg(target_os = "macos")]
#[path = "macos_folder.rs"]
mod os_folder;

pub use act::{
    NoCore, ORPHANS_COME, Sent, become_subreaper, die_with_parent, reap, setsid, signal,
    wait_for_child,
};
pub use apart::{in_session, led_by, spawn_apart};
pub use exec::{SignalState, die_of, exec, unblock_signals};
pub use fds::{Inherited, inherited_fd, keep_over_exec};
pub use fork::{Forked, fork};
pub use holders::{are_held, is_listened_on};
pub use identity::{BootId, Liveness, Pid, ProcessId, StartTime, alive};
pub use look::{Look, State, cwd, environ, look, owner, program, signal_pending};
pub use marked::marked;
pub use memory::keep_little_memory;
pub use peer::{Peer, peer_of};
pub use tree::{Usage, children, descends_from, tree, usage};
pub use watch::{ExitWatch, GrowthWatch, growth_watch};

/// A signal by its name, e.g. `Signal::TERM`.
pub use rustix::process::Signal;
