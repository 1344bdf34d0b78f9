//! `decode` from outside: one JSON object a line, a summary last, exit 0 however damaged the input.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("decode")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A refused command line reads nothing.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The lines, with the summary taken off the end.
fn decode(arguments: &[&str], input: &[u8]) -> (Vec<Value>, Value) {
    let output = run(arguments, input);
    assert!(output.status.success(), "{output:?}");
    let mut lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["kind"], "summary");
    assert!(lines.iter().all(|line| line["kind"] != "summary"));
    (lines, summary)
}

fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

const LINE: &[u8] = b"01/02/26 10:20:30 SPO2=097% BPM=080 PI=04.96% ALARM=0012 EXC=000800\r\n";

#[test]
fn a_line_becomes_the_objects_of_the_contract() {
    let (lines, summary) = decode(&["--protocol", "masimo-ascii1"], LINE);
    let spo2 = of_kind(&lines, "observation")[0];
    assert_eq!(
        *spo2,
        serde_json::json!({
            "kind": "observation", "parameter": "spo2", "value": 97, "unit": "%",
            "validity": "valid", "cause": null, "measured_at": "2026-01-02T10:20:30",
            "mdc": 150456, "message_at": "2026-01-02T10:20:30"
        })
    );
    assert_eq!(of_kind(&lines, "device-alert")[0]["phase"], "start");
    assert_eq!(
        summary,
        serde_json::json!({
            "kind": "summary", "bytes": LINE.len(), "frames": 1, "observations": 3, "valid": 3,
            "questionable": 0, "faults": {}, "discarded_bytes": 0
        })
    );
}

#[test]
fn a_file_is_read_like_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture.txt");
    std::fs::write(&file, LINE).unwrap();
    let from_file = run(
        &["--protocol", "masimo-ascii1", file.to_str().unwrap()],
        b"",
    );
    let from_stdin = run(&["--protocol", "masimo-ascii1"], LINE);
    assert_eq!(from_file.stdout, from_stdin.stdout);

    let missing = folder.path().join("nowhere");
    let output = run(&["--protocol", "raw", missing.to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(74));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("nowhere")
    );
}

#[test]
fn garbage_ends_in_a_summary_too() {
    let garbage: Vec<u8> = (0..300_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for protocol in ["masimo-ascii1", "ge-dri", "raw"] {
        let (_, summary) = decode(&["--protocol", protocol], &garbage);
        assert_eq!(summary["bytes"], 300_000, "{protocol}");
        assert_eq!(summary["observations"], 0, "{protocol}");
        let (_, summary) = decode(&["--protocol", protocol], b"");
        assert_eq!(summary["bytes"], 0, "{protocol}");
        let (_, summary) = decode(&["--protocol", protocol, "--hex-lines"], &garbage);
        assert_eq!(summary["frames"], 0, "{protocol}");
    }
}

#[test]
fn faults_in_a_row_are_one_line_and_counted_one_by_one() {
    let bad = LINE.to_ascii_lowercase();
    let input = [LINE, &bad, &bad, LINE].concat();
    let (lines, summary) = decode(&["--protocol", "masimo-ascii1"], &input);
    assert_eq!(of_kind(&lines, "observation").len(), 6);
    let faults = of_kind(&lines, "fault");
    let told: u64 = faults
        .iter()
        .map(|fault| fault["count"].as_u64().unwrap())
        .sum();
    assert_eq!(told, 2);
    assert_eq!(summary["faults"], serde_json::json!({"bad-message": 2}));
    assert_eq!(summary["discarded_bytes"], 2 * (LINE.len() - 2));
}

#[test]
fn hex_lines_carry_time_and_direction() {
    let request = "7e310000000000000000000000000000000000000000ff000000000000000000000000\
                   000000000000010500000000000000367e";
    let rows = format!(
        "# seconds direction hex\n\
         100.5 C>M {request}\n\
         120 M>C 7e007e\n\
         \n\
         150.25 B 7e007e  # broadcast\n\
         151 M>C xyz\n\
         140 M>C 00\n"
    );
    let (lines, summary) = decode(&["--protocol", "ge-dri", "--hex-lines"], rows.as_bytes());
    // Asked at the opening, and again at 115.5, 130.5 and 145.5 of the recording.
    let replies = of_kind(&lines, "reply");
    assert_eq!(replies.len(), 4);
    assert!(replies.iter().all(|reply| reply["hex"] == request));
    assert_eq!(summary["bytes"], 7, "only what was received");
    assert_eq!(
        summary["faults"],
        serde_json::json!({"noise": 1, "bad-message": 1, "truncated": 1})
    );
    // Without the columns time stands still.
    let (lines, _) = decode(
        &["--protocol", "ge-dri", "--hex-lines"],
        b"7e007e\n7e007e\n",
    );
    assert_eq!(of_kind(&lines, "reply").len(), 1);
}

#[test]
fn a_row_in_the_far_future_does_not_keep_us() {
    let rows = b"0 M>C 7e\n999999999999 M>C 7e\n";
    let (lines, _) = decode(&["--protocol", "ge-dri", "--hex-lines"], rows);
    assert!(of_kind(&lines, "reply").len() <= 10_001);
}

#[test]
fn a_row_longer_than_a_datagram_is_a_fault_and_the_next_is_read() {
    let mut rows = b"00".repeat(200_000);
    rows.push(b'\n');
    rows.extend(
        LINE.iter()
            .flat_map(|byte| format!("{byte:02x}").into_bytes()),
    );
    let (_, summary) = decode(&["--protocol", "masimo-ascii1", "--hex-lines"], &rows);
    assert_eq!(summary["frames"], 1);
    assert_eq!(summary["faults"], serde_json::json!({"bad-message": 1}));
}

#[test]
fn options_reach_the_protocol_and_are_checked() {
    let slow = ["--protocol", "ge-dri", "--feed-option", "interval=10"];
    let (lines, _) = decode(&slow, b"");
    assert!(lines[0]["hex"].as_str().unwrap().contains("010a00"));

    for (arguments, says) in [
        (&["--protocol", "nonsense"][..], "masimo-ascii1"),
        (
            &["--protocol", "ge-dri", "--feed-option", "interval=x"],
            "interval",
        ),
        (
            &["--protocol", "ge-dri", "--feed-option", "speed=1"],
            "speed",
        ),
        (
            &["--protocol", "ge-dri", "--feed-option", "interval"],
            "KEY=VALUE",
        ),
        (&[], "--protocol"),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(says), "{message}");
        assert!(output.stdout.is_empty());
    }
}

/// The published real stream, where this checkout lies beside it.
#[test]
fn two_minutes_of_a_real_monitor_are_read_whole() {
    let stream = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vitals/ge-s5-c-2min.raw");
    let Ok(stream) = std::fs::read(stream) else {
        return;
    };
    let (lines, summary) = decode(&["--protocol", "ge-dri"], &stream);
    assert_eq!(summary["frames"], 213);
    assert_eq!(summary["faults"], serde_json::json!({"truncated": 1}));
    let cuff: std::collections::BTreeSet<_> = of_kind(&lines, "observation")
        .into_iter()
        .filter(|line| line["parameter"] == "nibp-sys")
        .map(|line| line["measured_at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(cuff.len(), 1, "one reading, repeated: {cuff:?}");
}
