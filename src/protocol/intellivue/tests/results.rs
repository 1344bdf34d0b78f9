//! Identity, alarms, and results in their order.

use super::super::super::event::Fault;
use super::room::Room;
use super::*;
use crate::observation::AlertPhase;
use crate::vocabulary::Priority;

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
        let object = answer::object(
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
        answer::polled(told, &[object])
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
