//! `infusewatch verify`: a record proves itself, a changed one is found out.

use super::journal_views::{Quiet, settle, start};
use infusewatch::engine::{Engine, FeedId, Input, OpenSession, Setup, Started};
use infusewatch::journal::{Body, Entry, Job, Journal, Plan};
use infusewatch::observation::Observation;
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Reading, WallTime};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

/// 2026-03-01T09:00:00Z.
const NINE: i64 = 1_772_355_600_000;

/// A profile that the engine takes: a refused opening begins no session.
fn setup() -> Arc<Setup> {
    Arc::new(Setup {
        profile: infusewatch::profile::SHIPPED.into(),
        ..Setup::clone(&super::journal_views::setup())
    })
}

/// A record as the engine's thread would make it: every input with what the engine makes of it.
fn record(path: &Path) {
    let journal = Journal::open(path, start()).unwrap();
    let (mut outlet, writer) = journal.start(Box::new(Quiet), |_, _, _| None).unwrap();
    let mut engine = Engine::new(0);
    let mut inputs = vec![
        Input::Started(Started {
            boot: "boot".into(),
            wall: WallTime::from_millis(NINE),
            down_for: None,
            setup: setup(),
        }),
        Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup: setup(),
        },
    ];
    for value in [98, 97, 80, 79, 78, 77, 99] {
        inputs.push(Input::Reading {
            feed: FeedId(0),
            observation: Observation::new(Parameter::Spo2, Reading::Valid(Decimal::whole(value))),
        });
    }
    for (second, input) in (1..).zip(inputs) {
        let now = Now {
            moment: Moment::from_secs(second * 5),
            wall: WallTime::from_millis(NINE + second.cast_signed() * 1_500),
        };
        let before = engine.session();
        let mut made = Vec::new();
        let taken = engine.step(now, &input, &mut made);
        let mut entries: Vec<_> = made
            .into_iter()
            .map(|made| Entry {
                seq: made.seq,
                at: made.at,
                wall: now.wall_at(made.at),
                session: if made.seq < taken.seq {
                    before
                } else {
                    engine.session()
                },
                body: Body::Record(made.record, made.late),
            })
            .collect();
        entries.push(Entry {
            seq: taken.seq,
            at: taken.at,
            wall: now.wall,
            session: engine.session().or(opens(&input)),
            body: Body::Input(input),
        });
        entries.sort_by_key(|entry| entry.seq);
        for entry in entries {
            outlet.push(Job::Entry(entry));
        }
    }
    settle(&mut outlet);
    drop(outlet);
    writer.join().unwrap();
}

/// The session that an input opens.
pub fn opens(input: &Input) -> Option<i64> {
    if let Input::Open { session, .. } = input {
        return Some(*session);
    }
    None
}

fn verify(path: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("verify")
        .arg(path)
        .args(more)
        .output()
        .unwrap()
}

fn change(path: &Path, sql: &str) {
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

#[test]
fn an_honest_record_proves_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    record(&path);
    let output = verify(&path, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("session 1, from entry") && text.contains("agree"),
        "{text}"
    );
    let one = String::from_utf8(verify(&path, &["--session", "1"]).stdout).unwrap();
    assert_eq!(one.lines().count(), 1);
    assert_eq!(verify(&path, &["--session", "9"]).status.code(), Some(65));
}

#[test]
fn an_added_or_removed_entry_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for (what, sql) in [
        (
            "an alarm that nobody raised",
            "INSERT INTO record SELECT max(seq) + 1, max(at_us), max(wall_ms), 1, NULL, 'alarm', 99, 'begin', NULL, \
             '{\"kind\":\"alarm\",\"invented\":true}' FROM (SELECT * FROM (SELECT seq, at_us, wall_ms FROM input) \
             UNION ALL SELECT seq, at_us, wall_ms FROM record)",
        ),
        (
            "a reading that was taken out",
            "DELETE FROM input WHERE seq = (SELECT seq FROM input WHERE parameter IS NOT NULL LIMIT 1)",
        ),
    ] {
        let path = folder.path().join(format!("{what}.db"));
        record(&path);
        change(&path, sql);
        let output = verify(&path, &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {text}");
        assert!(text.contains("DIFFERS at entry"), "{what}: {text}");
    }
}

#[test]
fn dropped_entries_and_other_engines_are_said_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    record(&path);
    change(
        &path,
        "DELETE FROM input WHERE seq = (SELECT max(seq) FROM input)",
    );
    change(
        &path,
        "INSERT INTO gap SELECT max(seq) + 1, max(seq) + 1, 0 FROM input",
    );
    let output = verify(&path, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("not provable after entry"), "{text}");

    change(&path, "UPDATE start SET engine_version = 0");
    let text = String::from_utf8(verify(&path, &[]).stdout).unwrap();
    assert!(text.contains("engine version 0"), "{text}");
}

#[test]
fn what_cannot_be_opened_is_exit_74() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.db");
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, [0x5a; 9_000]).unwrap();
    for path in [missing, garbage] {
        let output = verify(&path, &[]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(74), "{text}");
        assert!(text.contains(path.to_str().unwrap()), "{text}");
    }
}

#[test]
fn a_restart_within_a_session_replays_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    record(&path);
    let journal = Journal::open(&path, start()).unwrap();
    let restored = journal.restored().clone();
    assert_eq!(restored.session, Some(1));
    assert_eq!(restored.boot.as_deref(), Some("boot"));
    let Plan::Replay { from } = journal.plan() else {
        panic!("{:?}", journal.plan());
    };
    let mut engine = Engine::new(from - 1);
    let replayed = journal.replay(from, &mut engine).unwrap();
    assert_eq!(replayed.difference, None);
    assert_eq!(engine.seq(), restored.last_seq);
    assert!(replayed.tail.is_empty());
}
