//! The session: lines out of bytes, observations and the oximeter's own alarms out of lines.

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::line::{LONGEST, Line, SHORTEST};
use crate::observation::{AlertPhase, DeviceAlert, Identity, Observation};
use crate::vocabulary::{Cause, Doubt, Now, Parameter, ParameterId, Reading};
use std::sync::Arc;

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(MasimoAscii1::default()))
}

/// One oximeter on one line.
#[derive(Debug, Default)]
struct MasimoAscii1 {
    line: Vec<u8>,
    /// Bytes of the present line, also those that did not fit.
    length: usize,
    /// The first piece after opening is usually the rest of a line.
    joined: bool,
    scrap: Scrap,
    meaning: Meaning,
}

impl Session for MasimoAscii1 {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.line.clear();
        self.length = 0;
        self.joined = false;
    }

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end_of_line(events),
                // Radical-7 sends NULs before its first line.
                0 if self.length == 0 => {}
                _ => {
                    self.length += 1;
                    if self.line.len() < LONGEST {
                        self.line.push(byte);
                    }
                    // Not even a line: told while it flows, not when it ends.
                    if self.length == LONGEST + 1 {
                        events.push(Event::Fault(Fault::Oversized));
                    }
                    if self.length > LONGEST {
                        self.scrap.skipped(1, events);
                    }
                }
            }
        }
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        // Without its end nobody can tell whether the last bit field is whole.
        let bytes = self.line.len() as u64;
        if self.length > LONGEST || !self.joined {
            self.scrap.skipped(bytes, events);
        } else if self.length > 0 {
            self.scrap.broken(Fault::Truncated, bytes, events);
        }
        self.scrap.flush(events);
        self.line.clear();
        self.length = 0;
    }
}

impl MasimoAscii1 {
    fn end_of_line(&mut self, events: &mut Events) {
        let length = std::mem::take(&mut self.length);
        if length == 0 {
            return;
        }
        let first = !std::mem::replace(&mut self.joined, true);
        let bytes = self.line.len() as u64;
        if length > LONGEST {
            self.scrap.skipped(bytes, events);
        } else {
            match Line::parse(&self.line) {
                Ok(line) => {
                    self.scrap.frame(events);
                    self.meaning.tell(&line, events);
                }
                Err(_) if first => self.scrap.skipped(bytes, events),
                Err(_) if length < SHORTEST => self.scrap.noise(bytes, events),
                Err(fault) => self.scrap.broken(fault, bytes, events),
            }
        }
        self.line.clear();
    }
}

/// What the lines say over time: who speaks, and which alarms stand.
#[derive(Debug, Default)]
struct Meaning {
    device: Option<Arc<str>>,
    /// A serial number seen once, against the one believed: without a checksum one line is no proof.
    rival: Option<Arc<str>>,
    alarm: u32,
    exceptions: u32,
}

impl Meaning {
    fn tell(&mut self, line: &Line<'_>, events: &mut Events) {
        self.identity(line.serial, events);
        let exceptions = line.exceptions;
        for (parameter, number) in [
            (Parameter::Spo2, Some(line.spo2)),
            (Parameter::Pr, Some(line.bpm)),
            (Parameter::Pi, line.pi),
        ] {
            let Some(number) = number else { continue };
            let reading = match (cause(exceptions), number) {
                (Some(cause), _) => Reading::Invalid(cause),
                (None, None) => Reading::Invalid(Cause::NotAvailable),
                (None, Some(value)) => Reading::Valid(value),
            };
            let mut observation = Observation::new(parameter, reading);
            if let Some(doubt) = doubt(exceptions) {
                observation = observation.doubted(doubt);
            }
            push(observation, line, events);
        }
        for (key, value) in &line.others {
            let code = ParameterId::Vendor(format!("{}:{key}", super::PROTOCOL.name).into());
            let reading = match cause(exceptions) {
                Some(cause) => Reading::Invalid(cause),
                None => Reading::Valid(*value),
            };
            let mut observation = Observation::unknown(code, reading);
            if (*key == "SPCO" && exceptions & super::SPCO_DOUBT != 0)
                || (*key == "SPMET" && exceptions & super::SPMET_DOUBT != 0)
            {
                observation = observation.doubted(Doubt::LowQuality);
            }
            push(observation, line, events);
        }
        self.alerts(line, events);
    }

    /// The serial number is told before the readings of its line. A number that differs is believed
    /// when two lines in a row carry it: one flipped digit must not look like another device.
    fn identity(&mut self, serial: Option<&str>, events: &mut Events) {
        let Some(serial) = serial else { return };
        if self.device.as_deref().is_none_or(|known| known == serial) {
            self.rival = None;
            self.device.get_or_insert_with(|| serial.into());
        } else if self.rival.as_deref() == Some(serial) {
            self.device = self.rival.take();
        } else {
            self.rival = Some(serial.into());
        }
        events.push(Event::Identity(Identity {
            device: self.device.clone(),
            ..Identity::default()
        }));
    }

    fn alerts(&mut self, line: &Line<'_>, events: &mut Events) {
        let changes = [
            ("alarm", super::ALARM_BITS, self.alarm, line.alarm),
            ("exc", super::NOTICE_BITS, self.exceptions, line.exceptions),
        ];
        for (field, bits, before, now) in changes {
            for (bit, text) in bits {
                let phase = match (before & bit != 0, now & bit != 0) {
                    (false, true) => AlertPhase::Start,
                    (true, false) => AlertPhase::End,
                    (true, true) | (false, false) => continue,
                };
                events.push(Event::DeviceAlert(DeviceAlert {
                    key: format!("{field}-{bit:06x}").into(),
                    priority: None,
                    phase,
                    text: (*text).into(),
                    at: Some(line.at),
                }));
            }
        }
        self.alarm = line.alarm;
        self.exceptions = line.exceptions;
    }
}

fn push(mut observation: Observation, line: &Line<'_>, events: &mut Events) {
    observation.measured_at = Some(line.at);
    observation.message_at = Some(line.at);
    events.push(Event::Observation(observation));
}

/// Why the exceptions leave no number, if they do: the first that explains the most.
fn cause(exceptions: u32) -> Option<Cause> {
    const CAUSES: &[(u32, Cause)] = &[
        (super::NO_SENSOR | super::NO_CABLE, Cause::SensorMissing),
        (
            super::DEFECTIVE_SENSOR | super::WRONG_SENSOR | super::WRONG_CABLE | super::EMITTER,
            Cause::SensorFault,
        ),
        (super::SENSOR_OFF, Cause::ProbeOff),
        (super::CALIBRATING, Cause::Starting),
        (super::PULSE_SEARCH, Cause::Searching),
    ];
    CAUSES
        .iter()
        .find(|(bits, _)| exceptions & bits != 0)
        .map(|(_, cause)| *cause)
}

/// What the exceptions say against a number that stands.
fn doubt(exceptions: u32) -> Option<Doubt> {
    if exceptions & super::LOW_PERFUSION != 0 {
        return Some(Doubt::LowPerfusion);
    }
    let poor = super::INTERFERENCE | super::AMBIENT_LIGHT | super::LOW_SIGNAL;
    (exceptions & poor != 0).then_some(Doubt::LowQuality)
}
