//! Limits and baselines changed for one session: inside the rails, in order, with a reason.

use super::commands::{Done, Left, NO_SESSION};
use super::kernel::{Engine, Refusal};
use super::record::{BaselineRecord, LimitRecord, LimitSource, Numbered, Record};
use crate::profile::{Side, tier_order, within_rails};
use crate::vocabulary::{Decimal, Parameter, Phase, Priority, Rule};

impl Engine {
    /// A nurse changes a limit; the old and the new one are recorded.
    pub(super) fn set_limit(
        &mut self,
        (rule, tier): (Rule, Priority),
        value: Decimal,
        reason: &str,
        by: Option<&str>,
        out: &mut Vec<Numbered>,
    ) -> Done {
        let (from, to) = self.change_limit(rule, tier, value, reason)?;
        self.emit(
            Record::Limit(LimitRecord {
                rule,
                tier,
                from: Decimal::whole(from),
                to: Decimal::whole(to),
                source: LimitSource::Nurse,
                reason: Some(reason.to_owned()),
                by: by.map(ToOwned::to_owned),
            }),
            out,
        );
        Ok(Left::new())
    }

    /// Changes a limit of the session: what it was, and what it is.
    pub(super) fn change_limit(
        &mut self,
        rule: Rule,
        tier: Priority,
        value: Decimal,
        reason: &str,
    ) -> Result<(i64, i64), Refusal> {
        self.in_session()?;
        let phase = self.phase();
        let name = format!("{} {}", rule.name(), tier.name());
        let exact = value.normalized();
        if exact.scale() != 0 || exact.mantissa() < 0 {
            return Err(Refusal::new(
                format!("{value} is no limit for {name}"),
                "give a whole number",
            ));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::new(
                "a limit is changed without a reason",
                "say why in `reason`",
            ));
        }
        let limit = exact.mantissa();
        within_rails(rule, limit, &self.profile.rails).map_err(|rail| {
            Refusal::new(
                format!("{limit} is beyond the rail at {}", rail.limit),
                format!(
                    "choose a limit inside the rails: `{}` of the profile {}",
                    rail.key, self.profile.name
                ),
            )
        })?;
        let Some(session) = self.session.as_mut() else {
            return Err(Refusal::new(NO_SESSION, "open a session first"));
        };
        let Some(limits) = session
            .limits
            .iter_mut()
            .find(|limits| limits.rule.rule == rule)
        else {
            return Err(Refusal::new(
                format!("{} has no limit that can be set", rule.name()),
                "its delays belong to the profile",
            ));
        };
        let mut changed = limits.clone();
        // The outermost plain limit of the tier takes the value; inner ones give way where it passes them.
        let side = changed.rule.side();
        let Some(outermost) = changed.rule.outermost(tier) else {
            return Err(Refusal::new(
                format!("{name} has no absolute limit"),
                "it follows the baseline: use set-baseline",
            ));
        };
        for known in &mut changed.rule.tiers {
            if known.priority != tier || known.relative.is_some() {
                continue;
            }
            if let Some(part) = known.absolute.as_mut() {
                let passed = match side {
                    Side::Low => part.limit > limit,
                    Side::High => part.limit < limit,
                };
                if part.limit == outermost || passed {
                    part.limit = limit;
                }
            }
        }
        for phase in Phase::ALL {
            tier_order(&changed.rule.tiers, phase).map_err(|what| {
                Refusal::new(what, "change the other tier first, or choose another limit")
            })?;
        }
        if matches!(phase, Phase::Infusion | Phase::Paused) && can_never_trip(rule, side, limit) {
            return Err(Refusal::new(
                format!("{name} at {limit} can never alarm"),
                "no limit is OFF during an infusion",
            ));
        }
        changed.mark(tier);
        *limits = changed;
        self.dirty.rule(rule);
        Ok((outermost, limit))
    }

    /// Plain limits that can never trip: shown as OFF, refused in infusion.
    pub fn limits_off(&self) -> impl Iterator<Item = (Rule, Priority)> {
        self.session
            .iter()
            .flat_map(|session| &session.limits)
            .flat_map(|limits| {
                limits.rule.tiers.iter().filter_map(|tier| {
                    let limit = tier.absolute.filter(|_| tier.relative.is_none())?.limit;
                    can_never_trip(limits.rule.rule, tier.side, limit)
                        .then_some((limits.rule.rule, tier.priority))
                })
            })
    }

    /// Back to the profile's limits; each one that changes is recorded.
    pub(super) fn restore_limits(&mut self, by: Option<&str>, out: &mut Vec<Numbered>) -> Done {
        self.in_session()?;
        let mut restored = Vec::new();
        if let Some(session) = self.session.as_mut() {
            for limits in &mut session.limits {
                let Some(rule) = self.profile.limit(limits.rule.rule) else {
                    continue;
                };
                for tier in Priority::ALL {
                    let both = limits.rule.outermost(tier).zip(rule.outermost(tier));
                    if let Some((from, to)) = both.filter(|_| limits.by_nurse(tier)) {
                        restored.push((rule.rule, tier, from, to));
                    }
                }
                limits.rule = rule.clone();
                limits.nurse = [false; 3];
            }
        }
        for (rule, tier, from, to) in restored {
            self.emit(
                Record::Limit(LimitRecord {
                    rule,
                    tier,
                    from: Decimal::whole(from),
                    to: Decimal::whole(to),
                    source: LimitSource::Profile,
                    reason: None,
                    by: by.map(ToOwned::to_owned),
                }),
                out,
            );
        }
        self.dirty.all_physiological();
        Ok(Left::new())
    }

    pub(super) fn set_baseline(
        &mut self,
        parameter: Parameter,
        value: Decimal,
        reason: &str,
        out: &mut Vec<Numbered>,
    ) -> Done {
        self.in_session()?;
        let level = parameter
            .check(value)
            .ok()
            .and_then(|value| value.rounded(parameter.places()))
            .filter(|_| super::baseline::JUDGED.contains(&parameter));
        let Some(level) = level else {
            return Err(Refusal::new(
                format!("{value} is no baseline for {}", parameter.name()),
                "give a value that can be measured, of a parameter with limits",
            ));
        };
        if reason.trim().is_empty() {
            return Err(Refusal::new(
                "a baseline is replaced without a reason",
                "say why in `reason`",
            ));
        }
        if let Some(session) = self.session.as_mut() {
            session.baseline.set(parameter, level, 0);
        }
        self.emit(
            Record::Baseline(BaselineRecord {
                parameter,
                value: Some(Decimal::whole(level)),
                readings: Vec::new(),
                reason: Some(reason.to_owned()),
            }),
            out,
        );
        self.dirty.all_physiological();
        Ok(Left::new())
    }
}

