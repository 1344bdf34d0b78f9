//! The flow sheet of an eight-hour session beside reading its rows bare, printed as a table (bar: 1 s).
//!
//! `cargo bench --bench record`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    reason = "a bench may fail loudly, and it measures with the machine's clock"
)]

use infusewatch::engine::{
    Engine, FeedId, FeedSetup, HealthItem, Input, OpenSession, Setup, Started,
};
use infusewatch::journal::{Body, Entry, Job, Journal, Start, Watcher};
use infusewatch::observation::{DeviceTime, Observation};
use infusewatch::profile::SHIPPED;
use infusewatch::record;
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Reading, WallTime};
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

const HOURS: u64 = 8;
const MIDNIGHT_MS: i64 = 1_767_225_600_000;
/// What one bed gives a second.
const PARAMETERS: [Parameter; 10] = [
    Parameter::Hr,
    Parameter::Pr,
    Parameter::Spo2,
    Parameter::Pi,
    Parameter::Rr,
    Parameter::Etco2,
    Parameter::Temp,
    Parameter::ArtSys,
    Parameter::ArtDia,
    Parameter::ArtMean,
];

struct Silent;

impl Watcher for Silent {
    fn committed(&self, _: u64) {}
    fn waiting(&self, _: usize, _: u64) {}
    fn health(&self, _: HealthItem, _: bool, _: &str) {}
}

fn now(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        wall: WallTime::from_millis(MIDNIGHT_MS + second.cast_signed() * 1_000),
    }
}

/// Eight hours as the engine's thread writes them, with an infusion in the middle.
fn write(path: &Path) -> u64 {
    let setup = Arc::new(Setup {
        profile: SHIPPED.into(),
        feeds: vec![FeedSetup {
            name: "monitor".into(),
            protocol: "hl7-mllp".into(),
            silence: Duration::from_secs(10),
            cadence: Duration::from_secs(1),
            parameters: PARAMETERS.to_vec(),
            ours: Default::default(),
        }],
        prefer: Default::default(),
    });
    let start = Start::new("bench".into(), now(0), true, setup.profile.clone());
    let journal = Journal::open(path, start).unwrap();
    let (mut outlet, writer) = journal.start(Box::new(Silent), |_, _, _| None).unwrap();
    let mut engine = Engine::new(0);
    let mut made = Vec::new();
    let mut take = |second: u64, input: Input| {
        made.clear();
        let before = engine.session();
        let taken = engine.step(now(second), &input, &mut made);
        let session = before.or(engine.session());
        let records = made.drain(..).map(|made| Entry {
            seq: made.seq,
            at: made.at,
            wall: made.wall,
            session,
            body: Body::Record(made.record, made.late),
        });
        let mut entries: Vec<Entry> = records.collect();
        entries.push(Entry {
            seq: taken.seq,
            at: taken.at,
            wall: now(second).wall,
            session,
            body: Body::Input(input),
        });
        entries.sort_by_key(|entry| entry.seq);
        let newest = entries.last().map_or(0, |entry| entry.seq);
        for entry in entries {
            outlet.push(Job::Entry(entry));
        }
        // The list that waits for the disk has a bound.
        if second.is_multiple_of(600) {
            let (answer, answered) = mpsc::channel();
            outlet.push(Job::Barrier(Box::new(move |durable| {
                answer.send(durable).unwrap();
            })));
            answered.recv().unwrap();
        }
        newest
    };
    take(
        0,
        Input::Started(Started {
            boot: "bench".into(),
            wall: now(0).wall,
            down_for: None,
            setup: Arc::clone(&setup),
        }),
    );
    take(
        0,
        Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup,
        },
    );
    let mut newest = 0;
    for second in 1..HOURS * 3_600 {
        for (place, parameter) in (0_u64..).zip(PARAMETERS) {
            let swing = ((second + place * 7) % 5).cast_signed();
            let usual = match parameter {
                Parameter::Spo2 => 95,
                Parameter::Temp => 36,
                Parameter::Pi => 3,
                Parameter::Rr => 12,
                Parameter::Etco2 => 35,
                Parameter::ArtSys => 118,
                Parameter::ArtMean => 90,
                _ => 70,
            };
            let reading = Reading::Valid(Decimal::whole(usual + swing));
            let observation = Observation::new(parameter, reading);
            let feed = FeedId(0);
            take(second, Input::Reading { feed, observation });
        }
        newest = take(second, Input::Alive { feed: FeedId(0) });
        if second.is_multiple_of(300) {
            for (parameter, value) in [(Parameter::NibpSys, 121), (Parameter::NibpDia, 78)] {
                let mut observation =
                    Observation::new(parameter, Reading::Valid(Decimal::whole(value)));
                observation.measured_at = Some(DeviceTime::civil(now(second).wall.as_millis()));
                let feed = FeedId(0);
                take(second, Input::Reading { feed, observation });
            }
        }
        let command = match second {
            3_600 => r#"{"command":"start-infusion"}"#,
            18_000 => r#"{"command":"stop-infusion"}"#,
            _ if second.is_multiple_of(900) => r#"{"command":"score","scale":"moaas","value":5}"#,
            _ => continue,
        };
        take(
            second,
            Input::Command(Box::new(serde_json::from_str(command).unwrap())),
        );
    }
    drop(outlet);
    writer.join().unwrap();
    newest
}

/// The shortest of some runs.
fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut found: Option<(Duration, T)> = None;
    for _ in 0..5 {
        let begun = Instant::now();
        let value = run();
        let took = begun.elapsed();
        if found.as_ref().is_none_or(|(known, _)| took < *known) {
            found = Some((took, value));
        }
    }
    found.unwrap()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let entries = write(&path);
    println!("{HOURS} h, {entries} entries");
    let (bare, rows) = best(|| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let mut statement = connection
            .prepare("SELECT * FROM input ORDER BY seq")
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut sum = 0_i64;
        while let Some(row) = rows.next().unwrap() {
            for column in 0..17 {
                // Every column is looked at, as the record does.
                sum += i64::from(row.get_ref(column).unwrap() != ValueRef::Null);
            }
        }
        sum
    });
    let (read, record) = best(|| record::read(&path, 1).unwrap().unwrap());
    let (html, sheet) = best(|| record::html::flow_sheet(&record, &TimeZone::UTC));
    let (csv, files) = best(|| record::csv::files(&record));
    let (json, document) = best(|| record::json(&record).unwrap());
    let (fhir, bundle) = best(|| record::fhir::bundle(&record).unwrap());
    let ms = |took: Duration| format!("{} ms", took.as_millis());
    let kilo = |bytes: usize| format!("{} kB", bytes / 1_000);
    println!("rows bare              {:>9}   ({rows})", ms(bare));
    println!("record read            {:>9}", ms(read));
    println!(
        "html                   {:>9}   {}",
        ms(html),
        kilo(sheet.len())
    );
    let tables: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("csv                    {:>9}   {}", ms(csv), kilo(tables));
    println!(
        "json                   {:>9}   {}",
        ms(json),
        kilo(document.len())
    );
    println!(
        "fhir                   {:>9}   {}",
        ms(fhir),
        kilo(bundle.len())
    );
    println!(
        "flow sheet, all        {:>9}   bar 1000 ms",
        ms(read + html)
    );
}
