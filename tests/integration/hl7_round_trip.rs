//! What the simulated monitor shows is what the session reads.

use super::hl7_rig::{Rig, at, faults, identities, observations, sent, waves};
use infusewatch::observation::{DeviceTime, Identity, WaveChunk};
use infusewatch::protocol::{
    CuffReading, CuffState, Device, DeviceOptions, Event, Events, Screen, find,
};
use infusewatch::vocabulary::{Cause, Decimal, Parameter, ParameterId, Reading};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

fn device(options: &[(&str, &str)], identity: Identity) -> Box<dyn Device> {
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    (find("hl7-mllp").unwrap().device)(&DeviceOptions { options, identity })
}

fn present(device: &mut dyn Device, screen: &Screen) -> Vec<u8> {
    let mut sent = Vec::new();
    device.present(at(0), screen, &mut sent);
    assert_eq!(sent.len(), 1);
    sent.remove(0)
}

/// What HL7 can say of a cause; everything else is plainly invalid.
fn told(reading: Reading) -> Reading {
    match reading {
        Reading::Valid(_) => reading,
        Reading::Questionable(value, _) => Reading::Valid(value),
        Reading::Invalid(
            Cause::Measuring
            | Cause::NotAvailable
            | Cause::Calibrating
            | Cause::LowQuality
            | Cause::Demo
            | Cause::Test,
        ) => reading,
        Reading::Invalid(_) => Reading::Invalid(Cause::DeviceInvalid),
    }
}

fn value(parameter: Parameter) -> impl Strategy<Value = Decimal> {
    let (low, high) = parameter.range();
    let scale = parameter.places();
    let ten = 10_i64.pow(u32::from(scale));
    (low.max(1) * ten..=high * ten).prop_map(move |mantissa| Decimal::new(mantissa, scale))
}

fn reading(parameter: Parameter) -> impl Strategy<Value = Reading> {
    prop_oneof![
        4 => value(parameter).prop_map(Reading::Valid),
        1 => prop::sample::select(Cause::ALL.as_slice()).prop_map(Reading::Invalid),
    ]
}

fn numerics() -> impl Strategy<Value = BTreeMap<Parameter, Reading>> {
    let continuous: Vec<_> = Parameter::ALL
        .iter()
        .copied()
        .filter(|parameter| !parameter.is_cuff())
        // An arterial pair must fit together; the cuff's does below.
        .filter(|parameter| !matches!(parameter, Parameter::ArtSys | Parameter::ArtDia))
        .collect();
    prop::sample::subsequence(continuous, 0..=9).prop_flat_map(|chosen| {
        chosen
            .into_iter()
            .map(|parameter| reading(parameter).prop_map(move |reading| (parameter, reading)))
            .collect::<Vec<_>>()
            .prop_map(|pairs| pairs.into_iter().collect())
    })
}

const DAY: i64 = 86_400_000;

fn cuff() -> impl Strategy<Value = Option<CuffReading>> {
    prop::option::of(
        (
            0..DAY,
            11_i64..=320,
            10_i64..=310,
            prop::option::of(30_i64..200),
        )
            .prop_map(|(civil_ms, one, other, pulse)| CuffReading {
                civil_ms,
                sys: Decimal::whole(one.max(other + 1)),
                dia: Decimal::whole(other.min(one.max(other + 1) - 1)),
                mean: Decimal::whole(other.max(11)),
                pulse: pulse.map(Decimal::whole),
            }),
    )
}

