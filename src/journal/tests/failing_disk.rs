//! The writer on a disk that is full, read-only, missing or exchanged.

use super::super::disk::Prepare;
use super::super::{Body, Job, Journal, Outlet, Plan, Watcher, backlog, sample, verify};
use super::{Batch, read, small_record};
use crate::engine::HealthItem;
use crate::vocabulary::WallTime;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

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

/// The next trouble of the record; that it is well is told at every start.
fn next_trouble(told: &Receiver<(HealthItem, bool, String)>) -> String {
    loop {
        let (ok, words) = next_news(told).unwrap();
        if !ok {
            return words;
        }
    }
}

/// Whether everything pushed before is on the disk within the time that a sender waits.
fn ask(outlet: &mut Outlet) -> bool {
    let (answer, answered) = mpsc::channel();
    outlet.push(Job::Barrier(Box::new(move |durable| {
        let _ = answer.send(durable);
    })));
    answered.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// Waits until it is, however busy the disk is.
fn settle(outlet: &mut Outlet) {
    while !ask(outlet) {}
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
        .start_with(Box::new(Ear(ear)), |_, _, _| None, prepare)
        .unwrap();
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    for seq in 2..=1_500 {
        outlet.push(Job::Entry(sample::entry(
            seq,
            Body::Input(sample::spo2(98)),
        )));
    }
    assert!(!ask(&mut outlet), "nobody is told that it is recorded");
    let told_words = next_trouble(&told);
    assert!(told_words.contains(words), "{told_words}");

    repaired.store(true, Ordering::Release);
    assert!(next_news(&told).unwrap().0);
    settle(&mut outlet);
    drop(outlet);
    writer.join().unwrap();
    let numbers: Vec<_> = read(&path).iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (1..=1_500).collect::<Vec<_>>());
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
    let (mut outlet, writer) = journal.start(Box::new(Ear(ear)), |_, _, _| None).unwrap();
    let words = next_trouble(&told);
    assert!(words.contains("not being written"), "{words}");
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    assert!(!ask(&mut outlet));
    fs::create_dir(&mount).unwrap();
    let (ok, _) = next_news(&told).unwrap();
    assert!(ok);
    settle(&mut outlet);
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
    let (mut outlet, writer) = journal.start(Box::new(Ear(ear)), |_, _, _| None).unwrap();
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    settle(&mut outlet);
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
    let (mut outlet, writer) = journal.start(Box::new(Ear(ear)), |_, _, _| None).unwrap();
    outlet.push(Job::Entry(sample::entry(1, Body::Input(sample::started()))));
    settle(&mut outlet);
    fs::rename(&path, folder.path().join("taken-away.db")).unwrap();
    outlet.push(Job::Entry(sample::entry(2, Body::Input(sample::spo2(98)))));
    settle(&mut outlet);
    let words = next_trouble(&told);
    assert!(words.contains("moved or deleted"), "{words}");
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
    ledger.commit(&batch, |_, _, _| None).unwrap();
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
