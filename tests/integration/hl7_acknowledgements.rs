//! Who is answered, how, when, and in which order.

use super::hl7_rig::{MSH, Rig, at, faults, frame, frames, identities, lines, observations, sent};
use infusewatch::protocol::{Event, Events, Fault};

const HR: &str = "OBX|1|NM|147842^^MDC|1.1.1.1|80|264864^^MDC|||||R";

fn header(id: &str, accept: &str, application: &str) -> String {
    format!("MSH|^~\\&|A|B|||20260301101500||ORU^R01^ORU_R01|{id}|P|2.6|||{accept}|{application}")
}

/// MSA-1 of every answer.
fn codes(answers: &[String]) -> Vec<&str> {
    answers
        .iter()
        .map(|answer| answer.split("MSA|").nth(1).unwrap().get(..2).unwrap())
        .collect()
}

#[test]
fn the_answer_is_an_own_message_with_the_senders_numbers() {
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&[MSH, HR]));
    assert_eq!(
        sent(&events),
        Vec::<String>::new(),
        "not before the record has it"
    );
    assert_eq!(
        rig.commit(&events, true),
        [
            "\u{0B}MSH|^~\\&|INFUSEWATCH||BEDSIDE^00AA00FFFE00BB01^EUI-64||20260301101500.000+0000||ACK^R01^ACK|1772360100000-1|P|2.6\rMSA|CA|C17\r\u{1C}\r"
        ]
    );
}

#[test]
fn what_is_not_in_the_record_is_not_acknowledged() {
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&[MSH, HR]));
    let answers = rig.commit(&events, false);
    assert_eq!(codes(&answers), ["CE"]);
    assert!(answers[0].contains("MSA|CE|C17|not recorded\r"));
    assert!(
        answers[0].contains("\rERR|||207^Application internal error^HL70357|E||||not recorded\r")
    );
}

#[test]
fn both_modes_and_every_condition() {
    for (accept, application, recorded, lost) in [
        ("", "", &["AA"][..], &["AE"][..]),
        ("AL", "NE", &["CA"], &["CE"]),
        ("NE", "AL", &["AA"], &["AE"]),
        ("AL", "AL", &["CA", "AA"], &["CE", "AE"]),
        ("NE", "NE", &[], &[]),
        ("AL", "", &["CA"], &["CE"]),
        ("", "AL", &["AA"], &["AE"]),
        ("NE", "", &[], &[]),
        ("ER", "NE", &[], &["CE"]),
        ("SU", "NE", &["CA"], &[]),
        ("NE", "ER", &[], &["AE"]),
    ] {
        for (durable, expected) in [(true, recorded), (false, lost)] {
            let mut rig = Rig::new(&[]);
            let events = rig.receive(&frame(&[&header("1", accept, application), HR]));
            assert_eq!(lines(&observations(&events)), ["hr 80"]);
            let answers = rig.commit(&events, durable);
            assert_eq!(
                codes(&answers),
                expected,
                "{accept}/{application} {durable}"
            );
        }
    }
}

#[test]
fn the_clinic_may_overrule_the_sender() {
    for (mode, expected) in [
        ("auto", &["CA"][..]),
        ("original", &["AA"]),
        ("commit", &["CA"]),
        ("none", &[]),
    ] {
        let mut rig = Rig::new(&[("ack", mode)]);
        let events = rig.receive(&frame(&[&header("1", "AL", "NE"), HR]));
        assert_eq!(codes(&rig.commit(&events, true)), expected, "{mode}");
        assert_eq!(
            events
                .iter()
                .any(|event| matches!(event, Event::AwaitCommit(_))),
            !expected.is_empty()
        );
    }
}

#[test]
fn answers_leave_in_the_order_of_their_messages() {
    let mut rig = Rig::new(&[]);
    let foreign = "MSH|^~\\&|A||||20260301101500||ADT^A01|2|P|2.6|||AL|NE";
    let mut bytes = frame(&[&header("1", "AL", "NE"), HR]);
    bytes.extend(frame(&[foreign]));
    bytes.extend(frame(&[&header("3", "AL", "NE"), HR]));
    let events = rig.receive(&bytes);
    assert_eq!(
        sent(&events),
        Vec::<String>::new(),
        "the refusal waits its turn"
    );
    let mut tokens = Vec::new();
    for event in &events {
        if let Event::AwaitCommit(token) = event {
            tokens.push(*token);
        }
    }
    assert_eq!(tokens.len(), 2);
    // Even if the record answers out of order.
    let mut answers = Events::new();
    rig.session.committed(at(1), tokens[1], true, &mut answers);
    assert_eq!(answers, []);
    rig.session.committed(at(1), tokens[0], true, &mut answers);
    let answers = sent(&answers);
    assert_eq!(codes(&answers), ["CA", "CR", "CA"]);
    for (answer, id) in answers.iter().zip(["1", "2", "3"]) {
        assert_eq!(
            answer
                .split("MSA|")
                .nth(1)
                .unwrap()
                .split(['|', '\r'])
                .nth(1),
            Some(id)
        );
    }
}

