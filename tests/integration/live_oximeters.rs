//! Oximeters before the real daemon: the simulator on pseudo-terminals, and device sides at the other
//! end of a socket that the test can disturb, silence and listen to.

use crate::bedside::{Bench, Daemon, free_port, until};
use infusewatch::clock::Clock;
use infusewatch::protocol::{DeviceOptions, Screen, find};
use infusewatch::vocabulary::{Cause, Decimal, Parameter, Reading};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Each with the silence that its feed is allowed, and the cause by which it tells a probe that is off.
const OXIMETERS: [(&str, &str, &str); 8] = [
    ("nonin-df2", "2s", "probe-off"),
    ("nonin-df7", "2s", "probe-off"),
    ("nonin-df8", "2s", "probe-off"),
    ("nonin-df13", "120s", "not-available"),
    ("nonin-ascii", "2s", "not-available"),
    ("nellcor-ascii", "4s", "probe-off"),
    ("contec-v5", "2s", "probe-off"),
    ("contec-v7", "2s", "probe-off"),
];

/// The commands that `contec-v7` may send.
const START: [u8; 9] = [0x7D, 0x81, 0xA1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
const KEEP_ALIVE: [u8; 9] = [0x7D, 0x81, 0xAF, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
const XON: u8 = 0x11;

/// What the wire does to the device's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Clean,
    /// Garbage before every third write.
    Noisy,
    Silent,
}

struct Shared {
    screen: Screen,
    wire: Wire,
    /// Everything that the daemon sent.
    heard: Vec<u8>,
}

/// A device side at a TCP port, as behind a serial server.
struct Oximeter {
    protocol: &'static str,
    port: u16,
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Oximeter {
    fn start(protocol: &'static str) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            screen: measured(97),
            wire: Wire::Clean,
            heard: Vec::new(),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            move || serve(protocol, &listener, &shared, &stop)
        });
        Self {
            protocol,
            port,
            shared,
            stop,
            thread: Some(thread),
        }
    }

    fn set(&self, screen: Screen, wire: Wire) {
        let mut shared = self.shared.lock().unwrap();
        shared.screen = screen;
        shared.wire = wire;
    }

    fn heard(&self) -> Vec<u8> {
        self.shared.lock().unwrap().heard.clone()
    }

    fn feed(&self) -> String {
        let (name, silence) = (self.protocol, silence(self.protocol));
        format!(
            "[[feed]]\nname = \"{name}\"\nprotocol = \"{name}\"\nconnect = \"127.0.0.1:{}\"\nsilence = \"{silence}\"\n",
            self.port
        )
    }
}

impl Drop for Oximeter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn silence(protocol: &str) -> &'static str {
    OXIMETERS
        .iter()
        .find(|(name, _, _)| *name == protocol)
        .unwrap()
        .1
}

fn serve(protocol: &str, listener: &TcpListener, shared: &Mutex<Shared>, stop: &AtomicBool) {
    let clock = Clock::real();
    let mut device = (find(protocol).unwrap().device)(&DeviceOptions::default());
    // Nobody waits here for a spot check.
    let cadence = device.cadence().min(Duration::from_millis(333));
    let mut stream: Option<TcpStream> = None;
    let mut next = clock.now().moment;
    let mut writes = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
        let now = clock.now();
        let Some(host) = &mut stream else {
            stream = listener.accept().ok().map(|(host, _)| {
                host.set_nonblocking(true).unwrap();
                device.opened(now);
                host
            });
            continue;
        };
        let mut buffer = [0; 256];
        let mut sent = Vec::new();
        match host.read(&mut buffer) {
            Ok(0) => {
                stream = None;
                continue;
            }
            Ok(length) => {
                shared
                    .lock()
                    .unwrap()
                    .heard
                    .extend_from_slice(&buffer[..length]);
                device.receive(now, &buffer[..length], &mut sent);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => {
                stream = None;
                continue;
            }
        }
        if next > now.moment {
            continue;
        }
        next = now.moment.after(cadence);
        let (screen, wire) = {
            let shared = shared.lock().unwrap();
            (shared.screen.clone(), shared.wire)
        };
        if wire == Wire::Silent {
            continue;
        }
        device.present(now, &screen, &mut sent);
        writes += 1;
        if wire == Wire::Noisy && writes.is_multiple_of(3) {
            sent.insert(
                0,
                b"\x01\x81\x93\x02\xFFSPO2=0\x00\x02\x00\x0D\x7F\n".to_vec(),
            );
        }
        for bytes in sent {
            if host.write_all(&bytes).is_err() {
                stream = None;
                break;
            }
        }
    }
}

fn screen(spo2: Reading, rate: Reading) -> Screen {
    Screen {
        civil_ms: 1_767_349_230_000,
        numerics: [(Parameter::Spo2, spo2), (Parameter::Pr, rate)].into(),
        ..Screen::default()
    }
}

fn measured(spo2: i64) -> Screen {
    let whole = |value| Reading::Valid(Decimal::whole(value));
    screen(whole(spo2), whole(72))
}

fn probe_off() -> Screen {
    let off = Reading::Invalid(Cause::ProbeOff);
    screen(off, off)
}

/// What the board says about the saturation of one feed.
fn spo2(board: &Value, feed: &str) -> Option<Value> {
    board["vitals"]
        .as_array()?
        .iter()
        .find(|vital| vital["parameter"] == "spo2" && vital["feed"] == feed)
        .cloned()
}

fn shows(daemon: &Daemon, feed: &str, value: i64) {
    until(&format!("{feed} to show {value}"), || {
        let vital = spo2(&daemon.try_get("/api/v1/now")?, feed)?;
        (vital["value"] == value).then_some(())
    });
}

