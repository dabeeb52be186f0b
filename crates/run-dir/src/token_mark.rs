//! Finding a token in text without having it: a mark of it lies on disk, the token never. It must
//! never show a piece of a token, however the text was cut up before it came here.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::ops::Range;

use memchr::memmem;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::cover::{Cover, Covers};

/// What stands where the token stood.
const REDACTED: &[u8] = b"[token]";
/// What stands where half a token may have stood whose other half is not there to tell.
const HIDDEN: &[u8] = b"[hidden]";
/// Shorter pieces tell next to nothing of a token, and hiding them would cost words.
const TELLING: usize = 8;
const BASE: u64 = 0x0100_0000_01b3;

/// Length, rolling hash and SHA-256 of a token. The rolling hash finds candidates in one pass, the
/// SHA-256 confirms them, so nothing else is ever taken for it. Made for tokens of an API, which are
/// long and random: of a short password it would give too much away.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
pub struct TokenMark {
    #[serde(deserialize_with = "length_of_a_token")]
    len: usize,
    rolling: u64,
    sha256: String,
    /// It has no bytes but those of a `token68` (RFC 9110, section 11.2). Not known of a mark that an
    /// older release wrote.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plain: bool,
}

/// Marks of the same token are the same, whichever release wrote them.
impl PartialEq for TokenMark {
    fn eq(&self, other: &Self) -> bool {
        (self.len, self.rolling, &self.sha256) == (other.len, other.rolling, &other.sha256)
    }
}

/// Far beyond any token. A mark that says more was not made by us, and nothing is read by it.
const LONGEST: usize = 1 << 20;

fn length_of_a_token<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let length = usize::deserialize(from)?;
    if length > LONGEST {
        return Err(D::Error::custom(format!("no token has {length} bytes")));
    }
    Ok(length)
}

impl TokenMark {
    pub fn of(token: &str) -> Self {
        let token = token.as_bytes();
        Self {
            len: token.len(),
            rolling: rolling(token),
            sha256: sha256(token),
            plain: token.iter().copied().all(is_plain),
        }
    }

    /// How many bytes on both sides of a part of a text have to be known for that part to be shown.
    pub fn context(&self) -> usize {
        self.len.saturating_mul(2).min(1 << 20)
    }

    /// How many bytes at the end of a text that still grows may be the beginning of a token. What
    /// comes next tells; until then they are to be held back.
    pub fn may_begin(&self, text: &[u8]) -> usize {
        self.run_before(text, text.len())
    }

