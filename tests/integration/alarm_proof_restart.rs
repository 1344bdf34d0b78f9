//! What a restart without replay must keep, and what it must not hide (engine.md 2).

use super::alarm_proof_bed::{Bed, command, cuff, reads, start};
use infusewatch::engine::restart::{self, Row};
use infusewatch::engine::{
    AlarmEvent, AudioState, Command, Engine, FeedId, Input, Numbered, Record,
};
use infusewatch::observation::{Identity, PumpEvent, PumpEventKind};
use infusewatch::vocabulary::{Moment, Now, Parameter, Phase, Priority, Rule, WallTime};
use std::time::Duration;

/// An hour: nothing here is about silence.
const SILENCE: Duration = Duration::from_secs(3600);

fn now(at: Moment) -> Now {
    Now {
        moment: at,
        wall: WallTime::from_millis(i64::try_from(at.as_micros() / 1000).unwrap()),
    }
}

/// A bed whose every input and record is kept, as in a journal.
struct Kept {
    bed: Bed,
    rows: Vec<(u64, Moment, Result<Input, Record>)>,
}

impl Kept {
    fn opened() -> Self {
        Self {
            bed: Bed::opened(SILENCE),
            rows: vec![(1, Moment::ZERO, Ok(Bed::opening(SILENCE)))],
        }
    }

    fn keep(&mut self, records: Vec<Numbered>) {
        for record in records {
            self.rows.push((record.seq, record.at, Err(record.record)));
        }
    }

    /// What is told at this second.
    fn at(mut self, second: u64, inputs: &[Input]) -> Self {
        let at = Moment::from_secs(second);
        let waited = self.bed.wait_until(at);
        self.keep(waited);
        for input in inputs {
            let mut records = Vec::new();
            let taken = self.bed.engine.step(now(self.bed.at), input, &mut records);
            self.rows.push((taken.seq, taken.at, Ok(input.clone())));
            self.keep(records);
        }
        self
    }

    /// The engine as it was at this second, and the bed that goes on from the records, with a record of
    /// its own.
    fn restarted(self, second: u64) -> (Engine, Self) {
        let mut kept = self.at(second, &[Input::Alive { feed: FeedId(0) }]);
        kept.rows.sort_by_key(|row| row.0);
        let rows = kept.rows.iter().map(|(seq, at, what)| {
            let row = match what {
                Ok(input) => Row::Input(input),
                Err(record) => Row::Record(record),
            };
            (*seq, *at, now(*at).wall, row)
        });
        let carry = restart::summarise(rows, "proof").unwrap();
        let text = serde_json::to_string(&carry).unwrap();
        let again = Self {
            bed: Bed {
                engine: Engine::new(kept.bed.engine.seq()),
                at: kept.bed.at,
            },
            rows: Vec::new(),
        };
        let carry = Input::CarryOver(Box::new(serde_json::from_str(&text).unwrap()));
        (kept.bed.engine, again.at(second, &[carry]))
    }

    fn engine(self) -> Engine {
        self.bed.engine
    }
}

/// Events and priorities of a rule's alarms, when these inputs come at these seconds.
fn told(
    engine: &mut Engine,
    rule: Rule,
    inputs: &[(u64, Input)],
) -> Vec<(u64, AlarmEvent, Priority)> {
    let mut records = Vec::new();
    for (second, input) in inputs {
        engine.step(now(Moment::from_secs(*second)), input, &mut records);
    }
    records
        .into_iter()
        .filter_map(|numbered| match numbered.record {
            Record::Alarm(alarm) if alarm.rule == rule => Some((
                numbered.at.as_micros() / 1_000_000,
                alarm.event,
                alarm.priority,
            )),
            _ => None,
        })
        .collect()
}

fn pump(event: PumpEventKind, transitioning: bool) -> Input {
    Input::Pump {
        feed: FeedId(0),
        event: PumpEvent {
            event,
            transitioning,
            drug: None,
            rate_ml_h: None,
            volume_ml: None,
            reason: None,
            at: None,
            message_at: None,
        },
    }
}

fn patient(name: &str) -> Input {
    Input::Identity {
        feed: FeedId(0),
        identity: Identity {
            bed: Some("3".into()),
            device: None,
            patient: Some(name.into()),
        },
    }
}

fn is_open(engine: &Engine, rule: Rule) -> bool {
    engine.open_alarms().any(|(key, _)| key.rule == rule)
}

#[test]
fn alm_goal_8_an_absence_that_is_over_hides_no_alarm_after_a_restart() {
    let (before, again) = Kept::opened()
        .at(1, &[reads(Parameter::Spo2, 97)])
        .at(1, &[command(Command::Away { minutes: 15 })])
        // SpO2 has been valid for 10 s long before: the patient is back.
        .at(60, &[reads(Parameter::NibpSys, 75)])
        .restarted(61);
    assert!(is_open(&before, Rule::SbpLow));
    assert!(
        is_open(&again.engine(), Rule::SbpLow),
        "the alarm was dropped"
    );
}

