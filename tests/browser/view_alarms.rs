//! Every alarm state on the screen: colour and prefix and shape, flash rates measured from the browser's
//! frames (IEC 60601-1-8, table 2), contrast, keys and screen readers.

use super::devtools::{Browser, installed};
use super::scene::{show, style};
use crate::display_board::{self, alarm};
use crate::display_daemon::{Daemon, PATIENCE};
use infusewatch::board::{AlarmStateView, Board};
use infusewatch::clock::Clock;
use infusewatch::engine::{AcknowledgeTarget, Command};
use infusewatch::vocabulary::{Parameter, Priority, Rule};
use serde_json::{Value, json};

/// Texts whose contrast is too low.
const CONTRAST: &str = include_str!("contrast.js");

const STATES: [AlarmStateView; 3] = [
    AlarmStateView::Active,
    AlarmStateView::Acknowledged,
    AlarmStateView::Returned,
];

/// An infusion with one alarm of SpO2 in this state.
fn with_alarm(id: u64, priority: Priority, state: AlarmStateView) -> Board {
    let mut shown = alarm(
        Clock::real().now(),
        id,
        Rule::Spo2Low,
        priority,
        "SpO2 87 % below 88 for 10 s",
        4,
    );
    shown.parameter = Some(Parameter::Spo2);
    shown.state = state;
    Board {
        alarms: vec![shown],
        ..display_board::infusion()
    }
}

/// Publishes and waits until it is drawn.
fn publish(daemon: &Daemon, page: &mut Browser, board: Board) {
    let id = board
        .alarms
        .first()
        .map_or(String::new(), |it| it.id.to_string());
    daemon.published.publish(board);
    page.until(&format!(
        "document.querySelector('#alarm-line').dataset.alarm === {id:?}"
    ));
}

#[test]
fn every_state_is_told_by_colour_prefix_and_shape() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    let mut wrong = Vec::new();
    let mut shapes = Vec::new();
    let mut id = 100;
    for priority in Priority::ALL {
        for state in STATES {
            id += 1;
            publish(&daemon, &mut page, with_alarm(id, priority, state));
            let (prefix, colour) = match priority {
                Priority::High => ("***", "rgb(180, 0, 15)"),
                Priority::Medium => ("**", "rgb(255, 212, 0)"),
                Priority::Low => ("*", "rgb(0, 207, 232)"),
            };
            assert_eq!(page.text("#alarm-line .prefix"), prefix);
            let flashes = state == AlarmStateView::Active && priority != Priority::Low;
            let animation = style(&mut page, "#alarm-line", "animationName");
            assert_eq!(animation, if flashes { "flash" } else { "none" });
            if !flashes {
                assert_eq!(style(&mut page, "#alarm-line", "backgroundColor"), colour);
            }
            // The number's own frame follows, and stands still with it.
            let edge = style(&mut page, "#tile-spo2", "animationName");
            assert_eq!(edge, if flashes { "flash-edge" } else { "none" });
            wrong.push(page.value(&format!("{CONTRAST}(7)")));
        }
        let clip = style(&mut page, "#alarm-line .shape", "clipPath");
        shapes.push(clip + &style(&mut page, "#alarm-line .shape", "borderRadius"));
    }
    shapes.dedup();
    assert_eq!(shapes.len(), 3, "{shapes:?}");
    // Dimmed, crowded and silent pictures.
    let mut old = display_board::alarming();
    for vital in &mut old.vitals {
        vital.age_at_receipt = std::time::Duration::from_secs(1_300);
    }
    publish(&daemon, &mut page, old);
    page.until("document.body.dataset.settled === 'true'");
    wrong.push(page.value(&format!("{CONTRAST}(7)")));
    daemon.stand(true);
    page.until(super::scene::NO_DATA);
    wrong.push(page.value(&format!("{CONTRAST}(7)")));
    daemon.stand(false);
    assert!(
        wrong.iter().all(|faults| *faults == json!([])),
        "{wrong:#?}"
    );
}

/// Flashes a second and the share of the time that is bright: `changes` are times and colours, as they
/// follow each other.
fn flash(changes: &Value, bright: &str) -> (f64, f64) {
    let changes: Vec<(f64, bool)> = changes
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change[0].as_f64().unwrap(), change[1] == bright))
        .collect();
    // Whole flashes only: from the first to the last time that it became bright.
    let ons: Vec<usize> = (1..changes.len())
        .filter(|&place| changes[place].1)
        .collect();
    let (first, last) = (ons[0], ons[ons.len() - 1]);
    let span = changes[last].0 - changes[first].0;
    let lit: f64 = (first..last)
        .filter(|&place| changes[place].1)
        .map(|place| changes[place + 1].0 - changes[place].0)
        .sum();
    ((ons.len() - 1) as f64 / span, lit / span)
}

