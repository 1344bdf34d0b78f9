//! What a device says to a session of ours, without a wire: the bytes for a bench, for the seeds of a
//! fuzz target, for a test that needs a real stream of any protocol.
//!
//! Time is simulated and nothing waits: an hour of a device is made in moments. The same scenario gives
//! the same bytes.

use super::monitor::{Fitted, Monitor};
use super::scenario::Scenario;
use crate::protocol::{Device, DeviceOptions, Event, Events, OptionProblem, Session};
use crate::protocol::{Protocol, SessionOptions};
use crate::vocabulary::{Moment, Now, WallTime};
use std::sync::Arc;
use std::time::Duration;

/// One write of the device, or one datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: Now,
    /// What.
    pub bytes: Vec<u8>,
}

/// Rounds of question and answer at one moment before time goes on: a device and a session that never
/// stop talking would otherwise never end.
const ROUNDS: usize = 64;

/// The bytes that a device of `protocol` sends in the first `span` of `scenario` while a session with
/// `options` listens and asks. Every wait for the record is answered at once with yes.
pub fn overheard(
    protocol: &Protocol,
    options: &SessionOptions,
    scenario: Arc<Scenario>,
    span: Duration,
) -> Result<Vec<Heard>, OptionProblem> {
    let start = now_at(Moment::ZERO);
    let mut talk = Talk {
        session: (protocol.open)(options)?,
        device: (protocol.device)(&DeviceOptions::default()),
        events: Events::new(),
        heard: Vec::new(),
    };
    let mut monitor = Monitor::new(scenario, Fitted::of(protocol), start.wall);
    talk.device.opened(start);
    talk.session.opened(start, &mut talk.events);
    talk.settle(start);
    let cadence = talk.device.cadence().max(Duration::from_millis(1));
    let end = start.moment.after(span);
    let (mut now, mut present) = (start, start.moment);
    loop {
        // A deadline that is not in the future any more does not hold time up.
        let ahead = now.moment..present;
        let due = talk
            .session
            .deadline()
            .filter(|due| *due > ahead.start && *due < ahead.end);
        now = now_at(due.unwrap_or(present));
        if now.moment >= end {
            return Ok(talk.heard);
        }
        if due.is_none() {
            let screen = monitor.screen(now.moment.since(start.moment));
            let mut said = Vec::new();
            talk.device.present(now, &screen, &mut said);
            talk.deliver(now, said);
            talk.settle(now);
            present = present.after(cadence);
        }
        if talk.session.deadline().is_some_and(|due| due <= now.moment) {
            talk.session.expire(now, &mut talk.events);
            talk.settle(now);
        }
    }
}

/// A session, a device and what was said between them.
struct Talk {
    session: Box<dyn Session>,
    device: Box<dyn Device>,
    events: Events,
    heard: Vec<Heard>,
}

impl Talk {
    /// Gives the session what the device said.
    fn deliver(&mut self, now: Now, said: Vec<Vec<u8>>) {
        for bytes in said {
            self.session.receive(now, &bytes, &mut self.events);
            self.heard.push(Heard { at: now, bytes });
        }
    }

    /// Lets both talk until neither has anything to say.
    fn settle(&mut self, now: Now) {
        for _ in 0..ROUNDS {
            if self.events.is_empty() {
                return;
            }
            let mut replies = Vec::new();
            for event in std::mem::take(&mut self.events) {
                match event {
                    Event::Send(bytes) => self.device.receive(now, &bytes, &mut replies),
                    Event::AwaitCommit(token) => {
                        self.session.committed(now, token, true, &mut self.events);
                    }
                    Event::Frame
                    | Event::Identity(_)
                    | Event::Observation(_)
                    | Event::DeviceAlert(_)
                    | Event::PumpEvent(_)
                    | Event::Wave(_)
                    | Event::Fault(_)
                    | Event::Discarded(_) => {}
                }
            }
            self.deliver(now, replies);
        }
    }
}

/// A day on which nothing happens to clocks.
fn now_at(moment: Moment) -> Now {
    const NOON: i64 = 1_767_268_800_000;
    let millis = i64::try_from(moment.as_micros() / 1_000).unwrap_or(i64::MAX);
    Now {
        moment,
        wall: WallTime::from_millis(NOON.saturating_add(millis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::REGISTRY;

    #[test]
    fn every_device_talks_and_the_session_reads_the_same_bytes_again() {
        for protocol in REGISTRY.iter().filter(|one| !one.parameters.is_empty()) {
            let scenario = Arc::new(Scenario::named("ketamine").unwrap());
            let options = SessionOptions::default();
            let span = Duration::from_secs(90);
            let heard = overheard(protocol, &options, Arc::clone(&scenario), span).unwrap();
            let again = overheard(protocol, &options, scenario, span).unwrap();
            assert_eq!(heard, again, "{}", protocol.name);
            assert!(heard.len() > 5, "{}: {}", protocol.name, heard.len());
            assert!(
                heard
                    .iter()
                    .all(|one| one.at.moment < Moment::from_secs(90))
            );
        }
    }
}
