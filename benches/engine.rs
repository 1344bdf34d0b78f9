//! The engine alone: allocations of one step (divan's table), then its time by share, steps a second of a stable
//! session, and lines a second of `judge`. `cargo bench --bench engine`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a bench may fail loudly, and it measures with the machine's clock"
)]

use divan::{AllocProfiler, Bencher, black_box};
use infusewatch::board::picture;
use infusewatch::engine::{
    Command, Engine, FeedId, FeedSetup, HealthItem, Input, Numbered, OpenSession, Setup, Started,
};
use infusewatch::observation::{AlertPhase, DeviceAlert, Observation};
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Priority, Reading, WallTime};
use std::fmt::Write as _;
use std::process::{Command as Program, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const FEED: FeedId = FeedId(0);
/// Ordinary values, once a second each.
const NUMERICS: [(Parameter, i64); 5] = [
    (Parameter::Hr, 72),
    (Parameter::Spo2, 97),
    (Parameter::Pr, 72),
    (Parameter::Rr, 14),
    (Parameter::Pi, 4),
];
/// Values that violate a limit each.
const VIOLATING: [(Parameter, i64); 8] = [
    (Parameter::Hr, 160),
    (Parameter::Spo2, 80),
    (Parameter::Pr, 160),
    (Parameter::Rr, 40),
    (Parameter::Pi, 1),
    (Parameter::NibpSys, 190),
    (Parameter::NibpDia, 120),
    (Parameter::NibpMean, 45),
];

/// An infusion under way, and the stream of readings that it goes on with.
struct Infusion {
    engine: Engine,
    records: Vec<Numbered>,
    values: &'static [(Parameter, i64)],
    inputs: Vec<Input>,
    step: u64,
}

impl Infusion {
    fn begun(values: &'static [(Parameter, i64)]) -> Self {
        let shipped = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/config/profiles/ketamine-adult.toml"
        );
        let setup = Arc::new(Setup {
            profile: std::fs::read_to_string(shipped).unwrap().into(),
            feeds: vec![FeedSetup {
                name: "monitor".into(),
                protocol: "hl7-mllp".into(),
                silence: Duration::from_secs(10),
                cadence: Duration::from_secs(1),
                parameters: Vec::new(),
                ours: Default::default(),
            }],
            prefer: Default::default(),
        });
        let reading = |(parameter, value): &(Parameter, i64)| Input::Reading {
            feed: FEED,
            observation: Observation::new(*parameter, Reading::Valid(Decimal::whole(*value))),
        };
        let mut infusion = Self {
            engine: Engine::new(0),
            records: Vec::new(),
            values,
            inputs: values.iter().map(reading).collect(),
            step: 0,
        };
        infusion.take(Input::Started(Started {
            boot: "bench".into(),
            wall: WallTime::default(),
            down_for: Some(Duration::ZERO),
            setup: Arc::clone(&setup),
        }));
        infusion.take(Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup,
        });
        infusion.take(Input::Command(Box::new(Command::StartInfusion {
            over: None,
        })));
        infusion.seconds(60);
        infusion
    }

    /// With everything wrong that can be at once: 32 alerts of the monitor, every part of ours, and the patient.
    fn in_trouble() -> Self {
        let mut infusion = Self::begun(&VIOLATING);
        for number in 0..32 {
            infusion.take(Input::DeviceAlert {
                feed: FEED,
                alert: DeviceAlert {
                    key: format!("alert-{number}").into(),
                    priority: Some(Priority::Medium),
                    phase: AlertPhase::Start,
                    text: "LEAD OFF".into(),
                    at: None,
                },
            });
        }
        for what in HealthItem::ALL {
            infusion.take(Input::Health {
                what,
                ok: false,
                detail: None,
            });
        }
        infusion.seconds(5);
        infusion
    }

    fn now(&self) -> Now {
        let micros = self.step * 1_000_000 / self.values.len() as u64;
        Now {
            moment: Moment::from_micros(micros),
            wall: WallTime::from_millis((micros / 1_000) as i64),
        }
    }

    fn take(&mut self, input: Input) {
        let taken = self.engine.step(self.now(), &input, &mut self.records);
        assert_eq!(taken.refused, None);
        self.records.clear();
    }

    /// The next reading.
    fn step(&mut self) {
        self.step += 1;
        let now = self.now();
        let input = &self.inputs[self.step as usize % self.inputs.len()];
        self.engine.step(now, black_box(input), &mut self.records);
        self.records.clear();
    }

    fn seconds(&mut self, seconds: usize) {
        for _ in 0..seconds * self.inputs.len() {
            self.step();
        }
    }

    fn conditions(&self) -> usize {
        self.engine.open_alarms().count()
    }
}

