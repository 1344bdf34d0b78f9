//! A scripted session, made by the engine and written by the journal: what the tests of the record look at.

use super::journal_verify::opens;
use super::journal_views::{Quiet, settle, setup, start};
use infusewatch::engine::{
    Command, Engine, FeedId, FeedState, Input, OpenSession, Record, Started,
};
use infusewatch::journal::{Body, Entry, Job, Journal, Outlet};
use infusewatch::observation::{
    AlertPhase, DeviceAlert, DeviceTime, Identity, Observation, PumpEvent, PumpEventKind,
};
use infusewatch::vocabulary::{
    Cause, Decimal, Doubt, Moment, Now, Parameter, ParameterId, Priority, Reading, WallTime,
};
use std::path::{Path, PathBuf};

/// 2026-03-01T09:00:00Z, a Sunday.
pub const NINE: i64 = 1_772_355_600_000;
const MINUTE: u64 = 60;

/// Texts that want to be more than texts.
pub const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "\"><img src=x onerror=alert(1)>",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u{202e}detrevni \u{0007} & </style><style>*{display:none}",
    "-2+3 \"quoted\", 'and' \r\nsecond line",
];

/// The engine's thread and the nurse, in simulated time.
pub struct Bedside {
    engine: Engine,
    outlet: Outlet,
    second: u64,
}

impl Bedside {
    fn now(&self) -> Now {
        Now {
            moment: Moment::from_secs(1_000 + self.second),
            wall: WallTime::from_millis(NINE + self.second.cast_signed() * 1_000),
        }
    }

    pub fn take(&mut self, input: Input) {
        self.step(self.now(), input);
    }

    fn step(&mut self, now: Now, input: Input) {
        let before = self.engine.session();
        let mut made = Vec::new();
        let taken = self.engine.step(now, &input, &mut made);
        let after = self.engine.session();
        let mut entries: Vec<Entry> = made
            .into_iter()
            .map(|made| Entry {
                seq: made.seq,
                at: made.at,
                wall: now.wall_at(made.at),
                session: if made.seq < taken.seq {
                    before
                } else {
                    before.or(after)
                },
                body: Body::Record(made.record, made.late),
            })
            .collect();
        if !matches!(input, Input::Tick) {
            entries.push(Entry {
                seq: taken.seq,
                at: taken.at,
                wall: now.wall,
                session: before.or(after).or(opens(&input)),
                body: Body::Input(input),
            });
        }
        entries.sort_by_key(|entry| entry.seq);
        for entry in entries {
            self.outlet.push(Job::Entry(entry));
        }
    }

    pub fn say(&mut self, command: &str) {
        let command: Command = serde_json::from_str(command).unwrap();
        self.take(Input::Command(Box::new(command)));
    }

    pub fn told(&mut self, feed: u16, parameter: Parameter, reading: Reading) {
        self.take(Input::Reading {
            feed: FeedId(feed),
            observation: Observation::new(parameter, reading),
        });
    }

    fn cuff(&mut self, measured: u64, values: [(Parameter, i64); 3]) {
        for (parameter, value) in values {
            let reading = Reading::Valid(Decimal::whole(value));
            let mut observation = Observation::new(parameter, reading);
            observation.measured_at = Some(DeviceTime::civil(
                NINE + measured.cast_signed() * 1_000 + 77_000,
            ));
            self.take(Input::Reading {
                feed: FeedId(0),
                observation,
            });
        }
    }
}

/// A journal under way.
pub struct Stage {
    pub bedside: Bedside,
    writer: std::thread::JoinHandle<()>,
    pub path: PathBuf,
}

impl Stage {
    pub fn new(folder: &Path) -> Self {
        let path = folder.join("journal.db");
        let journal = Journal::open(&path, start()).unwrap();
        let (outlet, writer) = journal
            .start(Box::new(Quiet), |record: &Record, _, _| match record {
                Record::Alarm(alarm) => Some(alarm.rule.name().to_owned()),
                _ => None,
            })
            .unwrap();
        let mut bedside = Bedside {
            engine: Engine::new(0),
            outlet,
            second: 0,
        };
        bedside.take(Input::Started(Started {
            boot: "boot".into(),
            wall: WallTime::from_millis(NINE),
            down_for: None,
            setup: setup(),
        }));
        Self {
            bedside,
            writer,
            path,
        }
    }

