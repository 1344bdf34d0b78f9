//! Every time, count and threshold that is not a rule's limit.

use super::PhaseSet;
use crate::vocabulary::{Phase, Priority, Rule};
use std::time::Duration;

/// Re-alarm, pause and loudness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmTiming {
    /// After an acknowledgement at high.
    pub re_alarm_high: Duration,
    /// After an acknowledgement at medium.
    pub re_alarm_medium: Duration,
    /// Length of AUDIO PAUSED.
    pub audio_pause: Duration,
    /// When each loudness step comes, from the beginning of the sound.
    pub louder_after: Vec<Duration>,
}

/// Persistence and clearing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// How long a value may be invalid or stale without resetting a delay.
    pub suspend_up_to: Duration,
    /// How long a value must be inside a limit by its margin to leave the tier.
    pub clear_for: Duration,
    /// Separate SpO2 violations that alarm at the onset of the last.
    pub repeats: i64,
    /// Within which time.
    pub repeats_within: Duration,
}

/// What makes a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineTiming {
    /// Least number of readings.
    pub readings: i64,
    /// How old the newest may be at the start.
    pub newest_within: Duration,
}

/// What stands before the start of an infusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Above: a note.
    pub note_sys: i64,
    /// Above: a note.
    pub note_dia: i64,
    /// When to recheck after a note.
    pub recheck_after: Duration,
    /// At or above: an override.
    pub override_sys: i64,
    /// At or above: an override.
    pub override_dia: i64,
    /// At or above: an override by two people.
    pub two_person_sys: i64,
    /// At or above: an override by two people.
    pub two_person_dia: i64,
    /// Below: an override by two people.
    pub spo2_below: i64,
    /// Below: an override by two people.
    pub rate_below: i64,
    /// Above: an override by two people.
    pub rate_above: i64,
}

/// How far limits may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rails {
    /// No SpO2 limit below.
    pub spo2_lowest: i64,
    /// No low rate limit below.
    pub rate_low_lowest: i64,
    /// No high rate limit above.
    pub rate_high_highest: i64,
}

/// One end of what a limit may be, and the key of the profile that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rail {
    /// The outermost limit that is allowed.
    pub limit: i64,
    /// The key under `[rails]`.
    pub key: &'static str,
}

impl Rails {
    /// The lowest and the highest limit that this rule may have.
    pub const fn of(&self, rule: Rule) -> (Option<Rail>, Option<Rail>) {
        let (spo2, low, high) = (
            Rail {
                limit: self.spo2_lowest,
                key: "spo2-lowest",
            },
            Rail {
                limit: self.rate_low_lowest,
                key: "rate-low-lowest",
            },
            Rail {
                limit: self.rate_high_highest,
                key: "rate-high-highest",
            },
        );
        if matches!(rule, Rule::Spo2Low) {
            (Some(spo2), None)
        } else if matches!(rule, Rule::RateLow) {
            (Some(low), None)
        } else if matches!(rule, Rule::RateHigh) {
            (None, Some(high))
        } else {
            (None, None)
        }
    }
}

/// What must be reached before a patient leaves (clinical 5.4). A profile without a `[discharge]`
/// table has these numbers of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discharge {
    /// Least Aldrete score.
    pub aldrete: i64,
    /// Least PADSS score.
    pub padss: i64,
    /// Least MOAA/S score.
    pub moaas: i64,
    /// How far the last pressure may be from the baseline, percent.
    pub pressure_percent: i64,
    /// Least SpO2, or the baseline if that is lower.
    pub spo2: i64,
    /// For how long.
    pub spo2_for: Duration,
}

impl Default for Discharge {
    fn default() -> Self {
        Self {
            aldrete: 9,
            padss: 9,
            moaas: 5,
            pressure_percent: 20,
            spo2: 92,
            spo2_for: Duration::from_secs(15 * 60),
        }
    }
}

