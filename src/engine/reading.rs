//! Held readings: what each feed said last about each parameter, how old it is, until when it may be
//! used, and which cuff reading it belongs to.
//!
//! Promises: a reading is used until the next one of its parameter or until its feed's silence time
//! is over, never longer; ages come from the device's own clock, never from our wall clock
//! (engine.md 3). The held readings belong to their feed.

use crate::observation::{DeviceTime, Finding, Observation};
use crate::profile::ReadingTiming;
use crate::vocabulary::{Cause, Moment, Parameter, Reading, Site, WallTime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Number of parameters that we know.
pub const PARAMETERS: usize = Parameter::ALL.len();

/// The place of a parameter in the catalogue.
pub const fn place(parameter: Parameter) -> usize {
    parameter as usize
}

/// One value for each parameter.
#[derive(Clone, Debug)]
pub struct PerParameter<T>([T; PARAMETERS]);

impl<T: Copy> PerParameter<T> {
    /// The same value for every parameter.
    pub const fn filled(value: T) -> Self {
        Self([value; PARAMETERS])
    }

    /// The value of one parameter.
    #[expect(
        clippy::indexing_slicing,
        reason = "a parameter's place is below the number of parameters"
    )]
    pub const fn get(&self, parameter: Parameter) -> &T {
        &self.0[place(parameter)]
    }

    /// Replaces the value of one parameter.
    #[expect(
        clippy::indexing_slicing,
        reason = "a parameter's place is below the number of parameters"
    )]
    pub const fn get_mut(&mut self, parameter: Parameter) -> &mut T {
        &mut self.0[place(parameter)]
    }
}

/// What a feed said last about one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The number as told, or why there is none.
    pub reading: Reading,
    /// The number as judged, in the parameter's smallest shown unit.
    pub level: Option<i64>,
    /// When we received it, engine time.
    pub received: Moment,
    /// The same, for people.
    pub received_wall: WallTime,
    /// How old it was then.
    pub age: Duration,
    /// From here on it is stale.
    pub until: Moment,
    /// When it was measured, by the device.
    pub measured_at: Option<DeviceTime>,
    /// A finding beside the number.
    pub finding: Option<Finding>,
    /// Where it was measured, when told.
    pub site: Option<Site>,
    /// For a cuff: the number of the reading it belongs to.
    pub number: u64,
}

impl Held {
    /// Whether it may still be used or counts as said at all.
    pub fn is_fresh(&self, now: Moment) -> bool {
        now < self.until
    }

    /// The number to judge, if there is one and it is fresh.
    pub fn usable(&self, now: Moment) -> Option<i64> {
        self.level.filter(|_| self.is_fresh(now))
    }

    /// Why there is no number, if the device said so and that is fresh. An old reading counts as no
    /// reading.
    pub fn refused(&self, now: Moment) -> Option<Cause> {
        match self.reading {
            Reading::Invalid(cause) if self.is_fresh(now) && cause != Cause::Old => Some(cause),
            Reading::Invalid(_) | Reading::Valid(_) | Reading::Questionable(..) => None,
        }
    }
}

/// How old an observation was when its message was sent, by the device's own clock. `Err` with the
/// cause when the age is absurd.
pub fn age_of(observation: &Observation, timing: &ReadingTiming) -> Result<Duration, Cause> {
    let (Some(measured), Some(sent)) = (observation.measured_at, observation.message_at) else {
        return Ok(Duration::ZERO);
    };
    let millis = sent.millis_since(measured);
    let span = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 {
        return if span > timing.ahead_up_to {
            Err(Cause::Old)
        } else {
            Ok(Duration::ZERO)
        };
    }
    if span > timing.oldest {
        return Err(Cause::Old);
    }
    Ok(span)
}

/// What an observation is worth when it arrives: its age by the device, and its reading, which is
/// refused when it was measured before the session was opened `session_for` ago, or was so long under way
/// that it says nothing about now.
pub fn admitted(
    observation: &Observation,
    timing: &ReadingTiming,
    silence: Duration,
    session_for: Option<Duration>,
) -> (Duration, Reading) {
    let (age, reading) = match age_of(observation, timing) {
        Ok(age) => (age, observation.reading),
        Err(cause) => (Duration::ZERO, Reading::Invalid(cause)),
    };
    let is_cuff = observation
        .parameter
        .known()
        .is_some_and(Parameter::is_cuff);
    let before_opening = session_for.is_some_and(|session_for| age > session_for);
    let too_late = !is_cuff && age > silence;
    if before_opening || too_late {
        return (age, Reading::Invalid(Cause::Old));
    }
    (age, reading)
}

