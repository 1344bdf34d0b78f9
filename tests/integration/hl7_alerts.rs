//! Alarms of devices: PCD-04 messages and the lists of Philips monitors. Shown, never judged.

use super::hl7_rig::{
    MSH, Rig, alert_lines, alerts, at, faults, frame, frames, identities, observations, sent,
};
use infusewatch::observation::{AlertPhase, DeviceTime};
use infusewatch::protocol::{Event, Events, Fault};
use infusewatch::vocabulary::Priority;
use proptest::prelude::*;

const R40: &str = "MSH|^~\\&|GATE^00AA00FFFE00CC02^EUI-64||||20260301101500+0000||ORU^R40^ORU_R40|A1|P|2.6|||AL|NE";
const MDS: &str = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-3";
const EVENT: &str =
    "OBX|2|ST|196916^MDC_EVT_SENSOR_DISCONN^MDC|1.1.1.1.1|Finger probe unplugged||||||F";

fn group(filler: &str, parent: &str) -> String {
    format!(
        "OBR|1||{filler}|196616^MDC_EVT_ALARM^MDC|||20260301101455+0000||||||||||||||||||||||{parent}"
    )
}

fn facet(name: &str, value: &str) -> String {
    format!("OBX|3|ST|{name}^MDC|1.1.1.1.3|{value}||||||R")
}

fn phase(word: &str) -> String {
    facet("68481^MDC_ATTR_EVENT_PHASE", word)
}

fn alert(filler: &str, parent: &str, rows: &[&str]) -> Vec<u8> {
    let group = group(filler, parent);
    let mut segments = vec![R40, "PID|||P-7", "PV1||O|INF^^C1", &group, MDS];
    segments.extend(rows);
    frame(&segments)
}

fn keys(events: &Events) -> Vec<String> {
    alerts(events)
        .iter()
        .map(|alert| alert.key.to_string())
        .collect()
}

#[test]
fn an_alert_from_its_beginning_to_its_end() {
    let mut rig = Rig::new(&[]);
    let priority = facet("68484^MDC_ATTR_ALARM_PRIORITY", "PM");
    let mut told = Vec::new();
    let mut names = Vec::new();
    for (filler, parent, word) in [
        ("1^GATE^00AA^EUI-64", "", "start"),
        ("2^GATE^00AA^EUI-64", "^1&GATE&00AA&EUI-64", "update"),
        ("3^GATE^00AA^EUI-64", "^1&GATE&00AA&EUI-64", "end"),
    ] {
        let events = rig.receive(&alert(filler, parent, &[EVENT, &phase(word), &priority]));
        assert_eq!(frames(&events), 1);
        assert_eq!(identities(&events)[0].device.as_deref(), Some("MON-3"));
        assert_eq!(identities(&events)[0].bed.as_deref(), Some("INF^^C1"));
        told.extend(alert_lines(&events));
        names.extend(keys(&events));
        assert_eq!(
            alerts(&events)[0].at,
            Some(DeviceTime {
                civil_ms: 1_772_360_095_000,
                offset_min: Some(0)
            })
        );
        assert_eq!(faults(&events), []);
        assert!(rig.commit(&events, true)[0].contains("ACK^R40^ACK"));
    }
    assert_eq!(
        told,
        [
            "start medium Finger probe unplugged",
            "continue medium Finger probe unplugged",
            "end medium Finger probe unplugged",
        ]
    );
    assert_eq!(names, ["1^GATE^00AA^EUI-64"; 3]);
}

#[test]
fn every_phase_and_state() {
    let inactive = facet("68482^MDC_ATTR_ALARM_STATE", "inactive");
    let active = facet("68482^MDC_ATTR_ALARM_STATE", "active");
    let latched = facet("68482^MDC_ATTR_ALARM_STATE", "latched");
    for (word, state, expected) in [
        ("start", &active, AlertPhase::Start),
        ("START", &active, AlertPhase::Start),
        ("start_only", &active, AlertPhase::Start),
        ("present", &active, AlertPhase::Continue),
        ("continue", &active, AlertPhase::Continue),
        ("update", &latched, AlertPhase::Continue),
        ("escalate", &active, AlertPhase::Continue),
        ("deescalate", &active, AlertPhase::Continue),
        ("inactivate", &active, AlertPhase::Continue),
        ("acknowledged", &active, AlertPhase::Continue),
        ("update", &inactive, AlertPhase::End),
        ("end", &active, AlertPhase::End),
        ("end", &inactive, AlertPhase::End),
        ("reset", &inactive, AlertPhase::End),
        ("stop", &inactive, AlertPhase::End),
        ("tpoint", &active, AlertPhase::Present),
        ("start", &inactive, AlertPhase::Start),
        ("gone", &active, AlertPhase::Continue),
    ] {
        let events = Rig::new(&[]).receive(&alert("1", "", &[EVENT, &phase(word), state]));
        assert_eq!(alerts(&events)[0].phase, expected, "{word} {state}");
        assert_eq!(faults(&events).len(), usize::from(word == "gone"));
    }
    // No phase at all: shown.
    let events = Rig::new(&[]).receive(&alert("1", "", &[EVENT]));
    assert_eq!(alerts(&events)[0].phase, AlertPhase::Continue);
}

