//! Cuff readings: every one of them once, however often a monitor repeats it.
//!
//! Two values belong to one reading when they come from one feed with one time of measurement by the device;
//! without such a time, the values and a change of the cuff's status tell readings apart (engine.md 3).

use super::model::CuffReading;
use crate::observation::{DeviceTime, Observation};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Phase, Reading};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Without a device's time, values of one reading arrive within this span.
const TOGETHER: Duration = Duration::from_secs(10);
/// Repeats of an older reading are recognised among this many readings of a feed.
const MOST_KNOWN: usize = 4_096;

/// What the cuff of a feed said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    /// Nothing, or that a measurement runs, or that there is none.
    #[default]
    Without,
    /// Values.
    Value,
    /// That it failed, with this time.
    Failed(Option<DeviceTime>),
}

#[derive(Debug, Default)]
struct Cuff {
    status: Status,
    /// The current reading of a device without times: its place, and when it began.
    current: Option<(usize, Moment)>,
    known: BTreeMap<DeviceTime, usize>,
    /// What was told again at this moment: another value of the same message may make it a new reading.
    again: Option<(Moment, Vec<(Parameter, Decimal)>)>,
}

/// Collects the cuff readings of every feed.
#[derive(Debug, Default)]
pub(super) struct Cuffs {
    cuffs: BTreeMap<usize, Cuff>,
    readings: Vec<CuffReading>,
}

/// Whether a cause says that a measurement was tried and gave nothing.
const fn is_failure(cause: Cause) -> bool {
    match cause {
        Cause::CuffFault
        | Cause::OutOfRange
        | Cause::Artefact
        | Cause::LowQuality
        | Cause::Zero
        | Cause::DeviceInvalid => true,
        Cause::ProbeOff
        | Cause::Searching
        | Cause::LowPerfusion
        | Cause::Measuring
        | Cause::NotAvailable
        | Cause::UnknownUnit
        | Cause::CodeMismatch
        | Cause::SensorMissing
        | Cause::SensorFault
        | Cause::Starting
        | Cause::Calibrating
        | Cause::Demo
        | Cause::Test
        | Cause::Setting
        | Cause::Withdrawn
        | Cause::Old => false,
    }
}

/// The value of a reading that belongs to this parameter.
fn value_of(reading: &mut CuffReading, parameter: Parameter) -> Option<&mut Option<Decimal>> {
    match parameter {
        Parameter::NibpSys => Some(&mut reading.sys),
        Parameter::NibpDia => Some(&mut reading.dia),
        Parameter::NibpMean => Some(&mut reading.mean),
        Parameter::NibpPr => Some(&mut reading.pr),
        Parameter::Hr
        | Parameter::Pr
        | Parameter::ArtPr
        | Parameter::Spo2
        | Parameter::Pi
        | Parameter::ArtSys
        | Parameter::ArtDia
        | Parameter::ArtMean
        | Parameter::Rr
        | Parameter::Etco2
        | Parameter::Temp => None,
    }
}

/// Where and when a value was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    /// The entry.
    pub seq: u64,
    /// Both clocks.
    pub now: Now,
    /// Its place among the minutes.
    pub minute: usize,
    /// The phase.
    pub phase: Phase,
    /// The feed and its place in the record.
    pub feed: (usize, &'a Arc<str>),
}

impl Cuffs {
    /// Takes one value, or the word that there is none.
    pub(super) fn take(&mut self, told: Told<'_>, parameter: Parameter, observation: &Observation) {
        match observation.reading {
            Reading::Valid(value) => self.value(told, parameter, observation, value, false),
            Reading::Questionable(value, _) => {
                self.value(told, parameter, observation, value, true);
            }
            Reading::Invalid(cause) => self.without(told, observation, cause),
        }
    }