#[divan::bench]
fn step_of_a_stable_session(bencher: Bencher) {
    let mut infusion = Infusion::begun(&NUMERICS);
    bencher.bench_local(|| infusion.step());
}

#[divan::bench]
fn step_with_40_live_conditions(bencher: Bencher) {
    let mut infusion = Infusion::in_trouble();
    assert!(infusion.conditions() >= 40, "{}", infusion.conditions());
    bencher.bench_local(|| infusion.step());
}

#[divan::bench]
fn picture_of_a_stable_session(bencher: Bencher) {
    let infusion = Infusion::begun(&NUMERICS);
    bencher.bench_local(|| picture(&infusion.engine, infusion.now(), "bed".into(), None));
}

#[divan::bench]
fn picture_with_40_live_conditions(bencher: Bencher) {
    let infusion = Infusion::in_trouble();
    bencher.bench_local(|| picture(&infusion.engine, infusion.now(), "bed".into(), None));
}

fn report(what: &str, figure: &str, bar: &str) {
    println!("{what:<52} {figure:>26}   {bar}");
}

/// Every step timed by itself, beside what reading the clock twice takes.
fn by_share(what: &str, mut run: impl FnMut()) {
    let mut times: Vec<_> = (0..1_000_000)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let share = |share: usize| times[times.len() * share / 1_000 - 1];
    report(
        what,
        &format!("{} / {} / {} ns", share(500), share(990), share(999)),
        "",
    );
}

/// A stable hour after the other, without a record.
fn steps_a_second() {
    const STEPS: u32 = 5_000_000;
    let mut infusion = Infusion::begun(&NUMERICS);
    let begun = Instant::now();
    for _ in 0..STEPS {
        infusion.step();
    }
    let rate = f64::from(STEPS) / begun.elapsed().as_secs_f64();
    report(
        "steps of a stable session, a second",
        &format!("{rate:.0}"),
        "at least 1,000,000",
    );
}

/// The real binary on a file of observations, from `exec` to its end.
fn judged_lines_a_second() {
    const SECONDS: u32 = 200_000;
    let mut text = String::from(
        "{\"t\":0,\"kind\":\"command\",\"command\":\"open-session\"}\n{\"t\":1,\"kind\":\"command\",\"command\":\"start-infusion\"}\n",
    );
    let mut lines = 2;
    for second in 2..SECONDS {
        for (parameter, value) in NUMERICS {
            let name = parameter.name();
            writeln!(
                text,
                "{{\"t\":{second},\"kind\":\"observation\",\"feed\":\"monitor\",\"parameter\":\"{name}\",\"value\":{value}}}"
            )
            .unwrap();
            lines += 1;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.jsonl");
    std::fs::write(&file, text).unwrap();
    let begun = Instant::now();
    let status = Program::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("judge")
        .arg(&file)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let rate = f64::from(lines) / begun.elapsed().as_secs_f64();
    report(
        &format!("judge, {lines} JSON lines, lines a second"),
        &format!("{rate:.0}"),
        "",
    );
}

fn main() {
    divan::main();
    by_share("(the clock itself, p50 / p99 / p99.9)", || ());
    let mut infusion = Infusion::begun(&NUMERICS);
    by_share("step of a stable session, p50 / p99 / p99.9", || {
        infusion.step();
    });
    let mut infusion = Infusion::in_trouble();
    let what = format!(
        "step with {} live conditions, p50 / p99 / p99.9",
        infusion.conditions()
    );
    by_share(&what, || infusion.step());
    steps_a_second();
    judged_lines_a_second();
}
