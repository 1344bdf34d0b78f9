//! kill -9 in an alarm after eight hours of a session, and how soon the next start alarms again.

use crate::bed::{Bed, Process, Sound, until};
use crate::{Times, peer, report};
use infusewatch::configuration;
use infusewatch::engine::{
    Command, Engine, FeedId, HealthItem, Input, Numbered, OpenSession, Started,
};
use infusewatch::journal::{Body, Entry, Job, Journal, Outlet, Start, Watcher};
use infusewatch::observation::Observation;
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Reading, WallTime};
use std::fs;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

const SESSION: u64 = 8 * 3_600;
const KILLS: usize = 5;
/// Parameters once a second with their ordinary values.
const NUMERICS: [(Parameter, i64); 5] = [
    (Parameter::Hr, 72),
    (Parameter::Spo2, 97),
    (Parameter::Pr, 72),
    (Parameter::Rr, 14),
    (Parameter::Pi, 4),
];

struct Silent;

impl Watcher for Silent {
    fn committed(&self, _: u64) {}
    fn waiting(&self, _: usize, _: u64) {}
    fn health(&self, item: HealthItem, ok: bool, detail: &str) {
        assert!(ok || item != HealthItem::Journal, "{detail}");
    }
}

/// A session as the daemon would have recorded it.
struct Recorder {
    engine: Engine,
    outlet: Outlet,
    begun_wall: i64,
}

impl Recorder {
    fn take(&mut self, second: u64, input: Input) {
        let wall = self.begun_wall + second as i64 * 1_000;
        let now = Now {
            moment: Moment::from_secs(second),
            wall: WallTime::from_millis(wall),
        };
        let before = self.engine.session();
        let mut made: Vec<Numbered> = Vec::new();
        let taken = self.engine.step(now, &input, &mut made);
        assert_eq!(taken.refused, None);
        let session = before.or_else(|| self.engine.session());
        let entry = |seq, at, body| {
            Job::Entry(Entry {
                seq,
                at,
                wall: now.wall_at(at),
                session,
                body,
            })
        };
        let mut entries: Vec<_> = made
            .into_iter()
            .map(|made| {
                let body = Body::Record(made.record, made.late);
                (made.seq, entry(made.seq, made.at, body))
            })
            .collect();
        let own = entry(taken.seq, taken.at, Body::Input(input));
        entries.push((taken.seq, own));
        entries.sort_by_key(|(seq, _)| *seq);
        for (_, entry) in entries {
            self.outlet.push(entry);
        }
    }

    /// Waits until everything taken so far is on the disk. A barrier answers "not recorded" after two seconds, which
    /// a busy disk may need.
    fn settle(&mut self) {
        until("the disk", Duration::ZERO, || {
            let (answer, answered) = mpsc::channel();
            self.outlet.push(Job::Barrier(Box::new(move |durable| {
                answer.send(durable).unwrap();
            })));
            answered.recv().unwrap().then_some(())
        });
    }
}

/// Records the session into the bed's journal; it ends now.
fn record(bed: &Bed) {
    let setup = Arc::new(configuration::load(&bed.config()).unwrap().setup());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let begun_wall = now.unwrap().as_millis() as i64 - SESSION as i64 * 1_000;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot: Arc<str> = boot.trim().into();
    let start = Now {
        moment: Moment::ZERO,
        wall: WallTime::from_millis(begun_wall),
    };
    let start = Start::new(Arc::clone(&boot), start, true, Arc::clone(&setup.profile));
    let journal = Journal::open(&bed.journal(), start).unwrap();
    let (outlet, writer) = journal.start(Box::new(Silent), |_, _, _| None).unwrap();
    let mut recorder = Recorder {
        engine: Engine::new(0),
        outlet,
        begun_wall,
    };
    let started = Started {
        boot,
        wall: WallTime::from_millis(begun_wall),
        down_for: Some(Duration::ZERO),
        setup: Arc::clone(&setup),
    };
    recorder.take(0, Input::Started(started));
    let open = Input::Open {
        session: 1,
        about: Box::new(OpenSession::default()),
        setup,
    };
    recorder.take(0, open);
    for second in 0..SESSION {
        for (place, (parameter, value)) in NUMERICS.into_iter().enumerate() {
            let swing = ((second / 7 + place as u64) % 3) as i64;
            let reading = Reading::Valid(Decimal::whole(value + swing));
            let observation = Observation::new(parameter, reading);
            recorder.take(
                second,
                Input::Reading {
                    feed: FeedId(0),
                    observation,
                },
            );
        }
        recorder.take(second, Input::Alive { feed: FeedId(0) });
        if second == 60 {
            let start = Command::StartInfusion { over: None };
            recorder.take(second, Input::Command(Box::new(start)));
        }
        if second % 600 == 599 {
            recorder.settle();
        }
    }
    recorder.settle();
    drop(recorder);
    writer.join().unwrap();
    // As if this boot had begun before the session: engine time goes on where the record stops.
    let offset = SESSION as i64 * 1_000_000 - peer::boottime().as_micros() as i64;
    let database = rusqlite::Connection::open(bed.journal()).unwrap();
    let changed = database.execute("UPDATE start SET offset_us = ?1, good = 1", [offset]);
    assert_eq!(changed.unwrap(), 1);
}

