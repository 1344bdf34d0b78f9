//! Replay is exact: whatever happened, wherever it was cut, however often the engine was woken in between.

use super::journal_verify::opens;
use super::journal_views::{Quiet, settle, setup, start};
use infusewatch::engine::{
    AcknowledgeTarget, Command, Engine, FeedId, FeedState, HealthItem, Input, OpenSession, Started,
};
use infusewatch::journal::{self, Body, Entry, Job, Journal, OpenError, Plan};
use infusewatch::observation::{DeviceTime, Observation, check_pressure_pair};
use infusewatch::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading, WallTime};
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;

const NINE: i64 = 1_772_355_600_000;

/// The engine's thread, as far as the record sees it.
struct Bedside {
    engine: Engine,
    at: u64,
    entries: Vec<Entry>,
}

impl Bedside {
    fn new() -> Self {
        Self {
            engine: Engine::new(0),
            at: 1_000,
            entries: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now {
            moment: Moment::from_micros(self.at * 1_000),
            wall: WallTime::from_millis(NINE + self.at.cast_signed()),
        }
    }

    /// One step at a time, and what it led to in the record.
    fn step(&mut self, now: Now, input: Input) {
        let before = self.engine.session();
        let mut made = Vec::new();
        let taken = self.engine.step(now, &input, &mut made);
        let after = self.engine.session();
        let mut entries: Vec<_> = made
            .into_iter()
            .map(|made| Entry {
                seq: made.seq,
                at: made.at,
                wall: now.wall_at(made.at),
                session: if made.seq < taken.seq {
                    before
                } else {
                    after.or(before)
                },
                body: Body::Record(made.record, made.late),
            })
            .collect();
        if !matches!(input, Input::Tick) {
            entries.push(Entry {
                seq: taken.seq,
                at: taken.at,
                wall: now.wall,
                session: after.or(opens(&input)),
                body: Body::Input(input),
            });
        }
        entries.sort_by_key(|entry| entry.seq);
        self.entries.extend(entries);
    }

    /// Time passes; the thread may be woken at every deadline, or be busy and see them late.
    fn wait(&mut self, millis: u64, woken: bool) {
        let until = self.at + millis;
        while woken && let Some(due) = self.engine.next_deadline() {
            if due.as_micros() > until * 1_000 {
                break;
            }
            let wall = self.now().wall_at(due);
            self.step(Now { moment: due, wall }, Input::Tick);
        }
        self.at = until;
    }

    fn take(&mut self, input: Input) {
        let now = self.now();
        self.step(now, input);
    }
}

fn started(down_for: Option<Duration>) -> Input {
    Input::Started(Started {
        boot: "boot".into(),
        wall: WallTime::from_millis(NINE),
        down_for,
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

fn any_inputs() -> impl Strategy<Value = Vec<Input>> {
    let reading = |parameter, low: i64, high: i64| {
        (low..high).prop_map(move |value| {
            vec![Input::Reading {
                feed: FeedId(0),
                observation: Observation::new(parameter, Reading::Valid(Decimal::whole(value))),
            }]
        })
    };
    let cuff = (70_i64..200, 40_i64..120, 0_i64..1_000).prop_map(|(sys, dia, second)| {
        let of = |parameter, value| {
            let mut observation =
                Observation::new(parameter, Reading::Valid(Decimal::whole(value)));
            observation.measured_at = Some(DeviceTime::civil(NINE + second * 1_000));
            observation
        };
        let mut sys = of(Parameter::NibpSys, sys);
        let mut dia = of(Parameter::NibpDia, dia);
        check_pressure_pair(&mut sys, &mut dia);
        [sys, dia]
            .map(|observation| Input::Reading {
                feed: FeedId(0),
                observation,
            })
            .to_vec()
    });
    let command = prop::sample::select(vec![
        Command::StartInfusion { over: None },
        Command::PauseInfusion,
        Command::ResumeInfusion,
        Command::StopInfusion,
        Command::AudioPause,
        Command::EndAudioPause,
        Command::Away { minutes: 5 },
        Command::Acknowledge {
            alarm: AcknowledgeTarget::One(9),
            seen_priority: None,
            seen_seq: None,
            by: None,
        },
    ])
    .prop_map(|command| vec![Input::Command(Box::new(command))]);
    prop_oneof![
        6 => reading(Parameter::Spo2, 78, 100),
        3 => reading(Parameter::Hr, 35, 160),
        2 => cuff,
        1 => Just(vec![Input::Reading {
            feed: FeedId(1),
            observation: Observation::new(Parameter::Spo2, Reading::Invalid(Cause::ProbeOff)),
        }]),
        2 => Just(vec![Input::Alive { feed: FeedId(0) }]),
        1 => prop::sample::select(vec![FeedState::Ok, FeedState::Lost])
            .prop_map(|state| vec![Input::Feed { feed: FeedId(0), state }]),
        1 => any::<bool>().prop_map(|ok| vec![Input::Health {
            what: HealthItem::Sound,
            ok,
            detail: None,
        }]),
        3 => command,
    ]
}

/// Pauses, whether the engine was woken in them, and what came then.
fn any_story(most: usize) -> impl Strategy<Value = Vec<(u64, bool, Vec<Input>)>> {
    let pause = prop_oneof![8 => 0_u64..6_000, 2 => 0_u64..200_000];
    prop::collection::vec((pause, any::<bool>(), any_inputs()), 0..most)
}

fn live(bedside: &mut Bedside, story: Vec<(u64, bool, Vec<Input>)>) {
    for (pause, woken, inputs) in story {
        bedside.wait(pause, woken);
        for input in inputs {
            bedside.take(input);
        }
    }
}

/// Opens the journal. A child that another test is starting holds a copy of our lock until it is itself.
fn journal_at(path: &Path) -> Journal {
    crate::bedside::until("the journal's lock", || {
        match Journal::open(path, start()) {
            Err(OpenError::Locked { .. }) => None,
            journal => Some(journal.unwrap()),
        }
    })
}

fn write(path: &Path, entries: &[Entry]) {
    let journal = journal_at(path);
    let (mut outlet, writer) = journal.start(Box::new(Quiet), |_, _, _| None).unwrap();
    for entry in entries {
        outlet.push(Job::Entry(entry.clone()));
    }
    settle(&mut outlet);
    drop(outlet);
    writer.join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_record_that_is_cut_anywhere_goes_on_where_it_stopped(
        story in any_story(60),
        cut in any::<prop::sample::Index>(),
        downtime in 0_u64..100_000,
        rest in any_story(30),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let mut bedside = Bedside::new();
        bedside.take(started(None));
        bedside.wait(2_000, true);
        bedside.take(open());
        let opened = bedside
            .entries
            .iter()
            .position(|entry| matches!(entry.body, Body::Input(Input::Open { .. })))
            .unwrap();
        live(&mut bedside, story);
        let keep = opened + 1 + cut.index(bedside.entries.len() - opened);
        write(&path, &bedside.entries[..keep]);

        // The next start replays what there is, and the decisions that were not written come back the same.
        let journal = journal_at(&path);
        let Plan::Replay { from } = journal.plan() else {
            panic!("{:?}", journal.plan());
        };
        prop_assert_eq!(from, bedside.entries[opened].seq);
        let mut engine = Engine::new(from - 1);
        let replayed = journal.replay(from, &mut engine).unwrap();
        prop_assert_eq!(&replayed.difference, &None);
        let lost = &bedside.entries[keep..];
        prop_assert!(replayed.tail.len() <= lost.len());
        for (back, lost) in replayed.tail.iter().zip(lost) {
            prop_assert_eq!((back.seq, back.at, &back.body), (lost.seq, lost.at, &lost.body));
        }
        drop(journal);

        // Life goes on, and the whole proves itself.
        let mut entries = bedside.entries[..keep].to_vec();
        entries.extend(replayed.tail);
        let mut next = Bedside {
            engine,
            at: bedside.at + downtime,
            entries: Vec::new(),
        };
        next.take(started(Some(Duration::from_millis(downtime))));
        live(&mut next, rest);
        entries.extend(next.entries);
        prop_assert!(entries.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
        write(&path, &entries[keep..]);
        for verdict in journal::verify(&path, None).unwrap() {
            prop_assert!(verdict.is_proven(), "{:?}", verdict);
        }
    }
}
