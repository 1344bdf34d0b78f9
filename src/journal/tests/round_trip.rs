//! Every input and record comes back as it was written.

use super::super::{Body, sample};
use super::{ledger, read, write};
use crate::engine::{
    AcknowledgeTarget, AlarmEvent, CarryOver, Command, FeedId, FeedState, HealthItem, Input,
    OpenSession, Record, Started,
};
use crate::observation::{
    AlertPhase, DeviceAlert, DeviceTime, Finding, Identity, Observation, PumpEvent, PumpEventKind,
};
use crate::vocabulary::{
    Cause, Decimal, Doubt, Moment, Parameter, ParameterId, Phase, Priority, Reading, Rule, Site,
    WallTime,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (-999_999_999_999_i64..=999_999_999_999, 0_u8..=9).prop_map(|(m, s)| Decimal::new(m, s))
}

fn any_text() -> impl Strategy<Value = String> {
    "[ -~äµ\"\\\\\n]{0,12}"
}

fn any_time() -> impl Strategy<Value = Option<DeviceTime>> {
    prop::option::of((any::<i64>(), prop::option::of(any::<i16>())).prop_map(
        |(civil_ms, offset_min)| DeviceTime {
            civil_ms,
            offset_min,
        },
    ))
}

fn any_observation() -> impl Strategy<Value = Observation> {
    let parameter = prop_oneof![
        prop::sample::select(Parameter::ALL).prop_map(ParameterId::Known),
        any::<u32>().prop_map(ParameterId::Mdc),
        any_text().prop_map(|code| ParameterId::Vendor(code.into())),
    ];
    let reading = prop_oneof![
        (any::<i64>(), 0_u8..=9).prop_map(|(m, s)| Reading::Valid(Decimal::new(m, s))),
        any_decimal().prop_map(|value| Reading::Questionable(value, Doubt::LowPerfusion)),
        any_decimal().prop_map(|value| Reading::Questionable(value, Doubt::LowQuality)),
        prop::sample::select(Cause::ALL.to_vec()).prop_map(Reading::Invalid),
    ];
    let site = prop::option::of(prop::sample::select(vec![
        Site::Impedance,
        Site::Airway,
        Site::Acoustic,
        Site::Core,
        Site::Skin,
    ]));
    let finding = prop::option::of(prop::sample::select(vec![
        Finding::Asystole,
        Finding::NoBreath,
    ]));
    let mdc = prop::option::of(any::<u32>());
    (
        parameter,
        reading,
        any_time(),
        any_time(),
        site,
        mdc,
        finding,
    )
        .prop_map(
            |(parameter, reading, measured_at, message_at, site, mdc, finding)| Observation {
                parameter,
                reading,
                measured_at,
                message_at,
                site,
                mdc,
                finding,
            },
        )
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::PauseInfusion),
        Just(Command::AudioPause),
        (1_u32..=15).prop_map(|minutes| Command::Away { minutes }),
        any_text().prop_map(|text| Command::Note { text, by: None }),
        (any::<u64>(), any_text()).prop_map(|(alarm, by)| Command::Acknowledge {
            alarm: AcknowledgeTarget::One(alarm),
            seen_priority: Some(Priority::Medium),
            seen_seq: None,
            by: Some(by),
        }),
        (any_decimal(), any_text()).prop_map(|(value, reason)| Command::SetLimit {
            rule: Rule::SbpHigh,
            tier: Priority::High,
            value,
            reason,
            by: Some("Ann".to_owned()),
        }),
        any_text().prop_map(|name| Command::LogIn {
            name,
            accepted: false,
        }),
        // A correction may carry any key, even the ones of our own wrapping.
        (any::<u64>(), any_text()).prop_map(|(seq, text)| Command::Correct {
            seq,
            fields: [("kind".to_owned(), text.into())].into_iter().collect(),
        }),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let feed = || any::<u16>().prop_map(FeedId);
    let word = || any_text().prop_map(Arc::<str>::from);
    prop_oneof![
        4 => (feed(), any_observation())
            .prop_map(|(feed, observation)| Input::Reading { feed, observation }),
        1 => feed().prop_map(|feed| Input::Alive { feed }),
        1 => (word(), prop::option::of(any::<u32>())).prop_map(|(boot, down)| Input::Started(Started {
            boot,
            wall: WallTime::from_millis(sample::MIDNIGHT),
            down_for: down.map(|micros| Duration::from_micros(micros.into())),
            setup: sample::setup(),
        })),
        1 => any_text().prop_map(|reason| Input::CarryOver(Box::new(CarryOver {
            reason,
            state: serde_json::json!({"phase": "infusion", "alarms": [7, null, true], "t": 36.5}),
        }))),
        1 => (any::<i64>(), any_text(), any_decimal()).prop_map(|(session, name, weight)| Input::Open {
            session,
            about: Box::new(OpenSession {
                patient_name: Some(name),
                weight_kg: Some(weight),
                ..OpenSession::default()
            }),
            setup: sample::setup(),
        }),
        2 => any_command().prop_map(|command| Input::Command(Box::new(command))),
        1 => (feed(), word(), word(), any_time()).prop_map(|(feed, key, text, at)| Input::DeviceAlert {
            feed,
            alert: DeviceAlert { key, priority: Some(Priority::Low), phase: AlertPhase::Present, text, at },
        }),
        1 => (feed(), any_decimal(), any_time()).prop_map(|(feed, rate, at)| Input::Pump {
            feed,
            event: PumpEvent {
                event: PumpEventKind::RateChange,
                transitioning: true,
                drug: Some("ketamine".into()),
                rate_ml_h: Some(rate),
                volume_ml: None,
                reason: None,
                at,
                message_at: None,
            },
        }),
        1 => (feed(), prop::option::of(word())).prop_map(|(feed, bed)| Input::Identity {
            feed,
            identity: Identity { bed, device: None, patient: Some("K-1".into()) },
        }),
        1 => feed().prop_map(|feed| Input::Feed { feed, state: FeedState::Lost }),
        1 => (prop::sample::select(HealthItem::ALL.to_vec()), any::<bool>(), prop::option::of(word()))
            .prop_map(|(what, ok, detail)| Input::Health { what, ok, detail }),
        1 => Just(Input::Tick),
    ]
}

