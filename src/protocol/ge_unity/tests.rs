use super::super::device::{CuffReading, DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::session::{Medium, Session, SessionOptions};
use super::super::transcript::{alerts, faults, observed, sent};
use super::packet::{BLOCK, Block, Packet};
use crate::observation::AlertPhase;
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading, WallTime};
use proptest::prelude::*;

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_millis(1_000_000 + i64::try_from(millis).unwrap()),
    }
}

fn open(medium: Medium) -> (Box<dyn Session>, Events) {
    let options = SessionOptions {
        medium,
        ..SessionOptions::default()
    };
    let mut session = super::session::open(&options).unwrap();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    (session, events)
}

fn block(kind: u8, code: u8, values: [i16; 3]) -> Block {
    Block { kind, code, values }
}

fn packet(blocks: Vec<Block>) -> Packet {
    Packet {
        alarm_state: 0,
        alarm_level: 0,
        blocks,
    }
}

fn reading(events: &Events, parameter: Parameter) -> Option<Reading> {
    let all = observed(events);
    let last = all
        .iter()
        .rev()
        .find(|one| one.parameter.known() == Some(parameter));
    last.map(|one| one.reading)
}

fn whole(value: i64) -> Option<Reading> {
    Some(Reading::Valid(Decimal::whole(value)))
}

/// Packets, one datagram a second.
fn told(packets: &[Packet]) -> Events {
    let (mut session, mut events) = open(Medium::Datagram);
    for (second, packet) in (1..).zip(packets) {
        session.receive(at(second * 1_000), &packet.write(7), &mut events);
    }
    events
}

/// The block of the dossier's example, where it gives bytes: saturation 97, rate 64, third value missing.
#[test]
fn the_dossiers_block_is_read() {
    let mut bytes = packet(vec![block(11, 0x2D, [0x61, 0x40, -32_767])]).write(1);
    let start = bytes.len() - BLOCK;
    bytes[start..start + 10]
        .copy_from_slice(&[0x01, 0x2D, 0xC0, 0xE0, 0x00, 0x61, 0x00, 0x40, 0x80, 0x01]);
    bytes[start + 24..start + 38].copy_from_slice(&[
        0x03, 0x2D, 0xA0, 0x20, 0x00, 0x08, 0x00, 0x5E, 0x00, 0x65, 0x00, 0x23, 0x00, 0x6E,
    ]);
    bytes[start + 64..].copy_from_slice(&[0x0B, 0x2D, 0x00, 0x00, 0x51, 0x00]);
    let (mut session, mut events) = open(Medium::Datagram);
    session.receive(at(1), &bytes, &mut events);
    assert_eq!(reading(&events, Parameter::Spo2), whole(97));
    assert_eq!(reading(&events, Parameter::Pr), whole(64));
    assert!(faults(&events).is_empty());
    assert_eq!(bytes.len(), 120 + 6 + 70);
}

#[test]
fn special_values_are_never_numbers_and_an_unused_part_is_no_source() {
    let none = told(&[packet(vec![block(1, 0x3A, [-32_768; 3])])]);
    assert!(observed(&none).is_empty());
    for value in -32_768..=-32_761 {
        let events = told(&[
            packet(vec![block(1, 0x3A, [72, 0, -32_767])]),
            packet(vec![block(1, 0x3A, [value; 3])]),
        ]);
        let reading = reading(&events, Parameter::Hr).unwrap();
        assert!(
            matches!(reading, Reading::Invalid(_)),
            "{value}: {reading:?}"
        );
    }
    let zero = told(&[
        packet(vec![block(11, 0x2D, [0, 0, 0])]),
        packet(vec![block(11, 0x2D, [97, 60, 0])]),
    ]);
    assert_eq!(observed(&zero)[0].reading, Reading::Invalid(Cause::Zero));
}

