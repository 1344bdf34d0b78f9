//! The three alarm sounds in numbers: when pulses start, how they rise and fall, which notes they play.
//!
//! Promises: every figure lies inside the ranges of IEC 60601-1-8 Tables 3 and 4 as quoted in the alarm
//! requirements (docs/alarms.md), counted in samples so that a test can measure it. No clock, no I/O.

use crate::engine::Loudness;
use crate::vocabulary::{Priority, Rule};
use std::f64::consts::TAU;

/// Samples a second.
pub const SAMPLE_RATE: u32 = 48_000;

/// How long a pulse takes to die away after its length is over: long enough not to click, short enough
/// to leave most of the shortest spacing (100 ms) silent.
pub(super) const FALL: u32 = milliseconds(20);

/// The least silence between two bursts (Table 3: 2.5 s).
pub(super) const SILENCE: u32 = milliseconds(2_500);

/// Peak of the loudest step below full scale, dB: room for a fading pulse under a new one.
const LOUDEST_DB: i8 = -1;
/// One loudness step, dB: plainly louder, as bedside monitors step.
const STEP_DB: i8 = 6;
/// Steps above the first (engine.md 6: one after 30 s, one more after 60 s).
const STEPS: Loudness = 2;

/// Fundamental and harmonics 2 to 6 with their strength. From the lowest note (262 Hz) to the highest
/// (523 Hz) at least four harmonics lie in 300–4000 Hz, all within 8 dB of the fundamental (the standard
/// asks for 15), so that small speakers and old ears find something to hear.
const PARTIALS: [f64; 6] = [1.0, 0.8, 0.6, 0.5, 0.45, 0.4];

const fn milliseconds(span: u32) -> u32 {
    span * (SAMPLE_RATE / 1_000)
}

/// Frequencies of the notes, Hz (equal temperament, whole numbers).
mod note {
    pub const C4: u16 = 262;
    pub const D4: u16 = 294;
    pub const E4: u16 = 330;
    pub const F4: u16 = 349;
    pub const G4: u16 = 392;
    pub const A4: u16 = 440;
    pub const B4: u16 = 494;
    pub const C5: u16 = 523;
}

/// Five notes that tell what an alarm is about (the melodies of the 2006 edition of IEC 60601-1-8):
/// high plays all, twice; medium the first three; low the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Melody([u16; 5]);

impl Melody {
    /// Anything without a melody of its own.
    pub const GENERAL: Self = Self([note::C4; 5]);
    /// Heart rate, pulse and pressure.
    pub const CARDIOVASCULAR: Self = Self([note::C4, note::E4, note::G4, note::G4, note::C5]);
    /// Oxygen saturation.
    pub const OXYGEN: Self = Self([note::C5, note::B4, note::A4, note::G4, note::F4]);
    /// Breathing.
    pub const VENTILATION: Self = Self([note::C4, note::A4, note::F4, note::A4, note::F4]);
    /// The pump.
    pub const DRUG_DELIVERY: Self = Self([note::C5, note::D4, note::G4, note::C5, note::D4]);

    /// The melody of the rule that sounds.
    pub const fn of(rule: Option<Rule>) -> Self {
        let Some(rule) = rule else {
            return Self::GENERAL;
        };
        match rule {
            Rule::Spo2Low => Self::OXYGEN,
            Rule::RateLow
            | Rule::RateHigh
            | Rule::PulseLost
            | Rule::SbpHigh
            | Rule::DbpHigh
            | Rule::SbpLow
            | Rule::MapLow => Self::CARDIOVASCULAR,
            Rule::RrLow | Rule::RrHigh | Rule::NoBreath => Self::VENTILATION,
            Rule::Pump => Self::DRUG_DELIVERY,
            Rule::Oversedated
            | Rule::FeedLost
            | Rule::Missing
            | Rule::Sensor
            | Rule::CuffFailed
            | Rule::CuffOverdue
            | Rule::ScoreOverdue
            | Rule::Implausible
            | Rule::WrongPatient
            | Rule::FeedsDisagree
            | Rule::RateDiffers
            | Rule::SlowFeed
            | Rule::Restarted
            | Rule::SessionOpen
            | Rule::DeviceAlert
            | Rule::Clock
            | Rule::Journal
            | Rule::Disk
            | Rule::Sound
            | Rule::Display
            | Rule::QueueFull => Self::GENERAL,
        }
    }

    /// The fundamental of the burst's pulse at `place`, Hz; after the fifth note it begins again.
    fn note(self, place: usize) -> u16 {
        self.0.into_iter().cycle().nth(place).unwrap_or(note::C4)
    }
}

