//! A virtual patient at a monitor with scripted faults.

use super::{Cable, FinishedCuff, Scene};
use crate::protocol::CuffState;
use crate::simulator::patient::{Patient, Vitals};
use crate::vocabulary::{Cause, Decimal, Parameter, Reading};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a cuff measurement takes.
const CUFF_TIME: Duration = Duration::from_secs(30);

/// What is fitted to the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// The finger probe: SpO2, pulse rate, perfusion index.
    Oximeter,
    /// ECG electrodes: heart rate, and breaths by impedance.
    Electrodes,
}

impl Sensor {
    const fn gives(self, parameter: Parameter) -> bool {
        match self {
            Self::Oximeter => {
                matches!(parameter, Parameter::Spo2 | Parameter::Pr | Parameter::Pi)
            }
            Self::Electrodes => matches!(parameter, Parameter::Hr | Parameter::Rr),
        }
    }
}

/// A time in which a sensor gives no numbers.
#[derive(Clone, Copy, Debug)]
pub struct SensorFault {
    /// Which sensor.
    pub sensor: Sensor,
    /// What the monitor says instead.
    pub cause: Cause,
    /// From when.
    pub from: Duration,
    /// For how long.
    pub hold: Duration,
}

/// A time in which the cable is not in order.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// How.
    pub cable: Cable,
    /// From when.
    pub from: Duration,
    /// For how long.
    pub hold: Duration,
}

/// When the cuff measures.
#[derive(Clone, Debug, Default)]
pub struct CuffPlan {
    /// Starts of measurements, rising, at least half a minute apart.
    pub starts: Vec<Duration>,
    /// After the last of these, a measurement every so often.
    pub every: Option<Duration>,
    /// Which measurements fail, counted from zero.
    pub failing: Vec<usize>,
}

/// One measurement: which, and when it started.
#[derive(Clone, Copy)]
struct Measurement {
    number: usize,
    start: Duration,
}

impl CuffPlan {
    /// A measurement every so often, the first at `first`.
    pub fn periodic(first: Duration, every: Duration) -> Self {
        Self {
            starts: vec![first],
            every: Some(every),
            failing: Vec::new(),
        }
    }

    /// The last measurement that started at or before `at`.
    fn last_started(&self, at: Duration) -> Option<Measurement> {
        let listed = self.starts.partition_point(|start| *start <= at);
        let number = listed.checked_sub(1)?;
        let start = *self.starts.get(number)?;
        let Some(every) = self.every.filter(|every| !every.is_zero()) else {
            return Some(Measurement { number, start });
        };
        if listed < self.starts.len() {
            return Some(Measurement { number, start });
        }
        let more = at.saturating_sub(start).as_nanos() / every.as_nanos();
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        Some(Measurement {
            number: number.saturating_add(usize::try_from(more).unwrap_or(usize::MAX)),
            start: start.saturating_add(every.saturating_mul(more)),
        })
    }

    fn state(&self, at: Duration) -> CuffState {
        match self.last_started(at) {
            None => CuffState::Idle,
            Some(last) if at < last.start.saturating_add(CUFF_TIME) => CuffState::Measuring,
            Some(last) if self.failing.contains(&last.number) => CuffState::Failed,
            Some(_) => CuffState::Idle,
        }
    }

    /// When the last measurement that succeeded came to its end.
    fn last_finished(&self, at: Duration) -> Option<Duration> {
        let mut before = at.checked_sub(CUFF_TIME)?;
        loop {
            let last = self.last_started(before)?;
            if !self.failing.contains(&last.number) {
                return Some(last.start.saturating_add(CUFF_TIME));
            }
            before = last.start.checked_sub(Duration::from_nanos(1))?;
        }
    }
}

/// A virtual patient at a monitor.
#[derive(Clone, Debug)]
pub struct Script {
    /// The patient.
    pub patient: Patient,
    /// When the cuff measures.
    pub cuff: CuffPlan,
    /// When sensors give nothing.
    pub faults: Vec<SensorFault>,
    /// When the cable is not in order.
    pub outages: Vec<Outage>,
}

impl Script {
    /// A patient with a cuff, and nothing that goes wrong.
    pub const fn new(patient: Patient, cuff: CuffPlan) -> Self {
        Self {
            patient,
            cuff,
            faults: Vec::new(),
            outages: Vec::new(),
        }
    }

