//! A path that can be written down whatever bytes it has: JSON knows only text, file systems do not.

use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path; text where it is text, else a list of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(PathBuf);

impl Place {
    /// Whether it names something below where it is taken from, and cannot lead out: not empty, not
    /// absolute, no `..`.
    pub fn is_below(&self) -> bool {
        use std::path::Component;
        let mut parts = self.0.components().peekable();
        parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
    }
}

impl<P: Into<PathBuf>> From<P> for Place {
    fn from(path: P) -> Self {
        Self(path.into())
    }
}

impl Deref for Place {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// As a person may read it: what is no text, and what would break a line, is escaped.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_os_str().as_bytes().utf8_chunks() {
            for char in chunk.valid().chars() {
                if char.is_control() {
                    write!(f, "{}", char.escape_default())?;
                } else {
                    write!(f, "{char}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes { bytes: Vec<u8> },
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => Written::Text(text.into()).serialize(serializer),
            None => Written::Bytes { bytes: self.0.as_os_str().as_bytes().to_vec() }
                .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(text) => Self(text.into_owned().into()),
            Written::Bytes { bytes } => Self(OsString::from_vec(bytes).into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_written_down_and_read_back() {
        for bytes in [&b"plain"[..], b"new\nline", b"\xff\xfe/x", "B\u{fc}cher".as_bytes()] {
            let place = Place::from(OsString::from_vec(bytes.to_vec()));
            let json = serde_json::to_string(&place).unwrap();
            assert_eq!(serde_json::from_str::<Place>(&json).unwrap(), place, "{json}");
        }
        assert_eq!(Place::from(OsString::from_vec(b"a\n\xff".to_vec())).to_string(), "a\\n\\xff");
    }

    #[test]
    fn what_leads_out_is_not_below() {
        for out in ["", "/", "/a", "..", "a/../b", "a/.."] {
            assert!(!Place::from(out).is_below(), "{out}");
        }
        assert!(Place::from("a/b").is_below());
    }
}
