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
        | Record::Baseline(_)
        | Record::Limit(_) => None,
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
        let before = engine.session();
        let taken = engine.step(self.now, &input, &mut records);
        super::engine_thread::journaled(
            self.now,
            (before, engine.session()),
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
    use crate::engine::{AlarmEvent, FeedId, FeedSetup, HealthItem, OpenSession};
    use crate::journal::{Entry, Start as Boot, Watcher};
    use crate::observation::{Identity, Observation};
    use crate::profile::SHIPPED;
    use crate::vocabulary::{Decimal, Moment, Parameter, Reading, Rule, WallTime};
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    struct Quiet;

    impl Watcher for Quiet {
        fn committed(&self, _: u64) {}
        fn waiting(&self, _: usize, _: u64) {}
        fn health(&self, _: HealthItem, _: bool, _: &str) {}
    }

    const WALL: i64 = 1_772_355_600_000;

    fn at(second: u64) -> Now {
        Now {
            moment: Moment::from_secs(second),
            wall: WallTime::from_millis(WALL + second.cast_signed() * 1_000),
        }
    }

    fn setup(profile: &str) -> Arc<Setup> {
        Arc::new(Setup {
            profile: profile.into(),
            ..Setup::default()
        })
    }

    fn health(what: HealthItem, ok: bool) -> Input {
        Input::Health {
            what,
            ok,
            detail: None,
        }
    }

    fn open(session: i64, profile: &str) -> Input {
        Input::Open {
            session,
            about: Box::new(OpenSession::default()),
            setup: setup(profile),
        }
    }

    /// One life of the daemon: restored, then these inputs a second apart, then gone. The open alarms as
    /// they were at its beginning and at its end, each with its number.
    fn life(path: &Path, from: u64, inputs: &[Input]) -> [Vec<(Rule, u64)>; 2] {
        let open_alarms = |engine: &Engine| -> Vec<_> {
            engine
                .open_alarms()
                .map(|(key, occurrence)| (key.rule, occurrence.id))
                .collect()
        };
        let [before, after] = engines(path, from, setup(SHIPPED), inputs);
        [open_alarms(&before), open_alarms(&after)]
    }

    /// The same with these feeds and settings: the engine as it was restored, and as it was at the end.
    fn engines(path: &Path, from: u64, setup: Arc<Setup>, inputs: &[Input]) -> [Engine; 2] {
        let now = at(from);
        let start = Boot::new("boot".into(), now, true, SHIPPED.into());
        let mut journal = Journal::open(path, start).unwrap();
        let restored = engine(&mut journal, now, "boot".into(), setup).unwrap();
        let (mut outlet, writer) = journal.start(Box::new(Quiet), text_of).unwrap();
        let mut engine = restored.engine;
        for job in restored.jobs {
            outlet.push(job);
        }
        let restored = engine.clone();
        for (second, input) in (from + 1..).zip(inputs) {
            let before = engine.session();
            let mut made = Vec::new();
            let taken = engine.step(at(second), input, &mut made);
            super::super::engine_thread::journaled(
                at(second),
                (before, engine.session()),
                &taken,
                input.clone(),
                &mut made,
                |entry: Entry| outlet.push(Job::Entry(entry)),
            );
        }
        let (answer, answered) = mpsc::channel();
        outlet.push(Job::Barrier(Box::new(move |durable| {
            answer.send(durable).unwrap();
        })));
        assert!(answered.recv().unwrap());
        drop(outlet);
        writer.join().unwrap();
        [restored, engine]
    }

    /// How often each alarm of the record began and ended.
    fn lives(path: &Path) -> Vec<(u64, usize, usize)> {
        let start = Boot::new("boot".into(), at(9_000), true, SHIPPED.into());
        let journal = Journal::open(path, start).unwrap();
        let mut lives = std::collections::BTreeMap::<u64, (usize, usize)>::new();
        journal
            .visit(1, &mut |entry| {
                if let Body::Record(Record::Alarm(alarm), _) = entry.body {
                    let counts = lives.entry(alarm.alarm).or_default();
                    counts.0 += usize::from(alarm.event == AlarmEvent::Begin);
                    counts.1 += usize::from(alarm.event == AlarmEvent::End);
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        lives.into_iter().map(|(id, (b, e))| (id, b, e)).collect()
    }

    #[test]
    fn an_alarm_of_standby_goes_on_over_restarts_and_ends_with_its_cause() {
        for item in [HealthItem::Sound, HealthItem::Journal, HealthItem::Disk] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.db");
            let [none, begun] = life(&path, 0, &[health(item, false)]);
            assert!(none.is_empty());
            assert_eq!(begun.len(), 1, "{item:?}");
            // Twice: what was carried over once must be carried over again.
            for from in [100, 200] {
                let [carried, still] = life(&path, from, &[Input::Tick]);
                assert_eq!(carried, begun, "{item:?}");
                assert_eq!(still, begun, "{item:?}");
            }
            let [carried, over] = life(&path, 300, &[health(item, true)]);
            assert_eq!(carried, begun);
            assert!(over.is_empty(), "{over:?}");
            assert!(
                lives(&path).iter().all(|life| (life.1, life.2) == (1, 1)),
                "{:?}",
                lives(&path)
            );
            let [fresh, _] = life(&path, 400, &[]);
            assert!(fresh.is_empty());
            let verdicts = crate::journal::verify(&path, None).unwrap();
            assert!(
                verdicts.iter().all(crate::journal::Verdict::is_proven),
                "{verdicts:?}"
            );
        }
    }

    #[test]
    fn an_alarm_about_ourselves_goes_on_over_a_restart_after_its_session() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let close = Input::Command(Box::new(crate::engine::Command::CloseSession {
            by: "nurse".to_owned(),
            over: None,
        }));
        let story = [open(1, SHIPPED), health(HealthItem::Sound, false), close];
        let [_, begun] = life(&path, 0, &story);
        assert_eq!(begun.len(), 1, "{begun:?}");
        let [carried, _] = life(&path, 100, &[]);
        assert_eq!(carried, begun);
        let story = [open(2, SHIPPED), health(HealthItem::Sound, false)];
        let [_, next] = life(&path, 200, &story);
        assert_ne!(next, begun, "a session begins with alarms of its own");
        assert_eq!(lives(&path).first().map(|life| life.2), Some(1));
    }

    #[test]
    fn an_opening_that_was_refused_neither_opens_nor_drops_a_session() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let sound = health(HealthItem::Sound, false);
        let [_, begun] = life(&path, 0, &[sound.clone(), open(1, "no profile")]);
        let [carried, _] = life(&path, 100, &[]);
        assert_eq!(carried, begun, "standby, and not a session without limits");

        let path = folder.path().join("second.db");
        let [_, begun] = life(
            &path,
            0,
            &[open(1, SHIPPED), sound, open(2, SHIPPED), Input::Tick],
        );
        let [carried, _] = life(&path, 100, &[]);
        let ours = |alarms: &[(Rule, u64)]| {
            alarms
                .iter()
                .find(|(rule, _)| *rule == Rule::Sound)
                .copied()
        };
        assert_eq!(ours(&carried), ours(&begun));
        assert!(carried.iter().any(|(rule, _)| *rule == Rule::Restarted) || carried == begun);
        let start = Boot::new("boot".into(), at(200), true, SHIPPED.into());
        let journal = Journal::open(&path, start).unwrap();
        assert_eq!(journal.restored().session, Some(1));
    }

    fn with_feeds(names: &[&str]) -> Arc<Setup> {
        let feed = |name: &&str| FeedSetup {
            name: (*name).into(),
            protocol: "test".into(),
            silence: Duration::from_secs(10),
            cadence: Duration::from_secs(1),
            parameters: Vec::new(),
            ours: Identity::default(),
        };
        Arc::new(Setup {
            profile: SHIPPED.into(),
            feeds: names.iter().map(feed).collect(),
            ..Setup::default()
        })
    }

    fn open_with(setup: &Arc<Setup>) -> Input {
        Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup: Arc::clone(setup),
        }
    }

    fn reads(feed: u16, parameter: Parameter, value: i64) -> Input {
        let reading = Reading::Valid(Decimal::whole(value));
        Input::Reading {
            feed: FeedId(feed),
            observation: Observation::new(parameter, reading),
        }
    }

    /// Every standing alarm about a feed or with a value of one: its rule, number and the feed's name.
    fn by_name(engine: &Engine) -> Vec<(Rule, u64, String)> {
        engine
            .open_alarms()
            .filter_map(|(key, occurrence)| {
                let feed = occurrence.verdict.feed?;
                Some((key.rule, occurrence.id, engine.feed_name(feed)?.to_string()))
            })
            .collect()
    }

    /// A session of two feeds: the oximeter says nothing any more, the monitor gives a low SpO2.
    fn session_of_two(path: &Path, names: [&str; 2]) -> [Engine; 2] {
        let setup = with_feeds(&names);
        let mut story = vec![open_with(&setup), reads(1, Parameter::Hr, 70)];
        story.extend((0..14).map(|_| reads(0, Parameter::Spo2, 84)));
        engines(path, 0, setup, &story)
    }

    /// Marks the last start as good or not, so that the next one replays or carries over.
    fn good(path: &Path, is_good: bool) {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection
            .execute("UPDATE start SET good = ?1", [is_good])
            .unwrap();
    }

    #[test]
    fn feeds_in_another_order_keep_their_names_readings_and_alarms() {
        for replayed in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.db");
            let [_, before] = session_of_two(&path, ["monitor", "oximeter"]);
            let alarms = by_name(&before);
            let named = |rule, name: &str| {
                alarms
                    .iter()
                    .any(|alarm| alarm.0 == rule && alarm.2 == name)
            };
            assert!(named(Rule::Spo2Low, "monitor"), "{alarms:?}");
            assert!(named(Rule::FeedLost, "oximeter"), "{alarms:?}");
            good(&path, replayed);

            // A feed was added in front, the two changed places; readings name feeds by the new places.
            let setup = with_feeds(&["pump", "oximeter", "monitor"]);
            let story = [
                reads(2, Parameter::Spo2, 83),
                reads(1, Parameter::Hr, 71),
                Input::Tick,
            ];
            let [restored, after] = engines(&path, 16, Arc::clone(&setup), &story);
            let of = |engine: &Engine, rule| -> Vec<_> {
                by_name(engine)
                    .into_iter()
                    .filter(|alarm| alarm.0 == rule)
                    .collect()
            };
            assert_eq!(of(&restored, Rule::Spo2Low), of(&before, Rule::Spo2Low));
            assert_eq!(of(&after, Rule::Spo2Low), of(&before, Rule::Spo2Low));
            assert_eq!(of(&restored, Rule::FeedLost), of(&before, Rule::FeedLost));
            let still_lost = of(&after, Rule::FeedLost);
            assert!(still_lost.is_empty(), "the oximeter speaks: {still_lost:?}");
            for held in after.held_readings() {
                let name = after.feed_name(held.feed).unwrap();
                let expected = if held.parameter.known() == Some(Parameter::Spo2) {
                    "monitor"
                } else {
                    "oximeter"
                };
                assert_eq!(&*name, expected);
            }
            let verdicts = crate::journal::verify(&path, None).unwrap();
            assert!(
                verdicts.iter().all(crate::journal::Verdict::is_proven),
                "{verdicts:?}"
            );
            good(&path, true);
            let [again, _] = engines(&path, 20, setup, &[]);
            assert_eq!(of(&again, Rule::Spo2Low), of(&after, Rule::Spo2Low));
        }
    }

    #[test]
    fn a_feed_that_is_configured_no_longer_is_lost_under_its_own_name() {
        for replayed in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.db");
            session_of_two(&path, ["monitor", "oximeter"]);
            good(&path, replayed);
            // Renamed: another name is another feed.
            let story: Vec<Input> = (0..30).map(|_| reads(0, Parameter::Hr, 71)).collect();
            let [_, after] = engines(&path, 16, with_feeds(&["oximeter", "new"]), &story);
            let lost: Vec<String> = by_name(&after)
                .into_iter()
                .filter(|alarm| alarm.0 == Rule::FeedLost)
                .map(|alarm| alarm.2)
                .collect();
            assert_eq!(lost, ["new", "monitor"], "replayed: {replayed}");
            let texts: Vec<String> = {
                let connection = rusqlite::Connection::open(&path).unwrap();
                let mut rows = connection
                    .prepare("SELECT text FROM v_alarms WHERE rule = 'feed-lost'")
                    .unwrap();
                let texts = rows.query_map([], |row| row.get(0)).unwrap();
                texts.map(Result::unwrap).collect()
            };
            assert!(
                texts.iter().any(|text| text.contains("Feed monitor")),
                "{texts:?}"
            );
            assert!(
                !texts.iter().any(|text| text.contains("Feed ?")),
                "{texts:?}"
            );
        }
    }
}
