//! Feeds of the real binary, seen from the other end of the cable: simulated devices on
//! pseudo-terminals, a monitor that falls silent, an adapter that is not there, a capture played back.

use crate::bedside::{Bench, Device, mdc, until};
use nix::sys::signal::Signal;

/// A Masimo oximeter on the pseudo-terminal `cable`.
fn oximeter(bench: &Bench) -> Device {
    bench.plug_in("cable", &["--protocol", "masimo-ascii1"])
}

/// The feed that reads it.
fn oximeter_feed(bench: &Bench) -> String {
    format!(
        "[[feed]]\nname = \"oximeter\"\nprotocol = \"masimo-ascii1\"\nserial = {:?}\nsilence = \"3s\"\n",
        bench.path("cable")
    )
}

fn count(bench: &Bench, question: &str) -> u64 {
    bench.sqlite(question).parse().unwrap()
}

#[test]
fn two_serial_devices_give_numbers_waves_and_rows() {
    let bench = Bench::bare();
    bench.configure(&format!(
        "{}[[feed]]\nname = \"theatre\"\nprotocol = \"ge-dri\"\nserial = {:?}\nwaves = \"ecg1,pleth\"\n",
        oximeter_feed(&bench),
        bench.path("s5")
    ));
    let _oximeter = oximeter(&bench);
    let _monitor = bench.plug_in("s5", &["--protocol", "ge-dri"]);
    let mut daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-205"}"#);
    for parameter in ["spo2", "pr", "pi", "hr"] {
        assert!(daemon.number(parameter) > 0.0, "{parameter}");
    }
    until("rows of both feeds and a second of waves", || {
        let both =
            "select count(distinct feed) from v_vitals where value is not null and session = 1";
        let waves = "select count(*) from wave where session = 1";
        (count(&bench, both) == 2 && count(&bench, waves) > 0).then_some(())
    });
    let doubtful = "select count(*) from v_vitals where validity = 'valid' and value <= 0 and parameter <> 'temp'";
    assert_eq!(count(&bench, doubtful), 0);
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0), "{}", bench.stderr());
    bench.verify();
}

#[test]
fn an_adapter_that_is_not_there_is_lost_until_it_is() {
    let bench = Bench::bare();
    bench.configure(&oximeter_feed(&bench));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    let lost = daemon.alarm("feed-lost", "low");
    assert!(
        lost["text"].as_str().unwrap().contains("oximeter"),
        "the alarm names the feed: {lost}"
    );
    assert!(bench.stderr().contains("feed lost"), "{}", bench.stderr());

    let device = oximeter(&bench);
    assert!(daemon.number("spo2") > 80.0);
    daemon.no_alarm("feed-lost");

    // Pulled out again: the same feed, another occurrence.
    drop(device);
    let again = daemon.alarm("feed-lost", "low");
    assert_ne!(again["id"], lost["id"]);
    daemon.kill();
    bench.verify();
}

#[test]
fn a_connection_that_stays_open_and_says_nothing_is_lost_within_its_silence() {
    let bench = Bench::bare();
    bench.configure(&bench.hl7_feed().replace("10s", "2s"));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    let mut monitor = bench.monitor();
    monitor.send(&[(mdc::SPO2, "97", mdc::PERCENT), (mdc::HR, "70", mdc::BPM)]);
    daemon.number("spo2");
    daemon.done(r#"{"command":"start-infusion"}"#);
    let lost = daemon.alarm("feed-lost", "medium");
    // Decided at the deadline itself, 2 s after the last message.
    let late = "select at_us - (select at_us from input where parameter is not null order by seq desc limit 1) \
                from record where alarm = {} and event = 'begin'";
    let after = until("the alarm in the record", || {
        let answer = bench.sqlite(&late.replace("{}", &lost["id"].to_string()));
        (!answer.is_empty()).then_some(answer)
    });
    assert_eq!(after, "2000000");
    let board = daemon.now();
    let spo2 = board["vitals"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["parameter"] == "spo2")
        .unwrap();
    assert!(
        spo2["value"].is_null(),
        "no number stays as if it were new: {spo2}"
    );

    // The very same connection speaks again.
    monitor.send(&[(mdc::SPO2, "96", mdc::PERCENT), (mdc::HR, "71", mdc::BPM)]);
    daemon.no_alarm("feed-lost");
    daemon.kill();
    bench.verify();
}

#[test]
fn bytes_of_another_protocol_are_no_sign_of_life_and_no_message_is_lost_after_them() {
    let bench = Bench::bare();
    bench.configure(&bench.hl7_feed().replace("10s", "2s"));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session"}"#);
    let mut noise = bench.monitor();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_be_bytes()
    })
    .take(1 << 17)
    .flatten()
    .collect();
    noise.raw(&bytes);
    noise.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    daemon.alarm("feed-lost", "low");
    assert_eq!(bench.monitor().send(&[(mdc::HR, "66", mdc::BPM)]), "CA");
    assert!((daemon.number("hr") - 66.0).abs() < f64::EPSILON);
    daemon.kill();
    bench.verify();
}

#[test]
fn an_unknown_device_is_recorded_and_its_capture_plays_as_a_feed() {
    let bench = Bench::bare();
    bench.configure(&format!(
        "[[feed]]\nname = \"unknown\"\nprotocol = \"raw\"\nserial = {:?}\nbaud = 9600\ncapture = \"unknown.raw\"\n",
        bench.path("cable")
    ));
    let device = oximeter(&bench);
    let mut daemon = bench.run();
    until("some lines in the capture", || {
        let kept = std::fs::read(bench.path("unknown.raw")).ok()?;
        (kept.iter().filter(|byte| **byte == b'\n').count() >= 3).then_some(())
    });
    daemon.done(r#"{"command":"open-session"}"#);
    daemon.done(r#"{"command":"close-session","by":"RN","override":{"reason":"test","by":"RN"}}"#);
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0), "{}", bench.stderr());
    assert_eq!(
        count(&bench, "select count(*) from v_vitals"),
        0,
        "bytes only"
    );
    drop(device);

    bench.configure(
        "[[feed]]\nname = \"capture\"\nprotocol = \"masimo-ascii1\"\nfile = \"unknown.raw\"\npace = \"own\"\n",
    );
    let daemon = bench.run();
    assert!(daemon.number("spo2") > 80.0);
    until("the rows of the capture", || {
        let rows = "select count(*) from v_vitals where feed = 'capture' and parameter = 'spo2'";
        (count(&bench, rows) >= 2).then_some(())
    });
    daemon.kill();
    bench.verify();
}
