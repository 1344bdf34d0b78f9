//! The fields of the esketamine monitoring form (dossier 6), as far as the record can tell.
//!
//! What the record does not know is told as unknown; a person signs the form.

use super::Stamp;
use super::model::{Alarm, CuffReading, Finding, Lengths, Pressure, Rems, Score, Series};
use crate::vocabulary::{Decimal, Parameter, ParameterId, Priority, Rule};

/// What the form looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub cuff: &'a [CuffReading],
    pub series: &'a [Series],
    pub scores: &'a [Score],
    pub alarms: &'a [Alarm],
    pub lengths: &'a Lengths,
    pub started: Option<Stamp>,
}

impl Seen<'_> {
    fn of(&self, scale: &str) -> impl Iterator<Item = &Score> {
        let mut scores: Vec<&Score> = self
            .scores
            .iter()
            .filter(|score| score.scale == scale && score.corrected_by.is_none())
            .collect();
        scores.sort_by_key(|score| score.at);
        scores.into_iter()
    }

    fn pressures(&self) -> impl DoubleEndedIterator<Item = Pressure> {
        self.cuff.iter().filter_map(|reading| {
            let (sys, dia) = reading.sys.zip(reading.dia)?;
            Some(Pressure {
                seq: reading.seq,
                at: reading.at,
                sys,
                dia,
            })
        })
    }

    /// A score on the wrong side of its normal value after the first start, until the first normal one after the
    /// last such.
    fn by_score(&self, scale: &str, is_found: impl Fn(Decimal) -> bool) -> Finding {
        let Some(started) = self.started else {
            return Finding::default();
        };
        let mut finding = Finding::default();
        for score in self.of(scale).filter(|score| score.at >= started) {
            if is_found(score.value) {
                finding.found = Some(true);
                finding.from.get_or_insert(score.at);
                finding.to = None;
            } else {
                finding.found.get_or_insert(false);
                if finding.from.is_some() {
                    finding.to.get_or_insert(score.at);
                }
            }
        }
        finding
    }

    fn respiratory(&self) -> Finding {
        let Some(started) = self.started else {
            return Finding::default();
        };
        let mut finding = Finding {
            // Without a reading of respiration or saturation nothing speaks about it.
            found: self
                .series
                .iter()
                .any(|series| {
                    [Parameter::Spo2, Parameter::Rr]
                        .into_iter()
                        .any(|known| series.parameter == ParameterId::Known(known))
                })
                .then_some(false),
            ..Finding::default()
        };
        let mut stands = false;
        for alarm in self.alarms {
            let about = match alarm.rule {
                Rule::RrLow | Rule::NoBreath => true,
                Rule::Spo2Low => alarm.priority >= Priority::Medium,
                Rule::RateLow
                | Rule::RateHigh
                | Rule::PulseLost
                | Rule::SbpHigh
                | Rule::SbpLow
                | Rule::DbpHigh
                | Rule::MapLow
                | Rule::RrHigh
                | Rule::Oversedated
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
                | Rule::QueueFull
                | Rule::Pump => false,
            };
            let after_start = alarm.over_at.is_none_or(|over| over >= started);
            if !about || !after_start {
                continue;
            }
            finding.found = Some(true);
            let began = alarm.began_at.unwrap_or(started).max(started);
            finding.from = Some(finding.from.map_or(began, |from| from.min(began)));
            stands |= alarm.over_at.is_none();
            finding.to = finding.to.max(alarm.over_at);
        }
        if stands {
            finding.to = None;
        }
        finding
    }

    /// The fields of the form.
    pub(super) fn rems(&self) -> Rems {
        let Some(started) = self.started else {
            return Rems::default();
        };
        let minutes = |minutes: i64| minutes * 60_000;
        let since = |pressure: &Pressure| pressure.at.millis() - started.millis();
        Rems {
            pressure_before: self.pressures().rfind(|pressure| pressure.at <= started),
            pressure_at_40_min: self
                .pressures()
                .filter(|pressure| (minutes(30)..=minutes(50)).contains(&since(pressure)))
                .min_by_key(|pressure| (since(pressure) - minutes(40)).abs()),
            pressure_before_end: self.pressures().rfind(|pressure| pressure.at > started),
            sedation: self.by_score("moaas", |value| value < Decimal::whole(5)),
            dissociation: self.by_score("dissociation", |value| value > Decimal::ZERO),
            respiratory_depression: self.respiratory(),
            minutes: self.lengths.since_first_dose_s.map(|seconds| seconds / 60),
        }
    }
}
