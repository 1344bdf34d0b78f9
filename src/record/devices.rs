//! What devices tell: readings, alarms of the monitor, the pump, and whom it is about.

use super::cuff::Told;
use super::entered::{Place, rate_text};
use super::gather::Gather;
use super::model::{DeviceAlertEntry, Extreme, PumpEntry, Rate};
use crate::engine::FeedId;
use crate::observation::{
    DeviceAlert, DeviceTime, Identity, Observation, PumpEvent, PumpEventKind,
};
use crate::vocabulary::{Decimal, Parameter};
use std::sync::Arc;

impl Gather {
    pub(super) fn reading(&mut self, place: Place, feed: FeedId, observation: &Observation) {
        let found = self.places.of(place.seq, feed);
        let name = self.places.name(found);
        let known = observation.parameter.known();
        if let (Some(parameter), Some(value)) = (known, observation.reading.value()) {
            self.extreme(place, parameter, value);
            self.alarms.number(parameter, &name, value);
        }
        match known {
            Some(parameter) if parameter.is_cuff() => {
                let told = Told {
                    seq: place.seq,
                    now: place.now,
                    minute: place.minute,
                    phase: self.phase,
                    feed: (found, &name),
                };
                self.cuffs.take(told, parameter, observation);
            }
            Some(_) | None => {
                if let Some(minutes) = &mut self.minutes {
                    minutes.take(place.seq, place.now, (found, &name), observation);
                }
            }
        }
    }

    fn extreme(&mut self, place: Place, parameter: Parameter, value: Decimal) {
        let at = place.at();
        let known = self.extremes.entry(parameter).or_insert(Extreme {
            parameter,
            lowest: value,
            lowest_at: at,
            highest: value,
            highest_at: at,
        });
        if value < known.lowest {
            (known.lowest, known.lowest_at) = (value, at);
        }
        if value > known.highest {
            (known.highest, known.highest_at) = (value, at);
        }
    }

    pub(super) fn device_alert(&mut self, place: Place, feed: FeedId, alert: DeviceAlert) {
        let found = self.places.of(place.seq, feed);
        let feed = self.places.name(found);
        let text = format!("Monitor {feed}: {} ({})", alert.text, alert.phase.name());
        self.device_alerts.push(DeviceAlertEntry {
            seq: place.seq,
            at: place.at(),
            feed,
            phase: alert.phase.name(),
            priority: alert.priority,
            text: alert.text,
        });
        self.tell(place, "device-alert", text, false);
    }

    pub(super) fn pump(&mut self, place: Place, feed: FeedId, event: &PumpEvent) {
        let found = self.places.of(place.seq, feed);
        let feed = self.places.name(found);
        self.course.pump(place.now, event, self.limits.profile());
        self.pump_rate(place, &feed, event);
        let mut words = format!("Pump {feed}: {}", event.event.name());
        for told in [&event.drug, &event.reason].into_iter().flatten() {
            words.push_str(", ");
            words.push_str(told);
        }
        self.tell(place, "pump", words, false);
        self.pump.push(PumpEntry {
            seq: place.seq,
            at: place.at(),
            told_at: event.at.map(DeviceTime::iso8601),
            feed,
            event: event.event.name(),
            drug: event.drug.clone(),
            rate_ml_h: event.rate_ml_h,
            volume_ml: event.volume_ml,
            reason: event.reason.clone(),
        });
    }

    /// A pump tells millilitres; what a person said in milligrams holds as long as they do not change.
    fn pump_rate(&mut self, place: Place, feed: &Arc<str>, event: &PumpEvent) {
        let is_dose = match event.event {
            PumpEventKind::DeliveryStart | PumpEventKind::RateChange => true,
            PumpEventKind::DeliveryStop
            | PumpEventKind::DeliveryComplete
            | PumpEventKind::Transitioning
            | PumpEventKind::Kvo
            | PumpEventKind::Alarm
            | PumpEventKind::CommLost => false,
        };
        let Some(ml_h) = event.rate_ml_h.filter(|_| is_dose) else {
            return;
        };
        let known = self
            .entered
            .rates
            .iter()
            .rev()
            .find(|(_, rate)| rate.corrected_by.is_none())
            .map(|(_, rate)| (rate.ml_h, rate.mg_h));
        let mg_h = match known {
            Some((Some(before), mg_h)) if before == ml_h => mg_h,
            Some((None, mg_h)) if event.event == PumpEventKind::DeliveryStart => mg_h,
            Some(_) | None => None,
        };
        if known == Some((Some(ml_h), mg_h)) {
            return;
        }
        self.entered.rates.push((
            place.now.moment,
            Rate {
                seq: place.seq,
                at: place.at(),
                minute: place.minute,
                ml_h: Some(ml_h),
                mg_h,
                manual: false,
                feed: Some(Arc::clone(feed)),
                by: None,
                corrected_by: None,
                corrects: None,
                mg_until: None,
            },
        ));
        self.tell(place, "rate", rate_text(Some(ml_h), None), false);
    }

    pub(super) fn identity(&mut self, place: Place, feed: FeedId, identity: &Identity) {
        let found = self.places.of(place.seq, feed);
        let name = self.places.name(found);
        let told = self.places.told(found, identity);
        let text = format!("Feed {name}: {told}");
        self.tell(place, "feed", text, false);
    }
}
