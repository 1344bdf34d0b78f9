//! The session of data formats 2 and 7: packets out of bytes, readings and pleth out of packets.

use super::super::event::{Event, Events, Fault};
use super::super::notices::Notices;
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::numbers::{Numbers, Sensor};
use super::packet::{FRAME, Layout, PACKET, Packet, Packets, Perfusion, Piece, RATE_HZ};
use crate::observation::{WaveChunk, WaveLabel};
use crate::vocabulary::{Decimal, Now};

/// The registry's way to a session of format 2.
pub(super) fn open_df2(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Stream::new(Layout::Df2)))
}

/// The registry's way to a session of format 7.
pub(super) fn open_df7(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Stream::new(Layout::Df7)))
}

/// Three packets a second come even when nothing changes: the same readings are told once a second.
const PACKETS_A_SECOND: u8 = 3;
/// A perfusion is the last pulse's for so many packets (3 s: slower than any pulse).
const PULSE_PACKETS: u8 = 9;
/// After so many bytes without a packet it was not the rest of one.
const REST: usize = PACKET + FRAME;

/// One module on one line.
struct Stream {
    packets: Packets,
    module: Module,
}

impl Stream {
    fn new(layout: Layout) -> Self {
        Self {
            packets: Packets::new(layout),
            module: Module {
                scrap: Scrap::default(),
                joined: false,
                rest: REST,
                told: None,
                since_told: 0,
                perfusion: None,
                since_pulse: 0,
                notices: Notices::new("nonin", super::NOTICES),
                pleth: "pleth".into(),
            },
        }
    }
}

impl Session for Stream {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.packets.reset();
        self.module.opened();
    }

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        let Self { packets, module } = self;
        packets.receive(bytes, |piece| module.take(piece, events));
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        let (bytes, frames) = self.packets.reset();
        let scrap = &mut self.module.scrap;
        if self.module.joined && frames > 0 {
            scrap.broken(Fault::Truncated, bytes, events);
        } else {
            scrap.skipped(bytes, events);
        }
        scrap.flush(events);
    }
}

/// What is known of the module at the other end.
struct Module {
    scrap: Scrap,
    /// The first bytes after opening are usually the rest of a packet.
    joined: bool,
    /// Bytes that may still belong to a packet that was cut or damaged.
    rest: usize,
    told: Option<Numbers>,
    since_told: u8,
    perfusion: Option<Perfusion>,
    since_pulse: u8,
    notices: Notices,
    pleth: WaveLabel,
}

impl Module {
    fn opened(&mut self) {
        self.joined = false;
        self.rest = REST;
        self.told = None;
        self.perfusion = None;
    }

    fn take(&mut self, piece: Piece<'_>, events: &mut Events) {
        match piece {
            Piece::Packet(packet) => {
                self.scrap.frame(events);
                self.joined = true;
                self.rest = 0;
                self.read(packet, events);
            }
            Piece::Broken(_) if !self.joined => {}
            Piece::Broken(fault) => {
                self.scrap.broken(fault, 0, events);
                self.rest = REST;
            }
            Piece::Dropped if self.rest > 0 => {
                self.rest -= 1;
                self.scrap.skipped(1, events);
            }
            Piece::Dropped => self.scrap.noise(1, events),
        }
    }

    fn read(&mut self, packet: &Packet, events: &mut Events) {
        self.follow_pulse(packet);
        let numbers = packet.numbers(self.perfusion);
        self.since_told += 1;
        if self.told != Some(numbers) || self.since_told >= PACKETS_A_SECOND {
            numbers.tell(events);
            self.told = Some(numbers);
            self.since_told = 0;
        }
        let battery = if packet.battery_is_low() {
            super::BATTERY
        } else {
            0
        };
        self.notices.tell(battery, None, events);
        events.push(Event::Wave(self.wave(packet, numbers.sensor)));
    }

    fn follow_pulse(&mut self, packet: &Packet) {
        match packet.perfusion() {
            Some(perfusion) => {
                self.perfusion = Some(perfusion);
                self.since_pulse = 0;
            }
            None => {
                self.since_pulse = self.since_pulse.saturating_add(1);
                if self.since_pulse >= PULSE_PACKETS {
                    self.perfusion = None;
                }
            }
        }
    }

    /// The pleth in counts without a unit; without a finger there is none.
    fn wave(&self, packet: &Packet, sensor: Sensor) -> WaveChunk {
        let sample = |pleth: u16| match sensor {
            Sensor::Measuring | Sensor::OutOfTrack => Some(i32::from(pleth)),
            Sensor::Off | Sensor::Disconnected => None,
        };
        WaveChunk {
            label: self.pleth.clone(),
            rate_hz: RATE_HZ,
            resolution: Decimal::whole(1),
            unit: "",
            samples: packet.0.iter().map(|frame| sample(frame.pleth)).collect(),
        }
    }
}
