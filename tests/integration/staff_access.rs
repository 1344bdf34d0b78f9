//! Log-ins from outside: what needs one, what never does, whose name stands on a command, how slowly a
//! PIN is guessed, and that neither PIN nor log-in goes any further. Besides, the test of the sound.

use crate::display_daemon::{Daemon, Plan, ask};
use infusewatch::board::{AudioView, Board, Cue};
use infusewatch::configuration::{Access, PinHash, Staff};
use infusewatch::engine::{AudioState, Command, HealthItem, Sounding};
use infusewatch::vocabulary::Priority;
use serde_json::{Value, json};
use std::time::Duration;

fn clinic() -> Daemon {
    let person = |name: &str, pin: &str| Staff {
        name: name.into(),
        role: "RN".into(),
        pin: PinHash::of(pin, b"sixteen bytes!!!").unwrap(),
    };
    Daemon::with(Plan {
        access: Access {
            required: vec!["open-session", "set-limit", "close-session", "sign"],
            auto_log_off: Duration::from_secs(300),
            staff: vec![person("Ann", "4711"), person("Ben", "2222")],
        },
        ..Plan::default()
    })
}

fn log_in(daemon: &Daemon, name: &str, pin: &str) -> (u16, Value) {
    let body = json!({"command": "log-in", "name": name, "pin": pin}).to_string();
    let answer = daemon.post(&body);
    (answer.status, answer.json())
}

fn limit(extra: Value) -> String {
    let mut body = json!({"command": "set-limit", "rule": "spo2-low", "tier": "medium", "value": 90,
                          "reason": "COPD"});
    body.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    body.to_string()
}

#[test]
fn a_required_command_needs_a_log_in_and_bears_its_name() {
    let daemon = clinic();
    let answer = daemon.post(&limit(json!({})));
    assert_eq!(answer.status, 403);
    assert!(answer.json()["hint"].as_str().unwrap().contains("PIN"));
    assert_eq!(
        daemon.post(&limit(json!({"login": "0".repeat(32)}))).status,
        403
    );
    assert!(
        daemon.commands.try_recv().is_err(),
        "nothing reached the engine"
    );

    let (status, answer) = log_in(&daemon, "Ann", "4711");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["staff"], json!({"name": "Ann", "role": "RN"}));
    assert_eq!(answer["expires_s"], 300);
    assert_eq!(answer["durable"], true);
    let login = answer["login"].as_str().unwrap();
    assert_eq!(login.len(), 32);

    assert_eq!(
        daemon
            .post(&limit(json!({"login": login, "by": "Ben"})))
            .status,
        403
    );
    assert_eq!(daemon.post(&limit(json!({"login": login}))).status, 200);
    assert_eq!(
        daemon
            .post(&limit(json!({"login": login, "by": "Ann"})))
            .status,
        200
    );
    let close = json!({"command": "close-session", "login": login}).to_string();
    assert_eq!(daemon.post(&close).status, 200, "`by` is filled in");
    let taken: Vec<Command> = daemon.commands.try_iter().collect();
    assert_eq!(taken.len(), 4);
    assert_eq!(
        taken[0],
        Command::LogIn {
            name: "Ann".into(),
            accepted: true
        }
    );
    assert!(
        taken
            .iter()
            .skip(1)
            .all(|command| command.by() == Some("Ann"))
    );
    let told = format!("{taken:?}");
    assert!(!told.contains(login) && !told.contains("4711"), "{told}");

    let out = json!({"command": "log-out", "login": login}).to_string();
    assert_eq!(daemon.post(&out).status, 200);
    assert_eq!(daemon.post(&limit(json!({"login": login}))).status, 403);
}

#[test]
fn acknowledging_and_audio_pause_never_need_a_log_in() {
    let daemon = clinic();
    for body in [
        r#"{"command":"acknowledge","alarm":"all","seen_seq":5}"#,
        r#"{"command":"audio-pause"}"#,
        r#"{"command":"audio-pause","login":"over"}"#,
        r#"{"command":"stop-infusion"}"#,
        r#"{"command":"note","text":"calm"}"#,
    ] {
        assert_eq!(daemon.post(body).status, 200, "{body}");
    }
}

