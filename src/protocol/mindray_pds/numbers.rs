//! The monitor's numbers: which parameter each stands for (dossier 6.1), and the kinds of messages.

use crate::vocabulary::{Parameter, Site};

/// Kinds of messages, as they stand in MSH-10.
pub(super) mod kind {
    pub(in super::super) const PATIENT: &[u8] = b"103";
    pub(in super::super) const ECHO: &[u8] = b"106";
    pub(in super::super) const VALUES: &[u8] = b"204";
    pub(in super::super) const STATUS: &[u8] = b"205";
    pub(in super::super) const CUFF: &[u8] = b"503";
    pub(in super::super) const PHYSIOLOGICAL: &[u8] = b"54";
    pub(in super::super) const TECHNICAL: &[u8] = b"56";
    pub(in super::super) const WAVES: &[u8] = b"157";
    pub(in super::super) const QUERY: &[u8] = b"1203";
}

/// The monitor's upper limit of the parameter in OBX-4.
pub(super) const LIMIT_HIGH: u32 = 2002;
/// Its lower limit.
pub(super) const LIMIT_LOW: u32 = 2003;
/// Whether the parameter in OBX-4 has a value.
pub(super) const STATUS: u32 = 2037;
/// Ends the list of physiological alarms.
pub(super) const PHYSIOLOGICAL_END: u32 = 2040;
/// Ends the list of technical alarms.
pub(super) const TECHNICAL_END: u32 = 2041;

/// The pulse rate of the oximeter.
pub(super) const PULSE: u32 = 161;
/// The pulse rate of a module of its own, from whatever source the monitor has chosen.
pub(super) const OTHER_PULSE: u32 = 600;

/// One number that we know.
pub(super) struct Number {
    pub(super) id: u32,
    /// The name and the module, as one of the captures has them: for the device side.
    pub(super) name: &'static str,
    pub(super) module: u32,
    pub(super) parameter: Parameter,
    pub(super) site: Option<Site>,
}

const fn number(id: u32, name: &'static str, module: u32, parameter: Parameter) -> Number {
    Number {
        id,
        name,
        module,
        parameter,
        site: None,
    }
}

/// Every number that is read as a parameter. A second temperature stays under its own code: two in turn
/// under one name would be neither.
pub(super) const NUMBERS: &[Number] = &[
    number(101, "HR", 2101, Parameter::Hr),
    Number {
        site: Some(Site::Impedance),
        ..number(151, "RR", 2102, Parameter::Rr)
    },
    number(160, "SpO2", 2103, Parameter::Spo2),
    number(PULSE, "PR", 2103, Parameter::Pr),
    number(162, "PI", 2103, Parameter::Pi),
    number(170, "Sys", 2105, Parameter::NibpSys),
    number(171, "Dia", 2105, Parameter::NibpDia),
    number(172, "Mean", 2105, Parameter::NibpMean),
    number(173, "PR", 2105, Parameter::NibpPr),
    number(200, "T1", 2104, Parameter::Temp),
    number(220, "EtCO2", 2106, Parameter::Etco2),
    number(250, "EtCO2", 2106, Parameter::Etco2),
    Number {
        site: Some(Site::Airway),
        ..number(280, "awRR", 2106, Parameter::Rr)
    },
    number(500, "ART-Sys", 2116, Parameter::ArtSys),
    number(501, "ART-Mean", 2116, Parameter::ArtMean),
    number(502, "ART-Dia", 2116, Parameter::ArtDia),
    number(OTHER_PULSE, "PR", 2115, Parameter::Pr),
];

/// The number, if we know it.
pub(super) fn find(id: u32) -> Option<&'static Number> {
    NUMBERS.iter().find(|known| known.id == id)
}

/// An identifier's number: the digits before the name.
pub(super) fn id(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |sum: u32, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u32::from(digit - b'0'))
    })
}
