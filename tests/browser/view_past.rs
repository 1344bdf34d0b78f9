//! The past on the page: trend with zoom by fingers, table by minutes, alarms with what was around them; and
//! waves at the speed of paper.

use super::devtools::{Browser, installed};
use super::scene::{FOUR, TWO, flowing_waves, show};
use crate::display_board;
use crate::display_daemon::Daemon;
use infusewatch::board::Board;

fn open_past(daemon: &Daemon) -> Browser {
    let mut page = show(daemon, display_board::infusion());
    page.resize(1280, 800);
    page.until("document.querySelector('#open-history').checkVisibility()");
    page.press("#open-history");
    page.until("document.querySelector('.trend-view .plot')?.checkVisibility() === true");
    page
}

/// Minutes between the two ends of the trend shown.
fn minutes_shown(page: &mut Browser) -> f64 {
    let minutes = page.value(
        "(() => { const [a, b] = document.querySelector('.trend-view .plot').ariaDescription.split(' – ')
             .map((text) => text.split(':').reduce((sum, part) => 60 * sum + Number(part), 0));
           return ((b - a + 86400) % 86400) / 60; })()",
    );
    minutes.as_f64().unwrap()
}

#[test]
fn the_trend_is_zoomed_and_scrolled_by_fingers_keys_and_buttons() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = open_past(&daemon);
    let whole = minutes_shown(&mut page);
    assert!(whole > 20.0, "{whole} min");
    let middle = page.value(
        "(() => { const box = document.querySelector('.trend-view .plot').getBoundingClientRect();
           return [box.x + box.width / 2, box.y + box.height / 2]; })()",
    );
    let (x, y) = (middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
    // Two fingers move apart to three times their distance.
    page.touch("touchStart", &[(x - 40.0, y), (x + 40.0, y)]);
    page.touch("touchMove", &[(x - 80.0, y), (x + 80.0, y)]);
    page.touch("touchMove", &[(x - 120.0, y), (x + 120.0, y)]);
    page.touch("touchEnd", &[]);
    let near = minutes_shown(&mut page);
    assert!(
        (near - whole / 3.0).abs() < whole / 20.0,
        "{whole} → {near} min"
    );
    // One finger drags the past into sight; the stretch stays as long.
    let shown = |page: &mut Browser| {
        page.value("document.querySelector('.trend-view .plot').ariaDescription")
    };
    let before = shown(&mut page);
    page.touch("touchStart", &[(x, y)]);
    page.touch("touchMove", &[(x + 60.0, y)]);
    page.touch("touchEnd", &[]);
    assert_ne!(shown(&mut page), before);
    assert!((minutes_shown(&mut page) - near).abs() < 0.1);
    page.value("document.querySelector('.trend-view .plot').focus(); true");
    page.key("-");
    assert!(minutes_shown(&mut page) > near);
    page.press_button("ALL");
    assert!((minutes_shown(&mut page) - whole).abs() < 0.5);
    page.key("Escape");
    page.until("!document.querySelector('#history').checkVisibility()");
    assert!(page.value("document.querySelector('#trend').checkVisibility()") == true);
}

