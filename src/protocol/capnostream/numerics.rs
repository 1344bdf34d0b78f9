//! Numerics: what one second says as observations and as the monitor's own alarms.
//!
//! The alarm and status bits are read before the numbers and decide about them.

use super::super::event::{Event, Events};
use super::message::{NUMERICS, fast};
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime, Finding, Observation};
use crate::vocabulary::{Cause, Decimal, Parameter, ParameterId, Priority, Reading, Site, Unit};

/// No number.
const NONE: u8 = 0xFF;

/// CO2 alarm bit: no breath.
pub(super) const NO_BREATH: u8 = 1;
/// Oximeter bit: pulse not found.
pub(super) const NO_PULSE: u8 = 1;
/// Oximeter bit: sensor off the patient.
pub(super) const SENSOR_OFF: u8 = 1 << 5;
/// Oximeter bit: sensor disconnected.
pub(super) const DISCONNECTED: u8 = 1 << 6;
/// Maintenance bit: the CO2 pump is off.
const PUMP_OFF: u8 = 1 << 2;

/// The alarms of the monitor: which byte, which bit, how urgent where the bit says so, what it says.
const ALARMS: &[(usize, u8, Option<Priority>, &str)] = &[
    (
        10,
        1 << 1,
        None,
        "alarms silenced for a while at the monitor",
    ),
    (10, 1 << 2, None, "all alarms silenced at the monitor"),
    (
        10,
        1 << 3,
        Some(Priority::High),
        "a high-priority alarm sounds",
    ),
    (
        10,
        1 << 4,
        Some(Priority::Low),
        "a low-priority alarm sounds",
    ),
    (14, NO_BREATH, Some(Priority::High), "no breath"),
    (14, 1 << 1, None, "EtCO2 above limit"),
    (14, 1 << 2, None, "EtCO2 below limit"),
    (14, 1 << 3, None, "respiration rate above limit"),
    (14, 1 << 4, None, "respiration rate below limit"),
    (14, 1 << 5, None, "FiCO2 above limit"),
    (15, NO_PULSE, None, "pulse not found"),
    (15, 1 << 1, None, "SpO2 above limit"),
    (15, 1 << 2, None, "SpO2 below limit"),
    (15, 1 << 3, None, "pulse rate above limit"),
    (15, 1 << 4, None, "pulse rate below limit"),
    (15, SENSOR_OFF, None, "oximeter sensor off the patient"),
    (15, DISCONNECTED, None, "oximeter sensor disconnected"),
    (27, 1, None, "check the CO2 calibration"),
    (27, 1 << 1, None, "check the CO2 flow"),
    (27, PUMP_OFF, None, "the CO2 pump is off"),
];

/// The bits of an alarm text, for the device side.
pub(super) fn alarm_bit(text: &str) -> Option<(usize, u8)> {
    ALARMS
        .iter()
        .find(|(.., known)| *known == text)
        .map(|(byte, bit, ..)| (*byte, *bit))
}

/// The unit in which the monitor tells CO2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Co2Unit {
    MmHg,
    /// In tenths.
    KiloPascal,
    /// In tenths; without the pressure of the room it cannot be converted.
    VolumePercent,
    Unknown,
}

impl Co2Unit {
    pub(super) const fn of(code: u8) -> Self {
        match code {
            1 => Self::MmHg,
            2 => Self::KiloPascal,
            3 => Self::VolumePercent,
            _ => Self::Unknown,
        }
    }

    /// As text, and places behind the point of the numbers.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::MmHg => "mmHg",
            Self::KiloPascal => "kPa",
            Self::VolumePercent => "%",
            Self::Unknown => "",
        }
    }

    fn read(self, value: u8) -> Reading {
        let converted = match self {
            Self::MmHg => Ok(Decimal::whole(i64::from(value))),
            Self::KiloPascal => {
                let tenths = Decimal::new(i64::from(value), 1);
                Unit::KiloPascal.convert(tenths, Parameter::Etco2)
            }
            Self::VolumePercent | Self::Unknown => Err(Cause::UnknownUnit),
        };
        converted.map_or_else(Reading::Invalid, Reading::Valid)
    }
}

/// What is remembered of the numerics of one link.
#[derive(Debug, Default)]
pub(super) struct Numerics {
    /// The alarm bytes of the last message.
    alarms: Option<[u8; NUMERICS]>,
    /// The fast status of the last sample.
    pub(super) fast: u8,
    /// The oximeter has said something: a monitor without one sends `FF` for ever.
    oximeter: bool,
}

