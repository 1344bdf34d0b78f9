//! How much may be written, and whether what was written is being played. Pure arithmetic on moments.

use super::tone::SAMPLE_RATE;
use crate::vocabulary::Moment;
use std::time::Duration;

/// How far ahead of real time we write: more than a round of the sound thread, less than the 50 ms that
/// keep a cue within 250 ms of its first sample.
const LEAD: Duration = Duration::from_millis(45);

/// How late we may be and still catch up: the buffer of the default player. What is later than that
/// was a gap already, and writing it now would only delay what follows.
const CATCH_UP: Duration = Duration::from_millis(100);

/// How long a player may take nothing although something waits.
const STALL: Duration = Duration::from_millis(500);

/// How long a player may take to open its device before it takes the first byte.
const OPENING: Duration = Duration::from_secs(2);

/// Holds the samples written against real time.
#[derive(Debug)]
pub(super) struct Pace {
    origin: Moment,
    written: u64,
}

impl Pace {
    pub(super) const fn starting(now: Moment) -> Self {
        Self {
            origin: now,
            written: 0,
        }
    }

    /// Samples that may be written now. A delay beyond what can be caught up is forgotten.
    pub(super) fn room(&mut self, now: Moment) -> usize {
        let due = |until: Duration| {
            let micros = u64::try_from(until.as_micros()).unwrap_or(u64::MAX);
            micros.saturating_mul(u64::from(SAMPLE_RATE)) / 1_000_000
        };
        if due(now.since(self.origin)) > self.written.saturating_add(due(CATCH_UP)) {
            *self = Self::starting(now);
        }
        let due = due(now.since(self.origin).saturating_add(LEAD));
        usize::try_from(due.saturating_sub(self.written)).unwrap_or(usize::MAX)
    }

    /// Counts what was written.
    pub(super) const fn wrote(&mut self, samples: usize) {
        self.written = self.written.saturating_add(samples as u64);
    }
}

/// What the player's appetite says about its health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appetite {
    /// Nothing wrong so far, but less than a second was taken.
    Unproven,
    /// It took a second of sound and goes on taking.
    Proven,
    /// Something waits and it takes nothing.
    Stalled,
}

/// Watches what a player takes.
#[derive(Debug)]
pub(super) struct Consumption {
    taken: u64,
    moved: Moment,
}

impl Consumption {
    pub(super) const fn starting(now: Moment) -> Self {
        Self {
            taken: 0,
            moved: now,
        }
    }

    /// Judges: `taken` samples were taken by the player so far, `waiting` are ready for it.
    pub(super) fn judge(&mut self, now: Moment, taken: u64, waiting: u64) -> Appetite {
        if taken > self.taken || waiting == 0 {
            self.taken = taken;
            self.moved = now;
        }
        let patience = if self.taken == 0 { OPENING } else { STALL };
        if now.since(self.moved) > patience {
            Appetite::Stalled
        } else if self.taken >= u64::from(SAMPLE_RATE) {
            Appetite::Proven
        } else {
            Appetite::Unproven
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(milliseconds: u64) -> Moment {
        Moment::from_micros(milliseconds * 1_000)
    }

    proptest! {
        /// However irregularly the thread runs, it is never more than 50 ms ahead, and on a regular
        /// schedule it is never behind.
        #[test]
        fn never_more_than_fifty_milliseconds_ahead(
            pauses in prop::collection::vec(0_u64..400, 1..200),
        ) {
            let mut pace = Pace::starting(at(0));
            let (mut now, mut written) = (0, 0);
            for pause in pauses {
                now += pause;
                let room = pace.room(at(now));
                prop_assert!(room <= 48 * 240);
                pace.wrote(room);
                written += room as u64;
                prop_assert!(written <= 48 * (now + 50));
            }
        }
    }

    #[test]
    fn a_regular_thread_writes_what_is_played() {
        let mut pace = Pace::starting(at(0));
        for round in 0..1_000 {
            let room = pace.room(at(round * 30));
            assert_eq!(room, if round == 0 { 48 * 45 } else { 48 * 30 });
            pace.wrote(room);
        }
    }

    #[test]
    fn a_long_delay_is_not_written_afterwards() {
        let mut pace = Pace::starting(at(0));
        let room = pace.room(at(0));
        pace.wrote(room);
        assert_eq!(pace.room(at(3_600_000)), 48 * 45);
    }

    #[test]
    fn a_player_that_takes_nothing_has_stalled_after_half_a_second() {
        let mut consumption = Consumption::starting(at(0));
        for millisecond in (0..=1_100).step_by(20) {
            let verdict = consumption.judge(at(millisecond), millisecond * 48, 960);
            let proven = millisecond >= 1_000;
            let expected = if proven {
                Appetite::Proven
            } else {
                Appetite::Unproven
            };
            assert_eq!(verdict, expected, "{millisecond}");
        }
        let taken = 1_100 * 48;
        assert_eq!(consumption.judge(at(1_600), taken, 960), Appetite::Proven);
        assert_eq!(consumption.judge(at(1_601), taken, 960), Appetite::Stalled);
    }

    #[test]
    fn a_player_may_take_two_seconds_to_open_its_device_but_not_more() {
        let mut consumption = Consumption::starting(at(0));
        assert_eq!(consumption.judge(at(2_000), 0, 2_000), Appetite::Unproven);
        assert_eq!(consumption.judge(at(2_001), 0, 2_000), Appetite::Stalled);
    }

    #[test]
    fn an_empty_queue_is_not_a_stall() {
        let mut consumption = Consumption::starting(at(0));
        consumption.judge(at(20), 960, 0);
        assert_eq!(consumption.judge(at(9_000), 960, 0), Appetite::Unproven);
    }
}
