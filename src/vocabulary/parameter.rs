//! What is measured: parameter names, MDC codes (IEEE 11073-10101), units, checked ranges.

use super::{Cause, Decimal, ReadingUnit};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::sync::Arc;

macro_rules! parameters {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $unit:ident, $mdc:literal, $low:literal ..= $high:literal, $places:literal;)*) => {
        /// A parameter that the program knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Parameter { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Parameter {
            /// Every parameter, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the interface.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The unit in which values of this parameter are kept.
            pub const fn unit(self) -> ReadingUnit {
                match self { $(Self::$variant => ReadingUnit::$unit,)* }
            }

            /// The usual MDC code, context-free (partition × 65536 + term).
            pub const fn mdc(self) -> u32 {
                match self { $(Self::$variant => $mdc,)* }
            }

            /// Lowest and highest value that can be a measurement (engine.md 3), whole units.
            pub const fn range(self) -> (i64, i64) {
                match self { $(Self::$variant => ($low, $high),)* }
            }

            /// Places behind the point that a monitor shows and the engine judges.
            pub const fn places(self) -> u8 {
                match self { $(Self::$variant => $places,)* }
            }
        }
    };
}

parameters! {
    /// Heart rate from the ECG.
    Hr = "hr", PerMinute, 147_842, 1..=350, 0;
    /// Pulse rate from the pleth.
    Pr = "pr", PerMinute, 149_530, 1..=350, 0;
    /// Pulse rate from the cuff.
    NibpPr = "nibp-pr", PerMinute, 149_546, 1..=350, 0;
    /// Pulse rate from an arterial line.
    ArtPr = "art-pr", PerMinute, 149_522, 1..=350, 0;
    /// Oxygen saturation by pulse oximetry.
    Spo2 = "spo2", Percent, 150_456, 1..=100, 0;
    /// Perfusion index.
    Pi = "pi", Percent, 150_448, 0..=25, 2;
    /// Cuff systolic pressure.
    NibpSys = "nibp-sys", MmHg, 150_021, 10..=320, 0;
    /// Cuff diastolic pressure.
    NibpDia = "nibp-dia", MmHg, 150_022, 10..=320, 0;
    /// Cuff mean pressure.
    NibpMean = "nibp-mean", MmHg, 150_023, 10..=320, 0;
    /// Arterial systolic pressure.
    ArtSys = "art-sys", MmHg, 150_033, 10..=320, 0;
    /// Arterial diastolic pressure.
    ArtDia = "art-dia", MmHg, 150_034, 10..=320, 0;
    /// Arterial mean pressure.
    ArtMean = "art-mean", MmHg, 150_035, 10..=320, 0;
    /// Respiration rate from any source.
    Rr = "rr", PerMinute, 151_562, 0..=150, 0;
    /// End-tidal carbon dioxide.
    Etco2 = "etco2", MmHg, 151_708, 0..=200, 0;
    /// Temperature.
    Temp = "temp", DegC, 150_344, 10..=46, 1;
}

impl Parameter {
    /// The parameter with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|parameter| parameter.name() == name)
    }

    /// Whether readings come one at a time from a cuff: judged per reading, never per second.
    pub const fn is_cuff(self) -> bool {
        match self {
            Self::NibpSys | Self::NibpDia | Self::NibpMean | Self::NibpPr => true,
            Self::Hr
            | Self::Pr
            | Self::ArtPr
            | Self::Spo2
            | Self::Pi
            | Self::ArtSys
            | Self::ArtDia
            | Self::ArtMean
            | Self::Rr
            | Self::Etco2
            | Self::Temp => false,
        }
    }

    /// Whether a zero can never be a measurement: rates, saturation, pressures (engine.md 3).
    pub const fn zero_is_no_value(self) -> bool {
        match self {
            Self::Hr
            | Self::Pr
            | Self::NibpPr
            | Self::ArtPr
            | Self::Spo2
            | Self::NibpSys
            | Self::NibpDia
            | Self::NibpMean
            | Self::ArtSys
            | Self::ArtDia
            | Self::ArtMean
            | Self::Rr => true,
            Self::Pi | Self::Etco2 | Self::Temp => false,
        }
    }

    /// Whether `value`, in this parameter's unit, can be a measurement; otherwise why not.
    pub fn check(self, value: Decimal) -> Result<Decimal, Cause> {
        if value.is_zero() && self.zero_is_no_value() {
            return Err(Cause::Zero);
        }
        let (low, high) = self.range();
        if value < Decimal::whole(low) || value > Decimal::whole(high) {
            return Err(Cause::OutOfRange);
        }
        Ok(value)
    }
}

