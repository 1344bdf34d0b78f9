//! The round trip, and damage to the stream.

use super::*;

/// A screen that this oximeter can have.
fn screens(protocol: &'static Protocol) -> impl Strategy<Value = Screen> {
    let mut causes = vec![
        Cause::ProbeOff,
        Cause::Searching,
        Cause::LowPerfusion,
        Cause::NotAvailable,
    ];
    if protocol.name == V5.name {
        causes.push(Cause::SensorFault);
    }
    let state = prop_oneof![
        3 => any::<bool>().prop_map(Ok),
        1 => prop::sample::select(causes).prop_map(Err),
    ];
    let samples = prop::collection::vec(0..=127_i32, 6);
    (
        state,
        1..=100_i64,
        1..=254_i64,
        0..=2_500_i64,
        samples,
        any::<bool>(),
    )
        .prop_map(|(state, spo2, rate, index, samples, is_falling)| {
            let reading = |value| match state {
                Ok(true) => Reading::Valid(value),
                Ok(false) => Reading::Questionable(value, Doubt::LowQuality),
                Err(cause) => Reading::Invalid(cause),
            };
            let text = super::super::NOTICES[0].1;
            Screen {
                numerics: [
                    (Parameter::Spo2, reading(Decimal::whole(spo2))),
                    (Parameter::Pr, reading(Decimal::whole(rate))),
                    (Parameter::Pi, reading(Decimal::new(index, 2))),
                ]
                .into(),
                waves: vec![WaveChunk {
                    label: "pleth".into(),
                    rate_hz: 60,
                    resolution: Decimal::whole(1),
                    unit: "",
                    samples: samples.into_iter().map(Some).collect(),
                }],
                alerts: is_falling
                    .then(|| DeviceAlert {
                        key: text.into(),
                        priority: None,
                        phase: AlertPhase::Present,
                        text: text.into(),
                        at: None,
                    })
                    .into_iter()
                    .collect(),
                ..Screen::default()
            }
        })
}

fn streamed(protocol: &Protocol, screens: &[Screen]) -> Vec<Vec<u8>> {
    let mut device = device(protocol);
    device.receive(at(0), &seven::START, &mut Vec::new());
    let mut sent = Vec::new();
    for screen in screens {
        device.present(at(0), screen, &mut sent);
    }
    sent
}

fn several() -> impl Strategy<Value = (&'static Protocol, Vec<Screen>)> {
    prop::sample::select(BOTH.to_vec()).prop_flat_map(|protocol| {
        (
            Just(protocol),
            prop::collection::vec(screens(protocol), 1..6),
        )
    })
}

