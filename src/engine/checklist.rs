//! Ready to leave: the checklist of clinical 5.4, what of it can be computed, and the gate of
//! `close-session`.
//!
//! One piece of logic: what the display shows as open is what the closing is refused for. The program
//! shows readiness; a named person discharges. What no device can tell stays unknown until a person has
//! said it (`check`), and a patient with an unknown item is never shown as ready.

use super::entries::MOAAS;
use super::evidence::LastPressures;
use super::kernel::{Engine, Refusal};
use super::lifecycle::State;
use super::session::Session;
use crate::vocabulary::{Moment, Parameter, Phase, Priority, Rule};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One item of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckItem {
    /// The minimum time is over.
    Minutes,
    /// The Aldrete score.
    Aldrete,
    /// The PADSS score.
    Padss,
    /// The last blood pressure.
    Pressure,
    /// The saturation for some time.
    Saturation,
    /// The sedation score.
    Sedation,
    /// Oriented to person, place and time, dissociation gone: a person says it.
    Orientation,
    /// Walks unaided: a person says it.
    Walking,
    /// Line out, site looked at: a person says it.
    Line,
    /// Escort here, told not to drive, written instructions given: a person says it.
    Escort,
    /// No high alarm that nobody acknowledged.
    Alarms,
}

impl CheckItem {
    /// Every item in the order of the list.
    pub const ALL: [Self; 11] = [
        Self::Minutes,
        Self::Aldrete,
        Self::Padss,
        Self::Pressure,
        Self::Saturation,
        Self::Sedation,
        Self::Orientation,
        Self::Walking,
        Self::Line,
        Self::Escort,
        Self::Alarms,
    ];

    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Aldrete => "aldrete",
            Self::Padss => "padss",
            Self::Pressure => "pressure",
            Self::Saturation => "saturation",
            Self::Sedation => "sedation",
            Self::Orientation => "orientation",
            Self::Walking => "walking",
            Self::Line => "line",
            Self::Escort => "escort",
            Self::Alarms => "alarms",
        }
    }

    /// Whether a person must say it.
    pub const fn is_by_person(self) -> bool {
        matches!(
            self,
            Self::Orientation | Self::Walking | Self::Line | Self::Escort
        )
    }
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// Met.
    Met,
    /// Not met.
    Open,
    /// Nobody knows: not measured, not scored, not said.
    Unknown,
}

/// An item as it stands, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// Which.
    pub item: CheckItem,
    /// How it stands.
    pub state: ItemState,
    /// What must be met.
    pub text: String,
    /// Why it stands so, if there is more to say.
    pub detail: Option<String>,
}

/// Whole minutes, rounded down: what has passed is never shown as more than it is.
const fn minutes(span: Duration) -> u64 {
    span.as_secs() / 60
}

impl Session {
    /// The systolic and diastolic pressure that the patient came with.
    pub(super) fn usual_sys(&self) -> Option<i64> {
        self.baseline
            .first_of(&[Parameter::NibpSys, Parameter::ArtSys])
            .filter(|baseline| *baseline > 0)
    }

    /// An entry or reading after the end of the infusion.
    fn is_after_end(&self, at: Moment) -> bool {
        self.ended.is_some_and(|ended| at >= ended.moment)
    }
}

impl Engine {
    /// The checklist as it stands; empty without a session.
    pub fn checklist(&self) -> Vec<ListItem> {
        let Some(session) = self.session.as_ref() else {
            return Vec::new();
        };
        CheckItem::ALL
            .into_iter()
            .map(|item| self.list_item(session, item))
            .collect()
    }