#[test]
fn flash_rates_and_duty_are_those_of_the_standard_in_the_frames_drawn() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    super::scene::resize(&mut page, (1024, 600));
    for (id, priority, seconds, [bright, dark], rate) in [
        (
            7,
            Priority::High,
            2.6,
            [[180, 0, 15], [46, 0, 5]],
            1.4..=2.8,
        ),
        (
            8,
            Priority::Medium,
            5.4,
            [[255, 212, 0], [58, 48, 0]],
            0.4..=0.8,
        ),
    ] {
        publish(
            &daemon,
            &mut page,
            with_alarm(id, priority, AlarmStateView::Active),
        );
        let changes = page.value(&format!(
            "new Promise((done) => {{
               const line = document.querySelector('#alarm-line');
               const seen = [];
               const turn = (now) => {{
                 const colour = getComputedStyle(line).backgroundColor;
                 if (seen.at(-1)?.[1] !== colour) seen.push([now / 1000, colour]);
                 if (now / 1000 - seen[0][0] < {seconds}) requestAnimationFrame(turn);
                 else done(seen);
               }};
               requestAnimationFrame(turn); }})"
        ));
        let [red, green, blue] = bright;
        let (seen, duty) = flash(&changes, &format!("rgb({red}, {green}, {blue})"));
        println!(
            "{}: {seen:.2} Hz, {:.0} % bright",
            priority.name(),
            100.0 * duty
        );
        assert!(rate.contains(&seen), "{}: {seen} Hz", priority.name());
        assert!((0.2..=0.6).contains(&duty), "{}: {duty}", priority.name());
        // And both colours stand in pictures of the screen.
        let frames = page.frames(
            if priority == Priority::High { 0.9 } else { 1.8 },
            (90.0, 8.0),
        );
        for wanted in [bright, dark] {
            let near =
                |colour: &[i64; 3]| (0..3).all(|part| (colour[part] - wanted[part]).abs() < 6);
            let found = frames.iter().any(|(_, colour)| near(colour));
            assert!(found, "{}: no frame of {wanted:?}", priority.name());
        }
    }
}

#[test]
fn keys_and_screen_readers_reach_the_main_actions() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::alarming());
    page.until("document.body.dataset.settled === 'true'");
    assert_eq!(
        page.text("#announcement"),
        "high: SpO2 84 % below 88 for 10 s"
    );
    assert_eq!(
        page.value("document.querySelector('#announcement').role"),
        "alert"
    );
    // In the order in which they matter: the alarm, the other alarms, the past, the session, the sound.
    let mut order: Vec<String> = Vec::new();
    for _ in 0..24 {
        page.key("Tab");
        let name = page.value("document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.textContent");
        order.push(name.as_str().unwrap_or("").to_owned());
    }
    let place = |name: &str| {
        order
            .iter()
            .position(|found| found.contains(name))
            .unwrap_or_else(|| panic!("{name} cannot be reached: {order:?}"))
    };
    let wanted = [
        "acknowledge-first",
        "more-alarms",
        "acknowledge: Feed",
        "open-history",
        "PAUSE",
        "STOP",
        "audio-pause",
    ];
    assert!(wanted.map(place).is_sorted(), "{order:?}");
    // No button without a name, for a reader that sees none.
    page.call("Accessibility.enable", json!({}));
    let tree = page.call("Accessibility.getFullAXTree", json!({}));
    let unnamed: Vec<&Value> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["role"]["value"] == "button" && node["ignored"] == false)
        .filter(|node| node["name"]["value"].as_str().is_none_or(str::is_empty))
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
    page.value("document.querySelector('#acknowledge-first').focus(); true");
    page.key("Enter");
    let command = daemon.commands.recv_timeout(PATIENCE).unwrap();
    assert!(
        matches!(
            command,
            Command::Acknowledge {
                alarm: AcknowledgeTarget::One(7),
                ..
            }
        ),
        "{command:?}"
    );
}

#[test]
fn every_further_alarm_can_be_reached() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let now = Clock::real().now();
    let rules = [
        Rule::Spo2Low,
        Rule::RateHigh,
        Rule::SbpHigh,
        Rule::RrLow,
        Rule::FeedLost,
        Rule::CuffOverdue,
        Rule::ScoreOverdue,
        Rule::SlowFeed,
    ];
    let alarms = (1..)
        .zip(rules)
        .map(|(id, rule)| alarm(now, id, rule, Priority::Medium, rule.name(), 5))
        .collect();
    let mut page = show(
        &daemon,
        Board {
            alarms,
            ..display_board::infusion()
        },
    );
    super::scene::resize(&mut page, (1024, 600));
    page.until("document.body.dataset.settled === 'true'");
    assert_eq!(page.text("#more-alarms"), "+7 more");
    page.press("#more-alarms");
    page.until("document.querySelector('#alarm-list').dataset.all === 'true'");
    // A finger draws the last one into sight, and it is acknowledged.
    page.value("document.querySelector('#alarm-list li:last-child').scrollIntoView(); true");
    page.press("#alarm-list li:last-child .acknowledge");
    let command = daemon.commands.recv_timeout(PATIENCE).unwrap();
    assert!(
        matches!(
            command,
            Command::Acknowledge {
                alarm: AcknowledgeTarget::One(8),
                ..
            }
        ),
        "{command:?}"
    );
    page.press("#more-alarms");
    page.until("document.querySelector('#trend').checkVisibility()");
}
