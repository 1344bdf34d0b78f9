//! Read-only looks into the engine, for the published picture. Nothing here changes anything.

use super::alarms::Occurrence;
use super::audio::Audio;
use super::command::Command;
use super::cuff::Due;
use super::evidence::SelfTest;
use super::feeds::Feed;
use super::input::FeedId;
use super::kernel::Engine;
use super::limits::rule_parameter;
use super::reading::Held;
use super::recent::Event;
use super::record::LimitSource;
use super::session::{Session, Stamped};
use super::verdict::{Key, Subject};
use crate::profile::Side;
use crate::vocabulary::{Decimal, Moment, Parameter, ParameterId, Priority, Rule, WallTime};
use std::sync::Arc;

/// A reading that a feed holds.
#[derive(Clone, Debug)]
pub struct HeldReading<'a> {
    /// The feed.
    pub feed: FeedId,
    /// The parameter.
    pub parameter: ParameterId,
    /// The reading.
    pub held: &'a Held,
    /// Whether it is the one that the alarms judge.
    pub judged: bool,
}

/// The outermost limits that judge a parameter now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsNow {
    /// Below this alarms.
    pub low: Option<Decimal>,
    /// Above this alarms.
    pub high: Option<Decimal>,
    /// Where they come from.
    pub source: Option<LimitSource>,
    /// Whether one of them can never trip.
    pub off: bool,
}

/// One limit of the session and how far it may be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRow {
    /// The rule.
    pub rule: Rule,
    /// The tier.
    pub tier: Priority,
    /// The limit that judges and that a nurse may set; `None` where the tier only follows the baseline.
    pub value: Option<i64>,
    /// The profile's own.
    pub profile_value: Option<i64>,
    /// No limit below.
    pub low_rail: Option<i64>,
    /// No limit above.
    pub high_rail: Option<i64>,
    /// Whose the limit is.
    pub source: LimitSource,
    /// The parts against the baseline, in words.
    pub relative: Vec<String>,
}

/// The rate of the infusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In mL/h, where told.
    pub ml_h: Option<Decimal>,
    /// In mg/h, where told.
    pub mg_h: Option<Decimal>,
    /// Since when.
    pub at: Stamped,
    /// Whether the pump told it.
    pub by_pump: bool,
}

impl Engine {
    /// The newest self-test of lamps and sounds.
    pub const fn self_test(&self) -> Option<&SelfTest> {
        self.self_test.as_ref()
    }

    /// The rate as last told by a nurse or by the pump.
    pub fn rate(&self) -> Option<Rate> {
        let session = self.session.as_ref()?;
        let nurse = session.entries.rate().and_then(|entry| {
            if let Command::RateChange { ml_h, mg_h, .. } = entry.says {
                Some(Rate {
                    ml_h,
                    mg_h,
                    at: entry.at,
                    by_pump: false,
                })
            } else {
                None
            }
        });
        let pump = session.pump_rate.map(|(at, rate)| Rate {
            ml_h: Some(rate),
            mg_h: None,
            at,
            by_pump: true,
        });
        match (nurse, pump) {
            (Some(nurse), Some(pump)) if pump.at.moment > nurse.at.moment => Some(pump),
            (Some(nurse), _) => Some(nurse),
            (None, pump) => pump,
        }
    }

    /// Every limit of the session, in catalogue order; none in standby.
    pub fn limit_table(&self) -> Vec<LimitRow> {
        let Some(session) = self.session.as_ref() else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        for limits in &session.limits {
            let rule = limits.rule.rule;
            let (low_rail, high_rail) = self.profile.rails.of(rule);
            for tier in Priority::ALL {
                let relative: Vec<String> = limits
                    .rule
                    .tiers
                    .iter()
                    .filter(|known| known.priority == tier && known.relative.is_some())
                    .map(ToString::to_string)
                    .collect();
                let value = limits.rule.outermost(tier);
                if value.is_none() && relative.is_empty() {
                    continue;
                }
                rows.push(LimitRow {
                    rule,
                    tier,
                    value,
                    profile_value: self
                        .profile
                        .limit(rule)
                        .and_then(|rule| rule.outermost(tier)),
                    low_rail: low_rail.map(|rail| rail.limit),
                    high_rail: high_rail.map(|rail| rail.limit),
                    source: match value {
                        None => LimitSource::Baseline,
                        Some(_) if limits.by_nurse(tier) => LimitSource::Nurse,
                        Some(_) => LimitSource::Profile,
                    },
                    relative,
                });
            }
        }
        rows
    }

    /// The open session.
    pub fn open_session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The profile's name.
    pub fn profile_name(&self) -> Arc<str> {
        Arc::clone(&self.profile.name)
    }

    /// The sound as decided.
    pub fn audio(&self) -> &Audio {
        &self.audio
    }

