//! The page in a real browser: what a nurse sees and presses.

use super::devtools::installed;
use super::scene::{show, style};
use crate::display_board::{self, alarm, vital};
use crate::display_daemon::{Daemon, PATIENCE};
use infusewatch::board::Board;
use infusewatch::clock::Clock;
use infusewatch::engine::{AcknowledgeTarget, Command};
use infusewatch::vocabulary::{Cause, Decimal, Parameter, ParameterId, Priority, Reading, Rule};

#[test]
fn the_page_shows_numbers_alarms_and_the_session() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::alarming());
    page.until("document.querySelector('#tile-spo2 .number').textContent === '84'");
    assert_eq!(page.text("#tile-rate .number"), "84");
    assert_eq!(page.text("#tile-pressure .number"), "168/92");
    assert!(page.text("#tile-pressure .when").starts_with("measured "));
    assert!(page.text("#tile-pressure .next").starts_with("next in 3:2"));
    assert_eq!(
        page.text("#tile-pressure .base"),
        "baseline 124, ± 20 %: 100–148"
    );
    assert!(page.text("#tile-spo2 .limits").starts_with("low 94"));
    assert_eq!(page.text("#alarm-line .prefix"), "***");
    assert_eq!(
        page.text("#alarm-line .text"),
        "SpO2 84 % below 88 for 10 s"
    );
    assert!(page.text("#alarm-line .detail").contains("profile limit"));
    assert_eq!(
        page.value("document.querySelectorAll('#alarm-list .alarm').length"),
        2
    );
    assert_eq!(page.text("#phases [data-current=true]"), "INFUSION");
    assert_eq!(page.text("#timer .value"), "24:20");
    let banners = page.text("#banners");
    assert!(banners.contains("AUDIO PAUSED 1:"), "{banners}");
    assert!(banners.contains("DEMO ×20"), "{banners}");
    assert!(page.text("#health").contains("ketamine-adult 1"));
    // IEC 60601-1-8: red, flashing at 1.4–2.8 Hz; an acknowledged alarm does not flash.
    assert_eq!(style(&mut page, "#alarm-line", "animationDuration"), "0.5s");
    assert_eq!(style(&mut page, "#tile-pressure", "animationName"), "none");
    daemon.published.publish(Board {
        alarms: Vec::new(),
        ..display_board::infusion()
    });
    page.until("document.querySelector('#alarm-line').dataset.priority === 'none'");
}

#[test]
fn a_missing_number_is_told_with_its_cause_and_never_shown() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    page.until("document.querySelector('#tile-spo2 .number').textContent === '97'");
    let now = Clock::real().now();
    let mut stale = vital(now, Parameter::Hr, Reading::Valid(Decimal::whole(84)), 40);
    stale.stale = true;
    let vitals = vec![
        vital(now, Parameter::Spo2, Reading::Invalid(Cause::ProbeOff), 1),
        stale,
    ];
    daemon.published.publish(Board {
        vitals,
        ..display_board::infusion()
    });
    page.until("document.querySelector('#tile-spo2 .number').textContent === '--'");
    assert_eq!(page.text("#tile-spo2 .why"), "sensor off");
    assert!(page.text("#tile-spo2 .when").starts_with("LAST VALUE "));
    assert_eq!(page.text("#tile-rate .number"), "--");
    assert_eq!(page.text("#tile-rate .why"), "no new value");
    assert!(page.text("#tile-rate .when").starts_with("LAST VALUE "));
    assert_eq!(page.text("#tile-pressure .number"), "--");
    assert_eq!(page.text("#tile-pressure .why"), "never received");
}

#[test]
fn a_press_meant_for_another_alarm_acknowledges_nothing() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::alarming());
    page.until("document.body.dataset.settled === 'true'");
    // Another alarm takes the first place in the same moment as the finger comes down.
    page.value(
        "new MutationObserver(() => document.querySelector('#acknowledge-first').click())
           .observe(document.querySelector('#alarm-line'), { attributeFilter: ['data-alarm'] }); true",
    );
    let mut board = display_board::alarming();
    let now = Clock::real().now();
    board.alarms.insert(
        0,
        alarm(
            now,
            12,
            Rule::RateLow,
            Priority::High,
            "Heart rate 38 below 40",
            0,
        ),
    );
    daemon.published.publish(board);
    page.until("document.querySelector('#message').innerText.includes('just changed')");
    assert!(daemon.commands.try_recv().is_err());
    page.until("document.body.dataset.settled === 'true'");
    page.press("#acknowledge-first");
    let command = daemon.commands.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(
        command,
        Command::Acknowledge {
            alarm: AcknowledgeTarget::One(12),
            ..
        }
    ));
}

#[test]
fn hostile_text_stays_text() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let evil = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>";
    let now = Clock::real().now();
    let mut board = display_board::alarming();
    board.bed = evil.into();
    board.profile = evil.into();
    board.next_task = Some((evil.into(), now.moment));
    if let Some(session) = &mut board.session {
        session.about.patient_name = Some(evil.into());
    }
    board.vitals.push(vital(
        now,
        ParameterId::Vendor(evil.into()),
        Reading::Valid(Decimal::whole(1)),
        1,
    ));
    board
        .alarms
        .push(alarm(now, 9, Rule::DeviceAlert, Priority::Low, evil, 1));
    board.feeds[0].name = evil.into();
    let mut page = show(&daemon, board);
    page.until("document.querySelector('#bed').textContent.startsWith('<img')");
    assert_eq!(
        page.value("document.querySelectorAll('img, body script').length"),
        0
    );
    assert_eq!(page.value("window.hit ?? null"), serde_json::Value::Null);
    assert_eq!(page.text("#alarm-list li:last-child .text"), evil);
}
