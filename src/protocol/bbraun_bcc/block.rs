//! Blocks on the wire: `01`, length, `02`, text, `03` or `17`, check, `04`, with letters replaced.
//!
//! Length and check are those of the plain block; D and E are replaced afterwards, in the whole of it. Neither
//! `01` nor `04` can stand inside a block, so that damage ends at the next `01`.

use super::super::event::Fault;

/// Begins a block.
const START: u8 = 0x01;
/// Begins its text.
const TEXT: u8 = 0x02;
/// Ends the text of the last block of an answer.
const LAST: u8 = 0x03;
/// Ends the text of a block that others follow.
const MORE: u8 = 0x17;
/// Ends a block.
const END: u8 = 0x04;
/// Takes a block.
pub(super) const TAKEN: u8 = 0x06;
/// Asks for a block again.
pub(super) const AGAIN: u8 = 0x15;

/// Digits of length and check.
const DIGITS: usize = 5;
/// Bytes of a block without text.
const FRAME: usize = 1 + DIGITS + 1 + 1 + DIGITS + 1;
/// Bytes of the longest block on the wire that is taken.
const LONGEST: usize = 64 * 1024;

/// One good block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Who speaks, or is spoken to.
    pub(super) bed: String,
    /// What is said.
    pub(super) information: Vec<u8>,
    /// Others follow.
    pub(super) more: bool,
}

impl Block {
    /// The block as it goes over the wire.
    pub(super) fn write(&self, stuffing: bool) -> Vec<u8> {
        let mut plain = vec![START];
        let text = [self.bed.as_bytes(), b"/1/1>", &self.information].concat();
        plain.extend(format!("{:05}", text.len() + FRAME).bytes());
        plain.push(TEXT);
        plain.extend(text);
        plain.push(if self.more { MORE } else { LAST });
        plain.extend(format!("{:05}", sum(&plain)).bytes());
        plain.push(END);
        if stuffing { stuffed(&plain) } else { plain }
    }

    /// Reads a block from its `01` to its `04`.
    fn read(wire: &[u8], stuffing: bool) -> Result<Self, Fault> {
        let plain = if stuffing {
            unstuffed(wire).ok_or(Fault::BadFrame)?
        } else {
            wire.to_vec()
        };
        let parts = |plain: &[u8]| {
            let (head, rest) = plain.split_at_checked(1 + DIGITS + 1)?;
            let (text, tail) = rest.split_at_checked(rest.len().checked_sub(1 + DIGITS + 1)?)?;
            Some((head.to_vec(), text.to_vec(), tail.to_vec()))
        };
        let (head, text, tail) = parts(&plain).ok_or(Fault::BadLength)?;
        let ([START, length @ .., TEXT], [kind @ (LAST | MORE), check @ .., END]) =
            (head.as_slice(), tail.as_slice())
        else {
            return Err(Fault::BadFrame);
        };
        if number(length) != Some(plain.len()) {
            return Err(Fault::BadLength);
        }
        let summed = plain
            .get(..plain.len().saturating_sub(DIGITS + 1))
            .unwrap_or_default();
        if number(check) != Some(sum(summed)) {
            return Err(Fault::BadChecksum);
        }
        let (bed, rest) = cut(&text, b'/').ok_or(Fault::BadFrame)?;
        let (_, information) = cut(rest, b'>').ok_or(Fault::BadFrame)?;
        let is_bed = (1..=32).contains(&bed.len()) && bed.iter().all(u8::is_ascii_graphic);
        if !is_bed {
            return Err(Fault::BadFrame);
        }
        Ok(Self {
            bed: String::from_utf8_lossy(bed).into_owned(),
            information: information.to_vec(),
            more: *kind == MORE,
        })
    }
}

/// What stands before and behind the first `delimiter`.
pub(super) fn cut(text: &[u8], delimiter: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|&byte| byte == delimiter)?;
    let (before, rest) = text.split_at(place);
    Some((before, rest.get(1..).unwrap_or_default()))
}

