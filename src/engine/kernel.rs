//! The engine value itself.

use super::input::Input;
use super::record::Numbered;
use crate::vocabulary::{Moment, Now};

/// What became of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The input's own sequence number; 0 for [`Input::Tick`], which has none.
    pub seq: u64,
    /// Engine time of the input.
    pub at: Moment,
    /// For a command: why it was refused and what to do instead.
    pub refused: Option<(String, Option<String>)>,
    /// For an acknowledgement: alarms that stay unacknowledged.
    pub left: Vec<u64>,
}

/// The alarm engine.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    seq: u64,
    at: Moment,
}

impl Engine {
    /// An engine in standby whose next sequence number is `seq + 1`.
    pub fn new(seq: u64) -> Self {
        Self {
            seq,
            at: Moment::ZERO,
        }
    }

    /// Fires every deadline due at or before `now`, each at its own time, then takes `input`. Records
    /// are appended in order; their numbers before the input's belong to the deadlines.
    pub fn step(&mut self, now: Now, input: &Input, records: &mut Vec<Numbered>) -> Taken {
        let _ = (input, records);
        self.at = self.at.max(now.moment);
        self.seq += 1;
        Taken {
            seq: self.seq,
            at: self.at,
            ..Taken::default()
        }
    }

    /// When the engine next has something to do by itself.
    pub fn next_deadline(&self) -> Option<Moment> {
        None
    }

    /// The newest sequence number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The open session's number.
    pub fn session(&self) -> Option<i64> {
        None
    }
}
