//! Entries that wait for the disk, bounded, with the policy of engine.md 7.
//!
//! Promises: the oldest continuous numerics and signs of life go first, then other readings and notices of
//! feeds; alarm, command and phase entries never go. What went is a gap, so the sequence keeps no hole.
//! Waves have their own, smaller bound and never push out an entry.
//!
//! The entries that never go are few by nature (an alarm needs seconds to change, a command a person): at
//! one a second they fill the bound after a day without a disk, and the bound then holds for everything else.

use super::entry::{Body, Entry};
use super::waves::WaveSecond;
use crate::engine::{Input, Record};
use crate::vocabulary::WallTime;
use std::collections::{BTreeMap, VecDeque};

/// One place in the sequence, or several that were dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// An entry.
    Entry(Entry),
    /// Entries that were dropped.
    Gap {
        /// The first number.
        from: u64,
        /// The last number.
        to: u64,
        /// When the last of them was made.
        wall: WallTime,
    },
}

impl Slot {
    /// The first number it stands for, and a time near it.
    pub(super) const fn begins(&self) -> (u64, WallTime) {
        match self {
            Self::Entry(entry) => (entry.seq, entry.wall),
            Self::Gap { from, wall, .. } => (*from, *wall),
        }
    }

    /// The last number it stands for.
    pub(super) const fn last_seq(&self) -> u64 {
        match self {
            Self::Entry(entry) => entry.seq,
            Self::Gap { to, .. } => *to,
        }
    }
}

/// How dear an entry is when the list is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// Continuous numerics and signs of life.
    Numeric,
    /// Cuff readings, pump events, feed states, sounds, tasks.
    Notice,
    /// Alarms, commands, phases, sessions: never dropped, and committed at once.
    Decision,
}

fn worth(body: &Body) -> Worth {
    match body {
        Body::Input(input) => match input {
            Input::Reading { observation, .. } => match observation.parameter.known() {
                Some(parameter) if parameter.is_cuff() => Worth::Notice,
                Some(_) | None => Worth::Numeric,
            },
            Input::Alive { .. } | Input::Tick => Worth::Numeric,
            Input::DeviceAlert { .. }
            | Input::Pump { .. }
            | Input::Identity { .. }
            | Input::Feed { .. }
            | Input::Health { .. } => Worth::Notice,
            Input::FeedDeclared { .. } => Worth::Decision,
            Input::Started(_) | Input::CarryOver(_) | Input::Open { .. } | Input::Command(_) => {
                Worth::Decision
            }
        },
        Body::Record(record, _) => match record {
            Record::Alarm(_) | Record::Phase(_) => Worth::Decision,
            Record::Audio(_)
            | Record::Refused(_)
            | Record::Task(_)
            | Record::Baseline(_)
            | Record::Limit(_) => Worth::Notice,
        },
    }
}

/// Whether everything up to this entry is committed at once.
pub(super) fn is_urgent(body: &Body) -> bool {
    worth(body) == Worth::Decision
}

/// The list.
#[derive(Debug)]
pub(super) struct Backlog {
    capacity: usize,
    wave_capacity: usize,
    numerics: VecDeque<Entry>,
    notices: VecDeque<Entry>,
    decisions: VecDeque<Entry>,
    /// First number of a gap → its last number and when that entry was made.
    gaps: BTreeMap<u64, (u64, WallTime)>,
    waves: VecDeque<WaveSecond>,
    dropped: u64,
}

impl Backlog {
    /// A list for this many entries and this many seconds of single waves.
    pub(super) fn new(capacity: usize, wave_capacity: usize) -> Self {
        Self {
            capacity,
            wave_capacity,
            numerics: VecDeque::new(),
            notices: VecDeque::new(),
            decisions: VecDeque::new(),
            gaps: BTreeMap::new(),
            waves: VecDeque::new(),
            dropped: 0,
        }
    }

    /// Entries that wait.
    pub(super) fn entries(&self) -> usize {
        self.numerics.len() + self.notices.len() + self.decisions.len()
    }

    /// Whether nothing waits, not even a gap or a wave.
    pub(super) fn is_empty(&self) -> bool {
        self.entries() == 0 && self.gaps.is_empty() && self.waves.is_empty()
    }

    /// Entries that were dropped so far.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes the next place of the sequence. When the list is full the number of the entry that had to go
    /// is returned.
    pub(super) fn push(&mut self, slot: Slot) -> Option<u64> {
        match slot {
            Slot::Gap { from, to, wall } => {
                self.add_gap(from, to, wall);
                None
            }
            Slot::Entry(entry) => {
                match worth(&entry.body) {
                    Worth::Numeric => &mut self.numerics,
                    Worth::Notice => &mut self.notices,
                    Worth::Decision => &mut self.decisions,
                }
                .push_back(entry);
                if self.entries() <= self.capacity {
                    return None;
                }
                let lost = self
                    .numerics
                    .pop_front()
                    .or_else(|| self.notices.pop_front())?;
                self.dropped += 1;
                self.add_gap(lost.seq, lost.seq, lost.wall);
                Some(lost.seq)
            }
        }
    }

