//! V7: packets of a type byte without its highest bit and further bytes with it; the first of them
//! carries the highest bits of the others. And the commands that start the stream and keep it alive.

use super::super::event::Fault;
use super::numbers::{Flags, Group, Numbers, PerfusionIndex};
use crate::vocabulary::Cause;

/// Starts the stream of real-time packets.
pub(super) const START: [u8; COMMAND] = [0x7D, 0x81, 0xA1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
/// Keeps it going.
pub(super) const KEEP_ALIVE: [u8; COMMAND] = [0x7D, 0x81, 0xAF, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
/// Bytes of a command.
pub(super) const COMMAND: usize = 9;

/// Bytes of a real-time packet.
pub(super) const PACKET: usize = 9;
/// Type: real-time values.
pub(super) const REAL_TIME: u8 = 0x01;
/// Types that are known and say nothing about the patient: feedback, "free", the notice of a
/// disconnection. Their lengths are not known; none is longer than a packet of values.
const OTHERS: [u8; 3] = [0x0B, 0x0C, 0x0D];

/// Byte 2: probe error, or no finger.
pub(super) const FINGER_OUT: u8 = 0x80;
/// Byte 2: the saturation is low.
pub(super) const LOW_SPO2: u8 = 0x20;
/// Byte 2: searched for too long.
const SEARCHED_TOO_LONG: u8 = 0x10;
/// Byte 2: signal strength.
const STRENGTH: u8 = 0x0F;
/// Byte 3: searching for the pulse.
pub(super) const SEARCHING: u8 = 0x80;
/// Byte 4: no perfusion index.
pub(super) const NO_INDEX: u8 = 0x10;

/// Reads a real-time packet.
pub(super) fn parse(packet: [u8; PACKET]) -> Result<Group, Fault> {
    let [second, third, fourth, rate, spo2, low, high] = restore(packet);
    let sensor = if second & FINGER_OUT != 0 {
        Some(Cause::ProbeOff)
    } else if second & SEARCHED_TOO_LONG != 0 || third & SEARCHING != 0 {
        Some(Cause::Searching)
    } else {
        None
    };
    let flags = Flags {
        sensor,
        strength: second & STRENGTH,
    };
    let index = u16::from_le_bytes([low, high]);
    let index = (fourth & NO_INDEX == 0 && index != u16::MAX).then_some(index);
    Ok(Group {
        numbers: Numbers::new(
            flags,
            (spo2, rate),
            PerfusionIndex::Told(index),
            second & LOW_SPO2 != 0,
        )?,
        pleth: flags
            .cause()
            .is_none()
            .then_some(i32::from(third & !SEARCHING)),
    })
}

/// Bytes 2 to 8 with their highest bits.
fn restore([_, highs, rest @ ..]: [u8; PACKET]) -> [u8; PACKET - 2] {
    let mut highs = highs;
    rest.map(|byte| {
        let restored = (byte & 0x7F) | (highs << 7);
        highs >>= 1;
        restored
    })
}

/// The packet of these bytes 2 to 8.
pub(super) fn write(bytes: [u8; PACKET - 2]) -> [u8; PACKET] {
    let highs = bytes
        .iter()
        .rev()
        .fold(0, |highs, byte| (highs << 1) | (byte >> 7));
    let [second, third, fourth, fifth, sixth, seventh, eighth] = bytes.map(|byte| byte | 0x80);
    [
        REAL_TIME,
        highs | 0x80,
        second,
        third,
        fourth,
        fifth,
        sixth,
        seventh,
        eighth,
    ]
}

/// What the stream is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A whole packet of values.
    Values([u8; PACKET]),
    /// A packet that was cut by the next one, or is longer than any: so many bytes.
    Broken(Fault, u64),
    /// A byte that belongs to no packet.
    Stray,
}

/// What the present packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Present {
    /// None.
    Nothing,
    /// Values.
    Values,
    /// A known type without values, of so many bytes.
    Other(usize),
}

/// Finds packets in a stream; holds at most one.
#[derive(Debug)]
pub(super) struct Packets {
    packet: [u8; PACKET],
    length: usize,
    present: Present,
}

impl Packets {
    /// Nothing received yet.
    pub(super) const fn new() -> Self {
        Self {
            packet: [0; PACKET],
            length: 0,
            present: Present::Nothing,
        }
    }

    /// Takes a piece of the stream and hands out what is decided.
    pub(super) fn receive(&mut self, bytes: &[u8], mut found: impl FnMut(Piece)) {
        for &byte in bytes {
            if byte & 0x80 == 0 {
                let cut = self.reset();
                if cut > 0 {
                    found(Piece::Broken(Fault::Truncated, cut));
                }
                self.begin(byte, &mut found);
            } else {
                self.go_on(byte, &mut found);
            }
        }
    }

    /// Forgets a packet of values that is not whole; its bytes.
    pub(super) fn reset(&mut self) -> u64 {
        let unfinished = match self.present {
            Present::Values => self.length as u64,
            Present::Nothing | Present::Other(_) => 0,
        };
        self.present = Present::Nothing;
        unfinished
    }

    fn begin(&mut self, kind: u8, found: &mut impl FnMut(Piece)) {
        if kind == REAL_TIME {
            self.packet = [kind; PACKET];
            self.length = 1;
            self.present = Present::Values;
        } else if OTHERS.contains(&kind) {
            self.present = Present::Other(1);
        } else {
            found(Piece::Stray);
        }
    }

    fn go_on(&mut self, byte: u8, found: &mut impl FnMut(Piece)) {
        match self.present {
            Present::Nothing => found(Piece::Stray),
            Present::Values => {
                if let Some(free) = self.packet.get_mut(self.length) {
                    *free = byte;
                }
                self.length += 1;
                if self.length == PACKET {
                    self.present = Present::Nothing;
                    found(Piece::Values(self.packet));
                }
            }
            Present::Other(length) if length < PACKET => {
                self.present = Present::Other(length + 1);
            }
            Present::Other(length) => {
                self.present = Present::Nothing;
                found(Piece::Broken(Fault::Oversized, length as u64 + 1));
            }
        }
    }
}
