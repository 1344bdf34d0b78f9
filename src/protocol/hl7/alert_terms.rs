//! The nomenclature of PCD-04: rows of an alert, its events in words, priorities (hl7.md 4).

use crate::vocabulary::Priority;

/// The partition of events.
pub const EVENTS: std::ops::Range<u32> = 196_608..262_144;

/// What a row of an alert tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    /// Where it stands.
    Phase,
    /// Whether its cause lasts.
    State,
    /// What was done to its sound.
    Inactivation,
    /// Its priority.
    Priority,
    /// Type, source, time to confirm: of no use to us.
    Other,
    /// Its text.
    Text,
}

/// Facets by the end of their names, then by the numbers that were seen for them.
const FACETS: &[(&str, &[u32], Facet)] = &[
    ("EVENT_PHASE", &[68_481, 684_810, 68_165], Facet::Phase),
    (
        "INACTIVATION_STATE",
        &[68_483, 684_830],
        Facet::Inactivation,
    ),
    ("ALARM_STATE", &[68_482, 684_820], Facet::State),
    ("ALERT_STATE", &[], Facet::State),
    ("ALARM_PRIORITY", &[68_484, 684_840], Facet::Priority),
    ("ALERT_PRIORITY", &[], Facet::Priority),
    ("ALERT_TEXT", &[68_546], Facet::Text),
    ("ALERT_TYPE", &[68_485, 684_850], Facet::Other),
    ("ALERT_SOURCE", &[68_480, 684_800, 68_164], Facet::Other),
    ("CONFIRM_TIMEOUT", &[67_860], Facet::Other),
];

/// Events by number, in words.
pub const WORDS: &[(u32, &str)] = &[
    (196_648, "high"),
    (196_650, "above the limit"),
    (196_660, "not working"),
    (196_670, "low"),
    (196_672, "below the limit"),
    (196_688, "occlusion"),
    (196_802, "battery low"),
    (196_880, "lead off"),
    (196_916, "sensor disconnected"),
    (196_920, "sensor problem"),
    (196_940, "line occluded"),
    (197_218, "syringe barrel not held"),
    (197_334, "infusion nearly complete"),
    (199_680, "apnoea"),
    (199_684, "asystole"),
    (199_696, "bradycardia"),
    (199_728, "tachycardia"),
];

/// The facet of a row: by its name, else by its number.
pub fn facet(number: Option<u32>, name: &[u8]) -> Option<Facet> {
    let by_name = FACETS
        .iter()
        .find(|(end, ..)| name.ends_with(end.as_bytes()) && name.starts_with(b"MDC_ATTR_"));
    let by_number = || {
        FACETS
            .iter()
            .find(|(_, numbers, _)| number.is_some_and(|number| numbers.contains(&number)))
    };
    by_name.or_else(by_number).map(|(.., facet)| *facet)
}

/// A priority as told; `PN` is none.
pub fn priority(word: &[u8]) -> Option<Option<Priority>> {
    match word {
        b"PH" => Some(Some(Priority::High)),
        b"PM" => Some(Some(Priority::Medium)),
        b"PL" => Some(Some(Priority::Low)),
        b"PN" => Some(None),
        _ => None,
    }
}

/// A name of the nomenclature as words.
pub fn in_words(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let bare = ["MDC_EVT_", "MNDRY_EVT_", "MDC_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(&name);
    bare.replace('_', " ").to_lowercase()
}
