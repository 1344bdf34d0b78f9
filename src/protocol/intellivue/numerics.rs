//! Numerics: what the objects of one result say as observations (dossier 8).
//!
//! The measurement state is read before the number, and decides: a value is one only if the first octet
//! of its state is zero and its FLOAT is a number (dossier 8.1). A result is told when it is whole.

use super::super::event::{Event, Events};
use super::message::{Object, Objects};
use super::nomenclature::{self, ARTERIAL, CUFF};
use super::wire::{self, Attributes, Bytes};
use crate::observation::{DeviceTime, Observation, check_pressure_pair};
use crate::vocabulary::{Cause, Parameter, ParameterId, Reading};
use std::collections::BTreeMap;

pub(super) const VALUE: u16 = 0x0950;
pub(super) const COMPOUND_VALUE: u16 = 0x094B;
pub(super) const TAKEN_AT: u16 = 0x0990;
pub(super) const LABEL: u16 = 0x0924;

/// Bits of a measurement state.
pub(super) mod state {
    pub(in super::super) const INVALID: u16 = 0x8000;
    pub(in super::super) const QUESTIONABLE: u16 = 0x4000;
    pub(in super::super) const UNAVAILABLE: u16 = 0x2000;
    pub(in super::super) const CALIBRATING: u16 = 0x1000;
    pub(in super::super) const TEST: u16 = 0x0800;
    pub(in super::super) const DEMO: u16 = 0x0400;
    /// Any of these: no value.
    pub(in super::super) const NO_VALUE: u16 = 0xFF00;
    pub(in super::super) const MEASURING: u16 = 0x0020;
}

/// Objects of one association that are remembered; a monitor has about two hundred.
const MOST_CUFFS: usize = 16;

/// One value of a numeric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// The code in the SCADA partition.
    pub(super) code: u16,
    /// Bits of [`state`].
    pub(super) state: u16,
    /// The unit's code.
    pub(super) unit: u16,
    /// The FLOAT-Type.
    pub(super) float: u32,
}

impl Value {
    fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        Some(Self {
            code: bytes.u16()?,
            state: bytes.u16()?,
            unit: bytes.u16()?,
            float: bytes.u32()?,
        })
    }

    /// The bytes of a value.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        for word in [self.code, self.state, self.unit] {
            out.extend(word.to_be_bytes());
        }
        out.extend(self.float.to_be_bytes());
    }
}

/// The most values in one numeric that are read.
const MOST_VALUES: usize = 16;

/// The values of one numeric; `None` when an attribute contradicts itself.
fn values(attributes: Attributes<'_>) -> Option<impl Iterator<Item = Value>> {
    let single = match attributes.get(VALUE) {
        Some(mut bytes) => {
            let value = Value::read(&mut bytes)?;
            bytes.0.is_empty().then_some(())?;
            Some(value)
        }
        None => None,
    };
    let mut compound = Bytes::default();
    if let Some(mut bytes) = attributes.get(COMPOUND_VALUE) {
        let (count, list) = bytes.list()?;
        let mut rest = list;
        for _ in 0..count {
            Value::read(&mut rest)?;
        }
        (rest.0.is_empty() && bytes.0.is_empty()).then_some(())?;
        compound = list;
    }
    let compound = std::iter::from_fn(move || Value::read(&mut compound));
    Some(single.into_iter().chain(compound).take(MOST_VALUES))
}

/// What kind of monitor speaks, as far as it decides whether its values are a patient's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Monitoring, or not told.
    #[default]
    Monitoring,
    /// Demonstration.
    Demo,
    /// Service.
    Service,
}

/// Whether a result shows everything that the monitor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// It does: what is missing is not measured now.
    Whole,
    /// It does not: the first result of an extended poll, which may come without values (dossier 6.3), or
    /// what comes after the end of one.
    Opening,
}

/// A set of parameters, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parameters(u32);

