//! The cuff: the packets repeat the last reading for ever and tell no time.
//!
//! Promises: a reading is new when its numbers change before our eyes, and its time is then the packet's: taken at
//! or before it. What stood there from the start is `old`. The same numbers measured anew cannot be told from
//! a repeat and stay the old reading.

use crate::observation::DeviceTime;

/// When the reading at hand was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// At or before this time.
    At(DeviceTime),
    /// Nobody knows.
    Unknown,
}

/// The last reading seen. Kept over a reconnect.
#[derive(Debug, Default)]
pub(super) struct CuffMemory {
    known: Option<([i16; 3], Taken)>,
    /// A packet without a reading was seen, so that a first one was taken before our eyes.
    empty: bool,
    /// The link was lost: what changed meanwhile changed unseen.
    blind: bool,
}

impl CuffMemory {
    /// The link is open again.
    pub(super) fn reopened(&mut self) {
        self.blind = true;
        self.empty = false;
    }

    /// A packet without a reading.
    pub(super) fn none(&mut self) {
        self.empty = true;
    }

    /// Judges the numbers in the packet that came at `now`.
    pub(super) fn judge(&mut self, numbers: [i16; 3], now: DeviceTime) -> Taken {
        let blind = std::mem::take(&mut self.blind);
        let taken = match self.known {
            Some((known, taken)) if known == numbers => taken,
            Some(_) if !blind => Taken::At(now),
            None if self.empty => Taken::At(now),
            Some(_) | None => Taken::Unknown,
        };
        self.known = Some((numbers, taken));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_that_was_seen_has_a_time() {
        let at = DeviceTime::civil;
        let mut memory = CuffMemory::default();
        memory.reopened();
        assert_eq!(memory.judge([94, 128, 76], at(1)), Taken::Unknown);
        assert_eq!(memory.judge([94, 128, 76], at(2)), Taken::Unknown);
        assert_eq!(memory.judge([95, 130, 77], at(3)), Taken::At(at(3)));
        memory.none();
        assert_eq!(memory.judge([95, 130, 77], at(4)), Taken::At(at(3)));
        memory.reopened();
        assert_eq!(memory.judge([95, 130, 77], at(5)), Taken::At(at(3)));
        memory.reopened();
        assert_eq!(memory.judge([99, 140, 80], at(6)), Taken::Unknown);
        let mut first = CuffMemory::default();
        first.reopened();
        first.none();
        assert_eq!(first.judge([94, 128, 76], at(7)), Taken::At(at(7)));
    }
}
