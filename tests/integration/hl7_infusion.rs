//! What infusion pumps tell: events (PCD-10) and status (PCD-01), by bytes in and events out.

use super::hl7_rig::{
    Rig, alerts, at, faults, frame, frames, identities, observations, pump_events, pump_lines,
};
use infusewatch::observation::{DeviceTime, Identity, PumpEvent, PumpEventKind};
use infusewatch::protocol::{Device, DeviceOptions, Fault, Screen, find};
use infusewatch::vocabulary::Decimal;
use proptest::prelude::*;

const R42: &str = "MSH|^~\\&|GW^00AA00FFFE000001^EUI-64|||| 20260301100200+0000||ORU^R42^ORU_R01|E7|P|2.6|||AL|NE";
const R01: &str =
    "MSH|^~\\&|GW^00AA00FFFE000001^EUI-64||||20260301100200+0000||ORU^R01^ORU_R01|E8|P|2.6|||AL|NE";
const OBR: &str = "OBR|1||5^GW^00AA00FFFE000001^EUI-64|4001^Ketamine|||20260301100158+0000";
const MDS: &str = "OBX|1||70053^MDC_DEV_PUMP_INFUS_SYRINGE_MDS^MDC|1.0.0.0|||||||X|||||||P17^^00AA00FFFE000099^EUI-64";

fn happened(event: &str) -> String {
    format!("OBX|2|CWE|68487^MDC_ATTR_EVT_COND^MDC|1.1.0.3|{event}^MDC||||||R")
}

fn start() -> String {
    happened("197288^MDC_EVT_PUMP_DELIV_START")
}

fn stop() -> String {
    happened("197290^MDC_EVT_PUMP_DELIV_STOP")
}

fn complete() -> String {
    happened("197292^MDC_EVT_PUMP_DELIV_COMP")
}

fn delivery(word: &str) -> String {
    format!(
        "OBX|3|CWE|158005^MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS^MDC|1.1.2.1|^pump-delivery-status-{word}||||||R"
    )
}

fn reason(word: &str) -> String {
    format!(
        "OBX|4|CWE|158006^MDC_PUMP_NOT_DELIVERING_REASON^MDC|1.1.2.2|^pump-stopped-{word}||||||R"
    )
}

fn infusing(word: &str) -> String {
    format!("OBX|5|CWE|184519^MDC_PUMP_INFUSING_STATUS^MDC|1.1.1.1|^pump-status-{word}||||||R")
}

fn rate(text: &str) -> String {
    format!(
        "OBX|6|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.2.5|{text}|265266^MDC_DIM_MILLI_L_PER_HR^MDC^mL/h^mL/h^UCUM|||||R"
    )
}

fn flow(text: &str) -> String {
    format!(
        "OBX|7|NM|158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC|1.1.1.2|{text}|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||R"
    )
}

fn volume(text: &str) -> String {
    format!(
        "OBX|8|NM|157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC|1.1.2.7|{text}|263762^MDC_DIM_MILLI_L^MDC|||||R"
    )
}

fn remaining(text: &str) -> String {
    format!(
        "OBX|9|NM|157872^MDC_VOL_FLUID_TBI_REMAIN^MDC|1.1.2.8|{text}|263762^MDC_DIM_MILLI_L^MDC|||||R"
    )
}

fn label(drug: &str) -> String {
    format!("OBX|10|ST|184514^MDC_DRUG_NAME_LABEL^MDC|1.1.2.10|{drug}||||||R")
}

fn message(header: &str, order: &str, rows: &[String]) -> Vec<u8> {
    let mut segments = vec![header, order, MDS];
    segments.extend(rows.iter().map(String::as_str));
    frame(&segments)
}

/// What a PCD-10 message tells a connection that is new.
fn event(rows: &[String]) -> Vec<String> {
    pump_lines(&Rig::new(&[]).receive(&message(R42, OBR, rows)))
}

