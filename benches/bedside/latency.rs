//! From the last byte of a limit-violating frame at the socket to the decision, the record and the page.
//!
//! Each frame has ten numerics, the last of them a cuff pressure of 190 mmHg, which alarms without a delay; a frame
//! with 120 mmHg between two of them lets the alarm return. The clock starts before the frame's only `write`.

use crate::bed::{Bed, Sound, until};
use crate::monitor::Monitor;
use crate::{Times, peer, report};
use infusewatch::configuration;
use infusewatch::engine::Sounding;
use infusewatch::supervisor::Daemon;
use std::hint::spin_loop;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

const HIGH: u32 = 190;
const NORMAL: u32 = 120;
const DECISIONS: usize = 4_000;
const COMMITS: usize = 1_000;
const PICTURES: usize = 300;

/// Not in step with anything of the daemon's.
fn pause(place: usize) {
    std::thread::sleep(Duration::from_micros(1_000 + place as u64 * 37 % 4_000));
}

/// The daemon runs inside this process, so that its cue, which the engine's thread sets as soon as the step has
/// made its records, can be watched without any poll.
pub fn decided() {
    let bed = Bed::new(Sound::Swallowed);
    let configuration = configuration::load(&bed.config()).unwrap();
    let daemon = Daemon::start(configuration, None).unwrap();
    daemon.wait_for_address().unwrap();
    let mut monitor = bed.monitor();
    bed.infuse(&mut monitor);
    let flow = bed.monitor().flowing(None);
    let sounds_high = || daemon.published().cue().sounding == Sounding::High;
    let mut times = Vec::new();
    for place in 0..DECISIONS {
        pause(place);
        let frame = monitor.prepare(HIGH);
        let begun = Instant::now();
        monitor.send(&frame);
        while !sounds_high() {
            spin_loop();
        }
        times.push(begun.elapsed());
        monitor.acknowledgement();
        monitor.numerics(NORMAL);
        monitor.acknowledgement();
        until("the alarm's end", Duration::from_millis(1), || {
            (!sounds_high()).then_some(())
        });
    }
    let frame = monitor.prepare(HIGH);
    let bare = peer::bare_path(DECISIONS, &frame);
    let times = Times::of(times);
    let line = |what: &str, times: &Times, bar: &str| {
        report(
            what,
            &format!(
                "{:.0} / {:.0} / {:.0} µs",
                times.micros(0.5),
                times.micros(0.99),
                times.micros(0.999)
            ),
            bar,
        );
    };
    line(
        "frame at the socket → alarm decided, p50 / p99 / p99.9",
        &times,
        "p50 ≤ 100 µs, p99.9 ≤ 5 ms",
    );
    line(
        "  the same path with nothing decoded or decided",
        &bare,
        "(limit)",
    );
    drop((flow, monitor));
    daemon.stop();
}

/// The spawned binary, from outside: the acknowledgement is only sent when the alarm's record is durable.
pub fn durable_and_shown() {
    let bed = Bed::new(Sound::Swallowed);
    let _daemon = bed.run();
    let mut monitor = bed.monitor();
    bed.infuse(&mut monitor);
    let _flow = bed.monitor().flowing(None);
    let times = (0..COMMITS).map(|place| {
        pause(place);
        let frame = monitor.prepare(HIGH);
        let begun = Instant::now();
        monitor.send(&frame);
        monitor.acknowledgement();
        let taken = begun.elapsed();
        monitor.numerics(NORMAL);
        monitor.acknowledgement();
        taken
    });
    let times = Times::of(times.collect());
    let disk = peer::disk(bed.folder(), COMMITS);
    let line = |what: &str, times: &Times, bar: &str| {
        let figure = format!("{:.1} / {:.1} ms", times.millis(0.5), times.millis(0.99));
        report(what, &figure, bar);
    };
    line(
        "frame at the socket → alarm durable, p50 / p99",
        &times,
        "p99 ≤ 20 ms",
    );
    line(
        "  4 KiB appended to a file and synced to the same disk",
        &disk,
        "(limit)",
    );
    let shown = shown(&bed, &mut monitor);
    line(
        "frame at the socket → alarm at a WebSocket client, p50 / p99",
        &shown,
        "p99 ≤ 100 ms (drawn)",
    );
}

type Page = WebSocket<MaybeTlsStream<TcpStream>>;

fn wait_for(page: &mut Page, sounds_high: bool) {
    loop {
        if let Message::Text(board) = page.read().unwrap()
            && board.contains(r#""sounding":"high""#) == sounds_high
        {
            return;
        }
    }
}

fn shown(bed: &Bed, monitor: &mut Monitor) -> Times {
    let address = bed.address().unwrap();
    let (mut page, _) = tungstenite::connect(format!("ws://{address}/api/v1/stream")).unwrap();
    let times = (0..PICTURES).map(|place| {
        pause(place);
        let frame = monitor.prepare(HIGH);
        let begun = Instant::now();
        monitor.send(&frame);
        wait_for(&mut page, true);
        let taken = begun.elapsed();
        monitor.acknowledgement();
        monitor.numerics(NORMAL);
        wait_for(&mut page, false);
        monitor.acknowledgement();
        taken
    });
    Times::of(times.collect())
}
