//! The oximeters as a whole: vectors, flags, damage, who asks when, the round trip.

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

/// What is sent at each of the session's deadlines up to `until`, with the second.
fn asked(session: &mut dyn Session, until: u64) -> Vec<(u64, Vec<u8>)> {
    let mut told = Vec::new();
    while let Some(due) = session
        .deadline()
        .filter(|due| *due <= Moment::from_secs(until))
    {
        let mut events = Events::new();
        let now = Now {
            moment: due,
            ..Now::default()
        };
        session.expire(now, &mut events);
        let second = due.as_micros() / 1_000_000;
        told.extend(sent(&events).into_iter().map(|bytes| (second, bytes)));
    }
    told
}

#[test]
fn v7_is_started_kept_alive_and_started_again() {
    let start = seven::START.to_vec();
    let keep_alive = seven::KEEP_ALIVE.to_vec();
    let packet = seven::write([4, 0x40, 2, 72, 97, 0, 1]);
    let mut session = session(&V7);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    assert_eq!(sent(&events).concat(), start);

    // While it streams, nothing but a keep-alive every 4 s.
    let mut said = Vec::new();
    for tenth in 1..=200 {
        let now = Now {
            moment: Moment::ZERO.after(Duration::from_millis(100 * tenth)),
            ..Now::default()
        };
        if session.deadline().is_some_and(|due| due <= now.moment) {
            events.clear();
            session.expire(now, &mut events);
            said.extend(sent(&events).into_iter().map(|bytes| (tenth, bytes)));
        }
        session.receive(now, &packet, &mut Events::new());
    }
    let expected = [40, 80, 120, 160, 200].map(|tenth| (tenth, keep_alive.clone()));
    assert_eq!(said, expected);

    // Silence from 20 s on: started again after 1 s, then ever more seldom.
    let seconds: Vec<u64> = asked(&mut *session, 40)
        .into_iter()
        .filter(|(_, bytes)| *bytes == start)
        .map(|(second, _)| second)
        .collect();
    assert_eq!(seconds, [21, 22, 24, 27, 31, 36]);

    // It answers late.
    session.receive(at(40), &packet, &mut Events::new());
    assert_eq!(session.deadline(), Some(Moment::from_secs(41)));
    session.closed(at(41), &mut Events::new());
    assert_eq!(session.deadline(), None);
    events.clear();
    session.opened(at(50), &mut events);
    assert_eq!(sent(&events), [start]);
}

#[test]
fn an_oximeter_that_never_answers_is_a_fault_after_three_starts() {
    let mut session = session(&V7);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    let mut faults_at = Vec::new();
    while let Some(due) = session
        .deadline()
        .filter(|due| *due <= Moment::from_secs(20))
    {
        events.clear();
        let now = Now {
            moment: due,
            ..Now::default()
        };
        session.expire(now, &mut events);
        // Noise and commands that come back are no answer.
        session.receive(now, &seven::START, &mut events);
        if faults(&events).contains(&Fault::Timeout) {
            faults_at.push(due.as_micros() / 1_000_000);
        }
    }
    assert_eq!(faults_at, [6, 10, 15, 20]);
}

#[test]
fn only_the_start_and_the_keep_alive_are_ever_sent() {
    let allowed = [seven::START.to_vec(), seven::KEEP_ALIVE.to_vec()];
    let mut session = session(&V7);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    let mut said = sent(&events);
    for second in 1..200_u64 {
        let mut events = Events::new();
        if second % 3 == 0 {
            let packet = seven::write([4, 0x40, 2, 72, 97, 0, 1]);
            session.receive(at(second), &packet, &mut events);
        }
        session.receive(at(second), &[0x0B, 0x80, 0x0D, 0x80, 0xFF], &mut events);
        while session
            .deadline()
            .is_some_and(|due| due <= at(second).moment)
        {
            session.expire(at(second), &mut events);
        }
        said.extend(sent(&events));
    }
    assert!(said.len() > 20);
    assert!(
        said.iter().all(|bytes| allowed.contains(bytes)),
        "{said:02x?}"
    );
    assert_eq!(
        sent(&heard(&V5, [&[0xC8, 0x40, 0x07, 0x48, 0x61][..]])),
        Vec::<Vec<u8>>::new()
    );
}

