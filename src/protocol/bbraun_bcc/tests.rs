use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Event, Events, Fault};
use super::super::session::{Options, Session, SessionOptions};
use super::super::transcript::{faults, identities, observed, sent};
use super::block::Block;
use crate::observation::{PumpEvent, PumpEventKind};
use crate::vocabulary::{Decimal, Moment, Now, WallTime};
use proptest::prelude::*;

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_millis(1_000_000 + millis as i64),
    }
}

fn options(stuffing: bool) -> Options {
    [("stuffing".to_owned(), stuffing.to_string())].into()
}

fn open(stuffing: bool) -> (Box<dyn Session>, Events) {
    let options = SessionOptions {
        options: options(stuffing),
        ..SessionOptions::default()
    };
    let mut session = super::session::open(&options).unwrap();
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    (session, events)
}

fn block(information: &str, more: bool) -> Vec<u8> {
    Block {
        bed: "ComSystem".to_owned(),
        information: information.as_bytes().to_vec(),
        more,
    }
    .write(true)
}

/// A session that was greeted.
fn greeted() -> Box<dyn Session> {
    let (mut session, mut events) = open(true);
    session.receive(at(10), &block("0,50100,GNACK,0", false), &mut events);
    session.expire(at(110), &mut events);
    session
}

/// Values of the pump at 50111 as an answer.
fn values(told: &[(&str, &str)]) -> String {
    told.iter()
        .map(|(name, value)| format!("7,50111,{name},{value}"))
        .collect::<Vec<_>>()
        .join("\u{1e}")
}

fn pump_events(events: &Events) -> Vec<&PumpEvent> {
    events
        .iter()
        .filter_map(|event| {
            if let Event::PumpEvent(event) = event {
                Some(event)
            } else {
                None
            }
        })
        .collect()
}

/// Kinds of pump events after answers with these values, one after the other.
fn told(answers: &[&[(&str, &str)]]) -> Vec<PumpEvent> {
    let mut session = greeted();
    let mut events = Events::new();
    for answer in answers {
        session.receive(at(3_000), &block(&values(answer), false), &mut events);
    }
    assert!(faults(&events).is_empty());
    pump_events(&events).into_iter().cloned().collect()
}

fn kinds(answers: &[&[(&str, &str)]]) -> Vec<&'static str> {
    told(answers).iter().map(|one| one.event.name()).collect()
}

/// The dossier's three blocks, to the byte.
#[test]
fn the_dossiers_blocks_are_written() {
    for (bed, information, plain) in [
        (
            "1",
            "ADMIN:ALIVE",
            "\x0100031\x021/1/1>ADMIN:ALIVE\x0300061\x04",
        ),
        (
            "ComSystem",
            "ADMIN:VERSION",
            "\x0100041\x02ComSystem/1/1>ADMIN:VERSION\x0300102\x04",
        ),
        (
            "ComSystem",
            "MEM:GET",
            "\x0100035\x02ComSystem/1/1>MEM:GET\x0300153\x04",
        ),
    ] {
        let block = Block {
            bed: bed.to_owned(),
            information: information.as_bytes().to_vec(),
            more: false,
        };
        assert_eq!(block.write(false), plain.as_bytes());
    }
    let (_, events) = open(true);
    assert_eq!(
        sent(&events),
        [b"\x0100031\x021/1/1>AEXMIN:ALIVEE\x0300061\x04".to_vec()]
    );
}

