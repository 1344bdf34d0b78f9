//! Units on the wire and their conversion into the units that readings are kept in.
//!
//! Converted by code, never by magnitude: an unknown unit is [`Cause::UnknownUnit`], not a guess
//! (hl7.md 3.5). Blood pressure in cmH2O is known and refused, because it must not be read as mmHg.

use super::{Cause, Decimal, Parameter};
use serde::{Deserialize, Serialize};

/// The units that readings are kept and shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReadingUnit {
    /// Beats or breaths per minute.
    #[serde(rename = "/min")]
    PerMinute,
    /// Per cent.
    #[serde(rename = "%")]
    Percent,
    /// Millimetres of mercury.
    #[serde(rename = "mmHg")]
    MmHg,
    /// Degrees Celsius.
    #[serde(rename = "degC")]
    DegC,
}

impl ReadingUnit {
    /// The text in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PerMinute => "/min",
            Self::Percent => "%",
            Self::MmHg => "mmHg",
            Self::DegC => "degC",
        }
    }
}

/// A unit as a device may send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Beats per minute, breaths per minute or plain per minute.
    PerMinute,
    /// Per cent.
    Percent,
    /// No dimension (a perfusion index in some dialects).
    Dimensionless,
    /// Millimetres of mercury.
    MmHg,
    /// Kilopascal.
    KiloPascal,
    /// Centimetres of water.
    CmH2O,
    /// Degrees Celsius.
    DegC,
    /// Degrees Fahrenheit.
    DegF,
}

/// mmHg in one kPa (hl7.md 3.5).
const MMHG_PER_KPA: Decimal = Decimal::of(750_062, 5);

impl Unit {
    /// The unit with this MDC code, context-free (partition 4).
    pub const fn from_mdc(code: u32) -> Option<Self> {
        match code {
            264_864 | 264_928 | 264_672 => Some(Self::PerMinute),
            262_688 => Some(Self::Percent),
            262_656 => Some(Self::Dimensionless),
            266_016 => Some(Self::MmHg),
            265_987 => Some(Self::KiloPascal),
            266_048 => Some(Self::CmH2O),
            268_192 => Some(Self::DegC),
            266_560 => Some(Self::DegF),
            _ => None,
        }
    }

    /// The unit with this UCUM or plain text, as seen in the field; letter case is ignored except
    /// where it tells `C` from nothing.
    pub fn from_text(text: &str) -> Option<Self> {
        const TEXTS: &[(&str, Unit)] = &[
            ("{beat}/min", Unit::PerMinute),
            ("{beats}/min", Unit::PerMinute),
            ("{breath}/min", Unit::PerMinute),
            ("{breaths}/min", Unit::PerMinute),
            ("/min", Unit::PerMinute),
            ("1/min", Unit::PerMinute),
            ("bpm", Unit::PerMinute),
            ("rpm", Unit::PerMinute),
            ("br/m", Unit::PerMinute),
            ("br/min", Unit::PerMinute),
            ("%", Unit::Percent),
            ("percent", Unit::Percent),
            ("1", Unit::Dimensionless),
            ("mm[hg]", Unit::MmHg),
            ("mmhg", Unit::MmHg),
            ("kpa", Unit::KiloPascal),
            ("cm[h2o]", Unit::CmH2O),
            ("cmh2o", Unit::CmH2O),
            ("cel", Unit::DegC),
            ("degc", Unit::DegC),
            ("c", Unit::DegC),
            ("\u{b0}c", Unit::DegC),
            ("[degf]", Unit::DegF),
            ("degf", Unit::DegF),
            ("f", Unit::DegF),
            ("\u{b0}f", Unit::DegF),
        ];
        let text = text.trim();
        TEXTS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(text))
            .map(|(_, unit)| *unit)
    }

    /// `value` in the unit that `parameter` is kept in. A converted value is rounded half up to one
    /// place; an unconverted one keeps its digits.
    pub fn convert(self, value: Decimal, parameter: Parameter) -> Result<Decimal, Cause> {
        match (parameter.unit(), self) {
            (ReadingUnit::PerMinute, Self::PerMinute)
            | (ReadingUnit::Percent, Self::Percent)
            | (ReadingUnit::MmHg, Self::MmHg)
            | (ReadingUnit::DegC, Self::DegC) => Ok(value),
            (ReadingUnit::Percent, Self::Dimensionless) if parameter == Parameter::Pi => Ok(value),
            (ReadingUnit::MmHg, Self::KiloPascal) => value
                .times(MMHG_PER_KPA)
                .map(|mmhg| mmhg.with_places(1))
                .ok_or(Cause::OutOfRange),
            (ReadingUnit::DegC, Self::DegF) => value
                .minus(Decimal::whole(32))
                .and_then(|above| above.times(Decimal::whole(5)))
                .and_then(|fives| fives.rounded(4))
                .map(|scaled| Decimal::new(scaled.div_euclid(9), 4).with_places(1))
                .ok_or(Cause::OutOfRange),
            (
                ReadingUnit::PerMinute
                | ReadingUnit::Percent
                | ReadingUnit::MmHg
                | ReadingUnit::DegC,
                Self::PerMinute
                | Self::Percent
                | Self::Dimensionless
                | Self::MmHg
                | Self::KiloPascal
                | Self::CmH2O
                | Self::DegC
                | Self::DegF,
            ) => Err(Cause::UnknownUnit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn kilopascal_and_fahrenheit_are_converted_by_code() {
        let kpa = Unit::from_mdc(265_987).unwrap();
        assert_eq!(
            kpa.convert(d("5.1"), Parameter::Etco2).unwrap().to_string(),
            "38.3"
        );
        let fahrenheit = Unit::from_text("[degF]").unwrap();
        assert_eq!(
            fahrenheit
                .convert(d("98.6"), Parameter::Temp)
                .unwrap()
                .to_string(),
            "37.0"
        );
        assert_eq!(
            fahrenheit
                .convert(d("104"), Parameter::Temp)
                .unwrap()
                .to_string(),
            "40.0"
        );
    }

    #[test]
    fn a_wrong_or_unknown_unit_is_a_cause_never_a_guess() {
        assert_eq!(Unit::from_mdc(268_160), None);
        assert_eq!(Unit::from_text("furlong"), None);
        assert_eq!(
            Unit::CmH2O.convert(d("120"), Parameter::NibpSys),
            Err(Cause::UnknownUnit)
        );
        assert_eq!(
            Unit::Percent.convert(d("80"), Parameter::Hr),
            Err(Cause::UnknownUnit)
        );
        assert_eq!(
            Unit::Dimensionless.convert(d("97"), Parameter::Spo2),
            Err(Cause::UnknownUnit)
        );
    }
}
