//! Alarm priorities of IEC 60601-1-8, 6.1.2.

use serde::{Deserialize, Serialize};

/// The priority of an alarm condition, lowest first so that comparison means urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Awareness is enough.
    Low,
    /// Prompt response is needed.
    Medium,
    /// Immediate response is needed.
    High,
}

impl Priority {
    /// Every priority, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The name in the interface: `low`, `medium` or `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
