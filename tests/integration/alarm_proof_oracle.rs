//! A second, slow and obvious evaluation of the limits, written from the rules of `docs/alarms.md` and
//! not from the engine: it keeps the whole history and judges every tenth of a second by looking back
//! over it. It must agree with the engine on every timeline, to the tenth of a second.
//!
//! Technical alarms are facts for the oracle: it takes them from the engine's records, because a patient
//! alarm without a value waits for one. They have their own tests.

use super::alarm_proof_bed::{Bed, command, reads, refuses, start};
use infusewatch::engine::{AcknowledgeTarget, AlarmEvent, All, Command, Input, Numbered, Record};
use infusewatch::profile;
use infusewatch::vocabulary::{Moment, Parameter, Phase, Priority, Rule};
use proptest::prelude::*;
use std::time::Duration;

/// Steps of the oracle in a second.
pub const STEPS: usize = 10;

/// What happens in a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The monitor says this, or that it has no number.
    Reading(Option<i64>),
    /// A nurse presses start, pause, resume or stop.
    Press(Press),
    /// A nurse acknowledges everything.
    Acknowledge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    Start,
    Pause,
    Resume,
    Stop,
}

/// Step, event and priority of every line of an alarm's life.
pub type Line = (usize, AlarmEvent, Priority);

/// One tier as `docs/alarms.md` states it.
struct Limit {
    priority: Priority,
    seconds: usize,
    /// Points below the limit times seconds that alarm sooner: the limit and how many.
    point_seconds: Option<(i64, usize)>,
    /// Violated by a value, given the baseline.
    violated: fn(i64, Option<i64>) -> bool,
    /// Inside by the margin.
    inside: fn(i64, Option<i64>) -> bool,
    /// Judged in this phase.
    judged: fn(Phase) -> bool,
}

const fn limit(
    priority: Priority,
    seconds: usize,
    violated: fn(i64, Option<i64>) -> bool,
    inside: fn(i64, Option<i64>) -> bool,
) -> Limit {
    Limit {
        priority,
        seconds,
        point_seconds: None,
        violated,
        inside,
        judged: |_| true,
    }
}

use Priority::{High, Low, Medium};

/// A rule on one parameter.
struct Checked {
    rule: Rule,
    parameter: Parameter,
    /// What the engine judges with.
    profile: String,
    /// Three violations of medium or high within a minute alarm at the third onset.
    net: bool,
    limits: Vec<Limit>,
}

fn spo2_low() -> Checked {
    Checked {
        rule: Rule::Spo2Low,
        parameter: Parameter::Spo2,
        profile: profile::SHIPPED.to_owned(),
        net: true,
        limits: vec![
            limit(Low, 30, |v, _| v < 94, |v, _| v >= 95),
            limit(Medium, 15, |v, _| v < 92, |v, _| v >= 94),
            Limit {
                judged: |phase| phase != Phase::Baseline,
                ..limit(
                    Medium,
                    30,
                    |v, b| b.is_some_and(|b| v <= b - 5),
                    |v, b| b.is_none_or(|b| v >= b - 5 + 2),
                )
            },
            limit(High, 10, |v, _| v < 88, |v, _| v >= 90),
            limit(High, 2, |v, _| v < 85, |v, _| v >= 87),
        ],
    }
}

/// The same with integrals and longer delays.
fn spo2_low_by_area() -> Checked {
    let mut checked = spo2_low();
    for (plain, with_area, place, seconds, limit, point_seconds) in [
        (
            r#"below = 94, for = "30s""#,
            r#"below = 94, for = "60s", point-seconds = 25"#,
            0,
            60,
            94,
            25,
        ),
        (
            r#"below = 92, for = "15s""#,
            r#"below = 92, for = "40s", point-seconds = 50"#,
            1,
            40,
            92,
            50,
        ),
        (
            r#"below = 88, for = "10s""#,
            r#"below = 88, for = "20s", point-seconds = 7"#,
            3,
            20,
            88,
            7,
        ),
    ] {
        assert!(checked.profile.contains(plain));
        checked.profile = checked.profile.replacen(plain, with_area, 1);
        checked.limits[place].seconds = seconds;
        checked.limits[place].point_seconds = Some((limit, point_seconds));
    }
    checked
}

