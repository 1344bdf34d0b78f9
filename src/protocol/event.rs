//! What a session has to say after it was given bytes, time or an answer.

use crate::observation::{DeviceAlert, Identity, Observation, PumpEvent, WaveChunk};

/// A number under which a session waits for the record: the feed answers it with
/// [`super::Session::committed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What was wrong with bytes on the wire; the name is the key of the fault counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The check over a frame failed.
    BadChecksum,
    /// The length in a frame contradicts the bytes received.
    BadLength,
    /// A frame that passes its check but cannot be what it claims.
    BadFrame,
    /// Longer than the protocol allows.
    Oversized,
    /// The connection ended, or a new frame began, inside a frame.
    Truncated,
    /// A line or message that cannot be read.
    BadMessage,
    /// A character set that cannot be carried or read.
    BadCharset,
    /// A version or message type that we do not take.
    Unsupported,
    /// Codes that we do not know, recorded under their own name.
    UnknownCode,
    /// Number code and name contradict each other.
    CodeMismatch,
    /// A device that answered late, out of order or not at all.
    BadAnswer,
    /// Bytes that belong to no frame.
    Noise,
    /// A time that cannot be read.
    BadTime,
    /// Records lost, by the device's own sequence numbers.
    Lost,
    /// The sender did not finish a frame in time.
    Timeout,
}

impl Fault {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadChecksum => "bad-checksum",
            Self::BadLength => "bad-length",
            Self::BadFrame => "bad-frame",
            Self::Oversized => "oversized",
            Self::Truncated => "truncated",
            Self::BadMessage => "bad-message",
            Self::BadCharset => "bad-charset",
            Self::Unsupported => "unsupported",
            Self::UnknownCode => "unknown-code",
            Self::CodeMismatch => "code-mismatch",
            Self::BadAnswer => "bad-answer",
            Self::Noise => "noise",
            Self::BadTime => "bad-time",
            Self::Lost => "lost",
            Self::Timeout => "timeout",
        }
    }
}

/// One thing that a session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A frame passed its checks: the only sign of life. Comes before what the frame contains.
    Frame,
    /// Whom or what the observations that follow are about, until the next one. Only from protocols
    /// that carry an identity; sent before the first observation of every message that tells one.
    Identity(Identity),
    /// A reading.
    Observation(Observation),
    /// An alarm of the device.
    DeviceAlert(DeviceAlert),
    /// A pump event.
    PumpEvent(PumpEvent),
    /// Wave samples.
    Wave(WaveChunk),
    /// Bytes for the device, to be written with one call.
    Send(Vec<u8>),
    /// Everything said before this must be in the record; the answer comes as
    /// [`super::Session::committed`].
    AwaitCommit(Token),
    /// Something on the wire was wrong.
    Fault(Fault),
    /// This many bytes were thrown away.
    Discarded(u64),
}

/// What a session has said, in order. The caller reuses the list.
pub type Events = Vec<Event>;