#[test]
fn a_start_with_its_rate_drug_and_times() {
    let mut rig = Rig::new(&[]);
    let rows = [start(), infusing("infusing"), rate("25")];
    let events = rig.receive(&message(R42, OBR, &rows));
    assert_eq!(frames(&events), 1);
    assert_eq!(faults(&events), []);
    assert_eq!(
        observations(&events),
        [],
        "a pump's numbers are no vital signs"
    );
    let time = |civil_ms| DeviceTime {
        civil_ms,
        offset_min: Some(0),
    };
    assert_eq!(
        pump_events(&events),
        [PumpEvent {
            event: PumpEventKind::DeliveryStart,
            transitioning: false,
            drug: Some("Ketamine".into()),
            rate_ml_h: Some(Decimal::whole(25)),
            volume_ml: None,
            reason: None,
            at: Some(time(1_772_359_318_000)),
            message_at: Some(time(1_772_359_320_000)),
        }]
    );
    assert_eq!(identities(&events)[0].device.as_deref(), Some("P17"));
    assert!(rig.commit(&events, true)[0].contains("ACK^R42^ACK"));
}

#[test]
fn every_event_with_every_status() {
    for (rows, expected) in [
        (
            vec![start(), delivery("delivering")],
            &["delivery-start Ketamine"][..],
        ),
        (
            vec![start(), delivery("kvo"), flow("1.0")],
            &["kvo 1.0 mL/h Ketamine"],
        ),
        // A start is a start, whatever else the pump says.
        (
            vec![start(), delivery("not-delivering")],
            &["delivery-start Ketamine"],
        ),
        (
            vec![stop(), delivery("not-delivering")],
            &["delivery-stop Ketamine"],
        ),
        (vec![stop()], &["delivery-stop Ketamine"]),
        (
            vec![stop(), infusing("not-infusing")],
            &["delivery-stop Ketamine"],
        ),
        (
            vec![stop(), delivery("not-delivering"), reason("by-clinician")],
            &["delivery-stop Ketamine (pump-stopped-by-clinician)"],
        ),
        (
            vec![stop(), delivery("not-delivering"), reason("powered-off")],
            &["delivery-stop Ketamine (pump-stopped-powered-off)"],
        ),
        (
            vec![stop(), delivery("not-delivering"), reason("alarming")],
            &[
                "delivery-stop Ketamine (pump-stopped-alarming)",
                "alarm Ketamine (pump-stopped-alarming)",
            ],
        ),
        (
            vec![stop(), delivery("transitioning")],
            &["delivery-stop transitioning Ketamine"],
        ),
        (
            vec![
                stop(),
                delivery("not-delivering"),
                reason("switching-source"),
            ],
            &["delivery-stop transitioning Ketamine (pump-stopped-switching-source)"],
        ),
        // It contradicts itself: the next word decides.
        (
            vec![stop(), delivery("delivering")],
            &["delivery-stop transitioning Ketamine"],
        ),
        (vec![stop(), delivery("kvo")], &["kvo Ketamine"]),
        (
            vec![
                complete(),
                delivery("not-delivering"),
                reason("alarming"),
                volume("50.0"),
            ],
            &["delivery-complete 50.0 mL Ketamine (pump-stopped-alarming)"],
        ),
        (
            vec![complete(), delivery("transitioning")],
            &["delivery-complete transitioning Ketamine"],
        ),
        (
            vec![
                complete(),
                delivery("not-delivering"),
                reason("between-doses"),
            ],
            &["delivery-stop Ketamine (pump-stopped-between-doses)"],
        ),
        (
            vec![complete(), delivery("kvo")],
            &["delivery-complete Ketamine"],
        ),
        (
            vec![happened("0^MDC_EVT_COMM_STATUS_CHANGE")],
            &["comm-lost Ketamine"],
        ),
        (vec![happened("0^MDC_EVT_PUMP_VOL_COUNTERS_CLEARED")], &[]),
        (vec![happened("0^MDC_EVT_PATIENT_CHANGE")], &[]),
    ] {
        assert_eq!(event(&rows), expected, "{rows:?}");
    }
}

#[test]
fn events_go_by_name_and_by_the_numbers_that_are_certain() {
    // What has no certain event still tells how the pump stands.
    for (told, expected, counted) in [
        ("197288", "delivery-start", &[][..]),
        ("197292", "delivery-complete", &[]),
        ("0^MDC_EVT_PUMP_DELIV_STOP", "delivery-stop", &[]),
        ("999^MDC_EVT_PUMP_DELIV_STOP", "delivery-stop", &[]),
        (
            "197288^MDC_EVT_PUMP_DELIV_STOP",
            "delivery-stop",
            &[Fault::CodeMismatch],
        ),
        ("197290", "delivery-stop", &[Fault::UnknownCode]),
        ("1^MDC_EVT_NEW", "delivery-stop", &[Fault::UnknownCode]),
    ] {
        let rows = [happened(told), delivery("not-delivering")];
        let events = Rig::new(&[]).receive(&message(R42, OBR, &rows));
        let kinds: Vec<_> = pump_events(&events)
            .iter()
            .map(|event| event.event.name())
            .collect();
        assert_eq!(kinds, [expected], "{told}");
        assert_eq!(faults(&events), counted, "{told}");
    }
}

