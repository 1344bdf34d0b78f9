//! Waves: sample arrays, their rate and their scale (dossier 11).
//!
//! A monitor tells rate and scale of one wave at a time, a second apart: until they are known, and for a
//! moment after each new association, samples are left out. Waves are for the screen, never for a rule.

use super::message::Object;
use super::nomenclature::{self, WAVES};
use super::numerics::{Mode, state};
use super::wire::{self, Bytes};
use crate::observation::{WaveChunk, WaveLabel};
use crate::vocabulary::Decimal;
use std::collections::BTreeMap;

pub(super) const SAMPLES: u16 = 0x096E;
const SEVERAL: u16 = 0x0967;
pub(super) const SPECIFICATION: u16 = 0x096D;
pub(super) const PERIOD: u16 = 0x098D;
pub(super) const SCALE: u16 = 0x096F;
pub(super) const SPECIAL_VALUES: u16 = 0x0A16;
pub(super) const UNIT: u16 = 0x0996;
const STATUS: u16 = 0x0940;

/// The metric is switched off.
const OFF: u16 = 0x8000;
/// Only the significant bits are the sample.
const EXTENDED_RANGE: u16 = 0x1000;
/// The special value that marks a sample as invalid.
const INVALID: u16 = 1;

/// Waves of one association that are remembered.
const MOST_WAVES: usize = 64;
/// Each sample is held so often at most, for rates that are no whole number.
const MOST_HELD: u32 = 4;

/// How samples become counts of `resolution`: `round((raw × numerator + offset) / denominator)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scale {
    resolution: Decimal,
    numerator: i128,
    denominator: i128,
    offset: i128,
}

impl Scale {
    /// The samples as they are.
    const RAW: Self = Self {
        resolution: Decimal::whole(1),
        numerator: 1,
        denominator: 1,
        offset: 0,
    };

    /// From two points; no absolute scale if one of them is no number.
    fn read(mut bytes: Bytes<'_>) -> Option<Self> {
        /// More places than any scale needs.
        const MOST_PLACES: u8 = 6;
        let (lower, upper) = (bytes.u32()?, bytes.u32()?);
        let (from, to) = (i128::from(bytes.u16()?), i128::from(bytes.u16()?));
        let (Ok(lower), Ok(upper)) = (wire::float(lower), wire::float(upper)) else {
            return Some(Self::RAW);
        };
        let span = to - from;
        if span <= 0 || upper <= lower {
            return Some(Self::RAW);
        }
        let places = lower.scale().max(upper.scale());
        // The coarsest decimal in which a count is exact, else one that is finer than a count.
        for places in places..=MOST_PLACES {
            let range = i128::from(upper.rounded(places)?) - i128::from(lower.rounded(places)?);
            let low = i128::from(lower.rounded(places)?);
            if range % span == 0 && low % (range / span) == 0 {
                let step = range / span;
                return Some(Self {
                    resolution: Decimal::new(i64::try_from(step).ok()?, places),
                    numerator: 1,
                    denominator: 1,
                    offset: low / step - from,
                });
            }
        }
        let mut places = places;
        loop {
            let range = i128::from(upper.rounded(places)?) - i128::from(lower.rounded(places)?);
            if range >= 4 * span || places >= MOST_PLACES {
                let low = i128::from(lower.rounded(places)?);
                return Some(Self {
                    resolution: Decimal::new(1, places),
                    numerator: range,
                    denominator: span,
                    offset: low * span - from * range,
                });
            }
            places += 1;
        }
    }

    fn count(&self, raw: u16) -> Option<i32> {
        let scaled = i128::from(raw) * self.numerator + self.offset;
        let doubled = 2 * scaled + self.denominator;
        i32::try_from(doubled.div_euclid(2 * self.denominator)).ok()
    }
}

/// What is known of one wave.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Size of a sample in bits, and its significant bits where only they count.
    sample: Option<(u8, Option<u8>)>,
    /// Sampling period in 1/8 ms.
    period: Option<u32>,
    scale: Option<Scale>,
    unit: &'static str,
    invalid: Option<u16>,
    is_off: bool,
    /// The label, made once.
    label: Option<(u16, WaveLabel)>,
}

/// The waves of one association.
#[derive(Debug, Default)]
pub(super) struct Waves {
    known: BTreeMap<(u16, u16), Known>,
}

impl Waves {
    /// A new association: objects have other names now.
    pub(super) fn associated(&mut self) {
        self.known.clear();
    }

