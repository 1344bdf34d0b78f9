//! The alarm engine: one pure value that owns the session, phase, baseline, limits and alarms.
//!
//! `step(now, input) -> records`. It has no I/O, no clock, no locks, no logging, no floats and no
//! hash-ordered collections, so its records are a function of the journaled input list alone. Before
//! it takes an input it fires every deadline that is due, each at its own time (engine.md 1).

mod command;
mod input;
mod kernel;
mod record;

pub use command::{AcknowledgeTarget, All, Command, OpenSession, Override};
pub use input::{
    CarryOver, FeedId, FeedSetup, FeedState, HealthItem, Input, Setup, Started, engine_version,
};
pub use kernel::{Engine, Taken};
pub use record::{
    AlarmEvent, AlarmRecord, AudioRecord, AudioState, BaselineRecord, LimitSource, Loudness,
    Numbered, PhaseRecord, Record, RefusedRecord, Sounding, TaskRecord,
};
