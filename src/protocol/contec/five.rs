//! One group of V5: five bytes, of which only the first has its highest bit.

use super::super::event::Fault;
use super::numbers::{Flags, Group, Numbers, PerfusionIndex};
use crate::vocabulary::Cause;

/// Bytes of a group.
pub(super) const GROUP: usize = 5;

/// First byte: always 1.
pub(super) const FIRST: u8 = 0x80;
/// First byte: the saturation drops.
pub(super) const DROPPING: u8 = 0x20;
/// First byte: searched for too long, or no finger.
pub(super) const FINGER_OUT: u8 = 0x10;
/// Third byte: the eighth bit of the pulse rate.
pub(super) const RATE_HIGH: u8 = 0x40;
/// Third byte: searching for the pulse.
pub(super) const SEARCHING: u8 = 0x20;
/// Third byte: the probe is defective.
pub(super) const PROBE_ERROR: u8 = 0x10;
/// First byte: signal strength.
const STRENGTH: u8 = 0x0F;

/// Reads a group.
pub(super) fn parse([first, pleth, third, rate, spo2]: [u8; GROUP]) -> Result<Group, Fault> {
    let sensor = if first & FINGER_OUT != 0 {
        Some(Cause::ProbeOff)
    } else if third & PROBE_ERROR != 0 {
        Some(Cause::SensorFault)
    } else if third & SEARCHING != 0 {
        Some(Cause::Searching)
    } else {
        None
    };
    let flags = Flags {
        sensor,
        strength: first & STRENGTH,
    };
    let rate = ((third & RATE_HIGH) << 1) | rate;
    Ok(Group {
        numbers: Numbers::new(
            flags,
            (spo2, rate),
            PerfusionIndex::Untold,
            first & DROPPING != 0,
        )?,
        pleth: flags.cause().is_none().then_some(i32::from(pleth)),
    })
}
