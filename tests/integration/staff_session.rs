//! What people enter in a session and when a patient may leave, on the engine and its board: the
//! checklist is the gate of the closing, a correction changes totals and alarms and erases nothing, and
//! every limit keeps its old value in the record.

use crate::alarm_proof_bed::{Bed, command, cuff, reads, start};
use infusewatch::board::{Status, picture};
use infusewatch::engine::{Command, Input, Numbered, Record};
use infusewatch::vocabulary::{Moment, Now, Parameter, WallTime};
use serde_json::{Value, json};
use std::time::Duration;

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn said(fields: Value) -> Input {
    command(serde_json::from_value::<Command>(fields).unwrap())
}

fn session(bed: &Bed) -> Value {
    board(bed)["session"].clone()
}

fn board(bed: &Bed) -> Value {
    let now = Now {
        moment: bed.at,
        wall: WallTime::from_millis(i64::try_from(bed.at.as_micros() / 1000).unwrap()),
    };
    picture(&bed.engine, now, "Chair 3".into(), None).to_json(now, &Status::default())
}

fn item(bed: &Bed, name: &str) -> (String, Value) {
    let session = session(bed);
    let list = session["checklist"].as_array().unwrap();
    let found = list.iter().find(|item| item["item"] == name).unwrap();
    (
        found["state"].as_str().unwrap().to_owned(),
        found["detail"].clone(),
    )
}

fn state(bed: &Bed, name: &str) -> String {
    item(bed, name).0
}

fn refused(records: &[Numbered]) -> Option<String> {
    records.iter().find_map(|numbered| match &numbered.record {
        Record::Refused(refused) => Some(refused.error.clone()),
        _ => None,
    })
}

/// Saturation and rate each 5 s for this long, and a cuff reading at its beginning.
fn live(bed: &mut Bed, span: Duration, (sys, dia): (i64, i64), spo2: i64) {
    let second = bed.at.as_micros() / 1_000_000;
    bed.take(&cuff(Parameter::NibpSys, sys, second));
    bed.take(&cuff(Parameter::NibpDia, dia, second));
    let end = bed.at.after(span);
    while bed.at < end {
        bed.wait(Duration::from_secs(5));
        bed.take(&reads(Parameter::Spo2, spo2));
        bed.take(&reads(Parameter::Hr, 70));
    }
}

/// A session with a baseline of 120/80, an infusion of ten minutes and its end.
fn ended() -> Bed {
    let mut bed = Bed::opened(Duration::from_secs(10));
    live(&mut bed, minutes(3), (120, 80), 97);
    live(&mut bed, minutes(3), (120, 80), 97);
    bed.take(&start());
    live(&mut bed, minutes(10), (125, 82), 97);
    bed.take(&command(Command::StopInfusion));
    bed
}

fn score(bed: &mut Bed, scale: &str, value: i64) {
    let records = bed.take(&said(
        json!({"command": "score", "scale": scale, "value": value}),
    ));
    assert_eq!(refused(&records), None);
}

#[test]
fn ready_to_leave_is_the_whole_list_and_each_item_follows_what_happened() {
    let mut bed = ended();
    assert_eq!(item(&bed, "minutes"), ("open".into(), json!("0 of 60 min")));
    assert_eq!(state(&bed, "pressure"), "unknown", "none since the end");
    assert_eq!(state(&bed, "aldrete"), "unknown");
    for _ in 0..4 {
        live(&mut bed, minutes(15), (124, 81), 97);
    }
    assert_eq!(state(&bed, "minutes"), "met");
    assert_eq!(state(&bed, "pressure"), "met");
    assert_eq!(state(&bed, "saturation"), "met");
    assert_eq!(state(&bed, "alarms"), "met");
    score(&mut bed, "aldrete", 8);
    assert_eq!(item(&bed, "aldrete"), ("open".into(), json!("8")));
    for (scale, value) in [
        ("aldrete", 10),
        ("PADSS", 9),
        ("MOAA/S", 5),
        ("dissociation", 1),
    ] {
        score(&mut bed, scale, value);
    }
    for name in ["orientation", "walking", "line", "escort"] {
        assert_eq!(session(&bed)["ready_to_leave"], false, "{name}");
        let check = json!({"command": "check", "item": name, "by": "Ann"});
        assert_eq!(refused(&bed.take(&said(check))), None);
    }
    assert_eq!(
        state(&bed, "orientation"),
        "open",
        "the score says otherwise"
    );
    score(&mut bed, "dissociation", 0);
    assert_eq!(item(&bed, "orientation"), ("met".into(), json!("Ann")));
    assert_eq!(session(&bed)["ready_to_leave"], true);
    bed.take(&said(
        json!({"command": "check", "item": "escort", "met": false}),
    ));
    assert_eq!(session(&bed)["ready_to_leave"], false);
    // A person does not say what is computed.
    let computed = bed.take(&said(json!({"command": "check", "item": "minutes"})));
    assert_eq!(refused(&computed).unwrap(), "minutes is computed");
}