#[test]
fn the_table_and_the_alarms_of_the_session() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = open_past(&daemon);
    page.press("[data-tab=table]");
    page.until("document.querySelectorAll('.sheet tbody tr').length >= 25");
    let table = page.text(".sheet tbody");
    assert!(table.contains("ondansetron 4 mg"), "{table}");
    assert!(table.contains("*** SpO2 84 % below 88 for 10 s"), "{table}");
    // A minute without a number is told as such; a cuff stands in its own minute only.
    assert!(table.contains("--"), "{table}");
    let pressures = page.value(
        "[...document.querySelectorAll('.sheet td.pressure')].filter((cell) => cell.textContent !== '').length",
    );
    assert!(pressures.as_u64().unwrap() <= 10, "{pressures}");

    page.press("[data-tab=review]");
    page.until("document.querySelectorAll('.past .alarm').length === 3");
    assert_eq!(
        page.text(".past .alarm .text"),
        "SpO2 84 % below 88 for 10 s"
    );
    page.press(".past .alarm");
    page.until("document.querySelector('.around').checkVisibility()");
    let around = page.text(".around");
    assert!(around.contains("lasted 2:00"), "{around}");
    assert!(
        around.contains("limit 88") && around.contains("not acknowledged"),
        "{around}"
    );
    page.picture("around");
    page.press_button("LIST");
    page.until("document.querySelector('.past').checkVisibility()");
    // The session ends: there is no past of it here any more.
    daemon.published.publish(display_board::standby());
    page.until("!document.querySelector('#history').checkVisibility()");
}

#[test]
fn waves_run_at_the_speed_of_paper_and_are_not_drawn_faster_than_life() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let _waves = flowing_waves(&daemon, FOUR);
    let mut page = show(&daemon, display_board::infusion());
    page.resize(1920, 1080);
    page.until("document.querySelectorAll('#waves .strip').length === 4");
    let titles = page.text("#waves");
    assert!(
        titles.contains("pleth · 25 mm/s") && titles.contains("resp · 6.25 mm/s"),
        "{titles}"
    );
    // Where the pen is: the right end of what is drawn in the first sweep.
    let pen = "(() => { const canvas = document.querySelector('[data-wave=ecg] canvas');
        const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let last = 0;
        for (let x = 0; x < width; x += 1) for (let y = 0; y < height; y += 1) if (data[4 * (y * width + x) + 3]) last = x;
        return [performance.now(), last]; })()";
    page.until(&format!("{pen}[1] > 20"));
    let first = page.value(pen);
    page.until(&format!("{pen}[1] > {} + 100", first[1]));
    let second = page.value(pen);
    let seconds = (second[0].as_f64().unwrap() - first[0].as_f64().unwrap()) / 1_000.0;
    let millimetres = (second[1].as_f64().unwrap() - first[1].as_f64().unwrap()) * 25.4 / 96.0;
    println!("ECG: {:.1} mm/s over {seconds:.1} s", millimetres / seconds);
    assert!((20.0..30.0).contains(&(millimetres / seconds)));
    let frames = page.value(
        "new Promise((done) => { const at = performance.now(); let count = 0;
           const turn = () => { count += 1; performance.now() - at < 1000 ? requestAnimationFrame(turn) : done(count); };
           requestAnimationFrame(turn); })",
    );
    println!("{frames} frames in one second with four waves");

    daemon.published.publish(Board {
        demo: Some(20),
        ..display_board::infusion()
    });
    page.until("document.querySelector('#waves').textContent === 'Waves are not drawn at ×20'");
}

#[test]
fn a_stretch_without_samples_is_a_gap() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let waves = flowing_waves(&daemon, TWO);
    let mut page = show(&daemon, display_board::infusion());
    page.resize(1920, 1080);
    // Columns of the ECG with ink, as text: a gap is a run of dots between two of strokes.
    let columns = "(() => { const canvas = document.querySelector('[data-wave=ecg] canvas'); if (!canvas) return '';
        const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let text = '';
        for (let x = 0; x < width; x += 4) { let ink = '.'; for (let y = 0; y < height; y += 1) if (data[4 * (y * width + x) + 3]) ink = '#'; text += ink; }
        return text; })()";
    page.until(&format!("/#{{20,}}/.test({columns})"));
    drop(waves);
    // What is kept in hand runs out, and the pen goes on without ink.
    page.until(&format!(
        "new Promise((done) => {{ const before = {columns};
           setTimeout(() => done(before === {columns}), 700); }})"
    ));
    let _again = flowing_waves(&daemon, TWO);
    page.until(&format!("/#{{20,}}\\.{{12,}}#{{8,}}/.test({columns})"));
}
