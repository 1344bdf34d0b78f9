//! Frames: `85`, length, body, check; `80` and `85` behind the start are sent as two bytes.

use super::super::event::Fault;

/// Begins a frame, and stands nowhere else unescaped.
const START: u8 = 0x85;
/// Begins an escaped byte.
const ESCAPE: u8 = 0x80;

/// A frame's bytes on the wire.
pub(super) fn encode(body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    let check = body.iter().fold(length, |sum, byte| sum ^ byte);
    let mut wire = vec![START];
    for byte in [&[length], body, &[check]].concat() {
        match byte {
            ESCAPE => wire.extend([ESCAPE, 0x00]),
            START => wire.extend([ESCAPE, START - ESCAPE]),
            plain => wire.push(plain),
        }
    }
    wire
}

/// What the bytes were.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The body of a frame that passed its check, and its bytes on the wire.
    Body(&'a [u8], u64),
    /// Bytes before the first start, or between a frame and the next.
    Noise(u64),
    /// A frame that failed.
    Broken(Fault, u64),
}

/// Cuts frames out of a stream, byte by byte.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    /// Length, body and check so far, without escapes.
    frame: Vec<u8>,
    /// Bytes on the wire of the frame at hand; zero between frames.
    raw: u64,
    escaped: bool,
}

impl Deframer {
    /// Forgets a frame that was begun.
    pub(super) fn reset(&mut self) {
        self.frame.clear();
        self.raw = 0;
        self.escaped = false;
    }

    /// Takes a piece of the stream.
    pub(super) fn receive(&mut self, bytes: &[u8], mut take: impl FnMut(Piece<'_>)) {
        for &byte in bytes {
            self.byte(byte, &mut take);
        }
    }

    /// The stream is over: what of a frame is left.
    pub(super) fn close(&mut self) -> Option<Piece<'static>> {
        let raw = self.raw;
        self.reset();
        (raw > 0).then_some(Piece::Broken(Fault::Truncated, raw))
    }

    fn byte(&mut self, byte: u8, take: &mut impl FnMut(Piece<'_>)) {
        if byte == START {
            if let Some(piece) = self.close() {
                take(piece);
            }
            self.raw = 1;
            return;
        }
        if self.raw == 0 {
            take(Piece::Noise(1));
            return;
        }
        self.raw += 1;
        let plain = match (std::mem::take(&mut self.escaped), byte) {
            (false, ESCAPE) => {
                self.escaped = true;
                return;
            }
            (false, plain) => plain,
            (true, 0x00 | 0x05) => ESCAPE | byte,
            (true, _) => {
                take(Piece::Broken(Fault::BadFrame, self.raw));
                self.reset();
                return;
            }
        };
        self.frame.push(plain);
        let Some((length, rest)) = self.frame.split_first() else {
            return;
        };
        if rest.len() <= usize::from(*length) {
            return;
        }
        // The check is the last byte: all of them together give zero.
        if self.frame.iter().fold(0, |sum, byte| sum ^ byte) == 0 {
            let body = rest.split_last().map_or(rest, |(_, body)| body);
            take(Piece::Body(body, self.raw));
        } else {
            take(Piece::Broken(Fault::BadChecksum, self.raw));
        }
        self.reset();
    }
}
