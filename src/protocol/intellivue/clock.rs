//! The monitor's clock: running time and civil time, told together in a pair (dossier 6.1, 7).

use super::association::TICKS_PER_SECOND;
use super::wire::{self, Attributes};
use crate::observation::DeviceTime;

const TIME_ABSOLUTE: u16 = 0x0987;
const TIME_RELATIVE: u16 = 0x098F;

/// The last pair that the monitor told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock {
    pair: Option<(u32, i64)>,
}

impl Clock {
    /// Takes the pair from the monitor's own attributes, if it is there.
    pub(super) fn told(&mut self, attributes: Attributes<'_>) {
        let civil_ms = attributes
            .get(TIME_ABSOLUTE)
            .and_then(|mut value| value.array())
            .and_then(wire::absolute_time);
        if let Some(pair) = attributes.u32(TIME_RELATIVE).zip(civil_ms) {
            self.pair = Some(pair);
        }
    }

    /// The civil time of a moment by the running time, which wraps after six days.
    pub(super) fn at(self, running: u32) -> Option<DeviceTime> {
        let (then, civil_ms) = self.pair?;
        let elapsed = i64::from(ticks_between(then, running));
        let millis = elapsed.div_euclid(i64::from(TICKS_PER_SECOND) / 1_000);
        Some(DeviceTime::civil(civil_ms.saturating_add(millis)))
    }

    /// The attributes that tell a pair.
    pub(super) fn pair(running: u32, civil_ms: i64) -> [Vec<u8>; 2] {
        [
            wire::attribute(TIME_ABSOLUTE, wire::to_absolute_time(civil_ms)),
            wire::attribute(TIME_RELATIVE, running.to_be_bytes()),
        ]
    }
}

/// Ticks from `earlier` to `later`; negative when `later` is before.
pub(super) const fn ticks_between(earlier: u32, later: u32) -> i32 {
    i32::from_be_bytes(later.wrapping_sub(earlier).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::wire::Bytes;
    use super::*;

    #[test]
    fn the_running_time_wraps_and_the_civil_time_goes_on() {
        let mut attributes = Vec::new();
        wire::list(&mut attributes, &Clock::pair(u32::MAX - 7_999, 1_000_000));
        let mut clock = Clock::default();
        assert_eq!(clock.at(0), None);
        clock.told(Bytes(&attributes).attributes().unwrap());
        assert_eq!(clock.at(0), Some(DeviceTime::civil(1_001_000)));
        assert_eq!(clock.at(8_192), Some(DeviceTime::civil(1_002_024)));
        assert_eq!(
            clock.at(u32::MAX - 15_999),
            Some(DeviceTime::civil(999_000))
        );
        clock.told(Attributes::default());
        assert_eq!(clock.at(0), Some(DeviceTime::civil(1_001_000)));
    }
}
