//! What a nurse, `judge` or the HTTP interface can ask of the engine (contract, "Commands").

use super::checklist::CheckItem;
use crate::vocabulary::{Decimal, Parameter, Priority, Rule};
use serde::{Deserialize, Serialize};

/// Why a gate is passed all the same, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Override {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// The second person, where two are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_by: Option<String>,
}

/// Whom and what a session is about; every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct OpenSession {
    /// Patient identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// Patient name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_name: Option<String>,
    /// Body weight, kg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<Decimal>,
    /// Drug name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drug: Option<String>,
    /// Planned dose, mg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose_mg: Option<Decimal>,
    /// Planned length of the infusion, minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_min: Option<Decimal>,
    /// The arm with the cuff: `left` or `right`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuff_arm: Option<String>,
    /// The arm with the oximeter: `left` or `right`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spo2_arm: Option<String>,
    /// Who opens it, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

const fn yes() -> bool {
    true
}

/// One alarm by its number, or the word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AcknowledgeTarget {
    /// One alarm.
    One(u64),
    /// Every alarm that the sender had seen.
    All(All),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum All {
    /// `"all"`.
    #[serde(rename = "all")]
    All,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "command",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Command {
    /// Standby → baseline.
    OpenSession(OpenSession),
    /// Baseline, recovery, observation → infusion.
    StartInfusion {
        /// Needed when the gate before start says so.
        #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
        over: Option<Override>,
    },
    /// Infusion → paused.
    PauseInfusion,
    /// Paused → infusion.
    ResumeInfusion,
    /// Infusion, paused → recovery.
    StopInfusion,
    /// Baseline, recovery, observation → discharged, then standby.
    CloseSession {
        /// Who closes.
        by: String,
        /// Needed before the minimum time or with an unacknowledged high alarm.
        #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
        over: Option<Override>,
    },
    /// The patient leaves the chair for at most 15 minutes.
    Away {
        /// Minutes, 1 to 15.
        minutes: u32,
    },
    /// The patient is back.
    EndAway,
    /// Acknowledges one alarm, or all that were seen.
    Acknowledge {
        /// Which.
        alarm: AcknowledgeTarget,
        /// For one: the priority that the sender saw.
        #[serde(
            default,
            rename = "seen_priority",
            skip_serializing_if = "Option::is_none"
        )]
        seen_priority: Option<Priority>,
        /// For all: the newest `seq` that the sender saw.
        #[serde(default, rename = "seen_seq", skip_serializing_if = "Option::is_none")]
        seen_seq: Option<u64>,
        /// Who, when known; never needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Sound off for the profile's time.
    AudioPause,
    /// Sound on again.
    EndAudioPause,
    /// Changes one limit of the running session.
    SetLimit {
        /// The rule.
        rule: Rule,
        /// The tier.
        tier: Priority,
        /// The new limit.
        value: Decimal,
        /// Why.
        reason: String,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Back to the profile's limits.
    RestoreLimits {
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Replaces a baseline value.
    SetBaseline {
        /// Of which parameter.
        parameter: Parameter,
        /// The new value.
        value: Decimal,
        /// Why.
        reason: String,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// The rate was changed at the pump.
    RateChange {
        /// New rate, mL/h.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ml_h: Option<Decimal>,
        /// New rate, mg/h.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mg_h: Option<Decimal>,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A drug was given.
    Drug {
        /// Which.
        name: String,
        /// How much.
        dose: Decimal,
        /// Of what unit.
        unit: String,
        /// Drawn up and destroyed, not given: counts in no dose.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        wasted: bool,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The second person, for what was wasted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second_by: Option<String>,
    },
    /// A score was taken.
    Score {
        /// `moaas`, `pain`, `dissociation`, `nausea`, `aldrete`, `padss`, `rass`.
        scale: String,
        /// The score.
        value: Decimal,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A remark.
    Note {
        /// The text.
        text: String,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Corrects an earlier entry or takes it back; the old one stays in the record.
    Correct {
        /// The entry that is corrected: a drug, score, note, rate change or the opening.
        seq: u64,
        /// What it should have said, or `"void":true`; besides `reason` and `by` of the correction.
        #[serde(flatten)]
        fields: serde_json::Map<String, serde_json::Value>,
    },
    /// The new identity in the feed is our patient.
    ConfirmPatient,
    /// A person looked at an item of the ready-to-leave checklist that no device can tell.
    Check {
        /// Which.
        item: CheckItem,
        /// Whether it is met.
        #[serde(default = "yes")]
        met: bool,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A person saw the lamps and heard the sounds of the display.
    SelfTest {
        /// Whether every colour was seen.
        lamps: bool,
        /// Whether every sound was heard.
        sounds: bool,
        /// Who, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Somebody logged in, or tried to: as it is recorded, without the PIN, which the display has
    /// judged.
    LogIn {
        /// Who.
        name: String,
        /// Whether the PIN was right.
        #[serde(default = "yes")]
        accepted: bool,
    },
    /// Somebody logged out.
    LogOut {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A signature.
    Sign {
        /// In which role.
        role: String,
        /// Who.
        by: String,
    },
}

impl Command {
    /// Who sent it, where that was said.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::OpenSession(OpenSession { by, .. })
            | Self::Acknowledge { by, .. }
            | Self::SetLimit { by, .. }
            | Self::RestoreLimits { by }
            | Self::SetBaseline { by, .. }
            | Self::RateChange { by, .. }
            | Self::Drug { by, .. }
            | Self::Score { by, .. }
            | Self::Note { by, .. }
            | Self::Check { by, .. }
            | Self::SelfTest { by, .. } => by.as_deref(),
            Self::CloseSession { by, .. } | Self::Sign { by, .. } => Some(by),
            Self::Correct { fields, .. } => fields.get("by")?.as_str(),
            Self::LogIn { name, .. } => Some(name),
            Self::LogOut { name } => name.as_deref(),
            Self::StartInfusion { .. }
            | Self::PauseInfusion
            | Self::ResumeInfusion
            | Self::StopInfusion
            | Self::Away { .. }
            | Self::EndAway
            | Self::AudioPause
            | Self::EndAudioPause
            | Self::ConfirmPatient => None,
        }
    }

    /// The name in the interface.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OpenSession(_) => "open-session",
            Self::StartInfusion { .. } => "start-infusion",
            Self::PauseInfusion => "pause-infusion",
            Self::ResumeInfusion => "resume-infusion",
            Self::StopInfusion => "stop-infusion",
            Self::CloseSession { .. } => "close-session",
            Self::Away { .. } => "away",
            Self::EndAway => "end-away",
            Self::Acknowledge { .. } => "acknowledge",
            Self::AudioPause => "audio-pause",
            Self::EndAudioPause => "end-audio-pause",
            Self::SetLimit { .. } => "set-limit",
            Self::RestoreLimits { .. } => "restore-limits",
            Self::SetBaseline { .. } => "set-baseline",
            Self::RateChange { .. } => "rate-change",
            Self::Drug { .. } => "drug",
            Self::Score { .. } => "score",
            Self::Note { .. } => "note",
            Self::Correct { .. } => "correct",
            Self::ConfirmPatient => "confirm-patient",
            Self::Check { .. } => "check",
            Self::SelfTest { .. } => "self-test",
            Self::LogIn { .. } => "log-in",
            Self::LogOut { .. } => "log-out",
            Self::Sign { .. } => "sign",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_the_contract_writes_them() {
        for text in [
            r#"{"command":"open-session","patient":"K-1","weight-kg":81.5}"#,
            r#"{"command":"start-infusion","override":{"reason":"r","by":"a","second-by":"b"}}"#,
            r#"{"command":"acknowledge","alarm":7,"seen_priority":"medium"}"#,
            r#"{"command":"acknowledge","alarm":"all","seen_seq":99}"#,
            r#"{"command":"set-limit","rule":"spo2-low","tier":"medium","value":90,"reason":"copd"}"#,
            r#"{"command":"rate-change","ml-h":25.5}"#,
            r#"{"command":"correct","seq":4,"text":"right arm"}"#,
            r#"{"command":"pause-infusion"}"#,
            r#"{"command":"restore-limits"}"#,
            r#"{"command":"check","item":"escort","met":false,"by":"Ann"}"#,
            r#"{"command":"self-test","lamps":true,"sounds":false}"#,
            r#"{"command":"log-out"}"#,
        ] {
            let command: Command = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
        }
    }

    #[test]
    fn a_pin_never_becomes_part_of_a_log_in() {
        let told = r#"{"command":"log-in","name":"Ann","pin":"4711"}"#;
        let command: Command = serde_json::from_str(told).unwrap();
        assert!(!format!("{command:?}").contains("4711"));
        assert_eq!(
            serde_json::to_string(&command).unwrap(),
            r#"{"command":"log-in","name":"Ann","accepted":true}"#
        );
    }
}