/// What one priority sounds like. All times in samples.
#[derive(Debug)]
struct Pattern {
    /// Where the pulses of a burst start.
    starts: &'static [u32],
    /// Length of a pulse, rise included, fall not.
    pulse: u32,
    /// From the start of one burst to the start of the next; `None` plays once.
    period: Option<u32>,
    /// Level below a high alarm, dB: a lower priority is never the louder one.
    below_high_db: i8,
}

/// Two groups of five; pulse 150 ms, spacing 100 ms, 350 ms before the fourth, 500 ms between the groups.
static HIGH: Pattern = Pattern {
    starts: &[
        milliseconds(0),
        milliseconds(250),
        milliseconds(500),
        milliseconds(1_000),
        milliseconds(1_250),
        milliseconds(1_900),
        milliseconds(2_150),
        milliseconds(2_400),
        milliseconds(2_900),
        milliseconds(3_150),
    ],
    pulse: milliseconds(150),
    period: Some(milliseconds(10_000)),
    below_high_db: 0,
};

/// Three pulses of 180 ms with 180 ms between them.
static MEDIUM: Pattern = Pattern {
    starts: &[milliseconds(0), milliseconds(360), milliseconds(720)],
    pulse: milliseconds(180),
    period: Some(milliseconds(15_000)),
    below_high_db: 3,
};

/// One tone, once.
static LOW: Pattern = Pattern {
    starts: &[milliseconds(0)],
    pulse: milliseconds(220),
    period: None,
    below_high_db: 6,
};

impl Pattern {
    fn of(priority: Priority) -> &'static Self {
        match priority {
            Priority::Low => &LOW,
            Priority::Medium => &MEDIUM,
            Priority::High => &HIGH,
        }
    }

    /// From the first sample to the end of the last fall.
    fn length(&self) -> u32 {
        self.starts
            .last()
            .map_or(0, |last| last + self.pulse + FALL)
    }

    /// Peak level at this loudness, as a part of full scale.
    fn gain(&self, loudness: Loudness) -> f64 {
        let missing = f64::from(STEPS - loudness.min(STEPS));
        let decibels =
            f64::from(LOUDEST_DB) - missing * f64::from(STEP_DB) - f64::from(self.below_high_db);
        10_f64.powf(decibels / 20.0)
    }

    /// How far a pulse is open, 0 to 1, `at` samples after its start. It rises in a straight line over
    /// 3/16 of its length: 10 % to 90 % takes 15 % of it, and the whole rise less than 20 %.
    fn envelope(&self, at: u32) -> f64 {
        let rise = self.pulse * 3 / 16;
        if at < rise {
            f64::from(at) / f64::from(rise)
        } else if at < self.pulse {
            1.0
        } else {
            f64::from((self.pulse + FALL).saturating_sub(at)) / f64::from(FALL)
        }
    }
}

/// One burst being played, sample by sample.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    priority: Priority,
    pattern: &'static Pattern,
    melody: Melody,
    at: u32,
    pulse: usize,
    gain: f64,
}

impl Burst {
    /// A burst at its first sample.
    pub(super) fn new(priority: Priority, melody: Melody) -> Self {
        Self {
            priority,
            pattern: Pattern::of(priority),
            melody,
            at: 0,
            pulse: 0,
            gain: 0.0,
        }
    }

    /// Whose sound it is.
    pub(super) const fn priority(&self) -> Priority {
        self.priority
    }

    /// From its start to the start of the next, in samples; `None` is played once.
    pub(super) const fn period(&self) -> Option<u32> {
        self.pattern.period
    }

    /// Samples left.
    pub(super) fn left(&self) -> u32 {
        self.pattern.length().saturating_sub(self.at)
    }

    /// The next sample, −1 to 1. Loudness is taken at the start of each pulse: within one it never jumps.
    pub(super) fn next(&mut self, loudness: Loudness) -> f64 {
        let next_start = self.pattern.starts.get(self.pulse + 1);
        if next_start.is_some_and(|&start| self.at >= start) {
            self.pulse += 1;
        }
        let start = self.pattern.starts.get(self.pulse).copied().unwrap_or(0);
        let at = self.at.saturating_sub(start);
        self.at += 1;
        if at == 0 {
            self.gain = self.pattern.gain(loudness);
        }
        let envelope = self.pattern.envelope(at);
        if envelope <= 0.0 {
            return 0.0;
        }
        self.gain * envelope * wave(self.melody.note(self.pulse), at)
    }
}

