//! The engine at a start: replayed from the record where that can be trusted, carried over from it where
//! it cannot (engine.md 2).

use super::StartError;
use crate::engine::restart::{Row, Summariser};
use crate::engine::{CarryOver, Engine, HealthItem, Input, Numbered, Record, Setup, Started, text};
use crate::journal::{Body, Entry, Job, Journal, Plan};
use crate::vocabulary::{Moment, Now};
use std::ops::ControlFlow;
use std::sync::Arc;

/// An engine that knows what was open, and what the journal still has to be told about how it came so.
pub(super) struct Restoration {
    /// The engine.
    pub(super) engine: Engine,
    /// The inputs and records of the start itself.
    pub(super) jobs: Vec<Job>,
}

/// The kernel's boot id; a start of its own where the kernel tells none, so that nothing is taken for the
/// same boot.
pub(super) fn boot_id(now: Now) -> Arc<str> {
    match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(text) => text.trim().into(),
        Err(error) => {
            tracing::warn!(%error, "no boot id; timers go on as after a reboot");
            format!("unknown-{}", now.wall.as_millis()).into()
        }
    }
}

/// Whether the wall clock was set by a time service since the boot.
pub(super) fn wall_is_synchronised() -> bool {
    [
        "/run/systemd/timesync/synchronized",
        "/run/chrony/chronyd.pid",
    ]
    .iter()
    .any(|path| std::path::Path::new(path).exists())
}

/// Restores the engine from `journal` and tells it that the daemon has started.
pub(super) fn engine(
    journal: &mut Journal,
    now: Now,
    boot: Arc<str>,
    setup: Arc<Setup>,
) -> Result<Restoration, StartError> {
    let mut start = Start {
        now,
        jobs: Vec::new(),
    };
    let (mut engine, carry_over) = match journal.plan() {
        Plan::Fresh => (Engine::new(journal.restored().last_seq), None),
        Plan::Replay { from } => match replay(journal, from) {
            Ok((engine, tail)) => {
                start.jobs.extend(tail.into_iter().map(Job::Entry));
                (engine, None)
            }
            Err(reason) => carried(journal, from, reason)?,
        },
        Plan::CarryOver { from, reason } => carried(journal, from, reason)?,
    };
    if let Some(carry_over) = carry_over {
        start.take(&mut engine, Input::CarryOver(Box::new(carry_over)));
    }
    let down_for = journal.timeline().down_for;
    start.take(
        &mut engine,
        Input::Started(Started {
            boot,
            wall: now.wall,
            down_for,
            setup,
        }),
    );
    // What was wrong before may be right now, and these parts only tell changes. Sound and display tell
    // how they are at every start by themselves.
    let journal_ok = journal.trouble().is_none();
    for (what, ok) in [
        (HealthItem::Journal, journal_ok),
        (HealthItem::Disk, true),
        (HealthItem::QueueFull, true),
        (HealthItem::Clock, true),
    ] {
        if ok {
            start.take(
                &mut engine,
                Input::Health {
                    what,
                    ok,
                    detail: None,
                },
            );
        }
    }
    Ok(Restoration {
        engine,
        jobs: start.jobs,
    })
}

/// The engine as it was, and the decisions that it had made and the journal had not yet.
fn replay(journal: &Journal, from: u64) -> Result<(Engine, Vec<Entry>), String> {
    let mut engine = Engine::new(from.saturating_sub(1));
    let replayed = journal
        .replay(from, &mut engine)
        .map_err(|error| error.to_string())?;
    match (replayed.difference, replayed.not_provable_after) {
        (None, None) => {
            tracing::info!(entries = replayed.entries, "session replayed");
            Ok((engine, replayed.tail))
        }
        (Some(difference), _) => Err(format!(
            "replay differs from the record at entry {}",
            difference.seq
        )),
        (None, Some(seq)) => Err(format!("entries are missing after {seq}")),
    }
}

fn carried(
    journal: &mut Journal,
    from: u64,
    reason: String,
) -> Result<(Engine, Option<CarryOver>), StartError> {
    tracing::warn!(reason, "session carried over from its records");
    let mut summariser = Summariser::default();
    let read = journal.visit(from, &mut |entry| {
        let row = match &entry.body {
            Body::Input(input) => Row::Input(input),
            Body::Record(record, _) => Row::Record(record),
        };
        summariser.follow(entry.seq, entry.at, entry.wall, row);
        ControlFlow::Continue(())
    });
    if let Err(error) = read {
        // What could be read up to the damage is carried over; the rest is in the file put aside.
        tracing::error!(%error, "record is damaged");
        journal.begin_anew(&error.to_string())?;
    }
    Ok((
        Engine::new(journal.restored().last_seq),
        summariser.finish(&reason),
    ))
}

/// One line for people, beside a record in the journal.
pub(super) fn text_of(record: &Record, feed: Option<&str>, at: Moment) -> Option<String> {
    match record {
        Record::Alarm(alarm) => Some(text::line(alarm, feed, at)),
        Record::Audio(_)
        | Record::Phase(_)
        | Record::Refused(_)
        | Record::Task(_)
        | Record::Baseline(_) => None,
    }
}

/// Collects what the start itself gives the journal to write.
struct Start {
    now: Now,
    jobs: Vec<Job>,
}

impl Start {
    fn take(&mut self, engine: &mut Engine, input: Input) {
        let mut records: Vec<Numbered> = Vec::new();
        let taken = engine.step(self.now, &input, &mut records);
        super::engine_thread::journaled(
            self.now,
            engine.session(),
            &taken,
            input,
            &mut records,
            |entry| {
                self.jobs.push(Job::Entry(entry));
            },
        );
    }
}
