//! The only reader of clocks.
//!
//! Durations follow CLOCK_BOOTTIME, which goes on while the machine sleeps; the wall clock is for
//! people and for the record. A [`Clock`] is a small copyable value: the real one, or one that runs
//! faster (the demo).

use crate::vocabulary::{Moment, Now, WallTime};
use std::time::Duration;

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    speed: u32,
    origin: Now,
    offset_us: i64,
}

impl Clock {
    /// The machine's clocks.
    pub fn real() -> Self {
        Self {
            speed: 1,
            origin: read(),
            offset_us: 0,
        }
    }

    /// The machine's clocks with the moment `offset_us` microseconds from CLOCK_BOOTTIME: engine time
    /// never falls, so after a reboot it goes on from the last record (engine.md 1).
    pub fn continuing(offset_us: i64) -> Self {
        Self {
            offset_us,
            ..Self::real()
        }
    }

    /// Clocks that start at the machine's time and run `speed` times as fast (at least once).
    pub fn sped_up(speed: u32) -> Self {
        Self {
            speed: speed.max(1),
            origin: read(),
            offset_us: 0,
        }
    }

    /// How many times faster than the machine's clocks this one runs.
    pub const fn speed(&self) -> u32 {
        self.speed
    }

    /// Both clocks, now.
    pub fn now(&self) -> Now {
        let real = read();
        if self.speed == 1 {
            return Now {
                moment: real.moment.offset(self.offset_us),
                wall: real.wall,
            };
        }
        let run = real
            .moment
            .since(self.origin.moment)
            .saturating_mul(self.speed);
        let run_ms = i64::try_from(run.as_millis()).unwrap_or(i64::MAX);
        Now {
            moment: self.origin.moment.after(run),
            wall: WallTime::from_millis(self.origin.wall.as_millis().saturating_add(run_ms)),
        }
    }

    /// How long the machine has to wait until this clock shows `moment`; zero when it is past.
    pub fn real_wait(&self, until: Moment) -> Duration {
        until.since(self.now().moment) / self.speed
    }
}

/// Notices steps of the wall clock: it and CLOCK_BOOTTIME are compared at each call.
#[derive(Debug, Default)]
pub struct StepWatch {
    last: Option<Now>,
}

/// A wall clock that moves against CLOCK_BOOTTIME by more than this was set, not disciplined.
const STEP: Duration = Duration::from_secs(2);

impl StepWatch {
    /// Milliseconds by which the wall clock stepped since the call before, if it did.
    pub fn look(&mut self, now: Now) -> Option<i64> {
        let last = self.last.replace(now)?;
        let step = now
            .wall
            .as_millis()
            .saturating_sub(last.wall_at(now.moment).as_millis());
        (step.unsigned_abs() > u64::try_from(STEP.as_millis()).unwrap_or(u64::MAX)).then_some(step)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads clocks")]
fn read() -> Now {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(boot.tv_sec).unwrap_or(0);
    let micros = u64::try_from(boot.tv_nsec / 1_000).unwrap_or(0);
    let wall = jiff::Timestamp::now();
    Now {
        moment: Moment::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros)),
        wall: WallTime::from_millis(wall.as_millisecond()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_wall_clock_is_seen_once() {
        let mut watch = StepWatch::default();
        let at = |seconds: u64, wall: i64| Now {
            moment: Moment::from_secs(seconds),
            wall: WallTime::from_millis(wall),
        };
        assert_eq!(watch.look(at(1, 1_000)), None);
        assert_eq!(watch.look(at(2, 2_100)), None);
        assert_eq!(watch.look(at(3, 3_603_100)), Some(3_600_000));
        assert_eq!(watch.look(at(4, 3_604_100)), None);
        assert_eq!(watch.look(at(5, 5_100)), Some(-3_600_000));
    }

    #[test]
    fn a_faster_clock_never_runs_backwards_and_waits_less() {
        let clock = Clock::sped_up(20);
        let first = clock.now();
        let second = clock.now();
        assert!(second.moment >= first.moment);
        let wait = clock.real_wait(first.moment.after(Duration::from_secs(20)));
        assert!(wait <= Duration::from_secs(1));
    }
}