#[test]
fn alm_an_absence_that_is_over_is_not_begun_again_by_a_restart() {
    // No alarm tells that the patient is back: only the readings do.
    let away = command(Command::Away { minutes: 15 });
    let (before, again) = Kept::opened()
        .at(1, &[reads(Parameter::Spo2, 97)])
        .at(20, &[away.clone(), reads(Parameter::Spo2, 97)])
        .at(31, &[reads(Parameter::Hr, 70)])
        .restarted(32);
    assert!(before.open_session().unwrap().away.is_none());
    let mut again = again.engine();
    assert!(again.open_session().unwrap().away.is_none());
    let low = told(
        &mut again,
        Rule::SbpLow,
        &[(40, reads(Parameter::NibpSys, 75)), (41, Input::Tick)],
    );
    assert_eq!(low, [(40, AlarmEvent::Begin, Priority::High)]);
    // One that lasts goes on.
    let (before, again) = Kept::opened()
        .at(1, &[reads(Parameter::Spo2, 97)])
        .at(20, &[away])
        .at(28, &[reads(Parameter::Hr, 70)])
        .restarted(29);
    let again = again.engine();
    assert_eq!(
        before.open_session().unwrap().away.map(|away| away.until),
        again.open_session().unwrap().away.map(|away| away.until)
    );
    assert!(again.open_session().unwrap().away.is_some());
}

#[test]
fn alm_a_first_high_pressure_goes_on_waiting_for_its_second_after_a_restart() {
    let waits = || {
        Kept::opened()
            .at(10, &[start()])
            // Low already, so that no record tells of the recheck.
            .at(60, &[cuff(Parameter::NibpSys, 162, 60)])
            .at(200, &[cuff(Parameter::NibpSys, 168, 200)])
    };
    // The same reading told again is no second one.
    let (_, again) = waits().restarted(220);
    let mut again = again.engine();
    let same = told(
        &mut again,
        Rule::SbpHigh,
        &[
            (230, cuff(Parameter::NibpSys, 168, 200)),
            (231, Input::Tick),
        ],
    );
    assert_eq!(same, []);
    let next = told(
        &mut again,
        Rule::SbpHigh,
        &[
            (300, cuff(Parameter::NibpSys, 167, 300)),
            (301, Input::Tick),
        ],
    );
    assert_eq!(next, [(300, AlarmEvent::Escalate, Priority::Medium)]);
    // Without a second one it is medium 6 min after the first.
    let (_, again) = waits().restarted(220);
    let mut again = again.engine();
    let late = told(&mut again, Rule::SbpHigh, &[(700, Input::Tick)]);
    assert_eq!(late, [(560, AlarmEvent::Escalate, Priority::Medium)]);
    // One that was confirmed before stays medium, and ends by the next reading inside.
    let (_, again) = waits()
        .at(320, &[cuff(Parameter::NibpSys, 169, 320)])
        .restarted(330);
    let mut again = again.engine();
    assert!(again.open_alarms().any(|(key, alarm)| key.rule == Rule::SbpHigh
        && alarm.state.tier() == Priority::Medium));
    let inside = told(
        &mut again,
        Rule::SbpHigh,
        &[
            (400, cuff(Parameter::NibpSys, 130, 400)),
            (401, Input::Tick),
        ],
    );
    assert_eq!(inside, [(400, AlarmEvent::End, Priority::Medium)]);
}

#[test]
fn alm_the_gate_knows_the_last_pressure_after_a_restart() {
    let (_, again) = Kept::opened()
        .at(
            60,
            &[
                cuff(Parameter::NibpSys, 185, 60),
                cuff(Parameter::NibpDia, 95, 60),
            ],
        )
        .restarted(90);
    let mut again = again.engine();
    let start = command(Command::StartInfusion { over: None });
    let taken = again.step(now(Moment::from_secs(100)), &start, &mut Vec::new());
    assert!(taken.refused.is_some());
}

