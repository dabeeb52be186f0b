//! Presets: what clean-up can do, as data, and one place that does it. It must never do what a draft
//! does not list: a dry run is the [`Draft`], and [`carry_out`] takes nothing but one.
//!
//! ```text
//! built_in(), own(table)       data: what it touches, why, its risk
//!   -> draft(choices, around)  a group for each: files as a Plan, all else as steps, notes in words
//!   -> carry_out(draft)        a Receipt for each plan, a StepReceipt for each step
//! ```
//!
//! [`fresh`] alone also stands for itself: a task's empty working directory, before it begins.

mod around;
mod ask;
mod carry_out;
mod choice;
mod data;
mod draft;
mod folders;
mod fresh;
mod goal;
mod own;
mod reading;
mod run;
mod steps;

pub use around::{Around, LeftOver, Platform, RunnerAround};
pub use ask::program_of;
pub use carry_out::{Done, GroupDone, Undo, carry_out, sweep};
pub use choice::{Choice, Chosen, Limits, NotTaken};
pub use data::{
    Entries, Folders, OwnCommand, Preset, Question, Reading, Risk, Tool, What, When, built_in, find,
};
pub use draft::{Detail, Draft, Group, draft};
pub use fresh::{FreshError, Freshened, fresh};
pub use goal::{FREE_SPACE, FreeGoal};
pub(crate) use goal::{are_met, missed};
pub use own::{PresetError, own};
pub use run::{End, Printed};
pub use steps::{Act, Outcome, Step, StepReceipt};
