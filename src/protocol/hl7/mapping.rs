//! Plain-text dialects: identifiers that are no MDC codes, and the parameters they stand for.
//!
//! The shipped rows are those whose identifiers are known from documents or samples (hl7.md 6.2,
//! 6.4). A clinic adds its own with `map.<identifier> = "<parameter> [unit]"`; its rows come first,
//! before MDC codes too. Where one identifier stands for several values that only OBX-4 tells apart
//! (Welch Allyn's `SYS`, `DIA`, `MEAN`), `map.<identifier>@<OBX-4>` names one of them.

use crate::vocabulary::{Parameter, Site, Unit};
use std::collections::BTreeMap;

/// What an identifier stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The parameter.
    pub parameter: Parameter,
    /// Where it is measured, when the identifier tells.
    pub site: Option<Site>,
    /// The unit of rows that tell none that we know.
    pub unit: Option<Unit>,
}

const fn row(parameter: Parameter) -> Mapped {
    Mapped {
        parameter,
        site: None,
        unit: None,
    }
}

const fn at(parameter: Parameter, site: Site) -> Mapped {
    Mapped {
        parameter,
        site: Some(site),
        unit: None,
    }
}

/// Nihon Kohden by number.
const NIHON_KOHDEN: &[(&[u8], Mapped)] = &[
    (b"001000", row(Parameter::Hr)),
    (b"007000", row(Parameter::Spo2)),
    (b"007001", row(Parameter::Pr)),
    (b"009000", row(Parameter::NibpSys)),
    (b"009001", row(Parameter::NibpDia)),
    (b"009002", row(Parameter::NibpMean)),
    (b"014000", at(Parameter::Temp, Site::Core)),
];

/// Nihon Kohden by name, where the number is not known. (`rPR(spo2)` is a second channel of the same
/// pulse and stays out.)
const NAMES: &[(&[u8], Mapped)] = &[
    (b"HR", row(Parameter::Hr)),
    (b"SpO2", row(Parameter::Spo2)),
    (b"PR(spo2)", row(Parameter::Pr)),
    (b"RESP(co2)", at(Parameter::Rr, Site::Airway)),
    (b"EtCO2", row(Parameter::Etco2)),
    (b"TEMP", row(Parameter::Temp)),
    (b"TRECT", at(Parameter::Temp, Site::Core)),
];

/// Philips MDIL terms that have no MDC meaning.
const MDIL: &[(&[u8], Mapped)] = &[
    (b"0002-f0e5", row(Parameter::NibpPr)),
    (b"0002-f09c", row(Parameter::Spo2)),
    (b"0002-f0c7", row(Parameter::Temp)),
];

/// The shipped row for an identifier or its name.
pub fn shipped(identifier: &[u8], name: &[u8]) -> Option<Mapped> {
    let find = |rows: &[(&[u8], Mapped)], wanted: &[u8]| {
        rows.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(wanted))
            .map(|(_, mapped)| *mapped)
    };
    find(NIHON_KOHDEN, identifier).or_else(|| find(NAMES, bare(name)))
}

/// The shipped row for a private MDIL identifier.
pub fn private_mdil(identifier: &[u8]) -> Option<Mapped> {
    MDIL.iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(identifier))
        .map(|(_, mapped)| *mapped)
}

/// A name without the `VITAL ` that Nihon Kohden puts before it.
fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"VITAL ").unwrap_or(name).trim_ascii()
}

/// The clinic's own rows.
#[derive(Clone, Debug, Default)]
pub struct ClinicMap(BTreeMap<Vec<u8>, Mapped>);

impl ClinicMap {
    /// Adds a row; `value` is `<parameter> [unit]`.
    pub fn add(&mut self, identifier: &str, value: &str) -> Result<(), String> {
        let mapped = read(identifier, value)?;
        self.0.insert(identifier.as_bytes().to_vec(), mapped);
        Ok(())
    }

    /// The row for an identifier, or for its name with or without `VITAL `; a row for `place` (OBX-4)
    /// comes before one for any place.
    pub fn find(&self, identifier: &[u8], name: &[u8], place: &[u8]) -> Option<Mapped> {
        if self.0.is_empty() {
            return None;
        }
        let names = [identifier, name, bare(name)];
        names
            .iter()
            .filter(|_| !place.is_empty())
            .find_map(|name| self.0.get(&[*name, b"@", place].concat()))
            .or_else(|| names.iter().find_map(|name| self.0.get(*name)))
            .copied()
    }
}

/// Reads one row of the clinic's map, or says what is wrong with it.
pub fn read(identifier: &str, value: &str) -> Result<Mapped, String> {
    if identifier.trim().is_empty() {
        return Err("needs an identifier after \"map.\", as it stands in OBX-3".to_owned());
    }
    let (name, unit) = value
        .trim()
        .split_once(char::is_whitespace)
        .unwrap_or((value.trim(), ""));
    let Some(parameter) = Parameter::from_name(name) else {
        return Err(format!(
            "{name:?} is no parameter; write \"<parameter> [unit]\", for example \"spo2 %\""
        ));
    };
    let unit = match unit.trim() {
        "" => None,
        text => match Unit::from_text(text) {
            Some(unit)
                if unit
                    .convert(crate::vocabulary::Decimal::whole(50), parameter)
                    .is_ok() =>
            {
                Some(unit)
            }
            Some(_) => return Err(format!("{name} cannot be measured in {text:?}")),
            None => return Err(format!("{text:?} is no unit that we know")),
        },
    };
    Ok(Mapped {
        parameter,
        site: None,
        unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_rows_go_by_number_then_by_name() {
        assert_eq!(
            shipped(b"007000", b"VITAL SpO2").unwrap().parameter,
            Parameter::Spo2
        );
        assert_eq!(
            shipped(b"123456", b"VITAL EtCO2").unwrap().parameter,
            Parameter::Etco2
        );
        assert_eq!(shipped(b"072007", b"VITAL rPR(spo2)"), None);
    }

    #[test]
    fn a_clinic_may_name_what_it_has() {
        let mut map = ClinicMap::default();
        map.add("XY7", "temp [degF]").unwrap();
        map.add("Puls", "pr").unwrap();
        map.add("NBP@SYS", "nibp-sys").unwrap();
        let find = |identifier: &[u8], name: &[u8], place: &[u8]| {
            map.find(identifier, name, place)
                .map(|found| found.parameter)
        };
        assert_eq!(map.find(b"XY7", b"", b"").unwrap().unit, Some(Unit::DegF));
        assert_eq!(find(b"XY7", b"", b"1.1.1.1"), Some(Parameter::Temp));
        assert_eq!(find(b"9", b"Puls", b""), Some(Parameter::Pr));
        assert_eq!(find(b"9", b"VITAL Puls", b"1"), Some(Parameter::Pr));
        assert_eq!(find(b"9", b"other", b""), None);
        assert_eq!(find(b"NBP", b"", b"SYS"), Some(Parameter::NibpSys));
        assert_eq!(find(b"9", b"NBP", b"SYS"), Some(Parameter::NibpSys));
        assert_eq!(find(b"NBP", b"", b"DIA"), None);
        assert_eq!(find(b"NBP", b"", b""), None);
    }

    #[test]
    fn a_wrong_row_says_what_is_wrong() {
        assert!(read("a", "pulse").unwrap_err().contains("\"pulse\""));
        assert!(read("a", "spo2 furlong").unwrap_err().contains("furlong"));
        assert!(read("a", "spo2 mmHg").unwrap_err().contains("cannot"));
        assert!(read("", "spo2").unwrap_err().contains("identifier"));
    }
}
