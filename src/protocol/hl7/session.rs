//! The `hl7-mllp` session: frames in, observations and acknowledgements out.
//!
//! Promises: a bad message never stops the next one; a positive acknowledgement leaves only after
//! the record has the rows; every frame whose sender can be known and wants an answer gets one.

use super::acknowledgement::{self as ack, Answers, Asked, Verdict};
use super::alert::Alerts;
use super::memory::Memory;
use super::message::{Header, Segment, Segments, Unreadable, parts};
use super::mllp::{Found, Framer};
use super::open_alerts;
use super::report::Report;
use super::settings::Settings;
use crate::protocol::{
    Event, Events, Fault, Medium, OptionProblem, Session, SessionOptions, Token,
};
use crate::vocabulary::{Moment, Now};

/// One connection of one sender.
pub struct Hl7Session {
    settings: Settings,
    medium: Medium,
    framer: Framer,
    answers: Answers,
    memory: Memory,
}

impl Hl7Session {
    /// Opens a session with a feed's settings.
    pub fn open(options: &SessionOptions) -> Result<Self, OptionProblem> {
        let settings = Settings::read(&options.options)?;
        Ok(Self {
            framer: Framer::new(settings.max_frame, settings.unframed),
            settings,
            medium: options.medium,
            answers: Answers::default(),
            memory: Memory::default(),
        })
    }

    fn found(&mut self, now: Now, found: Found, events: &mut Events) {
        match found {
            Found::Message => {
                let frame = self.framer.take();
                self.frame(now, &frame, events);
                self.framer.restore(frame);
            }
            Found::Broken { fault, dropped } => {
                events.push(Event::Fault(fault));
                events.push(Event::Discarded(dropped));
                if fault == Fault::Oversized {
                    let beginning = self.framer.take();
                    self.refuse_oversized(now, &beginning, events);
                    self.framer.restore(beginning);
                }
            }
            Found::Between { dropped, noise } => {
                if noise {
                    events.push(Event::Fault(Fault::Noise));
                }
                events.push(Event::Discarded(dropped));
            }
        }
    }

    /// One frame: one message, or several of a sender that frames carelessly.
    fn frame(&mut self, now: Now, frame: &[u8], events: &mut Events) {
        // The commit bytes of MLLP release 2 are meant for senders, not for us.
        if matches!(frame, [0x06 | 0x15]) {
            return;
        }
        let mut rest = frame;
        loop {
            rest = self.message(now, rest, events);
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Reads one message; what belongs to the next one is returned.
    fn message<'a>(&mut self, now: Now, text: &'a [u8], events: &mut Events) -> &'a [u8] {
        let (header, segments) = match Header::read(text) {
            Ok(read) => read,
            Err(problem) => {
                self.unreadable(now, text, problem, events);
                return &[];
            }
        };
        let (verdict, rest) = match Route::of(&header) {
            // Answering an acknowledgement would never end.
            Route::Acknowledgement => {
                events.push(Event::Frame);
                return next_message(segments);
            }
            Route::Refused(problem) => {
                events.push(Event::Fault(Fault::Unsupported));
                (Verdict::Rejected(problem), next_message(segments))
            }
            Route::Foreign => {
                events.push(Event::Frame);
                events.push(Event::Fault(Fault::Unsupported));
                (Verdict::Rejected(ack::MESSAGE_TYPE), next_message(segments))
            }
            Route::Clock => {
                events.push(Event::Frame);
                (Verdict::Accepted, next_message(segments))
            }
            Route::Order => {
                events.push(Event::Frame);
                events.push(Event::Fault(Fault::Unsupported));
                (Verdict::Rejected(ack::ORDER), next_message(segments))
            }
            Route::Alert { test } => {
                events.push(Event::Frame);
                let test = test && !self.settings.accept_test;
                let alerts =
                    Alerts::new(now.moment, &header, test, &self.settings, &mut self.memory);
                let read = alerts.read(segments, events);
                // A keep-alive is confirmed at once: there is nothing to wait for.
                let verdict = if read.tells {
                    Verdict::Accepted
                } else {
                    Verdict::Noted
                };
                (verdict, read.rest)
            }
            Route::Observations { test } => {
                events.push(Event::Frame);
                let test = test && !self.settings.accept_test;
                let report = Report::new(&header, test, &self.settings, &mut self.memory, events);
                (Verdict::Accepted, report.read(segments, events))
            }
        };
        let verdict = if header.field(10).is_empty() {
            events.push(Event::Fault(Fault::BadMessage));
            Verdict::Error(ack::NO_CONTROL_ID)
        } else {
            verdict
        };
        self.answer(now, &header, verdict, events);
        rest
    }

