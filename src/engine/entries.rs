//! What people entered in this session, as it stands after its corrections: drugs, scores, rates, notes
//! and the checks of the ready-to-leave list.
//!
//! Promises: a correction names an entry of this session, changes only what that entry has, and leaves
//! both in the record; the list has a bound, and nothing that it forgets changes a total. Owned by the
//! session; a restart without replay takes it from the records.

use super::checklist::CheckItem;
use super::command::{Command, OpenSession};
use super::kernel::Refusal;
use super::session::Stamped;
use crate::vocabulary::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Entries that are kept for correction; one every half minute for eight hours.
const MOST: usize = 1_000;
/// Drugs among them; the others give way, so that no dose is ever forgotten.
const MOST_DRUGS: usize = MOST / 2;
/// The longest text of an entry, bytes.
const LONGEST: usize = 4_000;

/// The sedation scale that is judged.
pub(super) const MOAAS: &str = "moaas";

/// Scales and their range (clinical 5 and 6).
const SCALES: [(&str, i64, i64); 7] = [
    (MOAAS, 0, 5),
    ("rass", -5, 4),
    ("pain", 0, 10),
    ("dissociation", 0, 4),
    ("nausea", 0, 10),
    ("aldrete", 0, 10),
    ("padss", 0, 10),
];

/// A scale as we name it: in small letters without marks, so that `MOAA/S` is `moaas`.
pub fn scale_name(told: &str) -> String {
    told.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// A score on a scale that we know: its name and its level.
pub(super) fn score_level(told: &str, value: Decimal) -> Result<(&'static str, i64), Refusal> {
    let scale = scale_name(told);
    let Some((name, low, high)) = SCALES.into_iter().find(|(name, ..)| *name == scale) else {
        let names: Vec<&str> = SCALES.iter().map(|(name, ..)| *name).collect();
        return Err(Refusal::new(
            format!("{told:?} is no scale"),
            format!("one of {}", names.join(", ")),
        ));
    };
    Some(value.normalized())
        .filter(|value| value.scale() == 0)
        .map(Decimal::mantissa)
        .filter(|level| (low..=high).contains(level))
        .map(|level| (name, level))
        .ok_or_else(|| {
            Refusal::new(
                format!("{value} is no score of {told}"),
                format!("a whole number from {low} to {high}"),
            )
        })
}

/// One entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the journal.
    pub seq: u64,
    /// When it was made.
    pub at: Stamped,
    /// What it says, with its corrections.
    pub says: Command,
    /// The newest correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// Whether it was taken back.
    #[serde(default)]
    pub void: bool,
}

/// What a person saw of an item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Whether it is met.
    pub met: bool,
    /// When that was said.
    pub at: Stamped,
    /// By whom, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The entries of one session, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entries {
    list: Vec<Entry>,
    checks: BTreeMap<CheckItem, Checked>,
}

/// A drug in all, by name and unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrugTotal {
    /// The name as first told.
    pub name: String,
    /// The unit.
    pub unit: String,
    /// The sum; `None` when it does not fit.
    pub dose: Option<Decimal>,
}

impl Entries {
    /// Whether a command may become an entry.
    pub(super) fn admit(&self, command: &Command) -> Result<(), Refusal> {
        let too_long = |text: &str| text.len() > LONGEST;
        if let Command::Note { text, .. } = command
            && too_long(text)
        {
            return Err(Refusal::new(
                format!("a note of more than {LONGEST} bytes"),
                "write it in several notes",
            ));
        }
        if let Command::Drug {
            name, dose, unit, ..
        } = command
        {
            if too_long(name) || too_long(unit) {
                return Err(Refusal::new(
                    format!("a drug with a text of more than {LONGEST} bytes"),
                    "name the drug and the unit only",
                ));
            }
            if name.trim().is_empty() || unit.trim().is_empty() || dose.mantissa() < 0 {
                return Err(Refusal::new(
                    "a drug without a name, a unit or a dose",
                    "name the drug, its dose (not below zero) and the unit",
                ));
            }
            let drugs = self
                .list
                .iter()
                .filter(|entry| matches!(entry.says, Command::Drug { .. }));
            if drugs.count() >= MOST_DRUGS {
                return Err(Refusal::new(
                    format!("{MOST_DRUGS} drugs are recorded in this session"),
                    "write it as a note",
                ));
            }
        }
        Ok(())
    }

