//! What people entered: drugs, rates, scores, remarks, overrides, signatures, and corrections of these.
//!
//! A correction never erases: the entry that it corrects stays in its list and is marked; a new one with the
//! corrected fields stands beside it, at the time of the first.

use super::Stamp;
use super::model::{
    Check, Correction, Drug, Event, Note, OverrideEntry, Rate, Refusal, Score, Signature,
};
use crate::engine::{Command, Override, scale_name};
use crate::vocabulary::{Decimal, Moment, Now};
use serde_json::{Map, Value};

/// Where a command stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The entry.
    pub seq: u64,
    /// Both clocks.
    pub now: Now,
    /// Its place among the minutes.
    pub minute: usize,
}

impl Place {
    /// The time for people.
    pub(super) fn at(self) -> Stamp {
        Stamp(self.now.wall)
    }

    /// A line of what happened.
    pub(super) fn event(self, kind: &'static str, text: String, manual: bool) -> Event {
        Event {
            seq: self.seq,
            at: self.at(),
            minute: self.minute,
            kind,
            text,
            manual,
        }
    }
}

/// Collects what people entered.
#[derive(Debug, Default)]
pub(super) struct Entered {
    pub drugs: Vec<Drug>,
    /// With the engine time from which they hold.
    pub rates: Vec<(Moment, Rate)>,
    pub scores: Vec<Score>,
    pub notes: Vec<Note>,
    pub overrides: Vec<OverrideEntry>,
    pub signatures: Vec<Signature>,
    pub corrections: Vec<Correction>,
    pub refusals: Vec<Refusal>,
    pub checks: Vec<Check>,
    pub closed_by: Option<String>,
}

/// A rate in words.
pub(super) fn rate_text(ml_h: Option<Decimal>, mg_h: Option<Decimal>) -> String {
    match (ml_h, mg_h) {
        (Some(ml), Some(mg)) => format!("Rate {ml} mL/h, {mg} mg/h"),
        (Some(ml), None) => format!("Rate {ml} mL/h"),
        (None, Some(mg)) => format!("Rate {mg} mg/h"),
        (None, None) => "Rate changed, not told to what".to_owned(),
    }
}

/// The corrected field: a number or a text of the correction, else what stood there.
fn number(fields: &Map<String, Value>, keys: &[&str], known: Option<Decimal>) -> Option<Decimal> {
    match keys.iter().find_map(|key| fields.get(*key)) {
        Some(value) => serde_json::from_value(value.clone()).ok(),
        None => known,
    }
}

fn words(fields: &Map<String, Value>, key: &str, known: &str) -> String {
    fields
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or(known)
        .to_owned()
}

fn optional(fields: &Map<String, Value>, key: &str, known: &Option<String>) -> Option<String> {
    match fields.get(key) {
        Some(value) => value.as_str().map(str::to_owned),
        None => known.clone(),
    }
}

/// The newest form of the entry with this number, in a list of entries that can be corrected.
macro_rules! newest {
    ($list:expr, $seq:expr, $entry:ident => $inner:expr) => {{
        let mut wanted = $seq;
        loop {
            let found = $list.iter().position(|$entry| $inner.seq == wanted);
            let later = found
                .and_then(|place| $list.get(place))
                .and_then(|$entry| $inner.corrected_by);
            match later {
                // A correction that only takes back has no entry of its own.
                Some(later) if $list.iter().any(|$entry| $inner.seq == later) => wanted = later,
                Some(_) => break None,
                None => break found,
            }
        }
    }};
}

