//! What the binary formats have in common: a rate, a saturation, the state of the sensor, a doubt.

use super::super::event::{Event, Events};
use crate::observation::Observation;
use crate::vocabulary::{Cause, Decimal, Doubt, Parameter, Reading};

/// No rate, in nine bits.
pub(super) const NO_RATE: u16 = 511;
/// No saturation, in seven bits.
pub(super) const NO_SPO2: u8 = 127;

/// What the status bits say about the sensor; the first that stands decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sensor {
    /// Nothing against it.
    Measuring,
    /// Artefacts for so long that no pulse can be followed.
    OutOfTrack,
    /// Off the finger, or unusable.
    Off,
    /// Not plugged in.
    Disconnected,
}

/// The display pair of one packet or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Pulse rate as sent, [`NO_RATE`] for none.
    pub(super) rate: u16,
    /// Saturation as sent, [`NO_SPO2`] for none.
    pub(super) spo2: u8,
    /// The sensor.
    pub(super) sensor: Sensor,
    /// What the status says against a number that stands.
    pub(super) doubt: Option<Doubt>,
}

impl Numbers {
    /// The two readings, as they are told.
    pub(super) fn tell(self, events: &mut Events) {
        for observation in [
            Observation::new(Parameter::Spo2, self.spo2()),
            Observation::new(Parameter::Pr, self.rate()),
        ] {
            events.push(Event::Observation(observation));
        }
    }

    fn spo2(self) -> Reading {
        self.reading((self.spo2 != NO_SPO2).then_some(i64::from(self.spo2)))
    }

    fn rate(self) -> Reading {
        self.reading((self.rate != NO_RATE).then_some(i64::from(self.rate)))
    }

    /// The sensor decides before the number is looked at.
    fn reading(self, number: Option<i64>) -> Reading {
        match (self.sensor, number) {
            (Sensor::Disconnected, _) => Reading::Invalid(Cause::SensorMissing),
            (Sensor::Off, _) => Reading::Invalid(Cause::ProbeOff),
            (Sensor::OutOfTrack, Some(_)) => Reading::Invalid(Cause::Artefact),
            (Sensor::OutOfTrack | Sensor::Measuring, None) => Reading::Invalid(Cause::Searching),
            (Sensor::Measuring, Some(value)) => {
                let value = Decimal::whole(value);
                self.doubt.map_or(Reading::Valid(value), |doubt| {
                    Reading::Questionable(value, doubt)
                })
            }
        }
    }
}