    fn list_item(&self, session: &Session, item: CheckItem) -> ListItem {
        let need = &self.profile.discharge;
        let (text, (state, detail)) = match item {
            CheckItem::Minutes => (self.minutes_text(), self.minutes_item(session)),
            CheckItem::Aldrete => (
                format!("Aldrete score at least {} of 10", need.aldrete),
                scored(session, "aldrete", need.aldrete),
            ),
            CheckItem::Padss => (
                format!("PADSS score at least {} of 10", need.padss),
                scored(session, "padss", need.padss),
            ),
            CheckItem::Sedation => (
                format!("MOAA/S {}", need.moaas),
                scored(session, MOAAS, need.moaas),
            ),
            CheckItem::Pressure => (
                format!(
                    "Last blood pressure within {} % of the baseline, or at most {}/{} and not rising",
                    need.pressure_percent, self.profile.gate.note_sys, self.profile.gate.note_dia
                ),
                self.pressure_item(session),
            ),
            CheckItem::Saturation => (
                format!(
                    "SpO2 at least {} % on room air, or the baseline, for {} min",
                    need.spo2,
                    minutes(need.spo2_for)
                ),
                self.saturation_item(session),
            ),
            CheckItem::Orientation => (
                "Oriented to person, place and time; dissociation gone".to_owned(),
                orientation(session),
            ),
            CheckItem::Walking => ("Walks unaided".to_owned(), said(session, item)),
            CheckItem::Line => ("IV line out, site checked".to_owned(), said(session, item)),
            CheckItem::Escort => (
                "Escort here; no driving until tomorrow; written instructions given".to_owned(),
                said(session, item),
            ),
            CheckItem::Alarms => (
                "No unacknowledged high alarm".to_owned(),
                match self.unseen_high() {
                    0 => (ItemState::Met, None),
                    count => (ItemState::Open, Some(format!("{count} not acknowledged"))),
                },
            ),
        };
        ListItem {
            item,
            state,
            text,
            detail,
        }
    }

    /// What keeps the session from being closed without an override (contract, "Commands").
    pub(super) fn leave_gate(&self) -> Result<(), Refusal> {
        let Some(session) = self.session.as_ref() else {
            return Ok(());
        };
        if let Some(until) = self.observe_until().filter(|until| *until > self.at) {
            let minutes = until.since(self.at).as_secs().div_ceil(60);
            return Err(Refusal::new(
                format!("the minimum observation lasts {minutes} more min"),
                "wait, or close with an override: a reason and who decides",
            ));
        }
        if self.list_item(session, CheckItem::Alarms).state == ItemState::Open {
            return Err(Refusal::new(
                "a high alarm is not acknowledged",
                "acknowledge it, or close with an override: a reason and who decides",
            ));
        }
        Ok(())
    }

    /// High alarms that nobody has acknowledged.
    fn unseen_high(&self) -> usize {
        self.alarms
            .iter()
            .filter(|(_, occurrence)| match occurrence.state {
                State::Active { tier, .. } => tier == Priority::High,
                State::Returned { .. } => true,
                State::Acknowledged { .. } => false,
            })
            .count()
    }

    fn minutes_text(&self) -> String {
        let timing = &self.profile.session;
        let (end, start) = (
            minutes(timing.minimum_after_end),
            minutes(timing.minimum_after_start),
        );
        if start == 0 {
            format!("At least {end} min since the end of the infusion")
        } else {
            format!("At least {end} min since the end and {start} min since the start")
        }
    }

    fn minutes_item(&self, session: &Session) -> (ItemState, Option<String>) {
        let timing = &self.profile.session;
        let now = self.at;
        let (Some(started), Some(until)) = (session.started, session.observe_until(&self.profile))
        else {
            return match session.started {
                None => (ItemState::Unknown, Some("no infusion yet".to_owned())),
                Some(_) => (
                    ItemState::Open,
                    Some("the infusion has not ended".to_owned()),
                ),
            };
        };
        // The clock that is over last is the one that is shown.
        let after_start = started.moment.after(timing.minimum_after_start) == until;
        let (from, need) = match session.ended {
            Some(ended) if !after_start => (ended.moment, timing.minimum_after_end),
            Some(_) | None => (started.moment, timing.minimum_after_start),
        };
        let (passed, need) = (minutes(now.since(from)), minutes(need));
        if until <= now {
            (ItemState::Met, Some(format!("{passed} min")))
        } else {
            (ItemState::Open, Some(format!("{passed} of {need} min")))
        }
    }