#[test]
fn a_row_of_its_own_tells_the_priority_before_a_flag_does() {
    let flags = "OBX|2|ST|196916^MDC_EVT_SENSOR_DISCONN^MDC|1.1.1.1.1|x|||H~PH~SP|||F";
    let row = |word: &str| facet("68484^MDC_ATTR_ALARM_PRIORITY", word);
    for (rows, expected) in [
        (vec![EVENT.to_owned()], None),
        (vec![flags.to_owned()], Some(Priority::High)),
        (vec![flags.to_owned(), row("PL")], Some(Priority::Low)),
        (vec![row("PL"), flags.to_owned()], Some(Priority::Low)),
        (vec![flags.to_owned(), row("PN")], None),
        (vec![EVENT.to_owned(), row("PM")], Some(Priority::Medium)),
    ] {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let events = Rig::new(&[]).receive(&alert("1", "", &rows));
        assert_eq!(alerts(&events)[0].priority, expected, "{rows:?}");
    }
}

#[test]
fn facets_are_known_in_every_numbering_that_was_seen() {
    for (priority, phase, state) in [
        (
            "68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.6",
            "68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3",
            "68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4",
        ),
        // Another number for the same name.
        (
            "68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.6",
            "68165^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3",
            "68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4",
        ),
        // A digit too much, without a name and without a coding system.
        (
            "684840|1.1.1.1.6",
            "684810|1.1.1.1.3",
            "684820^MDC_ATTR_ALARM_STATE|1.1.1.1.4",
        ),
        // Without a facet, and with the code as the metric.
        (
            "68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.6",
            "68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.150456.3",
            "68482^MDC_ATTR_ALARM_STATE^MDC|",
        ),
    ] {
        let rows = [
            EVENT.to_owned(),
            format!("OBX|3|ST|{priority}|PH||||||R"),
            format!("OBX|4|ST|{phase}|update||||||R"),
            format!("OBX|5|ST|{state}|inactive||||||R"),
        ];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let events = Rig::new(&[]).receive(&alert("1", "", &rows));
        assert_eq!(
            alert_lines(&events),
            ["end high Finger probe unplugged"],
            "{rows:?}"
        );
    }
}

#[test]
fn the_first_message_is_known_by_its_phase_and_later_ones_by_either_number() {
    // Some senders name a parent in the first message already.
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&alert("7^G", "^7&G", &[EVENT, &phase("start")]));
    assert_eq!(keys(&events), ["7^G"]);
    let events = rig.receive(&alert("8^G", "^7&G", &[EVENT, &phase("end")]));
    assert_eq!(keys(&events), ["7^G"]);
    let other = rig.receive(&alert("9^G", "^7&G", &[EVENT, &phase("start")]));
    assert_eq!(keys(&other), ["9^G"]);

    // Others repeat the number, whatever they name as parent.
    let mut rig = Rig::new(&[]);
    for (parent, word) in [
        ("", "start"),
        ("", "update"),
        ("^5&X", "update"),
        ("^5&X", "end"),
    ] {
        let events = rig.receive(&alert("5^G", parent, &[EVENT, &phase(word)]));
        assert_eq!(keys(&events), ["5^G"], "{parent} {word}");
    }
    // Without any number, device and event tell which alert it is.
    let mut rig = Rig::new(&[]);
    let begun = rig.receive(&alert("", "", &[EVENT, &phase("start")]));
    let ended = rig.receive(&alert("", "", &[EVENT, &phase("end")]));
    assert_eq!(keys(&begun), keys(&ended));
}

