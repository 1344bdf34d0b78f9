//! Records: the 40-byte header, the list of subrecords, and the checks that the sum misses.

use super::super::event::Fault;
use super::frame::HEADER;

/// Reads little-endian fields one after the other; `None` when the bytes are at their end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    /// The next `N` bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// An unsigned byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    /// An unsigned 16-bit word.
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    /// A signed 16-bit word.
    pub(super) fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_le_bytes)
    }

    /// An unsigned 32-bit word.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
}

/// The main type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numerics and their requests.
    Physiological,
    /// Waves and their requests.
    Waveform,
    /// Alarms and their requests.
    Alarm,
    /// Network messages.
    Network,
    /// Record-keeping events.
    Other,
}

impl Kind {
    const fn from_code(code: i16) -> Option<Self> {
        match code {
            0 => Some(Self::Physiological),
            1 => Some(Self::Waveform),
            4 => Some(Self::Alarm),
            5 => Some(Self::Network),
            8 => Some(Self::Other),
            _ => None,
        }
    }

    const fn code(self) -> i16 {
        match self {
            Self::Physiological => 0,
            Self::Waveform => 1,
            Self::Alarm => 4,
            Self::Network => 5,
            Self::Other => 8,
        }
    }
}

/// What the header says beside the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The sender's own count.
    pub(super) counter: u8,
    /// Interface level, 2 to 11; a request may carry 0.
    pub(super) level: u8,
    /// Which monitor on a network.
    pub(super) plug: u16,
    /// Unix seconds by the monitor's clock.
    pub(super) time: u32,
    /// The main type.
    pub(super) kind: Kind,
}

/// One subrecord: its type, and the bytes from its start to the end of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subrecord<'a> {
    /// The type, within the record's main type.
    pub(super) code: u8,
    /// From its start to the end of the record.
    pub(super) bytes: &'a [u8],
}

/// A record that is as long as it says and whose subrecords lie inside it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The header.
    pub(super) header: Header,
    /// At most eight.
    pub(super) subrecords: Vec<Subrecord<'a>>,
}

/// Entries of the subrecord list.
const MOST_SUBRECORDS: usize = 8;
/// This type ends the list.
const END_OF_LIST: u8 = 0xFF;

impl<'a> Record<'a> {
    /// Reads a record whose sum agreed. The sum is plain: a zero byte more or less does not change it,
    /// so the length and the offsets are checked too (measured in a real capture with restarts).
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut fields = Fields(bytes);
        let length = fields.i16().ok_or(Fault::BadLength)?;
        if usize::try_from(length) != Ok(bytes.len()) {
            return Err(Fault::BadLength);
        }
        let data = bytes.get(HEADER..).ok_or(Fault::BadLength)?;
        header(&mut fields)
            .and_then(|header| {
                Some(Self {
                    header,
                    subrecords: subrecords(fields, data)?,
                })
            })
            .ok_or(Fault::BadFrame)
    }
}

fn header(fields: &mut Fields<'_>) -> Option<Header> {
    let counter = fields.u8()?;
    let level = fields.u8()?;
    let plug = fields.u16()?;
    let time = fields.u32()?;
    let _subnet_and_reserved = fields.u32()?;
    let kind = Kind::from_code(fields.i16()?)?;
    Some(Header {
        counter,
        level,
        plug,
        time,
        kind,
    })
}

fn subrecords<'a>(mut list: Fields<'_>, data: &'a [u8]) -> Option<Vec<Subrecord<'a>>> {
    let mut found = Vec::new();
    for _ in 0..MOST_SUBRECORDS {
        let offset = list.i16()?;
        let code = list.u8()?;
        if code == END_OF_LIST {
            break;
        }
        let bytes = data.get(usize::try_from(offset).ok()?..)?;
        if bytes.is_empty() {
            return None;
        }
        found.push(Subrecord { code, bytes });
    }
    Some(found)
}

/// Builds a record. At most eight subrecords of together at most 1450 bytes; a longer record states a
/// length that no receiver accepts.
pub(super) fn build(header: Header, subrecords: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let word = |value: usize| i16::try_from(value).unwrap_or(i16::MAX).to_le_bytes();
    let data: usize = subrecords.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut record = Vec::with_capacity(HEADER + data);
    record.extend(word(HEADER + data));
    record.extend([header.counter, header.level]);
    record.extend(header.plug.to_le_bytes());
    record.extend(header.time.to_le_bytes());
    record.extend([0; 4]);
    record.extend(header.kind.code().to_le_bytes());
    let mut offset = 0;
    for (code, bytes) in subrecords {
        record.extend(word(offset));
        record.push(*code);
        offset += bytes.len();
    }
    if subrecords.len() < MOST_SUBRECORDS {
        record.extend([0, 0, END_OF_LIST]);
    }
    record.resize(HEADER, 0);
    for (_, bytes) in subrecords {
        record.extend(bytes);
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Header = Header {
        counter: 3,
        level: 10,
        plug: 0x8AD1,
        time: 1_000,
        kind: Kind::Waveform,
    };

    #[test]
    fn a_record_reads_back() {
        let bytes = build(PLAIN, &[(1, vec![1, 2, 3]), (8, vec![4])]);
        let record = Record::parse(&bytes).unwrap();
        assert_eq!(record.header, PLAIN);
        let found: Vec<_> = record
            .subrecords
            .iter()
            .map(|sub| (sub.code, sub.bytes))
            .collect();
        assert_eq!(found, [(1, &[1, 2, 3, 4][..]), (8, &[4][..])]);
        let eight: Vec<_> = (1..=8).map(|code| (code, vec![code])).collect();
        let bytes = build(PLAIN, &eight);
        assert_eq!(Record::parse(&bytes).unwrap().subrecords.len(), 8);
    }

    #[test]
    fn what_the_sum_misses_is_refused() {
        let good = build(PLAIN, &[(1, vec![0; 20])]);
        let longer = [&[0], &good[..]].concat();
        let shorter = &good[..good.len() - 1];
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        for (bytes, fault) in [
            (&longer[..], Fault::BadLength),
            (shorter, Fault::BadLength),
            (&[][..], Fault::BadLength),
            (&with(14, 3)[..], Fault::BadFrame),
            (&with(16, 20)[..], Fault::BadFrame),
            (&with(17, 0xFF)[..], Fault::BadFrame),
        ] {
            assert_eq!(Record::parse(bytes).map(|_| ()), Err(fault));
        }
    }
}