fn sum(bytes: &[u8]) -> usize {
    usize::from(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)))
}

/// Five digits, no more and no less.
fn number(digits: &[u8]) -> Option<usize> {
    if digits.len() != DIGITS {
        return None;
    }
    digits.iter().try_fold(0, |sum: usize, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + usize::from(digit - b'0'))
    })
}

/// D and E become pairs.
fn stuffed(plain: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(plain.len() + plain.len() / 8);
    for &byte in plain {
        match byte {
            b'D' => wire.extend(b"EX"),
            b'E' => wire.extend(b"EE"),
            b'd' => wire.extend(b"ex"),
            b'e' => wire.extend(b"ee"),
            other => wire.push(other),
        }
    }
    wire
}

/// Pairs become D and E again, once from left to right; `None` for a pair that there is not.
fn unstuffed(wire: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(wire.len());
    let mut bytes = wire.iter().copied();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'E' => match bytes.next()? {
                b'X' => b'D',
                b'E' => b'E',
                _ => return None,
            },
            b'e' => match bytes.next()? {
                b'x' => b'd',
                b'e' => b'e',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

/// What was found next in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A good block, and the bytes that it took.
    Block(Block),
    /// [`TAKEN`] or [`AGAIN`] by itself.
    Control(u8),
    /// A block that failed its checks, and its bytes.
    Broken(Fault, u64),
    /// Bytes that belong to no block.
    Noise(u64),
}

/// Cuts a stream into blocks.
#[derive(Debug)]
pub(super) struct Deframer {
    stuffing: bool,
    held: Vec<u8>,
}

impl Deframer {
    /// For a station that replaces letters or does not.
    pub(super) const fn new(stuffing: bool) -> Self {
        Self {
            stuffing,
            held: Vec::new(),
        }
    }

    /// Forgets the beginning of a block.
    pub(super) fn reset(&mut self) {
        self.held.clear();
    }

    /// Takes bytes and gives what they complete.
    pub(super) fn receive(&mut self, bytes: &[u8], mut take: impl FnMut(Piece)) {
        for &byte in bytes {
            if byte == START {
                if let Some(piece) = self.close() {
                    take(piece);
                }
                self.held.push(START);
            } else if self.held.is_empty() {
                take(match byte {
                    TAKEN | AGAIN => Piece::Control(byte),
                    _ => Piece::Noise(1),
                });
            } else {
                self.held.push(byte);
                if byte == END {
                    let wire = std::mem::take(&mut self.held);
                    take(match Block::read(&wire, self.stuffing) {
                        Ok(block) => Piece::Block(block),
                        Err(fault) => Piece::Broken(fault, wire.len() as u64),
                    });
                    self.held = wire;
                    self.held.clear();
                } else if self.held.len() >= LONGEST {
                    take(Piece::Broken(Fault::Oversized, self.held.len() as u64));
                    self.held = Vec::new();
                }
            }
        }
    }

    /// The stream is over, or begins again: a block that was not finished is broken.
    pub(super) fn close(&mut self) -> Option<Piece> {
        let length = self.held.len() as u64;
        self.held.clear();
        (length > 0).then_some(Piece::Broken(Fault::Truncated, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_replaced_and_restored_in_one_pass() {
        for (plain, wire) in [
            ("ADMIN:ALIVE", "AEXMIN:ALIVEE"),
            ("EX", "EEX"),
            ("DEde", "EXEEexee"),
            ("EED", "EEEEEX"),
        ] {
            assert_eq!(stuffed(plain.as_bytes()), wire.as_bytes());
            assert_eq!(unstuffed(wire.as_bytes()), Some(plain.as_bytes().to_vec()));
        }
        for wire in ["E", "EA", "aE", "ex_e", "Ex", "eX"] {
            assert_eq!(unstuffed(wire.as_bytes()), None, "{wire}");
        }
    }
}
