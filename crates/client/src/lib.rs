//! Typed client of the supervisor's local API, and the one way to start a supervisor by hand.
//! It shows what the supervisor says and adds nothing: no retry, no cache, no decision.

mod calls;
mod circleci;
mod cleanup;
mod doctor;
mod environment;
mod error;
mod events;
mod login;
mod machine;
mod preinstall;
mod sse;
mod start;

pub use calls::{Client, Detail, HistoryQuery, LogQuery, LogSearchQuery};
pub use doctor::{ExamineError, findings};
pub use error::ClientError;
pub use login::{LoginError, disable_at_login, enable_at_login, login_state};
pub use start::{StartError, Started, start_supervisor};
