//! Rules with limits: persistence, the repeat net, clearing, stepping down; and the judging of single
//! readings (cuff, score) with the confirmation of a first high pressure.
//!
//! Each tier has its own timer (engine.md 4). A slot's state belongs to the engine; this module only
//! moves it, so judging again at the same moment changes nothing.

use super::single::{Before, Recheck};
use super::timer::{Run, Timer};
use crate::engine::input::FeedId;
use crate::engine::record::LimitSource;
use crate::engine::renumber::Renumbering;
use crate::engine::verdict::{Judged, NEVER, Verdict};
use crate::profile::{LimitRule, Persistence, Reason, Tier};
use crate::vocabulary::{Decimal, Moment, Parameter, Phase, Priority};
use std::time::Duration;

/// A usable value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The value in whole units.
    pub level: i64,
    /// Of which parameter, if of one.
    pub parameter: Option<Parameter>,
    /// From which feed, if from one.
    pub feed: Option<FeedId>,
    /// When it was received.
    pub received: Moment,
    /// How old it was then.
    pub age: Duration,
    /// The number of a reading that is judged once, at once; zero for continuous values.
    pub number: u64,
}

/// A rule on one source.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    timers: Vec<Timer>,
    explains: Option<usize>,
    /// The last usable value.
    pub last: Option<Sample>,
    pub(super) recheck: Option<Recheck>,
    pub(super) before: Before,
    pub(super) violating_since: Option<Moment>,
    pub(super) carried: Option<Priority>,
}

/// The limits of one rule in this session.
#[derive(Clone, Debug)]
pub struct SessionLimits {
    /// The tiers as they judge now.
    pub rule: LimitRule,
    /// Tiers that a nurse changed.
    pub nurse: [bool; 3],
}

impl SessionLimits {
    /// Whether a nurse changed this tier.
    pub const fn by_nurse(&self, priority: Priority) -> bool {
        let [low, medium, high] = self.nurse;
        match priority {
            Priority::Low => low,
            Priority::Medium => medium,
            Priority::High => high,
        }
    }

    /// Marks a tier as changed by a nurse.
    pub const fn mark(&mut self, priority: Priority) {
        let [low, medium, high] = &mut self.nurse;
        match priority {
            Priority::Low => *low = true,
            Priority::Medium => *medium = true,
            Priority::High => *high = true,
        }
    }

    /// Where a tier's limit comes from.
    pub fn source(&self, tier: &Tier, is_relative: bool) -> LimitSource {
        if is_relative {
            LimitSource::Baseline
        } else if self.by_nurse(tier.priority) {
            LimitSource::Nurse
        } else {
            LimitSource::Profile
        }
    }
}

/// What a rule is judged with beside its value.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Engine time.
    pub now: Moment,
    /// The phase, whose limits judge.
    pub phase: Phase,
    /// The patient's baseline for the value.
    pub baseline: Option<i64>,
    /// Persistence and clearing.
    pub persistence: &'a Persistence,
    /// Whether the repeat net applies.
    pub net: bool,
    /// How long a first high pressure waits for its second reading.
    pub confirm_within: Duration,
    /// The second value on which high tiers are judged while two sources of rate differ.
    pub other: Option<Sample>,
    /// The highest technical alarm that stands for the value's source.
    pub covered: Option<Priority>,
}

impl Circumstances<'_> {
    pub(super) fn applies(&self, tier: &Tier) -> bool {
        tier.phases.contains(self.phase) && (tier.relative.is_none() || self.baseline.is_some())
    }

    /// The value that decides a tier: the worse of two for high tiers while two sources differ.
    pub(super) fn deciding(&self, tier: &Tier, sample: Sample) -> Sample {
        match self.other {
            Some(other)
                if tier.priority == Priority::High
                    && tier.violated(other.level, self.baseline)
                    && !tier.violated(sample.level, self.baseline) =>
            {
                other
            }
            Some(_) | None => sample,
        }
    }
}

