//! The history summed up by days or by hours, for charts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /v1/history/days?from=&to=&tz=&runner=`: each local day from `from` to `to`, both included,
/// those without a task too; at most 800. `GET /v1/history/hours?day=&tz=&runner=`: each hour of one
/// day, of which there are 23 or 25 where the clocks change. Dates are `2026-11-24`, `tz` is an IANA
/// name; without it the supervisor's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HistorySpans {
    /// The time zone's IANA name, where it has one.
    pub tz: Option<String>,
    /// In the order of time.
    pub spans: Vec<HistorySpan>,
}

/// The tasks that ended in one day or hour. Of a task that runs over midnight each day lends its part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HistorySpan {
    /// The local day, `2026-11-24`.
    pub day: String,
    /// The hour it begins in by the local clock, 0 to 23; absent for a whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub hour: Option<u8>,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub from: Timestamp,
    /// The first moment that is no longer part of it.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub to: Timestamp,
    pub tasks: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub cancelled: u32,
    pub lost: u32,
    /// Over, and nothing tells how.
    pub unknown: u32,
    /// In seconds; absent where no task ended.
    pub median_seconds: Option<f64>,
    /// In seconds; absent where no task ended.
    pub longest_seconds: Option<f64>,
    /// Seconds in which a task ran, summed over runners; a task that runs now is not counted yet.
    pub lent_seconds: f64,
}
