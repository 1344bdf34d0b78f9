//! What people and pumps entered.

use crate::engine::LimitSource;
use crate::record::Stamp;
use crate::vocabulary::{Decimal, Priority, Rule};
use serde::Serialize;
use std::sync::Arc;

/// A limit changed by hand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitChange {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// The rule.
    pub rule: Rule,
    /// The tier.
    pub tier: Priority,
    /// The limit before.
    pub from: Decimal,
    /// The limit from then on.
    pub to: Decimal,
    /// Whose it is from then on: the nurse's, or the profile's again.
    pub source: LimitSource,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub by: Option<String>,
}

/// A drug, entered by hand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drug {
    /// The entry.
    pub seq: u64,
    /// When it was entered.
    pub at: Stamp,
    /// Which.
    pub name: String,
    /// How much.
    pub dose: Decimal,
    /// Of what unit.
    pub unit: String,
    /// Drawn up and destroyed, not given.
    pub wasted: bool,
    /// Who.
    pub by: Option<String>,
    /// The second person.
    pub second_by: Option<String>,
    /// Whether a later entry corrects this one: it then counts in no sum.
    pub corrected_by: Option<u64>,
    /// The entry that this one corrects.
    pub corrects: Option<u64>,
}

/// A rate of the infusion.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The entry.
    pub seq: u64,
    /// From when.
    pub at: Stamp,
    /// Its place among the minutes.
    pub minute: usize,
    /// mL/h.
    pub ml_h: Option<Decimal>,
    /// mg/h.
    pub mg_h: Option<Decimal>,
    /// Whether a person entered it.
    pub manual: bool,
    /// The feed that told it otherwise.
    pub feed: Option<Arc<str>>,
    /// Who entered it.
    pub by: Option<String>,
    /// Whether a later entry corrects this one.
    pub corrected_by: Option<u64>,
    /// The entry that this one corrects.
    pub corrects: Option<u64>,
    /// Milligrams given until then, by the rates in mg/h before.
    pub mg_until: Option<Decimal>,
}

/// What the pump told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PumpEntry {
    /// The entry.
    pub seq: u64,
    /// When it was received.
    pub at: Stamp,
    /// When it happened, by the pump's clock.
    pub told_at: Option<String>,
    /// From where.
    pub feed: Arc<str>,
    /// What.
    pub event: &'static str,
    /// The drug, as told.
    pub drug: Option<Arc<str>>,
    /// mL/h.
    pub rate_ml_h: Option<Decimal>,
    /// mL delivered.
    pub volume_ml: Option<Decimal>,
    /// Why, as told.
    pub reason: Option<Arc<str>>,
}

/// Sums over the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Time the drug ran, without pauses.
    pub infusion_seconds: u64,
    /// Milligrams by the rates in mg/h; `null` when a stretch of the infusion has no such rate.
    pub infusion_mg: Option<Decimal>,
    /// Millilitres by the rates in mL/h; `null` when a stretch has no such rate.
    pub infusion_ml: Option<Decimal>,
    /// The volume that the pump told last.
    pub pump_volume_ml: Option<Decimal>,
    /// Entered drugs by name and unit.
    pub drugs: Vec<DrugTotal>,
}

/// The sum of one drug.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrugTotal {
    /// Which.
    pub name: String,
    /// In what unit.
    pub unit: String,
    /// Given.
    pub given: Decimal,
    /// Wasted.
    pub wasted: Decimal,
    /// Names that stand beside what was wasted; two make it complete.
    pub witnesses: Vec<String>,
}

/// A score, entered by hand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// Its place among the minutes.
    pub minute: usize,
    /// `moaas`, `rass`, `pain`, `dissociation`, `nausea`, `aldrete`, `padss`.
    pub scale: String,
    /// The score.
    pub value: Decimal,
    /// Who entered it.
    pub by: Option<String>,
    /// Whether a later entry corrects this one.
    pub corrected_by: Option<u64>,
    /// The entry that this one corrects.
    pub corrects: Option<u64>,
}

/// A remark, entered by hand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// The text.
    pub text: String,
    /// Who entered it.
    pub by: Option<String>,
    /// Whether a later entry corrects this one.
    pub corrected_by: Option<u64>,
    /// The entry that this one corrects.
    pub corrects: Option<u64>,
}

/// A gate that was passed all the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverrideEntry {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// The command.
    pub command: &'static str,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// The second person.
    pub second_by: Option<String>,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Signature {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// In which role.
    pub role: String,
    /// Who.
    pub by: String,
}

/// A correction of an earlier entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correction {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// The entry that is corrected.
    pub corrects: u64,
    /// What it should have said.
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// Whether sums and lists follow it; if not, a person must read it.
    pub applied: bool,
}

/// A command that was refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refusal {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// The command.
    pub command: String,
    /// Why.
    pub error: String,
}

/// What a person said of an item of the checklist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// The item.
    pub item: &'static str,
    /// Whether it is met.
    pub met: bool,
    /// Who.
    pub by: Option<String>,
}
