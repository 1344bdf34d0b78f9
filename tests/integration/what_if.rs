//! `infusewatch what-if`: the same profile gives the same numbers, another profile its own, and what cannot be
//! compared is said.

use super::journal_views::{Quiet, settle};
use infusewatch::engine::{
    AcknowledgeTarget, All, Command as Order, Engine, FeedId, FeedSetup, Input, OpenSession, Setup,
    Started,
};
use infusewatch::journal::{Body, Entry, Job, Journal, Outlet, Start};
use infusewatch::observation::Observation;
use infusewatch::profile::SHIPPED;
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Priority, Reading, Rule, WallTime};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

/// 2026-03-01T09:00:00Z.
const NINE: i64 = 1_772_355_600_000;

fn at(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        wall: WallTime::from_millis(NINE + second.cast_signed() * 1_000),
    }
}

fn setup() -> Arc<Setup> {
    Arc::new(Setup {
        profile: SHIPPED.into(),
        feeds: vec![FeedSetup {
            name: "monitor".into(),
            protocol: "hl7-mllp".into(),
            silence: Duration::from_secs(10),
            cadence: Duration::from_secs(1),
            parameters: vec![Parameter::Spo2, Parameter::Hr],
            ours: Default::default(),
        }],
        prefer: Default::default(),
    })
}

/// An engine whose steps are written down as the engine's thread does it.
struct Bench {
    engine: Engine,
    outlet: Outlet,
}

impl Bench {
    fn take(&mut self, second: u64, input: Input) {
        let before = self.engine.session();
        let mut made = Vec::new();
        let taken = self.engine.step(at(second), &input, &mut made);
        let session = before.or_else(|| self.engine.session());
        let entry = |seq, moment, body| Entry {
            seq,
            at: moment,
            wall: at(second).wall_at(moment),
            session: if seq < taken.seq { before } else { session },
            body,
        };
        let mut entries: Vec<_> = made
            .into_iter()
            .map(|made| entry(made.seq, made.at, Body::Record(made.record, made.late)))
            .collect();
        if taken.seq != 0 {
            entries.push(entry(taken.seq, taken.at, Body::Input(input)));
        }
        entries.sort_by_key(|entry| entry.seq);
        for entry in entries {
            self.outlet.push(Job::Entry(entry));
        }
    }

    fn orders(&mut self, second: u64, order: Order) {
        self.take(second, Input::Command(Box::new(order)));
    }

    fn opens(&mut self, second: u64, session: i64) {
        self.take(
            second,
            Input::Open {
                session,
                about: Box::new(OpenSession::default()),
                setup: setup(),
            },
        );
    }

    fn reads(&mut self, second: u64, spo2: i64) {
        for (parameter, value) in [(Parameter::Spo2, spo2), (Parameter::Hr, 70)] {
            self.take(
                second,
                Input::Reading {
                    feed: FeedId(0),
                    observation: Observation::new(parameter, Reading::Valid(Decimal::whole(value))),
                },
            );
        }
    }

    /// An infusion with two falls of the saturation, one deep, and a feed that falls silent.
    fn sits(&mut self, session: i64, from: u64, more: impl Fn(&mut Self, u64)) {
        self.opens(from, session);
        for second in 1..900 {
            if second == 120 {
                self.orders(from + second, Order::StartInfusion { over: None });
            }
            match second {
                200..=239 => self.reads(from + second, 90),
                400..=429 => self.reads(from + second, 86),
                600..=640 => {}
                _ => self.reads(from + second, 98),
            }
            more(self, second);
        }
        self.orders(from + 900, Order::StopInfusion);
        self.orders(
            from + 901,
            Order::CloseSession {
                by: "nurse".to_owned(),
                over: Some(infusewatch::engine::Override {
                    reason: "test".to_owned(),
                    by: "nurse".to_owned(),
                    second_by: None,
                }),
            },
        );
    }
}

fn record(path: &Path, story: impl FnOnce(&mut Bench)) {
    let start = Start::new("boot".into(), at(0), true, SHIPPED.into());
    let journal = Journal::open(path, start).unwrap();
    let (outlet, writer) = journal.start(Box::new(Quiet), |_, _, _| None).unwrap();
    let mut bench = Bench {
        engine: Engine::new(0),
        outlet,
    };
    bench.take(
        0,
        Input::Started(Started {
            boot: "boot".into(),
            wall: at(0).wall,
            down_for: None,
            setup: setup(),
        }),
    );
    story(&mut bench);
    settle(&mut bench.outlet);
    drop(bench);
    writer.join().unwrap();
}

