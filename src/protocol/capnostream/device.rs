//! The device side: a capnograph that is silent until communication is enabled and started.

use super::super::device::{Device, DeviceOptions, Screen};
use super::frame::{Deframer, Piece, encode};
use super::message::{Command, NUMERICS, fast};
use super::numerics::{self, DISCONNECTED, NO_BREATH, NO_PULSE, SENSOR_OFF};
use super::session::CO2_HZ;
use crate::observation::AlertPhase;
use crate::vocabulary::{Cause, Now, Parameter, Reading};
use std::sync::Arc;
use std::time::Duration;

/// No number.
const NONE: u8 = 0xFF;
/// The monitor tells CO2 in mmHg.
const MMHG: u8 = 1;
/// mmHg in one per cent of the simulated room's dry air (760 − 47 mmHg), in hundredths.
const PER_CENT: i64 = 713;

/// The registry's way to a device.
pub(super) fn device(options: &DeviceOptions) -> Box<dyn Device> {
    let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
    Box::new(Capnograph {
        serial: text(&options.identity.device),
        patient: text(&options.identity.patient),
        deframer: Deframer::default(),
        started: false,
        samples: 0,
        co2: 0,
    })
}

struct Capnograph {
    serial: String,
    patient: String,
    deframer: Deframer,
    started: bool,
    /// Samples of the curve sent so far; its low byte is the counter on the wire.
    samples: u32,
    /// The curve's newest sample, 1/256 mmHg.
    co2: u16,
}

impl Device for Capnograph {
    fn cadence(&self) -> Duration {
        Duration::from_secs(1) / CO2_HZ
    }

    fn opened(&mut self, _: Now) {
        self.deframer.reset();
        self.started = false;
    }

    fn receive(&mut self, _: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        let mut commands = Vec::new();
        self.deframer.receive(bytes, |piece| {
            if let Piece::Body(&[code], _) = piece {
                commands.push(code);
            }
        });
        for code in commands {
            if code == Command::Enable.code() {
                let text = format!("V05.02 03/17/2024 B5{:0>8.8}", self.serial);
                replies.push(padded(4, &[], &text, 30));
            } else if code == Command::Start.code() {
                self.started = true;
                let patient = self.patient.clone();
                replies.push(padded(2, &[0; 4], &patient, 24));
            }
        }
    }

    fn present(&mut self, _: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        if !self.started {
            return;
        }
        let curve = screen.waves.iter().find(|chunk| &*chunk.label == "co2");
        if let Some(sample) = curve.and_then(|chunk| chunk.samples.iter().rev().flatten().next()) {
            let counts = i64::from(*sample) * PER_CENT * 256 / 10_000;
            self.co2 = u16::try_from(counts).unwrap_or(0);
        }
        let fast = fast_status(screen.reading(Parameter::Etco2));
        let [high, low] = self.co2.to_be_bytes();
        let [.., counter] = self.samples.to_be_bytes();
        sent.push(encode(&[0, counter, high, low, fast]));
        if self.samples.is_multiple_of(CO2_HZ) {
            sent.push(encode(&seconds(screen)));
        }
        self.samples = self.samples.wrapping_add(1);
    }
}

/// A message of text.
fn padded(code: u8, before: &[u8], text: &str, width: usize) -> Vec<u8> {
    let mut field: Vec<u8> = text.bytes().take(width).collect();
    field.resize(width, if code == 4 { b' ' } else { 0 });
    encode(&[&[code], before, &field].concat())
}

fn number(reading: Reading) -> u8 {
    reading
        .value()
        .and_then(|value| value.rounded(0))
        .and_then(|value| u8::try_from(value).ok())
        .unwrap_or(NONE)
}

/// The numerics of a second.
fn seconds(screen: &Screen) -> [u8; NUMERICS] {
    let [t3, t2, t1, t0] = u32::try_from(screen.civil_ms / 1_000)
        .unwrap_or(0)
        .to_be_bytes();
    let etco2 = number(screen.reading(Parameter::Etco2));
    let rr = number(screen.reading(Parameter::Rr));
    let spo2 = screen.reading(Parameter::Spo2);
    let (mut slow, mut co2, mut oximeter) = (0, 0, oximeter_bits(spo2));
    for alert in screen
        .alerts
        .iter()
        .filter(|alert| alert.phase != AlertPhase::End)
    {
        match numerics::alarm_bit(&alert.text) {
            Some((10, bit)) => slow |= bit,
            Some((14, bit)) => co2 |= bit,
            Some((15, bit)) => oximeter |= bit,
            Some(_) | None => {}
        }
    }
    if rr == 0 {
        co2 |= NO_BREATH;
    }
    let pr = number(screen.reading(Parameter::Pr));
    let fico2 = if etco2 == NONE { NONE } else { 0 };
    [
        1,
        t3,
        t2,
        t1,
        t0,
        etco2,
        fico2,
        rr,
        number(spo2),
        pr,
        slow,
        0,
        0,
        0,
        co2,
        oximeter,
        20,
        60,
        15,
        30,
        5,
        8,
        100,
        85,
        140,
        50,
        MMHG,
        0,
    ]
}

fn oximeter_bits(spo2: Reading) -> u8 {
    match spo2 {
        Reading::Invalid(Cause::ProbeOff) => SENSOR_OFF,
        Reading::Invalid(Cause::SensorMissing) => DISCONNECTED,
        Reading::Invalid(Cause::Searching) => NO_PULSE,
        Reading::Valid(_) | Reading::Questionable(..) | Reading::Invalid(_) => 0,
    }
}

fn fast_status(etco2: Reading) -> u8 {
    match etco2 {
        Reading::Valid(_) | Reading::Questionable(..) => 0,
        Reading::Invalid(Cause::SensorMissing) => fast::INVALID | fast::LINE_OFF,
        Reading::Invalid(Cause::SensorFault) => fast::INVALID | fast::OCCLUSION,
        Reading::Invalid(Cause::Starting) => fast::INVALID | fast::INITIALISING,
        Reading::Invalid(Cause::Calibrating) => fast::INVALID | fast::MAINTENANCE,
        Reading::Invalid(_) => fast::INVALID,
    }
}
