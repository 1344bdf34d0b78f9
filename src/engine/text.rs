//! Words for the nurse: pure formatting of what was decided. No decision is taken here.

use super::alarms::Occurrence;
use super::command::Command;
use super::cuff::Task;
use super::record::{AlarmEvent, AlarmRecord, LimitSource};
use super::verdict::Key;
use crate::profile::Reason;
use crate::vocabulary::{Cause, Moment, Parameter, Priority, Rule};
use std::fmt::Write as _;

/// A parameter as a nurse calls it.
pub const fn parameter_name(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Hr => "HR",
        Parameter::Pr => "PR",
        Parameter::NibpPr => "PR (cuff)",
        Parameter::ArtPr => "PR (art)",
        Parameter::Spo2 => "SpO2",
        Parameter::Pi => "PI",
        Parameter::NibpSys => "SBP",
        Parameter::NibpDia => "DBP",
        Parameter::NibpMean => "MAP",
        Parameter::ArtSys => "SBP (art)",
        Parameter::ArtDia => "DBP (art)",
        Parameter::ArtMean => "MAP (art)",
        Parameter::Rr => "RR",
        Parameter::Etco2 => "etCO2",
        Parameter::Temp => "Temp",
    }
}

/// Why there is no number, in words.
const fn cause_text(cause: Cause) -> &'static str {
    match cause {
        Cause::ProbeOff => "sensor off",
        Cause::Searching => "no pulse found",
        Cause::Artefact => "motion or interference",
        Cause::LowPerfusion => "perfusion too low",
        Cause::CuffFault => "cuff measurement failed",
        Cause::Measuring => "measuring",
        Cause::NotAvailable => "no value",
        Cause::OutOfRange => "value out of range",
        Cause::UnknownUnit => "unknown unit",
        Cause::CodeMismatch => "contradictory code",
        Cause::Zero => "zero",
        Cause::SensorMissing => "no sensor",
        Cause::SensorFault => "sensor defective",
        Cause::Starting => "device starting",
        Cause::Calibrating => "device calibrating",
        Cause::LowQuality => "signal too poor",
        Cause::Demo => "demonstration data",
        Cause::Test => "test data",
        Cause::Setting => "a setting, no measurement",
        Cause::Withdrawn => "withdrawn by the sender",
        Cause::Old => "value too old",
        Cause::DeviceInvalid => "marked invalid by the device",
    }
}

/// What a task says.
pub const fn task(task: Task) -> &'static str {
    match task {
        Task::BaselineCuff => "cuff reading for the baseline",
        Task::RepeatCuffNow => "repeat cuff now",
        Task::RepeatCuff => "repeat cuff reading",
        Task::PeakCuff => "cuff reading at the usual peak",
        Task::EndCuff => "cuff reading at the end of the infusion",
        Task::Cuff => "cuff reading",
        Task::GateRecheck => "recheck blood pressure before the start",
        Task::Score => "sedation score MOAA/S",
    }
}

