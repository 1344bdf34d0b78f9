//! Protocols: bytes and time in; observations, alerts, bytes to send, faults and the next deadline out.
//!
//! A [`Session`] is a plain state machine without I/O. It runs unchanged over a serial line, a socket,
//! a datagram port or a capture file, because it never knows which. Each protocol file holds three
//! things side by side: the session, the device side that the simulator speaks, and their tests. A
//! new protocol touches its own file and one line of [`REGISTRY`].
//!
//! Promises: nothing from the wire panics, hangs or allocates without bound; a broken frame is counted
//! and costs only itself; the device is only ever read, never changed.

mod bbraun_bcc;
mod capnostream;
mod contec;
mod device;
mod dinamap;
mod event;
mod ge_dri;
mod ge_unity;
mod groups;
pub mod hl7;
mod intellivue;
pub mod json;
mod lines;
mod masimo_ascii1;
mod mindray_pds;
mod nellcor_ascii;
mod nonin;
mod notices;
mod raw;
mod recognise;
mod registry;
mod scrap;
mod session;

pub use device::{CuffReading, CuffState, Device, DeviceOptions, Screen};
pub use event::{Event, Events, Fault, Token};
pub use recognise::{Candidate, recognise};
pub use registry::{
    Grade, LineSettings, OptionSpec, Parity, Protocol, REGISTRY, SpeaksFirst, StopBits, find,
};
pub use session::{Medium, OptionProblem, Options, Session, SessionOptions};

#[cfg(test)]
mod transcript;
