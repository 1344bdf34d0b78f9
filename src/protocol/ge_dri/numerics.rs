//! Numerics: what the groups of a basic record say as observations.
//!
//! Status is read before the value, and validity belongs to each value, not to its group (in a real
//! capture saturation stays valid for 55 s while its pulse rate has no number). A group says nothing
//! until it has measured once on this link: a module that is fitted and unused is not a source.

use super::super::event::{Event, Events};
use super::basic::{self, Basic, Group};
use super::cuff::{Cuff, CuffMemory};
use super::labels::{self, RateSource};
use crate::observation::{DeviceTime, Finding, Observation, check_pressure_pair};
use crate::vocabulary::{Cause, Decimal, Doubt, Parameter, ParameterId, Reading, Site};

/// ECG status bit: asystole.
pub(super) const ASYSTOLE: u32 = 1 << 2;
/// ECG status bits: noise, artefact.
pub(super) const ECG_DOUBT: u32 = 1 << 7 | 1 << 8;
/// ECG status bit: learning.
pub(super) const LEARNING: u32 = 1 << 9;
/// ECG status bits: a channel is off.
pub(super) const CHANNEL_OFF: u32 = 0b111 << 11;

/// CO2 status bit: apnoea.
pub(super) const APNOEA: u32 = 1 << 2;
/// CO2 status bits: calibrating, zeroing.
pub(super) const CO2_CALIBRATING: u32 = 1 << 3 | 1 << 4;
/// CO2 status bit: occlusion.
pub(super) const OCCLUSION: u32 = 1 << 5;
/// CO2 status bit: air leak.
pub(super) const AIR_LEAK: u32 = 1 << 6;
/// CO2 status bit: apnoea found by impedance.
pub(super) const IMPEDANCE_APNOEA: u32 = 1 << 7;
/// CO2 status bit: the apnoea alarm is off, and the apnoea bits mean nothing.
pub(super) const APNOEA_OFF: u32 = 1 << 8;
/// CO2 label bits: source of the respiration rate.
const RR_SOURCE: u16 = 0b111;
/// CO2 label: the rate is the impedance rate.
const RR_FROM_IMPEDANCE: u16 = 2;

/// Vapour pressure of water at body temperature, 1/10 mmHg.
pub(super) const WATER_VAPOUR: i64 = 470;
/// Ambient pressures that exist where people are, 1/10 mmHg.
const AMBIENT: std::ops::RangeInclusive<i64> = 3_000..=9_000;

/// The two times of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When the values were measured: the subrecord's.
    pub(super) measured: DeviceTime,
    /// When the record was sent: the header's.
    pub(super) sent: DeviceTime,
}

/// Whether something has measured before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    Never,
    Once,
}

impl Seen {
    /// Takes the present state into account; true when the source has ever measured.
    const fn or_now(&mut self, active: bool) -> bool {
        if active {
            *self = Self::Once;
        }
        matches!(self, Self::Once)
    }
}

/// What the session remembers of the numerics.
#[derive(Debug, Default)]
pub(super) struct Numerics {
    pub(super) cuff: CuffMemory,
    hr: Seen,
    spo2: Seen,
    nibp: Seen,
    impedance: Seen,
    co2: Seen,
    pressures: [Seen; 6],
    temperatures: [Seen; 4],
}

/// Where observations go, with the times that they carry.
struct Sink<'a> {
    times: Times,
    events: &'a mut Events,
}

impl Sink<'_> {
    fn push(&mut self, mut observation: Observation) {
        observation.measured_at = Some(self.times.measured);
        self.push_with_own_time(observation);
    }

    fn push_with_own_time(&mut self, mut observation: Observation) {
        observation.message_at = Some(self.times.sent);
        self.events.push(Event::Observation(observation));
    }

    fn vendor(&mut self, code: &str, value: i16, places: u8) {
        if let Ok(value) = number(value, places) {
            let code = ParameterId::Vendor(format!("{}:{code}", super::PROTOCOL.name).into());
            self.push(Observation::unknown(code, Reading::Valid(value)));
        }
    }
}

impl Numerics {
    /// Tells what one basic record says.
    pub(super) fn tell(&mut self, basic: &Basic, times: Times, events: &mut Events) {
        let mut sink = Sink { times, events };
        self.ecg_and_pleth(basic, &mut sink);
        self.invasive(basic, &mut sink);
        self.cuff(basic, &mut sink);
        self.respiration(basic, &mut sink);
        self.temperature(basic, &mut sink);
    }

