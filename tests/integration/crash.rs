//! The real binary killed, stopped and starved; what the next start shows (clinical.md 11, goal 8).

use crate::bedside::{Bench, mdc, until};
use nix::sys::signal::Signal;
use std::fs;
use std::io::Write;

fn low_saturation(bench: &Bench, daemon: &crate::bedside::Daemon) {
    daemon.done(r#"{"command":"open-session","patient":"K-204"}"#);
    let mut monitor = bench.monitor();
    daemon_sees(daemon, &mut monitor);
}

fn daemon_sees(daemon: &crate::bedside::Daemon, monitor: &mut crate::bedside::Monitor) {
    until("the SpO2 alarm", || {
        assert_eq!(
            monitor.send(&[(mdc::SPO2, "80", mdc::PERCENT), (mdc::HR, "72", mdc::BPM)]),
            "CA"
        );
        daemon.now()["alarms"]
            .as_array()?
            .iter()
            .any(|alarm| alarm["rule"] == "spo2-low" && alarm["priority"] == "high")
            .then_some(())
    });
}

#[test]
fn goal_8_a_killed_daemon_alarms_again_with_the_same_occurrence() {
    let bench = Bench::new();
    let daemon = bench.run();
    low_saturation(&bench, &daemon);
    let before = daemon.alarm("spo2-low", "high");
    let seq_before: u64 = bench.sqlite("select max(seq) from record").parse().unwrap();
    daemon.kill();

    let daemon = bench.run();
    let board = daemon.now();
    let after = daemon.alarm("spo2-low", "high");
    assert_eq!(
        after["id"], before["id"],
        "the same occurrence, not a new one"
    );
    assert_eq!(after["since"], before["since"]);
    assert_eq!(board["phase"], "baseline");
    assert_eq!(board["session"]["about"]["patient"], "K-204");
    assert!(board["seq"].as_u64().unwrap() > seq_before);
    let begins = bench.sqlite("select count(*) from v_alarms where rule = 'spo2-low'");
    assert_eq!(begins, "1");
}

#[test]
fn goal_8_every_acknowledged_message_is_in_the_journal_after_a_kill() {
    let bench = Bench::new();
    let daemon = bench.run();
    let mut monitor = bench.monitor();
    for value in 60..90 {
        assert_eq!(
            monitor.send(&[(mdc::HR, &value.to_string(), mdc::BPM)]),
            "CA"
        );
    }
    daemon.kill();
    assert_eq!(
        bench.sqlite("select count(*) from v_vitals where parameter = 'hr'"),
        "30"
    );
    let gaps = bench.sqlite(
        "select count(*) from (select seq, lag(seq) over (order by seq) before from \
         (select seq from input union all select seq from record)) where seq <> before + 1",
    );
    assert_eq!(gaps, "0", "seq is gapless");
}

#[test]
fn stop_is_clean_and_a_second_start_goes_on() {
    let bench = Bench::new();
    let mut daemon = bench.run();
    low_saturation(&bench, &daemon);
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0), "{}", bench.stderr());
    let daemon = bench.run();
    daemon.alarm("spo2-low", "high");
}

#[test]
fn a_second_daemon_on_the_same_journal_ends_with_74() {
    let bench = Bench::new();
    let _first = bench.run();
    let mut second = bench.spawn();
    assert_eq!(second.wait().code(), Some(74), "{}", bench.stderr());
}

#[test]
fn a_journal_from_a_newer_version_ends_with_74_and_is_left_alone() {
    let bench = Bench::new();
    let mut daemon = bench.run();
    daemon.signal(Signal::SIGTERM);
    daemon.wait();
    let status = std::process::Command::new("sqlite3")
        .arg(bench.journal())
        .arg("pragma user_version = 9999")
        .status()
        .unwrap();
    assert!(status.success());
    let mut daemon = bench.spawn();
    assert_eq!(daemon.wait().code(), Some(74), "{}", bench.stderr());
    assert!(
        bench.stderr().contains("version 9999"),
        "{}",
        bench.stderr()
    );
    assert_eq!(bench.sqlite("pragma user_version"), "9999");
}

#[test]
fn a_file_that_is_no_journal_is_set_aside_and_monitoring_begins() {
    let bench = Bench::new();
    fs::File::create(bench.journal())
        .unwrap()
        .write_all(&[0x5a; 8192])
        .unwrap();
    let daemon = bench.run();
    daemon.alarm("journal", "high");
    let aside = fs::read_dir(bench.folder.path())
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains(".damaged-")
        })
        .count();
    assert_eq!(aside, 1);
}