/// Phases, absence and discharge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTiming {
    /// Length of early recovery.
    pub recovery: Duration,
    /// Least observation after the end of the infusion.
    pub minimum_after_end: Duration,
    /// Least observation after the first start.
    pub minimum_after_start: Duration,
    /// Longest absence.
    pub away_up_to: Duration,
    /// SpO2 valid for this long ends an absence.
    pub back_after: Duration,
    /// Without a valid reading in observation.
    pub still_open_after: Duration,
}

/// Ages of readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingTiming {
    /// Older is absurd.
    pub oldest: Duration,
    /// Further in the future is absurd.
    pub ahead_up_to: Duration,
    /// How long a cuff value is shown.
    pub cuff_shown_for: Duration,
    /// Values out of range in a row that raise `implausible`.
    pub implausible_count: i64,
}

/// Slow and disagreeing feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedTiming {
    /// A longer cadence is slow.
    pub slow_above: Duration,
    /// SpO2 points between two feeds, at or above.
    pub spo2_differs_by: i64,
    /// Rate difference, above.
    pub rate_differs_above: i64,
    /// Between two feeds.
    pub differs_for: Duration,
    /// Between ECG and pleth.
    pub ecg_pleth_for: Duration,
}

/// The cuff choreography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CuffTiming {
    /// Interval at the beginning of an infusion and after a rate change.
    pub infusion_first: Duration,
    /// For how long.
    pub infusion_first_for: Duration,
    /// Interval later in the infusion.
    pub infusion: Duration,
    /// Interval while paused.
    pub paused: Duration,
    /// First reading of recovery.
    pub recovery_first: Duration,
    /// Interval in recovery.
    pub recovery: Duration,
    /// Interval in observation.
    pub observation: Duration,
    /// Repeat after a violation.
    pub after_violation: Duration,
    /// Extra reading at the usual peak.
    pub peak_after: Duration,
    /// A first high reading without a second becomes medium.
    pub confirm_within: Duration,
    /// Interval plus this is overdue.
    pub overdue_after: Duration,
}

/// Sedation scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreTiming {
    /// Between two scores.
    pub interval: Duration,
    /// Overdue after the due time.
    pub overdue_after: Duration,
}

/// Pump events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PumpTiming {
    /// Wait for the next start after `transitioning`.
    pub transition_wait: Duration,
}

/// The numbers of `pulse-lost`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulseLost {
    /// Where it applies.
    pub phases: PhaseSet,
    /// An ECG rate below is not normal.
    pub ecg_below: i64,
    /// High, with an ECG that is not normal.
    pub with_ecg_high: Duration,
    /// Medium, without an ECG.
    pub medium: Duration,
    /// High, without an ECG.
    pub high: Duration,
    /// Longest hold while a cuff on the same arm measures.
    pub cuff_holds_up_to: Duration,
}

/// The numbers of `no-breath`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoBreath {
    /// Where it applies.
    pub phases: PhaseSet,
    /// After how long without a breath.
    pub high: Duration,
}

/// A technical condition: its priority by phase and its delays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technical {
    /// The rule.
    pub rule: Rule,
    /// Delay before it begins.
    pub after: Duration,
    /// Phases in which it is low.
    pub low: PhaseSet,
    /// Phases in which it is medium.
    pub medium: PhaseSet,
    /// Phases in which it is high from the beginning.
    pub high: PhaseSet,
    /// Further time after which it is high.
    pub high_after: Option<Duration>,
    /// In which phases.
    pub high_after_in: PhaseSet,
}

impl Technical {
    /// The priority with which it begins in a phase.
    pub const fn priority(&self, phase: Phase) -> Option<Priority> {
        if self.high.contains(phase) {
            Some(Priority::High)
        } else if self.medium.contains(phase) {
            Some(Priority::Medium)
        } else if self.low.contains(phase) {
            Some(Priority::Low)
        } else {
            None
        }
    }

    /// After which further time it is high in this phase.
    pub fn high_after(&self, phase: Phase) -> Option<Duration> {
        self.high_after
            .filter(|_| self.high_after_in.contains(phase))
    }
}