impl Slot {
    /// A slot for a rule with this many tiers.
    pub fn new(tiers: usize) -> Self {
        Self {
            timers: vec![Timer::default(); tiers],
            ..Self::default()
        }
    }

    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        let violating = self
            .timers
            .iter_mut()
            .map(|timer| &mut timer.last_violating);
        for sample in violating
            .chain([&mut self.last, &mut self.before.last])
            .flatten()
        {
            sample.feed = sample.feed.map(|feed| places.of(feed));
        }
    }

    /// An alarm at `tier` was open before a restart: its tiers count as met until a value clears them.
    pub fn carry(&mut self, limits: &LimitRule, tier: Priority, since: Moment, phase: Phase) {
        self.carried = Some(tier);
        for (state, known) in self.timers.iter_mut().zip(&limits.tiers) {
            if known.priority <= tier && known.phases.contains(phase) {
                state.met = true;
                state.since = since;
            }
        }
    }

    /// Whether any tier stands.
    pub fn is_standing(&self) -> bool {
        self.timers.iter().any(|timer| timer.met)
            || self.violating_since.is_some()
            || self.carried.is_some()
    }

    /// The phase changed: a tier whose limits end here hands its timer to a tier of the same priority
    /// whose limits begin here, so that no running timer starts afresh.
    pub fn phase_changed(&mut self, limits: &LimitRule, from: Phase, to: Phase) {
        let before = self.timers.clone();
        for (place, tier) in limits.tiers.iter().enumerate() {
            if tier.phases.contains(from) || !tier.phases.contains(to) {
                continue;
            }
            let heir = limits.tiers.iter().zip(&before).find(|(other, timer)| {
                other.priority == tier.priority
                    && other.phases.contains(from)
                    && !other.phases.contains(to)
                    && (timer.met || timer.run != Run::Idle)
            });
            if let (Some((_, timer)), Some(own)) = (heir, self.timers.get_mut(place)) {
                *own = *timer;
            }
        }
    }

    /// Judges a continuous value, or its absence.
    pub fn judge(
        &mut self,
        limits: &SessionLimits,
        sample: Option<Sample>,
        with: &Circumstances<'_>,
    ) -> Judged {
        let mut risen: Option<Priority> = None;
        let mut next = NEVER;
        for (place, tier) in limits.rule.tiers.iter().enumerate() {
            let Some(timer) = self.timers.get_mut(place) else {
                continue;
            };
            if !with.applies(tier) {
                *timer = Timer {
                    onsets: timer.onsets,
                    ..Timer::default()
                };
                continue;
            }
            let was_met = timer.met;
            let margin = limits.rule.margin(tier.priority);
            next = next.min(timer.follow(tier, margin, sample, with));
            if timer.met && !was_met && risen.is_none_or(|priority| priority <= tier.priority) {
                risen = Some(tier.priority);
                self.explains = Some(place);
            }
        }
        if sample.is_some() {
            self.last = sample;
            self.carried = None;
        }
        if let (Some(risen), Some(sample)) = (risen, sample) {
            self.lower_tiers_stand(limits, risen, sample, with);
        }
        // What was carried over a restart waits for a value: no technical alarm takes its place.
        if sample.is_none()
            && self.carried.is_none()
            && let (Some(covered), Some(standing)) = (with.covered, self.standing(limits))
            && covered >= standing
        {
            self.let_go();
        }
        Judged {
            verdict: self.verdict(limits, with),
            next,
        }
    }

    /// Stepping down goes through the tiers below: those that are violated stand with the one that rose.
    fn lower_tiers_stand(
        &mut self,
        limits: &SessionLimits,
        risen: Priority,
        sample: Sample,
        with: &Circumstances<'_>,
    ) {
        for (timer, tier) in self.timers.iter_mut().zip(&limits.rule.tiers) {
            let value = with.deciding(tier, sample);
            if tier.priority <= risen
                && with.applies(tier)
                && tier.violated(value.level, with.baseline)
            {
                timer.met = true;
            }
        }
    }

    fn standing(&self, limits: &SessionLimits) -> Option<Priority> {
        self.timers
            .iter()
            .zip(&limits.rule.tiers)
            .filter(|(timer, _)| timer.met)
            .map(|(_, tier)| tier.priority)
            .max()
            .max(self.carried)
    }

    /// The alarm is handed over to a technical one. Its timers stay suspended: a value that still
    /// violates when it is back in time goes on from where they stood.
    fn let_go(&mut self) {
        self.carried = None;
        for timer in &mut self.timers {
            timer.met = false;
            timer.by_area = None;
            timer.inside_since = None;
        }
    }

    fn verdict(&mut self, limits: &SessionLimits, with: &Circumstances<'_>) -> Option<Verdict> {
        let standing = self.standing(limits)?;
        let explains = |place: &usize| {
            self.timers.get(*place).is_some_and(|timer| timer.met)
                && limits
                    .rule
                    .tiers
                    .get(*place)
                    .is_some_and(|tier| tier.priority == standing)
        };
        let place = self
            .explains
            .filter(explains)
            .or_else(|| (0..self.timers.len()).find(explains));
        self.explains = place;
        let Some(place) = place else {
            return self.carried_verdict(with).verdict;
        };
        let (tier, timer) = (limits.rule.tiers.get(place)?, self.timers.get(place)?);
        let value = timer.last_violating;
        if value.is_none() && self.carried.is_some() {
            return self.carried_verdict(with).verdict;
        }
        let (limit, is_relative) = tier.limit(with.baseline)?;
        Some(Verdict {
            tier: standing,
            parameter: value.and_then(|value| value.parameter),
            value: value.map(|value| Decimal::whole(value.level)),
            limit: Some(limit),
            source: Some(limits.source(tier, is_relative)),
            phase: with.phase,
            since: timer.since,
            delay: timer.by_area.unwrap_or(tier.delay),
            feed: value.and_then(|value| value.feed),
            age: value.map(|value| value.age + with.now.since(value.received)),
            cause: None,
            reason: if timer.repeated {
                Some(Reason::Repeated)
            } else if timer.by_area.is_some() {
                Some(Reason::PointSeconds)
            } else {
                tier.reason
            },
            reading: value.map_or(0, |value| value.number),
        })
    }
}
