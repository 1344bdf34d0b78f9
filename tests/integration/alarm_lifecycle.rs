//! The life of an alarm from outside: acknowledgement, re-alarm, pause, return (engine.md 6).

use super::alarm_story::{Story, Told};
use serde_json::{Value, json};

/// The number of the first alarm of a rule, when the story is told without commands about it.
fn number(story: &Story, rule: &str) -> u64 {
    story.told().first(rule)["alarm"].as_u64().unwrap()
}

fn acknowledge(t: f64, alarm: u64, seen: &str) -> (f64, Value) {
    (
        t,
        json!({"command": "acknowledge", "alarm": alarm, "seen_priority": seen, "by": "RN 1"}),
    )
}

fn with(story: Story, command: (f64, Value)) -> Told {
    story.command(command.0, command.1).told()
}

#[test]
fn alm_an_acknowledged_high_alarm_sounds_again_after_2_min() {
    let story = Story::opened()
        .steady("spo2", 80, 1, 200)
        .steady("hr", 70, 1, 200);
    let id = number(&story, "spo2-low");
    let told = with(story, acknowledge(10.0, id, "high"));
    assert_eq!(
        told.alarms("spo2-low"),
        ["3 begin high", "10 acknowledge high", "130 re-alarm high"]
    );
    assert_eq!(told.audio(), ["3 high on", "10 none on", "130 high on"]);
    assert_eq!(told.kind("alarm")[1]["by"], "RN 1");
}

#[test]
fn alm_an_acknowledged_medium_alarm_sounds_again_after_3_min() {
    let story = Story::opened().steady("spo2", 90, 1, 300);
    let id = number(&story, "spo2-low");
    let told = with(story, acknowledge(20.0, id, "medium"));
    assert_eq!(
        told.alarms("spo2-low"),
        [
            "16 begin medium",
            "20 acknowledge medium",
            "200 re-alarm medium"
        ]
    );
}

#[test]
fn alm_a_rise_above_the_acknowledged_tier_sounds() {
    let story = Story::opened()
        .steady("spo2", 90, 1, 30)
        .steady("spo2", 84, 31, 40);
    let id = number(&story, "spo2-low");
    let told = with(story, acknowledge(20.0, id, "medium"));
    assert_eq!(
        told.alarms("spo2-low"),
        [
            "16 begin medium",
            "20 acknowledge medium",
            "33 escalate high"
        ]
    );
    assert_eq!(told.audio(), ["16 medium on", "20 none on", "33 high on"]);
}

#[test]
fn alm_an_acknowledgement_of_less_than_what_stands_is_not_one() {
    let story = Story::opened()
        .steady("spo2", 90, 1, 18)
        .steady("spo2", 84, 19, 40);
    let id = number(&story, "spo2-low");
    let told = with(story, acknowledge(25.0, id, "medium"));
    assert_eq!(
        told.alarms("spo2-low"),
        ["16 begin medium", "21 escalate high"]
    );
    assert_eq!(told.kind("answer")[0]["left"], json!([id]));
}

#[test]
fn alm_acknowledge_all_leaves_what_began_or_rose_after_it_was_seen() {
    let story = Story::opened()
        .steady("hr", 130, 1, 60)
        .steady("spo2", 80, 30, 60);
    let rate = story.told();
    let seen = rate.first("rate-high")["seq"].as_u64().unwrap();
    let spo2 = rate.first("spo2-low")["alarm"].as_u64().unwrap();
    let told = story
        .command(
            50.0,
            json!({"command": "acknowledge", "alarm": "all", "seen_seq": seen}),
        )
        .told();
    assert_eq!(
        told.alarms("rate-high"),
        ["9 begin medium", "50 acknowledge medium"]
    );
    assert_eq!(told.alarms("spo2-low"), ["32 begin high"]);
    assert_eq!(told.kind("answer")[0]["left"], json!([spo2]));
}

#[test]
fn alm_a18_an_acknowledged_returned_alarm_ends() {
    let story = Story::opened()
        .steady("spo2", 80, 1, 10)
        .steady("spo2", 97, 11, 40);
    let id = number(&story, "spo2-low");
    let told = with(story, acknowledge(30.0, id, "high"));
    assert_eq!(
        told.alarms("spo2-low"),
        ["3 begin high", "16 return high", "30 end high"]
    );
}

#[test]
fn alm_a_returned_alarm_that_comes_back_is_the_same_one() {
    let told = Story::opened()
        .steady("spo2", 80, 1, 10)
        .steady("spo2", 97, 11, 30)
        .steady("spo2", 90, 31, 60)
        .told();
    assert_eq!(
        told.alarms("spo2-low"),
        ["3 begin high", "16 return high", "46 escalate medium"]
    );
    let numbers: Vec<_> = told
        .kind("alarm")
        .iter()
        .map(|alarm| alarm["alarm"].clone())
        .collect();
    assert!(numbers.iter().all(|number| *number == numbers[0]));
}

