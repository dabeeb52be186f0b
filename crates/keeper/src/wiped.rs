//! Memory that held a secret and is overwritten before it is given back, so that no core file and
//! no later reader of this process finds it.

use std::hint::black_box;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// Text that may be secret. No Debug.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// For who needs it as it is, such as an exec that replaces this memory.
    pub(crate) fn into_text(mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        overwrite(&mut std::mem::take(&mut self.0).into_bytes());
    }
}

/// Bytes that may be secret, up to a limit: a buffer that grew would leave copies behind.
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    pub(crate) fn up_to(limit: usize) -> Self {
        Self(Vec::with_capacity(limit))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.0.capacity() - self.0.len() {
            return Err(io::Error::other("more than any environment holds"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        overwrite(&mut self.0);
    }
}

/// The compiler may not leave it out, since for all it knows somebody looks.
pub(crate) fn overwrite(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}
