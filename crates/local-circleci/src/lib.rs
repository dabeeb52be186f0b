//! An offline stand-in for CircleCI: server, machine runner and task agent, for the demo and the
//! tests. It must never listen on, or speak to, anything but the loopback interface, and it does
//! only what CircleCI documents; where nothing is documented it is switchable ([`Variant`]).

pub mod agent;
mod clock;
pub mod control;
mod go_duration;
mod http;
mod odd;
mod platform;
mod private_file;
mod random;
pub mod runner;
mod server;
mod stderr;
mod task;
mod variant;
mod wire;

pub use control::{Control, NewTask, Outcome, Step, Task, TaskNumber, TaskState, UserApi};
pub use http::ApiError;
pub use private_file::replace as replace_private_file;
pub use server::{Server, ServerOptions, ServerProcess, TokenSource, sibling};
pub use variant::{AgentStderr, Argv, LogFormat, Session, StartOffline, Variant, VariantError};

/// A stable id for anything with a name, in the shape of a UUID.
fn id_of(name: &str) -> String {
    use sha2::{Digest, Sha256};
    let hex = hex::encode(Sha256::digest(name));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}