    pub fn open(&mut self, session: i64, about: OpenSession) {
        self.bedside.take(Input::Open {
            session,
            about: Box::new(about),
            setup: setup(),
        });
    }

    /// Waits until everything is on the disk; the writer stays.
    pub fn settle(&mut self) {
        settle(&mut self.bedside.outlet);
    }

    pub fn finish(mut self) -> PathBuf {
        self.settle();
        drop(self.bedside.outlet);
        self.writer.join().unwrap();
        self.path
    }
}

/// What the monitor tells in the second, every five seconds, but not while its cable is out.
fn vitals(bedside: &mut Bedside, second: u64) {
    let minute = second / MINUTE;
    if !second.is_multiple_of(5) || (20..23).contains(&minute) {
        return;
    }
    let valid = |value: i64| Reading::Valid(Decimal::whole(value));
    let wave = (second / 5 % 3).cast_signed();
    let spo2 = match second {
        // A minute of real trouble.
        900..960 => valid(86),
        _ if minute == 12 => Reading::Questionable(Decimal::whole(95), Doubt::LowPerfusion),
        _ if minute == 13 => Reading::Invalid(Cause::ProbeOff),
        _ => valid(97 + wave % 2),
    };
    bedside.told(0, Parameter::Spo2, spo2);
    bedside.told(0, Parameter::Hr, valid(70 + wave));
    bedside.told(0, Parameter::Rr, valid(14));
    if second.is_multiple_of(30) {
        bedside.told(0, Parameter::Temp, Reading::Valid(Decimal::new(3_650, 2)));
        bedside.take(Input::Reading {
            feed: FeedId(0),
            observation: Observation::unknown(
                ParameterId::Vendor(format!("x:{}", HOSTILE[0]).into()),
                valid(1),
            ),
        });
    }
}

