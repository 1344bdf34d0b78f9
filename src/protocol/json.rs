//! What sessions say as JSON lines, exactly as `decode` prints them (contract, "decode").
//!
//! Numbers are the exact decimals of the wire. Every key of an observation is always present; `site`
//! and `finding` where there is one. The caller owns the output and the order.

use super::event::{Event, Fault};
use crate::observation::{
    DeviceAlert, DeviceTime, Finding, Identity, Observation, PumpEvent, WaveChunk,
};
use crate::vocabulary::{Cause, Decimal, ParameterId, Priority, ReadingUnit, Site, Validity};
use serde::Serialize;
use std::collections::BTreeMap;

/// One line, ready for a serialiser.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line<'a> {
    /// A reading.
    Observation(ObservationLine<'a>),
    /// Whom the readings that follow are about.
    Identity(&'a Identity),
    /// An alarm of the device.
    DeviceAlert(AlertLine<'a>),
    /// A pump's event.
    PumpEvent(PumpLine<'a>),
    /// Wave samples.
    Wave(WaveLine<'a>),
    /// Something wrong on the wire, `count` times in a row.
    Fault {
        /// The fault's name.
        what: &'static str,
        /// How often in a row.
        count: u64,
    },
    /// Bytes that would have been sent.
    Reply {
        /// As lower-case hex.
        hex: String,
    },
    /// The last line.
    Summary(&'a Summary),
}

impl<'a> Line<'a> {
    /// The line of an event; `None` for those that only count (a good frame, thrown-away bytes) and
    /// for the question whether the record is safe.
    pub fn of(event: &'a Event) -> Option<Self> {
        match event {
            Event::Observation(observation) => Some(Self::Observation(observation.into())),
            Event::Identity(identity) => Some(Self::Identity(identity)),
            Event::DeviceAlert(alert) => Some(Self::DeviceAlert(alert.into())),
            Event::PumpEvent(event) => Some(Self::PumpEvent(event.into())),
            Event::Wave(chunk) => Some(Self::Wave(chunk.into())),
            Event::Send(bytes) => Some(Self::Reply { hex: hex(bytes) }),
            Event::Fault(fault) => Some(Self::Fault {
                what: fault.name(),
                count: 1,
            }),
            Event::Frame | Event::AwaitCommit(_) | Event::Discarded(_) => None,
        }
    }
}

/// An observation with every key of the contract.
#[derive(Debug, Serialize)]
pub struct ObservationLine<'a> {
    parameter: &'a ParameterId,
    value: Option<Decimal>,
    /// Absent for a code that we do not know: its unit is not known either.
    unit: Option<ReadingUnit>,
    validity: Validity,
    cause: Option<Cause>,
    measured_at: Option<String>,
    mdc: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<Site>,
    message_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
}

impl<'a> From<&'a Observation> for ObservationLine<'a> {
    fn from(observation: &'a Observation) -> Self {
        Self {
            parameter: &observation.parameter,
            value: observation.reading.value(),
            unit: observation.parameter.known().map(|known| known.unit()),
            validity: observation.reading.validity(),
            cause: observation.reading.cause(),
            measured_at: observation.measured_at.map(DeviceTime::iso8601),
            mdc: observation.mdc,
            site: observation.site,
            message_at: observation.message_at.map(DeviceTime::iso8601),
            finding: observation.finding,
        }
    }
}

/// A device's alert.
#[derive(Debug, Serialize)]
pub struct AlertLine<'a> {
    priority: Option<Priority>,
    text: &'a str,
    phase: &'static str,
    key: &'a str,
    at: Option<String>,
}

impl<'a> From<&'a DeviceAlert> for AlertLine<'a> {
    fn from(alert: &'a DeviceAlert) -> Self {
        Self {
            priority: alert.priority,
            text: &alert.text,
            phase: alert.phase.name(),
            key: &alert.key,
            at: alert.at.map(DeviceTime::iso8601),
        }
    }
}

/// A pump's event.
#[derive(Debug, Serialize)]
pub struct PumpLine<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    transitioning: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    drug: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_ml_h: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_ml: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    at: Option<String>,
    message_at: Option<String>,
}

impl<'a> From<&'a PumpEvent> for PumpLine<'a> {
    fn from(event: &'a PumpEvent) -> Self {
        Self {
            event: event.event.name(),
            transitioning: event.transitioning,
            drug: event.drug.as_deref(),
            rate_ml_h: event.rate_ml_h,
            volume_ml: event.volume_ml,
            reason: event.reason.as_deref(),
            at: event.at.map(DeviceTime::iso8601),
            message_at: event.message_at.map(DeviceTime::iso8601),
        }
    }
}

