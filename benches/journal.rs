//! The journal's figures, each beside its peer or its bar, printed as a table:
//! rows a second against bare SQLite with the same settings, replayed entries a second, the time of a trend of
//! an eight-hour session, bytes per wave sample, and bytes written a day with four 250 Hz waves.
//!
//! `cargo bench --bench journal [-- WAVE…]`: each WAVE is a text file with one sample a line, coded beside the
//! synthetic ECG.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a bench may fail loudly, and it measures with the machine's clock"
)]

use infusewatch::engine::{
    Engine, FeedId, FeedSetup, HealthItem, Input, Numbered, OpenSession, Setup, Started,
};
use infusewatch::journal::{self, Body, Entry, Job, Journal, Outlet, Reader, Start, Watcher};
use infusewatch::observation::Wave;
use infusewatch::observation::{Observation, WaveChunk};
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Reading, WallTime};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const HOUR: u64 = 3_600;
const MIDNIGHT_MS: i64 = 1_767_225_600_000;
/// What one bed gives a second.
const PARAMETERS: [Parameter; 12] = [
    Parameter::Hr,
    Parameter::Pr,
    Parameter::Spo2,
    Parameter::Pi,
    Parameter::Rr,
    Parameter::Etco2,
    Parameter::Temp,
    Parameter::ArtSys,
    Parameter::ArtDia,
    Parameter::ArtMean,
    Parameter::NibpSys,
    Parameter::NibpDia,
];

struct Silent;

impl Watcher for Silent {
    fn committed(&self, _: u64) {}
    fn waiting(&self, _: usize, _: u64) {}
    fn health(&self, item: HealthItem, ok: bool, detail: &str) {
        if item == HealthItem::Journal && !ok {
            println!("journal: {detail}");
        }
    }
}

fn setup() -> Arc<Setup> {
    let shipped = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/config/profiles/ketamine-adult.toml"
    );
    Arc::new(Setup {
        profile: std::fs::read_to_string(shipped).unwrap_or_default().into(),
        feeds: vec![FeedSetup {
            name: "monitor".into(),
            protocol: "hl7-mllp".into(),
            silence: Duration::from_secs(10),
            cadence: Duration::from_secs(1),
            parameters: PARAMETERS.to_vec(),
            ours: Default::default(),
        }],
        prefer: Default::default(),
    })
}

fn start() -> Start {
    let now = Now {
        moment: Moment::ZERO,
        wall: WallTime::from_millis(MIDNIGHT_MS),
    };
    Start::new("bench".into(), now, true, setup().profile.clone())
}

fn now(second: u64) -> Now {
    Now {
        moment: Moment::from_secs(second),
        wall: WallTime::from_millis(MIDNIGHT_MS + second.cast_signed() * 1_000),
    }
}

fn entry(seq: u64, second: u64, input: Input) -> Entry {
    Entry {
        seq,
        at: now(second).moment,
        wall: now(second).wall,
        session: Some(1),
        body: Body::Input(input),
    }
}

/// The inputs of one second.
fn inputs_of(second: u64) -> impl Iterator<Item = Input> {
    let readings = PARAMETERS
        .iter()
        .enumerate()
        .map(move |(place, &parameter)| {
            let (low, high) = parameter.range();
            let swing = (second + place as u64 * 7) % 13;
            let value = Decimal::whole((low + high) / 2 + swing.cast_signed());
            Input::Reading {
                feed: FeedId(0),
                observation: Observation::new(parameter, Reading::Valid(value)),
            }
        });
    readings.chain([Input::Alive { feed: FeedId(0) }])
}

/// The same, numbered from `seq` on.
fn second_of(second: u64, seq: &mut u64) -> Vec<Entry> {
    inputs_of(second)
        .map(|input| {
            *seq += 1;
            entry(*seq, second, input)
        })
        .collect()
}

fn started() -> Input {
    Input::Started(Started {
        boot: "bench".into(),
        wall: WallTime::from_millis(MIDNIGHT_MS),
        down_for: None,
        setup: setup(),
    })
}

fn open() -> Input {
    Input::Open {
        session: 1,
        about: Box::new(OpenSession::default()),
        setup: setup(),
    }
}

