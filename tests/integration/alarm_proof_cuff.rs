//! The second evaluation for cuff pressures: each reading is judged once, a first high one is rechecked.
//! It looks at every second of a timeline and must agree with the engine line by line.

use super::alarm_proof_bed::{Bed, cuff};
use super::alarm_proof_oracle::{Happening, Life, Line, Press, STEPS, input, median};
use infusewatch::engine::{AlarmEvent, Numbered, Record};
use infusewatch::vocabulary::{Moment, Parameter, Phase, Priority, Rule};
use proptest::prelude::*;
use std::time::Duration;

/// What a systolic pressure is in a phase, without regard to earlier readings: the priority of the
/// plain limits, and whether it reaches the tier that needs a second reading.
type Judgement = fn(i64, Option<i64>, Phase) -> (Option<Priority>, bool);

fn sbp_high(v: i64, baseline: Option<i64>, phase: Phase) -> (Option<Priority>, bool) {
    let above = |percent: i64| baseline.is_some_and(|b| 100 * v > (100 + percent) * b);
    let infusing = matches!(phase, Phase::Infusion | Phase::Paused | Phase::Recovery);
    if !infusing && phase != Phase::Observation {
        return (None, false);
    }
    let reaches = v >= 165 || (infusing && above(30) && v > 150);
    let plain = if v >= 180 {
        Some(Priority::High)
    } else if above(20) || (infusing && v > 160) {
        Some(Priority::Low)
    } else {
        None
    };
    (plain, reaches)
}

fn sbp_low(v: i64, baseline: Option<i64>, phase: Phase) -> (Option<Priority>, bool) {
    let below = phase != Phase::Baseline && baseline.is_some_and(|b| 100 * v < 80 * b);
    let plain = match v {
        ..80 => Some(Priority::High),
        80..90 => Some(Priority::Medium),
        _ if below => Some(Priority::Low),
        _ => None,
    };
    (plain, false)
}

/// Every line of the rule's life, second by second.
fn evaluate(judge: Judgement, timeline: &[(usize, Happening)], seconds: usize) -> Vec<Line> {
    let mut life = Life::default();
    let (mut phase, mut baseline, mut ended) = (Phase::Baseline, None, None);
    let mut before_start: Vec<(usize, i64)> = Vec::new();
    let mut newest: Option<(usize, i64)> = None;
    // Since when, and from which reading on, the recheck tier is reached without a break.
    let mut reached: Option<(usize, usize)> = None;
    let mut happenings = timeline.iter().peekable();
    for second in 0..=seconds {
        if phase == Phase::Recovery && ended.is_some_and(|ended| second >= ended + 30 * 60) {
            phase = Phase::Observation;
        }
        for after in [false, true] {
            let happening = if after {
                happenings.next_if(|(at, _)| *at == second)
            } else {
                None
            };
            match happening.map(|(_, happening)| *happening) {
                Some(Happening::Reading(Some(value))) => {
                    newest = Some((second, value));
                    if phase == Phase::Baseline {
                        before_start.push((second, value));
                    }
                }
                Some(Happening::Press(press)) => {
                    let was = phase;
                    phase = match (press, was) {
                        (Press::Start, Phase::Baseline | Phase::Recovery | Phase::Observation) => {
                            Phase::Infusion
                        }
                        (Press::Pause, Phase::Infusion) => Phase::Paused,
                        (Press::Resume, Phase::Paused) => Phase::Infusion,
                        (Press::Stop, Phase::Infusion | Phase::Paused) => Phase::Recovery,
                        (_, same) => same,
                    };
                    if phase == Phase::Recovery && was != phase {
                        ended = Some(second);
                    }
                    if was == Phase::Baseline && phase == Phase::Infusion {
                        let values: Vec<i64> = before_start.iter().map(|(_, v)| *v).collect();
                        let is_recent = before_start
                            .last()
                            .is_some_and(|(at, _)| second - at <= 15 * 60);
                        baseline = median(&values).filter(|_| is_recent);
                    }
                }
                Some(Happening::Reading(None) | Happening::Acknowledge) | None => {}
            }
            let Some((number, value)) = newest else {
                continue;
            };
            let (plain, reaches) = judge(value, baseline, phase);
            reached = reaches.then(|| reached.unwrap_or((second, number)));
            let is_confirmed =
                reached.is_some_and(|(since, first)| first != number || second >= since + 6 * 60);
            let rechecked = reached.map(|_| {
                if is_confirmed {
                    Priority::Medium
                } else {
                    Priority::Low
                }
            });
            let step = second * STEPS;
            life.becomes(step, plain.max(rechecked));
            match happening {
                Some((_, Happening::Reading(Some(_)))) => life.time_passes(step),
                Some((_, Happening::Acknowledge)) => life.acknowledged(step),
                Some((_, Happening::Reading(None) | Happening::Press(_))) | None => {}
            }
        }
    }
    life.lines
}

