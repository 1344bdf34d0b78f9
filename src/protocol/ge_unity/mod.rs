//! `ge-unity`: GE Dash 3000/4000/5000, Solar 8000 and relatives, numerics over the network (dossier
//! `serial-ge-unity.md`, network form).
//!
//! The monitor sends its numerics for half a minute after each request. Promises: a packet counts only if
//! its lengths and every mark of every block agree; the special values are never numbers; a cuff reading
//! whose age nobody can know is `old`. Only the request for numerics is ever sent. The monitor's broadcasts, which
//! carry a patient's name in clear, are neither asked for nor read. The serial form is not read: nobody knows
//! its check, so a lost byte could not be noticed.

mod cuff;
mod device;
mod packet;
mod session;
mod settings;

use super::registry::{Grade, Protocol, SpeaksFirst};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ge-unity",
    title: "GE Dash 3000/4000/5000, Solar 8000: Unity network numerics",
    parameters: &[
        Parameter::Hr,
        Parameter::Spo2,
        Parameter::Pr,
        Parameter::NibpSys,
        Parameter::NibpDia,
        Parameter::NibpMean,
        Parameter::Rr,
    ],
    waves: false,
    line: None,
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_secs(2),
    grade: Grade::B,
    display_grade: false,
    tested: "packets written from the layout of one real capture; simulated device; garbage, cuts and bit flips",
    options: settings::OPTIONS,
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
