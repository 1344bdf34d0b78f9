//! `contec-v5`, `contec-v7`: Contec CMS50 finger oximeters and their many rebrands (dossier
//! `serial-contec.md`).
//!
//! Promises: a reading is told once a second and when it changes; neither protocol has a sum, so a
//! change counts only when three groups in a row agree about it. A number beside any flag, or without a
//! signal, is no number. Only the start of the stream and its keep-alive are ever sent, and only to V7.
//!
//! **Display grade.** These oximeters have no alarms and may hold their last value. What they give is
//! judged like any other reading and marked wherever it is shown; it should not be the only source of
//! an SpO2 alarm.

mod device;
mod five;
mod numbers;
mod session;
mod seven;
mod steady;

use super::notices::Notice;
use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// V5 in the registry.
pub(super) const V5: Protocol = Protocol {
    name: "contec-v5",
    title: "Contec CMS50D, CMS50D+ with firmware below 4.6 and rebrands: protocol V5",
    parameters: &[Parameter::Spo2, Parameter::Pr],
    waves: true,
    // The vendor's document says 4800 baud; the devices do 19200.
    line: Some(LineSettings {
        baud: 19_200,
        parity: Parity::Odd,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::A,
    display_grade: true,
    tested: "the dossier's vector; simulated oximeter; garbage, cuts and bit flips",
    options: &[],
    open: session::open_v5,
    device: device::v5,
};

/// V7 in the registry.
pub(super) const V7: Protocol = Protocol {
    name: "contec-v7",
    title: "Contec CMS50D+ with firmware 4.6 and later, CMS50E, CMS50F, CMS50FW and rebrands: protocol V7",
    parameters: &[Parameter::Spo2, Parameter::Pr, Parameter::Pi],
    line: Some(LineSettings {
        baud: 115_200,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Host,
    tested: "two packets of a published capture; simulated oximeter; garbage, cuts and bit flips",
    open: session::open_v7,
    device: device::v7,
    ..V5
};

/// Groups or packets a second, each with one sample of the pleth.
const RATE_HZ: u32 = 60;
/// Signal strength: none.
const NO_SIGNAL: u8 = 0;
/// Signal strength: the highest that is one.
const MOST_SIGNAL: u8 = 8;
/// Signal strength: not known.
const UNKNOWN_SIGNAL: u8 = 0x0F;
/// No saturation.
const NO_SPO2: u8 = 0x7F;
/// No pulse rate.
const NO_RATE: u8 = 0xFF;

/// The bit of our own under which the oximeter's one remark stands.
const FALLING: u32 = 1;
/// What the oximeter says beside its readings.
const NOTICES: &[Notice] = &[(FALLING, "SpO2 low or falling")];

#[cfg(test)]
mod tests;
