//! A simulated monitor, central station or pump that speaks HL7 over MLLP: the other end of
//! [`super::session`].
//!
//! It sends one ORU^R01 of version 2.6 for every screen, asks for commit acknowledgements (AL/NE) and
//! resends a report that was rejected for now, at most three times, as real monitors do. Settings:
//!
//! * `cadence-ms` (default 1000); `waves` (`false` leaves them out).
//! * `alerts` (`true` sends the monitor's own alarms as PCD-04); `keep-alive` (`true` sends a PCD-04
//!   keep-alive with every screen).
//! * `beds`: a central station with this many beds on the connection. The first is the simulated one;
//!   its neighbours have a saturation of 60, which nobody here must judge.
//! * `pump-script`, `pump-drug`, `pump-id`, `pump-status`: see [`pump`].

mod message;
mod pump;

use super::acknowledgement;
use super::mllp::{Found, Framer};
use crate::observation::{AlertPhase, DeviceAlert, Identity};
use crate::protocol::{Device, DeviceOptions, Screen};
use crate::vocabulary::{Decimal, Now, Parameter, Reading};
use message::Message;
use pump::Pump;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Sends of one message, the first one not counted.
const MOST_RESENDS: u8 = 3;
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Beds of the largest central station.
const MOST_BEDS: u32 = 1_000;

/// The simulated monitor.
pub struct Hl7Device {
    identity: Identity,
    cadence: Duration,
    waves: bool,
    alerts: bool,
    keep_alive: bool,
    beds: u32,
    pump: Pump,
    framer: Framer,
    sent: u64,
    /// The alarms that were told, by key: the number of their first message, and their text.
    told: BTreeMap<Arc<str>, (String, DeviceAlert)>,
    /// The message whose answer is still open: its control id, its frame, and how often it was sent
    /// again.
    open: Option<(String, Vec<u8>, u8)>,
}

impl Hl7Device {
    /// A monitor with these settings; a setting that cannot be read keeps its default.
    pub fn new(options: &DeviceOptions) -> Self {
        let option = |name: &str| options.options.get(name).map(String::as_str);
        let millis = option("cadence-ms").and_then(|text| text.parse().ok());
        let beds = option("beds").and_then(|text| text.parse().ok());
        Self {
            identity: options.identity.clone(),
            cadence: Duration::from_millis(millis.filter(|&ms| ms > 0).unwrap_or(1_000)),
            waves: option("waves") != Some("false"),
            alerts: option("alerts") == Some("true"),
            keep_alive: option("keep-alive") == Some("true"),
            beds: beds.unwrap_or(1).clamp(1, MOST_BEDS),
            pump: Pump::new(options),
            framer: Framer::new(LONGEST_ANSWER, false),
            sent: 0,
            told: BTreeMap::new(),
            open: None,
        }
    }

    fn next_id(&mut self, civil_ms: i64) -> String {
        self.sent += 1;
        format!("SIM{civil_ms}-{}", self.sent)
    }

    fn report(&mut self, screen: &Screen, identity: &Identity) -> (String, Vec<u8>) {
        let id = self.next_id(screen.civil_ms);
        let mut message = Message::report(identity, &id, screen.civil_ms);
        message.numerics(screen);
        message.cuff(screen);
        if self.waves {
            for wave in &screen.waves {
                message.wave(wave);
            }
        }
        (id, message.framed())
    }

    /// The neighbours of a bed at a central station.
    fn neighbours(&mut self, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let bed = self.identity.bed.clone().unwrap_or_default();
        let mut other = Screen {
            civil_ms: screen.civil_ms,
            numerics: screen.numerics.clone(),
            ..Screen::default()
        };
        let low = Reading::Valid(Decimal::whole(60));
        other.numerics.insert(Parameter::Spo2, low);
        for number in 2..=self.beds {
            let identity = Identity {
                bed: Some(format!("{bed}-{number}").into()),
                device: Some(format!("SIM-{number}").into()),
                patient: None,
            };
            let (_, frame) = self.report(&other, &identity);
            sent.push(frame);
        }
    }

    /// The alarms that began, changed or ended since the last screen.
    fn tell_alerts(&mut self, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let over: Vec<_> = self
            .told
            .keys()
            .filter(|key| !screen.alerts.iter().any(|alert| alert.key == **key))
            .cloned()
            .collect();
        for key in over {
            if let Some((first, alert)) = self.told.remove(&key) {
                self.tell(screen.civil_ms, &alert, AlertPhase::End, &first, sent);
            }
        }
        for alert in &screen.alerts {
            match self.told.get(&alert.key).cloned() {
                None => {
                    let id = self.tell(screen.civil_ms, alert, AlertPhase::Start, "", sent);
                    let entry = (id, alert.clone());
                    self.told.insert(Arc::clone(&alert.key), entry);
                }
                Some((_, told)) if told == *alert => {}
                Some((first, _)) => {
                    self.tell(screen.civil_ms, alert, AlertPhase::Continue, &first, sent);
                    let entry = (first, alert.clone());
                    self.told.insert(Arc::clone(&alert.key), entry);
                }
            }
        }
    }

    fn tell(
        &mut self,
        civil_ms: i64,
        alert: &DeviceAlert,
        phase: AlertPhase,
        first: &str,
        sent: &mut Vec<Vec<u8>>,
    ) -> String {
        let id = self.next_id(civil_ms);
        let message = Message::alert(&self.identity, &id, civil_ms, alert, phase, first);
        sent.push(message.framed());
        id
    }

    fn answered(&mut self, answer: &[u8], replies: &mut Vec<Vec<u8>>) {
        let Some((code, about)) = acknowledgement::read(answer) else {
            return;
        };
        let Some((id, frame, resends)) = &mut self.open else {
            return;
        };
        if about != id.as_bytes() {
            return;
        }
        if matches!(code, b"AR" | b"CR") && *resends < MOST_RESENDS {
            *resends += 1;
            replies.push(frame.clone());
        } else {
            self.open = None;
        }
    }
}

impl Device for Hl7Device {
    fn cadence(&self) -> Duration {
        self.cadence
    }

    fn opened(&mut self, _now: Now) {
        self.framer.reset();
        self.open = None;
    }

    fn receive(&mut self, now: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        let mut input = bytes;
        while let Some(found) = self.framer.next(now.moment, &mut input) {
            if found == Found::Message {
                let answer = self.framer.take();
                self.answered(&answer, replies);
                self.framer.restore(answer);
            }
        }
    }

    fn present(&mut self, _now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let identity = self.identity.clone();
        let (id, frame) = self.report(screen, &identity);
        sent.push(frame.clone());
        self.open = Some((id, frame, 0));
        self.neighbours(screen, sent);
        if self.keep_alive {
            let id = self.next_id(screen.civil_ms);
            sent.push(Message::keep_alive(&identity, &id, screen.civil_ms).framed());
        }
        if self.alerts {
            self.tell_alerts(screen, sent);
        }
        self.pump.tell(screen, &identity, sent);
    }
}
