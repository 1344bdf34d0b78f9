//! What the device side shows is what the session reads.

use super::super::super::device::{CuffReading, CuffState, Screen};
use super::super::super::event::{Event, Events};
use super::super::request::{Request, physiological};
use super::{NOON, at, device, faults, heard, observed, present, sent, session, waves};
use crate::observation::{Finding, WaveChunk};
use crate::vocabulary::{Cause, Decimal, Doubt, Parameter, Reading};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn number(range: std::ops::RangeInclusive<i64>, scale: u8) -> BoxedStrategy<Reading> {
    let causes = vec![Cause::NotAvailable, Cause::OutOfRange, Cause::Calibrating];
    prop_oneof![
        4 => range.prop_map(move |value| Reading::Valid(Decimal::new(value, scale))),
        1 => prop::sample::select(causes).prop_map(Reading::Invalid),
    ]
    .boxed()
}

fn heart_rate() -> BoxedStrategy<Reading> {
    let doubtful = (1..=300_i64)
        .prop_map(|rate| Reading::Questionable(Decimal::whole(rate), Doubt::LowQuality));
    let causes = vec![Cause::ProbeOff, Cause::Starting, Cause::Artefact];
    prop_oneof![
        3 => number(1..=300, 0),
        1 => doubtful,
        1 => prop::sample::select(causes).prop_map(Reading::Invalid),
    ]
    .boxed()
}

/// The continuous numerics of a monitor with everything but a gas module.
fn numerics() -> impl Strategy<Value = BTreeMap<Parameter, Reading>> {
    let arterial = (30..=120_i64, 1..=150_i64, 10..=200_i64);
    (
        heart_rate(),
        number(100..=10_000, 2),
        number(1..=300, 0),
        number(1..=80, 0),
        number(1_000..=4_600, 2),
        arterial,
    )
        .prop_map(|(hr, spo2, pr, rr, temp, (dia, above, rate))| {
            let whole = |value| Reading::Valid(Decimal::whole(value));
            [
                (Parameter::Hr, hr),
                (Parameter::Spo2, spo2),
                (Parameter::Pr, pr),
                (Parameter::Rr, rr),
                (Parameter::Temp, temp),
                (Parameter::ArtSys, whole(dia + above)),
                (Parameter::ArtDia, whole(dia)),
                (Parameter::ArtMean, whole(dia + above / 3)),
                (Parameter::ArtPr, whole(rate)),
            ]
            .into()
        })
}

/// A screen on which everything has measured, so that every source speaks afterwards.
fn warm() -> Screen {
    let whole = |value| Reading::Valid(Decimal::whole(value));
    Screen {
        civil_ms: i64::from(NOON) * 1_000,
        numerics: [
            (Parameter::Hr, whole(70)),
            (Parameter::Spo2, whole(97)),
            (Parameter::Pr, whole(70)),
            (Parameter::Rr, whole(14)),
            (Parameter::Temp, whole(36)),
            (Parameter::ArtSys, whole(120)),
            (Parameter::ArtDia, whole(60)),
            (Parameter::ArtMean, whole(80)),
            (Parameter::ArtPr, whole(70)),
        ]
        .into(),
        ..Screen::default()
    }
}

fn asked(interval: i16) -> Vec<u8> {
    Request::Values {
        wanted: physiological::DISPLAYED,
        interval,
    }
    .frame()
}

/// The frames for these screens, one a second, each sent.
fn frames(screens: &[Screen]) -> Vec<Vec<u8>> {
    let mut device = device();
    device.receive(at(0), &asked(1), &mut Vec::new());
    (0..)
        .zip(screens)
        .flat_map(|(second, screen)| present(&mut *device, second, screen))
        .collect()
}

/// The events of the last frame.
fn last(events: &Events) -> Events {
    let last = events.iter().rposition(|event| *event == Event::Frame);
    events[last.unwrap()..].to_vec()
}

proptest! {
    #[test]
    fn what_the_monitor_shows_is_what_is_read(numerics in numerics(), size in 1_usize..400) {
        let screen = Screen { numerics, ..warm() };
        let stream = frames(&[warm(), screen.clone()]).concat();
        let events = heard(stream.chunks(size));
        prop_assert_eq!(faults(&events), []);
        let seen: BTreeMap<Parameter, Reading> = observed(&last(&events))
            .into_iter()
            .map(|seen| (seen.parameter.known().unwrap(), seen.reading))
            .collect();
        prop_assert_eq!(seen, screen.numerics);
    }

    #[test]
    fn carbon_dioxide_comes_back_within_the_resolution_of_the_wire(mmhg in 1..=1_000_i64) {
        let mut screen = warm();
        let etco2 = Decimal::new(mmhg, 1);
        screen.numerics.insert(Parameter::Etco2, Reading::Valid(etco2));
        let events = heard(frames(&[screen]).iter().map(Vec::as_slice));
        let read = observed(&events)
            .into_iter()
            .find(|seen| seen.parameter == Parameter::Etco2.into())
            .and_then(|seen| seen.reading.value())
            .unwrap();
        let off = read.minus(etco2).unwrap().rounded(1).unwrap();
        prop_assert!(off.abs() <= 1, "{} read as {}", etco2, read);
    }

    #[test]
    fn each_cuff_reading_is_read_once_at_its_time(
        pressures in prop::collection::vec((40..=100_i64, 20..=100_i64), 1..4),
        pause in 61..120_u32,
    ) {
        // A cuff cycle: 30 s measuring, then the pair, repeated every second until the next.
        let mut screens = Vec::new();
        let mut taken = Vec::new();
        let mut second = NOON;
        let mut last_reading = None;
        for (dia, above) in &pressures {
            for state in [CuffState::Measuring; 30] {
                screens.push((second, state, last_reading));
                second += 1;
            }
            let civil_ms = i64::from(second) * 1_000;
            taken.push((civil_ms, dia + above));
            last_reading = Some(CuffReading {
                civil_ms,
                sys: Decimal::whole(dia + above),
                dia: Decimal::whole(*dia),
                mean: Decimal::whole(dia + above / 3),
                pulse: Some(Decimal::whole(70)),
            });
            for _ in 0..pause {
                screens.push((second, CuffState::Idle, last_reading));
                second += 1;
            }
        }
        let screens: Vec<Screen> = screens
            .into_iter()
            .map(|(second, cuff, reading)| Screen {
                civil_ms: i64::from(second) * 1_000,
                cuff: Some(cuff),
                cuff_reading: reading,
                ..Screen::default()
            })
            .collect();
        let events = heard(frames(&screens).iter().map(Vec::as_slice));
        let mut seen: Vec<(i64, i64)> = observed(&events)
            .into_iter()
            .filter(|seen| seen.parameter == Parameter::NibpSys.into())
            .filter_map(|seen| {
                let value = seen.reading.value()?.rounded(0)?;
                Some((seen.measured_at?.civil_ms, value))
            })
            .collect();
        seen.dedup();
        prop_assert_eq!(seen, taken);
    }
}

