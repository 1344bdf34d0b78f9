//! Rules with limits: persistence, the repeat net, clearing, stepping down; and the judging of single
//! readings (cuff, score) with the confirmation of a first high pressure.
//!
//! Each tier has its own timer (engine.md 4). A slot's state belongs to the engine; this module only
//! moves it, so judging again at the same moment changes nothing.

use crate::engine::input::FeedId;
use crate::engine::record::LimitSource;
use crate::engine::verdict::{Judged, NEVER, Verdict};
use crate::profile::{LimitRule, Persistence, Reason, Tier};
use crate::vocabulary::{Decimal, Moment, Parameter, Phase, Priority};
use std::time::Duration;

/// The smallest step of engine time: `for ≤ 30 s` is over one step after 30 s.
const STEP: Duration = Duration::from_micros(1);

/// Most onsets that are remembered for the repeat net; the profile asks for fewer.
const ONSETS: usize = 10;

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

/// How a violation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Run {
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
struct Timer {
    run: Run,
    since: Moment,
    met: bool,
    repeated: bool,
    inside_since: Option<Moment>,
    onsets: [Option<Moment>; ONSETS],
}

/// A first reading that needs a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Recheck {
    number: u64,
    at: Moment,
    confirmed: bool,
}

/// A rule on one source.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    timers: Vec<Timer>,
    explains: Option<usize>,
    /// The last usable value.
    pub last: Option<Sample>,
    recheck: Option<Recheck>,
    violating_since: Option<Moment>,
    carried: Option<Priority>,
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

    fn source(&self, tier: &Tier, is_relative: bool) -> LimitSource {
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
    fn applies(&self, tier: &Tier) -> bool {
        tier.phases.contains(self.phase) && (tier.relative.is_none() || self.baseline.is_some())
    }

    /// The value that decides a tier: the worse of two for high tiers while two sources differ.
    fn deciding(&self, tier: &Tier, sample: Sample) -> Sample {
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
        if sample.is_none()
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

    /// The alarm is handed over to a technical one.
    fn let_go(&mut self) {
        self.carried = None;
        for timer in &mut self.timers {
            timer.met = false;
            timer.run = Run::Idle;
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
        let value = self.last.map(|last| with.deciding(tier, last));
        let (limit, is_relative) = tier.limit(with.baseline)?;
        Some(Verdict {
            tier: standing,
            parameter: value.and_then(|value| value.parameter),
            value: value.map(|value| Decimal::whole(value.level)),
            limit: Some(limit),
            source: Some(limits.source(tier, is_relative)),
            phase: with.phase,
            since: timer.since,
            delay: tier.delay,
            feed: value.and_then(|value| value.feed),
            age: value.map(|value| value.age + with.now.since(value.received)),
            cause: None,
            reason: if timer.repeated {
                Some(Reason::Repeated)
            } else {
                tier.reason
            },
            reading: value.map_or(0, |value| value.number),
        })
    }
}

impl Timer {
    /// Follows the value; gives the next moment at which something may happen by itself.
    fn follow(
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
        let due = from.after(tier.delay.saturating_sub(done));
        if self.met {
            return NEVER;
        }
        if is_single || self.repeated || due <= with.now {
            self.met = true;
            return NEVER;
        }
        due
    }

    fn onset(&mut self, tier: &Tier, with: &Circumstances<'_>) {
        self.run = Run::Running {
            done: Duration::ZERO,
            from: with.now,
        };
        if !self.met {
            self.since = with.now;
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

impl Slot {
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
        // The most urgent; among equals a tier that waits for its second reading tells more.
        let explains = limits
            .rule
            .tiers
            .iter()
            .filter(violated)
            .max_by_key(|tier| (priority(tier), tier.confirm));
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

    fn carried_verdict(&self, with: &Circumstances<'_>) -> Judged {
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
