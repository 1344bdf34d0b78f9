//! A pump, a central station and a gateway at the real daemon: what they tell, what the nurse presses,
//! and what the board says when the two differ.

use crate::bedside::{Bench, Daemon, Monitor, until};
use infusewatch::observation::{
    AlertPhase, DeviceAlert, DeviceTime, Identity, PumpEvent, PumpEventKind,
};
use infusewatch::protocol::{Device, DeviceOptions, Screen, find};
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Priority, Reading, WallTime};
use serde_json::Value;
use std::collections::BTreeMap;

const NOW: Now = Now {
    moment: Moment::from_secs(0),
    wall: WallTime::from_millis(0),
};

/// Messages of the simulated device, sent by hand so that each is acknowledged before the next.
struct Player {
    device: Box<dyn Device>,
    wire: Monitor,
    second: i64,
}

impl Player {
    fn new(bench: &Bench, options: &[(&str, &str)]) -> Self {
        let identity = Identity {
            bed: Some("INF^^CHAIR3".into()),
            device: Some("MON-3".into()),
            patient: None,
        };
        let options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            device: (find("hl7-mllp").unwrap().device)(&DeviceOptions { options, identity }),
            wire: bench.monitor(),
            second: 0,
        }
    }

    /// Presents a screen; gives the acknowledgements.
    fn show(&mut self, mut screen: Screen) -> Vec<String> {
        self.second += 1;
        screen.civil_ms = 1_772_360_100_000 + self.second * 1_000;
        let mut sent = Vec::new();
        self.device.present(NOW, &screen, &mut sent);
        sent.iter()
            .map(|bytes| {
                self.wire.raw(bytes);
                self.wire.acknowledgement()
            })
            .collect()
    }

    /// A healthy patient.
    fn vitals(&mut self) -> Vec<String> {
        self.show(healthy())
    }

    /// The same, and what was done at the pump.
    fn pump(&mut self, event: PumpEventKind, rate: i64) {
        let screen = Screen {
            pump_events: vec![PumpEvent {
                event,
                transitioning: false,
                drug: Some("Ketamine".into()),
                rate_ml_h: Some(Decimal::whole(rate)),
                volume_ml: None,
                reason: None,
                at: None,
                message_at: None,
            }],
            ..healthy()
        };
        let answers = self.show(screen);
        assert!(answers.iter().all(|answer| answer == "CA"), "{answers:?}");
    }
}

fn healthy() -> Screen {
    let numerics = [
        (Parameter::Spo2, 98),
        (Parameter::Hr, 72),
        (Parameter::Pr, 72),
    ];
    Screen {
        numerics: numerics
            .into_iter()
            .map(|(parameter, value)| (parameter, Reading::Valid(Decimal::whole(value))))
            .collect::<BTreeMap<_, _>>(),
        ..Screen::default()
    }
}

fn phase(daemon: &Daemon, expected: &str) {
    until(&format!("phase {expected}"), || {
        (daemon.try_get("/api/v1/now")?["phase"] == expected).then_some(())
    });
}

/// A daemon whose session is open and has readings.
fn bed(bench: &Bench, feed: &str, player: &mut Option<Player>, options: &[(&str, &str)]) -> Daemon {
    bench.configure(feed);
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-207"}"#);
    let player = player.insert(Player::new(bench, options));
    player.vitals();
    daemon.number("spo2");
    daemon
}

fn contradiction(daemon: &Daemon) -> Value {
    let alarm = daemon.alarm("pump", "medium");
    assert_eq!(alarm["text"], "Pump and session contradict each other");
    alarm
}

#[test]
fn a_pump_leads_a_whole_session() {
    let bench = Bench::bare();
    let mut player = None;
    let daemon = bed(&bench, &bench.hl7_feed(), &mut player, &[]);
    let player = player.as_mut().unwrap();
    phase(&daemon, "baseline");
    player.pump(PumpEventKind::DeliveryStart, 25);
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::RateChange, 30);
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::DeliveryStop, 0);
    phase(&daemon, "paused");
    player.pump(PumpEventKind::DeliveryStart, 30);
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::DeliveryComplete, 0);
    phase(&daemon, "recovery");
    player.pump(PumpEventKind::Kvo, 1);
    player.vitals();
    phase(&daemon, "recovery");
    daemon.no_alarm("pump");
    daemon.kill();
    bench.verify();
    let kinds = bench.sqlite(
        "select group_concat(json_extract(detail, '$.event.event'), ' ') from \
         (select detail from input where detail ->> 'kind' = 'pump' order by seq)",
    );
    assert_eq!(
        kinds,
        "delivery-start delivery-stop delivery-start rate-change delivery-stop delivery-start \
         delivery-complete kvo"
    );
}