#[test]
fn a_rate_change_is_a_stop_and_a_start_and_is_told_once() {
    let mut rig = Rig::new(&[]);
    let mut seen = |rows: &[String]| pump_lines(&rig.receive(&message(R42, OBR, rows)));
    assert_eq!(
        seen(&[start(), delivery("delivering"), rate("25")]),
        ["delivery-start 25 mL/h Ketamine"]
    );
    assert_eq!(
        seen(&[stop(), delivery("transitioning")]),
        ["delivery-stop transitioning Ketamine"]
    );
    assert_eq!(
        seen(&[start(), delivery("delivering"), rate("30")]),
        [
            "delivery-start 30 mL/h Ketamine",
            "rate-change 30 mL/h Ketamine"
        ]
    );
    // The same rate again, and another one after a real stop, are no changes of a running rate.
    let _ = seen(&[stop(), delivery("transitioning")]);
    assert_eq!(
        seen(&[start(), delivery("delivering"), rate("30.0")]),
        ["delivery-start 30.0 mL/h Ketamine"]
    );
    let _ = seen(&[stop(), delivery("not-delivering")]);
    assert_eq!(
        seen(&[start(), delivery("delivering"), rate("40")]),
        ["delivery-start 40 mL/h Ketamine"]
    );
}

#[test]
fn the_end_of_a_bolus_does_not_end_the_infusion() {
    let primary = "OBX|7|CWE|158005^^MDC|1.1.3.1|^pump-delivery-status-delivering||||||R";
    let source = "OBX|8|ST|68488^MDC_ATTR_EVT_SOURCE^MDC|1.1.0.4|1.1.2.0||||||R";
    for end in [stop(), complete()] {
        let rows = [
            end,
            source.to_owned(),
            delivery("not-delivering"),
            primary.to_owned(),
            flow("25"),
        ];
        assert_eq!(event(&rows), ["rate-change 25 mL/h Ketamine"]);
    }
    // A carrier that goes on keeps no session running.
    let carrier = "OBX|9|ST|184514^MDC_DRUG_NAME_LABEL^MDC|1.1.3.10|NaCl 0.9%||||||R";
    let rows = [
        complete(),
        source.to_owned(),
        delivery("not-delivering"),
        primary.to_owned(),
        carrier.to_owned(),
    ];
    assert_eq!(event(&rows), ["delivery-complete Ketamine"]);
}

#[test]
fn only_the_drug_of_the_clinic_drives_a_session() {
    let told = |options: &[(&str, &str)], order: &str, rows: &[String]| {
        let mut rig = Rig::new(options);
        let one = rig.receive(&message(R42, order, rows));
        let again = rig.receive(&message(R42, order, rows));
        (pump_lines(&one), faults(&one).len(), faults(&again).len())
    };
    let obr = |drug: &str| OBR.replace("4001^Ketamine", drug);
    let begun = |drug: &str| (vec![format!("delivery-start{drug}")], 0, 0);
    let nothing = (vec![], 1, 0);
    let run = [start(), delivery("delivering")];
    let with = |drug: &str| vec![start(), delivery("delivering"), label(drug)];
    for (order, rows, expected) in [
        (
            obr("4001^KETAMIN 50 mg/mL"),
            run.to_vec(),
            begun(" KETAMIN 50 mg/mL"),
        ),
        (obr("4001^Esketamine"), run.to_vec(), begun(" Esketamine")),
        (obr("4001^Ketalar"), run.to_vec(), begun(" Ketalar")),
        (obr("2222^Dopamine"), run.to_vec(), nothing.clone()),
        // The label of the source decides.
        (obr("4001^Ketamine"), with("Propofol"), nothing.clone()),
        (obr("2222^Dopamine"), with("S-Ketamin"), begun(" S-Ketamin")),
        // A pump that does not know its drug may be giving it.
        (obr("999999^Unknown medication"), run.to_vec(), begun("")),
        (
            obr("4001^Ketamine"),
            with("999999^Unknown medication"),
            begun(""),
        ),
        (obr("4001^Ketamine"), with("Unknown medication"), begun("")),
        (obr(""), run.to_vec(), begun("")),
        (
            obr("182777000^monitoring of patient^SCT"),
            run.to_vec(),
            begun(""),
        ),
        (
            obr("70053^MDC_DEV_PUMP_INFUS_SYRINGE_MDS^MDC"),
            run.to_vec(),
            begun(""),
        ),
    ] {
        assert_eq!(told(&[], &order, &rows), expected, "{order} {rows:?}");
    }
    let alias = [("drug", "ketamin, Mischung A")];
    assert_eq!(
        told(&alias, &obr("7^MISCHUNG a/2"), &run),
        begun(" MISCHUNG a/2")
    );
    assert_eq!(told(&alias, &obr("7^Ketalar"), &run), nothing);
}

