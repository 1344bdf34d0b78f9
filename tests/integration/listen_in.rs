//! `listen-in` from outside: what it recognises, what it suggests, and that it never sends.

use crate::bedside::{Bench, free_port};
use infusewatch::protocol::{Protocol, REGISTRY, SpeaksFirst};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn an_oximeter_on_a_port_is_recognised_with_its_feed_and_its_capture() {
    let bench = Bench::bare();
    let _device = bench.plug_in("port", &["--protocol", "masimo-ascii1"]);
    let port = bench.path("port");
    let port = port.to_str().unwrap();
    let (code, text) = bench.command(&["listen-in", port, "--capture", "heard.txt"]);
    assert_eq!(code, Some(0), "{text}");
    let feed =
        format!("[[feed]]\nname = \"device\"\nprotocol = \"masimo-ascii1\"\nserial = \"{port}\"\n");
    assert!(text.contains(&feed), "{text}");
    assert!(
        !text.contains("baud ="),
        "its own settings need no words: {text}"
    );
    let heard = std::fs::read_to_string(bench.path("heard.txt")).unwrap();
    assert!(heard.contains("SPO2="), "{heard}");
}

fn recognised_over_a_serial_server(protocol: &Protocol) {
    let bench = Bench::bare();
    let address = format!("127.0.0.1:{}", free_port());
    let mut device = Command::new(env!("CARGO_BIN_EXE_infusewatch"))
        .args([
            "simulate",
            "--protocol",
            protocol.name,
            "--listen",
            &address,
            "--speed",
            "20",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 5];
    device
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut ready)
        .unwrap();
    // A spot check a minute takes its time even at this speed.
    let (code, text) = bench.command(&["listen-in", &address, "--seconds", "9"]);
    device.kill().unwrap();
    device.wait().unwrap();
    assert_eq!(code, Some(0), "{}: {text}", protocol.name);
    assert!(
        text.contains(&format!("protocol = \"{}\"", protocol.name)),
        "{text}"
    );
    assert!(text.contains(&format!("connect = \"{address}\"")), "{text}");
}

#[test]
fn every_device_that_speaks_unasked_is_recognised_over_a_serial_server() {
    let talking = REGISTRY
        .iter()
        .filter(|one| one.speaks_first == SpeaksFirst::Device && one.line.is_some());
    std::thread::scope(|threads| {
        for protocol in talking {
            threads.spawn(move || recognised_over_a_serial_server(protocol));
        }
    });
}

#[test]
fn not_one_byte_is_sent_and_silence_is_explained() {
    let bench = Bench::bare();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let device = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut sent = Vec::new();
        stream.read_to_end(&mut sent).unwrap();
        sent
    });
    let (code, text) = bench.command(&["listen-in", &address, "--seconds", "2"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("silence") && text.contains("ge-dri"),
        "{text}"
    );
    assert!(device.join().unwrap().is_empty(), "listening is not asking");
}

#[test]
fn bytes_that_nobody_reads_are_kept_for_support() {
    let bench = Bench::bare();
    let address = format!("127.0.0.1:{}", free_port());
    let sender = {
        let address = address.clone();
        std::thread::spawn(move || {
            let mut stream =
                crate::bedside::until("listen-in to listen", || TcpStream::connect(&address).ok());
            stream
                .write_all(&b"?unknown device!\r\n".repeat(40))
                .unwrap();
        })
    };
    let (code, text) =
        bench.command(&["listen-in", &address, "--listen", "--capture", "heard.raw"]);
    sender.join().unwrap();
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("720 bytes") && text.contains("capture"),
        "{text}"
    );
    assert_eq!(std::fs::read(bench.path("heard.raw")).unwrap().len(), 720);
}

#[test]
fn a_place_that_is_none_is_explained() {
    let bench = Bench::bare();
    for (arguments, code) in [
        (&["listen-in", "ttyUSB0"][..], 64),
        (&["listen-in", "here:1", "--udp"], 64),
        (&["listen-in", "/dev/nothing-there"], 74),
        (&["listen-in", "127.0.0.1:1"], 74),
    ] {
        let (found, text) = bench.command(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
    }
}