/// Fundamental and harmonics `at` samples after the pulse's start, −1 to 1.
fn wave(fundamental: u16, at: u32) -> f64 {
    let turns = f64::from(fundamental) * f64::from(at) / f64::from(SAMPLE_RATE);
    let mut order = 0.0;
    let mut sum = 0.0;
    for strength in PARTIALS {
        order += 1.0;
        sum += strength * (TAU * order * turns).sin();
    }
    sum / PARTIALS.iter().sum::<f64>()
}

/// A level as a sample; what would not fit is cut off at full scale.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded and inside the range of i16 before the cast"
)]
pub(super) fn quantise(level: f64) -> i16 {
    let full = f64::from(i16::MAX);
    (level * full).round().clamp(-full, full) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacings_and_lengths_lie_inside_the_standard() {
        let ms = |samples: u32| samples / milliseconds(1);
        let gaps = |pattern: &Pattern| {
            pattern
                .starts
                .windows(2)
                .map(|pair| ms(pair[1] - pair[0] - pattern.pulse))
                .collect::<Vec<_>>()
        };
        // x = 100 ms; 3–4 and 8–9 are 2x + td; the groups are 0.35–1.30 s apart.
        assert_eq!(gaps(&HIGH), [100, 100, 350, 100, 500, 100, 100, 350, 100]);
        assert_eq!(gaps(&MEDIUM), [180, 180]);
        assert!((75..=200).contains(&ms(HIGH.pulse)));
        assert!((125..=250).contains(&ms(MEDIUM.pulse)));
        assert!((125..=250).contains(&ms(LOW.pulse)));
        for pattern in [&HIGH, &MEDIUM] {
            let silence = pattern.period.unwrap() - pattern.length();
            assert!((2_500..=15_000).contains(&ms(silence)));
            // The fall of one pulse is over well before the next begins.
            for pair in pattern.starts.windows(2) {
                assert!(pair[0] + pattern.pulse + FALL < pair[1]);
            }
        }
    }

    #[test]
    fn a_pulse_rises_within_ten_to_twenty_percent_of_its_length() {
        for pattern in [&HIGH, &MEDIUM, &LOW] {
            let first = |level: f64| (0..).find(|&at| pattern.envelope(at) >= level).unwrap();
            for rise in [first(0.9) - first(0.1), first(1.0)] {
                let percent = rise * 100 / pattern.pulse;
                assert!((10..=20).contains(&percent), "{percent} %");
            }
            assert!(pattern.envelope(0).abs() < f64::EPSILON);
            assert!(pattern.envelope(pattern.pulse + FALL).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn four_harmonics_of_every_note_are_heard_within_fifteen_decibels() {
        for melody in [
            Melody::GENERAL,
            Melody::CARDIOVASCULAR,
            Melody::OXYGEN,
            Melody::VENTILATION,
            Melody::DRUG_DELIVERY,
        ] {
            for note in melody.0 {
                assert!((150..=1_000).contains(&note));
                let heard = (2_u16..)
                    .zip(&PARTIALS[1..])
                    .filter(|(order, strength)| {
                        (300..=4_000).contains(&(note * order)) && 20.0 * strength.log10() > -15.0
                    })
                    .count();
                assert!(heard >= 4, "{note} Hz: {heard}");
            }
        }
    }

    #[test]
    fn every_rule_has_a_melody_and_the_patient_ones_differ() {
        assert_eq!(Melody::of(None), Melody::GENERAL);
        assert_eq!(Melody::of(Some(Rule::Spo2Low)), Melody::OXYGEN);
        assert_eq!(Melody::of(Some(Rule::SbpHigh)), Melody::CARDIOVASCULAR);
        assert_eq!(Melody::of(Some(Rule::NoBreath)), Melody::VENTILATION);
        assert_eq!(Melody::of(Some(Rule::Pump)), Melody::DRUG_DELIVERY);
        assert_eq!(Melody::of(Some(Rule::FeedLost)), Melody::GENERAL);
    }

    #[test]
    fn the_level_steps_up_stays_below_full_scale_and_follows_the_priority() {
        for pattern in [&HIGH, &MEDIUM, &LOW] {
            assert!(pattern.gain(0) < pattern.gain(1) && pattern.gain(1) < pattern.gain(2));
            assert!(pattern.gain(2) < 1.0);
            assert!((pattern.gain(2) - pattern.gain(Loudness::MAX)).abs() < f64::EPSILON);
        }
        assert!(HIGH.gain(0) > MEDIUM.gain(0) && MEDIUM.gain(0) > LOW.gain(0));
        assert_eq!(quantise(7.0), i16::MAX);
        assert_eq!(quantise(-7.0), -i16::MAX);
        assert_eq!(quantise(f64::NAN), 0);
    }
}
