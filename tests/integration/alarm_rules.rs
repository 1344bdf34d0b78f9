//! The rules about the patient, each told as a story (engine.md 4 and 5; clinical.md 7 and 11).

use super::alarm_story::Story;
use serde_json::json;

#[test]
fn alm_spo2_90_is_medium_after_15_s_with_limit_92() {
    let mut story = Story::opened();
    for second in 0..40 {
        story = story.reads(12.5 + f64::from(second), "spo2", 90);
    }
    let told = story.told();
    assert_eq!(told.alarms("spo2-low"), ["27.5 begin medium"]);
    let first = told.first("spo2-low");
    assert_eq!(first["limit"], 92);
    assert_eq!(first["value"], 90);
    assert_eq!(first["since"], 12.5);
    assert_eq!(first["delay_s"], 15);
    assert_eq!(first["text"], "SpO2 90 % below 92 for 15 s");
}

#[test]
fn alm_goal_3_below_85_sounds_after_2_s_and_below_88_after_10_s() {
    for (value, expected) in [
        (84, "22 begin high"),
        (87, "30 begin high"),
        (93, "50 begin low"),
    ] {
        let told = Story::opened()
            .steady("spo2", 97, 1, 19)
            .steady("spo2", value, 20, 80)
            .told();
        assert_eq!(
            told.alarms("spo2-low").first().unwrap(),
            expected,
            "{value}"
        );
    }
}

#[test]
fn alm_spo2_steps_down_through_the_tiers_and_high_stays_visible() {
    let told = Story::opened()
        .steady("spo2", 84, 10, 19)
        .steady("spo2", 91, 20, 39) // 90 leaves high, 94 leaves medium
        .steady("spo2", 94, 40, 59) // 95 leaves low
        .steady("spo2", 96, 60, 79)
        .told();
    assert_eq!(
        told.alarms("spo2-low"),
        [
            "12 begin high",
            "25 deescalate medium",
            "45 deescalate low",
            "65 return high"
        ]
    );
    assert_eq!(
        told.audio(),
        ["12 high on", "25 medium on", "45 low on", "65 none on"]
    );
}

#[test]
fn alm_spo2_clears_only_2_points_inside_for_5_s() {
    let told = Story::opened()
        .steady("spo2", 91, 10, 40)
        .steady("spo2", 93, 41, 60) // inside 92, but not by two points
        .steady("spo2", 95, 61, 64) // four seconds only
        .steady("spo2", 93, 65, 70)
        .steady("spo2", 95, 71, 90)
        .told();
    assert_eq!(
        told.alarms("spo2-low"),
        ["25 begin medium", "76 end medium"]
    );
}

#[test]
fn alm_a_violation_is_suspended_by_invalid_values_not_reset() {
    let told = Story::opened()
        .steady("spo2", 90, 10, 19) // ten of fifteen seconds, up to the first invalid one
        .without("spo2", "artefact", 20, 49)
        .steady("spo2", 90, 50, 80)
        .told();
    assert_eq!(told.alarms("spo2-low"), ["55 begin medium"]);
}

#[test]
fn alm_more_than_30_s_without_a_value_resets_the_delay() {
    let told = Story::opened()
        .steady("spo2", 90, 10, 19)
        .without("spo2", "artefact", 20, 51)
        .steady("spo2", 90, 52, 80)
        .told();
    assert_eq!(told.alarms("spo2-low"), ["67 begin medium"]);
}

#[test]
fn alm_a_stale_value_suspends_from_the_silence_on() {
    // The last reading at 19 holds until 29; 19 of 30 s are done. It comes back at 40.
    let told = Story::opened()
        .steady("spo2", 93, 10, 19)
        .steady("spo2", 93, 40, 70)
        .told();
    assert_eq!(told.alarms("spo2-low"), ["51 begin low"]);
}

#[test]
fn alm_the_third_dip_within_a_minute_alarms_at_its_onset() {
    let mut story = Story::opened();
    for (second, value) in [(10, 91), (12, 97), (30, 91), (32, 97), (60, 91), (62, 97)] {
        story = story.steady("spo2", value, second, second + 1);
    }
    let told = story.told();
    assert_eq!(told.alarms("spo2-low"), ["60 begin medium"]);
    assert_eq!(told.first("spo2-low")["reason"], "three-in-60s");
}

#[test]
fn alm_three_dips_in_more_than_a_minute_do_not() {
    let mut story = Story::opened();
    for (second, value) in [(10, 91), (12, 97), (40, 91), (42, 97), (71, 91), (73, 97)] {
        story = story.steady("spo2", value, second, second + 1);
    }
    assert!(story.told().alarms("spo2-low").is_empty());
}

#[test]
fn alm_goal_1_no_alarm_from_zero_invalid_or_stale() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 5)
        .steady("spo2", 0, 6, 60)
        .steady("hr", 0, 6, 60)
        .cuff(20.0, 0, 0)
        .end(300.0)
        .told();
    assert!(
        told.kind("alarm")
            .iter()
            .all(|alarm| alarm["class"] == "technical"),
        "{:?}",
        told.kind("alarm")
    );
}

