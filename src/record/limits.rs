//! The limits that judged, over time: the profile's, by phase and baseline, and what was changed by hand.
//!
//! For the trend and for the list of changes; alarms carry the limit that judged them themselves.

use super::Stamp;
use super::model::{LimitChange, LimitSpan};
use crate::engine::{LimitRecord, LimitSource};
use crate::profile::{self, LimitRule, Profile, Side};
use crate::vocabulary::{Decimal, Parameter, Phase, Priority, Rule};
use std::collections::BTreeMap;

/// Parameters whose limits are drawn, with the rules that bound them.
const DRAWN: [(Parameter, &[Rule]); 6] = [
    (Parameter::Spo2, &[Rule::Spo2Low]),
    (Parameter::Hr, &[Rule::RateLow, Rule::RateHigh]),
    (Parameter::NibpSys, &[Rule::SbpLow, Rule::SbpHigh]),
    (Parameter::NibpDia, &[Rule::DbpHigh]),
    (Parameter::NibpMean, &[Rule::MapLow]),
    (Parameter::Rr, &[Rule::RrLow, Rule::RrHigh]),
];

/// Where a rate's baseline is taken from, in this order (engine.md 5).
const RATES: [Parameter; 4] = [
    Parameter::Hr,
    Parameter::Pr,
    Parameter::NibpPr,
    Parameter::ArtPr,
];

/// Low and high, outermost.
type Bounds = (Option<Decimal>, Option<Decimal>);

/// Follows the limits of a session.
#[derive(Debug, Default)]
pub(super) struct Limits {
    profile: Option<Profile>,
    rules: Vec<LimitRule>,
    baseline: BTreeMap<Parameter, i64>,
    phase: Phase,
    now: BTreeMap<Parameter, (Stamp, Bounds)>,
    spans: Vec<LimitSpan>,
    changes: Vec<LimitChange>,
}

impl Limits {
    /// The session opens with this profile. A profile of another version that cannot be read has no limits here.
    pub(super) fn open(&mut self, at: Stamp, text: &str) {
        self.profile = profile::parse(text).ok();
        self.rules = self
            .profile
            .as_ref()
            .map(|profile| profile.limits.clone())
            .unwrap_or_default();
        self.look(at);
    }

    /// The profile of the session.
    pub(super) const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Another phase has other limits.
    pub(super) fn phase(&mut self, at: Stamp, phase: Phase) {
        self.phase = phase;
        self.look(at);
    }

    /// A baseline was fixed or replaced.
    pub(super) fn baseline(&mut self, at: Stamp, parameter: Parameter, value: Option<Decimal>) {
        match value.and_then(|value| value.rounded(parameter.places())) {
            Some(value) => self.baseline.insert(parameter, value),
            None => self.baseline.remove(&parameter),
        };
        self.look(at);
    }

    /// A limit was changed, or is the profile's again.
    pub(super) fn changed(&mut self, seq: u64, at: Stamp, told: LimitRecord) {
        let of_profile = self
            .profile
            .as_ref()
            .filter(|_| told.source == LimitSource::Profile)
            .and_then(|profile| profile.limit(told.rule));
        if let Some(known) = self.rules.iter_mut().find(|known| known.rule == told.rule) {
            match of_profile {
                Some(profile) => known.clone_from(profile),
                None => change(known, told.tier, told.to),
            }
        }
        self.changes.push(LimitChange {
            seq,
            at,
            rule: told.rule,
            tier: told.tier,
            from: told.from,
            to: told.to,
            source: told.source,
            reason: told.reason,
            by: told.by,
        });
        self.look(at);
    }

    /// The outermost limits now; where they differ from before, a stretch ends.
    fn look(&mut self, at: Stamp) {
        for (parameter, rules) in DRAWN {
            let bounds = self.bounds(parameter, rules);
            match self.now.get(&parameter) {
                Some((_, known)) if *known == bounds => {}
                Some(_) | None => {
                    self.end(parameter, at);
                    self.now.insert(parameter, (at, bounds));
                }
            }
        }
    }

