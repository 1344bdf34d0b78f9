//! The protocol as a whole. The parts' own tests stand beside them.

mod exchange;
mod pumps;

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
        wall: WallTime::from_millis(1_000_000 + i64::try_from(millis).unwrap()),
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
    let length = plain.get(1..6).unwrap();
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
