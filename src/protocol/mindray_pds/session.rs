//! The session: an echo every second, a query, and what the monitor says.

use super::super::event::{Event, Events, Fault};
use super::super::hl7::{CR, END, Found, Framer, Header, START, Unreadable, parts, write_time};
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::numbers::kind;
use super::report::{Memory, Report};
use super::settings::Settings;
use crate::vocabulary::{Moment, Now};
use std::time::Duration;

/// The monitor drops a client that does not say this often that it is there.
const ECHO: Duration = Duration::from_secs(1);
/// From connecting to the first query.
const FIRST_QUERY: Duration = Duration::from_secs(3);
/// A query without values is repeated after this time.
const QUERY_AGAIN: Duration = Duration::from_secs(10);
/// A stream of values that has stopped is asked for again after this time.
const VALUES_GAP: Duration = Duration::from_secs(30);
/// Bytes of the longest frame; the largest messages without waves have a few thousand.
const LONGEST_FRAME: usize = 256 * 1024;

/// The registry's way to a session.
pub(super) fn open(options: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Pds {
        settings: Settings::read(&options.options)?,
        framer: Framer::new(LONGEST_FRAME, false),
        memory: Memory::new(),
        echo: None,
        query: None,
        asked: false,
        asks: false,
    }))
}

/// One monitor.
struct Pds {
    settings: Settings,
    framer: Framer,
    memory: Memory,
    /// When the next echo is due.
    echo: Option<Moment>,
    /// When the next query is due.
    query: Option<Moment>,
    /// A query was sent on this connection.
    asks: bool,
    /// No value came since the last query.
    asked: bool,
}

impl Session for Pds {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.framer.reset();
        self.memory = Memory::new();
        self.asked = false;
        self.asks = false;
        self.query = Some(now.moment.after(FIRST_QUERY));
        self.say_echo(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let mut input = bytes;
        while let Some(found) = self.framer.next(now.moment, &mut input) {
            self.found(now, found, events);
        }
    }

    fn deadline(&self) -> Option<Moment> {
        [self.echo, self.query, self.framer.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        if let Some(found) = self.framer.expire(now.moment) {
            self.found(now, found, events);
        }
        if self.echo.is_some_and(|due| due <= now.moment) {
            self.say_echo(now, events);
        }
        if self.query.is_some_and(|due| due <= now.moment) {
            if std::mem::replace(&mut self.asked, true) {
                events.push(Event::Fault(Fault::BadAnswer));
            }
            events.push(Event::Send(query(now)));
            self.asks = true;
            self.query = Some(now.moment.after(QUERY_AGAIN));
        }
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        if let Some(found) = self.framer.end() {
            self.found(now, found, events);
        }
        self.echo = None;
        self.query = None;
    }
}

impl Pds {
    fn say_echo(&mut self, now: Now, events: &mut Events) {
        events.push(Event::Send(framed(ECHO_MESSAGE)));
        self.echo = Some(now.moment.after(ECHO));
    }

    fn found(&mut self, now: Now, found: Found, events: &mut Events) {
        match found {
            Found::Message => {
                let frame = self.framer.take();
                self.message(now, &frame, events);
                self.framer.restore(frame);
            }
            Found::Broken { fault, dropped } => {
                events.push(Event::Fault(fault));
                events.push(Event::Discarded(dropped));
            }
            Found::Between { dropped, noise } => {
                if noise {
                    events.push(Event::Fault(Fault::Noise));
                }
                events.push(Event::Discarded(dropped));
            }
        }
    }

    fn message(&mut self, now: Now, frame: &[u8], events: &mut Events) {
        if let Err(fault) = self.read(now, frame, events) {
            events.push(Event::Fault(fault));
        }
    }

    fn read(&mut self, now: Now, frame: &[u8], events: &mut Events) -> Result<(), Fault> {
        let unreadable = |problem| match problem {
            Unreadable::Utf16 => Fault::BadCharset,
            Unreadable::NoHeader | Unreadable::Delimiters | Unreadable::LongHeader => {
                Fault::BadMessage
            }
        };
        // The header is plain ASCII: what is no text is known before it is decoded.
        let (header, _) = Header::read(frame).map_err(unreadable)?;
        let what = header.field(10);
        let [message, trigger] = parts::<2>(header.field(9), header.delimiters.component);
        if what == kind::QUERY || message == b"QRY" {
            // Our own query comes back.
            return Err(Fault::BadAnswer);
        }
        if !matches!((message, trigger), (b"ORU", b"R01") | (b"ADT", b"A01")) {
            return Err(Fault::Unsupported);
        }
        events.push(Event::Frame);
        match what {
            kind::ECHO | kind::WAVES => return Ok(()),
            // Values that flow before we have asked do not replace the query: it asks for alarms too.
            kind::VALUES if self.asks => {
                self.asked = false;
                self.query = Some(now.moment.after(VALUES_GAP));
            }
            _ => {}
        }
        let text = self.settings.charset.decode(frame);
        let (header, segments) = Header::read(text.as_bytes()).map_err(unreadable)?;
        Report::new(&header, &self.settings, &mut self.memory).read(what, segments, events);
        Ok(())
    }
}

/// What says that we are there.
const ECHO_MESSAGE: &str = "MSH|^~\\&|||||||ORU^R01|106|P|2.3.1|\r";

/// The query for parameters, physiological and technical alarms: each second, all of them. The time in it is
/// only told, it sets nothing.
fn query(now: Now) -> Vec<u8> {
    let stamp = write_time(now.wall.as_millis());
    let seconds = stamp.split('.').next().unwrap_or_default();
    framed(&format!(
        "MSH|^~\\&|||||||QRY^R02|1203|P|2.3.1\r\
         QRD|{seconds}|R|I|Q1|||||RES\r\
         QRF|MON||||0&0^1^1^1^\r\
         QRF|MON||||0&0^3^1^1^\r\
         QRF|MON||||0&0^4^1^1^\r"
    ))
}

/// A message in its frame.
pub(super) fn framed(message: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len() + 3);
    frame.push(START);
    frame.extend(message.bytes());
    frame.extend([END, CR]);
    frame
}
