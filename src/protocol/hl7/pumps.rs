//! The pumps of one connection: what each told last, and what the next word makes of it (hl7.md 5).
//!
//! Promises: a pump without PCD-10 drives a session by the differences of its status; a pump with both
//! tells nothing twice; a status older than what is known says nothing. What is remembered is bounded.

use super::drug::About;
use crate::observation::{DeviceTime, Identity, PumpEvent, PumpEventKind};
use crate::protocol::{Event, Events, Fault};
use crate::vocabulary::Decimal;
use std::sync::Arc;

/// Pumps that one connection remembers.
const MOST_PUMPS: usize = 256;

/// What a source of a pump does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It delivers.
    Running,
    /// It does not.
    Stopped,
    /// Between two states.
    Transitioning,
    /// It keeps the vein open.
    Kvo,
}

impl Delivery {
    /// The word of MDC_PUMP_CURRENT_DELIVERY_STATUS.
    pub fn read(word: &[u8]) -> Option<Self> {
        match word {
            b"pump-delivery-status-delivering" => Some(Self::Running),
            b"pump-delivery-status-not-delivering" => Some(Self::Stopped),
            b"pump-delivery-status-transitioning" => Some(Self::Transitioning),
            b"pump-delivery-status-kvo" => Some(Self::Kvo),
            _ => None,
        }
    }
}

/// What a pump told last.
#[derive(Debug)]
struct Known {
    device: Option<Arc<str>>,
    bed: Option<Arc<str>>,
    pump: [u32; 2],
    delivery: Delivery,
    rate: Option<Decimal>,
    at: Option<DeviceTime>,
    alarm: bool,
    /// When it was heard, counted in messages.
    heard: u64,
}

/// The pumps of one connection.
#[derive(Debug, Default)]
pub struct Pumps {
    known: Vec<Known>,
    messages: u64,
    /// The drug that was met last and is not ours.
    another: Option<Arc<str>>,
}

impl Pumps {
    /// A pump gives another drug: nothing for the session, but somebody may look for the reason.
    pub fn met_another_drug(&mut self, drug: Arc<str>, events: &mut Events) {
        if self.another.as_ref() != Some(&drug) {
            self.another = Some(drug);
            events.push(Event::Fault(Fault::UnknownCode));
        }
    }

    fn find(&mut self, whom: &Identity, pump: [u32; 2]) -> Option<&mut Known> {
        self.messages += 1;
        let heard = self.messages;
        let known = self.known.iter_mut().find(|known| {
            known.pump == pump && known.device == whom.device && known.bed == whom.bed
        })?;
        known.heard = heard;
        Some(known)
    }

    fn remember(&mut self, whom: &Identity, pump: [u32; 2], delivery: Delivery, event: &PumpEvent) {
        let rate = match delivery {
            Delivery::Running => event.rate_ml_h,
            Delivery::Transitioning | Delivery::Stopped | Delivery::Kvo => None,
        };
        if let Some(known) = self.find(whom, pump) {
            // The rate before a transition is what the next start is compared with.
            let keeps = delivery == Delivery::Transitioning;
            known.rate = if keeps { known.rate } else { rate };
            known.delivery = delivery;
            known.at = event.at;
            known.alarm = false;
            return;
        }
        if self.known.len() >= MOST_PUMPS
            && let Some(oldest) = (0..self.known.len())
                .min_by_key(|&index| self.known.get(index).map_or(0, |known| known.heard))
        {
            self.known.swap_remove(oldest);
        }
        self.known.push(Known {
            device: whom.device.clone(),
            bed: whom.bed.clone(),
            pump,
            delivery,
            rate,
            at: event.at,
            alarm: false,
            heard: self.messages,
        });
    }

