//! `dinamap`: GE Dinamap Pro, ProCare and CARESCAPE V100, host communications (dossier `serial-dinamap.md`).
//!
//! The monitor answers one question at a time and never speaks first. Promises: only the three questions for
//! results are ever asked, so a cuff is never started or stopped; an answer counts only if it is the answer
//! to what was asked, with digits where digits belong; a cuff reading that is told again keeps the time at
//! which it was taken. Grade B for what unrelated programs agree on, C for oximeter and rate: the maker's text
//! could not be read, so this is to be tried on a real unit first.

mod cuff;
mod device;
mod message;
mod session;

use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "dinamap",
    title: "GE Dinamap Pro 100 to 400, ProCare, CARESCAPE V100, Dash 2500: host communications",
    parameters: &[
        Parameter::Spo2,
        Parameter::Pr,
        Parameter::NibpSys,
        Parameter::NibpDia,
        Parameter::NibpMean,
        Parameter::NibpPr,
    ],
    waves: false,
    line: Some(LineSettings {
        baud: 9_600,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_secs(2),
    grade: Grade::B,
    display_grade: false,
    tested: "answers written from three public readers' layouts; simulated device; garbage, cuts and bit flips",
    options: &[],
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
