//! The MLLP framer: `VT content FS CR` out of a byte stream that is cut anywhere (hl7.md 1.2).
//!
//! Promises: every byte ends up either in a message or in a count of discarded bytes; memory is
//! bounded by the frame limit; after any damage the next start block is taken. It knows nothing of
//! HL7 except where an unframed capture starts a new message.

use super::scan::Candidates;
use crate::protocol::Fault;
use crate::vocabulary::Moment;
use std::time::Duration;

/// Start block.
pub const START: u8 = 0x0B;
/// End block.
pub const END: u8 = 0x1C;
/// Trailer, and segment end.
pub const CR: u8 = 0x0D;

/// The name of the segment that begins a message.
const HEADER: &[u8] = b"MSH";
/// How long a sender may take to finish a frame that it has started.
const FRAME_TIME: Duration = Duration::from_secs(30);
/// Room kept between frames; a larger buffer is given back.
const KEPT_ROOM: usize = 256 * 1024;

/// What the framer found next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A complete frame: take it with [`Framer::take`].
    Message,
    /// A frame that cannot be completed; its `dropped` bytes are gone. For [`Fault::Oversized`] its
    /// beginning can still be taken, to answer the sender.
    Broken {
        /// Why.
        fault: Fault,
        /// Bytes thrown away.
        dropped: u64,
    },
    /// Bytes between frames.
    Between {
        /// How many.
        dropped: u64,
        /// Whether they begin a stretch of bytes other than blank lines and padding.
        noise: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was received since the link opened.
    Fresh,
    /// Between frames.
    Idle,
    /// Inside a frame.
    InFrame,
    /// Behind the end block: a trailer is expected.
    Tail,
    /// Inside a capture without frames.
    Unframed,
}

/// Cuts one connection's stream into messages.
#[derive(Debug)]
pub struct Framer {
    state: State,
    content: Vec<u8>,
    limit: usize,
    unframed: bool,
    /// When the open frame began.
    began: Moment,
    /// The current stretch between frames was already reported as noise.
    noisy: bool,
}

impl Framer {
    /// A framer that takes frames of up to `limit` bytes. With `unframed`, a stream that does not
    /// begin with a start block is taken as bare messages, each beginning at a line `MSH`.
    pub fn new(limit: usize, unframed: bool) -> Self {
        Self {
            state: State::Fresh,
            content: Vec::new(),
            limit,
            unframed,
            began: Moment::ZERO,
            noisy: false,
        }
    }

    /// Forgets everything: the link is open again.
    pub fn reset(&mut self) {
        self.state = State::Fresh;
        self.content.clear();
        self.noisy = false;
    }

    /// When the open frame must be complete.
    pub fn deadline(&self) -> Option<Moment> {
        (self.state == State::InFrame).then(|| self.began.after(FRAME_TIME))
    }

    /// Drops the open frame if its time is over.
    pub fn expire(&mut self, now: Moment) -> Option<Found> {
        (self.deadline()? <= now).then(|| self.abandon(Fault::Timeout))
    }

