//! `ge-dri`: the computer interface of GE Datex-Ohmeda S/5 and CARESCAPE monitors (dossier
//! `serial-ge-dri.md`).
//!
//! The monitor is silent until it is asked; then it sends by itself. Promises: a record counts only if
//! its sum, its length, its type and its offsets agree; a repeated cuff value is never a new reading; a
//! value below −32000 is never a number. Only requests for data are ever sent. Trend records, network
//! records and the extended classes are recognised and not read.

mod alarm;
mod basic;
mod cuff;
mod device;
mod frame;
mod labels;
mod numerics;
mod record;
mod request;
mod session;
mod settings;
mod wave;

use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ge-dri",
    title: "GE Datex-Ohmeda S/5, Cardiocap 5, B20 to B125, CARESCAPE B450 to B850: DRI",
    parameters: &[
        Parameter::Hr,
        Parameter::Spo2,
        Parameter::Pr,
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
        baud: 19_200,
        parity: Parity::Even,
        stop_bits: StopBits::One,
        rts_cts: true,
    }),
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_secs(5),
    grade: Grade::A,
    display_grade: false,
    tested: "two minutes of a real S/5 stream, one real wave record; simulated device; garbage, cuts \
             and bit flips",
    options: settings::OPTIONS,
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
