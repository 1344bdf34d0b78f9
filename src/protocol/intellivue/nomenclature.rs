//! What the monitor's codes mean: parameters, their sites, waves and units (dossier 8.2, 8.3).
//!
//! Codes of the SCADA partition below 0xE000 are those of IEEE 11073-10101; the others are private.

use crate::vocabulary::{Parameter, ParameterId, Site, Unit};

/// First private code.
const PRIVATE: u16 = 0xE000;
/// The SCADA partition and the dimension partition, as the upper half of a context-free code.
const SCADA: u32 = 0x0002_0000;
const DIMENSION: u32 = 0x0004_0000;

/// The cuff's numeric: three values in one.
pub(super) const CUFF: u16 = 0x4A04;
/// Arterial pressures that a monitor may have, best first: ABP, ART.
pub(super) const ARTERIAL: [u16; 2] = [0x4A14, 0x4A10];

/// The parameters that are read, with their codes and sites. The first code of a parameter is the one
/// under which the device side sends it.
pub(super) const PARAMETERS: &[(u16, Parameter, Option<Site>)] = &[
    (0x4182, Parameter::Hr, None),
    (0x4BB8, Parameter::Spo2, None),
    (0x4822, Parameter::Pr, None),
    (0x4BB0, Parameter::Pi, None),
    // Pulse from an invasive pressure.
    (0x480A, Parameter::ArtPr, None),
    (0x4A05, Parameter::NibpSys, None),
    (0x4A06, Parameter::NibpDia, None),
    (0x4A07, Parameter::NibpMean, None),
    (0xF0E5, Parameter::NibpPr, None),
    (0x4A15, Parameter::ArtSys, None),
    (0x4A16, Parameter::ArtDia, None),
    (0x4A17, Parameter::ArtMean, None),
    (0x4A11, Parameter::ArtSys, None),
    (0x4A12, Parameter::ArtDia, None),
    (0x4A13, Parameter::ArtMean, None),
    (0x500A, Parameter::Rr, Some(Site::Impedance)),
    (0x5012, Parameter::Rr, Some(Site::Airway)),
    (0x5022, Parameter::Rr, Some(Site::Airway)),
    (0x50B0, Parameter::Etco2, None),
    (0x4B48, Parameter::Temp, None),
    // T1 to T4.
    (0xF0C7, Parameter::Temp, None),
    (0xF0C8, Parameter::Temp, None),
    (0xF0C9, Parameter::Temp, None),
    (0xF0CA, Parameter::Temp, None),
    // Core, oesophagus, ear drum, rectum, bladder.
    (0x4B60, Parameter::Temp, Some(Site::Core)),
    (0x4B64, Parameter::Temp, Some(Site::Core)),
    (0x4B78, Parameter::Temp, Some(Site::Core)),
    (0xE004, Parameter::Temp, Some(Site::Core)),
    (0xE014, Parameter::Temp, Some(Site::Core)),
    (0x4B74, Parameter::Temp, Some(Site::Skin)),
];

/// The parameter with this code, and where it is measured.
pub(super) fn parameter(code: u16) -> Option<(Parameter, Option<Site>)> {
    PARAMETERS
        .iter()
        .find_map(|(known, parameter, site)| (*known == code).then_some((*parameter, *site)))
}

/// The MDC code, for codes that are the standard's.
pub(super) fn mdc(code: u16) -> Option<u32> {
    (code < PRIVATE).then(|| SCADA | u32::from(code))
}

/// The name of a code that is none of our parameters.
pub(super) fn unknown(code: u16) -> ParameterId {
    match mdc(code) {
        Some(mdc) => ParameterId::Mdc(mdc),
        None => ParameterId::Vendor(format!("{}:0002-{code:04x}", super::PROTOCOL.name).into()),
    }
}

/// The unit with this code.
pub(super) fn unit(code: u16) -> Option<Unit> {
    Unit::from_mdc(DIMENSION | u32::from(code))
}

/// The codes that a label stands for when its numeric has no value.
pub(super) fn labelled(label: u32) -> &'static [u16] {
    const ONE: &[u16] = &[
        0x4182, 0x4BB8, 0x4822, 0x4BB0, 0x500A, 0x5012, 0x5022, 0x50B0, 0x4B48, 0xF0C7, 0xF0C8,
        0xF0C9, 0xF0CA, 0x4B60, 0x4B64, 0x4B78, 0xE004, 0xE014, 0x4B74, 0xF0E5,
    ];
    match label {
        0x0002_4A04 => &[0x4A05, 0x4A06, 0x4A07],
        0x0002_4A14 => &[0x4A15, 0x4A16, 0x4A17],
        0x0002_4A10 => &[0x4A11, 0x4A12, 0x4A13],
        // End-tidal CO2 has the label of its wave.
        0x0002_50AC => &[0x50B0],
        // Pulse from a pressure, as a real monitor labels it.
        0x8003_5402 => &[0x480A],
        _ => ONE
            .iter()
            .position(|code| SCADA | u32::from(*code) == label)
            .and_then(|at| ONE.get(at..=at))
            .unwrap_or_default(),
    }
}

