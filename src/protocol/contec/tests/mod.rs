//! The oximeters as a whole: vectors, flags, damage, who asks when, the round trip.

mod asking;
mod streams;

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::registry::Protocol;
use super::super::session::{Session, SessionOptions};
use super::super::transcript::{alerts, faults, observed, sent, summary, waves};
use super::{V5, V7, seven};
use crate::observation::{AlertPhase, DeviceAlert, WaveChunk};
use crate::vocabulary::{Cause, Decimal, Doubt, Moment, Now, Parameter, Reading};
use proptest::prelude::*;
use std::time::Duration;

const BOTH: [&Protocol; 2] = [&V5, &V7];

fn at(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        ..Now::default()
    }
}

fn session(protocol: &Protocol) -> Box<dyn Session> {
    (protocol.open)(&SessionOptions::default()).unwrap()
}

fn device(protocol: &Protocol) -> Box<dyn Device> {
    (protocol.device)(&DeviceOptions::default())
}

/// Everything said about a stream that comes in these pieces, without what is sent at the opening.
fn heard<'a>(protocol: &Protocol, pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut session = session(protocol);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    events.clear();
    for piece in pieces {
        session.receive(at(0), piece, &mut events);
    }
    session.closed(at(0), &mut events);
    events
}

fn readings(events: &Events) -> Vec<(String, Reading)> {
    observed(events)
        .into_iter()
        .map(|seen| (seen.parameter.to_string(), seen.reading))
        .collect()
}

fn spo2(events: &Events) -> Vec<Reading> {
    readings(events)
        .into_iter()
        .filter(|(name, _)| name == "spo2")
        .map(|(_, reading)| reading)
        .collect()
}

fn valid(value: i64) -> Reading {
    Reading::Valid(Decimal::whole(value))
}

fn poor(value: i64) -> Reading {
    Reading::Questionable(Decimal::whole(value), Doubt::LowQuality)
}

fn invalid(cause: Cause) -> Reading {
    Reading::Invalid(cause)
}

fn pair(spo2: Reading, rate: Reading) -> Vec<(String, Reading)> {
    vec![("spo2".to_owned(), spo2), ("pr".to_owned(), rate)]
}

#[test]
fn v5_reads_its_groups() {
    let none = invalid(Cause::NotAvailable);
    let off = invalid(Cause::ProbeOff);
    let fault = invalid(Cause::SensorFault);
    let searching = invalid(Cause::Searching);
    let weak = invalid(Cause::LowPerfusion);
    for (group, spo2, rate) in [
        ([0xC8, 0x40, 0x07, 0x48, 0x61], valid(97), valid(72)),
        // The eighth bit of the rate.
        ([0x88, 0x40, 0x47, 0x00, 0x61], valid(97), valid(128)),
        ([0x88, 0x40, 0x47, 0x48, 0x61], valid(97), valid(200)),
        // A falling saturation is a saturation.
        ([0xA8, 0x40, 0x07, 0x48, 0x50], valid(80), valid(72)),
        ([0x98, 0x40, 0x07, 0x48, 0x61], off, off),
        ([0x98, 0x40, 0x37, 0x48, 0x61], off, off),
        ([0x88, 0x40, 0x17, 0x48, 0x61], fault, fault),
        ([0x88, 0x40, 0x27, 0x48, 0x61], searching, searching),
        ([0x80, 0x40, 0x07, 0x48, 0x61], weak, weak),
        ([0x8F, 0x40, 0x07, 0x48, 0x61], poor(97), poor(72)),
        ([0x88, 0x40, 0x07, 0x48, 0x7F], none, valid(72)),
        ([0x88, 0x40, 0x47, 0x7F, 0x61], valid(97), none),
        (
            [0x88, 0x40, 0x07, 0x00, 0x00],
            invalid(Cause::Zero),
            invalid(Cause::Zero),
        ),
    ] {
        let events = heard(&V5, [group.as_slice()]);
        assert_eq!(readings(&events), pair(spo2, rate), "{group:02x?}");
        assert_eq!(faults(&events), []);
    }
}

