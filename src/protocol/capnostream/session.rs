//! The session: enables, starts, listens, and begins again after a gap.

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::frame::{Deframer, Piece, encode};
use super::message::{Command, Message, fast};
use super::numerics::{Co2Unit, Numerics};
use crate::observation::{Identity, WaveChunk};
use crate::vocabulary::{Decimal, Moment, Now};
use std::time::Duration;

/// Between two attempts to enable: a monitor that finds out the speed by itself needs several.
const AGAIN: Duration = Duration::from_millis(500);
/// A stream that has said nothing for this long is enabled and started again.
const GAP: Duration = Duration::from_secs(3);

/// Samples of the CO2 curve a second.
pub(super) const CO2_HZ: u32 = 20;
/// Samples told at once.
const CHUNK: usize = 5;
/// More samples missing than this are a gap in time, told as nothing.
const MOST_LOST: u8 = 40;

/// The registry's way to a session.
pub(super) fn open(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Capnostream::default()))
}

/// How far the monitor has been brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// *Enable* is repeated until it is answered.
    #[default]
    Enabling,
    /// The stream was asked for.
    Started,
}

/// One monitor on one line.
#[derive(Debug, Default)]
struct Capnostream {
    deframer: Deframer,
    monitor: Monitor,
}

impl Session for Capnostream {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.deframer.reset();
        self.monitor.joined = false;
        self.monitor.curve = Curve::default();
        self.monitor.enable(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let Self { deframer, monitor } = self;
        deframer.receive(bytes, |piece| monitor.take(&piece, now, events));
    }

    fn deadline(&self) -> Option<Moment> {
        self.monitor.due
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        self.monitor.enable(now, events);
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        if let Some(piece) = self.deframer.close() {
            self.monitor.take(&piece, now, events);
        }
        self.monitor.scrap.flush(events);
        self.monitor.due = None;
    }
}

/// What is known of the monitor at the other end.
#[derive(Debug, Default)]
struct Monitor {
    stage: Stage,
    due: Option<Moment>,
    scrap: Scrap,
    /// The first bytes after opening are usually the rest of a frame.
    joined: bool,
    identity: Identity,
    numerics: Numerics,
    unit: Option<Co2Unit>,
    curve: Curve,
}

impl Monitor {
    fn enable(&mut self, now: Now, events: &mut Events) {
        self.stage = Stage::Enabling;
        self.due = Some(now.moment.after(AGAIN));
        say(Command::Enable, events);
    }

    fn take(&mut self, piece: &Piece<'_>, now: Now, events: &mut Events) {
        let (body, raw) = match *piece {
            Piece::Noise(bytes) | Piece::Broken(_, bytes) if !self.joined => {
                return self.scrap.skipped(bytes, events);
            }
            Piece::Noise(bytes) => return self.scrap.noise(bytes, events),
            Piece::Broken(fault, bytes) => return self.scrap.broken(fault, bytes, events),
            Piece::Body(body, raw) => (body, raw),
        };
        self.joined = true;
        if is_echo(body) {
            return self.scrap.broken(Fault::BadAnswer, raw, events);
        }
        match Message::read(body) {
            Ok(message) => {
                self.scrap.frame(events);
                self.read(message, now, events);
            }
            Err(fault) => self.scrap.broken(fault, raw, events),
        }
    }

    fn read(&mut self, message: Message<'_>, now: Now, events: &mut Events) {
        match message {
            Message::Device(serial) => {
                self.identity.device = (!serial.is_empty()).then(|| serial.into());
                events.push(Event::Identity(self.identity.clone()));
                self.stage = Stage::Started;
                self.due = Some(now.moment.after(GAP));
                say(Command::Start, events);
            }
            Message::Patient(patient) => {
                self.identity.patient = (!patient.is_empty()).then(|| patient.into());
                events.push(Event::Identity(self.identity.clone()));
                self.streams(now);
            }
            Message::Numerics(body) => {
                let [.., unit, _] = *body;
                self.unit = Some(Co2Unit::of(unit));
                self.numerics.tell(body, events);
                self.streams(now);
            }
            Message::Wave {
                counter,
                co2,
                status,
            } => {
                self.numerics.fast = status;
                let sample = (status & fast::INVALID == 0).then_some(i32::from(co2));
                self.curve.take(counter, sample, self.unit, events);
                self.streams(now);
            }
            Message::Other => {}
        }
    }

    /// The stream flows, whoever started it.
    fn streams(&mut self, now: Now) {
        self.stage = Stage::Started;
        self.due = Some(now.moment.after(GAP));
    }
}

fn say(command: Command, events: &mut Events) {
    events.push(Event::Send(encode(&[command.code()])));
}

/// Our own command coming back (a plug without a monitor): a body that only a host sends.
const fn is_echo(body: &[u8]) -> bool {
    matches!(body, [0x01 | 0x04])
}

/// The CO2 curve since the last chunk.
#[derive(Debug, Default)]
struct Curve {
    samples: Vec<Option<i32>>,
    last: Option<u8>,
}

impl Curve {
    /// Takes one sample; samples that the counter misses are gaps. Nothing is told before the unit is known.
    fn take(
        &mut self,
        counter: u8,
        sample: Option<i32>,
        unit: Option<Co2Unit>,
        events: &mut Events,
    ) {
        let lost = self
            .last
            .map_or(0, |last| counter.wrapping_sub(last).wrapping_sub(1));
        self.last = Some(counter);
        if lost > 0 {
            events.push(Event::Fault(Fault::Lost));
        }
        if lost > MOST_LOST {
            self.samples.clear();
        } else {
            self.samples
                .extend(std::iter::repeat_n(None, usize::from(lost)));
        }
        self.samples.push(sample);
        if self.samples.len() < CHUNK {
            return;
        }
        let samples = std::mem::take(&mut self.samples);
        if let Some(unit) = unit {
            events.push(Event::Wave(WaveChunk {
                label: "co2".into(),
                rate_hz: CO2_HZ,
                // 1/256.
                resolution: Decimal::new(390_625, 8),
                unit: unit.text(),
                samples,
            }));
        }
    }
}
