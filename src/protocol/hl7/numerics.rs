//! One OBX row of a PCD-01 message: what it measures and whether its number may be used
//! (hl7.md 3.3 to 3.9).
//!
//! Promises: no text, sentinel, setting, demonstration or withdrawn value becomes a number; an
//! unknown unit or a contradiction of codes is a cause, never a guess.

use super::codes::{self, Lookup, Meaning};
use super::item::Item;
use super::mapping::{self, Mapped};
use super::message::{Delimiters, Segment, parts, told};
use super::settings::Settings;
use super::units;
use crate::protocol::Fault;
use crate::vocabulary::{Cause, Decimal, Parameter, Reading, Site, Unit};

/// Fields of OBX.
pub mod obx {
    /// The type of the value.
    pub const TYPE: usize = 2;
    /// What is measured.
    pub const CODE: usize = 3;
    /// Where it stands in the device.
    pub const PATH: usize = 4;
    /// The value.
    pub const VALUE: usize = 5;
    /// Its unit.
    pub const UNIT: usize = 6;
    /// Limits set on the device: shown beside an alert of the device, never adopted.
    pub const LIMITS: usize = 7;
    /// Flags of the device.
    pub const FLAGS: usize = 8;
    /// Status of the result.
    pub const STATUS: usize = 11;
    /// Kind of access; some senders mark settings here.
    pub const ACCESS: usize = 13;
    /// When it was measured.
    pub const TIME: usize = 14;
    /// How it was made: measured, set, calculated.
    pub const METHOD: usize = 17;
    /// The device.
    pub const DEVICE: usize = 18;
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// One of our parameters.
    Reading {
        /// Which.
        parameter: Parameter,
        /// Where, when the code tells.
        site: Option<Site>,
        /// The MDC code under which it came.
        mdc: Option<u32>,
        /// The unit when the row tells none that we know.
        unit: Option<Unit>,
        /// A fault to count beside it.
        fault: Option<Fault>,
    },
    /// A code that contradicts its name.
    Contradiction {
        /// The code as sent.
        code: u32,
        /// What the number alone would mean.
        parameter: Option<Parameter>,
    },
    /// A value that is none of our parameters.
    Foreign {
        /// The MDC code, if it has one.
        mdc: Option<u32>,
        /// The identifier as sent, or its name.
        identifier: &'a [u8],
        /// We have no row for it.
        unknown: bool,
    },
    /// A wave's code, which means no number.
    Wave(&'static str),
    /// A device, module or channel.
    Device(Option<Site>),
    /// What an infusion pump tells of itself.
    Infusion(Item),
    /// An alarm of a Philips monitor, told in a row of its own under this code.
    Alert(&'a [u8]),
    /// An attribute, an event, or nothing at all.
    NoMetric,
}

/// What a row is about by its OBX-3: the clinic's own rows, then MDC and MDIL codes, then shipped names.
pub fn subject<'a>(row: &Segment<'a>, settings: &Settings, delimiters: &Delimiters) -> Subject<'a> {
    let field = row.field(obx::CODE);
    let [code, name, system, other, other_name, other_system] =
        parts::<6>(field, delimiters.component);
    let name = told(name).unwrap_or_default();
    if let Some(mapped) = settings.map.find(code, name, row.field(obx::PATH)) {
        return mapped_subject(mapped, mdc_number(code, name, system));
    }
    if let Some(number) = mdc_number(code, name, system) {
        return coded(number, name, code);
    }
    if system.eq_ignore_ascii_case(b"MDIL") {
        return match (codes::from_mdil(code), mapping::private_mdil(code)) {
            // Labels vary by firmware: the number alone counts.
            (Some(number), _) => coded(number, b"", code),
            (None, Some(mapped)) => mapped_subject(mapped, None),
            (None, None) => foreign(code, name),
        };
    }
    if system.eq_ignore_ascii_case(b"MDIL-ALERT") {
        return Subject::Alert(code);
    }
    if let Some(number) = mdc_number(other, other_name, other_system) {
        return coded(number, other_name, other);
    }
    match mapping::shipped(code, name) {
        Some(mapped) if system.is_empty() => mapped_subject(mapped, None),
        Some(_) | None => foreign(code, name),
    }
}

