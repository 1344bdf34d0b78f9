//! The journal: every input the engine took and every record it made, in SQLite.
//!
//! Promises: what was committed is on the disk; numbers have no hole; alarms, commands and phases are
//! committed at once and never dropped; a record that is not being written is told within two seconds, and
//! written as soon as that is possible. Never: it does not hold up the engine, it does not delete, and it
//! does not start a second writer on a file.
//!
//! One thread owns the writing connection ([`Journal::start`]); everybody else reads ([`Reader`]).

mod backlog;
mod codec;
mod detail;
mod dictionary;
mod disk;
mod entry;
mod intake;
mod ledger;
mod open;
mod queries;
mod replay;
mod restore;
mod row;
mod session;
mod store;
mod trend;
mod verify;
mod waves;
mod what_if;
mod writer;

pub use codec::{DamagedWave, MOST_SAMPLES, decode, encode};
pub use entry::{Body, Entry, Job};
pub use intake::Watcher;
pub use ledger::{Start, TextOf};
pub use open::Journal;
pub use queries::{AlarmRow, EventRow, QueryError, Reader, SessionRow, WaveSlice};
pub use replay::{Difference, ReadError, Replayed};
pub use restore::{Plan, Restored, Timeline};
pub use row::BadRow;
pub use session::{FeedAt, MissingEntries, OpenedBy, SessionEntries};
pub use store::{OpenError, SCHEMA_VERSION};
pub use trend::{HistoryPoint, MOST_POINTS};
pub use verify::{Verdict, VerifyError, verify};
pub use what_if::{Caveat, Compared, Outcome, Tally, WhatIf, what_if};
pub use writer::{Outlet, WaveOutlet};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
