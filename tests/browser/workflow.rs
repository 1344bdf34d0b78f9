//! The session's workflow in a real browser, by presses alone: each press against a scripted engine, and
//! a whole infusion against the real daemon, from its opening to its signature.

use super::devtools::{Browser, installed};
use crate::bedside::{Bench, until};
use crate::display_board;
use crate::display_daemon::{Daemon, PATIENCE, Reply};
use infusewatch::board::Board;
use infusewatch::engine::{AcknowledgeTarget, Command};
use infusewatch::vocabulary::{Decimal, Phase, Priority};

const SHOWN: &str = "!document.body.classList.contains('no-data')";

fn show(daemon: &Daemon, board: Board) -> Browser {
    daemon.published.publish(board);
    let mut browser = Browser::open(&daemon.page());
    browser.until(SHOWN);
    browser
}

/// Presses the button whose text begins so, where a finger could: in the open form, else anywhere.
fn tap(page: &mut Browser, text: &str) {
    page.until(&format!(
        "(() => {{ const panel = document.querySelector('#panel');
           if (!panel.hidden && panel.dataset.settled !== 'true') return false;
           document.querySelectorAll('[data-test]').forEach((node) => delete node.dataset.test);
           const found = [...(panel.hidden ? document : panel).querySelectorAll('button')].find((node) =>
             node.checkVisibility({{ visibilityProperty: true }}) && !node.disabled && node.innerText.startsWith({text:?}));
           if (found) found.dataset.test = 'pressed';
           return !!found; }})()"
    ));
    page.press("[data-test=pressed]");
}

/// Waits for a view, and until presses on it count.
fn view(page: &mut Browser, name: &str) {
    page.until(&format!(
        "document.querySelector('#panel[data-view={name}]')?.dataset.settled === 'true'"
    ));
}

/// Waits until nothing is asked any more.
fn calm(page: &mut Browser) {
    page.until("document.querySelector('#panel').hidden");
}

/// Types a text on the screen's own keys, into the field that is pressed first.
fn keys(page: &mut Browser, field: &str, letters: &str) {
    page.press(field);
    let kind = page.value("document.querySelector('.keyboard').dataset.kind");
    let sheet = if kind == "number" { ".pad" } else { ".letters" };
    for letter in letters.chars() {
        page.press(&format!("{sheet} button[value={letter:?}]"));
    }
    page.press(&format!("{sheet} .done"));
}

fn next(daemon: &Daemon) -> Command {
    daemon.commands.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn presses_reach_the_engine() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::standby());
    page.resize(1280, 800);
    tap(&mut page, "OPEN SESSION");
    view(&mut page, "open-session");
    page.picture("open-session");
    page.type_into("#panel input[name=patient]", "K-7");
    page.picture("keyboard");
    page.press(".letters .done");
    tap(&mut page, "Ketamine");
    keys(&mut page, "#panel input[name=weight-kg]", "81.5");
    keys(&mut page, "#panel input[name=dose-mg]", "40");
    assert!(page.text("#panel form").contains("0.49 mg/kg"));
    page.press("#panel [data-name=cuff-arm] button[value=left]");
    // The usual lengths are one press.
    page.press("#panel input[name=planned-min]");
    page.press(".wishes button:nth-child(1)");
    page.press(".pad .done");
    tap(&mut page, "OPEN SESSION");
    let Command::OpenSession(about) = next(&daemon) else {
        panic!("not opened")
    };
    assert_eq!(about.patient.as_deref(), Some("K-7"));
    assert_eq!(about.drug.as_deref(), Some("Ketamine"));
    assert_eq!(about.weight_kg, Some(Decimal::new(815, 1)));
    assert_eq!(about.planned_min, Some(Decimal::whole(40)));
    assert_eq!(about.cuff_arm.as_deref(), Some("left"));
    assert_eq!(about.spo2_arm, None);
    calm(&mut page);

    daemon.published.publish(Board {
        phase: Phase::Baseline,
        ..display_board::infusion()
    });
    daemon.script(|command| match command {
        Command::StartInfusion { over: None } => Reply::Refused(
            "start not allowed with blood pressure 182/100 mmHg",
            Some("recheck, or start with an override by two people: reason, by, second-by"),
        ),
        _ => Reply::Done(Vec::new()),
    });
    tap(&mut page, "START INFUSION");
    assert_eq!(next(&daemon), Command::StartInfusion { over: None });
    view(&mut page, "override");
    assert!(page.text("#panel .text").contains("182/100 mmHg"));
    page.picture("override");
    // Without the second person it is not sent.
    tap(&mut page, "Rechecked");
    // The screen keyboard types too, with a capital letter first.
    keys(&mut page, "#panel input[name=by]", "ann");
    tap(&mut page, "OVERRIDE");
    assert!(daemon.commands.try_recv().is_err());
    page.until("document.activeElement.name === 'second-by'");
    keys(&mut page, "#panel input[name=second-by]", "bob");
    tap(&mut page, "OVERRIDE");
    let Command::StartInfusion { over: Some(over) } = next(&daemon) else {
        panic!("no override")
    };
    assert_eq!(
        (
            over.reason.as_str(),
            over.by.as_str(),
            over.second_by.as_deref()
        ),
        ("Rechecked, patient well", "Ann", Some("Bob"))
    );
    calm(&mut page);

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
    // Nothing of this ends monitoring, so nothing of it is asked twice.
    tap(&mut page, "PAUSE");
    assert_eq!(next(&daemon), Command::PauseInfusion);
    tap(&mut page, "STOP INFUSION");
    assert_eq!(next(&daemon), Command::StopInfusion);
}

