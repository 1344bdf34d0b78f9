//! A rich board to show: a patient 24 minutes into an infusion, with alarms of every priority.

use infusewatch::board::{
    AlarmStateView, AlarmView, AudioView, Board, FeedView, LimitsView, SessionView, Stamp,
    VitalView,
};
use infusewatch::clock::Clock;
use infusewatch::engine::{AudioState, FeedState, LimitSource, OpenSession, Sounding};
use infusewatch::observation::DeviceTime;
use infusewatch::vocabulary::{
    AlarmClass, Cause, Decimal, Doubt, Moment, Now, Parameter, ParameterId, Phase, Priority,
    Reading, Rule, WallTime,
};
use serde_json::{Value, json};
use std::time::Duration;

fn ago(now: Now, seconds: u64) -> Stamp {
    Stamp {
        moment: Moment::from_micros(now.moment.as_micros().saturating_sub(seconds * 1_000_000)),
        wall: WallTime::from_millis(now.wall.as_millis() - i64::try_from(seconds).unwrap() * 1_000),
    }
}

/// A number as it arrived `seconds` ago.
pub fn vital(
    now: Now,
    parameter: impl Into<ParameterId>,
    reading: Reading,
    seconds: u64,
) -> VitalView {
    VitalView {
        parameter: parameter.into(),
        reading,
        measured_at: None,
        received_at: ago(now, seconds),
        age_at_receipt: Duration::ZERO,
        stale: false,
        feed: "monitor".into(),
        limits: LimitsView::default(),
        judged: true,
        display_grade: false,
    }
}

fn whole(value: i64) -> Reading {
    Reading::Valid(Decimal::whole(value))
}

fn limits(low: Option<i64>, high: Option<i64>) -> LimitsView {
    LimitsView {
        low: low.map(Decimal::whole),
        high: high.map(Decimal::whole),
        source: Some(LimitSource::Profile),
        off: false,
    }
}

/// An alarm that began `seconds` ago.
pub fn alarm(
    now: Now,
    id: u64,
    rule: Rule,
    priority: Priority,
    text: &str,
    seconds: u64,
) -> AlarmView {
    AlarmView {
        id,
        rule,
        parameter: None,
        class: rule.class(),
        priority,
        peak: priority,
        state: AlarmStateView::Active,
        since: ago(now, seconds),
        acknowledged_by: None,
        text: text.into(),
        explanation: Value::Null,
    }
}

/// Standby with two feeds.
pub fn standby() -> Board {
    let now = Clock::real().now();
    Board {
        made: ago(now, 0),
        bed: "Chair 3".into(),
        phase: Phase::Standby,
        vitals: numbers(now),
        feeds: feeds(now),
        profile: "ketamine-adult 1".into(),
        seq: 17,
        ..Board::default()
    }
}

fn numbers(now: Now) -> Vec<VitalView> {
    let mut vitals = vec![
        vital(now, Parameter::Hr, whole(84), 1),
        vital(now, Parameter::Pr, whole(83), 1),
        vital(now, Parameter::Spo2, whole(97), 1),
        vital(
            now,
            Parameter::Pi,
            Reading::Questionable(Decimal::new(42, 2), Doubt::LowPerfusion),
            1,
        ),
        vital(now, Parameter::NibpSys, whole(158), 95),
        vital(now, Parameter::NibpDia, whole(92), 95),
        vital(now, Parameter::NibpMean, whole(112), 95),
        vital(now, Parameter::Rr, whole(14), 1),
        vital(
            now,
            Parameter::Etco2,
            Reading::Invalid(Cause::SensorMissing),
            2,
        ),
        vital(
            now,
            Parameter::Temp,
            Reading::Valid(Decimal::new(366, 1)),
            1,
        ),
    ];
    for vital in &mut vitals {
        let sides = match vital.parameter.known() {
            Some(Parameter::Spo2) => limits(Some(94), None),
            Some(Parameter::Hr) => limits(Some(50), Some(120)),
            Some(Parameter::NibpSys) => limits(Some(90), Some(160)),
            Some(Parameter::NibpDia) => limits(None, Some(95)),
            _ => LimitsView::default(),
        };
        vital.limits = sides;
        vital.judged = vital.parameter != Parameter::Pr.into();
        if vital.parameter == Parameter::NibpSys.into() {
            vital.measured_at = Some(DeviceTime::civil(now.wall.as_millis() - 95_000));
        }
    }
    vitals
}

fn feeds(now: Now) -> Vec<FeedView> {
    ["monitor", "oximeter"]
        .into_iter()
        .map(|name| FeedView {
            name: name.into(),
            state: FeedState::Ok,
            silent: false,
            last_data: Some(now.moment),
        })
        .collect()
}

/// An infusion without alarms.
pub fn infusion() -> Board {
    let now = Clock::real().now();
    Board {
        phase: Phase::Infusion,
        session: Some(SessionView {
            id: 3,
            about: OpenSession {
                patient: Some("K-1042".into()),
                patient_name: Some("M. Example".into()),
                ..OpenSession::default()
            },
            opened_at: ago(now, 2_400),
            infusion_started_at: Some(ago(now, 1_460)),
            infusion_ended_at: None,
            infusion_run: Duration::from_secs(1_460),
            observe_until: None,
            baseline: vec![(Parameter::NibpSys, Some(Decimal::whole(124)), 3)],
            ..SessionView::default()
        }),
        next_task: Some((
            "cuff reading".into(),
            now.moment.after(Duration::from_secs(205)),
        )),
        cuff_due: Some(now.moment.after(Duration::from_secs(205))),
        ..standby()
    }
}

