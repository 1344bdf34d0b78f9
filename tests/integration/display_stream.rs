//! The stream from outside: the board in time, the attached display's beat, and clients that misbehave.

use crate::display_board;
use crate::display_daemon::{Daemon, PATIENCE, Plan, wait_for};
use infusewatch::board::Board;
use infusewatch::engine::HealthItem;
use infusewatch::observation::Wave;
use infusewatch::observation::WaveChunk;
use infusewatch::vocabulary::{Decimal, Now};
use serde_json::Value;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

type Client = WebSocket<TcpStream>;

fn connect_with(daemon: &Daemon, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
    let stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = format!("ws://{}/api/v1/stream", daemon.address)
        .into_client_request()
        .unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match tungstenite::client(request, stream) {
        Ok((client, _)) => Ok(client),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

fn connect(daemon: &Daemon) -> Client {
    connect_with(daemon, &[]).unwrap()
}

fn next_board(client: &mut Client) -> Value {
    loop {
        if let Message::Text(text) = client.read().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// Reads until the server closes; its close code, if it told one.
fn closed(client: &mut Client) -> Option<u16> {
    loop {
        match client.read() {
            Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).unwrap();
}

#[test]
fn the_board_comes_at_once_on_every_change_and_when_nothing_changes() {
    let daemon = Daemon::start();
    daemon.published.publish(display_board::infusion());
    let mut client = connect(&daemon);
    assert_eq!(next_board(&mut client)["phase"], "infusion");
    daemon.published.publish(Board {
        seq: 991,
        ..display_board::infusion()
    });
    wait_for("the change", || {
        (next_board(&mut client)["seq"] == 991).then_some(())
    });
    for _ in 0..3 {
        assert_eq!(
            next_board(&mut client)["seq"],
            991,
            "and again without a change"
        );
    }
}

#[test]
fn a_standing_engine_shows_in_the_stream() {
    let daemon = Daemon::start();
    let mut client = connect(&daemon);
    assert_eq!(next_board(&mut client)["display"]["engine"], true);
    daemon.stand(true);
    wait_for("the standstill", || {
        (next_board(&mut client)["display"]["engine"] == false).then_some(())
    });
    daemon.stand(false);
    wait_for("the recovery", || {
        (next_board(&mut client)["display"]["engine"] == true).then_some(())
    });
}

#[test]
fn waves_come_as_binary_frames() {
    let daemon = Daemon::start();
    let mut client = connect(&daemon);
    next_board(&mut client);
    let frame = Wave {
        feed: "monitor".into(),
        received: Now::default(),
        chunk: WaveChunk {
            label: "pleth".into(),
            rate_hz: 100,
            resolution: Decimal::whole(1),
            unit: "",
            samples: vec![Some(7); 100],
        },
    };
    daemon.waves.send(Arc::new(frame)).unwrap();
    let bytes = wait_for("a binary frame", || match client.read().unwrap() {
        Message::Binary(bytes) => Some(bytes),
        _ => None,
    });
    assert_eq!(bytes[..7], *b"\x01\x05pleth");
    assert!(bytes.ends_with(&7_i32.to_le_bytes()));
}

#[test]
fn only_a_page_with_the_token_is_the_attached_display() {
    let daemon = Daemon::start();
    let mut reader = connect(&daemon);
    say(&mut reader, r#"{"beat":true}"#);
    next_board(&mut reader);
    assert_eq!(daemon.published.displays().load(Ordering::SeqCst), 0);
    let beat = |client: &mut Client| next_board(client)["display"]["beat_age_s"].clone();
    assert_eq!(beat(&mut reader), Value::Null);

    let mut page = connect(&daemon);
    say(
        &mut page,
        &format!(r#"{{"token":"{}"}}"#, daemon.token.reveal()),
    );
    say(&mut page, r#"{"beat":true}"#);
    wait_for("the beat", || beat(&mut page).is_number().then_some(()));
    assert_eq!(daemon.published.displays().load(Ordering::SeqCst), 1);
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, true));

    // The browser dies: after 10 s without a beat the engine is told.
    drop(page);
    wait_for("the page to go", || {
        (daemon.published.displays().load(Ordering::SeqCst) == 0).then_some(())
    });
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, false));
    assert!(!daemon.status.health(HealthItem::Display).ok());
}

#[test]
fn a_box_without_a_screen_needs_no_beat() {
    let daemon = Daemon::with(Plan {
        attached: false,
        ..Plan::default()
    });
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, true));
}

#[test]
fn clients_that_break_the_rules_are_closed() {
    let daemon = Daemon::start();
    let wrong = format!(r#"{{"token":"{}"}}"#, "0".repeat(64));
    for (said, code) in [
        (wrong.as_str(), 4401),
        ("hello", 1008),
        (r#"{"command":"stop-infusion"}"#, 1008),
        (r#"{"beat":true,"more":1}"#, 1008),
    ] {
        let mut client = connect(&daemon);
        say(&mut client, said);
        assert_eq!(closed(&mut client), Some(code), "{said}");
    }
    let mut flooding = connect(&daemon);
    for _ in 0..200 {
        if flooding.send(Message::text(r#"{"beat":true}"#)).is_err() {
            break;
        }
    }
    closed(&mut flooding);
    let mut oversized = connect(&daemon);
    let _ = oversized.send(Message::text("x".repeat(100_000)));
    closed(&mut oversized);
    let mut binary = connect(&daemon);
    binary.send(Message::binary(vec![1, 2, 3])).unwrap();
    assert_eq!(closed(&mut binary), Some(1008));
    wait_for("all to be counted", || {
        let metrics = daemon.get("/metrics").body;
        metrics
            .lines()
            .any(|line| line == "infusewatch_display_streams_closed_total 7")
            .then_some(())
    });
    assert!(daemon.commands.try_recv().is_err());
}

#[test]
fn a_foreign_page_gets_no_stream() {
    let daemon = Daemon::start();
    let ours = format!("http://{}", daemon.address);
    assert!(connect_with(&daemon, &[("Origin", ours.as_str())]).is_ok());
    assert_eq!(
        connect_with(&daemon, &[("Origin", "http://evil.example")]).unwrap_err(),
        403
    );
    assert_eq!(
        connect_with(&daemon, &[("Host", "rebound.example:80")]).unwrap_err(),
        403
    );
    assert_eq!(daemon.get("/api/v1/stream").status, 426);
}

#[test]
fn streams_are_bounded() {
    let daemon = Daemon::start();
    let held: Vec<Client> = (0..16).map(|_| connect(&daemon)).collect();
    assert_eq!(connect_with(&daemon, &[]).unwrap_err(), 503);
    drop(held);
    wait_for("a free place", || connect_with(&daemon, &[]).ok());
}