#[test]
fn the_text_says_what_happened_and_what_it_is_about() {
    let alarm =
        |value: &str| format!("OBX|2|CWE|196616^MDC_EVT_ALARM^MDC|1.1.1.1.1|{value}||||||R");
    let low = "OBX|2|ST|196672^MDC_EVT_LO_LT_LIM^MDC|1.1.1.1.1|||||||R";
    let spo2 = "OBX|3|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1.2|86|262688^MDC_DIM_PERCENT^MDC|90-100|||||R";
    let own = "OBX|4|ST|68546^MDC_ATTR_ALERT_TEXT^MDC|1.1.1.1.8|Druck zu hoch||||||R";
    let paused = "OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE|1.1.1.1.5|audio-paused||||||R";
    let occlusion = alarm("196940^MDC_EVT_FLUID_LINE_OCCL^MDC");
    let private = alarm("70001^MNDRY_EVT_HIGH_HUMIDITY^99MNDRY");
    let bare = alarm("Door open");
    for (rows, expected) in [
        (vec![low, spo2], "spo2 86 (90-100): below the limit"),
        (vec![&*occlusion], "line occluded"),
        (vec![&*occlusion, own], "Druck zu hoch"),
        (vec![&*occlusion, paused], "line occluded [audio-paused]"),
        (vec![&*private], "high humidity"),
        (vec![&*bare], "Door open"),
        (vec![EVENT], "Finger probe unplugged"),
    ] {
        let events = Rig::new(&[]).receive(&alert("1", "", &rows));
        assert_eq!(&*alerts(&events)[0].text, expected, "{rows:?}");
        assert_eq!(observations(&events), [], "an alert's value is no reading");
    }
}

#[test]
fn line_ends_and_groups_do_not_hide_an_alert() {
    for end in ["\r", "\n", "\r\n", "\r\r"] {
        let one = String::from_utf8(alert("1", "", &[EVENT, &phase("start")])).unwrap();
        let body = one
            .strip_prefix('\u{B}')
            .unwrap()
            .strip_suffix("\u{1C}\r")
            .unwrap();
        let bytes = format!("\u{B}{}\u{1C}\r", body.replace('\r', end));
        let events = Rig::new(&[]).receive(bytes.as_bytes());
        assert_eq!(alerts(&events).len(), 1, "{end:?}");
    }
    let (first, second) = (group("1", ""), group("2", ""));
    let start = phase("start");
    let rows = [R40, &first, MDS, EVENT, &start, &second, MDS, EVENT, &start];
    assert_eq!(keys(&Rig::new(&[]).receive(&frame(&rows))), ["1", "2"]);
}

#[test]
fn test_and_demonstration_raise_no_alert() {
    let test = R40.replace("|P|2.6", "|T|2.6");
    let group = group("1", "");
    let start = phase("start");
    let segments = [&*test, &group, MDS, EVENT, &start];
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&segments));
    assert_eq!((frames(&events), alerts(&events).len()), (1, 0));
    assert!(sent(&events)[0].contains("MSA|CA|A1"));
    let bench = Rig::new(&[("accept-test", "true")]).receive(&frame(&segments));
    assert_eq!(alerts(&bench).len(), 1);
    let demo = EVENT.replace("||||||F", "|||DEMO|||F");
    assert_eq!(
        alerts(&Rig::new(&[]).receive(&alert("1", "", &[&demo, &start]))),
        []
    );
    let withdrawn = EVENT.replace("||||||F", "||||||W");
    assert_eq!(
        alert_lines(&Rig::new(&[]).receive(&alert("1", "", &[&withdrawn, &start]))),
        ["start none alarm"],
        "an alert whose cause was withdrawn is still an alert"
    );
}

#[test]
fn an_alert_without_news_stays_and_is_marked_once() {
    let mut rig = Rig::new(&[("alert-time", "60")]);
    let _ = rig.receive(&alert("1", "", &[EVENT, &phase("start")]));
    // Somebody else speaks on the same connection.
    let _ = rig.receive(&frame(&[
        MSH,
        "PID|||P-9",
        "PV1||O|INF^^C9",
        "OBX|1|NM|147842^^MDC|1.1.1.1|80|264864^^MDC|||||R",
    ]));
    assert_eq!(rig.session.deadline(), Some(at(60).moment));
    let mut events = Events::new();
    rig.session.expire(at(59), &mut events);
    assert_eq!(events, []);
    rig.session.expire(at(60), &mut events);
    assert_eq!(identities(&events)[0].bed.as_deref(), Some("INF^^C1"));
    assert_eq!(
        alert_lines(&events),
        ["continue none Finger probe unplugged (no news, state unknown)"]
    );
    assert_eq!(frames(&events), 0, "silence is no sign of life");
    assert_eq!(rig.session.deadline(), None);
    events.clear();
    rig.session.expire(at(1_000), &mut events);
    assert_eq!(events, []);
    // Whom the next message is about is said anew.
    let bare = "MSH|^~\\&|||||20260301101500||ORU^R01|1|P|2.6";
    let events = rig.receive(&frame(&[
        bare,
        "OBX|1|NM|147842^^MDC|1.1.1.1|80|264864^^MDC|||||R",
    ]));
    assert_eq!(identities(&events).len(), 1);
    // News make it known again, and its end ends it.
    let events = rig.receive(&alert("1", "", &[EVENT, &phase("update")]));
    assert_eq!(
        alert_lines(&events),
        ["continue none Finger probe unplugged"]
    );
    assert_eq!(rig.session.deadline(), Some(at(60).moment));
    let _ = rig.receive(&alert("1", "", &[EVENT, &phase("end")]));
    assert_eq!(rig.session.deadline(), None);
}

