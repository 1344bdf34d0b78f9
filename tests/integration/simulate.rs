//! `simulate` from outside: its exit codes, its ready line, its end, and that every protocol's session
//! reads from every protocol's device what the scenario says.

use infusewatch::clock::Clock;
use infusewatch::protocol::{Event, Events, Protocol, REGISTRY, SessionOptions, SpeaksFirst};
use infusewatch::vocabulary::{Cause, Parameter, Reading};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn simulate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_infusewatch"));
    command.arg("simulate").args(arguments);
    command
}

fn refused(arguments: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } = simulate(arguments).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{arguments:?}: {stderr}");
    stderr
}

/// A running simulator that is stopped when dropped.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = simulate(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim_end().strip_prefix("ready ").unwrap().to_owned();
        Self { child, address }
    }

    fn stop(mut self, signal: Signal) -> Option<i32> {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Protocols that give numbers.
fn speaking() -> impl Iterator<Item = &'static Protocol> {
    REGISTRY
        .iter()
        .filter(|protocol| !protocol.parameters.is_empty())
}

#[test]
fn a_wrong_command_line_is_explained() {
    let stderr = refused(&["--protocol", "telepathy", "--listen", "127.0.0.1:0"], 64);
    assert!(stderr.contains("unknown protocol \"telepathy\"; known are:"));
    for protocol in REGISTRY {
        assert!(stderr.contains(protocol.name), "{stderr}");
    }
    refused(&["--protocol", "telepathy"], 64);
    refused(&["--protocol", "p", "--listen", "a", "--udp", "a"], 64);
    refused(&["--protocol", "p", "--listen", "a", "--speed", "0"], 64);
}

#[test]
fn a_scenario_that_cannot_be_used_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("bad.csv");
    std::fs::write(&table, "t_s,spo2\n0,97\n5,ninety\n5,96\n2,95\n").unwrap();
    let table = table.to_str().unwrap();
    let Some(protocol) = speaking().next() else {
        return;
    };
    let with = |scenario| {
        let place = ["--protocol", protocol.name, "--listen", "127.0.0.1:0"];
        [&place[..], &["--scenario", scenario]].concat()
    };
    let stderr = refused(&with("levitation"), 64);
    assert!(
        stderr.contains("scenarios are: stable, ketamine"),
        "{stderr}"
    );
    let stderr = refused(&with(table), 65);
    assert!(
        stderr.contains("bad.csv: line 3: spo2 is \"ninety\""),
        "{stderr}"
    );
    assert!(
        stderr.contains("bad.csv: line 5: t_s is not later"),
        "{stderr}"
    );
    refused(&with(folder.path().to_str().unwrap()), 74);
    let nowhere = folder.path().join("no-device");
    let nowhere = nowhere.to_str().unwrap();
    let stderr = refused(&["--protocol", protocol.name, "--serial", nowhere], 74);
    assert!(stderr.contains(nowhere), "{stderr}");
}

#[test]
fn a_stopped_simulator_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for (protocol, signal) in speaking().zip([Signal::SIGTERM, Signal::SIGINT].iter().cycle()) {
        let link = folder.path().join(protocol.name);
        let running =
            Running::start(&["--protocol", protocol.name, "--pty", link.to_str().unwrap()]);
        assert_eq!(Path::new(&running.address), link);
        assert!(std::fs::read_link(&link).unwrap().starts_with("/dev/pts"));
        assert_eq!(running.stop(*signal), Some(0));
        assert!(std::fs::symlink_metadata(&link).is_err());
    }
}

/// Reads from a device until `enough`, as a feed does; everything that was observed.
fn observe(
    protocol: &Protocol,
    address: &str,
    enough: impl Fn(&[(Parameter, Reading)]) -> bool,
) -> Vec<(Parameter, Reading)> {
    let clock = Clock::real();
    let mut session = (protocol.open)(&SessionOptions::default()).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut events = Events::new();
    let mut observed = Vec::new();
    session.opened(clock.now(), &mut events);
    let given_up = clock.now().moment.after(Duration::from_secs(60));
    while !enough(&observed) {
        assert!(
            clock.now().moment < given_up,
            "{}: not enough in a minute: {observed:?}",
            protocol.name
        );
        while !events.is_empty() {
            for event in std::mem::take(&mut events) {
                match event {
                    Event::Observation(observation) => {
                        observed.extend(
                            observation
                                .parameter
                                .known()
                                .map(|known| (known, observation.reading)),
                        );
                    }
                    Event::Send(bytes) => stream.write_all(&bytes).unwrap(),
                    Event::AwaitCommit(token) => {
                        session.committed(clock.now(), token, true, &mut events);
                    }
                    Event::Fault(fault) => panic!("{}: {fault:?}", protocol.name),
                    Event::Frame
                    | Event::Identity(_)
                    | Event::DeviceAlert(_)
                    | Event::PumpEvent(_)
                    | Event::Wave(_)
                    | Event::Discarded(_) => {}
                }
            }
        }
        let mut buffer = [0; 4_096];
        match stream.read(&mut buffer) {
            Ok(0) => panic!("{}: the device hung up", protocol.name),
            Ok(length) => session.receive(clock.now(), &buffer[..length], &mut events),
            Err(_timeout) => {}
        }
        let now = clock.now();
        if session.deadline().is_some_and(|due| due <= now.moment) {
            session.expire(now, &mut events);
        }
    }
    observed
}

