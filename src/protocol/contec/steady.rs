//! Sixty groups a second without a sum: what is believed, and how often it is told.

use super::numbers::Numbers;

/// Groups in a row that must agree before a change is believed (a twentieth of a second).
const AGREEING: u8 = 3;
/// Equal groups between two tellings: once a second.
const REPEATS: u8 = 60;

/// What is to be done about a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is believed and worth telling.
    Tell,
    /// It says what was told.
    Known,
    /// It says something else, alone so far.
    Wait,
}

/// What the groups say over time.
#[derive(Debug, Default)]
pub(super) struct Steady {
    told: Option<Numbers>,
    since_told: u8,
    /// What the last groups said that are not believed yet, and how many they are.
    rival: Option<(Numbers, u8)>,
    /// Whether there was damage since a group was believed: then even what was told needs its like.
    is_suspect: bool,
}

impl Steady {
    /// Weighs a group; and how many groups before it are now known to have been damaged.
    pub(super) fn hear(&mut self, numbers: Numbers) -> (Verdict, u64) {
        let (count, abandoned) = match self.rival.take() {
            Some((rival, count)) if rival == numbers => (count + 1, 0),
            Some((_, count)) => (1, u64::from(count)),
            None => (1, 0),
        };
        let is_known = self.told == Some(numbers);
        // The first group of a fresh link has nothing to agree with.
        let stands_alone = !self.is_suspect && (is_known || self.told.is_none());
        if !stands_alone && count < AGREEING {
            self.rival = Some((numbers, count));
            return (Verdict::Wait, abandoned);
        }
        self.is_suspect = false;
        self.since_told += 1;
        if is_known && self.since_told < REPEATS {
            return (Verdict::Known, abandoned);
        }
        self.told = Some(numbers);
        self.since_told = 0;
        (Verdict::Tell, abandoned)
    }

    /// Something stood between two groups; how many of them waited and are given up.
    pub(super) fn damaged(&mut self) -> u64 {
        self.is_suspect = true;
        self.rival.take().map_or(0, |(_, count)| u64::from(count))
    }
}
