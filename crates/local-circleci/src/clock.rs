//! The wall clock of these three programs, read here and nowhere else.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

#[expect(clippy::disallowed_methods, reason = "the stand-in's processes own their clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Time of day in the process's own zone (`TZ` first), as the runner's log lines carry it.
pub(crate) fn local_now() -> ZonedDateTime {
    now().to_zoned_datetime(TimeZone::system())
}

/// As CircleCI's logs write a moment: UTC, whole seconds.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