    /// Takes bytes from `input` up to and including the next find; `None` when they are used up.
    pub fn next(&mut self, now: Moment, input: &mut &[u8]) -> Option<Found> {
        while let Some((&first, rest)) = input.split_first() {
            match self.state {
                State::Fresh if self.unframed && first != START => self.state = State::Unframed,
                State::Fresh => self.state = State::Idle,
                State::Tail => {
                    self.state = State::Idle;
                    if first == CR {
                        *input = rest;
                    }
                }
                State::Idle => {
                    if let Some(found) = self.between(now, input) {
                        return Some(found);
                    }
                }
                State::InFrame => {
                    if let Some(found) = self.inside(now, input) {
                        return Some(found);
                    }
                }
                State::Unframed => {
                    *input = rest;
                    if let Some(found) = self.bare(now, first) {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// The stream is over: what an open frame was worth.
    pub fn end(&mut self) -> Option<Found> {
        match self.state {
            State::InFrame => Some(self.abandon(Fault::Truncated)),
            State::Unframed if !self.content.is_empty() => {
                self.state = State::Idle;
                Some(Found::Message)
            }
            State::Fresh | State::Idle | State::Tail | State::Unframed => None,
        }
    }

    /// The message just found. Give the buffer back with [`Framer::restore`].
    pub fn take(&mut self) -> Vec<u8> {
        let mut content = std::mem::take(&mut self.content);
        if self.state == State::Unframed {
            // What ended this message is the beginning of the next one.
            content.truncate(content.len().saturating_sub(HEADER.len()));
            self.content.extend_from_slice(HEADER);
        }
        content
    }

    /// Takes a buffer back for the next frame.
    pub fn restore(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        buffer.shrink_to(KEPT_ROOM);
        // A bare message already holds the beginning of the next one.
        buffer.append(&mut self.content);
        self.content = buffer;
    }

    fn begin(&mut self, now: Moment) {
        self.state = State::InFrame;
        self.content.clear();
        self.began = now;
        self.noisy = false;
    }

    /// Bytes up to the next start block.
    fn between(&mut self, now: Moment, input: &mut &[u8]) -> Option<Found> {
        let length = input
            .iter()
            .position(|&byte| byte == START)
            .unwrap_or(input.len());
        let (dropped, rest) = input.split_at(length);
        let padding = dropped.iter().all(|byte| matches!(*byte, 0 | CR | b'\n'));
        let noise = !padding && !self.noisy;
        self.noisy |= noise;
        *input = rest;
        if let Some((_, rest)) = input.split_first() {
            *input = rest;
            self.begin(now);
        }
        (length > 0).then(|| Found::Between {
            dropped: count(length),
            noise,
        })
    }

    /// Content up to the next block byte.
    fn inside(&mut self, now: Moment, input: &mut &[u8]) -> Option<Found> {
        let length = block_byte(input).unwrap_or(input.len());
        let (content, rest) = input.split_at(length);
        let room = self.limit.saturating_sub(self.content.len());
        if content.len() > room {
            let (kept, rest) = input.split_at(room);
            self.content.extend_from_slice(kept);
            *input = rest;
            return Some(self.overflow());
        }
        self.content.extend_from_slice(content);
        let Some((&block, rest)) = rest.split_first() else {
            *input = rest;
            return None;
        };
        *input = rest;
        if block == END {
            self.state = State::Tail;
            return Some(Found::Message);
        }
        // The sender started again: its partial message is worth nothing.
        let partial = self.content.len();
        self.begin(now);
        (partial > 0).then(|| Found::Broken {
            fault: Fault::Truncated,
            dropped: count(partial).saturating_add(1),
        })
    }

    /// One byte of a capture without frames.
    fn bare(&mut self, now: Moment, byte: u8) -> Option<Found> {
        if byte == START || byte == END {
            let held = !self.content.is_empty();
            self.state = State::Tail;
            if byte == START {
                self.state = State::InFrame;
                self.began = now;
            }
            return held.then_some(Found::Message);
        }
        if self.content.len() >= self.limit {
            return Some(self.overflow());
        }
        self.content.push(byte);
        let before = self.content.strip_suffix(HEADER)?;
        let held = matches!(before.last(), Some(&CR | b'\n'))
            && before.iter().any(|byte| !byte.is_ascii_whitespace());
        held.then_some(Found::Message)
    }

    fn overflow(&mut self) -> Found {
        self.state = State::Idle;
        self.noisy = true;
        Found::Broken {
            fault: Fault::Oversized,
            dropped: count(self.content.len()),
        }
    }

    fn abandon(&mut self, fault: Fault) -> Found {
        let dropped = count(self.content.len()).saturating_add(1);
        self.state = State::Idle;
        self.content = Vec::new();
        Found::Broken { fault, dropped }
    }
}

/// Where the next start or end block stands.
fn block_byte(input: &[u8]) -> Option<usize> {
    Candidates::new(input, START, END).find(|&at| matches!(input.get(at), Some(&(START | END))))
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
