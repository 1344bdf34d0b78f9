//! `infusewatch report` from outside: what it writes, and what it says when it cannot.

use super::record_stage::morning;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn report(journal: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("report")
        .arg(journal)
        .args(more)
        .output()
        .unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

#[test]
fn every_format_is_written_while_the_journal_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = morning(folder.path(), 700);
    stage.settle();
    let session = ["--session", "1", "--format"];
    for (format, begins) in [
        ("html", "<!doctype html>"),
        ("json", "{\n  \"version\": 1"),
        ("fhir", "{\n  \"resourceType\": \"Bundle\""),
    ] {
        let output = report(
            &stage.path,
            &[&session[..], &[format, "--zone", "UTC"]].concat(),
        );
        assert_eq!(told(&output), (Some(0), String::new()), "{format}");
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .starts_with(begins)
        );
    }
    let file = folder.path().join("sheet.html");
    let to_file = [
        "html",
        "--zone",
        "America/New_York",
        "-o",
        file.to_str().unwrap(),
    ];
    let output = report(&stage.path, &[&session[..], &to_file].concat());
    assert_eq!(told(&output), (Some(0), String::new()));
    let sheet = std::fs::read_to_string(&file).unwrap();
    assert!(sheet.contains("2026-03-01 04:00:00") && sheet.contains("EST (UTC-05:00)"));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let tables = folder.path().join("tables");
    let output = report(
        &stage.path,
        &[&session[..], &["csv", "-o", tables.to_str().unwrap()]].concat(),
    );
    assert_eq!(told(&output), (Some(0), String::new()));
    assert!(tables.join("dictionary.csv").is_file());
    stage.finish();
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = morning(folder.path(), 30).finish();
    let (code, text) = told(&report(
        &folder.path().join("none.db"),
        &["--session", "1", "--format", "json"],
    ));
    assert!(code == Some(74) && text.contains("none.db"), "{text}");
    let (code, text) = told(&report(&path, &["--session", "9", "--format", "json"]));
    assert_eq!(code, Some(65));
    assert!(
        text.contains("no session 9") && text.contains("1 (opened 2026-03-01T09:00:00"),
        "{text}"
    );
    let (code, text) = told(&report(&path, &["--session", "1", "--format", "csv"]));
    assert!(code == Some(64) && text.contains("-o FOLDER"), "{text}");
    let (code, _) = told(&report(&path, &["--session", "1", "--format", "pdf"]));
    assert_eq!(code, Some(64));
    let nowhere = folder.path().join("missing").join("sheet.html");
    let (code, text) = told(&report(
        &path,
        &[
            "--session",
            "1",
            "--format",
            "html",
            "-o",
            nowhere.to_str().unwrap(),
        ],
    ));
    assert!(code == Some(74) && text.contains("sheet.html"), "{text}");
    // Damage in the middle: a row that makes no sense, and a file that is none.
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE input SET cause = 'rubbish' WHERE seq = (SELECT max(seq) FROM input WHERE parameter IS NOT NULL)")
        .unwrap();
    let (code, text) = told(&report(&path, &["--session", "1", "--format", "json"]));
    assert!(code == Some(65) && text.contains("rubbish"), "{text}");
    std::fs::write(&path, [7_u8; 8_192]).unwrap();
    let (code, text) = told(&report(&path, &["--session", "1", "--format", "json"]));
    assert!(code == Some(74) && text.contains("damaged"), "{text}");
}
