//! One pump: what the station told of it, and the events that a change makes.

use super::answer::Record;
use crate::observation::{PumpEvent, PumpEventKind};
use crate::vocabulary::Decimal;
use std::sync::Arc;

/// Characters of a drug's name that are kept.
const LONGEST_DRUG: usize = 64;

/// What a pump does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Running,
    Stopped,
    Kvo,
}

/// What is known of one pump.
#[derive(Debug, Default)]
pub(super) struct Pump {
    running: Option<bool>,
    bolus: Option<bool>,
    standby: Option<bool>,
    kvo: Option<bool>,
    rate: Option<Decimal>,
    volume: Option<Decimal>,
    drug: Option<Arc<str>>,
    /// Alarm n stands where bit n − 1 is set.
    alarms: u16,
    /// What was told of it last.
    told: Option<(Delivery, Option<Decimal>)>,
    alarming: bool,
}

impl Pump {
    /// Takes one value; `false` when it cannot be what its name says.
    pub(super) fn take(&mut self, record: &Record<'_>) -> bool {
        let flag = match record.value {
            b"1" => Some(true),
            b"0" => Some(false),
            _ => None,
        };
        let number = Decimal::parse(record.value)
            .ok()
            .filter(|value| *value >= Decimal::ZERO);
        let fits = match record.name {
            b"INM2" => {
                self.bolus = flag;
                flag.is_some()
            }
            b"INM3" => {
                self.running = flag;
                flag.is_some()
            }
            b"INM6" => {
                self.standby = flag;
                flag.is_some()
            }
            b"INM10" => {
                self.kvo = flag;
                flag.is_some()
            }
            b"INRT" => {
                self.rate = number;
                number.is_some()
            }
            b"INVI" => {
                self.volume = number;
                number.is_some()
            }
            b"INSOL" => {
                self.drug = record.is_told().then(|| name(record.value));
                true
            }
            other => {
                if let Some(bit) = alarm(other) {
                    if record.is_told() && flag != Some(false) {
                        self.alarms |= bit;
                    } else {
                        self.alarms &= !bit;
                    }
                }
                true
            }
        };
        fits || !record.is_told()
    }

    fn delivery(&self) -> Option<Delivery> {
        if self.kvo == Some(true) {
            Some(Delivery::Kvo)
        } else if self.running == Some(true) || self.bolus == Some(true) {
            Some(Delivery::Running)
        } else if self.running == Some(false) || self.standby == Some(true) {
            Some(Delivery::Stopped)
        } else {
            None
        }
    }

    /// What has happened since the last time this was asked.
    pub(super) fn events(&mut self) -> Vec<PumpEvent> {
        let mut events = Vec::new();
        let rate = self.rate;
        let now = self.delivery();
        let kind = match (self.told, now) {
            (None, None) => None,
            // The station has lost what the pump does.
            (Some(_), None) => Some(PumpEventKind::CommLost),
            (Some((Delivery::Running, before)), Some(Delivery::Running)) => {
                (before.is_some() && rate.is_some() && before != rate)
                    .then_some(PumpEventKind::RateChange)
            }
            (Some((before, _)), Some(now)) if before == now => None,
            (Some(_) | None, Some(Delivery::Running)) => Some(PumpEventKind::DeliveryStart),
            (Some(_) | None, Some(Delivery::Stopped)) => Some(PumpEventKind::DeliveryStop),
            (Some(_) | None, Some(Delivery::Kvo)) => Some(PumpEventKind::Kvo),
        };
        if let Some(kind) = kind {
            let standby = kind == PumpEventKind::DeliveryStop && self.standby == Some(true);
            events.push(self.event(kind, standby.then(|| "standby".into())));
        }
        // A rate that is not told for a moment is still the last one.
        let before = self.told.and_then(|(_, rate)| rate);
        self.told = now.map(|now| (now, rate.or(before)));
        let alarms = self.alarms != 0;
        // The word of a change ends the alarm that was told before it.
        if alarms && (!self.alarming || kind.is_some()) {
            let reason = self.reasons();
            events.push(self.event(PumpEventKind::Alarm, Some(reason)));
        }
        self.alarming = alarms;
        events
    }

    fn event(&self, event: PumpEventKind, reason: Option<Arc<str>>) -> PumpEvent {
        let delivers = matches!(self.delivery(), Some(Delivery::Running | Delivery::Kvo));
        PumpEvent {
            event,
            transitioning: false,
            drug: self.drug.clone(),
            rate_ml_h: self.rate.filter(|_| delivers),
            volume_ml: self.volume,
            reason,
            at: None,
            message_at: None,
        }
    }

    /// The alarms by their names.
    fn reasons(&self) -> Arc<str> {
        (1..=16_u32)
            .filter(|n| self.alarms & (1 << (n - 1)) != 0)
            .map(|n| format!("INA{n}"))
            .collect::<Vec<_>>()
            .join(", ")
            .into()
    }
}

/// The bit of `INA1` to `INA16`.
fn alarm(name: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(name.strip_prefix(b"INA")?).ok()?;
    let number: u32 = digits.parse().ok().filter(|n| (1..=16).contains(n))?;
    Some(1 << (number - 1))
}

fn name(text: &[u8]) -> Arc<str> {
    String::from_utf8_lossy(text)
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_DRUG)
        .collect::<String>()
        .into()
}