#[test]
fn what_the_nurse_presses_is_done_and_a_contradicting_pump_is_shown() {
    let bench = Bench::bare();
    let mut player = None;
    let daemon = bed(&bench, &bench.hl7_feed(), &mut player, &[]);
    let player = player.as_mut().unwrap();
    // Started by the nurse while the pump stands.
    player.pump(PumpEventKind::DeliveryStop, 0);
    daemon.done(r#"{"command":"start-infusion"}"#);
    contradiction(&daemon);
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::DeliveryStart, 25);
    daemon.no_alarm("pump");
    // Paused by the nurse while the pump runs.
    daemon.done(r#"{"command":"pause-infusion"}"#);
    contradiction(&daemon);
    phase(&daemon, "paused");
    player.pump(PumpEventKind::DeliveryStop, 0);
    daemon.no_alarm("pump");
    // Resumed by the nurse while the pump stands.
    daemon.done(r#"{"command":"resume-infusion"}"#);
    contradiction(&daemon);
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::DeliveryStart, 25);
    daemon.no_alarm("pump");
    // Ended by the nurse while the pump runs.
    daemon.done(r#"{"command":"stop-infusion"}"#);
    contradiction(&daemon);
    phase(&daemon, "recovery");
    player.vitals();
    phase(&daemon, "recovery");
    player.pump(PumpEventKind::DeliveryComplete, 0);
    daemon.no_alarm("pump");
    phase(&daemon, "recovery");
    daemon.kill();
    bench.verify();
}

#[test]
fn a_pump_that_is_lost_or_gives_something_else_changes_no_phase() {
    let bench = Bench::bare();
    let mut player = None;
    let daemon = bed(
        &bench,
        &bench.hl7_feed(),
        &mut player,
        &[
            ("pump-script", "1 start 25; 2 pause"),
            ("pump-drug", "NaCl 0.9%"),
        ],
    );
    let player = player.as_mut().unwrap();
    player.vitals();
    player.vitals();
    player.vitals();
    phase(&daemon, "baseline");
    player.pump(PumpEventKind::DeliveryStart, 25);
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::CommLost, 0);
    daemon.alarm("pump", "medium");
    phase(&daemon, "infusion");
    player.pump(PumpEventKind::DeliveryStart, 25);
    daemon.no_alarm("pump");
    daemon.kill();
    bench.verify();
}

#[test]
fn of_forty_beds_on_one_connection_only_ours_is_judged_and_all_are_acknowledged() {
    let bench = Bench::bare();
    let mut player = None;
    let feed = format!("{}bed-id = \"INF^^CHAIR3\"\n", bench.hl7_feed());
    let daemon = bed(&bench, &feed, &mut player, &[("beds", "40")]);
    let player = player.as_mut().unwrap();
    for _ in 0..5 {
        assert_eq!(player.vitals(), ["CA"; 40]);
    }
    // The neighbours' saturation is 60.
    assert!((daemon.number("spo2") - 98.0).abs() < f64::EPSILON);
    for rule in ["spo2-low", "wrong-patient", "device-alert"] {
        daemon.no_alarm(rule);
    }
    let metrics = daemon.try_get("/metrics").unwrap();
    let not_ours = metrics
        .as_str()
        .unwrap()
        .lines()
        .find(|line| line.contains("feed_not_ours_total{"))
        .unwrap()
        .to_owned();
    assert!(not_ours.ends_with(" 234"), "39 beds, 6 times: {not_ours}");
    daemon.kill();
    bench.verify();
    assert_eq!(
        bench.sqlite("select min(value) from v_vitals where parameter = 'spo2'"),
        "98"
    );
}

#[test]
fn an_alarm_of_the_monitor_is_shown_beside_ours_until_it_ends() {
    let bench = Bench::bare();
    let mut player = None;
    let daemon = bed(
        &bench,
        &bench.hl7_feed(),
        &mut player,
        &[("alerts", "true"), ("keep-alive", "true")],
    );
    let player = player.as_mut().unwrap();
    let screen = Screen {
        alerts: vec![DeviceAlert {
            key: "k".into(),
            priority: Some(Priority::Medium),
            phase: AlertPhase::Present,
            text: "APNOEA".into(),
            at: Some(DeviceTime::civil(0)),
        }],
        ..healthy()
    };
    assert!(
        player
            .show(screen.clone())
            .iter()
            .all(|answer| answer == "CA")
    );
    let shown = daemon.alarm("device-alert", "medium");
    assert!(
        shown["text"].as_str().unwrap().contains("APNOEA"),
        "{shown}"
    );
    player.show(screen);
    assert_eq!(daemon.alarm("device-alert", "medium")["id"], shown["id"]);
    player.vitals();
    daemon.no_alarm("device-alert");
    daemon.kill();
    bench.verify();
}

#[test]
fn the_connections_of_one_gateway_are_one_feed_and_an_order_is_refused() {
    let bench = Bench::bare();
    let mut player = None;
    let daemon = bed(&bench, &bench.hl7_feed(), &mut player, &[]);
    let mut alerts = Player::new(&bench, &[("alerts", "true")]);
    let mut third = bench.monitor();
    alerts.show(Screen {
        alerts: vec![DeviceAlert {
            key: "k".into(),
            priority: Some(Priority::Low),
            phase: AlertPhase::Present,
            text: "LEADS OFF".into(),
            at: None,
        }],
        ..healthy()
    });
    daemon.alarm("device-alert", "low");
    third.raw(
        b"\x0bMSH|^~\\&|EHR||||20260301101500||RGV^O15^RGV_O15|9|P|2.6|||AL|NE\rRXG|1|||4001^Ketamine|50\r\x1c\r",
    );
    assert_eq!(third.acknowledgement(), "CR");
    player.as_mut().unwrap().vitals();
    phase(&daemon, "baseline");
    daemon.no_alarm("wrong-patient");
    daemon.kill();
    bench.verify();
}

#[test]
fn the_simulator_plays_a_scripted_pump_against_the_daemon() {
    let bench = Bench::bare();
    bench.configure(&bench.hl7_feed());
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    let address = format!("127.0.0.1:{}", bench.hl7_port);
    let script = "pump-script=2 start 25; 60 pause; 90 resume 25; 150 complete";
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .args(["simulate", "--protocol", "hl7-mllp", "--connect", &address])
        .args(["--speed", "100", "--device-option", script])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    phase(&daemon, "recovery");
    child.kill().unwrap();
    child.wait().unwrap();
    daemon.kill();
    bench.verify();
}