/// What happens in the second beside the vital signs.
fn story(bedside: &mut Bedside, second: u64) {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    match second {
        60 => bedside.cuff(60, cuff(120, 80, 93)),
        // Told again and again by the monitor.
        61..240 if second.is_multiple_of(20) => bedside.cuff(60, cuff(120, 80, 93)),
        240 => bedside.cuff(240, cuff(124, 82, 96)),
        300 => bedside.say(r#"{"command":"score","scale":"MOAA/S","value":5}"#),
        310 => bedside.say(r#"{"command":"score","scale":"pain","value":8}"#),
        320 => bedside.say(r#"{"command":"pause-infusion"}"#),
        470 => bedside.say(r#"{"command":"rate-change","ml-h":24,"mg-h":60}"#),
        480 => bedside.say(r#"{"command":"start-infusion"}"#),
        600 => bedside.say(&format!(r#"{{"command":"note","text":{}}}"#, quoted(HOSTILE[1]))),
        660 => bedside.take(Input::DeviceAlert {
            feed: FeedId(0),
            alert: DeviceAlert {
                key: "k".into(),
                priority: Some(Priority::Medium),
                phase: AlertPhase::Start,
                text: HOSTILE[2].into(),
                at: None,
            },
        }),
        925 => bedside.say(&format!(
            r#"{{"command":"acknowledge","alarm":"all","seen_seq":999999,"by":{}}}"#,
            quoted(HOSTILE[3])
        )),
        1_000 => bedside.cuff(1_000, cuff(150, 92, 111)),
        1_100 => bedside.say(r#"{"command":"score","scale":"dissociation","value":3}"#),
        1_200 => bedside.take(Input::Feed {
            feed: FeedId(0),
            state: FeedState::Lost,
        }),
        1_380 => bedside.take(Input::Feed {
            feed: FeedId(0),
            state: FeedState::Ok,
        }),
        1_500 => {
            let mut failed =
                Observation::new(Parameter::NibpSys, Reading::Invalid(Cause::CuffFault));
            failed.measured_at = Some(DeviceTime::civil(NINE + 1_500_000));
            bedside.take(Input::Reading {
                feed: FeedId(0),
                observation: failed,
            });
        }
        1_560 => bedside.cuff(1_560, cuff(168, 101, 123)),
        1_600 => {
            bedside.say(r#"{"command":"drug","name":"labetalol","dose":100,"unit":"mg"}"#);
        }
        1_700 => bedside.say(r#"{"command":"score","scale":"moaas","value":4}"#),
        1_740 => bedside.say(r#"{"command":"set-limit","rule":"sbp-high","tier":"high","value":190,"reason":"+known hypertension"}"#),
        1_800 => bedside.say(r#"{"command":"pause-infusion"}"#),
        1_920 => bedside.say(r#"{"command":"resume-infusion"}"#),
        2_100 => bedside.say(r#"{"command":"rate-change","mg-h":30}"#),
        2_400 => bedside.cuff(2_400, cuff(140, 88, 105)),
        2_700 => bedside.say(r#"{"command":"stop-infusion"}"#),
        2_760 => bedside.cuff(2_760, cuff(128, 84, 99)),
        2_900 => bedside.say(r#"{"command":"score","scale":"dissociation","value":0}"#),
        2_910 => bedside.say(r#"{"command":"score","scale":"moaas","value":5}"#),
        2_920 => bedside.say(r#"{"command":"score","scale":"aldrete","value":10}"#),
        2_930 => bedside.say(r#"{"command":"score","scale":"padss","value":8}"#),
        2_940 => bedside.say(r#"{"command":"check","item":"walking","by":"Bo"}"#),
        2_950 => bedside.say(r#"{"command":"drug","name":"ketamine","dose":9.5,"unit":"mg","wasted":true,"by":"Ann Ek","second-by":"Bo"}"#),
        3_000 => bedside.say(&format!(
            r#"{{"command":"sign","role":"nurse","by":{}}}"#,
            quoted(HOSTILE[4])
        )),
        3_060 => bedside.say(
            r#"{"command":"close-session","by":"Ann Ek","override":{"reason":"=bed needed","by":"Dr Ray"}}"#,
        ),
        _ => {}
    }
}

fn cuff(sys: i64, dia: i64, mean: i64) -> [(Parameter, i64); 3] {
    [
        (Parameter::NibpSys, sys),
        (Parameter::NibpDia, dia),
        (Parameter::NibpMean, mean),
    ]
}

/// A morning with everything in it, in session 1: up to `until` seconds after nine.
pub fn morning(folder: &Path, until: u64) -> Stage {
    let mut stage = Stage::new(folder);
    stage.bedside.take(Input::Identity {
        feed: FeedId(0),
        identity: Identity {
            bed: Some("INF^^CHAIR3".into()),
            device: Some(HOSTILE[0].into()),
            patient: Some("K-1".into()),
        },
    });
    stage.open(
        1,
        OpenSession {
            patient: Some("K-1".to_owned()),
            patient_name: Some(HOSTILE[0].to_owned()),
            weight_kg: Some(Decimal::new(815, 1)),
            drug: Some("ketamine".to_owned()),
            dose_mg: Some(Decimal::whole(40)),
            planned_min: Some(Decimal::whole(40)),
            cuff_arm: Some("left".to_owned()),
            spo2_arm: Some("right".to_owned()),
            by: Some("Ann Ek".to_owned()),
        },
    );
    for second in 1..=until {
        stage.bedside.second = second;
        stage.bedside.take(Input::Tick);
        vitals(&mut stage.bedside, second);
        story(&mut stage.bedside, second);
        if second == 1_620 {
            correct_the_drug(&mut stage);
        }
        if second == 2_000 {
            stage.bedside.take(Input::Pump {
                feed: FeedId(1),
                event: pump_event(),
            });
        }
    }
    stage
}

/// The nurse corrects the dose; the number of the entry is read from the journal, as the page does.
fn correct_the_drug(stage: &mut Stage) {
    stage.settle();
    let connection = rusqlite::Connection::open(&stage.path).unwrap();
    let seq: i64 = connection
        .query_row(
            "SELECT max(seq) FROM input WHERE detail ->> '$.command.command' = 'drug'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    stage
        .bedside
        .say(&format!(r#"{{"command":"correct","seq":{seq},"dose":10}}"#));
}

fn pump_event() -> PumpEvent {
    PumpEvent {
        event: PumpEventKind::Alarm,
        transitioning: false,
        drug: Some("KETAMINE".into()),
        rate_ml_h: None,
        volume_ml: Some(Decimal::new(94, 1)),
        reason: Some(HOSTILE[5].into()),
        at: None,
        message_at: None,
    }
}
