//! The rules: which value each one judges, and how. One file per family.

mod alerts;
mod area;
mod differ;
mod limit;
mod own;
mod pulse;
mod routine;
mod single;
mod sources;
mod technical;
mod timer;

pub use limit::{Sample, SessionLimits, Slot};
pub use own::Health;
pub use pulse::Findings;
pub use single::Recheck;
pub use sources::sample;
pub use technical::Noticed;

use super::kernel::Engine;
use super::record::Numbered;
use super::verdict::Key;
use crate::profile::Profile;
use crate::vocabulary::{Parameter, Priority, Rule};

/// Where a rule with limits gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A continuous parameter.
    Continuous(Parameter),
    /// The fused rate.
    Rate,
    /// A cuff parameter, judged per reading.
    Cuff(Parameter),
    /// The sedation score, judged per entry.
    Score,
}

/// A rule with limits on one source.
#[derive(Clone, Debug)]
pub struct RuleSlot {
    /// Its alarm.
    pub key: Key,
    /// Where its value comes from.
    pub source: Source,
    /// Its timers.
    pub slot: Slot,
}

/// Every rule with limits and its sources, in catalogue order. Pressures are judged from the cuff and,
/// where there is one, from an arterial line.
const SOURCES: [(Key, Source); 14] = [
    continuous(Rule::Spo2Low, Parameter::Spo2),
    (Key::whole(Rule::RateLow), Source::Rate),
    (Key::whole(Rule::RateHigh), Source::Rate),
    cuff(Rule::SbpHigh, Parameter::NibpSys),
    continuous(Rule::SbpHigh, Parameter::ArtSys),
    cuff(Rule::DbpHigh, Parameter::NibpDia),
    continuous(Rule::DbpHigh, Parameter::ArtDia),
    cuff(Rule::SbpLow, Parameter::NibpSys),
    continuous(Rule::SbpLow, Parameter::ArtSys),
    cuff(Rule::MapLow, Parameter::NibpMean),
    continuous(Rule::MapLow, Parameter::ArtMean),
    continuous(Rule::RrLow, Parameter::Rr),
    continuous(Rule::RrHigh, Parameter::Rr),
    (Key::whole(Rule::Oversedated), Source::Score),
];

const fn continuous(rule: Rule, parameter: Parameter) -> (Key, Source) {
    (Key::of(rule, parameter), Source::Continuous(parameter))
}

const fn cuff(rule: Rule, parameter: Parameter) -> (Key, Source) {
    (Key::of(rule, parameter), Source::Cuff(parameter))
}

/// Whether an alarm judges single readings: it sounds again only on the next violating one.
pub fn per_reading(key: Key) -> bool {
    SOURCES.iter().any(|(known, source)| {
        *known == key
            && match source {
                Source::Cuff(_) | Source::Score => true,
                Source::Continuous(_) | Source::Rate => false,
            }
    })
}

/// The slots of a session, one for each rule and source.
pub fn slots(profile: &Profile) -> Vec<RuleSlot> {
    SOURCES
        .into_iter()
        .filter_map(|(key, source)| {
            let tiers = profile.limit(key.rule)?.tiers.len();
            Some(RuleSlot {
                key,
                source,
                slot: Slot::new(tiers),
            })
        })
        .collect()
}

/// Which rules must be judged anew: a bit for each, so that the lowest one is the next in catalogue
/// order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty(u64);

const fn bit(rule: Rule) -> u64 {
    1 << (rule as u64)
}

/// A set of rules.
const fn bits(rules: &[Rule]) -> u64 {
    let mut all = 0;
    let mut rest = rules;
    while let [first, others @ ..] = rest {
        all |= bit(*first);
        rest = others;
    }
    all
}

const PHYSIOLOGICAL: u64 = bits(&[
    Rule::Spo2Low,
    Rule::RateLow,
    Rule::RateHigh,
    Rule::PulseLost,
    Rule::SbpHigh,
    Rule::DbpHigh,
    Rule::SbpLow,
    Rule::MapLow,
    Rule::RrLow,
    Rule::RrHigh,
    Rule::NoBreath,
    Rule::Oversedated,
]);

