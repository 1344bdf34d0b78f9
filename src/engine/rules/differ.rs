//! Sources that contradict each other: ECG against pleth, feed against feed.

use crate::engine::feeds::RATE_SOURCES;
use crate::engine::kernel::Engine;
use crate::engine::record::Numbered;
use crate::engine::verdict::{Key, NEVER, Verdict};
use crate::vocabulary::{Moment, Parameter, Rule};
use std::time::Duration;

/// A condition that must last before it counts and must be absent as long as values must be to clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lasting {
    pub(super) since: Option<Moment>,
    pub(super) over_since: Option<Moment>,
    pub(super) stands: bool,
}

impl Lasting {
    /// Follows whether it is so; `None` when nobody can tell, which ends it. Gives the next moment at
    /// which it may change by itself.
    pub(super) fn follow(
        &mut self,
        is_so: Option<bool>,
        now: Moment,
        after: Duration,
        clear: Duration,
    ) -> Moment {
        match is_so {
            None => {
                *self = Self::default();
                NEVER
            }
            Some(true) => {
                self.over_since = None;
                let due = self.since.get_or_insert(now).after(after);
                self.stands = self.stands || due <= now;
                if self.stands { NEVER } else { due }
            }
            Some(false) if self.stands => {
                let due = self.over_since.get_or_insert(now).after(clear);
                if due <= now {
                    *self = Self::default();
                    NEVER
                } else {
                    due
                }
            }
            Some(false) => {
                *self = Self::default();
                NEVER
            }
        }
    }
}

impl Engine {
    /// Judges `rate-differs`: ECG against pleth.
    pub(super) fn judge_rate_differs(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::RateDiffers);
        let level = |parameter| {
            self.feeds
                .usable(parameter, now)
                .and_then(|(_, held)| held.level)
        };
        let both = level(Parameter::Hr).zip(level(Parameter::Pr));
        let timing = &self.profile.feeds;
        let differs = both
            .filter(|_| base.is_some())
            .map(|(ecg, pleth)| (ecg - pleth).abs() > timing.rate_differs_above);
        let before = self.noticed.rate_differs.stands;
        let mut next = self.noticed.rate_differs.follow(
            differs,
            now,
            timing.ecg_pleth_for,
            self.profile.persistence.clear_for,
        );
        for parameter in [Parameter::Hr, Parameter::Pr] {
            next = next.min(self.feeds.stale_from(parameter, now).unwrap_or(NEVER));
        }
        let delay = timing.ecg_pleth_for;
        let noticed = self.noticed.rate_differs;
        if noticed.stands != before {
            self.dirty.value_of(Parameter::Hr);
        }
        let verdict = base
            .zip(noticed.since.filter(|_| noticed.stands))
            .map(|(tier, since)| Verdict {
                parameter: Some(Parameter::Hr),
                delay,
                ..Verdict::plain(tier, phase, since)
            });
        if differs == Some(false) {
            self.refute_carried(Key::whole(Rule::RateDiffers));
        }
        self.due.set(Rule::RateDiffers, next);
        self.condition(Key::whole(Rule::RateDiffers), verdict, None, out);
    }

    /// Judges `feeds-disagree`: SpO2 and rate between feeds.
    pub(super) fn judge_feeds_disagree(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::FeedsDisagree);
        let mut next = NEVER;
        for parameter in [Parameter::Spo2, Parameter::Hr] {
            let mut range: Option<(i64, i64, usize)> = None;
            for (_, feed) in self.feeds.iter() {
                let sources: &[Parameter] = if parameter == Parameter::Spo2 {
                    &[Parameter::Spo2]
                } else {
                    &RATE_SOURCES
                };
                let level = sources
                    .iter()
                    .find_map(|source| feed.held.get(*source).as_ref()?.usable(now));
                if let Some(level) = level {
                    range = Some(match range {
                        Some((low, high, count)) => (low.min(level), high.max(level), count + 1),
                        None => (level, level, 1),
                    });
                }
                for source in sources {
                    if let Some(held) = feed.held.get(*source).filter(|held| held.is_fresh(now)) {
                        next = next.min(held.until);
                    }
                }
            }
            let timing = &self.profile.feeds;
            let differs = range
                .filter(|(_, _, count)| *count > 1 && base.is_some())
                .map(|(low, high, _)| {
                    if parameter == Parameter::Spo2 {
                        high - low >= timing.spo2_differs_by
                    } else {
                        high - low > timing.rate_differs_above
                    }
                });
            let lasting = if parameter == Parameter::Spo2 {
                &mut self.noticed.spo2_disagrees
            } else {
                &mut self.noticed.rate_disagrees
            };
            let clear = self.profile.persistence.clear_for;
            next = next.min(lasting.follow(differs, now, timing.differs_for, clear));
            let delay = timing.differs_for;
            let lasting = *lasting;
            let verdict =
                base.zip(lasting.since.filter(|_| lasting.stands))
                    .map(|(tier, since)| Verdict {
                        parameter: Some(parameter),
                        delay,
                        ..Verdict::plain(tier, phase, since)
                    });
            let key = Key::of(Rule::FeedsDisagree, parameter);
            if differs == Some(false) {
                self.refute_carried(key);
            }
            self.condition(key, verdict, None, out);
        }
        self.due.set(Rule::FeedsDisagree, next);
    }
}