    /// A message without a header that can be read. Its sender learns it where he can be known.
    fn unreadable(&mut self, now: Now, text: &[u8], problem: Unreadable, events: &mut Events) {
        match problem {
            Unreadable::Utf16 => events.push(Event::Fault(Fault::BadCharset)),
            Unreadable::NoHeader | Unreadable::LongHeader => {
                events.push(Event::Fault(Fault::BadMessage));
            }
            Unreadable::Delimiters => {
                events.push(Event::Fault(Fault::BadMessage));
                if let Ok((header, _)) = Header::answerable(text) {
                    let verdict = Verdict::Rejected(ack::DELIMITERS);
                    self.answer(now, &header, verdict, events);
                }
            }
        }
    }

    fn answer(&mut self, now: Now, header: &Header, verdict: Verdict, events: &mut Events) {
        let mode = self.settings.ack;
        match self.answers.give(now, mode, header, verdict, events) {
            Asked::Taken => {}
            Asked::TooMany => events.push(Event::Fault(Fault::Oversized)),
        }
    }

    /// The sender of an overlong frame learns it, if its header was complete.
    fn refuse_oversized(&mut self, now: Now, beginning: &[u8], events: &mut Events) {
        if let Ok((header, _)) = Header::read(beginning)
            && !header.field(10).is_empty()
        {
            self.answer(now, &header, Verdict::Error(ack::TOO_LONG), events);
        }
    }
}

impl Session for Hl7Session {
    fn opened(&mut self, _now: Now, _events: &mut Events) {
        self.framer.reset();
        self.answers.reset();
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        self.expire(now, events);
        let mut input = bytes;
        while let Some(found) = self.framer.next(now.moment, &mut input) {
            self.found(now, found, events);
        }
        if self.medium == Medium::Datagram
            && let Some(found) = self.framer.end()
        {
            self.found(now, found, events);
        }
    }

    fn deadline(&self) -> Option<Moment> {
        [self.framer.deadline(), self.memory.alerts.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        if let Some(found) = self.framer.expire(now.moment) {
            self.found(now, found, events);
        }
        open_alerts::expire(now.moment, &mut self.memory, events);
    }

    fn committed(&mut self, now: Now, token: Token, durable: bool, events: &mut Events) {
        self.answers.committed(now, token, durable, events);
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        if let Some(found) = self.framer.end() {
            self.found(now, found, events);
        }
    }
}

/// Where a message goes, by MSH-9, MSH-11 and MSH-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Readings, waves and how pumps stand: ORU^R01, and ORU^W01 of one vendor. What pumps did:
    /// ORU^R42 (PCD-10), laid out in the same way.
    Observations { test: bool },
    /// An alarm of a device: ORU^R40 (PCD-04).
    Alert { test: bool },
    /// An order for a pump (PCD-03): never taken.
    Order,
    /// A Philips central's own clock (NMD): nothing to keep.
    Clock,
    /// An acknowledgement of something we did not send.
    Acknowledgement,
    /// A message that others may want.
    Foreign,
    /// Not a message that we can read.
    Refused(ack::Problem),
}

impl Route {
    fn of(header: &Header) -> Self {
        let [kind, trigger] = parts::<2>(header.field(9), header.delimiters.component);
        if kind == b"ACK" {
            return Self::Acknowledgement;
        }
        let version = header.code(12);
        if !(version.is_empty() || version == b"2" || version.starts_with(b"2.")) {
            return Self::Refused(ack::VERSION);
        }
        let test = match header.code(11) {
            b"" | b"P" => false,
            b"T" | b"D" => true,
            _ => return Self::Refused(ack::PROCESSING_ID),
        };
        match (kind, trigger) {
            (b"ORU", b"R01" | b"R42" | b"W01" | b"") => Self::Observations { test },
            (b"ORU", b"R40") => Self::Alert { test },
            (b"RGV", _) => Self::Order,
            (b"NMD", _) => Self::Clock,
            _ => Self::Foreign,
        }
    }
}

/// Skips the segments of a message that is not read.
fn next_message(mut segments: Segments<'_>) -> &[u8] {
    let mut segment = Segment::new();
    loop {
        let before = segments.rest();
        if !segments.next(&mut segment) {
            return &[];
        }
        if segment.name() == b"MSH" {
            return before;
        }
    }
}