fn rate_low() -> Checked {
    Checked {
        rule: Rule::RateLow,
        parameter: Parameter::Hr,
        profile: profile::SHIPPED.to_owned(),
        net: false,
        limits: vec![
            limit(Medium, 8, |v, _| v < 50, |v, _| v >= 53),
            limit(
                Medium,
                8,
                |v, b| v < 55 && b.is_some_and(|b| 100 * v < 80 * b),
                |v, b| v >= 58 || b.is_none_or(|b| 100 * (v - 3) >= 80 * b),
            ),
            limit(High, 5, |v, _| v < 40, |v, _| v >= 43),
        ],
    }
}

fn rate_high() -> Checked {
    Checked {
        rule: Rule::RateHigh,
        parameter: Parameter::Hr,
        profile: profile::SHIPPED.to_owned(),
        net: false,
        limits: vec![
            limit(
                Low,
                30,
                |v, b| b.is_some_and(|b| 100 * v > 130 * b),
                |v, b| b.is_none_or(|b| 100 * (v + 3) <= 130 * b),
            ),
            limit(Medium, 8, |v, _| v > 120, |v, _| v <= 117),
            limit(High, 8, |v, _| v > 150, |v, _| v <= 147),
        ],
    }
}

/// How a value stands to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Violates,
    /// Neither violating nor inside by the margin.
    Near,
    Inside,
    /// No value.
    Without,
    /// The limit does not judge in this phase.
    Off,
}

/// The whole history, one entry for each step: first what was when the step was reached, then what is
/// after that step's happening. Between two steps the latter holds.
struct History {
    value: Vec<[Option<i64>; 2]>,
    phase: Vec<[Phase; 2]>,
    baseline: Vec<[Option<i64>; 2]>,
}

impl History {
    /// Readings hold for `silence` seconds, not at its very end.
    fn of(timeline: &[(usize, Happening)], steps: usize, silence: usize) -> Self {
        let mut history = Self {
            value: Vec::new(),
            phase: Vec::new(),
            baseline: Vec::new(),
        };
        let mut reading: Option<(usize, Option<i64>)> = None;
        let (mut phase, mut baseline) = (Phase::Baseline, None);
        let mut before_start = Vec::new();
        let mut happenings = timeline.iter().peekable();
        for step in 0..=steps {
            let held = |reading: Option<(usize, Option<i64>)>| {
                let (at, value) = reading?;
                value.filter(|_| step < at + silence * STEPS)
            };
            let (was, was_phase, was_baseline) = (held(reading), phase, baseline);
            while let Some((_, happening)) = happenings.next_if(|(at, _)| *at == step) {
                match happening {
                    Happening::Reading(value) => {
                        reading = Some((step, *value));
                        if let (Phase::Baseline, Some(value)) = (phase, value) {
                            before_start.push(*value);
                        }
                    }
                    Happening::Press(press) => {
                        if (*press, phase) == (Press::Start, Phase::Baseline) {
                            baseline = median(&before_start);
                        }
                        phase = match (press, phase) {
                            (Press::Start, Phase::Baseline | Phase::Recovery) => Phase::Infusion,
                            (Press::Pause, Phase::Infusion) => Phase::Paused,
                            (Press::Resume, Phase::Paused) => Phase::Infusion,
                            (Press::Stop, Phase::Infusion | Phase::Paused) => Phase::Recovery,
                            (_, same) => same,
                        };
                    }
                    Happening::Acknowledge => {}
                }
            }
            history.value.push([was, held(reading)]);
            history.phase.push([was_phase, phase]);
            history.baseline.push([was_baseline, baseline]);
        }
        history
    }

