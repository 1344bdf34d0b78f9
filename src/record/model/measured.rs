//! What was measured and what alarmed.

use crate::engine::LimitSource;
use crate::record::Stamp;
use crate::vocabulary::{
    AlarmClass, Cause, Decimal, Parameter, ParameterId, Phase, Priority, ReadingUnit, Rule, Site,
};
use serde::Serialize;
use std::sync::Arc;

/// A baseline value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The entry.
    pub seq: u64,
    /// When it was fixed.
    pub at: Stamp,
    /// Of what.
    pub parameter: Parameter,
    /// The value; `null` without enough readings.
    pub value: Option<Decimal>,
    /// The newest readings behind it.
    pub readings: Vec<Decimal>,
    /// Whether a person replaced it.
    pub manual: bool,
    /// Why it was replaced.
    pub reason: Option<String>,
}

/// One minute of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Where it begins, by the wall clock.
    pub at: Stamp,
    /// The phase at its end.
    pub phase: Phase,
}

/// One cuff reading.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CuffReading {
    /// The first entry that told it.
    pub seq: u64,
    /// When it was received first.
    pub at: Stamp,
    /// Its place among the minutes.
    pub minute: usize,
    /// When it was measured, by the device's clock.
    pub measured_at: Option<String>,
    /// From where.
    pub feed: Arc<str>,
    /// The phase in which it was received.
    pub phase: Phase,
    /// Systolic, mmHg.
    pub sys: Option<Decimal>,
    /// Diastolic, mmHg.
    pub dia: Option<Decimal>,
    /// Mean, mmHg.
    pub mean: Option<Decimal>,
    /// Pulse rate, /min.
    pub pr: Option<Decimal>,
    /// Why there is no value.
    pub cause: Option<Cause>,
    /// Whether a value is doubtful.
    pub questionable: bool,
    /// How often the monitor told it again.
    pub repeats: u32,
}

/// One continuous parameter of one feed, by minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// What.
    pub parameter: ParameterId,
    /// From where.
    pub feed: Arc<str>,
    /// In what unit; `null` for a code that we do not know.
    pub unit: Option<ReadingUnit>,
    /// The MDC code under which it came.
    pub mdc: Option<u32>,
    /// The minutes that have a reading; a minute that is not here is a gap.
    pub points: Vec<Point>,
}

/// One minute of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Where the minute begins.
    pub at: Stamp,
    /// Its place among the minutes.
    pub minute: usize,
    /// The median of its numbers; `null`: no number in this minute.
    pub median: Option<Decimal>,
    /// The lowest.
    pub min: Option<Decimal>,
    /// The highest.
    pub max: Option<Decimal>,
    /// How many readings had a number.
    pub numbers: u32,
    /// How many of these were doubtful.
    pub questionable: u32,
    /// How many readings had none.
    pub without: u32,
    /// Why the last of these had none.
    pub cause: Option<Cause>,
}

/// One reading as it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RawReading {
    /// The entry.
    pub seq: u64,
    /// When it was received.
    pub at: Stamp,
    /// What.
    pub parameter: ParameterId,
    /// From where.
    pub feed: Arc<str>,
    /// The number.
    pub value: Option<Decimal>,
    /// Why there is none, or why it is doubtful.
    pub cause: Option<Cause>,
    /// The MDC code under which it came.
    pub mdc: Option<u32>,
    /// Where it was measured.
    pub site: Option<Site>,
}

/// The extreme values of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extreme {
    /// Of what.
    pub parameter: Parameter,
    /// The lowest number.
    pub lowest: Decimal,
    /// When.
    pub lowest_at: Stamp,
    /// The highest number.
    pub highest: Decimal,
    /// When.
    pub highest_at: Stamp,
}

/// One occurrence of an alarm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// The occurrence.
    pub alarm: u64,
    /// The rule.
    pub rule: Rule,
    /// About the patient, or technical.
    pub class: AlarmClass,
    /// The parameter.
    pub parameter: Option<Parameter>,
    /// The highest priority.
    pub priority: Priority,
    /// When it began; `null`: before the session.
    pub began_at: Option<Stamp>,
    /// When its condition was over; `null`: it stood at the end of this document.
    pub over_at: Option<Stamp>,
    /// When it left the list.
    pub ended_at: Option<Stamp>,
    /// How long its condition stood, up to the end of this document.
    pub seconds: u64,
    /// When it was first acknowledged.
    pub acknowledged_at: Option<Stamp>,
    /// By whom; `null` beside a time: unnamed.
    pub acknowledged_by: Option<String>,
    /// The value that was judged when the highest priority was reached.
    pub value: Option<Decimal>,
    /// The limit that judged it.
    pub limit: Option<Decimal>,
    /// Where the limit came from.
    pub limit_source: Option<LimitSource>,
    /// The most extreme reading while the condition stood.
    pub extreme: Option<Decimal>,
    /// The phase whose limits judged it.
    pub phase: Phase,
    /// The feed.
    pub feed: Option<Arc<str>>,
    /// In words, as the nurse read it.
    pub text: String,
    /// How much later than its own time it was decided, after a downtime.
    pub late_s: Option<u64>,
    /// Its life.
    pub events: Vec<AlarmMoment>,
}

/// One happening of an alarm's life.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlarmMoment {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// What: `begin`, `escalate`, `deescalate`, `acknowledge`, `return`, `end`, `re-alarm`.
    pub event: &'static str,
    /// The priority from then on.
    pub priority: Priority,
    /// The value then.
    pub value: Option<Decimal>,
    /// Who acknowledged.
    pub by: Option<String>,
}

/// An alarm of the monitor itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceAlertEntry {
    /// The entry.
    pub seq: u64,
    /// When it was received.
    pub at: Stamp,
    /// From where.
    pub feed: Arc<str>,
    /// `start`, `continue`, `end`, `present`.
    pub phase: &'static str,
    /// The priority as told.
    pub priority: Option<Priority>,
    /// The monitor's words.
    pub text: Arc<str>,
}

/// The outermost limits of a parameter over a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitSpan {
    /// Of what.
    pub parameter: Parameter,
    /// From.
    pub from: Stamp,
    /// To.
    pub to: Stamp,
    /// Below this alarms.
    pub low: Option<Decimal>,
    /// Above this alarms.
    pub high: Option<Decimal>,
}
