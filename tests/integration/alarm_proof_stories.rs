//! The goals and alarm requirements that the rules' own stories do not name, each told once. Elsewhere:
//! goals 1, 2, 3, 5, 9 and A9 with the rules, A15 and A18 with the life of an alarm, goals 6 and 7 with
//! the recordings, goal 8 with the crash of the real daemon.

use super::alarm_proof_bed::{Bed, command, reads};
use super::alarm_story::{Story, Told, judge};
use infusewatch::board::{self, AlarmStateView, Board};
use infusewatch::engine::{AudioState, Command, HealthItem, Input, Sounding};
use infusewatch::profile::SHIPPED;
use infusewatch::vocabulary::{
    Decimal, Moment, Now, Parameter, ParameterId, Priority, Rule, WallTime,
};
use serde_json::{Value, json};
use std::time::Duration;

fn seconds(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn picture(bed: &Bed) -> Board {
    let now = Now {
        moment: bed.at,
        wall: WallTime::default(),
    };
    board::picture(&bed.engine, now, "Chair 3".into(), None)
}

/// A session in which SpO2 and heart rate have been as given for a second.
fn bed(spo2: i64, hr: i64) -> Bed {
    let mut bed = Bed::opened(Duration::from_secs(3600));
    bed.wait_until(Moment::from_secs(1));
    bed.take(&reads(Parameter::Spo2, spo2));
    bed.take(&reads(Parameter::Hr, hr));
    bed
}

#[test]
fn alm_goal_4_every_rate_limit_crossing_sounds_within_10_s() {
    for (value, rule) in [
        (49, "rate-low"),
        (39, "rate-low"),
        (121, "rate-high"),
        (151, "rate-high"),
    ] {
        let told = Story::opened()
            .steady("spo2", 97, 1, 60)
            .steady("hr", 70, 1, 20)
            .steady("hr", value, 21, 60)
            .told();
        let begun = told.first(rule);
        assert!(seconds(&begun["t"]) - 21.0 <= 10.0, "{value}: {begun}");
        assert!(told.audio()[0].starts_with(&begun["t"].to_string()));
    }
}

#[test]
fn alm_goal_10_the_same_record_gives_the_same_bytes() {
    let story = Story::infusing(1500)
        .steady("spo2", 90, 601, 1500)
        .cuff(700.0, 190, 100)
        .command(800.0, json!({"command": "audio-pause"}))
        .text();
    let one = judge(&story, &[]).stdout;
    assert!(!one.is_empty());
    assert_eq!(one, judge(&story, &[]).stdout);
}

#[test]
fn alm_a2_a20_every_record_tells_class_priority_limit_value_and_delay() {
    let told = Story::opened()
        .steady("spo2", 90, 1, 20)
        .line(5.0, json!({"kind": "health", "what": "sound", "ok": false}))
        .told();
    let low = told.first("spo2-low");
    assert_eq!(low["class"], "physiological");
    assert_eq!(
        (&low["priority"], &low["value"], &low["limit"]),
        (&json!("medium"), &json!(90), &json!(92))
    );
    assert_eq!(seconds(&low["delay_s"]), 15.0);
    assert_eq!(told.first("sound")["class"], "technical");
}

#[test]
fn alm_a4_a6_the_highest_priority_comes_first_and_is_what_sounds() {
    let mut bed = bed(80, 130);
    bed.wait(Duration::from_secs(20));
    let board = picture(&bed);
    let shown: Vec<_> = board.alarms.iter().map(|a| (a.rule, a.priority)).collect();
    assert_eq!(
        shown,
        [
            (Rule::Spo2Low, Priority::High),
            (Rule::RateHigh, Priority::Medium)
        ]
    );
    assert_eq!(board.audio.sounding, Sounding::High);
}

#[test]
fn alm_a8_no_command_changes_a_delay() {
    let told = Story::opened()
        .command(
            1.0,
            json!({"command": "set-limit", "rule": "spo2-low", "tier": "medium",
            "value": 91, "reason": "COPD", "for": "60s", "delay": 60}),
        )
        .steady("spo2", 90, 2, 40)
        .told();
    assert_eq!(told.alarms("spo2-low"), ["17 begin medium"]);
    assert_eq!(told.first("spo2-low")["limit"], 91);
}

#[test]
fn alm_a10_a12_the_limits_in_use_are_shown_and_the_clinics_can_be_restored() {
    let mut bed = bed(97, 70);
    let limit = |bed: &Bed| {
        let board = picture(bed);
        assert!(!board.profile.is_empty());
        let spo2 = ParameterId::Known(Parameter::Spo2);
        let vital = board
            .vitals
            .into_iter()
            .find(|v| v.parameter == spo2)
            .unwrap();
        vital.limits.low.unwrap()
    };
    assert_eq!(limit(&bed), Decimal::whole(94));
    bed.take(&command(Command::SetLimit {
        rule: Rule::Spo2Low,
        tier: Priority::Low,
        value: Decimal::whole(93),
        reason: "COPD".into(),
        by: None,
    }));
    assert_eq!(limit(&bed), Decimal::whole(93));
    bed.take(&command(Command::RestoreLimits { by: None }));
    assert_eq!(limit(&bed), Decimal::whole(94));
}

#[test]
fn alm_a13_a14_audio_paused_is_shown_with_its_time_left_and_what_stands_sounds_again() {
    let mut bed = bed(90, 70);
    bed.wait(Duration::from_secs(20));
    bed.take(&command(Command::AudioPause));
    let until = bed.at.after(Duration::from_secs(120));
    let paused = picture(&bed);
    assert_eq!(paused.audio.state, AudioState::Paused);
    assert_eq!(paused.audio.pause_until, Some(until));
    assert_eq!(
        paused.alarms[0].state,
        AlarmStateView::Active,
        "seen all the same"
    );
    bed.wait_until(until);
    let over = picture(&bed);
    assert_eq!(over.audio.state, AudioState::On);
    assert_eq!(over.audio.sounding, Sounding::Medium);
}

#[test]
fn alm_a16_no_silence_lasts_longer_than_the_re_alarm_time() {
    // However often the sound is paused, an acknowledged high alarm is active again after 2 min, and
    // the first moment without a pause sounds.
    let mut story = Story::opened().steady("spo2", 80, 1, 400);
    for t in [5, 100, 200] {
        story = story.command(f64::from(t), json!({"command": "audio-pause"}));
    }
    let told = story.told();
    assert_eq!(told.audio(), ["3 high on", "5 none paused", "320 high on"]);
}

#[test]
fn alm_a17_medium_does_not_latch_and_high_stays_visible_without_sound() {
    let told = Story::opened()
        .steady("hr", 130, 1, 15)
        .steady("hr", 70, 16, 140)
        .steady("spo2", 97, 1, 99)
        .steady("spo2", 80, 100, 110)
        .steady("spo2", 97, 111, 140)
        .told();
    assert_eq!(
        told.alarms("rate-high"),
        ["9 begin medium", "21 end medium"]
    );
    assert_eq!(
        told.alarms("spo2-low"),
        ["102 begin high", "116 return high"]
    );
    assert!(told.audio().contains(&"116 none on".to_owned()));
}

#[test]
fn alm_a19_a_lost_monitor_is_a_technical_alarm_that_names_it() {
    let told = Story::opened().steady("spo2", 97, 1, 20).end(60.0).told();
    let lost = told.first("feed-lost");
    assert_eq!(
        (seconds(&lost["t"]), &lost["class"]),
        (30.0, &json!("technical"))
    );
    assert_eq!(lost["feed"], "monitor");
}

#[test]
fn alm_a23_a_sensor_that_never_measured_is_no_alarm_about_the_patient() {
    let told = Story::opened()
        .without("spo2", "probe-off", 1, 300)
        .without("hr", "sensor-missing", 1, 300)
        .told();
    let classes: Vec<_> = told
        .kind("alarm")
        .iter()
        .map(|a| a["class"].clone())
        .collect();
    assert!(!classes.is_empty());
    assert!(
        classes.iter().all(|class| class == "technical"),
        "{classes:?}"
    );
}

#[test]
fn alm_a24_no_new_value_for_the_silence_time_is_a_condition_and_a_doubtful_one_is_judged() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 20)
        .steady("hr", 70, 1, 60)
        .told();
    assert_eq!(told.alarms("missing"), ["30 begin low"]);
    let mut story = Story::opened();
    for t in 1..20 {
        story = story.line(
            f64::from(t),
            json!({"kind": "observation", "feed": "monitor", "parameter": "spo2", "value": 84,
                   "validity": "questionable", "cause": "low-perfusion"}),
        );
    }
    assert_eq!(story.told().alarms("spo2-low"), ["3 begin high"]);
}

