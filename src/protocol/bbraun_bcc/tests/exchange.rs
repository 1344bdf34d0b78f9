//! Silence, the whole exchange with a station, and damage.

use super::*;

#[test]
fn a_silent_station_is_asked_ever_less_and_then_greeted_anew() {
    let mut session = greeted();
    let mut events = Events::new();
    let mut asked = Vec::new();
    let mut clock = 0;
    while clock < 60_000 {
        clock = session.deadline().unwrap().as_micros() / 1_000;
        let mut now = Events::new();
        session.expire(at(clock), &mut now);
        asked.extend(sent(&now).into_iter().map(|bytes| (clock, bytes)));
        events.extend(now);
    }
    let texts: Vec<(u64, bool)> = asked
        .iter()
        .map(|(clock, bytes)| (*clock, bytes.windows(4).any(|part| part == b"MEEM")))
        .collect();
    assert!(texts[0].1 && texts[1].1 && texts[2].1, "{texts:?}");
    assert!(texts[3..].iter().all(|(_, get)| !get), "greeted: {texts:?}");
    let pauses: Vec<u64> = texts.windows(2).map(|two| two[1].0 - two[0].0).collect();
    assert!(
        pauses.is_sorted() && *pauses.last().unwrap() <= 11_000,
        "{pauses:?}"
    );
    assert!(faults(&events).iter().all(|fault| *fault == Fault::Timeout));
    // It comes back: everything goes on.
    events.clear();
    session.receive(at(70_000), &block("0,50100,GNACK,0", false), &mut events);
    session.expire(at(70_100), &mut events);
    session.expire(at(71_000), &mut events);
    assert!(sent(&events)[1].windows(4).any(|part| part == b"MEEM"));
}

#[test]
fn our_own_question_coming_back_is_no_sign_of_life() {
    let (mut session, mut events) = open(true);
    let question = sent(&events).concat();
    events.clear();
    session.receive(at(10), &question, &mut events);
    assert_eq!(faults(&events), [Fault::BadAnswer]);
    assert!(!events.contains(&Event::Frame));
}

/// Session and device talk to each other, the device being shown these screens, one a second.
fn talk(stuffing: bool, screens: &[Screen], cut: usize) -> (Events, Vec<Vec<u8>>) {
    let (mut session, mut events) = open(stuffing);
    let mut device: Box<dyn Device> = super::super::device::device(&DeviceOptions {
        options: options(stuffing),
        ..DeviceOptions::default()
    });
    device.opened(at(0));
    let mut said = Events::new();
    let mut asked = Vec::new();
    let mut clock = 0;
    for second in 0..screens.len() as u64 * 5 + 4 {
        if second % 5 == 0
            && let Some(screen) = screens.get(usize::try_from(second / 5).unwrap())
        {
            device.present(at(clock), screen, &mut Vec::new());
        }
        while clock < (second + 1) * 1_000 {
            for bytes in sent(&events) {
                let mut replies = Vec::new();
                device.receive(at(clock), &bytes, &mut replies);
                asked.push(bytes);
                said.append(&mut events);
                for piece in replies.concat().chunks(cut) {
                    session.receive(at(clock), piece, &mut events);
                }
            }
            said.append(&mut events);
            clock += 50;
            if session
                .deadline()
                .is_some_and(|due| due <= at(clock).moment)
            {
                session.expire(at(clock), &mut events);
            }
        }
    }
    said.append(&mut events);
    (said, asked)
}

fn event(event: PumpEventKind, rate: i64) -> PumpEvent {
    PumpEvent {
        event,
        transitioning: false,
        drug: Some("Ketamine, Esketamine".into()),
        rate_ml_h: Some(Decimal::whole(rate)),
        volume_ml: None,
        reason: None,
        at: None,
        message_at: None,
    }
}

fn shown(kinds: &[PumpEvent]) -> Vec<Screen> {
    kinds
        .iter()
        .map(|one| Screen {
            pump_events: vec![one.clone()],
            ..Screen::default()
        })
        .collect()
}

#[test]
fn nothing_is_ever_sent_that_could_change_a_pump() {
    let screens = shown(&[
        event(PumpEventKind::DeliveryStart, 25),
        event(PumpEventKind::Alarm, 25),
        event(PumpEventKind::DeliveryStop, 25),
    ]);
    let (_, asked) = talk(true, &screens, 7);
    let alive = b"\x0100031\x021/1/1>AEXMIN:ALIVEE\x0300061\x04".to_vec();
    let get = Block {
        bed: "ComSystem".to_owned(),
        information: b"MEM:GET".to_vec(),
        more: false,
    }
    .write(true);
    assert!(asked.contains(&get));
    for bytes in asked {
        assert!(
            bytes == alive || bytes == get || bytes == [0x06] || bytes == [0x15],
            "{bytes:?}"
        );
    }
}

proptest! {
    #[test]
    fn what_the_pump_does_is_read_again(stuffing: bool, turns in prop::collection::vec((0..3_usize, 1..=90_i64), 1..6), cut in 1_usize..60) {
        let kinds = [PumpEventKind::DeliveryStart, PumpEventKind::DeliveryStop, PumpEventKind::Kvo];
        let list: Vec<PumpEvent> = turns.iter().map(|(kind, rate)| event(kinds[*kind], *rate)).collect();
        let (events, _) = talk(stuffing, &shown(&list), cut);
        prop_assert!(faults(&events).is_empty(), "{:?}", faults(&events));
        let mut expected = Vec::new();
        let mut before: Option<&PumpEvent> = None;
        for one in &list {
            match before {
                Some(last) if last.event == one.event => {
                    if one.event == PumpEventKind::DeliveryStart && last.rate_ml_h != one.rate_ml_h {
                        expected.push(PumpEventKind::RateChange);
                    }
                }
                Some(_) | None => expected.push(one.event),
            }
            before = Some(one);
        }
        let told: Vec<PumpEventKind> = pump_events(&events).iter().map(|one| one.event).collect();
        prop_assert_eq!(told, expected);
        let drugs = pump_events(&events).iter().all(|one| one.drug.as_deref() == Some("Ketamine, Esketamine"));
        prop_assert!(drugs);
    }

    #[test]
    fn damage_costs_only_the_blocks_it_hits(cut in any::<prop::sample::Index>(), junk in prop::collection::vec(any::<u8>(), 0..40)) {
        let blocks: Vec<Vec<u8>> = (0..4).map(|n| block(&values(&[("INRT", &n.to_string())]), false)).collect();
        let mut bytes = blocks.concat();
        let place = cut.index(bytes.len());
        bytes.splice(place..place + 1, junk);
        let mut session = greeted();
        let mut events = Events::new();
        session.receive(at(3_000), &bytes, &mut events);
        session.closed(at(3_001), &mut events);
        let frames = events.iter().filter(|event| **event == Event::Frame).count();
        prop_assert!(frames >= 2, "{frames}");
    }

    #[test]
    fn a_flipped_bit_is_never_a_good_block(place in any::<prop::sample::Index>(), bit in 0..8) {
        let good = block(&values(&[("INM3", "1"), ("INRT", "25.5")]), false);
        let mut bytes = good.clone();
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        let mut session = greeted();
        let mut events = Events::new();
        session.receive(at(3_000), &bytes, &mut events);
        prop_assert!(!events.contains(&Event::Frame));
    }

    #[test]
    fn garbage_never_panics_and_is_counted(bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
        let mut session = greeted();
        let mut events = Events::new();
        session.receive(at(10_000), &bytes, &mut events);
        session.closed(at(20_000), &mut events);
        prop_assert!(events.len() <= 8 + 2 * bytes.len());
    }
}
