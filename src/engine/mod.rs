//! The alarm engine: one pure value that owns the session, phase, baseline, limits and alarms.
//!
//! `step(now, input) -> records`. It has no I/O, no clock, no locks, no logging, no floats and no
//! hash-ordered collections, so its records are a function of the journaled input list alone. Before
//! it takes an input it fires every deadline that is due, each at its own time (engine.md 1).

mod alarms;
mod audio;
mod baseline;
mod checklist;
mod command;
mod commands;
mod cuff;
mod entries;
mod evidence;
mod feeds;
mod gate;
mod input;
mod intake;
mod kernel;
mod lifecycle;
mod limits;
mod opening;
mod pump;
mod reading;
mod recent;
mod record;
mod renumber;
pub mod restart;
mod rules;
mod session;
pub mod text;
mod verdict;
mod view;

pub use alarms::Occurrence;
pub use checklist::{CheckItem, ItemState, ListItem, is_ready};
pub use command::{AcknowledgeTarget, All, Command, OpenSession, Override};
pub use entries::{Checked, DrugTotal, Entries, Entry, scale_name};
pub use evidence::{ComputedScores, SelfTest};
pub use input::{
    CarryOver, FeedId, FeedSetup, FeedState, HealthItem, Input, Setup, Started, engine_version,
};
pub use kernel::{Engine, Refusal, Taken};
pub use lifecycle::State;
pub use reading::Held;
pub use record::{
    AlarmEvent, AlarmRecord, AudioRecord, AudioState, BaselineRecord, LimitRecord, LimitSource,
    Loudness, Numbered, PhaseRecord, Record, RefusedRecord, Sounding, TaskRecord,
};
pub use session::{Session, Stamped};
pub use verdict::Key;
pub use view::{HeldReading, LimitRow, LimitsNow, Rate};
