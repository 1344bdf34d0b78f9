//! Judging single readings (cuff, score): once, at once, until the next one; and the confirmation of a
//! first high pressure by a second reading.

use super::limit::{Circumstances, Sample, SessionLimits, Slot};
use crate::engine::verdict::{Judged, NEVER, Verdict};
use crate::profile::{Reason, Tier};
use crate::vocabulary::{Decimal, Moment, Priority};
use std::time::Duration;

/// A first reading that needs a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// The number of the first reading.
    pub number: u64,
    /// When it was judged first.
    pub at: Moment,
    /// Whether a second one confirmed it, or none came in time.
    pub confirmed: bool,
}

/// How a slot of single readings stood before its newest one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    pub(super) last: Option<Sample>,
    recheck: Option<Recheck>,
    violating_since: Option<Moment>,
    carried: Option<Priority>,
}

impl Slot {
    /// The reading with this number turned out to be none: what stood before it stands again.
    pub fn take_back(&mut self, number: u64) {
        if self.last.is_some_and(|last| last.number == number) {
            let before = std::mem::take(&mut self.before);
            self.last = before.last;
            self.recheck = before.recheck;
            self.violating_since = before.violating_since;
            self.carried = before.carried;
        }
    }

    /// The newest reading before a restart: judged already, and perhaps waiting for its second.
    pub fn carry_reading(
        &mut self,
        last: Sample,
        recheck: Option<Recheck>,
        violating_since: Option<Moment>,
    ) {
        self.last = Some(last);
        self.recheck = recheck;
        self.violating_since = violating_since;
    }

    /// Judges the newest single reading (cuff, score): once, at once, until the next one.
    pub fn judge_reading(
        &mut self,
        limits: &SessionLimits,
        sample: Option<Sample>,
        with: &Circumstances<'_>,
    ) -> Judged {
        if let Some(sample) = sample {
            let is_next = self.last.is_none_or(|last| last.number != sample.number);
            if is_next {
                self.before = Before {
                    last: self.last,
                    recheck: self.recheck,
                    violating_since: self.violating_since,
                    carried: self.carried,
                };
                self.carried = None;
            }
            self.last = Some(sample);
        }
        let Some(last) = self.last else {
            return self.carried_verdict(with);
        };
        let violated =
            |tier: &&Tier| with.applies(tier) && tier.violated(last.level, with.baseline);
        let reaches = limits
            .rule
            .tiers
            .iter()
            .any(|tier| tier.confirm && violated(&tier));
        let next = self.confirm(reaches, last.number, with);
        let confirmed = self.recheck.is_some_and(|recheck| recheck.confirmed);
        let priority = |tier: &Tier| {
            if tier.confirm && !confirmed {
                Priority::Low
            } else {
                tier.priority
            }
        };
        // The most urgent; among equals one that waits for its second reading tells more, and a plain
        // limit more than one against the baseline.
        let explains = limits
            .rule
            .tiers
            .iter()
            .filter(violated)
            .max_by_key(|tier| (priority(tier), tier.confirm, tier.relative.is_none()));
        let Some(tier) = explains else {
            self.violating_since = None;
            return match self.carried {
                Some(_) => self.carried_verdict(with),
                None => Judged::NOTHING,
            };
        };
        let since = *self.violating_since.get_or_insert(with.now);
        let limit = tier.limit(with.baseline);
        let waits = tier.confirm && !confirmed;
        let verdict = Verdict {
            tier: priority(tier),
            parameter: last.parameter,
            value: Some(Decimal::whole(last.level)),
            limit: limit.map(|(limit, _)| limit),
            source: limit.map(|(_, is_relative)| limits.source(tier, is_relative)),
            phase: with.phase,
            since,
            delay: Duration::ZERO,
            feed: last.feed,
            age: Some(last.age + with.now.since(last.received)),
            cause: None,
            reason: if waits {
                Some(Reason::Recheck)
            } else {
                tier.reason
            },
            reading: last.number,
        };
        Judged {
            verdict: Some(verdict),
            next,
        }
    }

    /// Follows the confirmation of a tier that needs two readings.
    fn confirm(&mut self, reaches: bool, number: u64, with: &Circumstances<'_>) -> Moment {
        if !reaches {
            self.recheck = None;
            return NEVER;
        }
        let recheck = self.recheck.get_or_insert(Recheck {
            number,
            at: with.now,
            confirmed: false,
        });
        let due = recheck.at.after(with.confirm_within);
        if recheck.number != number || due <= with.now {
            recheck.confirmed = true;
        }
        if recheck.confirmed { NEVER } else { due }
    }

    /// Whether a first high reading waits for its second.
    pub fn waits_for_recheck(&self) -> bool {
        self.recheck.is_some_and(|recheck| !recheck.confirmed)
    }

    pub(super) fn carried_verdict(&self, with: &Circumstances<'_>) -> Judged {
        let verdict = self.carried.map(|tier| Verdict {
            reason: Some(Reason::Carried),
            ..Verdict::plain(tier, with.phase, with.now)
        });
        Judged {
            verdict,
            next: NEVER,
        }
    }
}