fn any_record() -> impl Strategy<Value = Record> {
    use crate::engine::{AudioRecord, BaselineRecord, RefusedRecord};
    prop_oneof![
        Just(sample::task()),
        prop::sample::select(Phase::ALL.to_vec()).prop_map(sample::to_phase),
        any::<u32>().prop_map(|value| {
            let priority = Priority::High;
            let mut record = sample::alarm(7, AlarmEvent::Escalate, priority, i64::from(value));
            record.reason = Some("three-in-60s".to_owned());
            record.since = Moment::from_micros(12_345);
            Record::Alarm(record)
        }),
        Just(Record::Audio(AudioRecord {
            sounding: Default::default(),
            state: Default::default(),
            rule: Some(Rule::Journal),
            loudness: 2,
        })),
        any_text().prop_map(|error| Record::Refused(RefusedRecord {
            command: "away".to_owned(),
            error,
            hint: None,
        })),
        any_decimal().prop_map(|value| Record::Baseline(BaselineRecord {
            parameter: Parameter::Temp,
            value: Some(value),
            readings: vec![value, Decimal::ZERO],
            reason: None,
        })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_entry_comes_back(bodies in prop::collection::vec(
        prop_oneof![
            3 => any_input().prop_map(Body::Input),
            1 => (any_record(), prop::option::of(any::<u32>())).prop_map(|(record, late)| {
                Body::Record(record, late.map(|micros| Duration::from_micros(micros.into())))
            }),
        ],
        1..40,
    )) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.db");
        let entries: Vec<_> = bodies
            .into_iter()
            .zip(1..)
            .map(|(body, seq)| sample::in_session(seq, 3, body))
            .collect();
        write(&mut ledger(&path), &entries);
        let back = read(&path);
        // Text for text as well: equal decimals may still print differently.
        for (back, entry) in back.iter().zip(&entries) {
            if let (Body::Input(Input::Reading { observation: a, .. }), Body::Input(Input::Reading { observation: b, .. })) =
                (&back.body, &entry.body)
            {
                prop_assert_eq!(format!("{:?}", a.reading), format!("{:?}", b.reading));
            }
        }
        prop_assert_eq!(back, entries);
    }
}
