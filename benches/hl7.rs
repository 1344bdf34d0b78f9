//! A PCD-01 message of 30 OBX rows: ours from the framed bytes to checked observations, the peers
//! from the bare text to their own structure. `cargo bench --bench hl7`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a bench may fail loudly"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use infusewatch::protocol::{Event, Events, Session, SessionOptions, find};
use infusewatch::vocabulary::Now;

fn main() {
    divan::main();
}

const ROWS: usize = 30;

/// Thirty numerics of a monitor in one group, as a gateway sends them.
fn message() -> String {
    let metrics = [
        (
            "147842^MDC_ECG_HEART_RATE^MDC",
            "1.1.1.1",
            "72",
            "264864^MDC_DIM_BEAT_PER_MIN^MDC",
        ),
        (
            "150456^MDC_PULS_OXIM_SAT_O2^MDC",
            "1.2.1.1",
            "97",
            "262688^MDC_DIM_PERCENT^MDC",
        ),
        (
            "149530^MDC_PULS_OXIM_PULS_RATE^MDC",
            "1.2.1.2",
            "73",
            "264864^MDC_DIM_BEAT_PER_MIN^MDC",
        ),
        (
            "150448^MDC_PULS_OXIM_PERF_REL^MDC",
            "1.2.1.3",
            "3.91",
            "262656^MDC_DIM_DIMLESS^MDC",
        ),
        (
            "151578^MDC_TTHOR_RESP_RATE^MDC",
            "1.1.1.2",
            "14",
            "264928^MDC_DIM_RESP_PER_MIN^MDC",
        ),
        (
            "151708^MDC_CONC_AWAY_CO2_ET^MDC",
            "1.5.1.1",
            "5.1",
            "265987^MDC_DIM_KILO_PASCAL^MDC",
        ),
        (
            "150021^MDC_PRESS_BLD_NONINV_SYS^MDC",
            "1.3.1.1",
            "131",
            "266016^MDC_DIM_MMHG^MDC",
        ),
        (
            "150022^MDC_PRESS_BLD_NONINV_DIA^MDC",
            "1.3.1.2",
            "82",
            "266016^MDC_DIM_MMHG^MDC",
        ),
        (
            "150023^MDC_PRESS_BLD_NONINV_MEAN^MDC",
            "1.3.1.3",
            "98",
            "266016^MDC_DIM_MMHG^MDC",
        ),
        (
            "150344^MDC_TEMP^MDC",
            "1.6.1.1",
            "36.60",
            "268192^MDC_DIM_DEGC^MDC",
        ),
    ];
    let mut text = String::from(
        "MSH|^~\\&|GATEWAY^0A0B0C0D0E0F0001^EUI-64||||20260301101500+0000||ORU^R01^ORU_R01|G104|P|2.6|||AL|NE||UNICODE UTF-8\r\
         PID|||A-77^^^CLINIC^MR||Doe^Jo\rPV1||O|INF^^CHAIR2\r\
         OBR|1||5^GATEWAY|182777000^monitoring of patient^SCT|||20260301101459+0000\r",
    );
    for (row, (code, place, value, unit)) in metrics.iter().cycle().take(ROWS).enumerate() {
        text.push_str(&format!(
            "OBX|{}|NM|{code}|{place}|{value}|{unit}|10-200||||R|||20260301101458+0000||||0A0B0C0D0E0F0001^^0A0B0C0D0E0F0001^EUI-64\r",
            row + 1
        ));
    }
    text
}

fn frame() -> Vec<u8> {
    let mut bytes = vec![0x0B];
    bytes.extend(message().bytes());
    bytes.extend(b"\x1C\r");
    bytes
}

fn session() -> Box<dyn Session> {
    (find("hl7-mllp").unwrap().open)(&SessionOptions::default()).unwrap()
}

/// Frame, parse, look up, convert, check, and wait for the record; then the acknowledgement.
#[divan::bench]
fn infusewatch_to_observations_and_answer(bencher: Bencher) {
    let frame = frame();
    let mut session = session();
    let mut events = Events::new();
    bencher
        .counter(BytesCount::new(frame.len()))
        .counter(ItemsCount::new(ROWS))
        .bench_local(|| {
            events.clear();
            session.receive(Now::default(), black_box(&frame), &mut events);
            assert_eq!(events.len(), ROWS + 3);
            if let Some(Event::AwaitCommit(token)) = events.pop() {
                session.committed(Now::default(), token, true, &mut events);
            }
            black_box(&events);
        });
}

#[divan::bench]
fn infusewatch_to_observations(bencher: Bencher) {
    let frame = frame();
    let options = SessionOptions {
        options: [("ack".to_owned(), "none".to_owned())].into(),
        ..SessionOptions::default()
    };
    let mut session = (find("hl7-mllp").unwrap().open)(&options).unwrap();
    let mut events = Events::new();
    bencher
        .counter(BytesCount::new(frame.len()))
        .counter(ItemsCount::new(ROWS))
        .bench_local(|| {
            events.clear();
            session.receive(Now::default(), black_box(&frame), &mut events);
            assert_eq!(events.len(), ROWS + 2);
            black_box(&events);
        });
}

/// Structure only.
#[divan::bench]
fn hl7_parser_parse_only(bencher: Bencher) {
    let text = message();
    bencher
        .counter(BytesCount::new(text.len()))
        .counter(ItemsCount::new(ROWS))
        .bench(|| {
            let parsed = hl7_parser::Message::parse(black_box(&text)).unwrap();
            assert_eq!(parsed.segments().count(), ROWS + 4);
            parsed
        });
}

/// Structure only.
#[divan::bench]
fn rust_hl7_parse_only(bencher: Bencher) {
    let text = message();
    bencher
        .counter(BytesCount::new(text.len()))
        .counter(ItemsCount::new(ROWS))
        .bench(|| {
            let parsed = rusthl7::message::Message::new(black_box(&text));
            assert!(parsed.segments.len() >= ROWS + 4);
            parsed
        });
}
