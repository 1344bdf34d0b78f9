use super::super::device::{DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::session::{Session, SessionOptions};
use super::super::transcript::{alerts, faults, identities, observed, sent, waves};
use super::frame::encode;
use crate::observation::{AlertPhase, Finding, Identity, Observation};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Priority, Reading, Site};
use proptest::prelude::*;

/// The dossier's vectors: numerics, everything invalid, one sample of the curve with an escaped counter.
const NUMERICS: &[u8] = &[
    0x85, 0x1C, 0x01, 0x65, 0x53, 0xF1, 0x00, 0x26, 0x00, 0x0E, 0x61, 0x48, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x14, 0x3C, 0x0F, 0x1E, 0x05, 0x08, 0x64, 0x55, 0x8C, 0x32, 0x01, 0x00, 0x61,
];
const NO_BREATH: &[u8] = &[
    0x85, 0x1C, 0x01, 0x65, 0x53, 0xF1, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x20, 0x14, 0x3C, 0x0F, 0x1E, 0x05, 0x08, 0x64, 0x55, 0x8C, 0x32, 0x01, 0x00, 0xBE,
];
const SAMPLE: &[u8] = &[0x85, 0x05, 0x00, 0x80, 0x05, 0x26, 0x80, 0x00, 0x00, 0x26];

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        ..Now::default()
    }
}

fn session() -> (Box<dyn Session>, Events) {
    let mut session = super::session::open(&SessionOptions::default()).unwrap();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    (session, events)
}

fn read(bytes: &[u8]) -> Events {
    let (mut session, mut events) = session();
    events.clear();
    session.receive(at(10), bytes, &mut events);
    events
}

fn reading(events: &Events, parameter: Parameter) -> Reading {
    let all = observed(events);
    let last = all
        .iter()
        .rev()
        .find(|one| one.parameter.known() == Some(parameter));
    last.unwrap_or_else(|| panic!("{parameter:?} was not told"))
        .reading
}

fn whole(value: i64) -> Reading {
    Reading::Valid(Decimal::whole(value))
}

/// The first vector with other data bytes, by the vendor's numbers.
fn numerics(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut body = NUMERICS[2..30].to_vec();
    for (number, value) in changes {
        body[*number] = *value;
    }
    encode(&body)
}

#[test]
fn the_first_vector_is_a_normal_second() {
    let events = read(NUMERICS);
    assert_eq!(reading(&events, Parameter::Etco2), whole(38));
    assert_eq!(reading(&events, Parameter::Rr), whole(14));
    assert_eq!(reading(&events, Parameter::Spo2), whole(97));
    assert_eq!(reading(&events, Parameter::Pr), whole(72));
    let rate: Vec<&Observation> = observed(&events);
    let rate = rate
        .iter()
        .find(|one| one.parameter.known() == Some(Parameter::Rr))
        .unwrap();
    assert_eq!(rate.site, Some(Site::Airway));
    assert_eq!(rate.finding, None);
    assert_eq!(rate.measured_at.unwrap().iso8601(), "2023-11-14T22:13:20");
    assert_eq!(
        events
            .iter()
            .filter(|event| **event == Event::Frame)
            .count(),
        1
    );
    assert!(faults(&events).is_empty() && alerts(&events).is_empty());
    assert_eq!(encode(&NUMERICS[2..30]), NUMERICS);
}

