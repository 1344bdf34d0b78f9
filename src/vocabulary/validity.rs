//! What a monitor said about one value: a number, a doubtful number, or no number and why.
//!
//! "No number" is a value with a reason. It is never zero and never the last number again.

use super::Decimal;
use serde::{Deserialize, Serialize};

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The sensor is not on the patient.
    ProbeOff,
    /// The device is looking for a pulse.
    Searching,
    /// Motion or interference made the value unusable.
    Artefact,
    /// Perfusion too low to measure.
    LowPerfusion,
    /// The cuff measurement failed.
    CuffFault,
    /// A measurement is running.
    Measuring,
    /// The device has no value, without saying why.
    NotAvailable,
    /// A number that no patient can have, or sys not above dia.
    OutOfRange,
    /// A unit that we do not know: never guessed.
    UnknownUnit,
    /// Number code and name of the parameter contradict each other.
    CodeMismatch,
    /// A zero where zero cannot be measured.
    Zero,
    /// No sensor is connected.
    SensorMissing,
    /// The sensor or its cable is defective or of the wrong kind.
    SensorFault,
    /// The device is starting up.
    Starting,
    /// The device is calibrating or zeroing.
    Calibrating,
    /// The device itself calls the value too poor to use.
    LowQuality,
    /// Demonstration data.
    Demo,
    /// Test data.
    Test,
    /// A setting of the device, not a measurement.
    Setting,
    /// Deleted or assigned to another patient by the sender.
    Withdrawn,
    /// Too old, measured before the session, or with an absurd age.
    Old,
    /// Marked invalid by the device.
    DeviceInvalid,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 22] = [
        Self::ProbeOff,
        Self::Searching,
        Self::Artefact,
        Self::LowPerfusion,
        Self::CuffFault,
        Self::Measuring,
        Self::NotAvailable,
        Self::OutOfRange,
        Self::UnknownUnit,
        Self::CodeMismatch,
        Self::Zero,
        Self::SensorMissing,
        Self::SensorFault,
        Self::Starting,
        Self::Calibrating,
        Self::LowQuality,
        Self::Demo,
        Self::Test,
        Self::Setting,
        Self::Withdrawn,
        Self::Old,
        Self::DeviceInvalid,
    ];

    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProbeOff => "probe-off",
            Self::Searching => "searching",
            Self::Artefact => "artefact",
            Self::LowPerfusion => "low-perfusion",
            Self::CuffFault => "cuff-fault",
            Self::Measuring => "measuring",
            Self::NotAvailable => "not-available",
            Self::OutOfRange => "out-of-range",
            Self::UnknownUnit => "unknown-unit",
            Self::CodeMismatch => "code-mismatch",
            Self::Zero => "zero",
            Self::SensorMissing => "sensor-missing",
            Self::SensorFault => "sensor-fault",
            Self::Starting => "starting",
            Self::Calibrating => "calibrating",
            Self::LowQuality => "low-quality",
            Self::Demo => "demo",
            Self::Test => "test",
            Self::Setting => "setting",
            Self::Withdrawn => "withdrawn",
            Self::Old => "old",
            Self::DeviceInvalid => "device-invalid",
        }
    }

    /// The cause with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// Why a number is judged but marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Low perfusion while measuring.
    LowPerfusion,
    /// Interference, low signal quality, light.
    LowQuality,
}

impl Doubt {
    /// The cause under which the interface names the doubt.
    pub const fn cause(self) -> Cause {
        match self {
            Self::LowPerfusion => Cause::LowPerfusion,
            Self::LowQuality => Cause::LowQuality,
        }
    }
}

/// The three words of the interface for a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// A number we may alarm on.
    Valid,
    /// Judged, and marked.
    Questionable,
    /// No number, with a cause.
    Invalid,
}

impl Validity {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Questionable => "questionable",
            Self::Invalid => "invalid",
        }
    }
}

/// What a device said about one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// A number we may alarm on.
    Valid(Decimal),
    /// A number that is judged and shown as doubtful.
    Questionable(Decimal, Doubt),
    /// The device is there but has no usable number.
    Invalid(Cause),
}

impl Reading {
    /// The number, if there is a usable one.
    pub const fn value(self) -> Option<Decimal> {
        match self {
            Self::Valid(value) | Self::Questionable(value, _) => Some(value),
            Self::Invalid(_) => None,
        }
    }

    /// The word of the interface.
    pub const fn validity(self) -> Validity {
        match self {
            Self::Valid(_) => Validity::Valid,
            Self::Questionable(..) => Validity::Questionable,
            Self::Invalid(_) => Validity::Invalid,
        }
    }

    /// Why the number is missing or doubtful.
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Valid(_) => None,
            Self::Questionable(_, doubt) => Some(doubt.cause()),
            Self::Invalid(cause) => Some(cause),
        }
    }
}
