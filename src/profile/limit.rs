//! A rule with limits: its tiers, each a condition on the value with its own delay and phases.

use super::PhaseSet;
use crate::vocabulary::{Decimal, Priority, Rule};
use std::fmt;
use std::time::Duration;

/// On which side of its limit a value is violating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Too low.
    Low,
    /// Too high.
    High,
}

/// A limit in whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absolute {
    /// The limit.
    pub limit: i64,
    /// Whether the limit itself violates (`at-or-…`).
    pub inclusive: bool,
}

/// A limit against the patient's baseline B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relative {
    /// Beyond B − n % or B + n %, compared as `100·v` against `(100 ± n)·B`.
    Percent(i64),
    /// At or beyond B − n or B + n.
    Points(i64),
}

impl Relative {
    /// The limit times 100, for baseline `b` and a value that violates on `side`.
    pub const fn hundredfold(self, side: Side, b: i64) -> i64 {
        match (self, side) {
            (Self::Percent(percent), Side::Low) => (100 - percent).saturating_mul(b),
            (Self::Percent(percent), Side::High) => (100 + percent).saturating_mul(b),
            (Self::Points(points), Side::Low) => b.saturating_sub(points).saturating_mul(100),
            (Self::Points(points), Side::High) => b.saturating_add(points).saturating_mul(100),
        }
    }

    /// Whether the limit itself violates.
    pub const fn inclusive(self) -> bool {
        match self {
            Self::Percent(_) => false,
            Self::Points(_) => true,
        }
    }
}

/// A word that tells two texts of one rule apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A fall against the baseline.
    Fall,
    /// The first reading that reaches a tier that needs a second one.
    Recheck,
    /// The third separate violation within the profile's time.
    Repeated,
    /// Never received since the session was opened.
    NeverReceived,
    /// Received before, then gone.
    Gone,
    /// The points beyond the limit times seconds of the profile.
    PointSeconds,
    /// The last of several sources is alarming or failing twice.
    Twice,
    /// Pump and phase contradict each other.
    Conflict,
    /// The pump started although the gate before start was not passed.
    GateNotPassed,
    /// The pump's state is not known.
    Unknown,
    /// Only readings of another bed or device arrive.
    OtherBed,
    /// Carried over a restart, not confirmed since.
    Carried,
}

impl Reason {
    /// The word in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fall => "fall",
            Self::Recheck => "recheck",
            Self::Repeated => "three-in-60s",
            Self::PointSeconds => "point-seconds",
            Self::NeverReceived => "never-received",
            Self::Gone => "gone",
            Self::Twice => "twice",
            Self::Conflict => "conflict",
            Self::GateNotPassed => "gate-not-passed",
            Self::Unknown => "unknown",
            Self::OtherBed => "other-bed",
            Self::Carried => "carried",
        }
    }
}

/// One tier of a rule: all of its conditions must be violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The priority.
    pub priority: Priority,
    /// The side, the same for every tier of a rule.
    pub side: Side,
    /// The absolute part.
    pub absolute: Option<Absolute>,
    /// The part against the baseline.
    pub relative: Option<Relative>,
    /// How long the violation must persist (continuous values).
    pub delay: Duration,
    /// Points beyond the limit times seconds that alarm before the delay is over (SpO2 only).
    pub point_seconds: Option<u64>,
    /// Where it applies.
    pub phases: PhaseSet,
    /// Whether a cuff reading needs a second one that confirms it.
    pub confirm: bool,
    /// The word for the text.
    pub reason: Option<Reason>,
}

impl Tier {
    fn beyond(side: Side, hundredfold: i64, inclusive: bool, v: i64, margin: i64) -> bool {
        // `margin` moves the value towards the violation, so that "not beyond" means "inside by at
        // least the margin". A margin of zero is the violation itself.
        match (side, inclusive, margin) {
            (Side::Low, false, _) => (v - margin).saturating_mul(100) < hundredfold,
            (Side::High, false, _) => (v + margin).saturating_mul(100) > hundredfold,
            (Side::Low, true, 0) => v.saturating_mul(100) <= hundredfold,
            (Side::High, true, 0) => v.saturating_mul(100) >= hundredfold,
            (Side::Low, true, _) => (v - margin).saturating_mul(100) < hundredfold,
            (Side::High, true, _) => (v + margin).saturating_mul(100) > hundredfold,
        }
    }

    /// Whether `v` is beyond every part of the tier, moved by `margin` towards the violation; `None`
    /// when the tier needs a baseline and there is none.
    fn all_beyond(&self, v: i64, baseline: Option<i64>, margin: i64) -> Option<bool> {
        let absolute = self.absolute.is_none_or(|part| {
            Self::beyond(
                self.side,
                part.limit.saturating_mul(100),
                part.inclusive,
                v,
                margin,
            )
        });
        let relative = match self.relative {
            None => true,
            Some(part) => Self::beyond(
                self.side,
                part.hundredfold(self.side, baseline?),
                part.inclusive(),
                v,
                margin,
            ),
        };
        Some(absolute && relative)
    }

    /// Whether `v` violates the tier. Without the baseline that it needs, it cannot be violated.
    pub fn violated(&self, v: i64, baseline: Option<i64>) -> bool {
        self.all_beyond(v, baseline, 0).unwrap_or(false)
    }

    /// Whether `v` is inside the tier's limit by at least `margin`.
    pub fn inside(&self, v: i64, baseline: Option<i64>, margin: i64) -> bool {
        !self.all_beyond(v, baseline, margin).unwrap_or(false)
    }

