//! Kinds of what is not as it should be at a release server, by the names that the control API and the
//! command line use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Enums whose words are their serde names.
macro_rules! kinds {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $kind:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$doc])* $kind,)*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$kind),*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$kind => $word,)*
                })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|kind| kind.to_string() == text);
                let words = || Self::ALL.iter().map(ToString::to_string).collect::<Vec<_>>();
                found.copied().ok_or_else(|| format!("{text:?} is none of: {}", words().join(", ")))
            }
        }
    };
}

kinds! {
    /// What is shown to clients that come by https.
    Certificate {
        Good = "good",
        Expired = "expired",
        /// Signed by an authority that nobody trusts.
        Stranger = "stranger",
        OtherName = "other-name",
    }
}

kinds! {
    /// An archive that is no agent's, or more than that.
    OddArchive {
        NotGzip = "not-gzip",
        Empty = "empty",
        CutShort = "cut-short",
        /// The agent lies in a folder.
        Elsewhere = "elsewhere",
        Twice = "twice",
        /// A file at `../`.
        Parent = "parent",
        Absolute = "absolute",
        Symlink = "symlink",
        Hardlink = "hardlink",
        Device = "device",
        Fifo = "fifo",
        Sparse = "sparse",
        /// An agent that is said to be a terabyte long.
        HugeSize = "huge-size",
        /// A file whose name is gigabytes long.
        LongName = "long-name",
        /// Gigabytes beside the agent.
        Bomb = "bomb",
        ManyEntries = "many-entries",
    }
}

kinds! {
    OddManifest {
        NotJson = "not-json",
        OtherShape = "other-shape",
        /// Nothing for this machine.
        OtherPlatform = "other-platform",
        Huge = "huge",
        Deep = "deep",
        WrongHash = "wrong-hash",
        NoHash = "no-hash",
        /// The archive lies behind plain http on another machine.
        InTheClear = "in-the-clear",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        for odd in OddArchive::ALL {
            assert_eq!(serde_json::json!(odd), odd.to_string());
            assert_eq!(odd.to_string().parse(), Ok(*odd));
        }
        for odd in OddManifest::ALL {
            assert_eq!(serde_json::json!(odd), odd.to_string());
        }
        for certificate in Certificate::ALL {
            assert_eq!(serde_json::json!(certificate), certificate.to_string());
        }
        assert!("none".parse::<OddArchive>().unwrap_err().contains("symlink"));
    }
}
