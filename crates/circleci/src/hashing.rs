//! SHA-256 on a thread of its own, so that who reads or writes the bytes need not wait for it.

use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

use sha2::{Digest, Sha256};

/// Pieces that may wait to be hashed; with them the memory is bounded.
const WAITING: usize = 4;

pub(crate) struct Hashing {
    pieces: SyncSender<(Vec<u8>, usize)>,
    /// Pieces that were hashed, to be filled again.
    used: Receiver<Vec<u8>>,
    thread: JoinHandle<String>,
}

impl Hashing {
    pub(crate) fn start() -> io::Result<Self> {
        let (pieces, to_hash) = sync_channel::<(Vec<u8>, usize)>(WAITING);
        let (give_back, used) = channel();
        let thread = thread::Builder::new().name("sha256".to_owned()).spawn(move || {
            let mut hash = Sha256::new();
            for (piece, length) in to_hash {
                hash.update(&piece[..length]);
                // Nobody may want it any more.
                let _ = give_back.send(piece);
            }
            hex::encode(hash.finalize())
        })?;
        Ok(Self { pieces, used, thread })
    }

    /// A piece of `size` bytes to be filled.
    pub(crate) fn empty(&mut self, size: usize) -> Vec<u8> {
        self.used.try_recv().unwrap_or_else(|_| vec![0; size])
    }

    /// The first `length` bytes of it are the next to be hashed.
    pub(crate) fn add(&mut self, piece: Vec<u8>, length: usize) {
        // The thread ends only after this sender does, or by a panic that `end` tells of.
        let _ = self.pieces.send((piece, length));
    }

    /// 64 lower-case hex digits.
    pub(crate) fn end(self) -> io::Result<String> {
        drop(self.pieces);
        self.thread.join().map_err(|_| io::Error::other("the hash could not be computed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_all_pieces_in_their_order() {
        let mut hashing = Hashing::start().unwrap();
        let mut whole = Vec::new();
        for number in 0..50_u8 {
            let mut piece = hashing.empty(1000);
            piece.fill(number);
            let length = 900 + usize::from(number);
            whole.extend(&piece[..length]);
            hashing.add(piece, length);
        }
        assert_eq!(hashing.end().unwrap(), hex::encode(Sha256::digest(whole)));
    }
}