#[test]
fn no_breath_is_a_finding_and_ff_is_never_a_number() {
    let events = read(NO_BREATH);
    for (parameter, cause) in [
        (Parameter::Etco2, Cause::NotAvailable),
        (Parameter::Rr, Cause::NotAvailable),
        (Parameter::Spo2, Cause::ProbeOff),
        (Parameter::Pr, Cause::ProbeOff),
    ] {
        assert_eq!(
            reading(&events, parameter),
            Reading::Invalid(cause),
            "{parameter:?}"
        );
    }
    let findings: Vec<_> = observed(&events)
        .iter()
        .filter_map(|one| one.finding)
        .collect();
    assert_eq!(findings, [Finding::NoBreath]);
    let told: Vec<_> = alerts(&events)
        .iter()
        .map(|one| (one.text.to_string(), one.priority, one.phase))
        .collect();
    assert_eq!(
        told,
        [
            (
                "no breath".to_owned(),
                Some(Priority::High),
                AlertPhase::Start
            ),
            (
                "oximeter sensor off the patient".to_owned(),
                None,
                AlertPhase::Start
            )
        ]
    );
    // A rate of zero beside the alarm is the same finding; without it, no value.
    let events = read(&numerics(&[(7, 0), (14, 1)]));
    assert_eq!(
        reading(&events, Parameter::Rr),
        Reading::Invalid(Cause::Zero)
    );
    assert!(
        observed(&events)
            .iter()
            .any(|one| one.finding == Some(Finding::NoBreath))
    );
    let events = read(&numerics(&[(7, 0)]));
    assert!(observed(&events).iter().all(|one| one.finding.is_none()));
}

#[test]
fn alarms_of_the_monitor_begin_and_end_once() {
    let frames = [numerics(&[(15, 4)]), numerics(&[(15, 4)]), numerics(&[])].concat();
    let events = read(&frames);
    let phases: Vec<_> = alerts(&events)
        .iter()
        .map(|one| (one.text.to_string(), one.phase))
        .collect();
    let text = "SpO2 below limit".to_owned();
    assert_eq!(
        phases,
        [(text.clone(), AlertPhase::Start), (text, AlertPhase::End)]
    );
}

#[test]
fn status_is_read_before_the_number() {
    for (bits, cause) in [
        (0x40, Cause::SensorMissing),
        (0x20, Cause::ProbeOff),
        (1, Cause::Searching),
    ] {
        let events = read(&numerics(&[(15, bits)]));
        assert_eq!(reading(&events, Parameter::Spo2), Reading::Invalid(cause));
        assert_eq!(reading(&events, Parameter::Etco2), whole(38));
    }
    for (status, cause) in [
        (0x40, Cause::SensorMissing),
        (0x80, Cause::SensorFault),
        (0x04, Cause::SensorFault),
        (0x02, Cause::Starting),
        (0x20, Cause::Calibrating),
    ] {
        let frames = [encode(&[0, 1, 0, 0, status]), numerics(&[])].concat();
        let events = read(&frames);
        assert_eq!(reading(&events, Parameter::Etco2), Reading::Invalid(cause));
        assert_eq!(reading(&events, Parameter::Rr), Reading::Invalid(cause));
        assert_eq!(reading(&events, Parameter::Spo2), whole(97));
    }
}

#[test]
fn carbon_dioxide_is_converted_by_its_unit_and_never_guessed() {
    // 5.1 kPa.
    let kpa = read(&numerics(&[(5, 51), (26, 2)]));
    let reading_of = |events| {
        reading(events, Parameter::Etco2)
            .value()
            .map(|value| value.to_string())
    };
    assert_eq!(reading_of(&kpa).as_deref(), Some("38.3"));
    for unit in [0, 3, 4] {
        let events = read(&numerics(&[(26, unit)]));
        assert_eq!(
            reading(&events, Parameter::Etco2),
            Reading::Invalid(Cause::UnknownUnit)
        );
    }
}

#[test]
fn a_monitor_without_an_oximeter_has_no_saturation() {
    let events = read(&numerics(&[(8, 0xFF), (9, 0xFF)]));
    assert!(
        observed(&events)
            .iter()
            .all(|one| one.parameter.known() != Some(Parameter::Spo2))
    );
    let zeros = read(&numerics(&[(8, 0), (9, 0)]));
    assert_eq!(
        reading(&zeros, Parameter::Spo2),
        Reading::Invalid(Cause::Zero)
    );
}

