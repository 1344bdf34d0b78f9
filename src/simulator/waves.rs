//! The curves beside the numbers: ECG lead II, pleth, respiration and carbon dioxide.
//!
//! The shapes are drawings, not physiology: sums of bell curves over the phase of a beat or a breath
//! whose rates are the numerics of the same moment. They are there so that wave channels of protocols,
//! journal and page carry something that looks and compresses like the real thing.

use super::noise::{Noise, ease};
use super::scenario::Scene;
use crate::observation::WaveChunk;
use crate::vocabulary::{Decimal, Parameter};
use std::f64::consts::TAU;
use std::time::Duration;

/// The longest stretch that is drawn at once; what lies before it is left out.
const LONGEST: Duration = Duration::from_secs(60);

/// The labels of the curves that can be drawn.
pub(super) const LABELS: [&str; 4] = [
    Curve::Ecg.label(),
    Curve::Pleth.label(),
    Curve::Respiration.label(),
    Curve::CarbonDioxide.label(),
];

/// One curve with its sampling, as bedside monitors send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    /// Lead II: 300 samples a second in µV.
    Ecg,
    /// Pleth: 100 a second in hundredths of a per cent.
    Pleth,
    /// Respiration by impedance: 25 a second in hundredths, without a unit.
    Respiration,
    /// Carbon dioxide in the airway: 25 a second in hundredths of a per cent.
    CarbonDioxide,
}

impl Curve {
    const ALL: [Self; 4] = [
        Self::Ecg,
        Self::Pleth,
        Self::Respiration,
        Self::CarbonDioxide,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Ecg => "ecg-ii",
            Self::Pleth => "pleth",
            Self::Respiration => "resp",
            Self::CarbonDioxide => "co2",
        }
    }

    const fn rate_hz(self) -> u32 {
        match self {
            Self::Ecg => 300,
            Self::Pleth => 100,
            Self::Respiration | Self::CarbonDioxide => 25,
        }
    }

    /// Unit, and places behind the point of one count.
    const fn scale(self) -> (&'static str, u8) {
        match self {
            Self::Ecg => ("mV", 3),
            Self::Pleth | Self::CarbonDioxide => ("%", 2),
            Self::Respiration => ("", 2),
        }
    }

    /// The numeric without which this curve has no samples.
    const fn needs(self) -> Parameter {
        match self {
            Self::Ecg => Parameter::Hr,
            Self::Pleth => Parameter::Pr,
            Self::Respiration => Parameter::Rr,
            Self::CarbonDioxide => Parameter::Etco2,
        }
    }

    /// The value in counts.
    fn draw(self, beat: f64, breath: f64, size: f64) -> f64 {
        match self {
            Self::Ecg => 1_000.0 * lead_two(beat),
            Self::Pleth => 100.0 * pleth(beat),
            Self::Respiration => 100.0 * (TAU * breath).sin(),
            // Per cent of an atmosphere less water vapour: 760 − 47 mmHg.
            Self::CarbonDioxide => 100.0 * size / 7.13 * exhaled(breath),
        }
    }
}

/// A bell of `height` around `centre` on the circle of a beat.
fn bell(beat: f64, centre: f64, width: f64, height: f64) -> f64 {
    let away = (beat - centre + 0.5).rem_euclid(1.0) - 0.5;
    height * (-0.5 * (away / width) * (away / width)).exp()
}

/// P, Q, R, S and T of lead II in mV over one beat, R at 0.3.
fn lead_two(beat: f64) -> f64 {
    bell(beat, 0.12, 0.025, 0.13)
        + bell(beat, 0.275, 0.009, -0.10)
        + bell(beat, 0.30, 0.011, 1.10)
        + bell(beat, 0.327, 0.010, -0.22)
        + bell(beat, 0.56, 0.045, 0.30)
}

/// The pulse in the finger, per cent, a quarter of a beat after the R wave, with its second hump.
fn pleth(beat: f64) -> f64 {
    bell(beat, 0.62, 0.08, 1.0) + bell(beat, 0.85, 0.09, 0.40)
}

/// The share of the end-tidal value over one breath: nothing while breathing in, then a plateau.
fn exhaled(breath: f64) -> f64 {
    let rise = ease((breath - 0.40) / 0.10) * (0.92 + 0.08 * ease((breath - 0.45) / 0.5));
    rise * (1.0 - ease((breath - 0.95) / 0.05))
}

/// Draws the curves of one monitor; it owns the phase of the beat and of the breath.
#[derive(Clone, Debug)]
pub(super) struct Waves {
    drawn_to: Duration,
    beat: f64,
    breath: f64,
    noise: Noise,
}

impl Waves {
    /// Curves that begin at `from`.
    pub(super) const fn new(from: Duration) -> Self {
        Self {
            drawn_to: from,
            beat: 0.0,
            breath: 0.0,
            noise: Noise::new(1),
        }
    }

