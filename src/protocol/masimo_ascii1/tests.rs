//! The oximeter as a whole: vectors of the dossier, damage, and the round trip with the device side.

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::session::{Session, SessionOptions};
use super::super::transcript::{alerts, faults, identities, observed, summary};
use super::PROTOCOL;
use super::line::LONGEST;
use crate::observation::{AlertPhase, DeviceAlert, Identity};
use crate::vocabulary::{Cause, Decimal, Doubt, Now, Parameter, ParameterId, Reading};
use proptest::prelude::*;

fn session() -> Box<dyn Session> {
    (PROTOCOL.open)(&SessionOptions::default()).unwrap()
}

/// Everything said about a stream that comes in these pieces.
fn heard<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut session = session();
    let mut events = Events::new();
    session.opened(Now::default(), &mut events);
    for piece in pieces {
        session.receive(Now::default(), piece, &mut events);
    }
    session.closed(Now::default(), &mut events);
    events
}

fn readings(events: &Events) -> Vec<(String, Reading)> {
    observed(events)
        .into_iter()
        .map(|seen| (seen.parameter.to_string(), seen.reading))
        .collect()
}

fn line(rest: &str) -> String {
    format!("01/02/26 10:20:30 SN=0000123456 {rest}\r\n")
}

/// The readings of one line with these exceptions.
fn under(exceptions: &str, numbers: &str) -> Vec<(String, Reading)> {
    let text = line(&format!("{numbers} ALARM=0000 EXC={exceptions}"));
    readings(&heard([text.as_bytes()]))
}

const NUMBERS: &str = "SPO2=097% BPM=080 PI=05.31%";

fn valid(value: &str) -> Reading {
    Reading::Valid(Decimal::parse(value.as_bytes()).unwrap())
}

#[test]
fn a_rad_8_line_is_three_readings_at_its_own_time() {
    let text = line(
        "SPO2=097% BPM=080 PI=05.31% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- \
                     ALARM=0000 EXC=000800",
    );
    let events = heard([text.as_bytes()]);
    assert_eq!(
        readings(&events),
        [
            ("spo2".to_owned(), valid("97")),
            ("pr".to_owned(), valid("80")),
            ("pi".to_owned(), valid("5.31")),
        ]
    );
    assert_eq!(events[0], Event::Frame);
    assert_eq!(
        events[1],
        Event::Identity(Identity {
            device: Some("0000123456".into()),
            ..Identity::default()
        })
    );
    let Event::Observation(spo2) = &events[2] else {
        panic!("{events:?}");
    };
    assert_eq!(spo2.measured_at.unwrap().iso8601(), "2026-01-02T10:20:30");
    assert_eq!(spo2.message_at, spo2.measured_at);
    assert_eq!(faults(&events), []);
}

#[test]
fn without_a_sensor_there_is_no_number_and_a_reason() {
    let missing = Reading::Invalid(Cause::SensorMissing);
    assert_eq!(
        under("000001", "SPO2=---% BPM=---"),
        [("spo2".to_owned(), missing), ("pr".to_owned(), missing)]
    );
    let unknown = Reading::Invalid(Cause::NotAvailable);
    assert_eq!(
        under("000000", "SPO2=---% BPM=--- PI=--.--%"),
        ["spo2", "pr", "pi"].map(|name| (name.to_owned(), unknown))
    );
}

