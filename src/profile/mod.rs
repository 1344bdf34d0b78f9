//! Limits and timings as data: read from TOML, checked as a whole, owned by whoever parsed them.
//!
//! Promises: [`parse`] either gives a profile in which every number is exact, inside its rails and in
//! a sensible order, or lists every problem with its line and key. It never fills in, clamps or
//! guesses a number, and it does no I/O: the text comes from the caller.

mod check;
mod limit;
mod parse;
mod read;
mod timing;

pub(crate) use check::{tier_order, within_rails};
pub use limit::{Absolute, LimitRule, Reason, Relative, Side, Tier};
pub use parse::parse;
pub use timing::{
    AlarmTiming, BaselineTiming, CuffTiming, Discharge, FeedTiming, Gate, NoBreath, Persistence,
    PulseLost, PumpTiming, Rail, Rails, ReadingTiming, ScoreTiming, SessionTiming, Technical,
};

use crate::vocabulary::{Phase, Rule};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The text of the shipped profile, for `judge` without a profile and for tests.
pub const SHIPPED: &str = include_str!("../../config/profiles/ketamine-adult.toml");

/// What is wrong with a profile, where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The key, with dots.
    pub key: String,
    /// What is wrong with it and what it should be.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}  {}  {}", self.line, self.key, self.what)
    }
}

/// A set of phases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseSet(u8);

impl PhaseSet {
    const fn bit(phase: Phase) -> u8 {
        match phase {
            Phase::Standby => 1,
            Phase::Baseline => 2,
            Phase::Infusion => 4,
            Phase::Paused => 8,
            Phase::Recovery => 16,
            Phase::Observation => 32,
            Phase::Discharged => 64,
        }
    }

    /// The set with one more phase.
    #[must_use]
    pub const fn with(self, phase: Phase) -> Self {
        Self(self.0 | Self::bit(phase))
    }

    /// Whether the phase is in the set.
    pub const fn contains(self, phase: Phase) -> bool {
        self.0 & Self::bit(phase) != 0
    }

    /// Whether the sets share a phase.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no phase is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for PhaseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for phase in Phase::ALL {
            if self.contains(phase) {
                f.write_str(if first { "" } else { " " })?;
                f.write_str(phase.name())?;
                first = false;
            }
        }
        Ok(())
    }
}

/// Everything that the engine needs to judge a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name, always visible.
    pub name: Arc<str>,
    /// Re-alarm, pause and loudness.
    pub alarm: AlarmTiming,
    /// Persistence and clearing.
    pub persistence: Persistence,
    /// What makes a baseline.
    pub baseline: BaselineTiming,
    /// What stands before the start of an infusion.
    pub gate: Gate,
    /// How far limits may go.
    pub rails: Rails,
    /// Phases, absence and discharge.
    pub session: SessionTiming,
    /// What must be reached before a patient leaves.
    pub discharge: Discharge,
    /// Ages of readings.
    pub reading: ReadingTiming,
    /// Slow and disagreeing feeds.
    pub feeds: FeedTiming,
    /// The cuff choreography.
    pub cuff: CuffTiming,
    /// Sedation scores.
    pub score: ScoreTiming,
    /// Pump events.
    pub pump: PumpTiming,
    /// `pulse-lost`.
    pub pulse_lost: PulseLost,
    /// `no-breath`.
    pub no_breath: NoBreath,
    /// The rules with limits, in catalogue order.
    pub limits: Vec<LimitRule>,
    /// The technical conditions, in catalogue order.
    pub technical: Vec<Technical>,
}

impl Profile {
    /// The tiers of a rule with limits.
    pub fn limit(&self, rule: Rule) -> Option<&LimitRule> {
        self.limits.iter().find(|limits| limits.rule == rule)
    }

    /// The priorities of a technical condition.
    pub fn technical(&self, rule: Rule) -> Option<&Technical> {
        self.technical
            .iter()
            .find(|technical| technical.rule == rule)
    }

