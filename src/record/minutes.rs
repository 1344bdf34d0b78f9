//! Continuous readings by minute, and the single readings near the turns of a patient alarm.
//!
//! Minutes are counted in engine time, so that none is lost or doubled when the wall clock steps; their labels
//! are whole minutes of the wall clock of then. A minute without a number stays one.

use super::Stamp;
use super::model::{Minute, Point, RawReading, Series};
use crate::observation::Observation;
use crate::vocabulary::{Decimal, Now, ParameterId, Phase, Reading};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const MINUTE_MS: i64 = 60_000;
/// Series of one session; what a device invents beyond that is counted, not kept.
const MOST_SERIES: usize = 256;
/// Numbers of one minute that a median is taken of.
const MOST_NUMBERS: usize = 20_000;
/// The longest session that is laid out by minute: a month.
const MOST_MINUTES: usize = 44_640;

/// Engine time cut into minutes that begin with the wall clock's at the opening.
#[derive(Clone, Copy, Debug)]
struct Ruler {
    /// Engine time of the first minute's beginning, milliseconds; may lie before zero.
    origin_ms: i64,
    /// Its label.
    label_ms: i64,
}

fn engine_ms(now: Now) -> i64 {
    i64::try_from(now.moment.as_micros() / 1_000).unwrap_or(i64::MAX)
}

impl Ruler {
    fn new(opened: Now) -> Self {
        let into = opened.wall.as_millis().rem_euclid(MINUTE_MS);
        Self {
            origin_ms: engine_ms(opened).saturating_sub(into),
            label_ms: opened.wall.as_millis().saturating_sub(into),
        }
    }

    /// The minute of a moment and its label. A slow drift between the clocks moves no label; a step does.
    fn place(self, now: Now) -> (usize, Stamp) {
        let since = engine_ms(now).saturating_sub(self.origin_ms).max(0);
        let minute = usize::try_from(since / MINUTE_MS)
            .unwrap_or(MOST_MINUTES)
            .min(MOST_MINUTES);
        let expected = self.label_ms.saturating_add(since);
        let stepped = now.wall.as_millis().saturating_sub(expected);
        let shift = stepped
            .saturating_add(MINUTE_MS / 2)
            .div_euclid(MINUTE_MS)
            .saturating_mul(MINUTE_MS);
        let label = self
            .label_ms
            .saturating_add(since / MINUTE_MS * MINUTE_MS)
            .saturating_add(shift);
        (minute, Stamp::from_millis(label))
    }
}

/// One parameter of one feed in the running minute.
#[derive(Debug)]
struct Bucket {
    numbers: Vec<Decimal>,
    point: Point,
}

impl Bucket {
    fn new(minute: usize, at: Stamp) -> Self {
        Self {
            numbers: Vec::new(),
            point: Point {
                at,
                minute,
                median: None,
                min: None,
                max: None,
                numbers: 0,
                questionable: 0,
                without: 0,
                cause: None,
            },
        }
    }

    fn take(&mut self, reading: Reading) {
        match reading {
            Reading::Valid(value) => self.number(value),
            Reading::Questionable(value, _) => {
                self.number(value);
                self.point.questionable += 1;
            }
            Reading::Invalid(cause) => {
                self.point.without += 1;
                self.point.cause = Some(cause);
            }
        }
    }

    fn number(&mut self, value: Decimal) {
        self.point.numbers += 1;
        if self.numbers.len() < MOST_NUMBERS {
            self.numbers.push(value);
        }
    }

    fn finish(mut self) -> Point {
        self.numbers.sort_unstable();
        self.point.min = self.numbers.first().copied();
        self.point.max = self.numbers.last().copied();
        self.point.median = median(&self.numbers);
        self.point
    }
}

/// The middle of sorted numbers; of two middles their mean, rounded half up to their places, as the baseline's.
fn median(sorted: &[Decimal]) -> Option<Decimal> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get((sorted.len() / 2).checked_sub(1)?)?;
    let scale = lower.scale().max(upper.scale());
    let sum = lower.rounded(scale)?.checked_add(upper.rounded(scale)?)?;
    Some(Decimal::new(sum.checked_add(1)?.div_euclid(2), scale))
}

/// A series by its feed's place in the record and its parameter.
type Key = (usize, ParameterId);

/// Collects readings minute by minute.
#[derive(Debug)]
pub(super) struct Minutes {
    ruler: Ruler,
    minutes: Vec<Minute>,
    series: BTreeMap<Key, Series>,
    buckets: BTreeMap<Key, Bucket>,
    left_out: BTreeSet<Key>,
    /// Single readings of this minute and the one before, and of every marked minute.
    raw: BTreeMap<usize, Vec<RawReading>>,
    marked: BTreeSet<usize>,
}

