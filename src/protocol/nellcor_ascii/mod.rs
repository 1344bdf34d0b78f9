//! `nellcor-ascii`: Nellcor oximeters that print one line of text every two seconds (dossier
//! `serial-nellcor.md`).
//!
//! Promises: the status codes decide before the numbers, because a pulse search prints a zero or the
//! last known value; a line counts only if its time, its three values, their columns and every code
//! make sense. There is no checksum. The only byte that is ever sent is XON, after a silence: it
//! resumes a printout that a stray XOFF has stopped and changes nothing. The menu (03 03) is never
//! called. The limits of the device's own alarms are told beside the readings, never adopted.

mod device;
mod line;
mod session;

use super::notices::Notice;
use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "nellcor-ascii",
    title: "Nellcor N-560, N-595, N-600, N-600x, NPB-190, NPB-195, NPB-290, NPB-295: real-time printout",
    parameters: &[Parameter::Spo2, Parameter::Pr],
    waves: false,
    line: Some(LineSettings {
        baud: 9_600,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(2),
    grade: Grade::A,
    display_grade: false,
    tested: "19 published lines of an N-560; simulated oximeter; garbage, cuts, lost characters and \
             bit flips",
    options: &[],
    open: session::open,
    device: device::device,
};

/// The two-letter codes of a line, as bits.
mod code {
    pub(super) const ALARMS_OFF: u32 = 1;
    pub(super) const ALARM_SILENCED: u32 = 1 << 1;
    pub(super) const LOW_BATTERY: u32 = 1 << 2;
    pub(super) const ON_BATTERY: u32 = 1 << 3;
    pub(super) const PULSE_LOST_IN_INTERFERENCE: u32 = 1 << 4;
    pub(super) const PULSE_LOST: u32 = 1 << 5;
    pub(super) const MOTION: u32 = 1 << 6;
    pub(super) const RATE_HIGH: u32 = 1 << 7;
    pub(super) const RATE_LOW: u32 = 1 << 8;
    pub(super) const PULSE_SEARCH: u32 = 1 << 9;
    pub(super) const SPO2_HIGH: u32 = 1 << 10;
    pub(super) const SPO2_LOW: u32 = 1 << 11;
    pub(super) const SENSOR_DISCONNECTED: u32 = 1 << 12;
    pub(super) const SENSOR_OFF: u32 = 1 << 13;

    /// Every code that is known.
    pub(super) const ALL: [(&str, u32); 14] = [
        ("AO", ALARMS_OFF),
        ("AS", ALARM_SILENCED),
        ("LB", LOW_BATTERY),
        ("BU", ON_BATTERY),
        ("LM", PULSE_LOST_IN_INTERFERENCE),
        ("LP", PULSE_LOST),
        ("MO", MOTION),
        ("PH", RATE_HIGH),
        ("PL", RATE_LOW),
        ("PS", PULSE_SEARCH),
        ("SH", SPO2_HIGH),
        ("SL", SPO2_LOW),
        ("SD", SENSOR_DISCONNECTED),
        ("SO", SENSOR_OFF),
    ];
}

/// The codes that are the oximeter's own alarms and notices, and what the nurse reads.
const NOTICES: &[Notice] = &[
    (code::SPO2_HIGH, "SpO2 above limit"),
    (code::SPO2_LOW, "SpO2 below limit"),
    (code::RATE_HIGH, "pulse rate above limit"),
    (code::RATE_LOW, "pulse rate below limit"),
    (code::ALARM_SILENCED, "alarm silenced"),
    (code::ALARMS_OFF, "alarms off"),
    (code::LOW_BATTERY, "oximeter battery low"),
    (code::ON_BATTERY, "oximeter on battery"),
];

/// Where the code of a limit stands in the line; every other code stands in its own slot.
const SLOTS: [(usize, u32); 4] = [
    (
        44,
        code::SENSOR_DISCONNECTED
            | code::SENSOR_OFF
            | code::PULSE_SEARCH
            | code::PULSE_LOST
            | code::PULSE_LOST_IN_INTERFERENCE
            | code::MOTION,
    ),
    (
        47,
        code::SPO2_HIGH | code::SPO2_LOW | code::RATE_HIGH | code::RATE_LOW,
    ),
    (56, code::ALARM_SILENCED),
    (59, code::ALARMS_OFF),
];

#[cfg(test)]
mod tests;
