//! Framing of the MIB/RS232 port: flags, escapes, header and check sequence (dossier 2). Over a
//! network the user data stand alone in their datagram.

use super::super::event::Fault;
use crc::{CRC_16_IBM_SDLC, Crc, Table};

/// Longest user data that are taken; monitors stay below 1500.
const LONGEST: usize = 4_096;
/// Protocol, message type and length before the user data.
const HEADER: usize = 4;
/// The check sequence behind them.
const CHECK: usize = 2;

const BEGIN: u8 = 0xC0;
const END: u8 = 0xC1;
const ESCAPE: u8 = 0x7D;
const FLIP: u8 = 0x20;

/// Protocol and message type of data export.
const PROTOCOL: [u8; 2] = [0x11, 0x01];

/// More bytes than this without the begin of a frame are not the rest of a cut one.
const LONGEST_REST: u64 = 2 * (LONGEST as u64);

static FCS: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_IBM_SDLC);

/// What was found in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The user data of a frame that passed its checks, and its bytes on the wire.
    Message(&'a [u8], u64),
    /// A frame that did not.
    Broken(Fault, u64),
    /// Bytes outside every frame.
    Noise(u64),
    /// The rest of a frame that was cut when the link was opened.
    Rest(u64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first frame.
    #[default]
    Joining,
    /// Between frames.
    Outside,
    Inside,
    Escaped,
    Overlong,
}

/// Finds frames in a stream; holds at most one.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    state: State,
    /// Header, user data and check sequence, unescaped.
    frame: Vec<u8>,
    /// Bytes on the wire since the begin of the frame, or since the end of the last.
    raw: u64,
}

impl Deframer {
    /// Forgets everything: the link is open (again).
    pub(super) fn reset(&mut self) {
        self.state = State::Joining;
        self.frame.clear();
        self.raw = 0;
    }

    /// Takes a piece of the stream and hands out what is complete.
    pub(super) fn receive(&mut self, bytes: &[u8], mut found: impl FnMut(Piece<'_>)) {
        for &byte in bytes {
            match (self.state, byte) {
                (_, BEGIN) => {
                    if let Some(piece) = self.cut() {
                        found(piece);
                    }
                    self.state = State::Inside;
                    self.frame.clear();
                    self.raw = 1;
                }
                (State::Joining | State::Outside, _) => {
                    self.raw += 1;
                    if self.raw == LONGEST_REST {
                        found(Piece::Noise(self.raw));
                        self.raw = 0;
                    }
                }
                (State::Inside | State::Escaped | State::Overlong, END) => {
                    self.raw += 1;
                    found(self.judge());
                    self.state = State::Outside;
                    self.raw = 0;
                }
                (State::Inside, ESCAPE) => {
                    self.raw += 1;
                    self.state = State::Escaped;
                }
                (State::Inside, plain) => self.keep(plain),
                (State::Escaped, escaped) => {
                    self.state = State::Inside;
                    self.keep(escaped ^ FLIP);
                }
                (State::Overlong, _) => self.raw += 1,
            }
        }
    }

    /// The stream is at its end; what stands unfinished is handed out and forgotten.
    pub(super) fn close(&mut self) -> Option<Piece<'static>> {
        let piece = self.cut();
        self.reset();
        piece
    }

    /// What the bytes are that no end will complete.
    fn cut(&self) -> Option<Piece<'static>> {
        match (self.state, self.raw) {
            (_, 0) => None,
            (State::Joining, raw) => Some(Piece::Rest(raw)),
            (State::Outside, raw) => Some(Piece::Noise(raw)),
            (State::Inside | State::Escaped, raw) => Some(Piece::Broken(Fault::Truncated, raw)),
            (State::Overlong, raw) => Some(Piece::Broken(Fault::Oversized, raw)),
        }
    }

    fn keep(&mut self, byte: u8) {
        self.raw += 1;
        if self.frame.len() < HEADER + LONGEST + CHECK {
            self.frame.push(byte);
        } else {
            self.state = State::Overlong;
        }
    }

    fn judge(&self) -> Piece<'_> {
        match self.state {
            State::Overlong => return Piece::Broken(Fault::Oversized, self.raw),
            // An escape before the end is the sender's way to give a frame up.
            State::Escaped => return Piece::Broken(Fault::Truncated, self.raw),
            State::Joining | State::Outside | State::Inside => {}
        }
        let parts = self
            .frame
            .split_last_chunk::<CHECK>()
            .and_then(|(checked, check)| Some((checked, check, checked.split_first_chunk()?)));
        let Some((checked, check, (&[protocol, kind, high, low], data))) = parts else {
            return Piece::Noise(self.raw);
        };
        if FCS.checksum(checked) != u16::from_le_bytes(*check) {
            Piece::Broken(Fault::BadChecksum, self.raw)
        } else if [protocol, kind] != PROTOCOL {
            Piece::Broken(Fault::Unsupported, self.raw)
        } else if usize::from(u16::from_be_bytes([high, low])) != data.len() {
            Piece::Broken(Fault::BadLength, self.raw)
        } else {
            Piece::Message(data, self.raw)
        }
    }
}