/// The number of an MDC triple; a missing or unreadable number before an MDC name is 0.
fn mdc_number(code: &[u8], name: &[u8], system: &[u8]) -> Option<u32> {
    let named = name.starts_with(b"MDC_");
    if system.eq_ignore_ascii_case(b"MDC") || (system.is_empty() && named) {
        codes::number(code).or(named.then_some(0))
    } else {
        None
    }
}

fn mapped_subject(mapped: Mapped, mdc: Option<u32>) -> Subject<'static> {
    Subject::Reading {
        parameter: mapped.parameter,
        site: mapped.site,
        mdc,
        unit: mapped.unit,
        fault: None,
    }
}

fn foreign<'a>(code: &'a [u8], name: &'a [u8]) -> Subject<'a> {
    let identifier = if code.is_empty() { name } else { code };
    if identifier.is_empty() || codes::is_no_metric(name) {
        return Subject::NoMetric;
    }
    Subject::Foreign {
        mdc: None,
        identifier,
        unknown: true,
    }
}

fn coded<'a>(number: u32, name: &'a [u8], identifier: &'a [u8]) -> Subject<'a> {
    let (code, meaning, fault) = match codes::look_up(number, name) {
        Lookup::Known {
            code,
            meaning,
            new_name,
        } => (code, meaning, new_name.then_some(Fault::UnknownCode)),
        Lookup::ByName { code, meaning } => (code, meaning, Some(Fault::CodeMismatch)),
        Lookup::Contradiction { code, meaning } => {
            let parameter = match meaning {
                Meaning::Reading(parameter, _) => Some(parameter),
                Meaning::Wave(_) | Meaning::Device(_) | Meaning::Infusion(_) | Meaning::Other => {
                    None
                }
            };
            return Subject::Contradiction { code, parameter };
        }
        Lookup::NoMetric => return Subject::NoMetric,
        // A number that stands for nothing cannot tell two names apart.
        Lookup::Unknown(0 | 1) => return foreign(name, name),
        Lookup::Unknown(code) => {
            return Subject::Foreign {
                mdc: Some(code),
                identifier,
                unknown: true,
            };
        }
    };
    match meaning {
        Meaning::Reading(parameter, site) => Subject::Reading {
            parameter,
            site,
            mdc: Some(code),
            unit: None,
            fault,
        },
        Meaning::Wave(label) => Subject::Wave(label),
        Meaning::Device(site) => Subject::Device(site),
        Meaning::Infusion(item) => Subject::Infusion(item),
        Meaning::Other => Subject::Foreign {
            mdc: Some(code),
            identifier,
            unknown: false,
        },
    }
}

/// What stands around a number and decides whether it may be used.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The delimiters of the message.
    pub delimiters: &'a Delimiters,
    /// The settings of the feed.
    pub settings: &'a Settings,
    /// The whole message is test data.
    pub test: bool,
}

