//! Which protocol bytes may be: each is given to the session of every protocol, and what each makes of them is
//! counted.
//!
//! Promises: nothing a session wants to say leaves this module. A weak check alone proves little, so a protocol
//! counts as recognised only when nearly all bytes are in its good frames.

use super::event::{Event, Events};
use super::json::Summary;
use super::registry::{Protocol, REGISTRY};
use super::session::SessionOptions;
use crate::vocabulary::Now;

/// Good frames without which nothing is recognised.
const FEWEST_FRAMES: u64 = 2;
/// Bytes in a hundred that may lie outside good frames; a stream is joined in the middle of one.
const MOST_DISCARDED: u64 = 25;
/// Bytes at the beginning that are the rest of a frame and count against nobody.
const JOINING: u64 = 300;

/// What one protocol made of the bytes.
#[derive(Debug)]
pub struct Candidate {
    /// The protocol.
    pub protocol: &'static Protocol,
    /// Frames, observations, faults and bytes thrown away.
    pub summary: Summary,
}

impl Candidate {
    /// Whether these bytes are this protocol's, as far as bytes can show.
    pub fn is_convincing(&self) -> bool {
        let lost = self
            .summary
            .discarded_bytes
            .saturating_sub(JOINING.min(self.summary.bytes / 2));
        self.summary.frames >= FEWEST_FRAMES
            && lost.saturating_mul(100) <= self.summary.bytes.saturating_mul(MOST_DISCARDED)
    }
}

/// What every protocol makes of `bytes`, a piece of one stream: those with good frames, the one that threw
/// away least first.
pub fn recognise(bytes: &[u8]) -> Vec<Candidate> {
    let mut candidates: Vec<_> = REGISTRY
        .iter()
        .filter(|protocol| !protocol.parameters.is_empty())
        .filter_map(|protocol| read(protocol, bytes))
        .filter(|candidate| candidate.summary.frames > 0)
        .collect();
    candidates.sort_by_key(|one| {
        (
            one.summary.discarded_bytes,
            std::cmp::Reverse(one.summary.frames),
        )
    });
    candidates
}

fn read(protocol: &'static Protocol, bytes: &[u8]) -> Option<Candidate> {
    // A protocol that needs settings cannot be recognised.
    let mut session = (protocol.open)(&SessionOptions::default()).ok()?;
    let mut summary = Summary {
        bytes: bytes.len() as u64,
        ..Summary::default()
    };
    let (now, mut events) = (Now::default(), Events::new());
    session.opened(now, &mut events);
    for piece in bytes.chunks(1_024) {
        session.receive(now, piece, &mut events);
        for event in events.drain(..) {
            if !matches!(event, Event::Send(_) | Event::AwaitCommit(_)) {
                summary.count(&event);
            }
        }
    }
    Some(Candidate { protocol, summary })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_oximeter_are_recognised_and_nothing_else_is_convinced() {
        let line =
            "03/17/24 10:00:00 SN=0000001234 SPO2=097% BPM=072 PI=03.10% ALARM=0000 EXC=000800\r\n";
        let stream = format!("% ALARM=0000 EXC=000800\r\n{}", line.repeat(4));
        let found = recognise(stream.as_bytes());
        let convincing: Vec<_> = found
            .iter()
            .filter(|one| one.is_convincing())
            .map(|one| one.protocol.name)
            .collect();
        assert_eq!(convincing, ["masimo-ascii1"]);
        assert_eq!(found[0].summary.frames, 4);
    }

    #[test]
    fn noise_and_silence_are_nobodys() {
        let noise: Vec<u8> = (0..4_000_u32)
            .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap())
            .collect();
        assert!(recognise(&noise).iter().all(|one| !one.is_convincing()));
        assert!(recognise(b"").is_empty());
    }
}