    fn value(
        &mut self,
        told: Told<'_>,
        parameter: Parameter,
        observation: &Observation,
        value: Decimal,
        questionable: bool,
    ) {
        let cuff = self.cuffs.entry(told.feed.0).or_default();
        let place = match observation.measured_at {
            Some(time) => cuff.known.get(&time).copied(),
            None => cuff
                .current
                .filter(|_| cuff.status == Status::Value)
                .map(|(place, _)| place),
        };
        let began = cuff.current.map_or(told.now.moment, |(_, began)| began);
        let known = place.and_then(|place| self.readings.get_mut(place));
        if let Some(reading) = known
            && let Some(slot) = value_of(reading, parameter)
        {
            match *slot {
                Some(before) if before == value => {
                    // Each round of repeats is counted by its systolic value.
                    if parameter == Parameter::NibpSys {
                        reading.repeats = reading.repeats.saturating_add(1);
                    }
                    match &mut cuff.again {
                        Some((at, values)) if *at == told.now.moment => {
                            values.push((parameter, value));
                        }
                        other => *other = Some((told.now.moment, vec![(parameter, value)])),
                    }
                    return;
                }
                None if observation.measured_at.is_some()
                    || told.now.moment.since(began) <= TOGETHER =>
                {
                    *slot = Some(value);
                    reading.questionable |= questionable;
                    reading.cause = None;
                    cuff.status = Status::Value;
                    return;
                }
                // Another value of the same measurement, or a late one: never hidden in the first.
                Some(_) | None => {}
            }
        }
        let mut reading = Self::empty(told, observation);
        reading.questionable = questionable;
        if let Some(slot) = value_of(&mut reading, parameter) {
            *slot = Some(value);
        }
        let same_message = cuff
            .again
            .take()
            .filter(|(at, _)| *at == told.now.moment && observation.measured_at.is_none());
        for (parameter, value) in same_message.map(|(_, values)| values).unwrap_or_default() {
            if parameter == Parameter::NibpSys
                && let Some(before) = place.and_then(|place| self.readings.get_mut(place))
            {
                before.repeats = before.repeats.saturating_sub(1);
            }
            if let Some(slot) = value_of(&mut reading, parameter) {
                *slot = Some(value);
            }
        }
        cuff.status = Status::Value;
        self.add(told, observation, reading);
    }

    fn without(&mut self, told: Told<'_>, observation: &Observation, cause: Cause) {
        let cuff = self.cuffs.entry(told.feed.0).or_default();
        if !is_failure(cause) {
            cuff.status = Status::Without;
            return;
        }
        let time = observation.measured_at;
        let again = match cuff.status {
            Status::Failed(before) => time.is_none() || time == before,
            Status::Without | Status::Value => false,
        };
        // One value of a reading that has others may be missing.
        let partly = time.is_some_and(|time| cuff.known.contains_key(&time));
        if again || partly {
            return;
        }
        cuff.status = Status::Failed(time);
        let mut reading = Self::empty(told, observation);
        reading.cause = Some(cause);
        self.add(told, observation, reading);
    }

    fn empty(told: Told<'_>, observation: &Observation) -> CuffReading {
        CuffReading {
            seq: told.seq,
            at: told.now.wall.into(),
            minute: told.minute,
            measured_at: observation.measured_at.map(DeviceTime::iso8601),
            feed: Arc::clone(told.feed.1),
            phase: told.phase,
            sys: None,
            dia: None,
            mean: None,
            pr: None,
            cause: None,
            questionable: false,
            repeats: 0,
        }
    }

    fn add(&mut self, told: Told<'_>, observation: &Observation, reading: CuffReading) {
        let place = self.readings.len();
        let cuff = self.cuffs.entry(told.feed.0).or_default();
        cuff.current = Some((place, told.now.moment));
        if let Some(time) = observation.measured_at {
            if cuff.known.len() >= MOST_KNOWN {
                cuff.known.pop_first();
            }
            cuff.known.insert(time, place);
        }
        self.readings.push(reading);
    }

