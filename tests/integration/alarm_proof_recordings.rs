//! Recorded numbers through the engine: a golden list of alarms, and how many alarms an hour there are
//! with and without delays and hysteresis (`docs/alarms.md`, "Alarm burden").
//!
//! The project's own miniature is always judged; public recordings beside the project only where they
//! are at hand.

use super::alarm_proof_bed::{command, start};
use infusewatch::engine::{
    AlarmEvent, Command, Engine, FeedId, FeedSetup, Input, Numbered, OpenSession, Record, Setup,
};
use infusewatch::observation::{DeviceTime, Identity, Observation};
use infusewatch::profile;
use infusewatch::vocabulary::{
    AlarmClass, Cause, Decimal, Moment, Now, Parameter, Priority, Reading, Rule, WallTime,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What was shown of each parameter.
type Row = Vec<(Parameter, Option<Decimal>)>;

/// A recording: what was shown from each second on.
struct Recording {
    rows: Vec<(u64, Row)>,
    /// A row counts for at most this many seconds.
    holds: u64,
}

/// The parameter of a column; columns about anything else are left out.
fn column(name: &str) -> Option<Parameter> {
    let name = name.trim_end_matches("_bpm").trim_end_matches("_rpm");
    Some(
        match name.trim_end_matches("_pct").replace('_', "-").as_str() {
            "hr" | "ecg-hr" => Parameter::Hr,
            "pr" | "pulse" | "pleth-pr" => Parameter::Pr,
            "spo2" => Parameter::Spo2,
            "rr" | "resp" => Parameter::Rr,
            "nibp-sys" | "nbp-sys" => Parameter::NibpSys,
            "nibp-dia" | "nbp-dia" => Parameter::NibpDia,
            "nibp-mean" | "nbp-mean" => Parameter::NibpMean,
            "art-sys" | "abp-sys" => Parameter::ArtSys,
            "art-dia" | "abp-dia" => Parameter::ArtDia,
            "art-mean" | "abp-mean" => Parameter::ArtMean,
            _ => return None,
        },
    )
}

impl Recording {
    fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next()?.split(',').collect();
        let unit = if header[0] == "t_min" { 60 } else { 1 };
        let rows: Vec<_> = lines
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                let values = header.iter().zip(&cells).filter_map(|(name, cell)| {
                    let value = Decimal::parse(cell.as_bytes()).ok();
                    Some((column(name)?, value))
                });
                (cells[0].parse::<u64>().unwrap() * unit, values.collect())
            })
            .collect();
        // A monitor that was cut off says nothing: only rows a minute apart hold for a minute.
        let holds = if rows.iter().any(|(t, _)| t % 60 != 0) {
            30
        } else {
            60
        };
        Some(Self { rows, holds })
    }

    fn seconds(&self) -> u64 {
        self.rows.last().unwrap().0
    }

    /// Judged as a session: the infusion starts after ten minutes, or at once in a short recording; a
    /// sedation score is entered when it is due.
    fn judged(&self, profile: &str) -> Vec<Numbered> {
        let mut chair = Chair::opened(profile);
        let start_at = if self.seconds() > 1200 { 600 } else { 1 };
        let mut told: BTreeMap<Parameter, (Option<Decimal>, i64)> = BTreeMap::new();
        for (place, (from, values)) in self.rows.iter().enumerate() {
            let next = self.rows.get(place + 1).map_or(*from, |(next, _)| *next);
            for (parameter, value) in values {
                let millis = i64::try_from(*from).unwrap() * 1000;
                let known = told.entry(*parameter).or_insert((None, millis));
                // A cuff value that stands from row to row is one reading.
                if known.0 != *value {
                    *known = (*value, millis);
                }
            }
            for second in *from..next.min(from + self.holds) {
                for (parameter, (value, measured)) in &told {
                    chair.hears(second, *parameter, *value, *measured);
                }
                if second == start_at {
                    chair.take(second, &start());
                }
                if second >= start_at && (second - start_at) % 900 == 0 {
                    chair.take(
                        second,
                        &command(Command::Score {
                            scale: "moaas".into(),
                            value: Decimal::whole(5),
                            by: None,
                        }),
                    );
                }
            }
        }
        chair.take(self.seconds(), &Input::Tick);
        chair.records
    }
}

struct Chair {
    engine: Engine,
    records: Vec<Numbered>,
}

