//! The dialogue: who says what when, what happens when something is lost, and what is never said.

use super::super::super::event::Fault;
use super::super::association::{self, Terms};
use super::super::message::{Asked, DATA_EXPORT};
use super::*;
use crate::observation::AlertPhase;
use crate::vocabulary::Priority;
use std::time::Duration;

/// A session and a simulated monitor in one room, with a clock of their own.
struct Room {
    session: Box<dyn Session>,
    device: Box<dyn Device>,
    /// Milliseconds.
    now: u64,
    next_screen: u64,
    screen: Screen,
    /// Everything that the session said.
    events: Events,
    /// What it sent, and when.
    asked: Vec<(u64, Vec<u8>)>,
    /// Decides which messages reach the session, and which the monitor.
    inward: Box<dyn FnMut(&[u8]) -> bool>,
    outward: Box<dyn FnMut(&[u8]) -> bool>,
}

/// A screen with everything on it.
fn screen() -> Screen {
    let reading = |value| Reading::Valid(Decimal::whole(value));
    Screen {
        civil_ms: TAKEN,
        numerics: [
            (Parameter::Hr, reading(72)),
            (Parameter::Spo2, reading(97)),
            (Parameter::Pr, reading(71)),
        ]
        .into(),
        ..Screen::default()
    }
}

impl Room {
    fn with(options: &[(&str, &str)]) -> Self {
        Self {
            session: session_over(Medium::Datagram, options),
            device: device(),
            now: 0,
            next_screen: 0,
            screen: screen(),
            events: Events::new(),
            asked: Vec::new(),
            inward: Box::new(|_| true),
            outward: Box::new(|_| true),
        }
    }

    fn open() -> Self {
        Self::with(&[]).opened()
    }

    fn opened(mut self) -> Self {
        self.act(|session, now, events| session.opened(now, events));
        self
    }

    fn act(&mut self, act: impl FnOnce(&mut dyn Session, Now, &mut Events)) {
        let mut said = Events::new();
        act(&mut *self.session, at_ms(self.now), &mut said);
        self.follow(said);
    }

    fn hears(&mut self, message: &[u8]) {
        self.act(|session, now, events| session.receive(now, message, events));
    }

    /// Delivers what was said to the monitor, and its answers.
    fn follow(&mut self, said: Events) {
        let mut answers = Vec::new();
        for message in sent(&said) {
            self.asked.push((self.now, message.clone()));
            if (self.outward)(&message) {
                self.device.receive(at_ms(self.now), &message, &mut answers);
            }
        }
        self.events.extend(said);
        self.deliver(answers);
    }

    fn deliver(&mut self, messages: Vec<Vec<u8>>) {
        for message in messages {
            if (self.inward)(&message) {
                self.hears(&message);
            }
        }
    }

    /// Time goes by.
    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        loop {
            let due = self
                .session
                .deadline()
                .map_or(u64::MAX, |due| due.as_micros().div_ceil(1_000));
            let next = due.min(self.next_screen);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next.max(self.now);
            if due <= self.now {
                self.act(|session, now, events| session.expire(now, events));
                let later = self.session.deadline();
                assert!(
                    later.is_none_or(|later| later > at_ms(self.now).moment),
                    "it goes on"
                );
            } else {
                let mut answers = Vec::new();
                let civil_ms = TAKEN + i64::try_from(self.now).unwrap();
                let screen = Screen {
                    civil_ms,
                    ..self.screen.clone()
                };
                self.device.present(at_ms(self.now), &screen, &mut answers);
                self.next_screen = self.now + 1_024;
                self.deliver(answers);
            }
        }
    }

    /// Times at which a message of this kind was sent.
    fn times(&self, kind: u8) -> Vec<u64> {
        let of_kind = self.asked.iter().filter(|(_, message)| message[0] == kind);
        of_kind.map(|(at, _)| *at).collect()
    }

    /// Numbers of SpO2 heard since `from`, an index of `events`.
    fn numbers_since(&self, from: usize) -> usize {
        observed(&self.events[from..])
            .iter()
            .filter(|seen| seen.parameter == Parameter::Spo2.into())
            .filter(|seen| seen.reading.value().is_some())
            .count()
    }

    /// Passes time and counts the numbers in it.
    fn numbers_in(&mut self, millis: u64) -> usize {
        let from = self.events.len();
        self.pass(millis);
        self.numbers_since(from)
    }
}

