//! The device sides: an oximeter that streams unasked (V5), and one that streams while it is asked
//! to (V7).

use super::super::device::{Device, DeviceOptions, Screen};
use super::seven::{self, COMMAND};
use super::{NO_RATE, NO_SIGNAL, NO_SPO2, NOTICES, UNKNOWN_SIGNAL, five};
use crate::observation::AlertPhase;
use crate::vocabulary::{Cause, Moment, Now, Parameter, Reading};
use std::time::Duration;

/// A tenth of a second.
const CADENCE: Duration = Duration::from_millis(100);
/// Groups in it.
const GROUPS: usize = 6;
/// A good signal.
const STRENGTH: u8 = 6;
/// Beside its values the group has a bar, half as high as the pleth is seldom.
const BAR: u8 = 5;
/// The stream stops so long after the last start or keep-alive.
const KEPT_ALIVE: Duration = Duration::from_secs(10);

/// The registry's way to a device with V5.
pub(super) fn v5(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Five)
}

/// The registry's way to a device with V7.
pub(super) fn v7(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Seven {
        heard: Vec::new(),
        until: None,
    })
}

/// What is on the screen, in the words of both protocols.
#[derive(Clone, Copy)]
struct Shown {
    cause: Option<Cause>,
    strength: u8,
    spo2: u8,
    rate: u8,
    /// Hundredths of a per cent.
    index: Option<u16>,
    is_falling: bool,
}

impl Shown {
    fn of(screen: &Screen) -> Self {
        let spo2 = screen.reading(Parameter::Spo2);
        let cause = spo2.cause().filter(|_| spo2.value().is_none());
        let strength = match spo2 {
            Reading::Valid(_) => STRENGTH,
            Reading::Questionable(..) => UNKNOWN_SIGNAL,
            Reading::Invalid(Cause::LowPerfusion) => NO_SIGNAL,
            Reading::Invalid(_) => STRENGTH,
        };
        let number = |parameter, most: u8, none| {
            screen
                .reading(parameter)
                .value()
                .and_then(|value| value.rounded(0))
                .and_then(|value| u8::try_from(value).ok())
                .filter(|value| *value <= most)
                .unwrap_or(none)
        };
        let index = screen.reading(Parameter::Pi).value();
        let index = index
            .and_then(|index| index.rounded(2))
            .and_then(|index| u16::try_from(index).ok())
            .filter(|index| *index < u16::MAX);
        let is_falling = screen.alerts.iter().any(|alert| {
            alert.phase != AlertPhase::End && NOTICES.iter().any(|(_, text)| *text == &*alert.text)
        });
        Self {
            cause,
            strength,
            spo2: number(Parameter::Spo2, 100, NO_SPO2),
            rate: number(Parameter::Pr, NO_RATE - 1, NO_RATE),
            index,
            is_falling,
        }
    }

    fn five(self, pleth: u8) -> [u8; five::GROUP] {
        let mut first = five::FIRST | self.strength;
        let mut third = BAR | ((self.rate & 0x80) >> 1);
        if self.is_falling {
            first |= five::DROPPING;
        }
        match self.cause {
            Some(Cause::ProbeOff) => first |= five::FINGER_OUT,
            Some(Cause::SensorFault) => third |= five::PROBE_ERROR,
            Some(Cause::Searching) => third |= five::SEARCHING,
            Some(_) | None => {}
        }
        [first, pleth, third, self.rate & 0x7F, self.spo2]
    }

    fn seven(self, pleth: u8) -> [u8; seven::PACKET] {
        let mut second = self.strength;
        let mut third = pleth;
        if self.is_falling {
            second |= seven::LOW_SPO2;
        }
        match self.cause {
            Some(Cause::ProbeOff) => second |= seven::FINGER_OUT,
            Some(Cause::Searching) => third |= seven::SEARCHING,
            Some(_) | None => {}
        }
        let no_index = if self.index.is_none() {
            seven::NO_INDEX
        } else {
            0
        };
        let [low, high] = self.index.unwrap_or(u16::MAX).to_le_bytes();
        seven::write([
            second,
            third,
            BAR | no_index,
            self.rate,
            self.spo2,
            low,
            high,
        ])
    }
}

/// The samples of the screen's pleth that the next groups carry; none is sent as 0.
fn pleth(screen: &Screen) -> [u8; GROUPS] {
    let chunk = screen.waves.iter().find(|chunk| &*chunk.label == "pleth");
    let mut samples = [0; GROUPS];
    for (place, free) in samples.iter_mut().enumerate() {
        *free = chunk
            .and_then(|chunk| chunk.samples.get(place * chunk.samples.len() / GROUPS))
            .and_then(|sample| u8::try_from(sample.unwrap_or(0).clamp(0, 127)).ok())
            .unwrap_or(0);
    }
    samples
}

struct Five;

impl Device for Five {
    fn cadence(&self) -> Duration {
        CADENCE
    }

    fn receive(&mut self, _: Now, _: &[u8], _: &mut Vec<Vec<u8>>) {}

    fn present(&mut self, _: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        let shown = Shown::of(screen);
        let groups = pleth(screen).map(|pleth| shown.five(pleth));
        sent.push(groups.as_flattened().to_vec());
    }
}

struct Seven {
    /// The last bytes of the host, no more than a command.
    heard: Vec<u8>,
    until: Option<Moment>,
}

impl Device for Seven {
    fn cadence(&self) -> Duration {
        CADENCE
    }

    fn opened(&mut self, _: Now) {
        self.heard.clear();
    }

    fn receive(&mut self, now: Now, bytes: &[u8], _: &mut Vec<Vec<u8>>) {
        for &byte in bytes {
            // Every command begins with its only byte below 80.
            if byte & 0x80 == 0 {
                self.heard.clear();
            }
            if self.heard.len() < COMMAND {
                self.heard.push(byte);
            }
            let is_start = self.heard == seven::START;
            let is_kept_alive = self.heard == seven::KEEP_ALIVE && self.streams(now);
            if is_start || is_kept_alive {
                self.until = Some(now.moment.after(KEPT_ALIVE));
            }
        }
    }

    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        if self.streams(now) {
            let shown = Shown::of(screen);
            let packets = pleth(screen).map(|pleth| shown.seven(pleth));
            sent.push(packets.as_flattened().to_vec());
        }
    }
}

impl Seven {
    fn streams(&self, now: Now) -> bool {
        self.until.is_some_and(|until| now.moment < until)
    }
}
