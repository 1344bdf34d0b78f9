//! Technical conditions, each raised by its cause (engine.md 5; clinical.md 7.1).

use super::alarm_story::Story;
use serde_json::json;

#[test]
fn alm_goal_5_feed_loss_is_noticed_after_its_silence_and_replaces_missing() {
    let told = Story::infusing(650)
        .steady("spo2", 97, 601, 650)
        .line(
            660.0,
            json!({"kind": "feed", "feed": "monitor", "state": "lost"}),
        )
        .end(800.0)
        .told();
    assert_eq!(
        told.alarms("feed-lost"),
        ["660 begin medium", "720 escalate high"]
    );
    assert!(told.alarms("missing").is_empty() && told.alarms("sensor").is_empty());
    assert_eq!(
        told.first("feed-lost")["text"],
        "Feed monitor: no data for 10 s"
    );
}

#[test]
fn alm_feed_loss_is_low_while_another_feed_gives_everything() {
    let mut story = Story::infusing(650).steady("spo2", 97, 601, 650);
    for second in 600..750 {
        story = story
            .said_by(f64::from(second), "oximeter", "spo2", 97)
            .said_by(f64::from(second), "oximeter", "pr", 70);
    }
    let told = story.end(800.0).told();
    assert_eq!(
        told.alarms("feed-lost")[..2],
        ["660 begin low", "759 escalate high"].map(str::to_owned),
        "the second feed is silent from 759 on"
    );
}

#[test]
fn alm_feed_loss_ends_with_the_next_sign_of_life() {
    let told = Story::infusing(650)
        .steady("spo2", 97, 601, 650)
        .line(700.0, json!({"kind": "alive", "feed": "monitor"}))
        .end(705.0)
        .told();
    assert_eq!(
        told.alarms("feed-lost"),
        ["660 begin medium", "700 end medium"]
    );
    // The feed lives, its values do not come within its cadence.
    assert_eq!(
        told.alarms("missing"),
        ["701 begin medium", "701 begin medium"]
    );
}

#[test]
fn alm_never_received_is_low_after_120_s_and_medium_from_the_start_on() {
    let told = Story::opened()
        .steady("hr", 70, 1, 300)
        .command(200.0, json!({"command": "start-infusion"}))
        .told();
    assert_eq!(
        told.alarms("missing"),
        ["120 begin low", "200 escalate medium"]
    );
    assert_eq!(told.first("missing")["parameter"], "spo2");
}

#[test]
fn alm_received_then_gone_is_missing_after_the_silence() {
    let told = Story::infusing(800).steady("spo2", 97, 601, 650).told();
    assert_eq!(
        told.alarms("missing"),
        ["660 begin medium", "720 escalate high"]
    );
}

#[test]
fn alm_sensor_off_is_medium_in_infusion_and_ends_when_it_measures() {
    let told = Story::infusing(700)
        .without("spo2", "probe-off", 601, 640)
        .steady("spo2", 97, 641, 700)
        .told();
    assert_eq!(
        told.alarms("sensor"),
        ["611 begin medium", "641 end medium"]
    );
    assert_eq!(told.first("sensor")["text"], "SpO2: sensor off");
}

#[test]
fn alm_a_cuff_that_fails_twice_is_medium() {
    let told = Story::infusing(700)
        .steady("spo2", 97, 601, 700)
        .refuses(610.0, "nibp-sys", "cuff-fault")
        .refuses(611.0, "nibp-sys", "cuff-fault")
        .refuses(620.0, "nibp-sys", "measuring")
        .refuses(640.0, "nibp-sys", "cuff-fault")
        .cuff(680.0, 120, 80)
        .told();
    assert_eq!(
        told.alarms("cuff-failed"),
        ["610 begin low", "640 escalate medium", "680 end medium"]
    );
}

#[test]
fn alm_the_cuff_is_overdue_in_two_steps() {
    let told = Story::infusing(1300).steady("spo2", 97, 601, 1300).told();
    assert_eq!(
        told.alarms("cuff-overdue"),
        ["1080 begin low", "1200 escalate medium"],
        "interval 5 min: low after 8, medium after 10"
    );
    assert!(told.kind("task").iter().any(|task| task["due_at"] == 900));
}

#[test]
fn alm_cuff_intervals_follow_the_phase() {
    // 5 min for the first 20 min, then 10; recovery within 5 min, then 15; observation 30.
    let mut story = Story::infusing(9000).steady("spo2", 97, 601, 9000);
    for minute in [15, 20, 25, 30, 40, 50] {
        story = story.cuff(f64::from(minute * 60), 120, 80);
    }
    let told = story
        .command(3060.0, json!({"command": "stop-infusion"}))
        .cuff(3300.0, 120, 80)
        .cuff(4200.0, 120, 80)
        .cuff(5100.0, 120, 80)
        .told();
    assert_eq!(told.phases()[3], "4860 observation");
    assert_eq!(
        told.alarms("cuff-overdue"),
        ["7080 begin low", "8700 escalate medium"],
        "30 min after 5100 is 6900, and 3 more"
    );
    let texts: Vec<_> = told
        .kind("task")
        .iter()
        .map(|task| task["text"].clone())
        .collect();
    assert!(
        texts.contains(&"cuff reading at the usual peak".into()),
        "{texts:?}"
    );
    assert!(texts.contains(&"cuff reading at the end of the infusion".into()));
}

#[test]
fn alm_a_missed_score_is_a_low_reminder() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 1200)
        .steady("hr", 70, 1, 1200)
        .command(100.0, json!({"command": "start-infusion"}))
        .command(
            500.0,
            json!({"command": "score", "scale": "moaas", "value": 5}),
        )
        .told();
    assert_eq!(
        told.alarms("score-overdue"),
        ["400 begin low", "500 end low"]
    );
}