    /// The oldest entry that counts in no total and is not the newest of its scale.
    fn forgettable(&self) -> Option<usize> {
        self.list.iter().position(|entry| {
            if let Command::Score { scale, .. } = &entry.says {
                self.score(&scale_name(scale))
                    .is_none_or(|(newest, _)| newest.seq != entry.seq)
            } else {
                matches!(
                    entry.says,
                    Command::Note { .. } | Command::RateChange { .. }
                )
            }
        })
    }

    /// A command was done: keeps what can be corrected or counts, and corrects what it names.
    pub(super) fn follow(&mut self, seq: u64, at: Stamped, command: &Command) {
        match command {
            Command::OpenSession(_)
            | Command::Drug { .. }
            | Command::Score { .. }
            | Command::Note { .. }
            | Command::RateChange { .. } => {
                if self.list.len() >= MOST
                    && let Some(place) = self.forgettable()
                {
                    self.list.remove(place);
                }
                self.list.push(Entry {
                    seq,
                    at,
                    says: command.clone(),
                    corrected: None,
                    void: false,
                });
            }
            Command::Check { item, met, by } => {
                let checked = Checked {
                    met: *met,
                    at,
                    by: by.clone(),
                };
                self.checks.insert(*item, checked);
            }
            Command::Correct {
                seq: original,
                fields,
            } => {
                // It was taken, so it can be done again.
                if let Ok(mut entry) = self.corrected(*original, fields) {
                    entry.corrected = Some(seq);
                    if let Some(stands) = self.list.iter_mut().find(|old| old.seq == entry.seq) {
                        *stands = entry;
                    }
                }
            }
            Command::StartInfusion { .. }
            | Command::PauseInfusion
            | Command::ResumeInfusion
            | Command::StopInfusion
            | Command::CloseSession { .. }
            | Command::Away { .. }
            | Command::EndAway
            | Command::Acknowledge { .. }
            | Command::AudioPause
            | Command::EndAudioPause
            | Command::SetLimit { .. }
            | Command::RestoreLimits { .. }
            | Command::SetBaseline { .. }
            | Command::ConfirmPatient
            | Command::SelfTest { .. }
            | Command::LogIn { .. }
            | Command::LogOut { .. }
            | Command::Sign { .. } => {}
        }
    }

    /// The infusion begins or goes on: what was checked before says nothing about leaving after it.
    pub(super) fn infusion_begins(&mut self) {
        self.checks.clear();
    }

    /// The entry as it stands after a correction, which changes nothing yet.
    pub(super) fn corrected(
        &self,
        seq: u64,
        fields: &Map<String, Value>,
    ) -> Result<Entry, Refusal> {
        let Some(entry) = self.list.iter().find(|entry| entry.seq == seq) else {
            return Err(Refusal::new(
                format!("{seq} is no entry of this session that can be corrected"),
                "name the number of a drug, score, note, rate change or of the opening",
            ));
        };
        if entry.void {
            return Err(Refusal::new(
                format!("entry {seq} was taken back"),
                "enter it anew",
            ));
        }
        let mut entry = entry.clone();
        let known = fields_of(&entry.says);
        let mut says = as_object(&entry.says)?;
        let mut changes = 0;
        for (field, value) in fields {
            match field.as_str() {
                "reason" | "by" if value.is_string() => {}
                "void" if value.is_boolean() => {
                    entry.void = value == &Value::Bool(true);
                    changes += u32::from(entry.void);
                }
                name if known.contains(&name) => {
                    says.insert(field.clone(), value.clone());
                    changes += 1;
                }
                _unknown => {
                    return Err(Refusal::new(
                        format!("a {} has no {field:?} to correct", entry.says.name()),
                        format!("correct {}, or take it back with `void`", known.join(", ")),
                    ));
                }
            }
        }
        if changes == 0 {
            return Err(Refusal::new(
                "the correction changes nothing",
                format!("correct {}, or take it back with `void`", known.join(", ")),
            ));
        }
        entry.says = serde_json::from_value(Value::Object(says)).map_err(|error| {
            Refusal::new(
                format!("entry {seq} cannot say that: {error}"),
                "see the table of commands for its fields",
            )
        })?;
        self.check_corrected(&entry)?;
        Ok(entry)
    }

