//! Chance that repeats: the same seed gives the same numbers on every machine.
//!
//! xoshiro256++ is a published, portable generator; the numbers are drawn from it here and not by
//! a library's distributions, whose streams may change with a version.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng as _, SeedableRng as _};

/// A stream of chance.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Xoshiro256PlusPlus);

impl Chance {
    /// One of several independent streams of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut bytes = [0; 32];
        let words = [seed, stream, 0x9E37_79B9_7F4A_7C15, !seed];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        let mut chance = Self(Xoshiro256PlusPlus::from_seed(bytes));
        // Neighbouring seeds begin alike; a few rounds part them.
        for _ in 0..16 {
            chance.0.next_u64();
        }
        chance
    }

    /// A number below `end`; 0 where that is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True in `part` of a million cases.
    pub(crate) fn one_in_a_million(&mut self, part: u64) -> bool {
        self.below(1_000_000) < part
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, part: u64) -> bool {
        self.below(100) < part
    }

    /// One of these; `None` where there is none.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(index)
    }

    /// One of these, each as likely as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, from: &[(u64, T)]) -> Option<T> {
        let mut left = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, it) in from {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return Some(*it),
            }
        }
        None
    }

    /// A time with this mean, mostly shorter and sometimes much longer, as between events that know
    /// nothing of each other. Integers only: no machine's logarithm differs.
    pub(crate) fn gap(&mut self, mean: u64) -> u64 {
        // Each round ends it with one half; the sum of the rounds has twice the mean of one.
        let mut gap = self.below(mean + 1);
        while self.percent(50) && gap < mean * 8 {
            gap += self.below(mean + 1);
        }
        gap.max(1)
    }
}
