//! Noise that is a function of (seed, channel, time): the same seed gives the same session, at any
//! speed and in any order of asking.

use std::time::Duration;

/// A source of reproducible noise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    seed: u64,
}

impl Noise {
    /// The noise of this seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A value in −1 to 1 that wanders smoothly: drawn anew every `period` (longer than a
    /// millisecond), with an S-curve between two draws.
    pub(super) fn wander(self, channel: u64, at: Duration, period: Duration) -> f64 {
        let period = millis(period).max(1);
        let at = millis(at);
        let (index, rest) = (at / period, at % period);
        let part = ratio(rest, period);
        let (from, to) = (self.draw(channel, index), self.draw(channel, index + 1));
        from + (to - from) * ease(part)
    }

    /// A value in −1 to 1 for one index.
    pub(super) fn draw(self, channel: u64, index: u64) -> f64 {
        let word = mix(mix(self.seed ^ mix(channel)).wrapping_add(index));
        ratio(word >> 33, 1 << 30) - 1.0
    }
}

/// An S-curve from 0 to 1.
pub(super) fn ease(part: f64) -> f64 {
    let x = part.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// `part / whole` for numbers below 2³²; larger ones are taken as the largest.
fn ratio(part: u64, whole: u64) -> f64 {
    let small = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    small(part) / small(whole)
}

/// The finalizer of splitmix64 (Steele, Lea and Flood 2014) on the next state.
const fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_fill_their_range_and_average_to_nothing() {
        let noise = Noise::new(7);
        let draws: Vec<f64> = (0..10_000).map(|index| noise.draw(3, index)).collect();
        assert!(draws.iter().all(|draw| (-1.0..=1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw > 0.99));
        assert!(draws.iter().any(|draw| *draw < -0.99));
        let mean: f64 = draws.iter().sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
    }

    #[test]
    fn seeds_and_channels_are_independent_and_repeatable() {
        let at = Duration::from_millis(12_345);
        let period = Duration::from_secs(10);
        let one = Noise::new(1);
        assert!((one.wander(1, at, period) - Noise::new(1).wander(1, at, period)).abs() == 0.0);
        assert!((one.wander(1, at, period) - one.wander(2, at, period)).abs() > 1e-6);
        assert!((one.wander(1, at, period) - Noise::new(2).wander(1, at, period)).abs() > 1e-6);
    }

    #[test]
    fn wandering_has_no_jumps() {
        let noise = Noise::new(99);
        let period = Duration::from_secs(10);
        let mut last = noise.wander(0, Duration::ZERO, period);
        for step in 1..600 {
            let next = noise.wander(0, Duration::from_millis(step * 100), period);
            assert!((next - last).abs() < 0.05);
            last = next;
        }
    }
}
