//! The record as people read it: with the stock `sqlite3`, through the views of the contract.

use infusewatch::engine::{
    AlarmEvent, AlarmRecord, BaselineRecord, Command, FeedId, FeedSetup, HealthItem, Input,
    OpenSession, PhaseRecord, Record, Setup, Started,
};
use infusewatch::journal::{Body, Entry, Job, Journal, Outlet, Reader, Start, Watcher};
use infusewatch::observation::Wave;
use infusewatch::observation::{Observation, WaveChunk};
use infusewatch::vocabulary::{
    AlarmClass, Cause, Decimal, Doubt, Moment, Now, Parameter, ParameterId, Phase, Priority,
    Reading, Rule, WallTime,
};
use std::path::Path;
use std::process;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// 2026-03-01T09:00:00Z.
const NINE: i64 = 1_772_355_600_000;

pub struct Quiet;

impl Watcher for Quiet {
    fn committed(&self, _: u64) {}
    fn waiting(&self, _: usize, _: u64) {}
    fn health(&self, _: HealthItem, _: bool, _: &str) {}
}

/// Waits until everything pushed before is on the disk, however busy that is.
pub fn settle(outlet: &mut Outlet) {
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

pub fn setup() -> Arc<Setup> {
    let feed = |name: &str, protocol: &str| FeedSetup {
        name: name.into(),
        protocol: protocol.into(),
        silence: Duration::from_secs(10),
        cadence: Duration::from_secs(1),
        parameters: vec![Parameter::Spo2],
        ours: Default::default(),
    };
    Arc::new(Setup {
        // The shipped one where it is there, so that an engine takes it.
        profile: std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/config/profiles/ketamine-adult.toml"
        ))
        .unwrap_or_else(|_| "name = \"ketamine-adult\"\n".to_owned())
        .into(),
        feeds: vec![
            feed("monitor", "hl7-mllp"),
            feed("oximeter", "masimo-ascii1"),
        ],
        prefer: Default::default(),
    })
}

pub fn start() -> Start {
    let now = Now {
        moment: Moment::ZERO,
        wall: WallTime::from_millis(NINE),
    };
    Start::new("boot".into(), now, true, setup().profile.clone())
}

/// Entries one after the other, a minute apart.
struct Script {
    outlet: Outlet,
    seq: u64,
    session: Option<i64>,
}

impl Script {
    fn wall(&self) -> WallTime {
        WallTime::from_millis(NINE + self.seq.cast_signed() * 60_000 + 7)
    }

    fn push(&mut self, body: Body) {
        self.seq += 1;
        self.outlet.push(Job::Entry(Entry {
            seq: self.seq,
            at: Moment::from_secs(self.seq * 60),
            wall: self.wall(),
            session: self.session,
            body,
        }));
    }

    fn reading(&mut self, feed: u16, observation: Observation) {
        self.push(Body::Input(Input::Reading {
            feed: FeedId(feed),
            observation,
        }));
    }

    fn phase(&mut self, phase: Phase) {
        self.push(Body::Record(
            Record::Phase(PhaseRecord {
                phase,
                from: Phase::Standby,
                why: "test".to_owned(),
            }),
            None,
        ));
    }

    #[expect(clippy::too_many_arguments, reason = "one row of a table")]
    fn alarm(
        &mut self,
        alarm: u64,
        rule: Rule,
        event: AlarmEvent,
        priority: Priority,
        peak: Priority,
        value: Option<i64>,
        limit: Option<i64>,
        by: Option<&str>,
    ) {
        self.push(Body::Record(
            Record::Alarm(AlarmRecord {
                event,
                alarm,
                rule,
                parameter: None,
                class: rule.class(),
                priority,
                peak,
                value: value.map(Decimal::whole),
                limit: limit.map(Decimal::whole),
                limit_source: None,
                phase: Phase::Infusion,
                since: Moment::ZERO,
                delay: Duration::ZERO,
                feed: Some(FeedId(0)),
                age: None,
                cause: None,
                reason: None,
                by: by.map(str::to_owned),
            }),
            None,
        ));
    }
}

fn words(record: &Record, feed: Option<&str>, _: Moment) -> Option<String> {
    match record {
        Record::Alarm(alarm) => {
            let about = feed.unwrap_or("-");
            Some(format!(
                "{} {} {about}",
                alarm.rule.name(),
                alarm.priority.name()
            ))
        }
        Record::Audio(_)
        | Record::Phase(_)
        | Record::Refused(_)
        | Record::Task(_)
        | Record::Baseline(_)
        | Record::Limit(_) => None,
    }
}

