//! The life of one alarm: the table of engine.md 6, once.
//!
//! [`next`] is the whole table; `docs/alarms.md` prints the same rows and a test compares them. It
//! owns nothing: the occurrence belongs to [`super::alarms`].

use super::record::AlarmEvent;
use crate::vocabulary::{AlarmClass, Priority};

/// Where an occurrence stands. No state is "no occurrence".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Sounds, unless paused.
    Active {
        /// The priority now.
        tier: Priority,
        /// The highest priority so far.
        peak: Priority,
    },
    /// Acknowledged at its present tier; silent, visible.
    Acknowledged {
        /// The priority now, which is the one acknowledged.
        tier: Priority,
        /// The highest priority so far.
        peak: Priority,
    },
    /// Over, but it was high: silent and visible until somebody has seen it.
    Returned {
        /// The highest priority so far.
        peak: Priority,
    },
}

impl State {
    /// The priority to show.
    pub const fn tier(self) -> Priority {
        match self {
            Self::Active { tier, .. } | Self::Acknowledged { tier, .. } => tier,
            Self::Returned { peak } => peak,
        }
    }

    /// The highest priority so far.
    pub const fn peak(self) -> Priority {
        match self {
            Self::Active { peak, .. }
            | Self::Acknowledged { peak, .. }
            | Self::Returned { peak } => peak,
        }
    }

    /// Whether the condition is true.
    pub const fn is_standing(self) -> bool {
        match self {
            Self::Active { .. } | Self::Acknowledged { .. } => true,
            Self::Returned { .. } => false,
        }
    }

    /// The priority that sounds, if any.
    pub const fn sounds(self) -> Option<Priority> {
        match self {
            Self::Active { tier, .. } => Some(tier),
            Self::Acknowledged { .. } | Self::Returned { .. } => None,
        }
    }
}

/// What can happen to an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// The condition is true at this tier.
    Tier(Priority),
    /// The condition is over.
    Over,
    /// A nurse acknowledged it.
    Acknowledge,
    /// The re-alarm time is over.
    ReAlarm,
    /// The session was closed, or a new one begins.
    Closed,
}

/// The state after `happening`, and what goes into the record; `None` for a state means that there is
/// no occurrence.
pub fn next(
    state: Option<State>,
    class: AlarmClass,
    happening: Happening,
) -> (Option<State>, Option<AlarmEvent>) {
    match (state, happening) {
        (None, Happening::Tier(tier)) => (
            Some(State::Active { tier, peak: tier }),
            Some(AlarmEvent::Begin),
        ),
        (
            None,
            Happening::Over | Happening::Acknowledge | Happening::ReAlarm | Happening::Closed,
        ) => (None, None),
        (Some(State::Active { tier, peak }), Happening::Tier(now)) => (
            Some(State::Active {
                tier: now,
                peak: peak.max(now),
            }),
            match now.cmp(&tier) {
                std::cmp::Ordering::Greater => Some(AlarmEvent::Escalate),
                std::cmp::Ordering::Less => Some(AlarmEvent::Deescalate),
                std::cmp::Ordering::Equal => None,
            },
        ),
        (Some(State::Active { peak, .. }), Happening::Over) => match (class, peak) {
            (AlarmClass::Physiological, Priority::High) => {
                (Some(State::Returned { peak }), Some(AlarmEvent::Return))
            }
            (AlarmClass::Physiological, Priority::Low | Priority::Medium)
            | (AlarmClass::Technical, Priority::Low | Priority::Medium | Priority::High) => {
                (None, Some(AlarmEvent::End))
            }
        },
        (Some(State::Active { tier, peak }), Happening::Acknowledge) => (
            Some(State::Acknowledged { tier, peak }),
            Some(AlarmEvent::Acknowledge),
        ),
        (Some(State::Acknowledged { tier, peak }), Happening::Tier(now)) => match now.cmp(&tier) {
            std::cmp::Ordering::Greater => (
                Some(State::Active {
                    tier: now,
                    peak: peak.max(now),
                }),
                Some(AlarmEvent::Escalate),
            ),
            std::cmp::Ordering::Less => (
                Some(State::Acknowledged { tier: now, peak }),
                Some(AlarmEvent::Deescalate),
            ),
            std::cmp::Ordering::Equal => (state, None),
        },
        (Some(State::Acknowledged { tier, peak }), Happening::ReAlarm) => match (class, tier) {
            (AlarmClass::Physiological, Priority::Medium | Priority::High) => (
                Some(State::Active { tier, peak }),
                Some(AlarmEvent::ReAlarm),
            ),
            (AlarmClass::Physiological, Priority::Low)
            | (AlarmClass::Technical, Priority::Low | Priority::Medium | Priority::High) => {
                (state, None)
            }
        },
        (Some(State::Acknowledged { .. }), Happening::Over | Happening::Closed) => {
            (None, Some(AlarmEvent::End))
        }
        (Some(State::Returned { peak }), Happening::Tier(now)) => (
            Some(State::Active {
                tier: now,
                peak: peak.max(now),
            }),
            Some(AlarmEvent::Escalate),
        ),
        (Some(State::Returned { .. }), Happening::Acknowledge | Happening::Closed) => {
            (None, Some(AlarmEvent::End))
        }
        (Some(State::Active { .. }), Happening::Closed) => (None, Some(AlarmEvent::End)),
        (Some(State::Active { .. }), Happening::ReAlarm)
        | (Some(State::Acknowledged { .. }), Happening::Acknowledge)
        | (Some(State::Returned { .. }), Happening::Over | Happening::ReAlarm) => (state, None),
    }
}