/// What the cuff of one feed does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CuffStatus {
    /// Nothing was said yet.
    #[default]
    Silent,
    /// A measurement is running, since then.
    Measuring(Moment),
    /// The last measurement failed.
    Failed,
    /// There is no value for another reason.
    Without,
    /// The last measurement gave values.
    Value,
}

/// The parameters of one cuff reading.
const CUFF: [Parameter; 4] = [
    Parameter::NibpSys,
    Parameter::NibpDia,
    Parameter::NibpMean,
    Parameter::NibpPr,
];

/// One value of the current cuff reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CuffValue {
    level: Option<i64>,
    seen: Moment,
    number: u64,
}

/// What a cuff value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CuffTaken {
    /// A value of a new reading with this number.
    New(u64),
    /// A further or corrected value of the current reading.
    Further(u64),
    /// The same value again.
    Again(u64),
    /// Measured before the current reading.
    Older,
}

/// Tells cuff readings of one feed apart: by the device's time, else by the values and a change of
/// status (engine.md 3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CuffIdentity {
    time: Option<DeviceTime>,
    sent: Option<DeviceTime>,
    values: [CuffValue; 4],
    number: u64,
    began: Moment,
    /// What the cuff does.
    pub status: CuffStatus,
    failed_at: Option<DeviceTime>,
}

impl CuffIdentity {
    fn value_mut(&mut self, parameter: Parameter) -> Option<&mut CuffValue> {
        CUFF.iter()
            .zip(&mut self.values)
            .find(|(known, _)| **known == parameter)
            .map(|(_, value)| value)
    }

    /// The number of the reading that the parameter's value belongs to.
    pub fn number_of(&self, parameter: Parameter) -> u64 {
        CUFF.iter()
            .zip(&self.values)
            .find(|(known, _)| **known == parameter)
            .map_or(0, |(_, value)| value.number)
    }

    /// Takes a value; `number` is the number of a new reading. Without the device's time, a value that
    /// the current reading lacks belongs to it only if it comes within `silence` of the first one.
    pub fn value(
        &mut self,
        (parameter, level): (Parameter, i64),
        observation: &Observation,
        now: Moment,
        silence: Duration,
        number: u64,
    ) -> CuffTaken {
        let earlier = self.status;
        let known = self.value_mut(parameter).map(|value| value.level);
        let is_new = match (observation.measured_at, self.time) {
            (Some(time), Some(current)) if time == current => false,
            (Some(time), Some(current)) => {
                // A value older than the current reading, unless the device's clock was set back.
                let set_back = match (observation.message_at, self.sent) {
                    (Some(sent), Some(before)) => sent.millis_since(before) < 0,
                    (Some(_), None) | (None, Some(_)) | (None, None) => false,
                };
                if time.millis_since(current) < 0 && !set_back {
                    return CuffTaken::Older;
                }
                true
            }
            (Some(_), None) => true,
            (None, _) => {
                earlier != CuffStatus::Value
                    || match known.flatten() {
                        Some(before) => before != level,
                        None => now.since(self.began) > silence,
                    }
            }
        };
        self.status = CuffStatus::Value;
        self.sent = observation.message_at.or(self.sent);
        if is_new {
            self.time = observation.measured_at;
            self.number = number;
            self.began = now;
            let timed = self.time.is_some();
            for value in &mut self.values {
                if !timed && value.seen == now && value.level.is_some() {
                    // Told in the same message, before the value that showed the reading to be new.
                    value.number = number;
                } else {
                    value.level = None;
                }
            }
        }
        let current = self.number;
        let again = !is_new && known == Some(Some(level));
        if let Some(value) = self.value_mut(parameter) {
            *value = CuffValue {
                level: Some(level),
                seen: now,
                number: current,
            };
        }
        if is_new {
            CuffTaken::New(current)
        } else if again {
            CuffTaken::Again(current)
        } else {
            CuffTaken::Further(current)
        }
    }

