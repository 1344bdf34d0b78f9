//! Bits by which a device tells its own alarms: told when they begin and when they end.

use super::event::{Event, Events};
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime};

/// A bit, and what the nurse reads.
pub(super) type Notice = (u32, &'static str);

/// The alarms of one bit field that stand.
#[derive(Debug)]
pub(super) struct Notices {
    /// The field's name, in the keys of its alerts.
    field: &'static str,
    catalogue: &'static [Notice],
    standing: u32,
}

impl Notices {
    /// None of `catalogue` stands.
    pub(super) const fn new(field: &'static str, catalogue: &'static [Notice]) -> Self {
        Self {
            field,
            catalogue,
            standing: 0,
        }
    }

    /// Tells what began and what ended since the last call. The device tells no priorities.
    pub(super) fn tell(&mut self, bits: u32, at: Option<DeviceTime>, events: &mut Events) {
        for (bit, text) in self.catalogue {
            let phase = match (self.standing & bit != 0, bits & bit != 0) {
                (false, true) => AlertPhase::Start,
                (true, false) => AlertPhase::End,
                (true, true) | (false, false) => continue,
            };
            events.push(Event::DeviceAlert(DeviceAlert {
                key: format!("{}-{bit:06x}", self.field).into(),
                priority: None,
                phase,
                text: (*text).into(),
                at,
            }));
        }
        self.standing = bits;
    }
}