#[test]
fn entries_are_made_by_presses() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    let mut page = show(&daemon, display_board::infusion());
    page.resize(1024, 600);
    tap(&mut page, "DRUG GIVEN");
    tap(&mut page, "Ondansetron");
    view(&mut page, "dose");
    for key in ["4", ".", "5"] {
        page.press(&format!(".pad button[value={key:?}]"));
    }
    page.press(".pad .done");
    tap(&mut page, "SAVE");
    let Command::Drug {
        name, dose, unit, ..
    } = next(&daemon)
    else {
        panic!("no drug")
    };
    assert_eq!(
        (name.as_str(), dose, unit.as_str()),
        ("Ondansetron", Decimal::new(45, 1), "mg")
    );
    calm(&mut page);

    tap(&mut page, "SCORES");
    tap(&mut page, "MOAA/S");
    tap(&mut page, "4");
    let Command::Score { scale, value, .. } = next(&daemon) else {
        panic!("no score")
    };
    assert_eq!((scale.as_str(), value), ("moaas", Decimal::whole(4)));
    view(&mut page, "scores");
    tap(&mut page, "Aldrete");
    view(&mut page, "aldrete");
    // Not before every item is answered.
    assert_eq!(
        page.value("document.querySelector('#panel .actions .main').disabled"),
        true
    );
    for (item, points) in [
        ("activity", 2),
        ("respiration", 2),
        ("circulation", 1),
        ("consciousness", 2),
        ("oxygen", 2),
    ] {
        page.press(&format!("#panel [data-item={item}][value=\"{points}\"]"));
    }
    tap(&mut page, "SAVE 9 OF 10");
    let Command::Score { scale, value, .. } = next(&daemon) else {
        panic!("no score")
    };
    assert_eq!((scale.as_str(), value), ("aldrete", Decimal::whole(9)));
    let Command::Note { text, .. } = next(&daemon) else {
        panic!("the items are not recorded")
    };
    assert_eq!(
        text,
        "Aldrete 9: Activity 2, Respiration 2, Circulation 1, Consciousness 2, SpO₂ 2"
    );
    view(&mut page, "scores");
    tap(&mut page, "BACK");

    tap(&mut page, "MORE");
    tap(&mut page, "NOTE");
    tap(&mut page, "IV site checked");
    let Command::Note { text, .. } = next(&daemon) else {
        panic!("no note")
    };
    assert_eq!(text, "IV site checked");
    calm(&mut page);
    tap(&mut page, "MORE");
    tap(&mut page, "RATE CHANGE");
    view(&mut page, "rate");
    tap(&mut page, "SAVE");
    page.until("document.querySelector('#panel .text').textContent.includes('mL/h or mg/h')");
    keys(&mut page, "#panel input[name=ml-h]", "25.5");
    tap(&mut page, "SAVE");
    let Command::RateChange { ml_h, mg_h, .. } = next(&daemon) else {
        panic!("no rate")
    };
    assert_eq!((ml_h, mg_h), (Some(Decimal::new(255, 1)), None));
    calm(&mut page);
    tap(&mut page, "MORE");
    tap(&mut page, "SIGN");
    view(&mut page, "sign");
    tap(&mut page, "witness");
    keys(&mut page, "#panel input[name=by]", "eve");
    tap(&mut page, "SIGN");
    assert_eq!(
        next(&daemon),
        Command::Sign {
            role: "witness".into(),
            by: "Eve".into()
        }
    );
}

