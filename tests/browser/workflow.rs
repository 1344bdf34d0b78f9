//! The session's workflow in a real browser, by presses alone.

use super::devtools::{Browser, installed};
use crate::display_board;
use crate::display_daemon::{Daemon, PATIENCE, Reply};
use infusewatch::board::Board;
use infusewatch::engine::{AcknowledgeTarget, Command};
use infusewatch::vocabulary::{Decimal, Priority};

const SHOWN: &str = "!document.body.classList.contains('no-data')";

fn show(daemon: &Daemon, board: Board) -> Browser {
    daemon.published.publish(board);
    let mut browser = Browser::open(&daemon.page());
    browser.until(SHOWN);
    browser
}

#[test]
fn presses_reach_the_engine() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let next = |daemon: &Daemon| daemon.commands.recv_timeout(PATIENCE).unwrap();
    let mut page = show(&daemon, display_board::standby());
    page.resize(1280, 800);
    page.press_button("OPEN SESSION");
    page.until("document.querySelector('#panel').checkVisibility()");
    page.picture("open-session");
    page.type_into("#panel input[name=patient]", "K-7");
    page.picture("keyboard");
    page.press(".keyboard .done");
    page.type_into("#panel input[name=weight-kg]", "81.5");
    page.press(".keyboard .done");
    page.press("#panel button[type=submit]");
    let Command::OpenSession(about) = next(&daemon) else {
        panic!("not opened")
    };
    assert_eq!(about.patient.as_deref(), Some("K-7"));
    assert_eq!(about.weight_kg, Some(Decimal::new(815, 1)));

    daemon.published.publish(Board {
        phase: infusewatch::vocabulary::Phase::Baseline,
        ..display_board::infusion()
    });
    daemon.script(|command| match command {
        Command::StartInfusion { over: None } => Reply::Refused(
            "SBP 172 mmHg is at or above 160.",
            Some("Give a reason and a name."),
        ),
        _ => Reply::Done(Vec::new()),
    });
    page.press_button("START INFUSION");
    page.press("#panel button[type=submit]");
    assert_eq!(next(&daemon), Command::StartInfusion { over: None });
    page.until("document.querySelector('#panel').innerText.includes('SBP 172 mmHg')");
    page.picture("override");
    page.type_into("#panel input[name=reason]", "known hypertension");
    page.press(".keyboard .done");
    // The screen keyboard types too, with a capital letter first.
    page.press("#panel input[name=by]");
    for key in ["a", "b"] {
        page.press(&format!(".keyboard button[value={key}]"));
    }
    page.press(".keyboard .done");
    page.press("#panel button[type=submit]");
    let Command::StartInfusion { over: Some(over) } = next(&daemon) else {
        panic!("no override")
    };
    assert_eq!(
        (over.reason.as_str(), over.by.as_str()),
        ("known hypertension", "Ab")
    );

    let mut board = display_board::alarming();
    board.audio = Default::default();
    board.alarms[1].state = infusewatch::board::AlarmStateView::Active;
    daemon.published.publish(board);
    page.until("document.body.dataset.settled === 'true'");
    page.press("#acknowledge-first");
    let Command::Acknowledge {
        alarm,
        seen_priority,
        ..
    } = next(&daemon)
    else {
        panic!("not acknowledged")
    };
    assert_eq!(
        (alarm, seen_priority),
        (AcknowledgeTarget::One(7), Some(Priority::High))
    );
    page.press(".alarm .acknowledge");
    assert!(matches!(
        next(&daemon),
        Command::Acknowledge {
            alarm: AcknowledgeTarget::One(6),
            ..
        }
    ));
    page.press("#acknowledge-all");
    assert!(matches!(
        next(&daemon),
        Command::Acknowledge {
            seen_seq: Some(17),
            ..
        }
    ));
    page.press("#audio-pause");
    assert_eq!(next(&daemon), Command::AudioPause);
    page.press_button("PAUSE");
    assert_eq!(next(&daemon), Command::PauseInfusion);
    page.press_button("STOP INFUSION");
    page.press("#panel button[type=submit]");
    assert_eq!(next(&daemon), Command::StopInfusion);
}
