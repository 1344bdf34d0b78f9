//! What the device side shows is what the session reads.

use super::*;
use crate::observation::{AlertPhase, DeviceAlert, WaveChunk};
use proptest::prelude::*;

/// A screen that every format can carry whole; `causes` are those that it has a word for.
fn screens(causes: &[Cause], doubts: &[Doubt]) -> BoxedStrategy<Screen> {
    let cause = prop::sample::select(causes.to_vec()).prop_map(Err);
    let doubt = prop::option::of(prop::sample::select(doubts.to_vec())).prop_map(Ok);
    let state = prop_oneof![3 => doubt, 1 => cause];
    let numbers = (1..=100_i64, 1..=350_i64, any::<bool>());
    let samples = prop::collection::vec(0..=255_i32, 25);
    let seconds = 946_684_800_i64..4_102_444_800;
    (state, numbers, samples, seconds)
        .prop_map(|(state, (spo2, rate, battery), samples, second)| {
            let reading = |value| match state {
                Ok(None) => valid(value),
                Ok(Some(doubt)) => doubtful(value, doubt),
                Err(cause) => invalid(cause),
            };
            Screen {
                civil_ms: second * 1_000,
                waves: vec![WaveChunk {
                    label: "pleth".into(),
                    rate_hz: 75,
                    resolution: Decimal::whole(1),
                    unit: "",
                    samples: samples.into_iter().map(Some).collect(),
                }],
                alerts: battery
                    .then(|| DeviceAlert {
                        key: "battery".into(),
                        priority: None,
                        phase: AlertPhase::Present,
                        text: "oximeter battery low".into(),
                        at: None,
                    })
                    .into_iter()
                    .collect(),
                ..screen(reading(spo2), reading(rate))
            }
        })
        .boxed()
}

fn legal(protocol: &Protocol) -> BoxedStrategy<Screen> {
    let live = [
        Cause::ProbeOff,
        Cause::SensorMissing,
        Cause::Artefact,
        Cause::Searching,
    ];
    match protocol.name {
        "nonin-df13" | "nonin-ascii" => screens(&[Cause::NotAvailable], &[Doubt::LowQuality]),
        _ => screens(&live, &[Doubt::LowPerfusion, Doubt::LowQuality]),
    }
}

/// The readings of the frames one by one; a frame that repeats what was told says nothing.
fn by_frame(events: &Events) -> Vec<Vec<(String, Reading)>> {
    let mut frames: Vec<Vec<_>> = Vec::new();
    for event in events {
        if *event == Event::Frame {
            frames.push(Vec::new());
        } else if let Event::Observation(seen) = event {
            frames
                .last_mut()
                .expect("a frame comes before what it holds")
                .push((seen.parameter.to_string(), seen.reading));
        }
    }
    frames
}

proptest! {
    #[test]
    fn what_the_oximeter_shows_is_what_is_read(
        (protocol, screens) in prop::sample::select(ALL.to_vec()).prop_flat_map(|protocol| {
            (Just(protocol), prop::collection::vec(legal(protocol), 1..6))
        }),
        size in 1_usize..200,
    ) {
        // Artefacts leave the last number standing, so there must be one.
        let warm = screen(valid(98), valid(60));
        let screens = [vec![warm], screens].concat();
        let stream = shown(protocol, &screens).concat();
        let events = heard(protocol, stream.chunks(size));
        prop_assert_eq!(faults(&events), []);
        let frames = by_frame(&events);
        prop_assert_eq!(frames.len(), screens.len());
        let mut told = Vec::new();
        for (screen, frame) in screens.iter().zip(frames) {
            if !frame.is_empty() {
                told = frame;
            }
            let expected = pair(
                screen.reading(Parameter::Spo2),
                screen.reading(Parameter::Pr),
            );
            prop_assert_eq!(&told, &expected);
        }
        if protocol.waves {
            for (screen, wave) in screens.iter().zip(waves(&events)).skip(1) {
                let has_finger = !matches!(
                    screen.reading(Parameter::Spo2),
                    Reading::Invalid(Cause::ProbeOff | Cause::SensorMissing)
                );
                if has_finger {
                    prop_assert_eq!(&wave.samples, &screen.waves[0].samples);
                } else {
                    prop_assert!(wave.samples.iter().all(Option::is_none));
                }
            }
        }
        if protocol.name == "nonin-df13" {
            for (screen, seen) in screens.iter().zip(observed(&events).chunks(2)) {
                for seen in seen {
                    prop_assert_eq!(seen.measured_at.unwrap().civil_ms, screen.civil_ms);
                }
            }
        }
    }

    #[test]
    fn pieces_of_any_size_say_the_same(
        (protocol, screens) in prop::sample::select(ALL.to_vec()).prop_flat_map(|protocol| {
            (Just(protocol), prop::collection::vec(legal(protocol), 1..5))
        }),
        noise in prop::collection::vec(any::<u8>(), 0..300),
        size in 1_usize..150,
    ) {
        let good = shown(protocol, &screens).concat();
        let stream = [&noise[..], &good, &noise, &good].concat();
        let whole = heard(protocol, [stream.as_slice()]);
        prop_assert_eq!(&heard(protocol, stream.chunks(size)), &whole);
        prop_assert_eq!(&heard(protocol, stream.chunks(1)), &whole);
    }
}

#[test]
fn the_display_holds_its_numbers_for_ten_seconds_after_the_finger_left() {
    for protocol in [&DF2, &DF8] {
        let off = invalid(Cause::ProbeOff);
        let per_second = if protocol.waves { 3 } else { 1 };
        let mut screens = vec![screen(valid(97), valid(72))];
        screens.resize(1 + 12 * per_second, screen(off, off));
        let sent = shown(protocol, &screens);
        let holds_97 = |bytes: &Vec<u8>| bytes.contains(&97);
        let held = sent.iter().filter(|bytes| holds_97(bytes)).count();
        assert!(held > 10 * per_second, "{held}");
        let stream = sent.concat();
        let events = heard(protocol, [stream.as_slice()]);
        let seen = readings(&events);
        assert_eq!(seen[..2], pair(valid(97), valid(72)));
        assert!(seen[2..].iter().all(|(_, reading)| *reading == off));
    }
}
