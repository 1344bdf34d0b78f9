//! Moments on the engine's clock and on the wall.
//!
//! Durations are always taken between [`Moment`]s (CLOCK_BOOTTIME in the daemon, simulated time in
//! `judge` and in tests). [`WallTime`] is for people and for the record, never for a timer.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment on a clock that never runs backwards, in microseconds since that clock's zero.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The clock's zero.
    pub const ZERO: Self = Self(0);

    /// The moment `micros` microseconds after zero.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment `seconds` seconds after zero.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since zero.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment `span` later; the last representable moment when it does not fit.
    pub fn after(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)),
        )
    }

    /// The moment `micros` microseconds away, earlier when negative; saturating at both ends.
    pub const fn offset(self, micros: i64) -> Self {
        Self(self.0.saturating_add_signed(micros))
    }

    /// Microseconds from `other` to this moment, negative when `other` is later; saturating.
    pub fn micros_from(self, other: Self) -> i64 {
        let apart = i64::try_from(self.0.abs_diff(other.0)).unwrap_or(i64::MAX);
        if self < other { -apart } else { apart }
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime(i64);

impl WallTime {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// RFC 3339 in UTC with milliseconds, as the journal's views print it.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(stamp) => format!("{stamp:.3}"),
            Err(_) => format!("@{}ms", self.0),
        }
    }
}

/// One reading of both clocks, taken together by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// For durations and deadlines.
    pub moment: Moment,
    /// For the record and for stamps in messages that we send.
    pub wall: WallTime,
}

impl Now {
    /// The wall clock at another moment near this one, if it did not step in between.
    pub fn wall_at(self, moment: Moment) -> WallTime {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        WallTime(
            self.wall
                .0
                .saturating_add(millis(moment.since(self.moment)))
                .saturating_sub(millis(self.moment.since(moment))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_saturate_instead_of_wrapping() {
        let early = Moment::from_secs(5);
        let late = early.after(Duration::from_millis(2_500));
        assert_eq!(late.since(early), Duration::from_millis(2_500));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(
            Moment::from_micros(u64::MAX)
                .after(Duration::MAX)
                .as_micros(),
            u64::MAX
        );
    }

    #[test]
    fn wall_time_prints_milliseconds_in_utc() {
        assert_eq!(
            WallTime::from_millis(1_532_624_765_000).rfc3339(),
            "2018-07-26T17:06:05.000Z"
        );
    }
}
