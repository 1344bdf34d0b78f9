//! The interface from outside: who may ask, what is answered, and what never counts as done.

use crate::display_board;
use crate::display_daemon::{Daemon, PATIENCE, Plan, Reply, ask, wait_for};
use infusewatch::engine::{Command, HealthItem};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

const PAUSE: &str = r#"{"command":"audio-pause"}"#;

#[test]
fn the_board_and_the_page_are_served_with_strict_headers() {
    let daemon = Daemon::start();
    daemon.published.publish(display_board::alarming());
    let now = daemon.get("/api/v1/now");
    assert_eq!(now.status, 200);
    let board = now.json();
    assert_eq!(board["bed"], "Chair 3");
    assert_eq!(board["alarms"][0]["priority"], "high");
    assert_eq!(board["display"]["beat_age_s"], serde_json::Value::Null);
    assert_eq!(board["display"]["engine"], true);
    for path in [
        "/",
        "/page/main.js",
        "/page/style.css",
        "/api/v1/now",
        "/healthz",
        "/nowhere",
    ] {
        let answer = daemon.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
    }
    assert_eq!(daemon.get("/nowhere").status, 404);
    assert_eq!(daemon.get("/page/../token").status, 404);
    assert_eq!(daemon.get("/page/%2e%2e%2ftoken").status, 404);
}