/// Rules that follow whether there are readings at all.
const AVAILABILITY: u64 = bits(&[
    Rule::PulseLost,
    Rule::NoBreath,
    Rule::FeedLost,
    Rule::Missing,
    Rule::Sensor,
    Rule::RateDiffers,
    Rule::FeedsDisagree,
    Rule::SessionOpen,
]);

impl Dirty {
    /// One rule.
    pub const fn rule(&mut self, rule: Rule) {
        self.0 |= bit(rule);
    }

    /// Every rule.
    pub fn all(&mut self) {
        for rule in Rule::ALL {
            self.rule(*rule);
        }
    }

    /// Every rule about the patient.
    pub const fn all_physiological(&mut self) {
        self.0 |= PHYSIOLOGICAL;
    }

    /// Rules that follow whether there are readings.
    pub const fn availability(&mut self) {
        self.0 |= AVAILABILITY;
    }

    /// Rules that judge the value of a parameter.
    pub const fn value_of(&mut self, parameter: Parameter) {
        self.0 |= match parameter {
            Parameter::Spo2 => bits(&[Rule::Spo2Low]),
            Parameter::Hr | Parameter::Pr | Parameter::ArtPr | Parameter::NibpPr => {
                bits(&[Rule::RateLow, Rule::RateHigh])
            }
            Parameter::NibpSys | Parameter::ArtSys => bits(&[Rule::SbpHigh, Rule::SbpLow]),
            Parameter::NibpDia | Parameter::ArtDia => bits(&[Rule::DbpHigh]),
            Parameter::NibpMean | Parameter::ArtMean => bits(&[Rule::MapLow]),
            Parameter::Rr => bits(&[Rule::RrLow, Rule::RrHigh]),
            Parameter::Pi | Parameter::Etco2 | Parameter::Temp => 0,
        };
    }

    /// Takes the next rule in catalogue order.
    pub fn take(&mut self) -> Option<Rule> {
        let place = usize::try_from(self.0.trailing_zeros()).ok()?;
        let rule = Rule::ALL.get(place).copied()?;
        self.0 &= !bit(rule);
        Some(rule)
    }
}

impl Engine {
    /// The priority of a technical condition in the present phase.
    pub(super) fn technical_priority(&self, rule: Rule) -> Option<Priority> {
        self.profile.technical(rule)?.priority(self.phase())
    }

    /// Judges one rule on every source or subject it has.
    pub(super) fn judge(&mut self, rule: Rule, out: &mut Vec<Numbered>) {
        match rule {
            Rule::Spo2Low
            | Rule::RateLow
            | Rule::RateHigh
            | Rule::SbpHigh
            | Rule::DbpHigh
            | Rule::SbpLow
            | Rule::MapLow
            | Rule::RrLow
            | Rule::RrHigh
            | Rule::Oversedated => self.judge_limits(rule, out),
            Rule::PulseLost => self.judge_pulse_lost(out),
            Rule::NoBreath => self.judge_no_breath(out),
            Rule::FeedLost => self.judge_feed_lost(out),
            Rule::Missing => self.judge_missing(out),
            Rule::Sensor => self.judge_sensor(out),
            Rule::CuffFailed => self.judge_cuff_failed(out),
            Rule::CuffOverdue => self.judge_cuff_overdue(out),
            Rule::ScoreOverdue => self.judge_score_overdue(out),
            Rule::Implausible => self.judge_implausible(out),
            Rule::WrongPatient => self.judge_wrong_patient(out),
            Rule::FeedsDisagree => self.judge_feeds_disagree(out),
            Rule::RateDiffers => self.judge_rate_differs(out),
            Rule::SlowFeed => self.judge_slow_feed(out),
            Rule::SessionOpen => self.judge_session_open(out),
            Rule::DeviceAlert => self.judge_device_alerts(out),
            Rule::Restarted
            | Rule::Clock
            | Rule::Journal
            | Rule::Disk
            | Rule::Sound
            | Rule::Display
            | Rule::QueueFull => self.judge_own(rule, out),
            Rule::Pump => self.judge_pump(out),
        }
    }
}
