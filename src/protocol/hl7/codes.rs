//! MDC codes of OBX-3 (IEEE 11073-10101): what a number and a name mean, and what to do when they
//! contradict each other (hl7.md 3.3, 3.4, 6.2).

use super::item::Item;
use crate::vocabulary::{Parameter, Site};
use Meaning::{Device, Infusion, Other, Wave};

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// One of our parameters.
    Reading(Parameter, Option<Site>),
    /// A wave, under this label.
    Wave(&'static str),
    /// A device, module or channel; respiration measured by it has this site.
    Device(Option<Site>),
    /// What an infusion pump tells of itself.
    Infusion(Item),
    /// Known, and none of ours.
    Other,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
struct Term {
    code: u32,
    /// The first is the usual name; further ones were seen for the same code.
    names: &'static [&'static str],
    meaning: Meaning,
}

const fn reading(code: u32, names: &'static [&'static str], parameter: Parameter) -> Term {
    Term {
        code,
        names,
        meaning: Meaning::Reading(parameter, None),
    }
}

const fn sited(
    code: u32,
    names: &'static [&'static str],
    parameter: Parameter,
    site: Site,
) -> Term {
    Term {
        code,
        names,
        meaning: Meaning::Reading(parameter, Some(site)),
    }
}

const fn term(code: u32, names: &'static [&'static str], meaning: Meaning) -> Term {
    Term {
        code,
        names,
        meaning,
    }
}