/// One line for the nurse, as it reads at engine time `now`. `feed` is the name of the alarm's feed.
pub fn line(alarm: &AlarmRecord, feed: Option<&str>, now: Moment) -> String {
    let lasting = now.since(alarm.since).as_secs();
    let feed = feed.unwrap_or("?");
    let cause = alarm.cause.map_or("no value", cause_text);
    let is = |reason: Reason| alarm.reason.as_deref() == Some(reason.name());
    let told = alarm.reason.as_deref().unwrap_or("no text");
    match alarm.rule {
        Rule::Spo2Low
        | Rule::RateLow
        | Rule::RateHigh
        | Rule::SbpHigh
        | Rule::DbpHigh
        | Rule::SbpLow
        | Rule::MapLow
        | Rule::RrLow
        | Rule::RrHigh
        | Rule::Oversedated => limit_line(alarm),
        Rule::PulseLost => match alarm.delay.as_secs() {
            0 => "No pulse found".to_owned(),
            delay => format!("No pulse found for {delay} s"),
        },
        Rule::NoBreath if alarm.limit_source == Some(LimitSource::Device) => {
            "No breath, by the monitor".to_owned()
        }
        Rule::NoBreath => format!("No breath for {} s", alarm.delay.as_secs()),
        Rule::FeedLost => format!("Feed {feed}: no data for {lasting} s"),
        Rule::Missing => {
            let what = parameter_of(alarm);
            if is(Reason::NeverReceived) {
                format!("{what}: never received")
            } else {
                format!("{what}: no reading for {lasting} s")
            }
        }
        Rule::Sensor => format!("{}: {cause}", parameter_of(alarm)),
        Rule::CuffFailed if is(Reason::Twice) => "Cuff measurement failed again".to_owned(),
        Rule::CuffFailed => "Cuff measurement failed".to_owned(),
        Rule::CuffOverdue => format!("Cuff reading overdue, last {} min ago", lasting / 60),
        Rule::ScoreOverdue => format!("Sedation score overdue for {} min", lasting / 60),
        Rule::Implausible => format!("{}: values out of range", parameter_of(alarm)),
        Rule::WrongPatient if is(Reason::OtherBed) => {
            format!("Feed {feed}: only readings of another bed or device")
        }
        Rule::WrongPatient => format!("Feed {feed}: another patient, confirm"),
        Rule::FeedsDisagree => format!("{}: feeds disagree", parameter_of(alarm)),
        Rule::RateDiffers => "ECG and pleth rates differ".to_owned(),
        Rule::SlowFeed => {
            let cadence = alarm.delay.as_secs();
            format!("Feed {feed}: a reading every {cadence} s: alarms up to {cadence} s late")
        }
        Rule::Restarted => format!("Monitoring was restarted: {told}"),
        Rule::SessionOpen => "Session still open?".to_owned(),
        Rule::DeviceAlert => format!("Monitor {feed}: {told}"),
        Rule::Clock => with_detail("Clock not reliable", alarm),
        Rule::Journal => with_detail("Record not being written", alarm),
        Rule::Disk => with_detail("Disk nearly full", alarm),
        Rule::Sound => with_detail("NO SOUND", alarm),
        Rule::Display => with_detail("Display does not answer", alarm),
        Rule::QueueFull => with_detail("Readings overwritten, queue full", alarm),
        Rule::Pump if is(Reason::Conflict) => "Pump and session contradict each other".to_owned(),
        Rule::Pump if is(Reason::GateNotPassed) => {
            "Pump started with values that need an override".to_owned()
        }
        Rule::Pump if is(Reason::Unknown) => "Pump silent, infusion taken as running".to_owned(),
        Rule::Pump => with_detail("Pump alarm", alarm),
    }
}

fn with_detail(text: &str, alarm: &AlarmRecord) -> String {
    match &alarm.reason {
        Some(detail) => format!("{text}: {detail}"),
        None => text.to_owned(),
    }
}

fn parameter_of(alarm: &AlarmRecord) -> &'static str {
    alarm.parameter.map_or("Value", parameter_name)
}

