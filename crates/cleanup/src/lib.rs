//! What tasks leave behind on a disk: measured, planned, removed.
//!
//! It must never delete a thing that was not named: a removal is a list of entries below roots that
//! were given ([`Root`]), made by a pure function ([`plan`]), carried out through handles of folders
//! ([`remove`]), never through a link and never across a mount. A dry run is the same list. What is
//! in use is told by a lock that is held, never by age.
//!
//! ```text
//! Root::given(path)          canonical, and refused where it is too much
//!   -> survey                what lies in it: size, newest use, owner
//!   -> plan(rules)           an explicit list, with bytes and a reason each
//!   -> remove::set_aside     all names are free at once; may be put back
//!   -> Aside::delete         parallel; a Receipt
//! ```
//!
//! What the owner chooses is a [`preset`].

mod choose;
mod in_use;
mod marks;
mod measure;
mod names;
mod place;
mod plan;
mod pool;
pub mod preset;
pub mod put_back;
mod receipt;
pub mod remove;
mod roots;
mod stop;
mod survey;
mod trash;
mod tree;
mod whose;
mod why;
pub mod work;

pub use choose::{Candidate, Goal, Rule, plan};
pub use in_use::{InUse, in_use};
pub use measure::{Size, measure, measure_all};
pub use place::Place;
pub use plan::{Item, Plan, PlannedRoot};
pub use receipt::{Fate, ItemReceipt, Receipt, VolumeReceipt};
pub use roots::{Root, RootError};
pub use stop::{Progress, Stop};
pub use survey::{Survey, glance, survey};
pub use trash::{Batch, TRASH, is_trash};
pub use whose::{before, is_from_before, left_by, note};
pub use why::{Failure, Why, quoted};