#[test]
fn the_closing_is_refused_for_what_the_list_shows_as_open() {
    let close = || said(json!({"command": "close-session", "by": "Ann"}));
    let mut bed = ended();
    let early = refused(&bed.take(&close())).unwrap();
    assert_eq!(early, "the minimum observation lasts 60 more min");
    for _ in 0..4 {
        live(&mut bed, minutes(15), (124, 81), 97);
    }
    assert_eq!(state(&bed, "minutes"), "met");
    live(&mut bed, minutes(1), (185, 95), 97);
    assert_eq!(
        item(&bed, "alarms"),
        ("open".into(), json!("1 not acknowledged"))
    );
    assert_eq!(item(&bed, "pressure").0, "open");
    let alarm = refused(&bed.take(&close())).unwrap();
    assert_eq!(alarm, "a high alarm is not acknowledged");
    bed.take(&said(json!({"command": "acknowledge", "alarm": "all"})));
    assert_eq!(state(&bed, "alarms"), "met");
    assert_eq!(board(&bed)["alarms"][0]["acknowledged_by"], "unnamed");
    assert_eq!(refused(&bed.take(&close())), None);
    assert_eq!(board(&bed)["session"], Value::Null);
}

#[test]
fn a_low_saturation_or_a_gap_starts_its_minutes_again() {
    let mut bed = ended();
    live(&mut bed, minutes(15), (124, 81), 97);
    assert_eq!(state(&bed, "saturation"), "met");
    bed.take(&reads(Parameter::Spo2, 91));
    assert_eq!(state(&bed, "saturation"), "open");
    live(&mut bed, minutes(14), (124, 81), 97);
    assert_eq!(
        item(&bed, "saturation"),
        ("open".into(), json!("13 of 15 min"))
    );
    live(&mut bed, minutes(2), (124, 81), 97);
    assert_eq!(state(&bed, "saturation"), "met");
    bed.wait(Duration::from_secs(41));
    assert_eq!(state(&bed, "saturation"), "unknown", "nothing for too long");
}

#[test]
fn computed_items_follow_the_readings_or_are_null() {
    let mut bed = ended();
    live(&mut bed, minutes(1), (120, 80), 97);
    let computed = |bed: &Bed| session(bed)["computed"].clone();
    assert_eq!(
        computed(&bed),
        json!({"aldrete": {"oxygen": 2, "circulation": 2}, "padss": {"vital-signs": 2}})
    );
    live(&mut bed, minutes(1), (160, 90), 92);
    assert_eq!(
        computed(&bed),
        json!({"aldrete": {"oxygen": null, "circulation": 1}, "padss": {"vital-signs": 1}})
    );
    bed.wait(Duration::from_secs(30));
    assert_eq!(
        computed(&bed)["padss"]["vital-signs"],
        Value::Null,
        "no rate"
    );
}

#[test]
fn a_corrected_sedation_score_begins_and_ends_its_alarm() {
    let mut bed = Bed::opened(Duration::from_secs(10));
    bed.take(&start());
    score(&mut bed, "moaas", 5);
    let seq = |bed: &Bed| session(bed)["scores"][0]["seq"].as_u64().unwrap();
    let alarming = |bed: &Bed| {
        let board = board(bed);
        let alarms = board["alarms"].as_array().unwrap();
        alarms.iter().any(|alarm| alarm["rule"] == "oversedated")
    };
    let first = seq(&bed);
    assert!(!alarming(&bed));
    bed.take(&said(
        json!({"command": "correct", "seq": first, "value": 3}),
    ));
    assert!(alarming(&bed), "the finger had slipped to 5");
    assert_eq!(session(&bed)["scores"][0]["value"], 3);
    assert_eq!(session(&bed)["scores"][0]["corrected"], true);
    let void = bed.take(&said(
        json!({"command": "correct", "seq": first, "void": true}),
    ));
    assert!(refused(&void).unwrap().contains("newest sedation score"));
    assert!(alarming(&bed), "no alarm is taken back with its score");
    bed.take(&said(
        json!({"command": "correct", "seq": first, "value": 5}),
    ));
    assert!(!alarming(&bed));
    assert_eq!(seq(&bed), first, "the entry keeps its place");
}

