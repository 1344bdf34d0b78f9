//! What engine.md and the contract say about `judge`, sentence by sentence: written down from the text
//! before any output was looked at, and run against the real binary.
//!
//! The cases stand in `tests/data/contract/*.cases`, each under the sentence it proves:
//!
//! ```text
//! == the sentence
//! watch spo2-low audio          the rules and kinds of record that are compared; `alarm` is every rule
//! 0 open-session                at 0 s a command; its fields may follow as a JSON object
//! 1..20 spo2 98 pr 70           every second from 1 to 20 these readings of the feed `monitor`
//! 1..20/5 @second spo2 98       every five seconds, of the feed `second`
//! 21 spo2 - searching           no number, and its cause
//! 30 cuff 120/80/90             one cuff reading: systolic, diastolic, mean
//! 40 lost                       the feed's connection is closed
//! 50 pump delivery-start        a pump event; its fields may follow as a JSON object
//! 60 {"kind":"health", …}       any other line, without its time
//! 90 end
//! --
//! 23 begin spo2-low high value=84      what must come out, and nothing else of what is watched
//! ```

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// One sentence and its proof.
#[derive(Default)]
struct Case<'a> {
    sentence: &'a str,
    watch: Vec<&'a str>,
    input: Vec<&'a str>,
    expected: Vec<&'a str>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut is_expected = false;
    for line in text.lines().map(str::trim_end) {
        if let Some(sentence) = line.strip_prefix("== ") {
            is_expected = false;
            cases.push(Case {
                sentence,
                ..Case::default()
            });
        } else if line == "--" {
            is_expected = true;
        } else if let Some(watch) = line.strip_prefix("watch ") {
            cases.last_mut().unwrap().watch = watch.split_whitespace().collect();
        } else if !line.is_empty() && !line.starts_with('#') {
            let case = cases.last_mut().unwrap();
            if is_expected {
                case.expected.push(line);
            } else {
                case.input.push(line);
            }
        }
    }
    cases
}

/// Milliseconds of `12.5`.
fn millis(text: &str) -> u64 {
    (text.parse::<f64>().unwrap() * 1000.0).round() as u64
}

/// The moments of `5`, `1..20` or `1..20/5`, in milliseconds.
fn moments(text: &str) -> Vec<u64> {
    let Some((from, rest)) = text.split_once("..") else {
        return vec![millis(text)];
    };
    let (to, step) = rest.split_once('/').unwrap_or((rest, "1"));
    (millis(from)..=millis(to))
        .step_by(millis(step) as usize)
        .collect()
}

fn with(mut line: Value, fields: &str) -> Value {
    if let Value::Object(more) = serde_json::from_str(fields).unwrap_or(json!({})) {
        line.as_object_mut().unwrap().extend(more);
    }
    line
}

/// The input lines that one line of a case stands for at one moment, without their time.
fn lines(what: &str, seconds: &Value) -> Vec<Value> {
    if what.starts_with('{') {
        return vec![serde_json::from_str(what).unwrap()];
    }
    let (feed, what) = match what.strip_prefix('@') {
        Some(rest) => rest.split_once(' ').unwrap(),
        None => ("monitor", what),
    };
    let (word, fields) = what.split_once(' ').unwrap_or((what, ""));
    let reading = |parameter: &str, value: &str| {
        let value: Value = serde_json::from_str(value).unwrap();
        json!({"kind": "observation", "feed": feed, "parameter": parameter, "value": value})
    };
    match word {
        "end" => vec![json!({"kind": "end"})],
        "lost" => vec![json!({"kind": "feed", "feed": feed, "state": "lost"})],
        "cuff" => ["nibp-sys", "nibp-dia", "nibp-mean"]
            .into_iter()
            .zip(fields.split('/'))
            .map(|(parameter, value)| {
                let mut line = reading(parameter, value);
                line["measured_at"] = seconds.clone();
                line
            })
            .collect(),
        "pump" => {
            let (event, fields) = fields.split_once(' ').unwrap_or((fields, ""));
            vec![with(json!({"kind": "pump-event", "event": event}), fields)]
        }
        parameter if fields.starts_with("- ") => vec![json!({
            "kind": "observation", "feed": feed, "parameter": parameter, "value": null,
            "validity": "invalid", "cause": &fields[2..],
        })],
        _ if fields.starts_with(|first: char| first.is_ascii_digit()) => {
            let words: Vec<&str> = what.split_whitespace().collect();
            words
                .chunks(2)
                .map(|pair| reading(pair[0], pair[1]))
                .collect()
        }
        command => vec![with(json!({"kind": "command", "command": command}), fields)],
    }
}

