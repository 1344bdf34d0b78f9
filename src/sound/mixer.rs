//! What is heard, decided sample by sample from the cue.
//!
//! Promises: a rise to a higher priority starts its burst with the next sample; the first burst of an
//! alarm is heard whole even when its condition is over sooner (IEC 60601-1-8, 6.10); a burst that
//! repeats never starts less than 2.5 s after the last. It counts samples and knows no clock.

use super::tone::{Burst, FALL, Melody, SILENCE, quantise};
use crate::board::Cue;
use crate::engine::{Loudness, Sounding};
use crate::vocabulary::Priority;

/// Turns cues into samples.
#[derive(Debug)]
pub struct Mixer {
    cue: Cue,
    /// The burst being played.
    burst: Option<Burst>,
    /// Whether it is the first since the sound began or changed its priority.
    first: bool,
    /// Whether the next burst will be.
    fresh: bool,
    /// Samples until the next burst.
    next_in: Option<u32>,
    /// Samples since the last burst ended.
    quiet: u32,
    /// A burst that was cut off, and the samples in which it dies away.
    fading: Option<(Burst, u32)>,
    /// A burst that a person asked to hear. It is a voice of its own, so that nothing about an alarm
    /// depends on it, and it dies away with the first sample of a cue.
    test: Option<Burst>,
    /// The end of a test that an alarm cut off.
    test_fading: Option<(Burst, u32)>,
}

impl Default for Mixer {
    fn default() -> Self {
        Self {
            cue: Cue::default(),
            burst: None,
            first: false,
            fresh: false,
            next_in: None,
            quiet: u32::MAX,
            fading: None,
            test: None,
            test_fading: None,
        }
    }
}

impl Mixer {
    /// Fills `out` with what is to be heard next while `cue` stands: S16, mono,
    /// [`SAMPLE_RATE`](super::SAMPLE_RATE).
    pub fn fill(&mut self, cue: Cue, out: &mut [i16]) {
        self.take(cue);
        if cue.sounding != Sounding::None || self.burst.is_some() {
            self.end_test();
        }
        let tests = self.test.is_some() || self.test_fading.is_some();
        if self.burst.is_none() && self.fading.is_none() && self.next_in.is_none() && !tests {
            // Nearly always: nothing to hear and nothing to come.
            let span = u32::try_from(out.len()).unwrap_or(u32::MAX);
            self.quiet = self.quiet.saturating_add(span);
            out.fill(0);
            return;
        }
        for sample in out {
            *sample = self.next();
        }
    }

    /// Plays one burst of this priority for a person who tests the sound, unless an alarm sounds.
    pub fn test(&mut self, priority: Priority) {
        if self.cue.sounding == Sounding::None && self.burst.is_none() {
            self.test = Some(Burst::new(priority, Melody::of(None)));
        }
    }

    fn end_test(&mut self) {
        if let Some(burst) = self.test.take() {
            self.test_fading = Some((burst, FALL));
        }
    }

    /// What is heard of a test now.
    fn test_level(&mut self) -> f64 {
        let mut level = 0.0;
        if let Some(burst) = &mut self.test {
            level += burst.next(Loudness::default());
            if burst.left() == 0 {
                self.test = None;
            }
        }
        if let Some((burst, left)) = &mut self.test_fading {
            level += burst.next(Loudness::default()) * f64::from(*left) / f64::from(FALL);
            *left -= 1;
            if *left == 0 {
                self.test_fading = None;
            }
        }
        level
    }

    /// Falls silent now, even within a first burst: somebody pressed audio pause.
    pub fn hush(&mut self) {
        self.end_test();
        self.next_in = None;
        self.cut();
    }

    /// Reacts to a change of the cue.
    fn take(&mut self, cue: Cue) {
        let before = std::mem::replace(&mut self.cue, cue);
        let again = cue.sounding == Sounding::Low && before.turn != cue.turn;
        if cue.sounding == before.sounding && !again {
            return;
        }
        let Some(priority) = priority(cue.sounding) else {
            self.next_in = None;
            if !self.first {
                self.cut();
            }
            return;
        };
        self.fresh = true;
        let playing = self.burst.as_ref().map(Burst::priority);
        if playing < Some(priority) && cue.sounding > before.sounding {
            self.cut();
            self.next_in = Some(0);
        } else {
            let left = self.burst.as_ref().map(Burst::left);
            self.next_in = Some(left.map_or_else(
                || SILENCE.saturating_sub(self.quiet),
                |left| left.saturating_add(SILENCE),
            ));
        }
    }