    fn look(&self, limit: &Limit, step: usize, after: usize) -> Look {
        let baseline = self.baseline[step][after];
        if !(limit.judged)(self.phase[step][after]) {
            return Look::Off;
        }
        match self.value[step][after] {
            None => Look::Without,
            Some(value) if (limit.violated)(value, baseline) => Look::Violates,
            Some(value) if (limit.inside)(value, baseline) => Look::Inside,
            Some(_) => Look::Near,
        }
    }
}

/// The middle of at least two; of an even number the mean of the middle two, rounded half up.
pub fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 | 1 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle] + 1) / 2),
    }
}

/// The violation that lasts at a moment: since when, and for how many steps without the gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Violation {
    onset: (usize, usize),
    lasted: usize,
    /// Points beyond the limit, summed over the steps that it lasted.
    area: usize,
}

/// Looks back from a moment at which a limit is violated.
fn violation(
    looks: &[[Look; 2]],
    depth: impl Fn(usize) -> usize,
    step: usize,
    after: usize,
) -> Option<Violation> {
    if looks[step][after] != Look::Violates {
        return None;
    }
    let mut found = Violation {
        onset: (step, after),
        lasted: 0,
        area: 0,
    };
    let mut gap = 0;
    if after == 1 {
        match looks[step][0] {
            Look::Violates => found.onset = (step, 0),
            Look::Without => {}
            Look::Near | Look::Inside | Look::Off => return Some(found),
        }
    }
    for before in (0..step).rev() {
        match looks[before][1] {
            Look::Violates => {
                found.lasted += 1;
                found.area += depth(before);
                gap = 0;
                found.onset = (before, 1);
            }
            Look::Without => {
                gap += 1;
                if gap > 30 * STEPS {
                    break;
                }
            }
            Look::Near | Look::Inside | Look::Off => break,
        }
    }
    Some(found)
}

/// Whether a value has been inside without a break for 5 s.
fn inside_for_5_s(looks: &[[Look; 2]], step: usize, after: usize) -> bool {
    looks[step][after] == Look::Inside
        && step >= 5 * STEPS
        && (step - 5 * STEPS..step).all(|before| looks[before][1] == Look::Inside)
}

/// Every line of the rule's life on this timeline.
fn evaluate(
    checked: &Checked,
    timeline: &[(usize, Happening)],
    steps: usize,
    technical: &[[Option<Priority>; 2]],
) -> Vec<Line> {
    let history = History::of(timeline, steps, 10);
    let looks: Vec<Vec<[Look; 2]>> = checked
        .limits
        .iter()
        .map(|limit| {
            (0..=steps)
                .map(|step| [0, 1].map(|after| history.look(limit, step, after)))
                .collect()
        })
        .collect();
    let mut stands = vec![false; checked.limits.len()];
    let mut onsets: Vec<Vec<usize>> = vec![Vec::new(); checked.limits.len()];
    let mut is_third = vec![false; checked.limits.len()];
    let mut life = Life::default();
    for step in 0..=steps {
        for after in [0, 1] {
            let mut risen = None;
            for (place, limit) in checked.limits.iter().enumerate() {
                // Between two steps the value holds that stood after the first.
                let depth = |step: usize| match (limit.point_seconds, history.value[step][1]) {
                    (Some((bound, _)), Some(value)) => usize::try_from(bound - value).unwrap(),
                    _ => 0,
                };
                let now = violation(&looks[place], depth, step, after);
                if now.is_some_and(|now| now.onset == (step, after)) {
                    onsets[place].push(step);
                    // The third violation is one that alarms at once, for as long as it lasts.
                    let third = onsets[place].len().checked_sub(3);
                    is_third[place] = checked.net
                        && limit.priority > Low
                        && !stands[place]
                        && third.is_some_and(|third| step - onsets[place][third] <= 60 * STEPS);
                }
                if looks[place][step][after] == Look::Off
                    || inside_for_5_s(&looks[place], step, after)
                {
                    stands[place] = false;
                } else if let (Some(now), false) = (now, stands[place])
                    && (is_third[place]
                        || now.lasted >= limit.seconds * STEPS
                        || limit
                            .point_seconds
                            .is_some_and(|(_, most)| now.area >= most * STEPS))
                {
                    stands[place] = true;
                    risen = risen.max(Some(limit.priority));
                }
            }
            // What rises stands with every violated tier below, so that it steps down through them.
            for (place, limit) in checked.limits.iter().enumerate() {
                if Some(limit.priority) <= risen && looks[place][step][after] == Look::Violates {
                    stands[place] = true;
                }
            }
            let highest = |stands: &[bool]| {
                let tiers = checked.limits.iter().zip(stands);
                tiers
                    .filter(|(_, stands)| **stands)
                    .map(|(l, _)| l.priority)
                    .max()
            };
            let has_none = history.value[step][after].is_none();
            if has_none && technical[step][after] >= highest(&stands) {
                stands.fill(false);
            }
            life.becomes(step, highest(&stands));
            if after == 0 {
                life.time_passes(step);
            } else if timeline.contains(&(step, Happening::Acknowledge)) {
                life.acknowledged(step);
            }
        }
    }
    life.lines
}

