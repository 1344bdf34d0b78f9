//! Bytes that became nothing: counted and reported in bounded portions.
//!
//! Whatever a sender does, the number of events stays small against the number of bytes: a run of
//! scraps too short for any frame is one `noise` fault, and the bytes thrown away are told in sums.
//! What is reported depends on the stream alone, never on how it was cut into pieces.

use super::event::{Event, Events, Fault};

/// Bytes that are told at once, so that a counter on the display moves while garbage flows.
const PORTION: u64 = 4_096;

/// The account of thrown-away bytes of one link.
#[derive(Debug, Default)]
pub(super) struct Scrap {
    pending: u64,
    in_noise: bool,
}

impl Scrap {
    /// Bytes that are nobody's fault: the rest of a frame that was cut when the link was opened.
    pub(super) fn skipped(&mut self, bytes: u64, events: &mut Events) {
        self.pending = self.pending.saturating_add(bytes);
        if self.pending >= PORTION {
            self.flush(events);
        }
    }

    /// A scrap too short to be any frame; a run of them is one fault.
    pub(super) fn noise(&mut self, bytes: u64, events: &mut Events) {
        if !self.in_noise {
            self.in_noise = true;
            events.push(Event::Fault(Fault::Noise));
        }
        self.skipped(bytes, events);
    }

    /// Something of a frame's size that failed its checks.
    pub(super) fn broken(&mut self, fault: Fault, bytes: u64, events: &mut Events) {
        events.push(Event::Fault(fault));
        self.skipped(bytes, events);
    }

    /// A good frame: tells what was thrown away before it, and then the frame.
    pub(super) fn frame(&mut self, events: &mut Events) {
        self.flush(events);
        self.in_noise = false;
        events.push(Event::Frame);
    }

    /// Tells what was thrown away and not told yet.
    pub(super) fn flush(&mut self, events: &mut Events) {
        if self.pending > 0 {
            events.push(Event::Discarded(self.pending));
            self.pending = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Summary;
    use super::*;

    #[test]
    fn a_run_of_scraps_is_one_fault_and_its_bytes_are_all_told() {
        let mut scrap = Scrap::default();
        let mut events = Events::new();
        for _ in 0..10_000 {
            scrap.noise(3, &mut events);
        }
        scrap.frame(&mut events);
        scrap.noise(1, &mut events);
        scrap.flush(&mut events);
        let mut summary = Summary::default();
        for event in &events {
            summary.count(event);
        }
        let (faults, told) = (summary.faults["noise"], summary.discarded_bytes);
        assert_eq!((faults, told), (2, 30_001));
        assert!(events.len() < 20, "{} events", events.len());
    }
}