fn limit_line(alarm: &AlarmRecord) -> String {
    let mut text = match (alarm.rule, alarm.parameter) {
        (Rule::Oversedated, _) => "MOAA/S".to_owned(),
        (_, Some(parameter)) => parameter_name(parameter).to_owned(),
        (_, None) => alarm.rule.name().to_owned(),
    };
    let unit = alarm
        .parameter
        .map_or("", |parameter| parameter.unit().name());
    let (Some(value), Some(limit)) = (alarm.value, alarm.limit) else {
        text.push_str(" out of limits, no reading since");
        return text;
    };
    let order = value.cmp(&limit);
    let is_upper = matches!(
        alarm.rule,
        Rule::RateHigh | Rule::SbpHigh | Rule::DbpHigh | Rule::RrHigh
    );
    let is_back = if is_upper {
        order.is_lt()
    } else {
        order.is_gt()
    };
    let side = match order {
        std::cmp::Ordering::Less | std::cmp::Ordering::Greater if is_back => "back inside",
        std::cmp::Ordering::Less => "below",
        std::cmp::Ordering::Equal => "at",
        std::cmp::Ordering::Greater => "above",
    };
    // Writing to a String cannot fail.
    let _ = write!(text, " {value}");
    if !unit.is_empty() {
        let _ = write!(text, " {unit}");
    }
    let _ = write!(text, " {side} {limit}");
    match alarm.limit_source {
        Some(LimitSource::Baseline) => text.push_str(" (from baseline)"),
        Some(LimitSource::Nurse) => text.push_str(" (limit changed)"),
        Some(LimitSource::Profile | LimitSource::Device | LimitSource::Timing) | None => {}
    }
    if !alarm.delay.is_zero() && !is_back {
        let _ = write!(text, " for {} s", alarm.delay.as_secs());
    }
    if alarm.reason.as_deref() == Some(Reason::Recheck.name()) {
        text.push_str(" — recheck");
    } else if alarm.reason.as_deref() == Some(Reason::Repeated.name()) {
        text.push_str(", third time within a minute");
    } else if alarm.reason.as_deref() == Some(Reason::PointSeconds.name()) {
        text.push_str(", by depth and time");
    }
    text
}

/// The mark that an alarm leaves in the list.
pub fn mark(key: Key, occurrence: &Occurrence) -> String {
    let peak = match occurrence.state.peak() {
        Priority::High => "***",
        Priority::Medium => "**",
        Priority::Low => "*",
    };
    let record = occurrence.record(key, AlarmEvent::End);
    match (record.value, record.parameter) {
        (Some(_), _) => format!("{peak} over: {}", limit_line(&record)),
        (None, Some(parameter)) => {
            format!(
                "{peak} over: {} {}",
                key.rule.name(),
                parameter_name(parameter)
            )
        }
        (None, None) => format!("{peak} over: {}", key.rule.name()),
    }
}

/// A command in the list of events.
pub fn command(command: &Command) -> String {
    match command {
        Command::Drug {
            name,
            dose,
            unit,
            wasted,
            ..
        } => {
            let what = if *wasted { "Wasted" } else { "Drug" };
            format!("{what} {name} {dose} {unit}")
        }
        Command::Score { scale, value, .. } => format!("Score {scale} {value}"),
        Command::Note { text, .. } => format!("Note: {text}"),
        Command::SetLimit {
            rule, tier, value, ..
        } => format!("Limit {} {} set to {value}", rule.name(), tier.name()),
        Command::Correct { seq, fields } => {
            let is_void = fields.get("void") == Some(&serde_json::Value::Bool(true));
            let what = if is_void { "taken back" } else { "corrected" };
            format!("Entry {seq} {what}")
        }
        Command::Check { item, met, .. } => {
            let what = if *met { "met" } else { "not met" };
            format!("Check {}: {what}", item.name())
        }
        Command::SelfTest { lamps, sounds, .. } => {
            let word = |ok: bool| if ok { "good" } else { "BAD" };
            format!(
                "Self-test: lamps {}, sounds {}",
                word(*lamps),
                word(*sounds)
            )
        }
        Command::LogIn {
            name,
            accepted: true,
        } => format!("Log-in: {name}"),
        Command::LogIn {
            name,
            accepted: false,
        } => format!("Log-in refused: {name}, wrong PIN"),
        Command::LogOut { name } => {
            format!("Log-out: {}", name.as_deref().unwrap_or("unnamed"))
        }
        Command::OpenSession(_)
        | Command::StartInfusion { .. }
        | Command::PauseInfusion
        | Command::ResumeInfusion
        | Command::StopInfusion
        | Command::CloseSession { .. }
        | Command::Away { .. }
        | Command::EndAway
        | Command::Acknowledge { .. }
        | Command::AudioPause
        | Command::EndAudioPause
        | Command::RestoreLimits { .. }
        | Command::SetBaseline { .. }
        | Command::RateChange { .. }
        | Command::ConfirmPatient
        | Command::Sign { .. } => command.name().to_owned(),
    }
}
