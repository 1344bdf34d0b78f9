//! Phases, gate, baseline, absence, limits, pump and refusals (engine.md 2 and 5).

use super::alarm_story::Story;
use serde_json::json;

const OVER: &str = "the minimum observation";

#[test]
fn alm_phases_follow_the_nurse_and_recovery_ends_by_itself_after_30_min() {
    let told = Story::infusing(700)
        .command(610.0, json!({"command": "pause-infusion"}))
        .command(620.0, json!({"command": "resume-infusion"}))
        .command(700.0, json!({"command": "stop-infusion"}))
        .end(2600.0)
        .told();
    assert_eq!(
        told.phases(),
        [
            "0 baseline",
            "600 infusion",
            "610 paused",
            "620 infusion",
            "700 recovery",
            "2500 observation"
        ]
    );
}

#[test]
fn alm_closing_goes_through_discharged_to_standby_at_the_same_time() {
    let told = Story::opened()
        .command(10.0, json!({"command": "close-session", "by": "RN 1"}))
        .command(20.0, json!({"command": "open-session"}))
        .told();
    assert_eq!(
        told.phases(),
        ["0 baseline", "10 discharged", "10 standby", "20 baseline"]
    );
}

#[test]
fn alm_commands_out_of_order_are_refused_with_the_next_step_and_recorded() {
    let told = Story::default()
        .command(0.0, json!({"command": "stop-infusion"}))
        .command(1.0, json!({"command": "open-session"}))
        .command(2.0, json!({"command": "open-session"}))
        .command(3.0, json!({"command": "pause-infusion"}))
        .command(4.0, json!({"command": "start-infusion"}))
        .command(5.0, json!({"command": "close-session", "by": "RN 1"}))
        .command(6.0, json!({"command": "away", "minutes": 5}))
        .command(
            7.0,
            json!({"command": "score", "scale": "moaas", "value": 6}),
        )
        .command(
            8.0,
            json!({"command": "score", "scale": "mood", "value": 1}),
        )
        .command(
            9.0,
            json!({"command": "acknowledge", "alarm": 4711, "seen_priority": "high"}),
        )
        .command(10.0, json!({"command": "end-away"}))
        .told();
    assert_eq!(
        told.refusals(),
        [
            "0 stop-infusion: no session is open",
            "2 open-session: session 1 is still open",
            "3 pause-infusion: pause-infusion is not possible in baseline",
            "5 close-session: close-session is not possible in infusion",
            "6 away: away is not possible in infusion",
            "7 score: 6 is no score of moaas",
            "8 score: \"mood\" is no scale",
            "9 acknowledge: there is no alarm 4711",
            "10 end-away: the patient is not away",
        ]
    );
    assert!(
        told.kind("refused")
            .iter()
            .all(|refused| refused["hint"].is_string())
    );
}

#[test]
fn alm_the_gate_asks_for_an_override_and_for_two_people() {
    let start = |over: serde_json::Value| json!({"command": "start-infusion", "override": over});
    let told = Story::opened()
        .cuff(60.0, 165, 90)
        .command(70.0, json!({"command": "start-infusion"}))
        .command(80.0, start(json!({"reason": "", "by": "MD"})))
        .command(
            90.0,
            start(json!({"reason": "known hypertension", "by": "MD"})),
        )
        .told();
    assert_eq!(told.refusals().len(), 2, "{:?}", told.refusals());
    assert_eq!(told.phases(), ["0 baseline", "90 infusion"]);
    // The reading of the baseline is judged by the limits of the new phase, once.
    assert_eq!(
        told.alarms("sbp-high"),
        ["90 begin low", "450 escalate medium"][..1]
    );

    let told = Story::opened()
        .steady("hr", 135, 1, 100)
        .command(70.0, start(json!({"reason": "r", "by": "A"})))
        .command(
            80.0,
            start(json!({"reason": "r", "by": "A", "second-by": "A"})),
        )
        .command(
            90.0,
            start(json!({"reason": "r", "by": "A", "second-by": "B"})),
        )
        .told();
    assert_eq!(told.phases(), ["0 baseline", "90 infusion"]);
}

