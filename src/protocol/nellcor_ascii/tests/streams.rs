//! The round trip, and damage to the stream.

use super::*;

/// A screen that an N-560 can have.
fn screens() -> impl Strategy<Value = Screen> {
    let cause = prop::sample::select(vec![
        Cause::ProbeOff,
        Cause::SensorMissing,
        Cause::Searching,
        Cause::NotAvailable,
    ])
    .prop_map(Err);
    let state = prop_oneof![3 => any::<bool>().prop_map(Ok), 1 => cause];
    let notices = super::super::NOTICES[..6].to_vec();
    let alerts = prop::sample::subsequence(notices, 0..4);
    let seconds = 946_684_800_i64..4_102_444_800;
    (
        state,
        1..=100_i64,
        1..=300_i64,
        0..=254_i64,
        seconds,
        alerts,
    )
        .prop_map(|(state, spo2, rate, amplitude, second, alerts)| {
            let reading = |value| match state {
                Ok(true) => Reading::Valid(value),
                Ok(false) => Reading::Questionable(value, Doubt::LowQuality),
                Err(cause) => Reading::Invalid(cause),
            };
            Screen {
                civil_ms: second * 1_000,
                numerics: [
                    (Parameter::Spo2, reading(Decimal::whole(spo2))),
                    (Parameter::Pr, reading(Decimal::whole(rate))),
                    (Parameter::Pi, reading(Decimal::new(amplitude, 1))),
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
    let mut device = device();
    let mut sent = Vec::new();
    for screen in screens {
        device.present(at(0), screen, &mut sent);
    }
    sent
}

proptest! {
    #[test]
    fn what_the_oximeter_shows_is_what_is_read(
        screens in prop::collection::vec(screens(), 1..60),
        size in 1_usize..200,
    ) {
        let stream = printed(&screens).concat();
        let events = heard(stream.chunks(size));
        prop_assert_eq!(faults(&events), []);
        let expected: Vec<_> = screens
            .iter()
            .map(|screen| [Parameter::Spo2, Parameter::Pr].map(|one| screen.reading(one)))
            .collect();
        prop_assert_eq!(pairs(&events), expected);
        let standing: Vec<_> = screens.last().unwrap().alerts.iter().map(|alert| &*alert.text).collect();
        let mut told: Vec<&str> = Vec::new();
        for alert in alerts(&events) {
            match alert.phase {
                AlertPhase::Start => told.push(&alert.text),
                AlertPhase::Continue | AlertPhase::End | AlertPhase::Present => told.retain(|text| *text != &*alert.text),
            }
        }
        told.sort_unstable();
        let mut standing = standing;
        standing.sort_unstable();
        prop_assert_eq!(told, standing);
    }

    #[test]
    fn pieces_of_any_size_say_the_same(
        screens in prop::collection::vec(screens(), 1..4),
        noise in prop::collection::vec(any::<u8>(), 0..300),
        size in 1_usize..80,
    ) {
        let good = printed(&screens).concat();
        let stream = [&noise[..], &good, &noise, &good].concat();
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
        prop_assert_eq!(summary(&events).frames, 3);
        let ends_or_nuls = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        if !garbage.iter().all(ends_or_nuls) {
            prop_assert!(!summary(&events).faults.is_empty());
        }
    }

    #[test]
    fn a_lost_character_never_gives_a_wrong_value(
        screens in prop::collection::vec(screens(), 3),
        at in any::<prop::sample::Index>(),
    ) {
        let mut lines = printed(&screens);
        let at = at.index(lines[1].len());
        lines[1].remove(at);
        let seen = pairs(&heard([lines.concat().as_slice()]));
        let shown = screens
            .iter()
            .map(|screen| [Parameter::Spo2, Parameter::Pr].map(|one| screen.reading(one)));
        let shown: Vec<_> = shown.collect();
        prop_assert!(seen == shown || seen == [shown[0], shown[2]], "{:?}", seen);
    }

    #[test]
    fn a_cut_line_is_never_taken(screen in screens(), at in 1_usize..60) {
        let good = line("97", "72", "30", "");
        let shown = printed(&[screen.clone(), screen]).remove(1);
        // The line lost its end, and the next one follows at once.
        let stream = [good.as_bytes(), &shown[..at.min(shown.len() - 2)], good.as_bytes()].concat();
        prop_assert_eq!(pairs(&heard([stream.as_slice()])).len(), 1);
    }

    #[test]
    fn a_flipped_bit_never_breaks_the_next_line(
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let good = line("97", "72", "30", "");
        let mut flipped = good.clone().into_bytes();
        flipped[at.index(good.len() - 2)] ^= 1_u8 << bit;
        let stream = [good.as_bytes(), &flipped, good.as_bytes()].concat();
        let seen = pairs(&heard([stream.as_slice()]));
        prop_assert_eq!(seen.first(), Some(&[valid(97), valid(72)]));
        prop_assert_eq!(seen.last(), Some(&[valid(97), valid(72)]));
    }
}
