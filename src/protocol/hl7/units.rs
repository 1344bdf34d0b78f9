//! Units of OBX-6: MDC or Philips MDIL code, UCUM or plain text, in either place (hl7.md 3.5).
//!
//! Converted by code, never by magnitude; what cannot be read with certainty is no unit.

use super::codes;
use super::message::{Delimiters, parts, told};
use crate::vocabulary::Unit;

/// Names of unit codes, for senders that put no usable number before them.
const NAMES: &[(&str, u32)] = &[
    ("MDC_DIM_BEAT_PER_MIN", 264_864),
    ("MDC_DIM_RESP_PER_MIN", 264_928),
    ("MDC_DIM_PER_MIN", 264_672),
    ("MDC_DIM_PERCENT", 262_688),
    ("MDC_DIM_DIMLESS", 262_656),
    ("MDC_DIM_MMHG", 266_016),
    ("MDC_DIM_KILO_PASCAL", 265_987),
    ("MDC_DIM_CM_H2O", 266_048),
    ("MDC_DIM_DEGC", 268_192),
    ("MDC_DIM_FAHR", 266_560),
];

/// What OBX-6 tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// A unit that we know.
    Known(Unit),
    /// Something that we do not know.
    Unknown,
}

/// Reads OBX-6. The first triple decides if its coding system is one of ours; a private one leaves
/// it to the alternate triple.
pub fn read(field: &[u8], delimiters: &Delimiters) -> Told {
    if field.is_empty() {
        return Told::Nothing;
    }
    let [code, name, system, other, other_name, other_system] =
        parts::<6>(field, delimiters.component);
    let alternate = || triple(other, other_name, other_system).unwrap_or(Told::Unknown);
    match triple(code, name, system) {
        Some(Told::Nothing) => alternate(),
        Some(decided) => decided,
        // A private unit without a public alternative is a unit that we do not know.
        None => match alternate() {
            Told::Nothing => Told::Unknown,
            decided @ (Told::Known(_) | Told::Unknown) => decided,
        },
    }
}

/// The MDC code of the unit as sent, for waves, whose units are not ours.
pub fn code(field: &[u8], delimiters: &Delimiters) -> Option<u32> {
    let [code, _, system] = parts::<3>(field, delimiters.component);
    if system.eq_ignore_ascii_case(b"MDIL") {
        codes::from_mdil(code)
    } else {
        codes::number(code)
    }
}

/// One triple of code, name and coding system; `None` for a system that is not ours.
fn triple(code: &[u8], name: &[u8], system: &[u8]) -> Option<Told> {
    let coded = |number: Option<u32>| match number.and_then(Unit::from_mdc) {
        Some(unit) => Told::Known(unit),
        None => Told::Unknown,
    };
    if system.eq_ignore_ascii_case(b"MDIL") {
        return Some(coded(codes::from_mdil(code)));
    }
    if system.eq_ignore_ascii_case(b"MDC") || (system.is_empty() && name.starts_with(b"MDC_")) {
        return Some(mdc(codes::number(code), name));
    }
    if system.eq_ignore_ascii_case(b"UCUM") || system.is_empty() {
        return Some(match told(code) {
            None => Told::Nothing,
            Some(text) => match codes::number(text).filter(|&number| number > 1) {
                number @ Some(_) => coded(number),
                None => plain(text),
            },
        });
    }
    None
}

/// A number with a name: a contradiction is no unit, a number that stands for nothing leaves it to
/// the name.
fn mdc(number: Option<u32>, name: &[u8]) -> Told {
    // Nearly always number and name are those of one row.
    if let Some(row) = NAMES.iter().find(|row| Some(row.1) == number)
        && row.0.as_bytes() == name
    {
        return Unit::from_mdc(row.1).map_or(Told::Unknown, Told::Known);
    }
    let named = NAMES
        .iter()
        .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))
        .map(|(_, code)| *code);
    match (number, named) {
        (Some(number), Some(named)) if number > 1 && number != named => Told::Unknown,
        (None | Some(0 | 1), Some(code)) | (Some(code), _) => {
            Unit::from_mdc(code).map_or(Told::Unknown, Told::Known)
        }
        (None, None) => Told::Unknown,
    }
}

fn plain(text: &[u8]) -> Told {
    // A degree sign may come in either character set.
    let latin = text.strip_prefix(b"\xB0").map(|rest| {
        let mut degrees = "\u{B0}".to_owned();
        degrees.extend(rest.iter().copied().map(char::from));
        degrees
    });
    let known = match latin {
        Some(degrees) => Unit::from_text(&degrees),
        None => std::str::from_utf8(text).ok().and_then(Unit::from_text),
    };
    known.map_or(Told::Unknown, Told::Known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_every_form_that_was_seen() {
        for (field, expected) in [
            ("", Told::Nothing),
            (
                "264864^MDC_DIM_BEAT_PER_MIN^MDC",
                Told::Known(Unit::PerMinute),
            ),
            ("264864^MDC_DIM_BEAT_PER_MIN", Told::Known(Unit::PerMinute)),
            ("264864", Told::Known(Unit::PerMinute)),
            ("264864^anything^MDC", Told::Known(Unit::PerMinute)),
            ("1^MDC_DIM_BEAT_PER_MIN", Told::Known(Unit::PerMinute)),
            ("^MDC_DIM_PERCENT^MDC", Told::Known(Unit::Percent)),
            ("0004-0f03^kPa^MDIL", Told::Known(Unit::KiloPascal)),
            ("0004-1710^C^MDIL", Told::Unknown),
            ("mm[Hg]^mm[Hg]^UCUM", Told::Known(Unit::MmHg)),
            ("mmHg", Told::Known(Unit::MmHg)),
            ("/min", Told::Known(Unit::PerMinute)),
            ("%", Told::Known(Unit::Percent)),
            ("1", Told::Known(Unit::Dimensionless)),
            (
                "265987^MDC_DIM_KILO_PASCAL^MDC^kPa^kPa^UCUM",
                Told::Known(Unit::KiloPascal),
            ),
            (
                "kPa^kPa^UCUM^265987^MDC_DIM_KILO_PASCAL^MDC",
                Told::Known(Unit::KiloPascal),
            ),
            (
                "x1^pressure^99PRIV^266016^MDC_DIM_MMHG^MDC",
                Told::Known(Unit::MmHg),
            ),
            ("^^^266016^MDC_DIM_MMHG^MDC", Told::Known(Unit::MmHg)),
            ("268160^MDC_DIM_FAHR^MDC", Told::Unknown),
            ("266016^MDC_DIM_KILO_PASCAL^MDC", Told::Unknown),
            ("x1^pressure^99PRIV", Told::Unknown),
            ("^^", Told::Nothing),
            ("furlong", Told::Unknown),
            ("\u{B0}C", Told::Known(Unit::DegC)),
        ] {
            assert_eq!(
                read(field.as_bytes(), &Delimiters::USUAL),
                expected,
                "{field}"
            );
        }
        assert_eq!(read(b"\xB0F", &Delimiters::USUAL), Told::Known(Unit::DegF));
    }
}