#[test]
fn a_message_of_another_length_is_refused_whole() {
    for body in [
        &NUMERICS[2..29],
        &[&NUMERICS[2..30], &[0]].concat(),
        &[][..],
        &[0, 1, 2],
    ] {
        let events = read(&[NUMERICS, &encode(body)].concat());
        assert_eq!(faults(&events), [Fault::BadLength]);
        assert_eq!(observed(&events).len(), observed(&read(NUMERICS)).len());
    }
}

#[test]
fn the_curve_keeps_its_scale_and_shows_its_gaps() {
    let mut stream = NUMERICS.to_vec();
    stream.extend_from_slice(SAMPLE);
    // Counter 0x86 is lost; an invalid sample; the rest.
    for (counter, status) in [(0x87, 0), (0x88, 1), (0x89, 0)] {
        stream.extend(encode(&[0, counter, 0x26, 0x80, status]));
    }
    let events = read(&stream);
    let chunk = waves(&events)[0];
    let counts = Some(38 * 256 + 128);
    assert_eq!(chunk.samples, [counts, None, counts, None, counts]);
    assert_eq!(
        (&*chunk.label, chunk.rate_hz, chunk.unit),
        ("co2", 20, "mmHg")
    );
    assert_eq!(chunk.resolution.to_string(), "0.00390625");
    assert_eq!(faults(&events), [Fault::Lost]);
}

#[test]
fn it_asks_until_it_is_answered_and_again_after_a_gap() {
    let (mut session, mut events) = session();
    let enable = [0x85, 0x01, 0x01, 0x00].to_vec();
    let start = [0x85, 0x01, 0x04, 0x05].to_vec();
    assert_eq!(sent(&events), std::slice::from_ref(&enable));
    events.clear();
    for turn in 1..4 {
        assert_eq!(session.deadline(), Some(at(turn * 500).moment));
        session.expire(at(turn * 500), &mut events);
    }
    assert_eq!(
        sent(&events),
        [enable.clone(), enable.clone(), enable.clone()]
    );
    events.clear();
    let answer = encode(b"\x04V05.02 03/17/2024 B501234567  ");
    session.receive(at(1_600), &answer, &mut events);
    assert_eq!(sent(&events), [start]);
    let device = Some("B501234567".into());
    assert_eq!(
        identities(&events),
        [&Identity {
            device: device.clone(),
            ..Identity::default()
        }]
    );
    assert_eq!(session.deadline(), Some(at(4_600).moment));
    events.clear();
    session.receive(at(2_000), NUMERICS, &mut events);
    assert_eq!(session.deadline(), Some(at(5_000).moment));
    session.expire(at(5_000), &mut events);
    assert_eq!(sent(&events), [enable]);
    // A patient is named, and is gone.
    events.clear();
    let mut patient = vec![2, 0, 0, 0, 0];
    patient.extend(b"K-204");
    patient.resize(29, 0);
    session.receive(at(5_100), &encode(&patient), &mut events);
    patient[5..].fill(0);
    session.receive(at(5_200), &encode(&patient), &mut events);
    let named: Vec<_> = identities(&events)
        .iter()
        .map(|one| one.patient.as_deref())
        .collect();
    assert_eq!(named, [Some("K-204"), None]);
    assert!(identities(&events).iter().all(|one| one.device == device));
}

#[test]
fn our_own_words_coming_back_are_no_sign_of_life() {
    let (mut session, mut events) = session();
    let echo = sent(&events).concat();
    session.receive(at(10), &echo, &mut events);
    assert_eq!(faults(&events), [Fault::BadAnswer]);
    assert!(!events.contains(&Event::Frame));
}

