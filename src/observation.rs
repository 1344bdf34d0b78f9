//! What a feed says: one measured fact and its times, a wave, a device's alert, a pump's event, an
//! identity.
//!
//! A reading has two times: `measured_at`, by the device's own clock, and the moment we received it,
//! which the feed adds. The device's clock is used for differences only (age, order, identity of a
//! cuff reading), never against our wall clock (engine.md 3).

use crate::vocabulary::{
    Cause, Decimal, Doubt, Now, Parameter, ParameterId, Priority, Reading, Site,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A time by a device's clock, as told: civil time, and the offset from UTC if the device told one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceTime {
    /// The civil time, counted in milliseconds as if it were UTC since 1970-01-01T00:00:00.
    pub civil_ms: i64,
    /// Minutes east of UTC, when told.
    pub offset_min: Option<i16>,
}

impl DeviceTime {
    /// A time without a zone.
    pub const fn civil(civil_ms: i64) -> Self {
        Self {
            civil_ms,
            offset_min: None,
        }
    }

    /// Milliseconds from `earlier` to this time, both by the same device. If only one of them
    /// carries an offset, the other is taken to be in that same offset.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        let shift = match (self.offset_min, earlier.offset_min) {
            (Some(own), Some(other)) => (own as i64 - other as i64) * 60_000,
            (Some(_), None) | (None, Some(_)) | (None, None) => 0,
        };
        self.civil_ms
            .saturating_sub(earlier.civil_ms)
            .saturating_sub(shift)
    }

    /// ISO 8601 as the interface prints it: with the offset if there is one, seconds with a fraction
    /// only where the device told one.
    pub fn iso8601(self) -> String {
        let Ok(stamp) = jiff::Timestamp::from_millisecond(self.civil_ms) else {
            return format!("@{}ms", self.civil_ms);
        };
        let civil = stamp.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        match self.offset_min {
            None => civil.to_string(),
            Some(0) => format!("{civil}Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                format!("{civil}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// What a device says about the patient beside a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The device's asystole bit, with its own heart rate of zero.
    Asystole,
    /// The device's no-breath (apnoea) bit.
    NoBreath,
}

/// One measured fact as the device told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What was measured.
    pub parameter: ParameterId,
    /// The number in the parameter's unit, or why there is none.
    pub reading: Reading,
    /// When it was measured, by the device's clock.
    pub measured_at: Option<DeviceTime>,
    /// When the device sent the message, by the device's clock.
    pub message_at: Option<DeviceTime>,
    /// Where it was measured, when told.
    pub site: Option<Site>,
    /// The MDC code under which it came, when there was one.
    pub mdc: Option<u32>,
    /// A finding that stands beside the number.
    pub finding: Option<Finding>,
}

impl Observation {
    /// A reading of `parameter`, without times. A number that no patient can have becomes invalid
    /// with its cause here, so that no decoder can let one through.
    pub fn new(parameter: Parameter, reading: Reading) -> Self {
        let reading = match reading {
            Reading::Valid(value) => match parameter.check(value) {
                Ok(value) => Reading::Valid(value),
                Err(cause) => Reading::Invalid(cause),
            },
            Reading::Questionable(value, doubt) => match parameter.check(value) {
                Ok(value) => Reading::Questionable(value, doubt),
                Err(cause) => Reading::Invalid(cause),
            },
            Reading::Invalid(cause) => Reading::Invalid(cause),
        };
        Self {
            parameter: ParameterId::Known(parameter),
            reading,
            measured_at: None,
            message_at: None,
            site: None,
            mdc: Some(parameter.mdc()),
            finding: None,
        }
    }

    /// A value of a parameter that is not in our catalogue: kept and shown, never judged.
    pub fn unknown(parameter: ParameterId, reading: Reading) -> Self {
        let mdc = match &parameter {
            ParameterId::Mdc(code) => Some(*code),
            ParameterId::Known(known) => Some(known.mdc()),
            ParameterId::Vendor(_) => None,
        };
        Self {
            parameter,
            reading,
            measured_at: None,
            message_at: None,
            site: None,
            mdc,
            finding: None,
        }
    }

    /// The same observation, marked doubtful if it has a number.
    pub fn doubted(mut self, doubt: Doubt) -> Self {
        if let Reading::Valid(value) = self.reading {
            self.reading = Reading::Questionable(value, doubt);
        }
        self
    }
}

/// Makes a pressure triple invalid (`out-of-range`) when sys is not above dia: one of the two is not
/// what it claims to be, and nobody can say which (engine.md 3).
pub fn check_pressure_pair(sys: &mut Observation, dia: &mut Observation) {
    if let (Some(high), Some(low)) = (sys.reading.value(), dia.reading.value())
        && high <= low
    {
        sys.reading = Reading::Invalid(Cause::OutOfRange);
        dia.reading = Reading::Invalid(Cause::OutOfRange);
    }
}

/// Which wave a chunk belongs to: `ecg-<lead>`, `pleth`, `art`, `resp`, `co2`, or a code we do not know.
pub type WaveLabel = Arc<str>;

/// Consecutive samples of one wave. Waves never enter the engine and have no `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveChunk {
    /// Which wave.
    pub label: WaveLabel,
    /// Samples per second.
    pub rate_hz: u32,
    /// What one count is worth, in `unit`.
    pub resolution: Decimal,
    /// The unit as text (`mV`, `mmHg`, `%`), empty when unknown.
    pub unit: &'static str,
    /// The samples in counts; `None` where the device had no sample.
    pub samples: Vec<Option<i32>>,
}

