//! `raw`: an unknown device, whose bytes are recorded and nothing else.
//!
//! A clinic with a device that nobody here can read sets `protocol = "raw"` and a capture file, and
//! sends the capture. This session never sends a byte and never gives an observation. Having no frames
//! to check, it can promise of the link only that bytes come: each piece counts as a sign of life.

use super::device::{Device, DeviceOptions, Screen};
use super::event::{Event, Events};
use super::registry::{Grade, Protocol, SpeaksFirst};
use super::session::{OptionProblem, Session, SessionOptions};
use crate::vocabulary::Now;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "raw",
    title: "Unknown device: records its bytes, gives no readings",
    parameters: &[],
    waves: false,
    line: None,
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::NotApplicable,
    display_grade: false,
    tested: "random bytes",
    options: &[],
    open,
    device,
};

fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Raw))
}

fn device(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Silent)
}

/// The session: it has nothing to remember.
struct Raw;

impl Session for Raw {
    fn opened(&mut self, _: Now, _: &mut Events) {}

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        if !bytes.is_empty() {
            events.push(Event::Frame);
        }
    }
}

/// The device side: an unknown device has nothing that could be imitated.
struct Silent;

impl Device for Silent {
    fn cadence(&self) -> Duration {
        PROTOCOL.cadence
    }

    fn receive(&mut self, _: Now, _: &[u8], _: &mut Vec<Vec<u8>>) {}

    fn present(&mut self, _: Now, _: &Screen, _: &mut Vec<Vec<u8>>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_a_sign_of_life_and_never_a_reading() {
        let mut session = open(&SessionOptions::default()).unwrap();
        let mut events = Events::new();
        session.opened(Now::default(), &mut events);
        session.receive(Now::default(), b"\x00SPO2=097%\r\n", &mut events);
        session.receive(Now::default(), b"", &mut events);
        assert_eq!(events, [Event::Frame]);
    }
}