/// A parameter that we know, or the code under which an unknown one arrived.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterId {
    /// One of ours.
    Known(Parameter),
    /// An MDC code that is not in our catalogue: `mdc:150344`.
    Mdc(u32),
    /// A vendor's own code: the text `<protocol>:<code>`, shown as `vendor:<protocol>:<code>`.
    Vendor(Arc<str>),
}

impl ParameterId {
    /// The parameter, if it is one of ours.
    pub const fn known(&self) -> Option<Parameter> {
        match self {
            Self::Known(parameter) => Some(*parameter),
            Self::Mdc(_) | Self::Vendor(_) => None,
        }
    }

    /// Reads what `Display` prints; `None` for a name that is neither known nor a code.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(code) = text.strip_prefix("mdc:") {
            return code.parse().ok().map(Self::Mdc);
        }
        if let Some(code) = text.strip_prefix("vendor:") {
            return Some(Self::Vendor(code.into()));
        }
        Parameter::from_name(text).map(Self::Known)
    }
}

impl From<Parameter> for ParameterId {
    fn from(parameter: Parameter) -> Self {
        Self::Known(parameter)
    }
}

impl fmt::Display for ParameterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(parameter) => f.write_str(parameter.name()),
            Self::Mdc(code) => write!(f, "mdc:{code}"),
            Self::Vendor(code) => write!(f, "vendor:{code}"),
        }
    }
}

impl Serialize for ParameterId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ParameterId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("unknown parameter {text:?}")))
    }
}

/// Where or how a value was measured, when the device tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// Respiration by thoracic impedance.
    Impedance,
    /// Respiration from the airway (CO2, flow).
    Airway,
    /// Respiration by an acoustic sensor.
    Acoustic,
    /// Core temperature, any of its sites.
    Core,
    /// Skin temperature.
    Skin,
}

impl Site {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Impedance => "impedance",
            Self::Airway => "airway",
            Self::Acoustic => "acoustic",
            Self::Core => "core",
            Self::Skin => "skin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_never_a_rate_a_saturation_or_a_pressure() {
        for parameter in [
            Parameter::Hr,
            Parameter::Spo2,
            Parameter::NibpSys,
            Parameter::Rr,
        ] {
            assert_eq!(
                parameter.check(Decimal::ZERO),
                Err(Cause::Zero),
                "{parameter:?}"
            );
        }
        assert_eq!(Parameter::Pi.check(Decimal::ZERO), Ok(Decimal::ZERO));
    }

    #[test]
    fn ranges_are_inclusive() {
        assert!(Parameter::Spo2.check(Decimal::whole(100)).is_ok());
        assert_eq!(
            Parameter::Spo2.check(Decimal::new(1001, 1)),
            Err(Cause::OutOfRange)
        );
        assert_eq!(
            Parameter::NibpSys.check(Decimal::whole(-100)),
            Err(Cause::OutOfRange)
        );
        assert!(Parameter::Temp.check(Decimal::new(460, 1)).is_ok());
    }

    #[test]
    fn identifiers_print_and_parse_back() {
        for text in [
            "spo2",
            "nibp-sys",
            "mdc:150344",
            "vendor:hl7-mllp:0002-f0e5",
        ] {
            assert_eq!(ParameterId::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ParameterId::parse("pulse"), None);
    }
}
