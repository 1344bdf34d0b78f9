//! Data formats 2 and 7: 75 frames of five bytes a second, 25 frames make a packet.
//!
//! Format 2 begins each frame with 01, format 7 does not; both have the status, the pleth, one byte of
//! a slow table and a sum. The first frame of a packet, and no other, carries the SYNC bit.

use super::super::event::Fault;
use super::numbers::{Numbers, Sensor};
use crate::vocabulary::Doubt;
use std::collections::VecDeque;

/// Bytes of a frame.
pub(super) const FRAME: usize = 5;
/// Frames of a packet.
pub(super) const FRAMES: usize = 25;
/// Bytes of a packet.
pub(super) const PACKET: usize = FRAME * FRAMES;
/// Frames a second, each with one sample of the pleth.
pub(super) const RATE_HZ: u32 = 75;

/// Status: always 1.
pub(super) const ALWAYS: u8 = 0x80;
/// Status: artefact on this pulse.
pub(super) const ARTEFACT: u8 = 0x20;
/// Status: green, good perfusion; with red: yellow, marginal.
pub(super) const GREEN: u8 = 0x02;
/// Status: red, low perfusion.
pub(super) const RED: u8 = 0x04;
/// Status: the packet's first frame.
pub(super) const SYNC: u8 = 0x01;
/// Status: sensor disconnected, by the OEM III and the Xpod; reserved on the 9560.
const DISCONNECTED: u8 = 0x40;
/// Status: sensor alarm, the probe is off or unusable.
const SENSOR_ALARM: u8 = 0x08;
/// Status: out of track, artefacts for long.
const OUT_OF_TRACK: u8 = 0x10;
/// `STAT2`: low battery.
pub(super) const LOW_BATTERY: u8 = 0x01;

/// Places in the slow table, counted from 0.
pub(super) mod place {
    /// Second status byte.
    pub(in super::super) const STAT2: usize = 7;
    /// SpO2 for the display.
    pub(in super::super) const SPO2_D: usize = 8;
    /// Pulse rate for the display, high bits.
    pub(in super::super) const RATE_D_HIGH: usize = 19;
    /// Pulse rate for the display, low bits.
    pub(in super::super) const RATE_D_LOW: usize = 20;
}

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Data format 2.
    Df2,
    /// Data format 7.
    Df7,
}

/// Format 2: the first byte of a frame.
const START: u8 = 0x01;

/// What one frame holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The status bits.
    pub(super) status: u8,
    /// One sample of the pleth.
    pub(super) pleth: u16,
    /// One byte of the slow table.
    pub(super) slow: u8,
}

impl Layout {
    /// Reads a frame; `place` is its place in the packet.
    fn frame(self, bytes: [u8; FRAME], place: usize) -> Result<Frame, Fault> {
        let [first, second, third, fourth, sum] = bytes;
        let (status, pleth) = match self {
            Self::Df2 if first != START => return Err(Fault::BadFrame),
            Self::Df2 => (second, u16::from(third)),
            Self::Df7 => (first, u16::from_be_bytes([second, third])),
        };
        if sum_of([first, second, third, fourth]) != sum {
            return Err(Fault::BadChecksum);
        }
        if status & ALWAYS == 0 || (status & SYNC != 0) != (place == 0) {
            return Err(Fault::BadFrame);
        }
        Ok(Frame {
            status,
            pleth,
            slow: fourth,
        })
    }

    /// The bytes of a frame. Format 2 carries eight bits of the pleth.
    pub(super) fn write(self, frame: Frame) -> [u8; FRAME] {
        let [high, low] = frame.pleth.to_be_bytes();
        let [first, second, third] = match self {
            Self::Df2 => [START, frame.status, low],
            Self::Df7 => [frame.status, high, low],
        };
        let sum = sum_of([first, second, third, frame.slow]);
        [first, second, third, frame.slow, sum]
    }
}

fn sum_of(bytes: [u8; 4]) -> u8 {
    bytes.into_iter().fold(0, u8::wrapping_add)
}

/// A packet whose 25 frames all passed their checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet(pub(super) [Frame; FRAMES]);

/// How well the last pulse was perfused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Perfusion {
    Good,
    Marginal,
    Low,
}