#[test]
fn alm_a26_no_spo2_limit_goes_below_the_rail() {
    let told = Story::opened()
        .command(
            1.0,
            json!({"command": "set-limit", "rule": "spo2-low", "tier": "high",
            "value": 79, "reason": "COPD"}),
        )
        .told();
    assert_eq!(told.refusals().len(), 1, "{:?}", told.refusals());
}

#[test]
fn alm_goal_9_without_ecg_and_pleth_the_cuffs_rate_is_judged_at_once_by_reading() {
    let mut story = Story::opened().steady("spo2", 97, 1, 700);
    for (t, rate) in [(100, 160), (400, 149), (460, 70)] {
        story = story.line(
            f64::from(t),
            json!({"kind": "observation", "feed": "monitor", "parameter": "nibp-pr",
                   "value": rate, "measured_at": t}),
        );
    }
    // 149 is still past 120; 70 is inside: each reading decides at once.
    assert_eq!(
        story.told().alarms("rate-high"),
        ["100 begin high", "400 deescalate medium", "460 return high"]
    );
}

/// Respiration of two sensors in one feed at this second.
fn two_rates(story: Story, second: u32, impedance: Value, airway: Value) -> Story {
    let t = f64::from(second);
    let line = |site: &str, mut told: Value| {
        told["kind"] = "observation".into();
        told["feed"] = "monitor".into();
        told["parameter"] = "rr".into();
        told["site"] = site.into();
        told
    };
    story
        .line(t, line("impedance", impedance))
        .line(t, line("airway", airway))
}

