//! The value that a rule with limits judges now, and the judging itself.

use super::limit::{Circumstances, Sample};
use super::{RuleSlot, Source};
use crate::engine::feeds::RATE_SOURCES;
use crate::engine::input::FeedId;
use crate::engine::kernel::Engine;
use crate::engine::reading::Held;
use crate::engine::record::Numbered;
use crate::engine::verdict::{Key, NEVER};
use crate::vocabulary::{Moment, Parameter, Priority, Rule};

/// What a slot looks at.
struct Look {
    sample: Option<Sample>,
    other: Option<Sample>,
    baseline: Option<i64>,
    /// When the picture changes by itself.
    until: Moment,
}

/// A held reading as a rule judges it.
pub fn sample(parameter: Parameter, feed: FeedId, held: &Held) -> Option<Sample> {
    Some(Sample {
        level: held.level?,
        parameter: Some(parameter),
        feed: Some(feed),
        received: held.received,
        age: held.age,
        number: held.number,
    })
}

impl Engine {
    /// Judges one rule with limits on each of its sources.
    pub(super) fn judge_limits(&mut self, rule: Rule, out: &mut Vec<Numbered>) {
        let mut next = NEVER;
        for place in 0..self.slots.len() {
            let Some(entry) = self.slots.get(place).filter(|entry| entry.key.rule == rule) else {
                continue;
            };
            let look = self.look(entry);
            let covered = if look.sample.is_none() && entry.slot.is_standing() {
                self.covered(entry)
            } else {
                None
            };
            let (Some(session), Some(entry)) = (self.session.as_ref(), self.slots.get_mut(place))
            else {
                continue;
            };
            let Some(limits) = session
                .limits
                .iter()
                .find(|limits| limits.rule.rule == rule)
            else {
                continue;
            };
            let with = Circumstances {
                now: self.at,
                phase: session.phase,
                baseline: look.baseline,
                persistence: &self.profile.persistence,
                net: rule == Rule::Spo2Low,
                confirm_within: self.profile.cuff.confirm_within,
                other: look.other,
                covered,
            };
            // What was carried over a restart waits for something received since.
            let is_news = match entry.source {
                Source::Continuous(_) | Source::Rate => look.sample.is_some(),
                Source::Cuff(_) | Source::Score => look.sample.is_some_and(|sample| {
                    entry.slot.last.map(|last| last.number) != Some(sample.number)
                }),
            };
            let judged = match entry.source {
                Source::Continuous(_) | Source::Rate => {
                    entry.slot.judge(limits, look.sample, &with)
                }
                Source::Cuff(_) | Source::Score => {
                    entry.slot.judge_reading(limits, look.sample, &with)
                }
            };
            next = next.min(judged.next).min(look.until);
            let key = entry.key;
            if is_news {
                self.refute_carried(key);
            }
            self.condition(key, judged.verdict, None, out);
        }
        self.due.set(rule, next);
    }

    fn look(&self, entry: &RuleSlot) -> Look {
        let now = self.at;
        let baseline_of = |parameters: &[Parameter]| {
            self.session
                .as_ref()
                .and_then(|session| session.baseline.first_of(parameters))
        };
        match entry.source {
            Source::Continuous(parameter) => Look {
                sample: self
                    .feeds
                    .usable(parameter, now)
                    .and_then(|(feed, held)| sample(parameter, feed, held)),
                // High tiers are judged on both sensors of a feed that has two.
                other: self
                    .feeds
                    .usable_beside(parameter, now)
                    .and_then(|(feed, held)| sample(parameter, feed, held)),
                baseline: baseline_of(&[parameter, cuff_twin(parameter)]),
                until: self.feeds.stale_from(parameter, now).unwrap_or(NEVER),
            },
            Source::Cuff(parameter) => Look {
                sample: self
                    .feeds
                    .usable(parameter, now)
                    .and_then(|(feed, held)| sample(parameter, feed, held)),
                other: None,
                baseline: baseline_of(&[parameter]),
                until: NEVER,
            },
            Source::Score => Look {
                sample: self.session.as_ref().and_then(|session| session.score),
                other: None,
                baseline: None,
                until: NEVER,
            },
            Source::Rate => self.look_at_rate(entry),
        }
    }

    /// The fused rate: ECG, pleth, arterial line; without any of them a cuff rate that is newer than
    /// the last of theirs.
    fn look_at_rate(&self, entry: &RuleSlot) -> Look {
        let now = self.at;
        let continuous = self
            .feeds
            .usable_rate(now)
            .and_then(|(source, feed, held)| sample(source, feed, held));
        let chosen = continuous.or_else(|| {
            let (feed, held) = self.feeds.usable(Parameter::NibpPr, now)?;
            let newer = entry
                .slot
                .last
                .is_none_or(|last| held.number == last.number || held.received > last.received);
            sample(Parameter::NibpPr, feed, held).filter(|_| newer)
        });
        let other = chosen
            .filter(|_| self.noticed.rate_differs())
            .and_then(|chosen| {
                [Parameter::Hr, Parameter::Pr]
                    .into_iter()
                    .filter(|source| Some(*source) != chosen.parameter)
                    .find_map(|source| {
                        let (feed, held) = self.feeds.usable(source, now)?;
                        sample(source, feed, held)
                    })
            });
        let baseline = self.session.as_ref().and_then(|session| {
            let own = chosen
                .and_then(|chosen| chosen.parameter)
                .and_then(|source| session.baseline.get(source));
            own.or_else(|| session.baseline.first_of(&RATE_SOURCES))
                .or_else(|| session.baseline.get(Parameter::NibpPr))
        });
        let until = RATE_SOURCES
            .into_iter()
            .filter_map(|source| self.feeds.stale_from(source, now))
            .min()
            .unwrap_or(NEVER);
        Look {
            sample: chosen,
            other,
            baseline,
            until,
        }
    }

    /// The highest technical alarm that stands for a slot's source.
    fn covered(&self, entry: &RuleSlot) -> Option<Priority> {
        let last = entry.slot.last;
        let feed = last
            .and_then(|last| last.feed)
            .and_then(|feed| self.alarms.standing(Key::feed(Rule::FeedLost, feed)));
        let of = |parameters: &[Parameter]| {
            parameters
                .iter()
                .flat_map(|parameter| {
                    [
                        self.alarms.standing(Key::of(Rule::Sensor, *parameter)),
                        self.alarms.standing(Key::of(Rule::Missing, *parameter)),
                    ]
                })
                .max()
                .flatten()
        };
        let own = match entry.source {
            Source::Continuous(parameter) => of(&[parameter]),
            Source::Rate => match last.and_then(|last| last.parameter) {
                Some(Parameter::Pr) => of(&[Parameter::Hr, Parameter::Pr, Parameter::Spo2]),
                Some(_) | None => of(&[Parameter::Hr, Parameter::Pr]),
            },
            Source::Cuff(_) | Source::Score => return None,
        };
        feed.max(own)
    }
}

/// The cuff parameter whose baseline stands in for an arterial one.
const fn cuff_twin(parameter: Parameter) -> Parameter {
    match parameter {
        Parameter::ArtSys => Parameter::NibpSys,
        Parameter::ArtDia => Parameter::NibpDia,
        Parameter::ArtMean => Parameter::NibpMean,
        Parameter::Hr
        | Parameter::Pr
        | Parameter::NibpPr
        | Parameter::ArtPr
        | Parameter::Spo2
        | Parameter::Pi
        | Parameter::NibpSys
        | Parameter::NibpDia
        | Parameter::NibpMean
        | Parameter::Rr
        | Parameter::Etco2
        | Parameter::Temp => parameter,
    }
}