fn sounds_high(bed: &Bed) -> Option<()> {
    let board = bed.now()?;
    let alarm = board["alarms"].as_array()?.first()?;
    (alarm["rule"] == "sbp-high" && board["audio"]["sounding"] == "high").then_some(())
}

/// Times from the kill to the page and to the first sample of sound.
fn kill_and_start(bed: &Bed, daemon: Process) -> (Process, Duration, Duration) {
    let _ = fs::remove_file(bed.heard());
    let begun = Instant::now();
    let killed = peer::boottime();
    daemon.kill();
    let _ = fs::remove_file(bed.heard());
    let daemon = bed.spawn();
    until("the alarm", Duration::from_millis(1), || sounds_high(bed));
    let shown = begun.elapsed();
    let heard = until("the sound", Duration::from_millis(1), || {
        let text = fs::read_to_string(bed.heard()).ok()?;
        text.parse().ok().map(Duration::from_nanos)
    });
    (daemon, shown, heard.saturating_sub(killed))
}

pub fn measure() {
    let bed = Bed::new(Sound::Noted);
    record(&bed);
    let mut daemon = bed.run();
    let replayed = bed.now().unwrap()["seq"].as_u64().unwrap();
    trend(&bed);
    let mut monitor = bed.monitor();
    monitor.numerics(190);
    monitor.acknowledgement();
    until("the alarm", Duration::from_millis(5), || sounds_high(&bed));
    let (mut shown, mut heard) = (Vec::new(), Vec::new());
    for _ in 0..KILLS {
        // A start counts as good, and is replayed, after 30 s.
        let flow = bed.monitor().flowing(None);
        std::thread::sleep(Duration::from_secs(32));
        drop(flow);
        let (next, page, sound) = kill_and_start(&bed, daemon);
        assert!(
            bed.now().unwrap()["alarms"]
                .as_array()
                .unwrap()
                .iter()
                .all(|alarm| alarm["rule"] != "restarted"),
            "was replayed, not carried over"
        );
        daemon = next;
        shown.push(page);
        heard.push(sound);
    }
    let (shown, heard) = (Times::of(shown), Times::of(heard));
    report(
        &format!("kill -9 → alarm on the page, 8 h ({replayed} entries), median / worst"),
        &format!("{:.0} / {:.0} ms", shown.millis(0.5), shown.millis(1.0)),
        "at most 1 s",
    );
    report(
        "kill -9 → first sample at the player, median / worst",
        &format!("{:.0} / {:.0} ms", heard.millis(0.5), heard.millis(1.0)),
        "at most 1 s",
    );
}

/// The trend of the whole session over HTTP, as the page asks for it.
fn trend(bed: &Bed) {
    let board = bed.now().unwrap();
    let from = board["session"]["opened_at"].as_str().unwrap().to_owned();
    let to = board["now"].as_str().unwrap();
    let path = format!("/api/v1/history?parameter=spo2&from={from}&to={to}&points=1000");
    let times = (0..50).map(|_| {
        let begun = Instant::now();
        let points = bed.get(&path).unwrap()["points"].as_array().unwrap().len();
        assert!((900..=1_000).contains(&points), "{points}");
        begun.elapsed()
    });
    let first_and_rest: Vec<_> = times.collect();
    let again = Times::of(first_and_rest[1..].to_vec());
    report(
        "trend of 8 h at 1,000 points over HTTP, first / again p50 / p99",
        &format!(
            "{:.1} / {:.1} / {:.1} ms",
            first_and_rest[0].as_secs_f64() * 1e3,
            again.millis(0.5),
            again.millis(0.99)
        ),
        "at most 10 ms",
    );
}