#[test]
fn alm_respiration_of_two_sensors_in_one_feed_does_not_take_turns() {
    // The first one is too slow: the other one's values do not reset its delay.
    let mut story = Story::opened();
    for second in 10..60 {
        story = two_rates(story, second, json!({"value": 9}), json!({"value": 14}));
    }
    let told = story.told();
    assert_eq!(told.alarms("rr-low"), ["25 begin medium"]);
    assert_eq!(told.kind("alarm").len(), 1, "{:?}", told.0);

    // The second one finds no more than six breaths: high tiers are judged on both.
    let mut story = Story::opened();
    for second in 10..40 {
        story = two_rates(story, second, json!({"value": 14}), json!({"value": 6}));
    }
    for second in 40..60 {
        story = two_rates(story, second, json!({"value": 14}), json!({"value": 13}));
    }
    let told = story.told();
    assert_eq!(told.alarms("rr-low"), ["20 begin high", "45 return high"]);
    assert_eq!(told.first("rr-low")["value"], 6);

    // Low and medium tiers follow the first one alone.
    let mut story = Story::opened();
    for second in 10..60 {
        story = two_rates(story, second, json!({"value": 14}), json!({"value": 9}));
    }
    let told = story.told();
    assert!(
        told.alarms("rr-low").is_empty(),
        "{:?}",
        told.alarms("rr-low")
    );

    // Its no-breath bit counts, and a first sensor without a number leaves the second one to be judged.
    let invalid = json!({"value": null, "validity": "invalid", "cause": "probe-off"});
    let mut story = Story::opened();
    for second in 10..30 {
        story = two_rates(story, second, json!({"value": 14}), json!({"value": 13}));
    }
    for second in 30..60 {
        story = two_rates(story, second, invalid.clone(), json!({"value": 9}));
    }
    let told = story
        .line(
            60.0,
            json!({"kind": "observation", "feed": "monitor", "parameter": "rr", "site": "airway",
                   "value": 0, "finding": "no-breath"}),
        )
        .end(61.0)
        .told();
    assert_eq!(told.alarms("rr-low"), ["45 begin medium"]);
    assert_eq!(told.alarms("no-breath"), ["60 begin high"]);
}

