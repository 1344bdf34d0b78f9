//! What the real binary says when its own parts fail: a full disk, a folder that cannot be written, a
//! player that dies. Monitoring goes on in each of these stories.

use crate::bedside::{Bench, Daemon, Room, mdc, until};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// Opens a session and gives readings until the SpO2 alarm sounds; how the messages were answered.
fn saturation_falls(bench: &Bench, daemon: &Daemon) -> Vec<String> {
    let mut monitor = bench.monitor();
    let mut answers = Vec::new();
    until("the SpO2 alarm", || {
        answers.push(monitor.send(&[(mdc::SPO2, "80", mdc::PERCENT), (mdc::HR, "72", mdc::BPM)]));
        let board = daemon.now();
        let alarms = board["alarms"].as_array()?;
        alarms
            .iter()
            .any(|alarm| alarm["rule"] == "spo2-low" && alarm["priority"] == "high")
            .then_some(())
    });
    answers
}

/// The binary on a disk on which no file may grow beyond `kilobytes`.
fn on_a_small_disk(kilobytes: u32) -> Command {
    let mut launcher = Command::new("bash");
    let limited = format!(
        "trap '' XFSZ; ulimit -f {kilobytes}; exec {:?} \"$@\"",
        env!("CARGO_BIN_EXE_infusewatch")
    );
    launcher.args(["-c", &limited, "bash"]);
    launcher
}

#[test]
fn a_full_disk_is_an_alarm_and_nobody_is_told_that_it_is_recorded() {
    let bench = Bench::new();
    // Room for the schema and the first seconds only; a limit of the process does not go away, so what happens
    // after the disk has room again is shown by the journal's own tests.
    let daemon = bench.spawn_by(on_a_small_disk(96));
    until("the daemon", || daemon.try_get("/api/v1/now"));
    daemon.done(r#"{"command":"open-session"}"#);
    let mut monitor = bench.monitor();
    let refused = until("a message that is not recorded", || {
        let answer = monitor.send(&[(mdc::HR, "72", mdc::BPM)]);
        (answer != "CA").then_some(answer)
    });
    assert_eq!(refused, "CE");
    let alarm = daemon.alarm("journal", "medium");
    assert!(
        alarm["text"]
            .as_str()
            .unwrap()
            .to_lowercase()
            .contains("record"),
        "{alarm}"
    );
    // Judging never waited for the disk.
    saturation_falls(&bench, &daemon);
    daemon.kill();

    // With room again the record goes on, and every row that is there proves itself.
    let daemon = bench.run();
    daemon.no_alarm("journal");
    assert_eq!(bench.monitor().send(&[(mdc::HR, "71", mdc::BPM)]), "CA");
    daemon.kill();
    bench.verify();
}

#[test]
fn a_folder_that_is_not_there_yet_is_an_alarm_and_the_record_catches_up() {
    let bench = Bench::bare();
    bench.configure_as(&Room {
        journal: "disk/journal.db",
        feeds: &bench.hl7_feed(),
        ..Room::default()
    });
    let daemon = bench.run();
    daemon.alarm("journal", "medium");
    daemon.done(r#"{"command":"open-session","patient":"K-206"}"#);
    let answers = saturation_falls(&bench, &daemon);
    assert!(answers.iter().all(|answer| answer == "CE"), "{answers:?}");

    fs::create_dir(bench.path("disk")).unwrap();
    daemon.no_alarm("journal");
    assert_eq!(
        bench.monitor().send(&[(mdc::SPO2, "80", mdc::PERCENT)]),
        "CA"
    );
    daemon.kill();
    fs::rename(bench.path("disk/journal.db"), bench.journal()).unwrap();
    fs::rename(
        bench.path("disk/journal.db-wal"),
        bench.path("journal.db-wal"),
    )
    .unwrap();
    assert_eq!(
        bench.sqlite("select count(*) from v_alarms where rule = 'spo2-low' and priority = 'high'"),
        "1",
        "what was decided before the disk came is in the record"
    );
    let rows = bench.sqlite("select count(*) from v_vitals where parameter = 'spo2'");
    assert_eq!(rows, (answers.len() + 1).to_string());
    bench.verify();
}

#[test]
fn a_folder_that_cannot_be_written_is_an_alarm_and_monitoring_begins() {
    let bench = Bench::bare();
    bench.configure_as(&Room {
        journal: "disk/journal.db",
        feeds: &bench.hl7_feed(),
        ..Room::default()
    });
    fs::create_dir(bench.path("disk")).unwrap();
    let writable = fs::metadata(bench.path("disk")).unwrap().permissions();
    let mut sealed = writable.clone();
    sealed.set_readonly(true);
    fs::set_permissions(bench.path("disk"), sealed).unwrap();
    // Root may write everywhere, unless it starts without that right.
    let mut launcher = Command::new(env!("CARGO_BIN_EXE_infusewatch"));
    if fs::metadata(bench.folder.path()).unwrap().uid() == 0 {
        launcher = Command::new("setpriv");
        launcher.args([
            "--bounding-set=-dac_override,-dac_read_search",
            env!("CARGO_BIN_EXE_infusewatch"),
        ]);
    }
    let daemon = bench.spawn_by(launcher);
    until("the daemon", || daemon.try_get("/api/v1/now"));
    daemon.alarm("journal", "medium");
    assert_eq!(bench.monitor().send(&[(mdc::HR, "72", mdc::BPM)]), "CE");
    assert!((daemon.number("hr") - 72.0).abs() < f64::EPSILON);

    fs::set_permissions(bench.path("disk"), writable).unwrap();
    daemon.no_alarm("journal");
    assert_eq!(bench.monitor().send(&[(mdc::HR, "73", mdc::BPM)]), "CA");
}

#[test]
fn a_player_that_dies_is_an_alarm_until_another_one_plays() {
    let bench = Bench::bare();
    let feeds = bench.hl7_feed();
    fs::write(bench.path("card"), "broken").unwrap();
    let player = format!(
        "[\"sh\", \"-c\", \"grep -q working '{0}' || {{ echo no such card >&2; exit 3; }}; cat > /dev/null\"]",
        bench.path("card").display()
    );
    bench.configure_as(&Room {
        player: &player,
        feeds: &feeds,
        ..Room::default()
    });
    let daemon = bench.run();
    let alarm = daemon.alarm("sound", "medium");
    let said = bench.stderr();
    assert!(said.contains("no such card"), "{said}");
    assert_eq!(daemon.now()["health"]["sound"], false, "{alarm}");

    fs::write(bench.path("card"), "working").unwrap();
    daemon.no_alarm("sound");
    assert_eq!(daemon.now()["health"]["sound"], true);
    daemon.kill();
    bench.verify();
}