fn wave() -> impl Strategy<Value = WaveChunk> {
    let label = prop::sample::select(&["ecg-ii", "ecg-v1", "pleth", "resp", "art", "co2"][..]);
    let samples = prop::collection::vec(prop::option::weighted(0.9, any::<i32>()), 1..300);
    (label, 1_u32..=500, samples, 1_i64..1_000, any::<i32>()).prop_map(
        |(label, rate_hz, mut samples, resolution, first)| {
            samples[0] = Some(first);
            WaveChunk {
                label: label.into(),
                rate_hz,
                resolution: Decimal::new(resolution, 3),
                unit: match label {
                    "ecg-ii" | "ecg-v1" => "mV",
                    "art" | "co2" => "mmHg",
                    _ => "",
                },
                samples,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_screen_is_read_back(
        civil_ms in 0_i64..4_000_000_000_000,
        numerics in numerics(),
        state in prop::sample::select(&[None, Some(CuffState::Idle), Some(CuffState::Measuring), Some(CuffState::Failed)][..]),
        cuff_reading in cuff(),
        waves_shown in prop::collection::vec(wave(), 0..3),
        bed in "[A-Z ^&ü]{0,12}",
        patient in "[A-Z0-9|^~\\\\&ß]{0,12}",
    ) {
        let identity = Identity {
            bed: Some(bed.trim().into()).filter(|text: &std::sync::Arc<str>| !text.is_empty()),
            device: Some("MON ^1".into()),
            patient: Some(patient.as_str().into()).filter(|text: &std::sync::Arc<str>| !text.is_empty()),
        };
        let screen = Screen {
            civil_ms,
            numerics,
            cuff: state,
            cuff_reading,
            waves: waves_shown,
            ..Screen::default()
        };
        let mut expected: Vec<_> = screen
            .numerics
            .iter()
            .map(|(&parameter, &reading)| (parameter, told(reading), screen.civil_ms))
            .collect();
        match (state, cuff_reading) {
            (Some(CuffState::Measuring), _) => expected.push((
                Parameter::NibpSys, Reading::Invalid(Cause::Measuring), civil_ms,
            )),
            (Some(CuffState::Failed), _) => expected.push((
                Parameter::NibpSys, Reading::Invalid(Cause::DeviceInvalid), civil_ms,
            )),
            (_, Some(one)) => {
                for (parameter, value) in [
                    (Parameter::NibpSys, Some(one.sys)),
                    (Parameter::NibpDia, Some(one.dia)),
                    (Parameter::NibpMean, Some(one.mean)),
                    (Parameter::NibpPr, one.pulse),
                ] {
                    expected.extend(value.map(|value| (parameter, Reading::Valid(value), one.civil_ms)));
                }
            }
            (_, None) => {}
        }
        let mut monitor = device(&[], identity.clone());
        let events = Rig::new(&[]).receive(&present(&mut *monitor, &screen));
        let found: Vec<_> = observations(&events)
            .into_iter()
            .map(|one| {
                assert_eq!(one.message_at, Some(DeviceTime::civil(civil_ms)));
                let ParameterId::Known(parameter) = one.parameter else { panic!("unknown") };
                assert_eq!(one.mdc, Some(parameter.mdc()));
                (parameter, one.reading, one.measured_at.unwrap().civil_ms)
            })
            .collect();
        prop_assert_eq!(&found, &expected);
        // The same digits, too.
        prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        prop_assert_eq!(waves(&events), screen.waves.clone());
        prop_assert_eq!(faults(&events), []);
        if !found.is_empty() || !screen.waves.is_empty() {
            prop_assert_eq!(identities(&events), [identity]);
        }
    }
}

#[test]
fn the_monitor_keeps_its_pace_and_may_leave_the_waves_out() {
    let nobody = Identity::default();
    assert_eq!(
        device(&[], nobody.clone()).cadence(),
        Duration::from_secs(1)
    );
    let mut slow = device(&[("cadence-ms", "5000"), ("waves", "false")], nobody);
    assert_eq!(slow.cadence(), Duration::from_secs(5));
    let screen = Screen {
        numerics: BTreeMap::from([(Parameter::Hr, Reading::Valid(Decimal::whole(80)))]),
        waves: vec![WaveChunk {
            label: "pleth".into(),
            rate_hz: 60,
            resolution: Decimal::whole(1),
            unit: "",
            samples: vec![Some(1)],
        }],
        ..Screen::default()
    };
    let events = Rig::new(&[]).receive(&present(&mut *slow, &screen));
    assert_eq!((observations(&events).len(), waves(&events).len()), (1, 0));
}

#[test]
fn monitor_and_session_understand_each_other_about_what_was_recorded() {
    let mut monitor = device(&[], Identity::default());
    let frame = present(&mut *monitor, &Screen::default());
    // Recorded: nothing more to send.
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame);
    let answers = rig.commit(&events, true);
    assert!(answers[0].contains("MSA|CA|SIM0-1\r"));
    let mut replies = Vec::new();
    monitor.receive(at(0), answers[0].as_bytes(), &mut replies);
    assert_eq!(replies, Vec::<Vec<u8>>::new());
    // Rejected for now: sent again, three times at most.
    let frame = present(&mut *monitor, &Screen::default());
    let refusal = answers[0].replace("MSA|CA|SIM0-1", "MSA|CR|SIM0-2");
    for _ in 0..5 {
        for byte in refusal.as_bytes() {
            monitor.receive(at(0), &[*byte], &mut replies);
        }
    }
    assert_eq!(replies, vec![frame; 3]);
    // An answer about something else, or no answer at all, is let pass.
    replies.clear();
    monitor.receive(
        at(0),
        b"garbage\x0BMSH|^~\\&|\rMSA|CR|OTHER\r\x1C\r",
        &mut replies,
    );
    assert_eq!(replies, Vec::<Vec<u8>>::new());
    let mut events = Events::new();
    rig.session.expire(at(0), &mut events);
    assert_eq!(sent(&events), Vec::<String>::new());
    assert!(!events.contains(&Event::Frame));
}
