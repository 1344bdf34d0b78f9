//! Alarms, patients, text, and what is no message.

use super::*;

#[test]
fn alarms_begin_change_and_end() {
    let physiological = |rows: &[&str]| {
        let mut rows = rows.to_vec();
        rows.push("OBX||CE|2040^||0^||||||F");
        message(54, &rows)
    };
    let low = "OBX||CE|2|1|10076^**T1 Too Low||||||F|||20200418190201";
    let technical = message(
        56,
        &[
            "OBX||CE|4||205^SpO2 Sensor Off||||||F|",
            "OBX||CE|4||5^ECG Lead Off||||||F|",
            "OBX||CE|2041^||0^||||||F",
            // The end is told twice.
            "OBX||CE|2041^||0^||||||F",
        ],
    );
    let events = told(&[
        physiological(&[low]),
        physiological(&[low]),
        physiological(&["OBX||CE|2|1|10076^***T1 Too Low||||||F|||20200418190301"]),
        technical.clone(),
        technical,
        physiological(&[]),
    ]);
    let phases: Vec<_> = alerts(&events)
        .iter()
        .map(|one| (one.key.to_string(), one.text.to_string(), one.phase))
        .collect();
    let expected = [
        ("physiological:10076", "**T1 Too Low", AlertPhase::Start),
        ("physiological:10076", "***T1 Too Low", AlertPhase::Continue),
        ("technical:205", "SpO2 Sensor Off", AlertPhase::Start),
        ("technical:5", "ECG Lead Off", AlertPhase::Start),
        ("physiological:10076", "***T1 Too Low", AlertPhase::End),
    ]
    .map(|(key, text, phase)| (key.to_owned(), text.to_owned(), phase));
    assert_eq!(phases, expected);
    assert_eq!(
        alerts(&events)[0].at.unwrap().iso8601(),
        "2020-04-18T19:02:01"
    );
}

#[test]
fn a_list_without_its_end_ends_nothing() {
    let row = |code| format!("OBX||CE|4||{code}^Lead Off||||||F|");
    let end = "OBX||CE|2041^||0^||||||F";
    let events = told(&[
        message(56, &[&row(1), &row(2), end]),
        message(56, &[&row(1)]),
        message(56, &[&row(2), end]),
    ]);
    assert_eq!(alerts(&events).len(), 2, "{:?}", alerts(&events));
}

#[test]
fn patient_and_bed_are_told_and_a_discharge_too() {
    let admitted = message(
        103,
        &[
            "PID|||4711||DOE^TEST||19700101|M|",
            "PV1||I|^^ICU&1&3232237756&4601&&1|",
        ],
    );
    let discharged = message(103, &["PID|||\"\"||", "PV1||I|^^&&3232237756&4601&&0|"]);
    let events = told(&[admitted, discharged]);
    assert_eq!(
        identities(&events),
        [
            &Identity {
                bed: Some("ICU&1".into()),
                device: None,
                patient: Some("4711".into())
            },
            &Identity::default()
        ]
    );
}

#[test]
fn chinese_text_is_read_and_a_delimiter_inside_a_letter_moves_no_field() {
    // The second letter of the name ends in the byte of a field separator.
    let mut named = b"\x0BMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rOBX||NM|101^\xD0\xC4\x81\x7C|2101|60||||||F\r\x1C\r".to_vec();
    let events = told(&[named.clone()]);
    assert_eq!(readings(&events, Parameter::Hr), [whole(60)]);
    // A letter that was cut in half takes the separator with it: no number, and no wrong one.
    let place = named
        .windows(2)
        .position(|pair| pair == b"\x81\x7C")
        .unwrap();
    named.remove(place + 1);
    let events = told(&[named]);
    assert_eq!(
        readings(&events, Parameter::Hr),
        [Reading::Invalid(Cause::NotAvailable)]
    );
    let alarm =
        b"\x0BMSH|^~\\&|||||||ORU^R01|56|P|2.3.1|\rOBX||CE|4||205^\xD0\xC4\xC2\xCA||||||F|\r\x1C\r";
    assert_eq!(&*alerts(&told(&[alarm.to_vec()]))[0].text, "心率");
}

#[test]
fn waves_unknown_kinds_and_lines_by_lf_do_no_harm() {
    let mut waves = b"\x0BMSH|^~\\&|||||||ORU^R01|157|P|2.3.1|\rZMW|".to_vec();
    waves.extend((0..2_000_u32).map(|n| 0x80 | (n % 128) as u8));
    // No carriage return behind the end of the frame.
    waves.push(0x1C);
    let lines =
        b"\x0BMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\nOBX||NM|160^SpO2|2103|97||||||F\n\x1C\r";
    let events = told(&[
        waves,
        message(55, &["OBX||ST|1^||x||||||F"]),
        lines.to_vec(),
    ]);
    assert_eq!(observed(&events).len(), 1);
    assert!(faults(&events).is_empty(), "{:?}", faults(&events));
    let frames = events.iter().filter(|event| **event == Event::Frame);
    assert_eq!(frames.count(), 3);
}

#[test]
fn what_is_no_message_of_the_monitor_is_no_sign_of_life() {
    for (bytes, fault) in [
        (framed("hello"), Fault::BadMessage),
        (framed("M\0S\0H\0|\0"), Fault::BadCharset),
        (
            framed("MSH|^^~&|||||||ORU^R01|204|P|2.3.1|\r"),
            Fault::BadMessage,
        ),
        (
            framed("MSH|^~\\&|||||||ACK|204|P|2.3.1|\r"),
            Fault::Unsupported,
        ),
        (
            framed("MSH|^~\\&|||||||QRY^R02|1203|P|2.3.1|\r"),
            Fault::BadAnswer,
        ),
        (vec![0x0B; 3], Fault::Truncated),
    ] {
        let (mut session, _) = open();
        let mut events = Events::new();
        session.receive(at(1), &bytes, &mut events);
        session.closed(at(2), &mut events);
        assert_eq!(faults(&events), [fault]);
        assert!(!events.contains(&Event::Frame));
    }
    let two = framed(
        "MSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rOBX||NM|160^SpO2|2103|50||||||F\r",
    );
    let events = told(&[two]);
    assert!(observed(&events).is_empty());
    assert_eq!(faults(&events), [Fault::BadMessage]);
}
