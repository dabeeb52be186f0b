//! A runner that writes too much, and worse than text, where a variant asks for it. It must never
//! stop: who is beside it has to live with that.

use std::time::{Duration, Instant};

use crate::stderr;
use crate::variant::{Noise, Variant};

use super::spans::Log;

/// As much as is written at once.
const PIECE: usize = 64 << 10;
const BETWEEN: Duration = Duration::from_millis(50);

/// All at once, as quickly as it can be written or as the variant says.
pub(super) fn gush(variant: &Variant) {
    let piece = bytes(variant.noise, PIECE.min(variant.gush_bytes));
    let begun = Instant::now();
    let mut left = variant.gush_bytes;
    while left > 0 {
        let length = left.min(piece.len());
        stderr::write(&piece[..length]);
        left -= length;
        if let Some(rate) = variant.gush_rate {
            let written = (variant.gush_bytes - left) as u64;
            let due = Duration::from_micros(written.saturating_mul(1_000_000) / u64::from(rate));
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
}

/// A part at a time, as long as the runner lives.
pub(super) fn go_on(variant: &Variant, log: &Log) {
    if variant.noise_bytes == 0 {
        return;
    }
    let (write, piece) = (log.copier(), bytes(variant.noise, variant.noise_bytes));
    std::thread::spawn(move || {
        loop {
            write(&piece);
            std::thread::sleep(BETWEEN);
        }
    });
}

fn bytes(kind: Noise, length: usize) -> Vec<u8> {
    let repeated = |text: &[u8]| text.iter().copied().cycle().take(length).collect();
    match kind {
        Noise::Lines if length < PIECE => {
            format!("noise {}\n", "~".repeat(length.saturating_sub(7))).into_bytes()
        }
        Noise::Lines => {
            repeated(format!("noise {}\n", "~".repeat(57)).as_bytes())
        }
        Noise::Endless => repeated(b"~"),
        Noise::Binary => every_kind(length),
        // A title, a clipboard, a wiped screen, a bell, a cursor elsewhere, an escape cut short.
        Noise::Escapes => repeated(
            b"\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x07\x1b[2J\x1b[31m\x07\r\x08\x1b[1;1Hescapes\x1b[8m\x1bP\x9b31m\x1b[\n",
        ),
    }
}

/// Bytes that look random and are the same each time (xorshift).
fn every_kind(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}