    /// A pump told what happened.
    pub fn event(
        &mut self,
        whom: &Identity,
        pump: [u32; 2],
        event: PumpEvent,
        now: Option<Delivery>,
        alarming: bool,
        events: &mut Events,
    ) {
        let before = self
            .find(whom, pump)
            .map(|known| (known.delivery, known.rate));
        let other_rate = event.event == PumpEventKind::DeliveryStart
            && matches!(
                before,
                Some((Delivery::Running | Delivery::Transitioning, Some(rate)))
                    if event.rate_ml_h.is_some_and(|new| new != rate)
            );
        if let Some(now) = now {
            self.remember(whom, pump, now, &event);
        }
        events.push(Event::PumpEvent(event.clone()));
        let mut follow = |kind, reason| {
            events.push(Event::PumpEvent(PumpEvent {
                event: kind,
                transitioning: false,
                reason,
                ..event.clone()
            }));
        };
        if other_rate {
            follow(PumpEventKind::RateChange, None);
        }
        if alarming {
            follow(PumpEventKind::Alarm, event.reason.clone());
        }
    }

    /// A pump told how it stands.
    pub fn status(
        &mut self,
        whom: &Identity,
        pump: [u32; 2],
        mut event: PumpEvent,
        now: Delivery,
        complete: bool,
        events: &mut Events,
    ) {
        let before = match self.find(whom, pump) {
            // Older than what is known.
            Some(known) if is_before(event.at, known.at) => return,
            Some(known) => Some((known.delivery, known.rate)),
            None => None,
        };
        let was_giving = matches!(
            before,
            Some((Delivery::Running | Delivery::Transitioning, _))
        );
        let other_rate = match (before, event.rate_ml_h) {
            (Some((Delivery::Running | Delivery::Transitioning, Some(rate))), Some(new)) => {
                rate != new
            }
            (_, _) => false,
        };
        let same = before.is_some_and(|(delivery, _)| delivery == now);
        let kinds: &[PumpEventKind] = match (now, same) {
            (Delivery::Running, true) if other_rate => &[PumpEventKind::RateChange],
            (
                Delivery::Running | Delivery::Transitioning | Delivery::Kvo | Delivery::Stopped,
                true,
            ) => &[],
            (Delivery::Running, false) if other_rate => {
                &[PumpEventKind::DeliveryStart, PumpEventKind::RateChange]
            }
            (Delivery::Running, false) => &[PumpEventKind::DeliveryStart],
            (Delivery::Transitioning, false) => &[PumpEventKind::Transitioning],
            (Delivery::Kvo, false) if complete && was_giving => {
                &[PumpEventKind::DeliveryComplete, PumpEventKind::Kvo]
            }
            (Delivery::Kvo, false) => &[PumpEventKind::Kvo],
            (Delivery::Stopped, false) if complete && was_giving => {
                &[PumpEventKind::DeliveryComplete]
            }
            (Delivery::Stopped, false) => &[PumpEventKind::DeliveryStop],
        };
        if same && event.rate_ml_h.is_none() {
            // A message may leave the rate out; the last one told still stands.
            event.rate_ml_h = before.and_then(|(_, rate)| rate);
        }
        if !same || !kinds.is_empty() {
            self.remember(whom, pump, now, &event);
        } else if let Some(known) = self.find(whom, pump) {
            known.at = event.at;
            known.rate = known.rate.or(event.rate_ml_h);
        }
        for &kind in kinds {
            let mut one = event.clone();
            one.event = kind;
            events.push(Event::PumpEvent(one));
        }
    }

    /// The alarm that a pump's status tells, once while it lasts.
    pub fn alarm(
        &mut self,
        whom: &Identity,
        pump: [u32; 2],
        alarm: Option<Arc<str>>,
        about: &About<'_>,
        at: Option<DeviceTime>,
        events: &mut Events,
    ) {
        let Some(known) = self.find(whom, pump) else {
            return;
        };
        let begins = alarm.is_some() && !known.alarm;
        known.alarm = alarm.is_some();
        if begins {
            events.push(Event::PumpEvent(PumpEvent {
                event: PumpEventKind::Alarm,
                transitioning: false,
                drug: None,
                rate_ml_h: None,
                volume_ml: None,
                reason: alarm,
                at: at.or(about.begin),
                message_at: about.message_at,
            }));
        }
    }
}

fn is_before(one: Option<DeviceTime>, other: Option<DeviceTime>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one.millis_since(other) < 0)
}