/// The first two entries: outside the session and inside it.
fn opening(seq: &mut u64) -> Vec<Entry> {
    let first = *seq + 1;
    *seq += 2;
    vec![
        Entry {
            session: None,
            ..entry(first, 0, started())
        },
        entry(first + 1, 0, open()),
    ]
}

/// Steps one input and sends it with everything that the engine made of it.
fn take(engine: &mut Engine, outlet: &mut Outlet, second: u64, input: Input) {
    let mut made = Vec::new();
    let taken = engine.step(now(second), &input, &mut made);
    let session = engine.session();
    let own = Entry {
        at: taken.at,
        session,
        ..entry(taken.seq, second, input)
    };
    let (before, after): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| made.seq < taken.seq);
    let record = |made: Numbered| Entry {
        seq: made.seq,
        at: made.at,
        wall: now(second).wall_at(made.at),
        session,
        body: Body::Record(made.record, made.late),
    };
    for entry in before.into_iter().map(record) {
        outlet.push(Job::Entry(entry));
    }
    outlet.push(Job::Entry(own));
    for entry in after.into_iter().map(record) {
        outlet.push(Job::Entry(entry));
    }
}

/// Waits until everything pushed before is on the disk, however busy that is.
fn settle(outlet: &mut Outlet) {
    loop {
        let (answer, answered) = mpsc::channel();
        outlet.push(Job::Barrier(Box::new(move |durable| {
            answer.send(durable).unwrap();
        })));
        if answered.recv().unwrap() {
            return;
        }
    }
}

/// A repeatable source of noise.
struct Noise(u64);

