use super::super::device::{CuffReading, Device, DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::session::{Medium, Session, SessionOptions};
use super::super::transcript::{alerts, faults, identities, observed, sent};
use super::session::framed;
use crate::observation::{AlertPhase, Identity};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading, WallTime};
use proptest::prelude::*;

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_millis(1_772_359_200_000 + millis as i64),
    }
}

fn open_with(options: &[(&str, &str)]) -> (Box<dyn Session>, Events) {
    let options = SessionOptions {
        medium: Medium::Stream,
        options: options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let mut session = super::session::open(&options).unwrap();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    (session, events)
}

fn open() -> (Box<dyn Session>, Events) {
    open_with(&[])
}

fn message(kind: u16, rows: &[&str]) -> Vec<u8> {
    let rows: String = rows.iter().map(|row| format!("{row}\r")).collect();
    framed(&format!("MSH|^~\\&|||||||ORU^R01|{kind}|P|2.3.1|\r{rows}"))
}

/// What messages say under some settings.
fn told_with(options: &[(&str, &str)], messages: &[Vec<u8>]) -> Events {
    let (mut session, _) = open_with(options);
    let mut events = Events::new();
    for message in messages {
        session.receive(at(10), message, &mut events);
    }
    events
}

fn told(messages: &[Vec<u8>]) -> Events {
    told_with(&[], messages)
}

/// A row of a value.
fn row(id: &str, value: &str) -> String {
    format!("OBX||NM|{id}|2101|{value}||||||F")
}

fn cuff_row(id: &str, value: &str, time: &str) -> String {
    format!("OBX||NM|{id}|2105|{value}||||||F||APERIODIC|{time}")
}

fn values(rows: &[String]) -> Vec<u8> {
    message(204, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

fn cuff(rows: &[String]) -> Vec<u8> {
    message(503, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

fn readings(events: &Events, parameter: Parameter) -> Vec<Reading> {
    observed(events)
        .iter()
        .filter(|one| one.parameter.known() == Some(parameter))
        .map(|one| one.reading)
        .collect()
}

fn whole(value: i64) -> Reading {
    Reading::Valid(Decimal::whole(value))
}

#[test]
fn a_value_is_known_by_its_number_and_never_by_its_name() {
    let events = told(&[values(&[
        row("101^\u{5fc3}\u{7387}", "60"),
        row("160^SpO2", "97"),
        row("0^RR", "16"),
        row("102^PVCs", "0"),
        row("151^HR", "14"),
        row("201^T2", "36.9"),
        row("200^T1", "36.8"),
    ])]);
    assert_eq!(readings(&events, Parameter::Hr), [whole(60)]);
    assert_eq!(readings(&events, Parameter::Spo2), [whole(97)]);
    assert_eq!(readings(&events, Parameter::Rr), [whole(14)]);
    assert_eq!(
        readings(&events, Parameter::Temp),
        [Reading::Valid(Decimal::new(368, 1))],
        "the second temperature is not the first"
    );
    let codes: Vec<String> = observed(&events)
        .iter()
        .filter(|one| one.parameter.known().is_none())
        .map(|one| one.parameter.to_string())
        .collect();
    assert_eq!(
        codes,
        [
            "vendor:mindray-pds:0",
            "vendor:mindray-pds:102",
            "vendor:mindray-pds:201"
        ]
    );
    assert!(faults(&events).is_empty());
}

#[test]
fn what_stands_for_no_value_is_never_a_number() {
    for (value, cause) in [
        ("-100", Cause::NotAvailable),
        ("-100.00", Cause::NotAvailable),
        ("-1000", Cause::NotAvailable),
        ("-10000", Cause::NotAvailable),
        ("", Cause::NotAvailable),
        ("\"\"", Cause::NotAvailable),
        ("0", Cause::Zero),
        ("-1", Cause::OutOfRange),
        ("32767", Cause::OutOfRange),
        ("abc", Cause::DeviceInvalid),
        ("1e2", Cause::DeviceInvalid),
    ] {
        for id in ["160^SpO2", "101^HR", "500^ART-Sys"] {
            let events = told(&[values(&[row(id, value)])]);
            let all = observed(&events);
            assert_eq!(all.len(), 1, "{value}");
            assert_eq!(all[0].reading, Reading::Invalid(cause), "{id} {value}");
        }
    }
    for (row, cause) in [
        ("OBX||NM|160^SpO2|2103|90||||||X", Cause::DeviceInvalid),
        ("OBX||NM|160^SpO2|2103|90||||||D", Cause::Withdrawn),
        ("OBX||NM|160^SpO2|2103|90||||||F||SETTING", Cause::Setting),
        ("OBX||NM|160^SpO2|2103|90|furlong|||||F", Cause::UnknownUnit),
    ] {
        let events = told(&[message(204, &[row])]);
        assert_eq!(
            readings(&events, Parameter::Spo2),
            [Reading::Invalid(cause)],
            "{row}"
        );
    }
    let test = framed("MSH|^~\\&|||||||ORU^R01|204|T|2.3.1|\rOBX||NM|160^SpO2|2103|90||||||F\r");
    assert_eq!(
        readings(&told(&[test]), Parameter::Spo2),
        [Reading::Invalid(Cause::Test)]
    );
}

#[test]
fn a_status_takes_a_value_away_and_never_gives_one() {
    let status = |status| {
        let row = format!("OBX||CE|2037^|160|{status}^||||||F");
        message(205, &[&row])
    };
    let events = told(&[values(&[row("160^SpO2", "97")]), status(3), status(2)]);
    assert_eq!(
        readings(&events, Parameter::Spo2),
        [whole(97), Reading::Invalid(Cause::NotAvailable)]
    );
}

#[test]
fn a_cuff_reading_is_known_by_the_monitors_time() {
    let pair = cuff(&[
        cuff_row("171^Dia", "80", "20070106191915"),
        cuff_row("172^Mean", "93", "20070106191915"),
        cuff_row("170^Sys", "120", "20070106191915"),
        // "None" behind the numbers takes nothing away.
        cuff_row("170^Sys", "-100", "00000000000000"),
    ]);
    let events = told(&[pair.clone(), pair]);
    assert_eq!(readings(&events, Parameter::NibpSys), [whole(120); 2]);
    assert_eq!(readings(&events, Parameter::NibpDia), [whole(80); 2]);
    assert_eq!(readings(&events, Parameter::NibpMean), [whole(93); 2]);
    assert!(
        observed(&events)
            .iter()
            .all(|one| one.measured_at.unwrap().iso8601() == "2007-01-06T19:19:15"),
        "a repeat keeps its time"
    );

    let none = told(&[cuff(&[cuff_row("170^Sys", "-100", "00000000000000")])]);
    assert_eq!(
        readings(&none, Parameter::NibpSys),
        [Reading::Invalid(Cause::NotAvailable)]
    );
    for time in ["", "00000000000000", "20071306191915"] {
        let ageless = told(&[cuff(&[cuff_row("170^Sys", "120", time)])]);
        assert_eq!(
            readings(&ageless, Parameter::NibpSys),
            [Reading::Invalid(Cause::Old)],
            "{time:?}"
        );
    }
    let twisted = told(&[cuff(&[
        cuff_row("170^Sys", "80", "20070106191915"),
        cuff_row("171^Dia", "120", "20070106191915"),
    ])]);
    assert_eq!(
        readings(&twisted, Parameter::NibpSys),
        [Reading::Invalid(Cause::OutOfRange)]
    );
}

#[test]
fn units_are_those_of_the_monitors_settings() {
    let messages = [values(&[
        row("220^EtCO2", "5.1"),
        row("500^ART-Sys", "16.0"),
        row("200^T1", "98.6"),
    ])];
    let all = [
        ("co2-unit", "kPa"),
        ("pressure-unit", "kPa"),
        ("temperature-unit", "F"),
    ];
    let events = told_with(&all, &messages);
    for (parameter, expected) in [
        (Parameter::Etco2, Decimal::new(383, 1)),
        (Parameter::ArtSys, Decimal::new(1_200, 1)),
        (Parameter::Temp, Decimal::new(370, 1)),
    ] {
        assert_eq!(
            readings(&events, parameter),
            [Reading::Valid(expected)],
            "{parameter:?}"
        );
    }
    // With the wrong settings no temperature that a patient can have comes out.
    assert_eq!(
        readings(&told(&messages), Parameter::Temp),
        [Reading::Invalid(Cause::OutOfRange)]
    );
}

#[test]
fn the_oximeters_pulse_rate_goes_before_the_other_one() {
    let events = told(&[
        values(&[row("600^PR", "70")]),
        values(&[row("161^PR", "71"), row("600^PR", "72")]),
        values(&[row("600^PR", "73")]),
    ]);
    assert_eq!(readings(&events, Parameter::Pr), [whole(70), whole(71)]);
}

#[test]
fn limits_are_shown_under_their_own_code_and_are_no_readings() {
    let events = told(&[message(
        51,
        &[
            "OBX||NM|2002^|160|100||||||F",
            "OBX||NM|2003^|160|90||||||F",
            "OBX||CE|2004^|160|1^||||||F",
        ],
    )]);
    let all: Vec<(String, Reading)> = observed(&events)
        .iter()
        .map(|one| (one.parameter.to_string(), one.reading))
        .collect();
    assert_eq!(
        all,
        [
            ("vendor:mindray-pds:2002.160".to_owned(), whole(100)),
            ("vendor:mindray-pds:2003.160".to_owned(), whole(90)),
        ]
    );
}

#[test]
fn alarms_begin_change_and_end() {
    let physiological = |rows: &[&str]| {
        let mut rows = rows.to_vec();
        rows.push("OBX||CE|2040^||0^||||||F");
        message(54, &rows)
    };
    let low = "OBX||CE|2|1|10076^**T1 Too Low||||||F|||20200418190201";
    let technical = message(
        56,
        &[
            "OBX||CE|4||205^SpO2 Sensor Off||||||F|",
            "OBX||CE|4||5^ECG Lead Off||||||F|",
            "OBX||CE|2041^||0^||||||F",
            // The end is told twice.
            "OBX||CE|2041^||0^||||||F",
        ],
    );
    let events = told(&[
        physiological(&[low]),
        physiological(&[low]),
        physiological(&["OBX||CE|2|1|10076^***T1 Too Low||||||F|||20200418190301"]),
        technical.clone(),
        technical,
        physiological(&[]),
    ]);
    let phases: Vec<_> = alerts(&events)
        .iter()
        .map(|one| (one.key.to_string(), one.text.to_string(), one.phase))
        .collect();
    let expected = [
        ("physiological:10076", "**T1 Too Low", AlertPhase::Start),
        ("physiological:10076", "***T1 Too Low", AlertPhase::Continue),
        ("technical:205", "SpO2 Sensor Off", AlertPhase::Start),
        ("technical:5", "ECG Lead Off", AlertPhase::Start),
        ("physiological:10076", "***T1 Too Low", AlertPhase::End),
    ]
    .map(|(key, text, phase)| (key.to_owned(), text.to_owned(), phase));
    assert_eq!(phases, expected);
    assert_eq!(
        alerts(&events)[0].at.unwrap().iso8601(),
        "2020-04-18T19:02:01"
    );
}

#[test]
fn a_list_without_its_end_ends_nothing() {
    let row = |code| format!("OBX||CE|4||{code}^Lead Off||||||F|");
    let end = "OBX||CE|2041^||0^||||||F";
    let events = told(&[
        message(56, &[&row(1), &row(2), end]),
        message(56, &[&row(1)]),
        message(56, &[&row(2), end]),
    ]);
    assert_eq!(alerts(&events).len(), 2, "{:?}", alerts(&events));
}

#[test]
fn patient_and_bed_are_told_and_a_discharge_too() {
    let admitted = message(
        103,
        &[
            "PID|||4711||DOE^TEST||19700101|M|",
            "PV1||I|^^ICU&1&3232237756&4601&&1|",
        ],
    );
    let discharged = message(103, &["PID|||\"\"||", "PV1||I|^^&&3232237756&4601&&0|"]);
    let events = told(&[admitted, discharged]);
    assert_eq!(
        identities(&events),
        [
            &Identity {
                bed: Some("ICU&1".into()),
                device: None,
                patient: Some("4711".into())
            },
            &Identity::default()
        ]
    );
}

#[test]
fn chinese_text_is_read_and_a_delimiter_inside_a_letter_moves_no_field() {
    // The second letter of the name ends in the byte of a field separator.
    let mut named = b"\x0BMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rOBX||NM|101^\xD0\xC4\x81\x7C|2101|60||||||F\r\x1C\r".to_vec();
    let events = told(&[named.clone()]);
    assert_eq!(readings(&events, Parameter::Hr), [whole(60)]);
    // A letter that was cut in half takes the separator with it: no number, and no wrong one.
    let place = named
        .windows(2)
        .position(|pair| pair == b"\x81\x7C")
        .unwrap();
    named.remove(place + 1);
    let events = told(&[named]);
    assert_eq!(
        readings(&events, Parameter::Hr),
        [Reading::Invalid(Cause::NotAvailable)]
    );
    let alarm =
        b"\x0BMSH|^~\\&|||||||ORU^R01|56|P|2.3.1|\rOBX||CE|4||205^\xD0\xC4\xC2\xCA||||||F|\r\x1C\r";
    assert_eq!(&*alerts(&told(&[alarm.to_vec()]))[0].text, "心率");
}

#[test]
fn waves_unknown_kinds_and_lines_by_lf_do_no_harm() {
    let mut waves = b"\x0BMSH|^~\\&|||||||ORU^R01|157|P|2.3.1|\rZMW|".to_vec();
    waves.extend((0..2_000_u32).map(|n| 0x80 | (n % 128) as u8));
    // No carriage return behind the end of the frame.
    waves.push(0x1C);
    let lines =
        b"\x0BMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\nOBX||NM|160^SpO2|2103|97||||||F\n\x1C\r";
    let events = told(&[
        waves,
        message(55, &["OBX||ST|1^||x||||||F"]),
        lines.to_vec(),
    ]);
    assert_eq!(observed(&events).len(), 1);
    assert!(faults(&events).is_empty(), "{:?}", faults(&events));
    let frames = events.iter().filter(|event| **event == Event::Frame);
    assert_eq!(frames.count(), 3);
}

#[test]
fn what_is_no_message_of_the_monitor_is_no_sign_of_life() {
    for (bytes, fault) in [
        (framed("hello"), Fault::BadMessage),
        (framed("M\0S\0H\0|\0"), Fault::BadCharset),
        (
            framed("MSH|^^~&|||||||ORU^R01|204|P|2.3.1|\r"),
            Fault::BadMessage,
        ),
        (
            framed("MSH|^~\\&|||||||ACK|204|P|2.3.1|\r"),
            Fault::Unsupported,
        ),
        (
            framed("MSH|^~\\&|||||||QRY^R02|1203|P|2.3.1|\r"),
            Fault::BadAnswer,
        ),
        (vec![0x0B; 3], Fault::Truncated),
    ] {
        let (mut session, _) = open();
        let mut events = Events::new();
        session.receive(at(1), &bytes, &mut events);
        session.closed(at(2), &mut events);
        assert_eq!(faults(&events), [fault]);
        assert!(!events.contains(&Event::Frame));
    }
    let two = framed(
        "MSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rOBX||NM|160^SpO2|2103|50||||||F\r",
    );
    let events = told(&[two]);
    assert!(observed(&events).is_empty());
    assert_eq!(faults(&events), [Fault::BadMessage]);
}

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
    session.receive(
        at(2_000),
        &values(&[row("160^SpO2", "97")]),
        &mut Events::new(),
    );
    let mut events = Events::new();
    for second in 3..=32 {
        session.expire(at(second * 1_000), &mut events);
    }
    let queries = |events: &Events| {
        sent(events)
            .iter()
            .filter(|bytes| bytes.windows(3).any(|part| part == b"QRD"))
            .count()
    };
    assert_eq!(queries(&events), 1);
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
        let spec = super::settings::OPTIONS
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
    let mut device: Box<dyn Device> = super::device::device(&DeviceOptions::default());
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
    let mut device: Box<dyn Device> = super::device::device(&DeviceOptions::default());
    let mut messages = Vec::new();
    device.opened(at(0));
    device.present(at(1_000), &Screen::default(), &mut messages);
    assert!(messages.is_empty());
    let (_, events) = open();
    device.receive(at(1_000), &sent(&events).concat(), &mut messages);
    device.present(at(2_000), &Screen::default(), &mut messages);
    assert!(!messages.is_empty());
    messages.clear();
    device.present(at(12_000), &Screen::default(), &mut messages);
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