#[test]
fn alm_a9_rate_limit_crossing_alarms_within_10_s() {
    for (value, rule, expected) in [
        (49, "rate-low", "28 begin medium"),
        (39, "rate-low", "25 begin high"),
        (121, "rate-high", "28 begin medium"),
        (151, "rate-high", "28 begin high"),
    ] {
        let told = Story::opened()
            .steady("hr", 70, 1, 19)
            .steady("hr", value, 20, 40)
            .told();
        assert_eq!(told.alarms(rule).first().unwrap(), expected, "{value}");
    }
}

#[test]
fn alm_goal_9_rate_survives_the_loss_of_the_ecg_without_a_new_delay() {
    let told = Story::opened()
        .steady("hr", 130, 1, 5)
        .steady("pr", 130, 1, 30)
        .without("hr", "sensor-missing", 6, 30)
        .told();
    assert_eq!(told.alarms("rate-high"), ["9 begin medium"]);
    assert_eq!(
        told.alarms("sensor"),
        ["16 begin low"],
        "ECG off while PR is valid"
    );
}

#[test]
fn alm_relative_rate_limits_follow_the_baseline() {
    // B 70: low rate below 56 and below 55; high rate above 91.
    let told = Story::infusing(700)
        .steady("spo2", 97, 601, 800)
        .steady("hr", 92, 701, 740)
        .steady("hr", 54, 741, 800)
        .told();
    assert_eq!(told.alarms("rate-high"), ["731 begin low", "746 end low"]);
    assert_eq!(told.alarms("rate-low"), ["749 begin medium"]);
    assert_eq!(told.first("rate-low")["limit"], 55);
    assert_eq!(told.first("rate-high")["limit_source"], "baseline");
}

#[test]
fn alm_spo2_5_below_the_baseline_is_medium_after_30_s() {
    let told = Story::infusing(700).steady("spo2", 92, 601, 700).told();
    // 92 is below 94 for 30 s too: one alarm, at the more urgent tier.
    assert_eq!(told.alarms("spo2-low"), ["631 begin medium"]);
    assert_eq!(told.first("spo2-low")["reason"], "fall");
    assert_eq!(told.first("spo2-low")["limit_source"], "baseline");
}

#[test]
fn alm_a_first_high_pressure_asks_for_a_recheck_and_the_second_is_medium() {
    let told = Story::infusing(2000)
        .steady("spo2", 97, 601, 2000)
        .cuff(900.0, 168, 90)
        .cuff(1020.0, 166, 90)
        .cuff(1140.0, 140, 85)
        .told();
    assert_eq!(
        told.alarms("sbp-high"),
        ["900 begin low", "1020 escalate medium", "1140 end medium"]
    );
    assert_eq!(told.first("sbp-high")["reason"], "recheck");
    assert_eq!(told.first("sbp-high")["limit"], 165);
    assert!(told.kind("task").iter().any(|task| task["t"] == 900
        && task["text"] == "repeat cuff now"
        && task["due_at"] == 900));
}

#[test]
fn alm_without_a_second_reading_it_is_medium_after_6_min() {
    let told = Story::infusing(1400)
        .steady("spo2", 97, 601, 1400)
        .cuff(900.0, 168, 90)
        .told();
    assert_eq!(
        told.alarms("sbp-high"),
        ["900 begin low", "1260 escalate medium"]
    );
}

#[test]
fn alm_180_is_high_at_once_and_steps_down_by_reading() {
    let told = Story::infusing(1500)
        .steady("spo2", 97, 601, 1500)
        .cuff(900.0, 182, 90)
        .cuff(1020.0, 170, 90)
        .cuff(1140.0, 120, 80)
        .told();
    assert_eq!(
        told.alarms("sbp-high"),
        [
            "900 begin high",
            "1020 deescalate medium",
            "1140 return high"
        ]
    );
}

#[test]
fn alm_goal_2_one_reading_repeated_is_one_alarm() {
    let mut story = Story::infusing(1400).steady("spo2", 97, 601, 1400);
    for second in 0..60 {
        story = story.line(
            900.0 + f64::from(second),
            json!({"kind": "observation", "feed": "monitor", "parameter": "nibp-sys",
                   "value": 168, "measured_at": 900}),
        );
    }
    let told = story.told();
    assert_eq!(
        told.alarms("sbp-high"),
        ["900 begin low", "1260 escalate medium"]
    );
}

#[test]
fn alm_low_pressures_alarm_at_once_in_every_phase() {
    let told = Story::opened()
        .cuff(60.0, 88, 50)
        .line(
            60.0,
            json!({"kind": "observation", "feed": "monitor", "parameter": "nibp-mean",
                   "value": 49, "measured_at": 60}),
        )
        .told();
    assert_eq!(told.alarms("sbp-low"), ["60 begin medium"]);
    assert_eq!(told.alarms("map-low"), ["60 begin high"]);
}

