//! The dialogue: who says what when, what happens when something is lost, and what is never said.

use super::super::super::event::Fault;
use super::super::association::{self, Terms};
use super::super::message::DATA_EXPORT;
use super::super::request::Asked;
use super::room::{Room, named};
use super::*;
use std::time::Duration;

#[test]
fn the_dialogue_is_the_one_of_the_dossier() {
    let mut room = Room::open();
    room.pass(250);
    let said: Vec<(u64, String)> = room
        .asked
        .iter()
        .map(|(at, message)| (*at, named(message)))
        .collect();
    let after = 250;
    assert_eq!(
        said,
        [
            (0, "release".to_owned()),
            (after, "request 80000000".to_owned()),
            (after, "created".to_owned()),
            (after, "extended 0006 0000".to_owned()),
            (after, "extended 0036 0801".to_owned()),
            (after, "single 0021 0000".to_owned()),
            (after, "single 002a 0807".to_owned()),
        ]
    );
    assert_eq!(faults(&room.events), []);
    assert_eq!(room.numbers_since(0), 1, "at once");
    assert_eq!(room.numbers_in(10 * 1_024), 10, "then every 1.024 s");
}

#[test]
fn an_association_lasts_and_we_are_never_silent_for_long() {
    let mut room = Room::open();
    let numbers = room.numbers_in(20 * 60_000);
    assert!(numbers > 1_160, "{numbers}");
    assert_eq!(room.times(association::REQUEST).len(), 1);
    assert_eq!(faults(&room.events), []);
    let longest = room.asked.windows(2).map(|two| two[1].0 - two[0].0).max();
    assert!(longest.unwrap() <= 4_000, "{longest:?}");
}

#[test]
fn nothing_is_ever_sent_that_could_change_the_monitor() {
    // Every fifth message gets lost, in both directions, for an hour.
    let mut room = Room::with(&[]);
    let mut count = 0_u32;
    let mut other = 0_u32;
    room.inward = Box::new(move |_| {
        count += 1;
        !count.is_multiple_of(5)
    });
    room.outward = Box::new(move |_| {
        other += 1;
        !other.is_multiple_of(7)
    });
    let mut room = room.opened();
    room.pass(3_600_000);
    room.hears(&association::release());
    let mut said: Vec<String> = room
        .asked
        .iter()
        .map(|(_, message)| named(message))
        .collect();
    said.sort();
    said.dedup();
    assert_eq!(
        said,
        [
            "created",
            "extended 0006 0000",
            "extended 0036 0801",
            "release",
            "released",
            "request 80000000",
            "single 0021 0000",
            "single 002a 0807",
            "single 0036 0811",
        ]
    );
    assert!(room.numbers_since(0) > 2_000);
}

#[test]
fn only_a_feed_that_names_waves_sets_the_list_of_waves() {
    let mut room = Room::with(&[("waves", "ecg-ii,pleth")]).opened();
    room.pass(250);
    let said: Vec<String> = room
        .asked
        .iter()
        .map(|(_, message)| named(message))
        .collect();
    assert!(said.contains(&"request 88000000".to_owned()), "{said:?}");
    assert!(
        said.contains(&"waves [00020102, 00024bb4]".to_owned()),
        "{said:?}"
    );
    assert!(said.contains(&"extended 0009 0000".to_owned()), "{said:?}");
    assert_eq!(faults(&room.events), []);
}

#[test]
fn a_monitor_that_does_not_answer_is_asked_for_ever_and_told_once() {
    let mut room = Room::with(&[]);
    room.inward = Box::new(|_| false);
    room.outward = Box::new(|_| false);
    let mut room = room.opened();
    room.pass(60_000);
    let requests = room.times(association::REQUEST);
    assert_eq!(requests.len(), 30);
    assert!(requests.windows(2).all(|two| two[1] - two[0] == 2_000));
    assert_eq!(faults(&room.events), [Fault::Timeout]);
    room.inward = Box::new(|_| true);
    room.outward = Box::new(|_| true);
    assert!(room.numbers_in(4_000) > 0);
}

#[test]
fn a_refused_client_waits_for_the_other_association_to_end() {
    let mut room = Room::with(&[]);
    // Another client is associated: the monitor hears nothing of ours for it.
    room.outward = Box::new(|_| false);
    let mut room = room.opened();
    room.pass(300);
    room.hears(&association::refuse());
    // It may have been for an association of our own: a release, and once more.
    room.pass(1_300);
    assert_eq!(room.times(association::RELEASE), [0, 800]);
    room.hears(&association::refuse());
    room.pass(9_900);
    assert_eq!(room.times(association::REQUEST), [250, 1_050]);
    room.outward = Box::new(|_| true);
    assert!(room.numbers_in(1_000) > 0);
    assert!(!room.events[..].contains(&Event::Fault(Fault::Timeout)));
}

