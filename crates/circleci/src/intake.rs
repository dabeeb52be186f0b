//! Takes an archive's bytes as they come and does all that is to be done with them at once, on two
//! threads: one keeps them for a later try and hashes them, the other unpacks. What it makes is not
//! to be trusted before the hash is known.

use std::{
    fs::File,
    io::{self, BufRead, Read, Write},
    path::Path,
    thread,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::unpack::{UnpackError, unpack};

/// Pieces on their way to each thread; with them the memory is bounded.
const WAITING: usize = 8;
const PIECE: usize = 256 << 10;

pub(crate) struct Intake {
    /// Bytes that are here.
    pub(crate) length: u64,
    pieces: mpsc::Sender<Bytes>,
    kept: oneshot::Receiver<io::Result<String>>,
    unpacked: oneshot::Receiver<Result<String, UnpackError>>,
}

/// What came of it.
pub(crate) struct Taken {
    /// The SHA-256 of all bytes in the file.
    pub(crate) sha256: io::Result<String>,
    /// The SHA-256 of the binary.
    pub(crate) binary: Result<String, UnpackError>,
}

impl Intake {
    /// Goes on from what the file `part` holds. `binary` is new, and at most `limit` bytes.
    pub(crate) fn start(part: &Path, binary: &Path, limit: u64) -> io::Result<Self> {
        let file = File::options().read(true).append(true).create(true).open(part)?;
        let length = file.metadata()?.len();
        let (pieces, to_keep) = mpsc::channel(WAITING);
        let (onward, to_unpack) = mpsc::channel(WAITING);
        let (was_kept, kept) = oneshot::channel();
        let (was_unpacked, unpacked) = oneshot::channel();
        let binary = binary.to_owned();
        thread::Builder::new().name("keep".to_owned()).spawn(move || {
            let _ = was_kept.send(keep(file, to_keep, &onward));
        })?;
        thread::Builder::new().name("unpack".to_owned()).spawn(move || {
            let archive = Pieces { pieces: to_unpack, now: Bytes::new() };
            let _ = was_unpacked.send(unpack(archive, &binary, limit));
        })?;
        Ok(Self { length, pieces, kept, unpacked })
    }

    /// False where no more is taken: the disk said no, and [`Self::end`] says why.
    pub(crate) async fn take(&mut self, piece: Bytes) -> bool {
        self.length += piece.len() as u64;
        self.pieces.send(piece).await.is_ok()
    }

    /// Waits until both threads are done with what they were given.
    pub(crate) async fn end(self) -> Taken {
        drop(self.pieces);
        let gone = || io::Error::other("it ended in the middle of its work");
        Taken {
            sha256: self.kept.await.unwrap_or_else(|_| Err(gone())),
            binary: self.unpacked.await.unwrap_or_else(|_| Err(UnpackError::Io(gone()))),
        }
    }
}

/// What was there before is hashed and unpacked like what comes.
fn keep(
    mut file: File,
    mut pieces: mpsc::Receiver<Bytes>,
    onward: &mpsc::Sender<Bytes>,
) -> io::Result<String> {
    let mut hash = Sha256::new();
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        (&file).take(PIECE as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            break;
        }
        hash.update(&piece);
        // Who unpacks ends early at the archive's end, or where it refuses the archive.
        let _ = onward.blocking_send(piece.into());
    }
    while let Some(piece) = pieces.blocking_recv() {
        let _ = onward.blocking_send(piece.clone());
        file.write_all(&piece)?;
        hash.update(&piece);
    }
    Ok(hex::encode(hash.finalize()))
}

/// The pieces, read one after the other.
struct Pieces {
    pieces: mpsc::Receiver<Bytes>,
    now: Bytes,
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.now.is_empty() {
            let Some(next) = self.pieces.blocking_recv() else { break };
            self.now = next;
        }
        Ok(&self.now)
    }

    fn consume(&mut self, length: usize) {
        let _ = self.now.split_to(length);
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.now[..length]);
        self.consume(length);
        Ok(length)
    }
}
