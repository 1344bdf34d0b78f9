//! The session: one question at a time, round and round.

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::cuff::{Answer, Cuff, CuffMemory, utc};
use super::message::{NoAnswer, Question, answer, digits};
use crate::observation::{DeviceTime, Observation, check_pressure_pair};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, ParameterId, Reading};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// From one round of questions to the next.
const ROUND: Duration = Duration::from_secs(2);
/// No line of this protocol is longer.
const LONGEST: usize = 64;

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Dinamap::default()))
}

/// One monitor on one line.
#[derive(Debug, Default)]
struct Dinamap {
    line: Vec<u8>,
    /// Bytes of the present line, also those that did not fit.
    length: usize,
    /// The first line after opening may be the end of an answer to somebody else.
    joined: bool,
    scrap: Scrap,
    asking: Asking,
    meaning: Meaning,
}

/// What is asked when.
#[derive(Debug, Default)]
struct Asking {
    /// The open question.
    open: Option<Question>,
    /// What comes after it in this round.
    rest: &'static [Question],
    /// When the open question is given up, or the next round begins.
    due: Option<Moment>,
    next_round: Moment,
    /// The monitor did not answer the last question.
    unanswered: bool,
}

impl Asking {
    /// Asks the next question, or waits for the next round.
    fn proceed(&mut self, now: Now, events: &mut Events) {
        if self.rest.is_empty() {
            if now.moment < self.next_round {
                self.open = None;
                self.due = Some(self.next_round);
                return;
            }
            self.rest = const { &Question::ALL };
            self.next_round = now.moment.after(ROUND);
        }
        self.open = None;
        if let Some((question, rest)) = self.rest.split_first() {
            self.rest = rest;
            self.open = Some(*question);
            events.push(Event::Send(question.bytes()));
        }
        self.due = Some(now.moment.after(PATIENCE));
    }
}