#[test]
fn a_device_streams_only_while_it_is_kept_alive() {
    let mut device = device(&V7);
    let screen = Screen::default();
    let streams = |device: &mut dyn Device, second| {
        let mut sent = Vec::new();
        device.present(at(second), &screen, &mut sent);
        !sent.is_empty()
    };
    assert!(!streams(&mut *device, 0));
    // A keep-alive alone starts nothing.
    device.receive(at(0), &seven::KEEP_ALIVE, &mut Vec::new());
    assert!(!streams(&mut *device, 0));
    for piece in seven::START.chunks(2) {
        device.receive(at(1), piece, &mut Vec::new());
    }
    assert!(streams(&mut *device, 10));
    device.receive(at(10), &seven::KEEP_ALIVE, &mut Vec::new());
    assert!(streams(&mut *device, 19));
    assert!(!streams(&mut *device, 20));
}

/// A screen that this oximeter can have.
fn screens(protocol: &'static Protocol) -> impl Strategy<Value = Screen> {
    let mut causes = vec![
        Cause::ProbeOff,
        Cause::Searching,
        Cause::LowPerfusion,
        Cause::NotAvailable,
    ];
    if protocol.name == V5.name {
        causes.push(Cause::SensorFault);
    }
    let state = prop_oneof![
        3 => any::<bool>().prop_map(Ok),
        1 => prop::sample::select(causes).prop_map(Err),
    ];
    let samples = prop::collection::vec(0..=127_i32, 6);
    (
        state,
        1..=100_i64,
        1..=254_i64,
        0..=2_500_i64,
        samples,
        any::<bool>(),
    )
        .prop_map(|(state, spo2, rate, index, samples, is_falling)| {
            let reading = |value| match state {
                Ok(true) => Reading::Valid(value),
                Ok(false) => Reading::Questionable(value, Doubt::LowQuality),
                Err(cause) => Reading::Invalid(cause),
            };
            let text = super::NOTICES[0].1;
            Screen {
                numerics: [
                    (Parameter::Spo2, reading(Decimal::whole(spo2))),
                    (Parameter::Pr, reading(Decimal::whole(rate))),
                    (Parameter::Pi, reading(Decimal::new(index, 2))),
                ]
                .into(),
                waves: vec![WaveChunk {
                    label: "pleth".into(),
                    rate_hz: 60,
                    resolution: Decimal::whole(1),
                    unit: "",
                    samples: samples.into_iter().map(Some).collect(),
                }],
                alerts: is_falling
                    .then(|| DeviceAlert {
                        key: text.into(),
                        priority: None,
                        phase: AlertPhase::Present,
                        text: text.into(),
                        at: None,
                    })
                    .into_iter()
                    .collect(),
                ..Screen::default()
            }
        })
}

fn streamed(protocol: &Protocol, screens: &[Screen]) -> Vec<Vec<u8>> {
    let mut device = device(protocol);
    device.receive(at(0), &seven::START, &mut Vec::new());
    let mut sent = Vec::new();
    for screen in screens {
        device.present(at(0), screen, &mut sent);
    }
    sent
}

fn several() -> impl Strategy<Value = (&'static Protocol, Vec<Screen>)> {
    prop::sample::select(BOTH.to_vec()).prop_flat_map(|protocol| {
        (
            Just(protocol),
            prop::collection::vec(screens(protocol), 1..6),
        )
    })
}

