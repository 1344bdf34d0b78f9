//! One tier's timer on a continuous value: persistence, suspension, the repeat net, clearing.

use super::area::Area;
use super::limit::{Circumstances, Sample};
use crate::engine::verdict::NEVER;
use crate::profile::Tier;
use crate::vocabulary::{Moment, Priority};
use std::time::Duration;

/// The smallest step of engine time: `for ≤ 30 s` is over one step after 30 s.
const STEP: Duration = Duration::from_micros(1);

/// Most onsets that are remembered for the repeat net; the profile asks for fewer.
const ONSETS: usize = 10;

/// How a violation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Run {
    /// No violation.
    #[default]
    Idle,
    /// Violating since `from`, after `done` before a suspension.
    Running { done: Duration, from: Moment },
    /// Without a valid reading since `at`.
    Suspended { done: Duration, at: Moment },
}

/// One tier's timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timer {
    pub(super) run: Run,
    pub(super) since: Moment,
    /// The last value that violated the tier.
    pub(super) last_violating: Option<Sample>,
    pub(super) met: bool,
    pub(super) repeated: bool,
    /// Met by the integral: after this time.
    pub(super) by_area: Option<Duration>,
    pub(super) area: Area,
    pub(super) inside_since: Option<Moment>,
    pub(super) onsets: [Option<Moment>; ONSETS],
}

impl Timer {
    /// Follows the value; gives the next moment at which something may happen by itself.
    pub(super) fn follow(
        &mut self,
        tier: &Tier,
        margin: i64,
        sample: Option<Sample>,
        with: &Circumstances<'_>,
    ) -> Moment {
        let Some(sample) = sample else {
            return self.without_value(with);
        };
        let violated = |level| tier.violated(level, with.baseline);
        let value = with.deciding(tier, sample);
        if violated(value.level) {
            self.inside_since = None;
            self.last_violating = Some(value);
            self.violating(tier, value, with)
        } else {
            self.run = Run::Idle;
            let both_inside = [
                Some(sample),
                with.other.filter(|_| tier.priority == Priority::High),
            ]
            .into_iter()
            .flatten()
            .all(|value| tier.inside(value.level, with.baseline, margin));
            self.clearing(both_inside, sample.number > 0, with)
        }
    }

    fn violating(&mut self, tier: &Tier, value: Sample, with: &Circumstances<'_>) -> Moment {
        let is_single = value.number > 0;
        match self.run {
            Run::Running { .. } => {}
            Run::Suspended { done, at } if with.now.since(at) <= with.persistence.suspend_up_to => {
                self.run = Run::Running {
                    done,
                    from: with.now,
                };
            }
            Run::Suspended { .. } | Run::Idle => self.onset(tier, with),
        }
        let Run::Running { done, from } = self.run else {
            return NEVER;
        };
        self.area
            .goes_on(with.now, tier.depth(value.level, with.baseline));
        let due = from.after(tier.delay.saturating_sub(done));
        if self.met {
            return NEVER;
        }
        if is_single || self.repeated || due <= with.now {
            self.met = true;
            return NEVER;
        }
        let by_area = tier
            .point_seconds
            .and_then(|point_seconds| self.area.reaches(point_seconds))
            .unwrap_or(NEVER);
        if by_area <= with.now {
            self.met = true;
            self.by_area = Some(with.now.since(self.since));
            return NEVER;
        }
        due.min(by_area)
    }

    fn onset(&mut self, tier: &Tier, with: &Circumstances<'_>) {
        self.run = Run::Running {
            done: Duration::ZERO,
            from: with.now,
        };
        self.area = Area::default();
        if !self.met {
            self.since = with.now;
            self.by_area = None;
        }
        if with.net && tier.priority > Priority::Low {
            // The onset that must still be recent is the one `repeats - 1` violations ago.
            let back = usize::try_from(with.persistence.repeats.saturating_sub(2)).unwrap_or(0);
            let recent = self
                .onsets
                .get(back)
                .copied()
                .flatten()
                .is_some_and(|first| with.now.since(first) <= with.persistence.repeats_within);
            self.repeated = recent && !self.met;
            self.onsets.rotate_right(1);
            if let Some(newest) = self.onsets.first_mut() {
                *newest = Some(with.now);
            }
        }
    }

    fn clearing(&mut self, inside: bool, is_single: bool, with: &Circumstances<'_>) -> Moment {
        if !self.met {
            self.inside_since = None;
            return NEVER;
        }
        if !inside && !is_single {
            self.inside_since = None;
            return NEVER;
        }
        let since = *self.inside_since.get_or_insert(with.now);
        let due = since.after(with.persistence.clear_for);
        if is_single || due <= with.now {
            self.met = false;
            self.repeated = false;
            self.by_area = None;
            self.inside_since = None;
            return NEVER;
        }
        due
    }

    fn without_value(&mut self, with: &Circumstances<'_>) -> Moment {
        self.inside_since = None;
        match self.run {
            Run::Idle => NEVER,
            Run::Running { done, from } => {
                self.area.stops(with.now);
                self.run = Run::Suspended {
                    done: done + with.now.since(from),
                    at: with.now,
                };
                with.now.after(with.persistence.suspend_up_to + STEP)
            }
            Run::Suspended { at, .. } => {
                let over = at.after(with.persistence.suspend_up_to + STEP);
                if over <= with.now {
                    self.run = Run::Idle;
                    return NEVER;
                }
                over
            }
        }
    }
}