#[test]
fn a_zero_on_the_screen_is_the_devices_own_finding() {
    let mut screen = warm();
    let zero = Reading::Valid(Decimal::ZERO);
    screen.numerics.insert(Parameter::Hr, zero);
    screen.numerics.insert(Parameter::Rr, zero);
    let etco2 = Reading::Valid(Decimal::whole(35));
    screen.numerics.insert(Parameter::Etco2, etco2);
    let events = heard(frames(&[screen]).iter().map(Vec::as_slice));
    let found = |parameter: Parameter| {
        observed(&events)
            .into_iter()
            .find(|seen| seen.parameter == parameter.into())
            .map(|seen| (seen.reading, seen.finding))
    };
    let none = Reading::Invalid(Cause::Zero);
    assert_eq!(found(Parameter::Hr), Some((none, Some(Finding::Asystole))));
    assert_eq!(found(Parameter::Rr), Some((none, Some(Finding::NoBreath))));
}

#[test]
fn a_stated_cuff_time_is_exact_and_a_failed_cuff_says_so() {
    let mut session = session(&[("aux", "true")]);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    let mut device = device();
    for request in sent(&events) {
        device.receive(at(0), &request, &mut Vec::new());
    }
    let mut screen = warm();
    screen.cuff = Some(CuffState::Idle);
    screen.cuff_reading = Some(CuffReading {
        civil_ms: screen.civil_ms - 7_000,
        sys: Decimal::whole(120),
        dia: Decimal::whole(70),
        mean: Decimal::whole(87),
        pulse: None,
    });
    let mut told = |second: u64, screen: &Screen| {
        events.clear();
        for frame in present(&mut *device, second, screen) {
            session.receive(at(second), &frame, &mut events);
        }
        observed(&events)
            .into_iter()
            .find(|seen| seen.parameter == Parameter::NibpSys.into())
            .map(|seen| {
                (
                    seen.reading,
                    seen.measured_at.unwrap().civil_ms - screen.civil_ms,
                )
            })
            .unwrap()
    };
    assert_eq!(told(0, &screen).1, -7_000);
    screen.cuff = Some(CuffState::Measuring);
    assert_eq!(told(5, &screen).0, Reading::Invalid(Cause::Measuring));
    screen.cuff = Some(CuffState::Failed);
    assert_eq!(told(10, &screen).0, Reading::Invalid(Cause::CuffFault));
}

#[test]
fn waves_come_when_asked_for_at_the_monitors_rate() {
    let mut device = device();
    let wave = |label: &str, rate_hz: u32, resolution: Decimal| WaveChunk {
        label: label.into(),
        rate_hz,
        resolution,
        unit: "",
        samples: (0..i32::try_from(rate_hz * 2).unwrap()).map(Some).collect(),
    };
    let screen = Screen {
        waves: vec![
            wave("ecg-II", 300, Decimal::new(1, 3)),
            wave("pleth", 50, Decimal::new(1, 1)),
            wave("resp", 25, Decimal::whole(1)),
        ],
        ..Screen::default()
    };
    assert_eq!(present(&mut *device, 0, &screen).len(), 0);
    // ECG twice is more than the line carries: the second is left out.
    let request = Request::Waves(vec![1, 8, 2, 3]);
    device.receive(at(0), &request.frame(), &mut Vec::new());
    let frames = present(&mut *device, 1, &screen);
    assert_eq!(frames.len(), 2, "two seconds, a second in each record");
    let events = heard(frames.iter().map(Vec::as_slice));
    assert_eq!(faults(&events), []);
    let mut heard: BTreeMap<&str, Vec<Option<i32>>> = BTreeMap::new();
    for chunk in waves(&events) {
        heard
            .entry(&chunk.label)
            .or_default()
            .extend(&chunk.samples);
    }
    assert_eq!(heard.keys().collect::<Vec<_>>(), [&"ecg-1", &"pleth"]);
    assert_eq!(heard["ecg-1"], (0..600).map(Some).collect::<Vec<_>>());
    let pleth: Vec<_> = (0..200).map(|at| Some(at / 2 * 10)).collect();
    assert_eq!(heard["pleth"], pleth);
    device.receive(at(2), &Request::Waves(vec![]).frame(), &mut Vec::new());
    assert_eq!(present(&mut *device, 3, &screen).len(), 0);
}
