//! The record as the display asks about it.

use crate::display::History;
use crate::journal::Reader;
use crate::vocabulary::WallTime;
use serde_json::Value;
use std::path::PathBuf;

/// Opens the journal for each question: questions are rare, and a file that was put aside and begun anew
/// is then simply the new one.
pub(super) struct Record {
    path: PathBuf,
}

impl Record {
    /// The journal at `path`.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn reader(&self) -> Result<Reader, String> {
        Reader::open(&self.path).map_err(|error| error.to_string())
    }
}

impl History for Record {
    fn history(
        &self,
        parameter: &str,
        from: WallTime,
        to: WallTime,
        points: usize,
    ) -> Result<Value, String> {
        let points = self
            .reader()?
            .history(parameter, from, to, points)
            .map_err(|error| error.to_string())?;
        serde_json::to_value(points).map_err(|error| error.to_string())
    }

    fn alarms(&self, session: Option<i64>) -> Result<Value, String> {
        let alarms = self
            .reader()?
            .alarms(session)
            .map_err(|error| error.to_string())?;
        serde_json::to_value(alarms).map_err(|error| error.to_string())
    }
}
