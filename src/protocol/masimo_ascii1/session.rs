//! The session: lines out of bytes, observations and the oximeter's own alarms out of lines.

use super::super::event::{Event, Events};
use super::super::lines::{Kind, Lines};
use super::super::notices::Notices;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::line::{LONGEST, Line, SHORTEST};
use crate::observation::{Identity, Observation};
use crate::vocabulary::{Cause, Doubt, Now, Parameter, ParameterId, Reading};
use std::sync::Arc;

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(MasimoAscii1 {
        lines: Lines::new(SHORTEST, LONGEST),
        meaning: Meaning {
            device: None,
            rival: None,
            alarm: Notices::new("alarm", super::ALARM_BITS),
            exceptions: Notices::new("exc", super::NOTICE_BITS),
        },
    }))
}

/// One oximeter on one line.
#[derive(Debug)]
struct MasimoAscii1 {
    lines: Lines,
    meaning: Meaning,
}

impl Session for MasimoAscii1 {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.lines.open();
    }

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        let Self { lines, meaning } = self;
        lines.receive(bytes, events, |bytes, told| {
            let line = Line::parse(bytes)?;
            meaning.tell(&line, told);
            Ok(Kind::Reading)
        });
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        self.lines.close(events);
    }
}

/// What the lines say over time: who speaks, and which alarms stand.
#[derive(Debug)]
struct Meaning {
    device: Option<Arc<str>>,
    /// A serial number seen once, against the one believed: without a checksum one line is no proof.
    rival: Option<Arc<str>>,
    alarm: Notices,
    exceptions: Notices,
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
        self.alarm.tell(line.alarm, Some(line.at), events);
        self.exceptions.tell(line.exceptions, Some(line.at), events);
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