    /// The limits and delays as lines of text: rule, tier, limit, delay, phases.
    pub fn effective_limits(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for limits in &self.limits {
            for tier in &limits.tiers {
                lines.push(format!(
                    "{:<14} {:<7} {:<34} {:<8} {}",
                    limits.rule.name(),
                    tier.priority.name(),
                    tier.to_string(),
                    span(tier.delay),
                    tier.phases
                ));
            }
        }
        let lost = &self.pulse_lost;
        for (tier, what, delay) in [
            ("high", "no pulse, ECG not normal", lost.with_ecg_high),
            ("medium", "no pulse, no ECG", lost.medium),
            ("high", "no pulse, no ECG", lost.high),
        ] {
            lines.push(format!(
                "{:<14} {tier:<7} {what:<34} {:<8} {}",
                Rule::PulseLost.name(),
                span(delay),
                lost.phases
            ));
        }
        lines.push(format!(
            "{:<14} {:<7} {:<34} {:<8} {}",
            Rule::NoBreath.name(),
            "high",
            "no breath, or the device's bit",
            span(self.no_breath.high),
            self.no_breath.phases
        ));
        for technical in &self.technical {
            for (tier, phases) in [
                ("low", technical.low),
                ("medium", technical.medium),
                ("high", technical.high),
            ] {
                if !phases.is_empty() {
                    lines.push(format!(
                        "{:<14} {tier:<7} {:<34} {:<8} {phases}",
                        technical.rule.name(),
                        "technical",
                        span(technical.after)
                    ));
                }
            }
            if let Some(after) = technical.high_after {
                lines.push(format!(
                    "{:<14} {:<7} {:<34} {:<8} {}",
                    technical.rule.name(),
                    "high",
                    "technical, further delay",
                    span(after),
                    technical.high_after_in
                ));
            }
        }
        lines
    }
}

/// A duration as the profile writes it.
fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) {
        format!("{} s", millis / 1000)
    } else {
        format!("{millis} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profile_is_sound() {
        let profile = parse(SHIPPED).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(&*profile.name, "ketamine-adult");
        let lines = profile.effective_limits();
        assert!(
            lines.iter().any(|line| line.contains("below 88")),
            "{lines:#?}"
        );
    }

    fn problems(from: &str, to: &str) -> Vec<Problem> {
        assert!(SHIPPED.contains(from), "{from}");
        parse(&SHIPPED.replacen(from, to, 1)).unwrap_err()
    }

    #[test]
    fn each_fault_is_named_with_its_line_and_key() {
        for (from, to, key, what) in [
            ("below = 92", "below = 96", "limits.spo2-low", "order"),
            ("below = 88", "below = 79", "limits.spo2-low", "80"),
            (
                "below = 88, for = \"10s\"",
                "below = 88, for = \"-10s\"",
                "limits.spo2-low.tiers[3].for",
                "duration",
            ),
            (
                "below = 88, for = \"10s\"",
                "below = 88, for = \"0s\"",
                "limits.spo2-low.tiers[3].for",
                "above zero",
            ),
            (
                "below = 88",
                "below = nan",
                "limits.spo2-low.tiers[3].below",
                "whole",
            ),
            (
                "below = 88",
                "below = 88.5",
                "limits.spo2-low.tiers[3].below",
                "whole",
            ),
            (
                "[limits.rr-high]",
                "[limits.rr-hihg]",
                "limits.rr-hihg",
                "unknown",
            ),
            (
                "[technical.sensor]",
                "[technical.sensr]",
                "technical.sensr",
                "unknown",
            ),
            (
                "[\"observation\"]",
                "[\"obsrvation\"]",
                "technical.session-open.low[0]",
                "phase",
            ),
            (
                "re-alarm-high",
                "re-alarm-hgih",
                "alarm.re-alarm-hgih",
                "unknown",
            ),
            (
                "repeats = 3",
                "repeats = \"three\"",
                "persistence.repeats",
                "whole",
            ),
            (
                "above = 150, for = \"8s\"",
                "above = 250, for = \"8s\"",
                "limits.rate-high",
                "200",
            ),
            (
                "above = 120, for = \"8s\"",
                "above = 120, for = \"12s\"",
                "limits.rate-high.tiers[1].for",
                "10 s",
            ),
            (
                "below = 92, for",
                "below = 92, point-seconds = 0, for",
                "limits.spo2-low.tiers[1].point-seconds",
                "between",
            ),
            (
                "below = 50, for",
                "below = 50, point-seconds = 50, for",
                "limits.rate-low.tiers[0].point-seconds",
                "spo2-low only",
            ),
            (
                "recovery = \"30min\"",
                "recovery = \"30 minutes\"",
                "session.recovery",
                "duration",
            ),
        ] {
            let found = problems(from, to);
            assert!(
                found.iter().any(|problem| problem.key.starts_with(key)
                    && problem.what.contains(what)
                    && problem.line > 1),
                "{to}: {found:#?}"
            );
        }
    }

    #[test]
    fn all_problems_are_listed_at_once() {
        let broken = SHIPPED
            .replacen("below = 92", "below = 96", 1)
            .replacen("audio-pause = \"120s\"", "audio-pause = \"0s\"", 1)
            .replacen("[rails]", "[rials]", 1);
        let found = parse(&broken).unwrap_err();
        assert!(found.len() >= 3, "{found:#?}");
    }

    #[test]
    fn text_that_is_no_toml_names_its_line() {
        let found = parse("name = \"x\"\n[alarm\n").unwrap_err();
        assert!(found.iter().any(|problem| problem.line == 2), "{found:#?}");
        assert!(!parse("").unwrap_err().is_empty());
    }
}
