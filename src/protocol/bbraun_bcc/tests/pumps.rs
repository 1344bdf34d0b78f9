//! What a pump does, and what becomes of it.

use super::*;

#[test]
fn a_change_of_the_pump_is_told_once() {
    let run: &[(&str, &str)] = &[("INM3", "1"), ("INRT", "25"), ("INVI", "0.0")];
    assert_eq!(
        kinds(&[
            &[("INM3", "0")],
            run,
            run,
            &[("INRT", "30")],
            &[("INVI", "4.2")],
            &[("INM3", "0"), ("INM6", "1")],
            &[("INM3", "1"), ("INM6", "0")],
            &[("INM3", "0"), ("INM10", "1")],
            &[("INM10", "0")],
            &[("INM2", "1")],
            &[("INM2", "0")],
            &[("INM3", "_NV")],
            &[("INM3", "_NV")],
            &[("INM3", "1")],
        ]),
        [
            "delivery-stop",
            "delivery-start",
            "rate-change",
            "delivery-stop",
            "delivery-start",
            "kvo",
            "delivery-stop",
            "delivery-start",
            "delivery-stop",
            "comm-lost",
            "delivery-start",
        ]
    );
    let stop = &told(&[run, &[("INM3", "0"), ("INM6", "1"), ("INVI", "4.2")]])[1];
    assert_eq!(stop.reason.as_deref(), Some("standby"));
    assert_eq!(stop.rate_ml_h, None);
    assert_eq!(stop.volume_ml, Some(Decimal::new(42, 1)));
}

#[test]
fn alarms_of_the_pump_are_told_once_and_again_behind_a_change() {
    let events = told(&[
        &[("INM3", "1"), ("INA3", "1"), ("INA16", "1"), ("INA4", "0")],
        &[("INA3", "1")],
        &[("INM3", "0")],
        &[("INA3", "0"), ("INA16", "_NV")],
        &[("INA1", "1")],
    ]);
    let said: Vec<_> = events
        .iter()
        .map(|one| (one.event.name(), one.reason.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        said,
        [
            ("delivery-start", ""),
            ("alarm", "INA3, INA16"),
            ("delivery-stop", ""),
            ("alarm", "INA3, INA16"),
            ("alarm", "INA1"),
        ]
    );
}

#[test]
fn values_that_cannot_be_are_faults_and_change_nothing() {
    for (name, value) in [
        ("INM3", "2"),
        ("INM3", "yes"),
        ("INRT", "-1"),
        ("INRT", "1e3"),
    ] {
        let mut session = greeted();
        let mut events = Events::new();
        session.receive(
            at(3_000),
            &block(&values(&[(name, value)]), false),
            &mut events,
        );
        assert_eq!(faults(&events), [Fault::BadMessage], "{name} {value}");
        assert!(pump_events(&events).is_empty());
    }
    let mut session = greeted();
    let mut events = Events::new();
    let answer = "0,50100,GNERR,7\u{1e}nonsense\u{1e}7,50111,INM3,1\u{1e}7,99999,INM3,1";
    session.receive(at(3_000), &block(answer, false), &mut events);
    assert_eq!(faults(&events), [Fault::BadMessage, Fault::BadAnswer]);
    assert_eq!(pump_events(&events).len(), 1);
}

#[test]
fn two_pumps_are_two_devices() {
    let mut session = greeted();
    let mut events = Events::new();
    let answer = "7,50112,INM3,0\u{1e}7,50111,INM3,1";
    session.receive(at(3_000), &block(answer, false), &mut events);
    let said: Vec<String> = events
        .iter()
        .filter_map(|event| {
            if let Event::Identity(identity) = event {
                identity.device.as_deref().map(str::to_owned)
            } else if let Event::PumpEvent(event) = event {
                Some(event.event.name().to_owned())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(said, ["50111", "delivery-start", "50112", "delivery-stop"]);
}