impl Noise {
    /// Near a normal distribution with standard deviation 1.
    fn next(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..12 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            sum += (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum - 6.0
    }
}

/// An ECG at `rate_hz` in counts of `count_uv` µV: P, QRS and T as bells, breathing baseline, mains hum of 10 µV and
/// muscle noise of 15 µV (root mean square), which is what a good bedside recording has.
fn ecg(rate_hz: u32, count_uv: f64, samples: usize, noise: &mut Noise) -> Vec<Option<i32>> {
    let bells = [
        (0.20, 0.025, 120.0),
        (0.345, 0.010, -100.0),
        (0.37, 0.011, 1_100.0),
        (0.395, 0.010, -220.0),
        (0.62, 0.060, 280.0),
    ];
    (0..samples)
        .map(|place| {
            let t = place as f64 / f64::from(rate_hz);
            let beat = (t * 1.2).fract();
            let wave: f64 = bells
                .iter()
                .map(|(at, width, height): &(f64, f64, f64)| {
                    height * (-((beat - at) / width).powi(2) / 2.0).exp()
                })
                .sum();
            let drift = 150.0 * (t * 0.25 * std::f64::consts::TAU).sin();
            let hum = 14.0 * (t * 50.0 * std::f64::consts::TAU).sin();
            Some(((wave + drift + hum + 15.0 * noise.next()) / count_uv).round() as i32)
        })
        .collect()
}

/// Processor time of this thread: a replay does nothing but compute, and a busy machine must not blur it.
fn processor_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn report(what: &str, figure: String, bar: &str) {
    println!("{what:<52} {figure:>22}   {bar}");
}

fn ingest(folder: &Path) {
    const ROWS: u64 = 500_000;
    /// Rows in one commit.
    const COMMIT: usize = 1_500;
    let mut best = [f64::MAX; 2];
    for round in 0..3 {
        let mut seq = 0;
        let mut entries = opening(&mut seq);
        while seq < ROWS {
            entries.extend(second_of(seq / 13, &mut seq));
        }
        let count = entries.len();

        // The journal: from the engine's end until everything is on the disk.
        let path = folder.join(format!("ours-{round}.db"));
        let journal = Journal::open(&path, start()).unwrap();
        let (mut outlet, writer) = journal.start(Box::new(Silent), |_, _, _| None).unwrap();
        let begun = Instant::now();
        for (place, entry) in entries.into_iter().enumerate() {
            outlet.push(Job::Entry(entry));
            // The engine gives the disk time; here the pushing side does.
            if place % COMMIT == COMMIT - 1 {
                settle(&mut outlet);
            }
        }
        settle(&mut outlet);
        best[0] = best[0].min(begun.elapsed().as_secs_f64() / count as f64);
        drop(outlet);
        writer.join().unwrap();

        // Bare SQLite: one prepared statement, the same columns and values, the same settings and commits.
        let path = folder.join(format!("bare-{round}.db"));
        let bare = rusqlite::Connection::open(&path).unwrap();
        bare.pragma_update(None, "journal_mode", "wal").unwrap();
        bare.pragma_update(None, "synchronous", "full").unwrap();
        bare.pragma_update(None, "cell_size_check", true).unwrap();
        bare.execute_batch(
            "CREATE TABLE input (seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, wall_ms INTEGER NOT NULL, \
             session INTEGER, feed INTEGER, parameter INTEGER, mantissa INTEGER, scale INTEGER, cause TEXT, \
             measured_ms INTEGER, message_ms INTEGER, mdc INTEGER, measured_offset INTEGER, \
             message_offset INTEGER, site TEXT, finding TEXT, detail TEXT) STRICT",
        )
        .unwrap();
        let mut seq = 0;
        let mut entries = Vec::new();
        while entries.len() < count {
            entries.extend(second_of(seq / 13, &mut seq));
        }
        let begun = Instant::now();
        for chunk in entries.chunks(COMMIT) {
            bare.execute_batch("BEGIN IMMEDIATE").unwrap();
            let mut insert = bare
                .prepare(
                    "INSERT INTO input VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
                     ?15, ?16, ?17)",
                )
                .unwrap();
            for entry in chunk {
                let (parameter, value, mdc) = match &entry.body {
                    Body::Input(Input::Reading { observation, .. }) => {
                        (Some(3_i64), observation.reading.value(), observation.mdc)
                    }
                    Body::Input(_) | Body::Record(..) => (None, None, None),
                };
                insert
                    .execute(rusqlite::params![
                        entry.seq.cast_signed(),
                        entry.at.as_micros().cast_signed(),
                        entry.wall.as_millis(),
                        entry.session,
                        0_i64,
                        parameter,
                        value.map(Decimal::mantissa),
                        value.map(Decimal::scale),
                        None::<&str>,
                        None::<i64>,
                        None::<i64>,
                        mdc,
                        None::<i64>,
                        None::<i64>,
                        None::<&str>,
                        None::<&str>,
                        None::<&str>,
                    ])
                    .unwrap();
            }
            drop(insert);
            bare.execute_batch("COMMIT").unwrap();
        }
        best[1] = best[1].min(begun.elapsed().as_secs_f64() / entries.len() as f64);
    }
    report("ingest, rows a second", format!("{:.0}", 1.0 / best[0]), "");
    report(
        "bare SQLite, rows a second",
        format!("{:.0}", 1.0 / best[1]),
        "",
    );
    report(
        "ingest against bare SQLite",
        format!("{:.0} %", 100.0 * best[1] / best[0]),
        "at least 80 %",
    );
}

/// An eight-hour session, replayed and asked for its trend.
fn read_back(folder: &Path) {
    let path = folder.join("session.db");
    let journal = Journal::open(&path, start()).unwrap();
    let (mut outlet, writer) = journal.start(Box::new(Silent), |_, _, _| None).unwrap();
    let mut engine = Engine::new(0);
    take(&mut engine, &mut outlet, 0, started());
    let from = engine.seq() + 1;
    take(&mut engine, &mut outlet, 0, open());
    for second in 0..8 * HOUR {
        for input in inputs_of(second) {
            take(&mut engine, &mut outlet, second, input);
        }
        if second % 100 == 99 {
            settle(&mut outlet);
        }
    }
    settle(&mut outlet);

    let reader = Reader::open(&path).unwrap();
    let trend = || {
        let begun = Instant::now();
        let points = reader
            .history("spo2", now(0).wall, now(8 * HOUR).wall, 1_000)
            .unwrap();
        assert_eq!(points.len(), 1_000);
        begun.elapsed().as_secs_f64() * 1e3
    };
    let first = trend();
    let again = (0..20).map(|_| trend()).fold(f64::MAX, f64::min);
    report(
        "trend of 8 h at 1,000 points, first time",
        format!("{first:.1} ms"),
        "",
    );
    report(
        "trend of 8 h at 1,000 points, drawn again",
        format!("{again:.2} ms"),
        "at most 10 ms",
    );
    drop(outlet);
    writer.join().unwrap();

    let journal = Journal::open(&path, start()).unwrap();
    let mut rate = 0.0_f64;
    let mut entries = 0;
    for _ in 0..5 {
        let mut engine = Engine::new(from - 1);
        let begun = processor_seconds();
        let replayed = journal.replay(from, &mut engine).unwrap();
        let taken = processor_seconds() - begun;
        assert_eq!(replayed.difference, None);
        entries = replayed.entries;
        rate = rate.max(entries as f64 / taken);
    }
    report(
        &format!("replay of 8 h ({entries} entries), a processor second"),
        format!("{rate:.0}"),
        "at least 1,000,000",
    );
}

