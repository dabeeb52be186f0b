//! The wall clock, for the times in records; what waits uses a monotonic one.

use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "each keeper process owns its clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
