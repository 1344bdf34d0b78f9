//! The cuff: which of the pairs that stand in every record is a new reading, and when it was taken.
//!
//! A monitor repeats the last pair in every record, for hours. Promises: a repeat keeps the time under
//! which it was first told; a pair whose time nobody can know (older than a minute when first seen) is
//! `old`, never a reading: it may be another patient's.

use super::basic::Group;
use crate::observation::DeviceTime;

/// Label bit: measuring now.
pub(super) const MEASURING: u16 = 1 << 5;
/// Label bit: calibrating.
pub(super) const CALIBRATING: u16 = 1 << 7;
/// Label bit: the reading is older than 60 s.
pub(super) const OLDER_THAN_60_S: u16 = 1 << 8;

/// A pair that is not old by its bit ended at most a minute ago. Half a minute more for slow records.
const NOT_OLD_MS: i64 = 90_000;

/// What the cuff has to say in one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cuff {
    /// It measures now.
    Measuring,
    /// It calibrates now.
    Calibrating,
    /// The last measurement ended without numbers.
    Failed,
    /// The pair of this measurement, new or repeated.
    Reading(DeviceTime),
    /// A pair of unknown age.
    Old,
    /// No pair.
    None,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    numbers: [i16; 4],
    /// `None`: nobody knows.
    taken_at: Option<DeviceTime>,
    old: bool,
}

/// What was seen of the cuff. Kept over a reconnect: the same pair is still the same reading.
#[derive(Debug, Default)]
pub(super) struct CuffMemory {
    pair: Option<Pair>,
    /// A measurement was seen and its result was not.
    measuring: bool,
    failed: bool,
    /// The time in the auxiliary subrecord.
    stated: Option<DeviceTime>,
}

impl CuffMemory {
    /// The link was lost: what happened meanwhile is not known.
    pub(super) fn reopened(&mut self) {
        self.measuring = false;
    }

    /// The exact time of the last reading, from the auxiliary subrecord.
    pub(super) fn stated(&mut self, at: DeviceTime) {
        self.stated = Some(at);
    }

    /// Judges the cuff group of the record that was sent at `now`. `has_numbers`: a pair stands in it.
    pub(super) fn judge(&mut self, group: &Group<4>, has_numbers: bool, now: DeviceTime) -> Cuff {
        if group.label & MEASURING != 0 {
            self.measuring = true;
            self.failed = false;
            return Cuff::Measuring;
        }
        if group.label & CALIBRATING != 0 {
            return Cuff::Calibrating;
        }
        let measured = std::mem::take(&mut self.measuring);
        if !has_numbers {
            self.failed |= measured;
            return if self.failed {
                Cuff::Failed
            } else {
                Cuff::None
            };
        }
        self.failed = false;

        let old = group.label & OLDER_THAN_60_S != 0;
        let taken_at = match self.pair {
            Some(pair) if pair.numbers == group.values => {
                // The same numbers are a new reading only if they are fresh again.
                let fresh_again = measured
                    || pair.old
                    || pair
                        .taken_at
                        .is_none_or(|taken| now.millis_since(taken) > NOT_OLD_MS);
                if !old && fresh_again {
                    Some(self.time_of_new(now))
                } else {
                    pair.taken_at
                }
            }
            // New numbers: taken just now if they say so or if we saw them being taken.
            Some(_) | None if !old || measured => Some(self.time_of_new(now)),
            Some(_) | None => None,
        };
        self.pair = Some(Pair {
            numbers: group.values,
            taken_at,
            old,
        });
        taken_at.map_or(Cuff::Old, Cuff::Reading)
    }