impl Chair {
    fn opened(profile: &str) -> Self {
        let mut chair = Self {
            engine: Engine::new(0),
            records: Vec::new(),
        };
        let open = Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup: Arc::new(Setup {
                profile: profile.into(),
                feeds: vec![FeedSetup {
                    name: "monitor".into(),
                    protocol: "recording".into(),
                    silence: Duration::from_secs(10),
                    cadence: Duration::from_secs(1),
                    parameters: Vec::new(),
                    ours: Identity::default(),
                }],
                prefer: BTreeMap::new(),
            }),
        };
        let taken = chair.take(0, &open);
        assert_eq!(taken, None, "the profile is sound");
        chair
    }

    fn take(&mut self, second: u64, input: &Input) -> Option<String> {
        let now = Now {
            moment: Moment::from_secs(second),
            wall: WallTime::from_millis(i64::try_from(second * 1000).unwrap()),
        };
        let taken = self.engine.step(now, input, &mut self.records);
        taken.refused.map(|(error, _)| error)
    }

    fn hears(&mut self, second: u64, parameter: Parameter, value: Option<Decimal>, measured: i64) {
        let reading = match value {
            Some(value) => Reading::Valid(value),
            None if parameter.is_cuff() => return,
            None => Reading::Invalid(Cause::NotAvailable),
        };
        let observation = Observation {
            measured_at: parameter.is_cuff().then(|| DeviceTime::civil(measured)),
            ..Observation::new(parameter, reading)
        };
        self.take(
            second,
            &Input::Reading {
                feed: FeedId(0),
                observation,
            },
        );
    }
}

/// `second event rule parameter priority`, a line for each.
fn list(records: &[Numbered]) -> String {
    let mut text = String::new();
    for numbered in records {
        let Record::Alarm(alarm) = &numbered.record else {
            continue;
        };
        let seconds = numbered.at.as_micros().div_ceil(1_000_000);
        let parameter = alarm.parameter.map_or("-", Parameter::name);
        writeln!(
            text,
            "{seconds:>6} {:<11} {:<12} {parameter:<9} {}",
            alarm.event.name(),
            alarm.rule.name(),
            alarm.priority.name(),
        )
        .unwrap();
    }
    text
}

/// How often something new is to be heard or seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Burden {
    /// Begins and escalations of alarms about the patient at medium or high.
    patient: usize,
    /// The same for technical alarms.
    technical: usize,
    /// Begins of low alarms, patient and technical: one tone each.
    low: usize,
    /// How often `spo2-low` started: began, or came back after it had returned.
    spo2: usize,
}

impl Burden {
    fn of(records: &[Numbered]) -> Self {
        let mut burden = Self::default();
        let mut was_over = true;
        for numbered in records {
            let Record::Alarm(alarm) = &numbered.record else {
                continue;
            };
            if alarm.rule == Rule::Spo2Low {
                let is_over = matches!(alarm.event, AlarmEvent::End | AlarmEvent::Return);
                burden.spo2 += usize::from(was_over && !is_over);
                was_over = is_over;
            }
            if !matches!(
                alarm.event,
                AlarmEvent::Begin | AlarmEvent::Escalate | AlarmEvent::ReAlarm
            ) {
                continue;
            }
            match (alarm.priority, alarm.class) {
                (Priority::Low, _) => burden.low += 1,
                (_, AlarmClass::Physiological) => burden.patient += 1,
                (_, AlarmClass::Technical) => burden.technical += 1,
            }
        }
        burden
    }
}

/// The shipped limits with every delay, margin and clearing time reduced to nothing.
fn without_delays_and_hysteresis() -> String {
    let mut bare = String::new();
    for line in profile::SHIPPED.lines() {
        let mut line = line.to_owned();
        if line.starts_with("  { tier") {
            let from = line.find("for = \"").unwrap() + 7;
            let to = from + line[from..].find('"').unwrap();
            line.replace_range(from..to, "1ms");
        } else if line.starts_with("margin") || line.starts_with("low-margin") {
            let name = line.split(' ').next().unwrap().to_owned();
            line = format!("{name} = 0");
        } else if line.starts_with("clear-for") {
            line = "clear-for = \"1ms\"".to_owned();
        }
        bare.push_str(&line);
        bare.push('\n');
    }
    bare
}

fn golden(name: &str, recording: &Recording) -> (Burden, Burden) {
    let records = recording.judged(profile::SHIPPED);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../data/recordings");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, list(&records)));
    let bare = recording.judged(&without_delays_and_hysteresis());
    let burdens = (Burden::of(&records), Burden::of(&bare));
    println!(
        "{name}, {} s: with delays and hysteresis {:?}, without {:?}",
        recording.seconds(),
        burdens.0,
        burdens.1
    );
    burdens
}

#[test]
fn alm_goals_6_and_7_an_ordinary_session_has_few_alarms() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings");
    let recording = Recording::read(&path.join("ordinary-session.csv")).unwrap();
    let (with, without) = golden("ordinary-session", &recording);
    assert!(
        with.spo2 * 10 <= without.spo2 * 4,
        "goal 7: at least 60 % fewer"
    );
    assert!(with.patient < without.patient);
}

fn beside_the_project(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folder = folder.ancestors().map(|place| place.join("shared/vitals"));
    folder
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
}

#[test]
fn alm_public_recordings_give_their_golden_alarms() {
    for name in [
        "ge-s5-c-2min-1hz",
        "challenge2015-a103l-asystole-false-1hz",
        "mimic2-s00001-first4h.scenario",
    ] {
        let Some(path) = beside_the_project(&format!("{name}.csv")) else {
            continue;
        };
        let recording = Recording::read(&path).unwrap();
        golden(name, &recording);
    }
}
