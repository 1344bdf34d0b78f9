//! The device side: waves of the screen, resampled and cut into the monitor's blocks.

use super::nomenclature::{self, WAVES, Wave};
use super::numerics::LABEL;
use super::wire::{self, attribute};
use super::{answer, wave};
use crate::observation::WaveChunk;
use crate::vocabulary::Decimal;

/// Samples of a wave come in blocks of this length, 1/8 ms.
const BLOCK: u32 = 2_048;

/// A wave on its way out.
#[derive(Debug)]
pub(super) struct Exported {
    pub(super) wave: &'static Wave,
    /// Samples from the screen, not yet sent, and their form.
    source: Vec<Option<i32>>,
    form: Option<WaveChunk>,
    /// Number of the first sample in `source`, and of the next sample to be sent at our own rate.
    first: u64,
    next: u64,
}

/// The waves with these labels, as far as this monitor has them.
pub(super) fn exported(labels: &[u32]) -> Vec<Exported> {
    labels
        .iter()
        .filter_map(|label| WAVES.iter().find(|wave| wave.text_id() == *label))
        .map(|wave| Exported {
            wave,
            source: Vec::new(),
            form: None,
            first: 0,
            next: 0,
        })
        .collect()
}

/// How a wave is sent: its period in 1/8 ms, significant bits, and the count that stands for zero.
const fn form(wave: &Wave) -> (u32, u8, i32) {
    match wave.code {
        0x4BB4 => (0x40, 12, 0),
        0x5000 => (0x80, 12, 2_048),
        0x50AC | 0x4A14 | 0x4A10 => (0x80, 14, 8_192),
        _ => (0x20, 14, 8_192),
    }
}

/// Samples that wait to be sent; more are from a client that is not served.
const MOST_WAITING: usize = 10_000;

impl Exported {
    /// Takes the samples since the last screen.
    pub(super) fn add(&mut self, waves: &[WaveChunk]) {
        let is_ours = |chunk: &&WaveChunk| chunk.label.eq_ignore_ascii_case(self.wave.label);
        let Some(chunk) = waves.iter().find(is_ours) else {
            return;
        };
        if self.source.len() < MOST_WAITING {
            self.source.extend(&chunk.samples);
        }
        if self.form.is_none() {
            self.form = Some(WaveChunk {
                samples: Vec::new(),
                ..chunk.clone()
            });
        }
    }

    /// The next block as an object; `None` until its samples are there.
    pub(super) fn block(&mut self, handle: u16) -> Option<Vec<u8>> {
        let form_of_screen = self.form.as_ref()?;
        let (period, bits, zero) = form(self.wave);
        let rate = u64::from(form_of_screen.rate_hz);
        // Nearest earlier sample of the screen at our own rate.
        let place = |number: u64| number * u64::from(period) * rate / 8_000;
        let count = BLOCK / period;
        let last = self.next + u64::from(count) - 1;
        let end = usize::try_from(place(last).checked_sub(self.first)?).ok()?;
        if end >= self.source.len() {
            return None;
        }
        let highest = (1_i32 << bits) - 1;
        let mut samples = Vec::new();
        for number in self.next..=last {
            let at = usize::try_from(place(number).checked_sub(self.first)?).ok()?;
            let raw =
                self.source.get(at).copied().flatten().and_then(|count| {
                    u16::try_from(count.saturating_add(zero).clamp(0, highest)).ok()
                });
            samples.extend(raw.unwrap_or(INVALID_SAMPLE).to_be_bytes());
        }
        self.next = last + 1;
        let used = usize::try_from(place(self.next).checked_sub(self.first)?).ok()?;
        let used = used.min(self.source.len());
        self.source.drain(..used);
        self.first += u64::try_from(used).ok()?;

        let mut observed = self.wave.code.to_be_bytes().to_vec();
        observed.extend([0, 0]);
        wire::block(&mut observed, |out| out.extend(samples));
        let mut special = Vec::new();
        wire::list(&mut special, &[[0, 1, 0x80, 0]]);
        let [high, low] = u16::try_from(count).ok()?.to_be_bytes();
        let attributes = [
            attribute(LABEL, self.wave.text_id().to_be_bytes()),
            attribute(wave::SPECIFICATION, [high, low, 16, bits, 0x10, 0]),
            attribute(wave::PERIOD, period.to_be_bytes()),
            attribute(wave::SPECIAL_VALUES, special),
            attribute(wave::SCALE, scale(form_of_screen, zero, highest)),
            attribute(
                wave::UNIT,
                nomenclature::wave_unit_code(form_of_screen.unit).to_be_bytes(),
            ),
            attribute(wave::SAMPLES, observed),
        ];
        Some(answer::object(handle, &attributes))
    }
}

/// The special value of a sample that is none: outside the significant bits.
const INVALID_SAMPLE: u16 = 0x8000;

/// Two points of the scale; no numbers where the monitor gives none.
fn scale(form: &WaveChunk, zero: i32, highest: i32) -> Vec<u8> {
    let point = |count: i32| {
        Decimal::whole(i64::from(count - zero))
            .times(form.resolution)
            .filter(|_| zero == 8_192)
            .map_or(wire::NO_NUMBER, wire::to_float)
    };
    let mut bytes = point(0).to_be_bytes().to_vec();
    bytes.extend(point(highest).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(u16::try_from(highest).unwrap_or(u16::MAX).to_be_bytes());
    bytes
}