impl Terms<'_> {
    /// The reading of a row in the parameter's unit. Ranges are checked by the observation.
    pub fn reading(&self, row: &Segment, parameter: Parameter, fallback: Option<Unit>) -> Reading {
        let value = match self.number(row) {
            // Adapters write it for "no value"; none of ours can be negative.
            Ok(value) if value == Decimal::whole(-1) => {
                return Reading::Invalid(Cause::NotAvailable);
            }
            Ok(value) => value,
            Err(cause) => return Reading::Invalid(cause),
        };
        let unit = match units::read(row.field(obx::UNIT), self.delimiters) {
            units::Told::Known(unit) => Some(unit),
            units::Told::Nothing if parameter == Parameter::Pi => {
                fallback.or(Some(Unit::Dimensionless))
            }
            units::Told::Nothing | units::Told::Unknown => fallback,
        };
        match unit
            .ok_or(Cause::UnknownUnit)
            .and_then(|unit| unit.convert(value, parameter))
        {
            Ok(value) => Reading::Valid(value),
            Err(cause) => Reading::Invalid(cause),
        }
    }

    /// The number of a row as it stands there, or why it must not be used.
    pub fn number(&self, row: &Segment) -> Result<Decimal, Cause> {
        self.usable(row)?;
        let value = self.value(row).ok_or(Cause::NotAvailable)?;
        match row.field(obx::STATUS) {
            b"" | b"F" | b"R" | b"P" | b"C" => Ok(value),
            b"X" if self.settings.x_is_ok => Ok(value),
            _ => Err(Cause::DeviceInvalid),
        }
    }

    /// Whether status, flags and kind of the row leave its value usable.
    pub fn usable(&self, row: &Segment) -> Result<(), Cause> {
        if matches!(row.field(obx::STATUS), b"D" | b"W") {
            return Err(Cause::Withdrawn);
        }
        let flagged = self.flagged(row.field(obx::FLAGS));
        if let Some(cause @ (Cause::Demo | Cause::Test)) = flagged {
            return Err(cause);
        }
        if self.test {
            return Err(Cause::Test);
        }
        if self.is_setting(row) {
            return Err(Cause::Setting);
        }
        flagged.map_or(Ok(()), Err)
    }

    /// Whether a row is marked as demonstration or test.
    pub fn is_unreal(&self, row: &Segment) -> bool {
        matches!(
            self.flagged(row.field(obx::FLAGS)),
            Some(Cause::Demo | Cause::Test)
        )
    }

    /// The gravest flag of OBX-8: demonstration and test before all others.
    fn flagged(&self, field: &[u8]) -> Option<Cause> {
        if field.is_empty() {
            return None;
        }
        let mut gravest = None;
        for flag in field.split(|&byte| byte == self.delimiters.repetition) {
            let [flag] = parts::<1>(flag, self.delimiters.component);
            let cause = match flag {
                b"DEMO" => return Some(Cause::Demo),
                b"TEST" => Some(Cause::Test),
                b"INV" | b"?" => Some(Cause::DeviceInvalid),
                b"QUES" => Some(Cause::LowQuality),
                b"BUSY" => Some(Cause::Measuring),
                b"CAL" => Some(Cause::Calibrating),
                b"<" | b">" | b"PINF" | b"NINF" => Some(Cause::OutOfRange),
                b"NAV" | b"NI" | b"NA" | b"OFF" | b"MSK" | b"OTH" | b"NAN" => {
                    Some(Cause::NotAvailable)
                }
                _ => None,
            };
            gravest = match (gravest, cause) {
                (_, Some(Cause::Test)) => cause,
                (None, _) => cause,
                (Some(_), _) => gravest,
            };
        }
        gravest
    }

    fn is_setting(&self, row: &Segment) -> bool {
        let method = row.field(obx::METHOD);
        matches!(row.field(obx::ACCESS), b"SETTING" | b"CONFIGURATION")
            || (!method.is_empty()
                && method
                    .split(|&byte| byte == self.delimiters.repetition)
                    .flat_map(|one| parts::<2>(one, self.delimiters.component))
                    .any(|part| matches!(part, b"ASET" | b"MSET")))
    }

    /// OBX-5 as a number; none for text, and for the numbers that stand for "no value".
    fn value(&self, row: &Segment) -> Option<Decimal> {
        let field = row.field(obx::VALUE);
        let digits = match row.field(obx::TYPE) {
            b"SN" => match parts::<4>(field, self.delimiters.component) {
                [b"" | b"=", digits, b"", b""] => digits,
                _ => return None,
            },
            b"NM" | b"ST" | b"TX" | b"FT" | b"" => field,
            _ => return None,
        };
        Decimal::parse(digits)
            .ok()
            .filter(|value| !stands_for_nothing(*value))
    }
}

/// Numbers by which senders mean "no value" (hl7.md 3.9).
fn stands_for_nothing(value: Decimal) -> bool {
    const WHOLE: [i64; 6] = [-100, -999, -1_000, -10_000, 32_767, 8_388_607];
    const ORDINARY: std::ops::Range<i64> = 0..32_767;
    // Nearly all values: not negative and of few digits.
    if ORDINARY.contains(&value.mantissa()) {
        return false;
    }
    WHOLE.iter().any(|&whole| value == Decimal::whole(whole)) || value == Decimal::new(-999, 1)
}