/// An infusion with everything at once: the hardest picture to keep legible.
pub fn alarming() -> Board {
    let now = Clock::real().now();
    let mut board = infusion();
    let mut spo2 = alarm(
        now,
        7,
        Rule::Spo2Low,
        Priority::High,
        "SpO2 84 % below 88 for 10 s",
        14,
    );
    spo2.parameter = Some(Parameter::Spo2);
    spo2.explanation =
        json!({ "limit": 88, "limit_source": "profile", "delay_s": 10, "feed": "oximeter" });
    let mut pressure = alarm(
        now,
        6,
        Rule::SbpHigh,
        Priority::Medium,
        "SBP 168 mmHg at or above 165",
        95,
    );
    pressure.parameter = Some(Parameter::NibpSys);
    pressure.state = AlarmStateView::Acknowledged;
    let feed = alarm(
        now,
        5,
        Rule::FeedLost,
        Priority::Low,
        "Feed oximeter: no data for 12 s",
        3,
    );
    board.alarms = vec![spo2, pressure, feed];
    board.audio = AudioView {
        sounding: Sounding::None,
        state: AudioState::Paused,
        pause_until: Some(now.moment.after(Duration::from_secs(103))),
    };
    board.demo = Some(20);
    for vital in &mut board.vitals {
        match vital.parameter.known() {
            Some(Parameter::Spo2) => vital.reading = whole(84),
            Some(Parameter::NibpSys) => vital.reading = whole(168),
            _ => {}
        }
    }
    if let Some(feed) = board.feeds.get_mut(1) {
        feed.silent = true;
    }
    board.next_task = Some(("Repeat cuff now".into(), ago(now, 5).moment));
    board
}

/// Readings from a formula over the session of [`infusion`]: a slow rise and fall, with a gap, and SpO2 low
/// during its last alarm. A cuff every four minutes.
pub fn history(parameter: &str, from: WallTime, to: WallTime, points: usize) -> Value {
    let (middle, swing) = match parameter {
        "spo2" => (96.0, -2.5),
        "nibp-sys" => (138.0, 24.0),
        "nibp-dia" => (82.0, 12.0),
        "nibp-mean" => (101.0, 15.0),
        "rr" => (14.0, 2.0),
        _ => (78.0, 9.0),
    };
    let opened = minutes_ago(40);
    let span = to.as_millis() - from.as_millis();
    let cuff = parameter.starts_with("nibp");
    let times: Vec<i64> = if cuff {
        let all = (0..10).map(|n| opened + n * 240_000);
        all.filter(|t| (from.as_millis()..to.as_millis()).contains(t))
            .collect()
    } else {
        let share = |n: usize| n as f64 / points as f64;
        (0..points)
            .map(|n| from.as_millis() + (share(n) * span as f64) as i64)
            .collect()
    };
    let point = |(n, t): (usize, i64)| {
        let minute = (t - opened) as f64 / 60_000.0;
        let steady = middle + swing * (minute / 8.0).sin();
        let value = if parameter == "spo2" && (36.0..38.0).contains(&minute) {
            84.0
        } else if cuff {
            steady
        } else {
            steady + (n % 7) as f64 / 4.0
        };
        let missing = !cuff && (22.0..24.0).contains(&minute);
        let value = (!missing).then(|| value.round());
        json!({ "t": t, "value": value, "min": value, "max": value, "missing": missing, "questionable": false })
    };
    times.into_iter().enumerate().map(point).collect()
}

/// That many minutes ago, Unix milliseconds.
fn minutes_ago(minutes: i64) -> i64 {
    Clock::real().now().wall.as_millis() - minutes * 60_000
}

/// The alarms of the session so far.
pub fn past_alarms(session: i64) -> Value {
    let row = |alarm: u64, rule: Rule, priority: Priority, began: i64, lasted: i64, text: &str| {
        let (peak, limit) = match rule {
            Rule::Spo2Low => (Some(83), Some(88)),
            Rule::SbpHigh => (Some(172), Some(165)),
            _ => (None, None),
        };
        let stamp = |minutes| WallTime::from_millis(minutes_ago(minutes)).rfc3339();
        json!({
            "session": session, "alarm": alarm, "rule": rule, "class": rule.class().name(),
            "priority": priority, "began": stamp(began), "ended": stamp(began - lasted),
            "acknowledged": null, "by": null, "peak_value": peak, "limit_value": limit, "text": text,
        })
    };
    json!([
        row(
            2,
            Rule::SbpHigh,
            Priority::Medium,
            16,
            5,
            "SBP 172 mmHg at or above 165"
        ),
        row(
            3,
            Rule::FeedLost,
            Priority::Low,
            8,
            1,
            "Feed oximeter: no data for 12 s"
        ),
        row(
            4,
            Rule::Spo2Low,
            Priority::High,
            4,
            2,
            "SpO2 84 % below 88 for 10 s"
        ),
    ])
}

/// What was done in the session so far.
pub fn past_events(after: u64) -> Value {
    let events = [
        json!({ "seq": 4, "t": minutes_ago(24), "what": "phase", "detail": { "phase": "infusion" } }),
        json!({ "seq": 5, "t": minutes_ago(15), "what": "drug",
            "detail": { "command": "drug", "name": "ondansetron", "dose": 4, "unit": "mg" } }),
        json!({ "seq": 6, "t": minutes_ago(9), "what": "note",
            "detail": { "command": "note", "text": "Patient calm, eyes closed" } }),
    ];
    let new = |event: &&Value| event["seq"].as_u64() > Some(after);
    events.iter().filter(new).cloned().collect()
}

/// The class of an alarm is always its rule's.
#[test]
fn the_fixture_is_consistent() {
    for alarm in alarming().alarms {
        assert_eq!(alarm.class, alarm.rule.class());
        assert_ne!(
            alarm.class == AlarmClass::Technical,
            alarm.parameter.is_some()
        );
    }
}