#[test]
fn exceptions_decide_before_numbers() {
    let quality = |exceptions: &str| under(exceptions, NUMBERS)[0].1;
    let number = Decimal::whole(97);
    for (exceptions, reading) in [
        ("000800", Reading::Valid(number)),
        ("800", Reading::Valid(number)),
        ("0000C00", Reading::Questionable(number, Doubt::LowQuality)),
        ("000810", Reading::Questionable(number, Doubt::LowQuality)),
        ("000840", Reading::Questionable(number, Doubt::LowQuality)),
        ("000804", Reading::Questionable(number, Doubt::LowPerfusion)),
        ("000801", Reading::Invalid(Cause::SensorMissing)),
        ("001800", Reading::Invalid(Cause::SensorMissing)),
        ("000802", Reading::Invalid(Cause::SensorFault)),
        ("000880", Reading::Invalid(Cause::SensorFault)),
        ("010800", Reading::Invalid(Cause::SensorFault)),
        ("080800", Reading::Invalid(Cause::SensorFault)),
        ("000808", Reading::Invalid(Cause::Searching)),
        ("000820", Reading::Invalid(Cause::ProbeOff)),
        ("000828", Reading::Invalid(Cause::ProbeOff)),
        ("020800", Reading::Invalid(Cause::Starting)),
        ("200800", Reading::Valid(number)),
        ("042800", Reading::Valid(number)),
    ] {
        assert_eq!(quality(exceptions), reading, "EXC={exceptions}");
    }
}

#[test]
fn a_zero_is_never_a_saturation_or_a_rate() {
    let said = under("000800", "SPO2=000% BPM=000");
    assert_eq!(said[0].1, Reading::Invalid(Cause::Zero));
    assert_eq!(said[1].1, Reading::Invalid(Cause::Zero));
    assert_eq!(
        under("000820", "SPO2=000% BPM=000")[0].1,
        Reading::Invalid(Cause::ProbeOff)
    );
    // A line of the trend download has other keys and is no line of ours.
    let trend = "01/02/26 10:20:30 SN=0000123456 SpO2=000 PR=000 ALARM=00 EXC=820:OffPat,SET\r\n";
    let events = heard([
        line("SPO2=097 BPM=080 ALARM=00 EXC=800").as_bytes(),
        trend.as_bytes(),
    ]);
    assert_eq!(readings(&events).len(), 2);
    assert_eq!(faults(&events), [Fault::BadMessage]);
}

#[test]
fn other_numbers_keep_their_key() {
    let said = under(
        "200800",
        "SPO2=097 BPM=080 SPCO=02% SPHB=12.5 PVI=--- RESVD=---",
    );
    let code = |key: &str| format!("vendor:masimo-ascii1:{key}");
    let doubtful = Reading::Questionable(Decimal::whole(2), Doubt::LowQuality);
    assert_eq!(
        said[2..],
        [(code("SPCO"), doubtful), (code("SPHB"), valid("12.5"))]
    );
    let off = under("000820", "SPO2=--- BPM=--- SPHB=12.5");
    assert_eq!(off[2].1, Reading::Invalid(Cause::ProbeOff));
}

#[test]
fn alarm_bits_are_told_when_they_change() {
    let text = ["0000", "0012", "0012", "0022", "0000"]
        .map(|bits| line(&format!("{NUMBERS} ALARM={bits} EXC=002800")))
        .concat();
    let events = heard([text.as_bytes()]);
    let said: Vec<(&str, AlertPhase)> = alerts(&events)
        .into_iter()
        .map(|alert| (&*alert.text, alert.phase))
        .collect();
    let expected = [
        ("oximeter cable life expired", AlertPhase::Start),
        ("SpO2 below limit", AlertPhase::Start),
        ("an alarm is active", AlertPhase::Start),
        ("an alarm is active", AlertPhase::End),
        ("alarms silenced", AlertPhase::Start),
        ("SpO2 below limit", AlertPhase::End),
        ("alarms silenced", AlertPhase::End),
    ];
    assert_eq!(said, expected);
}

#[test]
fn one_flipped_digit_is_not_another_device() {
    let serial = |serial: &str| {
        line(&format!("{NUMBERS} ALARM=0000 EXC=000800")).replace("0000123456", serial)
    };
    let text = [
        "0000123456",
        "0000123457",
        "0000123456",
        "0000999999",
        "0000999999",
    ]
    .map(serial)
    .concat();
    let events = heard([text.as_bytes()]);
    let said: Vec<&str> = identities(&events)
        .into_iter()
        .filter_map(|identity| identity.device.as_deref())
        .collect();
    let known = "0000123456";
    assert_eq!(said, [known, known, known, known, "0000999999"]);
}

