//! One table of texts per language: the same keys, every key used and known, and the daemon's own lines
//! said without losing a number.

use super::devtools::{Browser, installed};
use crate::display_board;
use crate::display_daemon::Daemon;
use infusewatch::engine::{AlarmEvent, AlarmRecord, LimitSource, text};
use infusewatch::profile::Reason;
use infusewatch::vocabulary::{Cause, Decimal, Moment, Parameter, Phase, Priority, Rule};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn page(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/display/page")
        .join(file)
}

/// The table of one language: lines of `"key": "text",`.
fn table(language: &str) -> BTreeMap<String, String> {
    let source = std::fs::read_to_string(page(&format!("words-{language}.js"))).unwrap();
    let mut table = BTreeMap::new();
    for line in source.lines().filter(|line| line.starts_with("  \"")) {
        let pair = format!("{{{}}}", line.trim().trim_end_matches(','));
        let pair: BTreeMap<String, String> = serde_json::from_str(&pair)
            .unwrap_or_else(|error| panic!("words-{language}.js: {line}: {error}"));
        for (key, text) in pair {
            assert!(
                table.insert(key, text).is_none(),
                "words-{language}.js has {line} twice"
            );
        }
    }
    table
}

/// The places in a text: `{name}`.
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}

/// Everything between double quotes or backquotes in the page's scripts and its document.
fn literals() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(page("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_source = name.ends_with(".js") || name.ends_with(".html");
        if !is_source || name.starts_with("words-") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for line in source.lines().filter(|line| !line.trim().starts_with("//")) {
            for quote in ['"', '`'] {
                let parts = line.split(quote).skip(1).step_by(2);
                found.extend(parts.map(|part| (name.clone(), part.to_owned())));
            }
        }
    }
    found
}

#[test]
fn both_languages_have_the_same_keys_and_places() {
    let (english, spanish) = (table("en"), table("es"));
    let keys = |table: &BTreeMap<String, String>| table.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&english), keys(&spanish));
    for (key, text) in &english {
        let other = &spanish[key];
        assert!(!text.trim().is_empty() && !other.trim().is_empty(), "{key}");
        assert_eq!(places(text), places(other), "{key}");
    }
}

