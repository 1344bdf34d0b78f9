//! What the checklist and the scores rest on: the last cuff readings, since when the saturation is good,
//! and the items of the scores that follow from readings. Owned by the session; computed, never entered.

use super::feeds::RATE_SOURCES;
use super::kernel::Engine;
use super::session::Stamped;
use crate::vocabulary::{Moment, Parameter};
use std::time::Duration;

/// Items of scores that follow from readings (clinical 5.1, 5.2); `None` where they do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComputedScores {
    /// Aldrete, oxygen: 2 above 92 %; what is less depends on the oxygen that nobody tells us.
    pub aldrete_oxygen: Option<u8>,
    /// Aldrete, circulation: pressure against the baseline.
    pub aldrete_circulation: Option<u8>,
    /// PADSS, vital signs: pressure and rate against the baseline.
    pub padss_vital_signs: Option<u8>,
}

/// A systolic pressure with its diastolic, of one cuff reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    number: u64,
    /// When it was received.
    pub at: Moment,
    /// Systolic.
    pub sys: i64,
    /// Diastolic, where told.
    pub dia: Option<i64>,
}

/// The last two cuff readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastPressures {
    /// The newest.
    pub last: Option<Pressure>,
    /// The one before.
    pub before: Option<Pressure>,
}

impl LastPressures {
    /// What is known now of the reading with this number; without a systolic it is none.
    pub fn follow(&mut self, number: u64, at: Moment, sys: Option<i64>, dia: Option<i64>) {
        let is_last = self.last.is_some_and(|last| last.number == number);
        match sys {
            Some(sys) => {
                let reading = Pressure {
                    number,
                    at,
                    sys,
                    dia,
                };
                if !is_last {
                    self.before = self.last;
                }
                self.last = Some(reading);
            }
            None if is_last => {
                self.last = self.before.take();
            }
            None => {}
        }
    }
}

/// Since when the saturation is good without an interruption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoodSaturation {
    since: Option<Moment>,
    /// Until when the last good reading counts.
    until: Moment,
}

impl GoodSaturation {
    /// A reading that counts until `until`.
    pub fn follow(&mut self, is_good: bool, now: Moment, until: Moment) {
        if !is_good {
            self.since = None;
        } else if self.since.is_none() || self.until < now {
            self.since = Some(now);
        }
        self.until = until;
    }

    /// For how long it has been good.
    pub fn span(&self, now: Moment) -> Option<Duration> {
        let since = self.since.filter(|_| now <= self.until)?;
        Some(now.since(since))
    }
}

/// Points for a distance from the baseline: within 20 %, up to `one_up_to` %, beyond.
fn points(value: i64, baseline: i64, one: impl Fn(i64, i64) -> bool) -> u8 {
    let distance = value.saturating_sub(baseline).saturating_abs() * 100;
    if distance <= 20 * baseline {
        2
    } else {
        u8::from(one(distance, baseline))
    }
}

impl Engine {
    /// Follows the saturation for the checklist.
    pub(super) fn follow_saturation(&mut self) {
        let now = self.at;
        let gap = self.profile.persistence.suspend_up_to;
        let Some((level, until)) = self
            .feeds
            .usable(Parameter::Spo2, now)
            .and_then(|(_, held)| Some((held.level?, held.until)))
        else {
            return;
        };
        let least = self.profile.discharge.spo2;
        if let Some(session) = self.session.as_mut() {
            let least = session
                .baseline
                .get(Parameter::Spo2)
                .map_or(least, |baseline| baseline.min(least));
            session
                .saturation
                .follow(level >= least, now, until.after(gap));
        }
    }

    /// Items of the scores that follow from the readings of this moment.
    pub fn computed_scores(&self) -> ComputedScores {
        let Some(session) = self.session.as_ref() else {
            return ComputedScores::default();
        };
        let now = self.at;
        let of = |parameter| {
            self.feeds
                .usable(parameter, now)
                .and_then(|(_, held)| held.level)
        };
        let sys = of(Parameter::NibpSys)
            .or_else(|| of(Parameter::ArtSys))
            .zip(session.usual_sys());
        let rate = self.feeds.usable_rate(now).and_then(|(source, _, held)| {
            let baseline = session
                .baseline
                .get(source)
                .or_else(|| session.baseline.first_of(&RATE_SOURCES))?;
            Some((held.level?, baseline))
        });
        // Aldrete gives 1 for 20 to 49 % and 0 from 50 % on; PADSS gives 1 up to 40 %.
        let below_half = |distance: i64, baseline: i64| distance < 50 * baseline;
        let up_to_forty = |distance: i64, baseline: i64| distance <= 40 * baseline;
        ComputedScores {
            aldrete_oxygen: of(Parameter::Spo2).filter(|spo2| *spo2 > 92).map(|_| 2),
            aldrete_circulation: sys.map(|(sys, usual)| points(sys, usual, below_half)),
            padss_vital_signs: sys.zip(rate).map(|((sys, usual), (rate, baseline))| {
                points(sys, usual, up_to_forty).min(points(rate, baseline, up_to_forty))
            }),
        }
    }
}

/// A self-test of lamps and sounds, as a person confirmed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// When.
    pub done: Stamped,
    /// Whether every colour was seen.
    pub lamps: bool,
    /// Whether every sound was heard.
    pub sounds: bool,
    /// By whom, when known.
    pub by: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_follow_the_tables() {
        let below_half = |distance: i64, baseline: i64| distance < 50 * baseline;
        let up_to_forty = |distance: i64, baseline: i64| distance <= 40 * baseline;
        for (value, aldrete, padss) in [
            (120, 2, 2),
            (144, 2, 2),
            (96, 2, 2),
            (145, 1, 1),
            (168, 1, 1),
            (169, 1, 0),
            (179, 1, 0),
            (180, 0, 0),
            (60, 0, 0),
            (61, 1, 0),
        ] {
            assert_eq!(points(value, 120, below_half), aldrete, "{value}");
            assert_eq!(points(value, 120, up_to_forty), padss, "{value}");
        }
    }

    #[test]
    fn a_withdrawn_reading_leaves_the_one_before() {
        let at = Moment::from_secs;
        let mut last = LastPressures::default();
        last.follow(1, at(1), Some(120), Some(80));
        last.follow(2, at(2), Some(130), None);
        last.follow(2, at(2), Some(130), Some(85));
        assert_eq!(last.before.map(|before| before.sys), Some(120));
        last.follow(2, at(2), None, None);
        assert_eq!(last.last.map(|last| last.sys), Some(120));
        last.follow(3, at(3), None, None);
        assert_eq!(last.last.map(|last| last.sys), Some(120));
    }

    #[test]
    fn a_gap_or_a_low_reading_starts_the_minutes_again() {
        let at = Moment::from_secs;
        let mut good = GoodSaturation::default();
        for second in 0..600 {
            good.follow(true, at(second), at(second + 40));
        }
        assert_eq!(good.span(at(600)), Some(Duration::from_secs(600)));
        assert_eq!(good.span(at(640)), None, "no reading for too long");
        good.follow(true, at(641), at(681));
        assert_eq!(good.span(at(650)), Some(Duration::from_secs(9)));
        good.follow(false, at(651), at(691));
        assert_eq!(good.span(at(652)), None);
    }
}