/// Whether no measurable value can violate the limit.
fn can_never_trip(rule: Rule, side: Side, limit: i64) -> bool {
    let (lowest, highest) = match rule_parameter(rule) {
        Some(parameter) => parameter.range(),
        None => (0, 5),
    };
    match side {
        Side::Low => limit <= lowest,
        Side::High => limit >= highest,
    }
}

/// The parameter whose range bounds a rule's limits; the sedation score has none.
pub(super) fn rule_parameter(rule: Rule) -> Option<Parameter> {
    match rule {
        Rule::Spo2Low => Some(Parameter::Spo2),
        Rule::RateLow | Rule::RateHigh => Some(Parameter::Hr),
        Rule::SbpHigh | Rule::SbpLow => Some(Parameter::NibpSys),
        Rule::DbpHigh => Some(Parameter::NibpDia),
        Rule::MapLow => Some(Parameter::NibpMean),
        Rule::RrLow | Rule::RrHigh | Rule::NoBreath => Some(Parameter::Rr),
        Rule::PulseLost
        | Rule::Oversedated
        | Rule::FeedLost
        | Rule::Missing
        | Rule::Sensor
        | Rule::CuffFailed
        | Rule::CuffOverdue
        | Rule::ScoreOverdue
        | Rule::Implausible
        | Rule::WrongPatient
        | Rule::FeedsDisagree
        | Rule::RateDiffers
        | Rule::SlowFeed
        | Rule::Restarted
        | Rule::SessionOpen
        | Rule::DeviceAlert
        | Rule::Clock
        | Rule::Journal
        | Rule::Disk
        | Rule::Sound
        | Rule::Display
        | Rule::QueueFull
        | Rule::Pump => None,
    }
}