#[test]
fn nothing_that_could_change_a_monitor_is_ever_sent() {
    let (mut session, mut events) = session();
    for turn in 0..40_u64 {
        let due = session.deadline().unwrap();
        session.expire(
            Now {
                moment: due,
                ..Now::default()
            },
            &mut events,
        );
        if turn % 3 == 0 {
            session.receive(
                Now {
                    moment: due,
                    ..Now::default()
                },
                &encode(b"\x04V05.02 03/17/2024 B501234567  "),
                &mut events,
            );
        }
    }
    for bytes in sent(&events) {
        assert!(
            [&[0x85, 0x01, 0x01, 0x00][..], &[0x85, 0x01, 0x04, 0x05]].contains(&&*bytes),
            "{bytes:02x?}"
        );
    }
}

fn screen() -> impl Strategy<Value = Screen> {
    let value = |range: std::ops::RangeInclusive<i64>| {
        prop_oneof![
            4 => range.prop_map(whole),
            1 => prop_oneof![Just(Cause::ProbeOff), Just(Cause::SensorMissing), Just(Cause::Searching)].prop_map(Reading::Invalid),
        ]
    };
    let gas = |range: std::ops::RangeInclusive<i64>| prop_oneof![4 => range.prop_map(whole), 1 => Just(Reading::Invalid(Cause::NotAvailable))];
    (value(1..=100), value(20..=240), gas(1..=150), gas(1..=150)).prop_map(
        |(spo2, pr, etco2, rr)| Screen {
            civil_ms: 1_700_000_000_000,
            numerics: [
                (Parameter::Spo2, spo2),
                (Parameter::Pr, pr),
                (Parameter::Etco2, etco2),
                (Parameter::Rr, rr),
            ]
            .into(),
            ..Screen::default()
        },
    )
}

/// The frames of one second of a started device.
fn second(screen: &Screen) -> Vec<u8> {
    let mut device = super::device::device(&DeviceOptions::default());
    let mut replies = Vec::new();
    device.opened(at(0));
    for command in [0x01, 0x04] {
        device.receive(at(0), &encode(&[command]), &mut replies);
    }
    let mut frames = Vec::new();
    for turn in 0..20 {
        device.present(at(turn * 50), screen, &mut frames);
    }
    frames.concat()
}

proptest! {
    #[test]
    fn what_the_device_shows_is_read_again(screen in screen(), cut in 1_usize..40) {
        let bytes = second(&screen);
        let (mut session, mut events) = session();
        for piece in bytes.chunks(cut) {
            session.receive(at(10), piece, &mut events);
        }
        prop_assert!(faults(&events).is_empty(), "{:?}", faults(&events));
        for (parameter, shown) in &screen.numerics {
            // The oximeter's bits speak for both of its numbers.
            if *parameter == Parameter::Pr {
                let off = matches!(screen.reading(Parameter::Spo2), Reading::Invalid(_));
                let expected = if off { None } else { shown.value() };
                prop_assert_eq!(reading(&events, *parameter).value(), expected);
            } else {
                prop_assert_eq!(reading(&events, *parameter), *shown);
            }
        }
    }

    #[test]
    fn damage_costs_only_the_frames_it_hits(screen in screen(), place in 0_usize..500, bit in 0_u8..8, junk in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = second(&screen);
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        bytes.splice(place..place, junk);
        bytes.extend_from_slice(NUMERICS);
        let (mut session, mut events) = session();
        session.receive(at(10), NUMERICS, &mut events);
        session.receive(at(10), &bytes, &mut events);
        // The last good frame is always taken.
        prop_assert_eq!(reading(&events, Parameter::Etco2).value().is_some() || !faults(&events).is_empty(), true);
        prop_assert_eq!(reading(&events, Parameter::Spo2), whole(97));
    }

    #[test]
    fn garbage_never_panics_and_is_counted(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let (mut session, mut events) = session();
        session.receive(at(10), &bytes, &mut events);
        session.closed(at(1_000), &mut events);
        prop_assert!(events.len() <= 8 + bytes.len());
    }
}