    /// Ends the burst without a click.
    fn cut(&mut self) {
        if let Some(burst) = self.burst.take() {
            self.fading = Some((burst, FALL));
            self.quiet = 0;
        }
    }

    fn next(&mut self) -> i16 {
        match self.next_in {
            Some(0) => self.start(),
            Some(left) => self.next_in = Some(left - 1),
            None => {}
        }
        let mut level = self.test_level();
        if let Some(burst) = &mut self.burst {
            level += burst.next(self.cue.loudness);
            if burst.left() == 0 {
                self.burst = None;
                self.quiet = 0;
            }
        } else {
            self.quiet = self.quiet.saturating_add(1);
        }
        if let Some((burst, left)) = &mut self.fading {
            level += burst.next(self.cue.loudness) * f64::from(*left) / f64::from(FALL);
            *left -= 1;
            if *left == 0 {
                self.fading = None;
            }
        }
        quantise(level)
    }

    /// Starts the burst that the cue asks for; this sample is the first of its period.
    fn start(&mut self) {
        self.next_in = None;
        if let Some(priority) = priority(self.cue.sounding) {
            let burst = Burst::new(priority, Melody::of(self.cue.rule));
            self.next_in = burst.period().map(|period| period - 1);
            self.burst = Some(burst);
            self.first = std::mem::take(&mut self.fresh);
        }
    }
}