/// The life of one alarm, as simple as it can be said.
#[derive(Default)]
pub struct Life {
    pub lines: Vec<Line>,
    state: Option<Stands>,
    peak: Option<Priority>,
}

#[derive(Clone, Copy)]
enum Stands {
    Active(Priority),
    Acknowledged(Priority, usize),
    Returned,
}

impl Life {
    pub fn becomes(&mut self, step: usize, tier: Option<Priority>) {
        let (event, told, state) = match (self.state, tier) {
            (None, None) | (Some(Stands::Returned), None) => return,
            (None, Some(now)) => (AlarmEvent::Begin, now, Some(Stands::Active(now))),
            (Some(Stands::Returned), Some(now)) => {
                (AlarmEvent::Escalate, now, Some(Stands::Active(now)))
            }
            (Some(Stands::Active(was)), Some(now)) if now > was => {
                (AlarmEvent::Escalate, now, Some(Stands::Active(now)))
            }
            (Some(Stands::Active(was)), Some(now)) if now < was => {
                (AlarmEvent::Deescalate, now, Some(Stands::Active(now)))
            }
            (Some(Stands::Acknowledged(was, _)), Some(now)) if now > was => {
                (AlarmEvent::Escalate, now, Some(Stands::Active(now)))
            }
            (Some(Stands::Acknowledged(was, at)), Some(now)) if now < was => (
                AlarmEvent::Deescalate,
                now,
                Some(Stands::Acknowledged(now, at)),
            ),
            (Some(Stands::Active(_) | Stands::Acknowledged(..)), Some(_)) => return,
            (Some(Stands::Active(_)), None) if self.peak == Some(High) => {
                (AlarmEvent::Return, High, Some(Stands::Returned))
            }
            (Some(Stands::Active(was) | Stands::Acknowledged(was, _)), None) => {
                (AlarmEvent::End, was, None)
            }
        };
        self.lines.push((step, event, told));
        self.peak = state.and(self.peak.max(tier));
        self.state = state;
    }

    /// When an acknowledged alarm may sound again.
    pub fn again_at(&self) -> Option<usize> {
        match self.state {
            Some(Stands::Acknowledged(High, at)) => Some(at + 120 * STEPS),
            Some(Stands::Acknowledged(Medium, at)) => Some(at + 180 * STEPS),
            Some(Stands::Acknowledged(Low, _) | Stands::Active(_) | Stands::Returned) | None => {
                None
            }
        }
    }

    pub fn time_passes(&mut self, step: usize) {
        if let (Some(Stands::Acknowledged(tier, _)), Some(due)) = (self.state, self.again_at())
            && due <= step
        {
            self.lines.push((step, AlarmEvent::ReAlarm, tier));
            self.state = Some(Stands::Active(tier));
        }
    }

