//! One message's rows: values, cuff readings, status, limits, alarms, the patient.

use super::super::event::{Event, Events, Fault};
use super::super::hl7::{Header, Segment, Segments, parts, read_time, told};
use super::NAME;
use super::alarms::Alarms;
use super::numbers::{self, Number, kind};
use super::settings::Settings;
use crate::observation::{DeviceTime, Identity, Observation, check_pressure_pair};
use crate::vocabulary::{Cause, Decimal, Parameter, ParameterId, Reading, Unit};
use std::sync::Arc;

/// Cuff values of one message; a monitor tells a handful.
const MOST_CUFF: usize = 64;
/// Characters of a name that are kept.
const LONGEST_NAME: usize = 64;
/// What stands for no value.
const NO_VALUE: [i64; 3] = [-100, -1_000, -10_000];
/// Status 2: the value of this number is not there.
const NOT_PRESENT: &[u8] = b"2";

/// What is remembered from message to message of one connection.
#[derive(Debug)]
pub(super) struct Memory {
    physiological: Alarms,
    technical: Alarms,
    /// The oximeter's pulse rate was told.
    has_pulse: bool,
}

impl Memory {
    /// Nothing was told yet.
    pub(super) const fn new() -> Self {
        Self {
            physiological: Alarms::new("physiological"),
            technical: Alarms::new("technical"),
            has_pulse: false,
        }
    }
}

/// A value of the cuff that waits for the others of its message.
struct Cuff {
    parameter: Parameter,
    reading: Reading,
    taken: Option<DeviceTime>,
}

/// Reads the rows of one message.
pub(super) struct Report<'m> {
    settings: &'m Settings,
    memory: &'m mut Memory,
    component: u8,
    subcomponent: u8,
    is_test: bool,
    cuff: Vec<Cuff>,
    list_ended: bool,
    bad_row: bool,
}

impl<'m> Report<'m> {
    /// For the message with this header.
    pub(super) fn new(header: &Header<'_>, settings: &'m Settings, memory: &'m mut Memory) -> Self {
        Self {
            settings,
            memory,
            component: header.delimiters.component,
            subcomponent: header.delimiters.subcomponent,
            is_test: matches!(header.code(11), b"T" | b"D"),
            cuff: Vec::new(),
            list_ended: false,
            bad_row: false,
        }
    }

    /// Reads the rows; `what` is MSH-10.
    pub(super) fn read(mut self, what: &[u8], mut segments: Segments<'_>, events: &mut Events) {
        let mut segment = Segment::new();
        let mut identity = Identity::default();
        while segments.next(&mut segment) {
            match segment.name() {
                b"PID" => identity.patient = self.name(segment.field(3)),
                b"PV1" => identity.bed = self.bed(segment.field(3)),
                b"OBX" if what == kind::PHYSIOLOGICAL => {
                    self.alarm(&segment, numbers::PHYSIOLOGICAL_END, events);
                }
                b"OBX" if what == kind::TECHNICAL => {
                    self.alarm(&segment, numbers::TECHNICAL_END, events);
                }
                b"OBX" if what == kind::STATUS => self.status(&segment, events),
                b"OBX" => self.value(what, &segment, events),
                // A frame holds one message; where another begins, nobody knows what belongs to what.
                b"MSH" => {
                    self.bad_row = true;
                    break;
                }
                _ => {}
            }
        }
        if what == kind::PATIENT {
            events.push(Event::Identity(identity));
        }
        if self.list_ended {
            let list = if what == kind::PHYSIOLOGICAL {
                &mut self.memory.physiological
            } else {
                &mut self.memory.technical
            };
            list.end(events);
        }
        if self.bad_row {
            events.push(Event::Fault(Fault::BadMessage));
        }
        self.tell_cuff(events);
    }

    /// A row with a value or a limit.
    fn value(&mut self, what: &[u8], row: &Segment<'_>, events: &mut Events) {
        let [code] = parts::<1>(row.field(3), self.component);
        let Some(id) = numbers::id(code) else {
            self.bad_row = true;
            return;
        };
        if matches!(id, numbers::LIMIT_HIGH | numbers::LIMIT_LOW) {
            if let Some(of) = numbers::id(row.field(4))
                && let Some(limit) = told(row.field(5)).and_then(|text| Decimal::parse(text).ok())
            {
                let name = vendor(format_args!("{id}.{of}"));
                events.push(Event::Observation(Observation::unknown(
                    name,
                    Reading::Valid(limit),
                )));
            }
            return;
        }
        if !matches!(what, kind::VALUES | kind::CUFF) {
            return;
        }
        let known = numbers::find(id).filter(|known| self.takes(known));
        let reading = self.reading(known.map(|known| known.parameter), row);
        match known {
            Some(known) if known.parameter.is_cuff() => {
                let taken = read_time(row.field(14)).unwrap_or_else(|_| {
                    events.push(Event::Fault(Fault::BadTime));
                    None
                });
                if self.cuff.len() < MOST_CUFF {
                    self.cuff.push(Cuff {
                        parameter: known.parameter,
                        reading,
                        taken,
                    });
                }
            }
            Some(known) => {
                let mut observation = Observation::new(known.parameter, reading);
                observation.site = known.site;
                events.push(Event::Observation(observation));
            }
            None => events.push(Event::Observation(Observation::unknown(
                vendor(format_args!("{id}")),
                reading,
            ))),
        }
    }

    /// Two numbers can be the pulse rate: the oximeter's own goes before.
    fn takes(&mut self, known: &Number) -> bool {
        self.memory.has_pulse |= known.id == numbers::PULSE;
        known.id != numbers::OTHER_PULSE || !self.memory.has_pulse
    }

