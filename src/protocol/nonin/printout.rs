//! The real-time printout: one line of text a second.

use super::super::event::{Event, Events, Fault};
use super::super::lines::{Kind, Lines};
use super::super::session::{OptionProblem, Session, SessionOptions};
use crate::observation::Observation;
use crate::vocabulary::{Cause, Decimal, Doubt, Now, Parameter, Reading};

/// The shortest line.
const SHORTEST: usize = "SPO2=097 HR=072".len();
/// Longer than this no line is, with the time and every mark.
pub(super) const LONGEST: usize = 80;

/// The mark for a bad signal.
const BAD_SIGNAL: char = 'F';
/// The mark for an event that somebody keyed in.
const EVENT: char = '*';

/// A line that passed its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Saturation in per cent; `None` for dashes.
    pub(super) spo2: Option<i64>,
    /// Pulse rate; `None` for dashes.
    pub(super) rate: Option<i64>,
    /// What its mark says against the numbers.
    pub(super) doubt: Option<Doubt>,
}

impl Line {
    /// Reads a line without its end; `Ok(None)` is a banner.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::BadMessage)?;
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Fault::BadMessage);
        }
        if !text.contains('=') {
            return Ok(None);
        }
        let mut words = text.split_ascii_whitespace().peekable();
        words.next_if(|word| is_clock(word));
        let (mut spo2, mut rate, mut doubt) = (None, None, None);
        for word in words {
            let (word, marks) = word
                .find([BAD_SIGNAL, EVENT])
                .and_then(|at| word.split_at_checked(at))
                .unwrap_or((word, ""));
            if !marks
                .chars()
                .all(|mark| [BAD_SIGNAL, EVENT].contains(&mark))
            {
                return Err(Fault::BadMessage);
            }
            if marks.contains(BAD_SIGNAL) {
                doubt = Some(Doubt::LowQuality);
            }
            let slot = match word.split_once('=') {
                None if word.is_empty() => continue,
                Some(("SPO2", number)) => (&mut spo2, number, 100),
                Some(("HR", number)) => (&mut rate, number, 350),
                Some(_) | None => return Err(Fault::BadMessage),
            };
            let (field, number, most) = slot;
            // Twice the same key: two lines in one, an end was lost.
            if field.replace(number_of(number, most)?).is_some() {
                return Err(Fault::BadMessage);
            }
        }
        Ok(Some(Self {
            spo2: spo2.ok_or(Fault::BadMessage)?,
            rate: rate.ok_or(Fault::BadMessage)?,
            doubt,
        }))
    }
}

/// The 8600 puts the time of day before its lines, without a date: it places nothing.
fn is_clock(word: &str) -> bool {
    word.len() == 8
        && word.bytes().enumerate().all(|(place, byte)| match place {
            2 | 5 => byte == b':',
            _ => byte.is_ascii_digit(),
        })
}

/// Exactly three digits, or dashes: with a digit lost on the wire, 097 would read 7 or 9.
fn number_of(text: &str, most: i64) -> Result<Option<i64>, Fault> {
    if text == "---" {
        return Ok(None);
    }
    let is_number = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|number| is_number && *number <= most)
        .map(Some)
        .ok_or(Fault::BadMessage)
}

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Printout {
        lines: Lines::new(SHORTEST, LONGEST),
    }))
}

/// One oximeter on one line.
struct Printout {
    lines: Lines,
}

impl Session for Printout {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.lines.open();
    }

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        self.lines.receive(bytes, events, |bytes, told| {
            let Some(line) = Line::parse(bytes)? else {
                return Ok(Kind::Aside);
            };
            for (parameter, number) in [(Parameter::Spo2, line.spo2), (Parameter::Pr, line.rate)] {
                let reading = match (number.map(Decimal::whole), line.doubt) {
                    (None, _) => Reading::Invalid(Cause::NotAvailable),
                    (Some(value), None) => Reading::Valid(value),
                    (Some(value), Some(doubt)) => Reading::Questionable(value, doubt),
                };
                told.push(Event::Observation(Observation::new(parameter, reading)));
            }
            Ok(Kind::Reading)
        });
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        self.lines.close(events);
    }
}
