//! The wall clock, for names and deadlines of pauses; what waits uses a monotonic one.

use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "a trial is the owner of its clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
