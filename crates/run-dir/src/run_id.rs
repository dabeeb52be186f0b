//! Names of runs and numbers of tasks, as they are on disk.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One run of an agent, e.g. `20261123T181047.123Z-4f2a9c`: the time it was planned (UTC) and six
/// random digits. Sorts by that time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// A new id for a run planned at `at`.
    pub fn new(at: Timestamp) -> Self {
        let at = at.strftime("%Y%m%dT%H%M%S%.3fZ");
        // std seeds every RandomState from the system's randomness: enough to tell two runs of one
        // millisecond apart, and nothing depends on it being secret.
        let random = RandomState::new().hash_one(0) & 0xff_ffff;
        Self(format!("{at}-{random:06x}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = String;

    /// Accepts what can be the name of a run's folder: digits, letters, `.` and `-`, not starting
    /// with a dot.
    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let ok = text.starts_with(|c: char| c.is_ascii_digit())
            && text.len() <= 64
            && text.chars().all(fits);
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is not the name of a run"))
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A task of a run, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskNumber(pub u32);

impl fmt::Display for TaskNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TaskNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
