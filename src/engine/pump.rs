//! Pump events drive phases when there is a pump feed; the nurse's button is the fallback, and a
//! contradiction between the two is shown, never resolved silently (engine.md 5).

use super::input::FeedId;
use super::kernel::Engine;
use super::record::Numbered;
use super::renumber::Renumbering;
use super::session::Stamped;
use super::verdict::{Judged, Key, NEVER, Verdict};
use crate::observation::{PumpEvent, PumpEventKind};
use crate::profile::Reason;
use crate::vocabulary::{Moment, Phase, Priority, Rule};
use std::sync::Arc;
use std::time::Duration;

/// What the pump does, as far as it told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It never said anything, or what it says cannot be relied on.
    #[default]
    Unknown,
    /// The drug runs.
    Running,
    /// The drug does not run (stopped, complete, keeping the vein open).
    Stopped,
}

/// A transition whose outcome is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wait {
    until: Moment,
    then: Phase,
    stamp: Stamped,
}

/// The pump of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Pump {
    /// What it does.
    pub delivery: Delivery,
    /// Which feed told it.
    pub feed: Option<FeedId>,
    /// In alarm since then.
    alarm: Option<Moment>,
    /// Lost by its gateway since then.
    lost: Option<Moment>,
    /// It started the infusion although the gate was not passed.
    past_gate: Option<Moment>,
    /// Its contradiction with the phase lasts since then.
    conflict: Option<Moment>,
    wait: Option<Wait>,
    /// What it says about its alarm.
    pub told: Option<Arc<str>>,
}

impl Pump {
    /// When an awaited transition is decided.
    pub fn next_deadline(&self) -> Moment {
        self.wait.map_or(NEVER, |wait| wait.until)
    }

    /// A nurse has seen that the gate was not passed.
    pub const fn gate_seen(&mut self) {
        self.past_gate = None;
    }

    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        self.feed = self.feed.map(|feed| places.of(feed));
    }

    /// What its alarm said before a restart about it and the session goes on.
    pub const fn carry(&mut self, reason: Option<Reason>, since: Moment) {
        match reason {
            Some(Reason::GateNotPassed) => self.past_gate = Some(since),
            Some(Reason::Conflict) => self.conflict = Some(since),
            Some(_) | None => {}
        }
    }

    /// Follows an event that happened at `stamp` and was told now; gives the phase to which it leads.
    pub fn follow(
        &mut self,
        feed: FeedId,
        event: &PumpEvent,
        now: Moment,
        stamp: Stamped,
        wait_for: Duration,
    ) -> Option<Phase> {
        self.feed = Some(feed);
        if event.event != PumpEventKind::Alarm {
            self.alarm = None;
            self.told = None;
        }
        if event.event != PumpEventKind::CommLost {
            self.lost = None;
        }
        match event.event {
            PumpEventKind::DeliveryStart => {
                self.wait = None;
                self.delivery = Delivery::Running;
                return Some(Phase::Infusion);
            }
            PumpEventKind::Transitioning => {
                // A transition that was already awaited goes on to where it was going.
                self.wait.get_or_insert(Wait {
                    until: now.after(wait_for),
                    then: Phase::Paused,
                    stamp,
                });
            }
            PumpEventKind::DeliveryStop | PumpEventKind::DeliveryComplete | PumpEventKind::Kvo => {
                // Keeping the vein open after a completed dose is no reason to call it paused.
                let completed = self.wait.is_some_and(|wait| wait.then == Phase::Recovery);
                let then = if event.event == PumpEventKind::DeliveryComplete || completed {
                    Phase::Recovery
                } else {
                    Phase::Paused
                };
                if event.transitioning {
                    self.wait = Some(Wait {
                        until: now.after(wait_for),
                        then,
                        stamp,
                    });
                } else {
                    self.wait = None;
                    self.delivery = Delivery::Stopped;
                    return Some(then);
                }
            }
            PumpEventKind::RateChange => {}
            PumpEventKind::Alarm => {
                self.alarm.get_or_insert(now);
                self.told.clone_from(&event.reason);
            }
            PumpEventKind::CommLost => {
                self.wait = None;
                self.delivery = Delivery::Unknown;
                self.lost.get_or_insert(now);
            }
        }
        None
    }

    /// No start came within the wait: the stop or completion stands. Gives what was awaited.
    pub fn waited(&mut self, now: Moment) -> Option<Wait> {
        let wait = self.wait.filter(|wait| wait.until <= now)?;
        self.wait = None;
        self.delivery = Delivery::Stopped;
        Some(wait)
    }
}

/// When an event happened, by how late the pump told it by its own clock: for stamps, and not before
/// the session was opened.
pub fn happened(event: &PumpEvent, now: Moment, oldest: Duration, opened: Moment) -> Moment {
    let late = match (event.at, event.message_at) {
        (Some(at), Some(sent)) => {
            Duration::from_millis(u64::try_from(sent.millis_since(at)).unwrap_or(0))
        }
        (Some(_) | None, None) | (None, Some(_)) => Duration::ZERO,
    };
    let late = u64::try_from(late.min(oldest).as_micros()).unwrap_or(u64::MAX);
    Moment::from_micros(now.as_micros().saturating_sub(late)).max(opened)
}