    /// Takes a status without a number; `true` when it is a failure that was not told before.
    pub fn refused(&mut self, cause: Cause, at: Option<DeviceTime>, now: Moment) -> bool {
        let before = self.status;
        match cause {
            Cause::Measuring => {
                if !matches!(before, CuffStatus::Measuring(_)) {
                    self.status = CuffStatus::Measuring(now);
                }
                false
            }
            Cause::CuffFault => {
                self.status = CuffStatus::Failed;
                let told = before == CuffStatus::Failed && (at.is_none() || at == self.failed_at);
                self.failed_at = at;
                !told
            }
            Cause::ProbeOff
            | Cause::Searching
            | Cause::Artefact
            | Cause::LowPerfusion
            | Cause::NotAvailable
            | Cause::OutOfRange
            | Cause::UnknownUnit
            | Cause::CodeMismatch
            | Cause::Zero
            | Cause::SensorMissing
            | Cause::SensorFault
            | Cause::Starting
            | Cause::Calibrating
            | Cause::LowQuality
            | Cause::Demo
            | Cause::Test
            | Cause::Setting
            | Cause::Withdrawn
            | Cause::Old
            | Cause::DeviceInvalid => {
                self.status = CuffStatus::Without;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Decimal;

    fn told(parameter: Parameter, value: i64, at_ms: Option<i64>) -> Observation {
        Observation {
            measured_at: at_ms.map(DeviceTime::civil),
            ..Observation::new(parameter, Reading::Valid(Decimal::whole(value)))
        }
    }

    fn take(
        cuff: &mut CuffIdentity,
        parameter: Parameter,
        value: i64,
        at_ms: Option<i64>,
        second: u64,
        number: u64,
    ) -> CuffTaken {
        let observation = told(parameter, value, at_ms);
        cuff.value(
            (parameter, value),
            &observation,
            Moment::from_secs(second),
            Duration::from_secs(10),
            number,
        )
    }

    #[test]
    fn the_devices_time_tells_cuff_readings_apart() {
        let mut cuff = CuffIdentity::default();
        use Parameter::{NibpDia, NibpSys};
        assert_eq!(
            take(&mut cuff, NibpSys, 150, Some(1000), 1, 1),
            CuffTaken::New(1)
        );
        assert_eq!(
            take(&mut cuff, NibpDia, 90, Some(1000), 1, 2),
            CuffTaken::Further(1)
        );
        assert_eq!(
            take(&mut cuff, NibpSys, 150, Some(1000), 61, 3),
            CuffTaken::Again(1)
        );
        assert_eq!(
            take(&mut cuff, NibpSys, 150, Some(9000), 71, 4),
            CuffTaken::New(4)
        );
        assert_eq!(
            take(&mut cuff, NibpSys, 160, Some(2000), 72, 5),
            CuffTaken::Older
        );
    }

    #[test]
    fn without_a_time_the_values_and_a_change_of_status_tell() {
        let mut cuff = CuffIdentity::default();
        use Parameter::{NibpDia, NibpSys};
        assert_eq!(take(&mut cuff, NibpSys, 150, None, 1, 1), CuffTaken::New(1));
        assert_eq!(
            take(&mut cuff, NibpDia, 90, None, 1, 2),
            CuffTaken::Further(1)
        );
        assert_eq!(
            take(&mut cuff, NibpSys, 150, None, 2, 3),
            CuffTaken::Again(1)
        );
        // The same systolic with another diastolic is a new reading, and both belong to it.
        assert_eq!(
            take(&mut cuff, NibpSys, 150, None, 300, 4),
            CuffTaken::Again(1)
        );
        assert_eq!(
            take(&mut cuff, NibpDia, 95, None, 300, 5),
            CuffTaken::New(5)
        );
        assert_eq!(cuff.number_of(NibpSys), 5);
        // The same value after a measurement is a new reading.
        cuff.refused(Cause::Measuring, None, Moment::from_secs(400));
        assert_eq!(
            take(&mut cuff, NibpSys, 150, None, 430, 6),
            CuffTaken::New(6)
        );
    }

    #[test]
    fn a_failure_told_every_second_is_one_failure() {
        let mut cuff = CuffIdentity::default();
        let fault = |cuff: &mut CuffIdentity| cuff.refused(Cause::CuffFault, None, Moment::ZERO);
        assert!(fault(&mut cuff));
        assert!(!fault(&mut cuff));
        cuff.refused(Cause::Measuring, None, Moment::ZERO);
        assert!(fault(&mut cuff));
    }

    #[test]
    fn absurd_ages_are_old() {
        let timing = crate::profile::parse(crate::profile::SHIPPED)
            .unwrap()
            .reading;
        let aged = |measured: i64, sent: i64| {
            let observation = Observation {
                message_at: Some(DeviceTime::civil(sent)),
                ..told(Parameter::Spo2, 97, Some(measured))
            };
            age_of(&observation, &timing)
        };
        assert_eq!(aged(0, 5_000), Ok(Duration::from_secs(5)));
        assert_eq!(aged(60_000, 0), Ok(Duration::ZERO));
        assert_eq!(aged(60_001, 0), Err(Cause::Old));
        assert_eq!(aged(0, 86_400_001), Err(Cause::Old));
    }
}
