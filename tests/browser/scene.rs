//! What the tests of the view have in common: screens, waves, and how a page with data looks.

use super::devtools::Browser;
use crate::display_daemon::Daemon;
use infusewatch::board::Board;
use infusewatch::clock::Clock;
use infusewatch::observation::{Wave, WaveChunk};
use infusewatch::vocabulary::Decimal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Screens that the page is made for.
pub const SIZES: [(u32, u32); 3] = [(1920, 1080), (1280, 800), (1024, 600)];

pub const SHOWN: &str = "!document.body.classList.contains('no-data')";
pub const NO_DATA: &str = "document.body.classList.contains('no-data')
    && document.querySelector('#alarm-line .text').textContent === 'NO DATA'
    && [...document.querySelectorAll('.tile .number')].every((node) => node.textContent === '--')";

/// A page with this board on it.
pub fn show(daemon: &Daemon, board: Board) -> Browser {
    daemon.published.publish(board);
    let mut browser = Browser::open(&daemon.page());
    browser.until(SHOWN);
    browser
}

/// The value of one computed style.
pub fn style(page: &mut Browser, selector: &str, name: &str) -> String {
    let value = page.value(&format!(
        "getComputedStyle(document.querySelector({selector:?})).{name}"
    ));
    value.as_str().unwrap().to_owned()
}

/// Puts the page on a screen of this size.
pub fn resize(page: &mut Browser, (width, height): (u32, u32)) {
    page.resize(width, height);
    page.until(&format!(
        "innerWidth === {width} && innerHeight === {height}"
    ));
}

/// Waves as they come from a monitor: ECG, pleth.
pub const TWO: &[(&str, u32)] = &[("ecg-II", 200), ("pleth", 100)];
/// As many as the page draws.
pub const FOUR: &[(&str, u32)] = &[("ecg-II", 250), ("pleth", 125), ("art", 125), ("resp", 62)];

/// Sends waves in chunks of a quarter second, at their own pace, until the result is dropped.
pub fn flowing_waves(daemon: &Daemon, kinds: &'static [(&'static str, u32)]) -> Sender<()> {
    let waves = daemon.waves.clone();
    let (stop, stopped) = channel();
    std::thread::spawn(move || {
        for quarter in 0_u32.. {
            for &(label, rate_hz) in kinds {
                let samples = (0..rate_hz / 4)
                    .map(|n| f64::from(n) / f64::from(rate_hz) + f64::from(quarter) / 4.0)
                    .map(|t| Some((1000.0 * beat(label, t)) as i32))
                    .collect();
                let chunk = WaveChunk {
                    label: label.into(),
                    rate_hz,
                    resolution: Decimal::whole(1),
                    unit: "",
                    samples,
                };
                let received = Clock::real().now();
                let _ = waves.send(Arc::new(Wave {
                    feed: "monitor".into(),
                    received,
                    chunk,
                }));
            }
            match stopped.recv_timeout(Duration::from_millis(250)) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    stop
}

/// A plausible wave at this second, from 0 to 1: 84 beats and 14 breaths a minute.
fn beat(label: &str, second: f64) -> f64 {
    let share = (second * 1.4).fract();
    let hill = |at: f64, width: f64| (-((share - at) / width).powi(2)).exp();
    match label {
        "resp" => 0.5 - 0.5 * (second * 1.47).cos(),
        "ecg-II" => {
            0.12 * hill(0.2, 0.04) + hill(0.35, 0.012) - 0.2 * hill(0.385, 0.012)
                + 0.25 * hill(0.62, 0.06)
        }
        _ => hill(0.35, 0.13) + 0.35 * hill(0.62, 0.14),
    }
}