#[test]
fn alm_values_out_of_range_three_times_in_a_row() {
    let told = Story::opened()
        .steady("hr", 70, 1, 10)
        .steady("hr", 400, 11, 13)
        .steady("hr", 70, 14, 20)
        .told();
    assert_eq!(told.alarms("implausible"), ["13 begin low", "14 end low"]);
}

#[test]
fn alm_ecg_and_pleth_rates_differ_and_high_is_judged_on_both() {
    let told = Story::opened()
        .steady("hr", 80, 1, 120)
        .steady("pr", 155, 20, 80)
        .steady("pr", 80, 81, 120)
        .told();
    assert_eq!(told.alarms("rate-differs"), ["35 begin low", "86 end low"]);
    assert_eq!(told.alarms("rate-high").first().unwrap(), "43 begin high");
    assert_eq!(told.first("rate-high")["parameter"], "pr");
}

#[test]
fn alm_two_feeds_that_disagree_on_spo2() {
    let mut story = Story::opened();
    for second in 1..=80 {
        story = story
            .said_by(f64::from(second), "monitor", "spo2", 97)
            .said_by(
                f64::from(second),
                "oximeter",
                "spo2",
                if second < 20 { 96 } else { 92 },
            );
    }
    let told = story.told();
    assert_eq!(told.alarms("feeds-disagree"), ["50 begin medium"]);
    assert_eq!(told.first("feeds-disagree")["parameter"], "spo2");
    assert!(
        told.alarms("spo2-low").is_empty(),
        "the first feed is the one that judges"
    );
}

#[test]
fn alm_a_slow_feed_says_how_late_alarms_may_be() {
    let told = Story::default()
        .line(
            0.0,
            json!({"kind": "feed", "feed": "gateway", "silence": 60}),
        )
        .command(1.0, json!({"command": "open-session"}))
        .told();
    assert_eq!(told.alarms("slow-feed"), ["1 begin low"]);
    assert_eq!(
        told.first("slow-feed")["text"],
        "Feed gateway: a reading every 60 s: alarms up to 60 s late"
    );
}

#[test]
fn alm_another_patient_in_the_feed_is_high_until_confirmed_and_values_go_on() {
    let identity = |t, patient| {
        (
            t,
            json!({"kind": "identity", "feed": "monitor", "bed": "3", "patient": patient}),
        )
    };
    let mut story = Story::opened().steady("spo2", 84, 60, 70);
    for (t, line) in [identity(1.0, "A"), identity(50.0, "B")] {
        story = story.line(t, line);
    }
    let told = story
        .command(80.0, json!({"command": "confirm-patient"}))
        .told();
    assert_eq!(
        told.alarms("wrong-patient"),
        ["50 begin high", "80 end high"]
    );
    assert_eq!(told.alarms("spo2-low")[0], "62 begin high");
}

#[test]
fn alm_values_of_another_bed_are_never_adopted() {
    let told = Story::default()
        .line(
            0.0,
            json!({"kind": "feed", "feed": "gateway", "bed_id": "3"}),
        )
        .command(1.0, json!({"command": "open-session"}))
        .line(
            2.0,
            json!({"kind": "identity", "feed": "gateway", "bed": "4"}),
        )
        .said_by(3.0, "gateway", "spo2", 50)
        .end(20.0)
        .told();
    assert!(told.alarms("spo2-low").is_empty());
    assert_eq!(
        told.alarms("feed-lost"),
        ["11 begin low"],
        "it is no sign of life of ours"
    );
}

#[test]
fn alm_a_devices_own_alert_stands_beside_ours() {
    let alert = |phase: &str| {
        json!({"kind": "device-alert", "feed": "monitor", "key": "asy", "priority": "high",
               "phase": phase, "text": "ASYSTOLE"})
    };
    let told = Story::opened()
        .line(5.0, alert("start"))
        .line(6.0, alert("continue"))
        .line(9.0, alert("end"))
        .told();
    assert_eq!(told.alarms("device-alert"), ["5 begin high", "9 end high"]);
    assert_eq!(
        told.first("device-alert")["text"],
        "Monitor monitor: ASYSTOLE"
    );
}

#[test]
fn alm_our_own_health_alarms_in_every_phase_and_outlives_an_opening() {
    let told = Story::default()
        .line(1.0, json!({"kind": "health", "what": "sound", "ok": false}))
        .command(5.0, json!({"command": "open-session"}))
        .line(9.0, json!({"kind": "health", "what": "sound", "ok": true}))
        .told();
    assert_eq!(
        told.alarms("sound"),
        [
            "1 begin medium",
            "5 end medium",
            "5 begin medium",
            "9 end medium"
        ]
    );
}

#[test]
fn alm_a_journal_that_is_not_written_becomes_high_in_infusion() {
    let told = Story::infusing(800)
        .steady("spo2", 97, 601, 800)
        .line(
            650.0,
            json!({"kind": "health", "what": "journal", "ok": false, "detail": "disk"}),
        )
        .told();
    assert_eq!(
        told.alarms("journal"),
        ["650 begin medium", "710 escalate high"]
    );
    assert_eq!(
        told.first("journal")["text"],
        "Record not being written: disk"
    );
}

#[test]
fn alm_nothing_valid_for_15_min_in_observation_asks_whether_the_session_is_open() {
    let told = Story::infusing(1000)
        .steady("spo2", 97, 601, 1000)
        .command(700.0, json!({"command": "stop-infusion"}))
        .end(6000.0)
        .told();
    assert_eq!(told.phases().last().unwrap(), "2500 observation");
    assert_eq!(told.alarms("session-open"), ["3400 begin low"]);
}
