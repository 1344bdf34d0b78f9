//! The device side: the numerics of a screen as the objects of a result.

use super::super::device::{CuffState, Screen};
use super::answer;
use super::nomenclature::{self, PARAMETERS};
use super::numerics::{COMPOUND_VALUE, LABEL, TAKEN_AT, VALUE, Value, state};
use super::wire::{self, attribute};
use crate::vocabulary::{Cause, Decimal, Parameter, Reading};

/// A value as the monitor sends it.
fn value(code: u16, parameter: Parameter, reading: Reading) -> Value {
    let (state, float) = match reading {
        Reading::Valid(value) => (0, wire::to_float(value)),
        // The monitor shows it with a question mark.
        Reading::Questionable(value, _) => (state::QUESTIONABLE, wire::to_float(value)),
        Reading::Invalid(Cause::NotAvailable | Cause::SensorMissing) => {
            (state::UNAVAILABLE, wire::NO_NUMBER)
        }
        Reading::Invalid(Cause::Calibrating) => (state::CALIBRATING, wire::NO_NUMBER),
        Reading::Invalid(Cause::Demo) => (state::DEMO, wire::NO_NUMBER),
        Reading::Invalid(Cause::Test) => (state::TEST, wire::NO_NUMBER),
        Reading::Invalid(_) => (state::INVALID, wire::NO_NUMBER),
    };
    let unit = match parameter {
        Parameter::Rr => 0x0AE0,
        Parameter::Hr | Parameter::Pr | Parameter::NibpPr | Parameter::ArtPr => 0x0AA0,
        Parameter::Spo2 => 0x0220,
        Parameter::Pi => 0x0200,
        Parameter::NibpSys
        | Parameter::NibpDia
        | Parameter::NibpMean
        | Parameter::ArtSys
        | Parameter::ArtDia
        | Parameter::ArtMean
        | Parameter::Etco2 => 0x0F20,
        Parameter::Temp => 0x17A0,
    };
    Value {
        code,
        state,
        unit,
        float,
    }
}

/// The code under which a parameter is sent. A monitor with a gas module counts breaths there.
fn code(parameter: Parameter, has_gas: bool) -> Option<u16> {
    if parameter == Parameter::Rr && has_gas {
        return Some(0x5012);
    }
    PARAMETERS
        .iter()
        .find_map(|(code, known, _)| (*known == parameter).then_some(*code))
}

const ID_HANDLE: u16 = 0x0921;
const ID_TYPE: u16 = 0x092F;

/// A numeric object with these values.
fn numeric(values: &[Value], taken_at: Option<i64>, with_labels: bool) -> Vec<u8> {
    let Some(first) = values.first() else {
        return answer::object(0, &[]);
    };
    // Any handle will do that is the same for the same numeric.
    let handle = 0x8000 | first.code & 0x7FFF;
    let mut attributes = Vec::new();
    if with_labels {
        attributes.push(attribute(ID_HANDLE, handle.to_be_bytes()));
        attributes.push(attribute(ID_TYPE, [0, 1, 0, 6]));
        attributes.push(attribute(
            LABEL,
            nomenclature::label(first.code).to_be_bytes(),
        ));
    }
    if let Some(taken_at) = taken_at {
        attributes.push(attribute(TAKEN_AT, wire::to_absolute_time(taken_at)));
    }
    let written: Vec<Vec<u8>> = values
        .iter()
        .map(|value| {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            bytes
        })
        .collect();
    match written.as_slice() {
        [only] => attributes.push(attribute(VALUE, only)),
        several => {
            let mut compound = Vec::new();
            wire::list(&mut compound, several);
            attributes.push(attribute(COMPOUND_VALUE, compound));
        }
    }
    answer::object(handle, &attributes)
}

/// The numerics of a screen.
pub(super) fn numerics(screen: &Screen, with_labels: bool) -> Vec<Vec<u8>> {
    const ARTERIAL: [Parameter; 3] = [Parameter::ArtMean, Parameter::ArtSys, Parameter::ArtDia];
    let has_gas = screen.numerics.contains_key(&Parameter::Etco2);
    let sent = |parameter: Parameter, reading: Reading| {
        code(parameter, has_gas).map(|code| value(code, parameter, reading))
    };
    let mut objects = Vec::new();
    for (parameter, reading) in &screen.numerics {
        if !parameter.is_cuff() && !ARTERIAL.contains(parameter) {
            let values: Vec<Value> = sent(*parameter, *reading).into_iter().collect();
            objects.push(numeric(&values, None, with_labels));
        }
    }
    if ARTERIAL
        .iter()
        .any(|part| screen.numerics.contains_key(part))
    {
        // The order within a compound is not fixed: a real monitor puts the mean first here.
        let values: Vec<Value> = ARTERIAL
            .into_iter()
            .filter_map(|part| sent(part, screen.reading(part)))
            .collect();
        objects.push(numeric(&values, None, with_labels));
    }
    if let Some(state) = screen.cuff {
        cuff(screen, state, with_labels, &mut objects);
    }
    objects
}

fn cuff(screen: &Screen, state: CuffState, with_labels: bool, objects: &mut Vec<Vec<u8>>) {
    let reading = screen.cuff_reading;
    let shown = |parameter: Parameter, number: Option<Decimal>| {
        let told = match (state, number) {
            (CuffState::Failed, _) => Reading::Invalid(Cause::CuffFault),
            (CuffState::Idle | CuffState::Measuring, None) => Reading::Invalid(Cause::NotAvailable),
            (CuffState::Idle | CuffState::Measuring, Some(number)) => Reading::Valid(number),
        };
        let mut value = code(parameter, false).map(|code| value(code, parameter, told))?;
        if state == CuffState::Measuring {
            value.state |= state::MEASURING;
        }
        Some(value)
    };
    let taken_at = reading.map(|reading| reading.civil_ms);
    let pressures: Vec<Value> = [
        shown(Parameter::NibpSys, reading.map(|reading| reading.sys)),
        shown(Parameter::NibpDia, reading.map(|reading| reading.dia)),
        shown(Parameter::NibpMean, reading.map(|reading| reading.mean)),
    ]
    .into_iter()
    .flatten()
    .collect();
    objects.push(numeric(&pressures, taken_at, with_labels));
    if let Some(pulse) = reading.and_then(|reading| reading.pulse) {
        let values: Vec<Value> = shown(Parameter::NibpPr, Some(pulse)).into_iter().collect();
        objects.push(numeric(&values, taken_at, with_labels));
    }
}
