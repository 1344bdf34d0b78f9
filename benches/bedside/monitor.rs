//! The monitor at the other end of the wire: PCD-01 messages with ten numerics, and four waves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Codes of four waves.
const WAVES: [u32; 4] = [131_329, 131_330, 150_452, 150_036];
const RATE_HZ: usize = 250;
/// Wave messages a second.
const PIECES: usize = 5;

pub struct Monitor {
    stream: TcpStream,
    sent: u32,
}

/// One message: its device time goes on by a second each, so that every cuff reading is a new one.
fn frame(number: u32, acknowledged: &str, rows: &str) -> Vec<u8> {
    let stamp = format!(
        "20260301{:02}{:02}{:02}",
        6 + number / 3_600,
        number / 60 % 60,
        number % 60
    );
    format!(
        "\x0bMSH|^~\\&|MON7^0011223344556677^EUI-64||||{stamp}+0000||ORU^R01^ORU_R01|M{number}|P|2.6|||{acknowledged}|NE||\
         UNICODE UTF-8\rPID|||K-204^^^CLIN^MR||Case^Test\rPV1||O|INF^^CHAIR3\r\
         OBR|1||{number}|182777000^monitoring of patient^SCT|||{stamp}+0000\r{rows}\x1c\r"
    )
    .into_bytes()
}

impl Monitor {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        Self { stream, sent: 0 }
    }

    /// The next message with ten numerics, made before the clock runs.
    pub fn prepare(&mut self, systolic: u32) -> Vec<u8> {
        let rows: String = [
            (147_842, 72, 264_864),
            (150_456, 97, 262_688),
            (149_530, 73, 264_864),
            (151_578, 14, 264_928),
            (150_033, 118, 266_016),
            (150_034, 71, 266_016),
            (150_035, 87, 266_016),
            (150_023, 90, 266_016),
            (150_022, 75, 266_016),
            (150_021, systolic, 266_016),
        ]
        .iter()
        .enumerate()
        .map(|(place, (code, value, unit))| {
            let row = place + 1;
            format!("OBX|{row}|NM|{code}^^MDC|1.1.1.{row}|{value}|{unit}^^MDC|||||R\r")
        })
        .collect();
        self.sent += 1;
        frame(self.sent, "AL", &rows)
    }

    pub fn send(&mut self, frame: &[u8]) {
        self.stream.write_all(frame).unwrap();
    }

    /// Ten numerics with this cuff pressure.
    pub fn numerics(&mut self, systolic: u32) {
        let frame = self.prepare(systolic);
        self.send(&frame);
    }

    /// Waits for the acknowledgement, which says that the record has it.
    pub fn acknowledgement(&mut self) {
        let mut answer = Vec::new();
        let mut piece = [0; 512];
        while !answer.ends_with(b"\x1c\r") {
            let count = self.stream.read(&mut piece).unwrap();
            assert!(count > 0, "connection closed");
            answer.extend(&piece[..count]);
        }
        let text = String::from_utf8(answer).unwrap();
        assert!(text.contains("MSA|CA"), "{text}");
    }

    /// Sends four 250 Hz waves, and numerics with this cuff pressure every `numerics`, until the result is dropped.
    pub fn flowing(mut self, numerics: Option<Duration>) -> Flow {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut beat = Beat(1);
            let mut piece = Instant::now();
            let mut number = piece;
            while !asked.load(Ordering::Relaxed) {
                let rows: String = WAVES.iter().map(|code| beat.rows(*code)).collect();
                self.send(&frame(0, "NE", &rows));
                if let Some(pace) = numerics
                    && number <= Instant::now()
                {
                    number += pace;
                    self.numerics(120);
                    self.acknowledgement();
                }
                piece += Duration::from_secs(1) / PIECES as u32;
                std::thread::sleep(piece.saturating_duration_since(Instant::now()));
            }
        });
        Flow {
            stop,
            thread: Some(thread),
        }
    }
}

/// Waves that flow until this is dropped.
pub struct Flow {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A beat-like wave with a little noise.
struct Beat(u64);

impl Beat {
    fn rows(&mut self, code: u32) -> String {
        let samples: Vec<_> = (0..RATE_HZ / PIECES)
            .map(|place| {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                let noise = (self.0 >> 61) as i64 - 4;
                let peak = if place % 50 < 5 { 200 } else { 0 };
                (peak + noise).to_string()
            })
            .collect();
        format!(
            "OBX|1|NA|{code}^^MDC|1.2.1.{code}|{}|266418^^MDC|||||R\r\
             OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.2.1.{code}.1|{RATE_HZ}|264640^^MDC|||||R\r\
             OBX|3|NM|67917^MDC_ATTR_NU_MSMT_RES^MDC|1.2.1.{code}.2|0.005|262656^^MDC|||||R\r",
            samples.join("^")
        )
    }
}