    fn check_corrected(&self, entry: &Entry) -> Result<(), Refusal> {
        if !entry.void {
            self.admit(&entry.says)?;
        }
        if entry.void && matches!(entry.says, Command::OpenSession(_)) {
            return Err(Refusal::new(
                "the opening cannot be taken back",
                "close the session",
            ));
        }
        if let Command::Score { scale, value, .. } = &entry.says {
            let (name, _) = score_level(scale, *value)?;
            let is_newest = self
                .score(MOAAS)
                .is_some_and(|(newest, _)| newest.seq == entry.seq);
            if entry.void && name == MOAAS && is_newest {
                return Err(Refusal::new(
                    "the newest sedation score judges and cannot be taken back",
                    "correct its value, or take a new score",
                ));
            }
        }
        Ok(())
    }

    /// Every entry, oldest first, the ones taken back included.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.list.iter()
    }

    /// The newest score of a scale and its level.
    pub fn score(&self, scale: &str) -> Option<(&Entry, i64)> {
        self.list.iter().rev().find_map(|entry| {
            let Command::Score {
                scale: told, value, ..
            } = &entry.says
            else {
                return None;
            };
            let level = value.rounded(0)?;
            (!entry.void && scale_name(told) == scale).then_some((entry, level))
        })
    }

    /// The newest score of every scale that has one.
    pub fn scores(&self) -> impl Iterator<Item = (&'static str, &Entry, i64)> {
        SCALES.into_iter().filter_map(|(scale, ..)| {
            self.score(scale)
                .map(|(entry, level)| (scale, entry, level))
        })
    }

    /// Whom and what the session is about, as it stands.
    pub(super) fn opening(&self) -> Option<&OpenSession> {
        self.list.iter().find_map(|entry| {
            if let Command::OpenSession(about) = &entry.says {
                Some(about)
            } else {
                None
            }
        })
    }

    /// The newest change of the rate.
    pub fn rate(&self) -> Option<&Entry> {
        self.list
            .iter()
            .rev()
            .find(|entry| !entry.void && matches!(entry.says, Command::RateChange { .. }))
    }

    /// The drugs in all, by name and unit, in the order of their first dose.
    pub fn drug_totals(&self) -> Vec<DrugTotal> {
        let mut totals: Vec<DrugTotal> = Vec::new();
        for entry in self.list.iter().filter(|entry| !entry.void) {
            let Command::Drug {
                name,
                dose,
                unit,
                wasted: false,
                ..
            } = &entry.says
            else {
                continue;
            };
            let known = totals.iter_mut().find(|total| {
                total.unit.trim() == unit.trim()
                    && total.name.trim().eq_ignore_ascii_case(name.trim())
            });
            match known {
                Some(total) => total.dose = total.dose.and_then(|sum| sum.plus(*dose)),
                None => totals.push(DrugTotal {
                    name: name.clone(),
                    unit: unit.clone(),
                    dose: Some(*dose),
                }),
            }
        }
        totals
    }

    /// What a person said of an item of the checklist.
    pub fn check(&self, item: CheckItem) -> Option<&Checked> {
        self.checks.get(&item)
    }
}

/// The fields of an entry that a correction may change.
const fn fields_of(entry: &Command) -> &'static [&'static str] {
    if matches!(entry, Command::OpenSession(_)) {
        &[
            "patient",
            "patient-name",
            "weight-kg",
            "drug",
            "dose-mg",
            "planned-min",
            "cuff-arm",
            "spo2-arm",
        ]
    } else if matches!(entry, Command::Drug { .. }) {
        &["name", "dose", "unit", "wasted", "second-by"]
    } else if matches!(entry, Command::Score { .. }) {
        &["value"]
    } else if matches!(entry, Command::Note { .. }) {
        &["text"]
    } else {
        &["ml-h", "mg-h"]
    }
}