/// Every code we know, by number.
static TERMS: &[Term] = &[
    term(67_972, &["MDC_ATTR_SYS_ID"], Infusion(Item::SystemId)),
    term(68_012, &["MDC_ATTR_AL_COND"], Infusion(Item::Alarm)),
    term(68_487, &["MDC_ATTR_EVT_COND"], Infusion(Item::Event)),
    term(
        68_488,
        &["MDC_ATTR_EVT_SOURCE"],
        Infusion(Item::EventSource),
    ),
    term(69_642, &["MDC_DEV_ANALY_SAT_O2_VMD"], Device(None)),
    term(
        69_682,
        &["MDC_DEV_ANALY_AWAY_MULTI_PARAM_VMD"],
        Device(Some(Site::Airway)),
    ),
    term(
        69_766,
        &["MDC_DEV_GEN_CONC_AWAY_VMD"],
        Device(Some(Site::Airway)),
    ),
    term(69_798, &["MDC_DEV_ECG_VMD"], Device(Some(Site::Impedance))),
    term(69_799, &["MDC_DEV_ECG_CHAN"], Device(Some(Site::Impedance))),
    term(
        69_837,
        &["MDC_DEV_METER_PHYSIO_MULTI_PARAM_MDS"],
        Device(None),
    ),
    term(69_854, &["MDC_DEV_METER_PRESS_BLD_VMD"], Device(None)),
    term(69_855, &["MDC_DEV_METER_PRESS_BLD_CHAN"], Device(None)),
    term(69_902, &["MDC_DEV_METER_TEMP_VMD"], Device(None)),
    term(69_903, &["MDC_DEV_METER_TEMP_CHAN"], Device(None)),
    term(
        69_965,
        &["MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS"],
        Device(None),
    ),
    term(
        70_666,
        &["MDC_DEV_ECG_RESP_VMD"],
        Device(Some(Site::Impedance)),
    ),
    term(70_675, &["MDC_DEV_PULS_CHAN"], Device(None)),
    term(70_686, &["MDC_DEV_PRESS_BLD_NONINV_VMD"], Device(None)),
    term(70_687, &["MDC_DEV_PRESS_BLD_NONINV_CHAN"], Device(None)),
    term(70_739, &["MDC_DEV_CARD_RATE_CHAN"], Device(None)),
    term(70_771, &["MDC_DEV_ANALY_PERF_REL_CHAN"], Device(None)),
    term(
        131_329,
        &["MDC_ECG_ELEC_POTL_I", "MDC_ECG_LEAD_I"],
        Wave("ecg-i"),
    ),
    term(
        131_330,
        &["MDC_ECG_ELEC_POTL_II", "MDC_ECG_LEAD_II"],
        Wave("ecg-ii"),
    ),
    term(
        131_331,
        &["MDC_ECG_ELEC_POTL_V1", "MDC_ECG_LEAD_V1"],
        Wave("ecg-v1"),
    ),
    term(
        131_332,
        &["MDC_ECG_ELEC_POTL_V2", "MDC_ECG_LEAD_V2"],
        Wave("ecg-v2"),
    ),
    term(
        131_333,
        &["MDC_ECG_ELEC_POTL_V3", "MDC_ECG_LEAD_V3"],
        Wave("ecg-v3"),
    ),
    term(
        131_334,
        &["MDC_ECG_ELEC_POTL_V4", "MDC_ECG_LEAD_V4"],
        Wave("ecg-v4"),
    ),
    term(
        131_335,
        &["MDC_ECG_ELEC_POTL_V5", "MDC_ECG_LEAD_V5"],
        Wave("ecg-v5"),
    ),
    term(
        131_336,
        &["MDC_ECG_ELEC_POTL_V6", "MDC_ECG_LEAD_V6"],
        Wave("ecg-v6"),
    ),
    term(
        131_389,
        &["MDC_ECG_ELEC_POTL_III", "MDC_ECG_LEAD_III"],
        Wave("ecg-iii"),
    ),
    term(
        131_390,
        &["MDC_ECG_ELEC_POTL_AVR", "MDC_ECG_LEAD_AVR"],
        Wave("ecg-avr"),
    ),
    term(
        131_391,
        &["MDC_ECG_ELEC_POTL_AVL", "MDC_ECG_LEAD_AVL"],
        Wave("ecg-avl"),
    ),
    term(
        131_392,
        &["MDC_ECG_ELEC_POTL_AVF", "MDC_ECG_LEAD_AVF"],
        Wave("ecg-avf"),
    ),
    term(131_841, &["MDC_ECG_AMPL_ST_I"], Other),
    term(131_842, &["MDC_ECG_AMPL_ST_II"], Other),
    term(131_843, &["MDC_ECG_AMPL_ST_V1"], Other),
    term(131_844, &["MDC_ECG_AMPL_ST_V2"], Other),
    term(131_845, &["MDC_ECG_AMPL_ST_V3"], Other),
    term(131_846, &["MDC_ECG_AMPL_ST_V4"], Other),
    term(131_847, &["MDC_ECG_AMPL_ST_V5"], Other),
    term(131_848, &["MDC_ECG_AMPL_ST_V6"], Other),
    term(131_901, &["MDC_ECG_AMPL_ST_III"], Other),
    term(131_902, &["MDC_ECG_AMPL_ST_AVR"], Other),
    term(131_903, &["MDC_ECG_AMPL_ST_AVL"], Other),
    term(131_904, &["MDC_ECG_AMPL_ST_AVF"], Other),
    reading(
        147_842,
        &["MDC_ECG_HEART_RATE", "MDC_ECG_CARD_BEAT_RATE"],
        Parameter::Hr,
    ),
    term(148_066, &["MDC_ECG_V_P_C_RATE"], Other),
    reading(149_514, &["MDC_PULS_RATE", "MDC_PRESS_RATE"], Parameter::Pr),
    reading(
        149_522,
        &["MDC_BLD_PULS_RATE_INV", "MDC_PULS_RATE"],
        Parameter::ArtPr,
    ),
    reading(149_530, &["MDC_PULS_OXIM_PULS_RATE"], Parameter::Pr),
    reading(149_538, &["MDC_PLETH_PULS_RATE"], Parameter::Pr),
    reading(149_546, &["MDC_PULS_RATE_NON_INV"], Parameter::NibpPr),
    // Pressure of no told site: neither cuff nor line, so none of ours.
    term(150_017, &["MDC_PRESS_BLD_SYS"], Other),
    term(150_018, &["MDC_PRESS_BLD_DIA"], Other),
    term(150_019, &["MDC_PRESS_BLD_MEAN"], Other),
    reading(150_021, &["MDC_PRESS_BLD_NONINV_SYS"], Parameter::NibpSys),
    reading(150_022, &["MDC_PRESS_BLD_NONINV_DIA"], Parameter::NibpDia),
    reading(150_023, &["MDC_PRESS_BLD_NONINV_MEAN"], Parameter::NibpMean),
    term(150_032, &["MDC_PRESS_BLD_ART"], Wave("art")),
    reading(150_033, &["MDC_PRESS_BLD_ART_SYS"], Parameter::ArtSys),
    reading(150_034, &["MDC_PRESS_BLD_ART_DIA"], Parameter::ArtDia),
    reading(150_035, &["MDC_PRESS_BLD_ART_MEAN"], Parameter::ArtMean),
    term(150_036, &["MDC_PRESS_BLD_ART_ABP"], Wave("art")),
    reading(150_037, &["MDC_PRESS_BLD_ART_ABP_SYS"], Parameter::ArtSys),
    reading(150_038, &["MDC_PRESS_BLD_ART_ABP_DIA"], Parameter::ArtDia),
    reading(150_039, &["MDC_PRESS_BLD_ART_ABP_MEAN"], Parameter::ArtMean),
    term(150_087, &["MDC_PRESS_BLD_VEN_CENT_MEAN"], Other),
    reading(150_301, &["MDC_PRESS_CUFF_SYS"], Parameter::NibpSys),
    reading(150_302, &["MDC_PRESS_CUFF_DIA"], Parameter::NibpDia),
    reading(150_303, &["MDC_PRESS_CUFF_MEAN"], Parameter::NibpMean),
    reading(150_344, &["MDC_TEMP"], Parameter::Temp),
    reading(150_364, &["MDC_TEMP_BODY"], Parameter::Temp),
    sited(150_368, &["MDC_TEMP_CORE"], Parameter::Temp, Site::Core),
    sited(150_372, &["MDC_TEMP_ESOPH"], Parameter::Temp, Site::Core),
    sited(150_380, &["MDC_TEMP_NASOPH"], Parameter::Temp, Site::Core),
    sited(150_388, &["MDC_TEMP_SKIN"], Parameter::Temp, Site::Skin),
    sited(150_392, &["MDC_TEMP_TYMP"], Parameter::Temp, Site::Core),
    reading(150_448, &["MDC_PULS_OXIM_PERF_REL"], Parameter::Pi),
    term(150_452, &["MDC_PULS_OXIM_PLETH"], Wave("pleth")),
    reading(150_456, &["MDC_PULS_OXIM_SAT_O2"], Parameter::Spo2),
    term(150_468, &["MDC_PULS_OXIM_SAT_O2_DIFF"], Other),
    reading(150_488, &["MDC_BLD_PERF_INDEX"], Parameter::Pi),
    term(151_552, &["MDC_RESP"], Wave("resp")),
    reading(151_562, &["MDC_RESP_RATE"], Parameter::Rr),
    sited(
        151_570,
        &["MDC_AWAY_RESP_RATE"],
        Parameter::Rr,
        Site::Airway,
    ),
    sited(
        151_578,
        &["MDC_TTHOR_RESP_RATE"],
        Parameter::Rr,
        Site::Impedance,
    ),
    sited(
        151_586,
        &["MDC_VENT_RESP_RATE"],
        Parameter::Rr,
        Site::Airway,
    ),
    sited(151_594, &["MDC_CO2_RESP_RATE"], Parameter::Rr, Site::Airway),
    reading(151_708, &["MDC_CONC_AWAY_CO2_ET"], Parameter::Etco2),
    reading(151_712, &["MDC_CONC_AWAY_CO2_EXP"], Parameter::Etco2),
    term(151_716, &["MDC_CONC_AWAY_CO2_INSP"], Other),
    term(151_724, &["MDC_AWAY_CO2"], Wave("co2")),
    reading(151_728, &["MDC_AWAY_CO2_ET"], Parameter::Etco2),
    term(151_780, &["MDC_IMPED_TTHOR"], Wave("resp")),
    reading(151_928, &["MDC_VENT_AWAY_CO2_ET"], Parameter::Etco2),
    term(157_760, &["MDC_CONC_DRUG"], Other),
    term(157_784, &["MDC_FLOW_FLUID_PUMP"], Infusion(Item::Rate)),
    term(
        157_872,
        &["MDC_VOL_FLUID_TBI_REMAIN"],
        Infusion(Item::Remaining),
    ),
    term(157_884, &["MDC_VOL_FLUID_TBI"], Other),
    term(157_916, &["MDC_TIME_PD_REMAIN"], Other),
    term(157_924, &["MDC_RATE_DOSE"], Other),
    term(157_992, &["MDC_VOL_FLUID_DELIV_SEGMENT"], Other),
    term(
        157_993,
        &["MDC_VOL_FLUID_DELIV_TOTAL"],
        Infusion(Item::Volume),
    ),
    term(157_996, &["MDC_TIME_PD_PROG"], Other),
    term(
        158_005,
        &[
            "MDC_PUMP_CURRENT_DELIVERY_STATUS",
            "MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS",
        ],
        Infusion(Item::Delivery),
    ),
    term(
        158_006,
        &[
            "MDC_PUMP_NOT_DELIVERING_REASON",
            "MDC_DEV_PUMP_NOT_DELIVERING_REASON",
        ],
        Infusion(Item::Reason),
    ),
    term(
        158_008,
        &[
            "MDC_PUMP_PROGRAM_DELIVERY_MODE",
            "MDC_DEV_PUMP_PROGRAM_DELIVERY_MODE",
        ],
        Other,
    ),
    term(
        158_012,
        &[
            "MDC_PUMP_SOURCE_CHANNEL_LABEL",
            "MDC_DEV_PUMP_SOURCE_CHANNEL_LABEL",
        ],
        Other,
    ),
    term(
        158_014,
        &["MDC_FLOW_FLUID_PUMP_CURRENT"],
        Infusion(Item::Flow),
    ),
    term(
        158_016,
        &["MDC_PUMP_ACTIVE_SOURCES", "MDC_DEV_PUMP_ACTIVE_SOURCES"],
        Other,
    ),
    term(160_324, &["MDC_SPO2_SIGNAL_QUALITY_INDEX"], Other),
    term(184_514, &["MDC_DRUG_NAME_LABEL"], Infusion(Item::Drug)),
    term(184_516, &["MDC_PUMP_DRUG_LIBRARY_CARE_AREA"], Other),
    term(184_517, &["MDC_PUMP_DRUG_LIBRARY_VERSION"], Other),
    term(
        184_519,
        &["MDC_PUMP_INFUSING_STATUS", "MDC_DEV_PUMP_INFUSING_STATUS"],
        Infusion(Item::Infusing),
    ),
    term(184_520, &["MDC_PUMP_DRUG_LIBRARY_NAME"], Other),
    sited(188_420, &["MDC_TEMP_RECT"], Parameter::Temp, Site::Core),
    sited(188_436, &["MDC_TEMP_BLD"], Parameter::Temp, Site::Core),
    term(188_440, &["MDC_TEMP_DIFF"], Other),
];