proptest! {
    #[test]
    fn what_the_oximeter_shows_is_what_is_read((protocol, screens) in several(), size in 1_usize..60) {
        let pieces = streamed(protocol, &screens);
        let mut session = session(protocol);
        let mut events = Events::new();
        session.opened(at(0), &mut events);
        for (screen, piece) in screens.iter().zip(&pieces) {
            for part in piece.chunks(size) {
                session.receive(at(0), part, &mut events);
            }
            for parameter in protocol.parameters {
                let last = observed(&events)
                    .into_iter()
                    .rev()
                    .find(|seen| seen.parameter == (*parameter).into())
                    .map(|seen| seen.reading);
                prop_assert_eq!(last, Some(screen.reading(*parameter)));
            }
            let alert = alerts(&events).last().is_some_and(|alert| alert.phase == AlertPhase::Start);
            prop_assert_eq!(alert, !screen.alerts.is_empty());
        }
        prop_assert_eq!(faults(&events), []);
    }

    #[test]
    fn pieces_of_any_size_say_the_same(
        (protocol, screens) in several(),
        noise in prop::collection::vec(any::<u8>(), 0..300),
        size in 1_usize..80,
    ) {
        let good = streamed(protocol, &screens).concat();
        let stream = [&noise[..], &good, &noise, &good].concat();
        let whole = heard(protocol, [stream.as_slice()]);
        prop_assert_eq!(&heard(protocol, stream.chunks(size)), &whole);
        prop_assert_eq!(&heard(protocol, stream.chunks(1)), &whole);
    }

    #[test]
    fn a_damaged_group_never_gives_a_wrong_value_and_costs_little(
        (protocol, screens) in several(),
        at in any::<prop::sample::Index>(),
        how in 0..10_u8,
    ) {
        let screen = screens.into_iter().next().unwrap();
        let good = streamed(protocol, &[screen.clone(), screen.clone(), screen.clone()]);
        let mut damaged = good[1].clone();
        let at = at.index(damaged.len());
        match how {
            bit @ 0..=7 => damaged[at] ^= 1_u8 << bit,
            8 => drop(damaged.remove(at)),
            _ => damaged.insert(at, damaged[at]),
        }
        let stream = [&good[0][..], &damaged, &good[2], &good[2]].concat();
        let events = heard(protocol, [stream.as_slice()]);
        let whole = heard(protocol, [good[0].as_slice()]);
        // Told once, at the beginning; nothing else was believed.
        prop_assert_eq!(readings(&events), readings(&whole));
        prop_assert!(summary(&events).frames >= 18, "{}", summary(&events).frames);
    }

    #[test]
    fn garbage_between_groups_costs_only_itself(
        (protocol, screens) in several(),
        garbage in prop::collection::vec(any::<u8>(), 1..500),
    ) {
        let good = streamed(protocol, &screens[..1]).concat();
        let stream = [&good[..], &garbage, &good, &good].concat();
        let events = heard(protocol, [stream.as_slice()]);
        let shown = screens[0].reading(Parameter::Spo2);
        let seen = spo2(&events);
        prop_assert_eq!(seen.first(), Some(&shown));
        prop_assert_eq!(seen.last(), Some(&shown));
        // After damage two groups wait for the third.
        prop_assert!(summary(&events).frames >= 6 + 9, "{}", summary(&events).frames);
    }

    #[test]
    fn joining_in_the_middle_is_nobodys_fault((protocol, screens) in several(), at in 0_usize..45) {
        let good = streamed(protocol, &[screens[0].clone(), screens[0].clone(), screens[0].clone()]).concat();
        let events = heard(protocol, [&good[at..]]);
        prop_assert_eq!(faults(&events), []);
        let seen = spo2(&events);
        prop_assert_eq!(seen.first(), Some(&screens[0].reading(Parameter::Spo2)));
    }
}

#[test]
fn a_megabyte_of_noise_says_little_and_is_no_patient() {
    for protocol in BOTH {
        let mut state = 1_u64;
        let mut stream: Vec<u8> = (0..1 << 20)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let noise = heard(protocol, stream.chunks(4_096));
        assert!(summary(&noise).frames < 10, "{}", protocol.name);
        let screen = Screen {
            numerics: [(Parameter::Spo2, valid(97)), (Parameter::Pr, valid(72))].into(),
            ..Screen::default()
        };
        stream.extend(streamed(protocol, &[screen.clone(), screen]).concat());
        let events = heard(protocol, stream.chunks(4_096));
        assert_eq!(spo2(&events).last(), Some(&valid(97)));
        assert!(
            events.len() < stream.len() / 100,
            "{}: {} events",
            protocol.name,
            events.len()
        );
    }
}

#[test]
fn the_other_version_is_no_sign_of_life() {
    let screen = Screen {
        numerics: [(Parameter::Spo2, valid(97)), (Parameter::Pr, valid(72))].into(),
        ..Screen::default()
    };
    for (protocol, other) in [(&V5, &V7), (&V7, &V5)] {
        let stream = streamed(other, &vec![screen.clone(); 50]).concat();
        let events = heard(protocol, stream.chunks(100));
        assert_eq!(
            summary(&events).frames,
            0,
            "{} read {}",
            protocol.name,
            other.name
        );
        assert!(!faults(&events).is_empty());
        assert!(!events.contains(&Event::Frame));
    }
}