    pub fn acknowledged(&mut self, step: usize) {
        match self.state {
            Some(Stands::Active(tier)) => {
                self.lines.push((step, AlarmEvent::Acknowledge, tier));
                self.state = Some(Stands::Acknowledged(tier, step));
            }
            Some(Stands::Returned) => {
                self.lines.push((step, AlarmEvent::End, High));
                (self.state, self.peak) = (None, None);
            }
            Some(Stands::Acknowledged(..)) | None => {}
        }
    }
}

/// The same timeline through the engine: the rule's lines, and the highest technical alarm that stands
/// for its parameter at every step.
fn through_the_engine(
    checked: &Checked,
    timeline: &[(usize, Happening)],
    steps: usize,
) -> (Vec<Line>, Vec<[Option<Priority>; 2]>) {
    let mut bed = Bed::opened_with(&checked.profile, Duration::from_secs(10));
    let by_area = checked.limits.iter().any(|l| l.point_seconds.is_some());
    let mut lines = Vec::new();
    let mut changes = Vec::new();
    let mut note = |records: Vec<Numbered>, after: usize| {
        for numbered in records {
            let micros = numbered.at.as_micros();
            // Only an integral may be reached between two steps: the oracle sees it with the next one.
            assert!(
                by_area || micros % 100_000 == 0,
                "{numbered:?} is not on the grid"
            );
            let step = usize::try_from(micros.div_ceil(100_000)).unwrap();
            let Record::Alarm(alarm) = numbered.record else {
                continue;
            };
            if alarm.rule == checked.rule {
                lines.push((step, alarm.event, alarm.priority));
            }
            if matches!(alarm.rule, Rule::FeedLost | Rule::Sensor | Rule::Missing)
                && alarm.parameter.is_none_or(|of| of == checked.parameter)
            {
                let standing = (alarm.event != AlarmEvent::End).then_some(alarm.priority);
                changes.push(((step, after), alarm.alarm, standing));
            }
        }
    };
    for (step, happening) in timeline {
        let at = Moment::from_micros(u64::try_from(*step).unwrap() * 100_000);
        note(bed.wait_until(at), 0);
        note(bed.take(&input(checked.parameter, *happening)), 1);
    }
    let end = Moment::from_micros(u64::try_from(steps).unwrap() * 100_000);
    note(bed.wait_until(end), 0);
    let mut standing = std::collections::BTreeMap::new();
    let mut changes = changes.into_iter().peekable();
    let technical = (0..=steps)
        .map(|step| {
            [0, 1].map(|after| {
                while let Some((_, alarm, tier)) =
                    changes.next_if(|(when, ..)| *when <= (step, after))
                {
                    standing.insert(alarm, tier);
                }
                standing.values().copied().flatten().max()
            })
        })
        .collect();
    (lines, technical)
}

pub fn input(parameter: Parameter, happening: Happening) -> Input {
    match happening {
        Happening::Reading(Some(value)) => reads(parameter, value),
        Happening::Reading(None) => refuses(parameter),
        Happening::Press(Press::Start) => start(),
        Happening::Press(Press::Pause) => command(Command::PauseInfusion),
        Happening::Press(Press::Resume) => command(Command::ResumeInfusion),
        Happening::Press(Press::Stop) => command(Command::StopInfusion),
        Happening::Acknowledge => command(Command::Acknowledge {
            alarm: AcknowledgeTarget::All(All::All),
            seen_priority: None,
            seen_seq: None,
            by: None,
        }),
    }
}

/// A stretch of a timeline: what the monitor says, how often, for how long.
#[derive(Clone, Copy, Debug)]
enum Stretch {
    Steady(i64),
    Noisy(i64, i64),
    Refused,
    Silent,
}

