//! The names things go by, each its own type so that none is mistaken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(
        "'{0}' cannot be a runner's name: use letters, digits and . ( ) - _ only, at most 128 of them"
    )]
    Runner(String),
    #[error(
        "'{0}' is not a resource class: write NAMESPACE/NAME as CircleCI shows it, for example acme/macos"
    )]
    ResourceClass(String),
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        $(#[$doc])*
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type!(
    /// A runner's name, unique on this machine: letters, digits and `. ( ) - _`
    /// (the characters CircleCI's configuration reference allows in `runner.name`).
    #[serde(try_from = "String")]
    RunnerName
);
text_type!(
    /// `namespace/name`, as CircleCI shows it.
    #[serde(try_from = "String")]
    ResourceClass
);
text_type!(
    /// One life of one agent; the name of its run directory, and sortable by start.
    RunId
);
text_type!(
    /// One task of one run: `<run>.<n>`.
    TaskId
);

impl TryFrom<String> for RunnerName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".()-_".contains(c);
        // The name is also a path component of ours.
        let dots_only = text.chars().all(|c| c == '.');
        if dots_only || text.len() > 128 || !text.chars().all(allowed) {
            return Err(NameError::Runner(text));
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for ResourceClass {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let namespace = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        let name = |c: char| c.is_ascii_alphanumeric() || ":_+-".contains(c);
        let good = text.split_once('/').is_some_and(|(left, right)| {
            !left.is_empty()
                && !right.is_empty()
                && left.chars().all(namespace)
                && right.chars().all(name)
        });
        if good { Ok(Self(text)) } else { Err(NameError::ResourceClass(text)) }
    }
}

impl std::str::FromStr for RunnerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl std::str::FromStr for ResourceClass {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl From<&str> for RunId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&str> for TaskId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl TaskId {
    /// The `n`-th task of `run`, counted from 1.
    pub fn new(run: &RunId, n: u32) -> Self {
        Self(format!("{run}.{n}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_runner_name_takes_the_documented_characters_and_no_others() {
        for good in ["mac-mini-01", "Mac_mini.(2)", "a"] {
            assert!(good.parse::<RunnerName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "mac mini", "a/b", "mäc", "a\n", &"x".repeat(129)] {
            assert!(bad.parse::<RunnerName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_resource_class_has_a_namespace_and_a_name() {
        for good in ["acme/macos", "a_b-1/M1:x+y_z"] {
            assert!(good.parse::<ResourceClass>().is_ok(), "{good}");
        }
        for bad in ["", "acme", "/macos", "acme/", "Acme/macos", "acme/mac.os", "acme/a/b"] {
            assert!(bad.parse::<ResourceClass>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused_when_read() {
        assert!(serde_json::from_str::<RunnerName>("\"../x\"").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_a_name_is_one_component_of_a_path(text in "\\PC{0,140}|[a-z./()_ -]{0,20}") {
            if let Ok(name) = text.parse::<RunnerName>() {
                let path = std::path::Path::new(name.as_str());
                prop_assert_eq!(path.components().count(), 1);
                prop_assert_eq!(path.file_name(), Some(path.as_os_str()));
            }
            let _ = text.parse::<ResourceClass>();
        }

        #[test]
        fn no_snapshot_makes_its_reader_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            number in "-?[0-9]{1,30}([eE][0-9]{1,4})?",
        ) {
            let _ = serde_json::from_slice::<crate::Snapshot>(&bytes);
            let text = format!("{{\"revision\":{number},\"runners\":[{number}],\"problems\":[]}}");
            let _ = serde_json::from_str::<crate::Snapshot>(&text);
        }
    }
}
