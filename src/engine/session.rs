//! The open session: its phase, its stamps, the patient's absence, and the steps from phase to phase.
//!
//! An alarm never changes a phase; a nurse's command, the pump or a deadline does (engine.md 2).

use super::baseline::Baseline;
use super::command::OpenSession;
use super::cuff::CuffPlan;
use super::entries::Entries;
use super::evidence::{GoodSaturation, LastPressures};
use super::kernel::Engine;
use super::pump::Pump;
use super::record::{BaselineRecord, Numbered, PhaseRecord, Record};
use super::rules::{Sample, SessionLimits};
use super::verdict::NEVER;
use crate::profile::Profile;
use crate::vocabulary::{Decimal, Moment, Now, Parameter, Phase, WallTime};
use std::time::Duration;

/// An event's time on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamped {
    /// Engine time.
    pub moment: Moment,
    /// For people.
    pub wall: WallTime,
}

/// The patient has left the chair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// Until when at most.
    pub until: Moment,
    /// Since when SpO2 is valid without an interruption.
    pub back_since: Option<Moment>,
}

/// The open session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// Whom and what it is about.
    pub about: OpenSession,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub entered: Moment,
    /// When it was opened.
    pub opened: Stamped,
    /// The first start of the infusion.
    pub started: Option<Stamped>,
    /// The last end of the infusion.
    pub ended: Option<Stamped>,
    /// Time the drug ran before the present run.
    pub run: Duration,
    /// Since when it runs.
    pub running_since: Option<Moment>,
    /// The limits as they judge now.
    pub limits: Vec<SessionLimits>,
    /// The patient's baseline.
    pub baseline: Baseline,
    /// The patient's absence.
    pub away: Option<Away>,
    /// What is planned for the cuff.
    pub cuff: CuffPlan,
    /// When the next sedation score is due.
    pub score_due: Option<Moment>,
    /// The newest sedation score.
    pub score: Option<Sample>,
    /// When to recheck after a note of the gate.
    pub gate_recheck: Option<Moment>,
    /// The last valid reading of anything.
    pub last_valid: Moment,
    /// The pump.
    pub pump: Pump,
    /// The rate that the pump told last, mL/h.
    pub pump_rate: Option<(Stamped, Decimal)>,
    /// What people entered.
    pub entries: Entries,
    /// The last two cuff readings.
    pub pressures: LastPressures,
    /// Since when the saturation is good.
    pub saturation: GoodSaturation,
}

impl Session {
    /// A session that opens now.
    pub fn new(id: i64, about: OpenSession, opened: Stamped, profile: &Profile) -> Self {
        Self {
            id,
            about,
            phase: Phase::Baseline,
            entered: opened.moment,
            opened,
            started: None,
            ended: None,
            run: Duration::ZERO,
            running_since: None,
            limits: profile
                .limits
                .iter()
                .map(|rule| SessionLimits {
                    rule: rule.clone(),
                    nurse: [false; 3],
                })
                .collect(),
            baseline: Baseline::default(),
            away: None,
            cuff: CuffPlan::default(),
            score_due: None,
            score: None,
            gate_recheck: None,
            last_valid: opened.moment,
            pump: Pump::default(),
            pump_rate: None,
            entries: Entries::default(),
            pressures: LastPressures::default(),
            saturation: GoodSaturation::default(),
        }
    }

    /// Whether cuff and oximeter are on the same arm.
    pub fn same_arm(&self) -> bool {
        match (&self.about.cuff_arm, &self.about.spo2_arm) {
            (Some(cuff), Some(spo2)) => cuff.eq_ignore_ascii_case(spo2),
            (Some(_) | None, None) | (None, Some(_)) => false,
        }
    }

    /// When early recovery is over.
    pub fn recovery_over(&self, profile: &Profile) -> Option<Moment> {
        let ended = self.ended.filter(|_| self.phase == Phase::Recovery)?;
        Some(ended.moment.after(profile.session.recovery))
    }

    /// Until when the minimum observation lasts.
    pub fn observe_until(&self, profile: &Profile) -> Option<Moment> {
        let after_start = self
            .started
            .map(|stamp| stamp.moment.after(profile.session.minimum_after_start))?;
        let after_end = self
            .ended
            .map(|stamp| stamp.moment.after(profile.session.minimum_after_end))?;
        Some(after_start.max(after_end))
    }

    /// Time the drug has run in all.
    pub fn run_until(&self, now: Moment) -> Duration {
        self.run
            + self
                .running_since
                .map_or(Duration::ZERO, |from| now.since(from))
    }
}

impl Engine {
    /// Both clocks at the present engine time.
    pub(super) fn stamp(&self) -> Stamped {
        self.stamp_at(self.at)
    }

    /// Both clocks at an engine time near the present.
    pub(super) fn stamp_at(&self, moment: Moment) -> Stamped {
        let last = Now {
            moment: self.at_input,
            wall: self.wall,
        };
        Stamped {
            moment,
            wall: last.wall_at(moment),
        }
    }

    /// The phase; standby without a session.
    pub fn phase(&self) -> Phase {
        self.session
            .as_ref()
            .map_or(Phase::Standby, |session| session.phase)
    }

