//! A session of `hl7-mllp` on the bench: bytes in, events out, the record's answers by hand.

use infusewatch::observation::{DeviceAlert, Identity, Observation, PumpEvent, WaveChunk};
use infusewatch::protocol::{Event, Events, Fault, Medium, Options, Session, SessionOptions, find};
use infusewatch::vocabulary::{Moment, Now, WallTime};

/// 2026-03-01T10:15:00Z.
pub const WALL: i64 = 1_772_360_100_000;

pub fn at(seconds: u64) -> Now {
    Now {
        moment: Moment::from_secs(seconds),
        wall: WallTime::from_millis(WALL + i64::try_from(seconds).unwrap() * 1_000),
    }
}

pub struct Rig {
    pub session: Box<dyn Session>,
}

impl Rig {
    pub fn new(options: &[(&str, &str)]) -> Self {
        Self::on(Medium::Stream, options)
    }

    pub fn on(medium: Medium, options: &[(&str, &str)]) -> Self {
        let options: Options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let protocol = find("hl7-mllp").unwrap();
        assert_eq!(protocol.check(&options), []);
        let mut session = (protocol.open)(&SessionOptions { medium, options }).unwrap();
        let mut events = Events::new();
        session.opened(at(0), &mut events);
        assert_eq!(events, []);
        Self { session }
    }

    pub fn receive(&mut self, bytes: &[u8]) -> Events {
        let mut events = Events::new();
        self.session.receive(at(0), bytes, &mut events);
        events
    }

    pub fn closed(&mut self) -> Events {
        let mut events = Events::new();
        self.session.closed(at(0), &mut events);
        events
    }

    /// Answers every open token and gives what was sent then.
    pub fn commit(&mut self, events: &Events, durable: bool) -> Vec<String> {
        let mut answers = Events::new();
        for event in events {
            if let Event::AwaitCommit(token) = event {
                self.session.committed(at(0), *token, durable, &mut answers);
            }
        }
        sent(&answers)
    }
}

/// The segments in one frame.
pub fn frame(segments: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0x0B];
    for segment in segments {
        bytes.extend_from_slice(segment.as_bytes());
        bytes.push(b'\r');
    }
    bytes.extend_from_slice(b"\x1C\r");
    bytes
}

pub const MSH: &str = "MSH|^~\\&|BEDSIDE^00AA00FFFE00BB01^EUI-64||||20260301101500+0000||ORU^R01^ORU_R01|C17|P|2.6|||AL|NE||UNICODE UTF-8";

/// An OBX row by its interesting fields.
pub fn obx(code: &str, path: &str, value: &str, unit: &str, flags: &str, status: &str) -> String {
    format!("OBX|1|NM|{code}|{path}|{value}|{unit}||{flags}|||{status}")
}

pub fn message(rows: &[String]) -> Vec<u8> {
    let mut segments = vec![
        MSH,
        "PID|||P-1",
        "PV1||O|INF^^C1",
        "OBR|1||||||20260301101459+0000",
    ];
    segments.extend(rows.iter().map(String::as_str));
    frame(&segments)
}

/// The observations of a fresh session that receives these bytes.
pub fn readings(options: &[(&str, &str)], bytes: &[u8]) -> Vec<Observation> {
    observations(&Rig::new(options).receive(bytes))
}

pub fn observations(events: &Events) -> Vec<Observation> {
    let mut found = Vec::new();
    for event in events {
        if let Event::Observation(observation) = event {
            found.push(observation.clone());
        }
    }
    found
}

pub fn waves(events: &Events) -> Vec<WaveChunk> {
    let mut found = Vec::new();
    for event in events {
        if let Event::Wave(wave) = event {
            found.push(wave.clone());
        }
    }
    found
}

pub fn identities(events: &Events) -> Vec<Identity> {
    let mut found = Vec::new();
    for event in events {
        if let Event::Identity(identity) = event {
            found.push(identity.clone());
        }
    }
    found
}

pub fn faults(events: &Events) -> Vec<Fault> {
    let mut found = Vec::new();
    for event in events {
        if let Event::Fault(fault) = event {
            found.push(*fault);
        }
    }
    found
}

pub fn sent(events: &Events) -> Vec<String> {
    let mut found = Vec::new();
    for event in events {
        if let Event::Send(bytes) = event {
            found.push(String::from_utf8(bytes.clone()).unwrap());
        }
    }
    found
}

pub fn discarded(events: &Events) -> u64 {
    let mut sum = 0;
    for event in events {
        if let Event::Discarded(count) = event {
            sum += count;
        }
    }
    sum
}

pub fn frames(events: &Events) -> usize {
    events
        .iter()
        .filter(|event| **event == Event::Frame)
        .count()
}

/// `parameter value` or `parameter cause`, for tables.
pub fn line(observation: &Observation) -> String {
    match (observation.reading.value(), observation.reading.cause()) {
        (Some(value), None) => format!("{} {value}", observation.parameter),
        (Some(value), Some(doubt)) => {
            format!("{} {value} {}", observation.parameter, doubt.name())
        }
        (None, Some(cause)) => format!("{} {}", observation.parameter, cause.name()),
        (None, None) => unreachable!("a reading without a number has a cause"),
    }
}

pub fn lines(observations: &[Observation]) -> Vec<String> {
    observations.iter().map(line).collect()
}

pub fn alerts(events: &Events) -> Vec<DeviceAlert> {
    let mut found = Vec::new();
    for event in events {
        if let Event::DeviceAlert(alert) = event {
            found.push(alert.clone());
        }
    }
    found
}

pub fn pump_events(events: &Events) -> Vec<PumpEvent> {
    let mut found = Vec::new();
    for event in events {
        if let Event::PumpEvent(event) = event {
            found.push(event.clone());
        }
    }
    found
}

/// `phase priority text`, for tables.
pub fn alert_lines(events: &Events) -> Vec<String> {
    alerts(events)
        .iter()
        .map(|alert| {
            let priority = alert.priority.map_or("none", |priority| priority.name());
            format!("{} {priority} {}", alert.phase.name(), alert.text)
        })
        .collect()
}

/// `event rate drug reason`, where told, for tables.
pub fn pump_lines(events: &Events) -> Vec<String> {
    pump_events(events)
        .iter()
        .map(|event| {
            let mut line = event.event.name().to_owned();
            if event.transitioning {
                line.push_str(" transitioning");
            }
            if let Some(rate) = event.rate_ml_h {
                line.push_str(&format!(" {rate} mL/h"));
            }
            if let Some(volume) = event.volume_ml {
                line.push_str(&format!(" {volume} mL"));
            }
            if let Some(drug) = &event.drug {
                line.push_str(&format!(" {drug}"));
            }
            if let Some(reason) = &event.reason {
                line.push_str(&format!(" ({reason})"));
            }
            line
        })
        .collect()
}
