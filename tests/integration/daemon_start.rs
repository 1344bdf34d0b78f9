//! Start and stop of the real binary: what systemd is told, what a bad configuration says, what a second
//! signal does.

use crate::bedside::{Bench, PATIENCE, Room, mdc, until};
use nix::sys::signal::Signal;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

/// The service manager's end of the notification socket.
struct Manager(UnixDatagram);

impl Manager {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// Waits for this message; anything else before it must be in `also`.
    fn hears(&self, message: &str, also: &[&str]) {
        let mut buffer = [0; 512];
        loop {
            let length = self.0.recv(&mut buffer).expect("a notification");
            let told = std::str::from_utf8(&buffer[..length]).unwrap().trim();
            if told == message {
                return;
            }
            assert!(also.contains(&told), "{told:?} instead of {message:?}");
        }
    }
}

/// The binary as a service: with a notification socket, and a watchdog of 600 ms.
fn service(bench: &Bench) -> (Manager, Command) {
    let socket = bench.path("notify");
    let manager = Manager::at(&socket);
    let mut launcher = Command::new(env!("CARGO_BIN_EXE_infusewatch"));
    launcher
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "600000")
        .env_remove("WATCHDOG_PID");
    (manager, launcher)
}

#[test]
fn a_display_port_in_use_is_an_alarm_and_monitoring_goes_on() {
    let bench = Bench::bare();
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    bench.configure_as(&Room {
        listen: &occupied.local_addr().unwrap().to_string(),
        feeds: &bench.hl7_feed(),
        ..Room::default()
    });
    let (manager, launcher) = service(&bench);
    let mut daemon = bench.spawn_by(launcher);
    manager.hears("READY=1", &[]);
    manager.hears("WATCHDOG=1", &[]);

    // Nobody sees a page, but readings are taken and the record says what is wrong.
    let acknowledgement = bench.monitor().send(&[(mdc::HR, "72", mdc::BPM)]);
    assert_eq!(acknowledgement, "CA");
    until("the display alarm in the record", || {
        let open = "select count(*) from v_alarms where rule = 'display' and ended is null";
        (bench.sqlite(open) == "1").then_some(())
    });
    assert!(bench.stderr().contains("display cannot be served"));

    drop(occupied);
    until("the page", || daemon.try_get("/api/v1/now"));
    daemon.no_alarm("display");
    assert!((daemon.number("hr") - 72.0).abs() < f64::EPSILON);

    daemon.signal(Signal::SIGTERM);
    manager.hears("STOPPING=1", &["WATCHDOG=1"]);
    assert_eq!(daemon.wait().code(), Some(0), "{}", bench.stderr());
    bench.verify();
}

#[test]
fn every_part_runs_on_a_thread_that_bears_its_name() {
    let bench = Bench::new();
    let daemon = bench.run();
    let tasks = format!("/proc/{}/task", daemon.pid());
    let names: Vec<_> = std::fs::read_dir(tasks)
        .unwrap()
        .map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap())
        .collect();
    for thread in ["engine", "journal", "sound"] {
        assert!(
            names.iter().any(|name| name.trim() == thread),
            "no thread {thread:?} among {names:?}"
        );
    }
}

#[test]
fn a_configuration_with_ten_mistakes_lists_them_all_and_opens_nothing() {
    let bench = Bench::bare();
    std::fs::write(
        bench.path("bed.toml"),
        "[bed]\nname = \"\"\ncolour = \"red\"\n\
         [journal]\npath = \"journal.db\"\n\
         [display]\nlisten = \"everywhere\"\n\
         [sound]\nplayer = \"loud\"\n\
         [profile]\nfile = \"no-such-profile.toml\"\n\
         [[feed]]\nname = \"one\"\nprotocol = \"telepathy\"\nserial = \"/dev/ttyS7\"\n\
         [[feed]]\nname = \"two\"\nprotocol = \"hl7-mllp\"\n\
         [[feed]]\nname = \"three\"\nprotocol = \"hl7-mllp\"\nlisten = \"0.0.0.0:2575\"\n\
         [[feed]]\nname = \"three\"\nprotocol = \"hl7-mllp\"\nlisten = \"127.0.0.1:2576\"\nsilence = \"soon\"\n\
         [[feed]]\nname = \"five\"\nprotocol = \"masimo-ascii1\"\nserial = \"/dev/ttyS8\"\nbaud = -3\n\
         [prefer]\nspo2 = [\"nobody\"]\n",
    )
    .unwrap();
    let mut daemon = bench.spawn();
    assert_eq!(daemon.wait().code(), Some(78), "{}", bench.stderr());
    let said = bench.stderr();
    for line in [2, 3, 7, 9, 11, 14, 16, 22, 24, 27, 32, 34] {
        assert!(
            said.contains(&format!("bed.toml: line {line} ")),
            "nothing about line {line}:\n{said}"
        );
    }
    assert!(!bench.journal().exists(), "nothing is opened");
}

#[test]
fn a_second_signal_stops_at_once() {
    let bench = Bench::new();
    let (manager, launcher) = service(&bench);
    let mut daemon = bench.spawn_by(launcher);
    manager.hears("READY=1", &[]);
    daemon.signal(Signal::SIGTERM);
    manager.hears("STOPPING=1", &["WATCHDOG=1"]);
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait().code(), Some(0), "{}", bench.stderr());
}

#[test]
fn status_tells_healthy_alarming_and_absent_apart() {
    let bench = Bench::bare();
    let status = || bench.command(&["status", "--config", "bed.toml"]);
    let feeds = bench.hl7_feed();
    bench.configure_as(&Room {
        player: r#"["sh", "-c", "cat > /dev/null"]"#,
        feeds: &feeds,
        ..Room::default()
    });
    assert_eq!(status().0, Some(3));

    let daemon = bench.run();
    bench.monitor().send(&[(mdc::SPO2, "97", mdc::PERCENT)]);
    daemon.no_alarm("sound");
    until("a healthy status", || (status().0 == Some(0)).then_some(()));
    let (_, text) = status();
    assert!(text.contains("Chair 3: standby"), "{text}");
    let (code, json) = bench.command(&["status", "--config", "bed.toml", "--json"]);
    assert_eq!(code, Some(0));
    let board: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(board["bed"], "Chair 3");
    daemon.kill();
    // The file with the address is still there; nobody answers at it.
    assert_eq!(status().0, Some(3));

    bench.configure(&feeds);
    let daemon = bench.run();
    daemon.alarm("sound", "medium");
    let (code, text) = status();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("sound: does not work"), "{text}");
}