#[test]
fn a_pressure_by_catheter_is_never_called_arterial() {
    let events = told(&[packet(vec![block(2, 0x4D, [12, 20, 8])])]);
    assert!(
        observed(&events)
            .iter()
            .all(|one| one.parameter.known().is_none())
    );
    assert_eq!(observed(&events).len(), 3);
}

#[test]
fn a_cuff_reading_of_unknown_age_is_old_and_a_change_is_new() {
    let cuff = |values| packet(vec![block(10, 0x18, values)]);
    let first = told(&[cuff([94, 128, 76])]);
    assert_eq!(
        reading(&first, Parameter::NibpSys),
        Some(Reading::Invalid(Cause::Old))
    );
    let later = told(&[
        cuff([94, 128, 76]),
        cuff([96, 131, 78]),
        cuff([96, 131, 78]),
    ]);
    assert_eq!(reading(&later, Parameter::NibpSys), whole(131));
    assert_eq!(reading(&later, Parameter::NibpDia), whole(78));
    assert_eq!(reading(&later, Parameter::NibpMean), whole(96));
    let all = observed(&later);
    let sys: Vec<_> = all
        .iter()
        .filter(|one| one.parameter.known() == Some(Parameter::NibpSys))
        .collect();
    assert_eq!(
        sys[1].measured_at, sys[2].measured_at,
        "a repeat is the same reading"
    );
    assert_ne!(sys[1].message_at, sys[2].message_at);
}

#[test]
fn the_monitors_alarms_begin_and_end() {
    let level = |alarm_level, alarm_state| Packet {
        alarm_level,
        alarm_state,
        blocks: Vec::new(),
    };
    let events = told(&[
        level(0, 0),
        level(6, 0),
        level(6, 0),
        level(7, 1),
        level(0, 0),
    ]);
    let phases: Vec<_> = alerts(&events)
        .iter()
        .map(|one| (one.key.to_string(), one.phase))
        .collect();
    let expected = [
        ("level-6", AlertPhase::Start),
        ("state-1", AlertPhase::Start),
        ("level-6", AlertPhase::End),
        ("level-7", AlertPhase::Start),
        ("state-1", AlertPhase::End),
        ("level-7", AlertPhase::End),
    ];
    assert_eq!(phases, expected.map(|(key, phase)| (key.to_owned(), phase)));
}

#[test]
fn only_the_request_for_numerics_is_ever_sent() {
    let (mut session, mut events) = open(Medium::Datagram);
    for turn in 1..5 {
        assert_eq!(session.deadline(), Some(at(turn * 5_000).moment));
        session.expire(at(turn * 5_000), &mut events);
    }
    let requests = sent(&events);
    assert_eq!(requests.len(), 5);
    for request in &requests {
        assert_eq!(request.len(), 62);
        assert_eq!(&request[12..16], &[0x00, 0xCA, 0x00, 0x60]);
        assert_eq!(&request[24..37], b"INFUSE|WATCH\0");
    }
    let bad = |name: &str| {
        super::settings::name(&[("own-name".to_owned(), name.to_owned())].into()).is_err()
    };
    assert!(bad("") && bad("no bed") && bad("a|b|c") && bad(&"x".repeat(40)) && bad("a|\u{e4}"));
    assert!(!bad("ICU|7"));
}

#[test]
fn a_packet_of_another_kind_or_length_is_refused_whole() {
    let good = packet(vec![block(11, 0x2D, [97, 60, -32_767])]).write(1);
    let discovery = vec![0; 88];
    for (bytes, fault) in [
        (&good[..good.len() - 1], Fault::BadLength),
        (&[&good[..], &[0]].concat(), Fault::BadLength),
        (&discovery, Fault::Unsupported),
        (&[][..], Fault::BadLength),
    ] {
        let (mut session, mut events) = open(Medium::Datagram);
        session.receive(at(1), bytes, &mut events);
        assert_eq!(faults(&events), [fault]);
        assert!(!events.contains(&Event::Frame));
    }
    for place in [126, 127, 136, 137, 150, 151, 170, 171, 180, 181, 191] {
        let mut bytes = good.clone();
        bytes[place] ^= 0x40;
        let (mut session, mut events) = open(Medium::Datagram);
        session.receive(at(1), &bytes, &mut events);
        assert_eq!(faults(&events), [Fault::BadFrame], "{place}");
    }
}