#[test]
fn alm_a_crossed_pair_raises_nothing_whichever_value_comes_first() {
    for (first, second) in [("nibp-sys", "nibp-dia"), ("nibp-dia", "nibp-sys")] {
        let value = |parameter: &str| if parameter == "nibp-sys" { 190 } else { 200 };
        let pair = |story: Story, t: f64| {
            [first, second].into_iter().fold(story, |story, parameter| {
                story.line(
                    t,
                    json!({"kind": "observation", "feed": "monitor", "parameter": parameter,
                           "value": value(parameter), "measured_at": t}),
                )
            })
        };
        let story = Story::infusing(760).cuff(600.5, 120, 80);
        let told = pair(story, 700.0).told();
        assert!(
            told.alarms("sbp-high").is_empty(),
            "{:?}",
            told.alarms("sbp-high")
        );
        assert!(told.alarms("dbp-high").is_empty());
    }
}

#[test]
fn alm_a_crossed_arterial_pair_is_no_pressure_and_is_told_after_the_third() {
    let mut story = Story::infusing(700);
    for second in 610..640 {
        story =
            story
                .reads(f64::from(second), "art-sys", 70)
                .reads(f64::from(second), "art-dia", 75);
    }
    let told = story.told();
    assert!(
        told.alarms("sbp-low").is_empty(),
        "{:?}",
        told.alarms("sbp-low")
    );
    assert_eq!(told.alarms("implausible").len(), 2, "one for each pressure");
    assert_eq!(told.alarms("implausible")[0], "612 begin low");
}

#[test]
fn alm_a_phase_change_never_restarts_a_running_timer_of_an_arterial_line() {
    // A limit of its own in observation, instead of the infusion's.
    let tighter = r#"  { tier = "low", above = 160, for = "10s", phases = ["infusion", "paused", "recovery"] },
  { tier = "low", above = 155, for = "10s", phases = ["observation"] },"#;
    let profile = SHIPPED.replacen(
        r#"  { tier = "low", above = 160, for = "10s", phases = ["infusion", "paused", "recovery"] },"#,
        tighter,
        1,
    );
    assert_ne!(profile, SHIPPED);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), profile).unwrap();
    let judged = |sys: i64, from: u32| {
        // Recovery from 700 s on, observation from 2500 s on; no baseline, so no other low limit.
        let text = Story::opened()
            .steady("spo2", 97, 1, 2600)
            .steady("hr", 70, 1, 2600)
            .steady("art-sys", 120, 650, from - 1)
            .steady("art-sys", sys, from, 2600)
            .command(600.0, json!({"command": "start-infusion"}))
            .command(700.0, json!({"command": "stop-infusion"}))
            .text();
        let output = judge(&text, &["--profile", file.path().to_str().unwrap()]);
        let lines = String::from_utf8(output.stdout).unwrap();
        let told = Told(
            lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        );
        told.alarms("sbp-high")
    };
    // Four seconds of ten are over at the change.
    assert_eq!(judged(162, 2496), ["2506 begin low"]);
    // Inside the old limit, past the new one: its time begins with the phase.
    assert_eq!(judged(158, 2496), ["2510 begin low"]);
}

/// Every file of Rust below a folder, as one text.
fn sources(folder: &std::path::Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn alm_every_requirement_is_listed_with_tests_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut code);
    }
    let page = std::fs::read_to_string(root.join("docs/alarms.md")).unwrap();
    let (_, table) = page.split_once("## Requirements and their tests").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    let expected: Vec<String> = (1..=26)
        .map(|number| format!("A{number}"))
        .chain((1..=10).map(|number| format!("goal {number}")))
        .collect();
    let listed: Vec<&str> = rows
        .iter()
        .map(|row| row.split('|').nth(1).unwrap().trim())
        .collect();
    assert_eq!(listed, expected);
    for row in rows {
        let proofs = row.split('|').nth(3).unwrap();
        for name in proofs.split('`').skip(1).step_by(2) {
            let is_page = name.ends_with(".md");
            assert!(
                is_page || code.contains(&format!("fn {name}(")),
                "{name} is named in docs/alarms.md and is no test"
            );
        }
    }
}

