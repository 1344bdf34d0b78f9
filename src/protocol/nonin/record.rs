//! Data format 13: one record per spot check, with a length, a sum and the device's own time.
//!
//! A record from the memory is kept under a code of its own, because it says nothing about the patient
//! who wears the sensor now.

use super::super::event::{Event, Events, Fault};
use super::super::notices::Notices;
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::numbers::{NO_RATE, NO_SPO2};
use crate::observation::{DeviceTime, Observation};
use crate::vocabulary::{Cause, Decimal, Doubt, Moment, Now, Parameter, ParameterId, Reading};
use std::time::Duration;

/// How every record begins: start, and the number of the format.
const HEAD: [u8; 4] = [0x00, 0x02, 0x00, 0x0D];
/// How every record ends.
const END: u8 = 0x03;
/// Bytes of the head with the length.
const HEADER: usize = HEAD.len() + 2;
/// Sum and end.
const TRAILER: usize = 2;
/// Bytes of data that are known; more may follow them.
const DATA: usize = 14;
/// No record has more data than this.
const LONGEST_DATA: usize = 64;
/// A record is sent in one go: what is not whole after so long never will be.
const PATIENCE: Duration = Duration::from_secs(1);

/// First status byte: the measurement reached the quality that the device asks for.
const SMART_POINT: u8 = 0x02;
/// First status byte: no measurement.
const NO_MEASUREMENT: u8 = 0x01;
/// Second status byte: from the memory.
const FROM_MEMORY: u8 = 0x10;
/// Second status byte: low battery.
const LOW_BATTERY: u8 = 0x01;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The device's clock, if it can be one.
    pub(super) at: Option<DeviceTime>,
    /// The two status bytes.
    pub(super) status: Status,
    /// Pulse rate as sent.
    pub(super) rate: u16,
    /// Saturation as sent.
    pub(super) spo2: u8,
}

/// What the status bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// What kind of measurement it was.
    pub(super) measurement: Measurement,
    /// Whether the record is an old one.
    pub(super) from_memory: bool,
    /// Whether the battery is low.
    pub(super) low_battery: bool,
}

/// What kind of measurement a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measurement {
    /// Of the quality that the device asks for.
    Good,
    /// Ended before it was reached.
    Poor,
    /// There was none.
    None,
}

impl Record {
    /// Reads the data of a record whose sum agrees.
    fn parse(data: [u8; DATA]) -> Self {
        let [
            century,
            year,
            month,
            day,
            hour,
            minute,
            second,
            _,
            high,
            low,
            rate_high,
            rate_low,
            _,
            spo2,
        ] = data;
        let measurement = if high & NO_MEASUREMENT != 0 {
            Measurement::None
        } else if high & SMART_POINT != 0 {
            Measurement::Good
        } else {
            Measurement::Poor
        };
        Self {
            at: clock([century, year, month, day, hour, minute, second]),
            status: Status {
                measurement,
                from_memory: low & FROM_MEMORY != 0,
                low_battery: low & LOW_BATTERY != 0,
            },
            rate: u16::from_be_bytes([rate_high, rate_low]),
            spo2,
        }
    }

    /// The bytes of a record.
    pub(super) fn write(self) -> Vec<u8> {
        let measurement = match self.status.measurement {
            Measurement::Good => SMART_POINT,
            Measurement::Poor => 0,
            Measurement::None => NO_MEASUREMENT,
        };
        let memory = if self.status.from_memory {
            FROM_MEMORY
        } else {
            0
        };
        let battery = if self.status.low_battery {
            LOW_BATTERY
        } else {
            0
        };
        let [rate_high, rate_low] = self.rate.to_be_bytes();
        let mut data = digits(self.at).to_vec();
        data.extend([0, measurement, memory | battery]);
        data.extend([rate_high, rate_low, 0, self.spo2]);
        frame(&data)
    }
}

/// The bytes around these data.
pub(super) fn frame(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut record = HEAD.to_vec();
    record.extend(length.to_be_bytes());
    record.extend(data);
    record.extend([sum(data), END]);
    record
}

fn sum(data: &[u8]) -> u8 {
    data.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// A civil time of two decimal digits a byte.
fn clock(bytes: [u8; 7]) -> Option<DeviceTime> {
    let two = |byte: u8| {
        let (tens, ones) = (byte >> 4, byte & 0x0F);
        (tens < 10 && ones < 10)
            .then(|| i8::try_from(10 * tens + ones).ok())
            .flatten()
    };
    let [century, year, month, day, hour, minute, second] = bytes;
    let civil = jiff::civil::DateTime::new(
        100 * i16::from(two(century)?) + i16::from(two(year)?),
        two(month)?,
        two(day)?,
        two(hour)?,
        two(minute)?,
        two(second)?,
        0,
    )
    .ok()?;
    let stamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(DeviceTime::civil(stamp.as_millisecond()))
}

fn digits(at: Option<DeviceTime>) -> [u8; 7] {
    let Some(civil) = at.and_then(|at| jiff::Timestamp::from_millisecond(at.civil_ms).ok()) else {
        return [0; 7];
    };
    let civil = civil.to_zoned(jiff::tz::TimeZone::UTC);
    let two = |number: i8| {
        let number = number.unsigned_abs();
        ((number / 10) << 4) | (number % 10)
    };
    let year = civil.year().clamp(0, 9_999);
    let part = |number: i16| two(i8::try_from(number).unwrap_or(0));
    [
        part(year / 100),
        part(year % 100),
        two(civil.month()),
        two(civil.day()),
        two(civil.hour()),
        two(civil.minute()),
        two(civil.second()),
    ]
}

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Format13 {
        window: Vec::with_capacity(HEADER + LONGEST_DATA + TRAILER),
        rest: REST,
        due: None,
        scrap: Scrap::default(),
        notices: Notices::new("nonin", super::NOTICES),
    }))
}