#[test]
fn any_line_end_will_do_and_the_first_piece_may_be_cut() {
    let good = line("SPO2=097 BPM=080 ALARM=00 EXC=800");
    let good = good.trim_end();
    for end in ["\r\n", "\n\r", "\n", "\r", "\r\n\r\n"] {
        let cut = "PO2=098 BPM=081 ALARM=00 EXC=800";
        let text = format!("\0\0{cut}{end}\0\0{good}{end}{good}{end}");
        let events = heard([text.as_bytes()]);
        assert_eq!(faults(&events), [], "{end:?}");
        assert_eq!(summary(&events).frames, 2, "{end:?}");
        assert_eq!(summary(&events).discarded_bytes, cut.len() as u64);
    }
    // A first line that is whole is taken.
    let events = heard([format!("{good}\n").as_bytes()]);
    assert_eq!(summary(&events).frames, 1);
}

#[test]
fn a_line_without_its_end_is_not_taken() {
    let good = line("SPO2=097 BPM=080 ALARM=00 EXC=800");
    let text = format!("{good}{}", good.trim_end());
    let events = heard([text.as_bytes()]);
    assert_eq!(summary(&events).frames, 1);
    assert_eq!(faults(&events), [Fault::Truncated]);
}

#[test]
fn an_endless_line_is_one_fault_and_held_in_bounds() {
    let mut session = session();
    let mut events = Events::new();
    session.opened(Now::default(), &mut events);
    for _ in 0..1_000 {
        session.receive(Now::default(), &[b'x'; 1_000], &mut events);
    }
    assert_eq!(faults(&events), [Fault::Oversized]);
    assert!(events.len() < 300, "{} events", events.len());
    session.receive(Now::default(), b"\n", &mut events);
    session.receive(
        Now::default(),
        line("SPO2=097 BPM=080 ALARM=00 EXC=800").as_bytes(),
        &mut events,
    );
    let summary = summary(&events);
    assert_eq!((summary.frames, summary.discarded_bytes), (1, 1_000_000));
}

/// A screen that a Masimo oximeter can have.
fn screens() -> impl Strategy<Value = Screen> {
    let cause = prop::sample::select(vec![
        Cause::ProbeOff,
        Cause::SensorMissing,
        Cause::SensorFault,
        Cause::Searching,
        Cause::Starting,
        Cause::NotAvailable,
    ]);
    let doubt = prop::option::of(prop::sample::select(vec![
        Doubt::LowPerfusion,
        Doubt::LowQuality,
    ]));
    let state = prop_oneof![3 => doubt.prop_map(Ok), 1 => cause.prop_map(Err)];
    let numbers = (1..=100_i64, prop::option::of(1..=300_i64), 0..=2_000_i64);
    let times = 946_684_800_i64..4_102_444_800;
    let alerts = prop::sample::subsequence(super::ALARM_BITS.to_vec(), 0..4);
    (state, numbers, times, alerts).prop_map(|(state, (spo2, pr, pi), second, alerts)| {
        let reading = |value: Decimal| match state {
            Ok(None) => Reading::Valid(value),
            Ok(Some(doubt)) => Reading::Questionable(value, doubt),
            Err(cause) => Reading::Invalid(cause),
        };
        let missing = match state {
            Ok(_) => Reading::Invalid(Cause::NotAvailable),
            Err(cause) => Reading::Invalid(cause),
        };
        let rate = pr.map_or(missing, |pr| reading(Decimal::whole(pr)));
        Screen {
            civil_ms: second * 1_000,
            numerics: [
                (Parameter::Spo2, reading(Decimal::whole(spo2))),
                (Parameter::Pr, rate),
                (Parameter::Pi, reading(Decimal::new(pi, 2))),
            ]
            .into(),
            alerts: alerts
                .into_iter()
                .map(|(_, text)| DeviceAlert {
                    key: text.into(),
                    priority: None,
                    phase: AlertPhase::Present,
                    text: text.into(),
                    at: None,
                })
                .collect(),
            ..Screen::default()
        }
    })
}