    fn bounds(&self, parameter: Parameter, rules: &[Rule]) -> Bounds {
        let baseline = if RATES.contains(&parameter) {
            RATES.iter().find_map(|rate| self.baseline.get(rate))
        } else {
            self.baseline.get(&parameter)
        }
        .copied();
        let limits = |side: Side| {
            self.rules
                .iter()
                .filter(|known| rules.contains(&known.rule))
                .flat_map(|known| &known.tiers)
                .filter(move |tier| tier.side == side && tier.phases.contains(self.phase))
                .filter_map(move |tier| tier.limit(baseline).map(|(limit, _)| limit))
        };
        (limits(Side::Low).max(), limits(Side::High).min())
    }

    fn end(&mut self, parameter: Parameter, at: Stamp) {
        if let Some((from, (low, high))) = self.now.remove(&parameter)
            && (low.is_some() || high.is_some())
            && at > from
        {
            self.spans.push(LimitSpan {
                parameter,
                from,
                to: at,
                low,
                high,
            });
        }
    }

    /// Every stretch up to `end`, by parameter and time, and the changes.
    pub(super) fn finish(mut self, end: Stamp) -> (Vec<LimitSpan>, Vec<LimitChange>) {
        for (parameter, _) in DRAWN {
            self.end(parameter, end);
        }
        self.spans.sort_by_key(|span| (span.parameter, span.from));
        (self.spans, self.changes)
    }
}

/// Puts a limit in the place of the outermost plain one of its tier, as the engine does; inner ones that it
/// passes give way.
fn change(rule: &mut LimitRule, tier: Priority, value: Decimal) {
    let side = rule.side();
    let (Some(limit), Some(outermost)) = (value.rounded(0), rule.outermost(tier)) else {
        return;
    };
    let plain = rule
        .tiers
        .iter_mut()
        .filter(|known| known.priority == tier && known.relative.is_none());
    for part in plain.filter_map(|known| known.absolute.as_mut()) {
        let passed = match side {
            Side::Low => part.limit > limit,
            Side::High => part.limit < limit,
        };
        if part.limit == outermost || passed {
            part.limit = limit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::SHIPPED;

    fn stamp(minute: i64) -> Stamp {
        Stamp::from_millis(minute * 60_000)
    }

    #[test]
    fn limits_follow_phase_baseline_and_hand() {
        let mut limits = Limits::default();
        limits.open(stamp(0), SHIPPED);
        limits.phase(stamp(0), Phase::Baseline);
        limits.phase(stamp(10), Phase::Infusion);
        limits.baseline(stamp(10), Parameter::NibpSys, Some(Decimal::whole(120)));
        let told = |rule, tier, from, to, source| LimitRecord {
            rule,
            tier,
            from: Decimal::whole(from),
            to: Decimal::whole(to),
            source,
            reason: None,
            by: None,
        };
        let (low, high) = (Priority::Low, Priority::High);
        let nurse = LimitSource::Nurse;
        limits.changed(7, stamp(20), told(Rule::SbpHigh, high, 180, 190, nurse));
        limits.changed(8, stamp(30), told(Rule::Spo2Low, low, 94, 92, nurse));
        let again = told(Rule::Spo2Low, low, 92, 94, LimitSource::Profile);
        limits.changed(9, stamp(40), again);
        let (spans, changes) = limits.finish(stamp(50));
        let of = |parameter| -> Vec<_> {
            spans
                .iter()
                .filter(|span| span.parameter == parameter)
                .map(|span| {
                    let minutes = |stamp: Stamp| stamp.millis() / 60_000;
                    (minutes(span.from), minutes(span.to), span.low, span.high)
                })
                .collect()
        };
        let d = |value| Some(Decimal::whole(value));
        // In the infusion 20 % above the baseline of 120 is the outermost; before, only low pressure is judged.
        assert_eq!(
            of(Parameter::NibpSys),
            [(0, 10, d(90), None), (10, 50, d(96), d(144))]
        );
        assert_eq!(
            of(Parameter::Spo2),
            [
                (0, 30, d(94), None),
                (30, 40, d(92), None),
                (40, 50, d(94), None)
            ]
        );
        assert_eq!(changes.len(), 3);
    }
}