    /// The same script with a sensor that gives nothing for a while.
    pub fn with_fault(mut self, fault: SensorFault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The same script with a cable out of order for a while.
    pub fn with_outage(mut self, outage: Outage) -> Self {
        self.outages.push(outage);
        self
    }

    /// The cable at `at`.
    pub fn cable(&self, at: Duration) -> Cable {
        self.outages
            .iter()
            .find(|outage| within(at, outage.from, outage.hold))
            .map_or(Cable::In, |outage| outage.cable)
    }

    /// The scene at `at`.
    pub fn at(&self, at: Duration) -> Scene {
        let mut numerics = numerics(&self.patient.vitals(at));
        for fault in &self.faults {
            if within(at, fault.from, fault.hold) {
                for (parameter, reading) in &mut numerics {
                    if fault.sensor.gives(*parameter) {
                        *reading = Reading::Invalid(fault.cause);
                    }
                }
            }
        }
        Scene {
            numerics,
            cuff: Some(self.cuff.state(at)),
            cuff_reading: self.cuff.last_finished(at).map(|at| self.measure(at)),
            cable: self.cable(at),
        }
    }

    /// What the cuff found at the end of a measurement.
    fn measure(&self, at: Duration) -> FinishedCuff {
        let vitals = self.patient.vitals(at);
        FinishedCuff {
            at,
            sys: shown(vitals.systolic, 0),
            dia: shown(vitals.diastolic, 0),
            mean: shown(vitals.mean_pressure(), 0),
            pulse: Some(shown(vitals.heart_rate, 0)),
        }
    }
}

fn within(at: Duration, from: Duration, hold: Duration) -> bool {
    at.checked_sub(from).is_some_and(|since| since < hold)
}

/// The continuous numerics that a monitor shows of these signs.
fn numerics(vitals: &Vitals) -> BTreeMap<Parameter, Reading> {
    [
        (Parameter::Hr, vitals.heart_rate),
        (Parameter::Pr, vitals.heart_rate),
        (Parameter::Spo2, vitals.saturation),
        (Parameter::Pi, vitals.perfusion),
        (Parameter::Rr, vitals.breaths),
        (Parameter::Etco2, vitals.carbon_dioxide),
        (Parameter::Temp, vitals.temperature),
    ]
    .into_iter()
    .map(|(parameter, value)| (parameter, Reading::Valid(shown(value, parameter.places()))))
    .collect()
}

/// The number on the screen. A finite number of ordinary size always prints as a decimal.
fn shown(value: f64, places: u8) -> Decimal {
    let text = format!("{value:.*}", usize::from(places));
    Decimal::parse(text.as_bytes()).unwrap_or(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn script() -> Script {
        Script::new(
            Patient::new(80.0, Vitals::RESTING, 3),
            CuffPlan {
                starts: vec![MINUTE, 3 * MINUTE, 5 * MINUTE],
                every: Some(10 * MINUTE),
                failing: vec![1, 3],
            },
        )
    }

    #[test]
    fn the_cuff_measures_fails_and_keeps_its_last_good_reading() {
        let script = script();
        // (second, state, end of the last good reading)
        for (second, state, finished) in [
            (0, CuffState::Idle, None),
            (59, CuffState::Idle, None),
            (60, CuffState::Measuring, None),
            (89, CuffState::Measuring, None),
            (90, CuffState::Idle, Some(90)),
            (181, CuffState::Measuring, Some(90)),
            (210, CuffState::Failed, Some(90)),
            (299, CuffState::Failed, Some(90)),
            (300, CuffState::Measuring, Some(90)),
            (330, CuffState::Idle, Some(330)),
            (899, CuffState::Idle, Some(330)),
            (930, CuffState::Failed, Some(330)),
            (1_530, CuffState::Idle, Some(1_530)),
            (2_130, CuffState::Idle, Some(2_130)),
        ] {
            let scene = script.at(Duration::from_secs(second));
            assert_eq!(scene.cuff, Some(state), "at {second}");
            let at = scene.cuff_reading.map(|reading| reading.at.as_secs());
            assert_eq!(at, finished, "at {second}");
        }
    }

    #[test]
    fn a_finished_reading_never_changes() {
        let script = script();
        let first = script.at(Duration::from_secs(90)).cuff_reading;
        for second in 91..330 {
            assert_eq!(script.at(Duration::from_secs(second)).cuff_reading, first);
        }
        let reading = first.unwrap();
        assert!(reading.sys > reading.mean && reading.mean > reading.dia);
    }

    #[test]
    fn a_fault_takes_what_its_sensor_gives_and_nothing_else() {
        let script = script().with_fault(SensorFault {
            sensor: Sensor::Oximeter,
            cause: Cause::ProbeOff,
            from: MINUTE,
            hold: MINUTE,
        });
        let lost = script.at(90 * Duration::from_secs(1)).numerics;
        for parameter in [Parameter::Spo2, Parameter::Pr, Parameter::Pi] {
            assert_eq!(lost[&parameter], Reading::Invalid(Cause::ProbeOff));
        }
        assert!(lost[&Parameter::Hr].value().is_some());
        let back = script.at(2 * MINUTE).numerics;
        assert!(back[&Parameter::Spo2].value().is_some());
    }

    #[test]
    fn numbers_have_the_places_of_a_screen() {
        let scene = script().at(MINUTE);
        for (parameter, reading) in scene.numerics {
            assert_eq!(reading.value().unwrap().scale(), parameter.places());
        }
    }
}
