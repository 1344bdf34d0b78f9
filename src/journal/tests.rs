//! The room as a whole: what is written comes back, and no file, however bad, stops the daemon.

use super::disk::Prepare;
use super::ledger::{Batch, Ledger};
use super::*;
use crate::engine::{
    AcknowledgeTarget, AlarmEvent, CarryOver, Command, Engine, FeedId, FeedState, HealthItem,
    Input, OpenSession, Record, Started,
};
use crate::observation::{
    AlertPhase, DeviceAlert, DeviceTime, Finding, Identity, Observation, PumpEvent, PumpEventKind,
};
use crate::vocabulary::{
    Cause, Decimal, Doubt, Moment, Now, Parameter, ParameterId, Phase, Priority, Reading, Rule,
    Site, WallTime,
};
use proptest::prelude::*;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

fn ledger(path: &Path) -> Ledger {
    let connection = store::open_writer(path).unwrap();
    Ledger::new(path, connection, &sample::start(0)).unwrap()
}

fn write(ledger: &mut Ledger, entries: &[Entry]) {
    let batch = Batch {
        slots: entries.iter().cloned().map(backlog::Slot::Entry).collect(),
        ..Batch::default()
    };
    ledger.commit(&batch, |_| None).unwrap();
}

fn read(path: &Path) -> Vec<Entry> {
    let connection = store::open_reader(path).unwrap();
    let mut entries = Vec::new();
    replay::visit(&connection, 0, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })
    .unwrap();
    entries
}

/// A standby record of `count` readings, each in its own commit.
fn small_record(path: &Path, count: u64) -> Ledger {
    let mut ledger = ledger(path);
    write(
        &mut ledger,
        &[sample::entry(1, Body::Input(sample::started()))],
    );
    for seq in 2..=count {
        write(
            &mut ledger,
            &[sample::entry(seq, Body::Input(sample::spo2(98)))],
        );
    }
    ledger
}

// ── Round trip ──────────────────────────────────────────────────────────────────────────────────────────────

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (-999_999_999_999_i64..=999_999_999_999, 0_u8..=9).prop_map(|(m, s)| Decimal::new(m, s))
}

fn any_text() -> impl Strategy<Value = String> {
    "[ -~äµ\"\\\\\n]{0,12}"
}

fn any_time() -> impl Strategy<Value = Option<DeviceTime>> {
    prop::option::of((any::<i64>(), prop::option::of(any::<i16>())).prop_map(
        |(civil_ms, offset_min)| DeviceTime {
            civil_ms,
            offset_min,
        },
    ))
}