impl Session for Dinamap {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.line.clear();
        self.length = 0;
        self.joined = false;
        self.asking = Asking::default();
        self.asking.proceed(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end_of_line(now, events),
                _ => {
                    self.length += 1;
                    if self.length <= LONGEST {
                        self.line.push(byte);
                    } else {
                        if self.length == LONGEST + 1 {
                            events.push(Event::Fault(Fault::Oversized));
                        }
                        self.scrap.skipped(1, events);
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Option<Moment> {
        self.asking.due
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        // A run of unanswered questions is one fault.
        if self.asking.open.is_some() && !std::mem::replace(&mut self.asking.unanswered, true) {
            events.push(Event::Fault(Fault::BadAnswer));
        }
        self.asking.proceed(now, events);
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        let bytes = self.line.len() as u64;
        if self.length > LONGEST || !self.joined {
            self.scrap.skipped(bytes, events);
        } else if self.length > 0 {
            self.scrap.broken(Fault::Truncated, bytes, events);
        }
        self.scrap.flush(events);
        self.line.clear();
        self.length = 0;
        self.asking.due = None;
    }
}

impl Dinamap {
    fn end_of_line(&mut self, now: Now, events: &mut Events) {
        let length = std::mem::take(&mut self.length);
        if length == 0 {
            return;
        }
        let bytes = self.line.len() as u64;
        let line = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.joined, true);
        if length > LONGEST {
            self.scrap.skipped(bytes, events);
        } else {
            match self.read(&line, now) {
                Ok(told) => {
                    self.scrap.frame(events);
                    events.extend(told.into_iter().map(Event::Observation));
                    self.asking.unanswered = false;
                    self.asking.proceed(now, events);
                }
                Err(_) if first => self.scrap.skipped(bytes, events),
                Err(fault) => self.scrap.broken(fault, bytes, events),
            }
        }
        self.line = line;
        self.line.clear();
    }

    /// Reads an answer whole or not at all.
    fn read(&mut self, line: &[u8], now: Now) -> Result<Vec<Observation>, Fault> {
        let question = self.asking.open.ok_or(Fault::BadAnswer)?;
        let (data, checked) =
            answer(question, line, self.meaning.checks).map_err(|why| match why {
                NoAnswer::Unreadable => Fault::BadMessage,
                NoAnswer::Another => Fault::BadAnswer,
                NoAnswer::Check => Fault::BadChecksum,
            })?;
        let told = self
            .meaning
            .tell(question, data, now)
            .ok_or(Fault::BadMessage)?;
        self.meaning.checks |= checked;
        Ok(told)
    }
}

/// What the answers say over time.
#[derive(Debug, Default)]
struct Meaning {
    /// This monitor sends check characters: an answer without them is damaged.
    checks: bool,
    cuff: CuffMemory,
    /// The oximeter has measured once.
    oximeter: bool,
    /// A pulse rate from the oximeter was told.
    pulse: bool,
}

impl Meaning {
    fn tell(&mut self, question: Question, data: &[u8], now: Now) -> Option<Vec<Observation>> {
        let mut told = match question {
            Question::Cuff => self.cuff(data, now)?,
            Question::Oximeter => self.oximeter(data)?,
            Question::Rate => self.rate(data)?,
        };
        let sent = utc(now.wall.as_millis());
        for observation in &mut told {
            observation.message_at = Some(sent);
            observation.measured_at.get_or_insert(sent);
        }
        Some(told)
    }

    fn cuff(&mut self, data: &[u8], now: Now) -> Option<Vec<Observation>> {
        let field = |from, width| digits(data, from, width);
        let answer = Answer {
            state: field(0, 1)?,
            age: field(3, 4)?,
            pressures: [field(7, 3)?, field(10, 3)?, field(13, 3)?],
        };
        let [sys, dia, mean] = answer.pressures;
        let told = |readings: [Reading; 3], at: Option<DeviceTime>| {
            let [sys, dia, mean] = readings;
            let mut sys = Observation::new(Parameter::NibpSys, sys);
            let mut dia = Observation::new(Parameter::NibpDia, dia);
            check_pressure_pair(&mut sys, &mut dia);
            let mut told = vec![sys, dia, Observation::new(Parameter::NibpMean, mean)];
            told.iter_mut().for_each(|one| one.measured_at = at);
            told
        };
        let none = |cause| told([Reading::Invalid(cause); 3], None);
        Some(match self.cuff.judge(&answer, now) {
            Cuff::Measuring => none(Cause::Measuring),
            Cuff::Failed => none(Cause::CuffFault),
            Cuff::Reading(at) => told([sys, dia, mean].map(number), Some(at)),
            Cuff::None if self.cuff.taken_at().is_none() => Vec::new(),
            Cuff::None => none(Cause::NotAvailable),
        })
    }

    fn oximeter(&mut self, data: &[u8]) -> Option<Vec<Observation>> {
        let state = digits(data, 0, 1)?;
        let measures = state == 1;
        // Without a measurement the digits may be anything.
        let spo2 = digits(data, 1, 3);
        let strength = digits(data, 4, 1);
        let reading = match (state, spo2) {
            (1, Some(spo2)) => number(spo2),
            (1, None) => return None,
            (3, _) => Reading::Invalid(Cause::ProbeOff),
            (6, _) => Reading::Invalid(Cause::SensorMissing),
            (_, _) => Reading::Invalid(Cause::NotAvailable),
        };
        self.oximeter |= measures;
        if !self.oximeter {
            return Some(Vec::new());
        }
        let mut told = vec![Observation::new(Parameter::Spo2, reading)];
        if let (true, Some(strength)) = (measures, strength) {
            let code =
                ParameterId::Vendor(format!("{}:signal-strength", super::PROTOCOL.name).into());
            told.push(Observation::unknown(code, number(strength)));
        }
        Some(told)
    }

    /// The rate belongs to the part that it comes from.
    fn rate(&mut self, data: &[u8]) -> Option<Vec<Observation>> {
        const FROM_OXIMETER: u32 = 2;
        const FROM_CUFF: u32 = 3;
        let source = digits(data, 0, 1)?;
        let value = match data.get(1..4) {
            Some(b"-99") => None,
            Some(_) => Some(digits(data, 1, 3)?).filter(|rate| *rate > 0),
            None => return None,
        };
        let mut told = Vec::new();
        if source == FROM_OXIMETER || self.pulse {
            self.pulse = true;
            let reading = match value {
                Some(rate) if source == FROM_OXIMETER => number(rate),
                Some(_) | None => Reading::Invalid(Cause::NotAvailable),
            };
            told.push(Observation::new(Parameter::Pr, reading));
        }
        if let (FROM_CUFF, Some(rate), Some(at)) = (source, value, self.cuff.taken_at()) {
            let mut rate = Observation::new(Parameter::NibpPr, number(rate));
            rate.measured_at = Some(at);
            told.push(rate);
        }
        Some(told)
    }
}

fn number(value: u32) -> Reading {
    Reading::Valid(Decimal::whole(i64::from(value)))
}
