//! What the end of a session asks for: the ready-to-leave checklist (dossier 5.4) and the fields of the
//! esketamine monitoring form (dossier 6), as far as the record can tell.
//!
//! Nothing here decides that a patient may leave: what the record does not know is told as unknown.

use super::Stamp;
use super::model::{
    Alarm, Baseline, CheckItem, CheckState, CuffReading, Finding, Lengths, Minute, Pressure, Rems,
    Score, Series,
};
use crate::vocabulary::{Decimal, Parameter, ParameterId, Priority, Rule};

/// What both look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub cuff: &'a [CuffReading],
    pub series: &'a [Series],
    pub minutes: &'a [Minute],
    pub scores: &'a [Score],
    pub alarms: &'a [Alarm],
    pub baseline: &'a [Baseline],
    pub lengths: &'a Lengths,
    pub started: Option<Stamp>,
    pub closed: Option<Stamp>,
}

/// How long saturation must hold before leaving.
const SPO2_MINUTES: usize = 15;
/// The least saturation on room air.
const SPO2_LEAST: i64 = 92;
/// The least Aldrete and PADSS.
const LEAST_SCORE: i64 = 9;
/// The most that a pressure may differ from the baseline, per cent.
const PRESSURE_PERCENT: i64 = 20;

impl Seen<'_> {
    /// The newest score of a scale that was not corrected.
    fn newest(&self, scale: &str) -> Option<&Score> {
        self.of(scale).last()
    }

    fn of(&self, scale: &str) -> impl Iterator<Item = &Score> {
        let mut scores: Vec<&Score> = self
            .scores
            .iter()
            .filter(|score| score.scale == scale && score.corrected_by.is_none())
            .collect();
        scores.sort_by_key(|score| score.at);
        scores.into_iter()
    }

    fn baseline_of(&self, parameter: Parameter) -> Option<Decimal> {
        self.baseline
            .iter()
            .rev()
            .find(|known| known.parameter == parameter)?
            .value
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

    fn score_item(&self, item: &'static str, text: &'static str, least: i64) -> CheckItem {
        let (state, detail) = match self.newest(item) {
            None => (CheckState::Unknown, "no score".to_owned()),
            Some(score) if score.value >= Decimal::whole(least) => {
                (CheckState::Met, score.value.to_string())
            }
            Some(score) => (CheckState::Open, score.value.to_string()),
        };
        CheckItem {
            item,
            text,
            state,
            detail,
        }
    }

    fn minimum_time(&self) -> (CheckState, String) {
        let told = |passed: u64, least: u64| format!("{} of {} min", passed / 60, least / 60);
        let lengths = self.lengths;
        match (
            lengths.observation_s.zip(lengths.minimum_after_end_s),
            lengths
                .since_first_dose_s
                .zip(lengths.minimum_after_start_s),
        ) {
            (Some((after_end, least_end)), Some((after_start, least_start))) => (
                if after_end >= least_end && after_start >= least_start {
                    CheckState::Met
                } else {
                    CheckState::Open
                },
                format!(
                    "{} after the end, {} after the start",
                    told(after_end, least_end),
                    told(after_start, least_start)
                ),
            ),
            (None, Some(_)) => (CheckState::Open, "the infusion has not ended".to_owned()),
            (_, None) => (CheckState::Unknown, "no infusion".to_owned()),
        }
    }

    fn pressure(&self) -> (CheckState, String) {
        let Some(last) = self.pressures().next_back() else {
            return (CheckState::Unknown, "no cuff reading".to_owned());
        };
        let near = |value: Decimal, baseline: Decimal| {
            let hundredfold = |number: Decimal| number.times(Decimal::whole(100));
            let off = value
                .minus(baseline)
                .map(|off| off.max(off.times(Decimal::whole(-1)).unwrap_or(off)))
                .and_then(hundredfold);
            Some(off? <= baseline.times(Decimal::whole(PRESSURE_PERCENT))?)
        };
        let both = [
            (last.sys, Parameter::NibpSys),
            (last.dia, Parameter::NibpDia),
        ]
        .map(|(value, parameter)| near(value, self.baseline_of(parameter)?));
        match both {
            [Some(sys), Some(dia)] => (
                if sys && dia {
                    CheckState::Met
                } else {
                    CheckState::Open
                },
                format!("last {}/{}", last.sys, last.dia),
            ),
            _ => (
                CheckState::Unknown,
                format!("last {}/{}, no baseline", last.sys, last.dia),
            ),
        }
    }

    /// Saturation over the last whole minutes.
    fn saturation(&self) -> (CheckState, String) {
        let least = self
            .baseline_of(Parameter::Spo2)
            .map_or(Decimal::whole(SPO2_LEAST), |baseline| {
                baseline.min(Decimal::whole(SPO2_LEAST))
            });
        let from = self.minutes.len().saturating_sub(SPO2_MINUTES);
        let mut seen = [false; SPO2_MINUTES];
        let mut lowest: Option<Decimal> = None;
        for series in self.series {
            if series.parameter != ParameterId::Known(Parameter::Spo2) {
                continue;
            }
            for point in &series.points {
                let (Some(place), Some(min)) = (point.minute.checked_sub(from), point.min) else {
                    continue;
                };
                if let Some(seen) = seen.get_mut(place) {
                    *seen = true;
                    lowest = Some(lowest.map_or(min, |lowest| lowest.min(min)));
                }
            }
        }
        let known = seen.iter().filter(|seen| **seen).count();
        match lowest {
            None => (CheckState::Unknown, "no reading".to_owned()),
            Some(lowest) if lowest < least => (CheckState::Open, format!("lowest {lowest} %")),
            Some(lowest) if known < SPO2_MINUTES => (
                CheckState::Unknown,
                format!("lowest {lowest} %, {known} of {SPO2_MINUTES} min have a reading"),
            ),
            Some(lowest) => (CheckState::Met, format!("lowest {lowest} %")),
        }
    }

    fn alarms_seen(&self) -> (CheckState, String) {
        let unseen: Vec<String> = self
            .alarms
            .iter()
            .filter(|alarm| {
                alarm.priority == Priority::High
                    && alarm.acknowledged_at.is_none()
                    && alarm
                        .ended_at
                        .is_none_or(|ended| Some(ended) == self.closed)
            })
            .map(|alarm| alarm.rule.name().to_owned())
            .collect();
        if unseen.is_empty() {
            (CheckState::Met, "none".to_owned())
        } else {
            (CheckState::Open, unseen.join(", "))
        }
    }

    /// The checklist at the end of the document.
    pub(super) fn checklist(&self) -> Vec<CheckItem> {
        let told = |item, text, (state, detail)| CheckItem {
            item,
            text,
            state,
            detail,
        };
        let person = |item, text| CheckItem {
            item,
            text,
            state: CheckState::Unknown,
            detail: String::new(),
        };
        vec![
            told("minutes", "Minimum time is over", self.minimum_time()),
            self.score_item("aldrete", "Aldrete at least 9", LEAST_SCORE),
            self.score_item("padss", "PADSS at least 9", LEAST_SCORE),
            told(
                "pressure",
                "Last blood pressure within 20 % of the baseline",
                self.pressure(),
            ),
            told(
                "spo2",
                "SpO2 at least 92 % on room air (or baseline) for 15 min",
                self.saturation(),
            ),
            self.score_item("moaas", "MOAA/S 5", 5),
            person(
                "oriented",
                "Oriented to person, place and time; dissociation resolved",
            ),
            person("walks", "Walks unaided"),
            person("iv-out", "IV out, site checked"),
            person(
                "escort",
                "Escort present, no driving until the next day, written instructions given",
            ),
            told("alarms", "No unacknowledged high alarm", self.alarms_seen()),
        ]
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
