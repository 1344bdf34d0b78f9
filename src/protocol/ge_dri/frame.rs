//! Framing: flags, escapes and the sum over the record. Knows nothing of what a record holds.

use super::super::event::Fault;

/// Longest record, header included (GE M1017617).
pub(super) const LONGEST_RECORD: usize = 1_490;
/// Shortest record: a header alone.
pub(super) const HEADER: usize = 40;

const FLAG: u8 = 0x7E;
const ESCAPE: u8 = 0x7D;
const BIT_5: u8 = 0x20;

/// More bytes than this without a flag are not the rest of a cut frame, even if all were escaped.
const LONGEST_REST: u64 = 2 * (LONGEST_RECORD as u64 + 1);

/// What stood between two flags.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A record whose sum agrees, without the sum, and its bytes on the wire.
    Record(&'a [u8], u64),
    /// Of a frame's size and damaged.
    Broken(Fault, u64),
    /// Too short for a record, or no flag where one must have been.
    Noise(u64),
    /// The rest of a frame that was cut when the link was opened.
    Rest(u64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first flag.
    #[default]
    Hunting,
    Inside,
    /// After an escape byte.
    Escaped,
    /// More bytes than any record has.
    Overlong,
}

/// Finds frames in a stream; holds at most one record.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    state: State,
    record: Vec<u8>,
    /// Bytes on the wire since the last flag.
    raw: u64,
}

impl Deframer {
    /// Forgets everything: the link is open (again).
    pub(super) fn reset(&mut self) {
        self.state = State::Hunting;
        self.record.clear();
        self.raw = 0;
    }

    /// Takes a piece of the stream and hands out what is complete.
    pub(super) fn receive(&mut self, bytes: &[u8], mut found: impl FnMut(Piece<'_>)) {
        for &byte in bytes {
            match (self.state, byte) {
                (State::Hunting, FLAG) => {
                    if self.raw > 0 {
                        found(Piece::Rest(self.raw));
                    }
                    self.begin();
                }
                (State::Hunting, _) => {
                    self.raw += 1;
                    if self.raw == LONGEST_REST {
                        found(Piece::Noise(self.raw));
                        self.raw = 0;
                    }
                }
                (State::Inside | State::Escaped | State::Overlong, FLAG) => {
                    if self.raw > 0 {
                        found(self.judge());
                    }
                    self.begin();
                }
                (State::Inside, ESCAPE) => {
                    self.raw += 1;
                    self.state = State::Escaped;
                }
                (State::Inside, plain) => self.keep(plain),
                (State::Escaped, escaped) => {
                    self.state = State::Inside;
                    self.keep(escaped | BIT_5);
                }
                (State::Overlong, _) => self.raw += 1,
            }
        }
    }

    /// The stream is at its end; what stands unfinished is handed out and forgotten.
    pub(super) fn close(&mut self) -> Option<Piece<'static>> {
        let raw = self.raw;
        let hunting = self.state == State::Hunting;
        self.reset();
        match (raw, hunting) {
            (0, _) => None,
            (_, true) => Some(Piece::Rest(raw)),
            (_, false) => Some(Piece::Broken(Fault::Truncated, raw)),
        }
    }

    fn begin(&mut self) {
        self.state = State::Inside;
        self.record.clear();
        self.raw = 0;
    }

    fn keep(&mut self, byte: u8) {
        self.raw += 1;
        if self.record.len() <= LONGEST_RECORD {
            self.record.push(byte);
        } else {
            self.state = State::Overlong;
        }
    }

    fn judge(&self) -> Piece<'_> {
        match self.state {
            State::Overlong => return Piece::Broken(Fault::Oversized, self.raw),
            State::Escaped => return Piece::Broken(Fault::Truncated, self.raw),
            State::Hunting | State::Inside => {}
        }
        match self.record.split_last() {
            Some((sum, record)) if record.len() >= HEADER => {
                if checksum(record) == *sum {
                    Piece::Record(record, self.raw)
                } else {
                    Piece::Broken(Fault::BadChecksum, self.raw)
                }
            }
            Some(_) | None => Piece::Noise(self.raw),
        }
    }
}

/// The sum of all record bytes, modulo 256.
fn checksum(record: &[u8]) -> u8 {
    record
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
}

/// The record as it goes over the wire.
pub(super) fn encode(record: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(record.len() + 8);
    frame.push(FLAG);
    for byte in record.iter().copied().chain([checksum(record)]) {
        if matches!(byte, FLAG | ESCAPE) {
            frame.extend([ESCAPE, byte & !BIT_5]);
        } else {
            frame.push(byte);
        }
    }
    frame.push(FLAG);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the deframer says about a stream, in plain words.
    fn pieces(stream: &[u8]) -> Vec<String> {
        let mut deframer = Deframer::default();
        let mut said = Vec::new();
        deframer.receive(stream, |piece| said.push(format!("{piece:?}")));
        said.extend(deframer.close().map(|piece| format!("{piece:?}")));
        said
    }

    fn record(bytes: &[u8], raw: u64) -> String {
        format!("{:?}", Piece::Record(bytes, raw))
    }

    #[test]
    fn a_frame_may_share_a_flag_and_lose_one() {
        let body = [1; 40];
        let one = encode(&body);
        assert_eq!(one.len(), 43);
        let shared = [&one[..42], &one[..]].concat();
        assert_eq!(pieces(&shared), [record(&body, 41), record(&body, 41)]);
        assert_eq!(
            pieces(&[&one[20..], &[0x7E, 0x7E], &one[..]].concat()),
            ["Rest(22)".to_owned(), record(&body, 41)]
        );
        assert_eq!(pieces(&one[..20]), ["Broken(Truncated, 19)"]);
        let mut wrong = one.clone();
        wrong[5] = 9;
        assert_eq!(pieces(&wrong), ["Broken(BadChecksum, 41)"]);
        let mut cut = one[..41].to_vec();
        cut.extend([0x7D, 0x7E]);
        assert_eq!(pieces(&cut), ["Broken(Truncated, 41)"]);
    }

    #[test]
    fn a_frame_longer_than_any_record_is_oversized_and_the_next_is_taken() {
        let longest = [2; LONGEST_RECORD];
        let mut stream = encode(&[2; LONGEST_RECORD + 1]);
        stream.extend(encode(&longest));
        assert_eq!(
            pieces(&stream),
            ["Broken(Oversized, 1492)".to_owned(), record(&longest, 1491)]
        );
    }

    #[test]
    fn a_stream_without_flags_is_noise_in_bounded_portions() {
        assert_eq!(pieces(&[b'x'; 3_000]), ["Noise(2982)", "Rest(18)"]);
    }

    proptest! {
        #[test]
        fn escapes_are_undone(body in prop::collection::vec(
            prop_oneof![Just(0x7E_u8), Just(0x7D), Just(0x5E), any::<u8>()], 40..200,
        )) {
            let frame = encode(&body);
            let inner = &frame[1..frame.len() - 1];
            prop_assert!(!inner.contains(&0x7E));
            prop_assert_eq!(pieces(&frame), [record(&body, inner.len() as u64)]);
        }
    }
}