#[test]
fn alm_a_note_of_the_gate_asks_for_a_recheck_after_5_min() {
    let told = Story::opened()
        .cuff(60.0, 145, 85)
        .cuff(100.0, 144, 85)
        .told();
    let tasks = told.kind("task");
    assert!(
        tasks.iter().any(
            |task| task["text"] == "recheck blood pressure before the start"
                && task["due_at"] == 400
        ),
        "{tasks:?}"
    );
}

#[test]
fn alm_the_baseline_is_the_median_stored_with_its_readings() {
    let told = Story::opened()
        .cuff(60.0, 120, 80)
        .cuff(240.0, 131, 84)
        .cuff(420.0, 126, 80)
        .steady("spo2", 98, 1, 600)
        .command(600.0, json!({"command": "start-infusion"}))
        .told();
    let baseline = told.kind("baseline");
    let of = |parameter: &str| {
        *baseline
            .iter()
            .find(|record| record["parameter"] == parameter)
            .unwrap()
    };
    assert_eq!(of("nibp-sys")["value"], 126);
    assert_eq!(of("nibp-sys")["readings"], json!([126, 131, 120]));
    assert_eq!(of("spo2")["value"], 98);
    assert!(of("hr")["value"].is_null(), "shown as lacking");
}

#[test]
fn alm_without_a_baseline_the_start_is_allowed_and_relative_parts_are_off() {
    let told = Story::opened()
        .command(10.0, json!({"command": "start-infusion"}))
        .cuff(20.0, 159, 94)
        .command(
            30.0,
            json!({"command": "set-baseline", "parameter": "nibp-sys", "value": 120,
                              "reason": "from the referral"}),
        )
        .told();
    assert_eq!(
        told.alarms("sbp-high"),
        ["30 begin low"],
        "156 is B + 30 %: recheck"
    );
    assert_eq!(
        told.kind("baseline").last().unwrap()["reason"],
        "from the referral"
    );
}

#[test]
fn alm_a_second_start_keeps_baseline_and_stamps() {
    let told = Story::infusing(800)
        .steady("spo2", 97, 601, 800)
        .command(700.0, json!({"command": "stop-infusion"}))
        .command(710.0, json!({"command": "start-infusion"}))
        .told();
    assert_eq!(
        told.phases()[2..],
        ["700 recovery", "710 infusion"].map(str::to_owned)
    );
    assert!(
        told.kind("baseline")
            .iter()
            .all(|record| record["t"] == 600)
    );
}

#[test]
fn alm_away_switches_patient_alarms_off_and_ends_with_a_valid_spo2() {
    let told = Story::opened()
        .steady("spo2", 80, 1, 20)
        .command(10.0, json!({"command": "away", "minutes": 5}))
        .steady("hr", 30, 1, 100)
        .without("spo2", "probe-off", 13, 59)
        .steady("spo2", 80, 60, 100)
        .told();
    assert_eq!(
        told.alarms("spo2-low"),
        ["3 begin high", "10 return high", "70 escalate high"],
        "SpO2 is valid again from 60 on, and 10 s later the patient is back"
    );
}

#[test]
fn alm_away_ends_by_time_out() {
    let told = Story::opened()
        .steady("hr", 30, 1, 120)
        .command(2.0, json!({"command": "away", "minutes": 1}))
        .told();
    assert_eq!(
        told.alarms("rate-low"),
        ["62 begin high"],
        "it stood all the time"
    );
}