    fn ecg_and_pleth(&mut self, basic: &Basic, sink: &mut Sink<'_>) {
        let [hr, ..] = basic.ecg.values;
        let source = RateSource::of(basic.ecg.status);
        let asystole = basic.ecg.is_active() && basic.ecg.status & ASYSTOLE != 0;
        let from_ecg = basic.ecg.is_active() && source == RateSource::Ecg;
        let measures = from_ecg && number(hr, 0).is_ok();
        if self.hr.or_now(measures || asystole) {
            let reading = if from_ecg || asystole {
                heart_rate(basic.ecg.status, hr)
            } else {
                Reading::Invalid(Cause::NotAvailable)
            };
            let mut observation = Observation::new(Parameter::Hr, reading);
            observation.finding = asystole.then_some(Finding::Asystole);
            sink.push(observation);
        }

        let [spo2, pr, amplitude, _] = basic.spo2.values;
        let active = basic.spo2.is_active();
        if self.spo2.or_now(active) {
            let spo2 = Observation::new(Parameter::Spo2, reading(active, spo2, 2));
            sink.push(spo2);
            // The screen's heart rate may come from the pleth: then it is a pulse rate.
            let mut pulse = reading(active, pr, 0);
            if pulse.value().is_none() && basic.ecg.is_active() && source == RateSource::Pleth {
                pulse = reading(true, hr, 0);
            }
            sink.push(Observation::new(Parameter::Pr, pulse));
            if active {
                sink.vendor("ir-amplitude", amplitude, 2);
            }
        } else if basic.ecg.is_active() && source == RateSource::Pleth {
            sink.push(Observation::new(Parameter::Pr, reading(true, hr, 0)));
        }
    }

    fn invasive(&mut self, basic: &Basic, sink: &mut Sink<'_>) {
        let mut arterial = false;
        let channels = basic.pressures.iter().zip(&mut self.pressures);
        for (channel, (group, seen)) in (1..).zip(channels) {
            let active = group.is_active();
            if !seen.or_now(active) {
                continue;
            }
            let [sys, dia, mean, rate] = group.values;
            if labels::is_arterial(group.label) && !arterial {
                arterial = true;
                let mut sys = Observation::new(Parameter::ArtSys, reading(active, sys, 2));
                let mut dia = Observation::new(Parameter::ArtDia, reading(active, dia, 2));
                check_pressure_pair(&mut sys, &mut dia);
                sink.push(sys);
                sink.push(dia);
                sink.push(Observation::new(
                    Parameter::ArtMean,
                    reading(active, mean, 2),
                ));
                sink.push(Observation::new(Parameter::ArtPr, reading(active, rate, 0)));
            } else if active {
                for (name, value, places) in [
                    ("sys", sys, 2),
                    ("dia", dia, 2),
                    ("mean", mean, 2),
                    ("rate", rate, 0),
                ] {
                    sink.vendor(&format!("p{channel}-{name}"), value, places);
                }
            }
        }
    }

    fn cuff(&mut self, basic: &Basic, sink: &mut Sink<'_>) {
        let group = &basic.nibp;
        if !self.nibp.or_now(group.is_active()) {
            return;
        }
        let [sys, dia, mean, rate] = group.values;
        let has_numbers = [sys, dia, mean]
            .iter()
            .any(|value| number(*value, 2).is_ok());
        let state = if group.is_active() {
            self.cuff.judge(group, has_numbers, sink.times.measured)
        } else {
            Cuff::None
        };
        let told = |value: i16, places: u8| match state {
            Cuff::Reading(_) => reading(true, value, places),
            Cuff::Measuring => Reading::Invalid(Cause::Measuring),
            Cuff::Calibrating => Reading::Invalid(Cause::Calibrating),
            Cuff::Failed => Reading::Invalid(Cause::CuffFault),
            Cuff::Old => Reading::Invalid(Cause::Old),
            Cuff::None => reading(group.is_active(), value, places),
        };
        let measured_at = match state {
            Cuff::Reading(at) => Some(at),
            Cuff::Old => None,
            Cuff::Measuring | Cuff::Calibrating | Cuff::Failed | Cuff::None => {
                Some(sink.times.measured)
            }
        };
        let mut sys = Observation::new(Parameter::NibpSys, told(sys, 2));
        let mut dia = Observation::new(Parameter::NibpDia, told(dia, 2));
        check_pressure_pair(&mut sys, &mut dia);
        let mean = Observation::new(Parameter::NibpMean, told(mean, 2));
        let rate = Some(Observation::new(Parameter::NibpPr, told(rate, 0)))
            .filter(|rate| rate.reading.value().is_some());
        for mut observation in [sys, dia, mean].into_iter().chain(rate) {
            observation.measured_at = measured_at;
            sink.push_with_own_time(observation);
        }
    }

