//! The journal: every input the engine took and every record it made, in SQLite.

mod entry;

pub use entry::{Body, Entry, Job};
