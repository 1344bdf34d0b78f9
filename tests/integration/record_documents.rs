//! The documents of a session: they say what the journal says, exactly and in every format, and nothing that a
//! person or a device wrote is anything but text.

use super::record_stage::{HOSTILE, morning};
use infusewatch::engine::ItemState;
use infusewatch::record::{self, Record};
use infusewatch::vocabulary::{Cause, Decimal, Parameter, ParameterId};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The morning is made once; the tests only look.
fn whole() -> &'static Record {
    static RECORD: OnceLock<Record> = OnceLock::new();
    RECORD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = morning(folder.path(), 3_100).finish();
        record::read(&path, 1).unwrap().unwrap()
    })
}

fn d(text: &str) -> Decimal {
    Decimal::parse(text.as_bytes()).unwrap()
}

#[test]
fn the_record_says_what_happened() {
    let record = whole();
    let header = &record.header;
    assert_eq!(header.closed_by.as_deref(), Some("Ann Ek"));
    assert_eq!(header.dose_mg_per_kg, Some(d("0.49")));
    let phases: Vec<(&str, u64)> = record
        .phases
        .iter()
        .map(|span| (span.phase.name(), span.seconds))
        .collect();
    assert_eq!(
        phases,
        [
            ("baseline", 480),
            ("infusion", 1_320),
            ("paused", 120),
            ("infusion", 780),
            ("recovery", 360)
        ]
    );
    // 22 + 3 min at 60 mg/h, 10 min at 30 mg/h.
    assert_eq!(record.totals.infusion_mg, Some(d("30")));
    assert_eq!(
        record.totals.infusion_ml, None,
        "the second rate told no mL"
    );
    assert_eq!(record.totals.pump_volume_ml, Some(d("9.4")));
    assert_eq!(record.totals.drugs[0].given, d("10"));
    assert_eq!(record.drugs.len(), 3, "the corrected entry stays");
    assert_eq!(record.totals.drugs[1].wasted, d("9.5"));
    assert_eq!(record.totals.drugs[1].witnesses, ["Ann Ek", "Bo"]);
    assert_eq!(record.drugs[0].corrected_by, Some(record.drugs[1].seq));
    assert_eq!(record.refusals[0].command, "pause-infusion");
    assert_eq!(record.limit_changes[0].from, d("180"));
    assert_eq!(record.lengths.observation_s, Some(360));
}

#[test]
fn a_repeated_cuff_reading_counts_once_and_a_failed_one_is_shown() {
    let told: Vec<_> = whole()
        .cuff
        .iter()
        .map(|reading| (reading.sys.map(Decimal::mantissa), reading.cause))
        .collect();
    assert_eq!(
        told,
        [
            (Some(120), None),
            (Some(124), None),
            (Some(150), None),
            (None, Some(Cause::CuffFault)),
            (Some(168), None),
            (Some(140), None),
            (Some(128), None),
        ]
    );
    assert_eq!(whole().cuff[0].repeats, 8);
}

#[test]
fn gaps_stay_gaps_and_doubt_stays_doubt() {
    let spo2 = whole()
        .series
        .iter()
        .find(|series| series.parameter == ParameterId::Known(Parameter::Spo2))
        .unwrap();
    let minutes: BTreeMap<usize, _> = spo2
        .points
        .iter()
        .map(|point| (point.minute, point))
        .collect();
    assert!((20..23).all(|minute| !minutes.contains_key(&minute)));
    assert_eq!(minutes[&12].questionable, 12);
    assert_eq!(
        (minutes[&13].median, minutes[&13].cause),
        (None, Some(Cause::ProbeOff))
    );
    assert_eq!(minutes[&15].median, Some(d("86")));
    assert_eq!(minutes[&30].numbers, 12);
}

#[test]
fn alarms_carry_limit_value_duration_and_who() {
    let record = whole();
    let alarm = record
        .alarms
        .iter()
        .find(|alarm| alarm.rule.name() == "spo2-low")
        .unwrap();
    assert_eq!(alarm.priority.name(), "high");
    assert_eq!(alarm.extreme, Some(d("86")));
    assert_eq!(alarm.limit, Some(d("88")));
    assert_eq!(alarm.acknowledged_by.as_deref(), Some(HOSTILE[3]));
    let (began, over) = (alarm.began_at.unwrap(), alarm.over_at.unwrap());
    assert_eq!(
        u64::try_from((over.millis() - began.millis()) / 1_000).unwrap(),
        alarm.seconds
    );
    // Every single reading around its turns is kept.
    let kept = record.near_alarms.iter().any(|reading| {
        reading.parameter == ParameterId::Known(Parameter::Spo2) && reading.value == Some(d("86"))
    });
    assert!(kept);
    let pressures: Vec<&str> = record
        .alarms
        .iter()
        .map(|alarm| alarm.rule.name())
        .collect();
    assert!(pressures.contains(&"sbp-high") && pressures.contains(&"feed-lost"));
}

