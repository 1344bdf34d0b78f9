//! Feeds: a transport and a protocol each, kept alive for as long as the daemon runs.
//!
//! Promises: a lost transport is opened again, for ever; what a device says reaches the engine in
//! order and before anything else is done with it; a full queue, a slow disk, a peer that does not read
//! or a sender that may not speak holds up nobody else. It never judges, never changes a reading, never
//! guesses whose it is. Each feed is one task that owns its connections and sessions ([`run`]); nothing
//! is shared but counters.

mod capture;
mod conversation;
mod dispatch;
mod link;
mod outlet;
mod overhear;
mod plan;
mod repeats;
mod supervise;
mod transport;

pub use link::{Accepted, Link, Listener, Opened, Opener, Opening, Received, Stream};
pub use outlet::Overload;
pub use overhear::overhear;
pub use plan::{FeedPlan, Ports, Timings, WaveSink};
pub use supervise::{run, run_with};
