//! Everything that the engine decides, as data. Texts are made at the edges.

use super::input::FeedId;
use crate::vocabulary::{
    AlarmClass, Cause, Decimal, Moment, Parameter, Phase, Priority, Rule, WallTime,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happened to an alarm (engine.md 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmEvent {
    /// The condition became true.
    Begin,
    /// A higher tier, or the condition again after a return.
    Escalate,
    /// A lower tier.
    Deescalate,
    /// A nurse acknowledged.
    Acknowledge,
    /// Over, but it was high: stays visible until acknowledged.
    Return,
    /// Over.
    End,
    /// Sounds again after the re-alarm time.
    ReAlarm,
}

impl AlarmEvent {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Escalate => "escalate",
            Self::Deescalate => "deescalate",
            Self::Acknowledge => "acknowledge",
            Self::Return => "return",
            Self::End => "end",
            Self::ReAlarm => "re-alarm",
        }
    }
}

/// Where the limit that judged a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitSource {
    /// An absolute limit of the profile.
    Profile,
    /// Relative to the patient's own baseline.
    Baseline,
    /// Changed by a nurse for this session.
    Nurse,
    /// The device's own bit or state.
    Device,
    /// A timing of the profile.
    Timing,
}

/// One line of an alarm's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// What happened.
    pub event: AlarmEvent,
    /// The occurrence's number, unique within the journal's engine time line.
    pub alarm: u64,
    /// The rule.
    pub rule: Rule,
    /// The parameter, where the rule speaks about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<Parameter>,
    /// Physiological or technical.
    pub class: AlarmClass,
    /// The priority from now on (the last one, for an end).
    pub priority: Priority,
    /// The highest priority so far.
    pub peak: Priority,
    /// The value that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// The limit that judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Decimal>,
    /// Where the limit came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_source: Option<LimitSource>,
    /// Which phase's limits judged it.
    pub phase: Phase,
    /// Since when the violation lasts, engine time.
    pub since: Moment,
    /// The delay that the violation had to persist.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub delay: Duration,
    /// The feed that gave the value, or that the alarm is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<FeedId>,
    /// How old the value was when judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Duration>,
    /// Why there was no value, for technical alarms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// A word that tells two texts of one rule apart (`recheck`, `three-in-60s`, `fall`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What is audible from now on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Sounding {
    /// Nothing, or everything is held by a pause.
    #[default]
    None,
    /// One low tone.
    Low,
    /// Medium bursts.
    Medium,
    /// High bursts.
    High,
}

/// Whether sound is paused.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum AudioState {
    /// Sound on.
    #[default]
    On,
    /// AUDIO PAUSED, counted down.
    Paused,
}

/// Steps above the profile's first loudness, for alarms that nobody acknowledged.
pub type Loudness = u8;

/// The sound changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioRecord {
    /// What is audible from now on.
    pub sounding: Sounding,
    /// Whether sound is paused.
    pub state: AudioState,
    /// The rule whose melody is played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Loudness steps.
    #[serde(default)]
    pub loudness: Loudness,
}

/// The phase changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// The new phase.
    pub phase: Phase,
    /// The phase before.
    pub from: Phase,
    /// What changed it: a command's name, `pump`, `deadline`.
    pub why: String,
}

/// A command that was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecord {
    /// The command's name.
    pub command: String,
    /// Why not.
    pub error: String,
    /// What to do instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The next thing for the nurse to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// What.
    pub text: String,
    /// By when, engine time.
    pub due_at: Moment,
}

/// A baseline was taken or replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRecord {
    /// Of which parameter.
    pub parameter: Parameter,
    /// The value; `None` without enough readings.
    pub value: Option<Decimal>,
    /// The readings it is the median of.
    pub readings: Vec<Decimal>,
    /// Why it was replaced by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A limit of the session was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitRecord {
    /// Of which rule.
    pub rule: Rule,
    /// Of which tier.
    pub tier: Priority,
    /// The limit before.
    pub from: Decimal,
    /// The limit from now on.
    pub to: Decimal,
    /// Whose it is now: the nurse's, or the profile's again.
    pub source: LimitSource,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// By whom, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One decision of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// An alarm's life.
    Alarm(AlarmRecord),
    /// What is audible.
    Audio(AudioRecord),
    /// The phase.
    Phase(PhaseRecord),
    /// A command not done.
    Refused(RefusedRecord),
    /// The next task.
    Task(TaskRecord),
    /// A baseline.
    Baseline(BaselineRecord),
    /// A limit.
    Limit(LimitRecord),
}

/// A record with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The journal's sequence number.
    pub seq: u64,
    /// Engine time at which it was decided: a deadline's own time.
    pub at: Moment,
    /// The wall clock at that time, by the newest input's.
    pub wall: WallTime,
    /// How much later than its own time it could be fired, after downtime.
    pub late: Option<Duration>,
    /// What was decided.
    pub record: Record,
}
