//! The oximeter as a whole: lines of the dossier, damage, the silence, the round trip.

mod streams;

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Events, Fault};
use super::super::session::{Session, SessionOptions};
use super::super::transcript::{alerts, faults, observed, sent, summary};
use super::PROTOCOL;
use super::line::LONGEST;
use crate::observation::{AlertPhase, DeviceAlert};
use crate::vocabulary::{Cause, Decimal, Doubt, Moment, Now, Parameter, Reading};
use proptest::prelude::*;

fn at(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        ..Now::default()
    }
}

fn session() -> Box<dyn Session> {
    (PROTOCOL.open)(&SessionOptions::default()).unwrap()
}

fn device() -> Box<dyn Device> {
    (PROTOCOL.device)(&DeviceOptions::default())
}

/// Everything said about a stream that comes in these pieces.
fn heard<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut session = session();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
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

/// Saturation and rate of every line.
fn pairs(events: &Events) -> Vec<[Reading; 2]> {
    let of = |parameter: Parameter| {
        observed(events)
            .into_iter()
            .filter(move |seen| seen.parameter == parameter.into())
            .map(|seen| seen.reading)
            .collect::<Vec<_>>()
    };
    of(Parameter::Spo2)
        .into_iter()
        .zip(of(Parameter::Pr))
        .map(|(spo2, rate)| [spo2, rate])
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

/// A line in the columns of an N-560: values with their stars, then codes.
fn line(spo2: &str, rate: &str, amplitude: &str, codes: &str) -> String {
    let value = |text: &str, width: usize| {
        let number = text.trim_end_matches('*');
        let star = if number.len() < text.len() { "*" } else { " " };
        format!("{number:>width$}{star}")
    };
    let text = format!(
        "02-Jan-26 10:20:30{}{}{amplitude:>7}    {codes}",
        value(spo2, 6),
        value(rate, 7)
    );
    format!("{text:<61}\r\n")
}

#[test]
fn a_line_is_read_at_its_own_time() {
    let events = heard([line("98", "71", "35", "").as_bytes()]);
    assert_eq!(
        readings(&events),
        [
            ("spo2".to_owned(), valid(98)),
            ("pr".to_owned(), valid(71)),
            ("vendor:nellcor-ascii:PA".to_owned(), valid(35)),
        ]
    );
    for seen in observed(&events) {
        assert_eq!(seen.measured_at.unwrap().iso8601(), "2026-01-02T10:20:30");
        assert_eq!(seen.message_at, seen.measured_at);
    }
    assert_eq!(summary(&events).frames, 1);
    assert_eq!(faults(&events), []);
}

#[test]
fn codes_decide_before_numbers() {
    let none = invalid(Cause::NotAvailable);
    let searching = invalid(Cause::Searching);
    for (spo2, rate, codes, expected) in [
        ("97", "72", "", [valid(97), valid(72)]),
        ("100", "300", "", [valid(100), valid(300)]),
        ("97", "72", "AS", [valid(97), valid(72)]),
        ("97", "72", "AO", [valid(97), valid(72)]),
        ("97", "72", "LB BU", [valid(97), valid(72)]),
        ("88*", "72", "   SL", [valid(88), valid(72)]),
        ("97", "40*", "PL AO", [valid(97), valid(40)]),
        ("88*", "72", "MO SL       AS", [poor(88), poor(72)]),
        ("---", "---", "", [none, none]),
        ("97", "---", "", [valid(97), none]),
        (
            "---",
            "---",
            "SD          AS",
            [invalid(Cause::SensorMissing); 2],
        ),
        ("---", "---", "SO", [invalid(Cause::ProbeOff); 2]),
        // The last known value stands beside a search, a lost pulse, a sensor that is off.
        ("96", "63", "PS", [searching; 2]),
        ("96", "63", "LP", [searching; 2]),
        ("96", "63", "LM", [searching; 2]),
        ("96", "63", "LM MO", [searching; 2]),
        ("96", "63", "SO", [invalid(Cause::ProbeOff); 2]),
        ("96", "63", "SD", [invalid(Cause::SensorMissing); 2]),
        // A zero is no reading, with a search or without.
        ("0", "0", "PS", [searching; 2]),
        ("0", "0", "", [invalid(Cause::Zero); 2]),
    ] {
        let text = line(spo2, rate, "---", codes);
        let events = heard([text.as_bytes()]);
        assert_eq!(pairs(&events), [expected], "{text}");
        assert_eq!(faults(&events), [], "{text}");
    }
}

#[test]
fn an_unknown_code_keeps_the_value_and_is_recorded() {
    let events = heard([line("97", "72", "30", "QQ AS ZZ").as_bytes()]);
    assert_eq!(pairs(&events), [[valid(97), valid(72)]]);
    assert_eq!(faults(&events), [Fault::UnknownCode; 2]);
}

#[test]
fn the_oximeters_alarms_begin_and_end() {
    let text = ["", "   SL", "   SL       AS", "SO          AS AO", ""]
        .map(|codes| line("88", "71", "35", codes))
        .concat();
    let events = heard([text.as_bytes()]);
    let said: Vec<_> = alerts(&events)
        .into_iter()
        .map(|alert| (&*alert.text, alert.phase))
        .collect();
    use AlertPhase::{End, Start};
    assert_eq!(
        said,
        [
            ("SpO2 below limit", Start),
            ("alarm silenced", Start),
            ("SpO2 below limit", End),
            ("alarms off", Start),
            ("alarm silenced", End),
            ("alarms off", End),
        ]
    );
}

#[test]
fn the_head_is_no_fault_and_its_limits_are_told_beside_the_values() {
    let head = "N-560    VERSION 1.56.00    CRC:XXXX  SpO2 Limit: 90-100%    PR Limit: 60-170BPM\r\n\
                             ADULT            0SAT-S\r\n\
                TIME                 %SpO2   BPM     PA     Status\r\n";
    let other = "N-595    VERSION 2.0    INFO CRC:1234 SEC:5678\r\n\
                 SPO2 RESP MODE: NORMAL\r\n";
    let text = [head, other, &line("97", "72", "---", "")].concat();
    let events = heard([text.as_bytes()]);
    let limit = |name: &str, value| (format!("vendor:nellcor-ascii:{name}"), valid(value));
    assert_eq!(
        readings(&events)[2..],
        [
            limit("spo2-limit-low", 90),
            limit("spo2-limit-high", 100),
            limit("pr-limit-low", 60),
            limit("pr-limit-high", 170),
        ]
    );
    assert_eq!(summary(&events).frames, 1);
    assert_eq!(summary(&events).discarded_bytes, 0);
    assert_eq!(faults(&events), []);

    let damaged = head.replace("90-100", "90-1o0");
    let text = [line("97", "72", "---", ""), damaged].concat();
    let events = heard([text.as_bytes()]);
    assert_eq!(faults(&events), [Fault::BadMessage]);
}

#[test]
fn a_damaged_line_is_dropped_whole() {
    let good = line("97", "72", "30", "MO SL       AS");
    for (from, to, fault) in [
        ("02-Jan-26", "2-Jan-26", Fault::BadMessage),
        ("02-Jan-26", "02-Jam-26", Fault::BadMessage),
        ("02-Jan-26", "31-Feb-26", Fault::BadTime),
        ("10:20:30", "24:20:30", Fault::BadTime),
        ("10:20:30", "10:20", Fault::BadMessage),
        ("  97", " 197", Fault::BadMessage),
        ("  97", "  9x", Fault::BadMessage),
        ("  97", "97**", Fault::BadMessage),
        ("   72", "  372", Fault::BadMessage),
        ("   30", "  255", Fault::BadMessage),
        ("   30", "     ", Fault::BadMessage),
        ("MO", "M ", Fault::BadMessage),
        ("MO", "Mo", Fault::BadMessage),
        ("MO", "MO8", Fault::BadMessage),
        ("SL", "S\u{9}", Fault::BadMessage),
        // A character too few or too many: a digit may be among them.
        ("  97", "   9", Fault::BadMessage),
        ("  97", " 97", Fault::BadMessage),
        ("72", "7", Fault::BadMessage),
    ] {
        assert!(good.contains(from));
        let bad = if (from, to) == ("  97", "   9") {
            // The digit is lost, and what follows moves up.
            good.replacen("97", "9", 1)
        } else {
            good.replacen(from, to, 1)
        };
        let stream = [good.as_str(), &bad, &good].concat();
        let events = heard([stream.as_bytes()]);
        assert_eq!(pairs(&events), [[poor(97), poor(72)]; 2], "{bad}");
        assert_eq!(faults(&events), [fault], "{bad}");
    }
}

#[test]
fn another_layout_is_believed_from_its_second_line_on() {
    let wide = line("97", "72", "30", "").replacen("  ", "    ", 1);
    // At opening any layout will do.
    assert_eq!(pairs(&heard([wide.as_bytes()])).len(), 1);
    let stream = [line("97", "72", "30", ""), wide.clone(), wide.clone(), wide].concat();
    let events = heard([stream.as_bytes()]);
    assert_eq!(pairs(&events).len(), 3);
    assert_eq!(faults(&events), [Fault::BadMessage]);
}

#[test]
fn a_silent_oximeter_is_sent_xon_ever_more_seldom_and_nothing_else() {
    let mut session = session();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    assert_eq!(sent(&events), Vec::<Vec<u8>>::new());
    let mut asked = Vec::new();
    while let Some(due) = session
        .deadline()
        .filter(|due| *due < Moment::from_secs(300))
    {
        session.expire(
            Now {
                moment: due,
                ..Now::default()
            },
            &mut events,
        );
        asked.push(due.as_micros() / 1_000_000);
    }
    assert_eq!(asked, [6, 18, 42, 90, 150, 210, 270]);
    assert_eq!(sent(&events), vec![vec![0x11]; asked.len()]);

    events.clear();
    session.receive(at(300), line("97", "72", "30", "").as_bytes(), &mut events);
    assert_eq!(session.deadline(), Some(Moment::from_secs(306)));
    session.receive(
        at(303),
        b"noise\r\nmore than enough noise for one line\r\n",
        &mut events,
    );
    assert_eq!(session.deadline(), Some(Moment::from_secs(306)));
    session.closed(at(304), &mut events);
    assert_eq!(session.deadline(), None);
    assert_eq!(sent(&events), Vec::<Vec<u8>>::new());
}

#[test]
fn a_printout_that_a_stray_xoff_stopped_is_resumed() {
    let mut device = device();
    let mut pages = Vec::new();
    device.receive(at(0), &[0x13], &mut Vec::new());
    device.present(at(0), &Screen::default(), &mut pages);
    assert!(pages.is_empty());
    device.receive(at(1), &[0x11], &mut Vec::new());
    device.present(at(2), &Screen::default(), &mut pages);
    assert_eq!(pages.len(), 1);
}

#[test]
fn an_endless_line_is_held_in_bounds() {
    let mut stream = vec![b'x'; 10 * LONGEST];
    stream.extend(b"\r\n");
    stream.extend(line("97", "72", "30", "").bytes());
    let events = heard(stream.chunks(50));
    assert_eq!(pairs(&events).len(), 1);
    assert_eq!(faults(&events), [Fault::Oversized]);
}
