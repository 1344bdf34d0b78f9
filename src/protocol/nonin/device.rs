//! The device sides: modules that send their format, and an oximeter that prints, all unasked.

use super::super::device::{Device, DeviceOptions, Screen};
use super::group::Group;
use super::numbers::{NO_RATE, NO_SPO2, Numbers, Sensor};
use super::packet::{self, FRAMES, Frame, Layout, place};
use super::record::{Measurement, Record, Status};
use crate::observation::{AlertPhase, DeviceTime};
use crate::vocabulary::{Cause, Decimal, Doubt, Now, Parameter, Reading};
use std::time::Duration;

/// One packet: a third of a second.
const PACKET: Duration = Duration::from_micros(333_333);
/// So often somebody takes a spot check of the simulated patient.
const SPOT_CHECK: Duration = Duration::from_secs(10);
/// Packets for which the display values are held after the finger has left (10 s).
const HELD: u32 = 30;
/// Frames of each packet in which the perfusion bits are up.
const PULSE_FRAMES: usize = 12;

/// The registry's way to a module with format 2.
pub(super) fn df2(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Module::new(Speech::Packets(Layout::Df2)))
}

/// The registry's way to a module with format 7.
pub(super) fn df7(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Module::new(Speech::Packets(Layout::Df7)))
}

/// The registry's way to a module with format 8.
pub(super) fn df8(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Module::new(Speech::Groups))
}

/// The registry's way to a device with format 13.
pub(super) fn df13(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Module::new(Speech::Records))
}

/// The registry's way to an oximeter that prints.
pub(super) fn ascii(_: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Module::new(Speech::Lines))
}

/// What a module sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Packets(Layout),
    Groups,
    Records,
    Lines,
}

struct Module {
    speech: Speech,
    /// The numbers that the display holds, and for how many more presentations.
    held: Option<(Numbers, u32)>,
}

impl Module {
    const fn new(speech: Speech) -> Self {
        Self { speech, held: None }
    }

    /// What the module shows of this screen. Without a finger the last numbers stay for 10 s, under
    /// artefacts for as long as they last.
    fn numbers(&mut self, screen: &Screen) -> Numbers {
        let now = numbers(screen);
        match (now.sensor, self.held) {
            (Sensor::Measuring, _) => {
                if now.spo2 != NO_SPO2 {
                    self.held = Some((now, self.hold()));
                }
                now
            }
            (Sensor::OutOfTrack, Some((held, _))) => Numbers {
                sensor: now.sensor,
                ..held
            },
            (Sensor::Off | Sensor::Disconnected, Some((held, left))) => {
                self.held = left.checked_sub(1).map(|left| (held, left));
                Numbers {
                    sensor: now.sensor,
                    ..held
                }
            }
            (Sensor::OutOfTrack | Sensor::Off | Sensor::Disconnected, None) => now,
        }
    }

    const fn hold(&self) -> u32 {
        match self.speech {
            Speech::Packets(_) => HELD,
            Speech::Groups | Speech::Records | Speech::Lines => HELD / 3,
        }
    }
}

impl Device for Module {
    fn cadence(&self) -> Duration {
        match self.speech {
            Speech::Packets(_) => PACKET,
            Speech::Groups | Speech::Lines => Duration::from_secs(1),
            Speech::Records => SPOT_CHECK,
        }
    }

    fn receive(&mut self, _: Now, _: &[u8], _: &mut Vec<Vec<u8>>) {}

    fn present(&mut self, _: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        sent.push(match self.speech {
            Speech::Packets(layout) => {
                let numbers = self.numbers(screen);
                packet(layout, numbers, screen)
            }
            Speech::Groups => {
                let group = Group {
                    numbers: self.numbers(screen),
                    low_battery: battery_is_low(screen),
                };
                group.write().to_vec()
            }
            Speech::Records => record(screen).write(),
            Speech::Lines => line(screen).into_bytes(),
        });
    }
}