impl Entered {
    /// Takes a command that was done and says what it is in one line.
    pub(super) fn take(&mut self, place: Place, command: Command) -> Option<Event> {
        let (seq, at, minute) = (place.seq, place.at(), place.minute);
        let name = command.name();
        let (kind, text) = match command {
            Command::Drug {
                name,
                dose,
                unit,
                wasted,
                by,
                second_by,
            } => {
                let what = if wasted { ", wasted" } else { "" };
                let text = format!("{name} {dose} {unit}{what}");
                self.drugs.push(Drug {
                    seq,
                    at,
                    name,
                    dose,
                    unit,
                    wasted,
                    by,
                    second_by,
                    corrected_by: None,
                    corrects: None,
                });
                ("drug", text)
            }
            Command::RateChange { ml_h, mg_h, by } => {
                self.rates.push((
                    place.now.moment,
                    Rate {
                        seq,
                        at,
                        minute,
                        ml_h,
                        mg_h,
                        manual: true,
                        feed: None,
                        by,
                        corrected_by: None,
                        corrects: None,
                        mg_until: None,
                    },
                ));
                ("rate", rate_text(ml_h, mg_h))
            }
            Command::Score { scale, value, by } => {
                let scale = scale_name(&scale);
                let text = format!("{} {value}", scale_words(&scale));
                self.scores.push(Score {
                    seq,
                    at,
                    minute,
                    scale,
                    value,
                    by,
                    corrected_by: None,
                    corrects: None,
                });
                ("score", text)
            }
            Command::Note { text, by } => {
                self.notes.push(Note {
                    seq,
                    at,
                    text: text.clone(),
                    by,
                    corrected_by: None,
                    corrects: None,
                });
                ("note", text)
            }
            Command::StartInfusion { over, .. } => {
                self.overridden(place, name, over)?;
                ("command", "Start with an override".to_owned())
            }
            Command::CloseSession { by, over, .. } => {
                self.overridden(place, name, over);
                let text = format!("Session closed by {by}");
                self.closed_by = Some(by);
                ("command", text)
            }
            Command::Sign { role, by, .. } => {
                let text = format!("Signed by {by} as {role}");
                self.signatures.push(Signature { seq, at, role, by });
                ("signature", text)
            }
            Command::Correct {
                seq: corrects,
                fields,
                ..
            } => {
                let applied = self.correct(place, corrects, &fields);
                let told: Vec<String> = fields
                    .iter()
                    .map(|(key, value)| match value.as_str() {
                        Some(text) => format!("{key} {text}"),
                        None => format!("{key} {value}"),
                    })
                    .collect();
                self.corrections.push(Correction {
                    seq,
                    at,
                    corrects,
                    fields,
                    applied,
                });
                (
                    "correction",
                    format!("Corrects entry {corrects}: {}", told.join(", ")),
                )
            }
            Command::Check { item, met, by } => {
                let state = if met { "met" } else { "not met" };
                let text = format!("Checked: {} {state}", item.name());
                self.checks.push(Check {
                    seq,
                    at,
                    item: item.name(),
                    met,
                    by,
                });
                ("check", text)
            }
            Command::SelfTest { lamps, sounds, .. } => {
                let told = |works| if works { "right" } else { "NOT RIGHT" };
                (
                    "command",
                    format!("Self-test: lamps {}, sounds {}", told(lamps), told(sounds)),
                )
            }
            Command::LogIn { name, accepted } => {
                let what = if accepted {
                    "logged in"
                } else {
                    "refused, wrong PIN"
                };
                ("staff", format!("{name} {what}"))
            }
            Command::LogOut { name } => {
                let name = name.as_deref().unwrap_or("unnamed");
                ("staff", format!("{name} logged out"))
            }
            Command::Away { minutes, .. } => ("command", format!("Patient away, {minutes} min")),
            Command::EndAway => ("command", "Patient back".to_owned()),
            Command::AudioPause => ("command", "Audio paused".to_owned()),
            Command::EndAudioPause => ("command", "Audio pause ended".to_owned()),
            Command::ConfirmPatient => ("command", "Patient confirmed".to_owned()),
            // Told by the records that they lead to: phases, alarms, baselines, limits.
            Command::OpenSession(_)
            | Command::PauseInfusion
            | Command::ResumeInfusion
            | Command::StopInfusion
            | Command::Acknowledge { .. }
            | Command::SetLimit { .. }
            | Command::RestoreLimits { .. }
            | Command::SetBaseline { .. } => return None,
        };
        Some(place.event(kind, text, true))
    }

    fn overridden(
        &mut self,
        place: Place,
        command: &'static str,
        over: Option<Override>,
    ) -> Option<()> {
        let over = over?;
        self.overrides.push(OverrideEntry {
            seq: place.seq,
            at: place.at(),
            command,
            reason: over.reason,
            by: over.by,
            second_by: over.second_by,
        });
        Some(())
    }

