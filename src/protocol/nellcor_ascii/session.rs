//! The session: lines out of bytes, readings and the oximeter's own alarms out of lines.

use super::super::event::{Event, Events, Fault};
use super::super::lines::{Kind, Lines};
use super::super::notices::Notices;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::code;
use super::line::{Data, LONGEST, Limits, Line, SHORTEST};
use crate::observation::Observation;
use crate::vocabulary::{Cause, Decimal, Doubt, Moment, Now, Parameter, ParameterId, Reading};
use std::sync::Arc;
use std::time::Duration;

/// Resumes a printout that was stopped by a stray XOFF; ignored by one that was not.
pub(super) const XON: u8 = 0x11;
/// Three lines that did not come.
const SILENCE: Duration = Duration::from_secs(6);
/// A device that stays silent is asked no more often than this.
const LONGEST_PATIENCE: Duration = Duration::from_secs(60);

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    let code = |code: &str| format!("{}:{code}", super::PROTOCOL.name).into();
    Ok(Box::new(NellcorAscii {
        lines: Lines::new(SHORTEST, LONGEST),
        meaning: Meaning {
            columns: None,
            rival: None,
            limits: None,
            notices: Notices::new("nellcor", super::NOTICES),
            amplitude: code("PA"),
            limit_codes: [
                "spo2-limit-low",
                "spo2-limit-high",
                "pr-limit-low",
                "pr-limit-high",
            ]
            .map(code),
        },
        due: None,
        patience: SILENCE,
    }))
}

/// One oximeter on one line.
struct NellcorAscii {
    lines: Lines,
    meaning: Meaning,
    due: Option<Moment>,
    patience: Duration,
}

impl Session for NellcorAscii {
    fn opened(&mut self, now: Now, _: &mut Events) {
        self.lines.open();
        self.meaning.columns = None;
        self.meaning.rival = None;
        self.wait(now, SILENCE);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let Self { lines, meaning, .. } = self;
        let mut is_alive = false;
        lines.receive(bytes, events, |bytes, told| {
            let kind = match Line::parse(bytes)? {
                Line::Data(data) => {
                    meaning.believe(data.columns)?;
                    meaning.tell(&data, told);
                    Kind::Reading
                }
                Line::Limits(limits) => {
                    meaning.limits = Some(limits);
                    Kind::Aside
                }
                Line::Head => Kind::Aside,
            };
            is_alive = true;
            Ok(kind)
        });
        if is_alive {
            self.wait(now, SILENCE);
        }
    }

    fn deadline(&self) -> Option<Moment> {
        self.due
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        events.push(Event::Send(vec![XON]));
        self.wait(now, (self.patience * 2).min(LONGEST_PATIENCE));
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        self.lines.close(events);
        self.due = None;
    }
}

impl NellcorAscii {
    fn wait(&mut self, now: Now, patience: Duration) {
        self.patience = patience;
        self.due = Some(now.moment.after(patience));
    }
}

/// What the lines say over time.
struct Meaning {
    /// Where the values end, in this oximeter's lines.
    columns: Option<[usize; 3]>,
    /// Other columns seen once: without a checksum one line is no proof.
    rival: Option<[usize; 3]>,
    limits: Option<Limits>,
    notices: Notices,
    /// The code under which the pulse amplitude is told.
    amplitude: Arc<str>,
    /// The codes under which the limits are told: SpO2 low and high, rate low and high.
    limit_codes: [Arc<str>; 4],
}

impl Meaning {
    /// The values stand right-aligned in columns. A line whose values end elsewhere has lost or gained
    /// a character, perhaps a digit: it is believed only when the next one agrees with it.
    fn believe(&mut self, columns: [usize; 3]) -> Result<(), Fault> {
        if self.columns.is_none_or(|known| known == columns) || self.rival == Some(columns) {
            self.columns = Some(columns);
            self.rival = None;
            return Ok(());
        }
        self.rival = Some(columns);
        Err(Fault::BadMessage)
    }

    fn tell(&mut self, data: &Data, told: &mut Events) {
        for _ in 0..data.unknown {
            told.push(Event::Fault(Fault::UnknownCode));
        }
        for (parameter, number) in [(Parameter::Spo2, data.spo2), (Parameter::Pr, data.rate)] {
            let mut observation = Observation::new(parameter, reading(data.codes, number));
            if data.codes & code::MOTION != 0 {
                observation = observation.doubted(Doubt::LowQuality);
            }
            push(observation, data, told);
        }
        if data.amplitude.is_some() {
            let code = ParameterId::Vendor(Arc::clone(&self.amplitude));
            let reading = reading(data.codes, data.amplitude);
            push(Observation::unknown(code, reading), data, told);
        }
        if let Some(limits) = self.limits {
            let [spo2_low, spo2_high] = limits.spo2;
            let [rate_low, rate_high] = limits.rate;
            for (code, limit) in self
                .limit_codes
                .iter()
                .zip([spo2_low, spo2_high, rate_low, rate_high])
            {
                let code = ParameterId::Vendor(Arc::clone(code));
                let reading = Reading::Valid(Decimal::whole(i64::from(limit)));
                push(Observation::unknown(code, reading), data, told);
            }
        }
        self.notices.tell(data.codes, Some(data.at), told);
    }
}

/// The codes decide before the number is looked at.
fn reading(codes: u32, number: Option<u16>) -> Reading {
    match (cause(codes), number) {
        (Some(cause), _) => Reading::Invalid(cause),
        (None, None) => Reading::Invalid(Cause::NotAvailable),
        (None, Some(value)) => Reading::Valid(Decimal::whole(i64::from(value))),
    }
}

fn push(mut observation: Observation, data: &Data, told: &mut Events) {
    observation.measured_at = Some(data.at);
    observation.message_at = Some(data.at);
    told.push(Event::Observation(observation));
}

/// Why the codes leave no number, if they do: the first that explains the most. A pulse that was lost
/// is being searched for, whatever else disturbs.
fn cause(codes: u32) -> Option<Cause> {
    const CAUSES: &[(u32, Cause)] = &[
        (code::SENSOR_DISCONNECTED, Cause::SensorMissing),
        (code::SENSOR_OFF, Cause::ProbeOff),
        (
            code::PULSE_LOST | code::PULSE_LOST_IN_INTERFERENCE | code::PULSE_SEARCH,
            Cause::Searching,
        ),
    ];
    CAUSES
        .iter()
        .find(|(bits, _)| codes & bits != 0)
        .map(|(_, cause)| *cause)
}