/// What the sensor gives, by the saturation on the screen.
fn numbers(screen: &Screen) -> Numbers {
    let spo2 = screen.reading(Parameter::Spo2);
    let rate = screen.reading(Parameter::Pr);
    let (sensor, doubt) = match spo2 {
        Reading::Valid(_) => (Sensor::Measuring, None),
        Reading::Questionable(_, doubt) => (Sensor::Measuring, Some(doubt)),
        Reading::Invalid(Cause::ProbeOff) => (Sensor::Off, None),
        Reading::Invalid(Cause::SensorMissing) => (Sensor::Disconnected, None),
        Reading::Invalid(Cause::Artefact) => (Sensor::OutOfTrack, None),
        Reading::Invalid(_) => (Sensor::Measuring, None),
    };
    let whole = |reading: Reading| reading.value().and_then(|value| value.rounded(0));
    Numbers {
        rate: whole(rate)
            .and_then(|rate| u16::try_from(rate).ok())
            .filter(|rate| *rate <= 350)
            .unwrap_or(NO_RATE),
        spo2: whole(spo2)
            .and_then(|spo2| u8::try_from(spo2).ok())
            .filter(|spo2| *spo2 <= 100)
            .unwrap_or(NO_SPO2),
        sensor,
        doubt,
    }
}

fn battery_is_low(screen: &Screen) -> bool {
    screen.alerts.iter().any(|alert| {
        alert.phase != AlertPhase::End
            && super::NOTICES.iter().any(|(_, text)| *text == &*alert.text)
    })
}

/// One packet with the pleth of the screen.
fn packet(layout: Layout, numbers: Numbers, screen: &Screen) -> Vec<u8> {
    let mut slow = [0_u8; FRAMES];
    let [high, low] = (numbers.rate << 1).to_be_bytes();
    let battery = if battery_is_low(screen) {
        packet::LOW_BATTERY
    } else {
        0
    };
    for (place, value) in [
        (place::STAT2, battery),
        (place::SPO2_D, numbers.spo2),
        (place::RATE_D_HIGH, high & 0x03),
        (place::RATE_D_LOW, low >> 1),
    ] {
        if let Some(slow) = slow.get_mut(place) {
            *slow = value;
        }
    }
    let perfusion = match numbers.doubt {
        None => packet::GREEN,
        Some(Doubt::LowPerfusion) => packet::RED,
        Some(Doubt::LowQuality) => packet::GREEN | packet::RED,
    };
    slow.into_iter()
        .enumerate()
        .flat_map(|(place, slow)| {
            let sync = if place == 0 { packet::SYNC } else { 0 };
            let pulse = if place < PULSE_FRAMES { perfusion } else { 0 };
            layout.write(Frame {
                status: packet::ALWAYS | packet::sensor_bit(numbers.sensor) | sync | pulse,
                pleth: pleth(layout, screen, place),
                slow,
            })
        })
        .collect()
}

/// The sample of the screen's pleth that this frame carries; none is sent as 0.
fn pleth(layout: Layout, screen: &Screen, place: usize) -> u16 {
    let most = match layout {
        Layout::Df2 => i32::from(u8::MAX),
        Layout::Df7 => i32::from(u16::MAX),
    };
    let chunk = screen.waves.iter().find(|chunk| &*chunk.label == "pleth");
    chunk
        .and_then(|chunk| chunk.samples.get(place * chunk.samples.len() / FRAMES))
        .and_then(|sample| u16::try_from(sample.unwrap_or(0).clamp(0, most)).ok())
        .unwrap_or(0)
}

/// The record of a spot check taken now.
fn record(screen: &Screen) -> Record {
    let shown = numbers(screen);
    let measurement = match (shown.sensor, shown.spo2, shown.doubt) {
        (Sensor::OutOfTrack | Sensor::Off | Sensor::Disconnected, _, _)
        | (Sensor::Measuring, NO_SPO2, _) => Measurement::None,
        (Sensor::Measuring, _, None) => Measurement::Good,
        (Sensor::Measuring, _, Some(_)) => Measurement::Poor,
    };
    Record {
        at: Some(DeviceTime::civil(screen.civil_ms)),
        status: Status {
            measurement,
            from_memory: false,
            low_battery: battery_is_low(screen),
        },
        rate: shown.rate,
        spo2: shown.spo2,
    }
}

/// One line of the printout.
fn line(screen: &Screen) -> String {
    let three = |reading: Reading| {
        reading
            .value()
            .and_then(|value: Decimal| value.rounded(0))
            .filter(|value| (0..=350).contains(value))
            .map_or_else(|| "---".to_owned(), |value| format!("{value:03}"))
    };
    let spo2 = screen.reading(Parameter::Spo2);
    let mark = match spo2 {
        Reading::Questionable(..) => " F",
        Reading::Valid(_) | Reading::Invalid(_) => "",
    };
    format!(
        "SPO2={} HR={}{mark}\r\n",
        three(spo2),
        three(screen.reading(Parameter::Pr)),
    )
}
