//! The phases of an infusion session (clinical.md 3).

use serde::{Deserialize, Serialize};

/// Where the session stands; alarm limits depend on it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// No session: feed health only, no patient alarms.
    #[default]
    Standby,
    /// Session opened, readings before the infusion.
    Baseline,
    /// The drug is running.
    Infusion,
    /// The infusion is held.
    Paused,
    /// The first 30 minutes after the end.
    Recovery,
    /// Until the discharge criteria are met.
    Observation,
    /// Signed off; standby follows at the same instant.
    Discharged,
}

impl Phase {
    /// Every phase, in the order of a session.
    pub const ALL: [Self; 7] = [
        Self::Standby,
        Self::Baseline,
        Self::Infusion,
        Self::Paused,
        Self::Recovery,
        Self::Observation,
        Self::Discharged,
    ];

    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Baseline => "baseline",
            Self::Infusion => "infusion",
            Self::Paused => "paused",
            Self::Recovery => "recovery",
            Self::Observation => "observation",
            Self::Discharged => "discharged",
        }
    }
}