fn shows_no_number(daemon: &Daemon, feed: &str, cause: &str) {
    until(&format!("{feed} to show {cause}"), || {
        let vital = spo2(&daemon.try_get("/api/v1/now")?, feed)?;
        (vital["value"].is_null() && vital["cause"] == cause).then_some(())
    });
}

fn state(board: &Value, feed: &str) -> Option<Value> {
    board["feeds"]
        .as_array()?
        .iter()
        .find(|one| one["name"] == feed)
        .cloned()
}

#[test]
fn every_simulated_oximeter_is_read_from_its_own_serial_line() {
    let bench = Bench::bare();
    let feeds: String = OXIMETERS
        .iter()
        .map(|(name, silence, _)| {
            format!(
                "[[feed]]\nname = \"{name}\"\nprotocol = \"{name}\"\nserial = {:?}\nsilence = \"{silence}\"\n",
                bench.path(name)
            )
        })
        .collect();
    bench.configure(&feeds);
    let _devices: Vec<_> = OXIMETERS
        .iter()
        .map(|(name, _, _)| bench.plug_in(name, &["--protocol", name]))
        .collect();
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-205"}"#);
    for (name, _, _) in OXIMETERS {
        let vital = until(&format!("a saturation from {name}"), || {
            let vital = spo2(&daemon.try_get("/api/v1/now")?, name)?;
            vital["value"].as_i64().map(|_| vital)
        });
        assert!(
            (90..=100).contains(&vital["value"].as_i64().unwrap()),
            "{vital}"
        );
        assert_eq!(vital["validity"], "valid", "{vital}");
        // The board says which of them are made to be looked at only.
        assert_eq!(
            vital["display_grade"],
            name.starts_with("contec"),
            "{vital}"
        );
    }
    daemon.kill();
    bench.verify();
}

#[test]
fn an_oximeter_is_followed_through_off_desaturation_and_noise() {
    let oximeters = OXIMETERS.map(|(name, _, _)| Oximeter::start(name));
    let bench = Bench::bare();
    bench.configure(&oximeters.iter().map(Oximeter::feed).collect::<String>());
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    let all = |screen: &dyn Fn() -> Screen, wire| {
        for oximeter in &oximeters {
            oximeter.set(screen(), wire);
        }
    };
    for oximeter in &oximeters {
        shows(&daemon, oximeter.protocol, 97);
    }
    all(&probe_off, Wire::Clean);
    for (name, _, cause) in OXIMETERS {
        shows_no_number(&daemon, name, cause);
    }
    all(&|| measured(84), Wire::Noisy);
    for oximeter in &oximeters {
        let name = oximeter.protocol;
        shows(&daemon, name, 84);
        until(&format!("faults of {name}"), || {
            let feed = state(&daemon.try_get("/api/v1/now")?, name)?;
            (feed["faults"].as_u64()? > 0 && feed["state"] == "ok").then_some(())
        });
    }
    // Nothing but what the three screens showed was ever believed.
    let wrong = "select count(*) from v_vitals where parameter = 'spo2' and value is not null and value not in (97, 84)";
    assert_eq!(bench.sqlite(wrong), "0");
    for oximeter in &oximeters {
        let heard = oximeter.heard();
        let name = oximeter.protocol;
        if name == "contec-v7" {
            assert!(heard.starts_with(&START), "{heard:02x?}");
            let commands = heard.chunks(9);
            let are_reading = |bytes: &[u8]| bytes == START || bytes == KEEP_ALIVE;
            assert!(commands.into_iter().all(are_reading), "{heard:02x?}");
        } else {
            assert!(heard.is_empty(), "{name}: {heard:02x?}");
        }
    }
    daemon.kill();
    bench.verify();
}

#[test]
fn a_silent_oximeter_is_lost_and_comes_back() {
    let oximeters = ["nonin-df2", "nonin-ascii", "nellcor-ascii", "contec-v7"].map(Oximeter::start);
    let bench = Bench::bare();
    bench.configure(&oximeters.iter().map(Oximeter::feed).collect::<String>());
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    for oximeter in &oximeters {
        shows(&daemon, oximeter.protocol, 97);
    }
    for oximeter in &oximeters {
        oximeter.set(measured(96), Wire::Silent);
    }
    for oximeter in &oximeters {
        let name = oximeter.protocol;
        until(&format!("{name} to be lost"), || {
            let board = daemon.try_get("/api/v1/now")?;
            let is_told = board["alarms"].as_array()?.iter().any(|alarm| {
                alarm["rule"] == "feed-lost" && alarm["text"].as_str().unwrap().contains(name)
            });
            let is_lost = state(&board, name)?["state"] == "lost";
            let is_blank = spo2(&board, name)?["value"].is_null();
            (is_told && is_lost && is_blank).then_some(())
        });
    }
    for oximeter in &oximeters {
        oximeter.set(measured(96), Wire::Clean);
    }
    for oximeter in &oximeters {
        shows(&daemon, oximeter.protocol, 96);
    }
    daemon.no_alarm("feed-lost");
    for oximeter in &oximeters {
        let heard = oximeter.heard();
        match oximeter.protocol {
            "contec-v7" => assert!(
                heard.chunks(9).filter(|bytes| **bytes == START).count() > 1,
                "started again: {heard:02x?}"
            ),
            "nellcor-ascii" => assert!(heard.iter().all(|byte| *byte == XON), "{heard:02x?}"),
            name => assert!(heard.is_empty(), "{name}: {heard:02x?}"),
        }
    }
    daemon.kill();
    bench.verify();
}
