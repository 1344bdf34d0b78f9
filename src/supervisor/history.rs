//! The record as the display asks about it.

use crate::display::History;
use crate::journal::Reader;
use crate::vocabulary::WallTime;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Opens the journal at the first question that finds one and keeps it open: what a trend was drawn from is
/// then remembered. The reader itself follows a file that was put aside and begun anew.
pub(super) struct Record {
    path: PathBuf,
    open: OnceLock<Reader>,
}

impl Record {
    /// The journal at `path`.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: OnceLock::new(),
        }
    }

    fn reader(&self) -> Result<&Reader, String> {
        if let Some(reader) = self.open.get() {
            return Ok(reader);
        }
        let reader = Reader::open(&self.path).map_err(|error| error.to_string())?;
        Ok(self.open.get_or_init(|| reader))
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

    fn events(&self, session: i64, after: u64) -> Result<Value, String> {
        let events = self
            .reader()?
            .events(session, after)
            .map_err(|error| error.to_string())?;
        serde_json::to_value(events).map_err(|error| error.to_string())
    }
}