fn seconds(millis: u64) -> Value {
    if millis.is_multiple_of(1000) {
        json!(millis / 1000)
    } else {
        json!(millis as f64 / 1000.0)
    }
}

fn script(case: &Case<'_>) -> String {
    let mut timed: Vec<(u64, &str)> = case
        .input
        .iter()
        .flat_map(|line| {
            let (when, what) = line.split_once(' ').unwrap();
            moments(when).into_iter().map(move |at| (at, what))
        })
        .collect();
    timed.sort_by_key(|(at, _)| *at);
    let mut script = String::new();
    for (at, what) in timed {
        for mut line in lines(what, &seconds(at)) {
            line["t"] = seconds(at);
            writeln!(script, "{line}").unwrap();
        }
    }
    script
}

fn judge(input: &str) -> Vec<Value> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .args(["judge", "--profile", "config/profiles/ketamine-adult.toml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeding = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A record as the cases write it.
fn shown(record: &Value) -> String {
    let text = |key: &str| record[key].as_str().unwrap_or("").to_owned();
    let rest = match record["kind"].as_str().unwrap() {
        "alarm" => format!("{} {} {}", text("event"), text("rule"), text("priority")),
        "audio" => format!("audio {} {}", text("sounding"), text("state")),
        "phase" => format!("phase {}", text("phase")),
        "refused" => format!("refused {}", text("command")),
        "task" => format!("task {} {}", record["due_at"], text("text")),
        other => other.to_owned(),
    };
    format!("{} {rest}", record["t"])
}

fn is_as(expected: &str, record: &Value) -> bool {
    let (fields, words): (Vec<&str>, Vec<&str>) = expected
        .split_whitespace()
        .partition(|word| word.contains('='));
    let shown = shown(record);
    let is_same = |(key, value): (&str, &str)| match record[key].as_str() {
        Some(text) => text == value,
        None if value == "None" => record[key].is_null(),
        None => record[key].as_f64() == value.parse().ok(),
    };
    shown
        .split_whitespace()
        .take(words.len())
        .eq(words.iter().copied())
        && fields
            .iter()
            .filter_map(|field| field.split_once('='))
            .all(is_same)
}

fn prove(text: &str) {
    let mut wrong = String::new();
    for case in cases(text) {
        let told: Vec<Value> = judge(&script(&case))
            .into_iter()
            .filter(|record| {
                let kind = record["kind"].as_str().unwrap();
                let rule = record["rule"].as_str().unwrap_or("");
                case.watch.contains(&kind) || kind == "alarm" && case.watch.contains(&rule)
            })
            .collect();
        let is_right = told.len() == case.expected.len()
            && case
                .expected
                .iter()
                .zip(&told)
                .all(|(expected, record)| is_as(expected, record));
        if !is_right {
            writeln!(wrong, "\n{}", case.sentence).unwrap();
            for line in &case.expected {
                writeln!(wrong, "  expected  {line}").unwrap();
            }
            for record in &told {
                writeln!(wrong, "  told      {}   {record}", shown(record)).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_cell_of_the_rules_table() {
    prove(include_str!("../data/contract/rules.cases"));
}

#[test]
fn persistence_clearing_lifecycle_and_audio() {
    prove(include_str!("../data/contract/lifecycle.cases"));
}

#[test]
fn technical_conditions_cuff_pump_gate_and_sessions() {
    prove(include_str!("../data/contract/technical.cases"));
}

#[test]
fn a_case_that_does_not_hold_is_told() {
    let text = "== no such alarm\nwatch spo2-low\n0 open-session\n1..20 spo2 84\n--\n";
    assert!(std::panic::catch_unwind(|| prove(text)).is_err());
}

#[test]
fn end_may_stand_anywhere_and_runs_the_deadlines_up_to_there() {
    let told = judge(concat!(
        "{\"t\":30,\"kind\":\"end\"}\n",
        "{\"t\":0,\"kind\":\"command\",\"command\":\"open-session\"}\n",
        "{\"t\":1,\"kind\":\"observation\",\"feed\":\"m\",\"parameter\":\"spo2\",\"value\":98}\n",
    ));
    assert!(
        told.iter()
            .any(|record| record["t"] == 11 && record["rule"] == "feed-lost"),
        "{told:?}"
    );
    assert!(judge("{\"kind\":\"end\"}\n").is_empty());
}