impl Minutes {
    /// Minutes that begin with the one of the opening.
    pub(super) fn new(opened: Now) -> Self {
        Self {
            ruler: Ruler::new(opened),
            minutes: Vec::new(),
            series: BTreeMap::new(),
            buckets: BTreeMap::new(),
            left_out: BTreeSet::new(),
            raw: BTreeMap::new(),
            marked: BTreeSet::new(),
        }
    }

    /// Goes on to the minute of `now` and says its place.
    pub(super) fn go_on(&mut self, now: Now, phase: Phase) -> usize {
        let (minute, label) = self.ruler.place(now);
        if minute >= self.minutes.len() {
            self.close();
            while self.minutes.len() < minute {
                let before = self.minutes.last().map_or(self.ruler.label_ms, |last| {
                    last.at.millis().saturating_add(MINUTE_MS)
                });
                let phase = self.minutes.last().map_or(phase, |last| last.phase);
                self.minutes.push(Minute {
                    at: Stamp::from_millis(before),
                    phase,
                });
            }
            self.minutes.push(Minute { at: label, phase });
            let keep = minute.saturating_sub(1);
            let marked = &self.marked;
            self.raw
                .retain(|place, _| *place >= keep || marked.contains(place));
        }
        if let Some(running) = self.minutes.last_mut() {
            running.phase = phase;
        }
        // Decisions that were due in an earlier minute belong to it.
        minute
    }

    /// Takes a reading of a continuous parameter in the running minute.
    pub(super) fn take(
        &mut self,
        seq: u64,
        now: Now,
        (place, feed): (usize, &Arc<str>),
        observation: &Observation,
    ) {
        let key = (place, observation.parameter.clone());
        let (minute, running) = match self.minutes.last() {
            Some(last) => (self.minutes.len() - 1, last.at),
            None => return,
        };
        if let Some(bucket) = self.buckets.get_mut(&key) {
            bucket.take(observation.reading);
        } else {
            if !self.series.contains_key(&key) {
                if self.series.len() >= MOST_SERIES {
                    // The names beyond are counted up to the same number again.
                    if self.left_out.len() < MOST_SERIES {
                        self.left_out.insert(key);
                    }
                    return;
                }
                self.series.insert(
                    key.clone(),
                    Series {
                        parameter: observation.parameter.clone(),
                        feed: Arc::clone(feed),
                        unit: observation.parameter.known().map(|known| known.unit()),
                        mdc: observation.mdc,
                        points: Vec::new(),
                    },
                );
            }
            let mut bucket = Bucket::new(minute, running);
            bucket.take(observation.reading);
            self.buckets.insert(key, bucket);
        }
        self.raw.entry(minute).or_default().push(RawReading {
            seq,
            at: now.wall.into(),
            parameter: observation.parameter.clone(),
            feed: Arc::clone(feed),
            value: observation.reading.value(),
            cause: observation.reading.cause(),
            mdc: observation.mdc,
            site: observation.site,
        });
    }

    /// A patient alarm turned in this minute: its single readings are kept, and its neighbours'.
    pub(super) fn mark(&mut self, minute: usize) {
        for near in minute.saturating_sub(1)..=minute.saturating_add(1) {
            self.marked.insert(near);
        }
    }

    fn close(&mut self) {
        for (key, bucket) in std::mem::take(&mut self.buckets) {
            if let Some(series) = self.series.get_mut(&key) {
                series.points.push(bucket.finish());
            }
        }
    }