/// The priority whose pattern is heard.
const fn priority(sounding: Sounding) -> Option<Priority> {
    match sounding {
        Sounding::None => None,
        Sounding::Low => Some(Priority::Low),
        Sounding::Medium => Some(Priority::Medium),
        Sounding::High => Some(Priority::High),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::tone::SAMPLE_RATE;
    use crate::vocabulary::Rule;
    use proptest::prelude::*;

    const MS: usize = SAMPLE_RATE as usize / 1_000;

    fn cue(sounding: Sounding) -> Cue {
        Cue {
            sounding,
            rule: Some(Rule::Spo2Low),
            ..Cue::default()
        }
    }

    /// Plays each cue for its milliseconds.
    fn play(mixer: &mut Mixer, script: &[(Cue, usize)]) -> Vec<i16> {
        let mut all = Vec::new();
        for &(cue, milliseconds) in script {
            let mut part = vec![0; milliseconds * MS];
            mixer.fill(cue, &mut part);
            all.extend(part);
        }
        all
    }

    /// Start and length of every pulse in milliseconds: sound after at least 30 ms of silence.
    fn pulses(samples: &[i16]) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (millisecond, window) in samples.chunks(MS).enumerate() {
            if window.iter().all(|&sample| sample.unsigned_abs() < 8) {
                continue;
            }
            match found.last_mut() {
                Some((start, length)) if millisecond < *start + *length + 30 => {
                    *length = millisecond + 1 - *start;
                }
                _ => found.push((millisecond, 1)),
            }
        }
        found
    }

    fn starts(samples: &[i16]) -> Vec<usize> {
        pulses(samples)
            .into_iter()
            .map(|(start, _)| start)
            .collect()
    }

    /// Samples in which a test that an alarm cuts off dies away.
    const TAIL: usize = FALL as usize;

    proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

            /// Whatever is tested when, an alarm is heard exactly as without the test: at its own time, as
            /// loud, as long, as often. Only the 20 ms in which a cut-off test dies away may differ.
            #[test]
            fn a_test_never_lowers_delays_or_masks_a_cue(
                script in prop::collection::vec(
                    (0_u8..4, 1_usize..40, 0_u8..4), 1..16,
                ),
            ) {
                let (mut plain, mut tested) = (Mixer::default(), Mixer::default());
                let mut dying = 0;
                for (sounding, length, test) in script {
                    let cue = Cue { sounding: match sounding {
                        0 | 1 => Sounding::None,
                        2 => Sounding::Medium,
                        _ => Sounding::High,
                    }, ..Cue::default() };
                    let is_testing = tested.test.is_some();
                    if let Some(priority) = priority(match test {
                        1 => Sounding::Low,
                        2 => Sounding::Medium,
                        3 => Sounding::High,
                        _ => Sounding::None,
                    }) {
                        tested.test(priority);
                    }
                    let (mut one, mut other) = (vec![0; length * 20 * MS], vec![0; length * 20 * MS]);
                    plain.fill(cue, &mut one);
                    tested.fill(cue, &mut other);
                    let alarms = cue.sounding != Sounding::None || plain.burst.is_some();
                    if alarms && (is_testing || test > 0) {
                        dying = TAIL;
                    }
                    if alarms {
                        prop_assert_eq!(&one[dying.min(one.len())..], &other[dying.min(other.len())..]);
                    }
                    dying = 0;
                    prop_assert_eq!(plain.quiet, tested.quiet);
                    prop_assert_eq!(plain.next_in, tested.next_in);
                }
            }
        }

    #[test]
    fn a_test_is_one_burst_and_a_pause_ends_it() {
        let mut mixer = Mixer::default();
        mixer.test(Priority::High);
        let heard = play(&mut mixer, &[(cue(Sounding::None), 15_000)]);
        assert_eq!(starts(&heard), BURST);
        mixer.test(Priority::High);
        play(&mut mixer, &[(cue(Sounding::None), 300)]);
        mixer.hush();
        let after = play(&mut mixer, &[(cue(Sounding::None), 5_000)]);
        assert!(after[TAIL..].iter().all(|&sample| sample == 0));
        // While an alarm sounds there is no test.
        let mut alarming = Mixer::default();
        play(&mut alarming, &[(cue(Sounding::Medium), 10)]);
        alarming.test(Priority::High);
        assert!(alarming.test.is_none());
    }

    const BURST: [usize; 10] = [0, 250, 500, 1_000, 1_250, 1_900, 2_150, 2_400, 2_900, 3_150];

    #[test]
    fn high_is_ten_pulses_every_ten_seconds() {
        let heard = play(&mut Mixer::default(), &[(cue(Sounding::High), 20_000)]);
        let twice = BURST.into_iter().chain(BURST.map(|start| start + 10_000));
        assert_eq!(starts(&heard), twice.collect::<Vec<_>>());
        assert!(
            pulses(&heard)
                .iter()
                .all(|(_, length)| (165..=170).contains(length))
        );
    }

    #[test]
    fn medium_is_three_pulses_every_fifteen_seconds() {
        let heard = play(&mut Mixer::default(), &[(cue(Sounding::Medium), 30_000)]);
        assert_eq!(starts(&heard), [0, 360, 720, 15_000, 15_360, 15_720]);
    }

    #[test]
    fn low_is_one_tone_once_and_again_with_every_turn() {
        let again = Cue {
            turn: 1,
            ..cue(Sounding::Low)
        };
        let script = [(cue(Sounding::Low), 40_000), (again, 40_000)];
        assert_eq!(starts(&play(&mut Mixer::default(), &script)), [0, 40_000]);
    }

    #[test]
    fn nothing_is_silence() {
        let heard = play(&mut Mixer::default(), &[(Cue::default(), 5_000)]);
        assert!(heard.iter().all(|&sample| sample == 0));
    }

    #[test]
    fn a_rise_starts_at_once_even_within_a_pulse() {
        let script = [(cue(Sounding::Medium), 100), (cue(Sounding::High), 3_400)];
        let heard = play(&mut Mixer::default(), &script);
        let high: Vec<_> = starts(&heard[100 * MS..]);
        // The cut pulse dies away under the rise of the first high pulse.
        assert_eq!(high, BURST);
        let step = heard.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
        assert!(step.unwrap() < 3_000, "a click: {step:?}");
    }

    #[test]
    fn a_short_alarm_gets_one_full_burst() {
        for (sounding, expected) in [
            (Sounding::High, 10),
            (Sounding::Medium, 3),
            (Sounding::Low, 1),
        ] {
            let script = [(cue(sounding), 20), (Cue::default(), 30_000)];
            let heard = play(&mut Mixer::default(), &script);
            assert_eq!(pulses(&heard).len(), expected);
        }
    }

    #[test]
    fn a_long_alarm_ends_within_its_fall() {
        let script = [(cue(Sounding::High), 10_600), (Cue::default(), 10_000)];
        let heard = play(&mut Mixer::default(), &script);
        let last = pulses(&heard).pop().unwrap();
        assert_eq!(last.0, 10_500);
        assert!(last.0 + last.1 <= 10_621);
    }

    #[test]
    fn a_pause_silences_the_first_burst_too() {
        let mut mixer = Mixer::default();
        let mut heard = play(&mut mixer, &[(cue(Sounding::High), 300)]);
        mixer.fill(Cue::default(), &mut []);
        mixer.hush();
        heard.extend(play(&mut mixer, &[(Cue::default(), 20_000)]));
        let last = pulses(&heard).pop().unwrap();
        assert!(last.0 + last.1 <= 321);
        // When the pause is over, what still stands sounds at once.
        let after = play(&mut mixer, &[(cue(Sounding::High), 4_000)]);
        assert_eq!(starts(&after), BURST);
    }

    #[test]
    fn stepping_down_finishes_the_burst_and_leaves_silence() {
        let script = [
            (cue(Sounding::High), 1_000),
            (cue(Sounding::Medium), 30_000),
        ];
        let heard = play(&mut Mixer::default(), &script);
        let all = starts(&heard);
        assert_eq!(all[..10], BURST);
        // 3150 + 150 + 20 ms of burst, then 2.5 s of silence.
        assert_eq!(all[10..], [5_820, 6_180, 6_540, 20_820, 21_180, 21_540]);
    }

    #[test]
    fn loudness_rises_with_the_next_pulse() {
        let mut louder = cue(Sounding::High);
        louder.loudness = 1;
        let script = [(cue(Sounding::High), 300), (louder, 500)];
        let heard = play(&mut Mixer::default(), &script);
        let peak = |from: usize| {
            let pulse = &heard[from * MS..(from + 150) * MS];
            f64::from(
                pulse
                    .iter()
                    .map(|sample| sample.unsigned_abs())
                    .max()
                    .unwrap(),
            )
        };
        // The second pulse had begun: it keeps its level. The third is 6 dB up.
        let rise = |from: usize| 20.0 * (peak(from) / peak(0)).log10();
        assert!(rise(250).abs() < 1.0, "{}", rise(250));
        assert!((5.0..7.0).contains(&rise(500)), "{}", rise(500));
    }

    fn any_cue() -> impl Strategy<Value = Cue> {
        (0_u64..4, 0_u64..40, 0_u64..4, 0_u64..3).prop_map(|(sounding, rule, loudness, turn)| {
            Cue::unpack(sounding | rule << 8 | loudness << 16 | turn << 24)
        })
    }

    proptest! {
        // Each case synthesises half a minute of sound.
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// What is heard depends on when the cue changed, not on how the samples were asked for.
        #[test]
        fn chunks_do_not_matter(
            script in prop::collection::vec((any_cue(), 1_usize..3_000), 1..6),
            chunk in 1_usize..2_000,
        ) {
            let whole = play(&mut Mixer::default(), &script);
            let mut mixer = Mixer::default();
            let mut parts = Vec::new();
            for (cue, milliseconds) in script {
                let mut part = vec![0; milliseconds * MS];
                for piece in part.chunks_mut(chunk) {
                    mixer.fill(cue, piece);
                }
                parts.extend(part);
            }
            prop_assert!(whole == parts);
        }

        /// Whatever came before, a rise to high is heard at once and whole.
        #[test]
        fn high_is_never_missed(
            script in prop::collection::vec((any_cue(), 1_usize..4_000), 0..6),
        ) {
            let mut mixer = Mixer::default();
            play(&mut mixer, &script);
            // Something lower first, so that this is a rise, and time for a finishing burst.
            play(&mut mixer, &[(Cue::default(), 4_000)]);
            let heard = play(&mut mixer, &[(cue(Sounding::High), 3_400)]);
            prop_assert_eq!(starts(&heard), BURST);
        }
    }
}
