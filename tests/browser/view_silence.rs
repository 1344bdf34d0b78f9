//! NO DATA: within two seconds, with a sound of its own, over and over again, and never by mistake. Both
//! sides notice when the other one stands still.

use super::devtools::{Browser, installed};
use super::scene::{NO_DATA, SHOWN, show};
use crate::bedside::Bench;
use crate::display_board;
use crate::display_daemon::{Daemon, PATIENCE};
use infusewatch::board::Board;
use infusewatch::engine::HealthItem;
use nix::sys::signal::Signal;

/// Two seconds are promised; the rest is for a machine that is busy with other tests.
const NO_DATA_MS: f64 = 2_500.0;

/// Milliseconds, by the page's own clock, from the cut to NO DATA.
fn silence_until_no_data(page: &mut Browser, cut: impl FnOnce()) -> f64 {
    page.value(
        "window.cut = null; window.told = null;
         new MutationObserver(() => {
           if (document.body.classList.contains('no-data')) window.told ??= performance.now();
         }).observe(document.body, { attributes: true });
         window.mark = () => { window.cut = performance.now(); }; true",
    );
    page.value("window.mark(); true");
    cut();
    page.until(NO_DATA);
    page.value("window.told - window.cut").as_f64().unwrap()
}

/// Counts the tones that the page starts.
fn listen_to(page: &mut Browser) {
    page.value(
        "window.tones = 0;
         const start = OscillatorNode.prototype.start;
         OscillatorNode.prototype.start = function (at) { window.tones += 1; start.call(this, at); };
         true",
    );
}

#[test]
fn no_data_within_two_seconds_when_the_daemon_freezes_and_back_by_itself() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    listen_to(&mut page);
    let mut frozen = None;
    let silence = silence_until_no_data(&mut page, || frozen = Some(daemon.freeze()));
    println!("frozen: NO DATA after {silence:.0} ms");
    assert!(silence < NO_DATA_MS, "{silence} ms");
    // Five tones, told by their starts; the daemon's own sound may be gone with it.
    page.until("window.tones >= 5");
    page.picture("no-data");
    assert_eq!(
        page.value("document.querySelector('#audio-pause').checkVisibility()"),
        false
    );
    drop(frozen);
    page.until(SHOWN);
    let tones = page.value("window.tones = 0");
    assert_eq!(tones, 0);
    page.until("document.querySelector('#tile-spo2 .number').textContent === '97'");
}

#[test]
fn no_data_within_two_seconds_when_the_engine_stands() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    let silence = silence_until_no_data(&mut page, || daemon.stand(true));
    println!("standing engine: NO DATA after {silence:.0} ms");
    assert!(silence < NO_DATA_MS, "{silence} ms");
    daemon.stand(false);
    page.until(SHOWN);
}

#[test]
fn a_daemon_that_is_gone_is_no_data_and_a_new_one_is_shown_read_only() {
    if !installed() {
        return;
    }
    let mut daemon = Daemon::start();
    let listen = daemon.address;
    let mut page = show(&daemon, display_board::infusion());
    daemon.stop();
    page.until(NO_DATA);
    let next = Daemon::with(crate::display_daemon::Plan {
        listen,
        ..Default::default()
    });
    next.published.publish(display_board::infusion());
    page.until(SHOWN);
    page.until("document.querySelector('#banners').innerText.includes('READ-ONLY')");
    assert_eq!(
        page.value("document.querySelector('#audio-pause').checkVisibility()"),
        false
    );
}

#[test]
fn the_real_daemon_stopped_killed_and_started_again() {
    if !installed() {
        return;
    }
    let bench = Bench::new();
    let daemon = bench.run();
    let address = |bench: &Bench| std::fs::read_to_string(bench.path("run/address")).unwrap();
    let first = address(&bench);
    let mut page = Browser::open(&format!("http://{}/", first.trim()));
    page.until(SHOWN);
    let silence = silence_until_no_data(&mut page, || daemon.signal(Signal::SIGSTOP));
    println!("SIGSTOP: NO DATA after {silence:.0} ms");
    assert!(silence < NO_DATA_MS, "{silence} ms");
    daemon.signal(Signal::SIGCONT);
    page.until(SHOWN);
    let silence = silence_until_no_data(&mut page, || daemon.kill());
    println!("SIGKILL: NO DATA after {silence:.0} ms");
    assert!(silence < NO_DATA_MS, "{silence} ms");
    // The same port, so that the page finds the new one by itself.
    let text = std::fs::read_to_string(bench.path("bed.toml")).unwrap();
    let text = text.replace(
        "listen = \"127.0.0.1:0\"",
        &format!("listen = \"{}\"", first.trim()),
    );
    std::fs::write(bench.path("bed.toml"), text).unwrap();
    let _second = bench.run();
    assert_eq!(address(&bench).trim(), first.trim());
    page.until(SHOWN);
}

#[test]
fn a_frozen_page_is_noticed_by_the_daemon_and_comes_back() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, true));
    // The tab's only thread turns on the spot.
    page.value(
        "setTimeout(() => { const end = performance.now() + 12500; while (performance.now() < end); }, 0); true",
    );
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, false));
    let told = daemon.health.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, (HealthItem::Display, true));
    page.until(SHOWN);
}

#[test]
fn a_page_without_frames_shows_no_data() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    page.value("window.requestAnimationFrame = () => 0; true");
    page.until(NO_DATA);
}

#[test]
fn numbers_that_cannot_be_drawn_are_never_left_standing() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    page.until("document.querySelector('#tile-spo2 .number').textContent === '97'");
    // The drawing fails half-way, as with a board that the page does not understand.
    page.value(
        "Object.defineProperty(document.querySelector('#health .about'), 'textContent',
           { get: () => { throw new Error('broken'); }, configurable: true }); true",
    );
    daemon.published.publish(Board::default());
    page.until("document.body.classList.contains('no-data')");
    page.value("delete document.querySelector('#health .about').textContent");
    daemon.published.publish(display_board::infusion());
    page.until(SHOWN);
}