    /// Takes one second of a wave; the oldest goes when there are too many.
    pub(super) fn push_wave(&mut self, wave: WaveSecond) {
        self.waves.push_back(wave);
        if self.waves.len() > self.wave_capacity {
            self.waves.pop_front();
            self.dropped += 1;
        }
    }

    /// Notes that these numbers are dropped, together with the gaps that they touch.
    fn add_gap(&mut self, mut from: u64, mut to: u64, mut wall: WallTime) {
        if let Some((&earlier, &(end, _))) = self.gaps.range(..from).next_back()
            && end + 1 == from
        {
            self.gaps.remove(&earlier);
            from = earlier;
        }
        if let Some((end, later)) = self.gaps.remove(&(to + 1)) {
            to = end;
            wall = later;
        }
        self.gaps.insert(from, (to, wall));
    }

    /// The next at most `most` places, in the order of the sequence.
    pub(super) fn take(&mut self, most: usize) -> Vec<Slot> {
        let mut slots = Vec::with_capacity(most.min(self.entries() + self.gaps.len()));
        while slots.len() < most {
            let gap = self.gaps.first_key_value().map(|(from, _)| *from);
            let queues = [&mut self.numerics, &mut self.notices, &mut self.decisions];
            let next = queues
                .into_iter()
                .filter_map(|queue| queue.front().map(|entry| entry.seq).map(|seq| (seq, queue)))
                .min_by_key(|(seq, _)| *seq);
            let slot = match (next, gap) {
                (Some((seq, queue)), gap) if gap.is_none_or(|from| seq < from) => {
                    queue.pop_front().map(Slot::Entry)
                }
                (_, Some(_)) => {
                    self.gaps
                        .pop_first()
                        .map(|(from, (to, wall))| Slot::Gap { from, to, wall })
                }
                (_, None) => None,
            };
            match slot {
                Some(slot) => slots.push(slot),
                None => break,
            }
        }
        slots
    }

    /// Every wave that waits.
    pub(super) fn take_waves(&mut self) -> Vec<WaveSecond> {
        self.waves.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use proptest::prelude::*;

    /// The slow, obvious policy: a plain list, searched from the front.
    fn oracle(capacity: usize, bodies: &[Body]) -> Vec<(u64, bool)> {
        let mut kept: Vec<(u64, Worth)> = Vec::new();
        for (place, body) in bodies.iter().enumerate() {
            kept.push((place as u64 + 1, worth(body)));
            if kept.len() > capacity {
                let lost = kept
                    .iter()
                    .position(|(_, worth)| *worth == Worth::Numeric)
                    .or_else(|| kept.iter().position(|(_, worth)| *worth == Worth::Notice));
                if let Some(lost) = lost {
                    kept.remove(lost);
                }
            }
        }
        (1..=bodies.len() as u64)
            .map(|seq| (seq, kept.iter().any(|(kept, _)| *kept == seq)))
            .collect()
    }

    fn any_body() -> impl Strategy<Value = Body> {
        prop_oneof![
            6 => Just(Body::Input(sample::spo2(98))),
            1 => Just(Body::Input(sample::cuff(120))),
            1 => Just(Body::Record(sample::phase(), None)),
            1 => Just(Body::Record(sample::task(), None)),
        ]
    }

    proptest! {
        #[test]
        fn a_full_list_drops_what_the_policy_says_and_keeps_no_hole(
            capacity in 1_usize..12,
            bodies in prop::collection::vec(any_body(), 0..60),
            piece in 1_usize..7,
        ) {
            let mut backlog = Backlog::new(capacity, 1);
            let expected = oracle(capacity, &bodies);
            for (place, body) in bodies.into_iter().enumerate() {
                backlog.push(Slot::Entry(sample::entry(place as u64 + 1, body)));
            }
            let mut found = Vec::new();
            loop {
                let slots = backlog.take(piece);
                if slots.is_empty() {
                    break;
                }
                for slot in slots {
                    match slot {
                        Slot::Entry(entry) => found.push((entry.seq, true)),
                        Slot::Gap { from, to, .. } => found.extend((from..=to).map(|seq| (seq, false))),
                    }
                }
            }
            prop_assert_eq!(found, expected);
            prop_assert!(backlog.is_empty());
        }
    }

    #[test]
    fn decisions_are_never_dropped_even_beyond_the_bound() {
        let mut backlog = Backlog::new(2, 1);
        for seq in 1..=5 {
            let lost = backlog.push(Slot::Entry(sample::entry(
                seq,
                Body::Record(sample::phase(), None),
            )));
            assert_eq!(lost, None);
        }
        assert_eq!(backlog.take(10).len(), 5);
    }

    #[test]
    fn neighbouring_gaps_are_one() {
        let mut backlog = Backlog::new(1, 1);
        let wall = WallTime::from_millis(5);
        backlog.push(Slot::Gap {
            from: 1,
            to: 2,
            wall,
        });
        backlog.push(Slot::Gap {
            from: 4,
            to: 4,
            wall,
        });
        backlog.push(Slot::Gap {
            from: 3,
            to: 3,
            wall,
        });
        assert_eq!(
            backlog.take(9),
            vec![Slot::Gap {
                from: 1,
                to: 4,
                wall
            }]
        );
    }
}
