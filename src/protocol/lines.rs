//! Lines of text out of bytes: for devices that print.
//!
//! Promises: a line is handed over whole and without its end, whichever end the device uses; the first
//! piece after opening may be the rest of a line and is nobody's fault; a last line without its end is
//! never taken; an endless line is one fault, told while it flows, and what is held is bounded.

use super::event::{Event, Events, Fault};
use super::scrap::Scrap;

/// What a good line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A line with readings: the sign of life.
    Reading,
    /// A line of the device's that says nothing about the patient: a banner, a head of a table.
    Aside,
}

/// The line that is being received on one link.
#[derive(Debug)]
pub(super) struct Lines {
    /// A shorter piece is noise, not a damaged line.
    shortest: usize,
    /// No line of the protocol is longer.
    longest: usize,
    line: Vec<u8>,
    /// Bytes of the present line, also those that did not fit.
    length: usize,
    /// The first piece after opening is usually the rest of a line.
    joined: bool,
    scrap: Scrap,
    told: Events,
}

impl Lines {
    /// For a protocol whose lines have between `shortest` and `longest` characters.
    pub(super) fn new(shortest: usize, longest: usize) -> Self {
        Self {
            shortest,
            longest,
            line: Vec::new(),
            length: 0,
            joined: false,
            scrap: Scrap::default(),
            told: Events::new(),
        }
    }

    /// The link is open (again).
    pub(super) fn open(&mut self) {
        self.line.clear();
        self.length = 0;
        self.joined = false;
    }

    /// Takes a piece of the stream. `read` says what a line is and adds what it tells; what it adds
    /// before it fails is dropped.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        events: &mut Events,
        mut read: impl FnMut(&[u8], &mut Events) -> Result<Kind, Fault>,
    ) {
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end(events, &mut read),
                // Some devices send NULs before their first line.
                0 if self.length == 0 => {}
                _ => self.keep(byte, events),
            }
        }
    }

    /// The link is closed: without its end nobody can tell whether a line is whole.
    pub(super) fn close(&mut self, events: &mut Events) {
        let bytes = self.line.len() as u64;
        if self.length > self.longest || !self.joined {
            self.scrap.skipped(bytes, events);
        } else if self.length > 0 {
            self.scrap.broken(Fault::Truncated, bytes, events);
        }
        self.scrap.flush(events);
        self.line.clear();
        self.length = 0;
    }

    fn keep(&mut self, byte: u8, events: &mut Events) {
        self.length += 1;
        if self.line.len() < self.longest {
            self.line.push(byte);
        }
        // Not even a line: told while it flows, not when it ends.
        if self.length == self.longest + 1 {
            events.push(Event::Fault(Fault::Oversized));
        }
        if self.length > self.longest {
            self.scrap.skipped(1, events);
        }
    }

    fn end(
        &mut self,
        events: &mut Events,
        read: &mut impl FnMut(&[u8], &mut Events) -> Result<Kind, Fault>,
    ) {
        let length = std::mem::take(&mut self.length);
        if length == 0 {
            return;
        }
        let first = !std::mem::replace(&mut self.joined, true);
        let bytes = self.line.len() as u64;
        if length > self.longest {
            self.scrap.skipped(bytes, events);
        } else {
            match read(&self.line, &mut self.told) {
                Ok(Kind::Reading) => {
                    self.scrap.frame(events);
                    events.append(&mut self.told);
                }
                Ok(Kind::Aside) => events.append(&mut self.told),
                Err(_) if first => self.scrap.skipped(bytes, events),
                Err(_) if length < self.shortest => self.scrap.noise(bytes, events),
                Err(fault) => self.scrap.broken(fault, bytes, events),
            }
        }
        self.told.clear();
        self.line.clear();
    }
}
