//! The patient's own baseline: the median of the readings before the start, per parameter.
//!
//! Counts by value, so that an hour of readings costs no more room than one and the median is exact.
//! The collection belongs to the session.

use super::reading::PerParameter;
use crate::profile::BaselineTiming;
use crate::vocabulary::{Decimal, Moment, Parameter};

/// Parameters that have a baseline.
pub const JUDGED: [Parameter; 12] = [
    Parameter::Hr,
    Parameter::Pr,
    Parameter::NibpPr,
    Parameter::ArtPr,
    Parameter::Spo2,
    Parameter::NibpSys,
    Parameter::NibpDia,
    Parameter::NibpMean,
    Parameter::ArtSys,
    Parameter::ArtDia,
    Parameter::ArtMean,
    Parameter::Rr,
];

/// Highest value of any of them (a rate).
const HIGHEST: usize = 350;

/// Newest readings that are stored with the median.
const STORED: usize = 16;

/// The readings of one parameter.
#[derive(Clone, Debug)]
struct Collection {
    by_value: Vec<u32>,
    count: u32,
    newest: Moment,
    stored: [i64; STORED],
}

impl Collection {
    fn new() -> Self {
        Self {
            by_value: vec![0; HIGHEST + 1],
            count: 0,
            newest: Moment::ZERO,
            stored: [0; STORED],
        }
    }

    fn add(&mut self, level: i64, now: Moment) {
        let counter = usize::try_from(level)
            .ok()
            .and_then(|value| self.by_value.get_mut(value));
        let Some(counter) = counter else {
            return;
        };
        *counter = counter.saturating_add(1);
        self.count = self.count.saturating_add(1);
        self.newest = now;
        self.stored.rotate_right(1);
        if let Some(first) = self.stored.first_mut() {
            *first = level;
        }
    }

    fn take_back(&mut self, level: i64) {
        let counter = usize::try_from(level)
            .ok()
            .and_then(|value| self.by_value.get_mut(value))
            .filter(|count| **count > 0);
        if let Some(counter) = counter
            && self.stored.first() == Some(&level)
        {
            *counter -= 1;
            self.count = self.count.saturating_sub(1);
            self.stored.rotate_left(1);
        }
    }

    /// The middle value; of an even number the mean of the two middle ones, rounded half up.
    fn median(&self) -> Option<i64> {
        let at = |rank: u32| {
            let mut below = 0_u32;
            (0_i64..).zip(&self.by_value).find_map(|(value, count)| {
                below = below.saturating_add(*count);
                (below > rank).then_some(value)
            })
        };
        let upper = at(self.count / 2)?;
        if self.count % 2 == 1 {
            return Some(upper);
        }
        let lower = at((self.count / 2).checked_sub(1)?)?;
        Some((lower + upper + 1) / 2)
    }
}

/// Readings before the start, and the values that judge.
#[derive(Clone, Debug)]
pub struct Baseline {
    collections: Vec<(Parameter, Collection)>,
    values: PerParameter<Option<i64>>,
    counts: PerParameter<usize>,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            collections: JUDGED
                .into_iter()
                .map(|parameter| (parameter, Collection::new()))
                .collect(),
            values: PerParameter::filled(None),
            counts: PerParameter::filled(0),
        }
    }
}

impl Baseline {
    /// A valid reading before the start.
    pub fn add(&mut self, parameter: Parameter, level: i64, now: Moment) {
        if let Some((_, collection)) = self
            .collections
            .iter_mut()
            .find(|(known, _)| *known == parameter)
        {
            collection.add(level, now);
        }
    }

    /// The newest reading of this parameter turned out to be none.
    pub fn take_back(&mut self, parameter: Parameter, level: i64) {
        if let Some((_, collection)) = self
            .collections
            .iter_mut()
            .find(|(known, _)| *known == parameter)
        {
            collection.take_back(level);
        }
    }

    /// How many readings of this parameter were collected.
    pub fn collected(&self, parameter: Parameter) -> u32 {
        self.collections
            .iter()
            .find(|(known, _)| *known == parameter)
            .map_or(0, |(_, collection)| collection.count)
    }

    /// Fixes the values at the start: parameter, median if there are enough recent readings, and the
    /// newest readings behind it. Values that a nurse set stay.
    pub fn fix(
        &mut self,
        now: Moment,
        timing: &BaselineTiming,
    ) -> Vec<(Parameter, Option<i64>, Vec<i64>)> {
        let mut fixed = Vec::new();
        for (parameter, collection) in &self.collections {
            if self.values.get(*parameter).is_some() {
                continue;
            }
            let enough = i64::from(collection.count) >= timing.readings
                && now.since(collection.newest) <= timing.newest_within;
            let value = collection.median().filter(|_| enough);
            let stored: Vec<i64> = collection
                .stored
                .iter()
                .copied()
                .take(usize::try_from(collection.count).unwrap_or(STORED))
                .collect();
            *self.values.get_mut(*parameter) = value;
            *self.counts.get_mut(*parameter) = usize::try_from(collection.count).unwrap_or(0);
            fixed.push((*parameter, value, stored));
        }
        fixed
    }

    /// A value set by hand or carried over a restart.
    pub fn set(&mut self, parameter: Parameter, value: i64, readings: usize) {
        *self.values.get_mut(parameter) = Some(value);
        *self.counts.get_mut(parameter) = readings;
    }

    /// The value that judges, if there is one.
    pub fn get(&self, parameter: Parameter) -> Option<i64> {
        *self.values.get(parameter)
    }

    /// Every parameter whose readings were looked at: its value, if any, and how many readings are
    /// behind it (none when it was set by hand).
    pub fn iter(&self) -> impl Iterator<Item = (Parameter, Option<Decimal>, usize)> {
        JUDGED.into_iter().filter_map(|parameter| {
            let (value, count) = (self.get(parameter), *self.counts.get(parameter));
            (value.is_some() || count > 0).then(|| (parameter, value.map(Decimal::whole), count))
        })
    }

    /// The baseline of the first of these parameters that has one.
    pub fn first_of(&self, parameters: &[Parameter]) -> Option<i64> {
        parameters.iter().find_map(|parameter| self.get(*parameter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_is_that_of_the_sorted_list(values in prop::collection::vec(1_i64..=350, 1..60)) {
            let mut collection = Collection::new();
            for value in &values {
                collection.add(*value, Moment::ZERO);
            }
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let middle = sorted.len() / 2;
            let expected = if sorted.len() % 2 == 1 {
                sorted[middle]
            } else {
                (sorted[middle - 1] + sorted[middle] + 1) / 2
            };
            prop_assert_eq!(collection.median(), Some(expected));
        }
    }

    #[test]
    fn two_recent_readings_are_needed() {
        let timing = crate::profile::parse(crate::profile::SHIPPED)
            .unwrap()
            .baseline;
        let at = |minutes: u64| Moment::from_secs(minutes * 60);
        let value = |baseline: &mut Baseline, now| {
            baseline
                .fix(now, &timing)
                .into_iter()
                .find(|(parameter, ..)| *parameter == Parameter::NibpSys)
                .and_then(|(_, value, _)| value)
        };
        let mut one = Baseline::default();
        one.add(Parameter::NibpSys, 120, at(1));
        assert_eq!(value(&mut one.clone(), at(5)), None);
        one.add(Parameter::NibpSys, 130, at(4));
        assert_eq!(value(&mut one.clone(), at(19)), Some(125));
        assert_eq!(value(&mut one, at(20)), None, "the newest is 16 min old");
    }
}