impl Parameters {
    const fn bit(parameter: Parameter) -> u32 {
        1 << parameter as u32
    }
}

/// The last reading of one cuff, to tell a new one from a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    /// The words of its values.
    values: [u32; 3],
    at: Option<DeviceTime>,
    /// The monitor's own time of the reading; kept, as it may be left out of a repeat.
    stamp: Option<DeviceTime>,
    /// Nobody knows when it was taken.
    is_old: bool,
}

/// What is remembered of the numerics of one monitor.
#[derive(Debug, Default)]
pub(super) struct Numerics {
    /// Parameters that this association has told.
    known: Parameters,
    /// Readings of cuffs, by object.
    taken: BTreeMap<(u16, u16), Taken>,
    /// The result that is being put together.
    gathered: Vec<Observation>,
}

/// The circumstances of one result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// When it was made, by the monitor's clock.
    pub(super) at: Option<DeviceTime>,
    pub(super) mode: Mode,
    pub(super) scope: Scope,
}

impl Numerics {
    /// A new association: objects have other names now.
    pub(super) fn associated(&mut self) {
        self.known = Parameters::default();
        self.taken.clear();
        self.gathered.clear();
    }

    /// A result that cannot be completed.
    pub(super) fn forget_gathered(&mut self) {
        self.gathered.clear();
    }

    /// Takes one part of a result; `None`, and nothing taken, when a value contradicts itself.
    pub(super) fn gather(&mut self, objects: Objects<'_>, here: Circumstances) -> Option<()> {
        for object in objects.iter() {
            let _sound = values(object.attributes)?;
            if let Some(mut label) = object.attributes.get(LABEL) {
                label.u32()?;
            }
        }
        for object in objects.iter() {
            self.object(&object, here);
        }
        Some(())
    }

    fn object(&mut self, object: &Object<'_>, here: Circumstances) {
        let attributes = object.attributes;
        let mut has_value = false;
        let cuff = self.cuff(object, here);
        for value in values(attributes).into_iter().flatten() {
            has_value = true;
            self.value(value, cuff, here);
        }
        if has_value || here.scope == Scope::Opening {
            return;
        }
        // A numeric with its label and without a value: not measured now.
        let label = attributes.u32(LABEL).unwrap_or(0);
        for code in nomenclature::labelled(label) {
            if let Some((parameter, site)) = nomenclature::parameter(*code) {
                let mut none = Observation::new(parameter, no_value(here));
                none.site = site;
                self.push(none, *code, here.at, here);
            }
        }
    }

    fn value(&mut self, value: Value, cuff: Option<Cuff>, here: Circumstances) {
        let Some((parameter, site)) = nomenclature::parameter(value.code) else {
            // The label of a compound is no value of its own.
            if value.code != CUFF && !ARTERIAL.contains(&value.code) {
                let reading = foreign(value, here.mode);
                let unknown = Observation::unknown(nomenclature::unknown(value.code), reading);
                self.push(unknown, value.code, here.at, here);
            }
            return;
        };
        let mut reading = reading(value, parameter, here.mode);
        let mut measured_at = here.at;
        if parameter.is_cuff() {
            if reading == Reading::Invalid(Cause::DeviceInvalid) {
                reading = Reading::Invalid(Cause::CuffFault);
            }
            match cuff.filter(|_| reading.value().is_some()) {
                Some(cuff) if cuff.is_old => reading = Reading::Invalid(Cause::Old),
                Some(cuff) if cuff.is_repeat && value.state & state::MEASURING != 0 => {
                    reading = Reading::Invalid(Cause::Measuring);
                }
                Some(cuff) => measured_at = cuff.at,
                None => {}
            }
        }
        let mut observation = Observation::new(parameter, reading);
        observation.site = site;
        self.push(observation, value.code, measured_at, here);
    }