#[test]
fn alm_the_pump_goes_on_delivering_after_a_restart() {
    let running = || Kept::opened().at(10, &[pump(PumpEventKind::DeliveryStart, false)]);
    // A nurse's stop against a running pump is a conflict, after a restart too.
    let (_, again) = running().restarted(20);
    let mut again = again.engine();
    let conflict = told(
        &mut again,
        Rule::Pump,
        &[(30, command(Command::StopInfusion)), (31, Input::Tick)],
    );
    assert_eq!(conflict, [(30, AlarmEvent::Begin, Priority::Medium)]);
    // A transition that was awaited is decided after its 30 s.
    let (_, again) = running()
        .at(100, &[pump(PumpEventKind::DeliveryComplete, true)])
        .restarted(110);
    let mut again = again.engine();
    assert_eq!(again.phase(), Phase::Infusion);
    again.step(now(Moment::from_secs(140)), &Input::Tick, &mut Vec::new());
    assert_eq!(again.phase(), Phase::Recovery);
    // What the pump contradicted before goes on under the same number, since the same time.
    let (before, again) = running()
        .at(50, &[command(Command::StopInfusion)])
        .restarted(90);
    let again = again.engine();
    let standing = |engine: &Engine| {
        engine
            .open_alarms()
            .find(|(key, _)| key.rule == Rule::Pump)
            .map(|(_, alarm)| (alarm.id, alarm.verdict.since, alarm.verdict.reason))
    };
    assert!(standing(&before).is_some());
    assert_eq!(standing(&before), standing(&again));
}

#[test]
fn alm_another_patient_is_noticed_after_a_restart() {
    let (_, again) = Kept::opened().at(5, &[patient("A")]).restarted(20);
    let mut again = again.engine();
    let other = told(&mut again, Rule::WrongPatient, &[(30, patient("B"))]);
    assert_eq!(other, [(30, AlarmEvent::Begin, Priority::High)]);
    // One who was confirmed is ours.
    let (_, again) = Kept::opened()
        .at(5, &[patient("A")])
        .at(8, &[patient("B")])
        .at(9, &[command(Command::ConfirmPatient)])
        .restarted(20);
    let mut again = again.engine();
    let same = told(&mut again, Rule::WrongPatient, &[(30, patient("B"))]);
    assert_eq!(same, []);
}

#[test]
fn alm_a_pause_goes_on_after_a_restart_for_what_stood_at_the_press() {
    let state = |engine: &Engine| engine.audio().last.state;
    // A restart is heard through a pause, once.
    let (paused, first) = Kept::opened()
        .at(10, &[start(), reads(Parameter::NibpSys, 85)])
        .at(20, &[command(Command::AudioPause)])
        .restarted(30);
    assert_eq!(state(&paused), AudioState::Paused);
    assert_eq!(state(&first.bed.engine), AudioState::On);
    // Pressed again with the notice of the restart in view, the pause outlives another one.
    let (before, second) = first
        .at(40, &[command(Command::AudioPause)])
        .at(41, &[reads(Parameter::Spo2, 93)])
        .restarted(80);
    let mut again = second.engine();
    assert!(is_open(&before, Rule::Spo2Low), "low, after the press");
    assert_eq!(again.audio().pause_until, before.audio().pause_until);
    assert_eq!(state(&again), AudioState::Paused);
    let low = told(
        &mut again,
        Rule::SbpLow,
        &[(82, reads(Parameter::NibpSys, 84)), (83, Input::Tick)],
    );
    assert_eq!(low, [], "known at the press, and still medium");
    assert_eq!(state(&again), AudioState::Paused);
    let saturation = told(
        &mut again,
        Rule::Spo2Low,
        &[(84, reads(Parameter::Spo2, 91)), (100, Input::Tick)],
    );
    assert_eq!(saturation, [(99, AlarmEvent::Escalate, Priority::Medium)]);
    assert_eq!(state(&again), AudioState::On, "new since the press");
}

#[test]
fn alm_an_alarm_carried_over_a_restart_steps_down_and_clears_as_any_other() {
    let spo2 = |value| reads(Parameter::Spo2, value);
    let (before, again) = Kept::opened().at(1, &[spo2(91)]).restarted(25);
    let explained = |engine: &Engine| {
        engine
            .open_alarms()
            .find(|(key, _)| key.rule == Rule::Spo2Low)
            .map(|(_, alarm)| (alarm.id, alarm.verdict.value, alarm.verdict.limit))
    };
    let mut again = again.engine();
    assert!(explained(&before).is_some());
    assert_eq!(explained(&before), explained(&again));
    let life = told(
        &mut again,
        Rule::Spo2Low,
        &[
            (30, spo2(93)), // inside 92, but not by two points
            (50, spo2(94)),
            (60, spo2(95)),
            (70, Input::Tick),
        ],
    );
    assert_eq!(
        life,
        [
            (55, AlarmEvent::Deescalate, Priority::Low),
            (65, AlarmEvent::End, Priority::Low)
        ]
    );
    // What was low stays low, and does not stand for more.
    let (_, again) = Kept::opened().at(1, &[spo2(93)]).restarted(40);
    let mut again = again.engine();
    let life = told(
        &mut again,
        Rule::Spo2Low,
        &[(41, spo2(93)), (60, Input::Tick)],
    );
    assert_eq!(life, []);
}
