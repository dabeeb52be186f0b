//! What jobs need, looked at and installed. Tools run as child processes with their output in a file, so
//! that no client that ends, and no supervisor that dies, breaks off what they do. One installation at a
//! time; each thing is on disk before it is done.

mod calls;
mod kept;
mod lists;
mod look;
mod rights;
mod run;
mod shown;
mod whose;

pub(crate) use calls::PreinstallCall;
#[cfg(test)]
pub(crate) use kept::save;
pub(crate) use run::Preinstalling;
pub(crate) use whose::{of_job_user, of_owner};