    /// One record may hold two respiration rates. Both are told when both have a number; otherwise the
    /// one that has, so that a source that is switched off does not blank the other.
    fn respiration(&mut self, basic: &Basic, sink: &mut Sink<'_>) {
        let [et, _, airway, ambient] = basic.co2.values;
        let [.., impedance] = basic.ecg.values;
        let status = basic.co2.status;
        let co2_active = basic.co2.is_active();
        let ecg_active = basic.ecg.is_active();
        let no_breath = |bit: u32| {
            let alarms = co2_active && status & APNOEA_OFF == 0;
            (alarms && status & bit != 0).then_some(Finding::NoBreath)
        };
        let rate = |reading, site, finding| {
            let mut rate = Observation::new(Parameter::Rr, reading);
            rate.site = Some(site);
            rate.finding = finding;
            rate
        };

        let mut rates = Vec::new();
        let own_impedance = self
            .impedance
            .or_now(ecg_active && number(impedance, 0).is_ok());
        if self.co2.or_now(co2_active) {
            let etco2 = gas(&basic.co2, || partial_pressure(et, ambient));
            sink.push(Observation::new(Parameter::Etco2, etco2));
            let breath = gas(&basic.co2, || number(airway, 0));
            if basic.co2.label & RR_SOURCE != RR_FROM_IMPEDANCE {
                rates.push(rate(breath, Site::Airway, no_breath(APNOEA)));
            } else if !own_impedance {
                rates.push(rate(breath, Site::Impedance, no_breath(APNOEA)));
            }
        }
        if own_impedance {
            let reading = reading(ecg_active, impedance, 0);
            rates.push(rate(reading, Site::Impedance, no_breath(IMPEDANCE_APNOEA)));
        }
        let speaks = |rate: &Observation| rate.reading.value().is_some() || rate.finding.is_some();
        if rates.iter().any(speaks) {
            rates.retain(speaks);
        } else {
            rates.truncate(1);
        }
        for rate in rates {
            sink.push(rate);
        }
    }

    fn temperature(&mut self, basic: &Basic, sink: &mut Sink<'_>) {
        let channels = basic.temperatures.iter().zip(&mut self.temperatures);
        for (channel, (group, seen)) in (1..).zip(channels) {
            let [value] = group.values;
            let active = group.is_active();
            if !seen.or_now(active) {
                continue;
            }
            match labels::temperature_site(group.label) {
                Some(site) => {
                    let mut temp = Observation::new(Parameter::Temp, reading(active, value, 2));
                    temp.site = site;
                    sink.push(temp);
                }
                None => sink.vendor(&format!("t{channel}-not-of-the-body"), value, 2),
            }
        }
    }
}

/// The number in units of `1 / 10^places`, or why there is none.
fn number(value: i16, places: u8) -> Result<Decimal, Cause> {
    match value {
        basic::LOWEST_NUMBER.. => Ok(Decimal::new(i64::from(value), places)),
        basic::UNDER_RANGE | basic::OVER_RANGE => Err(Cause::OutOfRange),
        basic::NOT_CALIBRATED => Err(Cause::Calibrating),
        _ => Err(Cause::NotAvailable),
    }
}

fn reading(active: bool, value: i16, places: u8) -> Reading {
    match number(value, places) {
        _ if !active => Reading::Invalid(Cause::NotAvailable),
        Ok(value) => Reading::Valid(value),
        Err(cause) => Reading::Invalid(cause),
    }
}

/// A heart rate from the ECG under its status bits. A zero is never a rate; it means something beside
/// the asystole bit only.
fn heart_rate(status: u32, hr: i16) -> Reading {
    let doubtful = status & ECG_DOUBT != 0;
    match number(hr, 0) {
        Ok(value) if value.is_zero() && status & ASYSTOLE == 0 && status & LEARNING != 0 => {
            Reading::Invalid(Cause::Starting)
        }
        Ok(value) if doubtful => Reading::Questionable(value, Doubt::LowQuality),
        Ok(value) => Reading::Valid(value),
        Err(_) if status & CHANNEL_OFF != 0 => Reading::Invalid(Cause::ProbeOff),
        Err(_) if status & LEARNING != 0 => Reading::Invalid(Cause::Starting),
        Err(_) if doubtful => Reading::Invalid(Cause::Artefact),
        Err(cause) => Reading::Invalid(cause),
    }
}

/// A value of the gas module under its status bits.
fn gas(group: &Group<4>, value: impl Fn() -> Result<Decimal, Cause>) -> Reading {
    if !group.is_active() {
        return Reading::Invalid(Cause::NotAvailable);
    }
    if group.status & CO2_CALIBRATING != 0 {
        return Reading::Invalid(Cause::Calibrating);
    }
    if group.status & OCCLUSION != 0 {
        return Reading::Invalid(Cause::SensorFault);
    }
    match value() {
        Ok(value) if group.status & AIR_LEAK != 0 => {
            Reading::Questionable(value, Doubt::LowQuality)
        }
        Ok(value) => Reading::Valid(value),
        Err(cause) => Reading::Invalid(cause),
    }
}

/// End-tidal CO2 in mmHg: per cent of the dry gas pressure, rounded half up to one place. The record
/// does not say which formula the monitor uses for its own screen (grade C).
fn partial_pressure(et: i16, ambient: i16) -> Result<Decimal, Cause> {
    let percent = number(et, 2)?;
    number(ambient, 1)?;
    let ambient = i64::from(ambient);
    if !AMBIENT.contains(&ambient) {
        return Err(Cause::NotAvailable);
    }
    percent
        .times(Decimal::new(ambient - WATER_VAPOUR, 3))
        .map(|mmhg| mmhg.with_places(1))
        .ok_or(Cause::OutOfRange)
}