#[test]
fn a_refusal_or_an_announcement_is_no_sign_of_life() {
    let indication = from_hex(
        "000001000001001c0000000000160023000000000000d7000d17000800010004f135000\
         0",
    );
    let events = heard(&[
        association::refuse(),
        association::abort(),
        association::released(),
        indication.unwrap(),
    ]);
    let unsaid: Vec<&Event> = events
        .iter()
        .filter(|event| !matches!(event, Event::Send(_)))
        .collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
}

#[test]
fn an_association_that_ends_is_begun_anew() {
    for end in [
        association::abort(),
        association::released(),
        association::release(),
    ] {
        let mut room = Room::open();
        room.pass(5_000);
        room.hears(&end);
        if end == association::release() {
            assert_eq!(room.asked.last().unwrap().1, association::released());
        }
        let numbers = room.numbers_in(5_000);
        assert!(numbers >= 3, "{numbers}");
        assert_eq!(room.times(association::REQUEST).len(), 2);
    }
}

#[test]
fn a_monitor_that_falls_silent_is_asked_anew_after_five_seconds() {
    let mut room = Room::open();
    room.pass(10_000);
    room.inward = Box::new(|_| false);
    let from = room.events.len();
    room.pass(8_000);
    let said: Vec<String> = room
        .asked
        .iter()
        .filter(|(at, _)| *at > 10_000)
        .map(|(_, message)| named(message))
        .collect();
    assert!(said.contains(&"release".to_owned()), "{said:?}");
    assert!(said.contains(&"request 80000000".to_owned()), "{said:?}");
    // Once for the numerics, once for the monitor, once for the request.
    assert_eq!(faults(&room.events[from..]), [Fault::Timeout; 3]);
    room.inward = Box::new(|_| true);
    assert!(room.numbers_in(15_000) > 0);
}

#[test]
fn each_message_of_the_beginning_may_be_lost() {
    let kinds: [fn(&[u8]) -> bool; 3] = [
        |message| message[0] == association::RESPONSE,
        |message| message[0] == DATA_EXPORT && message[5] == 1,
        |message| message[0] == DATA_EXPORT && message[5] == 2,
    ];
    for (number, is_lost) in kinds.into_iter().enumerate() {
        let mut room = Room::with(&[]);
        let mut lost = false;
        let filter = move |message: &[u8]| {
            let loses = !lost && is_lost(message);
            lost |= loses;
            !loses
        };
        room.inward = Box::new(filter);
        let mut room = room.opened();
        assert!(room.numbers_in(15_000) > 5, "inward {number}");

        // The answer to the MDS Create event, or a poll.
        let mut room = Room::with(&[]);
        let mut lost = false;
        room.outward = Box::new(move |message| {
            let loses =
                !lost && message[0] == DATA_EXPORT && usize::from(message[5]) == 1 + number % 2;
            lost |= loses;
            !loses
        });
        let mut room = room.opened();
        assert!(room.numbers_in(15_000) > 5, "outward {number}");
    }
}

#[test]
fn the_response_and_the_creation_may_come_in_either_order() {
    let mut session = session_over(Medium::Datagram, &[]);
    let mut events = Events::new();
    session.opened(at_ms(0), &mut events);
    session.expire(at_ms(250), &mut events);
    session.receive(at_ms(1_300), &created(&[]), &mut events);
    let terms = Terms {
        min_poll_period: Duration::from_secs(1),
        longest_message: 996,
        extended: 0x8000_0000,
    };
    session.receive(at_ms(1_301), &association::response(&terms), &mut events);
    let said: Vec<String> = sent(&events).iter().map(|message| named(message)).collect();
    assert_eq!(said[..3], ["release", "request 80000000", "created"]);
    assert_eq!(said[3], "extended 0006 0000");
    // A repeated creation is answered each time, and changes nothing.
    events.clear();
    session.receive(at_ms(1_400), &created(&[]), &mut events);
    let said: Vec<String> = sent(&events).iter().map(|message| named(message)).collect();
    assert_eq!(said, ["created"]);
}