/// Names that stand for an attribute, an event or a device: never a measurement.
const NO_METRIC: [&[u8]; 3] = [b"MDC_ATTR_", b"MDC_EVT_", b"MDC_DEV_"];
/// The partition of devices and attributes.
const DEVICES: std::ops::Range<u32> = 65_536..131_072;
/// Terms below this are bare 16-bit terms without their partition.
const PARTITION: u32 = 65_536;

/// What number and name together mean, by the look-up order of hl7.md 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The number is known and the name does not contradict it.
    Known {
        /// The full code.
        code: u32,
        /// What it means.
        meaning: Meaning,
        /// The name was told and is not one that we know.
        new_name: bool,
    },
    /// The number is unknown, the name is known: taken by name, and marked.
    ByName {
        /// The code that belongs to the name.
        code: u32,
        /// What it means.
        meaning: Meaning,
    },
    /// Both are known and contradict each other: not to be used.
    Contradiction {
        /// The code as sent.
        code: u32,
        /// What the number alone would mean.
        meaning: Meaning,
    },
    /// An attribute, an event or a device that we have no row for.
    NoMetric,
    /// Neither is known.
    Unknown(u32),
}

/// Looks up an MDC code and its name; an absent or null name is empty.
pub fn look_up(code: u32, name: &[u8]) -> Lookup {
    if let Some(term) = by_code(code) {
        return match agreement(term, name) {
            Agreement::Same => Lookup::Known {
                code,
                meaning: term.meaning,
                new_name: false,
            },
            Agreement::NewName => Lookup::Known {
                code,
                meaning: term.meaning,
                new_name: true,
            },
            Agreement::Contradiction => Lookup::Contradiction {
                code,
                meaning: term.meaning,
            },
        };
    }
    match by_name(name) {
        // A bare term without its partition is the same number.
        Some(term) if code < PARTITION && term.code % PARTITION == code => Lookup::Known {
            code: term.code,
            meaning: term.meaning,
            new_name: false,
        },
        Some(term) => Lookup::ByName {
            code: term.code,
            meaning: term.meaning,
        },
        None if DEVICES.contains(&code) || is_no_metric(name) => Lookup::NoMetric,
        None => Lookup::Unknown(code),
    }
}