/// The frame around these user data.
pub(super) fn encode(data: &[u8]) -> Vec<u8> {
    let mut checked = PROTOCOL.to_vec();
    checked.extend(super::wire::length(data.len()).to_be_bytes());
    checked.extend(data);
    enclose(&checked)
}

/// Check sequence, escapes and flags around header and data.
fn enclose(checked: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(checked.len() + 12);
    frame.push(BEGIN);
    for byte in checked
        .iter()
        .copied()
        .chain(FCS.checksum(checked).to_le_bytes())
    {
        if matches!(byte, BEGIN | END | ESCAPE) {
            frame.extend([ESCAPE, byte ^ FLIP]);
        } else {
            frame.push(byte);
        }
    }
    frame.push(END);
    frame
}

#[cfg(test)]
mod tests {
    use super::super::super::json::from_hex;
    use super::*;
    use proptest::prelude::*;

    fn pieces(stream: &[u8]) -> Vec<String> {
        let mut deframer = Deframer::default();
        let mut said = Vec::new();
        deframer.receive(stream, |piece| said.push(format!("{piece:?}")));
        said.extend(deframer.close().map(|piece| format!("{piece:?}")));
        said
    }

    fn message(data: &[u8], raw: usize) -> String {
        format!("{:?}", Piece::Message(data, raw as u64))
    }

    #[test]
    fn the_vectors_of_the_dossier() {
        let hex = |text: &str| from_hex(text).unwrap();
        assert_eq!(enclose(&[0x3A, 0x71]), hex("c03a719b26c1"));
        assert_eq!(enclose(&[0x3A, 0x91]), hex("c03a91957de1c1"));
        let release = hex("0918c11661803080020101a08062808001000000000000000000");
        assert_eq!(
            encode(&release),
            hex("c01101001a09187de11661803080020101a080628080010000000000000000004108c1")
        );
    }

    #[test]
    fn damage_costs_its_own_frame_only() {
        let data = [9, 0xC0, 0xC1, 0x7D, 9];
        let good = encode(&data);
        let fine = message(&data, good.len());
        let cut = [&good[..7], &good[..]].concat();
        assert_eq!(
            pieces(&cut),
            ["Broken(Truncated, 7)".to_owned(), fine.clone()]
        );
        let mut given_up = good[..6].to_vec();
        given_up.extend([0x7D, 0xC1]);
        given_up.extend(&good);
        assert_eq!(
            pieces(&given_up),
            ["Broken(Truncated, 8)".to_owned(), fine.clone()]
        );
        let joined = [&good[5..], &good[..], b"xy", &good[..]].concat();
        let rest = format!("Rest({})", good.len() - 5);
        assert_eq!(
            pieces(&joined),
            [rest, fine.clone(), "Noise(2)".to_owned(), fine]
        );
        let mut wrong = good.clone();
        wrong[5] ^= 1;
        assert_eq!(
            pieces(&wrong),
            [format!("Broken(BadChecksum, {})", good.len())]
        );
        assert_eq!(pieces(&[0xC0, 0x11, 0xC1]), ["Noise(3)"]);
        assert_eq!(
            pieces(&enclose(&[0x11, 1, 0, 3, 1, 2])),
            ["Broken(BadLength, 10)"]
        );
        assert_eq!(
            pieces(&enclose(&[0x12, 1, 0, 0])),
            ["Broken(Unsupported, 8)"]
        );
    }

    #[test]
    fn memory_stays_bounded() {
        let mut stream = encode(&[1; LONGEST + 1]);
        stream.extend(encode(&[1; LONGEST]));
        let found = pieces(&stream);
        assert!(found[0].starts_with("Broken(Oversized"), "{}", found[0]);
        assert!(found[1].starts_with("Message"));
        assert_eq!(pieces(&[b'x'; 9_000]), ["Noise(8192)", "Rest(808)"]);
    }

    proptest! {
        #[test]
        fn escapes_are_undone_however_the_stream_is_cut(
            data in prop::collection::vec(
                prop_oneof![Just(BEGIN), Just(END), Just(ESCAPE), any::<u8>()], 0..200,
            ),
            size in 1_usize..50,
        ) {
            let frame = encode(&data);
            prop_assert_eq!(frame.iter().filter(|byte| **byte == BEGIN).count(), 1);
            let mut deframer = Deframer::default();
            let mut said = Vec::new();
            for piece in frame.chunks(size) {
                deframer.receive(piece, |piece| said.push(format!("{piece:?}")));
            }
            prop_assert_eq!(said, [message(&data, frame.len())]);
        }
    }
}
