//! Every protocol's device read by the real daemon at once: one bed with a feed for each, over pseudo-terminals
//! and datagrams.

use crate::bedside::{Bench, Device, free_port, until};
use infusewatch::protocol::{Protocol, REGISTRY};
use std::collections::BTreeSet;

/// Protocols that are spoken on a line or by datagrams and give numbers.
fn devices() -> impl Iterator<Item = &'static Protocol> {
    REGISTRY
        .iter()
        .filter(|one| !one.parameters.is_empty() && (one.line.is_some() || one.name == "ge-unity"))
}

fn feeds_with_values(bench: &Bench, since: &str) -> BTreeSet<String> {
    let question = format!(
        "select distinct feed from v_vitals where value is not null and wall_time > '{since}'"
    );
    bench.sqlite(&question).lines().map(str::to_owned).collect()
}

#[test]
fn every_device_is_read_lost_and_found_again() {
    let bench = Bench::bare();
    let ports: Vec<(u16, u16)> = devices().map(|_| (free_port(), free_port())).collect();
    let mut feeds = String::new();
    for (protocol, (ours, theirs)) in devices().zip(&ports) {
        let place = if protocol.line.is_some() {
            format!("serial = {:?}", bench.path(protocol.name))
        } else {
            format!("udp = \"127.0.0.1:{ours}\"\npeer = \"127.0.0.1:{theirs}\"")
        };
        let name = protocol.name;
        feeds.push_str(&format!(
            "[[feed]]\nname = \"{name}\"\nprotocol = \"{name}\"\n{place}\nsilence = \"8s\"\n"
        ));
    }
    bench.configure(&feeds);
    let plug = |protocol: &Protocol, theirs: u16| -> Device {
        let about = ["--protocol", protocol.name];
        if protocol.line.is_some() {
            bench.plug_in(protocol.name, &about)
        } else {
            bench.plug_in_at(&["--udp", &format!("127.0.0.1:{theirs}")], &about)
        }
    };
    let names: BTreeSet<String> = devices().map(|one| one.name.to_owned()).collect();
    let plugged: Vec<Device> = devices()
        .zip(&ports)
        .map(|(one, (_, theirs))| plug(one, *theirs))
        .collect();
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-300"}"#);
    let all = |since: &str| {
        until("values of every device", || {
            (feeds_with_values(&bench, since) == names).then_some(())
        });
    };
    all("0");

    drop(plugged);
    let lost = || -> BTreeSet<String> {
        let board = daemon.now();
        let alarms = board["feeds"].as_array().unwrap().iter();
        alarms
            .filter(|feed| feed["state"] == "lost")
            .map(|feed| feed["name"].as_str().unwrap().to_owned())
            .collect()
    };
    until("every serial feed to be lost", || {
        let lost = lost();
        let mut serial = devices().filter(|one| one.line.is_some());
        serial.all(|one| lost.contains(one.name)).then_some(())
    });
    let now = bench.sqlite("select max(wall_time) from v_vitals");
    let _again: Vec<Device> = devices()
        .zip(&ports)
        .map(|(one, (_, theirs))| plug(one, *theirs))
        .collect();
    all(&now);
    daemon.kill();
    bench.verify();
}
