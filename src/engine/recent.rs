//! The newest events for the list on the screen: marks of alarms that ended, phases, commands.

use super::alarms::Occurrence;
use super::command::Command;
use super::session::Stamped;
use super::text;
use super::verdict::Key;
use crate::vocabulary::Phase;
use std::collections::VecDeque;

/// Events that are kept; the record has all of them.
const MOST: usize = 24;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the journal.
    pub seq: u64,
    /// When.
    pub at: Stamped,
    /// In words.
    pub text: String,
}

/// The newest events, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Recent(VecDeque<Event>);

impl Recent {
    fn push(&mut self, seq: u64, at: Stamped, text: String) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Event { seq, at, text });
    }

    /// An alarm ended: its mark stays in the list.
    pub fn alarm_ended(&mut self, seq: u64, at: Stamped, key: Key, occurrence: &Occurrence) {
        self.push(seq, at, text::mark(key, occurrence));
    }

    /// A phase began.
    pub fn phase(&mut self, seq: u64, at: Stamped, phase: Phase) {
        self.push(seq, at, format!("Phase {}", phase.name()));
    }

    /// A command was done.
    pub fn command(&mut self, seq: u64, at: Stamped, command: &Command) {
        self.push(seq, at, text::command(command));
    }

    /// The events, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.0.iter()
    }
}
