//! What the end of a session asks for.

use crate::engine::ItemState;
use crate::record::Stamp;
use crate::vocabulary::Decimal;
use serde::Serialize;

/// Lengths of the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lengths {
    /// From the opening to the end of this document.
    pub session_s: u64,
    /// From the last end of the infusion to the closing, or to the end of this document.
    pub observation_s: Option<u64>,
    /// From the first start of the infusion to the closing, or to the end of this document.
    pub since_first_dose_s: Option<u64>,
    /// The least observation after the end of the infusion, by the profile.
    pub minimum_after_end_s: Option<u64>,
    /// The least observation after the first start, by the profile.
    pub minimum_after_start_s: Option<u64>,
}

/// One item of the ready-to-leave checklist, as the engine told it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChecklistItem {
    /// Its name.
    pub item: &'static str,
    /// In words.
    pub text: String,
    /// How it stood.
    pub state: ItemState,
    /// Why it stood so.
    pub detail: Option<String>,
}

/// Fields of the esketamine monitoring form that the record can fill.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rems {
    /// The last pressure before the first start.
    pub pressure_before: Option<Pressure>,
    /// The pressure nearest to 40 minutes after the first start, 30 to 50.
    pub pressure_at_40_min: Option<Pressure>,
    /// The last pressure.
    pub pressure_before_end: Option<Pressure>,
    /// A sedation score below 5 after the first start.
    pub sedation: Finding,
    /// A dissociation score above 0 after the first start.
    pub dissociation: Finding,
    /// An alarm of respiration, or of saturation from medium on, after the first start.
    pub respiratory_depression: Finding,
    /// Minutes from the first start to the closing, or to the end of this document.
    pub minutes: Option<u64>,
}

/// A pressure and its time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pressure {
    /// The cuff reading.
    pub seq: u64,
    /// When it was received.
    pub at: Stamp,
    /// Systolic, mmHg.
    pub sys: Decimal,
    /// Diastolic, mmHg.
    pub dia: Decimal,
}

/// Whether something was found, as far as the record tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// `null`: nothing in the record speaks about it.
    pub found: Option<bool>,
    /// From when.
    pub from: Option<Stamp>,
    /// When it was gone; `null` beside a beginning: not by the end of this document.
    pub to: Option<Stamp>,
}
