//! What jobs need of a machine: checked, planned, installed, and checked again.
//!
//! The catalogue is data ([`Catalogue`]); a check ([`check`]) runs each tool's own version command as
//! the user that jobs run as, with their PATH; a plan ([`plan`]) has only what is missing, in order, one
//! call a package manager; an installation ([`install`]) carries it out, a program with its arguments at
//! a time and never a shell's string, asks nobody for anything, and ends with the check again.
//!
//! It must never install what was not in the plan, nor newer what is there, unless that was asked for.

mod ansible;
mod apt_list;
#[cfg(test)]
mod arbitrary;
mod brewfile;
mod calls;
mod catalogue;
mod import;
mod install;
mod item;
mod jobs;
mod limited;
mod lock;
mod machine;
mod names;
mod output;
mod package;
mod plan;
mod probe;
mod record;
#[cfg(test)]
mod recorded_tests;
mod report;
#[cfg(test)]
mod stand_ins;
mod together;
mod version;

pub use ansible::playbook;
pub use apt_list::apt_list;
pub use brewfile::brewfile;
pub use calls::{Call, Rights, quoted};
pub use catalogue::{Catalogue, NotNamed, Preset};
pub use import::{Format, Imported, import};
pub use install::{Done, Installation, LOCK_PATIENCE, Progress, Told};
pub use item::{Check, Item, ItemError, Plist, Ways};
pub use jobs::Jobs;
pub use lock::{Holder, holder_of};
pub use machine::{Arch, Machine, Os};
pub use output::Output;
pub use package::Manager;
pub use plan::{Draft, Step, StepItem, What, plan};
pub use probe::{LOOKS_WITH, check};
pub use record::{Failure, Last, Record, Rest, State};
pub use report::{Change, Difference, difference, markdown};
pub use version::{Range, Version, version_in};
