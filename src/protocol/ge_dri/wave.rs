//! Waves: which types are read, at what rate and in what unit.
//!
//! Layout, rates and units are the dossier's; the numbers of the types are those that several public
//! readers share, and the real records agree (1 is ECG, 8 is pleth). Types without a known meaning are
//! skipped.

use super::basic::LOWEST_NUMBER;
use super::labels;
use super::record::Fields;
use crate::observation::{WaveChunk, WaveLabel};
use crate::vocabulary::Decimal;

/// Samples a second that one request may ask for in all, at 19200 baud.
pub(super) const MOST_SAMPLES_A_SECOND: u32 = 600;

/// Status bit of a wave subrecord: the lead is off.
const LEAD_OFF: u16 = 1 << 3;

/// Where a wave comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// ECG channel 1 to 3.
    Ecg(u8),
    /// Pressure channel 1 to 6.
    Pressure(u8),
    /// The oximeter.
    Pleth,
    /// The gas module.
    Co2,
    /// Thoracic impedance.
    Resp,
}

/// One type of wave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave {
    /// The type's number.
    pub(super) code: u8,
    /// The name in the feed's `waves` setting.
    pub(super) name: &'static str,
    /// Samples a second.
    pub(super) rate_hz: u32,
    /// One count is `1 / 10^places` of the unit.
    pub(super) places: u8,
    unit: &'static str,
    source: Source,
}

impl Wave {
    const fn new(code: u8, name: &'static str, source: Source) -> Self {
        let (rate_hz, places, unit) = match source {
            Source::Ecg(_) => (300, 3, "mV"),
            Source::Pressure(_) => (100, 2, "mmHg"),
            Source::Pleth => (100, 2, "%"),
            Source::Co2 => (25, 2, "%"),
            Source::Resp => (25, 0, ""),
        };
        Self {
            code,
            name,
            rate_hz,
            places,
            unit,
            source,
        }
    }
}

/// The types that are read.
pub(super) const WAVES: &[Wave] = &[
    Wave::new(1, "ecg1", Source::Ecg(1)),
    Wave::new(2, "ecg2", Source::Ecg(2)),
    Wave::new(3, "ecg3", Source::Ecg(3)),
    Wave::new(4, "p1", Source::Pressure(1)),
    Wave::new(5, "p2", Source::Pressure(2)),
    Wave::new(6, "p3", Source::Pressure(3)),
    Wave::new(7, "p4", Source::Pressure(4)),
    Wave::new(8, "pleth", Source::Pleth),
    Wave::new(9, "co2", Source::Co2),
    Wave::new(15, "resp", Source::Resp),
    Wave::new(16, "p5", Source::Pressure(5)),
    Wave::new(17, "p6", Source::Pressure(6)),
];

/// The labels of the last basic record, which name leads and pressures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    /// The ECG group's label.
    pub(super) ecg: u16,
    /// The labels of P1 to P6.
    pub(super) pressures: [u16; 6],
}

impl Labels {
    fn of(self, source: Source) -> WaveLabel {
        match source {
            Source::Ecg(channel) => labels::lead(self.ecg, channel)
                .map_or_else(|| format!("ecg-{channel}"), |lead| format!("ecg-{lead}"))
                .into(),
            Source::Pressure(channel) => {
                let label = self.pressures.get(usize::from(channel).saturating_sub(1));
                if label.is_some_and(|label| labels::is_arterial(*label)) {
                    "art".into()
                } else {
                    format!("{}:p{channel}", super::PROTOCOL.name).into()
                }
            }
            Source::Pleth => "pleth".into(),
            Source::Co2 => "co2".into(),
            Source::Resp => "resp".into(),
        }
    }
}

/// What a wave subrecord holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// Samples of a type that is read.
    Chunk(WaveChunk),
    /// A type without a known meaning.
    Unknown,
}

/// Reads a wave subrecord; `None` when it claims more samples than the record has.
pub(super) fn read(code: u8, subrecord: &[u8], labels: Labels) -> Option<Samples> {
    let mut fields = Fields(subrecord);
    let count = usize::try_from(fields.i16()?).ok()?;
    let status = fields.u16()?;
    let _reserved_label = fields.u16()?;
    let bytes = fields.0.get(..count.checked_mul(2)?)?;
    let Some(wave) = WAVES.iter().find(|wave| wave.code == code) else {
        return Some(Samples::Unknown);
    };
    let sample =
        |value: i16| (value >= LOWEST_NUMBER && status & LEAD_OFF == 0).then_some(i32::from(value));
    let mut fields = Fields(bytes);
    Some(Samples::Chunk(WaveChunk {
        label: labels.of(wave.source),
        rate_hz: wave.rate_hz,
        resolution: Decimal::new(1, wave.places),
        unit: wave.unit,
        samples: std::iter::from_fn(|| fields.i16()).map(sample).collect(),
    }))
}

/// A wave subrecord of these counts; `None` is sent as invalid.
pub(super) fn write(samples: &[Option<i16>]) -> Vec<u8> {
    let count = i16::try_from(samples.len()).unwrap_or(i16::MAX);
    let mut subrecord = count.to_le_bytes().to_vec();
    subrecord.extend([0; 4]);
    for sample in samples {
        subrecord.extend(sample.unwrap_or(super::basic::INVALID).to_le_bytes());
    }
    subrecord
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_read_back_with_their_gaps() {
        let counts = [Some(-177), None, Some(31_000)];
        let labels = Labels {
            ecg: 0x1200,
            pressures: [1, 2, 0, 0, 0, 0],
        };
        let chunk = |code| match read(code, &write(&counts), labels) {
            Some(Samples::Chunk(chunk)) => chunk,
            other => panic!("{other:?}"),
        };
        let ecg = chunk(1);
        assert_eq!((&*ecg.label, ecg.rate_hz, ecg.unit), ("ecg-II", 300, "mV"));
        assert_eq!(ecg.samples, [Some(-177), None, Some(31_000)]);
        assert_eq!(&*chunk(2).label, "ecg-2");
        assert_eq!(&*chunk(4).label, "art");
        assert_eq!(&*chunk(5).label, "ge-dri:p2");
        assert_eq!(&*chunk(15).label, "resp");
        assert_eq!(read(32, &write(&counts), labels), Some(Samples::Unknown));
    }

    #[test]
    fn a_count_beyond_the_record_is_refused() {
        let mut subrecord = write(&[Some(1), Some(2)]);
        assert!(read(8, &subrecord[..9], Labels::default()).is_none());
        subrecord[1] = 0xFF;
        assert!(read(8, &subrecord, Labels::default()).is_none());
    }

    #[test]
    fn a_lead_that_is_off_gives_no_samples() {
        let mut subrecord = write(&[Some(1), Some(2)]);
        subrecord[2] = 8;
        match read(1, &subrecord, Labels::default()) {
            Some(Samples::Chunk(chunk)) => assert_eq!(chunk.samples, [None, None]),
            other => panic!("{other:?}"),
        }
    }
}
