//! Files that are no journal, are damaged, newer, foreign or in use; and power that goes at any point.

use super::super::{Body, Journal, OpenError, Plan, Reader, sample, verify};
use super::{read, small_record, write};
use crate::engine::Engine;
use proptest::prelude::*;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
