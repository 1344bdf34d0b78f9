//! The virtual patient and the device side of every protocol: for the demo, tests, training and
//! bench work.
//!
//! Promises: a [`Scenario`] is a function of simulated time alone, so that the same seed gives the
//! same numbers, and several devices that share one scenario show one patient. A [`Link`] speaks
//! through the [`crate::protocol::Device`] of its protocol and never around it.
//!
//! Never: it imports nothing of the running daemon, and the daemon takes nothing from it except
//! bytes on a wire. Floats live here and end at a monitor's rounded decimals.
//!
//! Who owns what: a [`Scenario`] is immutable and shared; a [`Monitor`] owns the phase of its waves; a
//! [`Link`] owns its device, its monitor and its end of the wire.

pub mod demo;
mod link;
mod monitor;
mod noise;
mod nurse;
mod overheard;
pub mod patient;
pub mod pharmacokinetics;
mod port;
mod pty;
mod scenario;
mod waves;

pub use link::{CableScript, Link};
pub use monitor::{Fitted, Monitor};
pub use nurse::{Nurse, NurseError};
pub use overheard::{Heard, overheard};
pub use port::{Port, PortError, Socket};
pub use scenario::{Cable, FinishedCuff, NAMED, Scenario, Scene, TableProblem};
