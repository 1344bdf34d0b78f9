//! The oximeters as a whole: vectors of the dossier, its traps, damage, round trips.

mod damage;
mod round_trip;
mod vectors;

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Event, Events};
use super::super::registry::Protocol;
use super::super::session::{Session, SessionOptions};
use super::super::transcript::{alerts, faults, observed, sent, summary, waves};
use super::packet::{FRAMES, Frame, Layout, Packet};
use super::{ASCII, DF2, DF7, DF8, DF13};
use crate::vocabulary::{Cause, Decimal, Doubt, Now, Parameter, Reading};

/// Every protocol of the family.
const ALL: [&Protocol; 5] = [&DF2, &DF7, &DF8, &DF13, &ASCII];

fn session(protocol: &Protocol) -> Box<dyn Session> {
    (protocol.open)(&SessionOptions::default()).unwrap()
}

fn device(protocol: &Protocol) -> Box<dyn Device> {
    (protocol.device)(&DeviceOptions::default())
}

/// Everything said about a stream that comes in these pieces.
fn heard<'a>(protocol: &Protocol, pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut session = session(protocol);
    let mut events = Events::new();
    session.opened(Now::default(), &mut events);
    for piece in pieces {
        session.receive(Now::default(), piece, &mut events);
    }
    session.closed(Now::default(), &mut events);
    events
}

/// The readings by name.
fn readings(events: &[Event]) -> Vec<(String, Reading)> {
    observed(events)
        .into_iter()
        .map(|seen| (seen.parameter.to_string(), seen.reading))
        .collect()
}

/// The two readings of a good measurement.
fn pair(spo2: Reading, rate: Reading) -> Vec<(String, Reading)> {
    vec![("spo2".to_owned(), spo2), ("pr".to_owned(), rate)]
}

fn valid(value: i64) -> Reading {
    Reading::Valid(Decimal::whole(value))
}

fn doubtful(value: i64, doubt: Doubt) -> Reading {
    Reading::Questionable(Decimal::whole(value), doubt)
}

fn invalid(cause: Cause) -> Reading {
    Reading::Invalid(cause)
}

/// What the device sends for these screens, one write each.
fn shown(protocol: &Protocol, screens: &[Screen]) -> Vec<Vec<u8>> {
    let mut device = device(protocol);
    let mut sent = Vec::new();
    for screen in screens {
        device.present(Now::default(), screen, &mut sent);
    }
    sent
}

/// A screen with these readings at 2026-01-02T10:20:30.
fn screen(spo2: Reading, rate: Reading) -> Screen {
    Screen {
        civil_ms: 1_767_349_230_000,
        numerics: [(Parameter::Spo2, spo2), (Parameter::Pr, rate)].into(),
        ..Screen::default()
    }
}

/// A packet of format 2 or 7 written by its table: these slow bytes by frame number (from 1), the rest
/// and the pleth random-looking, every status with these bits.
fn packet_of(layout: Layout, status: u8, slow: &[(usize, u8)]) -> Vec<u8> {
    let mut packet = Packet([Frame::default(); FRAMES]);
    for (place, frame) in packet.0.iter_mut().enumerate() {
        let given = slow.iter().find(|(number, _)| *number == place + 1);
        *frame = Frame {
            status: 0x80 | status | u8::from(place == 0),
            pleth: u16::try_from(37 * place % 256).unwrap(),
            slow: given.map_or(0x55, |(_, value)| *value),
        };
    }
    packet
        .0
        .iter()
        .flat_map(|frame| layout.write(*frame))
        .collect()
}

/// A good packet: display rate 72, display saturation 97.
fn packet(layout: Layout, status: u8) -> Vec<u8> {
    packet_of(layout, status, &[(8, 0), (9, 97), (20, 0), (21, 72)])
}
