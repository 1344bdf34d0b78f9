//! Names of the alarm rules: physiological and technical conditions (engine.md 5, contract).

use serde::{Deserialize, Serialize};

/// Physiological and technical conditions are told apart everywhere (IEC 60601-1-8, 6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmClass {
    /// About the patient.
    Physiological,
    /// About the equipment, the feed or this program.
    Technical,
}

impl AlarmClass {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Physiological => "physiological",
            Self::Technical => "technical",
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $class:ident;)*) => {
        /// One rule of the alarm catalogue, in catalogue order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Rule {
            /// Every rule, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the interface.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether the rule speaks about the patient or about the equipment.
            pub const fn class(self) -> AlarmClass {
                match self { $(Self::$variant => AlarmClass::$class,)* }
            }
        }
    };
}

rules! {
    /// SpO2 below its limits.
    Spo2Low = "spo2-low", Physiological;
    /// Fused heart or pulse rate below its limits.
    RateLow = "rate-low", Physiological;
    /// Fused heart or pulse rate above its limits.
    RateHigh = "rate-high", Physiological;
    /// A pleth that was valid finds no pulse, and the ECG is not normal.
    PulseLost = "pulse-lost", Physiological;
    /// Systolic pressure above its limits.
    SbpHigh = "sbp-high", Physiological;
    /// Diastolic pressure above its limits.
    DbpHigh = "dbp-high", Physiological;
    /// Systolic pressure below its limits.
    SbpLow = "sbp-low", Physiological;
    /// Mean pressure below its limits.
    MapLow = "map-low", Physiological;
    /// Respiration rate below its limits.
    RrLow = "rr-low", Physiological;
    /// Respiration rate above its limits.
    RrHigh = "rr-high", Physiological;
    /// No breath for the stated time, or by the device's own bit.
    NoBreath = "no-breath", Physiological;
    /// A sedation score at or below its limits.
    Oversedated = "oversedated", Physiological;
    /// A feed said nothing for its silence time.
    FeedLost = "feed-lost", Technical;
    /// A required parameter is not received.
    Missing = "missing", Technical;
    /// A sensor that measured before does not any more.
    Sensor = "sensor", Technical;
    /// A cuff measurement failed.
    CuffFailed = "cuff-failed", Technical;
    /// A cuff reading is overdue.
    CuffOverdue = "cuff-overdue", Technical;
    /// A sedation score is overdue.
    ScoreOverdue = "score-overdue", Technical;
    /// Values out of physical range, three in a row.
    Implausible = "implausible", Technical;
    /// The identity in the feed changed within the session.
    WrongPatient = "wrong-patient", Technical;
    /// Two feeds give different values for one parameter.
    FeedsDisagree = "feeds-disagree", Technical;
    /// ECG and pleth rates differ.
    RateDiffers = "rate-differs", Technical;
    /// A feed gives readings so seldom that alarms may be late.
    SlowFeed = "slow-feed", Technical;
    /// The program restarted and could not rebuild its state by replay.
    Restarted = "restarted", Technical;
    /// No valid reading for long in observation: is the session still open?
    SessionOpen = "session-open", Technical;
    /// An alarm of the monitor itself, shown beside ours.
    DeviceAlert = "device-alert", Technical;
    /// A clock stepped or differs.
    Clock = "clock", Technical;
    /// The record is not being written.
    Journal = "journal", Technical;
    /// The disk is nearly full.
    Disk = "disk", Technical;
    /// The sound path does not work.
    Sound = "sound", Technical;
    /// The attached display does not answer.
    Display = "display", Technical;
    /// A queue was full and readings were overwritten.
    QueueFull = "queue-full", Technical;
    /// The pump is lost or in alarm.
    Pump = "pump", Technical;
}

impl Rule {
    /// The rule with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}
