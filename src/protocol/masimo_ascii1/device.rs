//! The device side: an oximeter that prints one line a second, unasked.

use super::super::device::{Device, DeviceOptions, Screen};
use crate::observation::AlertPhase;
use crate::vocabulary::{Cause, Doubt, Now, Parameter, Reading};
use std::time::Duration;

/// The registry's way to a device.
pub(super) fn device(options: &DeviceOptions) -> Box<dyn Device> {
    let digits =
        options.identity.device.as_deref().filter(|serial| {
            serial.len() <= 10 && serial.bytes().all(|byte| byte.is_ascii_digit())
        });
    Box::new(Oximeter {
        serial: digits.map_or_else(|| "-".repeat(10), |digits| format!("{digits:0>10}")),
    })
}

struct Oximeter {
    serial: String,
}

impl Device for Oximeter {
    fn cadence(&self) -> Duration {
        super::PROTOCOL.cadence
    }

    fn receive(&mut self, _: Now, _: &[u8], _: &mut Vec<Vec<u8>>) {}

    fn present(&mut self, _: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let spo2 = screen.reading(Parameter::Spo2);
        let bpm = screen.reading(Parameter::Pr);
        let pi = screen.reading(Parameter::Pi);
        sent.push(
            format!(
                "{} SN={} SPO2={}% BPM={} PI={}% ALARM={:04X} EXC={:06X}\r\n",
                stamp(screen.civil_ms),
                self.serial,
                whole(spo2),
                whole(bpm),
                hundredths(pi),
                alarm(screen),
                exceptions(spo2),
            )
            .into_bytes(),
        );
    }
}

/// `MM/DD/YY HH:MM:SS`; the year loses its century.
fn stamp(civil_ms: i64) -> String {
    let civil = jiff::Timestamp::from_millisecond(civil_ms)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC);
    format!(
        "{:02}/{:02}/{:02} {:02}:{:02}:{:02}",
        civil.month(),
        civil.day(),
        civil.year().rem_euclid(100),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

/// Three digits, as every model prints saturation and rate.
fn whole(reading: Reading) -> String {
    reading
        .value()
        .and_then(|value| value.rounded(0))
        .filter(|value| (0..=999).contains(value))
        .map_or_else(|| "---".to_owned(), |value| format!("{value:03}"))
}

/// `nn.nn`, as every model prints the perfusion index.
fn hundredths(reading: Reading) -> String {
    reading
        .value()
        .and_then(|value| value.rounded(2))
        .filter(|value| (0..=9_999).contains(value))
        .map_or_else(
            || "--.--".to_owned(),
            |value| format!("{:02}.{:02}", value / 100, value % 100),
        )
}

/// The alarms on the screen that this oximeter knows, by their texts.
fn alarm(screen: &Screen) -> u32 {
    let standing = screen
        .alerts
        .iter()
        .filter(|alert| alert.phase != AlertPhase::End);
    standing.fold(0, |bits, alert| {
        let known = super::ALARM_BITS
            .iter()
            .find(|(_, text)| *text == &*alert.text)
            .map_or(0, |(bit, _)| *bit);
        bits | known | super::ANY_ALARM
    })
}

/// The exception bits that go with the saturation on the screen.
fn exceptions(spo2: Reading) -> u32 {
    super::MEASURING
        | match spo2 {
            Reading::Valid(_) => 0,
            Reading::Questionable(_, Doubt::LowPerfusion) => super::LOW_PERFUSION,
            Reading::Questionable(_, Doubt::LowQuality) => super::LOW_SIGNAL,
            Reading::Invalid(cause) => match cause {
                Cause::ProbeOff => super::SENSOR_OFF,
                Cause::SensorMissing => super::NO_SENSOR,
                Cause::SensorFault => super::DEFECTIVE_SENSOR,
                Cause::Searching => super::PULSE_SEARCH,
                Cause::Starting => super::CALIBRATING,
                Cause::Artefact
                | Cause::LowPerfusion
                | Cause::CuffFault
                | Cause::Measuring
                | Cause::NotAvailable
                | Cause::OutOfRange
                | Cause::UnknownUnit
                | Cause::CodeMismatch
                | Cause::Zero
                | Cause::Calibrating
                | Cause::LowQuality
                | Cause::Demo
                | Cause::Test
                | Cause::Setting
                | Cause::Withdrawn
                | Cause::Old
                | Cause::DeviceInvalid => 0,
            },
        }
}