    /// How far beyond its limit a violating value lies, in hundredths of a unit; zero at the limit itself.
    pub fn depth(&self, v: i64, baseline: Option<i64>) -> u64 {
        let Some((bound, _)) = self.hundredfold(baseline) else {
            return 0;
        };
        let v = v.saturating_mul(100);
        let beyond = match self.side {
            Side::Low => bound.saturating_sub(v),
            Side::High => v.saturating_sub(bound),
        };
        u64::try_from(beyond).unwrap_or(0)
    }

    /// The limit that a violating value has to come back over, exact, and whether it is relative: of
    /// two parts the more extreme one, because both must be violated.
    pub fn limit(&self, baseline: Option<i64>) -> Option<(Decimal, bool)> {
        let (hundredfold, is_relative) = self.hundredfold(baseline)?;
        Some((Decimal::new(hundredfold, 2).normalized(), is_relative))
    }

    /// The same times 100.
    fn hundredfold(&self, baseline: Option<i64>) -> Option<(i64, bool)> {
        let absolute = self.absolute.map(|part| part.limit.saturating_mul(100));
        let relative = match (self.relative, baseline) {
            (Some(part), Some(b)) => Some(part.hundredfold(self.side, b)),
            (Some(_), None) | (None, _) => None,
        };
        match (absolute, relative) {
            (Some(a), Some(r)) => match self.side {
                Side::Low => Some((a.min(r), r < a)),
                Side::High => Some((a.max(r), r > a)),
            },
            (Some(a), None) => Some((a, false)),
            (None, Some(r)) => Some((r, true)),
            (None, None) => None,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut join = "";
        if let Some(part) = self.absolute {
            let word = match (self.side, part.inclusive) {
                (Side::Low, false) => "below",
                (Side::Low, true) => "at or below",
                (Side::High, false) => "above",
                (Side::High, true) => "at or above",
            };
            write!(f, "{word} {}", part.limit)?;
            join = " and ";
        }
        if let Some(part) = self.relative {
            let (word, sign) = match self.side {
                Side::Low => ("below", '-'),
                Side::High => ("above", '+'),
            };
            match part {
                Relative::Percent(percent) => write!(f, "{join}{word} B {sign} {percent} %")?,
                Relative::Points(points) => write!(f, "{join}at or {word} B {sign} {points}")?,
            }
        }
        if let Some(point_seconds) = self.point_seconds {
            write!(f, ", or {point_seconds} point-s")?;
        }
        Ok(())
    }
}

/// A rule with limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRule {
    /// The rule.
    pub rule: Rule,
    /// How far inside a limit its tier is left.
    pub margin: i64,
    /// The same for the low tier.
    pub low_margin: i64,
    /// The tiers, in the order of the file.
    pub tiers: Vec<Tier>,
}

impl LimitRule {
    /// How far inside its limit a tier of this priority is left.
    pub const fn margin(&self, priority: Priority) -> i64 {
        match priority {
            Priority::Low => self.low_margin,
            Priority::Medium | Priority::High => self.margin,
        }
    }

    /// The outermost plain limit of a tier: the one that a nurse sees and may change. `None` when the
    /// tier only follows the baseline.
    pub fn outermost(&self, priority: Priority) -> Option<i64> {
        let side = self.side();
        self.tiers
            .iter()
            .filter(|tier| tier.priority == priority && tier.relative.is_none())
            .filter_map(|tier| tier.absolute.map(|part| part.limit))
            .reduce(|one, other| match side {
                Side::Low => one.max(other),
                Side::High => one.min(other),
            })
    }

    /// The side on which the rule's values violate.
    pub fn side(&self) -> Side {
        self.tiers.first().map_or(Side::Low, |tier| tier.side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Phase;

    fn tier(side: Side, absolute: Option<(i64, bool)>, relative: Option<Relative>) -> Tier {
        Tier {
            priority: Priority::Medium,
            side,
            absolute: absolute.map(|(limit, inclusive)| Absolute { limit, inclusive }),
            relative,
            delay: Duration::ZERO,
            point_seconds: None,
            phases: PhaseSet::default().with(Phase::Infusion),
            confirm: false,
            reason: None,
        }
    }

    #[test]
    fn below_92_is_left_at_94() {
        let below = tier(Side::Low, Some((92, false)), None);
        assert!(below.violated(91, None) && !below.violated(92, None));
        assert!(!below.inside(93, None, 2) && below.inside(94, None, 2));
    }

    #[test]
    fn five_points_below_the_baseline_includes_the_fifth() {
        let fall = tier(Side::Low, None, Some(Relative::Points(5)));
        assert!(fall.violated(93, Some(98)) && !fall.violated(94, Some(98)));
        assert!(!fall.inside(94, Some(98), 2) && fall.inside(95, Some(98), 2));
        assert!(!fall.violated(50, None), "no baseline: the part is off");
    }

    #[test]
    fn percentages_are_exact() {
        let rise = tier(Side::High, None, Some(Relative::Percent(20)));
        assert!(!rise.violated(144, Some(120)) && rise.violated(145, Some(120)));
        assert!(rise.violated(152, Some(126)), "126 + 20 % is 151.2");
        assert_eq!(rise.limit(Some(126)).unwrap().0.to_string(), "151.2");
    }

    #[test]
    fn both_parts_must_be_violated_and_the_harder_one_is_told() {
        let both = tier(Side::Low, Some((55, false)), Some(Relative::Percent(20)));
        assert!(!both.violated(54, Some(60)), "48 is 60 - 20 %");
        assert!(both.violated(54, Some(70)));
        assert_eq!(both.limit(Some(60)), Some((Decimal::whole(48), true)));
        assert_eq!(both.limit(Some(90)), Some((Decimal::whole(55), false)));
    }
}
