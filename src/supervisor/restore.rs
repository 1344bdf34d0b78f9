//! The engine at a start: replayed from the record where that can be trusted, carried over from it where
//! it cannot (engine.md 2).

use super::StartError;
use crate::engine::restart::{Row, Summariser};
use crate::engine::{CarryOver, Engine, Input, Numbered, Record, Setup, Started, text};
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
    let mut jobs = Vec::new();
    let (mut engine, carry_over) = match journal.plan() {
        Plan::Fresh => (Engine::new(journal.restored().last_seq), None),
        Plan::Replay { from } => match replay(journal, from) {
            Ok((engine, tail)) => {
                jobs.extend(tail.into_iter().map(Job::Entry));
                (engine, None)
            }
            Err(reason) => carried(journal, from, reason)?,
        },
        Plan::CarryOver { from, reason } => carried(journal, from, reason)?,
    };
    let mut start = Start { now, jobs };
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
    Ok(Restoration {
        engine,
        jobs: start.jobs,
    })
}

/// The engine as the record left it, and what it decided that the record does not have yet.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{FeedId, FeedSetup, HealthItem, OpenSession};
    use crate::journal::{self, Watcher};
    use crate::observation::Observation;
    use crate::profile;
    use crate::vocabulary::{Decimal, Parameter, Reading, WallTime};
    use std::path::Path;
    use std::time::Duration;

    struct Silent;

    impl Watcher for Silent {
        fn committed(&self, _: u64) {}
        fn waiting(&self, _: usize, _: u64) {}
        fn health(&self, _: HealthItem, _: bool, _: &str) {}
    }

    fn now(second: u64) -> Now {
        Now {
            moment: Moment::from_secs(second),
            wall: WallTime::from_millis(1_767_225_600_000 + second.cast_signed() * 1_000),
        }
    }

    fn setup() -> Arc<Setup> {
        Arc::new(Setup {
            profile: profile::SHIPPED.into(),
            feeds: vec![FeedSetup {
                name: "monitor".into(),
                protocol: "hl7-mllp".into(),
                silence: Duration::from_secs(10),
                cadence: Duration::from_secs(1),
                parameters: Vec::new(),
                ours: crate::observation::Identity::default(),
            }],
            ..Setup::default()
        })
    }

    fn open(path: &Path, second: u64) -> Journal {
        let start = journal::Start::new("boot".into(), now(second), true, setup().profile.clone());
        Journal::open(path, start).unwrap()
    }

    fn write(journal: Journal, jobs: Vec<Job>) {
        let (mut outlet, writer) = journal.start(Box::new(Silent), text_of).unwrap();
        for job in jobs {
            outlet.push(job);
        }
        drop(outlet);
        writer.join().unwrap();
    }

    /// A session in which a cuff reading of 190 mmHg has just begun a high alarm.
    fn session_in_alarm(path: &Path) {
        let mut journal = open(path, 0);
        let restored = engine(&mut journal, now(0), "boot".into(), setup()).unwrap();
        let (mut engine, jobs) = (restored.engine, restored.jobs);
        let mut start = Start { now: now(1), jobs };
        let about = Box::new(OpenSession::default());
        let session = 1;
        start.take(
            &mut engine,
            Input::Open {
                session,
                about,
                setup: setup(),
            },
        );
        let command = crate::engine::Command::StartInfusion { over: None };
        start.take(&mut engine, Input::Command(Box::new(command)));
        let value = Reading::Valid(Decimal::whole(190));
        let observation = Observation::new(Parameter::NibpSys, value);
        let feed = FeedId(0);
        start.take(&mut engine, Input::Reading { feed, observation });
        write(journal, start.jobs);
    }

    #[test]
    fn decisions_that_a_crash_kept_from_the_record_are_written_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        session_in_alarm(&path);
        // A crash between the commit of the reading and that of what it led to.
        let database = rusqlite::Connection::open(&path).unwrap();
        let begins = "SELECT count(*) FROM record WHERE kind = 'alarm' AND event = 'begin' \
                      AND json_extract(detail, '$.rule') = 'sbp-high'";
        let count = || -> u32 { database.query_row(begins, [], |row| row.get(0)).unwrap() };
        assert_eq!(count(), 1);
        let last_input = "DELETE FROM record WHERE seq > (SELECT max(seq) FROM input)";
        assert!(database.execute(last_input, []).unwrap() > 0);
        assert_eq!(count(), 0);

        let mut journal = open(&path, 2);
        assert!(matches!(journal.plan(), Plan::Replay { .. }));
        let restored = engine(&mut journal, now(2), "boot".into(), setup()).unwrap();
        write(journal, restored.jobs);
        assert_eq!(count(), 1, "the alarm is in the record");
        let gaps = "SELECT count(*) FROM gap";
        let gaps: u32 = database.query_row(gaps, [], |row| row.get(0)).unwrap();
        assert_eq!(gaps, 0, "numbers have no hole");
    }
}
