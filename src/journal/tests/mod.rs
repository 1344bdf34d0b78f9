//! The room as a whole: what is written comes back, and no file, however bad, stops the daemon.

mod asked;
mod bad_files;
mod failing_disk;
mod restart;
mod round_trip;

use super::ledger::{Batch, Ledger};
use super::*;
use std::ops::ControlFlow;
use std::path::Path;

fn ledger(path: &Path) -> Ledger {
    let connection = store::open_writer(path).unwrap();
    Ledger::new(path, connection, &sample::start(0), Vec::new()).unwrap()
}

fn write(ledger: &mut Ledger, entries: &[Entry]) {
    let batch = Batch {
        slots: entries.iter().cloned().map(backlog::Slot::Entry).collect(),
        ..Batch::default()
    };
    ledger.commit(&batch, |_, _, _| None).unwrap();
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