#[test]
fn alm_limits_can_be_changed_inside_the_rails_only() {
    let set = |rule: &str, tier: &str, value: i64| {
        json!({"command": "set-limit", "rule": rule, "tier": tier, "value": value,
               "reason": "COPD"})
    };
    let told = Story::opened()
        .command(1.0, set("spo2-low", "high", 79))
        .command(2.0, set("spo2-low", "medium", 95))
        .command(3.0, set("rate-high", "high", 201))
        .command(4.0, set("rate-high", "low", 110))
        .command(5.0, set("pulse-lost", "high", 1))
        .command(6.0, set("spo2-low", "high", 82))
        .command(7.0, set("spo2-low", "medium", 86))
        .command(8.0, set("spo2-low", "low", 88))
        .steady("spo2", 85, 10, 40)
        .command(41.0, json!({"command": "restore-limits"}))
        .steady("spo2", 84, 41, 60)
        .told();
    assert_eq!(
        told.refusals(),
        [
            "1 set-limit: 79 is beyond the rail at 80",
            "2 set-limit: tiers out of order in baseline: medium at 95, low at 94",
            "3 set-limit: 201 is beyond the rail at 200",
            "4 set-limit: rate-high low has no absolute limit",
            "5 set-limit: pulse-lost has no limit that can be set",
        ]
    );
    assert_eq!(
        told.alarms("spo2-low"),
        ["25 begin medium", "43 escalate high"]
    );
    assert_eq!(told.first("spo2-low")["limit"], 86);
    assert_eq!(told.first("spo2-low")["limit_source"], "nurse");
}

#[test]
fn alm_a_limit_that_can_never_trip_is_refused_in_infusion() {
    let off = json!({"command": "set-limit", "rule": "sbp-high", "tier": "high", "value": 320,
                     "reason": "test"});
    let told = Story::opened()
        .command(1.0, off.clone())
        .command(2.0, json!({"command": "start-infusion"}))
        .command(3.0, json!({"command": "restore-limits"}))
        .command(4.0, json!({"command": "start-infusion"}))
        .command(5.0, off)
        .told();
    assert_eq!(
        told.refusals(),
        [
            "2 start-infusion: limit sbp-high high is OFF",
            "5 set-limit: sbp-high high at 320 can never alarm"
        ]
    );
}

#[test]
fn alm_closing_needs_the_minimum_time_or_an_override() {
    let close = json!({"command": "close-session", "by": "RN 1"});
    let told = Story::infusing(700)
        .command(700.0, json!({"command": "stop-infusion"}))
        .command(4299.0, close.clone())
        .command(4300.0, close)
        .told();
    assert_eq!(told.refusals().len(), 1);
    assert!(told.refusals()[0].contains(OVER));
    // The lost feed is a technical alarm: it does not hold the patient back.
    assert_eq!(told.phases().last().unwrap(), "4300 standby");
}

#[test]
fn alm_closing_with_a_high_alarm_that_nobody_saw_needs_an_override() {
    let close = |over| json!({"command": "close-session", "by": "RN 1", "override": over});
    let told = Story::opened()
        .steady("spo2", 80, 1, 10)
        .steady("spo2", 97, 11, 30)
        .command(40.0, json!({"command": "close-session", "by": "RN 1"}))
        .command(
            50.0,
            close(json!({"reason": "seen at the bedside", "by": "RN 1"})),
        )
        .told();
    assert_eq!(
        told.refusals(),
        ["40 close-session: a high alarm is not acknowledged"]
    );
    assert_eq!(told.phases().last().unwrap(), "50 standby");
}

#[test]
fn alm_a_condition_that_stands_at_the_opening_alarms() {
    let told = Story::default()
        .reads(1.0, "spo2", 80)
        .command(2.0, json!({"command": "open-session"}))
        .steady("spo2", 80, 3, 10)
        .told();
    assert_eq!(told.alarms("spo2-low"), ["5 begin high"]);
}

#[test]
fn alm_the_pump_drives_the_phases() {
    let pump = |event: &str| json!({"kind": "pump-event", "event": event});
    let moving = |event: &str| json!({"kind": "pump-event", "event": event, "transitioning": true});
    let told = Story::opened()
        .line(100.0, pump("delivery-start"))
        .line(200.0, moving("delivery-stop"))
        .line(210.0, pump("delivery-start")) // within 30 s: nothing happened
        .line(300.0, pump("delivery-stop"))
        .line(320.0, pump("delivery-start"))
        .line(400.0, moving("delivery-complete"))
        .end(500.0)
        .told();
    assert_eq!(
        told.phases(),
        [
            "0 baseline",
            "100 infusion",
            "300 paused",
            "320 infusion",
            "430 recovery"
        ]
    );
    assert!(
        told.kind("phase")
            .iter()
            .skip(1)
            .all(|phase| phase["why"] == "pump")
    );
}