#[test]
fn an_exchange_keeps_the_vendors_pace_and_takes_every_good_block() {
    let (mut session, _) = open(true);
    let mut events = Events::new();
    session.receive(at(50), &block("0,50100,GNACK,0", false), &mut events);
    assert!(sent(&events).is_empty(), "not before a tenth of a second");
    assert_eq!(session.deadline(), Some(at(150).moment));
    session.expire(at(150), &mut events);
    assert_eq!(sent(&events), [vec![0x06]]);
    let next = session.deadline().unwrap();
    assert!(
        next >= at(650).moment,
        "half a second before the next question"
    );
    events.clear();
    session.expire(at(650), &mut events);
    let question = Block {
        bed: "ComSystem".to_owned(),
        information: b"MEM:GET".to_vec(),
        more: false,
    };
    assert_eq!(sent(&events), [question.write(true)]);
    events.clear();
    session.receive(
        at(700),
        &block(&values(&[("INM3", "1"), ("INRT", "2")]), true),
        &mut events,
    );
    assert!(pump_events(&events).is_empty(), "the answer goes on");
    session.expire(at(800), &mut events);
    session.receive(
        at(900),
        &block("5.0\u{1e}7,50111,INSOL,Ketamine", false),
        &mut events,
    );
    session.expire(at(1_000), &mut events);
    assert_eq!(sent(&events), [vec![0x06], vec![0x06]]);
    let all = pump_events(&events);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].event, PumpEventKind::DeliveryStart);
    assert_eq!(
        all[0].rate_ml_h,
        Some(Decimal::new(250, 1)),
        "the value was cut"
    );
    assert_eq!(all[0].drug.as_deref(), Some("Ketamine"));
    let identity = identities(&events)[0];
    assert_eq!(identity.bed.as_deref(), Some("ComSystem"));
    assert_eq!(identity.device.as_deref(), Some("50111"));
    assert!(observed(&events).is_empty());
}

#[test]
fn a_bad_block_is_asked_for_again_and_then_given_up() {
    let mut session = greeted();
    let mut events = Events::new();
    session.expire(at(1_000), &mut events);
    events.clear();
    let mut bad = block(&values(&[("INM3", "1")]), false);
    let digit = bad.len() - 2;
    bad[digit] = if bad[digit] == b'0' { b'1' } else { b'0' };
    for turn in 0..4 {
        session.receive(at(1_100 + turn * 200), &bad, &mut events);
        session.expire(at(1_200 + turn * 200), &mut events);
    }
    assert_eq!(sent(&events), vec![vec![0x15]; 3]);
    assert_eq!(faults(&events), [Fault::BadChecksum; 4]);
    assert!(pump_events(&events).is_empty() && !events.contains(&Event::Frame));
    events.clear();
    // A second later the question is asked again, and a good answer counts.
    let due = session.deadline().unwrap();
    session.expire(
        Now {
            moment: due,
            wall: WallTime::from_millis(0),
        },
        &mut events,
    );
    assert_eq!(sent(&events).len(), 1);
    session.receive(
        at(4_000),
        &block(&values(&[("INM3", "1")]), false),
        &mut events,
    );
    assert_eq!(pump_events(&events).len(), 1);
}

#[test]
fn every_check_of_a_block_counts() {
    let good = block(&values(&[("INM3", "1")]), false);
    let plain = String::from_utf8(good.clone()).unwrap();
    let other = |from: &str, to: &str| plain.replacen(from, to, 1).into_bytes();
    let length = &plain[1..6];
    let nobody = Block {
        bed: String::new(),
        information: values(&[("INM3", "1")]).into_bytes(),
        more: false,
    }
    .write(true);
    for (bytes, fault) in [
        (other(length, "00099"), Fault::BadLength),
        (other(length, "0004x"), Fault::BadLength),
        (other("INM3,1", "INM3,0"), Fault::BadChecksum),
        (other("INM3,1", "INM3,11"), Fault::BadLength),
        (other("50111", "5E111"), Fault::BadFrame),
        (other("\x02", "\x05"), Fault::BadFrame),
        (other("/1/1>", "+1+1>"), Fault::BadChecksum),
        (nobody, Fault::BadFrame),
        (b"\x01\x04".to_vec(), Fault::BadLength),
        (good[..good.len() - 1].to_vec(), Fault::Truncated),
        ([&good[..10], &[1][..]].concat(), Fault::Truncated),
    ] {
        let mut session = greeted();
        let mut events = Events::new();
        session.receive(at(1_100), &bytes, &mut events);
        session.closed(at(1_200), &mut events);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(faults(&events).first(), Some(&fault), "{shown:?}");
        assert!(!events.contains(&Event::Frame), "{shown:?}");
    }
}

