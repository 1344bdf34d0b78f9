//! What is sent and when, and the device side.

use super::*;

#[test]
fn only_the_echo_and_the_query_are_ever_sent() {
    let (mut session, mut events) = open();
    let mut clock = 0;
    while clock < 60_000 {
        let due = session.deadline().unwrap();
        clock = due.as_micros() / 1_000;
        session.expire(at(clock), &mut events);
        if clock > 30_000 {
            session.receive(at(clock), &values(&[row("160^SpO2", "97")]), &mut events);
        }
    }
    let echo = b"\x0BMSH|^~\\&|||||||ORU^R01|106|P|2.3.1|\r\x1C\r".to_vec();
    let (echoes, queries): (Vec<_>, Vec<_>) =
        sent(&events).into_iter().partition(|bytes| *bytes == echo);
    assert_eq!(echoes.len(), 61, "one a second, the first at once");
    // At 3, 13 and 23 s without an answer; then values flow.
    assert_eq!(queries.len(), 3);
    for (query, second) in queries.iter().zip(["03", "13", "23"]) {
        let text = String::from_utf8(query.clone()).unwrap();
        assert_eq!(
            text,
            format!(
                "\u{b}MSH|^~\\&|||||||QRY^R02|1203|P|2.3.1\r\
                 QRD|202603011000{second}|R|I|Q1|||||RES\r\
                 QRF|MON||||0&0^1^1^1^\rQRF|MON||||0&0^3^1^1^\rQRF|MON||||0&0^4^1^1^\r\u{1c}\r"
            )
        );
    }
    assert_eq!(
        faults(&events),
        [Fault::BadAnswer; 2],
        "queries that were not answered"
    );
}

#[test]
fn values_that_stop_are_asked_for_again_after_any_reconnect() {
    let (mut session, _) = open();
    let mut events = Events::new();
    let said = values(&[row("160^SpO2", "97")]);
    // Values that flow before we have asked are no answer to us.
    session.receive(at(2_000), &said, &mut Events::new());
    session.expire(at(3_000), &mut events);
    session.receive(at(4_000), &said, &mut Events::new());
    for second in 5..=34 {
        session.expire(at(second * 1_000), &mut events);
    }
    let queries = |events: &Events| {
        sent(events)
            .iter()
            .filter(|bytes| bytes.windows(3).any(|part| part == b"QRD"))
            .count()
    };
    assert_eq!(queries(&events), 2);
    session.closed(at(33_000), &mut events);
    assert_eq!(session.deadline(), None);
    events.clear();
    session.opened(at(40_000), &mut events);
    for second in 41..=43 {
        session.expire(at(second * 1_000), &mut events);
    }
    assert_eq!(queries(&events), 1);
}

#[test]
fn settings_are_checked() {
    for (option, good, bad) in [
        ("pressure-unit", "kPa", "bar"),
        ("co2-unit", "mmHg", "%"),
        ("temperature-unit", "F", "K"),
        ("charset", "umec-cyrillic", "utf-16"),
    ] {
        let spec = super::super::settings::OPTIONS
            .iter()
            .find(|spec| spec.name == option)
            .unwrap();
        assert!((spec.check)("", good).is_ok() && (spec.check)("", bad).is_err());
    }
}

fn screen() -> impl Strategy<Value = Screen> {
    let value = |range: std::ops::RangeInclusive<i64>| {
        prop_oneof![
            4 => range.prop_map(|value| Reading::Valid(Decimal::whole(value))),
            1 => Just(Reading::Invalid(Cause::NotAvailable)),
        ]
    };
    (
        value(1..=100),
        value(20..=240),
        value(20..=240),
        value(4..=60),
        value(5..=90),
        90_i64..=220,
        40_i64..=89,
    )
        .prop_map(|(spo2, pr, hr, rr, etco2, sys, dia)| Screen {
            civil_ms: 10_000_000,
            numerics: [
                (Parameter::Spo2, spo2),
                (Parameter::Pr, pr),
                (Parameter::Hr, hr),
                (Parameter::Rr, rr),
                (Parameter::Etco2, etco2),
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

/// What a device says to a client that has asked.
fn spoken(screens: &[Screen]) -> Vec<Vec<u8>> {
    let (mut session, mut events) = open();
    for second in 1..=3 {
        session.expire(at(second * 1_000), &mut events);
    }
    let mut device: Box<dyn Device> = super::super::device::device(&DeviceOptions::default());
    let mut messages = Vec::new();
    device.opened(at(0));
    device.receive(at(3_000), &sent(&events).concat(), &mut messages);
    for (turn, screen) in (0..).zip(screens) {
        device.present(at(3_000 + turn * 1_000), screen, &mut messages);
    }
    messages
}

#[test]
fn a_device_without_a_client_that_echoes_is_silent() {
    let mut device: Box<dyn Device> = super::super::device::device(&DeviceOptions::default());
    let mut messages = Vec::new();
    device.opened(at(0));
    device.present(at(1_000), &Screen::default(), &mut messages);
    assert!(messages.is_empty());
    let (_, events) = open();
    device.receive(at(1_000), &sent(&events).concat(), &mut messages);
    device.present(at(2_000), &Screen::default(), &mut messages);
    assert!(!messages.is_empty());
    messages.clear();
    device.present(at(40_000), &Screen::default(), &mut messages);
    assert!(messages.is_empty());
}

proptest! {
    #[test]
    fn what_the_device_shows_is_read_again(screens in prop::collection::vec(screen(), 1..5), cut in 1_usize..300) {
        let messages = spoken(&screens);
        let whole = told(&messages);
        let (mut session, _) = open();
        let mut pieces = Events::new();
        for piece in messages.concat().chunks(cut) {
            session.receive(at(10), piece, &mut pieces);
        }
        prop_assert_eq!(&whole, &pieces);
        prop_assert!(faults(&whole).is_empty());
        for (parameter, last) in &screens.last().unwrap().numerics {
            prop_assert_eq!(readings(&whole, *parameter).last().copied(), Some(*last));
        }
        let cuff = screens.last().unwrap().cuff_reading.unwrap();
        prop_assert_eq!(readings(&whole, Parameter::NibpSys).last().copied(), Some(Reading::Valid(cuff.sys)));
    }

    #[test]
    fn damage_costs_only_the_messages_it_hits(screens in prop::collection::vec(screen(), 3..4), cut in any::<prop::sample::Index>(), junk in prop::collection::vec(any::<u8>(), 0..200)) {
        let messages = spoken(&screens);
        let good = messages.len();
        let mut bytes = messages.concat();
        let place = cut.index(bytes.len());
        bytes.splice(place..place + 1, junk);
        bytes.extend(message(106, &[]));
        let (mut session, _) = open();
        let mut events = Events::new();
        session.receive(at(5), &bytes, &mut events);
        session.closed(at(6), &mut events);
        let frames = events.iter().filter(|event| **event == Event::Frame).count();
        // Junk can end one message and swallow the next one's beginning.
        prop_assert!(frames + 2 >= good, "{} of {}", frames, good);
    }

    #[test]
    fn garbage_never_panics_and_is_counted(bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
        let (mut session, _) = open();
        let mut events = Events::new();
        session.receive(at(10), &bytes, &mut events);
        session.closed(at(20), &mut events);
        prop_assert!(events.len() <= 8 + bytes.len());
    }
}