#[test]
fn the_waiting_token_stands_behind_what_must_be_recorded() {
    let events = Rig::new(&[]).receive(&frame(&[MSH, "PID|||P1", HR, HR]));
    assert!(matches!(
        events.as_slice(),
        [
            Event::Frame,
            Event::Identity(_),
            Event::Observation(_),
            Event::Observation(_),
            Event::AwaitCommit(_),
        ]
    ));
}

#[test]
fn a_message_without_a_number_is_used_and_called_wrong() {
    for (accept, application, code) in [("AL", "NE", "CE"), ("", "", "AE")] {
        let events = Rig::new(&[]).receive(&frame(&[&header("", accept, application), HR]));
        assert_eq!(lines(&observations(&events)), ["hr 80"]);
        assert_eq!(faults(&events), [Fault::BadMessage]);
        let answers = sent(&events);
        assert_eq!(codes(&answers), [code]);
        assert!(answers[0].contains("101^Required field missing"));
    }
}

#[test]
fn what_is_not_for_us_is_refused_politely() {
    for (header, number, alive) in [
        ("MSH|^~\\&|A||||20260301101500||ADT^A01|1|P|2.4", "200", 1),
        ("MSH|^~\\&|A||||20260301101500||QRY^A19|1|P|2.4", "200", 1),
        ("MSH|^~\\&|A||||20260301101500|||1|P|2.4", "200", 1),
        ("MSH|^~\\&|A||||20260301101500||ORU^R01|1|X|2.4", "202", 0),
        ("MSH|^~\\&|A||||20260301101500||ORU^R01|1|P|3.0", "203", 0),
    ] {
        let events = Rig::new(&[]).receive(&frame(&[header, HR]));
        assert_eq!(faults(&events), [Fault::Unsupported], "{header}");
        assert_eq!(frames(&events), alive, "{header}");
        assert_eq!(observations(&events), []);
        let answers = sent(&events);
        assert_eq!(codes(&answers), ["AR"]);
        assert!(answers[0].contains(&format!("|{number}^")), "{header}");
    }
    let clash = "MSH|^^\\&|A||||20260301101500||ORU^R01|1|P|2.4";
    let answers = sent(&Rig::new(&[]).receive(&frame(&[clash, HR])));
    assert_eq!(codes(&answers), ["AR"]);
    assert!(answers[0].starts_with("\u{0B}MSH|^~\\&|"));
}

#[test]
fn every_version_two_is_taken() {
    for version in ["", "2", "2.2", "2.3.1", "2.5^USA", "2.6", "2.7"] {
        let header = format!("MSH|^~\\&|||||20260301101500||ORU^R01|1|P|{version}");
        let events = Rig::new(&[]).receive(&frame(&[&header, HR]));
        assert_eq!(lines(&observations(&events)), ["hr 80"], "{version}");
    }
}

#[test]
fn a_clock_message_is_a_sign_of_life_and_an_acknowledgement_is_not_answered() {
    let mut rig = Rig::new(&[]);
    let clock = rig.receive(&frame(&[
        "MSH|^~\\&|||||||NMD^N02|7|P|2.3",
        "NCK|20260301101500",
    ]));
    assert_eq!((frames(&clock), observations(&clock)), (1, vec![]));
    assert_eq!(codes(&rig.commit(&clock, true)), ["AA"]);
    for kind in ["ACK", "ACK^R01", "ACK^^ACK_ALL"] {
        let events = rig.receive(&frame(&[
            &format!("MSH|^~\\&|||||||{kind}|7|P|2.6"),
            "MSA|AA|9",
        ]));
        assert_eq!(events, [Event::Frame], "{kind}");
    }
    // Commit bytes of MLLP release 2.
    assert_eq!(rig.receive(b"\x0B\x06\x1C\r\x0B\x15\x1C\r"), []);
}

#[test]
fn the_answer_speaks_the_senders_delimiters_and_repeats_his_number_byte_for_byte() {
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&[
        "MSH#*!%+#SND*1*X#FAC###20260301101500##ORU*R01*ORU_R01# a|b^c\\F\\ #D#2.5",
        "PID###P*1",
    ]));
    assert_eq!(
        rig.commit(&events, true),
        [
            "\u{0B}MSH#*!%+#INFUSEWATCH##SND*1*X#FAC#20260301101500.000+0000##ACK*R01*ACK#1772360100000-1#D#2.5\rMSA#AA# a|b^c\\F\\ \r\u{1C}\r"
        ]
    );
}

#[test]
fn a_sender_who_never_waits_gets_no_more_answers_than_can_wait() {
    let mut rig = Rig::new(&[]);
    let one = frame(&[&header("1", "AL", "NE"), HR]);
    let mut all = Events::new();
    for _ in 0..5_000 {
        all.extend(rig.receive(&one));
    }
    assert_eq!(observations(&all).len(), 5_000, "every reading is taken");
    assert_eq!(faults(&all).len(), 5_000 - 4_096);
    assert_eq!(rig.commit(&all, true).len(), 4_096);
    assert_eq!(identities(&all).len(), 5_000);
}

#[test]
fn a_new_link_owes_nothing_to_the_old_one() {
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&[MSH, HR]));
    let mut opened = Events::new();
    rig.session.opened(at(5), &mut opened);
    assert_eq!(opened, []);
    assert_eq!(rig.commit(&events, true), Vec::<String>::new());
}