fn printed(screens: &[Screen]) -> Vec<Vec<u8>> {
    let mut device: Box<dyn Device> = (PROTOCOL.device)(&DeviceOptions::default());
    let mut sent = Vec::new();
    for screen in screens {
        device.present(Now::default(), screen, &mut sent);
    }
    sent
}

proptest! {
    #[test]
    fn what_the_oximeter_shows_is_what_is_read(screens in prop::collection::vec(screens(), 1..6)) {
        let sent = printed(&screens);
        let events = heard(sent.iter().map(Vec::as_slice));
        prop_assert_eq!(faults(&events), []);
        let seen = observed(&events);
        prop_assert_eq!(seen.len(), 3 * screens.len());
        for (screen, seen) in screens.iter().zip(seen.chunks(3)) {
            for observation in seen {
                let ParameterId::Known(parameter) = observation.parameter else {
                    panic!("{observation:?}");
                };
                prop_assert_eq!(observation.reading, screen.numerics[&parameter]);
                prop_assert_eq!(observation.measured_at.unwrap().civil_ms, screen.civil_ms);
            }
        }
    }

    #[test]
    fn pieces_of_any_size_say_the_same(
        screens in prop::collection::vec(screens(), 1..4),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        size in 1_usize..80,
    ) {
        let mut stream = noise;
        stream.extend(printed(&screens).concat());
        let whole = heard([stream.as_slice()]);
        prop_assert_eq!(&heard(stream.chunks(size)), &whole);
        prop_assert_eq!(&heard(stream.chunks(1)), &whole);
    }

    #[test]
    fn garbage_between_lines_costs_only_itself(
        screen in screens(),
        garbage in prop::collection::vec(any::<u8>(), 1..700),
    ) {
        let good = printed(std::slice::from_ref(&screen)).concat();
        let stream = [&good[..], &garbage, b"\n", &good, &good].concat();
        let events = heard([stream.as_slice()]);
        let summary = summary(&events);
        prop_assert_eq!(summary.frames, 3);
        prop_assert_eq!(summary.observations, 9);
        let ends_or_nuls = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        if !garbage.iter().all(ends_or_nuls) {
            prop_assert!(!summary.faults.is_empty());
        }
    }

    #[test]
    fn a_cut_line_is_never_taken(screen in screens(), at in 1_usize..90) {
        let good = printed(std::slice::from_ref(&screen)).concat();
        let body = good.len() - 2;
        prop_assume!(at < body);
        // The line lost its end, and the next one follows at once.
        let stream = [&good[..], &good[..at], &good, &good].concat();
        let frames = summary(&heard([stream.as_slice()])).frames;
        prop_assert_eq!(frames, 2);
    }

    #[test]
    fn a_flipped_bit_never_breaks_the_next_line(
        screen in screens(),
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let good = printed(std::slice::from_ref(&screen)).concat();
        let mut flipped = good.clone();
        flipped[at.index(good.len() - 2)] ^= 1_u8 << bit;
        let stream = [&good[..], &flipped, &good].concat();
        let events = heard([stream.as_slice()]);
        let seen = observed(&events);
        let last: Vec<_> = seen.iter().rev().take(3).rev().collect();
        let first: Vec<_> = seen.iter().take(3).collect();
        prop_assert_eq!(first, last);
    }
}

#[test]
fn a_megabyte_of_noise_says_little_and_the_next_line_is_taken() {
    let mut state = 1_u64;
    let mut stream: Vec<u8> = (0..1 << 20)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    stream.push(b'\n');
    stream.extend(line("SPO2=097 BPM=080 ALARM=00 EXC=800").bytes());
    let events = heard(stream.chunks(4_096));
    let summary = summary(&events);
    assert_eq!(summary.frames, 1);
    assert!(!summary.faults.is_empty());
    assert!(
        events.len() < stream.len() / LONGEST * 8,
        "{}",
        events.len()
    );
}
