//! What a rule says when it was judged: how urgent, and everything that explains it.

use super::input::FeedId;
use super::record::LimitSource;
use crate::profile::Reason;
use crate::vocabulary::{AlarmClass, Cause, Decimal, Moment, Parameter, Phase, Priority, Rule};
use std::time::Duration;

/// What an alarm is about, beside its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The rule says it all.
    Whole,
    /// A parameter.
    Parameter(Parameter),
    /// A feed.
    Feed(FeedId),
    /// A device's own alert, by its place in the engine's list.
    Alert(u32),
}

/// Rule and subject: at most one occurrence stands for each. The order is the order of deadlines:
/// catalogue, then parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The rule.
    pub rule: Rule,
    /// The subject.
    pub subject: Subject,
}

impl Key {
    /// Rule and parameter.
    pub const fn of(rule: Rule, parameter: Parameter) -> Self {
        Self {
            rule,
            subject: Subject::Parameter(parameter),
        }
    }

    /// A rule alone.
    pub const fn whole(rule: Rule) -> Self {
        Self {
            rule,
            subject: Subject::Whole,
        }
    }

    /// Rule and feed.
    pub const fn feed(rule: Rule, feed: FeedId) -> Self {
        Self {
            rule,
            subject: Subject::Feed(feed),
        }
    }

    /// Physiological or technical.
    pub const fn class(self) -> AlarmClass {
        self.rule.class()
    }
}

/// A true condition and its explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The priority.
    pub tier: Priority,
    /// The parameter, as shown.
    pub parameter: Option<Parameter>,
    /// The value that was judged.
    pub value: Option<Decimal>,
    /// The limit that judged it.
    pub limit: Option<Decimal>,
    /// Where the limit came from.
    pub source: Option<LimitSource>,
    /// Which phase's limits judged it.
    pub phase: Phase,
    /// Since when the violation lasts.
    pub since: Moment,
    /// How long it had to persist.
    pub delay: Duration,
    /// The feed.
    pub feed: Option<FeedId>,
    /// How old the value was.
    pub age: Option<Duration>,
    /// Why there is no value.
    pub cause: Option<Cause>,
    /// The word for the text.
    pub reason: Option<Reason>,
    /// The number of the reading, for rules that judge per reading; zero otherwise.
    pub reading: u64,
}

impl Verdict {
    /// A verdict without a value.
    pub const fn plain(tier: Priority, phase: Phase, since: Moment) -> Self {
        Self {
            tier,
            parameter: None,
            value: None,
            limit: None,
            source: Some(LimitSource::Timing),
            phase,
            since,
            delay: Duration::ZERO,
            feed: None,
            age: None,
            cause: None,
            reason: None,
            reading: 0,
        }
    }
}

/// What judging gives: the verdict, and the next moment at which it may change by itself.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// The condition, if it is true.
    pub verdict: Option<Verdict>,
    /// When to judge again without an input.
    pub next: Moment,
}

/// Never.
pub const NEVER: Moment = Moment::from_micros(u64::MAX);

impl Judged {
    /// False until an input says otherwise.
    pub const NOTHING: Self = Self {
        verdict: None,
        next: NEVER,
    };
}