    /// Minutes, series in the order of parameters, single readings near alarms, and how many series were left
    /// out.
    pub(super) fn finish(mut self) -> (Vec<Minute>, Vec<Series>, Vec<RawReading>, usize) {
        self.close();
        let marked = self.marked;
        let raw = self
            .raw
            .into_iter()
            .filter(|(minute, _)| marked.contains(minute))
            .flat_map(|(_, readings)| readings)
            .collect();
        let mut series: Vec<Series> = self.series.into_values().collect();
        series.sort_by(|one, other| one.parameter.cmp(&other.parameter));
        (self.minutes, series, raw, self.left_out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Cause, Moment, Parameter, WallTime};
    use proptest::prelude::*;

    /// 2026-03-01T09:00:20Z.
    const OPENED: i64 = 1_772_355_620_000;

    fn at(second: u64) -> Now {
        Now {
            moment: Moment::from_secs(1_000 + second),
            wall: WallTime::from_millis(OPENED + second.cast_signed() * 1_000),
        }
    }

    fn spo2(reading: Reading) -> Observation {
        Observation::new(Parameter::Spo2, reading)
    }

    #[test]
    fn minutes_begin_with_the_wall_clocks_and_gaps_stay() {
        let feed: Arc<str> = "monitor".into();
        let mut minutes = Minutes::new(at(0));
        for (second, reading) in [
            (0, Reading::Valid(Decimal::whole(97))),
            (39, Reading::Valid(Decimal::whole(99))),
            (40, Reading::Invalid(Cause::ProbeOff)),
            (400, Reading::Valid(Decimal::whole(95))),
        ] {
            minutes.go_on(at(second), Phase::Baseline);
            minutes.take(second, at(second), (0, &feed), &spo2(reading));
        }
        let (all, series, raw, left_out) = minutes.finish();
        assert_eq!(all.len(), 8);
        assert_eq!(all[7].at.rfc3339(), "2026-03-01T09:07:00.000Z");
        let told: Vec<_> = series[0]
            .points
            .iter()
            .map(|point| (point.minute, point.median, point.without))
            .collect();
        assert_eq!(
            told,
            [
                (0, Some(Decimal::whole(98)), 0),
                (1, None, 1),
                (7, Some(Decimal::whole(95)), 0)
            ]
        );
        assert!(raw.is_empty() && left_out == 0);
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_labels_and_loses_no_minute() {
        let mut minutes = Minutes::new(at(0));
        minutes.go_on(at(0), Phase::Baseline);
        let mut drifted = at(100);
        drifted.wall = WallTime::from_millis(drifted.wall.as_millis() - 1_500);
        minutes.go_on(drifted, Phase::Baseline);
        let mut stepped = at(160);
        stepped.wall = WallTime::from_millis(stepped.wall.as_millis() - 3_600_000);
        minutes.go_on(stepped, Phase::Baseline);
        let labels: Vec<String> = minutes
            .finish()
            .0
            .iter()
            .map(|minute| minute.at.rfc3339())
            .collect();
        assert_eq!(
            labels,
            [
                "2026-03-01T09:00:00.000Z",
                "2026-03-01T09:01:00.000Z",
                "2026-03-01T09:02:00.000Z",
                "2026-03-01T08:03:00.000Z"
            ]
        );
    }

    #[test]
    fn what_a_device_invents_is_bounded() {
        let feed: Arc<str> = "monitor".into();
        let mut minutes = Minutes::new(at(0));
        minutes.go_on(at(0), Phase::Baseline);
        for code in 0..1_000 {
            let observation =
                Observation::unknown(ParameterId::Mdc(code), Reading::Valid(Decimal::whole(1)));
            minutes.take(u64::from(code), at(0), (0, &feed), &observation);
        }
        let (_, series, _, left_out) = minutes.finish();
        assert_eq!((series.len(), left_out), (MOST_SERIES, MOST_SERIES));
    }

    proptest! {
        #[test]
        fn a_minute_says_what_its_readings_say(
            readings in prop::collection::vec((0_u64..600, prop::option::of(60_i64..100)), 0..200),
        ) {
            let mut readings = readings;
            readings.sort_by_key(|(second, _)| *second);
            let feed: Arc<str> = "monitor".into();
            let mut minutes = Minutes::new(at(0));
            for (second, value) in &readings {
                minutes.go_on(at(*second), Phase::Baseline);
                let reading = value.map_or(Reading::Invalid(Cause::Searching), |value| {
                    Reading::Valid(Decimal::whole(value))
                });
                minutes.take(*second, at(*second), (0, &feed), &spo2(reading));
            }
            let points = minutes.finish().1.pop().map(|series| series.points).unwrap_or_default();
            let mut slow = Vec::new();
            for minute in 0..=10 {
                let inside: Vec<_> = readings
                    .iter()
                    .filter(|(second, _)| (second + 20) / 60 == minute)
                    .collect();
                if inside.is_empty() {
                    continue;
                }
                let mut numbers: Vec<i64> = inside.iter().filter_map(|(_, value)| *value).collect();
                numbers.sort_unstable();
                let middle = numbers.len() / 2;
                let median = match numbers.len() {
                    0 => None,
                    odd if odd % 2 == 1 => Some(numbers[middle]),
                    _ => Some((numbers[middle - 1] + numbers[middle] + 1) / 2),
                };
                slow.push((
                    usize::try_from(minute).unwrap(),
                    median.map(Decimal::whole),
                    numbers.first().copied().map(Decimal::whole),
                    numbers.last().copied().map(Decimal::whole),
                    u32::try_from(inside.len() - numbers.len()).unwrap(),
                ));
            }
            let told: Vec<_> = points
                .iter()
                .map(|point| (point.minute, point.median, point.min, point.max, point.without))
                .collect();
            prop_assert_eq!(told, slow);
        }
    }
}
