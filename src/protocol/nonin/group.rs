//! Data format 8: four bytes once a second, without a sum.
//!
//! Its one check is the high bit of the first byte, so a group that follows damage is believed only
//! when the next one is much like it: a burst of noise must not look like a patient.

use super::super::event::{Events, Fault};
use super::super::groups::{Groups, Piece};
use super::super::notices::Notices;
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::numbers::{NO_RATE, NO_SPO2, Numbers, Sensor};
use crate::vocabulary::{Doubt, Now};

/// Bytes of a group.
const GROUP: usize = 4;

/// First byte: always 1.
const FIRST: u8 = 0x80;
/// First and last byte: reserved, or a disconnected sensor, on OEM III and Xpod. Which of the two is
/// not known (dossier: UNVERIFIED), so either takes the number away.
const DISCONNECTED: u8 = 0x40;
/// First byte: out of track.
const OUT_OF_TRACK: u8 = 0x20;
/// First byte: low perfusion.
const LOW_PERFUSION: u8 = 0x10;
/// First byte: marginal perfusion.
const MARGINAL_PERFUSION: u8 = 0x08;
/// First byte: artefact.
const ARTEFACT: u8 = 0x04;
/// Last byte: sensor alarm.
const SENSOR_ALARM: u8 = 0x08;
/// Last byte: low battery.
const LOW_BATTERY: u8 = 0x01;

/// The highest numbers that a module measures; anything between them and "no number" is damage.
const MOST_RATE: u16 = 350;
const MOST_SPO2: u8 = 100;

/// From one second to the next a patient's numbers differ by no more than this.
const LIKE_RATE: u16 = 20;
const LIKE_SPO2: u8 = 5;

/// One group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The display pair.
    pub(super) numbers: Numbers,
    /// Whether the battery is low.
    pub(super) low_battery: bool,
}

impl Group {
    /// Reads a group; a number that no module sends is damage.
    pub(super) fn parse([first, second, spo2, last]: [u8; GROUP]) -> Result<Self, Fault> {
        let rate = (u16::from(first & 0x03) << 7) | u16::from(second);
        let is_rate = rate <= MOST_RATE || rate == NO_RATE;
        let is_spo2 = spo2 <= MOST_SPO2 || spo2 == NO_SPO2;
        if !is_rate || !is_spo2 {
            return Err(Fault::BadFrame);
        }
        let sensor = if (first | last) & DISCONNECTED != 0 {
            Sensor::Disconnected
        } else if last & SENSOR_ALARM != 0 {
            Sensor::Off
        } else if first & OUT_OF_TRACK != 0 {
            Sensor::OutOfTrack
        } else {
            Sensor::Measuring
        };
        let doubt = if first & LOW_PERFUSION != 0 {
            Some(Doubt::LowPerfusion)
        } else if first & (MARGINAL_PERFUSION | ARTEFACT) != 0 {
            Some(Doubt::LowQuality)
        } else {
            None
        };
        Ok(Self {
            numbers: Numbers {
                rate,
                spo2,
                sensor,
                doubt,
            },
            low_battery: last & LOW_BATTERY != 0,
        })
    }

    /// The bytes of a group.
    pub(super) fn write(self) -> [u8; GROUP] {
        let Numbers {
            rate,
            spo2,
            sensor,
            doubt,
        } = self.numbers;
        let (sensor_first, sensor_last) = match sensor {
            Sensor::Measuring => (0, 0),
            Sensor::OutOfTrack => (OUT_OF_TRACK, 0),
            Sensor::Off => (0, SENSOR_ALARM),
            Sensor::Disconnected => (0, DISCONNECTED),
        };
        let doubt = match doubt {
            None => 0,
            Some(Doubt::LowPerfusion) => LOW_PERFUSION,
            Some(Doubt::LowQuality) => MARGINAL_PERFUSION,
        };
        let [high, low] = (rate << 1).to_be_bytes();
        let battery = if self.low_battery { LOW_BATTERY } else { 0 };
        [
            FIRST | sensor_first | doubt | (high & 0x03),
            low >> 1,
            spo2 & 0x7F,
            sensor_last | battery,
        ]
    }

    /// Whether the two can be one patient, a second apart.
    fn is_like(self, other: Self) -> bool {
        let (own, other) = (self.numbers, other.numbers);
        let rates = match (own.rate, other.rate) {
            (NO_RATE, rate) | (rate, NO_RATE) => rate == NO_RATE,
            (own, other) => own.abs_diff(other) <= LIKE_RATE,
        };
        let saturations = match (own.spo2, other.spo2) {
            (NO_SPO2, spo2) | (spo2, NO_SPO2) => spo2 == NO_SPO2,
            (own, other) => own.abs_diff(other) <= LIKE_SPO2,
        };
        own.sensor == other.sensor && rates && saturations
    }
}

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Format8 {
        groups: Groups::new(),
        module: Module {
            scrap: Scrap::default(),
            rest: GROUP - 1,
            trust: Trust::Given,
            notices: Notices::new("nonin", super::NOTICES),
        },
    }))
}

/// One module on one line.
struct Format8 {
    groups: Groups<GROUP>,
    module: Module,
}

impl Session for Format8 {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.groups.reset();
        self.module.rest = GROUP - 1;
        self.module.trust = Trust::Given;
    }

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        let Self { groups, module } = self;
        groups.receive(bytes, |piece| module.take(piece, events));
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        let bytes = self.groups.reset();
        if bytes > 0 {
            self.module.broken(Fault::Truncated, bytes, events);
        }
        self.module.scrap.flush(events);
    }
}

/// Whether the next group is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Nothing stood between it and a good one, or the link has just been opened.
    Given,
    /// There was damage; this group, if one, stands since and waits for its like.
    Withheld(Option<Group>),
}

/// What is known of the module at the other end.
struct Module {
    scrap: Scrap,
    /// Bytes that may still be the rest of a group that was cut when the link was opened.
    rest: usize,
    trust: Trust,
    notices: Notices,
}

impl Module {
    fn take(&mut self, piece: Piece<GROUP>, events: &mut Events) {
        match piece {
            Piece::Group(bytes) => {
                self.rest = 0;
                match Group::parse(bytes) {
                    Ok(group) => self.weigh(group, events),
                    Err(fault) => self.broken(fault, GROUP as u64, events),
                }
            }
            Piece::Cut(bytes) => self.broken(Fault::Truncated, bytes, events),
            Piece::Stray if self.rest > 0 => {
                self.rest -= 1;
                self.scrap.skipped(1, events);
            }
            Piece::Stray => {
                self.trust = Trust::Withheld(None);
                self.scrap.noise(1, events);
            }
        }
    }

    /// What follows damage is noise until a group is believed again: one fault for the whole of it.
    fn broken(&mut self, fault: Fault, bytes: u64, events: &mut Events) {
        match self.trust {
            Trust::Given => self.scrap.broken(fault, bytes, events),
            Trust::Withheld(_) => self.scrap.noise(bytes, events),
        }
        self.trust = Trust::Withheld(None);
    }

    fn weigh(&mut self, group: Group, events: &mut Events) {
        match self.trust {
            Trust::Withheld(other) if !other.is_some_and(|other| other.is_like(group)) => {
                self.trust = Trust::Withheld(Some(group));
                self.scrap.skipped(GROUP as u64, events);
            }
            Trust::Given | Trust::Withheld(_) => {
                self.trust = Trust::Given;
                self.scrap.frame(events);
                group.numbers.tell(events);
                let battery = if group.low_battery { super::BATTERY } else { 0 };
                self.notices.tell(battery, None, events);
            }
        }
    }
}
