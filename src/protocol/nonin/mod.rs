//! `nonin-df2`, `nonin-df7`, `nonin-df8`, `nonin-df13`, `nonin-ascii`: Nonin oximeters and modules
//! (dossier `serial-nonin.md`).
//!
//! Promises: status bits are read before numbers and decide about them, because the display values are
//! held for 10 s after the finger has left; 511, 127 and dashes are never a number; a record from the
//! memory is kept and never judged. Formats 2 and 7 count only as whole packets of 25 frames, each
//! frame with its sum. Nothing is ever sent: which of its formats a module speaks is kept in the
//! module, and choosing one would change it.
//!
//! The modules have no word for "looking for a pulse". A sensor on a finger without a number is read
//! as that: `searching`.

mod device;
mod group;
mod numbers;
mod packet;
mod printout;
mod record;
mod stream;

use super::notices::Notice;
use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

const PARAMETERS: &[Parameter] = &[Parameter::Spo2, Parameter::Pr];

const LINE: LineSettings = LineSettings {
    baud: 9_600,
    parity: Parity::None,
    stop_bits: StopBits::One,
    rts_cts: false,
};

/// Data format 2 in the registry.
pub(super) const DF2: Protocol = Protocol {
    name: "nonin-df2",
    title: "Nonin Xpod, OEM III, 9560, 3150: data format 2, with 8-bit pleth",
    parameters: PARAMETERS,
    waves: true,
    line: Some(LINE),
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::A,
    display_grade: false,
    tested: "one published packet; simulated module; garbage, cuts and bit flips",
    options: &[],
    open: stream::open_df2,
    device: device::df2,
};

/// Data format 7 in the registry.
pub(super) const DF7: Protocol = Protocol {
    name: "nonin-df7",
    title: "Nonin Xpod, OEM III, 9560, 3150: data format 7, with 16-bit pleth",
    tested: "simulated module; garbage, cuts and bit flips",
    open: stream::open_df7,
    device: device::df7,
    ..DF2
};

/// Data format 8 in the registry.
pub(super) const DF8: Protocol = Protocol {
    name: "nonin-df8",
    title: "Nonin Xpod, OEM III, 9560, 3150: data format 8, once a second",
    waves: false,
    tested: "the dossier's vectors; simulated module; garbage, cuts and bit flips",
    open: group::open,
    device: device::df8,
    ..DF2
};

/// Data format 13 in the registry. Its cadence stands for "when somebody measures": a feed of spot
/// checks must say how long it may be silent, and shows that it is slow.
pub(super) const DF13: Protocol = Protocol {
    name: "nonin-df13",
    title: "Nonin 9560, 3150: data format 13, one record per spot check",
    waves: false,
    cadence: Duration::from_secs(60),
    grade: Grade::B,
    tested: "the dossier's vector; simulated module; garbage, cuts and bit flips",
    open: record::open,
    device: device::df13,
    ..DF2
};

/// The printout in the registry.
pub(super) const ASCII: Protocol = Protocol {
    name: "nonin-ascii",
    title: "Nonin 8600, 9600, 2120, 4000 (Avant): real-time printout",
    waves: false,
    grade: Grade::B,
    tested: "lines after the dossier; simulated oximeter; garbage, cuts and bit flips",
    open: printout::open,
    device: device::ascii,
    ..DF2
};

/// The bit of our own under which a low battery stands.
const BATTERY: u32 = 1;
/// What a module says beside its readings.
const NOTICES: &[Notice] = &[(BATTERY, "oximeter battery low")];

#[cfg(test)]
mod tests;
