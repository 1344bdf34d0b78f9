//! Pump events drive phases when there is a pump feed; the nurse's button is the fallback, and a
//! contradiction between the two is shown, never resolved silently (engine.md 5).

use super::input::FeedId;
use super::kernel::Engine;
use super::record::Numbered;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait {
    until: Moment,
    then: Phase,
    stamp: Stamped,
}

/// The pump of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
}

/// How late an event was told, by the pump's own clock.
fn lateness(event: &PumpEvent) -> Duration {
    match (event.at, event.message_at) {
        (Some(at), Some(sent)) => {
            Duration::from_millis(u64::try_from(sent.millis_since(at)).unwrap_or(0))
        }
        (Some(_) | None, None) | (None, Some(_)) => Duration::ZERO,
    }
}

impl Engine {
    /// A pump event.
    pub(super) fn take_pump(&mut self, feed: FeedId, event: &PumpEvent, out: &mut Vec<Numbered>) {
        if let Some(feed) = self.feeds.get_mut(feed) {
            feed.is_pump = true;
        }
        let now = self.at;
        let late = lateness(event).min(self.profile.reading.oldest);
        let wait_for = self.profile.pump.transition_wait;
        let phase = self.phase();
        let Some(session) = self.session.as_mut() else {
            return;
        };
        // An event told late is taken at its own time for stamps, but not before the session.
        let happened = Moment::from_micros(
            now.as_micros()
                .saturating_sub(u64::try_from(late.as_micros()).unwrap_or(u64::MAX)),
        )
        .max(session.opened.moment);
        let pump = &mut session.pump;
        pump.feed = Some(feed);
        if event.event != PumpEventKind::Alarm {
            pump.alarm = None;
            pump.told = None;
        }
        if event.event != PumpEventKind::CommLost {
            pump.lost = None;
        }
        let stamp = self.stamp_at(happened);
        let Some(session) = self.session.as_mut() else {
            return;
        };
        if let Some(rate) = event.rate_ml_h {
            session.pump_rate = Some((stamp, rate));
        }
        let pump = &mut session.pump;
        let mut target = None;
        match event.event {
            PumpEventKind::DeliveryStart => {
                pump.wait = None;
                pump.delivery = Delivery::Running;
                target = Some(Phase::Infusion);
            }
            PumpEventKind::Transitioning => {
                // A transition that was already awaited goes on to where it was going.
                pump.wait.get_or_insert(Wait {
                    until: now.after(wait_for),
                    then: Phase::Paused,
                    stamp,
                });
            }
            PumpEventKind::DeliveryStop | PumpEventKind::DeliveryComplete | PumpEventKind::Kvo => {
                // Keeping the vein open after a completed dose is no reason to call it paused.
                let completed = pump.wait.is_some_and(|wait| wait.then == Phase::Recovery);
                let then = if event.event == PumpEventKind::DeliveryComplete || completed {
                    Phase::Recovery
                } else {
                    Phase::Paused
                };
                if event.transitioning {
                    pump.wait = Some(Wait {
                        until: now.after(wait_for),
                        then,
                        stamp,
                    });
                } else {
                    pump.wait = None;
                    pump.delivery = Delivery::Stopped;
                    target = Some(then);
                }
            }
            PumpEventKind::RateChange => {
                session.cuff.rate_changed(&self.profile.cuff, phase, now);
                self.tasks_changed = true;
            }
            PumpEventKind::Alarm => {
                pump.alarm.get_or_insert(now);
                pump.told.clone_from(&event.reason);
            }
            PumpEventKind::CommLost => {
                pump.wait = None;
                pump.delivery = Delivery::Unknown;
                pump.lost.get_or_insert(now);
            }
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
        let due = self.session.as_mut().and_then(|session| {
            let wait = session.pump.wait.filter(|wait| wait.until <= now)?;
            session.pump.wait = None;
            session.pump.delivery = Delivery::Stopped;
            Some(wait)
        });
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