/// The label of the numeric that holds this code.
pub(super) const fn label(code: u16) -> u32 {
    match code {
        0x4A05..=0x4A07 => 0x0002_4A04,
        0x4A15..=0x4A17 => 0x0002_4A14,
        0x50B0 => 0x0002_50AC,
        0x480A => 0x8003_5402,
        _ => SCADA | code as u32,
    }
}

/// One wave that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wave {
    /// The name in the feed's `waves` setting.
    pub(super) name: &'static str,
    /// The code; its label is the same in the SCADA partition.
    pub(super) code: u16,
    /// The label of its samples with us.
    pub(super) label: &'static str,
    /// Whether it is a single ECG lead, of which a monitor exports three.
    pub(super) is_lead: bool,
}

impl Wave {
    const fn lead(name: &'static str, code: u16, label: &'static str) -> Self {
        Self {
            name,
            code,
            label,
            is_lead: true,
        }
    }

    const fn other(name: &'static str, code: u16, label: &'static str) -> Self {
        Self {
            name,
            code,
            label,
            is_lead: false,
        }
    }

    /// The TextId in the list of waves.
    pub(super) const fn text_id(self) -> u32 {
        SCADA | self.code as u32
    }
}

/// The waves that can be asked for.
pub(super) const WAVES: &[Wave] = &[
    Wave::lead("ecg-i", 0x0101, "ecg-I"),
    Wave::lead("ecg-ii", 0x0102, "ecg-II"),
    Wave::lead("ecg-iii", 0x013D, "ecg-III"),
    Wave::lead("ecg-avr", 0x013E, "ecg-aVR"),
    Wave::lead("ecg-avl", 0x013F, "ecg-aVL"),
    Wave::lead("ecg-avf", 0x0140, "ecg-aVF"),
    Wave::lead("ecg-v", 0x0143, "ecg-V"),
    Wave::lead("ecg-mcl", 0x014B, "ecg-MCL"),
    Wave::lead("ecg-v1", 0x0103, "ecg-V1"),
    Wave::lead("ecg-v2", 0x0104, "ecg-V2"),
    Wave::lead("ecg-v3", 0x0105, "ecg-V3"),
    Wave::lead("ecg-v4", 0x0106, "ecg-V4"),
    Wave::lead("ecg-v5", 0x0107, "ecg-V5"),
    Wave::lead("ecg-v6", 0x0108, "ecg-V6"),
    Wave::other("pleth", 0x4BB4, "pleth"),
    Wave::other("abp", 0x4A14, "art"),
    Wave::other("art", 0x4A10, "art"),
    Wave::other("resp", 0x5000, "resp"),
    Wave::other("co2", 0x50AC, "co2"),
];

/// The unit of a wave as text; empty when there is none or it is not known.
pub(super) const fn wave_unit(code: u16) -> &'static str {
    match code {
        0x10B2 => "mV",
        0x10B3 => "uV",
        0x0F20 => "mmHg",
        0x0F03 => "kPa",
        0x0F40 => "cmH2O",
        0x0220 => "%",
        _ => "",
    }
}

/// The code of a wave's unit.
pub(super) fn wave_unit_code(unit: &str) -> u16 {
    [0x10B2, 0x10B3, 0x0F20, 0x0F03, 0x0F40, 0x0220]
        .into_iter()
        .find(|code| wave_unit(*code) == unit)
        .unwrap_or(0x0200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_can_be_told_missing_by_its_label() {
        for (code, parameter, _) in PARAMETERS {
            let label = match code {
                0x4A11..=0x4A13 => 0x0002_4A10,
                other => label(*other),
            };
            assert!(labelled(label).contains(code), "{parameter:?} {code:04X}");
        }
        assert!(labelled(0x0002_4180).is_empty());
    }

    #[test]
    fn units_and_unknown_codes_are_named_by_partition() {
        assert_eq!(unit(0x0AE0), Some(Unit::PerMinute));
        assert_eq!(unit(0x0F03), Some(Unit::KiloPascal));
        assert_eq!(unit(0x1120), None, "kelvin is no unit of ours");
        assert_eq!(unknown(0x4261).to_string(), "mdc:148065");
        assert_eq!(unknown(0xF0E3).to_string(), "vendor:intellivue:0002-f0e3");
        for unit in ["mV", "mmHg", "%", ""] {
            assert_eq!(wave_unit(wave_unit_code(unit)), unit);
        }
    }
}
