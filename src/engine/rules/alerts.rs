//! Alarms of the monitors themselves: shown and logged beside ours, never instead.

use crate::engine::input::FeedId;
use crate::engine::kernel::Engine;
use crate::engine::record::Numbered;
use crate::engine::renumber::Renumbering;
use crate::engine::verdict::{Key, NEVER, Subject, Verdict};
use crate::observation::{AlertPhase, DeviceAlert};
use crate::vocabulary::{Moment, Priority, Rule};
use std::sync::Arc;
use std::time::Duration;

/// Alerts of devices that are kept at the same time; more are in the record only.
const MOST_ALERTS: usize = 64;

/// An alarm of a monitor itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    feed: FeedId,
    key: Arc<str>,
    priority: Option<Priority>,
    text: Arc<str>,
    since: Moment,
    /// For an alert without an end of its own: until when it counts unless repeated.
    until: Moment,
    is_on: bool,
}

impl Alert {
    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        self.feed = places.of(self.feed);
    }
}

impl Engine {
    /// Takes an alarm of a monitor.
    pub(crate) fn take_alert(&mut self, feed: FeedId, alert: &DeviceAlert) {
        let now = self.at;
        let silence = self
            .feeds
            .get(feed)
            .map_or(Duration::ZERO, |feed| feed.setup.silence);
        let until = match alert.phase {
            AlertPhase::Present => now.after(silence),
            AlertPhase::Start | AlertPhase::Continue | AlertPhase::End => NEVER,
        };
        let is_on = alert.phase != AlertPhase::End;
        self.dirty.rule(Rule::DeviceAlert);
        let alerts = &mut self.noticed.alerts;
        let told = |since| Alert {
            feed,
            key: alert.key.clone(),
            priority: alert.priority,
            text: alert.text.clone(),
            since,
            until,
            is_on,
        };
        if let Some(known) = alerts
            .iter_mut()
            .find(|known| known.feed == feed && known.key == alert.key && known.is_on)
        {
            *known = told(known.since);
        } else if !is_on {
            // The end of something that we were never told or had no room for.
        } else if let Some(free) = alerts.iter_mut().find(|known| !known.is_on) {
            *free = told(now);
        } else if alerts.len() < MOST_ALERTS {
            alerts.push(told(now));
        }
    }

    /// Judges `device-alert` on every alert: at the device's own priority.
    pub(super) fn judge_device_alerts(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::DeviceAlert);
        let mut next = NEVER;
        for place in 0_u32.. {
            let index = usize::try_from(place).unwrap_or(usize::MAX);
            let Some(alert) = self.noticed.alerts.get_mut(index) else {
                break;
            };
            if alert.until <= now {
                alert.is_on = false;
            }
            let mut verdict = None;
            if alert.is_on {
                next = next.min(alert.until);
                verdict = base.map(|base| Verdict {
                    feed: Some(alert.feed),
                    ..Verdict::plain(alert.priority.unwrap_or(base), phase, alert.since)
                });
            }
            let text = alert.text.clone();
            let key = Key {
                rule: Rule::DeviceAlert,
                subject: Subject::Alert(place),
            };
            self.condition(key, verdict, Some(&text), out);
        }
        self.end_carried_alerts(out);
        self.due.set(Rule::DeviceAlert, next);
    }

    /// Alerts carried over a restart have no entry here: they end when a nurse has seen them.
    fn end_carried_alerts(&mut self, out: &mut Vec<Numbered>) {
        let known = u32::try_from(self.noticed.alerts.len()).unwrap_or(u32::MAX);
        let orphans: Vec<Key> = self
            .alarms
            .iter()
            .map(|(key, _)| key)
            .filter(|key| {
                key.rule == Rule::DeviceAlert
                    && match key.subject {
                        Subject::Alert(place) => place >= known,
                        Subject::Whole | Subject::Parameter(_) | Subject::Feed(_) => true,
                    }
            })
            .collect();
        for key in orphans {
            self.condition(key, None, None, out);
        }
    }
}