#[test]
fn every_session_reads_what_its_device_shows() {
    for protocol in speaking() {
        let place = ["--protocol", protocol.name, "--listen", "127.0.0.1:0"];
        let running = Running::start(&[&place[..], &["--speed", "20"]].concat());
        let wanted: Vec<_> = [Parameter::Spo2, Parameter::Hr, Parameter::NibpSys]
            .into_iter()
            .filter(|parameter| protocol.parameters.contains(parameter))
            .collect();
        let valid = |observed: &[(Parameter, Reading)], wanted| {
            observed
                .iter()
                .any(|(parameter, reading)| *parameter == wanted && reading.value().is_some())
        };
        let observed = observe(protocol, &running.address, |observed| {
            wanted.iter().all(|parameter| valid(observed, *parameter))
        });
        for (parameter, reading) in observed {
            let Some(value) = reading.value().and_then(|value| value.rounded(0)) else {
                continue;
            };
            let expected = match parameter {
                Parameter::Spo2 => 96..=99,
                Parameter::Hr | Parameter::Pr | Parameter::NibpPr => 68..=76,
                Parameter::NibpSys => 120..=128,
                Parameter::NibpDia => 73..=79,
                Parameter::NibpMean => 88..=96,
                Parameter::Rr => 12..=16,
                Parameter::Etco2 => 36..=40,
                Parameter::Temp => 36..=37,
                Parameter::Pi => 3..=5,
                Parameter::ArtSys | Parameter::ArtDia | Parameter::ArtMean | Parameter::ArtPr => {
                    continue;
                }
            };
            assert!(
                expected.contains(&value),
                "{}: {parameter:?} {value}",
                protocol.name
            );
        }
    }
}

#[test]
fn a_probe_that_comes_off_is_no_number_and_no_fault() {
    let oximeters = speaking().filter(|protocol| protocol.parameters.contains(&Parameter::Spo2));
    for protocol in oximeters {
        let place = ["--protocol", protocol.name, "--listen", "127.0.0.1:0"];
        // A device that is asked is asked in real time.
        let speed = match protocol.speaks_first {
            SpeaksFirst::Device => "50",
            SpeaksFirst::Host => "10",
        };
        let scenario = ["--speed", speed, "--scenario", "probe-off"];
        let running = Running::start(&[place, scenario].concat());
        let is_off = |(parameter, reading): &(Parameter, Reading)| {
            *parameter == Parameter::Spo2 && matches!(reading, Reading::Invalid(_))
        };
        let observed = observe(protocol, &running.address, |observed| {
            observed.iter().filter(|observed| is_off(observed)).count() >= 3
        });
        let first = observed.iter().position(is_off).unwrap();
        let back = observed[first..]
            .iter()
            .any(|(parameter, reading)| *parameter == Parameter::Spo2 && reading.value().is_some());
        assert!(!back, "{}: {observed:?}", protocol.name);
    }
}

#[test]
fn a_zero_in_a_table_is_never_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("zeros.csv");
    std::fs::write(
        &table,
        "t_s,spo2,pr,hr,nibp-sys,nibp-dia\n0,0,0,0,0,0\n100000,97,70,70,120,80\n",
    )
    .unwrap();
    for protocol in speaking() {
        let place = ["--protocol", protocol.name, "--listen", "127.0.0.1:0"];
        let scenario = ["--speed", "20", "--scenario", table.to_str().unwrap()];
        let running = Running::start(&[place, scenario].concat());
        let observed = observe(protocol, &running.address, |observed| observed.len() >= 20);
        for (parameter, reading) in observed {
            match reading {
                Reading::Invalid(cause) => assert_ne!(cause, Cause::OutOfRange),
                Reading::Valid(value) | Reading::Questionable(value, _) => {
                    panic!("{}: {parameter:?} {value}", protocol.name)
                }
            }
        }
    }
}