/// Wave samples, in counts of `resolution`.
#[derive(Debug, Serialize)]
pub struct WaveLine<'a> {
    parameter: &'a str,
    rate_hz: u32,
    samples: usize,
    resolution: Decimal,
    unit: &'a str,
    values: &'a [Option<i32>],
}

impl<'a> From<&'a WaveChunk> for WaveLine<'a> {
    fn from(chunk: &'a WaveChunk) -> Self {
        Self {
            parameter: &chunk.label,
            rate_hz: chunk.rate_hz,
            samples: chunk.samples.len(),
            resolution: chunk.resolution,
            unit: chunk.unit,
            values: &chunk.samples,
        }
    }
}

/// What came in all.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Bytes received.
    pub bytes: u64,
    /// Frames that passed their checks.
    pub frames: u64,
    /// Observations.
    pub observations: u64,
    /// Observations with a number that nothing speaks against.
    pub valid: u64,
    /// Observations with a doubtful number.
    pub questionable: u64,
    /// Faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Bytes that became nothing.
    pub discarded_bytes: u64,
}

impl Summary {
    /// Takes an event into account.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Frame => self.frames += 1,
            Event::Observation(observation) => {
                self.observations += 1;
                match observation.reading.validity() {
                    Validity::Valid => self.valid += 1,
                    Validity::Questionable => self.questionable += 1,
                    Validity::Invalid => {}
                }
            }
            Event::Fault(fault) => self.fault(*fault),
            Event::Discarded(bytes) => {
                self.discarded_bytes = self.discarded_bytes.saturating_add(*bytes);
            }
            Event::Identity(_)
            | Event::DeviceAlert(_)
            | Event::PumpEvent(_)
            | Event::Wave(_)
            | Event::Send(_)
            | Event::AwaitCommit(_) => {}
        }
    }

    /// Takes a fault into account that no session told.
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
    }
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads hex of either case, whole bytes only.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Parameter, Reading};

    fn line(event: &Event) -> String {
        serde_json::to_string(&Line::of(event).unwrap()).unwrap()
    }

    #[test]
    fn an_observation_carries_every_key_of_the_contract() {
        let mut spo2 = Observation::new(Parameter::Spo2, Reading::Valid(Decimal::whole(98)));
        spo2.measured_at = Some(DeviceTime::civil(1_519_447_733_000));
        assert_eq!(
            line(&Event::Observation(spo2)),
            r#"{"kind":"observation","parameter":"spo2","value":98,"unit":"%","validity":"valid","cause":null,"measured_at":"2018-02-24T04:48:53","mdc":150456,"message_at":null}"#
        );
        let mut rr = Observation::new(Parameter::Rr, Reading::Valid(Decimal::ZERO));
        rr.site = Some(Site::Airway);
        rr.finding = Some(Finding::NoBreath);
        assert_eq!(
            line(&Event::Observation(rr)),
            r#"{"kind":"observation","parameter":"rr","value":null,"unit":"/min","validity":"invalid","cause":"zero","measured_at":null,"mdc":151562,"site":"airway","message_at":null,"finding":"no-breath"}"#
        );
    }

    #[test]
    fn the_other_lines_have_the_names_of_the_contract() {
        let chunk = WaveChunk {
            label: "pleth".into(),
            rate_hz: 125,
            resolution: Decimal::new(1, 2),
            unit: "%",
            samples: vec![Some(-3), None],
        };
        assert_eq!(
            line(&Event::Wave(chunk)),
            r#"{"kind":"wave","parameter":"pleth","rate_hz":125,"samples":2,"resolution":0.01,"unit":"%","values":[-3,null]}"#
        );
        assert_eq!(
            line(&Event::Fault(Fault::BadChecksum)),
            r#"{"kind":"fault","what":"bad-checksum","count":1}"#
        );
        assert_eq!(
            line(&Event::Send(vec![0x0b, 0x4d])),
            r#"{"kind":"reply","hex":"0b4d"}"#
        );
        let mut summary = Summary::default();
        summary.count(&Event::Frame);
        summary.count(&Event::Fault(Fault::Noise));
        summary.count(&Event::Discarded(12));
        assert_eq!(
            serde_json::to_string(&Line::Summary(&summary)).unwrap(),
            r#"{"kind":"summary","bytes":0,"frames":1,"observations":0,"valid":0,"questionable":0,"faults":{"noise":1},"discarded_bytes":12}"#
        );
    }

    #[test]
    fn hex_reads_back_and_refuses_the_rest() {
        assert_eq!(from_hex(&hex(&[0, 0x7e, 0xff])), Some(vec![0, 0x7e, 0xff]));
        assert_eq!(from_hex("7E7d"), Some(vec![0x7e, 0x7d]));
        for bad in ["7", "7g", "7 7e", "+77e"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