fn any_observation() -> impl Strategy<Value = Observation> {
    let parameter = prop_oneof![
        prop::sample::select(Parameter::ALL).prop_map(ParameterId::Known),
        any::<u32>().prop_map(ParameterId::Mdc),
        any_text().prop_map(|code| ParameterId::Vendor(code.into())),
    ];
    let reading = prop_oneof![
        (any::<i64>(), 0_u8..=9).prop_map(|(m, s)| Reading::Valid(Decimal::new(m, s))),
        any_decimal().prop_map(|value| Reading::Questionable(value, Doubt::LowPerfusion)),
        any_decimal().prop_map(|value| Reading::Questionable(value, Doubt::LowQuality)),
        prop::sample::select(Cause::ALL.to_vec()).prop_map(Reading::Invalid),
    ];
    let site = prop::option::of(prop::sample::select(vec![
        Site::Impedance,
        Site::Airway,
        Site::Acoustic,
        Site::Core,
        Site::Skin,
    ]));
    let finding = prop::option::of(prop::sample::select(vec![
        Finding::Asystole,
        Finding::NoBreath,
    ]));
    let mdc = prop::option::of(any::<u32>());
    (
        parameter,
        reading,
        any_time(),
        any_time(),
        site,
        mdc,
        finding,
    )
        .prop_map(
            |(parameter, reading, measured_at, message_at, site, mdc, finding)| Observation {
                parameter,
                reading,
                measured_at,
                message_at,
                site,
                mdc,
                finding,
            },
        )
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::PauseInfusion),
        Just(Command::AudioPause),
        (1_u32..=15).prop_map(|minutes| Command::Away { minutes }),
        any_text().prop_map(|text| Command::Note { text }),
        (any::<u64>(), any_text()).prop_map(|(alarm, by)| Command::Acknowledge {
            alarm: AcknowledgeTarget::One(alarm),
            seen_priority: Some(Priority::Medium),
            seen_seq: None,
            by: Some(by),
        }),
        (any_decimal(), any_text()).prop_map(|(value, reason)| Command::SetLimit {
            rule: Rule::SbpHigh,
            tier: Priority::High,
            value,
            reason,
        }),
        // A correction may carry any key, even the ones of our own wrapping.
        (any::<u64>(), any_text()).prop_map(|(seq, text)| Command::Correct {
            seq,
            fields: [("kind".to_owned(), text.into())].into_iter().collect(),
        }),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let feed = || any::<u16>().prop_map(FeedId);
    let word = || any_text().prop_map(Arc::<str>::from);
    prop_oneof![
        4 => (feed(), any_observation())
            .prop_map(|(feed, observation)| Input::Reading { feed, observation }),
        1 => feed().prop_map(|feed| Input::Alive { feed }),
        1 => (word(), prop::option::of(any::<u32>())).prop_map(|(boot, down)| Input::Started(Started {
            boot,
            wall: WallTime::from_millis(sample::MIDNIGHT),
            down_for: down.map(|micros| Duration::from_micros(micros.into())),
            setup: sample::setup(),
        })),
        1 => any_text().prop_map(|reason| Input::CarryOver(Box::new(CarryOver {
            reason,
            state: serde_json::json!({"phase": "infusion", "alarms": [7, null, true], "t": 36.5}),
        }))),
        1 => (any::<i64>(), any_text(), any_decimal()).prop_map(|(session, name, weight)| Input::Open {
            session,
            about: Box::new(OpenSession {
                patient_name: Some(name),
                weight_kg: Some(weight),
                ..OpenSession::default()
            }),
            setup: sample::setup(),
        }),
        2 => any_command().prop_map(|command| Input::Command(Box::new(command))),
        1 => (feed(), word(), word(), any_time()).prop_map(|(feed, key, text, at)| Input::DeviceAlert {
            feed,
            alert: DeviceAlert { key, priority: Some(Priority::Low), phase: AlertPhase::Present, text, at },
        }),
        1 => (feed(), any_decimal(), any_time()).prop_map(|(feed, rate, at)| Input::Pump {
            feed,
            event: PumpEvent {
                event: PumpEventKind::RateChange,
                transitioning: true,
                drug: Some("ketamine".into()),
                rate_ml_h: Some(rate),
                volume_ml: None,
                reason: None,
                at,
                message_at: None,
            },
        }),
        1 => (feed(), prop::option::of(word())).prop_map(|(feed, bed)| Input::Identity {
            feed,
            identity: Identity { bed, device: None, patient: Some("K-1".into()) },
        }),
        1 => feed().prop_map(|feed| Input::Feed { feed, state: FeedState::Lost }),
        1 => (prop::sample::select(HealthItem::ALL.to_vec()), any::<bool>(), prop::option::of(word()))
            .prop_map(|(what, ok, detail)| Input::Health { what, ok, detail }),
        1 => Just(Input::Tick),
    ]
}