fn a_morning(path: &Path) {
    use AlarmEvent::{Acknowledge, Begin, End, Escalate, Return};
    use Priority::{High, Low, Medium};
    let journal = Journal::open(path, start()).unwrap();
    let (outlet, writer) = journal.start(Box::new(Quiet), words).unwrap();
    let mut script = Script {
        outlet,
        seq: 0,
        session: None,
    };
    let valid = |parameter, value| Observation::new(parameter, Reading::Valid(value));
    script.push(Body::Input(Input::Started(Started {
        boot: "boot".into(),
        wall: WallTime::from_millis(NINE),
        down_for: None,
        setup: setup(),
    }))); // 1
    script.reading(0, valid(Parameter::Spo2, Decimal::whole(97))); // 2, before the session
    script.session = Some(1);
    script.push(Body::Input(Input::Open {
        session: 1,
        about: Box::new(OpenSession::default()),
        setup: setup(),
    })); // 3
    script.phase(Phase::Baseline); // 4
    script.reading(0, valid(Parameter::Temp, Decimal::new(3_650, 2))); // 5
    let doubtful = Reading::Questionable(Decimal::whole(91), Doubt::LowPerfusion);
    script.reading(1, Observation::new(Parameter::Spo2, doubtful)); // 6
    script.reading(
        1,
        Observation::new(Parameter::Spo2, Reading::Invalid(Cause::ProbeOff)),
    ); // 7
    let unknown = ParameterId::Mdc(150_344);
    script.reading(
        0,
        Observation::unknown(unknown, Reading::Valid(Decimal::whole(5))),
    ); // 8
    for value in [140, 120] {
        script.push(Body::Record(
            Record::Baseline(BaselineRecord {
                parameter: Parameter::NibpSys,
                value: Some(Decimal::whole(value)),
                readings: Vec::new(),
                reason: None,
            }),
            None,
        )); // 9, 10: the newer one counts
    }
    script.push(Body::Input(Input::Command(Box::new(
        Command::StartInfusion { over: None },
    )))); // 11
    script.phase(Phase::Infusion); // 12
    script.alarm(1, Rule::Spo2Low, Begin, Low, Low, Some(93), Some(94), None); // 13
    script.alarm(
        1,
        Rule::Spo2Low,
        Escalate,
        High,
        High,
        Some(84),
        Some(85),
        None,
    ); // 14
    script.alarm(1, Rule::Spo2Low, Return, High, High, Some(95), None, None); // 15
    script.alarm(1, Rule::Spo2Low, End, High, High, None, None, Some("ada")); // 16
    script.alarm(
        2,
        Rule::SbpHigh,
        Begin,
        Medium,
        Medium,
        Some(166),
        Some(165),
        None,
    ); // 17
    script.alarm(
        2,
        Rule::SbpHigh,
        Acknowledge,
        Medium,
        Medium,
        Some(171),
        Some(165),
        Some("bo"),
    ); // 18
    script.alarm(3, Rule::FeedLost, Begin, Medium, Medium, None, None, None); // 19
    script.phase(Phase::Recovery); // 20
    script.phase(Phase::Discharged); // 21
    script.session = None;
    script.phase(Phase::Standby); // 22
    script.push(Body::Input(Input::Alive { feed: FeedId(0) })); // 23
    for second in 0..3 {
        let wall = WallTime::from_millis(script.wall().as_millis() + second * 1_000);
        script.outlet.push(Job::Wave {
            session: None,
            wave: Wave {
                feed: "monitor".into(),
                received: Now {
                    moment: Moment::ZERO,
                    wall,
                },
                chunk: WaveChunk {
                    label: "pleth".into(),
                    rate_hz: 4,
                    resolution: Decimal::new(1, 2),
                    unit: "%",
                    samples: vec![Some(1), None, Some(3), Some(second as i32)],
                },
            },
        });
    }
    settle(&mut script.outlet);
    drop(script.outlet);
    writer.join().unwrap();
}

