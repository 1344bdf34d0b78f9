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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::AlarmClass::{Physiological, Technical};
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    const HAPPENINGS: [Happening; 7] = [
        Happening::Tier(Priority::Low),
        Happening::Tier(Priority::Medium),
        Happening::Tier(Priority::High),
        Happening::Over,
        Happening::Acknowledge,
        Happening::ReAlarm,
        Happening::Closed,
    ];

    /// Every state that can be reached from nothing.
    fn reachable(class: AlarmClass) -> BTreeSet<Option<State>> {
        let mut known = BTreeSet::from([None]);
        loop {
            let next_ones: BTreeSet<Option<State>> = known
                .iter()
                .flat_map(|state| HAPPENINGS.map(|happening| next(*state, class, happening).0))
                .collect();
            if next_ones.is_subset(&known) {
                return known;
            }
            known.extend(next_ones);
        }
    }

    fn name(state: Option<State>) -> String {
        match state {
            None => "–".to_owned(),
            Some(State::Active { tier, peak }) => {
                format!("Active {}, peak {}", tier.name(), peak.name())
            }
            Some(State::Acknowledged { tier, peak }) => {
                format!("Acknowledged {}, peak {}", tier.name(), peak.name())
            }
            Some(State::Returned { peak }) => format!("Returned, peak {}", peak.name()),
        }
    }

    fn happening_name(happening: Happening) -> &'static str {
        match happening {
            Happening::Tier(Priority::Low) => "low",
            Happening::Tier(Priority::Medium) => "medium",
            Happening::Tier(Priority::High) => "high",
            Happening::Over => "over",
            Happening::Acknowledge => "acknowledge",
            Happening::ReAlarm => "re-alarm time",
            Happening::Closed => "session closed",
        }
    }

    /// The table as `docs/alarms.md` prints it: every reachable state, every happening that changes
    /// something.
    fn table(class: AlarmClass) -> String {
        let mut text = String::from("| state | happening | next | record |\n|---|---|---|---|\n");
        for state in reachable(class) {
            for happening in HAPPENINGS {
                let (then, event) = next(state, class, happening);
                let Some(event) = event else { continue };
                writeln!(
                    text,
                    "| {} | {} | {} | `{}` |",
                    name(state),
                    happening_name(happening),
                    name(then),
                    event.name()
                )
                .unwrap();
            }
        }
        text
    }

    #[test]
    fn the_document_prints_the_same_table() {
        let document = include_str!("../../docs/alarms.md");
        for class in [Physiological, Technical] {
            let table = table(class);
            assert!(
                document.contains(&table),
                "docs/alarms.md lacks the {} table:\n{table}",
                class.name()
            );
        }
    }

    #[test]
    fn a_record_is_made_exactly_when_the_state_changes() {
        for class in [Physiological, Technical] {
            for state in reachable(class) {
                for happening in HAPPENINGS {
                    let (then, event) = next(state, class, happening);
                    assert_eq!(then != state, event.is_some(), "{state:?} {happening:?}");
                }
            }
        }
    }

    #[test]
    fn beginnings_and_ends_are_the_only_ways_in_and_out() {
        for class in [Physiological, Technical] {
            for state in reachable(class) {
                for happening in HAPPENINGS {
                    let (then, event) = next(state, class, happening);
                    let begins = state.is_none() && then.is_some();
                    let ends = state.is_some() && then.is_none();
                    assert_eq!(begins, event == Some(AlarmEvent::Begin));
                    assert_eq!(ends, event == Some(AlarmEvent::End));
                }
            }
        }
    }

    #[test]
    fn a_standing_condition_is_silent_only_when_acknowledged_at_its_tier() {
        for class in [Physiological, Technical] {
            for state in reachable(class) {
                for tier in Priority::ALL {
                    let (then, _) = next(state, class, Happening::Tier(tier));
                    match then {
                        Some(State::Active { tier: now, .. }) => assert_eq!(now, tier),
                        Some(State::Acknowledged { tier: now, .. }) => {
                            assert_eq!(now, tier);
                            assert!(
                                matches!(state, Some(State::Acknowledged { tier: seen, .. }) if seen >= tier)
                            );
                        }
                        Some(State::Returned { .. }) | None => panic!("{state:?} hides {tier:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn only_high_alarms_about_the_patient_return() {
        for class in [Physiological, Technical] {
            for state in reachable(class) {
                let (then, _) = next(state, class, Happening::Over);
                if let (Some(State::Active { peak, .. }), Some(_)) = (state, then) {
                    assert_eq!((class, peak), (Physiological, Priority::High));
                }
            }
        }
        assert_eq!(reachable(Technical).len(), 13);
        assert_eq!(reachable(Physiological).len(), 14);
    }

    #[test]
    fn technical_alarms_never_sound_again_by_time() {
        for state in reachable(Technical) {
            assert_eq!(next(state, Technical, Happening::ReAlarm), (state, None));
        }
    }
}