#[test]
fn a_change_of_the_pump_is_told_once() {
    let run: &[(&str, &str)] = &[("INM3", "1"), ("INRT", "25"), ("INVI", "0.0")];
    assert_eq!(
        kinds(&[
            &[("INM3", "0")],
            run,
            run,
            &[("INRT", "30")],
            &[("INVI", "4.2")],
            &[("INM3", "0"), ("INM6", "1")],
            &[("INM3", "1"), ("INM6", "0")],
            &[("INM3", "0"), ("INM10", "1")],
            &[("INM10", "0")],
            &[("INM2", "1")],
            &[("INM2", "0")],
            &[("INM3", "_NV")],
            &[("INM3", "_NV")],
            &[("INM3", "1")],
        ]),
        [
            "delivery-stop",
            "delivery-start",
            "rate-change",
            "delivery-stop",
            "delivery-start",
            "kvo",
            "delivery-stop",
            "delivery-start",
            "delivery-stop",
            "comm-lost",
            "delivery-start",
        ]
    );
    let stop = &told(&[run, &[("INM3", "0"), ("INM6", "1"), ("INVI", "4.2")]])[1];
    assert_eq!(stop.reason.as_deref(), Some("standby"));
    assert_eq!(stop.rate_ml_h, None);
    assert_eq!(stop.volume_ml, Some(Decimal::new(42, 1)));
}

#[test]
fn alarms_of_the_pump_are_told_once_and_again_behind_a_change() {
    let events = told(&[
        &[("INM3", "1"), ("INA3", "1"), ("INA16", "1"), ("INA4", "0")],
        &[("INA3", "1")],
        &[("INM3", "0")],
        &[("INA3", "0"), ("INA16", "_NV")],
        &[("INA1", "1")],
    ]);
    let said: Vec<_> = events
        .iter()
        .map(|one| (one.event.name(), one.reason.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        said,
        [
            ("delivery-start", ""),
            ("alarm", "INA3, INA16"),
            ("delivery-stop", ""),
            ("alarm", "INA3, INA16"),
            ("alarm", "INA1"),
        ]
    );
}

#[test]
fn values_that_cannot_be_are_faults_and_change_nothing() {
    for (name, value) in [
        ("INM3", "2"),
        ("INM3", "yes"),
        ("INRT", "-1"),
        ("INRT", "1e3"),
    ] {
        let mut session = greeted();
        let mut events = Events::new();
        session.receive(
            at(3_000),
            &block(&values(&[(name, value)]), false),
            &mut events,
        );
        assert_eq!(faults(&events), [Fault::BadMessage], "{name} {value}");
        assert!(pump_events(&events).is_empty());
    }
    let mut session = greeted();
    let mut events = Events::new();
    let answer = "0,50100,GNERR,7\u{1e}nonsense\u{1e}7,50111,INM3,1\u{1e}7,99999,INM3,1";
    session.receive(at(3_000), &block(answer, false), &mut events);
    assert_eq!(faults(&events), [Fault::BadMessage, Fault::BadAnswer]);
    assert_eq!(pump_events(&events).len(), 1);
}

#[test]
fn two_pumps_are_two_devices() {
    let mut session = greeted();
    let mut events = Events::new();
    let answer = "7,50112,INM3,0\u{1e}7,50111,INM3,1";
    session.receive(at(3_000), &block(answer, false), &mut events);
    let said: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Identity(identity) => identity.device.as_deref().map(str::to_owned),
            Event::PumpEvent(event) => Some(event.event.name().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["50111", "delivery-start", "50112", "delivery-stop"]);
}

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
    let mut device: Box<dyn Device> = super::device::device(&DeviceOptions {
        options: options(stuffing),
        ..DeviceOptions::default()
    });
    device.opened(at(0));
    let mut said = Events::new();
    let mut asked = Vec::new();
    let mut clock = 0;
    for second in 0..screens.len() as u64 * 5 + 4 {
        if second % 5 == 0
            && let Some(screen) = screens.get(second as usize / 5)
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