#[test]
fn alm_kvo_is_not_a_dose() {
    let pump = |event: &str| json!({"kind": "pump-event", "event": event});
    let told = Story::opened()
        .line(100.0, pump("kvo"))
        .line(200.0, pump("delivery-start"))
        .line(300.0, pump("delivery-complete"))
        .line(301.0, pump("kvo"))
        .told();
    assert_eq!(
        told.phases(),
        ["0 baseline", "200 infusion", "300 recovery"]
    );
}

#[test]
fn alm_a_command_against_the_pump_is_done_and_shown_as_a_conflict() {
    let pump = |event: &str| json!({"kind": "pump-event", "event": event});
    let told = Story::opened()
        .line(100.0, pump("delivery-start"))
        .command(200.0, json!({"command": "stop-infusion"}))
        .line(260.0, pump("delivery-stop"))
        .told();
    assert_eq!(
        told.phases(),
        ["0 baseline", "100 infusion", "200 recovery"]
    );
    assert_eq!(told.alarms("pump"), ["200 begin medium", "260 end medium"]);
    assert_eq!(told.first("pump")["reason"], "conflict");
}

#[test]
fn alm_a_pump_that_starts_past_the_gate_is_followed_and_shown() {
    let told = Story::opened()
        .cuff(60.0, 185, 90)
        .line(
            100.0,
            json!({"kind": "pump-event", "event": "delivery-start"}),
        )
        .told();
    assert_eq!(told.phases(), ["0 baseline", "100 infusion"]);
    assert_eq!(told.first("pump")["reason"], "gate-not-passed");
    assert_eq!(told.alarms("sbp-high"), ["100 begin high"]);
}

#[test]
fn alm_a_silent_or_lost_pump_goes_on_as_infusing() {
    let pump = |event: &str| json!({"kind": "pump-event", "event": event, "feed": "pump"});
    let told = Story::opened()
        .line(100.0, pump("delivery-start"))
        .line(105.0, pump("comm-lost"))
        .line(109.0, pump("rate-change"))
        .end(130.0)
        .told();
    assert_eq!(told.phases(), ["0 baseline", "100 infusion"]);
    assert_eq!(
        told.alarms("pump"),
        ["105 begin medium", "109 end medium", "119 begin medium"]
    );
}

#[test]
fn alm_a_pump_alarm_is_at_least_medium() {
    let told = Story::opened()
        .line(
            100.0,
            json!({"kind": "pump-event", "event": "alarm", "reason": "OCCLUSION"}),
        )
        .told();
    assert_eq!(told.alarms("pump"), ["100 begin medium"]);
    assert_eq!(told.first("pump")["text"], "Pump alarm: OCCLUSION");
}

#[test]
fn alm_a_late_event_stamps_its_own_time_and_changes_no_alarm_before() {
    // The pump's buffer tells at 400 that it stopped at 300: recovery counts from there.
    let told = Story::opened()
        .line(
            100.0,
            json!({"kind": "pump-event", "event": "delivery-start"}),
        )
        .line(
            400.0,
            json!({"kind": "pump-event", "event": "delivery-complete", "at": 300,
                   "message_at": 400}),
        )
        .end(2200.0)
        .told();
    assert_eq!(
        told.phases(),
        [
            "0 baseline",
            "100 infusion",
            "400 recovery",
            "2100 observation"
        ]
    );
}

#[test]
fn alm_downtime_fires_what_fell_into_the_gap_marked_late() {
    let told = Story::opened()
        .steady("spo2", 80, 1, 2)
        .line(2.0, json!({"kind": "started", "down_for": 60}))
        .told();
    let first = told.first("spo2-low");
    assert_eq!(first["t"], 3);
    assert_eq!(first["late_s"], 59);
    assert_eq!(told.first("feed-lost")["t"], 12);
}

#[test]
fn alm_unknown_downtime_raises_a_clock_alarm_and_makes_everything_due() {
    let told = Story::infusing(620)
        .steady("spo2", 97, 601, 620)
        .line(620.0, json!({"kind": "started"}))
        .told();
    assert_eq!(told.alarms("clock"), ["620 begin low"]);
    assert_eq!(told.kind("task").last().unwrap()["due_at"], 620);
}
