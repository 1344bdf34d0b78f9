//! The real daemon and devices at the other end of its network links: a Mindray monitor that is asked, a B. Braun
//! station that is asked, a gateway that speaks HL7 under TLS; and every byte that the daemon sent them.

use crate::bedside::{Bench, Daemon, PATIENCE, mdc, until};
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A device that the daemon connects to.
struct Socket {
    stream: TcpStream,
    /// Everything that the daemon said.
    heard: Vec<u8>,
}

impl Socket {
    fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        Self {
            stream,
            heard: Vec::new(),
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Waits until the daemon has said `wanted` since `from`.
    fn hears(&mut self, from: usize, wanted: &[u8]) {
        let what = String::from_utf8_lossy(wanted).into_owned();
        until(&what, || {
            let mut buffer = [0; 4_096];
            if let Ok(count) = self.stream.read(&mut buffer) {
                self.heard.extend_from_slice(&buffer[..count]);
            }
            self.heard[from..]
                .windows(wanted.len())
                .any(|part| part == wanted)
                .then_some(())
        });
    }
}

fn shown(daemon: &Daemon, parameter: &str, field: &str) -> serde_json::Value {
    let board = daemon.now();
    let vitals = board["vitals"].as_array().unwrap();
    vitals
        .iter()
        .find(|one| one["parameter"] == parameter)
        .map_or(serde_json::Value::Null, |one| one[field].clone())
}

/// A message of a Mindray monitor with one value.
fn mindray(id: u16, value: &str) -> Vec<u8> {
    format!(
        "\u{b}MSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rOBX||NM|{id}^x|2103|{value}||||||F\r\u{1c}\r"
    )
    .into_bytes()
}

#[test]
fn a_mindray_monitor_is_asked_read_lost_and_found_again() {
    let bench = Bench::bare();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    bench.configure(&format!(
        "[[feed]]\nname = \"monitor\"\nprotocol = \"mindray-pds\"\nconnect = \"{}\"\nsilence = \"2s\"\n",
        listener.local_addr().unwrap()
    ));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-310"}"#);
    let mut monitor = Socket::accept(&listener);
    let echo = b"\x0BMSH|^~\\&|||||||ORU^R01|106|P|2.3.1|\r\x1C\r";
    monitor.hears(0, echo);
    monitor.say(&mindray(160, "97"));
    assert!((daemon.number("spo2") - 97.0).abs() < f64::EPSILON);

    // The probe comes off: the monitor's mark is no number.
    monitor.say(&mindray(160, "-100"));
    until("no number", || {
        (shown(&daemon, "spo2", "cause") == "not-available").then_some(())
    });
    assert!(shown(&daemon, "spo2", "value").is_null());

    // Damage costs the message that it hits.
    let mut damaged = mindray(160, "50");
    damaged.truncate(40);
    damaged.extend(mindray(160, "96"));
    monitor.say(&damaged);
    assert!((daemon.number("spo2") - 96.0).abs() < f64::EPSILON);

    daemon.alarm("feed-lost", "low");
    monitor.hears(0, b"QRF|MON||||0&0^1^1^1^\r");
    let (said, last) = (monitor.heard.clone(), monitor.heard.len());
    drop(monitor);
    let mut monitor = Socket::accept(&listener);
    monitor.hears(0, echo);
    monitor.say(&mindray(160, "95"));
    assert!((daemon.number("spo2") - 95.0).abs() < f64::EPSILON);
    daemon.no_alarm("feed-lost");

    // Echoes and queries, nothing else.
    let text = String::from_utf8(said[..last].to_vec()).unwrap();
    for message in text.split_terminator("\u{1c}\r") {
        let message = message.strip_prefix('\u{b}').unwrap();
        let kind = message.split('|').nth(9).unwrap();
        assert!(kind == "106" || kind == "1203", "{message:?}");
    }
    daemon.kill();
    bench.verify();
}

/// A block of a B. Braun station: length and check of the plain text, then D and E replaced.
fn braun(information: &str) -> Vec<u8> {
    let text = format!("ComSystem/1/1>{information}");
    let head = format!("\u{1}{:05}\u{2}{text}\u{3}", text.len() + 14);
    let sum: u32 = head.bytes().map(u32::from).sum::<u32>() % 256;
    format!("{head}{sum:05}\u{4}")
        .chars()
        .flat_map(|letter| match letter {
            'D' => vec!['E', 'X'],
            'E' => vec!['E', 'E'],
            'd' => vec!['e', 'x'],
            'e' => vec!['e', 'e'],
            other => vec![other],
        })
        .collect::<String>()
        .into_bytes()
}

#[test]
fn a_b_braun_station_is_asked_and_its_pump_leads_the_session() {
    let bench = Bench::bare();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    bench.configure(&format!(
        "{}[[feed]]\nname = \"pump\"\nprotocol = \"bbraun-bcc\"\nconnect = \"{}\"\nsilence = \"20s\"\npump-id = \"50111\"\n",
        bench.hl7_feed(),
        listener.local_addr().unwrap()
    ));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-311"}"#);
    let mut monitor = bench.monitor();
    monitor.send(&[(mdc::SPO2, "97", mdc::PERCENT), (mdc::HR, "70", mdc::BPM)]);
    let mut station = Socket::accept(&listener);
    let alive = b"\x0100031\x021/1/1>AEXMIN:ALIVEE\x0300061\x04";
    station.hears(0, alive);
    station.say(&braun("0,50100,GNACK,0"));
    let get = b"\x0100035\x02ComSysteem/1/1>MEEM:GEET\x0300153\x04";
    let answers = |station: &mut Socket, answer: &[u8]| {
        let from = station.heard.len();
        station.hears(from, get);
        let from = station.heard.len();
        station.say(answer);
        from
    };
    let kinds = || {
        bench.sqlite(
            "select group_concat(json_extract(detail, '$.event.event'), ' ') from \
             (select detail from input where detail ->> 'kind' = 'pump' order by seq)",
        )
    };
    let runs = braun(
        "7,50112,INM3,0\u{1e}7,50111,INM3,1\u{1e}7,50111,INRT,25.0\u{1e}7,50111,INSOL,Ketamine",
    );
    // A bad block is refused, the same one again taken.
    let mut bad = runs.clone();
    let last = bad.len() - 2;
    bad[last] ^= 1;
    let from = answers(&mut station, &bad);
    station.hears(from, &[0x15]);
    let from = station.heard.len();
    station.say(&runs);
    station.hears(from, &[0x06]);
    until("the start in the record", || {
        kinds().contains("delivery-start").then_some(())
    });
    let from = answers(&mut station, &braun("9,50111,INM3,0"));
    station.hears(from, &[0x06]);
    until("the stop in the record", || {
        kinds().contains("delivery-stop").then_some(())
    });
    assert_eq!(
        kinds(),
        "delivery-start delivery-stop",
        "the other pump is not ours"
    );

    // Two questions and two bytes, nothing else.
    let mut rest = station.heard.as_slice();
    while !rest.is_empty() {
        let known = [&alive[..], &get[..], &[0x06], &[0x15]];
        let said = known.into_iter().find(|known| rest.starts_with(known));
        rest = &rest[said.unwrap_or_else(|| panic!("{rest:?}")).len()..];
    }
    daemon.kill();
    bench.verify();
}

#[test]
fn hl7_under_tls_is_read_and_acknowledged() {
    let bench = Bench::bare();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["bedside.clinic".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    fs::write(bench.path("bed.pem"), certificate.pem()).unwrap();
    fs::write(bench.path("bed.key"), key.serialize_pem()).unwrap();
    bench.configure(&format!(
        "{}[feed.tls]\ncertificate = \"bed.pem\"\nkey = \"bed.key\"\n",
        bench.hl7_feed()
    ));
    let daemon = bench.run();
    daemon.done(r#"{"command":"open-session","patient":"K-312"}"#);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let settings = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("bedside.clinic").unwrap();
    let stream = TcpStream::connect(("127.0.0.1", bench.hl7_port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let connection = ClientConnection::new(Arc::new(settings), name).unwrap();
    let mut gateway = StreamOwned::new(connection, stream);
    let message = "\u{b}MSH|^~\\&|GW||||20260301101500+0000||ORU^R01^ORU_R01|T1|P|2.6|||AL|NE\rPID|||K-312\r\
                   OBR|1||||||20260301101500+0000\r\
                   OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R\r\u{1c}\r";
    gateway.write_all(message.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x1C\r") {
        let mut byte = [0];
        gateway.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("MSA|CA|T1"), "{answer:?}");
    assert!((daemon.number("spo2") - 97.0).abs() < f64::EPSILON);
    // Without TLS nothing gets in.
    let mut stranger = bench.monitor();
    stranger.raw(message.replace("|97|", "|50|").as_bytes());
    until("the stranger in the log", || {
        bench
            .stderr()
            .contains("no TLS with a sender")
            .then_some(())
    });
    assert!((daemon.number("spo2") - 97.0).abs() < f64::EPSILON);
    daemon.kill();
    bench.verify();
}
