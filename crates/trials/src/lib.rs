//! The product end to end: the real programs, each in a process of its own, against the stand-in
//! for CircleCI. This is what the trials in `tests/` share; it must never touch a process that it
//! did not start, nor anything outside its own temporary folder.
//!
//! A [`Rig`] is everything at once: a [`Place`] of its own, a [`Circle`] that plays CircleCI, a
//! supervisor and a [`Witness`] who looks for a second agent all the time. The programs lie beside
//! the test in `target/<profile>`; `./dev test` builds them first.

mod api;
mod background;
mod circle;
mod clock;
mod desktop;
mod filling;
mod hunt;
mod job;
mod leftovers;
mod mute;
mod name_server;
mod ours;
mod place;
mod programs;
mod proxy;
mod raw;
mod refusing;
mod rig;
mod session;
mod set_clock;
mod setting_up;
mod small_disk;
mod supervisor;
mod trouble;
mod until;
mod user;
mod who;
mod witness;

pub use api::Api;
pub use circle::{CLASS, Circle};
pub use desktop::{Desktop, has_tools, is_root};
pub use filling::Fills;
pub use hunt::{Hunt, Secret};
pub use job::Job;
pub use leftovers::Found;
pub use mute::Mute;
pub use name_server::{NameServer, Says};
pub use ours::Ours;
pub use place::Place;
pub use programs::program;
pub use proxy::Proxy;
pub use raw::{Listener, answered, ask, call};
pub use refusing::{REFUSAL, Refusing};
pub use rig::{RUNNER, Rig, keeper, run_id, signals_heard};
pub use session::{Logind, Notifications, Seen};
pub use set_clock::SetClock;
pub use small_disk::{Breaks, RealDisk, SmallDisk};
pub use supervisor::{Options, Supervisor};
pub use trouble::{Told, assert_inert};
pub use until::{DEADLINE, nap, until, until_some};
pub use user::User;
pub use who::{TaskProcesses, is_alive, is_stopped, kill, kill_at_once, resume, until_dead};
pub use witness::Witness;