/// Whether the name stands for an attribute, an event or a device.
pub fn is_no_metric(name: &[u8]) -> bool {
    NO_METRIC.iter().any(|prefix| name.starts_with(prefix))
}

/// The MDC code of a Philips MDIL identifier `pppp-tttt` (hexadecimal): partition × 65536 + term.
/// Private partitions and terms have none.
pub fn from_mdil(identifier: &[u8]) -> Option<u32> {
    let (partition, term) = identifier.split_at_checked(4)?;
    let (b'-', term) = term.split_first()? else {
        return None;
    };
    if term.len() != 4 {
        return None;
    }
    let (partition, term) = (hex(partition)?, hex(term)?);
    (partition < 0x0400 && term < 0xF000).then_some(partition * PARTITION + term)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum: u32, &digit| {
        Some(sum * 16 + char::from(digit).to_digit(16)?)
    })
}

/// A decimal code of at most eight digits.
pub fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    text.iter().try_fold(0, |sum: u32, &digit| {
        Some(sum * 10 + char::from(digit).to_digit(10)?)
    })
}

enum Agreement {
    Same,
    NewName,
    Contradiction,
}

fn agreement(term: &Term, name: &[u8]) -> Agreement {
    if name.is_empty() || has_name(term, name) {
        Agreement::Same
    } else if by_name(name).is_some() {
        Agreement::Contradiction
    } else {
        Agreement::NewName
    }
}