    fn push(
        &mut self,
        mut observation: Observation,
        code: u16,
        measured_at: Option<DeviceTime>,
        here: Circumstances,
    ) {
        observation.mdc = nomenclature::mdc(code);
        observation.measured_at = measured_at;
        observation.message_at = here.at;
        self.gathered.push(observation);
    }

    /// The cuff reading of an object, if it has one.
    fn cuff(&mut self, object: &Object<'_>, here: Circumstances) -> Option<Cuff> {
        let mut words = [0; 3];
        let mut numbers = 0;
        let mut places = words.iter_mut();
        for value in values(object.attributes)? {
            let (parameter, _) = nomenclature::parameter(value.code)?;
            if !parameter.is_cuff() {
                return None;
            }
            if value.state & state::NO_VALUE == 0 && wire::float(value.float).is_ok() {
                numbers += 1;
            }
            if let Some(place) = places.next() {
                *place = value.float;
            }
        }
        if numbers == 0 {
            return None;
        }
        let told = object
            .attributes
            .get(TAKEN_AT)
            .and_then(|mut value| value.array())
            .and_then(wire::absolute_time)
            .map(DeviceTime::civil);
        let before = self.taken.get(&object.key).copied();
        let is_same = before.is_some_and(|before| before.values == words);
        let stamp = told.or_else(|| before.filter(|_| is_same).and_then(|before| before.stamp));
        let at = match (stamp, before) {
            (Some(stamp), _) => Some(stamp),
            // The monitor told no time: a reading is new when its numbers change.
            (None, Some(before)) if is_same => before.at,
            (None, Some(_)) => here.at,
            (None, None) => None,
        };
        let is_repeat = match (stamp, before) {
            (Some(stamp), Some(before)) => before.stamp == Some(stamp),
            (None, _) => is_same,
            (Some(_), None) => false,
        };
        // Without a time, or without a clock to compare it with, the first reading seen is of an unknown
        // age, however often it is repeated.
        let was_old = before.is_none_or(|before| is_repeat && before.is_old);
        let is_old = (stamp.is_none() || here.at.is_none()) && was_old;
        if self.taken.len() < MOST_CUFFS || before.is_some() {
            let taken = Taken {
                values: words,
                at,
                stamp,
                is_old,
            };
            self.taken.insert(object.key, taken);
        }
        Some(Cuff {
            at,
            is_repeat,
            is_old,
        })
    }

    /// The result is whole: tells it.
    pub(super) fn tell(&mut self, events: &mut Events, here: Circumstances) {
        self.one_arterial_pressure();
        self.one_respiration();
        check_pairs(&mut self.gathered);
        let mut told = Parameters::default();
        for observation in &self.gathered {
            told.0 |= observation.parameter.known().map_or(0, Parameters::bit);
        }
        if here.scope == Scope::Whole {
            let missing = self.known.0 & !told.0;
            for parameter in Parameter::ALL {
                if missing & Parameters::bit(*parameter) != 0 {
                    let mut none = Observation::new(*parameter, no_value(here));
                    none.measured_at = here.at;
                    none.message_at = here.at;
                    self.gathered.push(none);
                }
            }
        }
        self.known.0 |= told.0;
        events.extend(self.gathered.drain(..).map(Event::Observation));
    }

    /// Two arterial lines: the first in [`ARTERIAL`] that has a number is ours, the other keeps its code.
    fn one_arterial_pressure(&mut self) {
        let line = |observation: &Observation| {
            let code = observation
                .mdc
                .and_then(|mdc| u16::try_from(mdc & 0xFFFF).ok())?;
            ARTERIAL
                .into_iter()
                .find(|line| (line + 1..=line + 3).contains(&code))
        };
        let present = |line_wanted: u16, with_number: bool| {
            self.gathered.iter().any(|observation| {
                line(observation) == Some(line_wanted)
                    && (observation.reading.value().is_some() || !with_number)
            })
        };
        let [first, second] = ARTERIAL;
        if !(present(first, false) && present(second, false)) {
            return;
        }
        let other = if !present(first, true) && present(second, true) {
            first
        } else {
            second
        };
        for observation in &mut self.gathered {
            if line(observation) == Some(other)
                && let Some(mdc) = observation.mdc
            {
                observation.parameter = ParameterId::Mdc(mdc);
            }
        }
    }

