//! The pictures of docs/img, made by `tests/screenshots`.

use super::devtools::{Browser, installed};
use super::scene::{FOUR, NO_DATA, flowing_waves, resize, show};
use crate::display_board;
use crate::display_daemon::Daemon;
use infusewatch::board::Board;
use std::path::Path;

fn keep(page: &mut Browser, name: &str) {
    // The bright half of every flash.
    page.value(
        "for (const animation of document.getAnimations()) { animation.pause(); animation.currentTime = 0; } true",
    );
    let picture = page.screenshot();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/img");
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    page.value("for (const animation of document.getAnimations()) animation.play(); true");
}

/// Waits for waves across most of a strip.
fn swept(page: &mut Browser) {
    page.until(
        "(() => { const canvas = document.querySelector('[data-wave=ecg] canvas'); if (!canvas) return false;
           const { data } = canvas.getContext('2d').getImageData(Math.floor(canvas.width * 0.85), 0, 8, canvas.height);
           return data.some((part) => part > 0); })()",
    );
}

#[test]
#[ignore = "writes docs/img; tests/screenshots runs it"]
fn pictures_of_the_main_states() {
    assert!(installed());
    let daemon = Daemon::start();
    let _waves = flowing_waves(&daemon, FOUR);
    let mut page = show(&daemon, display_board::infusion());
    resize(&mut page, (1280, 720));
    swept(&mut page);
    daemon.published.publish(display_board::infusion());
    page.until("document.querySelector('#tile-spo2').dataset.old === 'false'");
    keep(&mut page, "calm");
    let several = display_board::alarming();
    let one = Board {
        alarms: several.alarms.iter().take(1).cloned().collect(),
        audio: Default::default(),
        demo: None,
        feeds: display_board::infusion().feeds,
        next_task: display_board::infusion().next_task,
        ..several.clone()
    };
    for (name, board) in [("alarm", one), ("alarms", several)] {
        daemon.published.publish(board);
        let count = if name == "alarm" { 0 } else { 2 };
        page.until(&format!(
            "document.querySelector('#alarm-line').dataset.priority === 'high'
             && document.querySelectorAll('#alarm-list .alarm').length === {count}"
        ));
        keep(&mut page, name);
    }
    daemon.published.publish(display_board::infusion());
    page.until("document.querySelector('#alarm-line').dataset.priority === 'none'");
    page.press("#open-history");
    page.until("document.querySelector('.trend-view .plot').ariaDescription?.includes('–')");
    // The record has answered when the table has.
    for (tab, there, name) in [
        (
            "table",
            "document.querySelectorAll('.sheet tbody tr').length > 20",
            "table",
        ),
        (
            "trend",
            "document.querySelector('.trend-view').checkVisibility()",
            "trend",
        ),
        (
            "review",
            "document.querySelectorAll('.past .alarm').length === 3",
            "",
        ),
    ] {
        page.press(&format!("[data-tab={tab}]"));
        page.until(there);
        page.value("new Promise((done) => setTimeout(() => done(true), 800))");
        if !name.is_empty() {
            keep(&mut page, name);
        }
    }
    page.press(".past .alarm");
    page.value("new Promise((done) => setTimeout(() => done(true), 800))");
    keep(&mut page, "review");
    daemon.stand(true);
    page.until(NO_DATA);
    keep(&mut page, "no-data");
    daemon.stand(false);
}