    /// The number in a row, in the parameter's unit, or why there is none.
    fn reading(&mut self, parameter: Option<Parameter>, row: &Segment<'_>) -> Reading {
        if self.is_test {
            return Reading::Invalid(Cause::Test);
        }
        if matches!(row.field(13), b"SETTING" | b"CONFIGURATION") {
            return Reading::Invalid(Cause::Setting);
        }
        match row.field(11) {
            b"" | b"F" | b"R" | b"P" | b"C" => {}
            b"D" | b"W" => return Reading::Invalid(Cause::Withdrawn),
            _ => return Reading::Invalid(Cause::DeviceInvalid),
        }
        let Some(text) = told(row.field(5)) else {
            return Reading::Invalid(Cause::NotAvailable);
        };
        let Ok(value) = Decimal::parse(text) else {
            self.bad_row = true;
            return Reading::Invalid(Cause::DeviceInvalid);
        };
        if NO_VALUE.iter().any(|&mark| value == Decimal::whole(mark)) {
            return Reading::Invalid(Cause::NotAvailable);
        }
        let Some(parameter) = parameter else {
            return Reading::Valid(value);
        };
        let unit = match told(row.field(6)) {
            None => Some(self.settings.unit(parameter)),
            Some(field) => {
                let [text] = parts::<1>(field, self.component);
                std::str::from_utf8(text).ok().and_then(Unit::from_text)
            }
        };
        let converted = unit
            .ok_or(Cause::UnknownUnit)
            .and_then(|unit| unit.convert(value, parameter));
        converted.map_or_else(Reading::Invalid, Reading::Valid)
    }

    /// The cuff's values of this message. One that was taken at no time is no reading: it is left out where
    /// the message holds another of the same parameter, as some monitors say "none" behind the numbers.
    fn tell_cuff(self, events: &mut Events) {
        let cuff = self.cuff;
        let has_value = |parameter: Parameter| {
            cuff.iter()
                .any(|one| one.parameter == parameter && one.taken.is_some())
        };
        let mut readings: Vec<Observation> = cuff
            .iter()
            .filter(|one| one.taken.is_some() || !has_value(one.parameter))
            .map(|one| {
                let reading = match (one.taken, one.reading) {
                    // A number whose age nobody can know may be another patient's.
                    (None, Reading::Valid(_) | Reading::Questionable(..)) => {
                        Reading::Invalid(Cause::Old)
                    }
                    (_, reading) => reading,
                };
                let mut observation = Observation::new(one.parameter, reading);
                observation.measured_at = one.taken;
                observation
            })
            .collect();
        check_pairs(&mut readings);
        events.extend(readings.into_iter().map(Event::Observation));
    }

    /// A row that says whether a number has a value.
    fn status(&mut self, row: &Segment<'_>, events: &mut Events) {
        let [code] = parts::<1>(row.field(3), self.component);
        if numbers::id(code) != Some(numbers::STATUS) {
            return;
        }
        let [status] = parts::<1>(row.field(5), self.component);
        let known = numbers::id(row.field(4)).and_then(numbers::find);
        if let (NOT_PRESENT, Some(known)) = (status, known)
            && !known.parameter.is_cuff()
            && self.takes(known)
        {
            let none = Reading::Invalid(Cause::NotAvailable);
            let mut observation = Observation::new(known.parameter, none);
            observation.site = known.site;
            events.push(Event::Observation(observation));
        }
    }

    /// A row of a list of alarms.
    fn alarm(&mut self, row: &Segment<'_>, end: u32, events: &mut Events) {
        let [code] = parts::<1>(row.field(3), self.component);
        if numbers::id(code) == Some(end) {
            self.list_ended = true;
            return;
        }
        let [code, text] = parts::<2>(row.field(5), self.component);
        let (Some(code), Some(text)) = (numbers::id(code), self.name(text)) else {
            self.bad_row = true;
            return;
        };
        let at = read_time(row.field(14)).unwrap_or_else(|_| {
            events.push(Event::Fault(Fault::BadTime));
            None
        });
        let list = if end == numbers::PHYSIOLOGICAL_END {
            &mut self.memory.physiological
        } else {
            &mut self.memory.technical
        };
        list.row(code, &text, at, events);
    }

    /// `department&bed` out of PV1-3, as it stands there.
    fn bed(&self, place: &[u8]) -> Option<Arc<str>> {
        let [_, _, bed] = parts::<3>(place, self.component);
        let [department, bed] = parts::<2>(bed, self.subcomponent);
        match (self.name(department), self.name(bed)) {
            (None, None) => None,
            (Some(department), None) => Some(department),
            (None, Some(bed)) => Some(bed),
            (Some(department), Some(bed)) => Some(format!("{department}&{bed}").into()),
        }
    }

    /// A short text that was told.
    fn name(&self, text: &[u8]) -> Option<Arc<str>> {
        let text = String::from_utf8_lossy(told(text)?);
        let kept: String = text
            .chars()
            .filter(|letter| !letter.is_control())
            .take(LONGEST_NAME)
            .collect();
        (!kept.is_empty()).then(|| kept.into())
    }
}

/// Sys and dia of one measurement contradict each other: neither is believed.
fn check_pairs(readings: &mut [Observation]) {
    let is = |one: &Observation, wanted: Parameter| one.parameter == ParameterId::Known(wanted);
    let count = readings.len();
    for sys in 0..count {
        for dia in 0..count {
            if let Ok([sys, dia]) = readings.get_disjoint_mut([sys, dia])
                && is(sys, Parameter::NibpSys)
                && is(dia, Parameter::NibpDia)
                && sys.measured_at == dia.measured_at
            {
                check_pressure_pair(sys, dia);
            }
        }
    }
}

fn vendor(code: std::fmt::Arguments<'_>) -> ParameterId {
    ParameterId::Vendor(format!("{NAME}:{code}").into())
}
