//! Finding a token in text without having it: a mark of it lies on disk, the token never.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What stands where the token stood.
const REDACTED: &[u8] = b"[token]";
const BASE: u64 = 0x0100_0000_01b3;

/// Length, rolling hash and SHA-256 of a token. The rolling hash finds candidates in one pass, the
/// SHA-256 confirms them, so nothing else is ever replaced. Made for tokens of an API, which are
/// long and random: of a short password it would give too much away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenMark {
    len: usize,
    rolling: u64,
    sha256: String,
}

impl TokenMark {
    pub fn of(token: &str) -> Self {
        let token = token.as_bytes();
        Self { len: token.len(), rolling: rolling(token), sha256: sha256(token) }
    }

    /// The text with every token in it replaced by `[token]`.
    pub fn redact<'text>(&self, text: &'text [u8]) -> Cow<'text, [u8]> {
        let mut clean = Vec::new();
        let mut from = 0;
        while let Some(at) = self.find(text, from) {
            clean.extend_from_slice(text.get(from..at).unwrap_or_default());
            clean.extend_from_slice(REDACTED);
            from = at + self.len;
        }
        if from == 0 {
            return Cow::Borrowed(text);
        }
        clean.extend_from_slice(text.get(from..).unwrap_or_default());
        Cow::Owned(clean)
    }

    /// Copies text of any length, redacted, in little memory.
    pub fn copy_redacted(&self, mut from: impl Read, mut to: impl Write) -> io::Result<()> {
        let mut held: Vec<u8> = Vec::new();
        let mut chunk = vec![0_u8; 64 * 1024];
        loop {
            let read = match from.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            held.extend_from_slice(chunk.get(..read).unwrap_or_default());
            // What could be the beginning of a token stays until it is known how it goes on.
            let clean = self.redact(&held).into_owned();
            let keep = self.len.saturating_sub(1).min(clean.len());
            let (done, rest) = clean.split_at(clean.len() - keep);
            to.write_all(done)?;
            held = rest.to_vec();
        }
        to.write_all(&held)
    }

    /// Where the first token at or after `from` begins.
    fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let window = text.get(from..from.checked_add(self.len)?)?;
        if self.len == 0 {
            return None;
        }
        let out = BASE.wrapping_pow(u32::try_from(self.len - 1).ok()?);
        let mut hash = rolling(window);
        let mut at = from;
        loop {
            let window = text.get(at..at + self.len)?;
            if hash == self.rolling && sha256(window) == self.sha256 {
                return Some(at);
            }
            let (old, new) = (text.get(at)?, text.get(at + self.len)?);
            hash = hash.wrapping_sub(u64::from(*old).wrapping_mul(out));
            hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(*new));
            at += 1;
        }
    }
}

fn rolling(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |hash, byte| hash.wrapping_mul(BASE).wrapping_add(u64::from(*byte)))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
