//! Waves in a PCD-01 message: a row of type NA and the facet rows behind it (hl7.md 3.10).
//!
//! Promises: samples never become numerics; a chunk has a told or computed rate, or it is dropped
//! and counted; memory is bounded by the samples of one row.

use super::message::{Delimiters, Segment, parts};
use super::numerics::obx;
use super::units;
use crate::observation::{WaveChunk, WaveLabel};
use crate::vocabulary::Decimal;
use std::time::Duration;

/// Samples of one row; more is no wave of a bedside monitor.
const MOST_SAMPLES: usize = 65_536;
/// The fastest rate that is believed, in Hz.
const FASTEST: u32 = 10_000;
/// Places behind the point of a sample that are kept.
const MOST_PLACES: u8 = 6;

/// A wave whose attributes are still coming.
#[derive(Debug)]
pub struct Wave<'a> {
    label: WaveLabel,
    delimiters: Delimiters,
    samples: &'a [u8],
    unit: &'static str,
    rate: Option<Decimal>,
    resolution: Decimal,
    no_sample: Option<Decimal>,
}

impl<'a> Wave<'a> {
    /// The wave of an NA row.
    pub fn new(label: WaveLabel, row: &Segment<'a>, delimiters: &Delimiters) -> Self {
        Self {
            label,
            delimiters: *delimiters,
            samples: row.field(obx::VALUE),
            unit: unit_text(units::code(row.field(obx::UNIT), delimiters)),
            rate: None,
            resolution: Decimal::whole(1),
            no_sample: None,
        }
    }

    /// Takes an attribute of this wave; `false` when the row is none. Matched by name, because the
    /// numbers differ from sender to sender.
    pub fn facet(&mut self, row: &Segment) -> bool {
        let [_, name] = parts::<2>(row.field(obx::CODE), self.delimiters.component);
        let value = Decimal::parse(row.field(obx::VALUE)).ok();
        match name {
            b"MDC_ATTR_SAMP_RATE" => self.rate = value,
            b"MDC_ATTR_NU_MSMT_RES" => self.resolution = value.unwrap_or(self.resolution),
            b"MDC_EVT_INOP" => self.no_sample = value,
            // The range of the counts; the samples say the same.
            b"MDC_ATTR_DATA_RANGE" => {}
            _ => return false,
        }
        true
    }

    /// The finished chunk; `span` is the time it covers, for a sender that tells no rate. None when
    /// there is no sample or no believable rate.
    pub fn finish(self, span: Option<Duration>) -> Option<WaveChunk> {
        let Delimiters {
            component,
            repetition,
            ..
        } = self.delimiters;
        let told: Vec<Option<Decimal>> = self
            .samples
            .split(|&byte| byte == component || byte == repetition)
            .take(MOST_SAMPLES + 1)
            .map(|sample| Decimal::parse(sample.trim_ascii()).ok())
            .map(|sample| sample.filter(|_| sample != self.no_sample))
            .collect();
        if told.len() > MOST_SAMPLES || told.iter().all(Option::is_none) {
            return None;
        }
        let places = told
            .iter()
            .flatten()
            .map(|sample| sample.scale())
            .max()
            .unwrap_or(0)
            .min(MOST_PLACES);
        let rate_hz = match self.rate {
            Some(rate) => rate.rounded(0).and_then(|rate| u32::try_from(rate).ok()),
            None => span.and_then(|span| rate_over(told.len(), span)),
        };
        Some(WaveChunk {
            label: self.label,
            rate_hz: rate_hz.filter(|rate| (1..=FASTEST).contains(rate))?,
            resolution: self.resolution.times(Decimal::new(1, places))?,
            unit: self.unit,
            samples: told
                .iter()
                .map(|sample| i32::try_from(sample.as_ref()?.rounded(places)?).ok())
                .collect(),
        })
    }
}

fn rate_over(samples: usize, span: Duration) -> Option<u32> {
    let millis = u32::try_from(span.as_millis()).ok().filter(|&ms| ms > 0)?;
    let samples = u32::try_from(samples).ok()?.checked_mul(1_000)?;
    Some(samples.checked_add(millis / 2)? / millis)
}

/// The unit of a wave by its MDC code.
const fn unit_text(code: Option<u32>) -> &'static str {
    match code {
        Some(266_418) => "mV",
        Some(266_016) => "mmHg",
        Some(265_987) => "kPa",
        Some(262_688) => "%",
        _ => "",
    }
}

/// The label of a wave that we have no row for.
pub fn foreign_label(mdc: Option<u32>, identifier: &[u8]) -> WaveLabel {
    match mdc {
        Some(code) => format!("mdc:{code}").into(),
        None => format!("vendor:{}", super::vendor_code(identifier)).into(),
    }
}