    /// Every open alarm with its rule and subject.
    pub fn open_alarms(&self) -> impl Iterator<Item = (Key, &Occurrence)> {
        self.alarms.iter()
    }

    /// Every feed, in the order of its number.
    pub fn known_feeds(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().map(|(_, feed)| feed)
    }

    /// A feed's name.
    pub fn feed_name(&self, id: FeedId) -> Option<Arc<str>> {
        self.feeds.get(id).map(|feed| Arc::clone(&feed.setup.name))
    }

    /// The name of the protocol that a feed speaks.
    pub fn feed_protocol(&self, id: FeedId) -> Option<Arc<str>> {
        self.feeds
            .get(id)
            .map(|feed| Arc::clone(&feed.setup.protocol))
    }

    /// The next task and when it is due, engine time.
    pub fn planned_task(&self) -> Option<Due> {
        self.task
    }

    /// When the next cuff reading is due, engine time: the regular one or one asked for besides.
    pub fn cuff_due(&self) -> Option<Moment> {
        Some(self.session.as_ref()?.cuff.next_task()?.at)
    }

    /// The newest events, oldest first.
    pub fn recent_events(&self) -> impl Iterator<Item = &Event> {
        self.recent.iter()
    }

    /// Until when the minimum observation lasts, engine time.
    pub fn observe_until(&self) -> Option<Moment> {
        self.session.as_ref()?.observe_until(&self.profile)
    }

    /// Until when alarms of the pleth are held because a cuff on the same arm measures.
    pub fn pleth_held_until(&self) -> Option<Moment> {
        self.held_by_cuff_until()
    }

    /// The wall clock at an engine time.
    pub fn wall_of(&self, moment: Moment) -> WallTime {
        self.stamp_at(moment).wall
    }

    /// Every reading held: parameters in catalogue order, then the ones that we do not know.
    pub fn held_readings(&self) -> impl Iterator<Item = HeldReading<'_>> {
        let known = Parameter::ALL.iter().flat_map(move |&parameter| {
            let judged = self
                .feeds
                .usable(parameter, self.at)
                .or_else(|| self.feeds.refused(parameter, self.at))
                .map(|(id, held)| (id, held.site));
            self.feeds.iter().flat_map(move |(feed, from)| {
                from.told(parameter).map(move |held| HeldReading {
                    feed,
                    parameter: parameter.into(),
                    held,
                    judged: judged == Some((feed, held.site)),
                })
            })
        });
        let unknown = self.feeds.iter().flat_map(|(feed, from)| {
            from.unknown
                .iter()
                .map(move |(parameter, held)| HeldReading {
                    feed,
                    parameter: parameter.clone(),
                    held,
                    judged: false,
                })
        });
        known.chain(unknown)
    }

    /// The outermost limits that judge a parameter in the present phase.
    pub fn limits_now(&self, parameter: Parameter) -> LimitsNow {
        let mut found = LimitsNow::default();
        let Some(session) = self.session.as_ref() else {
            return found;
        };
        for slot in &self.slots {
            let judges = match slot.key.subject {
                Subject::Parameter(subject) => subject == parameter,
                Subject::Whole => {
                    rule_parameter(slot.key.rule) == Some(Parameter::Hr)
                        && matches!(
                            parameter,
                            Parameter::Hr | Parameter::Pr | Parameter::ArtPr | Parameter::NibpPr
                        )
                }
                Subject::Feed(_) | Subject::Alert(_) => false,
            };
            let limits = session
                .limits
                .iter()
                .find(|limits| judges && limits.rule.rule == slot.key.rule);
            let Some(limits) = limits else {
                continue;
            };
            let baseline = session.baseline.get(parameter);
            for tier in &limits.rule.tiers {
                // Without a baseline the relative limits are off, and shown so.
                let is_off = tier.relative.is_some() && baseline.is_none();
                if is_off || !tier.phases.contains(session.phase) {
                    continue;
                }
                let Some((limit, is_relative)) = tier.limit(baseline) else {
                    continue;
                };
                let end = match tier.side {
                    Side::Low => &mut found.low,
                    Side::High => &mut found.high,
                };
                let is_outer = end.is_none_or(|known| match tier.side {
                    Side::Low => limit > known,
                    Side::High => limit < known,
                });
                if !is_outer {
                    continue;
                }
                *end = Some(limit);
                // A nurse's change is what must be seen first, then the baseline.
                if found.source != Some(LimitSource::Nurse) {
                    found.source = Some(limits.source(tier, is_relative));
                }
            }
        }
        found.off = self
            .limits_off()
            .any(|(rule, _)| rule_parameter(rule) == Some(parameter));
        found
    }

    /// A moment of the caller's clock as engine time.
    pub fn on_engines_clock(&self, moment: Moment) -> Moment {
        self.shifted(moment).max(self.at)
    }
}
