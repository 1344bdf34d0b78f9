//! The cuff: which answer is a new reading, and when it was taken.
//!
//! The monitor tells the seconds since a reading and no clock, so the time is worked out with ours when the
//! reading is first seen, and kept for every repeat. Over a restart of the daemon it is worked out anew and
//! may differ by the rounding of a second.

use crate::observation::DeviceTime;
use crate::vocabulary::{Moment, Now};
use std::time::Duration;

/// The age that stands for *no reading*.
const NO_READING: u32 = 9_999;
/// Ages stop counting here.
const OLDEST: u32 = 5_400;
/// A reading whose worked-out time is later than the known one's by more than this is another one.
const ANOTHER: Duration = Duration::from_secs(10);

/// One answer of the cuff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 busy, 1 done, above 2 failed.
    pub(super) state: u32,
    /// Seconds since the determination.
    pub(super) age: u32,
    /// Systolic, diastolic, mean, mmHg.
    pub(super) pressures: [u32; 3],
}

/// What the cuff has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cuff {
    /// It measures now; the numbers beside it are the former reading's.
    Measuring,
    /// The last attempt failed.
    Failed,
    /// A reading, new or repeated, and when it was taken.
    Reading(DeviceTime),
    /// Nothing was measured yet, or a state without a known meaning.
    None,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    pressures: [u32; 3],
    age: u32,
    taken: Moment,
    at: DeviceTime,
}

/// The last reading seen. Kept over a reconnect: told again, it is still the same reading.
#[derive(Debug, Default)]
pub(super) struct CuffMemory {
    known: Option<Known>,
}

impl CuffMemory {
    /// Judges one answer.
    pub(super) fn judge(&mut self, answer: &Answer, now: Now) -> Cuff {
        match answer.state {
            0 => return Cuff::Measuring,
            1 => {}
            2 => return Cuff::None,
            _ => return Cuff::Failed,
        }
        if answer.age >= NO_READING || answer.pressures.contains(&0) {
            return Cuff::None;
        }
        let ago = i64::from(answer.age) * 1_000_000;
        let taken = now.moment.offset(-ago);
        let known = self.known.filter(|known| {
            let later = taken.since(known.taken) > ANOTHER && answer.age < OLDEST;
            known.pressures == answer.pressures && answer.age >= known.age && !later
        });
        let known = Known {
            age: answer.age,
            ..known.unwrap_or(Known {
                pressures: answer.pressures,
                age: answer.age,
                taken,
                at: utc(now.wall.as_millis().saturating_sub(ago / 1_000)),
            })
        };
        self.known = Some(known);
        Cuff::Reading(known.at)
    }

    /// When the last reading was taken.
    pub(super) fn taken_at(&self) -> Option<DeviceTime> {
        self.known.map(|known| known.at)
    }
}

/// A time of our own clock.
pub(super) const fn utc(millis: i64) -> DeviceTime {
    DeviceTime {
        civil_ms: millis,
        offset_min: Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::WallTime;

    fn at(second: u64) -> Now {
        Now {
            moment: Moment::from_secs(second),
            wall: WallTime::from_millis(i64::try_from(second).unwrap() * 1_000),
        }
    }

    fn told(memory: &mut CuffMemory, second: u64, state: u32, age: u32, sys: u32) -> Cuff {
        let pressures = [sys, 80, 95];
        memory.judge(
            &Answer {
                state,
                age,
                pressures,
            },
            at(second),
        )
    }

    fn taken(second: i64) -> Cuff {
        Cuff::Reading(utc(second * 1_000))
    }

    #[test]
    fn a_reading_keeps_its_time_however_often_it_is_told() {
        let mut memory = CuffMemory::default();
        assert_eq!(told(&mut memory, 1_000, 1, 30, 120), taken(970));
        assert_eq!(told(&mut memory, 1_002, 1, 32, 120), taken(970));
        // A second's rounding is no new reading.
        assert_eq!(told(&mut memory, 1_004, 1, 33, 120), taken(970));
        assert_eq!(told(&mut memory, 1_100, 0, 130, 120), Cuff::Measuring);
        // The attempt fails: the former reading stays what it was.
        assert_eq!(told(&mut memory, 1_130, 3, 160, 120), Cuff::Failed);
        assert_eq!(told(&mut memory, 1_132, 1, 162, 120), taken(970));
        // The same numbers, measured anew.
        assert_eq!(told(&mut memory, 1_200, 1, 2, 120), taken(1_198));
        assert_eq!(told(&mut memory, 1_202, 1, 4, 131), taken(1_198));
        // The count stops at its end and the reading grows no younger.
        assert_eq!(told(&mut memory, 6_700, 1, 5_400, 131), taken(1_198));
        assert_eq!(told(&mut memory, 9_000, 1, 5_400, 131), taken(1_198));
    }

    #[test]
    fn a_reading_taken_while_the_line_was_away_is_a_new_one() {
        let mut memory = CuffMemory::default();
        assert_eq!(told(&mut memory, 1_000, 1, 30, 120), taken(970));
        assert_eq!(told(&mut memory, 2_000, 1, 400, 120), taken(1_600));
    }

    #[test]
    fn without_a_reading_there_is_none() {
        let mut memory = CuffMemory::default();
        assert_eq!(told(&mut memory, 1, 1, NO_READING, 120), Cuff::None);
        assert_eq!(told(&mut memory, 1, 1, 5, 0), Cuff::None);
        assert_eq!(told(&mut memory, 1, 2, 5, 120), Cuff::None);
        assert_eq!(memory.taken_at(), None);
    }
}