#[test]
fn the_checklist_says_what_is_known_and_asks_for_the_rest() {
    let states: BTreeMap<&str, ItemState> = whole()
        .checklist
        .iter()
        .map(|item| (item.item, item.state))
        .collect();
    for (item, state) in [
        ("minutes", ItemState::Open),
        ("aldrete", ItemState::Met),
        ("padss", ItemState::Open),
        ("pressure", ItemState::Met),
        ("sedation", ItemState::Met),
        ("walking", ItemState::Met),
        ("escort", ItemState::Unknown),
        ("alarms", ItemState::Met),
    ] {
        assert_eq!(states[item], state, "{item}");
    }
    let rems = &whole().rems;
    assert_eq!(rems.pressure_before.as_ref().unwrap().sys, d("124"));
    assert_eq!(rems.pressure_at_40_min.as_ref().unwrap().sys, d("128"));
    assert_eq!(rems.dissociation.found, Some(true));
    assert!(rems.dissociation.to.is_some());
    assert_eq!(rems.sedation.found, Some(true));
    assert_eq!(rems.respiratory_depression.found, Some(true));
}

#[test]
fn the_flow_sheet_of_the_morning() {
    let sheet = record::html::flow_sheet(whole(), &TimeZone::UTC);
    // The program's version is the only thing in it that a release changes.
    let sheet = sheet.replace(
        &format!("InfuseWatch <bdi>{}", env!("CARGO_PKG_VERSION")),
        "InfuseWatch <bdi>VERSION",
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../data/record");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("flow-sheet", sheet));
}

#[test]
fn two_readings_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = morning(folder.path(), 1_000).finish();
    let made = || {
        let record = record::read(&path, 1).unwrap().unwrap();
        (
            record::html::flow_sheet(&record, &TimeZone::UTC),
            record::json(&record).unwrap(),
            record::fhir::bundle(&record).unwrap(),
            record::csv::files(&record),
        )
    };
    let (one, other) = (made(), made());
    assert!(one == other);
    // The session is still open, and says so.
    assert!(one.0.contains("SESSION STILL OPEN"));
    assert!(one.1.contains("\"closed_at\": null"));
    assert!(one.2.contains("\"in-progress\""));
}

#[test]
fn nothing_told_becomes_markup() {
    let sheet = record::html::flow_sheet(whole(), &TimeZone::UTC);
    let lower = sheet.to_lowercase();
    for never in [
        "<script",
        "<img",
        "javascript:",
        "http-equiv",
        "<link",
        "url(",
        "@import",
        "</style><style",
    ] {
        assert!(!lower.contains(never), "{never}");
    }
    // The only address is the name space of SVG.
    assert_eq!(
        lower.matches("://").count(),
        lower.matches("http://www.w3.org/2000/svg").count()
            + lower.matches("http://evil.example").count()
    );
    assert!(sheet.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    // Every tag is one of ours, and closed in its order.
    let mut open: Vec<&str> = Vec::new();
    let body = &sheet[sheet.find("<body>").unwrap()..];
    for tag in body.split('<').skip(1) {
        let name = tag
            .split(['>', ' ', '/'])
            .find(|part| !part.is_empty())
            .unwrap();
        let closes = tag.starts_with('/');
        let alone = tag[..tag.find('>').unwrap()].ends_with('/') || name == "br";
        if closes {
            let last = open.pop();
            if name != "html" {
                assert_eq!(last, Some(name), "{tag:.60}");
            }
        } else if !alone {
            open.push(name);
        }
    }
}

/// Rows of a CSV file as a reader sees them, guards taken away.
fn parse(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().unwrap();
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => rows.push(vec![String::new()]),
            other => row.last_mut().unwrap().push(other),
        }
    }
    rows.pop();
    let head = rows.remove(0);
    rows.into_iter()
        .map(|row| {
            assert_eq!(row.len(), head.len());
            head.iter().cloned().zip(row).collect()
        })
        .collect()
}