    /// Applies a correction; `false` when it is about something that has no list here.
    fn correct(&mut self, place: Place, corrects: u64, fields: &Map<String, Value>) -> bool {
        let seq = place.seq;
        let void = fields.get("void").and_then(Value::as_bool) == Some(true);
        if let Some(found) = newest!(self.drugs, corrects, entry => entry)
            && let Some(old) = self.drugs.get_mut(found)
        {
            let Some(dose) = number(fields, &["dose"], Some(old.dose)) else {
                return false;
            };
            old.corrected_by = Some(seq);
            let new = Drug {
                seq,
                at: old.at,
                name: words(fields, "name", &old.name),
                dose,
                unit: words(fields, "unit", &old.unit),
                wasted: fields
                    .get("wasted")
                    .and_then(Value::as_bool)
                    .unwrap_or(old.wasted),
                // A correction's own `by` is who corrects.
                by: old.by.clone(),
                second_by: optional(fields, "second-by", &old.second_by),
                corrected_by: None,
                corrects: Some(old.seq),
            };
            if !void {
                self.drugs.push(new);
            }
            return true;
        }
        if let Some(found) = newest!(self.scores, corrects, entry => entry)
            && let Some(old) = self.scores.get_mut(found)
        {
            let Some(value) = number(fields, &["value"], Some(old.value)) else {
                return false;
            };
            old.corrected_by = Some(seq);
            let new = Score {
                seq,
                scale: scale_name(&words(fields, "scale", &old.scale)),
                value,
                corrects: Some(old.seq),
                corrected_by: None,
                ..old.clone()
            };
            if !void {
                self.scores.push(new);
            }
            return true;
        }
        if let Some(found) = newest!(self.notes, corrects, entry => entry)
            && let Some(old) = self.notes.get_mut(found)
        {
            old.corrected_by = Some(seq);
            let new = Note {
                seq,
                text: words(fields, "text", &old.text),
                corrected_by: None,
                corrects: Some(old.seq),
                ..old.clone()
            };
            if !void {
                self.notes.push(new);
            }
            return true;
        }
        if let Some(found) = newest!(self.rates, corrects, entry => entry.1)
            && let Some((from, old)) = self.rates.get_mut(found)
        {
            old.corrected_by = Some(seq);
            let new = Rate {
                seq,
                ml_h: number(fields, &["ml-h", "ml_h"], old.ml_h),
                mg_h: number(fields, &["mg-h", "mg_h"], old.mg_h),
                manual: true,
                corrects: Some(old.seq),
                corrected_by: None,
                ..old.clone()
            };
            let from = *from;
            if !void {
                self.rates.push((from, new));
            }
            return true;
        }
        false
    }
}

/// A scale as people write it.
pub(super) fn scale_words(scale: &str) -> &str {
    match scale {
        "moaas" => "MOAA/S",
        "rass" => "RASS",
        "pain" => "Pain",
        "dissociation" => "Dissociation",
        "nausea" => "Nausea",
        "aldrete" => "Aldrete",
        "padss" => "PADSS",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::WallTime;

    fn place(seq: u64) -> Place {
        Place {
            seq,
            now: Now {
                moment: Moment::from_secs(seq),
                wall: WallTime::from_millis(seq.cast_signed() * 1_000),
            },
            minute: 0,
        }
    }

    fn entered(commands: &[(u64, &str)]) -> Entered {
        let mut entered = Entered::default();
        for (seq, text) in commands {
            let command: Command = serde_json::from_str(text).unwrap();
            entered.take(place(*seq), command);
        }
        entered
    }

    #[test]
    fn a_correction_keeps_what_it_corrects() {
        let found = entered(&[
            (
                1,
                r#"{"command":"drug","name":"ketamine","dose":400,"unit":"mg"}"#,
            ),
            (2, r#"{"command":"correct","seq":1,"dose":40}"#),
            (3, r#"{"command":"correct","seq":1,"unit":"mcg"}"#),
        ]);
        let told: Vec<_> = found
            .drugs
            .iter()
            .map(|drug| {
                let dose = format!("{} {}", drug.dose, drug.unit);
                (drug.seq, drug.at.millis(), dose, drug.corrected_by)
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, 1_000, "400 mg".to_owned(), Some(2)),
                (2, 1_000, "40 mg".to_owned(), Some(3)),
                (3, 1_000, "40 mcg".to_owned(), None),
            ]
        );
        assert!(
            found
                .corrections
                .iter()
                .all(|correction| correction.applied)
        );
    }

    #[test]
    fn an_entry_can_be_taken_back_and_only_once() {
        let found = entered(&[
            (1, r#"{"command":"score","scale":"Pain","value":8}"#),
            (2, r#"{"command":"correct","seq":1,"void":true}"#),
            (3, r#"{"command":"correct","seq":1,"value":3}"#),
        ]);
        assert_eq!(found.scores.len(), 1);
        assert_eq!(found.scores[0].corrected_by, Some(2));
        assert!(!found.corrections[1].applied);
    }

    #[test]
    fn a_correction_of_anything_else_is_kept_for_people() {
        let found = entered(&[
            (
                5,
                r#"{"command":"correct","seq":4,"text":"it was the left arm"}"#,
            ),
            (6, r#"{"command":"drug","name":"x","dose":1,"unit":"mg"}"#),
            (7, r#"{"command":"correct","seq":6,"dose":"much"}"#),
        ]);
        assert!(
            found
                .corrections
                .iter()
                .all(|correction| !correction.applied)
        );
        assert_eq!(found.drugs[0].corrected_by, None);
    }
}