    /// Takes a wave object and tells its samples; `None` when it contradicts itself.
    pub(super) fn take(
        &mut self,
        object: &Object<'_>,
        mode: Mode,
        mut tell: impl FnMut(WaveChunk),
    ) -> Option<()> {
        if self.known.len() >= MOST_WAVES && !self.known.contains_key(&object.key) {
            return Some(());
        }
        let known = self.known.entry(object.key).or_default();
        for (id, mut value) in object.attributes.iter() {
            match id {
                SPECIFICATION => {
                    let _array_size = value.u16()?;
                    let (bits, significant) = (value.u8()?, value.u8()?);
                    let is_masked = value.u16()? & EXTENDED_RANGE != 0;
                    known.sample = Some((bits, is_masked.then_some(significant)));
                }
                PERIOD => known.period = Some(value.u32()?),
                SCALE => known.scale = Some(Scale::read(value)?),
                UNIT => known.unit = nomenclature::wave_unit(value.u16()?),
                STATUS => known.is_off = value.u16()? & OFF != 0,
                SPECIAL_VALUES => {
                    let (count, mut list) = value.list()?;
                    for _ in 0..count {
                        let (id, mask) = (list.u16()?, list.u16()?);
                        if id == INVALID {
                            known.invalid = Some(mask);
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some(mut value) = object.attributes.get(SAMPLES) {
            known.block(&mut value, mode, &mut tell)?;
        }
        if let Some(mut value) = object.attributes.get(SEVERAL) {
            let (count, mut list) = value.list()?;
            for _ in 0..count {
                known.block(&mut list, mode, &mut tell)?;
            }
        }
        Some(())
    }
}

impl Known {
    fn block(
        &mut self,
        bytes: &mut Bytes<'_>,
        mode: Mode,
        tell: &mut impl FnMut(WaveChunk),
    ) -> Option<()> {
        let (code, bits) = (bytes.u16()?, bytes.u16()?);
        let mut samples = bytes.block()?;
        let is_patient = mode == Mode::Monitoring && bits & (state::DEMO | state::TEST) == 0;
        let (Some((size, significant)), Some(period), Some(scale)) =
            (self.sample, self.period, self.scale)
        else {
            return Some(());
        };
        let Some((rate_hz, held)) = rate(period).filter(|_| is_patient) else {
            return Some(());
        };
        let is_valid = bits & state::NO_VALUE == 0 && !self.is_off;
        let mask = significant.map_or(u16::MAX, |bits| {
            u16::MAX
                .checked_shr(16_u32.saturating_sub(bits.into()))
                .unwrap_or(0)
        });
        let invalid = self.invalid.filter(|mask| *mask != 0);
        let next = || match size {
            8 => samples.u8().map(u16::from),
            16 => samples.u16(),
            _ => None,
        };
        let sample = |raw: u16| {
            let is_marked = invalid.is_some_and(|mask| raw & mask == mask);
            (is_valid && !is_marked)
                .then(|| scale.count(raw & mask))
                .flatten()
        };
        let samples: Vec<Option<i32>> = std::iter::from_fn(next)
            .map(sample)
            .flat_map(|sample| std::iter::repeat_n(sample, held))
            .collect();
        if !samples.is_empty() {
            tell(WaveChunk {
                label: self.label(code),
                rate_hz,
                resolution: scale.resolution,
                unit: self.unit,
                samples,
            });
        }
        Some(())
    }

    fn label(&mut self, code: u16) -> WaveLabel {
        if let Some((known, label)) = &self.label
            && *known == code
        {
            return label.clone();
        }
        let label: WaveLabel = WAVES.iter().find(|wave| wave.code == code).map_or_else(
            || format!("{}:{code:04x}", super::PROTOCOL.name).into(),
            |wave| wave.label.into(),
        );
        self.label = Some((code, label.clone()));
        label
    }
}

/// Samples a second for this period in 1/8 ms, and how often each sample is held to make that a whole
/// number (respiration has 62.5 a second).
fn rate(period: u32) -> Option<(u32, usize)> {
    use super::association::TICKS_PER_SECOND;
    (1..=MOST_HELD).find_map(|held| {
        let ticks = TICKS_PER_SECOND.checked_mul(held)?;
        let rate = ticks.checked_div(period).filter(|rate| *rate > 0)?;
        (ticks % period == 0).then(|| Some((rate, usize::try_from(held).ok()?)))?
    })
}
