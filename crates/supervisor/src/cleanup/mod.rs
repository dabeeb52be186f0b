//! Clean-up, carried out: working directories, presets, plans and receipts. What is removed is in a plan
//! that was shown or could have been; the work is done by the keeper's program in processes of their
//! own, as the user whose things they are. One at a time.

mod around;
mod begun;
mod calls;
mod helper;
mod job;
mod left;
mod locks;
mod look;
mod plan;
mod run;
mod shown;
mod task;
mod trash;
mod work_dirs;

pub(crate) use around::{Chosen, lock_of, no_tasks_own};
#[cfg(test)]
pub(crate) use begun::{read as read_begun, save as save_begun};
pub(crate) use calls::CleanupCall;
#[cfg(test)]
pub(crate) use helper::Lines;
pub(crate) use run::{Cleaning, Ended};
#[cfg(test)]
pub(crate) use shown::empty_receipt;
pub(crate) use task::write;
pub(crate) use trash::Swept;
pub(crate) use work_dirs::{Folder, Sizes};