    /// Every reading, in the order in which they were received.
    pub(super) fn finish(self) -> Vec<CuffReading> {
        self.readings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::WallTime;

    fn told(seq: u64, second: u64, feed: &Arc<str>) -> Told<'_> {
        Told {
            seq,
            now: Now {
                moment: Moment::from_secs(second),
                wall: WallTime::from_millis(second.cast_signed() * 1_000),
            },
            minute: 0,
            phase: Phase::Infusion,
            feed: (0, feed),
        }
    }

    /// `(second, parameter, value or none, measured at)` one after the other.
    fn readings(rows: &[(u64, Parameter, Option<i64>, Option<i64>)]) -> Vec<CuffReading> {
        let feed: Arc<str> = "monitor".into();
        let mut cuffs = Cuffs::default();
        for (seq, (second, parameter, value, measured)) in (1..).zip(rows) {
            let reading = value.map_or(Reading::Invalid(Cause::CuffFault), |value| {
                Reading::Valid(Decimal::whole(value))
            });
            let mut observation = Observation::new(*parameter, reading);
            observation.measured_at = measured.map(|time| DeviceTime::civil(time * 1_000));
            cuffs.take(told(seq, *second, &feed), *parameter, &observation);
        }
        cuffs.finish()
    }

    use Parameter::{NibpDia, NibpSys};

    #[test]
    fn a_repeated_reading_counts_once() {
        let rows: Vec<_> = (0..60)
            .flat_map(|turn| {
                [
                    (turn * 10, NibpSys, Some(120), Some(7)),
                    (turn * 10, NibpDia, Some(80), Some(7)),
                ]
            })
            .chain([(700, NibpSys, Some(120), Some(99))])
            .collect();
        let found = readings(&rows);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].repeats, 59);
        assert_eq!(
            (found[0].sys, found[0].dia),
            (Some(Decimal::whole(120)), Some(Decimal::whole(80)))
        );
        assert_eq!(found[1].dia, None);
    }

    #[test]
    fn without_times_a_change_of_value_or_status_is_a_new_reading() {
        let found = readings(&[
            (0, NibpSys, Some(120), None),
            (0, NibpDia, Some(80), None),
            (60, NibpSys, Some(120), None),
            (60, NibpDia, Some(80), None),
            (300, NibpSys, Some(130), None),
            (300, NibpDia, Some(80), None),
            (600, NibpSys, None, None),
            (601, NibpSys, None, None),
            (700, NibpSys, Some(130), None),
        ]);
        let told: Vec<_> = found
            .iter()
            .map(|reading| {
                (
                    reading.seq,
                    reading.sys.map(Decimal::mantissa),
                    reading.cause,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, Some(120), None),
                (5, Some(130), None),
                (7, None, Some(Cause::CuffFault)),
                (9, Some(130), None)
            ]
        );
        assert_eq!(found[1].dia, Some(Decimal::whole(80)));
    }

    #[test]
    fn the_same_systolic_with_another_diastolic_is_a_new_reading_with_both() {
        let found = readings(&[
            (0, NibpSys, Some(150), None),
            (0, NibpDia, Some(90), None),
            (300, NibpSys, Some(150), None),
            (300, NibpDia, Some(95), None),
        ]);
        let told: Vec<_> = found
            .iter()
            .map(|reading| (reading.sys, reading.dia, reading.repeats))
            .collect();
        let pair = |sys, dia| (Some(Decimal::whole(sys)), Some(Decimal::whole(dia)), 0);
        assert_eq!(told, [pair(150, 90), pair(150, 95)]);
    }

    #[test]
    fn a_failure_told_again_counts_once_and_another_time_is_another_failure() {
        let found = readings(&[
            (0, NibpSys, None, Some(7)),
            (1, NibpDia, None, Some(7)),
            (2, NibpSys, None, Some(7)),
            (60, NibpSys, None, Some(67)),
        ]);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn another_value_of_the_same_time_is_not_hidden() {
        let found = readings(&[
            (0, NibpSys, Some(120), Some(7)),
            (1, NibpSys, Some(185), Some(7)),
            (2, NibpSys, Some(185), Some(7)),
        ]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].sys, Some(Decimal::whole(185)));
    }
}
