//! What the page costs and how fast it is; printed with `--nocapture` and kept in docs/performance.md. Only
//! what must hold on every machine is asserted: the page does not grow.

use super::devtools::{Browser, installed};
use super::scene::{FOUR, flowing_waves, resize, show};
use crate::display_board::{self, alarm};
use crate::display_daemon::Daemon;
use infusewatch::board::Board;
use infusewatch::clock::Clock;
use infusewatch::vocabulary::{Parameter, Priority, Rule};
use serde_json::json;
use std::time::Duration;

/// An infusion with a high alarm of this number.
fn alarmed(id: u64) -> Board {
    let text = format!("SpO2 {} % below 88 for 10 s", 80 + id % 8);
    let mut shown = alarm(
        Clock::real().now(),
        id,
        Rule::Spo2Low,
        Priority::High,
        &text,
        0,
    );
    shown.parameter = Some(Parameter::Spo2);
    Board {
        alarms: vec![shown],
        seq: id,
        ..display_board::infusion()
    }
}

#[test]
fn from_the_decision_to_the_frame() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let _waves = flowing_waves(&daemon, FOUR);
    let mut page = show(&daemon, display_board::infusion());
    resize(&mut page, (1920, 1080));
    page.value(
        "window.drawn = {};
         const line = document.querySelector('#alarm-line');
         // The frame after the one in which it was put on the page: then it has been drawn.
         new MutationObserver(() => requestAnimationFrame(() => {
           window.drawn[line.dataset.alarm] ??= performance.timeOrigin + performance.now();
         })).observe(line, { attributeFilter: ['data-alarm'] }); true",
    );
    let mut took: Vec<f64> = (1_000..1_050_u64)
        .map(|id| {
            let decided = Clock::real().now().wall.as_millis() as f64;
            daemon.published.publish(alarmed(id));
            page.until(&format!("window.drawn[{id}] !== undefined"));
            page.value(&format!("window.drawn[{id}]")).as_f64().unwrap() - decided
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!(
        "alarm decided → drawn, four waves at 1920×1080: p50 {:.0} ms, p99 {:.0} ms, of {}",
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took.len()
    );
}

#[test]
fn bytes_on_the_stream() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let _waves = flowing_waves(&daemon, FOUR);
    let mut page = show(&daemon, display_board::infusion());
    let count = "window.bytes = { boards: 0, waves: 0 };
        window.WebSocket = class extends WebSocket {
          constructor(...all) {
            super(...all);
            this.addEventListener('message', ({ data }) => {
              if (typeof data === 'string') window.bytes.boards += data.length;
              else window.bytes.waves += data.byteLength;
            });
          }
        };";
    page.call(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({ "source": count }),
    );
    page.call("Page.reload", json!({}));
    page.until("window.bytes?.waves > 0");
    let seen = page.value(
        "new Promise((done) => { const { boards, waves } = window.bytes;
           setTimeout(() => done([window.bytes.boards - boards, window.bytes.waves - waves]), 3000); })",
    );
    let rate = |part: usize| seen[part].as_f64().unwrap() / 3_000.0;
    println!(
        "stream: boards {:.1} kB/s, four waves {:.1} kB/s",
        rate(0),
        rate(1)
    );
}

/// Bytes of the heap, nodes and listeners of the page after all rubbish has gone.
fn weight(page: &mut Browser) -> [f64; 3] {
    page.call("HeapProfiler.collectGarbage", json!({}));
    let metrics = page.call("Performance.getMetrics", json!({}));
    ["JSHeapUsedSize", "Nodes", "JSEventListeners"].map(|name| {
        metrics["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .find(|metric| metric["name"] == name)
            .and_then(|metric| metric["value"].as_f64())
            .unwrap()
    })
}

/// Boards as fast as the stream sends them, 25 times as many as in life: alarms come and go, views are
/// opened and closed. `INFUSEWATCH_PAGE_SECONDS` makes it longer.
#[test]
fn the_page_does_not_grow() {
    if !installed() {
        return;
    }
    let seconds: u64 = std::env::var("INFUSEWATCH_PAGE_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4);
    let daemon = Daemon::start();
    let _waves = flowing_waves(&daemon, FOUR);
    let mut page = show(&daemon, display_board::infusion());
    page.call("Performance.enable", json!({}));
    let mut weights = Vec::new();
    for turn in 0..=4_u64 {
        for step in 0..seconds * 50 / 4 {
            let id = turn * 1_000_000 + step;
            daemon.published.publish(match step % 3 {
                0 => alarmed(id),
                1 => display_board::alarming(),
                _ => display_board::infusion(),
            });
            std::thread::park_timeout(Duration::from_millis(20));
        }
        for tab in ["trend", "table", "review"] {
            page.value("document.querySelector('#open-history').click(); true");
            page.value(&format!(
                "document.querySelector('[data-tab={tab}]').click(); true"
            ));
            page.until(&format!(
                "document.querySelector('.{tab}-view').checkVisibility()"
            ));
        }
        page.value("document.querySelector('#history .quiet').click(); true");
        daemon.published.publish(display_board::infusion());
        page.until("document.querySelector('#alarm-line').dataset.priority === 'none'");
        weights.push(weight(&mut page));
    }
    for [heap, nodes, listeners] in &weights {
        println!(
            "heap {:.2} MB, {nodes} nodes, {listeners} listeners",
            heap / 1e6
        );
    }
    // The first turn makes what stays.
    let (early, late) = (weights[1], weights[weights.len() - 1]);
    assert!(late[0] < early[0] + 400_000.0, "heap: {weights:?}");
    assert!(late[1] < early[1] + 100.0, "nodes: {weights:?}");
    assert!(late[2] < early[2] + 20.0, "listeners: {weights:?}");
}
