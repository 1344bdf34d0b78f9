//! The protocol as a whole. The parts' own tests stand beside them.

mod alarms;
mod exchange;

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
        wall: WallTime::from_millis(1_772_359_200_000 + i64::try_from(millis).unwrap()),
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