impl Packet {
    /// The display pair; the status of every frame counts.
    pub(super) fn numbers(&self, perfusion: Option<Perfusion>) -> Numbers {
        let status = self.0.iter().fold(0, |all, frame| all | frame.status);
        let slow = |place: usize| self.0.get(place).map_or(0, |frame| frame.slow);
        let doubt = match perfusion {
            Some(Perfusion::Low) => Some(Doubt::LowPerfusion),
            Some(Perfusion::Marginal) => Some(Doubt::LowQuality),
            Some(Perfusion::Good) | None => (status & ARTEFACT != 0).then_some(Doubt::LowQuality),
        };
        Numbers {
            rate: rate(slow(place::RATE_D_HIGH), slow(place::RATE_D_LOW)),
            spo2: slow(place::SPO2_D) & 0x7F,
            sensor: sensor(status),
            doubt,
        }
    }

    /// Whether the battery is low.
    pub(super) fn battery_is_low(&self) -> bool {
        let stat2 = self.0.get(place::STAT2).map_or(0, |frame| frame.slow);
        stat2 & LOW_BATTERY != 0
    }

    /// The perfusion of the last pulse in this packet; its bits stand for 160 ms of each pulse only.
    pub(super) fn perfusion(&self) -> Option<Perfusion> {
        self.0.iter().rev().find_map(|frame| {
            match (frame.status & RED != 0, frame.status & GREEN != 0) {
                (true, true) => Some(Perfusion::Marginal),
                (true, false) => Some(Perfusion::Low),
                (false, true) => Some(Perfusion::Good),
                (false, false) => None,
            }
        })
    }
}

fn sensor(status: u8) -> Sensor {
    if status & DISCONNECTED != 0 {
        Sensor::Disconnected
    } else if status & SENSOR_ALARM != 0 {
        Sensor::Off
    } else if status & OUT_OF_TRACK != 0 {
        Sensor::OutOfTrack
    } else {
        Sensor::Measuring
    }
}

/// The status bit of this state.
pub(super) const fn sensor_bit(sensor: Sensor) -> u8 {
    match sensor {
        Sensor::Measuring => 0,
        Sensor::OutOfTrack => OUT_OF_TRACK,
        Sensor::Off => SENSOR_ALARM,
        Sensor::Disconnected => DISCONNECTED,
    }
}

/// Nine bits of a rate from two bytes of seven: shifted by seven, not by eight.
fn rate(high: u8, low: u8) -> u16 {
    (u16::from(high & 0x03) << 7) | u16::from(low & 0x7F)
}

/// What the stream is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A whole packet.
    Packet(&'a Packet),
    /// A packet that had begun well is damaged; its bytes follow as [`Piece::Dropped`].
    Broken(Fault),
    /// A byte that belongs to no packet.
    Dropped,
}

/// Finds packets in a stream; holds at most one.
#[derive(Debug)]
pub(super) struct Packets {
    layout: Layout,
    /// What may be the beginning of a packet.
    window: VecDeque<u8>,
    /// Frames of it that passed their checks.
    packet: Packet,
    frames: usize,
}

/// So many good frames in a row are a packet that had begun: one may be chance.
const BEGUN: usize = 2;

impl Packets {
    /// For one of the formats.
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            window: VecDeque::with_capacity(PACKET),
            packet: Packet([Frame::default(); FRAMES]),
            frames: 0,
        }
    }

    /// Takes a piece of the stream and hands out what is decided.
    pub(super) fn receive(&mut self, bytes: &[u8], mut found: impl FnMut(Piece<'_>)) {
        for &byte in bytes {
            self.window.push_back(byte);
            self.settle(&mut found);
        }
    }

    /// Forgets what stands unfinished; how many bytes that were, and how many good frames in them.
    pub(super) fn reset(&mut self) -> (u64, usize) {
        let left = (self.window.len() as u64, self.frames);
        self.window.clear();
        self.frames = 0;
        left
    }

    fn settle(&mut self, found: &mut impl FnMut(Piece<'_>)) {
        while let Some(bytes) = self.next_frame() {
            match self.layout.frame(bytes, self.frames) {
                Ok(frame) => {
                    if let Some(free) = self.packet.0.get_mut(self.frames) {
                        *free = frame;
                    }
                    self.frames += 1;
                    if self.frames == FRAMES {
                        found(Piece::Packet(&self.packet));
                        self.reset();
                    }
                }
                // The next packet may begin inside what was refused: one byte on, all is looked at again.
                Err(fault) => {
                    if self.frames >= BEGUN {
                        found(Piece::Broken(fault));
                    }
                    self.frames = 0;
                    self.window.pop_front();
                    found(Piece::Dropped);
                }
            }
        }
    }

    /// The first frame that was not looked at yet, if it is whole.
    fn next_frame(&self) -> Option<[u8; FRAME]> {
        let mut bytes = self.window.iter().skip(self.frames * FRAME).copied();
        let mut next = || bytes.next();
        Some([next()?, next()?, next()?, next()?, next()?])
    }
}