    /// Whether the patient is away and patient alarms are off.
    pub(super) fn is_away(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.away.is_some())
    }

    /// Goes to another phase. `stamp` is when it really happened, for a pump that told it late.
    pub(super) fn enter(
        &mut self,
        phase: Phase,
        why: &str,
        stamp: Stamped,
        out: &mut Vec<Numbered>,
    ) {
        let from = self.phase();
        let at = self.at;
        let Some(session) = self.session.as_mut() else {
            return;
        };
        session.phase = phase;
        session.entered = at;
        session.away = None;
        if let Some(since) = session.running_since.take() {
            session.run += stamp.moment.since(since);
        }
        let is_first_start = phase == Phase::Infusion && session.started.is_none();
        match phase {
            Phase::Infusion => {
                session.running_since = Some(stamp.moment);
                session.started.get_or_insert(stamp);
                session.ended = None;
                session.gate_recheck = None;
                session.entries.infusion_begins();
            }
            Phase::Recovery => session.ended = Some(stamp),
            Phase::Standby
            | Phase::Baseline
            | Phase::Paused
            | Phase::Observation
            | Phase::Discharged => {}
        }
        session.cuff.phase_begins(&self.profile.cuff, phase, at);
        if is_first_start {
            session
                .cuff
                .infusion_started(&self.profile.cuff, stamp.moment);
        }
        match phase {
            Phase::Infusion if session.score_due.is_none() => {
                let recent = session
                    .score
                    .is_some_and(|score| at.since(score.received) <= self.profile.score.interval);
                session.score_due = Some(if recent {
                    at.after(self.profile.score.interval)
                } else {
                    at
                });
            }
            Phase::Infusion | Phase::Paused | Phase::Recovery => {}
            Phase::Standby | Phase::Baseline | Phase::Observation | Phase::Discharged => {
                session.score_due = None;
            }
        }
        for slot in &mut self.slots {
            if let Some(limits) = session
                .limits
                .iter()
                .find(|limits| limits.rule.rule == slot.key.rule)
            {
                slot.slot.phase_changed(&limits.rule, from, phase);
            }
        }
        self.emit(
            Record::Phase(PhaseRecord {
                phase,
                from,
                why: why.to_owned(),
            }),
            out,
        );
        if is_first_start {
            self.fix_baseline(out);
        }
        self.recent.phase(self.seq, self.stamp(), phase);
        self.tasks_changed = true;
        self.dirty.all();
    }

    /// Fixes the baseline at the first start and records it with its readings.
    fn fix_baseline(&mut self, out: &mut Vec<Numbered>) {
        /// Parameters whose lack of a baseline is worth saying.
        const EXPECTED: [Parameter; 3] = [Parameter::Spo2, Parameter::NibpSys, Parameter::NibpDia];
        let now = self.at;
        let timing = &self.profile.baseline;
        let fixed = self
            .session
            .as_mut()
            .map(|session| session.baseline.fix(now, timing))
            .unwrap_or_default();
        let has_rate = self.session.as_ref().is_some_and(|session| {
            session
                .baseline
                .first_of(&super::feeds::RATE_SOURCES)
                .is_some()
        });
        for (parameter, value, readings) in fixed {
            let expected =
                EXPECTED.contains(&parameter) || (parameter == Parameter::Hr && !has_rate);
            if readings.is_empty() && !expected {
                continue;
            }
            self.emit(
                Record::Baseline(BaselineRecord {
                    parameter,
                    value: value.map(Decimal::whole),
                    readings: readings.into_iter().map(Decimal::whole).collect(),
                    reason: None,
                }),
                out,
            );
        }
    }

    /// Session deadlines that are due: the end of recovery, of an absence, of a pump's transition.
    pub(super) fn fire_session(&mut self, out: &mut Vec<Numbered>) {
        let over = self
            .session
            .as_ref()
            .and_then(|session| session.recovery_over(&self.profile))
            .is_some_and(|over| over <= self.at);
        if over {
            self.enter(Phase::Observation, "deadline", self.stamp(), out);
        }
        self.fire_pump(out);
        self.judge_away();
    }

    /// Follows SpO2 while the patient is away; its return or the time-out ends the absence.
    pub(super) fn judge_away(&mut self) {
        let now = self.at;
        let is_valid = self.feeds.usable(Parameter::Spo2, now).is_some();
        let back_after = self.profile.session.back_after;
        let Some(session) = self.session.as_mut() else {
            return;
        };
        let Some(away) = session.away.as_mut() else {
            return;
        };
        if is_valid {
            let since = *away.back_since.get_or_insert(now);
            if since.after(back_after) <= now {
                session.away = None;
            }
        } else {
            away.back_since = None;
        }
        if session.away.is_some_and(|away| away.until <= now) {
            session.away = None;
        }
        if session.away.is_none() {
            self.tasks_changed = true;
            self.dirty.all_physiological();
        }
    }

    /// When the session next changes by itself.
    pub(super) fn next_session_deadline(&self) -> Moment {
        let Some(session) = self.session.as_ref() else {
            return NEVER;
        };
        let recovery = session.recovery_over(&self.profile).unwrap_or(NEVER);
        let away = session.away.map_or(NEVER, |away| {
            let back = away
                .back_since
                .map_or(NEVER, |since| since.after(self.profile.session.back_after));
            let stale = self
                .feeds
                .stale_from(Parameter::Spo2, self.at)
                .unwrap_or(NEVER);
            away.until.min(back).min(stale)
        });
        recovery.min(away).min(session.pump.next_deadline())
    }
}