fn screen() -> impl Strategy<Value = Screen> {
    let value = |range: std::ops::RangeInclusive<i64>| {
        prop_oneof![
            4 => range.prop_map(|value| Reading::Valid(Decimal::whole(value))),
            1 => Just(Reading::Invalid(Cause::Searching)),
        ]
    };
    (
        value(1..=100),
        value(20..=240),
        value(20..=240),
        value(4..=60),
        90_i64..=220,
        40_i64..=89,
    )
        .prop_map(|(spo2, pr, hr, rr, sys, dia)| Screen {
            civil_ms: 10_000_000,
            numerics: [
                (Parameter::Spo2, spo2),
                (Parameter::Pr, pr),
                (Parameter::Hr, hr),
                (Parameter::Rr, rr),
            ]
            .into(),
            cuff_reading: Some(CuffReading {
                civil_ms: 10_000_000,
                sys: Decimal::whole(sys),
                dia: Decimal::whole(dia),
                mean: Decimal::whole((sys + 2 * dia) / 3),
                pulse: None,
            }),
            ..Screen::default()
        })
}

/// The packets of a device that was asked.
fn shown(screens: &[Screen]) -> Vec<Vec<u8>> {
    let (_, events) = open(Medium::Datagram);
    let mut device = super::device::device(&DeviceOptions::default());
    let mut packets = Vec::new();
    device.receive(at(0), &sent(&events).concat(), &mut packets);
    for (turn, screen) in (0..).zip(screens) {
        device.present(at(turn * 2_000), screen, &mut packets);
    }
    packets
}

proptest! {
    #[test]
    fn what_the_device_shows_is_read_again(screens in prop::collection::vec(screen(), 1..6), cut in 1_usize..300) {
        let packets = shown(&screens);
        let (mut datagrams, mut whole) = open(Medium::Datagram);
        for packet in &packets {
            datagrams.receive(at(5), packet, &mut whole);
        }
        let (mut stream, mut pieces) = open(Medium::Stream);
        for piece in packets.concat().chunks(cut) {
            stream.receive(at(5), piece, &mut pieces);
        }
        prop_assert_eq!(&whole, &pieces);
        prop_assert!(faults(&whole).is_empty());
        let last = screens.last().unwrap();
        for parameter in [Parameter::Spo2, Parameter::Pr, Parameter::Hr, Parameter::Rr] {
            let seen = screens.iter().any(|screen| screen.reading(parameter).value().is_some());
            prop_assert_eq!(reading(&whole, parameter), seen.then(|| last.reading(parameter)));
        }
    }

    #[test]
    fn damage_costs_only_the_packets_it_hits(screens in prop::collection::vec(screen(), 3..4), cut in any::<prop::sample::Index>(), junk in prop::collection::vec(any::<u8>(), 0..200)) {
        let packets = shown(&screens);
        let place = packets[0].len() + cut.index(packets[1].len());
        let mut bytes = packets.concat();
        bytes.splice(place..place + 1, junk);
        let (mut session, mut events) = open(Medium::Stream);
        session.receive(at(5), &bytes, &mut events);
        session.closed(at(6), &mut events);
        let frames = events.iter().filter(|event| **event == Event::Frame).count();
        prop_assert!(frames >= 2, "{frames}");
    }

    #[test]
    fn garbage_never_panics_and_is_counted(bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
        for medium in [Medium::Stream, Medium::Datagram] {
            let (mut session, mut events) = open(medium);
            session.receive(at(10), &bytes, &mut events);
            session.closed(at(20), &mut events);
            prop_assert!(events.len() <= 8 + bytes.len());
        }
    }
}
