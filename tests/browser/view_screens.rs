//! Every screen the page is made for: whole, legible from four metres, large enough for fingers.

use super::devtools::{Browser, installed};
use super::scene::{SIZES, TWO, flowing_waves, resize, show};
use crate::display_board;
use crate::display_daemon::Daemon;
use infusewatch::board::Board;
use infusewatch::clock::Clock;
use infusewatch::engine::{FeedState, HealthItem};
use infusewatch::vocabulary::Phase;
use std::time::Duration;

/// Everything that is cut off, scrolls, overlaps, or is too small to touch.
const FAULTS: &str = include_str!("faults.js");

/// The height of the digits, in pixels, from which a number is read at four metres: 20 mm (clinical facts,
/// 10) on a screen of 24 inches, which has 92 to the inch.
const LEGIBLE_PX: f64 = 72.0;

fn faults(page: &mut Browser, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for size in SIZES {
        resize(page, size);
        let faults = page.value(FAULTS);
        page.picture(&format!("{name}-{}x{}", size.0, size.1));
        for fault in faults.as_array().unwrap() {
            wrong.push(format!("{name} at {}×{}: {fault}", size.0, size.1));
        }
    }
    wrong
}

#[test]
fn every_screen_is_whole_without_scrollbars_or_overlap() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut wrong = Vec::new();
    let mut crowded = display_board::alarming();
    crowded.demo = None;
    crowded.away_until = None;
    crowded.feeds[1].state = FeedState::Lost;
    let mut recovering = display_board::infusion();
    recovering.phase = Phase::Recovery;
    recovering.away_until = Some(Clock::real().now().moment.after(Duration::from_secs(290)));
    let _waves = flowing_waves(&daemon, TWO);
    let mut page = show(&daemon, display_board::infusion());
    // Calm, without a single banner, is the state in which the page stands for hours.
    for (name, board, sound) in [
        ("calm", display_board::infusion(), true),
        ("standby", display_board::standby(), true),
        ("alarming", crowded, false),
        ("away", recovering, false),
    ] {
        let phase = board.phase.name().to_uppercase();
        daemon.status.health(HealthItem::Sound).set(sound);
        daemon.published.publish(Board { ..board });
        page.until(&format!(
            "document.querySelector('#phases [data-current=true]')?.textContent === {phase:?}
             && [...document.querySelectorAll('#banners > [data-kind=fault]')].length === {}",
            u8::from(!sound)
        ));
        page.until("document.querySelectorAll('#waves .strip').length === 2");
        wrong.extend(faults(&mut page, name));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_past_is_whole_too_and_covers_no_number() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::alarming());
    page.until("document.querySelector('#open-history')?.checkVisibility() === true");
    page.value("document.querySelector('#open-history').click(); true");
    let mut wrong = Vec::new();
    for tab in ["trend", "table", "review"] {
        page.press(&format!("[data-tab={tab}]"));
        page.until("document.querySelector('#history').checkVisibility()");
        wrong.extend(faults(&mut page, tab));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_numbers_are_read_at_four_metres() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::alarming());
    resize(&mut page, SIZES[0]);
    // What the eye sees is the digit, not its line.
    let heights = page.value(
        "['spo2', 'rate', 'pressure'].map((name) => {
           const style = getComputedStyle(document.querySelector(`#tile-${name} .number`));
           const pen = new OffscreenCanvas(1, 1).getContext('2d');
           pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
           return pen.measureText('8').actualBoundingBoxAscent; })",
    );
    println!("digits of SpO2, rate, pressure: {heights} px");
    let heights: Vec<f64> = heights
        .as_array()
        .unwrap()
        .iter()
        .map(|height| height.as_f64().unwrap())
        .collect();
    assert!(
        heights.iter().all(|&height| height >= LEGIBLE_PX),
        "{heights:?}"
    );
    // SpO2 and rate are the largest.
    assert!(heights[0].min(heights[1]) >= heights[2], "{heights:?}");
}
