//! The record as one value: what a flow sheet contains (dossier 6), before anybody formats it.
//!
//! The shapes here are the JSON document; `docs/record.md` explains every key. Numbers are exact decimals,
//! times are stamps of the wall clock, lengths are whole seconds of engine time.

mod ending;
mod entered;
mod measured;

pub use ending::*;
pub use entered::*;
pub use measured::*;

use super::Stamp;
use crate::engine::OpenSession;
use crate::vocabulary::{Decimal, Phase};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The record of one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// Its number.
    pub session: i64,
    /// Whom and what it was about, and when.
    pub header: Header,
    /// Where readings came from.
    pub feeds: Vec<Feed>,
    /// The phases in order.
    pub phases: Vec<PhaseSpan>,
    /// Baseline values, the newest of each parameter last.
    pub baseline: Vec<Baseline>,
    /// Cuff readings, failed ones too; a reading that a monitor repeats counts once.
    pub cuff: Vec<CuffReading>,
    /// The minutes of the session, from the minute of the opening on.
    pub minutes: Vec<Minute>,
    /// Continuous parameters by minute.
    pub series: Vec<Series>,
    /// Series that were left out because a device told too many.
    pub series_left_out: usize,
    /// Every single continuous reading near the turns of a patient alarm.
    pub near_alarms: Vec<RawReading>,
    /// Alarms in the order in which they began.
    pub alarms: Vec<Alarm>,
    /// Alarms of the monitor itself.
    pub device_alerts: Vec<DeviceAlertEntry>,
    /// Limits over time, for the trend.
    pub limits: Vec<LimitSpan>,
    /// Limits changed by hand.
    pub limit_changes: Vec<LimitChange>,
    /// Drugs given and wasted, entered by hand.
    pub drugs: Vec<Drug>,
    /// Rates, told by the pump or entered by hand.
    pub rates: Vec<Rate>,
    /// What the pump told.
    pub pump: Vec<PumpEntry>,
    /// Sums.
    pub totals: Totals,
    /// Scores, entered by hand.
    pub scores: Vec<Score>,
    /// Remarks, entered by hand.
    pub notes: Vec<Note>,
    /// Gates that were passed all the same.
    pub overrides: Vec<OverrideEntry>,
    /// Signatures.
    pub signatures: Vec<Signature>,
    /// Corrections of earlier entries.
    pub corrections: Vec<Correction>,
    /// Commands that were refused.
    pub refusals: Vec<Refusal>,
    /// Restarts of the program within the session.
    pub restarts: Vec<Restart>,
    /// Entries that could not be kept.
    pub gaps: Vec<Gap>,
    /// Lowest and highest values.
    pub extremes: Vec<Extreme>,
    /// How long it took and how long the patient was observed.
    pub lengths: Lengths,
    /// What must be true before the patient leaves (dossier 5.4), as it stood at the closing, or at the end of
    /// this document.
    pub checklist: Vec<ChecklistItem>,
    /// Why there is no checklist.
    pub checklist_missing: Option<String>,
    /// What people said of its items.
    pub checks: Vec<Check>,
    /// Fields of the esketamine monitoring form (dossier 6).
    pub rems: Rems,
    /// Everything that happened, in order, one line each.
    pub events: Vec<Event>,
}

/// Whom and what the session was about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Header {
    /// Patient identifier.
    pub patient: Option<String>,
    /// Patient name.
    pub patient_name: Option<String>,
    /// Weight, kg.
    pub weight_kg: Option<Decimal>,
    /// Drug.
    pub drug: Option<String>,
    /// Planned dose, mg.
    pub dose_mg: Option<Decimal>,
    /// Planned dose by weight, mg/kg, two places.
    pub dose_mg_per_kg: Option<Decimal>,
    /// Planned length, minutes.
    pub planned_min: Option<Decimal>,
    /// The arm with the cuff.
    pub cuff_arm: Option<String>,
    /// The arm with the oximeter.
    pub spo2_arm: Option<String>,
    /// When the session was opened; where the record begins inside it, its first entry.
    pub opened_at: Stamp,
    /// Who opened it.
    pub opened_by: Option<String>,
    /// Whether the record holds the opening.
    pub complete_from_opening: bool,
    /// First start of the infusion.
    pub infusion_started_at: Option<Stamp>,
    /// Last end of the infusion.
    pub infusion_ended_at: Option<Stamp>,
    /// When it was closed; `null` while it is open.
    pub closed_at: Option<Stamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// The newest entry that is in this document.
    pub upto: Stamp,
    /// Its number.
    pub upto_seq: u64,
    /// Name and check sum of the profile that judged.
    pub profile: Option<String>,
    /// Versions of the program that wrote it.
    pub programs: Vec<String>,
    /// Versions of the alarm engine.
    pub engine_versions: Vec<u32>,
}

