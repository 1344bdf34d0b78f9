//! IntelliVue through the real daemon: the simulated monitor over UDP, a serial line and a serial
//! server, with a relay in between that keeps silent, damages bytes and remembers what was sent.

use crate::bedside::{Bench, Daemon, until};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The simulated monitor, stopped when dropped.
struct Monitor {
    child: Child,
    address: String,
}

impl Monitor {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
            .args(["simulate", "--protocol", "intellivue"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim_end().strip_prefix("ready ").unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a relay does, and what went through it to the monitor, one element per write.
#[derive(Default)]
struct Traffic {
    is_silent: AtomicBool,
    is_damaging: AtomicBool,
    is_over: AtomicBool,
    sent: Mutex<Vec<Vec<u8>>>,
}

impl Traffic {
    fn sent(&self) -> Vec<Vec<u8>> {
        self.sent.lock().unwrap().clone()
    }
}

/// A relay between the daemon and the monitor.
struct Relay {
    address: String,
    traffic: Arc<Traffic>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.traffic.is_over.store(true, Ordering::Relaxed);
    }
}

const LOOK: Option<Duration> = Some(Duration::from_millis(50));

impl Relay {
    /// Datagrams.
    fn of_datagrams(monitor: &Monitor) -> Self {
        let traffic = Arc::new(Traffic::default());
        let near = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let far = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        far.connect(&monitor.address).unwrap();
        near.set_read_timeout(LOOK).unwrap();
        far.set_read_timeout(LOOK).unwrap();
        let address = near.local_addr().unwrap().to_string();
        let daemon = Arc::new(Mutex::new(None));

        let (inner, from, to, known) = (traffic.clone(), near.clone(), far.clone(), daemon.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while !inner.is_over.load(Ordering::Relaxed) {
                if let Ok((length, sender)) = from.recv_from(&mut buffer) {
                    *known.lock().unwrap() = Some(sender);
                    inner.sent.lock().unwrap().push(buffer[..length].to_vec());
                    let _ = to.send(&buffer[..length]);
                }
            }
        });
        let inner = traffic.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while !inner.is_over.load(Ordering::Relaxed) {
                let Ok(length) = far.recv(&mut buffer) else {
                    continue;
                };
                let receiver = *daemon.lock().unwrap();
                if let (Some(receiver), false) = (receiver, inner.is_silent.load(Ordering::Relaxed))
                {
                    let _ = near.send_to(&buffer[..length], receiver);
                }
            }
        });
        Self { address, traffic }
    }

    /// A byte stream, as a serial server carries it, for one connection.
    fn of_bytes(monitor: &Monitor) -> Self {
        let traffic = Arc::new(Traffic::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let far = TcpStream::connect(&monitor.address).unwrap();
        let inner = traffic.clone();
        std::thread::spawn(move || {
            let (near, _) = listener.accept().unwrap();
            let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let outward = inner.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4_096];
                while let Ok(length @ 1..) = from.read(&mut buffer) {
                    outward.sent.lock().unwrap().push(buffer[..length].to_vec());
                    let _ = to.write_all(&buffer[..length]);
                }
                let _ = to.shutdown(Shutdown::Both);
            });
            let (mut from, mut to) = (far, near);
            let mut buffer = [0; 4_096];
            let mut count = 0_usize;
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                for byte in &mut buffer[..length] {
                    count += 1;
                    if inner.is_damaging.load(Ordering::Relaxed) && count.is_multiple_of(701) {
                        *byte ^= 0x10;
                    }
                }
                let _ = to.write_all(&buffer[..length]);
            }
        });
        Self { address, traffic }
    }
}

/// A UDP port that nobody uses at the moment.
fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

fn feed(bench: &Bench, place: &str) {
    bench.configure(&format!(
        "[[feed]]\nname = \"monitor\"\nprotocol = \"intellivue\"\n{place}\nsilence = \"3s\"\n"
    ));
}

/// The board's row of a parameter.
fn vital(daemon: &Daemon, parameter: &str) -> Option<Value> {
    let board = daemon.try_get("/api/v1/now")?;
    let vitals = board["vitals"].as_array()?;
    vitals
        .iter()
        .find(|one| one["parameter"] == parameter)
        .cloned()
}

/// What a message to the monitor is; one that is no question fails.
fn question(message: &[u8]) -> &'static str {
    let word = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    match (message[0], message.len()) {
        (0x09, 26) => "release",
        (0x0D, 238) => "request",
        (0xE1, 28) if (word(4), word(10)) == (2, 1) => "creation answered",
        (0xE1, 36 | 48) if (word(4), word(10)) == (1, 7) => match word(24) {
            0x0C16 => "single poll",
            0xF13B => "extended poll",
            other => panic!("action {other:04x}"),
        },
        _ => panic!("{message:02x?}"),
    }
}