proptest! {
    #[test]
    fn what_the_oximeter_shows_is_what_is_read((protocol, screens) in several(), size in 1_usize..60) {
        let pieces = streamed(protocol, &screens);
        let mut session = session(protocol);
        let mut events = Events::new();
        session.opened(at(0), &mut events);
        for (screen, piece) in screens.iter().zip(&pieces) {
            for part in piece.chunks(size) {
                session.receive(at(0), part, &mut events);
            }
            for parameter in protocol.parameters {
                let last = observed(&events)
                    .into_iter()
                    .rev()
                    .find(|seen| seen.parameter == (*parameter).into())
                    .map(|seen| seen.reading);
                prop_assert_eq!(last, Some(screen.reading(*parameter)));
            }
            let alert = alerts(&events).last().is_some_and(|alert| alert.phase == AlertPhase::Start);
            prop_assert_eq!(alert, !screen.alerts.is_empty());
        }
        prop_assert_eq!(faults(&events), []);
    }

    #[test]
    fn pieces_of_any_size_say_the_same(
        (protocol, screens) in several(),
        noise in prop::collection::vec(any::<u8>(), 0..300),
        size in 1_usize..80,
    ) {
        let good = streamed(protocol, &screens).concat();
        let stream = [&noise[..], &good, &noise, &good].concat();
        let whole = heard(protocol, [stream.as_slice()]);
        prop_assert_eq!(&heard(protocol, stream.chunks(size)), &whole);
        prop_assert_eq!(&heard(protocol, stream.chunks(1)), &whole);
    }

    #[test]
    fn a_damaged_group_never_gives_a_wrong_value_and_costs_little(
        (protocol, screens) in several(),
        at in any::<prop::sample::Index>(),
        how in 0..10_u8,
    ) {
        let screen = screens.into_iter().next().unwrap();
        let good = streamed(protocol, &[screen.clone(), screen.clone(), screen.clone()]);
        let mut damaged = good[1].clone();
        let at = at.index(damaged.len());
        match how {
            bit @ 0..=7 => damaged[at] ^= 1_u8 << bit,
            8 => drop(damaged.remove(at)),
            _ => damaged.insert(at, damaged[at]),
        }
        let stream = [&good[0][..], &damaged, &good[2], &good[2]].concat();
        let events = heard(protocol, [stream.as_slice()]);
        let whole = heard(protocol, [good[0].as_slice()]);
        // Told once, at the beginning; nothing else was believed.
        prop_assert_eq!(readings(&events), readings(&whole));
        prop_assert!(summary(&events).frames >= 18, "{}", summary(&events).frames);
    }

    #[test]
    fn garbage_between_groups_costs_only_itself(
        (protocol, screens) in several(),
        garbage in prop::collection::vec(any::<u8>(), 1..500),
    ) {
        let good = streamed(protocol, &screens[..1]).concat();
        let stream = [&good[..], &garbage, &good, &good].concat();
        let events = heard(protocol, [stream.as_slice()]);
        let shown = screens[0].reading(Parameter::Spo2);
        let seen = spo2(&events);
        prop_assert_eq!(seen.first(), Some(&shown));
        prop_assert_eq!(seen.last(), Some(&shown));
        // After damage two groups wait for the third.
        prop_assert!(summary(&events).frames >= 6 + 9, "{}", summary(&events).frames);
    }

    #[test]
    fn joining_in_the_middle_is_nobodys_fault((protocol, screens) in several(), at in 0_usize..45) {
        let good = streamed(protocol, &[screens[0].clone(), screens[0].clone(), screens[0].clone()]).concat();
        let events = heard(protocol, [&good[at..]]);
        prop_assert_eq!(faults(&events), []);
        let seen = spo2(&events);
        prop_assert_eq!(seen.first(), Some(&screens[0].reading(Parameter::Spo2)));
    }
}

#[test]
fn a_megabyte_of_noise_says_little_and_is_no_patient() {
    for protocol in BOTH {
        let mut state = 1_u64;
        let mut stream: Vec<u8> = (0..1 << 20)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let noise = heard(protocol, stream.chunks(4_096));
        assert!(summary(&noise).frames < 10, "{}", protocol.name);
        let screen = Screen {
            numerics: [(Parameter::Spo2, valid(97)), (Parameter::Pr, valid(72))].into(),
            ..Screen::default()
        };
        stream.extend(streamed(protocol, &[screen.clone(), screen]).concat());
        let events = heard(protocol, stream.chunks(4_096));
        assert_eq!(spo2(&events).last(), Some(&valid(97)));
        assert!(
            events.len() < stream.len() / 100,
            "{}: {} events",
            protocol.name,
            events.len()
        );
    }
}

#[test]
fn the_other_version_is_no_sign_of_life() {
    let screen = Screen {
        numerics: [(Parameter::Spo2, valid(97)), (Parameter::Pr, valid(72))].into(),
        ..Screen::default()
    };
    for (protocol, other) in [(&V5, &V7), (&V7, &V5)] {
        let stream = streamed(other, &vec![screen.clone(); 50]).concat();
        let events = heard(protocol, stream.chunks(100));
        assert_eq!(
            summary(&events).frames,
            0,
            "{} read {}",
            protocol.name,
            other.name
        );
        assert!(!faults(&events).is_empty());
        assert!(!events.contains(&Event::Frame));
    }
}