#[test]
fn v7_reads_its_packets() {
    let none = invalid(Cause::NotAvailable);
    let three = |spo2, rate, pi| [pair(spo2, rate), vec![("pi".to_owned(), pi)]].concat();
    let captured = three(valid(99), valid(60), none);
    let off = invalid(Cause::ProbeOff);
    let searching = invalid(Cause::Searching);
    let index = |hundredths| Reading::Valid(Decimal::new(hundredths, 2));
    for (packet, expected) in [
        (
            [0x01, 0xE0, 0x84, 0x93, 0x92, 0xBC, 0xE3, 0xFF, 0xFF],
            captured.clone(),
        ),
        (
            [0x01, 0xE0, 0xC4, 0xC4, 0x98, 0xBC, 0xE3, 0xFF, 0xFF],
            captured,
        ),
        (
            seven::write([4, 19, 2, 200, 97, 0x2C, 0x01]),
            three(valid(97), valid(200), index(300)),
        ),
        // The flag of the index counts, whatever its bytes say.
        (
            seven::write([4, 19, 0x12, 60, 97, 0x2C, 0x01]),
            three(valid(97), valid(60), none),
        ),
        (
            seven::write([4, 19, 2, 60, 97, 0xFF, 0xFF]),
            three(valid(97), valid(60), none),
        ),
        // An index that no finger has.
        (
            seven::write([4, 19, 2, 60, 97, 0xC5, 0x09]),
            three(valid(97), valid(60), invalid(Cause::OutOfRange)),
        ),
        (
            seven::write([0x84, 19, 2, 60, 97, 0, 1]),
            three(off, off, off),
        ),
        (
            seven::write([0x14, 19, 2, 60, 97, 0, 1]),
            three(searching, searching, searching),
        ),
        (
            seven::write([4, 0x93, 2, 60, 97, 0, 1]),
            three(searching, searching, searching),
        ),
        // A low saturation is a saturation.
        (
            seven::write([0x24, 19, 0x12, 60, 80, 0, 1]),
            three(valid(80), valid(60), none),
        ),
        (
            seven::write([4, 19, 0x12, 0xFF, 0x7F, 0, 1]),
            three(none, none, none),
        ),
        (
            seven::write([4, 19, 0x12, 0, 0, 0, 1]),
            three(invalid(Cause::Zero), invalid(Cause::Zero), none),
        ),
    ] {
        let events = heard(&V7, [packet.as_slice()]);
        assert_eq!(readings(&events), expected, "{packet:02x?}");
        assert_eq!(faults(&events), []);
    }
}

#[test]
fn sixty_equal_groups_are_one_reading_a_second() {
    let group = [0xC8, 0x40, 0x07, 0x48, 0x61];
    let packet = seven::write([4, 0x40, 2, 72, 97, 0, 1]);
    for (protocol, stream) in [(&V5, group.repeat(181)), (&V7, packet.repeat(181))] {
        let events = heard(protocol, stream.chunks(7));
        assert_eq!(spo2(&events), [valid(97); 4]);
        assert_eq!(summary(&events).frames, 181);
        let waves = waves(&events);
        assert_eq!(waves.len(), 9);
        assert_eq!((&*waves[0].label, waves[0].rate_hz), ("pleth", 60));
        assert_eq!(waves[0].samples, [Some(64); 20]);
    }
}

#[test]
fn a_change_counts_when_three_groups_agree() {
    let good = [0x88, 0x40, 0x07, 0x48, 0x61];
    let fall = [0xA8, 0x40, 0x07, 0x48, 0x55];
    let stream = [vec![good; 10], vec![fall; 2], vec![good; 10]].concat();
    let events = heard(&V5, [stream.as_flattened()]);
    assert_eq!(spo2(&events), [valid(97)]);
    assert_eq!(faults(&events), [Fault::BadFrame]);
    assert_eq!(summary(&events).discarded_bytes, 10);
    assert_eq!(alerts(&events).len(), 0);

    let stream = [vec![good; 10], vec![fall; 3], vec![good; 3]].concat();
    let events = heard(&V5, [stream.as_flattened()]);
    assert_eq!(spo2(&events), [97, 85, 97].map(valid));
    assert_eq!(faults(&events), []);
    let said: Vec<_> = alerts(&events)
        .into_iter()
        .map(|alert| (&*alert.text, alert.phase))
        .collect();
    let text = "SpO2 low or falling";
    assert_eq!(said, [(text, AlertPhase::Start), (text, AlertPhase::End)]);
}

#[test]
fn other_packets_of_v7_are_neither_values_nor_faults() {
    let good = seven::write([4, 0x40, 2, 72, 97, 0, 1]);
    let stream = [
        &[0x0C, 0x80][..],
        &good,
        &[0x0B, 0x80, 0x81, 0x82],
        &good,
        &[0x0D, 0x80],
    ]
    .concat();
    let events = heard(&V7, [stream.as_slice()]);
    assert_eq!(faults(&events), []);
    assert_eq!(summary(&events).frames, 2);
    let endless = [&good[..], &[0x0C], &[0x80; 40], &good, &good, &good].concat();
    let events = heard(&V7, [endless.as_slice()]);
    assert_eq!(faults(&events), [Fault::Oversized, Fault::Noise]);
}
