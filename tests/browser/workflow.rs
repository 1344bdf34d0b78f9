//! The session's workflow in a real browser, by presses alone: each press against a scripted engine, and
//! a whole infusion against the real daemon, from its opening to its signature.

use super::devtools::{Browser, installed};
use crate::bedside::{Bench, Daemon as RealDaemon, Monitor, until};
use crate::display_board;
use crate::display_daemon::{Daemon, PATIENCE, Reply};
use infusewatch::board::Board;
use infusewatch::configuration::PinHash;
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

/// Waits until presses on the open dialog count, if one is open.
fn settle(page: &mut Browser) {
    page.until(
        "(({ hidden, dataset }) => hidden || dataset.settled === 'true')(document.querySelector('#panel'))",
    );
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

/// Saturation, pulse rate and a cuff reading, as the real daemon receives them over HL7.
const READINGS: [(u32, &str, u32); 5] = [
    (150_456, "97", 262_688),
    (149_530, "72", 264_864),
    (150_021, "124", 266_016),
    (150_022, "78", 266_016),
    (150_023, "93", 266_016),
];

/// A page at a real daemon that judges readings which come over HL7.
struct Bedside {
    page: Browser,
    daemon: RealDaemon,
    monitor: Monitor,
    bench: Bench,
}

impl Bedside {
    /// With these further lines of configuration, in this language.
    fn start(configuration: &str, language: &str) -> Self {
        let bench = Bench::bare();
        bench.configure(&format!("{}{configuration}", bench.hl7_feed()));
        let daemon = bench.run();
        let mut monitor = bench.monitor();
        monitor.send(&READINGS);
        daemon.number("spo2");
        let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
        let mut page = Browser::open(&format!(
            "http://{}/?lang={language}#token={}",
            read("run/address").trim(),
            read("run/token").trim()
        ));
        page.resize(1024, 600);
        page.until(SHOWN);
        Self {
            page,
            daemon,
            monitor,
            bench,
        }
    }

    /// Waits for a phase, and keeps the readings fresh.
    fn phase(&mut self, name: &str) {
        self.monitor.send(&READINGS);
        self.page.until(&format!(
            "document.querySelector('#phases [data-current=true]')?.textContent === {name:?}"
        ));
    }

    fn tap(&mut self, text: &str) {
        tap(&mut self.page, text);
    }

    /// Ends the daemon and proves its record.
    fn end(mut self) -> Bench {
        self.daemon.signal(nix::sys::signal::Signal::SIGTERM);
        assert_eq!(
            self.daemon.wait().code(),
            Some(0),
            "{}",
            self.bench.stderr()
        );
        self.bench.verify();
        self.bench
    }
}

#[test]
fn a_whole_infusion_by_presses_from_open_to_sign_off() {
    if !installed() {
        return;
    }
    let mut bed = Bedside::start("", "en");
    bed.phase("STANDBY");
    bed.tap("OPEN SESSION");
    view(&mut bed.page, "open-session");
    keys(&mut bed.page, "#panel input[name=patient]", "k");
    bed.tap("Ketamine");
    keys(&mut bed.page, "#panel input[name=weight-kg]", "80");
    keys(&mut bed.page, "#panel input[name=dose-mg]", "40");
    bed.tap("OPEN SESSION");
    bed.phase("BASELINE");
    bed.tap("START INFUSION");
    bed.phase("INFUSION");
    bed.tap("DRUG GIVEN");
    bed.tap("Ondansetron");
    view(&mut bed.page, "dose");
    bed.page.press(".pad button[value=\"4\"]");
    bed.page.press(".pad .done");
    bed.tap("SAVE");
    calm(&mut bed.page);
    bed.tap("PAUSE");
    bed.phase("PAUSED");
    bed.tap("RESUME");
    bed.phase("INFUSION");

    // It was 8 mg, not 4: the total follows, and the old entry stays in the record.
    bed.tap("MORE");
    bed.tap("CORRECT");
    bed.tap("Ondansetron 4 mg");
    view(&mut bed.page, "correct");
    bed.tap("Another value");
    bed.page.press("#panel input[name=value]");
    bed.page.press(".pad .delete");
    bed.page.press(".pad button[value=\"8\"]");
    bed.page.press(".pad .done");
    bed.tap("Typing mistake");
    bed.tap("SAVE");
    calm(&mut bed.page);
    until("the corrected total", || {
        let total = &bed.daemon.now()["session"]["drug_totals"][0]["dose"];
        (total == 8).then_some(())
    });

    bed.tap("STOP INFUSION");
    bed.phase("RECOVERY");
    bed.tap("READY TO LEAVE");
    view(&mut bed.page, "checklist");
    assert!(bed.page.text("#panel .ready").starts_with("NOT READY"));
    bed.tap("?\nWalks unaided");
    bed.page
        .until("document.querySelector('#panel [data-item=walking]').dataset.state === 'met'");
    // A score that the list needs is one press away, and the list comes back changed.
    bed.page.press("#panel [data-item=sedation]");
    view(&mut bed.page, "moaas");
    bed.tap("5");
    view(&mut bed.page, "scores");
    bed.tap("BACK");
    bed.tap("READY TO LEAVE");
    bed.page
        .until("document.querySelector('#panel [data-item=sedation]').dataset.state === 'met'");
    bed.page.picture("checklist-1024x600");

    // Closing ends monitoring: asked once, refused by the gate, done with a reason and a name.
    bed.tap("CLOSE SESSION");
    view(&mut bed.page, "close-session");
    keys(&mut bed.page, "#panel input[name=by]", "ann");
    bed.page.picture("close-session-1024x600");
    bed.tap("CLOSE SESSION");
    view(&mut bed.page, "override");
    assert!(
        bed.page
            .text("#panel .text")
            .contains("minimum observation")
    );
    bed.tap("Prescriber present");
    bed.tap("Ann");
    bed.tap("OVERRIDE");
    bed.phase("STANDBY");
    let bench = bed.end();
    let events =
        bench.sqlite("select what || ' ' || coalesce(detail, '') from v_events order by seq");
    for said in [
        "Ondansetron",
        "Typing mistake",
        "walking",
        "Prescriber present and decides",
        "Ann",
    ] {
        assert!(
            events.contains(said),
            "{said} is not in the record:\n{events}"
        );
    }
}

#[test]
fn a_wrong_pin_is_refused_and_a_limit_moves_within_its_rails_by_name() {
    if !installed() {
        return;
    }
    let pin = PinHash::of("4711", b"sixteen bytes!!!").unwrap();
    let mut bed = Bedside::start(
        &format!(
            "[access]\nrequire = [\"set-limit\", \"close-session\"]\n[[access.staff]]\nname = \"Ann\"\n\
             role = \"nurse\"\npin = {:?}\n",
            pin.reveal()
        ),
        "en",
    );
    // What needs no log-in asks for none; history waits for one, numbers do not.
    bed.tap("OPEN SESSION");
    view(&mut bed.page, "open-session");
    bed.tap("OPEN SESSION");
    bed.phase("BASELINE");
    bed.page.until("document.body.dataset.history === 'hidden'");
    bed.monitor.send(&READINGS);
    bed.page
        .until("document.querySelector('#tile-spo2 .number').innerText === '97'");
    // What says so lies over nothing else.
    for (x, y, part) in [
        (300, 20, "#alarm-line"),
        (800, 300, "#vitals"),
        (60, 545, "#controls"),
    ] {
        let free = format!("document.elementFromPoint({x}, {y}).closest({part:?}) !== null");
        assert_eq!(bed.page.value(&free), true, "{part}");
    }

    bed.tap("MORE");
    bed.tap("LIMITS");
    view(&mut bed.page, "limits");
    assert!(bed.page.text("#panel h2").contains("ketamine-adult"));
    bed.page.press("[data-rule=spo2-low] [data-tier=medium]");
    view(&mut bed.page, "log-in");
    bed.tap("Ann");
    let pin = |bed: &mut Bedside, digits: &str| {
        view(&mut bed.page, "log-in");
        for digit in digits.chars() {
            bed.page.press(&format!(".pin button[value={digit:?}]"));
        }
        bed.tap("LOG IN");
    };
    pin(&mut bed, "0000");
    bed.page
        .until("document.querySelector('#panel .text').textContent.includes('PIN is wrong')");
    bed.page.picture("wrong-pin");
    // Too soon: not even looked at, and the page counts the delay down.
    pin(&mut bed, "4711");
    let wait = "document.querySelector('#panel .text').textContent";
    let told = until("an answer", || {
        let told = bed.page.value(&format!(
            "document.querySelector('#panel').dataset.view === 'limit' ? 'in' : {wait}"
        ));
        let told = told.as_str().unwrap_or("").to_owned();
        (!told.contains("is wrong")).then_some(told)
    });
    if told != "in" {
        bed.page.until(&format!("{wait} === 'Try again.'"));
        pin(&mut bed, "4711");
    }
    view(&mut bed.page, "limit");
    bed.page.until("document.body.dataset.history === 'shown'");

    // Beyond the rail it is not even sent.
    assert!(bed.page.text("#panel .text").contains("not below 80"));
    let replace = |bed: &mut Bedside, digits: &str| {
        bed.page.press("#panel input[name=value]");
        for _ in 0..2 {
            bed.page.press(".pad .delete");
        }
        for digit in digits.chars() {
            bed.page.press(&format!(".pad button[value={digit:?}]"));
        }
        bed.page.press(".pad .done");
    };
    bed.tap("Usual for this patient");
    replace(&mut bed, "79");
    bed.tap("SAVE");
    bed.page
        .until("document.querySelector('#panel input[name=value]').ariaInvalid === 'true'");
    replace(&mut bed, "90");
    assert!(bed.page.text("#panel form").contains("92 → 90"));
    bed.tap("SAVE");
    view(&mut bed.page, "limits");
    let cell = "document.querySelector('[data-rule=spo2-low] [data-tier=medium]').innerText";
    bed.page.until(&format!("{cell} === '< 90\\nwas 92'"));
    bed.page.picture("limits-1024x600");
    bed.tap("RESTORE ALL");
    bed.page.until(&format!("{cell} === '< 92'"));
    bed.tap("BACK");
    bed.tap("LOG IN / OUT");
    bed.tap("LOG OUT");
    bed.page.until("document.body.dataset.history === 'hidden'");
    let bench = bed.end();
    let events =
        bench.sqlite("select what || ' ' || coalesce(detail, '') from v_events order by seq");
    for said in ["Usual for this patient", "Ann"] {
        assert!(
            events.contains(said),
            "{said} is not in the record:\n{events}"
        );
    }
    assert!(
        !events.contains("4711") && !events.contains("0000"),
        "{events}"
    );
}

/// Lists what is wrong with the open dialog.
const DIALOGS: &str = include_str!("dialogs.js");

/// The ways to every dialog: the buttons to press from a calm page, as keys of the table.
const DIALOGS_OF_STANDBY: &[&[&str]] = &[
    &["session.open"],
    &["session.open", "#panel input[name=patient]"],
    &["session.open", "#panel input[name=planned-min]"],
    &["more.self-test"],
    &["session.more"],
    &["session.more", "more.language"],
];
const DIALOGS_OF_A_SESSION: &[&[&str]] = &[
    &["session.more"],
    &["more.drugs"],
    &["more.drugs", "drug.midazolam"],
    &["more.drugs", "form.other"],
    &["more.scores"],
    &["more.scores", "scale.moaas"],
    &["more.scores", "scale.nausea"],
    &["more.scores", "scale.aldrete"],
    &["more.scores", "scale.padss"],
    &["session.more", "more.rate"],
    &["session.more", "more.notes"],
    &["session.more", "more.limits"],
    &["session.more", "more.limits", "[data-rule=spo2-low] button"],
    &[
        "session.more",
        "more.limits",
        "[data-rule=spo2-low] button",
        "#panel input[name=value]",
    ],
    &["session.more", "more.baseline"],
    &["session.more", "more.correct"],
    &["session.more", "more.sign"],
];
/// With a high alarm above and its row below.
const DIALOGS_IN_ALARM: &[&[&str]] = &[
    &["more.drugs"],
    &["more.drugs", "drug.midazolam"],
    &["more.scores", "scale.moaas"],
];
const DIALOGS_AT_THE_END: &[&[&str]] = &[
    &["more.checklist"],
    &["more.checklist", "session.close"],
    &["session.more"],
    &["session.more", "more.away"],
];

/// Opens each dialog on each screen and lists what is wrong with it.
fn look(bed: &mut Bedside, sizes: &[(u32, u32)], dialogs: &[&[&str]], wrong: &mut Vec<String>) {
    for &(width, height) in sizes {
        bed.page.resize(width, height);
        bed.page.until(&format!(
            "innerWidth === {width} && innerHeight === {height}"
        ));
        for steps in dialogs {
            bed.monitor.send(&READINGS);
            for step in *steps {
                let text = bed.page.value(&format!(
                    "import('/page/words.js').then(({{ say }}) => say({step:?}))"
                ));
                match text.as_str() {
                    Some(text) if text != *step => bed.tap(text),
                    _ => {
                        settle(&mut bed.page);
                        bed.page.press(step);
                    }
                }
            }
            let name = steps.join(" ").replace(['#', '[', ']', '=', '/', ' '], "-");
            settle(&mut bed.page);
            let faults = bed.page.value(DIALOGS);
            bed.page.picture(&format!("dialog-{name}-{width}"));
            for fault in faults.as_array().unwrap() {
                wrong.push(format!("{name} at {width}×{height}: {fault}"));
            }
            bed.page.value(
                "(() => { document.activeElement.blur();
                   while (!document.querySelector('#panel').hidden) document.querySelector('#panel .back').click();
                   return true; })()",
            );
            calm(&mut bed.page);
        }
    }
}