    /// The samples after the last call up to `to`, at the rates of this scene. A curve whose sensor
    /// gives no number, or is not fitted, is not drawn.
    pub(super) fn draw(&mut self, to: Duration, scene: &Scene) -> Vec<WaveChunk> {
        let from = self.drawn_to.max(to.saturating_sub(LONGEST));
        if to <= from {
            return Vec::new();
        }
        let per_second = |parameter| {
            let reading = scene.numerics.get(&parameter)?;
            Some(number(reading.value()?) / 60.0)
        };
        // An ECG without electrodes still shares its beat with the pleth.
        let beats = per_second(Parameter::Hr).or(per_second(Parameter::Pr));
        let beats = beats.unwrap_or(0.0);
        let breaths = per_second(Parameter::Rr).unwrap_or(0.0);
        let mut chunks = Vec::new();
        for (channel, curve) in (100_u64..).zip(Curve::ALL) {
            let reading = scene.numerics.get(&curve.needs());
            let Some(size) = reading.and_then(|reading| reading.value()).map(number) else {
                continue;
            };
            let rate = u64::from(curve.rate_hz());
            let index = |at: Duration| {
                u64::try_from(at.as_micros())
                    .unwrap_or(u64::MAX)
                    .saturating_mul(rate)
                    / 1_000_000
            };
            let samples: Vec<_> = (index(from)..index(to))
                .map(|index| {
                    let at = Duration::from_micros((index + 1).saturating_mul(1_000_000) / rate);
                    let since = at.saturating_sub(from).as_secs_f64();
                    let value = curve.draw(
                        (self.beat + beats * since).fract(),
                        (self.breath + breaths * since).fract(),
                        size,
                    );
                    Some(count(value + 2.0 * self.noise.draw(channel, index)))
                })
                .collect();
            if samples.is_empty() {
                continue;
            }
            let (unit, places) = curve.scale();
            chunks.push(WaveChunk {
                label: curve.label().into(),
                rate_hz: curve.rate_hz(),
                resolution: Decimal::new(1, places),
                unit,
                samples,
            });
        }
        let passed = (to - from).as_secs_f64();
        self.beat = (self.beat + beats * passed).fract();
        self.breath = (self.breath + breaths * passed).fract();
        self.drawn_to = to;
        chunks
    }
}

/// A numeric as a float: at most four digits before the point and three behind it matter here.
fn number(value: Decimal) -> f64 {
    let thousandths = value.rounded(3).unwrap_or(0).clamp(0, 9_999_999);
    f64::from(i32::try_from(thousandths).unwrap_or(0)) / 1_000.0
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded, and clamped far inside the range"
)]
fn count(value: f64) -> i32 {
    value.round().clamp(-30_000.0, 30_000.0) as i32
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::*;

    fn drawn(name: &str, from: u64, steps: &[u64]) -> Vec<WaveChunk> {
        let scenario = Scenario::named(name).unwrap();
        let mut waves = Waves::new(Duration::from_millis(from));
        let mut whole: Vec<WaveChunk> = Vec::new();
        let mut at = from;
        for step in steps {
            at += step;
            let at = Duration::from_millis(at);
            for chunk in waves.draw(at, &scenario.at(at)) {
                match whole.iter_mut().find(|known| known.label == chunk.label) {
                    Some(known) => known.samples.extend(chunk.samples),
                    None => whole.push(chunk),
                }
            }
        }
        whole
    }

    #[test]
    fn no_sample_is_lost_or_doubled_however_often_it_is_asked() {
        let uneven: Vec<u64> = (0..200).map(|step| 13 + step * 7 % 90).collect();
        let total: u64 = uneven.iter().sum();
        for chunk in drawn("stable", 5_000, &uneven) {
            let rate = u64::from(chunk.rate_hz);
            let expected = (5_000 + total) * rate / 1_000 - 5_000 * rate / 1_000;
            assert_eq!(chunk.samples.len() as u64, expected, "{}", chunk.label);
        }
    }

    #[test]
    fn a_moment_too_short_for_a_sample_gives_no_chunk() {
        let chunks = drawn("stable", 1_000, &[2]);
        assert!(chunks.iter().all(|chunk| !chunk.samples.is_empty()));
    }

    #[test]
    fn the_r_waves_come_at_the_heart_rate() {
        let minute = vec![100; 600];
        let chunks = drawn("stable", 0, &minute);
        let ecg = chunks
            .iter()
            .find(|chunk| &*chunk.label == "ecg-ii")
            .unwrap();
        let beats = ecg
            .samples
            .windows(2)
            .filter(|pair| pair[0].unwrap() < 500 && pair[1].unwrap() >= 500)
            .count();
        assert!((66..=78).contains(&beats), "{beats}");
        assert_eq!(ecg.resolution, Decimal::new(1, 3));
        assert_eq!(ecg.unit, "mV");
    }

    #[test]
    fn a_sensor_that_is_off_has_no_curve() {
        let chunks = drawn("probe-off", 70_000, &[1_000]);
        let labels: Vec<_> = chunks.iter().map(|chunk| &*chunk.label).collect();
        assert_eq!(labels, ["ecg-ii", "resp", "co2"]);
    }

    #[test]
    fn a_long_pause_is_not_caught_up_without_bound() {
        for chunk in drawn("stable", 0, &[10_000_000]) {
            assert_eq!(chunk.samples.len(), 60 * chunk.rate_hz as usize);
        }
    }
}