/// Samples of one wave on their way from a feed to the record and to the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// The feed's name.
    pub feed: Arc<str>,
    /// When they were received.
    pub received: Now,
    /// The samples.
    pub chunk: WaveChunk,
}

/// Where a device's alert stands, as told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertPhase {
    /// It begins.
    Start,
    /// It goes on or changed.
    Continue,
    /// It is over.
    End,
    /// It is told without a beginning or an end: present now.
    Present,
}

impl AlertPhase {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Continue => "continue",
            Self::End => "end",
            Self::Present => "present",
        }
    }
}

/// An alarm of the monitor itself: shown and logged beside ours, never instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAlert {
    /// Which alert, so that later messages about it can be matched; unique within the feed.
    pub key: Arc<str>,
    /// The priority as told.
    pub priority: Option<Priority>,
    /// Where it stands.
    pub phase: AlertPhase,
    /// The text in the monitor's language: shown, never matched on.
    pub text: Arc<str>,
    /// When, by the device's clock.
    pub at: Option<DeviceTime>,
}

/// What a pump did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PumpEventKind {
    /// Delivery started.
    DeliveryStart,
    /// Delivery stopped.
    DeliveryStop,
    /// The programmed volume is delivered.
    DeliveryComplete,
    /// Between two states: the next start decides.
    Transitioning,
    /// Keeping the vein open: not a dose.
    Kvo,
    /// The rate changed while running.
    RateChange,
    /// The pump is in alarm.
    Alarm,
    /// The pump's gateway lost the pump.
    CommLost,
}

impl PumpEventKind {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeliveryStart => "delivery-start",
            Self::DeliveryStop => "delivery-stop",
            Self::DeliveryComplete => "delivery-complete",
            Self::Transitioning => "transitioning",
            Self::Kvo => "kvo",
            Self::RateChange => "rate-change",
            Self::Alarm => "alarm",
            Self::CommLost => "comm-lost",
        }
    }
}

/// An event of an infusion pump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PumpEvent {
    /// What happened.
    pub event: PumpEventKind,
    /// Whether the delivery status said `transitioning` beside a stop or a completion.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transitioning: bool,
    /// The drug, as told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drug: Option<Arc<str>>,
    /// The rate in mL/h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_ml_h: Option<Decimal>,
    /// The volume delivered in mL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_ml: Option<Decimal>,
    /// Why, as told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// When it happened, by the pump's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DeviceTime>,
    /// When the message was sent, by the same clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_at: Option<DeviceTime>,
}

/// Whom or what a message is about, as told. Empty texts are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Identity {
    /// The bed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bed: Option<Arc<str>>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Arc<str>>,
    /// The patient identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<Arc<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_no_patient_can_have_never_gets_through() {
        let zero = Observation::new(Parameter::Spo2, Reading::Valid(Decimal::ZERO));
        assert_eq!(zero.reading, Reading::Invalid(Cause::Zero));
        let high = Observation::new(
            Parameter::Hr,
            Reading::Questionable(Decimal::whole(999), Doubt::LowQuality),
        );
        assert_eq!(high.reading, Reading::Invalid(Cause::OutOfRange));
    }

    #[test]
    fn sys_must_be_above_dia() {
        let mut sys = Observation::new(Parameter::NibpSys, Reading::Valid(Decimal::whole(80)));
        let mut dia = Observation::new(Parameter::NibpDia, Reading::Valid(Decimal::whole(80)));
        check_pressure_pair(&mut sys, &mut dia);
        assert_eq!(sys.reading, Reading::Invalid(Cause::OutOfRange));
        assert_eq!(dia.reading, Reading::Invalid(Cause::OutOfRange));
    }

    #[test]
    fn device_times_differ_by_their_offsets() {
        let utc = DeviceTime {
            civil_ms: 10 * 3_600_000,
            offset_min: Some(0),
        };
        let new_york = DeviceTime {
            civil_ms: 5 * 3_600_000,
            offset_min: Some(-300),
        };
        assert_eq!(utc.millis_since(new_york), 0);
        assert_eq!(
            utc.millis_since(DeviceTime::civil(9 * 3_600_000)),
            3_600_000
        );
        assert_eq!(new_york.iso8601(), "1970-01-01T05:00:00-05:00");
        assert_eq!(
            DeviceTime::civil(1_519_447_733_000).iso8601(),
            "2018-02-24T04:48:53"
        );
    }
}
