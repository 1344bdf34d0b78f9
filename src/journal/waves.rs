//! Collects wave samples into one blob per channel and second.
//!
//! Promises: a blob holds consecutive samples of one channel, at most one second's worth; a pause, another
//! session or other settings begin a new one. Never holds more than [`MOST_CHANNELS`] channels, whatever a
//! device sends.

use super::codec;
use crate::observation::Wave;
use crate::vocabulary::{Decimal, Moment, WallTime};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Channels that are collected at a time.
const MOST_CHANNELS: usize = 32;
/// Samples that did not become a full second within this time are written as they are.
const PAUSE: Duration = Duration::from_millis(1_500);

/// At most one second of one wave, compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WaveSecond {
    /// Which wave, and how to read its counts.
    pub channel: Channel,
    /// The session, if one was open.
    pub session: Option<i64>,
    /// When its first sample was received.
    pub wall: WallTime,
    /// Samples, missing ones included.
    pub samples: usize,
    /// The blob.
    pub data: Vec<u8>,
}

/// One wave of one feed with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Channel {
    /// The feed's name.
    pub feed: Arc<str>,
    /// Which wave.
    pub label: Arc<str>,
    /// Samples per second.
    pub rate_hz: u32,
    /// What one count is worth.
    pub resolution: Decimal,
    /// In which unit.
    pub unit: &'static str,
}

#[derive(Debug)]
struct Second {
    channel: Channel,
    session: Option<i64>,
    wall: WallTime,
    touched: Moment,
    samples: Vec<Option<i32>>,
}

impl Second {
    fn finish(self) -> WaveSecond {
        WaveSecond {
            data: codec::encode(&self.samples),
            samples: self.samples.len(),
            channel: self.channel,
            session: self.session,
            wall: self.wall,
        }
    }
}

/// Samples of the second that is not full yet, per feed and wave.
#[derive(Debug, Default)]
pub(super) struct Collector {
    seconds: BTreeMap<(Arc<str>, Arc<str>), Second>,
}

impl Collector {
    /// Adds samples; seconds that are full now go to `done`. `false` when the samples cannot be kept: too
    /// many channels, or a rate that is none.
    pub(super) fn add(
        &mut self,
        now: Moment,
        session: Option<i64>,
        wave: Wave,
        done: &mut Vec<WaveSecond>,
    ) -> bool {
        let Wave {
            feed,
            received,
            chunk,
        } = wave;
        let full = match usize::try_from(chunk.rate_hz) {
            Ok(rate @ 1..=codec::MOST_SAMPLES) => rate,
            Ok(_) | Err(_) => return false,
        };
        let channel = Channel {
            feed: Arc::clone(&feed),
            label: Arc::clone(&chunk.label),
            rate_hz: chunk.rate_hz,
            resolution: chunk.resolution,
            unit: chunk.unit,
        };
        let key = (feed, chunk.label);
        if let Some(second) = self.seconds.get(&key)
            && (second.channel != channel || second.session != session)
        {
            done.extend(self.seconds.remove(&key).map(Second::finish));
        }
        if self.seconds.len() >= MOST_CHANNELS && !self.seconds.contains_key(&key) {
            return false;
        }
        let mut second = self.seconds.remove(&key);
        for sample in chunk.samples {
            let open = second.get_or_insert_with(|| Second {
                channel: channel.clone(),
                session,
                wall: received.wall,
                touched: now,
                samples: Vec::with_capacity(full),
            });
            open.samples.push(sample);
            if open.samples.len() >= full {
                done.extend(second.take().map(Second::finish));
            }
        }
        if let Some(mut second) = second {
            second.touched = now;
            self.seconds.insert(key, second);
        }
        true
    }

    /// When [`Collector::pause`] has something to do.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.seconds
            .values()
            .map(|second| second.touched.after(PAUSE))
            .min()
    }

    /// Finishes the seconds that got no sample for a while.
    pub(super) fn pause(&mut self, now: Moment, done: &mut Vec<WaveSecond>) {
        let still: Vec<_> = self
            .seconds
            .iter()
            .filter(|(_, second)| second.touched.after(PAUSE) <= now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in still {
            done.extend(self.seconds.remove(&key).map(Second::finish));
        }
    }

    /// Finishes everything.
    pub(super) fn finish(&mut self, done: &mut Vec<WaveSecond>) {
        done.extend(
            std::mem::take(&mut self.seconds)
                .into_values()
                .map(Second::finish),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::WaveChunk;
    use crate::vocabulary::Now;

    fn chunk(label: &str, rate_hz: u32, samples: Vec<Option<i32>>) -> Wave {
        Wave {
            feed: "m".into(),
            received: Now::default(),
            chunk: WaveChunk {
                label: label.into(),
                rate_hz,
                resolution: Decimal::whole(1),
                unit: "",
                samples,
            },
        }
    }

    fn add(collector: &mut Collector, second: u64, mut wave: Wave) -> Vec<WaveSecond> {
        let mut done = Vec::new();
        wave.received.wall = WallTime::from_millis(second.cast_signed() * 1_000);
        assert!(collector.add(Moment::from_secs(second), None, wave, &mut done));
        done
    }

    #[test]
    fn a_second_is_cut_where_it_is_full_and_the_rest_begins_the_next() {
        let mut collector = Collector::default();
        assert!(add(&mut collector, 1, chunk("pleth", 4, vec![Some(1), Some(2)])).is_empty());
        let done = add(
            &mut collector,
            2,
            chunk("pleth", 4, (3..=11).map(Some).collect()),
        );
        let read: Vec<_> = done
            .iter()
            .map(|second| codec::decode(&second.data).unwrap())
            .collect();
        assert_eq!(read, [[1, 2, 3, 4].map(Some), [5, 6, 7, 8].map(Some)]);
        assert_eq!(done[0].wall.as_millis(), 1_000);
        let mut rest = Vec::new();
        collector.finish(&mut rest);
        assert_eq!(codec::decode(&rest[0].data).unwrap(), [9, 10, 11].map(Some));
    }

    #[test]
    fn a_pause_or_other_settings_end_a_second_early() {
        let mut collector = Collector::default();
        add(&mut collector, 1, chunk("pleth", 4, vec![Some(1)]));
        assert_eq!(
            add(&mut collector, 1, chunk("pleth", 8, vec![Some(2)])).len(),
            1
        );
        let mut done = Vec::new();
        collector.pause(Moment::from_secs(2), &mut done);
        assert!(done.is_empty());
        assert_eq!(collector.deadline(), Some(Moment::from_micros(2_500_000)));
        collector.pause(Moment::from_micros(2_500_000), &mut done);
        assert_eq!(done.len(), 1);
        assert_eq!(collector.deadline(), None);
    }

    #[test]
    fn a_device_that_invents_waves_fills_nothing() {
        let mut collector = Collector::default();
        let mut done = Vec::new();
        let mut kept = 0;
        for place in 0..1_000 {
            let wave = chunk(&format!("w{place}"), 100, vec![Some(1)]);
            kept += usize::from(collector.add(Moment::ZERO, None, wave, &mut done));
        }
        assert_eq!(kept, MOST_CHANNELS);
        for rate in [0, u32::MAX] {
            let wave = chunk("w0", rate, vec![Some(1)]);
            assert!(!collector.add(Moment::ZERO, None, wave, &mut done));
        }
    }
}