fn any_record() -> impl Strategy<Value = Record> {
    use crate::engine::{AudioRecord, BaselineRecord, RefusedRecord};
    prop_oneof![
        Just(sample::task()),
        prop::sample::select(Phase::ALL.to_vec()).prop_map(sample::to_phase),
        any::<u32>().prop_map(|value| {
            let priority = Priority::High;
            let mut record = sample::alarm(7, AlarmEvent::Escalate, priority, i64::from(value));
            record.reason = Some("three-in-60s".to_owned());
            record.since = Moment::from_micros(12_345);
            Record::Alarm(record)
        }),
        Just(Record::Audio(AudioRecord {
            sounding: Default::default(),
            state: Default::default(),
            rule: Some(Rule::Journal),
            loudness: 2,
        })),
        any_text().prop_map(|error| Record::Refused(RefusedRecord {
            command: "away".to_owned(),
            error,
            hint: None,
        })),
        any_decimal().prop_map(|value| Record::Baseline(BaselineRecord {
            parameter: Parameter::Temp,
            value: Some(value),
            readings: vec![value, Decimal::ZERO],
            reason: None,
        })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_entry_comes_back(bodies in prop::collection::vec(
        prop_oneof![
            3 => any_input().prop_map(Body::Input),
            1 => (any_record(), prop::option::of(any::<u32>())).prop_map(|(record, late)| {
                Body::Record(record, late.map(|micros| Duration::from_micros(micros.into())))
            }),
        ],
        1..40,
    )) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.db");
        let entries: Vec<_> = bodies
            .into_iter()
            .zip(1..)
            .map(|(body, seq)| sample::in_session(seq, 3, body))
            .collect();
        write(&mut ledger(&path), &entries);
        let back = read(&path);
        // Text for text as well: equal decimals may still print differently.
        for (back, entry) in back.iter().zip(&entries) {
            if let (Body::Input(Input::Reading { observation: a, .. }), Body::Input(Input::Reading { observation: b, .. })) =
                (&back.body, &entry.body)
            {
                prop_assert_eq!(format!("{:?}", a.reading), format!("{:?}", b.reading));
            }
        }
        prop_assert_eq!(back, entries);
    }
}

// ── Bad files ───────────────────────────────────────────────────────────────────────────────────────────────

/// Opens a file that must be replaced, and checks that nothing of it was deleted.
fn is_put_aside(path: &Path) {
    let before = fs::read(path).unwrap();
    let journal = Journal::open(path, sample::start(0)).unwrap();
    assert_eq!(journal.trouble(), None);
    let notice = journal.notice().expect("a damaged file is told").to_owned();
    assert!(notice.contains(".damaged-2026"), "{notice}");
    let folder = path.parent().unwrap();
    let aside: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|found| {
            found.to_str().unwrap().contains(".damaged-")
                && !found.to_str().unwrap().ends_with("-wal")
                && !found.to_str().unwrap().ends_with("-shm")
        })
        .collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(fs::read(&aside[0]).unwrap(), before);
    assert_eq!(journal.restored().last_seq, 0);
    assert_eq!(journal.plan(), Plan::Fresh);
}

#[test]
fn a_file_that_is_no_database_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    fs::write(&path, "patient list\n".repeat(1_000)).unwrap();
    is_put_aside(&path);
}

#[test]
fn a_damaged_or_cut_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.db");
    drop(small_record(&whole, 2_000));
    let bytes = fs::read(&whole).unwrap();
    let damages: [(&str, Vec<u8>); 4] = [
        ("header", [&[0x55; 100], &bytes[100..]].concat()),
        (
            "schema",
            [&bytes[..100], &vec![0xaa; 3_996], &bytes[4_096..]].concat(),
        ),
        ("half", bytes[..bytes.len() / 2].to_vec()),
        ("stump", bytes[..300].to_vec()),
    ];
    for (what, bytes) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{what}.db"));
        fs::write(&path, bytes).unwrap();
        is_put_aside(&path);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_garbage_stops_the_start(
        bytes in prop::collection::vec(any::<u8>(), 1..20_000),
        place in any::<prop::sample::Index>(),
        as_patch in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.db");
        if as_patch {
            drop(small_record(&path, 5));
            let mut whole = fs::read(&path).unwrap();
            let at = place.index(whole.len());
            for (old, new) in whole[at..].iter_mut().zip(&bytes) {
                *old = *new;
            }
            fs::write(&path, whole).unwrap();
        } else {
            fs::write(&path, &bytes).unwrap();
        }
        match Journal::open(&path, sample::start(0)) {
            Ok(journal) => {
                let mut engine = Engine::new(0);
                let _ = journal.replay(1, &mut engine);
                let _ = journal.visit(1, &mut |_| ControlFlow::Continue(()));
            }
            // The patch may hit the version or the mark in the header.
            Err(OpenError::Newer { .. } | OpenError::Foreign { .. }) => prop_assert!(as_patch),
            Err(error) => prop_assert!(false, "{}", error),
        }
        let _ = verify(&path, None);
    }
}

#[test]
fn a_newer_journal_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    drop(small_record(&path, 3));
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    let Err(error @ OpenError::Newer { found: 2, .. }) = Journal::open(&path, sample::start(0))
    else {
        panic!("a newer schema is refused");
    };
    assert!(error.to_string().contains("version 2"), "{error}");
    assert!(matches!(Reader::open(&path), Err(OpenError::Newer { .. })));
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    let theirs = rusqlite::Connection::open(&path).unwrap();
    theirs
        .execute_batch("CREATE TABLE patients (name TEXT)")
        .unwrap();
    drop(theirs);
    assert!(matches!(
        Journal::open(&path, sample::start(0)),
        Err(OpenError::Foreign { .. })
    ));
    assert!(path.exists());
}