impl Numerics {
    /// Tells what one message says.
    pub(super) fn tell(&mut self, body: &[u8; NUMERICS], events: &mut Events) {
        let [_, t3, t2, t1, t0, etco2, fico2, rr, spo2, pr, ..] = *body;
        let seconds = i64::from(u32::from_be_bytes([t3, t2, t1, t0]));
        let at = DeviceTime::civil(seconds * 1_000);
        let mut push = |mut observation: Observation| {
            observation.measured_at = Some(at);
            observation.message_at = Some(at);
            events.push(Event::Observation(observation));
        };
        let [.., unit, maintenance] = *body;
        let unit = Co2Unit::of(unit);
        let (co2_alarms, oximeter) = (at_byte(body, 14), at_byte(body, 15));

        let no_oximeter = oximeter_cause(oximeter);
        self.oximeter |= no_oximeter.is_some() || spo2 != NONE || pr != NONE;
        let fitted = [(Parameter::Spo2, spo2), (Parameter::Pr, pr)];
        for (parameter, value) in fitted.into_iter().filter(|_| self.oximeter) {
            let reading = match (no_oximeter, value) {
                (Some(cause), _) => Reading::Invalid(cause),
                (None, NONE) => Reading::Invalid(Cause::NotAvailable),
                (None, value) => Reading::Valid(Decimal::whole(i64::from(value))),
            };
            push(Observation::new(parameter, reading));
        }

        let no_co2 = co2_cause(self.fast, maintenance);
        let co2 = |value: u8| match (no_co2, value) {
            (Some(cause), _) => Reading::Invalid(cause),
            (None, NONE) => Reading::Invalid(Cause::NotAvailable),
            (None, value) => unit.read(value),
        };
        let mut breaths = Observation::new(
            Parameter::Rr,
            match (no_co2, rr) {
                (Some(cause), _) => Reading::Invalid(cause),
                (None, NONE) => Reading::Invalid(Cause::NotAvailable),
                (None, rate) => Reading::Valid(Decimal::whole(i64::from(rate))),
            },
        );
        breaths.site = Some(Site::Airway);
        breaths.finding = (co2_alarms & NO_BREATH != 0).then_some(Finding::NoBreath);
        push(breaths);
        push(Observation::new(Parameter::Etco2, co2(etco2)));
        if fico2 != NONE {
            let code = ParameterId::Vendor(format!("{}:fico2", super::PROTOCOL.name).into());
            push(Observation::unknown(code, co2(fico2)));
        }
        self.alerts(body, at, events);
    }

    /// Alarms that began or ended since the last message.
    fn alerts(&mut self, body: &[u8; NUMERICS], at: DeviceTime, events: &mut Events) {
        let before = self.alarms.replace(*body);
        for (byte, bit, priority, text) in ALARMS {
            let stood = before.is_some_and(|before| at_byte(&before, *byte) & bit != 0);
            let phase = match (stood, at_byte(body, *byte) & bit != 0) {
                (false, true) => AlertPhase::Start,
                (true, false) => AlertPhase::End,
                (true, true) | (false, false) => continue,
            };
            events.push(Event::DeviceAlert(DeviceAlert {
                key: format!("{byte}-{bit:02x}").into(),
                priority: *priority,
                phase,
                text: (*text).into(),
                at: Some(at),
            }));
        }
    }
}

/// The vendor's data byte `number`; the body's first byte is the code, so that it is the index as well.
fn at_byte(body: &[u8; NUMERICS], number: usize) -> u8 {
    body.get(number).copied().unwrap_or_default()
}

/// Why the oximeter has no numbers, by its bits.
fn oximeter_cause(bits: u8) -> Option<Cause> {
    [
        (DISCONNECTED, Cause::SensorMissing),
        (SENSOR_OFF, Cause::ProbeOff),
        (NO_PULSE, Cause::Searching),
    ]
    .into_iter()
    .find(|(bit, _)| bits & bit != 0)
    .map(|(_, cause)| cause)
}

/// Why the CO2 part has no numbers, by the fast status and the maintenance bits.
fn co2_cause(status: u8, maintenance: u8) -> Option<Cause> {
    let by_status = [
        (fast::LINE_OFF, Cause::SensorMissing),
        (fast::MALFUNCTION | fast::OCCLUSION, Cause::SensorFault),
        (fast::INITIALISING, Cause::Starting),
        (fast::MAINTENANCE | fast::PURGING, Cause::Calibrating),
    ]
    .into_iter()
    .find(|(bits, _)| status & bits != 0)
    .map(|(_, cause)| cause);
    by_status.or((maintenance & PUMP_OFF != 0).then_some(Cause::NotAvailable))
}