fn profile(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("other.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn what_if(journal: &Path, profile: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("what-if")
        .arg(journal)
        .arg("--profile")
        .arg(profile)
        .args(more)
        .output()
        .unwrap()
}

fn document(output: &Output) -> Value {
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn rule<'d>(session: &'d Value, name: &str) -> &'d Value {
    session["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["rule"] == name)
        .unwrap_or_else(|| panic!("{name} in {session:#}"))
}

#[test]
fn the_same_profile_without_a_nurse_gives_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    record(&journal, |bench| {
        bench.sits(1, 10, |_, _| ());
        bench.sits(2, 2_000, |_, _| ());
    });
    let same = profile(folder.path(), SHIPPED);
    let found = document(&what_if(&journal, &same, &["--json"]));
    let sessions = found["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_eq!(session["notes"], serde_json::json!([]));
        for rule in session["rules"].as_array().unwrap() {
            assert_eq!(rule["recorded"], rule["what_if"], "{rule:#}");
        }
        let low = &rule(session, "spo2-low")["recorded"];
        // 90 % for 40 s alarms after 15 s; 86 % is below 88 for 10 s; both clear 5 s after the return.
        assert_eq!(low["begins"], 2, "{low:#}");
        assert_eq!(low["high"], 1);
        assert_eq!(low["active_s"], 30.0 + 25.0, "{low:#}");
        assert_eq!(low["time_to_alarm_s"]["longest"], 15.0);
        assert_eq!(rule(session, "feed-lost")["recorded"]["begins"], 1);
    }
    let one = document(&what_if(&journal, &same, &["--json", "--session", "2"]));
    assert_eq!(one["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(one["sessions"][0], found["sessions"][1]);
    let table = String::from_utf8(what_if(&journal, &same, &[]).stdout).unwrap();
    assert!(table.contains("session 2, 15 min"), "{table}");
    assert!(
        table
            .lines()
            .any(|line| line.contains("spo2-low") && line.contains("2 | 2")),
        "{table}"
    );
}

#[test]
fn another_profile_gives_its_own_numbers_and_what_a_nurse_did_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    record(&journal, |bench| {
        bench.sits(1, 10, |bench, second| match second {
            // Refused: the infusion runs.
            130 => bench.orders(10 + second, Order::StartInfusion { over: None }),
            150 => bench.orders(
                10 + second,
                Order::SetLimit {
                    rule: Rule::Spo2Low,
                    tier: Priority::Medium,
                    value: Decimal::whole(89),
                    reason: "test".to_owned(),
                    by: None,
                },
            ),
            425 => bench.orders(
                10 + second,
                Order::Acknowledge {
                    alarm: AcknowledgeTarget::All(All::All),
                    seen_priority: None,
                    seen_seq: None,
                    by: None,
                },
            ),
            _ => {}
        });
    });
    let slower = SHIPPED.replacen("below = 92, for = \"15s\"", "below = 92, for = \"25s\"", 1);
    assert_ne!(slower, SHIPPED);
    let output = what_if(&journal, &profile(folder.path(), &slower), &["--json"]);
    let found = document(&output);
    let low = rule(&found["sessions"][0], "spo2-low");
    assert_eq!(low["what_if"]["begins"], 2, "{low:#}");
    assert_eq!(
        low["what_if"]["time_to_alarm_s"]["longest"], 25.0,
        "{low:#}"
    );
    assert_ne!(low["recorded"], low["what_if"], "{low:#}");
    assert_eq!(found["sessions"][0]["notes"], serde_json::json!([]));
}

#[test]
fn gaps_an_open_end_and_refused_commands_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    record(&journal, |bench| {
        bench.opens(10, 1);
        for second in 20..60 {
            bench.reads(second, 98);
        }
        bench.orders(60, Order::Away { minutes: 15 });
        bench.reads(61, 98);
    });
    rusqlite::Connection::open(&journal)
        .unwrap()
        .execute_batch(
            "CREATE TEMP TABLE lost AS SELECT max(seq) AS seq FROM input WHERE parameter IS NOT NULL; \
             DELETE FROM input WHERE seq = (SELECT seq FROM lost); \
             INSERT INTO gap SELECT seq, seq, 0 FROM lost;",
        )
        .unwrap();
    let shorter = SHIPPED.replacen("away-up-to = \"15min\"", "away-up-to = \"5min\"", 1);
    assert_ne!(shorter, SHIPPED);
    let output = what_if(&journal, &profile(folder.path(), &shorter), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for said in [
        "are missing in the record",
        "still open",
        "away, is not possible",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_bad_profile_is_78_with_every_problem_and_what_is_not_there_is_74_or_65() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    record(&journal, |bench| bench.sits(1, 10, |_, _| ()));
    let bad = profile(
        folder.path(),
        &SHIPPED.replacen("below = 92", "below = 96", 1).replacen(
            "audio-pause = \"120s\"",
            "audio-pause = \"0s\"",
            1,
        ),
    );
    let output = what_if(&journal, &bad, &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{text}");
    assert!(
        text.contains("limits.spo2-low") && text.contains("alarm.audio-pause"),
        "{text}"
    );
    let good = profile(folder.path(), SHIPPED);
    let missing = folder.path().join("missing");
    assert_eq!(what_if(&journal, &missing, &[]).status.code(), Some(74));
    assert_eq!(what_if(&missing, &good, &[]).status.code(), Some(74));
    let other = what_if(&journal, &good, &["--session", "9"]);
    assert_eq!(other.status.code(), Some(65));
}
