//! What travels to the journal's writer.

use crate::engine::{Input, Record};
use crate::inbox::CommitReply;
use crate::observation::Wave;
use crate::vocabulary::{Moment, WallTime};
use std::time::Duration;

/// An input or a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An input that the engine took.
    Input(Input),
    /// A record that it made, and how late after its own time.
    Record(Record, Option<Duration>),
}

/// One row of the journal's sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Strictly increasing and gapless over inputs and records.
    pub seq: u64,
    /// Engine time.
    pub at: Moment,
    /// The wall clock, for people.
    pub wall: WallTime,
    /// The session: for an input the one that is open when it has been taken, for a record the one that
    /// it is about (the last record of a session, `discharged`, still belongs to it).
    pub session: Option<i64>,
    /// What.
    pub body: Body,
}

/// What the writer is asked to do.
pub enum Job {
    /// Write this.
    Entry(Entry),
    /// Keep these samples; waves have no `seq`.
    Wave {
        /// The session, if one is open.
        session: Option<i64>,
        /// The samples.
        wave: Wave,
    },
    /// Commit everything before this at once and say whether it is durable.
    Barrier(CommitReply),
}