#[test]
fn a_second_daemon_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let first = Journal::open(&path, sample::start(0)).unwrap();
    let Err(error @ OpenError::Locked { .. }) = Journal::open(&path, sample::start(1)) else {
        panic!("the lock is held");
    };
    let own = format!("process {}", std::process::id());
    assert!(error.to_string().contains(&own), "{error}");
    drop(first);
    assert!(Journal::open(&path, sample::start(2)).is_ok());
}

#[test]
fn the_record_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let _journal = Journal::open(&path, sample::start(0)).unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
    }
}

// ── Stopped at any point ────────────────────────────────────────────────────────────────────────────────────

fn copy_as_it_lies(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let mut source = from.as_os_str().to_owned();
        source.push(suffix);
        let mut target = to.as_os_str().to_owned();
        target.push(suffix);
        if Path::new(&source).exists() {
            fs::copy(&source, &target).unwrap();
        }
    }
}

#[test]
fn whatever_was_committed_is_there_whenever_the_power_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let mut ledger = small_record(&path, 1);
    for seq in 2..=40 {
        write(
            &mut ledger,
            &[sample::entry(seq, Body::Input(sample::spo2(98)))],
        );
        let copy = folder.path().join(format!("copy-{seq}.db"));
        copy_as_it_lies(&path, &copy);
        let journal = Journal::open(&copy, sample::start(0)).unwrap();
        assert_eq!(journal.restored().last_seq, seq);
        assert_eq!(read(&copy).len() as u64, seq);
    }
}

#[test]
fn a_torn_log_loses_whole_commits_from_the_end_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let _ledger = small_record(&path, 12);
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = fs::metadata(&log).unwrap().len();
    let mut seen = Vec::new();
    for piece in 0..=40 {
        let copy = folder.path().join(format!("torn-{piece}.db"));
        copy_as_it_lies(&path, &copy);
        let mut copied_log = copy.as_os_str().to_owned();
        copied_log.push("-wal");
        let torn = fs::OpenOptions::new()
            .write(true)
            .open(&copied_log)
            .unwrap();
        torn.set_len(length * piece / 40).unwrap();
        drop(torn);
        let journal = Journal::open(&copy, sample::start(0)).unwrap();
        assert_eq!(journal.notice(), None);
        let numbers: Vec<_> = read(&copy).iter().map(|entry| entry.seq).collect();
        assert_eq!(
            numbers,
            (1..=journal.restored().last_seq).collect::<Vec<_>>()
        );
        seen.push(journal.restored().last_seq);
    }
    assert!(seen.is_sorted());
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&12)));
}

// ── Restart ─────────────────────────────────────────────────────────────────────────────────────────────────

/// A record whose session is open, whose start was good, and what the next start makes of it after `spoil`.
fn plan_after(spoil: impl FnOnce(&rusqlite::Connection)) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let mut ledger = small_record(&path, 2);
    let batch = Batch {
        slots: vec![
            backlog::Slot::Entry(sample::entry(3, Body::Input(sample::open(1)))),
            backlog::Slot::Entry(sample::in_session(
                4,
                1,
                Body::Record(sample::phase(), None),
            )),
        ],
        good: true,
        ..Batch::default()
    };
    ledger.commit(&batch, |_| None).unwrap();
    spoil(ledger.connection());
    drop(ledger);
    Journal::open(&path, sample::start(60_000)).unwrap().plan()
}