/// A keep-alive in this state.
fn keep_alive(state: &str) -> Vec<u8> {
    let state = facet("68482^MDC_ATTR_ALARM_STATE", state);
    frame(&[
        R40,
        "OBR|1||9^G|196614^MDC_EVT_ACTIVE^MDC|||20260301101455+0000",
        MDS,
        "OBX|2|ST|196614^MDC_EVT_ACTIVE^MDC|1.1.1.1.1|||||||R",
        "OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start||||||R",
        &state,
        "OBX|5|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.6|PN||||||R",
        "OBX|6|NM|67860^MDC_ATTR_CONFIRM_TIMEOUT^MDC|1.1.1.1.9|5|264320^MDC_DIM_SEC^MDC|||||R",
    ])
}

#[test]
fn a_keep_alive_is_confirmed_at_once_and_its_silence_is_told() {
    let mut rig = Rig::new(&[]);
    let mut events = Events::new();
    let beat = |rig: &mut Rig, second: u64, state: &str| {
        let mut events = Events::new();
        rig.session
            .receive(at(second), &keep_alive(state), &mut events);
        events
    };
    // The first one ends what an earlier connection may have told.
    let first = beat(&mut rig, 0, "active");
    assert_eq!(
        alert_lines(&first),
        ["end medium the sender of device alarms is back"]
    );
    assert_eq!(rig.commit(&first, true).len(), 1);
    let second = beat(&mut rig, 20, "active");
    assert_eq!(alerts(&second), []);
    assert!(sent(&second)[0].contains("MSA|CA|A1"), "without waiting");
    assert!(
        !second
            .iter()
            .any(|event| matches!(event, Event::AwaitCommit(_)))
    );
    let _ = beat(&mut rig, 40, "active");
    // Three of its own intervals of 20 s.
    assert_eq!(rig.session.deadline(), Some(at(100).moment));
    rig.session.expire(at(100), &mut events);
    assert_eq!(
        alert_lines(&events),
        ["start medium the sender of device alarms is silent"]
    );
    assert_eq!(rig.session.deadline(), None);
    let silent = keys(&events);
    let back = beat(&mut rig, 300, "active");
    assert_eq!(
        alert_lines(&back),
        ["end medium the sender of device alarms is back"]
    );
    assert_eq!(keys(&back), silent);
    // A shutdown by plan is said and awaits nothing.
    let last = beat(&mut rig, 320, "inactive");
    assert_eq!(
        alert_lines(&last),
        ["start low the sender of device alarms has shut down"]
    );
    assert_eq!(rig.session.deadline(), None);
}

#[test]
fn an_order_is_refused_politely() {
    for (accept, application, codes) in [("AL", "NE", &["CR"][..]), ("AL", "AL", &["CR", "AR"])] {
        let header = format!(
            "MSH|^~\\&|EHR||||20260301101500+0000||RGV^O15^RGV_O15|9|P|2.6|||{accept}|{application}"
        );
        let events = Rig::new(&[]).receive(&frame(&[
            &header,
            "PID|||P-7",
            "ORC|RE|1",
            "RXG|1|||4001^Ketamine|50||263762^MDC_DIM_MILLI_L^MDC|||||||||25|265266^MDC_DIM_MILLI_L_PER_HR^MDC",
        ]));
        assert_eq!(frames(&events), 1);
        assert_eq!(faults(&events), [Fault::Unsupported]);
        let answers = sent(&events);
        assert_eq!(answers.len(), codes.len());
        for (answer, code) in answers.iter().zip(codes) {
            assert!(answer.contains("ACK^O15^ACK"), "{answer}");
            assert!(answer.contains(&format!("MSA|{code}|9|orders are not taken")));
            assert!(answer.contains("|200^Unsupported message type^HL70357|E|"));
        }
        assert_eq!(
            events.len(),
            2 + codes.len(),
            "and nothing else: {events:?}"
        );
    }
}