impl Header {
    /// Takes a correction of what was told at the opening; what it said first stays in the list of corrections.
    pub(in crate::record) fn correct(&mut self, fields: &Map<String, Value>) {
        let about = OpenSession {
            patient: self.patient.clone(),
            patient_name: self.patient_name.clone(),
            weight_kg: self.weight_kg,
            drug: self.drug.clone(),
            dose_mg: self.dose_mg,
            planned_min: self.planned_min,
            cuff_arm: self.cuff_arm.clone(),
            spo2_arm: self.spo2_arm.clone(),
            by: self.opened_by.clone(),
        };
        let Ok(Value::Object(mut told)) = serde_json::to_value(about) else {
            return;
        };
        // `by` and `reason` are the correction's own.
        let kept = |field: &&String| !matches!(field.as_str(), "by" | "reason" | "void");
        for (field, value) in fields.iter().filter(|(field, _)| kept(field)) {
            told.insert(field.clone(), value.clone());
        }
        // The engine took the correction, so it can be read.
        if let Ok(about) = serde_json::from_value::<OpenSession>(Value::Object(told)) {
            self.about(&about);
        }
    }

    /// Takes what was told at the opening.
    pub(in crate::record) fn about(&mut self, about: &OpenSession) {
        self.patient.clone_from(&about.patient);
        self.patient_name.clone_from(&about.patient_name);
        self.weight_kg = about.weight_kg;
        self.drug.clone_from(&about.drug);
        self.dose_mg = about.dose_mg;
        self.planned_min = about.planned_min;
        self.cuff_arm.clone_from(&about.cuff_arm);
        self.spo2_arm.clone_from(&about.spo2_arm);
        self.opened_by.clone_from(&about.by);
        self.dose_mg_per_kg = about
            .dose_mg
            .zip(about.weight_kg)
            .and_then(|(dose, weight)| crate::record::amounts::per(dose, weight, 2));
    }
}

/// A feed at one place of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feed {
    /// Its name.
    pub name: Arc<str>,
    /// Its protocol.
    pub protocol: Arc<str>,
    /// Devices that it told of.
    pub devices: Vec<Arc<str>>,
    /// Beds that it told of.
    pub beds: Vec<Arc<str>>,
    /// Patient identifiers that it told of.
    pub patients: Vec<Arc<str>>,
}

/// A phase from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseSpan {
    /// The entry that began it.
    pub seq: u64,
    /// Which.
    pub phase: Phase,
    /// When it began; what a pump told late stands at its own time.
    pub from: Stamp,
    /// To; `null` while it lasts.
    pub to: Option<Stamp>,
    /// Its length.
    pub seconds: u64,
    /// What began it: a command, `pump`, `deadline`, `carry-over`.
    pub why: String,
}

/// A restart of the program within the session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restart {
    /// The entry.
    pub seq: u64,
    /// When it ran again.
    pub at: Stamp,
    /// How long nothing ran; `null` when it cannot be known.
    pub down_s: Option<u64>,
    /// Why the session was carried over from its records instead of replayed.
    pub carried_over: Option<String>,
}

/// Entries that could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The first number.
    pub from_seq: u64,
    /// The last number.
    pub to_seq: u64,
    /// When the first entry after them was made.
    pub at: Stamp,
}

/// One line of what happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// Its place among the minutes.
    pub minute: usize,
    /// `phase`, `alarm`, `command`, `drug`, `rate`, `score`, `note`, `pump`, `device-alert`, `limit`,
    /// `baseline`, `signature`, `check`, `staff`, `correction`, `refused`, `restart`, `gap`, `feed`, `health`.
    pub kind: &'static str,
    /// In words.
    pub text: String,
    /// Whether a person entered it.
    pub manual: bool,
}