fn has_name(term: &Term, name: &[u8]) -> bool {
    term.names.iter().any(|known| {
        let known = known.as_bytes();
        known == name || known.eq_ignore_ascii_case(name)
    })
}

fn by_code(code: u32) -> Option<&'static Term> {
    let at = TERMS.binary_search_by_key(&code, |term| term.code).ok()?;
    TERMS.get(at)
}

fn by_name(name: &[u8]) -> Option<&'static Term> {
    TERMS.iter().find(|term| has_name(term, name))
}

/// The usual name of a code, for messages that we write.
pub fn name_of(code: u32) -> &'static str {
    by_code(code)
        .and_then(|term| term.names.first())
        .copied()
        .unwrap_or_default()
}

/// The code under which a wave with this label is sent.
pub fn of_wave(label: &str) -> Option<u32> {
    TERMS
        .iter()
        .find(|term| matches!(term.meaning, Wave(known) if known == label))
        .map(|term| term.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TERMS.is_sorted_by(|one, other| one.code < other.code));
    }

    #[test]
    fn every_parameter_has_its_usual_code() {
        for &parameter in Parameter::ALL {
            let Some(Term {
                meaning: Meaning::Reading(found, _),
                ..
            }) = by_code(parameter.mdc())
            else {
                panic!("{parameter:?} has no row");
            };
            assert_eq!(*found, parameter);
        }
    }

    #[test]
    fn look_up_order() {
        let hr = Meaning::Reading(Parameter::Hr, None);
        let sys = Meaning::Reading(Parameter::NibpSys, None);
        let known = |code, meaning, new_name| Lookup::Known {
            code,
            meaning,
            new_name,
        };
        for (code, name, expected) in [
            (147_842, "MDC_ECG_HEART_RATE", known(147_842, hr, false)),
            (147_842, "MDC_ECG_CARD_BEAT_RATE", known(147_842, hr, false)),
            (147_842, "mdc_ecg_heart_rate", known(147_842, hr, false)),
            (147_842, "", known(147_842, hr, false)),
            (147_842, "HEART", known(147_842, hr, true)),
            (
                1,
                "MDC_ECG_HEART_RATE",
                Lookup::ByName {
                    code: 147_842,
                    meaning: hr,
                },
            ),
            (
                150_031,
                "MDC_PRESS_CUFF_SYS",
                Lookup::ByName {
                    code: 150_301,
                    meaning: sys,
                },
            ),
            (
                150_021,
                "MDC_PRESS_BLD_NONINV_DIA",
                Lookup::Contradiction {
                    code: 150_021,
                    meaning: sys,
                },
            ),
            (
                150_017,
                "MDC_PRESS_BLD_NONINV_SYS",
                Lookup::Contradiction {
                    code: 150_017,
                    meaning: Other,
                },
            ),
            (
                4_262,
                "MDC_DEV_ECG_VMD",
                known(69_798, Device(Some(Site::Impedance)), false),
            ),
            (
                67_972,
                "MDC_ATTR_SYS_ID",
                known(67_972, Infusion(Item::SystemId), false),
            ),
            (
                158_005,
                "MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS",
                known(158_005, Infusion(Item::Delivery), false),
            ),
            (67_880, "MDC_ATTR_ID_MODEL", Lookup::NoMetric),
            (0, "MDC_ATTR_SAMP_RATE", Lookup::NoMetric),
            (147_232, "MDC_ECG_TIME_PD_QT_GL", Lookup::Unknown(147_232)),
        ] {
            assert_eq!(look_up(code, name.as_bytes()), expected, "{code}^{name}");
        }
    }

    #[test]
    fn mdil_is_arithmetic() {
        for (identifier, code) in [
            ("0002-4182", Some(147_842)),
            ("0002-4bb8", Some(150_456)),
            ("0002-4BB8", Some(150_456)),
            ("0004-0aa0", Some(264_864)),
            ("0002-f0e5", None),
            ("0402-f8f5", None),
            ("0401-0001", None),
            ("0002*f0c7", None),
            ("0002-4bb", None),
            ("0002-4bb8a", None),
            ("", None),
        ] {
            assert_eq!(from_mdil(identifier.as_bytes()), code, "{identifier}");
        }
    }
}
