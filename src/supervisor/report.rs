//! The documents of a session as the display asks for them.

use crate::display::{Reports, Sheet};
use crate::record;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// Reads the journal anew for each document.
pub(super) struct Documents {
    path: PathBuf,
}

impl Documents {
    /// Of the journal at `path`.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Reports for Documents {
    fn flow_sheet(&self, session: i64) -> Result<Option<Sheet>, String> {
        let record = record::read(&self.path, session).map_err(|error| error.to_string())?;
        Ok(record.map(|record| Sheet {
            html: record::html::flow_sheet(&record, &TimeZone::system()),
            policy: record::html::POLICY,
        }))
    }
}