    /// Several respiration rates: those with a number, else one of them.
    fn one_respiration(&mut self) {
        let is_rate = |observation: &Observation| observation.parameter == Parameter::Rr.into();
        let has_number = |observation: &Observation| observation.reading.value().is_some();
        let any = self
            .gathered
            .iter()
            .any(|observation| is_rate(observation) && has_number(observation));
        let mut kept = 0;
        self.gathered.retain(|observation| {
            if !is_rate(observation) {
                return true;
            }
            kept += 1;
            if any {
                has_number(observation)
            } else {
                kept == 1
            }
        });
    }
}

/// What an object's cuff reading is.
#[derive(Clone, Copy, Debug)]
struct Cuff {
    /// When it was taken.
    at: Option<DeviceTime>,
    /// It was told before.
    is_repeat: bool,
    /// Its age is not known.
    is_old: bool,
}

/// Systolic above diastolic, for cuff and artery.
fn check_pairs(observations: &mut [Observation]) {
    for (sys, dia) in [
        (Parameter::NibpSys, Parameter::NibpDia),
        (Parameter::ArtSys, Parameter::ArtDia),
    ] {
        let mut pair = [sys, dia].map(|wanted| {
            observations
                .iter()
                .position(|observation| observation.parameter == wanted.into())
        });
        pair.sort_unstable();
        let [Some(first), Some(second)] = pair else {
            continue;
        };
        let (before, behind) = observations.split_at_mut(second);
        if let (Some(one), Some(other)) = (before.get_mut(first), behind.first_mut()) {
            if one.parameter == sys.into() {
                check_pressure_pair(one, other);
            } else {
                check_pressure_pair(other, one);
            }
        }
    }
}

/// Why a numeric without a value has none.
const fn no_value(here: Circumstances) -> Reading {
    Reading::Invalid(match here.mode {
        Mode::Monitoring => Cause::NotAvailable,
        Mode::Demo => Cause::Demo,
        Mode::Service => Cause::Test,
    })
}

/// Why a state forbids a number, the plainest reason first.
const fn forbidden(bits: u16, mode: Mode) -> Option<Cause> {
    if matches!(mode, Mode::Demo) || bits & state::DEMO != 0 {
        Some(Cause::Demo)
    } else if matches!(mode, Mode::Service) || bits & state::TEST != 0 {
        Some(Cause::Test)
    } else if bits & state::CALIBRATING != 0 {
        Some(Cause::Calibrating)
    } else if bits & state::UNAVAILABLE != 0 {
        Some(Cause::NotAvailable)
    } else if bits & state::INVALID != 0 {
        Some(Cause::DeviceInvalid)
    } else if bits & state::QUESTIONABLE != 0 {
        Some(Cause::LowQuality)
    } else if bits & state::NO_VALUE != 0 {
        Some(Cause::DeviceInvalid)
    } else {
        None
    }
}

fn reading(value: Value, parameter: Parameter, mode: Mode) -> Reading {
    let number = match forbidden(value.state, mode) {
        Some(cause) => Err(cause),
        None => wire::float(value.float).and_then(|number| {
            nomenclature::unit(value.unit)
                .ok_or(Cause::UnknownUnit)?
                .convert(number, parameter)
        }),
    };
    number.map_or_else(Reading::Invalid, Reading::Valid)
}

/// A value that is none of ours, in its own unit.
fn foreign(value: Value, mode: Mode) -> Reading {
    match forbidden(value.state, mode) {
        Some(cause) => Reading::Invalid(cause),
        None => wire::float(value.float).map_or_else(Reading::Invalid, Reading::Valid),
    }
}