fn waves(files: &[String]) {
    let mut noise = Noise(88_172_645_463_325_252);
    let measure = |name: &str, samples: &[Option<i32>], rate: usize| {
        let begun = Instant::now();
        let mut bytes = 0;
        for second in samples.chunks(rate) {
            let data = journal::encode(second);
            assert_eq!(journal::decode(&data).unwrap(), second);
            bytes += data.len();
        }
        let spent = begun.elapsed().as_secs_f64() / samples.len() as f64 * 1e9;
        report(
            &format!("{name}: bytes a sample ({spent:.0} ns both ways)"),
            format!("{:.2}", bytes as f64 / samples.len() as f64),
            "at most 1.3",
        );
    };
    measure(
        "synthetic ECG, 250 Hz, 5 µV a count",
        &ecg(250, 5.0, 71_500, &mut noise),
        250,
    );
    measure(
        "synthetic ECG, 300 Hz, 1 µV a count",
        &ecg(300, 1.0, 90_000, &mut noise),
        300,
    );
    measure(
        "synthetic ECG, 500 Hz, 5 µV a count",
        &ecg(500, 5.0, 150_000, &mut noise),
        500,
    );
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let samples: Vec<_> = text.lines().map(|line| line.trim().parse().ok()).collect();
        measure(file, &samples, 100);
    }
}

/// Bytes that this process has handed to the file system.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    line.unwrap().parse().unwrap()
}

/// A simulated hour with one commit a second, times 24.
fn volume(folder: &Path) {
    let path = folder.join("day.db");
    let journal = Journal::open(&path, start()).unwrap();
    let (mut outlet, writer) = journal.start(Box::new(Silent), |_, _, _| None).unwrap();
    let mut noise = Noise(362_436_069);
    let mut seq = 0;
    for entry in opening(&mut seq) {
        outlet.push(Job::Entry(entry));
    }
    settle(&mut outlet);
    let before = written();
    for second in 0..HOUR {
        for label in ["ecg-II", "ecg-V5", "pleth", "art"] {
            outlet.push(Job::Wave {
                session: Some(1),
                wave: Wave {
                    feed: "monitor".into(),
                    received: now(second),
                    chunk: WaveChunk {
                        label: label.into(),
                        rate_hz: 250,
                        resolution: Decimal::new(5, 3),
                        unit: "mV",
                        samples: ecg(250, 5.0, 250, &mut noise),
                    },
                },
            });
        }
        for entry in second_of(second, &mut seq) {
            outlet.push(Job::Entry(entry));
        }
        // A waiting acknowledgement commits, so the hour need not last one.
        settle(&mut outlet);
    }
    drop(outlet);
    writer.join().unwrap();
    let day = (written() - before) * 24;
    report(
        "written a day, four 250 Hz waves, commit each second",
        format!("{:.2} GB", day as f64 / 1e9),
        "at most 2 GB",
    );
    report(
        "kept a day",
        format!(
            "{:.2} GB",
            std::fs::metadata(&path).unwrap().len() as f64 * 24.0 / 1e9
        ),
        "",
    );
}

fn main() {
    let files: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    waves(&files);
    volume(folder.path());
    read_back(folder.path());
    ingest(folder.path());
}