/// What a message of ours is, in words; anything else fails.
fn named(message: &[u8]) -> String {
    if message == association::release() {
        return "release".to_owned();
    }
    if message == association::released() {
        return "released".to_owned();
    }
    if let Some(terms) = association::asked(message) {
        return format!("request {:08x}", terms.extended);
    }
    match Asked::read(message) {
        Some(Asked::CreateAnswered) => "created".to_owned(),
        Some(Asked::Poll(_, question)) => format!(
            "{} {:04x} {:04x}",
            if question.period.is_some() {
                "extended"
            } else {
                "single"
            },
            question.class,
            question.group
        ),
        Some(Asked::Waves(_, labels)) => format!("waves {labels:08x?}"),
        Some(Asked::Unknown(_)) | None => panic!("{message:02X?}"),
    }
}

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
        session.receive(at_ms(900), &message::polled(single, &[spo2]), &mut events);
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
    session.receive(at_ms(400), &message::refused(first), &mut events);
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
        message::polled(told, &[])
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
fn bed_device_and_patient_are_told_before_the_readings() {
    let identity = Identity {
        bed: Some("Chair 3".into()),
        device: Some("00:09:FB:01:02:03".into()),
        patient: Some("K-204".into()),
    };
    let mut room = Room::with(&[]);
    room.device = (PROTOCOL.device)(&DeviceOptions {
        identity: identity.clone(),
        ..DeviceOptions::default()
    });
    let mut room = room.opened();
    room.pass(60_000);
    let told = identities(&room.events);
    let before = Identity {
        patient: None,
        ..identity.clone()
    };
    assert_eq!(told, [&before, &identity], "on a change only");
    let first_identity = room
        .events
        .iter()
        .position(|event| matches!(event, Event::Identity(_)));
    let first_reading = room
        .events
        .iter()
        .position(|event| matches!(event, Event::Observation(_)));
    assert!(first_identity < first_reading);
}

#[test]
fn a_patient_is_one_only_while_admitted() {
    let told = |state: u16, id: &str, at: u32| {
        let object = message::object(
            0x50,
            &[
                attribute(0x0957, state.to_be_bytes()),
                attribute(0x095A, wire::to_text(id)),
            ],
        );
        let told = Told {
            invoke: 2,
            question: Question {
                class: Class::Patient.code(),
                group: 0x0807,
                period: None,
            },
            sequence: 0,
            at,
            link: Link::End,
        };
        message::polled(told, &[object])
    };
    let events = heard(&[
        told(1, "K-1", 1),
        told(2, "K-204", 2),
        told(2, "K-204", 3),
        told(2, "K-205", 4),
        told(8, "K-205", 5),
        told(2, "", 6),
    ]);
    let patients: Vec<Option<&str>> = identities(&events)
        .into_iter()
        .map(|identity| identity.patient.as_deref())
        .collect();
    assert_eq!(patients, [Some("K-204"), Some("K-205"), None]);
}

#[test]
fn alarms_of_the_monitor_begin_and_end() {
    let mut room = Room::open();
    room.pass(3_000);
    room.screen.alerts = vec![crate::observation::DeviceAlert {
        key: "SpO2 LOW".into(),
        priority: Some(Priority::High),
        phase: AlertPhase::Present,
        text: "SpO2 LOW".into(),
        at: None,
    }];
    room.pass(3_000);
    room.screen.alerts.clear();
    room.pass(3_000);
    let told: Vec<_> = alerts(&room.events)
        .into_iter()
        .map(|alert| (&*alert.text, alert.phase, alert.priority))
        .collect();
    let high = Some(Priority::High);
    assert_eq!(
        told,
        [
            ("SpO2 LOW", AlertPhase::Start, high),
            ("SpO2 LOW", AlertPhase::End, high),
        ]
    );
    assert!(alerts(&room.events)[0].at.is_some());
}

#[test]
fn a_result_that_lost_a_part_is_not_told_and_the_next_is() {
    let hr = vec![numeric(1, HR, None, &[number(0x4182, 0, 0x0AA0, 70)])];
    let spo2 = vec![numeric(2, SPO2, None, &[number(0x4BB8, 0, 0x0220, 97)])];
    let part = |number, is_last| Link::Part { number, is_last };
    let one = |sequence| {
        vec![
            result(sequence, part(1, false), &hr),
            result(sequence, part(2, true), &spo2),
            result(sequence, Link::End, &[]),
        ]
    };
    let whole = readings(&heard(&one(1)));
    assert_eq!(
        whole,
        [("hr".to_owned(), valid(70)), ("spo2".to_owned(), valid(97))]
    );
    for lost in 0..2 {
        let mut stream = one(1);
        stream.remove(lost);
        stream.extend(one(2));
        let events = heard(&stream);
        assert_eq!(readings(&events), whole, "without part {lost}");
        assert_eq!(faults(&events), [Fault::Lost]);
    }
    // The end alone may be missing: the last part says that it is the last.
    let events = heard(&[&one(1)[..2], &one(2)[..2]].concat());
    assert_eq!(readings(&events), [&whole[..], &whole[..]].concat());
    assert_eq!(faults(&events), []);
    // Data in the end of a series are taken all the same.
    let events = heard(&[result(1, part(1, true), &hr), result(1, Link::End, &spo2)]);
    assert_eq!(readings(&events), whole);
}

#[test]
fn a_repeated_or_late_datagram_brings_nothing() {
    let told = |sequence, value| {
        result(
            sequence,
            Link::End,
            &[numeric(1, HR, None, &[number(0x4182, 0, 0x0AA0, value)])],
        )
    };
    let events = heard(&[
        told(1, 60),
        told(2, 61),
        told(2, 61),
        told(1, 60),
        told(3, 62),
    ]);
    let values: Vec<Reading> = observed(&events).iter().map(|seen| seen.reading).collect();
    assert_eq!(values, [valid(60), valid(61), valid(62)]);
    assert_eq!(faults(&events), []);
    let events = heard(&[told(1, 60), told(3, 62)]);
    assert_eq!(faults(&events), [Fault::Lost]);
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