#[test]
fn drugs_their_corrections_and_totals_are_on_the_board() {
    let mut bed = Bed::opened(Duration::from_secs(10));
    for dose in [1.5, 0.5] {
        bed.take(&said(
            json!({"command": "drug", "name": "midazolam", "dose": dose, "unit": "mg", "by": "Ann"}),
        ));
    }
    bed.take(&said(json!({"command": "rate-change", "ml-h": 25.5})));
    let drugs = session(&bed)["drugs"].clone();
    assert_eq!(drugs[0]["by"], "Ann");
    assert_eq!(session(&bed)["rate"]["ml_h"].to_string(), "25.5");
    let first = drugs[0]["seq"].as_u64().unwrap();
    let totals = |bed: &Bed| session(bed)["drug_totals"].to_string();
    assert_eq!(
        totals(&bed),
        r#"[{"dose":2.0,"name":"midazolam","unit":"mg"}]"#
    );
    let records = bed.take(&said(
        json!({"command": "correct", "seq": first, "void": true}),
    ));
    assert_eq!(refused(&records), None);
    assert_eq!(
        totals(&bed),
        r#"[{"dose":0.5,"name":"midazolam","unit":"mg"}]"#
    );
    assert_eq!(session(&bed)["drugs"][0]["void"], true, "shown, not erased");
    let nothing = bed.take(&said(
        json!({"command": "correct", "seq": 99_999, "dose": 1}),
    ));
    assert!(
        refused(&nothing)
            .unwrap()
            .contains("no entry of this session")
    );
    let weight = bed.take(&said(
        json!({"command": "correct", "seq": 1, "weight-kg": 81.5}),
    ));
    assert_eq!(refused(&weight), None);
    assert_eq!(session(&bed)["about"]["weight-kg"].to_string(), "81.5");
}

#[test]
fn a_limit_keeps_its_old_value_in_the_record_and_the_rails_on_the_board() {
    let mut bed = Bed::opened(Duration::from_secs(10));
    let changes = |records: &[Numbered]| -> Vec<Value> {
        records
            .iter()
            .filter_map(|numbered| match &numbered.record {
                Record::Limit(limit) => Some(serde_json::to_value(limit).unwrap()),
                _ => None,
            })
            .collect()
    };
    let row = |bed: &Bed| {
        let session = session(bed);
        let rows = session["limits"].as_array().unwrap();
        let found = rows
            .iter()
            .find(|row| row["rule"] == "spo2-low" && row["tier"] == "medium");
        found.unwrap().clone()
    };
    assert_eq!(row(&bed)["source"], "profile");
    let set = json!({"command": "set-limit", "rule": "spo2-low", "tier": "medium", "value": 90,
                     "reason": "COPD", "by": "Ann"});
    assert_eq!(
        changes(&bed.take(&said(set))),
        [
            json!({"rule": "spo2-low", "tier": "medium", "from": 92, "to": 90, "source": "nurse",
                "reason": "COPD", "by": "Ann"})
        ]
    );
    let changed = row(&bed);
    assert_eq!(
        (
            &changed["value"],
            &changed["profile_value"],
            &changed["low_rail"],
            &changed["high_rail"]
        ),
        (&json!(90), &json!(92), &json!(80), &Value::Null)
    );
    assert_eq!(changed["source"], "nurse");
    assert_eq!(
        changes(&bed.take(&said(json!({"command": "restore-limits", "by": "Ann"})))),
        [
            json!({"rule": "spo2-low", "tier": "medium", "from": 90, "to": 92, "source": "profile",
                "by": "Ann"})
        ]
    );
    let again = bed.take(&said(json!({"command": "restore-limits"})));
    assert!(changes(&again).is_empty(), "nothing was changed");
    let beyond = json!({"command": "set-limit", "rule": "spo2-low", "tier": "high", "value": 79, "reason": "r"});
    let records = bed.take(&said(beyond));
    let Some(Record::Refused(refused)) = records.first().map(|numbered| &numbered.record) else {
        panic!("{records:?}");
    };
    assert_eq!(refused.error, "79 is beyond the rail at 80");
    assert!(refused.hint.as_deref().unwrap().contains("spo2-lowest"));
}

#[test]
fn a_self_test_is_recorded_in_any_phase_and_outlives_the_opening() {
    let mut bed = Bed {
        engine: infusewatch::engine::Engine::new(0),
        at: Moment::ZERO,
    };
    assert_eq!(board(&bed)["self_test"], Value::Null);
    bed.take(&said(
        json!({"command": "self-test", "lamps": true, "sounds": true, "by": "Ann"}),
    ));
    bed.take(&Bed::opening(Duration::from_secs(10)));
    assert_eq!(board(&bed)["self_test"]["by"], "Ann");
    assert_eq!(board(&bed)["self_test"]["lamps"], true);
}