#[test]
fn alm_technical_alarms_never_latch_and_never_sound_again_by_time() {
    let story = Story::infusing(1000).steady("spo2", 97, 601, 620);
    let id = number(&story, "missing");
    let told = with(story, acknowledge(750.0, id, "high"));
    assert_eq!(
        told.alarms("missing"),
        [
            "630 begin medium",
            "690 escalate high",
            "750 acknowledge high"
        ]
    );
}

#[test]
fn alm_a_pressure_alarm_sounds_again_only_with_the_next_violating_reading() {
    let story = Story::infusing(2000)
        .steady("spo2", 97, 601, 2000)
        .cuff(900.0, 185, 90)
        .cuff(960.0, 186, 90) // one minute after the acknowledgement: too early
        .cuff(1300.0, 187, 90);
    let id = number(&story, "sbp-high");
    let told = with(story, acknowledge(901.0, id, "high"));
    assert_eq!(
        told.alarms("sbp-high"),
        [
            "900 begin high",
            "901 acknowledge high",
            "1300 re-alarm high"
        ]
    );
}

#[test]
fn alm_a_pause_of_120_s_ends_by_itself_and_what_stands_sounds() {
    let told = Story::opened()
        .steady("spo2", 90, 1, 200)
        .command(30.0, json!({"command": "audio-pause"}))
        .told();
    assert_eq!(
        told.audio(),
        ["16 medium on", "30 none paused", "150 medium on"]
    );
}

#[test]
fn alm_a15_high_breaks_through_a_pause() {
    let told = Story::opened()
        .steady("spo2", 90, 1, 59)
        .steady("spo2", 80, 60, 80)
        .command(30.0, json!({"command": "audio-pause"}))
        .told();
    assert_eq!(
        told.audio(),
        ["16 medium on", "30 none paused", "62 high on"]
    );
}

#[test]
fn alm_a_new_medium_breaks_through_and_a_known_one_does_not() {
    let told = Story::opened()
        .steady("spo2", 93, 1, 59) // low at 31
        .steady("spo2", 90, 60, 120) // medium at 75: was alarming at the press
        .steady("hr", 70, 1, 89)
        .steady("hr", 130, 90, 120) // medium at 98: new
        .command(40.0, json!({"command": "audio-pause"}))
        .told();
    assert_eq!(
        told.alarms("spo2-low"),
        ["31 begin low", "75 escalate medium"]
    );
    assert_eq!(
        told.audio(),
        ["31 low on", "40 none paused", "98 medium on"]
    );
}

#[test]
fn alm_low_never_breaks_through_and_pressing_again_restarts_the_pause() {
    let told = Story::opened()
        .steady("spo2", 93, 10, 200)
        .command(5.0, json!({"command": "audio-pause"}))
        .command(65.0, json!({"command": "audio-pause"}))
        .told();
    assert_eq!(told.audio(), ["5 none paused", "185 low on"]);
    assert_eq!(told.kind("audio").len(), 3, "the second press is recorded");
}

#[test]
fn alm_a_pause_can_be_ended_by_hand() {
    let told = Story::opened()
        .steady("spo2", 90, 1, 60)
        .command(30.0, json!({"command": "audio-pause"}))
        .command(40.0, json!({"command": "end-audio-pause"}))
        .told();
    assert_eq!(
        told.audio(),
        ["16 medium on", "30 none paused", "40 medium on"]
    );
}

#[test]
fn alm_an_unacknowledged_sound_grows_louder_after_30_and_60_s() {
    let told = Story::opened().steady("spo2", 80, 1, 100).told();
    let loudness: Vec<_> = told
        .kind("audio")
        .iter()
        .map(|audio| format!("{} {}", audio["t"], audio["loudness"]))
        .collect();
    assert_eq!(loudness, ["3 0", "33 1", "63 2"]);
}

#[test]
fn alm_acknowledging_a_technical_alarm_leaves_the_patients() {
    let story = Story::opened()
        .steady("spo2", 80, 1, 60)
        .line(5.0, json!({"kind": "health", "what": "sound", "ok": false}));
    let id = number(&story, "sound");
    let told = with(story, acknowledge(20.0, id, "medium"));
    assert_eq!(told.alarms("spo2-low"), ["3 begin high"]);
    assert_eq!(told.audio(), ["3 high on"]);
}

#[test]
fn alm_every_occurrence_begins_once_and_ends_once() {
    let told = Story::opened()
        .steady("spo2", 80, 1, 10)
        .steady("spo2", 97, 11, 30)
        .steady("hr", 130, 1, 60)
        .command(
            100.0,
            json!({"command": "close-session", "by": "RN 1",
                   "override": {"reason": "test", "by": "RN 1"}}),
        )
        .told();
    let mut counts = std::collections::BTreeMap::new();
    for alarm in told.kind("alarm") {
        let count = counts
            .entry(alarm["alarm"].as_u64().unwrap())
            .or_insert((0, 0));
        match alarm["event"].as_str().unwrap() {
            "begin" => count.0 += 1,
            "end" => count.1 += 1,
            _ => {}
        }
    }
    assert!(
        counts.len() >= 2 && counts.values().all(|count| *count == (1, 1)),
        "{counts:?}"
    );
}
