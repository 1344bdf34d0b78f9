//! `intellivue`: data export of Philips IntelliVue MP, MX and X2 monitors, over a network (UDP) and over
//! the MIB/RS232 port (dossier `intellivue.md`).
//!
//! The monitor is silent until a client associates; then it tells what it is asked for. Promises: a value
//! counts only if its state and its FLOAT say so; a result counts only whole; what is lost is told, never
//! filled with what was before; values of a demonstration are never a patient's. The monitor is read:
//! the one thing that can be set is which waves it exports, and only when the feed's settings name some.
//!
//! Unverified against a real monitor, because no open capture holds it: alarm lists with entries, a
//! refusal, remote errors, the auto-speed serial protocol, what the state of a failed cuff measurement
//! is (taken here for INVALID), and whether the list of exported waves outlives the association.

mod alarm;
mod answer;
mod association;
mod clock;
mod device;
mod exported;
mod frame;
mod message;
mod nomenclature;
mod numerics;
mod request;
mod series;
mod session;
mod settings;
mod shown;
mod system;
mod wave;
mod wire;

use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "intellivue",
    title: "Philips IntelliVue MP, MX, X2: data export, network (UDP) or MIB/RS232",
    parameters: &[
        Parameter::Hr,
        Parameter::Spo2,
        Parameter::Pr,
        Parameter::Pi,
        Parameter::ArtSys,
        Parameter::ArtDia,
        Parameter::ArtMean,
        Parameter::ArtPr,
        Parameter::NibpSys,
        Parameter::NibpDia,
        Parameter::NibpMean,
        Parameter::NibpPr,
        Parameter::Rr,
        Parameter::Etco2,
        Parameter::Temp,
    ],
    waves: true,
    line: Some(LineSettings {
        baud: 115_200,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_millis(1_024),
    grade: Grade::B,
    display_grade: false,
    tested: "excerpts of one real network capture (demo mode); simulated device over UDP and a serial \
             line; garbage, cuts, losses and bit flips",
    options: settings::OPTIONS,
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