fn reason_after(sql: &str) -> String {
    match plan_after(|connection| connection.execute_batch(sql).unwrap()) {
        Plan::CarryOver { from: 3, reason } => reason,
        other @ (Plan::Fresh | Plan::Replay { .. } | Plan::CarryOver { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn an_open_session_is_replayed_only_where_that_can_be_trusted() {
    assert_eq!(plan_after(|_| ()), Plan::Replay { from: 3 });
    assert!(reason_after("UPDATE start SET good = 0").contains("30 s"));
    assert!(reason_after("UPDATE start SET engine_version = 999").contains("version"));
    assert!(reason_after("UPDATE start SET profile_crc = 'x'").contains("profile"));
    assert!(reason_after("INSERT INTO gap VALUES (4, 9, 0)").contains("missing"));
    assert!(reason_after("UPDATE opening SET what = 'continued' WHERE seq = 3").contains("inside"));
}

#[test]
fn a_closed_session_is_not_gone_on_with_but_its_alarms_are() {
    let closed = "INSERT INTO record VALUES (9, 9, 9, 1, NULL, 'phase', NULL, NULL, NULL, \
                  '{\"kind\":\"phase\",\"phase\":\"discharged\"}');";
    assert_eq!(
        plan_after(|connection| connection.execute_batch(closed).unwrap()),
        Plan::Fresh
    );
    let alarm = "INSERT INTO record VALUES (8, 8, 8, NULL, NULL, 'alarm', 5, 'begin', NULL, '{}');";
    assert!(reason_after(&format!("{alarm}{closed}")).contains("alarms were open"));
}

#[test]
fn a_start_that_did_not_last_is_not_replayed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let mut ledger = small_record(&path, 2);
    let batch = Batch {
        slots: vec![backlog::Slot::Entry(sample::entry(
            3,
            Body::Input(sample::open(1)),
        ))],
        good: true,
        ..Batch::default()
    };
    ledger.commit(&batch, |_| None).unwrap();
    drop(ledger);
    // The first start after it replays and dies; the next one must not try again.
    let second = Journal::open(&path, sample::start(1)).unwrap();
    assert_eq!(second.plan(), Plan::Replay { from: 3 });
    drop(second);
    let third = Journal::open(&path, sample::start(2)).unwrap();
    assert!(matches!(third.plan(), Plan::CarryOver { .. }));
}

#[test]
fn decisions_that_the_record_lacks_at_its_end_come_back_from_the_replay() {
    // The engine is driven by itself; the record gets the inputs but not what the last one led to.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let mut engine = Engine::new(0);
    let mut made = Vec::new();
    let now = |second: u64| Now {
        moment: Moment::from_secs(second),
        wall: WallTime::from_millis(sample::MIDNIGHT + second.cast_signed() * 1_000),
    };
    let mut entries = Vec::new();
    for (second, input) in [(0, sample::started()), (5, sample::open(1))] {
        let taken = engine.step(now(second), &input, &mut made);
        entries.push(Entry {
            seq: taken.seq,
            at: taken.at,
            wall: now(second).wall,
            session: engine.session(),
            body: Body::Input(input),
        });
    }
    let before: Vec<_> = made
        .iter()
        .filter(|record| record.seq < entries[1].seq)
        .collect();
    entries.splice(
        1..1,
        before.iter().map(|record| Entry {
            seq: record.seq,
            at: record.at,
            wall: now(0).wall,
            session: None,
            body: Body::Record(record.record.clone(), record.late),
        }),
    );
    write(&mut ledger(&path), &entries);
    let lacking = made.len() - before.len();
    let journal = Journal::open(&path, sample::start(0)).unwrap();
    let replayed = journal.replay(1, &mut Engine::new(0)).unwrap();
    assert_eq!(replayed.difference, None);
    assert_eq!(replayed.tail.len(), lacking);
}

// ── The writer and a disk that fails ────────────────────────────────────────────────────────────────────────

struct Ear(mpsc::Sender<(HealthItem, bool, String)>);

impl Watcher for Ear {
    fn committed(&self, _: u64) {}
    fn waiting(&self, _: usize, _: u64) {}
    fn health(&self, item: HealthItem, ok: bool, detail: &str) {
        let _ = self.0.send((item, ok, detail.to_owned()));
    }
}

/// The next news about the record itself; how full the machine's disk is does not matter here.
fn next_news(
    told: &Receiver<(HealthItem, bool, String)>,
) -> Result<(bool, String), RecvTimeoutError> {
    loop {
        let (item, ok, detail) = told.recv_timeout(Duration::from_secs(20))?;
        if item == HealthItem::Journal {
            return Ok((ok, detail));
        }
    }
}

fn settle(outlet: &mut Outlet) -> bool {
    let (answer, answered) = mpsc::channel();
    outlet.push(Job::Barrier(Box::new(move |durable| {
        let _ = answer.send(durable);
    })));
    answered.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// A disk that refuses in the way of `refuse` until it is repaired: told in these words, then caught up with.
fn survives(refuse: &'static str, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let journal = Journal::open(&path, sample::start(0)).unwrap();
    journal.connection().unwrap().execute_batch(refuse).unwrap();
    let repaired = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&repaired);
    let prepare: Prepare = Box::new(move |connection| match flag.load(Ordering::Acquire) {
        true => Ok(()),
        false => connection.execute_batch(refuse),
    });
    let (ear, told) = mpsc::channel();
    let (mut outlet, writer) = journal
        .start_with(Box::new(Ear(ear)), |_| None, prepare)
        .unwrap();
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    for seq in 2..=5_000 {
        outlet.push(Job::Entry(sample::entry(
            seq,
            Body::Input(sample::spo2(98)),
        )));
    }
    assert!(!settle(&mut outlet), "nobody is told that it is recorded");
    let (ok, told_words) = next_news(&told).unwrap();
    assert!(!ok && told_words.contains(words), "{told_words}");

    repaired.store(true, Ordering::Release);
    assert!(next_news(&told).unwrap().0);
    assert!(settle(&mut outlet));
    drop(outlet);
    writer.join().unwrap();
    let numbers: Vec<_> = read(&path).iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (1..=5_000).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_is_survived_and_caught_up_with() {
    survives("PRAGMA max_page_count = 1", "the disk is full");
}

#[test]
fn a_disk_that_became_read_only_is_survived_and_caught_up_with() {
    survives("PRAGMA query_only = 1", "cannot be written");
}

#[test]
fn monitoring_starts_without_a_disk_and_the_record_begins_when_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path().join("mnt");
    let path = mount.join("j.db");
    let journal = Journal::open(&path, sample::start(0)).unwrap();
    assert!(journal.trouble().is_some());
    assert_eq!(journal.plan(), Plan::Fresh);
    let (ear, told) = mpsc::channel();
    let (mut outlet, writer) = journal.start(Box::new(Ear(ear)), |_| None).unwrap();
    let (ok, words) = next_news(&told).unwrap();
    assert!(!ok && words.contains("not being written"), "{words}");
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    assert!(!settle(&mut outlet));
    fs::create_dir(&mount).unwrap();
    let (ok, _) = next_news(&told).unwrap();
    assert!(ok);
    assert!(settle(&mut outlet));
    drop(outlet);
    writer.join().unwrap();
    assert_eq!(read(&path).len(), 1);
}

#[test]
fn a_record_that_appears_later_and_is_another_one_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("other.db");
    drop(small_record(&elsewhere, 9));
    let mount = folder.path().join("mnt");
    let path = mount.join("j.db");
    let journal = Journal::open(&path, sample::start(5)).unwrap();
    fs::create_dir(&mount).unwrap();
    fs::copy(&elsewhere, &path).unwrap();
    let (ear, _told) = mpsc::channel();
    let (mut outlet, writer) = journal.start(Box::new(Ear(ear)), |_| None).unwrap();
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    while !settle(&mut outlet) {}
    drop(outlet);
    writer.join().unwrap();
    assert_eq!(read(&path).len(), 1);
    let aside = fs::read_dir(&mount).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .contains(".damaged-")
    });
    assert_eq!(aside.count(), 1);
}