fn stretches(values: std::ops::Range<i64>) -> impl Strategy<Value = Vec<(Stretch, usize, usize)>> {
    let other = values.clone();
    let stretch = prop_oneof![
        6 => values.prop_map(Stretch::Steady),
        3 => (other.clone(), other).prop_map(|(one, two)| Stretch::Noisy(one, two)),
        1 => Just(Stretch::Refused),
        1 => Just(Stretch::Silent),
    ];
    let length = prop_oneof![1_usize..60, 20_usize..200, 100_usize..420];
    let cadence = prop_oneof![Just(10_usize), 3_usize..17, Just(50_usize)];
    prop::collection::vec((stretch, length, cadence), 2..14)
}

fn presses() -> impl Strategy<Value = Vec<(usize, Happening)>> {
    let press = prop_oneof![
        4 => Just(Happening::Acknowledge),
        3 => Just(Happening::Press(Press::Start)),
        1 => Just(Happening::Press(Press::Pause)),
        1 => Just(Happening::Press(Press::Resume)),
        1 => Just(Happening::Press(Press::Stop)),
    ];
    prop::collection::vec((1_usize..2500, press), 0..8)
}

/// One happening in a step at most, so that their order is not in question.
fn timeline(
    stretches: &[(Stretch, usize, usize)],
    presses: &[(usize, Happening)],
) -> (Vec<(usize, Happening)>, usize) {
    let mut happenings = std::collections::BTreeMap::new();
    let mut step = 1;
    for (stretch, length, cadence) in stretches {
        let until = step + length;
        let mut odd = false;
        while step < until {
            let said = match stretch {
                Stretch::Steady(value) => Some(Some(*value)),
                Stretch::Noisy(one, two) => Some(Some(if odd { *one } else { *two })),
                Stretch::Refused => Some(None),
                Stretch::Silent => None,
            };
            if let Some(reading) = said {
                happenings.insert(step, Happening::Reading(reading));
            }
            odd = !odd;
            step += cadence;
        }
    }
    for (at, press) in presses {
        happenings.insert(*at, *press);
    }
    let steps = happenings.keys().last().copied().unwrap_or(0).max(step) + 700;
    (happenings.into_iter().collect(), steps)
}

fn agrees(
    checked: &Checked,
    stretches: &[(Stretch, usize, usize)],
    presses: &[(usize, Happening)],
) -> Result<(), TestCaseError> {
    let (timeline, steps) = timeline(stretches, presses);
    let (engine, technical) = through_the_engine(checked, &timeline, steps);
    let oracle = evaluate(checked, &timeline, steps, &technical);
    if checked.limits.iter().any(|l| l.point_seconds.is_some()) {
        prop_assert_eq!(risen_at_once(engine), risen_at_once(oracle));
    } else {
        prop_assert_eq!(engine, oracle);
    }
    Ok(())
}

/// What began or rose twice between two steps, as the oracle sees it: risen once.
fn risen_at_once(lines: Vec<Line>) -> Vec<Line> {
    let mut once: Vec<Line> = Vec::new();
    for line in lines {
        match once.last_mut() {
            Some((step, AlarmEvent::Begin | AlarmEvent::Escalate, tier))
                if *step == line.0 && line.1 == AlarmEvent::Escalate =>
            {
                *tier = line.2;
            }
            _ => once.push(line),
        }
    }
    once
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alm_spo2_low_agrees_with_the_oracle(
        stretches in stretches(80..99), presses in presses(),
    ) {
        agrees(&spo2_low(), &stretches, &presses)?;
    }

    #[test]
    fn alm_spo2_low_with_integrals_agrees_with_the_oracle(
        stretches in stretches(80..99), presses in presses(),
    ) {
        agrees(&spo2_low_by_area(), &stretches, &presses)?;
    }

    #[test]
    fn alm_rate_low_agrees_with_the_oracle(
        stretches in stretches(36..75), presses in presses(),
    ) {
        agrees(&rate_low(), &stretches, &presses)?;
    }

    #[test]
    fn alm_rate_high_agrees_with_the_oracle(
        stretches in stretches(70..160), presses in presses(),
    ) {
        agrees(&rate_high(), &stretches, &presses)?;
    }
}