#[test]
fn every_key_that_is_used_exists_and_every_key_is_used() {
    let english = table("en");
    let prefixes: BTreeSet<&str> = english
        .keys()
        .filter_map(|key| key.split_once('.'))
        .map(|(prefix, _)| prefix)
        .collect();
    let literals = literals();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let mut families = BTreeSet::from(["told.", "tail.", "short.", "command."].map(String::from));
    for (file, literal) in &literals {
        let Some((prefix, rest)) = literal.split_once('.') else {
            continue;
        };
        if let Some((family, _)) = rest.split_once("${").filter(|_| prefixes.contains(prefix)) {
            families.insert(format!("{prefix}.{family}"));
        } else if prefixes.contains(prefix) && !["js", "css", "svg"].contains(&rest) {
            let is_prefix = rest.is_empty();
            if !is_prefix && !english.contains_key(literal) {
                wrong.push(format!("{file} says {literal:?}, which no table has"));
            }
            used.insert(literal.clone());
        }
    }
    // A tile of the menu, `known("cause", name)` and `names("short")` in words.js.
    families.extend(
        literals
            .iter()
            .filter(|(file, literal)| file == "words.js" && prefixes.contains(literal.as_str()))
            .map(|(_, literal)| format!("{literal}.")),
    );
    for key in english.keys() {
        if !used.contains(key) && !families.iter().any(|family| key.starts_with(family)) {
            wrong.push(format!("{key} is never said"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_name_of_the_daemon_has_its_words() {
    let english = table("en");
    let mut names: Vec<String> = Vec::new();
    names.extend(
        Parameter::ALL
            .iter()
            .map(|it| format!("parameter.{}", it.name())),
    );
    names.extend(Cause::ALL.iter().map(|it| format!("cause.{}", it.name())));
    names.extend(Phase::ALL.iter().map(|it| format!("phase.{}", it.name())));
    names.extend(Priority::ALL.iter().map(|it| format!("tier.{}", it.name())));
    names.extend(
        Parameter::ALL
            .iter()
            .map(|&it| format!("short.{}", text::parameter_name(it))),
    );
    for name in names {
        assert!(english.contains_key(&name), "no table has {name}");
    }
    // Every task that the engine can name is a sentence of the table.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/text.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let (_, tasks) = source.split_once("fn task(").unwrap();
    let (tasks, _) = tasks.split_once("\n}").unwrap();
    let sentences: BTreeSet<&str> = english
        .iter()
        .filter(|(key, _)| key.starts_with("told.task-"))
        .map(|(_, text)| text.as_str())
        .collect();
    let tasks: BTreeSet<&str> = tasks.split('"').skip(1).step_by(2).collect();
    assert_eq!(tasks, sentences);
}

fn record(rule: Rule) -> AlarmRecord {
    AlarmRecord {
        event: AlarmEvent::Begin,
        alarm: 1,
        rule,
        parameter: None,
        class: rule.class(),
        priority: Priority::Medium,
        peak: Priority::Medium,
        value: None,
        limit: None,
        limit_source: None,
        phase: Phase::Infusion,
        since: Moment::from_secs(100),
        delay: Duration::ZERO,
        feed: None,
        age: None,
        cause: None,
        reason: None,
        by: None,
    }
}

/// Every shape of line that an alarm can have.
fn lines() -> Vec<String> {
    let mut records = Vec::new();
    for &rule in Rule::ALL {
        records.push(record(rule));
        for delay in [0, 10] {
            for reason in [
                None,
                Some(Reason::NeverReceived),
                Some(Reason::Twice),
                Some(Reason::Recheck),
                Some(Reason::Repeated),
                Some(Reason::Conflict),
                Some(Reason::GateNotPassed),
                Some(Reason::Unknown),
                Some(Reason::OtherBed),
            ] {
                let reason = reason.map(|reason| reason.name().to_owned());
                let delay = Duration::from_secs(delay);
                for cause in Cause::ALL {
                    records.push(AlarmRecord {
                        parameter: Some(Parameter::Spo2),
                        cause: Some(cause),
                        reason: reason.clone(),
                        delay,
                        ..record(rule)
                    });
                }
                for &parameter in Parameter::ALL {
                    for limit in [86, 88, 90] {
                        for source in [
                            LimitSource::Profile,
                            LimitSource::Baseline,
                            LimitSource::Nurse,
                            LimitSource::Device,
                        ] {
                            records.push(AlarmRecord {
                                parameter: (rule != Rule::Oversedated).then_some(parameter),
                                value: Some(Decimal::whole(88)),
                                limit: Some(Decimal::whole(limit)),
                                limit_source: Some(source),
                                reason: reason.clone(),
                                delay,
                                ..record(rule)
                            });
                        }
                    }
                }
            }
        }
    }
    let now = Moment::from_secs(160);
    let lines: BTreeSet<String> = records
        .iter()
        .map(|record| text::line(record, Some("monitor 2"), now))
        .collect();
    lines.into_iter().collect()
}

/// The numbers in a line, in their order.
fn numbers(line: &str) -> Vec<String> {
    line.replace('₂', "2")
        .split(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ',')
        .map(|part| part.trim_matches(['.', ',']).replace(',', "."))
        .filter(|part| !part.is_empty())
        .collect()
}

#[test]
fn every_alarm_line_is_said_in_spanish_with_all_its_numbers() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    daemon.published.publish(display_board::infusion());
    let mut browser = Browser::open(&daemon.page().replace("/#", "/?lang=es#"));
    browser.until("document.documentElement.lang === 'es'");
    let lines = lines();
    println!("{} lines", lines.len());
    let said = browser.value(&format!(
        "import('/page/words.js').then(({{ told }}) => {}.map(told))",
        json!(lines)
    ));
    let mut wrong = Vec::new();
    for (line, said) in lines.iter().zip(said.as_array().unwrap()) {
        let said = said.as_str().unwrap();
        // The monitor's own words stay as the monitor said them.
        let foreign = line.starts_with("Monitor monitor 2: ");
        if (said == line) != foreign || numbers(line) != numbers(said) {
            wrong.push(format!("{line:?} became {said:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} lines:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // What is not known stays as it came, with everything in it.
    for strange in [
        "<b>Feed</b>",
        "SpO2 84 % sideways of 88",
        "",
        "Feed x: no data for ever",
    ] {
        let said = browser.value(&format!(
            "import('/page/words.js').then(({{ told }}) => told({strange:?}))"
        ));
        assert_eq!(said, strange);
    }
    // Decimals follow the region: a comma in Spain, a point in Mexico.
    for (region, decimal) in [("es-ES", "36,6"), ("es-MX", "36.6"), ("en-US", "36.6")] {
        let said = browser.value(&format!(
            "import('/page/words.js').then((words) => {{ words.speak({region:?}); return words.number(36.6); }})"
        ));
        assert_eq!(said, decimal, "{region}");
    }
}

#[test]
fn the_page_speaks_spanish_and_the_choice_is_kept() {
    if !installed() {
        return;
    }
    let daemon = Daemon::start();
    daemon.published.publish(display_board::alarming());
    let mut browser = Browser::open(&daemon.page().replace("/#", "/?lang=es-MX#"));
    browser.until("document.querySelector('#alarm-line .text').textContent === 'SpO2 84 % por debajo de 88 durante 10 s'");
    assert_eq!(browser.text("#phases [data-current=true]"), "INFUSIÓN");
    assert_eq!(browser.text("#acknowledge-first"), "RECONOCER");
    assert_eq!(browser.text("#task .value"), "Repeat cuff now · ahora");
    browser.resize(1024, 600);
    browser.picture("spanish-1024x600");
    // The other language at one press, without loading the page again.
    browser.value(
        "import('/page/words.js').then(({ speak }) => { window.same = true; speak('en'); })",
    );
    assert_eq!(browser.text("#acknowledge-first"), "ACKNOWLEDGE");
    assert_eq!(
        browser.text("#alarm-line .text"),
        "SpO2 84 % below 88 for 10 s"
    );
    assert_eq!(browser.value("window.same"), true);
    assert_eq!(browser.value("document.documentElement.lang"), "en");
    daemon.published.publish(display_board::standby());
    browser
        .until("document.querySelector('#standing').textContent.startsWith('No session is open')");
}