/// A message of a Philips central about a bed, with these alarms.
fn central(bed: &str, listed: &[&str]) -> Vec<u8> {
    let mut segments = vec![
        "MSH|^~\\&|||||||ORU^R01|HP1|P|2.3||||||8859/1".to_owned(),
        format!("PV1||I|ICU^^{bed}&0&0"),
        "OBR|||||||20260301101500".to_owned(),
    ];
    segments.extend(listed.iter().map(|alarm| {
        let (code, text) = alarm.split_once(' ').unwrap();
        format!("OBX||TX|{code}^Alarm^MDIL-ALERT||{text}||||||F")
    }));
    segments.push("OBX||NM|0002-4182^HR^MDIL|0|80|0004-0aa0^bpm^MDIL|50-120||||F".to_owned());
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    frame(&segments)
}

#[test]
fn what_a_philips_central_lists_begins_and_what_it_lists_no_more_is_over() {
    let mut rig = Rig::new(&[]);
    let mut seen = |bed: &str, listed: &[&str]| {
        let events = rig.receive(&central(bed, listed));
        assert_eq!(observations(&events).len(), 1);
        alert_lines(&events)
    };
    assert_eq!(
        seen("B1", &["1 *** PAP Disconnect", "2 **SpO2   86  <90  "]),
        [
            "start high *** PAP Disconnect",
            "start medium **SpO2 86 <90"
        ]
    );
    assert_eq!(
        seen("B2", &["2 **SpO2 80 <90"]),
        ["start medium **SpO2 80 <90"]
    );
    // The number changes, the alarm stays; another one ends.
    assert_eq!(
        seen("B1", &["2 **SpO2   84  <90  "]),
        [
            "continue medium **SpO2 84 <90",
            "end high *** PAP Disconnect"
        ]
    );
    assert_eq!(seen("B1", &["2 **SpO2   84  <90  "]), Vec::<String>::new());
    // Only the bed itself ends its alarms.
    assert_eq!(seen("B3", &[]), Vec::<String>::new());
    assert_eq!(seen("B1", &[]), ["end medium **SpO2 84 <90"]);
    assert_eq!(
        seen("B1", &["5 SpO2T  No Pulse", "6 NBP Soft", "9 New kind"]),
        [
            "start low SpO2T No Pulse",
            "start low NBP Soft",
            "start none New kind"
        ]
    );
    assert_eq!(seen("B2", &[]), ["end medium **SpO2 80 <90"]);
}

#[test]
fn a_message_of_numbers_only_ends_no_alarm_of_an_efficia() {
    let mut rig = Rig::new(&[]);
    let header = "MSH|^~\\&|^EfficiaCM||||20260301101500||ORU^R01|0123456789000000|P|2.4";
    let hr = "OBX|1|NM|0002-4182^HR^MDIL|1|80|0004-0aa0^bpm^MDIL|||||F";
    let alarm = "OBX|1|TX|2^Yellow Alarm^MDIL-ALERT||** HR LOW||||||F";
    let mut seen = |segments: &[&str]| {
        let mut all = vec![header, "PV1||I|^^C4"];
        all.extend(segments);
        alert_lines(&rig.receive(&frame(&all)))
    };
    assert_eq!(seen(&["OBR|1|||ALARM", alarm]), ["start medium ** HR LOW"]);
    assert_eq!(seen(&["OBR|1|||MONITOR", hr]), Vec::<String>::new());
    assert_eq!(seen(&["OBR|1|||ALARM", hr]), ["end medium ** HR LOW"]);
}

#[test]
fn a_list_that_is_a_test_lists_nothing() {
    let test = String::from_utf8(central("B1", &["1 *** X"]))
        .unwrap()
        .replace("|P|2.3", "|T|2.3");
    assert_eq!(alerts(&Rig::new(&[]).receive(test.as_bytes())), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No rows make it panic, and the next alert is told.
    #[test]
    fn any_rows_are_read(
        rows in prop::collection::vec("[0-9]{0,6}\\^(MDC_ATTR_|MDC_EVT_|MNDRY_EVT_|)[A-Z_]{0,12}\\^MDC\\|[0-9.]{0,12}\\|[ -~]{0,20}\\|[ -~]{0,9}", 0..8),
        filler in "[0-9^&~]{0,12}",
        parent in "[0-9^&~]{0,12}",
    ) {
        let mut rig = Rig::new(&[]);
        let rows: Vec<String> = rows.iter().map(|row| format!("OBX|1|ST|{row}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let _ = rig.receive(&alert(&filler, &parent, &rows));
        let events = rig.receive(&alert("1", "", &[EVENT, &phase("start")]));
        prop_assert_eq!(alerts(&events).len(), 1);
    }
}
