//! `pin` and `train` as programs.

use crate::bedside::{Bench, PATIENCE, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

fn pin(input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("pin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn pin_prints_a_hash_that_the_configuration_takes() {
    let output = pin("rose4711\n");
    assert!(output.status.success(), "{output:?}");
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(
        hash.starts_with("$argon2id$") && !hash.contains("rose4711"),
        "{hash}"
    );
    assert_ne!(
        pin("rose4711\n").stdout,
        hash.as_bytes(),
        "a salt of its own"
    );
    let bench = Bench::new();
    let mut text = fs::read_to_string(bench.path("bed.toml")).unwrap();
    text.push_str(&format!(
        "\n[access]\nrequire = [\"open-session\"]\n\n[[access.staff]]\nname = \"Ann\"\nrole = \"RN\"\npin = \"{}\"\n",
        hash.trim()
    ));
    fs::write(bench.path("bed.toml"), text).unwrap();
    let daemon = bench.run();
    let open = r#"{"command":"open-session","patient":"K-1"}"#;
    assert_eq!(daemon.command(open).0, 403);
    let wrong = daemon.command(r#"{"command":"log-in","name":"Ann","pin":"tulip77"}"#);
    assert_eq!(wrong.0, 403);
    let (_, answer) = until("the delay to pass", || {
        let answer = daemon.command(r#"{"command":"log-in","name":"Ann","pin":"rose4711"}"#);
        (answer.0 == 200).then_some(answer)
    });
    let login = answer["login"].as_str().unwrap();
    let open = format!(r#"{{"command":"open-session","patient":"K-1","login":"{login}"}}"#);
    assert_eq!(daemon.command(&open).0, 200);
    assert_eq!(daemon.now()["session"]["about"]["by"], "Ann");
    // The record knows who tried, and no secret.
    let recorded = until("the record", || {
        let told = bench.sqlite("SELECT detail FROM v_events WHERE what = 'log-in'");
        (told.lines().count() == 2).then_some(told)
    });
    assert!(
        recorded.contains("\"accepted\":false") && recorded.contains("Ann"),
        "{recorded}"
    );
    let everything = bench.sqlite("SELECT coalesce(detail, '') FROM input");
    for secret in ["rose4711", "tulip77", login] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

#[test]
fn a_pin_that_is_too_short_is_none() {
    for input in ["", "\n", "123\n"] {
        let output = pin(input);
        assert_eq!(output.status.code(), Some(65), "{input:?}");
        assert!(output.stdout.is_empty());
    }
}

/// A running training; asked to stop when dropped.
struct Training(Child);

impl Training {
    fn start(bench: &Bench) -> (Self, Vec<String>) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
            .args(["train", "--port", "0", "--config"])
            .arg(bench.path("bed.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(bench.path("train.log")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .take(3)
            .map(Result::unwrap)
            .collect();
        (Self(child), lines)
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        let _ = kill(
            Pid::from_raw(self.0.id().try_into().unwrap()),
            Signal::SIGTERM,
        );
        let _ = self.0.wait();
    }
}

fn board(page: &str) -> Option<Value> {
    let address = page.strip_prefix("page http://")?.split('/').next()?;
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(
        stream,
        "GET /api/v1/now HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

#[test]
fn a_training_shows_itself_and_leaves_the_record_of_the_bed_alone() {
    let bench = Bench::new();
    let (training, lines) = Training::start(&bench);
    let log = || fs::read_to_string(bench.path("train.log")).unwrap();
    assert_eq!(lines.len(), 3, "{}", log());
    assert!(lines[2].ends_with("training.db"), "{lines:?}");
    let found = until("a reading of the virtual patient", || {
        let board = board(&lines[0])?;
        let vitals = board["vitals"].as_array()?;
        vitals
            .iter()
            .any(|vital| vital["value"].is_number())
            .then_some(board)
    });
    assert_eq!(found["training"], true);
    assert_eq!(found["demo"], Value::Null, "time runs as in life");
    assert!(!bench.journal().exists());
    drop(training);
    assert!(bench.journal().with_file_name("training.db").exists());
}

#[test]
fn no_training_stands_beside_a_daemon() {
    let bench = Bench::new();
    let _daemon = bench.run();
    let output = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .args(["train", "--config"])
        .arg(bench.path("bed.toml"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no training beside it"));
    assert!(!bench.journal().with_file_name("training.db").exists());
}
