//! Packets: two headers of 60 bytes, the alarm summary, one block of 70 bytes for each parameter.

use super::super::event::Fault;

/// Bytes of one header.
const HEADER: usize = 60;
/// Bytes before the blocks: two headers and the alarm summary.
const HEAD: usize = 2 * HEADER + SUMMARY;
/// Bytes of the alarm summary.
const SUMMARY: usize = 6;
/// Bytes of one block.
pub(super) const BLOCK: usize = 70;
/// No monitor has more parameters.
const MOST_BLOCKS: usize = 64;
/// Function and sub-function of a numerics packet, in a header at 12.
const NUMERICS: [u8; 4] = [0x00, 0xC9, 0x00, 0x14];

/// The lowest and highest of the values that are not numbers.
pub(super) const SPECIAL: std::ops::RangeInclusive<i16> = i16::MIN..=-32_761;

/// One parameter of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What kind of parameter.
    pub(super) kind: u8,
    /// Its code; the same kind may stand under several.
    pub(super) code: u8,
    /// Three values.
    pub(super) values: [i16; 3],
}

/// What a packet holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// 0 active; otherwise silenced, paused or off.
    pub(super) alarm_state: u8,
    /// 0 to 7.
    pub(super) alarm_level: u8,
    /// The parameters.
    pub(super) blocks: Vec<Block>,
}

/// How the bytes at the beginning of a stream look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Too few to tell.
    Unknown,
    /// No packet begins here.
    None,
    /// A packet of this many bytes.
    Bytes(usize),
}

/// How long the packet is that begins `bytes`.
pub(super) fn size(bytes: &[u8]) -> Size {
    let inner = HEADER + 12;
    let function = bytes.get(inner..inner + NUMERICS.len());
    match (function, bytes.get(2 * HEADER - 2..2 * HEADER)) {
        (None, _) => Size::Unknown,
        (Some(function), _) if function != NUMERICS => Size::None,
        (Some(_), None) => Size::Unknown,
        (Some(_), Some(length)) => {
            let length = length
                .iter()
                .fold(0, |sum, byte| sum * 256 + usize::from(*byte));
            let blocks = length.saturating_sub(SUMMARY);
            if length >= SUMMARY && blocks.is_multiple_of(BLOCK) && blocks / BLOCK <= MOST_BLOCKS {
                Size::Bytes(2 * HEADER + length)
            } else {
                Size::None
            }
        }
    }
}

impl Packet {
    /// Reads exactly one packet.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        match size(bytes) {
            Size::Bytes(size) if size == bytes.len() => {}
            Size::Bytes(_) | Size::Unknown => return Err(Fault::BadLength),
            Size::None => return Err(Fault::Unsupported),
        }
        let (head, rest) = bytes.split_at_checked(HEAD).ok_or(Fault::BadLength)?;
        let (blocks, left) = rest.as_chunks::<BLOCK>();
        let [.., state, level, _audio, _admitted, count, _] = head else {
            return Err(Fault::BadLength);
        };
        if usize::from(*count) != blocks.len() || !left.is_empty() {
            return Err(Fault::BadLength);
        }
        if *state > 5 || *level > 7 {
            return Err(Fault::BadFrame);
        }
        let blocks = blocks.iter().map(Block::read).collect::<Option<_>>();
        Ok(Self {
            alarm_state: *state,
            alarm_level: *level,
            blocks: blocks.ok_or(Fault::BadFrame)?,
        })
    }

    /// The bytes of a packet, for the device side.
    pub(super) fn write(&self, sequence: u16) -> Vec<u8> {
        let length = SUMMARY + BLOCK * self.blocks.len();
        let mut bytes = Vec::new();
        for length in [HEADER + length, length] {
            let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
            let [high, low] = sequence.to_be_bytes();
            bytes.extend([0; 12]);
            bytes.extend(NUMERICS);
            bytes.extend([0, 1, high, low]);
            bytes.resize(bytes.len().next_multiple_of(HEADER) - length.len(), 0);
            bytes.extend(length);
        }
        let count = u8::try_from(self.blocks.len()).unwrap_or(u8::MAX);
        bytes.extend([self.alarm_state, self.alarm_level, 0, 1, count, 0]);
        bytes.extend(self.blocks.iter().flat_map(Block::write));
        bytes
    }
}

/// Where the parts of a block begin and with which mark; the parameter's code stands behind each.
const PARTS: [(usize, u8); 5] = [(0, 0x01), (10, 0x0C), (24, 0x03), (44, 0x15), (54, 0x02)];

impl Block {
    fn read(bytes: &[u8; BLOCK]) -> Option<Self> {
        let at = |place: usize| bytes.get(place).copied();
        let code = at(1)?;
        let whole = PARTS
            .iter()
            .all(|(place, mark)| at(*place) == Some(*mark) && at(place + 1) == Some(code));
        let [_, _, _, _, h1, l1, h2, l2, h3, l3, ..] = *bytes;
        (whole && at(65) == Some(code)).then_some(Self {
            kind: at(64)?,
            code,
            values: [[h1, l1], [h2, l2], [h3, l3]].map(i16::from_be_bytes),
        })
    }

    fn write(&self) -> [u8; BLOCK] {
        let mut bytes = [0; BLOCK];
        for (place, mark) in PARTS.into_iter().chain([(64, self.kind)]) {
            if let Some([first, second]) = bytes.get_mut(place..place + 2) {
                (*first, *second) = (mark, self.code);
            }
        }
        for (place, value) in (2..).zip(self.values) {
            if let Some(field) = bytes.get_mut(2 * place..2 * place + 2) {
                field.copy_from_slice(&value.to_be_bytes());
            }
        }
        bytes
    }
}
