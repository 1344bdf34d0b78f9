//! What every fuzz target asserts of a protocol's session, whatever the bytes are.
//!
//! The first byte chooses how the rest arrives: as a stream cut into pieces of that many bytes (0: in
//! one piece). Nothing may panic or hang, no number may come out that its parameter cannot have, what a
//! session says stays in proportion to what it was given, and how a stream is cut changes nothing of what
//! it tells.

use infusewatch::protocol::{Event, Events, Medium, SessionOptions, SpeaksFirst, find};
use infusewatch::vocabulary::{Moment, Now, Reading, WallTime};
use std::time::Duration;

mod seeds;

pub use seeds::seeds;

/// A session may say this much without being given anything.
const SPARE_EVENTS: usize = 256;

/// Feeds `data` to the session of `protocol`, as a stream and as datagrams.
pub fn read(protocol: &str, data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else {
        return;
    };
    let cut = if cut == 0 {
        bytes.len().max(1)
    } else {
        usize::from(cut)
    };
    let whole = told(protocol, Medium::Stream, bytes, bytes.len().max(1), false);
    let pieces = told(protocol, Medium::Stream, bytes, cut, false);
    assert_eq!(whole, pieces, "how the stream is cut changes what it tells");
    told(protocol, Medium::Stream, bytes, cut, true);
    told(protocol, Medium::Datagram, bytes, cut, true);
}

/// What a session tells of `bytes` in pieces of `cut`; with `goes_on`, time passes between the pieces and
/// deadlines are kept.
fn told(protocol: &str, medium: Medium, bytes: &[u8], cut: usize, goes_on: bool) -> Vec<Event> {
    let protocol = find(protocol).expect("a registered protocol");
    let options = SessionOptions {
        medium,
        ..SessionOptions::default()
    };
    let mut session = (protocol.open)(&options).expect("the defaults are allowed");
    let mut events = Events::new();
    let mut told = Vec::new();
    let mut said = 0;
    let mut now = Now {
        moment: Moment::from_secs(1),
        wall: WallTime::from_millis(1_767_268_800_000),
    };
    session.opened(now, &mut events);
    for piece in bytes.chunks(cut) {
        session.receive(now, piece, &mut events);
        take(&mut *session, now, &mut events, &mut told, &mut said);
        if goes_on {
            now.moment = now.moment.after(Duration::from_millis(250));
            now.wall = WallTime::from_millis(now.wall.as_millis() + 250);
            for _ in 0..16 {
                if session.deadline().is_none_or(|due| due > now.moment) {
                    break;
                }
                session.expire(now, &mut events);
                take(&mut *session, now, &mut events, &mut told, &mut said);
            }
        }
    }
    session.closed(now, &mut events);
    take(&mut *session, now, &mut events, &mut told, &mut said);
    let pieces = bytes.len().div_ceil(cut);
    assert!(
        said <= SPARE_EVENTS + 16 * (bytes.len() + pieces),
        "{said} events of {} bytes",
        bytes.len()
    );
    // What is asked and counted may depend on time and cuts; what is told of the patient may not. A device
    // that must be asked is only believed in answer to a question, and questions take time.
    if protocol.speaks_first == SpeaksFirst::Host {
        told.clear();
    }
    told
}

/// Answers waits for the record, checks every number and keeps what was told of the patient.
fn take(
    session: &mut dyn infusewatch::protocol::Session,
    now: Now,
    events: &mut Events,
    told: &mut Vec<Event>,
    said: &mut usize,
) {
    while !events.is_empty() {
        for event in std::mem::take(events) {
            *said += 1;
            match event {
                Event::AwaitCommit(token) => session.committed(now, token, true, events),
                Event::Observation(observation) => {
                    if let (
                        Some(parameter),
                        Reading::Valid(value) | Reading::Questionable(value, _),
                    ) = (observation.parameter.known(), observation.reading)
                    {
                        assert!(parameter.check(value).is_ok(), "{parameter:?} of {value}");
                    }
                    told.push(Event::Observation(observation));
                }
                Event::Send(bytes) => assert!(bytes.len() <= 64 * 1_024),
                kept @ (Event::Identity(_)
                | Event::DeviceAlert(_)
                | Event::PumpEvent(_)
                | Event::Wave(_)) => told.push(kept),
                Event::Frame | Event::Fault(_) | Event::Discarded(_) => {}
            }
        }
    }
}
