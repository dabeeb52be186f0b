//! Chance that can be repeated: `SplitMix64` (Steele, Lea and Flood, 2014).

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

pub(crate) struct Chance(u64);

/// std seeds every `RandomState` from the system's randomness.
pub(crate) fn any_seed() -> u64 {
    RandomState::new().hash_one(0) >> 16
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Often soon, now and then late: what goes wrong does so shortly after something else.
    pub(crate) fn moment(&mut self, longest: Duration) -> Duration {
        let mut share = 1_000_000;
        for _ in 0..2 {
            share = self.below(share + 1);
        }
        longest * u32::try_from(share).unwrap_or_default() / 1_000_000
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let at = self.below(all.len() as u64);
        all[usize::try_from(at).unwrap_or_default()]
    }
}
