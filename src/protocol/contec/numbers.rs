//! What both protocols tell: saturation, pulse rate, perfusion index, pleth, and the flags that decide.

use super::super::event::{Event, Events, Fault};
use super::{MOST_SIGNAL, NO_RATE, NO_SIGNAL, NO_SPO2, UNKNOWN_SIGNAL};
use crate::observation::Observation;
use crate::vocabulary::{Cause, Decimal, Doubt, Parameter, Reading};

/// The flags of one group, in the words of both protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    /// No finger, the probe defective or the pulse not found; the first that stands.
    pub(super) sensor: Option<Cause>,
    /// Signal strength as sent.
    pub(super) strength: u8,
}

impl Flags {
    /// Why there is no number, if there is none.
    pub(super) const fn cause(self) -> Option<Cause> {
        match (self.sensor, self.strength) {
            (Some(cause), _) => Some(cause),
            (None, NO_SIGNAL) => Some(Cause::LowPerfusion),
            (None, _) => None,
        }
    }

    /// A strength that no oximeter sends is damage.
    pub(super) const fn check(self) -> Result<Self, Fault> {
        match self.strength {
            NO_SIGNAL..=MOST_SIGNAL | UNKNOWN_SIGNAL => Ok(self),
            _ => Err(Fault::BadFrame),
        }
    }

    /// The flags decide before the number is looked at.
    fn judge(self, number: Option<Decimal>) -> Reading {
        match (self.cause(), number) {
            (Some(cause), _) => Reading::Invalid(cause),
            (None, None) => Reading::Invalid(Cause::NotAvailable),
            (None, Some(value)) if self.strength == UNKNOWN_SIGNAL => {
                Reading::Questionable(value, Doubt::LowQuality)
            }
            (None, Some(value)) => Reading::Valid(value),
        }
    }
}

/// What one group says about the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    spo2: Reading,
    rate: Reading,
    /// Only V7 tells one.
    pi: Option<Reading>,
    /// Whether the oximeter remarks that the saturation is low or falls.
    pub(super) is_falling: bool,
}

/// The perfusion index, as far as a protocol tells one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PerfusionIndex {
    /// The protocol has none.
    Untold,
    /// In hundredths; `None` when the oximeter has none.
    Told(Option<u16>),
}

impl Numbers {
    /// Judges the numbers by the flags. A saturation that no oximeter sends is damage.
    pub(super) fn new(
        flags: Flags,
        (spo2, rate): (u8, u8),
        pi: PerfusionIndex,
        is_falling: bool,
    ) -> Result<Self, Fault> {
        if spo2 > 100 && spo2 != NO_SPO2 {
            return Err(Fault::BadFrame);
        }
        let flags = flags.check()?;
        let number =
            |number: u8, none: u8| (number != none).then(|| Decimal::whole(i64::from(number)));
        Ok(Self {
            spo2: flags.judge(number(spo2, NO_SPO2)),
            rate: flags.judge(number(rate, NO_RATE)),
            pi: match pi {
                PerfusionIndex::Untold => None,
                PerfusionIndex::Told(pi) => {
                    Some(flags.judge(pi.map(|pi| Decimal::new(i64::from(pi), 2))))
                }
            },
            is_falling,
        })
    }

    /// The readings, as they are told.
    pub(super) fn tell(self, events: &mut Events) {
        for (parameter, reading) in [
            (Parameter::Spo2, Some(self.spo2)),
            (Parameter::Pr, Some(self.rate)),
            (Parameter::Pi, self.pi),
        ] {
            events.extend(
                reading.map(|reading| Event::Observation(Observation::new(parameter, reading))),
            );
        }
    }
}

/// One group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// What it says about the patient.
    pub(super) numbers: Numbers,
    /// The sample of the pleth; none without a signal.
    pub(super) pleth: Option<i32>,
}