#[test]
fn a_rate_in_another_unit_is_not_told() {
    for (unit, expected) in [
        ("265266^MDC_DIM_MILLI_L_PER_HR^MDC", " 25 mL/h"),
        ("mL/h^mL/h^UCUM", " 25 mL/h"),
        ("^^^265266^MDC_DIM_MILLI_L_PER_HR^MDC", " 25 mL/h"),
        ("265619^MDC_DIM_MICRO_G_PER_KG_PER_MIN^MDC", ""),
        ("265522^MDC_DIM_MILLI_G_PER_HR^MDC^mL/h^mL/h^UCUM", ""),
        ("mg/h", ""),
        ("", ""),
    ] {
        let row = format!("OBX|6|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.2.5|25|{unit}|||||R");
        let rows = [start(), delivery("delivering"), row];
        assert_eq!(
            event(&rows),
            [format!("delivery-start{expected} Ketamine")],
            "{unit}"
        );
    }
    for value in ["-1", "-100", "8388607", "25,0", "", "\"\""] {
        let rows = [start(), delivery("delivering"), rate(value)];
        assert_eq!(event(&rows), ["delivery-start Ketamine"], "{value}");
    }
}

#[test]
fn a_late_event_keeps_its_own_time() {
    let late = OBR.replace("20260301100158+0000", "20260301093000+0000");
    let own = format!("{}|||20260301092959+0000", start());
    for (rows, expected) in [
        (vec![start()], 32 * 60_000),
        (vec![own], 32 * 60_000 + 1_000),
    ] {
        let events = pump_events(&Rig::new(&[]).receive(&message(R42, &late, &rows)));
        let (at, sent) = (events[0].at.unwrap(), events[0].message_at.unwrap());
        assert_eq!(sent.millis_since(at), expected);
    }
}

#[test]
fn demonstration_and_test_drive_nothing() {
    let rows = [start(), delivery("delivering")];
    let test = R42.replace("|P|2.6", "|T|2.6");
    assert_eq!(
        pump_events(&Rig::new(&[]).receive(&message(&test, OBR, &rows))),
        []
    );
    let bench = Rig::new(&[("accept-test", "true")]).receive(&message(&test, OBR, &rows));
    assert_eq!(pump_events(&bench).len(), 1);
    let demo = [
        start(),
        delivery("delivering").replace("||||||R", "|||DEMO|||R"),
    ];
    assert_eq!(event(&demo), Vec::<String>::new());
    let withdrawn = [start().replace("||||||R", "||||||W")];
    assert_eq!(event(&withdrawn), Vec::<String>::new());
}

#[test]
fn a_pump_is_known_by_its_own_name_not_by_its_station() {
    let whom = |options: &[(&str, &str)], rows: &[&str]| {
        let mut segments = vec![R42, OBR];
        segments.extend(rows);
        let start = start();
        segments.push(&start);
        let events = Rig::new(options).receive(&frame(&segments));
        assert_eq!(pump_events(&events).len(), 1);
        identities(&events)[0].device.clone().unwrap().to_string()
    };
    let bare = "OBX|1||70053^^MDC|1.0.0.0|||||||X";
    let system = "OBX|2|ST|67972^MDC_ATTR_SYS_ID^MDC|1.0.0.1|6f9e-77||||||R";
    assert_eq!(whom(&[], &[bare]), "GW");
    assert_eq!(whom(&[], &[bare, system]), "6f9e-77");
    assert_eq!(whom(&[], &[MDS, system]), "P17");
    // The clinic says which names are one device.
    let same = [("same-device.6f9e-77", "P17")];
    assert_eq!(whom(&same, &[bare, system]), "P17");
    let patient = "PID|||Unknown Patient^Unknown Patient||||||||||||||||||||||||||||Y";
    let events = Rig::new(&[]).receive(&frame(&[R42, patient, OBR, MDS, &start()]));
    assert_eq!(identities(&events)[0].patient, None);
}