    /// The text with every token in it replaced by `[token]`.
    pub fn redact<'text>(&self, text: &'text [u8]) -> Cow<'text, [u8]> {
        let covers = self.covers(text, &[]);
        if covers.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(covers.shown(text, 0..text.len()))
    }

    /// What of a text must not be seen. The text is [`Self::context`] longer on both sides than the
    /// part that is to be shown, or ends where there is no more; `edges` are places in it where
    /// something may be missing.
    pub fn covers(&self, text: &[u8], edges: &[usize]) -> Covers {
        let mut covers: Vec<Cover> =
            self.tokens(text).into_iter().map(|at| self.token(at)).collect();
        let fill = self.fill();
        if self.len >= TELLING {
            covers.extend(memmem::find_iter(text, &fill).map(|at| self.token(at)));
        }
        let spanned = |edge: usize| {
            let across = |cover: &Cover| cover.hides.start < edge && edge < cover.hides.end;
            covers.iter().any(across)
        };
        // Where a whole token is, nothing was missing.
        let edges: Vec<usize> = edges.iter().copied().filter(|edge| !spanned(*edge)).collect();
        for edge in edges {
            let (before, after) = (self.run_before(text, edge), self.run_after(text, edge));
            for hides in [edge - before..edge, edge..edge + after] {
                if hides.len() >= TELLING {
                    covers.push(Cover { hides, shows: HIDDEN });
                }
            }
        }
        Covers::new(covers)
    }

    /// Copies text of any length in little memory. Each token in it is covered by as many other
    /// bytes, so that all else keeps its place. Gives how many bytes there were.
    pub fn copy_covered(&self, mut from: impl Read, mut to: impl Write) -> io::Result<u64> {
        let fill = self.fill();
        // What was written already stays before the rest, for as long as a token may reach back.
        let (mut held, mut written) = (Vec::new(), 0);
        let mut copied = 0;
        let mut chunk = vec![0_u8; 64 * 1024];
        loop {
            let read = match from.read(&mut chunk) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            held.extend_from_slice(chunk.get(..read).unwrap_or_default());
            copied += read as u64;
            let keep = if read == 0 { 0 } else { self.context() };
            let done = held.len().saturating_sub(keep).max(written);
            let covers = self.covers(&held, &[]);
            to.write_all(&covers.filled(&held, written..done, &fill))?;
            if read == 0 {
                return Ok(copied);
            }
            let gone = done.saturating_sub(self.context());
            held.drain(..gone);
            written = done - gone;
        }
    }

    /// As long as the token.
    fn fill(&self) -> Vec<u8> {
        let mut fill = if self.len < REDACTED.len() { Vec::new() } else { REDACTED.to_vec() };
        fill.resize(self.len, b'*');
        fill
    }

    fn token(&self, at: usize) -> Cover {
        Cover { hides: at..at + self.len, shows: REDACTED }
    }

    /// Where tokens begin, those too that lie partly in one another, first to last.
    fn tokens(&self, text: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(run) = self.next_run(text, from) {
            from = run.end;
            self.tokens_in(text, run, &mut found);
        }
        found
    }

    /// The next stretch that is long enough for a token and has no byte that a token cannot have.
    /// Passes over other text without looking at each byte of it.
    fn next_run(&self, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        if self.len == 0 {
            return None;
        }
        loop {
            let window = text.get(from..from.checked_add(self.len)?)?;
            if !self.plain {
                return Some(from..text.len());
            }
            if let Some(other) = window.iter().rposition(|byte| !is_plain(*byte)) {
                from += other + 1;
                continue;
            }
            let more = text.get(from + self.len..).unwrap_or_default();
            let more = more.iter().take_while(|byte| is_plain(**byte)).count();
            return Some(from..from + self.len + more);
        }
    }

    fn tokens_in(&self, text: &[u8], run: Range<usize>, found: &mut Vec<usize>) {
        let out = u32::try_from(self.len - 1).map_or(0, |times| BASE.wrapping_pow(times));
        let run_text = text.get(run.clone()).unwrap_or_default();
        let (mut hash, mut before) = (0_u64, None);
        for (at, window) in run_text.windows(self.len).enumerate() {
            hash = match before {
                None => rolling(window),
                Some(old) => {
                    let new = u64::from(window.last().copied().unwrap_or_default());
                    hash.wrapping_sub(u64::from(old).wrapping_mul(out))
                        .wrapping_mul(BASE)
                        .wrapping_add(new)
                }
            };
            before = window.first().copied();
            if hash == self.rolling && sha256(window) == self.sha256 {
                found.push(run.start + at);
            }
        }
    }

    /// How many bytes right before `edge` may be the first part of a token.
    fn run_before(&self, text: &[u8], edge: usize) -> usize {
        let before = text.get(..edge).unwrap_or_default().iter().rev();
        before.take(self.len.saturating_sub(1)).take_while(|byte| self.may_hold(**byte)).count()
    }

    /// How many bytes from `edge` on may be the last part of a token.
    fn run_after(&self, text: &[u8], edge: usize) -> usize {
        let after = text.get(edge..).unwrap_or_default().iter();
        after.take(self.len.saturating_sub(1)).take_while(|byte| self.may_hold(**byte)).count()
    }

    /// A token has no white space and no control characters in it; the supervisor stores no such.
    fn may_hold(&self, byte: u8) -> bool {
        if self.plain { is_plain(byte) } else { byte > b' ' && byte != 0x7f }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
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
