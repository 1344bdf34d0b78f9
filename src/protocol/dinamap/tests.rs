use super::super::device::{CuffReading, CuffState, DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::session::{Session, SessionOptions};
use super::super::transcript::{faults, observed, sent};
use super::message::{Question, check, message};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading, WallTime};
use proptest::prelude::*;

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_millis(1_000_000 + i64::try_from(millis).unwrap()),
    }
}

fn open() -> (Box<dyn Session>, Events) {
    let mut session = super::session::open(&SessionOptions::default()).unwrap();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    (session, events)
}

/// Answers the questions of one round in their order.
fn round(cuff: &[u8], oximeter: &[u8], rate: &[u8]) -> Events {
    let (mut session, mut events) = open();
    session.receive(at(10), cuff, &mut events);
    session.receive(at(20), oximeter, &mut events);
    session.receive(at(30), rate, &mut events);
    events
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

const CUFF: &[u8] = b"1100042128076094";
const OXIMETER: &[u8] = b"1097708";
const RATE: &[u8] = b"2072";

fn good() -> Events {
    round(
        &message(b"NA", CUFF),
        &message(b"OA", OXIMETER),
        &message(b"RA", RATE),
    )
}

#[test]
fn the_dossiers_check_characters() {
    for (text, expected) in [
        (&b" NA"[..], b"!2"),
        (b" OA", b"!3"),
        (b" RA", b"!6"),
        (b" RC", b"!8"),
        (b" TC", b"!:"),
        (b" NC0", b"!E"),
        (b" ND", b"!5"),
    ] {
        assert_eq!(&check(text), expected, "{text:?}");
    }
}

#[test]
fn only_results_are_asked_for_and_a_cuff_is_never_touched() {
    let (mut session, mut events) = open();
    for _ in 0..50 {
        let due = session.deadline().unwrap();
        session.expire(
            Now {
                moment: due,
                ..at(0)
            },
            &mut events,
        );
    }
    let asked = sent(&events);
    assert!(asked.len() > 40);
    for bytes in asked {
        assert!(
            [&b"\r NA!2\r"[..], b"\r OA!3\r", b"\r RA!6\r"].contains(&&*bytes),
            "{bytes:?}"
        );
    }
    assert_eq!(
        faults(&events),
        [Fault::BadAnswer],
        "a run of silence is one fault"
    );
}

#[test]
fn one_round_is_read_and_asked_in_order() {
    let events = good();
    assert_eq!(reading(&events, Parameter::NibpSys), whole(128));
    assert_eq!(reading(&events, Parameter::NibpDia), whole(76));
    assert_eq!(reading(&events, Parameter::NibpMean), whole(94));
    assert_eq!(reading(&events, Parameter::Spo2), whole(97));
    assert_eq!(reading(&events, Parameter::Pr), whole(72));
    assert_eq!(reading(&events, Parameter::NibpPr), None);
    let questions: Vec<_> = sent(&events)
        .iter()
        .map(|bytes| bytes[2..4].to_vec())
        .collect();
    assert_eq!(questions, [b"NA", b"OA", b"RA"]);
    assert!(faults(&events).is_empty());
    let all = observed(&events);
    let sys = all
        .iter()
        .find(|one| one.parameter.known() == Some(Parameter::NibpSys))
        .unwrap();
    assert_eq!(
        sys.message_at
            .unwrap()
            .millis_since(sys.measured_at.unwrap()),
        42_000
    );
}

#[test]
fn a_rate_from_the_cuff_is_as_old_as_its_reading() {
    let events = round(
        &message(b"NA", CUFF),
        &message(b"OA", b"0000000"),
        &message(b"RA", b"3070"),
    );
    assert_eq!(reading(&events, Parameter::Pr), None);
    assert_eq!(
        reading(&events, Parameter::Spo2),
        None,
        "an oximeter that never measured is no source"
    );
    let all = observed(&events);
    let time = |parameter| {
        all.iter()
            .find(|one| one.parameter.known() == Some(parameter))
            .unwrap()
            .measured_at
    };
    assert_eq!(time(Parameter::NibpPr), time(Parameter::NibpSys));
    for none in [&b"2000"[..], b"2-99"] {
        let events = round(
            &message(b"NA", CUFF),
            &message(b"OA", OXIMETER),
            &message(b"RA", none),
        );
        assert_eq!(
            reading(&events, Parameter::Pr),
            Some(Reading::Invalid(Cause::NotAvailable))
        );
    }
}

#[test]
fn states_come_before_numbers() {
    for (data, cause) in [
        (&b"0100099128076094"[..], Cause::Measuring),
        (b"3100099128076094", Cause::CuffFault),
        (b"4100099128076094", Cause::CuffFault),
        (b"9100099128076094", Cause::CuffFault),
    ] {
        let events = round(&message(b"NA", data), b"", b"");
        assert_eq!(
            reading(&events, Parameter::NibpSys),
            Some(Reading::Invalid(cause)),
            "{data:?}"
        );
    }
    for none in [&b"1109999000000000"[..], b"1100010000000000"] {
        assert_eq!(
            reading(&round(&message(b"NA", none), b"", b""), Parameter::NibpSys),
            None
        );
    }
    let crossed = round(&message(b"NA", b"1100042076128094"), b"", b"");
    assert_eq!(
        reading(&crossed, Parameter::NibpSys),
        Some(Reading::Invalid(Cause::OutOfRange))
    );
    let (mut session, mut events) = open();
    for (turn, (data, expected)) in [
        (OXIMETER, whole(97)),
        (b"3097708", Some(Reading::Invalid(Cause::ProbeOff))),
        (b"6000000", Some(Reading::Invalid(Cause::SensorMissing))),
        (b"0097000", Some(Reading::Invalid(Cause::NotAvailable))),
        (b"1000000", Some(Reading::Invalid(Cause::Zero))),
    ]
    .into_iter()
    .enumerate()
    {
        let start = turn as u64 * 2_000;
        session.receive(at(start + 10), &message(b"NA", CUFF), &mut events);
        session.receive(at(start + 20), &message(b"OA", data), &mut events);
        session.receive(at(start + 30), &message(b"RA", RATE), &mut events);
        session.expire(at(start + 2_000), &mut events);
        assert_eq!(reading(&events, Parameter::Spo2), expected);
    }
}

#[test]
fn check_characters_once_seen_are_demanded() {
    let bare = |letters: &[u8; 2], data: &[u8]| [b" ", &letters[..], data, b"\r"].concat();
    let events = round(
        &bare(b"NA", CUFF),
        &bare(b"OA", OXIMETER),
        &bare(b"RA", RATE),
    );
    assert_eq!(
        reading(&events, Parameter::Spo2),
        whole(97),
        "a monitor without them is read"
    );
    let events = round(&message(b"NA", CUFF), &bare(b"OA", OXIMETER), b"");
    assert_eq!(reading(&events, Parameter::Spo2), None);
    assert_eq!(faults(&events), [Fault::BadChecksum]);
    // One character more than the fields, then the check.
    let longer = [CUFF, b"0"].concat();
    let events = round(&message(b"NA", &longer), &bare(b"OA", OXIMETER), b"");
    assert_eq!(reading(&events, Parameter::NibpSys), whole(128));
    assert_eq!(faults(&events), [Fault::BadChecksum]);
}

#[test]
fn answers_to_somebody_else_late_ones_and_refusals_are_not_taken() {
    let (mut session, mut events) = open();
    session.receive(at(5), &message(b"NA", CUFF), &mut events);
    events.clear();
    session.receive(at(10), &message(b"RA", RATE), &mut events);
    session.receive(at(20), b" ?A!2\r", &mut events);
    session.receive(at(30), b" OA\r", &mut events);
    assert_eq!(
        faults(&events),
        [Fault::BadAnswer, Fault::BadAnswer, Fault::BadMessage]
    );
    assert!(!events.contains(&Event::Frame) && observed(&events).is_empty());
    // Given up after a second; the late answer then belongs to no question.
    let due = session.deadline().unwrap();
    assert_eq!(due, at(1_005).moment);
    events.clear();
    session.expire(at(1_005), &mut events);
    assert_eq!(sent(&events), [Question::Rate.bytes()]);
    session.receive(at(1_100), &message(b"OA", OXIMETER), &mut events);
    assert_eq!(reading(&events, Parameter::Spo2), None);
}

#[test]
fn our_own_question_coming_back_is_no_sign_of_life() {
    let (mut session, mut events) = open();
    let echo = sent(&events).concat();
    session.receive(at(5), b"\r", &mut events);
    session.receive(at(6), &echo, &mut events);
    session.receive(at(7), &echo, &mut events);
    assert!(!events.contains(&Event::Frame));
    assert!(!faults(&events).is_empty());
}

fn screen() -> impl Strategy<Value = Screen> {
    let spo2 = prop_oneof![
        4 => (1_i64..=100).prop_map(|value| Reading::Valid(Decimal::whole(value))),
        1 => prop_oneof![Just(Cause::ProbeOff), Just(Cause::SensorMissing)].prop_map(Reading::Invalid),
    ];
    let cuff = prop_oneof![
        Just(CuffState::Idle),
        Just(CuffState::Measuring),
        Just(CuffState::Failed)
    ];
    (
        spo2,
        20_i64..=240,
        cuff,
        100_i64..=220,
        40_i64..=95,
        0_i64..=5_000,
    )
        .prop_map(|(spo2, pr, cuff, sys, dia, age)| Screen {
            civil_ms: 10_000_000,
            numerics: [
                (Parameter::Spo2, spo2),
                (Parameter::Pr, Reading::Valid(Decimal::whole(pr))),
            ]
            .into(),
            cuff: Some(cuff),
            cuff_reading: Some(CuffReading {
                civil_ms: 10_000_000 - age * 1_000,
                sys: Decimal::whole(sys),
                dia: Decimal::whole(dia),
                mean: Decimal::whole((sys + 2 * dia) / 3),
                pulse: Some(Decimal::whole(pr)),
            }),
            ..Screen::default()
        })
}

/// A whole round between a session and a device, in pieces of `cut` bytes, with `damage` done to the answers.
fn talk(screen: &Screen, cut: usize, damage: impl Fn(&mut Vec<u8>)) -> Events {
    let mut device = super::device::device(&DeviceOptions::default());
    device.present(at(0), screen, &mut Vec::new());
    let (mut session, mut events) = open();
    let mut told = Events::new();
    for turn in 0..8 {
        let mut replies = Vec::new();
        for question in sent(&events) {
            device.receive(at(turn), &question, &mut replies);
        }
        told.append(&mut events);
        for mut reply in replies {
            damage(&mut reply);
            for piece in reply.chunks(cut) {
                session.receive(at(turn), piece, &mut events);
            }
        }
    }
    told.append(&mut events);
    told
}

proptest! {
    #[test]
    fn what_the_device_shows_is_read_again(screen in screen(), cut in 1_usize..30) {
        let events = talk(&screen, cut, |_| {});
        prop_assert!(faults(&events).is_empty());
        let shown = screen.cuff_reading.unwrap();
        let (sys, pulse) = (reading(&events, Parameter::NibpSys).unwrap(), reading(&events, Parameter::Pr));
        match screen.cuff.unwrap() {
            CuffState::Idle => prop_assert_eq!(sys, Reading::Valid(shown.sys)),
            CuffState::Measuring => prop_assert_eq!(sys, Reading::Invalid(Cause::Measuring)),
            CuffState::Failed => prop_assert_eq!(sys, Reading::Invalid(Cause::CuffFault)),
        }
        prop_assert_eq!(pulse, Some(screen.reading(Parameter::Pr)));
        let spo2 = screen.reading(Parameter::Spo2);
        prop_assert_eq!(reading(&events, Parameter::Spo2), spo2.value().map(Reading::Valid));
    }

    #[test]
    fn a_flipped_bit_is_never_a_wrong_value(screen in screen(), place in 0_usize..40, bit in 0_u8..8) {
        // The first answer shows that this monitor sends check characters.
        let mut device = super::device::device(&DeviceOptions::default());
        device.present(at(0), &screen, &mut Vec::new());
        let (mut session, mut events) = open();
        let mut replies = Vec::new();
        device.receive(at(0), &Question::Cuff.bytes(), &mut replies);
        session.receive(at(1), &replies.concat(), &mut events);
        replies.clear();
        device.receive(at(2), &Question::Oximeter.bytes(), &mut replies);
        let mut bytes = replies.concat();
        let place = place % (bytes.len() - 1);
        bytes[place] ^= 1 << bit;
        session.receive(at(3), &bytes, &mut events);
        let told = reading(&events, Parameter::Spo2);
        prop_assert!(told.is_none() || told == Some(screen.reading(Parameter::Spo2)), "{told:?}");
    }

    #[test]
    fn garbage_never_panics_and_is_counted(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let (mut session, mut events) = open();
        session.receive(at(10), &bytes, &mut events);
        session.closed(at(20), &mut events);
        prop_assert!(events.len() <= 8 + bytes.len());
        prop_assert!(!events.contains(&Event::Frame) || bytes.contains(&b'A'));
    }
}