/// Bytes after opening that may be the rest of a record.
const REST: u64 = (HEADER + DATA + TRAILER - 1) as u64;

/// One device on one line.
struct Format13 {
    /// What may be the beginning of a record.
    window: Vec<u8>,
    /// Bytes that may still belong to a record that was cut or damaged.
    rest: u64,
    due: Option<Moment>,
    scrap: Scrap,
    notices: Notices,
}

impl Session for Format13 {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.window.clear();
        self.rest = REST;
        self.due = None;
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        for &byte in bytes {
            self.window.push(byte);
            self.settle(events);
        }
        let is_waiting = !self.window.is_empty();
        self.due = is_waiting.then(|| now.moment.after(PATIENCE));
    }

    fn deadline(&self) -> Option<Moment> {
        self.due
    }

    fn expire(&mut self, _: Now, events: &mut Events) {
        self.give_up(Fault::Timeout, events);
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        self.give_up(Fault::Truncated, events);
        self.scrap.flush(events);
    }
}

/// What stands at the front of the window.
enum Front {
    /// Not decided yet.
    Begun,
    /// A record of so many bytes of data.
    Record(usize),
    /// No record begins here.
    Nothing,
    /// A record that had begun is damaged: so many bytes of it.
    Broken(Fault, u64),
}

impl Format13 {
    /// The record's bytes will not come: what was held is looked through for a whole one.
    fn give_up(&mut self, fault: Fault, events: &mut Events) {
        self.due = None;
        if self.window.len() >= HEADER {
            self.broken(fault, self.window.len() as u64, events);
        }
        while !self.window.is_empty() {
            self.drop_first(events);
            self.settle(events);
        }
    }

    fn settle(&mut self, events: &mut Events) {
        loop {
            match self.front() {
                Front::Begun => return,
                Front::Record(length) => self.take(length, events),
                Front::Nothing => self.drop_first(events),
                Front::Broken(fault, bytes) => {
                    self.broken(fault, bytes, events);
                    self.drop_first(events);
                }
            }
        }
    }

    fn front(&self) -> Front {
        if self
            .window
            .iter()
            .zip(HEAD)
            .any(|(byte, head)| *byte != head)
        {
            return Front::Nothing;
        }
        let Some(&[high, low]) = self.window.get(HEAD.len()..HEADER) else {
            return Front::Begun;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(DATA..=LONGEST_DATA).contains(&length) {
            return Front::Broken(Fault::BadLength, HEADER as u64);
        }
        let Some(body) = self.window.get(HEADER..HEADER + length + TRAILER) else {
            return Front::Begun;
        };
        let Some((data, &[told, end])) = body.split_last_chunk() else {
            return Front::Begun;
        };
        let whole = self.window.len() as u64;
        if end != END {
            Front::Broken(Fault::BadFrame, whole)
        } else if told != sum(data) {
            Front::Broken(Fault::BadChecksum, whole)
        } else {
            Front::Record(length)
        }
    }

    /// The fault now; its bytes are told as they are dropped.
    fn broken(&mut self, fault: Fault, bytes: u64, events: &mut Events) {
        self.scrap.broken(fault, 0, events);
        self.rest = bytes;
    }

    fn drop_first(&mut self, events: &mut Events) {
        self.window.drain(..1);
        if self.rest > 0 {
            self.rest -= 1;
            self.scrap.skipped(1, events);
        } else {
            self.scrap.noise(1, events);
        }
    }

    fn take(&mut self, length: usize, events: &mut Events) {
        self.scrap.frame(events);
        self.rest = 0;
        let data = self
            .window
            .get(HEADER..)
            .and_then(|body| body.first_chunk());
        if let Some(data) = data {
            self.tell(Record::parse(*data), events);
        }
        self.window.drain(..HEADER + length + TRAILER);
    }

    fn tell(&mut self, record: Record, events: &mut Events) {
        if record.at.is_none() {
            events.push(Event::Fault(Fault::BadTime));
        }
        let rate = (record.rate != NO_RATE).then_some(i64::from(record.rate));
        let spo2 = (record.spo2 != NO_SPO2).then_some(i64::from(record.spo2));
        for (parameter, number) in [(Parameter::Spo2, spo2), (Parameter::Pr, rate)] {
            let value = number.map(Decimal::whole);
            let reading = match (record.status.measurement, value) {
                (Measurement::Good, Some(value)) => Reading::Valid(value),
                (Measurement::Poor, Some(value)) => Reading::Questionable(value, Doubt::LowQuality),
                (Measurement::None, _) | (_, None) => Reading::Invalid(Cause::NotAvailable),
            };
            let mut observation = Observation::new(parameter, reading);
            if record.status.from_memory {
                let code = format!("{}:memory-{}", super::DF13.name, parameter.name());
                observation =
                    Observation::unknown(ParameterId::Vendor(code.into()), observation.reading);
            }
            observation.measured_at = record.at;
            events.push(Event::Observation(observation));
        }
        let battery = if record.status.low_battery {
            super::BATTERY
        } else {
            0
        };
        self.notices.tell(battery, record.at, events);
    }
}