/// Oxygen saturation, pulse rate, and a cuff reading, as the real daemon receives them over HL7.
const READINGS: [(u32, &str, u32); 5] = [
    (150_456, "97", 262_688),
    (149_530, "72", 264_864),
    (150_021, "124", 266_016),
    (150_022, "78", 266_016),
    (150_023, "93", 266_016),
];

#[test]
fn a_whole_infusion_by_presses_from_open_to_sign_off() {
    if !installed() {
        return;
    }
    let bench = Bench::new();
    let mut daemon = bench.run();
    let mut monitor = bench.monitor();
    monitor.send(&READINGS);
    daemon.number("spo2");
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    let mut page = Browser::open(&format!(
        "http://{}/#token={}",
        read("run/address").trim(),
        read("run/token").trim()
    ));
    page.resize(1024, 600);
    page.until(SHOWN);
    let phase = |page: &mut Browser, name: &str| {
        page.until(&format!(
            "document.querySelector('#phases [data-current=true]')?.textContent === {name:?}"
        ));
    };
    phase(&mut page, "STANDBY");

    tap(&mut page, "OPEN SESSION");
    view(&mut page, "open-session");
    keys(&mut page, "#panel input[name=patient]", "k");
    tap(&mut page, "Ketamine");
    keys(&mut page, "#panel input[name=weight-kg]", "80");
    keys(&mut page, "#panel input[name=dose-mg]", "40");
    tap(&mut page, "OPEN SESSION");
    phase(&mut page, "BASELINE");
    monitor.send(&READINGS);
    tap(&mut page, "START INFUSION");
    phase(&mut page, "INFUSION");
    tap(&mut page, "DRUG GIVEN");
    tap(&mut page, "Ondansetron");
    view(&mut page, "dose");
    page.press(".pad button[value=\"4\"]");
    page.press(".pad .done");
    tap(&mut page, "SAVE");
    calm(&mut page);
    tap(&mut page, "PAUSE");
    phase(&mut page, "PAUSED");
    tap(&mut page, "RESUME");
    phase(&mut page, "INFUSION");
    tap(&mut page, "STOP INFUSION");
    phase(&mut page, "RECOVERY");
    tap(&mut page, "SCORES");
    tap(&mut page, "MOAA/S");
    tap(&mut page, "5");
    view(&mut page, "scores");
    tap(&mut page, "BACK");

    close_early(&mut page);
    phase(&mut page, "STANDBY");
    let events = until("the events in the record", || {
        let events = bench.sqlite("select what from v_events where session = 1 order by seq");
        events.contains("close-session").then_some(events)
    });
    println!("{events}");
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0), "{}", bench.stderr());
    let overridden = bench.sqlite(
        "select count(*) from v_events where detail like '%Prescriber present%' and detail like '%Ann%'",
    );
    assert_ne!(overridden, "0");
    bench.verify();
}

/// Closes before the minimum time: asked once, refused by the gate, done with a reason and a name.
fn close_early(page: &mut Browser) {
    tap(page, "CLOSE SESSION");
    view(page, "close-session");
    keys(page, "#panel input[name=by]", "ann");
    page.picture("close-session-1024x600");
    tap(page, "CLOSE SESSION");
    view(page, "override");
    assert!(page.text("#panel .text").contains("minimum observation"));
    tap(page, "Prescriber present");
    tap(page, "Ann");
    tap(page, "OVERRIDE");
}