/// The same timeline through the engine. Every reading is told again until the next, as monitors do.
fn through_the_engine(rule: Rule, timeline: &[(usize, Happening)], seconds: usize) -> Vec<Line> {
    let mut bed = Bed::opened(Duration::from_secs(10));
    let mut lines = Vec::new();
    let mut note = |records: Vec<Numbered>| {
        for numbered in records {
            if let Record::Alarm(alarm) = numbered.record
                && alarm.rule == rule
            {
                let micros = usize::try_from(numbered.at.as_micros()).unwrap();
                assert_eq!(micros % 1_000_000, 0);
                assert_eq!(
                    alarm.event == AlarmEvent::Begin,
                    alarm.alarm == numbered.seq
                );
                lines.push((micros / 1_000_000 * STEPS, alarm.event, alarm.priority));
            }
        }
    };
    let mut told: Option<(u64, i64)> = None;
    for (second, happening) in timeline {
        let second = u64::try_from(*second).unwrap();
        note(bed.wait_until(Moment::from_secs(second - 1)));
        if let Some((at, value)) = told {
            note(bed.take(&cuff(Parameter::NibpSys, value, at)));
        }
        note(bed.wait_until(Moment::from_secs(second)));
        if let Happening::Reading(Some(value)) = happening {
            told = Some((second, *value));
            note(bed.take(&cuff(Parameter::NibpSys, *value, second)));
            note(bed.take(&cuff(Parameter::NibpDia, 50, second)));
        } else {
            note(bed.take(&input(Parameter::NibpSys, *happening)));
        }
    }
    note(bed.wait_until(Moment::from_secs(u64::try_from(seconds).unwrap())));
    lines
}

fn timeline(
    values: std::ops::Range<i64>,
) -> impl Strategy<Value = (Vec<(usize, Happening)>, usize)> {
    let gap = prop_oneof![Just(60_usize), 1_usize..400, 100_usize..900, Just(360)];
    let happening = prop_oneof![
        8 => values.prop_map(|value| Happening::Reading(Some(value))),
        2 => Just(Happening::Acknowledge),
        2 => Just(Happening::Press(Press::Start)),
        1 => Just(Happening::Press(Press::Pause)),
        1 => Just(Happening::Press(Press::Resume)),
        1 => Just(Happening::Press(Press::Stop)),
    ];
    prop::collection::vec((gap, happening), 1..30).prop_map(|steps| {
        let mut second = 0;
        let placed: Vec<(usize, Happening)> = steps
            .into_iter()
            .map(|(gap, happening)| {
                second += gap;
                (second, happening)
            })
            .collect();
        (placed, second + 3000)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alm_sbp_high_agrees_with_the_oracle((timeline, seconds) in timeline(115..190)) {
        let oracle = evaluate(sbp_high, &timeline, seconds);
        prop_assert_eq!(through_the_engine(Rule::SbpHigh, &timeline, seconds), oracle);
    }

    #[test]
    fn alm_sbp_low_agrees_with_the_oracle((timeline, seconds) in timeline(70..125)) {
        let oracle = evaluate(sbp_low, &timeline, seconds);
        prop_assert_eq!(through_the_engine(Rule::SbpLow, &timeline, seconds), oracle);
    }
}
