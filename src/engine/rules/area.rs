//! The optional integral of a tier: points beyond the limit, summed over time. A deep fall alarms sooner
//! than a shallow one. It counts while the tier's delay runs: suspended with it, reset with it.

use crate::vocabulary::Moment;
use std::time::Duration;

/// Hundredths of a point times microseconds in one point-second.
const POINT_SECOND: u64 = 100 * 1_000_000;

/// What has been summed up in one violation. Exact: whole hundredths of a point, whole microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    sum: u64,
    /// Hundredths of a point beyond the limit since `counted`; zero while nothing is summed up.
    depth: u64,
    counted: Moment,
}

impl Area {
    /// From now on the value lies this many hundredths beyond the limit.
    pub(super) fn goes_on(&mut self, now: Moment, depth: u64) {
        self.stops(now);
        self.depth = depth;
    }

    /// No value from now on.
    pub(super) fn stops(&mut self, now: Moment) {
        let micros = u64::try_from(now.since(self.counted).as_micros()).unwrap_or(u64::MAX);
        self.sum = self.sum.saturating_add(self.depth.saturating_mul(micros));
        self.counted = now;
        self.depth = 0;
    }

    /// When `point_seconds` are reached if nothing changes; in the past or now, if they are.
    pub(super) fn reaches(&self, point_seconds: u64) -> Option<Moment> {
        let left = point_seconds
            .saturating_mul(POINT_SECOND)
            .saturating_sub(self.sum);
        if left == 0 {
            return Some(self.counted);
        }
        let micros = (self.depth > 0).then(|| left.div_ceil(self.depth))?;
        Some(self.counted.after(Duration::from_micros(micros)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_point_seconds_are_ten_of_one_point_or_four_of_two_and_a_half() {
        for (depth, micros) in [
            (100, 10_000_000),
            (250, 4_000_000),
            (300, 3_333_334),
            (1, 1_000_000_000),
        ] {
            let mut area = Area::default();
            area.goes_on(Moment::ZERO, depth);
            assert_eq!(area.reaches(10), Some(Moment::from_micros(micros)));
        }
        assert_eq!(Area::default().reaches(10), None, "at the limit itself");
    }

    #[test]
    fn looking_more_often_changes_nothing_and_a_gap_counts_nothing() {
        let mut often = Area::default();
        for second in 0..=3 {
            often.goes_on(Moment::from_secs(second), 200);
        }
        let mut once = Area::default();
        once.goes_on(Moment::ZERO, 200);
        assert_eq!(often.reaches(10), once.reaches(10));
        often.stops(Moment::from_secs(4));
        assert_eq!(often.reaches(10), None);
        often.goes_on(Moment::from_secs(20), 100);
        assert_eq!(often.reaches(10), Some(Moment::from_secs(22)));
        assert_eq!(often.reaches(8), Some(Moment::from_secs(20)));
    }
}