/// A session that was granted these extended options.
fn granted(extended: u32) -> (Box<dyn Session>, Events) {
    let mut session = session_over(Medium::Datagram, &[]);
    let mut events = Events::new();
    session.opened(at_ms(0), &mut events);
    session.expire(at_ms(250), &mut events);
    let terms = Terms {
        min_poll_period: Duration::from_secs(1),
        longest_message: 996,
        extended,
    };
    session.receive(at_ms(300), &association::response(&terms), &mut events);
    events.clear();
    session.receive(at_ms(300), &created(&[]), &mut events);
    (session, events)
}

#[test]
fn averages_are_never_taken_for_numbers_of_the_moment() {
    // 60 s averages were granted, real time was not: each value is asked for singly.
    for extended in [0x2000_0000, 0] {
        let (mut session, mut events) = granted(extended);
        assert_eq!(faults(&events), [Fault::BadAnswer]);
        let said = |events: &Events| -> Vec<String> {
            sent(events).iter().map(|message| named(message)).collect()
        };
        let asked = said(&events);
        assert!(
            asked.iter().all(|name| !name.starts_with("extended")),
            "{asked:?}"
        );
        // An answer; the next question one second after the last.
        events.clear();
        let single = Told {
            invoke: 1,
            question: Question {
                class: Class::Numerics.code(),
                group: 0,
                period: None,
            },
            sequence: 0,
            at: 1,
            link: Link::End,
        };
        let spo2 = numeric(1, SPO2, None, &[number(0x4BB8, 0, 0x0220, 97)]);
        session.receive(at_ms(900), &answer::polled(single, &[spo2]), &mut events);
        assert_eq!(readings(&events), [("spo2".to_owned(), valid(97))]);
        assert_eq!(session.deadline(), Some(at_ms(1_300).moment));
        session.expire(at_ms(1_300), &mut events);
        assert_eq!(said(&events), ["single 0006 0000", "single 0036 0801"]);
    }
}

#[test]
fn a_monitor_that_cannot_do_extended_polls_is_asked_singly() {
    let (mut session, mut events) = granted(0x8000_0000);
    let first = sent(&events)
        .iter()
        .find_map(|message| match Asked::read(message) {
            Some(Asked::Poll(invoke, _)) => Some(invoke),
            _ => None,
        })
        .unwrap();
    events.clear();
    session.receive(at_ms(400), &answer::refused(first), &mut events);
    assert_eq!(faults(&events), [Fault::BadAnswer]);
    let said: Vec<String> = sent(&events).iter().map(|message| named(message)).collect();
    assert_eq!(said, ["single 0006 0000", "single 0036 0801"]);
}

#[test]
fn missing_numerics_are_asked_for_anew_while_the_monitor_says_other_things() {
    let (mut session, mut events) = granted(0x8000_0000);
    events.clear();
    let alive = |at| {
        let told = Told {
            invoke: 9,
            question: Question {
                class: Class::Alerts.code(),
                group: 0x0811,
                period: None,
            },
            sequence: 0,
            at,
            link: Link::End,
        };
        answer::polled(told, &[])
    };
    for second in 1..=7_u32 {
        session.receive(
            at_ms(300 + u64::from(second) * 1_000),
            &alive(second * 8_000),
            &mut events,
        );
        while session
            .deadline()
            .is_some_and(|due| due <= at_ms(300 + u64::from(second) * 1_000).moment)
        {
            session.expire(at_ms(300 + u64::from(second) * 1_000), &mut events);
        }
    }
    let asked = sent(&events)
        .iter()
        .filter(|message| named(message) == "extended 0006 0000")
        .count();
    assert_eq!((asked, faults(&events)), (2, vec![Fault::Timeout]));
}

#[test]
fn another_clients_numbers_and_our_own_echo_do_no_harm() {
    let mut room = Room::open();
    room.pass(3_000);
    let from = room.events.len();
    let ours: Vec<Vec<u8>> = room
        .asked
        .iter()
        .map(|(_, message)| message.clone())
        .collect();
    for message in ours
        .iter()
        .filter(|message| message[0] != association::RELEASE)
    {
        let events = heard(std::slice::from_ref(message));
        let is_answer = named(message) == "created";
        assert_eq!(faults(&events).is_empty(), is_answer, "{}", named(message));
        assert_eq!(readings(&events), []);
    }
    assert_eq!(room.numbers_in(3_072), 3);
    assert_eq!(faults(&room.events[from..]), []);
}
