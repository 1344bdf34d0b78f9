//! The decisions on one fixed story, kept beside the engine's version: a record is replayed only by an
//! engine of the same version, so decisions may not change while the number stays.

use super::alarm_story::Story;
use infusewatch::engine::engine_version;
use serde_json::{Value, json};

/// A session in which most rules have something to say.
fn everything() -> Story {
    let of = |feed: &str, parameter: &str, value: i64| json!({"kind": "observation", "feed": feed, "parameter": parameter, "value": value});
    let at_site = |value: i64, site: &str| json!({"kind": "observation", "feed": "monitor", "parameter": "rr", "value": value, "site": site});
    let mut story = Story::infusing(4000)
        .line(500.0, json!({"kind": "identity", "feed": "monitor", "bed": "3", "patient": "A"}))
        .steady("spo2", 96, 601, 899)
        .steady("spo2", 84, 900, 915)
        .steady("spo2", 91, 916, 945)
        .steady("spo2", 97, 946, 1199)
        .without("spo2", "searching", 1200, 1250)
        .steady("spo2", 97, 1251, 1499)
        .without("spo2", "probe-off", 1500, 1530)
        .steady("spo2", 97, 1531, 3600)
        .steady("hr", 160, 1300, 1320)
        .steady("pr", 100, 1400, 1430)
        .cuff(1000.0, 170, 96)
        .cuff(1120.0, 168, 90)
        .cuff(1300.0, 185, 112)
        .cuff(1500.0, 120, 80)
        .cuff(2000.0, 84, 95)
        .command(905.0, json!({"command": "audio-pause"}))
        .command(1350.0, json!({"command": "acknowledge", "alarm": "all"}))
        .command(
            1600.0,
            json!({"command": "set-limit", "rule": "spo2-low", "tier": "medium", "value": 90, "reason": "known"}),
        )
        .command(1700.0, json!({"command": "score", "scale": "moaas", "value": 3}))
        .command(2400.0, json!({"command": "stop-infusion"}))
        .command(3000.0, json!({"command": "start-infusion"}))
        .line(1800.0, json!({"kind": "identity", "feed": "monitor", "bed": "3", "patient": "B"}))
        .command(1830.0, json!({"command": "confirm-patient"}))
        .line(
            1900.0,
            json!({"kind": "device-alert", "feed": "monitor", "key": "a", "priority": "medium",
                   "text": "ECG leads off", "phase": "start"}),
        )
        .line(
            1920.0,
            json!({"kind": "device-alert", "feed": "monitor", "key": "a", "phase": "end"}),
        )
        .line(3100.0, json!({"kind": "health", "what": "sound", "ok": false}))
        .line(3120.0, json!({"kind": "health", "what": "sound", "ok": true}))
        .command(4100.0, json!({"command": "stop-infusion"}))
        .command(
            4200.0,
            json!({"command": "close-session", "by": "RN 1",
                   "override": {"reason": "end of the story", "by": "MD 1"}}),
        )
        .end(4300.0);
    for second in 2100..2140 {
        let t = f64::from(second);
        story = story
            .line(t, at_site(14, "impedance"))
            .line(t, at_site(6, "airway"));
    }
    for second in 2200..2260 {
        story = story.line(f64::from(second), of("oximeter", "spo2", 90));
    }
    story
}

#[test]
fn alm_decisions_change_only_with_the_engines_version() {
    let told = everything().told();
    let lines: Vec<String> = told.0.iter().map(Value::to_string).collect();
    assert!(
        lines.len() > 60,
        "the story says too little: {}",
        lines.len()
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../data/decisions");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(
        "Where this differs, the engine decides differently: raise `engine_version` and accept the new file.",
    );
    let name = format!("engine-{}", engine_version());
    settings.bind(|| insta::assert_snapshot!(name, lines.join("\n")));
}
