//! The session's record: what leaves the box as a document (flow sheet, CSV, JSON, FHIR).
//!
//! Promises: one reading of the journal gives one [`Record`], a plain value, and every writer is a pure
//! function of it: two runs give the same bytes. What a person entered is marked manual; what is missing is
//! shown as missing; what was corrected stays, marked. Never: it does not write the journal, does not judge
//! again, and does not fill a hole with a neighbour's value.
//!
//! The journal owns the entries ([`SessionEntries`]); nothing here outlives a call.

mod alarms;
mod amounts;
mod assemble;
mod course;
pub mod csv;
mod cuff;
mod devices;
mod entered;
pub mod fhir;
mod follower;
mod gather;
pub mod html;
mod leaving;
mod limits;
mod minutes;
mod model;
mod places;
mod stamp;

pub use model::*;
pub use stamp::Stamp;

use crate::journal::{SessionEntries, VerifyError};
use gather::Gather;
use std::ops::ControlFlow;
use std::path::Path;

/// The version of the JSON document; changed when a key changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// Reads the record of one session; `None` when the journal has none with this number. The journal may be
/// in use, and the session still open.
///
/// # Errors
/// The journal cannot be opened, or not be read to the session's end.
pub fn read(journal: &Path, session: i64) -> Result<Option<Record>, VerifyError> {
    let Some(entries) = SessionEntries::open(journal, session)? else {
        return Ok(None);
    };
    let mut gather = Gather::new(session, &entries);
    entries.visit(&mut |entry| {
        gather.take(entry);
        ControlFlow::Continue(())
    })?;
    Ok(Some(gather.finish()))
}

/// The whole record as one JSON document (`docs/record.md` lists every key).
///
/// # Errors
/// Only our own fault: a value that JSON cannot hold.
pub fn json(record: &Record) -> serde_json::Result<String> {
    #[derive(serde::Serialize)]
    struct Document<'a> {
        version: u32,
        kind: &'static str,
        #[serde(flatten)]
        record: &'a Record,
    }
    serde_json::to_string_pretty(&Document {
        version: VERSION,
        kind: "infusewatch-session",
        record,
    })
    .map(|text| text + "\n")
}
