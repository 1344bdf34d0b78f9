//! The device side: a monitor that answers one question at a time.

use super::super::device::{CuffState, Device, DeviceOptions, Screen};
use super::message::{Question, message};
use crate::vocabulary::{Cause, Decimal, Now, Parameter, Reading};
use std::time::Duration;

/// The registry's way to a device.
pub(super) fn device(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Monitor::default())
}

#[derive(Default)]
struct Monitor {
    line: Vec<u8>,
    screen: Screen,
}

impl Device for Monitor {
    fn cadence(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn receive(&mut self, _: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        for &byte in bytes {
            if byte != b'\r' {
                self.line.push(byte);
                self.line.truncate(16);
                continue;
            }
            let asked = std::mem::take(&mut self.line);
            let question = Question::ALL.into_iter().find(|question| {
                question.bytes().trim_ascii_end().ends_with(&asked) && asked.len() == 5
            });
            replies
                .extend(question.map(|question| message(question.letters(), &self.data(question))));
        }
    }

    fn present(&mut self, _: Now, screen: &Screen, _: &mut Vec<Vec<u8>>) {
        self.screen = screen.clone();
    }
}

impl Monitor {
    fn data(&self, question: Question) -> Vec<u8> {
        match question {
            Question::Cuff => self.cuff(),
            Question::Oximeter => self.oximeter(),
            Question::Rate => self.rate(),
        }
        .into_bytes()
    }

    fn cuff(&self) -> String {
        let state = match self.screen.cuff {
            Some(CuffState::Measuring) => 0,
            Some(CuffState::Failed) => 3,
            Some(CuffState::Idle) | None => 1,
        };
        let Some(reading) = self.screen.cuff_reading else {
            return format!("{state}109999000000000");
        };
        let age = (self.screen.civil_ms - reading.civil_ms).max(0) / 1_000;
        let [sys, dia, mean] = [reading.sys, reading.dia, reading.mean].map(three);
        format!("{state}10{:04}{sys}{dia}{mean}", age.min(5_400))
    }

    fn oximeter(&self) -> String {
        let (state, spo2) = match self.screen.reading(Parameter::Spo2) {
            Reading::Valid(value) | Reading::Questionable(value, _) => (1, three(value)),
            Reading::Invalid(Cause::ProbeOff) => (3, "000".to_owned()),
            Reading::Invalid(Cause::SensorMissing) => (6, "000".to_owned()),
            Reading::Invalid(_) => (0, "000".to_owned()),
        };
        format!("{state}{spo2}708")
    }

    fn rate(&self) -> String {
        let pulse = self.screen.reading(Parameter::Pr).value();
        let cuff = self.screen.cuff_reading.and_then(|reading| reading.pulse);
        match (pulse, cuff) {
            (Some(rate), _) => format!("2{}", three(rate)),
            (None, Some(rate)) => format!("3{}", three(rate)),
            (None, None) => "2-99".to_owned(),
        }
    }
}

fn three(value: Decimal) -> String {
    format!("{:03}", value.rounded(0).unwrap_or_default().clamp(0, 999))
}