#[test]
fn a_monitor_on_the_network_is_read_lost_and_found_and_never_changed() {
    let monitor = Monitor::start(&["--udp", "127.0.0.1:0"]);
    let relay = Relay::of_datagrams(&monitor);
    let bench = Bench::bare();
    let place = format!(
        "udp = \"127.0.0.1:{}\"\npeer = \"{}\"",
        free_port(),
        relay.address
    );
    feed(&bench, &place);
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-205"}"#);
    for (parameter, low, high) in [("spo2", 94.0, 100.0), ("hr", 60.0, 84.0)] {
        let number = daemon.number(parameter);
        assert!((low..=high).contains(&number), "{parameter} {number}");
    }

    relay.traffic.is_silent.store(true, Ordering::Relaxed);
    daemon.alarm("feed-lost", "low");
    assert!(vital(&daemon, "spo2").unwrap()["value"].is_null());
    relay.traffic.is_silent.store(false, Ordering::Relaxed);
    daemon.no_alarm("feed-lost");
    assert!(daemon.number("spo2") > 90.0);

    let mut questions: Vec<&str> = relay
        .traffic
        .sent()
        .iter()
        .map(|sent| question(sent))
        .collect();
    assert_eq!(questions[..3], ["release", "request", "creation answered"]);
    questions.sort_unstable();
    questions.dedup();
    let asked = [
        "creation answered",
        "extended poll",
        "release",
        "request",
        "single poll",
    ];
    assert_eq!(questions, asked);
    daemon.kill();
    bench.verify();
}

#[test]
fn a_monitor_on_a_serial_line_gives_numbers_and_waves() {
    let bench = Bench::bare();
    let cable = bench.path("cable");
    feed(
        &bench,
        &format!("serial = {cable:?}\nwaves = \"ecg-ii,pleth,resp\""),
    );
    let _monitor = bench.plug_in("cable", &["--protocol", "intellivue"]);
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-205"}"#);
    assert!(daemon.number("spo2") > 90.0);
    until("a second of waves", || {
        let waves = "select count(*) from wave where session = 1";
        (bench.sqlite(waves) != "0").then_some(())
    });
    daemon.kill();
    bench.verify();
}

#[test]
fn damaged_bytes_are_faults_and_never_numbers() {
    let monitor = Monitor::start(&["--listen", "127.0.0.1:0"]);
    let relay = Relay::of_bytes(&monitor);
    let bench = Bench::bare();
    feed(&bench, &format!("connect = \"{}\"", relay.address));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-205"}"#);
    assert!(daemon.number("spo2") > 90.0);
    relay.traffic.is_damaging.store(true, Ordering::Relaxed);
    until("damage that was seen", || {
        let board = daemon.try_get("/api/v1/now")?;
        let faults = board["feeds"][0]["faults"].as_u64()?;
        (faults >= 2).then_some(())
    });
    relay.traffic.is_damaging.store(false, Ordering::Relaxed);
    until("numbers after the damage", || {
        let row = vital(&daemon, "spo2")?;
        (row["value"].is_number() && row["age_s"].as_f64()? < 1.0).then_some(())
    });
    daemon.kill();
    let wrong = "select count(*) from v_vitals where value is not null and \
                 (parameter = 'spo2' and value not between 94 and 100 or parameter = 'hr' and value not between 60 and 84)";
    assert_eq!(bench.sqlite(wrong), "0");
    bench.verify();
}

#[test]
fn a_saturation_that_ends_is_no_number_with_a_cause() {
    let bench = Bench::bare();
    let table = bench.path("probe.csv");
    std::fs::write(&table, "t_s,spo2,pr,hr\n0,97,72,72\n3,,,72\n").unwrap();
    let monitor = Monitor::start(&[
        "--udp",
        "127.0.0.1:0",
        "--scenario",
        table.to_str().unwrap(),
    ]);
    let place = format!(
        "udp = \"127.0.0.1:{}\"\npeer = \"{}\"",
        free_port(),
        monitor.address
    );
    feed(&bench, &place);
    let daemon = bench.run();
    let row = until("a saturation without a number", || {
        vital(&daemon, "spo2").filter(|row| row["value"].is_null())
    });
    assert_eq!(row["validity"], "invalid", "{row}");
    assert!(row["cause"].is_string(), "{row}");
    assert!(daemon.number("hr") > 60.0);
    daemon.kill();
    bench.verify();
}
