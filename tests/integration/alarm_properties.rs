//! What holds for every timeline: the records are a function of the inputs alone, numbers are gapless,
//! adding an alarm never lowers what sounds, a restart drops no alarm.

use infusewatch::board;
use infusewatch::engine::restart::{self, Row};
use infusewatch::engine::{
    AcknowledgeTarget, AudioState, Command, Engine, FeedId, FeedSetup, FeedState, HealthItem,
    Input, Numbered, OpenSession, Override, Setup, Sounding, State,
};
use infusewatch::observation::{Identity, Observation, PumpEvent, PumpEventKind};
use infusewatch::profile;
use infusewatch::vocabulary::{
    Cause, Decimal, Moment, Now, Parameter, Priority, Reading, Rule, WallTime,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

fn now(moment: Moment) -> Now {
    Now {
        moment,
        wall: WallTime::from_millis(i64::try_from(moment.as_micros() / 1000).unwrap()),
    }
}

fn feed(name: &str) -> FeedSetup {
    FeedSetup {
        name: name.into(),
        protocol: "test".into(),
        silence: Duration::from_secs(10),
        cadence: Duration::from_secs(1),
        parameters: Vec::new(),
        ours: Identity::default(),
    }
}

fn open() -> Input {
    Input::Open {
        session: 1,
        about: Box::new(OpenSession::default()),
        setup: Arc::new(Setup {
            profile: profile::SHIPPED.into(),
            feeds: vec![feed("monitor"), feed("oximeter")],
            prefer: BTreeMap::new(),
        }),
    }
}

fn command(command: Command) -> Input {
    Input::Command(Box::new(command))
}

fn a_reading() -> impl Strategy<Value = Input> {
    let parameter = prop::sample::select(vec![
        Parameter::Spo2,
        Parameter::Hr,
        Parameter::Pr,
        Parameter::NibpSys,
        Parameter::NibpDia,
        Parameter::NibpPr,
        Parameter::Rr,
        Parameter::ArtSys,
    ]);
    let reading = prop_oneof![
        6 => (30_i64..200).prop_map(|value| Reading::Valid(Decimal::whole(value))),
        4 => (80_i64..=100).prop_map(|value| Reading::Valid(Decimal::whole(value))),
        2 => prop::sample::select(vec![
            Cause::ProbeOff, Cause::Searching, Cause::Zero, Cause::Measuring, Cause::CuffFault,
            Cause::OutOfRange, Cause::Artefact,
        ]).prop_map(Reading::Invalid),
    ];
    (0_u16..2, parameter, reading).prop_map(|(feed, parameter, reading)| Input::Reading {
        feed: FeedId(feed),
        observation: Observation::new(parameter, reading),
    })
}

fn a_command() -> impl Strategy<Value = Input> {
    let over = || {
        Some(Override {
            reason: "r".into(),
            by: "a".into(),
            second_by: Some("b".into()),
        })
    };
    prop::sample::select(vec![
        Command::StartInfusion { over: over() },
        Command::StartInfusion { over: over() },
        Command::PauseInfusion,
        Command::ResumeInfusion,
        Command::StopInfusion,
        Command::Away { minutes: 2 },
        Command::EndAway,
        Command::AudioPause,
        Command::EndAudioPause,
        Command::Acknowledge {
            alarm: AcknowledgeTarget::All(serde_json::from_str("\"all\"").unwrap()),
            seen_priority: None,
            seen_seq: None,
            by: None,
        },
        Command::SetLimit {
            rule: Rule::Spo2Low,
            tier: Priority::Medium,
            value: Decimal::whole(90),
            reason: "r".into(),
            by: None,
        },
        Command::RestoreLimits { by: None },
        Command::SetBaseline {
            parameter: Parameter::Hr,
            value: Decimal::whole(70),
            reason: "r".into(),
            by: None,
        },
        Command::Score {
            scale: "moaas".into(),
            value: Decimal::whole(3),
            by: None,
        },
        Command::ConfirmPatient,
    ])
    .prop_map(command)
}

fn something_else() -> impl Strategy<Value = Input> {
    let pump = |event| Input::Pump {
        feed: FeedId(1),
        event: PumpEvent {
            event,
            transitioning: false,
            drug: None,
            rate_ml_h: None,
            volume_ml: None,
            reason: None,
            at: None,
            message_at: None,
        },
    };
    prop::sample::select(vec![
        Input::Alive { feed: FeedId(0) },
        Input::Feed {
            feed: FeedId(0),
            state: FeedState::Lost,
        },
        Input::Health {
            what: HealthItem::Journal,
            ok: false,
            detail: None,
        },
        Input::Health {
            what: HealthItem::Journal,
            ok: true,
            detail: None,
        },
        pump(PumpEventKind::DeliveryStart),
        pump(PumpEventKind::DeliveryStop),
        pump(PumpEventKind::Transitioning),
        pump(PumpEventKind::Alarm),
        Input::Identity {
            feed: FeedId(0),
            identity: Identity {
                bed: Some("1".into()),
                device: None,
                patient: Some("A".into()),
            },
        },
        Input::Identity {
            feed: FeedId(0),
            identity: Identity {
                bed: Some("1".into()),
                device: None,
                patient: Some("B".into()),
            },
        },
    ])
}

/// Inputs with the milliseconds from one to the next.
fn timeline() -> impl Strategy<Value = Vec<(u64, Input)>> {
    let step = prop_oneof![
        Just(0_u64),
        Just(1000),
        1_u64..3000,
        Just(5000),
        Just(10_000),
        1_u64..400_000,
    ];
    let input = prop_oneof![8 => a_reading(), 2 => a_command(), 1 => something_else()];
    prop::collection::vec((step, input), 1..80)
}

fn placed(timeline: &[(u64, Input)]) -> Vec<(Moment, Input)> {
    let mut at = Moment::from_secs(1);
    let mut placed = vec![(at, open())];
    for (millis, input) in timeline {
        at = at.after(Duration::from_millis(*millis));
        placed.push((at, input.clone()));
    }
    placed
}

fn records_of(inputs: &[(Moment, Input)]) -> (Engine, Vec<Numbered>) {
    let mut engine = Engine::new(0);
    let mut records = Vec::new();
    for (at, input) in inputs {
        engine.step(now(*at), input, &mut records);
    }
    (engine, records)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_do_not_depend_on_when_the_engine_is_woken(
        timeline in timeline(),
        cuts in prop::collection::vec(0_u64..400_000, 0..40),
    ) {
        let inputs = placed(&timeline);
        let (plain, expected) = records_of(&inputs);
        let mut engine = Engine::new(0);
        let mut records = Vec::new();
        let mut cuts = cuts.iter().cycle();
        for (place, (at, input)) in inputs.iter().enumerate() {
            if place > 0 {
                // Woken at deadlines, as the thread is, and at arbitrary moments in between.
                let mut wakes = 0;
                while let Some(due) = engine.next_deadline().filter(|due| due <= at && wakes < 50) {
                    engine.step(now(due), &Input::Tick, &mut records);
                    wakes += 1;
                }
                if let Some(cut) = cuts.next() {
                    let before = inputs[place - 1].0.after(Duration::from_millis(*cut));
                    engine.step(now(before.min(*at)), &Input::Tick, &mut records);
                }
            }
            engine.step(now(*at), input, &mut records);
        }
        prop_assert_eq!(engine.seq(), plain.seq());
        prop_assert_eq!(records, expected);
    }

    #[test]
    fn a_deadline_that_fired_is_gone(timeline in timeline()) {
        let inputs = placed(&timeline);
        let (mut engine, mut records) = records_of(&inputs);
        let mut last = inputs.last().unwrap().0;
        for _ in 0..200 {
            let Some(due) = engine.next_deadline() else { break };
            prop_assert!(due > last, "a deadline at {last:?} stands after it was fired");
            engine.step(now(due), &Input::Tick, &mut records);
            last = due;
        }
    }

    #[test]
    fn replay_of_the_journaled_inputs_gives_the_same_records_and_the_same_board(
        timeline in timeline(),
        cut in 0_usize..80,
    ) {
        let mut engine = Engine::new(0);
        let mut records = Vec::new();
        let mut journal = Vec::new();
        for (at, input) in placed(&timeline) {
            let taken = engine.step(now(at), &input, &mut records);
            journal.push((taken.at, input));
        }
        // Killed after any input: what was journaled so far is replayed, then life goes on.
        let cut = cut.min(journal.len());
        let (mut again, mut replayed) = records_of(&journal[..cut]);
        for (at, input) in &journal[cut..] {
            again.step(now(*at), input, &mut replayed);
        }
        prop_assert_eq!(&replayed, &records);
        let end = now(journal.last().unwrap().0);
        let (one, other) = (
            board::picture(&engine, end, "bed".into(), None),
            board::picture(&again, end, "bed".into(), None),
        );
        prop_assert_eq!(one, other);
    }

    #[test]
    fn numbers_are_gapless_over_inputs_and_records(timeline in timeline()) {
        let mut engine = Engine::new(41);
        let mut numbers = Vec::new();
        for (at, input) in placed(&timeline) {
            let mut records = Vec::new();
            let taken = engine.step(now(at), &input, &mut records);
            numbers.push(taken.seq);
            numbers.extend(records.iter().map(|record| record.seq));
        }
        numbers.sort_unstable();
        let expected: Vec<u64> = (42..42 + numbers.len() as u64).collect();
        prop_assert_eq!(numbers, expected);
    }

    #[test]
    fn what_sounds_is_the_most_urgent_active_alarm_unless_paused(timeline in timeline()) {
        let mut engine = Engine::new(0);
        let mut records = Vec::new();
        for (at, input) in placed(&timeline) {
            engine.step(now(at), &input, &mut records);
            let highest = engine
                .open_alarms()
                .filter_map(|(_, alarm)| match alarm.state {
                    State::Active { tier, .. } => Some(tier),
                    State::Acknowledged { .. } | State::Returned { .. } => None,
                })
                .max();
            let cue = board::cue(&engine);
            let paused = engine.audio().last.state == AudioState::Paused;
            let expected = match highest {
                _ if paused => Sounding::None,
                None => Sounding::None,
                Some(Priority::Low) => Sounding::Low,
                Some(Priority::Medium) => Sounding::Medium,
                Some(Priority::High) => Sounding::High,
            };
            prop_assert_eq!(cue.sounding, expected);
            if let Some(until) = engine.audio().pause_until {
                prop_assert!(until <= at.after(Duration::from_secs(120)));
            }
        }
    }

    #[test]
    fn adding_an_alarm_never_lowers_what_sounds(timeline in timeline(), place in 1_usize..60) {
        let inputs = placed(&timeline);
        let (mut plain, mut more) = (Engine::new(0), Engine::new(0));
        let mut unused = Vec::new();
        for (index, (at, input)) in inputs.iter().enumerate() {
            plain.step(now(*at), input, &mut unused);
            more.step(now(*at), input, &mut unused);
            if index == place {
                let added = Input::Health { what: HealthItem::Sound, ok: false, detail: None };
                more.step(now(*at), &added, &mut unused);
            }
            prop_assert!(board::cue(&more).sounding >= board::cue(&plain).sounding);
        }
    }

    #[test]
    fn a_restart_from_the_records_drops_no_open_alarm(timeline in timeline()) {
        let mut engine = Engine::new(0);
        let mut rows = Vec::new();
        for (at, input) in placed(&timeline) {
            let mut records = Vec::new();
            let taken = engine.step(now(at), &input, &mut records);
            rows.push((taken.seq, taken.at, Some(input), None));
            rows.extend(records.into_iter().map(|r| (r.seq, r.at, None, Some(r.record))));
        }
        rows.sort_by_key(|row| row.0);
        let carry = restart::summarise(
            rows.iter().map(|(seq, at, input, record)| {
                let row = match (input, record) {
                    (Some(input), _) => Row::Input(input),
                    (None, Some(record)) => Row::Record(record),
                    (None, None) => unreachable!(),
                };
                (*seq, *at, now(*at).wall, row)
            }),
            "test",
        ).unwrap();
        let text = serde_json::to_string(&carry).unwrap();
        let carry = serde_json::from_str(&text).unwrap();
        let mut again = Engine::new(engine.seq());
        let mut records = Vec::new();
        // The machine was booted anew: its clock begins at zero.
        again.step(now(Moment::ZERO), &Input::CarryOver(Box::new(carry)), &mut records);
        prop_assert_eq!(again.session(), engine.session());
        prop_assert_eq!(again.phase(), engine.phase());
        let open = |engine: &Engine| -> BTreeMap<u64, (Rule, State)> {
            engine
                .open_alarms()
                .map(|(key, alarm)| (alarm.id, (key.rule, alarm.state)))
                .collect()
        };
        let (before, after) = (open(&engine), open(&again));
        for (id, (rule, state)) in &before {
            let kept = after.get(id);
            prop_assert!(kept.is_some(), "{rule:?} {id} was dropped, was {state:?}");
            prop_assert_eq!(kept.unwrap().1.tier() >= state.tier(), true);
        }
        prop_assert!(after.values().any(|(rule, _)| *rule == Rule::Restarted));
    }
}
