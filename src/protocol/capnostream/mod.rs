//! `capnostream`: Capnostream 20 capnograph with oximeter, real-time communication protocol (dossier
//! `serial-capnostream.md`, the vendor's document D006045C).
//!
//! The monitor is silent until communication is enabled and the real-time stream is started; then it sends
//! numerics once a second and the CO2 curve twenty times a second. Promises: a frame counts only if its
//! check and the length of its message are right; `FF` is never a number; a respiration rate of zero is
//! a finding only beside the no-breath alarm. Only *enable* and *start real-time* are ever sent: neither
//! changes a setting. Trend downloads, event lists and the setup messages are neither asked for nor read.

mod device;
mod frame;
mod message;
mod numerics;
mod session;

use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "capnostream",
    title: "Oridion/Medtronic Capnostream 20: serial real-time protocol",
    parameters: &[
        Parameter::Spo2,
        Parameter::Pr,
        Parameter::Rr,
        Parameter::Etco2,
    ],
    waves: true,
    line: Some(LineSettings {
        baud: 115_200,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_secs(1),
    grade: Grade::A,
    display_grade: false,
    tested: "frames worked out from the vendor's rules; simulated device; garbage, cuts and bit flips",
    options: &[],
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
