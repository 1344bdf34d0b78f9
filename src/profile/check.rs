//! What the numbers of a profile must be to each other: order of tiers, rails, clauses of standards.

use super::read::{Reader, Section};
use super::{Gate, LimitRule, PhaseSet, Rail, Rails, Side, Technical, Tier};
use crate::vocabulary::{Phase, Priority, Rule};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A heart-rate limit must alarm within 10 s (IEC 60601-2-27).
const RATE_WITHIN: Duration = Duration::from_secs(10);
/// What an integral may ask for; oximeter makers offer 10 to 100.
const POINT_SECONDS: RangeInclusive<u64> = 1..=1000;
/// The default low SpO2 limit may not be below 85 % (ISO 9919 201.5.4, ISO 80601-2-61).
const SPO2_DEFAULT_LEAST: i64 = 85;

/// Order of the gate's steps.
pub(super) fn gate(reader: &mut Reader<'_>, from: &Section<'_>, gate: &Gate) {
    let mut rising = |key: &str, lower: i64, upper: i64| {
        if lower >= upper {
            let what = format!("{upper} must be above the step before it, {lower}");
            reader.problem(from.at(), from.key(key), what);
        }
    };
    rising("override-sys", gate.note_sys, gate.override_sys);
    rising("override-dia", gate.note_dia, gate.override_dia);
    rising("two-person-sys", gate.override_sys, gate.two_person_sys);
    rising("two-person-dia", gate.override_dia, gate.two_person_dia);
    rising("rate-above", gate.rate_below, gate.rate_above);
}

/// Order of tiers, rails and delays of one rule.
pub(super) fn limits(
    reader: &mut Reader<'_>,
    from: &Section<'_>,
    rule: &LimitRule,
    rails: Option<&Rails>,
) {
    for (place, tier) in rule.tiers.iter().enumerate() {
        let key = from.key(&format!("tiers[{place}]"));
        if let (Some(part), Some(rails)) = (tier.absolute, rails)
            && let Err(rail) = within_rails(rule.rule, part.limit, rails)
        {
            let what = format!("{} is beyond the rail at {}", part.limit, rail.limit);
            reader.problem(from.at(), key.as_str(), what);
        }
        if tier.point_seconds.is_some() && rule.rule != Rule::Spo2Low {
            let what = "is for spo2-low only";
            reader.problem(from.at(), format!("{key}.point-seconds"), what);
        }
        let is_rate = matches!(rule.rule, Rule::RateLow | Rule::RateHigh);
        if is_rate && tier.priority > Priority::Low && tier.delay > RATE_WITHIN {
            let what = "a rate must alarm within 10 s (IEC 60601-2-27)";
            reader.problem(from.at(), format!("{key}.for"), what);
        }
    }
    for phase in Phase::ALL {
        if let Err(what) = tier_order(&rule.tiers, phase) {
            reader.problem(from.at(), from.key("tiers"), what);
            break;
        }
    }
    let highest = rule
        .tiers
        .iter()
        .filter_map(|tier| tier.absolute)
        .map(|part| part.limit)
        .max();
    if rule.rule == Rule::Spo2Low && highest.is_none_or(|limit| limit < SPO2_DEFAULT_LEAST) {
        let what = "the outermost limit must be at 85 or above (ISO 80601-2-61)";
        reader.problem(from.at(), from.key("tiers"), what);
    }
}

/// The points times seconds of a tier, in their range.
pub(super) fn point_seconds(reader: &mut Reader<'_>, from: &Section<'_>, told: i64) -> u64 {
    u64::try_from(told)
        .ok()
        .filter(|told| POINT_SECONDS.contains(told))
        .unwrap_or_else(|| {
            let (least, most) = (POINT_SECONDS.start(), POINT_SECONDS.end());
            let what = format!("must be between {least} and {most}");
            reader.problem(from.at(), from.key("point-seconds"), what);
            *most
        })
}

/// Whether a limit of this rule is inside the rails; otherwise which rail it breaks.
pub(crate) fn within_rails(rule: Rule, limit: i64, rails: &Rails) -> Result<(), Rail> {
    let (low, high) = rails.of(rule);
    let broken = low
        .filter(|rail| limit < rail.limit)
        .or_else(|| high.filter(|rail| limit > rail.limit));
    match broken {
        Some(rail) => Err(rail),
        None => Ok(()),
    }
}

/// Whether a more urgent tier is never easier to reach than a less urgent one in this phase: the
/// outermost plain limit of each tier must be more extreme than that of the tier below it.
pub(crate) fn tier_order(tiers: &[Tier], phase: Phase) -> Result<(), String> {
    let outermost = |priority: Priority| {
        tiers
            .iter()
            .filter(|tier| {
                tier.priority == priority && tier.phases.contains(phase) && tier.relative.is_none()
            })
            .filter_map(|tier| tier.absolute.map(|part| (tier.side, part.limit)))
            .reduce(|one, other| match one.0 {
                Side::Low => (one.0, one.1.max(other.1)),
                Side::High => (one.0, one.1.min(other.1)),
            })
    };
    let mut below: Option<(Priority, i64)> = None;
    for priority in Priority::ALL {
        let Some((side, limit)) = outermost(priority) else {
            continue;
        };
        if let Some((lower, other)) = below {
            let wrong = match side {
                Side::Low => limit >= other,
                Side::High => limit <= other,
            };
            if wrong {
                return Err(format!(
                    "tiers out of order in {}: {} at {limit}, {} at {other}",
                    phase.name(),
                    priority.name(),
                    lower.name()
                ));
            }
        }
        below = Some((priority, limit));
    }
    Ok(())
}

/// Priorities of a technical condition: each phase once, and a further delay only where it is lower.
pub(super) fn technical(reader: &mut Reader<'_>, from: &Section<'_>, entry: &Technical) {
    let Technical {
        low, medium, high, ..
    } = *entry;
    if low.meets(medium) || low.meets(high) || medium.meets(high) {
        let what = "names one phase under two priorities";
        reader.problem(from.at(), from.key(""), what);
    }
    if [low, medium, high].iter().all(|phases| phases.is_empty()) {
        let what = "must have a priority in at least one phase";
        reader.problem(from.at(), from.key(""), what);
    }
    if entry.high_after.is_some() == (entry.high_after_in == PhaseSet::default()) {
        let what = "`high-after` and `high-after-in` go together";
        reader.problem(from.at(), from.key("high-after"), what);
    }
}
