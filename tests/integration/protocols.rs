//! `protocols`: only what works is listed, with what a clinic must know to connect it.

use std::process::Command;

fn protocols(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .arg("protocols")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_list_is_the_registry_as_table_and_as_json() {
    let text = protocols(&[]);
    let list: serde_json::Value = serde_json::from_str(&protocols(&["--json"])).unwrap();
    let list = list.as_array().unwrap();
    let names: Vec<_> = list
        .iter()
        .map(|row| row["protocol"].as_str().unwrap())
        .collect();
    for name in ["masimo-ascii1", "ge-dri", "raw"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for row in list {
        for key in [
            "protocol",
            "title",
            "parameters",
            "waves",
            "line",
            "speaks_first",
            "cadence_s",
            "grade",
            "display_grade",
            "tested",
            "options",
        ] {
            assert!(row.get(key).is_some(), "{key} is missing: {row}");
        }
        assert!(text.contains(row["protocol"].as_str().unwrap()));
        assert!(text.contains(row["tested"].as_str().unwrap()));
    }
    let ge = list.iter().find(|row| row["protocol"] == "ge-dri").unwrap();
    assert_eq!(
        ge["line"],
        serde_json::json!({
            "baud": 19200, "data_bits": 8, "parity": "even", "stop_bits": 1, "handshake": "rts-cts"
        })
    );
    assert_eq!(ge["speaks_first"], "host");
}

#[test]
fn every_protocol_opens_and_has_a_device_side() {
    use infusewatch::protocol::{DeviceOptions, Events, REGISTRY, SessionOptions};
    use infusewatch::vocabulary::Now;
    for protocol in REGISTRY {
        let mut session = (protocol.open)(&SessionOptions::default()).unwrap();
        let mut events = Events::new();
        session.opened(Now::default(), &mut events);
        session.receive(Now::default(), b"\0garbage\r\n", &mut events);
        session.closed(Now::default(), &mut events);
        let device = (protocol.device)(&DeviceOptions::default());
        assert!(!device.cadence().is_zero(), "{}", protocol.name);
        let same_name = REGISTRY.iter().filter(|other| other.name == protocol.name);
        assert_eq!(same_name.count(), 1);
    }
}

#[test]
fn every_decoder_has_a_fuzz_target() {
    use infusewatch::protocol::REGISTRY;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz");
    let package = std::fs::read_to_string(format!("{folder}/Cargo.toml")).unwrap();
    for protocol in REGISTRY.iter().filter(|one| !one.parameters.is_empty()) {
        let name = protocol.name;
        let target = std::fs::read_to_string(format!("{folder}/targets/{name}.rs"));
        let target = target.unwrap_or_else(|_| panic!("{name} has no fuzz target"));
        assert!(
            target.contains(&format!("read(\"{name}\", data)")),
            "{target}"
        );
        assert!(
            package.contains(&format!("path = \"targets/{name}.rs\"")),
            "{name}"
        );
    }
}

/// The table of `docs/feeds.md`, from the registry.
fn table() -> String {
    use infusewatch::protocol::{Parity, REGISTRY, SpeaksFirst};
    let mut table = String::from(
        "| protocol | device | gives | serial line | speaks first | evidence | tested with |\n|---|---|---|---|---|---|---|\n",
    );
    for protocol in REGISTRY {
        let mut gives: Vec<_> = protocol.parameters.iter().map(|one| one.name()).collect();
        gives.extend(protocol.waves.then_some("waves"));
        let line = protocol.line.map_or_else(
            || "–".to_owned(),
            |line| {
                let parity = match line.parity {
                    Parity::None => 'N',
                    Parity::Even => 'E',
                    Parity::Odd => 'O',
                };
                let handshake = if line.rts_cts { " RTS/CTS" } else { "" };
                format!("{} 8{parity}1{handshake}", line.baud)
            },
        );
        let first = match protocol.speaks_first {
            SpeaksFirst::Device => "the device",
            SpeaksFirst::Host => "we ask",
        };
        let grade = match protocol.display_grade {
            true => format!("{}, display grade", protocol.grade.name()),
            false => protocol.grade.name().to_owned(),
        };
        let (name, title, tested) = (protocol.name, protocol.title, protocol.tested);
        let gives = if gives.is_empty() {
            "–".to_owned()
        } else {
            gives.join(" ")
        };
        table.push_str(&format!(
            "| `{name}` | {title} | {gives} | {line} | {first} | {grade} | {tested} |\n"
        ));
    }
    table
}

#[test]
fn the_guide_to_feeds_lists_what_the_program_has() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/feeds.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let (before, rest) = guide.split_once("<!-- registry -->\n").unwrap();
    let (written, after) = rest.split_once("<!-- end of registry -->").unwrap();
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = format!("{before}<!-- registry -->\n{table}<!-- end of registry -->{after}");
        std::fs::write(path, text).unwrap();
        return;
    }
    assert_eq!(written, table, "run this test once with UPDATE_DOCS=1");
    for protocol in infusewatch::protocol::REGISTRY {
        let heading = guide
            .lines()
            .any(|line| line.starts_with("## ") && line.contains(&format!("`{}`", protocol.name)));
        assert!(heading, "{} has no section of its own", protocol.name);
    }
}