fn as_object(command: &Command) -> Result<Map<String, Value>, Refusal> {
    match serde_json::to_value(command) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Refusal::new(
            "the entry cannot be written down again",
            "enter it anew",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        serde_json::from_str(text).unwrap()
    }

    fn fields(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    fn story() -> Entries {
        let mut entries = Entries::default();
        for (seq, text) in [
            (1, r#"{"command":"open-session","patient":"K-1"}"#),
            (
                2,
                r#"{"command":"drug","name":"Midazolam","dose":1.5,"unit":"mg"}"#,
            ),
            (
                3,
                r#"{"command":"drug","name":"midazolam ","dose":0.25,"unit":"mg"}"#,
            ),
            (4, r#"{"command":"score","scale":"MOAA/S","value":4}"#),
            (5, r#"{"command":"note","text":"calm"}"#),
            (6, r#"{"command":"rate-change","ml-h":20}"#),
        ] {
            let told = command(text);
            entries.admit(&told).unwrap();
            entries.follow(seq, Stamped::default(), &told);
        }
        entries
    }

    fn totals(entries: &Entries) -> Vec<String> {
        entries
            .drug_totals()
            .iter()
            .map(|total| format!("{} {} {}", total.name, total.dose.unwrap(), total.unit))
            .collect()
    }

    #[test]
    fn a_correction_changes_the_totals_and_keeps_the_entry() {
        let mut entries = story();
        assert_eq!(totals(&entries), ["Midazolam 1.75 mg"]);
        entries.follow(
            7,
            Stamped::default(),
            &command(r#"{"command":"correct","seq":2,"dose":2}"#),
        );
        assert_eq!(totals(&entries), ["Midazolam 2.25 mg"]);
        entries.follow(
            8,
            Stamped::default(),
            &command(r#"{"command":"correct","seq":2,"void":true,"by":"Ann"}"#),
        );
        assert_eq!(totals(&entries), ["midazolam  0.25 mg"]);
        let first = entries.iter().find(|entry| entry.seq == 2).unwrap();
        assert_eq!((first.corrected, first.void), (Some(8), true));
        assert!(
            entries.corrected(2, &fields(r#"{"dose":3}"#)).is_err(),
            "taken back"
        );
        let text = serde_json::to_string(&entries).unwrap();
        assert_eq!(serde_json::from_str::<Entries>(&text).unwrap(), entries);
    }

    #[test]
    fn what_cannot_be_corrected_is_refused_with_the_reason() {
        let entries = story();
        for (seq, change, word) in [
            (9, r#"{"dose":1}"#, "no entry"),
            (2, r#"{"text":"x"}"#, "no \"text\""),
            (2, r#"{"command":"note","text":"x"}"#, "to correct"),
            (2, r#"{}"#, "changes nothing"),
            (2, r#"{"void":false}"#, "changes nothing"),
            (2, r#"{"dose":-1}"#, "without a name"),
            (2, r#"{"dose":"much"}"#, "cannot say that"),
            (4, r#"{"value":6}"#, "no score"),
            (4, r#"{"void":true}"#, "newest sedation score"),
            (4, r#"{"scale":"pain"}"#, "no \"scale\""),
            (1, r#"{"void":true}"#, "opening"),
        ] {
            let refusal = entries.corrected(seq, &fields(change)).unwrap_err();
            assert!(refusal.error.contains(word), "{change}: {}", refusal.error);
        }
        assert!(
            entries
                .corrected(4, &fields(r#"{"value":2,"reason":"slip"}"#))
                .is_ok()
        );
        assert!(
            entries
                .corrected(1, &fields(r#"{"weight-kg":81.5}"#))
                .is_ok()
        );
    }

    #[test]
    fn the_list_has_a_bound_and_forgets_no_dose() {
        let mut entries = story();
        let note = command(r#"{"command":"note","text":"x"}"#);
        let dose = command(r#"{"command":"drug","name":"saline","dose":1,"unit":"mL"}"#);
        for seq in 0..u64::try_from(MOST).unwrap() * 2 {
            let next = if seq % 2 == 0 { &dose } else { &note };
            if entries.admit(next).is_ok() {
                entries.follow(100 + seq, Stamped::default(), next);
            }
        }
        assert!(entries.list.len() <= MOST);
        assert!(entries.admit(&dose).is_err());
        assert!(entries.admit(&note).is_ok());
        assert!(totals(&entries).contains(&"Midazolam 1.75 mg".to_owned()));
        assert_eq!(entries.score(MOAAS).map(|(_, level)| level), Some(4));
    }
}
