//! A record: one JSON document in one file, with a version, read back as what it is.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{block, read_at_most};

/// The version of the contract that this build writes. A change that an older reader would
/// misunderstand raises it; a new field that it may ignore does not.
pub const VERSION: u32 = 1;

/// What a record file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<T> {
    /// There is no such file.
    Absent,
    /// Reserved, and not written yet.
    Blank,
    Written(T),
    /// It cannot be read or understood, and why. Something may have happened.
    Unreadable(String),
    /// Written by a later release, with this version of the contract.
    Newer(u32),
}

impl<T> Record<T> {
    /// The content, if it is there and understood.
    pub fn written(self) -> Option<T> {
        match self {
            Self::Written(content) => Some(content),
            Self::Absent | Self::Blank | Self::Unreadable(_) | Self::Newer(_) => None,
        }
    }

    pub fn as_ref(&self) -> Record<&T> {
        match self {
            Self::Absent => Record::Absent,
            Self::Blank => Record::Blank,
            Self::Written(content) => Record::Written(content),
            Self::Unreadable(why) => Record::Unreadable(why.clone()),
            Self::Newer(version) => Record::Newer(*version),
        }
    }

    /// Whether it is certain that nothing was written: absent or blank.
    pub fn is_unwritten(&self) -> bool {
        matches!(self, Self::Absent | Self::Blank)
    }
}

/// The content of a record file. Each is found in one fixed file of a run or task folder.
pub(crate) trait Content: Serialize + DeserializeOwned {
    /// Name of the file.
    const FILE: &'static str;
    /// Bytes kept free for it.
    const RESERVED: usize = 4096;
}

pub(crate) fn read<T: Content>(folder: &Path) -> Record<T> {
    let path = folder.join(T::FILE);
    match read_at_most(&path, LONGEST) {
        Ok(bytes) => parse(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Record::Absent,
        Err(error) => Record::Unreadable(format!("{}: {error}", path.display())),
    }
}

/// Longer than any record.
const LONGEST: u64 = 1 << 20;

pub(crate) fn parse<T: Content>(bytes: &[u8]) -> Record<T> {
    let unreadable = |why: String| Record::Unreadable(format!("{}: {why}", T::FILE));
    // A file that was created and not yet filled is as blank as one full of spaces. Zero bytes are
    // what some file systems leave of a block that was allocated but not written at a power cut.
    if bytes.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0)) {
        return Record::Blank;
    }
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return unreadable(error.to_string()),
    };
    let Some(version) = value.get("version").and_then(Value::as_u64) else {
        return unreadable("it has no version".to_owned());
    };
    if version > u64::from(VERSION) {
        return Record::Newer(u32::try_from(version).unwrap_or(u32::MAX));
    }
    match serde_json::from_value(value) {
        Ok(content) => Record::Written(content),
        Err(error) => unreadable(error.to_string()),
    }
}

/// Writes the record in place, into what was reserved for it, and makes it durable.
pub(crate) fn write<T: Content>(folder: &Path, content: &T) -> io::Result<()> {
    let path = folder.join(T::FILE);
    block::fill(&path, &encode(content)?, T::RESERVED).map_err(|error| named(&path, &error))
}

/// As [`write`], for what tells of processes alone: none of them outlives a power cut, so nobody
/// waits for the disk.
pub(crate) fn tell<T: Content>(folder: &Path, content: &T) -> io::Result<()> {
    let path = folder.join(T::FILE);
    let told = block::put(&path, &encode(content)?, T::RESERVED);
    told.map(drop).map_err(|error| named(&path, &error))
}

fn encode<T: Content>(content: &T) -> io::Result<Vec<u8>> {
    let mut value = serde_json::to_value(content)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("version".to_owned(), VERSION.into());
    }
    Ok(serde_json::to_vec(&value)?)
}

/// Takes the space for the record, and blanks it; durable.
pub(crate) fn reserve<T: Content>(folder: &Path) -> io::Result<()> {
    let path = folder.join(T::FILE);
    block::reserve(&path, T::RESERVED).map_err(|error| named(&path, &error))
}

/// As [`reserve`], for what [`tell`] writes: the space counts as taken from the write on, whenever it
/// comes to the disk.
pub(crate) fn make_room<T: Content>(folder: &Path) -> io::Result<()> {
    let path = folder.join(T::FILE);
    block::put(&path, &[], T::RESERVED).map(drop).map_err(|error| named(&path, &error))
}

/// Whether the record is blank and has its space.
pub(crate) fn has_room<T: Content>(folder: &Path) -> bool {
    let there = fs::metadata(folder.join(T::FILE));
    there.is_ok_and(|there| there.len() >= T::RESERVED as u64)
        && matches!(read::<T>(folder), Record::Blank)
}

/// The error again, with the path in front.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
