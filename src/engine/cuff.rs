//! The cuff choreography and the score prompts: what the nurse should do next, and what is overdue.
//!
//! Prompts only. Nothing here, or anywhere else in this program, ever starts a cuff.

use super::kernel::Engine;
use crate::profile::CuffTiming;
use crate::vocabulary::{Moment, Parameter, Phase};
use std::time::Duration;

/// Something for the nurse to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A cuff reading for the baseline: the first or another one.
    BaselineCuff,
    /// Repeat the cuff reading now: a first high pressure.
    RepeatCuffNow,
    /// Repeat the cuff reading after a pressure alarm.
    RepeatCuff,
    /// The reading at the usual peak.
    PeakCuff,
    /// The reading at the end of the infusion.
    EndCuff,
    /// The regular reading.
    Cuff,
    /// Recheck before the start, after a note of the gate.
    GateRecheck,
    /// A sedation score.
    Score,
}

/// A task and when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at: Moment,
    /// What.
    pub task: Task,
}

/// What is planned for the cuff in this session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CuffPlan {
    /// From when the present interval counts.
    anchor: Moment,
    /// When the regular reading is due.
    due: Option<Moment>,
    /// Whether the regular reading is the one at the end of the infusion.
    at_end: bool,
    /// Until when the first, short interval of an infusion holds.
    short_until: Moment,
    /// The extra reading at the usual peak.
    peak: Option<Moment>,
    /// The repeat after a violation.
    repeat: Option<Due>,
    /// Failed measurements in a row.
    pub failed: u32,
    /// When the last failed.
    pub failed_at: Moment,
}

impl CuffPlan {
    fn interval(&self, timing: &CuffTiming, phase: Phase, at: Moment) -> Option<Duration> {
        match phase {
            Phase::Infusion if at < self.short_until => Some(timing.infusion_first),
            Phase::Infusion => Some(timing.infusion),
            Phase::Paused => Some(timing.paused),
            Phase::Recovery => Some(timing.recovery),
            Phase::Observation => Some(timing.observation),
            Phase::Standby | Phase::Baseline | Phase::Discharged => None,
        }
    }

    /// The infusion begins or its rate changes: short intervals again.
    pub fn rate_changed(&mut self, timing: &CuffTiming, phase: Phase, now: Moment) {
        self.short_until = now.after(timing.infusion_first_for);
        if phase == Phase::Infusion {
            self.sooner(now, timing.infusion_first);
        }
    }

    /// The first start of the infusion.
    pub fn infusion_started(&mut self, timing: &CuffTiming, at: Moment) {
        self.peak = Some(at.after(timing.peak_after));
    }

    /// A phase begins.
    pub fn phase_begins(&mut self, timing: &CuffTiming, phase: Phase, now: Moment) {
        match phase {
            Phase::Standby | Phase::Baseline | Phase::Discharged => *self = Self::default(),
            Phase::Infusion => self.rate_changed(timing, phase, now),
            Phase::Recovery => {
                self.at_end = true;
                self.sooner(now, timing.recovery_first);
            }
            Phase::Paused => self.sooner(now, timing.paused),
            Phase::Observation => self.sooner(now, timing.observation),
        }
    }

    /// The regular reading is due `interval` after `now`, unless it is due before.
    fn sooner(&mut self, now: Moment, interval: Duration) {
        let due = now.after(interval);
        if self.due.is_none_or(|before| due < before) {
            self.anchor = now;
            self.due = Some(due);
        }
    }

    /// A reading was taken at `at`.
    pub fn taken(&mut self, timing: &CuffTiming, phase: Phase, at: Moment) {
        self.failed = 0;
        self.repeat = None;
        self.at_end = false;
        if self.peak.is_some_and(|peak| peak <= at) {
            self.peak = None;
        }
        if let Some(interval) = self.interval(timing, phase, at) {
            self.anchor = at;
            self.due = Some(at.after(interval));
        }
    }

    /// The newest reading violates a pressure limit.
    pub fn violated(&mut self, timing: &CuffTiming, first_high: bool, now: Moment) {
        self.repeat = Some(if first_high {
            Due {
                at: now,
                task: Task::RepeatCuffNow,
            }
        } else {
            Due {
                at: now.after(timing.after_violation),
                task: Task::RepeatCuff,
            }
        });
    }

    /// Everything is due at once: nobody knows how long nothing ran.
    pub fn due_now(&mut self, now: Moment) {
        if self.due.is_some() {
            self.anchor = now;
            self.due = Some(now);
        }
    }

    /// When the regular reading is overdue: low, and medium.
    pub fn overdue(&self, timing: &CuffTiming) -> Option<(Moment, Moment)> {
        let due = self.due?;
        let interval = due.since(self.anchor);
        Some((
            due.after(timing.overdue_after),
            due.after(interval.max(timing.overdue_after)),
        ))
    }

    /// When the regular reading is due, and from when its interval counts.
    pub const fn regular(&self) -> Option<(Moment, Moment)> {
        match self.due {
            Some(due) => Some((self.anchor, due)),
            None => None,
        }
    }

    /// The next cuff task.
    pub fn next_task(&self) -> Option<Due> {
        let regular = self.due.map(|at| Due {
            at,
            task: if self.at_end {
                Task::EndCuff
            } else {
                Task::Cuff
            },
        });
        let peak = self.peak.map(|at| Due {
            at,
            task: Task::PeakCuff,
        });
        [self.repeat, peak, regular].into_iter().flatten().min()
    }
}

impl Engine {
    /// The next thing for the nurse to do.
    pub(super) fn next_task(&self) -> Option<Due> {
        let session = self.session.as_ref()?;
        let due = |at, task| Due { at, task };
        let score = session.score_due.map(|at| due(at, Task::Score));
        let recheck = session
            .gate_recheck
            .filter(|_| session.phase == Phase::Baseline)
            .map(|at| due(at, Task::GateRecheck));
        let wanted = u32::try_from(self.profile.baseline.readings).unwrap_or(u32::MAX);
        let lacks_baseline = session.phase == Phase::Baseline
            && session.baseline.collected(Parameter::NibpSys) < wanted;
        let baseline = lacks_baseline.then(|| {
            // Readings of a baseline are taken as far apart as the recheck of a high one.
            let after = self.profile.gate.recheck_after;
            let last = self
                .feeds
                .usable(Parameter::NibpSys, self.at)
                .map_or(session.opened.moment, |(_, held)| {
                    held.received.after(after)
                });
            due(last, Task::BaselineCuff)
        });
        [session.cuff.next_task(), score, recheck, baseline]
            .into_iter()
            .flatten()
            .min()
    }
}