#[test]
fn no_dialog_scrolls_or_covers_anything() {
    if !installed() {
        return;
    }
    let mut wrong = Vec::new();
    for (language, sizes) in [("en", &[(1280, 800)][..]), ("es-MX", &[(1024, 600)][..])] {
        let mut bed = Bedside::start("", language);
        look(&mut bed, sizes, DIALOGS_OF_STANDBY, &mut wrong);
        bed.daemon
            .done(r#"{"command":"open-session","patient":"K-7"}"#);
        bed.daemon.done(r#"{"command":"start-infusion"}"#);
        bed.daemon
            .done(r#"{"command":"drug","name":"Ondansetron","dose":4,"unit":"mg"}"#);
        bed.page
            .until("[...document.querySelectorAll('#phases li')].length === 4");
        look(&mut bed, sizes, DIALOGS_OF_A_SESSION, &mut wrong);
        let mut low = READINGS;
        low[0].1 = "84";
        bed.monitor.send(&low);
        bed.page
            .until("document.querySelector('#alarm-line').dataset.priority === 'high'");
        look(&mut bed, sizes, DIALOGS_IN_ALARM, &mut wrong);
        bed.daemon
            .done(r#"{"command":"acknowledge","alarm":"all","seen_seq":999999}"#);
        bed.daemon.done(r#"{"command":"stop-infusion"}"#);
        bed.page
            .until("document.querySelector('#phases li:nth-child(3)').dataset.current === 'true'");
        look(&mut bed, sizes, DIALOGS_AT_THE_END, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
