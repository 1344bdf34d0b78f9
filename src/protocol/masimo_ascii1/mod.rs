//! `masimo-ascii1`: Masimo oximeters that print one line of text a second (dossier `serial-masimo.md`).
//!
//! Promises: a line is read by its keys, never by its columns; exceptions are read before the numbers
//! and decide about them; a zero, a dash and a number outside its shape are never a value. There is no
//! checksum, so a line with one bad key is dropped whole. Nothing is ever sent to the device.

mod device;
mod line;
mod session;

use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use crate::vocabulary::Parameter;
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "masimo-ascii1",
    title: "Masimo Rad-5, Rad-8, Rad-57, Rad-87, Radical-7, Root: serial ASCII 1",
    parameters: &[Parameter::Spo2, Parameter::Pr, Parameter::Pi],
    waves: false,
    line: Some(LineSettings {
        baud: 9_600,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::A,
    display_grade: false,
    tested: "three published lines of three models; simulated device; garbage, cuts and bit flips",
    options: &[],
    open: session::open,
    device: device::device,
};

/// Bits of the `ALARM` field (Rad-8 operator's manual, grade B), and what the nurse reads.
const ALARM_BITS: &[(u32, &str)] = &[
    (0x1, "SpO2 above limit"),
    (0x2, "SpO2 below limit"),
    (0x4, "pulse rate above limit"),
    (0x8, "pulse rate below limit"),
    (0x10, "an alarm is active"),
    (0x20, "alarms silenced"),
    (0x40, "battery low"),
    (0x100, "SpCO above limit"),
    (0x200, "SpCO below limit"),
    (0x400, "SpMet above limit"),
    (0x800, "SpMet below limit"),
    (0x1000, "desaturation index"),
    (0x2000, "perfusion index delta"),
];

/// Bits of the `EXC` field that leave the numbers valid and are worth a notice.
const NOTICE_BITS: &[(u32, &str)] = &[
    (0x2000, "oximeter cable life expired"),
    (0x4_0000, "oximeter sensor life expired"),
];

/// `ALARM`: an alarm of any kind is active.
const ANY_ALARM: u32 = 0x10;

/// `EXC`: the oximeter measures; set in normal operation and not an exception.
const MEASURING: u32 = 0x800;
/// `EXC`: no sensor connected.
const NO_SENSOR: u32 = 0x1;
/// `EXC`: defective sensor.
const DEFECTIVE_SENSOR: u32 = 0x2;
/// `EXC`: low perfusion.
const LOW_PERFUSION: u32 = 0x4;
/// `EXC`: pulse search.
const PULSE_SEARCH: u32 = 0x8;
/// `EXC`: interference.
const INTERFERENCE: u32 = 0x10;
/// `EXC`: sensor off the patient.
const SENSOR_OFF: u32 = 0x20;
/// `EXC`: too much ambient light.
const AMBIENT_LIGHT: u32 = 0x40;
/// `EXC`: unrecognised sensor, incompatible sensor.
const WRONG_SENSOR: u32 = 0x80 | 0x100;
/// `EXC`: low signal quality.
const LOW_SIGNAL: u32 = 0x400;
/// `EXC`: no cable.
const NO_CABLE: u32 = 0x1000;
/// `EXC`: incompatible, unrecognised, defective cable.
const WRONG_CABLE: u32 = 0x4000 | 0x8000 | 0x1_0000;
/// `EXC`: sensor calibrating.
const CALIBRATING: u32 = 0x2_0000;
/// `EXC`: emitter temperature limit, emitter current limit.
const EMITTER: u32 = 0x8_0000 | 0x10_0000;
/// `EXC`: low confidence in SpCO; SpO2 is not affected.
const SPCO_DOUBT: u32 = 0x20_0000;
/// `EXC`: low confidence in SpMet; SpO2 is not affected.
const SPMET_DOUBT: u32 = 0x40_0000;

#[cfg(test)]
mod tests;
