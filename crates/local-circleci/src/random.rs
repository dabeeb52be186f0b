//! Unguessable names from the operating system's random source.

use std::fs::File;
use std::io::{self, Read};

/// `bytes` random bytes as lower-case hex, so twice as many characters.
pub(crate) fn hex(bytes: usize) -> io::Result<String> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(hex::encode(buffer))
}

/// A random (version 4) UUID.
pub(crate) fn uuid() -> io::Result<String> {
    let hex = hex(16)?;
    let variant = ["8", "9", "a", "b"][usize::from(hex.as_bytes()[16] & 3)];
    Ok(format!(
        "{}-{}-4{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    ))
}