#[test]
fn wrong_pins_are_recorded_without_the_pin_and_slowed_down() {
    let daemon = clinic();
    assert_eq!(log_in(&daemon, "Ann", "0000").0, 403);
    let (status, answer) = log_in(&daemon, "Ann", "4711");
    assert_eq!(status, 429, "{answer}");
    assert_eq!(answer["retry_after_s"], 1);
    // Somebody else goes on, and so does what needs no log-in.
    assert_eq!(log_in(&daemon, "Ben", "2222").0, 200);
    assert_eq!(daemon.post(r#"{"command":"audio-pause"}"#).status, 200);
    assert_eq!(log_in(&daemon, "98765", "98765").0, 403);
    let refused = |name: &str| Command::LogIn {
        name: name.into(),
        accepted: false,
    };
    // A refusal is answered when it is on its way into the record.
    let mut taken: Vec<Command> = Vec::new();
    crate::bedside::until("both wrong PINs in the record", || {
        taken.extend(daemon.commands.try_iter());
        let both = taken.contains(&refused("Ann")) && taken.contains(&refused("unknown name"));
        both.then_some(())
    });
    let told = format!("{taken:?}");
    assert!(!told.contains("0000") && !told.contains("98765"), "{told}");
    let metrics = daemon.get("/metrics").body;
    for line in [
        "infusewatch_logins_total 1",
        "infusewatch_logins_wrong_total 2",
        "infusewatch_logins_delayed_total 1",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
}

#[test]
fn what_is_no_log_in_says_why() {
    let daemon = clinic();
    for body in [
        r#"{"command":"log-in"}"#,
        r#"{"command":"log-in","name":"Ann","pin":4711}"#,
        r#"{"command":"log-in","name":7,"pin":"4711"}"#,
        r#"{"command":"audio-pause","login":7}"#,
    ] {
        assert_eq!(daemon.post(body).status, 400, "{body}");
    }
    let nobody = Daemon::start();
    let (status, answer) = log_in(&nobody, "Ann", "4711");
    assert_eq!(status, 403);
    assert!(answer["error"].as_str().unwrap().contains("no staff"));
}

#[test]
fn the_board_says_who_may_log_in_and_no_hash() {
    let daemon = clinic();
    let board = daemon.get("/api/v1/now");
    assert_eq!(
        board.json()["access"],
        json!({
            "required": ["open-session", "set-limit", "close-session", "sign"],
            "staff": [{"name": "Ann", "role": "RN"}, {"name": "Ben", "role": "RN"}],
            "auto_log_off_s": 300,
        })
    );
    assert_eq!(board.json()["training"], false);
    assert!(!board.body.contains("argon2"));
    let training = Daemon::with(Plan {
        training: true,
        ..Plan::default()
    });
    assert_eq!(training.get("/api/v1/now").json()["training"], true);
}

fn self_test(daemon: &Daemon, body: &str, token: &str) -> u16 {
    let host = daemon.address;
    let length = body.len();
    ask(
        host,
        &format!(
            "POST /api/v1/self-test HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ),
    )
    .status
}

#[test]
fn a_test_of_the_sound_is_refused_while_an_alarm_sounds() {
    let daemon = Daemon::start();
    let token = daemon.token.reveal().to_owned();
    let high = r#"{"sound":"high"}"#;
    assert_eq!(self_test(&daemon, high, "00"), 401);
    assert_eq!(self_test(&daemon, r#"{"sound":"loud"}"#, &token), 400);
    assert_eq!(
        self_test(&daemon, r#"{"sound":"low","for":9}"#, &token),
        400
    );
    assert!(daemon.published.test().is_none());
    assert_eq!(self_test(&daemon, high, &token), 200);
    let first = daemon.published.test().unwrap();
    assert_eq!(first.priority, Priority::High);
    assert_eq!(self_test(&daemon, r#"{"sound":"low"}"#, &token), 200);
    let second = daemon.published.test().unwrap();
    assert_eq!(second.priority, Priority::Low);
    assert_ne!(first.turn, second.turn);

    daemon.published.set_cue(Cue {
        sounding: Sounding::Medium,
        ..Cue::default()
    });
    assert_eq!(self_test(&daemon, high, &token), 409);
    daemon.published.set_cue(Cue::default());
    daemon.published.publish(Board {
        audio: AudioView {
            state: AudioState::Paused,
            ..AudioView::default()
        },
        ..Board::default()
    });
    assert_eq!(self_test(&daemon, high, &token), 409);
    daemon.published.publish(Board::default());
    daemon.status.health(HealthItem::Sound).set(false);
    assert_eq!(self_test(&daemon, high, &token), 503);
    assert_eq!(daemon.published.test(), Some(second));
}
