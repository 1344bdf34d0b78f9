//! The monitor as a whole. The parts' own tests stand beside them.

mod groups;
mod link;
mod round_trip;

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Event, Events};
use super::super::session::{Options, Session, SessionOptions};
use super::super::transcript::{faults, observed, sent, summary, waves};
use super::PROTOCOL;
use super::basic::{Basic, Class};
use super::frame;
use super::record::{Header, Kind, build};
use super::request::physiological;
use crate::vocabulary::{Moment, Now, Reading};

/// 2026-01-02T10:20:30 by the monitor.
const NOON: u32 = 1_767_349_230;

fn at(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        ..Now::default()
    }
}

fn session(options: &[(&str, &str)]) -> Box<dyn Session> {
    let options: Options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    (PROTOCOL.open)(&SessionOptions {
        options,
        ..SessionOptions::default()
    })
    .unwrap()
}

fn device() -> Box<dyn Device> {
    (PROTOCOL.device)(&DeviceOptions::default())
}

/// Everything said about a stream that comes in these pieces, without what is sent at the opening.
fn heard<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut session = session(&[]);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    events.clear();
    for piece in pieces {
        session.receive(at(0), piece, &mut events);
    }
    session.closed(at(0), &mut events);
    events
}

/// A record of an old monitor, which is asked for no alarms.
fn record(kind: Kind, time: u32, subrecords: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let header = Header {
        counter: 0,
        level: 8,
        plug: 1,
        time,
        kind,
    };
    build(header, subrecords)
}

/// A frame of displayed values.
fn values(time: u32, basic: &Basic) -> Vec<u8> {
    let displayed = (physiological::DISPLAYED, Class::write(time, basic, 8));
    frame::encode(&record(Kind::Physiological, time, &[displayed]))
}

/// The readings of the last of these records, by name and site.
fn readings(records: &[Basic]) -> Vec<(String, Reading)> {
    let stream: Vec<Vec<u8>> = (NOON..)
        .zip(records)
        .map(|(time, basic)| values(time, basic))
        .collect();
    let events = heard(stream.iter().map(Vec::as_slice));
    let last = events
        .iter()
        .rposition(|event| *event == Event::Frame)
        .unwrap();
    observed(&events[last..])
        .into_iter()
        .map(|seen| {
            let site = seen
                .site
                .map_or_else(String::new, |site| format!("@{}", site.name()));
            (format!("{}{site}", seen.parameter), seen.reading)
        })
        .collect()
}

fn present(device: &mut dyn Device, second: u64, screen: &Screen) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    device.present(at(second), screen, &mut frames);
    frames
}
