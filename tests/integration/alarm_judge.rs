//! `judge` as a program: what it takes, what it refuses, and how it says so (contract).

use super::alarm_story::{Story, judge};
use std::io::Write as _;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn judge_gives_the_same_bytes_for_the_same_input() {
    let story = Story::infusing(900)
        .steady("spo2", 90, 601, 900)
        .cuff(700.0, 170, 95)
        .text();
    let one = judge(&story, &[]);
    assert!(one.status.success() && !one.stdout.is_empty());
    assert_eq!(one.stdout, judge(&story, &[]).stdout);
}

#[test]
fn judge_prints_every_record_with_its_seq_in_rising_order() {
    let told = Story::infusing(700).steady("spo2", 90, 601, 700).told();
    let numbers: Vec<u64> = told
        .0
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "{numbers:?}"
    );
}

#[test]
fn judge_names_the_line_that_it_cannot_read() {
    let open = "{\"t\":0,\"kind\":\"command\",\"command\":\"open-session\"}\n";
    for (line, what) in [
        ("not json", "no JSON"),
        ("[1]", "no JSON object"),
        ("{\"t\":1}", "no `kind`"),
        ("{\"kind\":\"alive\",\"feed\":\"m\"}", "no time"),
        ("{\"t\":-1,\"kind\":\"alive\",\"feed\":\"m\"}", "below zero"),
        ("{\"t\":1,\"kind\":\"weather\"}", "unknown kind"),
        (
            "{\"t\":1,\"kind\":\"command\",\"command\":\"fly\"}",
            "unknown variant",
        ),
        (
            "{\"t\":1,\"kind\":\"observation\",\"feed\":\"m\",\"parameter\":\"mood\",\"value\":1}",
            "mood",
        ),
        (
            "{\"t\":1,\"kind\":\"observation\",\"parameter\":\"spo2\",\"value\":1}",
            "feed",
        ),
        (
            "{\"t\":1,\"kind\":\"observation\",\"feed\":\"m\",\"parameter\":\"spo2\",\"value\":\"x\"}",
            "number",
        ),
        (
            "{\"t\":1,\"kind\":\"feed\",\"feed\":\"m\",\"silence\":0}",
            "silence",
        ),
        (
            "{\"t\":1,\"kind\":\"health\",\"what\":\"weather\",\"ok\":true}",
            "weather",
        ),
    ] {
        let output = judge(&format!("{open}{line}\n"), &[]);
        assert_eq!(output.status.code(), Some(65), "{line}");
        let error = text(&output.stderr);
        assert!(
            error.contains("line 2") && error.contains(what),
            "{line}: {error}"
        );
    }
}

#[test]
fn judge_refuses_a_falling_time() {
    let input = "{\"t\":5,\"kind\":\"alive\",\"feed\":\"m\"}\n{\"t\":4.999,\"kind\":\"alive\",\"feed\":\"m\"}\n";
    let output = judge(input, &[]);
    assert_eq!(output.status.code(), Some(65));
    assert!(text(&output.stderr).contains("line 2"));
}

#[test]
fn judge_ignores_unknown_fields_and_takes_unknown_parameters() {
    let input = "{\"t\":0,\"kind\":\"command\",\"command\":\"open-session\",\"mood\":1}\n\
                 {\"t\":1,\"kind\":\"observation\",\"feed\":\"m\",\"parameter\":\"mdc:150344\",\"value\":36.6,\"x\":2}\n\
                 {\"t\":2,\"kind\":\"observation\",\"feed\":\"m\",\"parameter\":\"vendor:x:1\",\"value\":1}\n";
    let output = judge(input, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn judge_takes_an_end_anywhere_and_without_a_time() {
    let lines = "{\"t\":900,\"kind\":\"end\"}\n{\"t\":0,\"kind\":\"command\",\"command\":\"open-session\"}\n";
    let told = text(&judge(lines, &[]).stdout);
    assert!(told.contains("\"t\":120,\"kind\":\"alarm\""), "{told}");
    let without = lines.replace("\"t\":900,", "");
    assert!(!text(&judge(&without, &[]).stdout).contains("alarm"));
}

#[test]
fn judge_lists_every_problem_of_a_profile_and_judges_nothing() {
    let shipped = infusewatch::profile::SHIPPED
        .replacen("below = 92", "below = 96", 1)
        .replacen("audio-pause = \"120s\"", "audio-pause = \"0s\"", 1);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(shipped.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    let output = judge("", &["--profile", path]);
    assert_eq!(output.status.code(), Some(78));
    let error = text(&output.stderr);
    assert!(
        error.contains(path) && error.contains("2 problems"),
        "{error}"
    );
    assert!(
        error.contains("alarm.audio-pause") && error.contains("limits.spo2-low"),
        "{error}"
    );
}

#[test]
fn judge_uses_the_profile_it_is_given() {
    let shipped = infusewatch::profile::SHIPPED.replacen(
        "below = 92, for = \"15s\"",
        "below = 92, for = \"20s\"",
        1,
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(shipped.as_bytes()).unwrap();
    let story = Story::opened().steady("spo2", 90, 10, 60).text();
    let output = judge(&story, &["--profile", file.path().to_str().unwrap()]);
    assert!(text(&output.stdout).contains("{\"t\":30,\"kind\":\"alarm\""));
}

#[test]
fn judge_says_which_file_cannot_be_opened() {
    for arguments in [
        ["--profile", "/nowhere/p.toml"],
        ["--", "/nowhere/input.jsonl"],
    ] {
        let output = judge("", &arguments);
        assert_eq!(output.status.code(), Some(74));
        assert!(text(&output.stderr).contains("/nowhere/"));
    }
}