#[test]
fn alm_the_same_pressure_is_no_alarm_before_the_start() {
    let told = Story::opened().cuff(60.0, 175, 105).told();
    assert!(told.alarms("sbp-high").is_empty());
    assert!(told.alarms("dbp-high").is_empty());
}

#[test]
fn alm_respiration_and_apnoea() {
    let told = Story::opened()
        .steady("rr", 14, 1, 19)
        .steady("rr", 9, 20, 60)
        .steady("rr", 14, 61, 80)
        .steady("rr", 0, 81, 120)
        .steady("rr", 14, 121, 140)
        .told();
    assert_eq!(told.alarms("rr-low"), ["35 begin medium", "66 end medium"]);
    assert_eq!(
        told.alarms("no-breath"),
        ["111 begin high", "126 return high"]
    );
}

#[test]
fn alm_the_devices_own_no_breath_bit_alarms_at_once() {
    let told = Story::opened()
        .line(
            30.0,
            json!({"kind": "observation", "feed": "monitor", "parameter": "rr", "value": 0,
                   "finding": "no-breath"}),
        )
        .told();
    assert_eq!(told.alarms("no-breath"), ["30 begin high"]);
    assert_eq!(told.first("no-breath")["limit_source"], "device");
}

#[test]
fn alm_pulse_lost_with_an_ecg_that_is_not_normal_is_high_after_10_s() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 19)
        .steady("hr", 70, 1, 24)
        .without("spo2", "searching", 20, 60)
        .steady("hr", 0, 25, 60)
        .told();
    assert_eq!(told.alarms("pulse-lost"), ["35 begin high"]);
}

#[test]
fn alm_pulse_lost_with_a_normal_ecg_is_a_sensor_alarm_only() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 19)
        .steady("hr", 70, 1, 60)
        .without("spo2", "searching", 20, 60)
        .told();
    assert!(told.alarms("pulse-lost").is_empty());
    assert_eq!(told.alarms("sensor"), ["30 begin low"]);
}

#[test]
fn alm_pulse_lost_without_an_ecg_is_medium_then_high() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 19)
        .steady("pr", 70, 1, 19)
        .without("spo2", "searching", 20, 70)
        .steady("spo2", 97, 71, 80)
        .told();
    assert_eq!(
        told.alarms("pulse-lost"),
        ["30 begin medium", "50 escalate high", "71 return high"]
    );
}

#[test]
fn alm_probe_off_is_never_pulse_lost() {
    let told = Story::opened()
        .steady("spo2", 97, 1, 19)
        .without("spo2", "probe-off", 20, 70)
        .told();
    assert!(told.alarms("pulse-lost").is_empty());
    assert_eq!(told.first("sensor")["cause"], "probe-off");
}

#[test]
fn alm_a_cuff_on_the_same_arm_holds_the_pleth_for_at_most_60_s() {
    let measuring = |arm: &str| {
        Story::default()
            .command(
                0.0,
                json!({"command": "open-session", "cuff-arm": "left", "spo2-arm": arm}),
            )
            .steady("spo2", 97, 1, 19)
            .refuses(18.0, "nibp-sys", "measuring")
            .without("spo2", "searching", 20, 100)
            .told()
    };
    assert_eq!(
        measuring("right").alarms("pulse-lost").first().unwrap(),
        "30 begin medium"
    );
    assert_eq!(
        measuring("left").alarms("pulse-lost").first().unwrap(),
        "78 begin high"
    );
}

#[test]
fn alm_moaas_3_is_medium_and_2_is_high() {
    let told = Story::infusing(700)
        .steady("spo2", 97, 601, 700)
        .command(
            650.0,
            json!({"command": "score", "scale": "moaas", "value": 3}),
        )
        .command(
            660.0,
            json!({"command": "score", "scale": "moaas", "value": 2}),
        )
        .command(
            670.0,
            json!({"command": "score", "scale": "moaas", "value": 5}),
        )
        .told();
    assert_eq!(
        told.alarms("oversedated"),
        ["650 begin medium", "660 escalate high", "670 return high"]
    );
}

#[test]
fn alm_an_alarm_whose_value_turns_invalid_stays_until_a_technical_one_stands() {
    let told = Story::infusing(800)
        .steady("spo2", 90, 601, 640)
        .without("spo2", "probe-off", 641, 800)
        .told();
    // Medium by 616; the sensor alarm of phase 2 is medium after 10 s and takes its place.
    assert_eq!(
        told.alarms("spo2-low"),
        ["616 begin medium", "651 end medium"]
    );
    assert_eq!(told.alarms("sensor"), ["651 begin medium"]);
}

#[test]
fn alm_an_arterial_line_is_judged_with_its_own_delay() {
    let told = Story::opened().steady("art-sys", 78, 10, 30).told();
    assert_eq!(told.alarms("sbp-low"), ["20 begin high"]);
    assert_eq!(told.first("sbp-low")["parameter"], "art-sys");
}