/// What `sqlite3` prints, line by line; empty columns are NULL.
fn sqlite3(path: &Path, query: &str) -> Vec<String> {
    let output = process::Command::new("sqlite3")
        .arg(path)
        .arg(query)
        .output()
        .expect("sqlite3 is installed (tests/run does it)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_stock_sqlite3_reads_the_views() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    a_morning(&path);

    assert_eq!(
        sqlite3(&path, "select * from v_vitals"),
        [
            "|2026-03-01T09:02:00.007Z|spo2|97|%|valid||monitor",
            "1|2026-03-01T09:05:00.007Z|temp|36.5|degC|valid||monitor",
            "1|2026-03-01T09:06:00.007Z|spo2|91|%|questionable|low-perfusion|oximeter",
            "1|2026-03-01T09:07:00.007Z|spo2||%|invalid|probe-off|oximeter",
            "1|2026-03-01T09:08:00.007Z|mdc:150344|5||valid||monitor",
        ]
    );
    assert_eq!(
        sqlite3(&path, "select * from v_alarms"),
        [
            "1|1|spo2-low|physiological|high|2026-03-01T09:13:00.007Z|2026-03-01T09:16:00.007Z|\
             2026-03-01T09:16:00.007Z|ada|84|85|spo2-low high monitor",
            "1|2|sbp-high|physiological|medium|2026-03-01T09:17:00.007Z||2026-03-01T09:18:00.007Z|bo|171|165|\
             sbp-high medium monitor",
            "1|3|feed-lost|technical|medium|2026-03-01T09:19:00.007Z||||||feed-lost medium monitor",
        ]
    );
    let sessions = sqlite3(&path, "select * from v_sessions");
    assert_eq!(sessions.len(), 1);
    assert!(
        sessions[0].starts_with(
            "1|2026-03-01T09:03:00.007Z|2026-03-01T09:12:00.007Z|2026-03-01T09:20:00.007Z|\
             2026-03-01T09:21:00.007Z|ketamine-adult (crc "
        ),
        "{sessions:?}"
    );
    assert!(sessions[0].ends_with(r#"{"nibp-sys":120}"#), "{sessions:?}");
    assert_eq!(
        sqlite3(
            &path,
            "select seq, what from v_events where session = 1 and seq in (3, 11, 12, 14)"
        ),
        [
            "3|open",
            "11|start-infusion",
            "12|phase",
            "14|alarm-escalate"
        ]
    );
    assert_eq!(
        sqlite3(&path, "select detail from v_events where seq = 14"),
        ["spo2-low high monitor"]
    );
    assert_eq!(sqlite3(&path, "pragma integrity_check"), ["ok"]);
}

#[test]
fn the_display_asks_the_same_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    a_morning(&path);
    let reader = Reader::open(&path).unwrap();

    let alarms = reader.alarms(Some(1)).unwrap();
    let peaks: Vec<_> = alarms.iter().map(|alarm| alarm.peak_value).collect();
    assert_eq!(
        peaks,
        [Some(Decimal::whole(84)), Some(Decimal::whole(171)), None]
    );
    assert_eq!(alarms[0].class, AlarmClass::Physiological.name());
    assert!(reader.alarms(Some(2)).unwrap().is_empty());
    assert_eq!(reader.alarms(None).unwrap().len(), 3);
    assert_eq!(reader.sessions().unwrap()[0].session, 1);

    let minute = |minute: i64| WallTime::from_millis(NINE + minute * 60_000);
    // Within the session, then from before it: remembered readings and rows agree.
    for from in [4, 3, 0] {
        let trend = reader.history("spo2", minute(from), minute(30), 1).unwrap();
        assert_eq!(trend.len(), 1);
        assert_eq!(trend[0].min, Some(Decimal::whole(91)));
        let highest = if from == 0 { 97 } else { 91 };
        assert_eq!(trend[0].max, Some(Decimal::whole(highest)));
        assert!(trend[0].missing && trend[0].questionable);
    }
    assert!(
        reader
            .history("hr", minute(0), minute(30), 10)
            .unwrap()
            .is_empty()
    );
    assert!(reader.history("pulse", minute(0), minute(30), 10).is_err());
    assert!(reader.history("spo2", minute(30), minute(0), 10).is_err());

    let done = |after| -> Vec<_> {
        let events = reader.events(1, after).unwrap();
        events
            .iter()
            .map(|event| (event.seq, event.what.clone()))
            .collect()
    };
    let expected = [
        (4, "phase"),
        (9, "baseline"),
        (10, "baseline"),
        (11, "start-infusion"),
        (12, "phase"),
        (20, "phase"),
        (21, "phase"),
    ]
    .map(|(seq, what)| (seq, what.to_owned()));
    assert_eq!(done(0), expected);
    assert_eq!(done(12), expected[5..]);
    assert!(reader.events(2, 0).unwrap().is_empty());

    let waves = reader.waves("pleth", minute(0), minute(60)).unwrap();
    let counts: Vec<_> = waves.iter().map(|slice| slice.samples.clone()).collect();
    let second = |last| vec![Some(1), None, Some(3), Some(last)];
    assert_eq!(counts, [second(0), second(1), second(2)]);
    assert_eq!((waves[0].rate_hz, &*waves[0].resolution), (4, "0.01"));
    assert!(
        reader
            .waves("pleth", minute(40), minute(60))
            .unwrap()
            .is_empty()
    );
}