#[test]
fn a_record_that_is_moved_away_goes_on_in_a_new_file_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let journal = Journal::open(&path, sample::start(0)).unwrap();
    let (ear, told) = mpsc::channel();
    let (mut outlet, writer) = journal.start(Box::new(Ear(ear)), |_| None).unwrap();
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    assert!(settle(&mut outlet));
    fs::rename(&path, folder.path().join("taken-away.db")).unwrap();
    outlet.push(Job::Entry(sample::entry(2, Body::Input(sample::spo2(98)))));
    assert!(settle(&mut outlet));
    let (ok, words) = next_news(&told).unwrap();
    assert!(!ok && words.contains("moved or deleted"), "{words}");
    drop(outlet);
    writer.join().unwrap();
    let numbers: Vec<_> = read(&path).iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, [2]);
    let verdicts = verify(&path, None).unwrap();
    assert!(
        verdicts[0].outcome.is_err(),
        "what came before is not there"
    );
}

#[test]
fn dropped_readings_are_a_gap_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let mut ledger = small_record(&path, 2);
    let batch = Batch {
        slots: vec![
            backlog::Slot::Gap {
                from: 3,
                to: 6,
                wall: WallTime::from_millis(1),
            },
            backlog::Slot::Entry(sample::entry(7, Body::Input(sample::spo2(98)))),
            // A jump that nobody told is a gap as well.
            backlog::Slot::Entry(sample::entry(9, Body::Input(sample::spo2(98)))),
        ],
        ..Batch::default()
    };
    ledger.commit(&batch, |_| None).unwrap();
    let gaps: Vec<(i64, i64)> = ledger
        .connection()
        .prepare("SELECT seq, to_seq FROM gap")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(gaps, [(3, 6), (8, 8)]);
    let verdicts = verify(&path, None).unwrap();
    assert_eq!(
        verdicts[0].outcome.as_ref().unwrap().not_provable_after,
        Some(2)
    );
    assert!(!verdicts[0].is_proven());
}
