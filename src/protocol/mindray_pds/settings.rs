//! Settings of the protocol: the monitor's units and its character set.

use super::super::registry::OptionSpec;
use super::super::session::{OptionProblem, Options};
use super::text::Charset;
use crate::vocabulary::{Parameter, ReadingUnit, Unit};

const PRESSURE: &[(&str, Unit)] = &[("mmHg", Unit::MmHg), ("kPa", Unit::KiloPascal)];
const TEMPERATURE: &[(&str, Unit)] = &[("C", Unit::DegC), ("F", Unit::DegF)];

/// The settings that the protocol understands.
pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "pressure-unit",
        about: "the monitor's unit of blood pressure, mmHg or kPa; default mmHg",
        check: |_, value| one_of(PRESSURE, value).map(drop),
    },
    OptionSpec {
        name: "co2-unit",
        about: "the monitor's unit of CO2, mmHg or kPa; default mmHg",
        check: |_, value| one_of(PRESSURE, value).map(drop),
    },
    OptionSpec {
        name: "temperature-unit",
        about: "the monitor's unit of temperature, C or F; default C",
        check: |_, value| one_of(TEMPERATURE, value).map(drop),
    },
    OptionSpec {
        name: "charset",
        about: "character set of names and alarms: auto (UTF-8, else GBK), utf-8, gbk, windows-1251 or umec-cyrillic; default auto",
        check: |_, value| one_of(Charset::NAMES, value).map(drop),
    },
];

/// The checked settings of one feed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pressure: Unit,
    co2: Unit,
    temperature: Unit,
    pub(super) charset: Charset,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pressure: Unit::MmHg,
            co2: Unit::MmHg,
            temperature: Unit::DegC,
            charset: Charset::Auto,
        }
    }
}

impl Settings {
    /// Reads the settings of a feed.
    pub(super) fn read(options: &Options) -> Result<Self, OptionProblem> {
        let mut settings = Self::default();
        for (option, value) in options {
            settings
                .set(option, value)
                .map_err(|problem| OptionProblem {
                    option: option.clone(),
                    problem,
                })?;
        }
        Ok(settings)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        match option {
            "pressure-unit" => self.pressure = one_of(PRESSURE, value)?,
            "co2-unit" => self.co2 = one_of(PRESSURE, value)?,
            "temperature-unit" => self.temperature = one_of(TEMPERATURE, value)?,
            "charset" => self.charset = one_of(Charset::NAMES, value)?,
            _ => return Err("mindray-pds has no such setting".to_owned()),
        }
        Ok(())
    }

    /// The unit in which the monitor tells a parameter.
    pub(super) fn unit(&self, parameter: Parameter) -> Unit {
        match parameter.unit() {
            ReadingUnit::PerMinute => Unit::PerMinute,
            ReadingUnit::Percent => Unit::Percent,
            ReadingUnit::MmHg if parameter == Parameter::Etco2 => self.co2,
            ReadingUnit::MmHg => self.pressure,
            ReadingUnit::DegC => self.temperature,
        }
    }
}

fn one_of<T: Copy>(names: &[(&str, T)], value: &str) -> Result<T, String> {
    names
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, found)| *found)
        .ok_or_else(|| {
            let allowed: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            format!("{value:?} is none of {}", allowed.join(", "))
        })
}
