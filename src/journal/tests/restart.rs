//! Whether a start replays, carries over or begins afresh.

use super::super::{Body, Entry, Journal, Plan, backlog, sample};
use super::{Batch, ledger, small_record, write};
use crate::engine::Engine;
use crate::vocabulary::{Moment, Now, WallTime};

/// A record whose session is open, whose start was good, and what the next start makes of it after `spoil`.
fn plan_after(spoil: impl FnOnce(&rusqlite::Connection)) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    let mut ledger = small_record(&path, 2);
    let batch = Batch {
        slots: vec![
            backlog::Slot::Entry(sample::in_session(3, 1, Body::Input(sample::open(1)))),
            backlog::Slot::Entry(sample::in_session(
                4,
                1,
                Body::Record(sample::phase(), None),
            )),
        ],
        good: true,
        ..Batch::default()
    };
    ledger.commit(&batch, |_, _, _| None).unwrap();
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
        slots: vec![backlog::Slot::Entry(sample::in_session(
            3,
            1,
            Body::Input(sample::open(1)),
        ))],
        good: true,
        ..Batch::default()
    };
    ledger.commit(&batch, |_, _, _| None).unwrap();
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
            session: (second > 0).then_some(1),
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