    /// The time of a reading that is seen for the first time: the stated one if it can belong to it,
    /// else the record's.
    fn time_of_new(&self, now: DeviceTime) -> DeviceTime {
        let before = self.pair.and_then(|pair| pair.taken_at);
        self.stated
            .filter(|at| (0..=NOT_OLD_MS).contains(&now.millis_since(*at)))
            .filter(|at| before.is_none_or(|before| at.millis_since(before) > 0))
            .unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> DeviceTime {
        DeviceTime::civil(second * 1_000)
    }

    fn group(sys: i16, label: u16) -> Group<4> {
        Group {
            status: 3,
            label,
            values: [sys, 4_800, 6_900, super::super::basic::INVALID],
        }
    }

    fn told(memory: &mut CuffMemory, at: i64, sys: i16, label: u16) -> Cuff {
        memory.judge(&group(sys, label), true, second(at))
    }

    #[test]
    fn a_repeat_keeps_its_time_and_a_new_reading_gets_its_own() {
        let mut memory = CuffMemory::default();
        let first = Cuff::Reading(second(0));
        assert_eq!(told(&mut memory, 0, 9_300, 0), first);
        assert_eq!(told(&mut memory, 33, 9_300, 0), first);
        assert_eq!(told(&mut memory, 61, 9_300, OLDER_THAN_60_S), first);
        assert_eq!(told(&mut memory, 9_999, 9_300, OLDER_THAN_60_S), first);
        // The same numbers again, measured anew.
        let measuring = MEASURING | OLDER_THAN_60_S;
        assert_eq!(told(&mut memory, 10_000, 9_300, measuring), Cuff::Measuring);
        assert_eq!(
            told(&mut memory, 10_040, 9_300, 0),
            Cuff::Reading(second(10_040))
        );
        // Measured again within a minute, and the same numbers once more.
        assert_eq!(told(&mut memory, 10_050, 9_300, MEASURING), Cuff::Measuring);
        assert_eq!(
            told(&mut memory, 10_080, 9_300, 0),
            Cuff::Reading(second(10_080))
        );
        // A measurement that was not seen, other numbers.
        assert_eq!(
            told(&mut memory, 10_200, 9_400, 0),
            Cuff::Reading(second(10_200))
        );
        // The old bit went down unseen, the same numbers.
        assert_eq!(
            told(&mut memory, 10_400, 9_400, 0),
            Cuff::Reading(second(10_400))
        );
    }

    #[test]
    fn a_measurement_given_up_brings_no_new_reading() {
        let mut memory = CuffMemory::default();
        assert_eq!(told(&mut memory, 0, 9_300, 0), Cuff::Reading(second(0)));
        let first = told(&mut memory, 100, 9_300, OLDER_THAN_60_S);
        assert_eq!(told(&mut memory, 110, 9_300, MEASURING), Cuff::Measuring);
        assert_eq!(told(&mut memory, 120, 9_300, OLDER_THAN_60_S), first);
        // Ended without numbers: failed until the next one, and the old pair stays what it was.
        let none = group(9_300, 0);
        assert_eq!(told(&mut memory, 130, 9_300, MEASURING), Cuff::Measuring);
        assert_eq!(memory.judge(&none, false, second(140)), Cuff::Failed);
        assert_eq!(memory.judge(&none, false, second(145)), Cuff::Failed);
        assert_eq!(told(&mut memory, 150, 9_300, OLDER_THAN_60_S), first);
    }

    #[test]
    fn a_pair_of_unknown_age_is_old() {
        let mut memory = CuffMemory::default();
        assert_eq!(told(&mut memory, 0, 9_300, OLDER_THAN_60_S), Cuff::Old);
        assert_eq!(told(&mut memory, 5, 9_300, OLDER_THAN_60_S), Cuff::Old);
        // After a gap: other numbers that are already old.
        assert_eq!(told(&mut memory, 900, 9_500, OLDER_THAN_60_S), Cuff::Old);
        // A slow measurement whose minute began with the inflation.
        let measuring = MEASURING | OLDER_THAN_60_S;
        assert_eq!(told(&mut memory, 905, 9_500, measuring), Cuff::Measuring);
        let slow = told(&mut memory, 980, 9_700, OLDER_THAN_60_S);
        assert_eq!(slow, Cuff::Reading(second(980)));
        // A link lost while measuring proves nothing.
        assert_eq!(told(&mut memory, 990, 9_700, measuring), Cuff::Measuring);
        memory.reopened();
        assert_eq!(told(&mut memory, 2_000, 9_900, OLDER_THAN_60_S), Cuff::Old);
    }

    #[test]
    fn a_stated_time_is_taken_once_and_only_for_a_new_reading() {
        let mut memory = CuffMemory::default();
        memory.stated(second(95));
        assert_eq!(told(&mut memory, 100, 9_300, 0), Cuff::Reading(second(95)));
        memory.stated(second(95));
        assert_eq!(told(&mut memory, 150, 9_300, 0), Cuff::Reading(second(95)));
        assert_eq!(told(&mut memory, 160, 9_400, 0), Cuff::Reading(second(160)));
        // Stated late: the reading keeps the time it has.
        memory.stated(second(158));
        assert_eq!(told(&mut memory, 165, 9_400, 0), Cuff::Reading(second(160)));
        assert_eq!(told(&mut memory, 200, 9_500, 0), Cuff::Reading(second(200)));
    }
}
