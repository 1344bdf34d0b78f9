//! The real binary killed, stopped and starved; what the next start shows (clinical.md 11, goal 8).

use crate::bedside::{Bench, mdc, until};
use nix::sys::signal::Signal;
use std::fs;
use std::io::Write;
use std::process::Command;

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
    daemon.alarm("restarted", "medium");
    let begins = bench.sqlite("select count(*) from v_alarms where rule = 'spo2-low'");
    assert_eq!(begins, "1");
    daemon.kill();
    bench.verify();
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
    assert!(
        bench.stderr().contains("session replayed"),
        "{}",
        bench.stderr()
    );
    daemon.kill();
    bench.verify();
}

/// Writes into the record as only a test may.
fn doctor(bench: &Bench, statement: &str) {
    let status = Command::new("sqlite3")
        .arg(bench.journal())
        .arg(statement)
        .status()
        .unwrap();
    assert!(status.success(), "{statement}");
}

#[test]
fn goal_8_a_start_after_a_good_one_replays_and_every_number_stays() {
    let bench = Bench::new();
    let daemon = bench.run();
    low_saturation(&bench, &daemon);
    let before = daemon.alarm("spo2-low", "high");
    daemon.done(&format!(
        r#"{{"command":"acknowledge","alarm":{},"seen_priority":"high"}}"#,
        before["id"]
    ));
    daemon.done(r#"{"command":"set-limit","rule":"rate-high","tier":"medium","value":125,"reason":"known"}"#);
    daemon.kill();
    // As if it had run for half a minute.
    doctor(&bench, "update start set good = 1");

    let daemon = bench.run();
    let after = daemon.alarm("spo2-low", "high");
    assert!(
        bench.stderr().contains("session replayed"),
        "{}",
        bench.stderr()
    );
    assert_eq!(
        (&after["id"], &after["since"]),
        (&before["id"], &before["since"])
    );
    assert_eq!(after["state"], "acknowledged");
    let board = daemon.now();
    assert!(
        board["alarms"]
            .as_array()
            .unwrap()
            .iter()
            .all(|alarm| alarm["rule"] != "restarted"),
        "a replay is whole: {board}"
    );
    daemon.kill();
    bench.verify();
}

#[test]
fn goal_8_a_replayed_alarm_is_heard_before_anything_new_happens() {
    let bench = Bench::new();
    let played = bench.folder.path().join("played");
    fs::create_dir(&played).unwrap();
    bench.configure_as(&crate::bedside::Room {
        player: &format!(r#"["sh", "-c", "exec cat > {}/$$"]"#, played.display()),
        feeds: &bench.hl7_feed(),
        ..crate::bedside::Room::default()
    });
    let loudest = || {
        let bytes = fs::read_dir(&played)
            .unwrap()
            .flat_map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect::<Vec<_>>();
        let samples = bytes.chunks_exact(2);
        samples
            .map(|sample| i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs())
            .max()
            .unwrap_or(0)
    };
    let daemon = bench.run();
    low_saturation(&bench, &daemon);
    until("the alarm's first burst", || {
        (loudest() > 1_000).then_some(())
    });
    daemon.kill();
    doctor(&bench, "update start set good = 1");
    for entry in fs::read_dir(&played).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let decided = "select max(seq) from record where kind in ('alarm', 'audio')";
    let before = bench.sqlite(decided);

    let daemon = bench.run();
    until("the restored alarm's sound", || {
        (loudest() > 1_000).then_some(())
    });
    assert_eq!(bench.sqlite(decided), before, "nothing new had to happen");
    daemon.alarm("spo2-low", "high");
    daemon.kill();
}

#[test]
fn goal_8_killed_again_and_again_the_record_has_no_hole_and_one_occurrence() {
    let bench = Bench::new();
    for round in 0..6 {
        let daemon = bench.run();
        let mut monitor = bench.monitor();
        if round == 0 {
            daemon.done(r#"{"command":"open-session"}"#);
            daemon_sees(&daemon, &mut monitor);
        }
        daemon.alarm("spo2-low", "high");
        // The kill hits between readings, their decisions and their commit.
        for value in 0..=round {
            monitor.raw(&crate::bedside::pcd(
                value,
                &[
                    (mdc::SPO2, "79", mdc::PERCENT),
                    (mdc::SYS, "190", mdc::MMHG),
                    (mdc::DIA, "85", mdc::MMHG),
                ],
            ));
        }
        daemon.kill();
        if round % 2 == 0 {
            doctor(&bench, "update start set good = 1");
        }
        bench.verify();
    }
    let holes = "select count(*) from (select seq, lag(seq) over (order by seq) before from \
                 (select seq from input union all select seq from record)) where seq <> before + 1";
    assert_eq!(bench.sqlite(holes), "0");
    let begun = bench.sqlite("select count(*) from v_alarms where rule = 'spo2-low'");
    assert_eq!(begun, "1", "one desaturation, one occurrence");
    let twice = "select count(*) from (select alarm from record where kind = 'alarm' \
                 group by alarm having sum(event = 'begin') <> 1 or sum(event = 'end') > 1)";
    assert_eq!(bench.sqlite(twice), "0");
}

#[test]
fn an_alarm_of_standby_goes_on_over_restarts_and_ends_when_its_cause_does() {
    let bench = Bench::new();
    let daemon = bench.run();
    let before = daemon.alarm("sound", "medium");
    until("the alarm in the record", || {
        (bench.sqlite("select count(*) from v_alarms where rule = 'sound'") == "1").then_some(())
    });
    daemon.kill();
    let daemon = bench.run();
    assert_eq!(daemon.alarm("sound", "medium")["id"], before["id"]);
    daemon.kill();

    bench.configure_as(&crate::bedside::Room {
        player: r#"["sh", "-c", "cat > /dev/null"]"#,
        feeds: &bench.hl7_feed(),
        ..crate::bedside::Room::default()
    });
    let mut daemon = bench.run();
    daemon.no_alarm("sound");
    daemon.signal(Signal::SIGTERM);
    daemon.wait();
    let lives = "select count(*), sum(ended is not null) from v_alarms where rule = 'sound'";
    assert_eq!(bench.sqlite(lives), "1|1");
    bench.verify();
}

#[test]
fn a_damaged_record_is_told_over_restarts_until_a_nurse_has_seen_it() {
    let bench = Bench::new();
    fs::write(bench.journal(), [0x5a; 8192]).unwrap();
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    until("the alarm in the session's record", || {
        let open = "select count(*) from v_alarms where rule = 'journal' and session = 1 and ended is null";
        (bench.sqlite(open) == "1").then_some(())
    });
    daemon.kill();
    // The next start replays, the one after it carries over.
    doctor(&bench, "update start set good = 1");
    let daemon = bench.run();
    daemon.alarm("journal", "high");
    daemon.kill();
    let mut daemon = bench.run();
    let alarm = daemon.alarm("journal", "high");
    daemon.done(&format!(
        r#"{{"command":"acknowledge","alarm":{},"seen_priority":"high"}}"#,
        alarm["id"]
    ));
    daemon.no_alarm("journal");
    daemon.signal(Signal::SIGTERM);
    daemon.wait();
    bench.verify();
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
    let status = Command::new("sqlite3")
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