#[test]
fn the_tables_read_back_give_the_same_numbers() {
    let record = whole();
    let files: BTreeMap<String, Vec<BTreeMap<String, String>>> = record::csv::files(record)
        .into_iter()
        .map(|(name, text)| (name, parse(&text)))
        .collect();
    let told = |value: Option<Decimal>| value.map(|v| v.to_string()).unwrap_or_default();
    let mut rows = files["vitals_by_minute.csv"].iter();
    for series in &record.series {
        for point in &series.points {
            let row = rows.next().unwrap();
            assert_eq!(row["at"], point.at.rfc3339());
            assert_eq!(
                (&row["median"], &row["min"], &row["max"]),
                (&told(point.median), &told(point.min), &told(point.max))
            );
            assert_eq!(row["numbers"], point.numbers.to_string());
        }
    }
    assert!(rows.next().is_none());
    // Exactly as the device wrote it.
    assert!(
        files["vitals_by_minute.csv"]
            .iter()
            .any(|row| row["median"] == "36.50")
    );
    for (row, reading) in files["cuff.csv"].iter().zip(&record.cuff) {
        assert_eq!(
            (&row["sys"], &row["dia"]),
            (&told(reading.sys), &told(reading.dia))
        );
    }
    for (row, alarm) in files["alarms.csv"].iter().zip(&record.alarms) {
        assert_eq!(
            (&row["value"], &row["limit"]),
            (&told(alarm.value), &told(alarm.limit))
        );
        assert_eq!(row["seconds"], alarm.seconds.to_string());
    }
    assert_eq!(files["alarms.csv"].len(), record.alarms.len());
    // A guard stands before what looks like a formula, and only there.
    let note = &files["notes.csv"][0]["text"];
    assert_eq!(note.strip_prefix('\'').unwrap(), HOSTILE[1]);
    for (name, rows) in &files {
        for row in rows {
            for (column, cell) in row {
                let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!formula, "{name} {column}: {cell}");
            }
        }
    }
    // Every column of every file is explained.
    let explained: BTreeSet<(String, String)> = files["dictionary.csv"]
        .iter()
        .map(|row| (format!("{}.csv", row["file"]), row["column"].clone()))
        .collect();
    for (name, text) in record::csv::files(record) {
        if name == "dictionary.csv" {
            continue;
        }
        for column in text.lines().next().unwrap().split(',') {
            assert!(
                explained.contains(&(name.clone(), column.to_owned())),
                "{name} {column}"
            );
        }
    }
}

/// Every key of a JSON document.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.insert(key.clone());
                // Corrections carry the keys of the command.
                if key != "fields" {
                    keys(value, found);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_json_document_is_explained() {
    let document: Value = serde_json::from_str(&record::json(whole()).unwrap()).unwrap();
    assert_eq!(document["version"], 1);
    let docs = include_str!("../../docs/record.md");
    let mut found = BTreeSet::new();
    keys(&document, &mut found);
    let missing: Vec<&String> = found
        .iter()
        .filter(|key| !docs.contains(&format!("`{key}`")))
        .collect();
    assert!(missing.is_empty(), "docs/record.md lacks {missing:?}");
}

#[test]
fn the_bundle_is_whole() {
    let text = record::fhir::bundle(whole()).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let entries = bundle["entry"].as_array().unwrap();
    let urns: BTreeSet<&str> = entries
        .iter()
        .map(|entry| entry["fullUrl"].as_str().unwrap())
        .collect();
    assert_eq!(urns.len(), entries.len(), "identifiers are unique");
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        let resource = &entry["resource"];
        let kind = resource["resourceType"].as_str().unwrap();
        *counted.entry(kind).or_default() += 1;
        for reference in [
            &resource["subject"],
            &resource["encounter"],
            &resource["context"],
            &resource["device"],
        ] {
            if let Some(urn) = reference["reference"].as_str() {
                assert!(urns.contains(urn), "{kind} refers to {urn}");
            }
        }
        if kind != "Observation" || resource["category"][0]["coding"][0]["code"] != "vital-signs" {
            continue;
        }
        let codes: Vec<&str> = resource["code"]["coding"]
            .as_array()
            .unwrap()
            .iter()
            .map(|coding| coding["code"].as_str().unwrap())
            .collect();
        let has_value = resource.get("valueQuantity").is_some();
        let is_absent = resource.get("dataAbsentReason").is_some();
        if codes == ["85354-9"] {
            assert!(!has_value, "a panel has no value of its own");
            let parts = resource["component"].as_array().unwrap();
            let part = |place: usize| parts[place]["code"]["coding"][0]["code"].as_str().unwrap();
            assert_eq!((part(0), part(1)), ("8480-6", "8462-4"));
            assert!(parts.iter().all(|part| {
                part.get("valueQuantity").is_some() != part.get("dataAbsentReason").is_some()
            }));
        } else {
            assert!(has_value != is_absent, "{resource}");
            assert!(
                codes.iter().any(|code| code.parse::<u32>().is_ok()),
                "no MDC code"
            );
            if codes.contains(&"2708-6") {
                assert!(codes.contains(&"59408-5"));
            }
        }
        assert!(
            resource["effectiveDateTime"]
                .as_str()
                .or(resource["effectivePeriod"]["start"].as_str())
                .unwrap()
                .ends_with('Z')
        );
    }
    assert_eq!(counted["Patient"], 1);
    assert_eq!(counted["Encounter"], 1);
    assert_eq!(counted["MedicationAdministration"], 3);
    assert!(text.contains("36.50"), "digits of the wire");
    // A bundle for the validator of tests/peers/fhir, where asked for.
    if let Some(path) = std::env::var_os("INFUSEWATCH_FHIR_SAMPLE") {
        std::fs::write(path, text).unwrap();
    }
}
