//! The session: asks every five seconds, reads what comes.

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{Medium, OptionProblem, Session, SessionOptions};
use super::cuff::{CuffMemory, Taken};
use super::packet::{Block, Packet, SPECIAL, Size, size};
use super::settings;
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime, Observation, check_pressure_pair};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, ParameterId, Priority, Reading};
use std::collections::BTreeSet;
use std::time::Duration;

/// Between two requests; the monitor stops about half a minute after the last.
const AGAIN: Duration = Duration::from_secs(5);

/// The request for numerics up to our name, as in the capture; the meaning of its first twelve bytes is unknown.
const REQUEST: [u8; 24] = [
    0x00, 0x25, 0x15, 0xFC, 0x00, 0x00, 0x00, 0x00, 0x00, 0x25, 0x15, 0xE4, 0x00, 0xCA, 0x00, 0x60,
    0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x29,
];
/// Bytes of a request.
pub(super) const REQUEST_BYTES: usize = 62;

/// Kinds of blocks, with those that stand for the same (dossier, parameter block).
pub(super) mod kind {
    pub(in super::super) const ECG: u8 = 1;
    pub(in super::super) const RESPIRATION: u8 = 8;
    pub(in super::super) const CUFF: u8 = 10;
    pub(in super::super) const OXIMETER: u8 = 11;
}

/// The registry's way to a session.
pub(super) fn open(options: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    let name = settings::name(&options.options)?;
    let mut request = REQUEST.to_vec();
    request.extend(name.bytes());
    request.resize(REQUEST_BYTES, 0);
    Ok(Box::new(GeUnity {
        medium: options.medium,
        request,
        stream: Vec::new(),
        due: None,
        scrap: Scrap::default(),
        joined: false,
        meaning: Meaning::default(),
    }))
}

/// One monitor.
struct GeUnity {
    medium: Medium,
    request: Vec<u8>,
    /// The beginning of a packet, when packets come as a stream.
    stream: Vec<u8>,
    due: Option<Moment>,
    scrap: Scrap,
    joined: bool,
    meaning: Meaning,
}

impl Session for GeUnity {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.stream.clear();
        self.joined = false;
        self.meaning.cuff.reopened();
        self.expire(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        match self.medium {
            Medium::Datagram => self.packet(now, bytes, events),
            Medium::Stream => {
                for piece in bytes.chunks(BUFFER) {
                    self.stream.extend_from_slice(piece);
                    self.cut(now, events);
                }
            }
        }
    }

    fn deadline(&self) -> Option<Moment> {
        self.due
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        events.push(Event::Send(self.request.clone()));
        self.due = Some(now.moment.after(AGAIN));
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        if !self.stream.is_empty() {
            events.push(Event::Fault(Fault::Truncated));
        }
        // What was awaited may never have been a packet: another may begin inside it.
        while !self.stream.is_empty() {
            self.stream.remove(0);
            self.scrap.skipped(1, events);
            self.cut(now, events);
        }
        self.scrap.flush(events);
        self.due = None;
    }
}

/// Bytes of a stream that are looked at together.
const BUFFER: usize = 4_096;

impl GeUnity {
    /// Cuts the packets out of the stream; bytes where none can begin are noise.
    fn cut(&mut self, now: Now, events: &mut Events) {
        let stream = std::mem::take(&mut self.stream);
        let mut rest = stream.as_slice();
        loop {
            match size(rest) {
                Size::Bytes(size) => match rest.split_at_checked(size) {
                    Some((packet, after)) => {
                        if self.read(now, packet, events) {
                            rest = after;
                            continue;
                        }
                    }
                    None => break,
                },
                Size::Unknown => break,
                Size::None if self.joined => self.scrap.noise(1, events),
                Size::None => self.scrap.skipped(1, events),
            }
            rest = rest.split_first().map_or(rest, |(_, rest)| rest);
        }
        self.stream = rest.to_vec();
    }

    /// A packet of a stream; false when its first byte is to be thrown away and the rest looked at again.
    fn read(&mut self, now: Now, bytes: &[u8], events: &mut Events) -> bool {
        match Packet::read(bytes) {
            Ok(packet) => {
                self.take(now, &packet, events);
                true
            }
            Err(fault) => {
                self.scrap.broken(fault, 1, events);
                false
            }
        }
    }

    fn packet(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        match Packet::read(bytes) {
            Ok(packet) => self.take(now, &packet, events),
            Err(fault) => self.scrap.broken(fault, bytes.len() as u64, events),
        }
    }

    fn take(&mut self, now: Now, packet: &Packet, events: &mut Events) {
        self.joined = true;
        self.scrap.frame(events);
        self.meaning.tell(now, packet, events);
    }
}

/// What the packets say over time.
#[derive(Debug, Default)]
struct Meaning {
    cuff: CuffMemory,
    /// Parameters that have measured once: a part that is fitted and unused is no source.
    seen: BTreeSet<Parameter>,
    alarm_state: u8,
    alarm_level: u8,
}

/// The monitor's alarm states beside *active*, as the nurse reads them.
const STATES: &[(u8, &str)] = &[
    (1, "alarms silenced at the monitor"),
    (2, "alarms paused at the monitor"),
    (3, "alarms off at the monitor"),
    (4, "alarm volume off at the monitor"),
    (5, "alarms paused at the monitor and its display off"),
];