impl Engine {
    /// A pump event.
    pub(super) fn take_pump(&mut self, feed: FeedId, event: &PumpEvent, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let Some(session) = self.session.as_ref() else {
            return;
        };
        let oldest = self.profile.reading.oldest;
        let stamp = self.stamp_at(happened(event, now, oldest, session.opened.moment));
        let wait_for = self.profile.pump.transition_wait;
        let Some(session) = self.session.as_mut() else {
            return;
        };
        if let Some(rate) = event.rate_ml_h {
            session.pump_rate = Some((stamp, rate));
        }
        let target = session.pump.follow(feed, event, now, stamp, wait_for);
        if event.event == PumpEventKind::RateChange {
            session.cuff.rate_changed(&self.profile.cuff, phase, now);
            self.tasks_changed = true;
        }
        self.refute_carried(Key::whole(Rule::Pump));
        self.dirty.rule(Rule::Pump);
        if let Some(target) = target {
            self.pump_leads(target, stamp, out);
        }
    }

    /// The pump's state leads the phase where a phase may follow.
    fn pump_leads(&mut self, target: Phase, stamp: Stamped, out: &mut Vec<Numbered>) {
        let phase = self.phase();
        match (phase, target) {
            (
                Phase::Baseline | Phase::Paused | Phase::Recovery | Phase::Observation,
                Phase::Infusion,
            ) => {
                let blocked = phase == Phase::Baseline && self.gate().needs_override();
                if blocked && let Some(session) = self.session.as_mut() {
                    session.pump.past_gate = Some(self.at);
                }
                self.enter(Phase::Infusion, "pump", stamp, out);
            }
            (Phase::Infusion, Phase::Paused)
            | (Phase::Infusion | Phase::Paused, Phase::Recovery) => {
                self.enter(target, "pump", stamp, out);
            }
            // Everything else changes nothing: no session, already there, or nothing was running.
            (
                Phase::Standby
                | Phase::Baseline
                | Phase::Infusion
                | Phase::Paused
                | Phase::Recovery
                | Phase::Observation
                | Phase::Discharged,
                _,
            ) => {}
        }
    }

    /// No start came within the wait: the stop or completion stands.
    pub(super) fn fire_pump(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let due = self
            .session
            .as_mut()
            .and_then(|session| session.pump.waited(now));
        if let Some(wait) = due {
            self.dirty.rule(Rule::Pump);
            self.pump_leads(wait.then, wait.stamp, out);
        }
    }

    /// Judges `pump`: in alarm, lost or silent while it was infusing, started past the gate, or in
    /// contradiction with the phase.
    pub(super) fn judge_pump(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::Pump);
        let mut judged = Judged::NOTHING;
        let silent = self
            .session
            .as_ref()
            .and_then(|session| session.pump.feed)
            .and_then(|id| self.feeds.get(id))
            .map(super::feeds::Feed::silent_from);
        if let Some(session) = self.session.as_mut() {
            let pump = &mut session.pump;
            let contradicts = match (pump.delivery, phase) {
                (Delivery::Running, Phase::Paused | Phase::Recovery | Phase::Observation)
                | (Delivery::Stopped, Phase::Infusion) => true,
                (
                    Delivery::Running,
                    Phase::Standby | Phase::Baseline | Phase::Infusion | Phase::Discharged,
                )
                | (
                    Delivery::Stopped,
                    Phase::Standby
                    | Phase::Baseline
                    | Phase::Paused
                    | Phase::Recovery
                    | Phase::Observation
                    | Phase::Discharged,
                )
                | (Delivery::Unknown, _) => false,
            };
            pump.conflict = contradicts.then(|| pump.conflict.unwrap_or(now));
            let unheard = match phase {
                Phase::Infusion | Phase::Paused => silent,
                Phase::Standby
                | Phase::Baseline
                | Phase::Recovery
                | Phase::Observation
                | Phase::Discharged => None,
            };
            let lost = match unheard {
                Some(from) if from <= now => Some(pump.lost.unwrap_or(from)),
                Some(from) => {
                    judged.next = from;
                    pump.lost
                }
                None => pump.lost,
            };
            let found = [
                (pump.alarm, None),
                (pump.past_gate, Some(Reason::GateNotPassed)),
                (pump.conflict, Some(Reason::Conflict)),
                (lost, Some(Reason::Unknown)),
            ]
            .into_iter()
            .find_map(|(since, reason)| since.map(|since| (since, reason)));
            judged.verdict = found.zip(base).map(|((since, reason), base)| Verdict {
                reason,
                feed: pump.feed,
                ..Verdict::plain(base.max(Priority::Medium), phase, since)
            });
        }
        let told = self
            .session
            .as_ref()
            .and_then(|session| session.pump.told.clone());
        self.due.set(Rule::Pump, judged.next);
        self.condition(Key::whole(Rule::Pump), judged.verdict, told.as_ref(), out);
    }
}