#[test]
fn every_file_that_the_page_names_is_served() {
    let daemon = Daemon::start();
    let mut waiting = vec!["/".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = waiting.pop() {
        if seen.contains(&path) {
            continue;
        }
        let answer = daemon.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        for quoted in answer.body.split('"').skip(1).step_by(2) {
            if let Some(name) = quoted.strip_prefix("./") {
                waiting.push(format!("/page/{name}"));
            } else if quoted.starts_with("/page/") {
                waiting.push(quoted.to_owned());
            }
        }
        seen.push(path);
    }
    assert!(seen.len() > 10, "{seen:?}");
}

#[test]
fn foreign_and_rebound_pages_are_refused() {
    let daemon = Daemon::start();
    let port = daemon.address.port();
    let token = daemon.token.reveal().to_owned();
    let post = |host: &str, extra: &str| {
        ask(
            daemon.address,
            &format!(
                "POST /api/v1/commands HTTP/1.1\r\nHost: {host}\r\n{extra}Authorization: Bearer {token}\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{PAUSE}",
                PAUSE.len()
            ),
        )
        .status
    };
    let ours = format!("127.0.0.1:{port}");
    assert_eq!(post(&ours, ""), 200);
    assert_eq!(post(&ours, &format!("Origin: http://{ours}\r\n")), 200);
    assert_eq!(post(&format!("localhost:{port}"), ""), 200);
    // A name that was rebound to 127.0.0.1 still shows in the Host header.
    assert_eq!(post(&format!("rebound.example:{port}"), ""), 403);
    assert_eq!(post(&ours, "Origin: http://evil.example\r\n"), 403);
    assert_eq!(post(&ours, "Origin: null\r\n"), 403);
    assert_eq!(
        post(
            &ours,
            &format!("Origin: http://{ours}\r\nOrigin: http://evil.example\r\n")
        ),
        403
    );
    let page = ask(
        daemon.address,
        "GET / HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(page.status, 403);
    assert!(page.json()["hint"].is_string());
    assert_eq!(
        daemon.commands.try_iter().count(),
        3,
        "nothing refused reached the engine"
    );
}

#[test]
fn commands_need_the_token_of_this_start() {
    let daemon = Daemon::start();
    for headers in [
        "",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer 0000000000000000000000000000000000000000000000000000000000000000\r\n",
        "Authorization: Basic YTpi\r\n",
    ] {
        let answer = daemon.post_with(headers, PAUSE);
        assert_eq!(answer.status, 401, "{headers}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(answer.json()["error"].is_string());
    }
    assert!(daemon.commands.try_recv().is_err());
    let file = daemon.folder.join("token");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap().trim(),
        daemon.token.reveal()
    );
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o137,
        0
    );
}

#[test]
fn a_command_is_answered_when_the_engine_took_it() {
    let daemon = Daemon::start();
    daemon.script(|command| match command {
        Command::Acknowledge { .. } => Reply::Done(vec![9]),
        _ => Reply::Done(Vec::new()),
    });
    let answer = daemon.post(r#"{"command":"acknowledge","alarm":"all","seen_seq":5,"id":"x"}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.json(),
        serde_json::json!({ "seq": 1, "durable": true, "left": [9] })
    );
    daemon.commit(false);
    let answer = daemon.post(PAUSE);
    assert_eq!(
        (answer.status, answer.json()["durable"].clone()),
        (200, false.into())
    );
}

#[test]
fn what_the_engine_refuses_is_409_with_its_reason() {
    let daemon = Daemon::start();
    daemon.script(|_| {
        Reply::Refused(
            "SBP 172 mmHg is at or above 160",
            Some("give a reason and a name"),
        )
    });
    let answer = daemon.post(r#"{"command":"start-infusion"}"#);
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json()["error"], "SBP 172 mmHg is at or above 160");
    assert_eq!(answer.json()["hint"], "give a reason and a name");
}

#[test]
fn a_repeated_id_does_nothing_twice() {
    let daemon = Daemon::start();
    let body = r#"{"command":"note","text":"calm","id":"n-1"}"#;
    let first = daemon.post(body);
    let second = daemon.post(body);
    assert_eq!(first.status, 200);
    assert_eq!(first.body, second.body);
    assert_eq!(daemon.commands.try_iter().count(), 1);
    let other = daemon.post(r#"{"command":"note","text":"restless","id":"n-1"}"#);
    assert_eq!(other.status, 409);
    assert_eq!(daemon.commands.try_iter().count(), 0);
    // Without an id, the same words are a new command.
    let note = r#"{"command":"note","text":"calm"}"#;
    assert_ne!(daemon.post(note).body, daemon.post(note).body);
}

#[test]
fn a_repeat_of_an_unanswered_command_is_not_done_twice() {
    let daemon = Daemon::start();
    daemon.stand(true);
    let body = r#"{"command":"audio-pause","id":"p"}"#;
    let answer = daemon.post(body);
    assert_eq!(answer.status, 503, "no answer in 2 s");
    assert!(answer.json()["hint"].as_str().unwrap().contains("same id"));
    daemon.stand(false);
    assert_eq!(daemon.post(body).status, 200);
    assert_eq!(daemon.commands.try_iter().count(), 1);
}

#[test]
fn an_engine_that_drops_a_command_is_503() {
    let daemon = Daemon::start();
    daemon.script(|_| Reply::Silent);
    assert_eq!(daemon.post(PAUSE).status, 503);
}

#[test]
fn a_full_queue_is_503_and_the_id_stays_free() {
    let daemon = Daemon::with(Plan {
        capacity: 1,
        attached: false,
        ..Plan::default()
    });
    wait_for("health", || daemon.health.try_recv().ok());
    daemon.stand(true);
    let body = r#"{"command":"audio-pause","id":"q"}"#;
    // The display itself wakes a standing engine, which fills this queue of one.
    let answer = wait_for("full queue", || {
        let answer = daemon.post(r#"{"command":"end-away"}"#);
        answer.body.contains("queue is full").then_some(answer)
    });
    assert_eq!(answer.status, 503);
    assert!(daemon.post(body).body.contains("queue is full"));
    daemon.stand(false);
    let done = wait_for("room", || {
        let answer = daemon.post(body);
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(done.status, 200);
}

#[test]
fn bodies_that_are_too_long_or_no_command_are_refused() {
    let daemon = Daemon::start();
    let long = format!(r#"{{"command":"note","text":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(daemon.post(&long).status, 413);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for body in [
        "",
        "nonsense",
        "{}",
        r#"{"command":"launch"}"#,
        r#"{"command":"log-in","name":"a"}"#,
        &deep,
    ] {
        let answer = daemon.post(body);
        assert_eq!(answer.status, 400, "{}", &body[..body.len().min(40)]);
        assert!(answer.json()["error"].is_string());
    }
    assert!(daemon.commands.try_recv().is_err());
    assert_eq!(daemon.get("/api/v1/commands").status, 405);
}

#[test]
fn the_record_answers_about_the_past() {
    let daemon = Daemon::start();
    let answer = daemon.get(
        "/api/v1/history?parameter=spo2&from=2026-03-01T09%3A00%3A00Z&to=2026-03-01T10:00:00Z&points=50",
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["from"], "2026-03-01T09:00:00.000Z");
    assert_eq!(answer.json()["points"].as_array().unwrap().len(), 50);
    for (query, status) in [
        ("parameter=spo2", 200),
        ("", 400),
        ("parameter=pulse", 400),
        ("parameter=spo2&points=0", 400),
        ("parameter=spo2&points=99999999", 400),
        ("parameter=spo2&from=yesterday", 400),
        (
            "parameter=spo2&from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
            400,
        ),
        ("parameter=spo2&colour=red", 400),
        ("parameter=temp", 503),
    ] {
        let answer = daemon.get(&format!("/api/v1/history?{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
    }
    assert_eq!(
        daemon.get("/api/v1/alarms?session=8").json()["alarms"][0]["session"],
        8
    );
    assert_eq!(daemon.get("/api/v1/alarms?session=x").status, 400);
}

#[test]
fn health_and_metrics_tell_the_truth() {
    let daemon = Daemon::with(Plan {
        attached: false,
        ..Plan::default()
    });
    daemon.published.publish(display_board::alarming());
    daemon.status.feeds[0].1.faults.store(12, Ordering::Relaxed);
    wait_for("health", || {
        (daemon.get("/healthz").status == 200).then_some(())
    });
    let metrics = daemon.get("/metrics").body;
    for line in [
        "infusewatch_feed_faults_total{feed=\"monitor\"} 12",
        "infusewatch_alarms{priority=\"high\"} 1",
        "infusewatch_alarms{priority=\"medium\"} 0",
        "infusewatch_healthy{part=\"sound\"} 1",
        "# TYPE infusewatch_commands_done_total counter",
        "infusewatch_seq 17",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    daemon.status.health(HealthItem::Sound).set(false);
    let health = daemon.get("/healthz");
    assert_eq!(
        (health.status, health.body.trim()),
        (503, "not healthy: sound")
    );
    daemon.status.health(HealthItem::Sound).set(true);
    daemon.stand(true);
    wait_for("a standing engine", || {
        daemon.get("/healthz").body.contains("engine").then_some(())
    });
    assert_eq!(daemon.get("/api/v1/now").json()["display"]["engine"], false);
}

#[test]
fn a_port_in_use_is_told_and_retried_until_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let daemon = Daemon::with(Plan {
        listen,
        in_use: Some(taken),
        attached: false,
        ..Plan::default()
    });
    assert_eq!(daemon.address, listen);
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, true));
}

#[test]
fn too_many_connections_are_turned_away_and_the_places_come_back() {
    let daemon = Daemon::start();
    let held: Vec<TcpStream> = (0..64)
        .map(|_| TcpStream::connect(daemon.address).unwrap())
        .collect();
    wait_for("a refused connection", || {
        (daemon.get("/healthz").status == 0).then_some(())
    });
    drop(held);
    let metrics = wait_for("a free place", || {
        let answer = daemon.get("/metrics");
        (answer.status == 200).then_some(answer.body)
    });
    let refused = metrics
        .lines()
        .find_map(|line| line.strip_prefix("infusewatch_display_connections_refused_total "))
        .unwrap();
    assert!(refused.parse::<u64>().unwrap() >= 1);
}
