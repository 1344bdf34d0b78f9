//! The session on the screen: what was entered, what may be changed, and whether the patient may leave.

use super::{Stamp, seconds};
use crate::engine::{ComputedScores, DrugTotal, LimitRow, ListItem, Rate};
use crate::vocabulary::{Decimal, Moment, Now, Parameter};
use serde_json::{Value, json};
use std::time::Duration;

/// The session as shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionView {
    /// The session's number.
    pub id: i64,
    /// Patient identifier and name, weight, drug, dose, planned minutes, arms: as told at opening.
    pub about: crate::engine::OpenSession,
    /// When it was opened.
    pub opened_at: Stamp,
    /// First start of the infusion.
    pub infusion_started_at: Option<Stamp>,
    /// Last end of the infusion.
    pub infusion_ended_at: Option<Stamp>,
    /// Time the drug has run in all, without pauses, up to the board's moment.
    pub infusion_run: Duration,
    /// Until when the minimum observation lasts, once the infusion has ended.
    pub observe_until: Option<Moment>,
    /// Baseline values with the number of readings behind them.
    pub baseline: Vec<(Parameter, Option<Decimal>, usize)>,
    /// The ready-to-leave checklist.
    pub checklist: Vec<ListItem>,
    /// Whether every item of it is met.
    pub ready_to_leave: bool,
    /// Items of the scores that follow from readings.
    pub computed: ComputedScores,
    /// The newest score of each scale.
    pub scores: Vec<ScoreView>,
    /// Every limit, and how far it may be moved.
    pub limits: Vec<LimitRow>,
    /// Every drug given, oldest first.
    pub drugs: Vec<DrugView>,
    /// The drugs in all.
    pub drug_totals: Vec<DrugTotal>,
    /// The rate of the infusion.
    pub rate: Option<(Rate, Stamp)>,
}

/// A score on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreView {
    /// The entry, for a correction.
    pub seq: u64,
    /// The scale's name.
    pub scale: &'static str,
    /// The score.
    pub value: i64,
    /// When it was taken.
    pub at: Stamp,
    /// By whom, when known.
    pub by: Option<String>,
    /// Whether it was corrected.
    pub corrected: bool,
}

/// A drug on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrugView {
    /// The entry, for a correction.
    pub seq: u64,
    /// Which.
    pub name: String,
    /// How much.
    pub dose: Decimal,
    /// Of what.
    pub unit: String,
    /// Drawn up and destroyed, not given.
    pub wasted: bool,
    /// When it was entered.
    pub at: Stamp,
    /// By whom, when known.
    pub by: Option<String>,
    /// Whether it was corrected.
    pub corrected: bool,
    /// Whether it was taken back: shown struck out, in no total.
    pub void: bool,
}

/// A self-test on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTestView {
    /// When it was confirmed.
    pub done_at: Stamp,
    /// By whom, when known.
    pub by: Option<String>,
    /// Whether every colour was seen.
    pub lamps: bool,
    /// Whether every sound was heard.
    pub sounds: bool,
}

impl SessionView {
    pub(super) fn to_json(&self, now: Now) -> Value {
        json!({
            "id": self.id,
            "about": self.about,
            "opened_at": self.opened_at.wall.rfc3339(),
            "infusion_started_at": self.infusion_started_at.map(|stamp| stamp.wall.rfc3339()),
            "infusion_ended_at": self.infusion_ended_at.map(|stamp| stamp.wall.rfc3339()),
            "infusion_run_s": seconds(self.infusion_run),
            "observe_left_s": self.observe_until.map(|end| seconds(end.since(now.moment))),
            "baseline": self.baseline.iter().map(|(parameter, value, readings)| json!({
                "parameter": parameter, "value": value, "readings": readings,
            })).collect::<Vec<_>>(),
            "checklist": self.checklist.iter().map(|item| json!({
                "item": item.item,
                "state": item.state,
                "text": item.text,
                "detail": item.detail,
                "by_person": item.item.is_by_person(),
            })).collect::<Vec<_>>(),
            "ready_to_leave": self.ready_to_leave,
            "computed": {
                "aldrete": {
                    "oxygen": self.computed.aldrete_oxygen,
                    "circulation": self.computed.aldrete_circulation,
                },
                "padss": { "vital-signs": self.computed.padss_vital_signs },
            },
            "scores": self.scores.iter().map(|score| json!({
                "seq": score.seq,
                "scale": score.scale,
                "value": score.value,
                "at": score.at.wall.rfc3339(),
                "by": score.by,
                "corrected": score.corrected,
            })).collect::<Vec<_>>(),
            "limits": self.limits.iter().map(|row| json!({
                "rule": row.rule,
                "tier": row.tier,
                "value": row.value,
                "profile_value": row.profile_value,
                "low_rail": row.low_rail,
                "high_rail": row.high_rail,
                "source": row.source,
                "relative": row.relative,
            })).collect::<Vec<_>>(),
            "drugs": self.drugs.iter().map(|drug| json!({
                "seq": drug.seq,
                "name": drug.name,
                "dose": drug.dose,
                "unit": drug.unit,
                "wasted": drug.wasted,
                "at": drug.at.wall.rfc3339(),
                "by": drug.by,
                "corrected": drug.corrected,
                "void": drug.void,
            })).collect::<Vec<_>>(),
            "drug_totals": self.drug_totals.iter().map(|total| json!({
                "name": total.name, "unit": total.unit, "dose": total.dose,
            })).collect::<Vec<_>>(),
            "rate": self.rate.as_ref().map(|(rate, at)| json!({
                "ml_h": rate.ml_h,
                "mg_h": rate.mg_h,
                "at": at.wall.rfc3339(),
                "source": if rate.by_pump { "pump" } else { "nurse" },
            })),
        })
    }
}