#[test]
fn several_pumps_in_one_message_are_kept_apart() {
    let other = MDS.replace("P17", "P18").replace("1.0.0.0", "2.0.0.0");
    let second = OBR.replace("OBR|1", "OBR|2");
    let mut rig = Rig::new(&[]);
    let (begin, end) = (start(), stop());
    let events = rig.receive(&frame(&[R42, OBR, MDS, &begin, &second, &other, &end]));
    let devices: Vec<_> = identities(&events)
        .iter()
        .map(|whom| whom.device.as_deref().unwrap().to_owned())
        .collect();
    assert_eq!(devices, ["P17", "P18"]);
    assert_eq!(
        pump_lines(&events),
        ["delivery-start Ketamine", "delivery-stop Ketamine"]
    );
    // Two devices in one group.
    let events = rig.receive(&frame(&[R42, OBR, MDS, &begin, &other, &end]));
    assert_eq!(
        pump_lines(&events),
        ["delivery-start Ketamine", "delivery-stop Ketamine"]
    );
    // Two syringes in one rack: each by its own module and its own drug.
    let rows = [
        delivery("delivering"),
        label("Ketamine"),
        delivery("delivering").replace("1.1.2.1", "1.2.2.1"),
        label("Propofol").replace("1.1.2.10", "1.2.2.10"),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let segments: Vec<&str> = [&[R01, OBR, MDS][..], &rows].concat();
    let events = Rig::new(&[]).receive(&frame(&segments));
    assert_eq!(pump_lines(&events), ["delivery-start Ketamine"]);
    assert_eq!(faults(&events), [Fault::UnknownCode]);
}

#[test]
fn a_pump_without_events_tells_by_its_status() {
    let mut rig = Rig::new(&[]);
    let mut minute = 0;
    let mut seen = |rows: &[String]| {
        minute += 1;
        let order = OBR.replace("100158", &format!("11{minute:02}00"));
        let events = rig.receive(&message(R01, &order, rows));
        assert_eq!(observations(&events), []);
        pump_lines(&events)
    };
    let none = Vec::<String>::new();
    let run = |text: &str| [delivery("delivering"), rate(text), infusing("infusing")];
    assert_eq!(
        seen(&[delivery("not-delivering")]),
        ["delivery-stop Ketamine"]
    );
    assert_eq!(seen(&[delivery("not-delivering")]), none);
    assert_eq!(seen(&run("25")), ["delivery-start 25 mL/h Ketamine"]);
    assert_eq!(seen(&run("25")), none);
    assert_eq!(
        seen(&[delivery("delivering")]),
        none,
        "a rate left out is no other rate"
    );
    assert_eq!(seen(&run("30")), ["rate-change 30 mL/h Ketamine"]);
    assert_eq!(
        seen(&[delivery("transitioning")]),
        ["transitioning Ketamine"]
    );
    assert_eq!(
        seen(&run("35")),
        [
            "delivery-start 35 mL/h Ketamine",
            "rate-change 35 mL/h Ketamine"
        ]
    );
    assert_eq!(
        seen(&[
            delivery("not-delivering"),
            reason("by-clinician"),
            remaining("12.5")
        ]),
        ["delivery-stop Ketamine (pump-stopped-by-clinician)"]
    );
    assert_eq!(seen(&run("35")), ["delivery-start 35 mL/h Ketamine"]);
    assert_eq!(
        seen(&[delivery("kvo"), flow("1"), remaining("0")]),
        ["delivery-complete 1 mL/h Ketamine", "kvo 1 mL/h Ketamine"]
    );
    assert_eq!(seen(&run("35")), ["delivery-start 35 mL/h Ketamine"]);
    assert_eq!(
        seen(&[delivery("not-delivering"), remaining("0.0")]),
        ["delivery-complete Ketamine"]
    );
    // A pump that only says whether it infuses.
    assert_eq!(seen(&[infusing("infusing")]), ["delivery-start Ketamine"]);
    assert_eq!(
        seen(&[infusing("not-infusing")]),
        ["delivery-stop Ketamine"]
    );
    // Numbers alone say nothing of the delivery.
    assert_eq!(seen(&[rate("25"), volume("3")]), none);
    let alarm = "OBX|9|ST|68012^MDC_ATTR_AL_COND^MDC|1.0.0.5|Pressure high||||||R".to_owned();
    let held = [delivery("not-delivering"), alarm];
    assert_eq!(seen(&held), ["alarm (Pressure high)"]);
    assert_eq!(seen(&held), none);
    assert_eq!(seen(&[delivery("not-delivering")]), none);
    assert_eq!(seen(&held), ["alarm (Pressure high)"]);
}

#[test]
fn a_pump_with_events_and_status_tells_nothing_twice() {
    let mut rig = Rig::new(&[]);
    let mut seen = |header: &str, time: &str, rows: &[String]| {
        let order = OBR.replace("100158", time);
        pump_lines(&rig.receive(&message(header, &order, rows)))
    };
    let run = [delivery("delivering"), rate("25")];
    let begin = [start(), delivery("delivering"), rate("25")];
    assert_eq!(
        seen(R42, "100000", &begin),
        ["delivery-start 25 mL/h Ketamine"]
    );
    assert_eq!(seen(R01, "100005", &run), Vec::<String>::new());
    assert_eq!(
        seen(R42, "100100", &[stop(), delivery("not-delivering")]),
        ["delivery-stop Ketamine"]
    );
    // A status from before the stop says nothing new; one from after it does.
    assert_eq!(seen(R01, "100059", &run), Vec::<String>::new());
    assert_eq!(
        seen(R01, "100200", &run),
        ["delivery-start 25 mL/h Ketamine"]
    );
}

#[test]
fn one_connection_remembers_a_bounded_number_of_pumps() {
    let mut rig = Rig::new(&[]);
    let run = [delivery("delivering")];
    let mut seen = |number: u32| {
        let whole = MDS.replace("P17", &format!("P{number}"));
        let bytes = frame(&[R01, OBR, &whole, &run[0]]);
        pump_lines(&rig.receive(&bytes)).len()
    };
    for number in 0..300 {
        assert_eq!(seen(number), 1);
    }
    assert_eq!(seen(299), 0, "the last ones are remembered");
    assert_eq!(seen(0), 1, "the one heard longest ago is not");
}

#[test]
fn what_a_monitor_tells_beside_is_still_read() {
    let hr =
        "OBX|20|NM|147842^MDC_ECG_HEART_RATE^MDC|1.9.1.1|80|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R";
    let events = Rig::new(&[]).receive(&frame(&[R01, OBR, MDS, hr, &delivery("delivering")]));
    assert_eq!(observations(&events).len(), 1);
    assert_eq!(pump_events(&events).len(), 1);
    // An identifier of its own makes no monitor a pump.
    let system = "OBX|2|ST|67972^MDC_ATTR_SYS_ID^MDC|1.0.0.1|6f9e||||||R";
    let pvc = "OBX|3|NM|148066^MDC_ECG_V_P_C_RATE^MDC|1.1.1.2|0|264864^^MDC|||||R";
    let events = Rig::new(&[]).receive(&frame(&[R01, "OBR|1", system, hr, pvc]));
    assert_eq!(
        (observations(&events).len(), pump_events(&events).len()),
        (2, 0)
    );
    assert_eq!(identities(&events)[0].device.as_deref(), Some("GW"));
}

fn device(options: &[(&str, &str)]) -> Box<dyn Device> {
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let identity = Identity {
        bed: Some("INF^^C1".into()),
        device: Some("MON".into()),
        patient: None,
    };
    (find("hl7-mllp").unwrap().device)(&DeviceOptions { options, identity })
}

/// The events that a session reads from the simulated device at these seconds.
fn simulated(options: &[(&str, &str)], seconds: std::ops::Range<i64>) -> Vec<String> {
    let mut device = device(options);
    let mut rig = Rig::new(&[]);
    let mut told = Vec::new();
    for second in seconds {
        let screen = Screen {
            civil_ms: 1_772_360_100_000 + second * 1_000,
            ..Screen::default()
        };
        let mut sent = Vec::new();
        device.present(at(0), &screen, &mut sent);
        for bytes in sent {
            let events = rig.receive(&bytes);
            assert_eq!(faults(&events), []);
            assert_eq!(alerts(&events), []);
            told.extend(
                pump_lines(&events)
                    .into_iter()
                    .map(|line| format!("{second} {line}")),
            );
        }
    }
    told
}

const SCRIPT: &str = "1 start 25; 3 rate 30; 5 pause; 6 resume 30; 8 alarm; 9 resume 30; 10 complete; 11 kvo 1; 12 lost";

#[test]
fn the_simulated_pump_plays_its_script() {
    assert_eq!(
        simulated(&[("pump-script", SCRIPT)], 0..14),
        [
            "1 delivery-start 25 mL/h Ketamine",
            "3 delivery-stop transitioning 30 mL/h Ketamine",
            "3 delivery-start 30 mL/h Ketamine",
            "3 rate-change 30 mL/h Ketamine",
            "5 delivery-stop Ketamine",
            "6 delivery-start 30 mL/h Ketamine",
            "8 delivery-stop Ketamine (pump-stopped-alarming)",
            "8 alarm Ketamine (pump-stopped-alarming)",
            "9 delivery-start 30 mL/h Ketamine",
            "10 delivery-complete Ketamine",
            "11 kvo 1 mL/h Ketamine",
            "12 comm-lost Ketamine",
        ]
    );
    assert_eq!(
        simulated(
            &[
                ("pump-script", "1 start 25; 3 rate 30; 5 pause"),
                ("pump-status", "true")
            ],
            0..7
        ),
        [
            "1 delivery-start 25 mL/h Ketamine",
            "3 rate-change 30 mL/h Ketamine",
            "5 delivery-stop Ketamine",
        ]
    );
}

fn pump_event() -> impl Strategy<Value = PumpEvent> {
    let kinds = [
        PumpEventKind::DeliveryStart,
        PumpEventKind::DeliveryStop,
        PumpEventKind::DeliveryComplete,
        PumpEventKind::Kvo,
        PumpEventKind::CommLost,
    ];
    (
        prop::sample::select(kinds.to_vec()),
        any::<bool>(),
        prop::option::of((0_i64..100_000).prop_map(|tenths| Decimal::new(tenths, 1))),
        prop::option::of((0_i64..100_000).prop_map(|tenths| Decimal::new(tenths, 1))),
        prop::option::of("[Kk]etamin[ -~]{0,20}[a-z]"),
        0_i64..4_000_000_000_000,
    )
        .prop_map(|(event, open, rate, volume, drug, at)| PumpEvent {
            event,
            transitioning: open
                && matches!(
                    event,
                    PumpEventKind::DeliveryStop | PumpEventKind::DeliveryComplete
                ),
            drug: drug.map(Into::into),
            rate_ml_h: rate,
            volume_ml: volume,
            reason: None,
            at: Some(DeviceTime::civil(at)),
            message_at: Some(DeviceTime::civil(at)),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_the_pump_tells_is_read_back(event in pump_event()) {
        let told = event.message_at.unwrap();
        let screen = Screen {
            civil_ms: told.civil_ms,
            pump_events: vec![event.clone()],
            ..Screen::default()
        };
        let mut sent = Vec::new();
        device(&[]).present(at(0), &screen, &mut sent);
        prop_assert_eq!(sent.len(), 2);
        let events = Rig::new(&[]).receive(&sent[1]);
        prop_assert_eq!(pump_events(&events), [event]);
    }

    /// Whatever rows a pump sends, the next start is told.
    #[test]
    fn any_rows_are_read(
        rows in prop::collection::vec(
            "(68487|68488|184519|158005|158006|157784|158014|157993|184514|67972|68012)\\^\\^MDC\\|[0-9.]{0,12}\\|[ -~]{0,30}\\|[ -~]{0,9}",
            0..12
        ),
    ) {
        let mut rig = Rig::new(&[]);
        let rows: Vec<String> = rows.iter().map(|row| format!("OBX|1|ST|{row}")).collect();
        let _ = rig.receive(&message(R42, OBR, &rows));
        let events = rig.receive(&message(R42, OBR, &[start(), delivery("delivering")]));
        prop_assert_eq!(pump_events(&events).len(), 1);
    }
}