/// The monitor's alarm levels beside *status only*.
const ALARM_LEVELS: &[(u8, Option<Priority>, &str)] = &[
    (1, None, "the monitor has a technical message"),
    (
        2,
        Some(Priority::Low),
        "the monitor has a technical advisory",
    ),
    (
        3,
        Some(Priority::Medium),
        "the monitor has a technical warning",
    ),
    (4, None, "the monitor has a patient message"),
    (5, Some(Priority::Low), "the monitor has a patient advisory"),
    (
        6,
        Some(Priority::Medium),
        "the monitor has a patient warning",
    ),
    (
        7,
        Some(Priority::High),
        "the monitor has a patient crisis alarm",
    ),
];

impl Meaning {
    fn tell(&mut self, now: Now, packet: &Packet, events: &mut Events) {
        let at = DeviceTime {
            civil_ms: now.wall.as_millis(),
            offset_min: Some(0),
        };
        let mut told = BTreeSet::new();
        for block in &packet.blocks {
            let [first, second, third] = block.values;
            match block.kind {
                kind::ECG | 45 => {
                    self.push(Parameter::Hr, first, at, &mut told, events);
                    vendor("pvc", second, at, events);
                }
                kind::RESPIRATION => self.push(Parameter::Rr, first, at, &mut told, events),
                kind::OXIMETER | 28 | 43 | 44 => {
                    self.push(Parameter::Spo2, first, at, &mut told, events);
                    self.push(Parameter::Pr, second, at, &mut told, events);
                }
                kind::CUFF | 57 if told.insert(Parameter::NibpSys) => {
                    self.pressures(block, at, events);
                }
                // Pressures by catheter too: which vessel is not known, so they are never judged as arterial.
                other => {
                    for (place, value) in (1..).zip([first, second, third]) {
                        vendor(
                            &format!("{other}-{:02x}-{place}", block.code),
                            value,
                            at,
                            events,
                        );
                    }
                }
            }
        }
        self.alarms(packet, at, events);
    }

    fn push(
        &mut self,
        parameter: Parameter,
        value: i16,
        at: DeviceTime,
        told: &mut BTreeSet<Parameter>,
        events: &mut Events,
    ) {
        let reading = reading(value);
        if reading.value().is_some() {
            self.seen.insert(parameter);
        }
        // Two blocks of one kind: the first counts.
        if self.seen.contains(&parameter) && told.insert(parameter) {
            push(Observation::new(parameter, reading), at, at, events);
        }
    }

    fn pressures(&mut self, block: &Block, at: DeviceTime, events: &mut Events) {
        let mut readings = block.values.map(reading);
        let mut taken = at;
        if readings.iter().all(|one| one.value().is_none()) {
            self.cuff.none();
            if !self.seen.contains(&Parameter::NibpSys) {
                return;
            }
        } else {
            self.seen.insert(Parameter::NibpSys);
            match self.cuff.judge(block.values, at) {
                Taken::At(time) => taken = time,
                Taken::Unknown => readings = [Reading::Invalid(Cause::Old); 3],
            }
        }
        let [mean, sys, dia] = readings;
        let mut sys = Observation::new(Parameter::NibpSys, sys);
        let mut dia = Observation::new(Parameter::NibpDia, dia);
        check_pressure_pair(&mut sys, &mut dia);
        for observation in [sys, dia, Observation::new(Parameter::NibpMean, mean)] {
            push(observation, taken, at, events);
        }
    }

    fn alarms(&mut self, packet: &Packet, at: DeviceTime, events: &mut Events) {
        let state = |code: u8| {
            STATES
                .iter()
                .find(|(known, _)| *known == code)
                .map(|(_, text)| (None, *text))
        };
        let level = |code: u8| {
            let found = ALARM_LEVELS.iter().find(|(known, ..)| *known == code);
            found.map(|(_, priority, text)| (*priority, *text))
        };
        let before = std::mem::replace(&mut self.alarm_state, packet.alarm_state);
        change("state", before, packet.alarm_state, state, at, events);
        let before = std::mem::replace(&mut self.alarm_level, packet.alarm_level);
        change("level", before, packet.alarm_level, level, at, events);
    }
}

/// An alarm condition of the monitor that became another one.
fn change(
    what: &str,
    before: u8,
    after: u8,
    meaning: impl Fn(u8) -> Option<(Option<Priority>, &'static str)>,
    at: DeviceTime,
    events: &mut Events,
) {
    if before == after {
        return;
    }
    for (code, phase) in [(before, AlertPhase::End), (after, AlertPhase::Start)] {
        if let Some((priority, text)) = meaning(code) {
            events.push(Event::DeviceAlert(DeviceAlert {
                key: format!("{what}-{code}").into(),
                priority,
                phase,
                text: text.into(),
                at: Some(at),
            }));
        }
    }
}

fn push(mut observation: Observation, measured: DeviceTime, sent: DeviceTime, events: &mut Events) {
    observation.measured_at = Some(measured);
    observation.message_at = Some(sent);
    events.push(Event::Observation(observation));
}

fn vendor(name: &str, value: i16, at: DeviceTime, events: &mut Events) {
    if !SPECIAL.contains(&value) {
        let code = ParameterId::Vendor(format!("{}:{name}", super::PROTOCOL.name).into());
        let number = Reading::Valid(Decimal::whole(i64::from(value)));
        push(Observation::unknown(code, number), at, at, events);
    }
}

/// A value of a block: the special ones in the dossier's order.
fn reading(value: i16) -> Reading {
    let cause = match value {
        -32_768 | -32_767 => Cause::NotAvailable,
        -32_766 | -32_765 => Cause::Artefact,
        -32_764 | -32_763 => Cause::Calibrating,
        -32_762 => Cause::Searching,
        -32_761 => Cause::SensorFault,
        number => return Reading::Valid(Decimal::whole(i64::from(number))),
    };
    Reading::Invalid(cause)
}
