//! `bbraun-bcc`: B. Braun Space infusion pumps through SpaceCom or a station, BCC 4.0 (dossier `serial-pumps.md`).
//!
//! A station answers when it is asked: over its serial line, or over TCP on port 4001. Promises: only the two
//! questions *are you there* and *what do you hold* are ever sent, and the bytes that take or refuse a block;
//! nothing that could change a pump. A block counts only if its length and its check are right; good ones are
//! acknowledged, bad ones asked for again. A change of a pump's state is told once.
//!
//! A pump's address, `501` with pillar and slot, is its identity: with more than one pump at a station give it
//! as `pump-id`. Not certain (UNVERIFIED): whether an answer holds everything or what has changed, so that what
//! it leaves out is taken as unchanged; whether the last block of an answer wants its acknowledgement; whether
//! a value can be cut by the end of a block, which is joined again. A pump's times are not read: their
//! form is not known.

mod answer;
mod block;
mod device;
mod pump;
mod session;
mod settings;

use super::registry::{Grade, LineSettings, Parity, Protocol, SpeaksFirst, StopBits};
use std::time::Duration;

/// The registry's entry.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "bbraun-bcc",
    title: "B. Braun Space infusion pumps: BCC over SpaceCom, serial or TCP port 4001; pump events only",
    parameters: &[],
    waves: false,
    display_grade: false,
    line: Some(LineSettings {
        baud: 9_600,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Host,
    cadence: Duration::from_secs(2),
    grade: Grade::A,
    tested: "blocks worked out from the vendor's rules; simulated station; garbage, cuts and bit flips; \
             not yet a real pump",
    options: settings::OPTIONS,
    open: session::open,
    device: device::device,
};

#[cfg(test)]
mod tests;
