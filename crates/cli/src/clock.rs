//! The one place of runnerctl that reads the clock, in the machine's own time zone.

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

#[expect(clippy::disallowed_methods, reason = "one process, one command, one reading of the clock")]
pub(crate) fn now() -> ZonedDateTime {
    // A fixed moment for the tests, in builds that are for tests.
    #[cfg(debug_assertions)]
    if let Some(fixed) = std::env::var("RUNNER_TRAY_NOW").ok().and_then(|text| text.parse().ok()) {
        let fixed: jiff::Timestamp = fixed;
        return fixed.to_zoned_datetime(TimeZone::system());
    }
    jiff::Timestamp::now().to_zoned_datetime(TimeZone::system())
}
