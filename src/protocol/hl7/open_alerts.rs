//! Alerts that were told with a beginning, and senders that promise to be heard (hl7.md 4).
//!
//! Promises: an alert stays until its end is told; without news for a configured time it stays and is
//! marked, never taken back. A sender whose keep-alive stops is told as an alert of its own, because
//! then no alert of its devices would come any more. Memory is bounded; what has no room is told all
//! the same and only never marked.

use super::memory::Memory;
use crate::observation::{AlertPhase, DeviceAlert, Identity};
use crate::protocol::{Event, Events};
use crate::vocabulary::{Moment, Priority};
use std::sync::Arc;
use std::time::Duration;

/// Alerts of one connection that are remembered.
const MOST_ALERTS: usize = 1_024;
/// Senders with a keep-alive on one connection.
const MOST_SENDERS: usize = 64;
/// How many of its own intervals a sender may be late.
const MISSED: u32 = 3;
/// A sender is never called silent sooner than this.
const SHORTEST_SILENCE: Duration = Duration::from_secs(30);
/// A sender whose interval is not known yet.
const FIRST_SILENCE: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Open {
    whom: Identity,
    alert: DeviceAlert,
    heard: Moment,
    is_unknown: bool,
}

#[derive(Debug)]
struct Sender {
    whom: Identity,
    key: Arc<str>,
    heard: Moment,
    /// Between its last two keep-alives.
    interval: Option<Duration>,
    /// It went silent, or said that it would.
    is_gone: bool,
}

impl Sender {
    fn silent_from(&self) -> Moment {
        let silence = match self.interval {
            Some(interval) => interval.saturating_mul(MISSED).max(SHORTEST_SILENCE),
            None => FIRST_SILENCE,
        };
        self.heard.after(silence)
    }

    fn alert(&self, phase: AlertPhase, priority: Priority, text: &str) -> Event {
        Event::DeviceAlert(DeviceAlert {
            key: Arc::clone(&self.key),
            priority: Some(priority),
            phase,
            text: text.into(),
            at: None,
        })
    }
}

/// What a connection remembers of alerts and their senders.
#[derive(Debug, Default)]
pub struct OpenAlerts {
    open: Vec<Open>,
    senders: Vec<Sender>,
    /// The configured time without news; from the first alert on.
    time: Duration,
}

impl OpenAlerts {
    /// Whether an alert of this key is open.
    pub fn has(&self, key: &str) -> bool {
        self.open.iter().any(|open| *open.alert.key == *key)
    }

    /// Tells an alert and remembers it until its end.
    pub fn take(
        &mut self,
        now: Moment,
        time: Duration,
        whom: &Identity,
        alert: DeviceAlert,
        events: &mut Events,
    ) {
        self.time = time;
        let known = self
            .open
            .iter()
            .position(|open| open.alert.key == alert.key);
        events.push(Event::DeviceAlert(alert.clone()));
        let open = Open {
            whom: whom.clone(),
            alert,
            heard: now,
            is_unknown: false,
        };
        match (open.alert.phase, known) {
            (AlertPhase::End, Some(index)) => {
                self.open.swap_remove(index);
            }
            // A moment has no duration.
            (AlertPhase::End, None) | (AlertPhase::Present, _) => {}
            (AlertPhase::Start | AlertPhase::Continue, Some(index)) => {
                if let Some(place) = self.open.get_mut(index) {
                    *place = open;
                }
            }
            (AlertPhase::Start | AlertPhase::Continue, None) => {
                if self.open.len() < MOST_ALERTS {
                    self.open.push(open);
                }
            }
        }
    }

    /// A keep-alive; with `ends` it is the sender's last one, by plan.
    pub fn keep_alive(
        &mut self,
        now: Moment,
        whom: &Identity,
        sender: &str,
        ends: bool,
        events: &mut Events,
    ) {
        let key = format!("keep-alive:{sender}");
        let index = match self.senders.iter().position(|known| *known.key == *key) {
            Some(index) => index,
            None if self.senders.len() < MOST_SENDERS => {
                let new = Sender {
                    whom: whom.clone(),
                    key: key.into(),
                    heard: now,
                    interval: None,
                    // An earlier connection may have told its silence.
                    is_gone: true,
                };
                self.senders.push(new);
                self.senders.len() - 1
            }
            None => return,
        };
        let Some(known) = self.senders.get_mut(index) else {
            return;
        };
        let was_gone = std::mem::replace(&mut known.is_gone, ends);
        let interval = now.since(known.heard);
        known.interval = (!was_gone && !interval.is_zero()).then_some(interval);
        known.heard = now;
        known.whom.clone_from(whom);
        if ends {
            events.push(known.alert(
                AlertPhase::Start,
                Priority::Low,
                "the sender of device alarms has shut down",
            ));
        } else if was_gone {
            events.push(known.alert(
                AlertPhase::End,
                Priority::Medium,
                "the sender of device alarms is back",
            ));
        }
    }

    /// When the next silence would be told.
    pub fn deadline(&self) -> Option<Moment> {
        let alerts = self
            .open
            .iter()
            .filter(|open| !open.is_unknown)
            .map(|open| open.heard.after(self.time));
        let senders = self
            .senders
            .iter()
            .filter(|sender| !sender.is_gone)
            .map(Sender::silent_from);
        alerts.chain(senders).min()
    }
}

/// Tells the silences that are due. Whom the next messages are about is not changed by that: the
/// identity is said for each.
pub fn expire(now: Moment, memory: &mut Memory, events: &mut Events) {
    let OpenAlerts {
        open,
        senders,
        time,
    } = &mut memory.alerts;
    let mut tell = |whom: &Identity, event: Event| {
        if memory.identity != *whom {
            memory.identity.clone_from(whom);
            events.push(Event::Identity(whom.clone()));
        }
        events.push(event);
    };
    for open in open.iter_mut().filter(|open| !open.is_unknown) {
        if open.heard.after(*time) <= now {
            open.is_unknown = true;
            let mut alert = open.alert.clone();
            alert.phase = AlertPhase::Continue;
            alert.text = format!("{} (no news, state unknown)", alert.text).into();
            tell(&open.whom, Event::DeviceAlert(alert));
        }
    }
    for sender in senders.iter_mut().filter(|sender| !sender.is_gone) {
        if sender.silent_from() <= now {
            sender.is_gone = true;
            let silent = sender.alert(
                AlertPhase::Start,
                Priority::Medium,
                "the sender of device alarms is silent",
            );
            tell(&sender.whom, silent);
        }
    }
}
