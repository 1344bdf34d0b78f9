//! Keeps a fault on the wire from filling the log: the first occurrence at once, then a count a minute.

use crate::vocabulary::Moment;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often repeated occurrences are summed up.
const WINDOW: Duration = Duration::from_secs(60);

/// Different things that are kept apart; a hostile network cannot make this grow.
const MOST: usize = 64;

/// Occurrences by what happened.
#[derive(Debug)]
pub(super) struct Repeats<K> {
    since: Option<Moment>,
    unsaid: BTreeMap<K, u64>,
}

impl<K: Ord> Repeats<K> {
    /// Nothing happened yet.
    pub(super) const fn new() -> Self {
        Self {
            since: None,
            unsaid: BTreeMap::new(),
        }
    }

    /// It happened; whether that is to be said now.
    pub(super) fn note(&mut self, now: Moment, what: K) -> bool {
        self.since.get_or_insert(now);
        if let Some(count) = self.unsaid.get_mut(&what) {
            *count = count.saturating_add(1);
            return false;
        }
        if self.unsaid.len() < MOST {
            self.unsaid.insert(what, 0);
            return true;
        }
        false
    }

    /// When [`Repeats::sum_up`] has something to do.
    pub(super) fn due(&self) -> Option<Moment> {
        self.since.map(|since| since.after(WINDOW))
    }

    /// At the end of a minute: what happened again in it, and how often. What did not is forgotten,
    /// so that its next occurrence is a first one.
    pub(super) fn sum_up(&mut self, now: Moment) -> Vec<(K, u64)>
    where
        K: Clone,
    {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.unsaid.retain(|_, count| *count > 0);
        self.since = (!self.unsaid.is_empty()).then_some(now);
        self.unsaid
            .iter_mut()
            .map(|(what, count)| (what.clone(), std::mem::take(count)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_one_line_and_then_one_a_minute() {
        let mut repeats = Repeats::new();
        let at = Moment::from_secs;
        assert!(repeats.note(at(0), "bad-checksum"));
        for _ in 0..1_000 {
            assert!(!repeats.note(at(1), "bad-checksum"));
        }
        assert!(repeats.note(at(2), "noise"));
        assert!(repeats.sum_up(at(59)).is_empty());
        assert_eq!(repeats.sum_up(at(60)), [("bad-checksum", 1_000)]);
        assert!(
            repeats.note(at(61), "noise"),
            "it had stopped: a first one again"
        );
        assert!(
            !repeats.note(at(61), "bad-checksum"),
            "it goes on: still summed up"
        );
        assert_eq!(repeats.sum_up(at(120)), [("bad-checksum", 1)]);
        assert!(repeats.sum_up(at(180)).is_empty());
        assert_eq!(repeats.due(), None);
    }

    #[test]
    fn names_from_the_network_cannot_make_it_grow() {
        let mut repeats = Repeats::new();
        for sender in 0..10_000 {
            repeats.note(Moment::ZERO, sender);
        }
        assert_eq!(repeats.unsaid.len(), MOST);
    }
}
