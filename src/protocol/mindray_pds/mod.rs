//! `mindray-pds`: Mindray bedside monitors (BeneView, iPM, uMEC, iMEC and relatives) on their own TCP port 4601
//! (dossier `hl7.md` 6.1).
//!
//! We connect, say every second that we are there, and ask for parameters and alarms; waves are not asked for.
//! Promises: what a message is stands in MSH-10; a value is known by its number, never by its name, which
//! changes with language and firmware; the monitor's marks for "no value" are never numbers; a cuff reading is
//! known by the monitor's own time, so that a repeat is no new one. Limits of the monitor are shown under
//! their own code and never adopted. Only the echo and the query are ever sent.
//!
//! Units do not stand in the messages: they are settings here, as they are on the monitor. Not certain
//! (UNVERIFIED): the meaning of status 2 in message 205, which only ever takes a value away; that messages 54
//! and 56 hold all alarms that stand; number 600, taken for the pulse rate while number 161 is not told; the
//! priority of an alarm, which is left open; the number of the respiration rate of the CO2 module.

mod alarms;
mod device;
mod numbers;
mod report;
mod session;
mod settings;
mod text;

use super::registry::{Grade, Protocol, SpeaksFirst};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The protocol's name in the configuration.
const NAME: &str = "mindray-pds";

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: NAME,
    title: "Mindray BeneView, iPM, uMEC and relatives: patient data share on TCP port 4601",
    parameters: &[
        Parameter::Hr,
        Parameter::Pr,
        Parameter::NibpPr,
        Parameter::Spo2,
        Parameter::Pi,
        Parameter::NibpSys,
        Parameter::NibpDia,
        Parameter::NibpMean,
        Parameter::ArtSys,
        Parameter::ArtDia,
        Parameter::ArtMean,
        Parameter::Rr,
        Parameter::Etco2,
        Parameter::Temp,
    ],
    waves: false,
    display_grade: false,
    line: None,
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_secs(1),
    grade: Grade::B,
    tested: "messages in the form of published captures; simulated device; garbage, cuts and bit flips; \
             not yet a real monitor",
    options: settings::OPTIONS,
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
