//! The device side: a monitor that sends numerics for half a minute after each request.

use super::super::device::{Device, DeviceOptions, Screen};
use super::packet::{Block, Packet};
use super::session::{REQUEST_BYTES, kind};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading};
use std::time::Duration;

/// How long a request is remembered.
const ASKED: Duration = Duration::from_secs(30);
/// Function and sub-function of the request.
const REQUEST: [u8; 4] = [0x00, 0xCA, 0x00, 0x60];
/// The value that stands for *missing*.
const MISSING: i16 = -32_767;

/// The registry's way to a device.
pub(super) fn device(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Monitor::default())
}

#[derive(Default)]
struct Monitor {
    /// Bytes of a request that came in pieces.
    request: Vec<u8>,
    until: Option<Moment>,
    sequence: u16,
}

impl Device for Monitor {
    fn cadence(&self) -> Duration {
        super::PROTOCOL.cadence
    }

    fn opened(&mut self, _: Now) {
        self.request.clear();
        self.until = None;
    }

    fn receive(&mut self, now: Now, bytes: &[u8], _: &mut Vec<Vec<u8>>) {
        for &byte in bytes {
            self.request.push(byte);
            if self.request.len() == REQUEST_BYTES {
                if self.request.get(12..16) == Some(REQUEST.as_slice()) {
                    self.until = Some(now.moment.after(ASKED));
                }
                self.request.clear();
            }
        }
    }

    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        if self.until.is_none_or(|until| now.moment >= until) {
            return;
        }
        let value = |parameter| number(screen.reading(parameter));
        let pressures = screen.cuff_reading.map_or([MISSING; 3], |reading| {
            [reading.mean, reading.sys, reading.dia].map(whole)
        });
        let block = |kind, code, values| Block { kind, code, values };
        let packet = Packet {
            alarm_state: 0,
            alarm_level: 0,
            blocks: vec![
                block(kind::ECG, 0x3A, [value(Parameter::Hr), 0, MISSING]),
                block(
                    kind::RESPIRATION,
                    0x22,
                    [value(Parameter::Rr), MISSING, MISSING],
                ),
                block(
                    kind::OXIMETER,
                    0x2D,
                    [value(Parameter::Spo2), value(Parameter::Pr), MISSING],
                ),
                block(kind::CUFF, 0x18, pressures),
            ],
        };
        sent.push(packet.write(self.sequence));
        self.sequence = self.sequence.wrapping_add(1);
    }
}

fn whole(value: Decimal) -> i16 {
    value
        .rounded(0)
        .and_then(|value| i16::try_from(value).ok())
        .unwrap_or(MISSING)
}

fn number(reading: Reading) -> i16 {
    match reading {
        Reading::Valid(value) | Reading::Questionable(value, _) => whole(value),
        Reading::Invalid(Cause::Searching) => -32_762,
        Reading::Invalid(Cause::SensorFault) => -32_761,
        Reading::Invalid(_) => -32_768,
    }
}
