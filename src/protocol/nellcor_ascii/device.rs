//! The device side: an oximeter that prints a line every two seconds, unasked, and a head of three
//! lines before every 25th.

use super::super::device::{Device, DeviceOptions, Screen};
use super::line::MONTHS;
use super::{NOTICES, SLOTS, code, session};
use crate::observation::AlertPhase;
use crate::vocabulary::{Cause, Now, Parameter, Reading};
use std::time::Duration;

/// Lines of data under one head.
const PAGE: u32 = 25;
/// XOFF of the host: stops the printout.
const XOFF: u8 = 0x13;

const HEAD: &str = "N-560    VERSION 1.56.00    CRC:XXXX  SpO2 Limit: 85-100%    PR Limit: 40-170BPM\r\n\
                    ADULT            0SAT-S\r\n\
                    TIME                 %SpO2   BPM     PA     Status\r\n";

/// The registry's way to a device.
pub(super) fn device(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Oximeter {
        printed: 0,
        flow: Flow::Free,
    })
}

/// Whether the host lets it print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Free,
    Stopped,
}

struct Oximeter {
    printed: u32,
    flow: Flow,
}

impl Device for Oximeter {
    fn cadence(&self) -> Duration {
        super::PROTOCOL.cadence
    }

    fn receive(&mut self, _: Now, bytes: &[u8], _: &mut Vec<Vec<u8>>) {
        for byte in bytes {
            match *byte {
                XOFF => self.flow = Flow::Stopped,
                session::XON => self.flow = Flow::Free,
                _ => {}
            }
        }
    }

    fn present(&mut self, _: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        if self.flow == Flow::Stopped {
            return;
        }
        let mut text = String::new();
        if self.printed.is_multiple_of(PAGE) {
            text.push_str(HEAD);
        }
        self.printed = self.printed.wrapping_add(1);
        text.push_str(&line(screen));
        sent.push(text.into_bytes());
    }
}

/// One line of data, in the columns of an N-560.
fn line(screen: &Screen) -> String {
    let spo2 = screen.reading(Parameter::Spo2);
    let codes = codes(screen, spo2);
    let star = |bits: u32| if codes & bits != 0 { '*' } else { ' ' };
    let amplitude = screen
        .reading(Parameter::Pi)
        .value()
        .and_then(|value| value.rounded(1))
        .filter(|value| (0..=254).contains(value) && spo2.value().is_some())
        .map_or_else(|| "---".to_owned(), |value| value.to_string());
    let mut text = format!(
        "{}{:>6}{}{:>7}{}{amplitude:>7}",
        stamp(screen.civil_ms),
        number(spo2, codes),
        star(code::SPO2_HIGH | code::SPO2_LOW),
        number(screen.reading(Parameter::Pr), codes),
        star(code::RATE_HIGH | code::RATE_LOW),
    );
    for (column, bits) in SLOTS {
        // Several codes of one slot follow each other.
        for (name, _) in code::ALL.iter().filter(|(_, bit)| codes & bits & bit != 0) {
            let column = column.max(text.len() + 1);
            text = format!("{text:<column$}{name}");
        }
    }
    format!("{text:<61}\r\n")
}

/// `DD-Mon-YY HH:MM:SS`; the year loses its century.
fn stamp(civil_ms: i64) -> String {
    let civil = jiff::Timestamp::from_millisecond(civil_ms)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC);
    let month = usize::from(civil.month().unsigned_abs()).saturating_sub(1);
    format!(
        "{:02}-{}-{:02} {:02}:{:02}:{:02}",
        civil.day(),
        MONTHS.get(month).unwrap_or(&"Jan"),
        civil.year().rem_euclid(100),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

/// The number as printed: a pulse search prints a zero.
fn number(reading: Reading, codes: u32) -> String {
    if codes & code::PULSE_SEARCH != 0 {
        return "0".to_owned();
    }
    reading
        .value()
        .and_then(|value| value.rounded(0))
        .filter(|value| (0..=300).contains(value))
        .map_or_else(|| "---".to_owned(), |value| value.to_string())
}

/// The codes that go with the saturation and the alarms on the screen; only those with a slot.
fn codes(screen: &Screen, spo2: Reading) -> u32 {
    let sensor = match spo2 {
        Reading::Valid(_) => 0,
        Reading::Questionable(..) => code::MOTION,
        Reading::Invalid(Cause::SensorMissing) => code::SENSOR_DISCONNECTED,
        Reading::Invalid(Cause::ProbeOff) => code::SENSOR_OFF,
        Reading::Invalid(Cause::Searching) => code::PULSE_SEARCH,
        Reading::Invalid(_) => 0,
    };
    let standing = screen
        .alerts
        .iter()
        .filter(|alert| alert.phase != AlertPhase::End);
    standing.fold(sensor, |codes, alert| {
        let known = NOTICES.iter().find(|(_, text)| *text == &*alert.text);
        codes | known.map_or(0, |(bit, _)| *bit)
    })
}