    fn pressure_item(&self, session: &Session) -> (ItemState, Option<String>) {
        let LastPressures { last, before } = session.pressures;
        let Some(last) = last.filter(|last| session.is_after_end(last.at)) else {
            let why = "no cuff reading since the end of the infusion";
            return (ItemState::Unknown, Some(why.to_owned()));
        };
        let overdue = session.cuff.overdue(&self.profile.cuff);
        if overdue.is_some_and(|(low, _)| low <= self.at) {
            return (
                ItemState::Unknown,
                Some("the next cuff reading is overdue".to_owned()),
            );
        }
        let told = match last.dia {
            Some(dia) => format!("{}/{dia} mmHg", last.sys),
            None => format!("{} mmHg", last.sys),
        };
        let percent = self.profile.discharge.pressure_percent;
        let near = session.usual_sys().is_some_and(|usual| {
            (last.sys - usual).saturating_abs() * 100 <= percent.saturating_mul(usual)
        });
        let gate = &self.profile.gate;
        let below = last.sys <= gate.note_sys
            && last.dia.is_none_or(|dia| dia <= gate.note_dia)
            && !self.is_too_low(session, last.sys);
        let rising = before
            .filter(|before| session.is_after_end(before.at))
            .map(|before| last.sys > before.sys);
        match (near, below, rising) {
            (true, ..) | (_, true, Some(false)) => (ItemState::Met, Some(told)),
            (false, true, None) => (
                ItemState::Unknown,
                Some(format!("{told}: one more reading shows whether it rises")),
            ),
            (false, true, Some(true)) => (ItemState::Open, Some(format!("{told}, rising"))),
            (false, false, _) => (ItemState::Open, Some(told)),
        }
    }

    /// Whether a systolic pressure violates any limit on its low side.
    fn is_too_low(&self, session: &Session, sys: i64) -> bool {
        session
            .limits
            .iter()
            .filter(|limits| limits.rule.rule == Rule::SbpLow)
            .flat_map(|limits| &limits.rule.tiers)
            .any(|tier| tier.violated(sys, session.usual_sys()))
    }

    fn saturation_item(&self, session: &Session) -> (ItemState, Option<String>) {
        let need = self.profile.discharge.spo2_for;
        match session.saturation.span(self.at) {
            Some(span) if span >= need => (ItemState::Met, None),
            Some(span) => (
                ItemState::Open,
                Some(format!("{} of {} min", minutes(span), minutes(need))),
            ),
            None if self.feeds.usable(Parameter::Spo2, self.at).is_some() => {
                (ItemState::Open, Some("below it now".to_owned()))
            }
            None => (ItemState::Unknown, Some("no SpO2 reading".to_owned())),
        }
    }

    /// A person says how an item stands that no device can tell.
    pub(super) fn check_item(&mut self, item: CheckItem) -> Result<(), Refusal> {
        self.in_session()?;
        if !item.is_by_person() {
            return Err(Refusal::new(
                format!("{} is computed", item.name()),
                "take the score or the reading it follows from",
            ));
        }
        match self.phase() {
            Phase::Infusion | Phase::Paused => Err(Refusal::new(
                "nobody leaves during an infusion",
                "check it after the end",
            )),
            Phase::Standby
            | Phase::Baseline
            | Phase::Recovery
            | Phase::Observation
            | Phase::Discharged => Ok(()),
        }
    }
}

/// Whether every item of a list is met, the ones included that only a person can tell.
pub fn is_ready(list: &[ListItem]) -> bool {
    !list.is_empty() && list.iter().all(|item| item.state == ItemState::Met)
}

/// A score since the end of the infusion, against the least that is needed.
fn scored(session: &Session, scale: &str, need: i64) -> (ItemState, Option<String>) {
    let newest = session
        .entries
        .score(scale)
        .filter(|(entry, _)| session.is_after_end(entry.at.moment));
    match newest {
        Some((_, level)) if level >= need => (ItemState::Met, Some(level.to_string())),
        Some((_, level)) => (ItemState::Open, Some(level.to_string())),
        None => (
            ItemState::Unknown,
            Some("not scored since the end of the infusion".to_owned()),
        ),
    }
}

/// What a person said of an item.
fn said(session: &Session, item: CheckItem) -> (ItemState, Option<String>) {
    match session.entries.check(item) {
        Some(checked) => {
            let state = if checked.met {
                ItemState::Met
            } else {
                ItemState::Open
            };
            (state, checked.by.clone())
        }
        None => (ItemState::Unknown, None),
    }
}

/// Oriented, as a person says; not while the last dissociation score is above 0.
fn orientation(session: &Session) -> (ItemState, Option<String>) {
    let newest = session
        .entries
        .score("dissociation")
        .filter(|(entry, _)| session.is_after_end(entry.at.moment));
    match newest {
        Some((_, level)) if level > 0 => {
            (ItemState::Open, Some(format!("dissociation score {level}")))
        }
        Some(_) | None => said(session, CheckItem::Orientation),
    }
}
