//! Everything that enters the engine; each input is journaled before its records.

use super::command::Command;
use crate::observation::{DeviceAlert, Identity, Observation, PumpEvent};
use crate::vocabulary::{Parameter, Rule, WallTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The number of this engine's way to decide. It rises by one with every change after which the same inputs
/// may give other records or another state: a new rule, another order, another number, another shape of
/// [`CarryOver::state`]. A record of another version is carried over, not replayed, and `verify` cannot prove it.
/// A test holds the decisions on a fixed story beside this number and fails when only one of them changes.
pub const fn engine_version() -> u32 {
    3
}

/// A feed by its place in [`Setup::feeds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedId(pub u16);

/// What the engine must know of one feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FeedSetup {
    /// The name in the configuration.
    pub name: Arc<str>,
    /// The protocol's name.
    pub protocol: Arc<str>,
    /// How long it may say nothing.
    pub silence: Duration,
    /// The ordinary time between two readings.
    pub cadence: Duration,
    /// What it can give.
    pub parameters: Vec<Parameter>,
    /// The only identity that is ours on a shared connection, where configured.
    #[serde(default)]
    pub ours: Identity,
}

/// What a session is judged with: the whole profile text and the feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Setup {
    /// The profile file, whole.
    pub profile: Arc<str>,
    /// The feeds, in the order of the configuration.
    pub feeds: Vec<FeedSetup>,
    /// Feeds by preference, per parameter.
    #[serde(default)]
    pub prefer: BTreeMap<Parameter, Vec<FeedId>>,
}

/// The daemon has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Started {
    /// The kernel's boot id: within one boot engine time follows CLOCK_BOOTTIME.
    pub boot: Arc<str>,
    /// The wall clock at the start.
    pub wall: WallTime,
    /// How long nothing ran, when it can be known; `None` after a reboot with an untrusted clock.
    pub down_for: Option<Duration>,
    /// Profile and feeds as configured at this start (a session that is open keeps its own).
    pub setup: Arc<Setup>,
}

/// What is known of a session when it cannot be replayed: built from its records (engine.md 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CarryOver {
    /// Why replay was not possible, for the `restarted` alarm.
    pub reason: String,
    /// The engine's own summary of phase and stamps, baseline, changed limits, pause and open alarms;
    /// its shape belongs to the engine.
    pub state: serde_json::Value,
}

/// The state of a feed's transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedState {
    /// The transport is open.
    Ok,
    /// The transport is closed or cannot be opened: its silence clock starts.
    Lost,
}

/// Parts of this program whose health the engine alarms on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthItem {
    /// The record is being written.
    Journal,
    /// No damaged file had to be put aside; an alarm about it lasts until a nurse has seen it.
    Damaged,
    /// The disk has room.
    Disk,
    /// The sound path works.
    Sound,
    /// The attached display answers.
    Display,
    /// No queue had to overwrite a reading.
    QueueFull,
    /// The clocks agree.
    Clock,
}

impl HealthItem {
    /// Every item.
    pub const ALL: [Self; 7] = [
        Self::Journal,
        Self::Damaged,
        Self::Disk,
        Self::Sound,
        Self::Display,
        Self::QueueFull,
        Self::Clock,
    ];

    /// Its name in the log and among the metrics, where no two may be the same.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Journal
            | Self::Disk
            | Self::Sound
            | Self::Display
            | Self::QueueFull
            | Self::Clock => self.rule().name(),
        }
    }

    /// The rule that alarms on it.
    pub const fn rule(self) -> Rule {
        match self {
            Self::Journal | Self::Damaged => Rule::Journal,
            Self::Disk => Rule::Disk,
            Self::Sound => Rule::Sound,
            Self::Display => Rule::Display,
            Self::QueueFull => Rule::QueueFull,
            Self::Clock => Rule::Clock,
        }
    }
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The daemon has started.
    Started(Started),
    /// The session goes on without replay.
    CarryOver(Box<CarryOver>),
    /// A session is opened: always a fresh engine value. The command and what it is judged with.
    Open {
        /// The session's number.
        session: i64,
        /// Whom and what it is about.
        about: Box<super::OpenSession>,
        /// Profile and feeds.
        setup: Arc<Setup>,
    },
    /// Any other command.
    Command(Box<Command>),
    /// A reading of a feed.
    Reading {
        /// From where.
        feed: FeedId,
        /// What.
        observation: Observation,
    },
    /// An alarm of a monitor.
    DeviceAlert {
        /// From where.
        feed: FeedId,
        /// What.
        alert: DeviceAlert,
    },
    /// A pump event.
    Pump {
        /// From where.
        feed: FeedId,
        /// What.
        event: PumpEvent,
    },
    /// Whom a feed's readings are about from now on; sent when it changes.
    Identity {
        /// From where.
        feed: FeedId,
        /// Who.
        identity: Identity,
    },
    /// A feed's transport opened or closed.
    Feed {
        /// Which.
        feed: FeedId,
        /// How.
        state: FeedState,
    },
    /// A frame of this feed passed its checks; at most one a second.
    Alive {
        /// Which.
        feed: FeedId,
    },
    /// Something of ours changed its health.
    Health {
        /// What.
        what: HealthItem,
        /// How.
        ok: bool,
        /// In words, for the record.
        detail: Option<Arc<str>>,
    },
    /// A feed exists from now on: for sources whose feeds are not configured beforehand (`judge`). A new
    /// name takes the next [`FeedId`]; a known one gets another setting.
    FeedDeclared {
        /// What must be known of it.
        setup: Box<FeedSetup>,
    },
    /// Nothing happened but time; never journaled. Used by `judge` and at shutdown.
    Tick,
}