#[test]
fn alm_each_low_alarm_asks_for_one_tone_of_its_own() {
    let mut bed = bed(97, 70);
    let turn = |bed: &Bed| board::cue(&bed.engine).turn;
    let quiet = turn(&bed);
    let failing = |what: HealthItem, ok: bool| Input::Health {
        what,
        ok,
        detail: None,
    };
    bed.take(&failing(HealthItem::QueueFull, false));
    let first = turn(&bed);
    assert_ne!(first, quiet);
    bed.wait(Duration::from_secs(20));
    bed.take(&reads(Parameter::Spo2, 97));
    assert_eq!(turn(&bed), first, "one tone, once");
    bed.take(&failing(HealthItem::Clock, false));
    let second = turn(&bed);
    assert_ne!(second, first, "another low alarm");
    // Ends, acknowledgements and more urgent alarms ask for no low tone.
    bed.take(&failing(HealthItem::QueueFull, true));
    bed.take(&failing(HealthItem::Sound, false));
    assert_eq!(turn(&bed), second);
    assert_eq!(board::cue(&bed.engine).sounding, Sounding::Medium);
    // What is left when the urgent one is over is told once more.
    bed.take(&failing(HealthItem::Sound, true));
    assert_eq!(board::cue(&bed.engine).sounding, Sounding::Low);
    assert_ne!(turn(&bed), second);
}

#[test]
fn alm_alerts_of_devices_are_told_apart_by_feed_and_key() {
    let alert = |feed: &str, key: &str, phase: &str| {
        json!({"kind": "device-alert", "feed": feed, "key": key, "priority": "medium",
               "phase": phase, "text": key})
    };
    let told = Story::opened()
        .line(5.0, alert("monitor", "a", "start"))
        .line(6.0, alert("monitor", "b", "start"))
        .line(7.0, alert("pump", "a", "start"))
        .line(8.0, alert("monitor", "a", "continue"))
        .line(9.0, alert("monitor", "never begun", "end"))
        .line(9.5, alert("monitor", "a", "end"))
        .line(9.6, alert("pump", "a", "end"))
        .line(9.7, alert("monitor", "b", "end"))
        .line(9.8, alert("monitor", "a", "start"))
        .end(9.9)
        .told();
    assert_eq!(
        told.alarms("device-alert"),
        [
            "5 begin medium",
            "6 begin medium",
            "7 begin medium",
            "9.5 end medium",
            "9.6 end medium",
            "9.7 end medium",
            "9.8 begin medium"
        ]
    );
    let numbers = |event: &str| -> Vec<&Value> {
        told.kind("alarm")
            .into_iter()
            .filter(|record| record["rule"] == "device-alert" && record["event"] == event)
            .map(|record| &record["alarm"])
            .collect()
    };
    let (began, ended) = (numbers("begin"), numbers("end"));
    assert_eq!(ended, [began[0], began[2], began[1]]);
}

#[test]
fn alm_a_pair_told_in_two_frames_is_taken_back_when_it_turns_out_crossed() {
    let line = |parameter: &str, value: i64| {
        json!({"kind": "observation", "feed": "monitor", "parameter": parameter,
               "value": value, "measured_at": 700})
    };
    let told = Story::infusing(760)
        .cuff(650.0, 120, 80)
        .line(700.0, line("nibp-sys", 190))
        .line(700.5, line("nibp-dia", 195))
        .told();
    assert_eq!(
        told.alarms("sbp-high"),
        ["700 begin high", "700.5 return high"]
    );
    assert!(told.alarms("dbp-high").is_empty());
}

#[test]
fn alm_only_a_first_high_pressure_is_to_be_repeated_now() {
    let repeats = |sys: i64| -> Vec<(Value, Value)> {
        Story::infusing(800)
            .cuff(700.0, sys, 80)
            .told()
            .kind("task")
            .into_iter()
            .filter(|task| task["text"].as_str().unwrap().contains("repeat"))
            .map(|task| (task["t"].clone(), task["text"].clone()))
            .collect()
    };
    // 150 is past the baseline by a quarter, and no first reading of a medium tier.
    assert_eq!(repeats(150), [(json!(700), json!("repeat cuff reading"))]);
    assert_eq!(repeats(170), [(json!(700), json!("repeat cuff now"))]);
    let told = Story::infusing(800)
        .cuff(700.0, 170, 80)
        .cuff(760.0, 168, 80)
        .told();
    assert_eq!(
        told.alarms("sbp-high"),
        ["700 begin low", "760 escalate medium"]
    );
    let reasons: Vec<&Value> = told
        .kind("alarm")
        .into_iter()
        .filter(|record| record["rule"] == "sbp-high")
        .map(|record| &record["reason"])
        .collect();
    assert_eq!(reasons, [&json!("recheck"), &Value::Null]);
}
