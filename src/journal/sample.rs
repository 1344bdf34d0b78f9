//! Small entries for the tests of this room.

use super::entry::{Body, Entry};
use super::ledger::Start;
use crate::engine::{
    AlarmEvent, AlarmRecord, FeedId, FeedSetup, Input, OpenSession, PhaseRecord, Record, Setup,
    Started, TaskRecord,
};
use crate::observation::Observation;
use crate::vocabulary::{
    AlarmClass, Decimal, Moment, Now, Parameter, Phase, Priority, Reading, Rule, WallTime,
};
use std::sync::Arc;
use std::time::Duration;

/// The wall clock of entry 0.
pub(super) const MIDNIGHT: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z

pub(super) fn entry(seq: u64, body: Body) -> Entry {
    Entry {
        seq,
        at: Moment::from_micros(seq * 100_000),
        wall: WallTime::from_millis(MIDNIGHT + seq.cast_signed() * 100),
        session: None,
        body,
    }
}

pub(super) fn in_session(seq: u64, session: i64, body: Body) -> Entry {
    Entry {
        session: Some(session),
        ..entry(seq, body)
    }
}

pub(super) fn reading(parameter: Parameter, reading: Reading) -> Input {
    Input::Reading {
        feed: FeedId(0),
        observation: Observation::new(parameter, reading),
    }
}

pub(super) fn spo2(value: i64) -> Input {
    reading(Parameter::Spo2, Reading::Valid(Decimal::whole(value)))
}

pub(super) fn cuff(value: i64) -> Input {
    reading(Parameter::NibpSys, Reading::Valid(Decimal::whole(value)))
}

pub(super) fn phase() -> Record {
    to_phase(Phase::Baseline)
}

pub(super) fn to_phase(phase: Phase) -> Record {
    Record::Phase(PhaseRecord {
        phase,
        from: Phase::Standby,
        why: "test".to_owned(),
    })
}

pub(super) fn task() -> Record {
    Record::Task(TaskRecord {
        text: "cuff reading".to_owned(),
        due_at: Moment::from_secs(300),
    })
}

pub(super) fn alarm(alarm: u64, event: AlarmEvent, priority: Priority, value: i64) -> AlarmRecord {
    AlarmRecord {
        event,
        alarm,
        rule: Rule::Spo2Low,
        parameter: Some(Parameter::Spo2),
        class: AlarmClass::Physiological,
        priority,
        peak: priority,
        value: Some(Decimal::whole(value)),
        limit: Some(Decimal::whole(92)),
        limit_source: None,
        phase: Phase::Infusion,
        since: Moment::ZERO,
        delay: Duration::from_secs(15),
        feed: Some(FeedId(0)),
        age: None,
        cause: None,
        reason: None,
        by: None,
    }
}

pub(super) fn setup() -> Arc<Setup> {
    Arc::new(Setup {
        profile: "name = \"ketamine-adult\"\nversion = 3\n".into(),
        feeds: vec![FeedSetup {
            name: "monitor".into(),
            protocol: "hl7-mllp".into(),
            silence: Duration::from_secs(10),
            cadence: Duration::from_secs(1),
            parameters: vec![Parameter::Spo2],
            ours: Default::default(),
        }],
        prefer: Default::default(),
    })
}

pub(super) fn started() -> Input {
    Input::Started(Started {
        boot: "boot-1".into(),
        wall: WallTime::from_millis(MIDNIGHT),
        down_for: None,
        setup: setup(),
    })
}

pub(super) fn open(session: i64) -> Input {
    Input::Open {
        session,
        about: Box::new(OpenSession::default()),
        setup: setup(),
    }
}

pub(super) fn start(turn: i64) -> Start {
    Start::new(
        "boot-1".into(),
        Now {
            moment: Moment::ZERO,
            wall: WallTime::from_millis(MIDNIGHT + turn),
        },
        true,
        setup().profile.clone(),
    )
}
