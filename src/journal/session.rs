//! One session as the record holds it: its entries in order, and what stands around them.
//!
//! Promises: everything comes from one state of the file, however much is written meanwhile; memory does not
//! grow with the session. Never: it does not judge, repair or leave out.

use super::entry::Entry;
use super::replay::{self, ReadError};
use super::row;
use super::store;
use super::verify::VerifyError;
use crate::engine::FeedId;
use crate::vocabulary::WallTime;
use rusqlite::{Connection, params};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// A row of `opening` with the start that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedBy {
    /// The number of the input.
    pub seq: u64,
    /// When.
    pub wall: WallTime,
    /// `open`, `carry-over`, or `continued`: the file begins inside the session.
    pub what: String,
    /// Name and check sum of the profile that judges.
    pub profile: Option<String>,
    /// Version of the program.
    pub program: Option<String>,
    /// Version of the alarm engine.
    pub engine_version: Option<u32>,
}

/// Entries that could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingEntries {
    /// The first number.
    pub from: u64,
    /// The last number.
    pub to: u64,
    /// When the first entry after them was made.
    pub wall: WallTime,
}

/// Which feed stands at a place of the configuration, from this number on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedAt {
    /// From this number on.
    pub seq: u64,
    /// The place.
    pub place: FeedId,
    /// The feed's name.
    pub name: Arc<str>,
    /// The protocol's name.
    pub protocol: Arc<str>,
}

/// One session of the record, in one state of the file.
#[derive(Debug)]
pub struct SessionEntries {
    connection: Connection,
    session: i64,
    /// How it was opened, and how it went on after restarts without replay; oldest first, never empty.
    pub openings: Vec<OpenedBy>,
    /// What is missing.
    pub missing: Vec<MissingEntries>,
    /// The feeds by their places, oldest first.
    pub feeds: Vec<FeedAt>,
}

impl SessionEntries {
    /// Finds a session; `None` when the record has none with this number.
    ///
    /// # Errors
    /// The record cannot be opened, or not be read.
    pub fn open(path: &Path, session: i64) -> Result<Option<Self>, VerifyError> {
        let connection = store::open_reader(path)?;
        Ok(Self::find(connection, session).map_err(ReadError::from)?)
    }

    fn find(connection: Connection, session: i64) -> rusqlite::Result<Option<Self>> {
        // One state of the file from the first question on, until the connection is dropped.
        connection.execute_batch("BEGIN")?;
        let openings = openings(&connection, session)?;
        let (Some(first), Some(last)) = (openings.first(), openings.last()) else {
            return Ok(None);
        };
        let (first, last) = (first.seq, last.seq);
        let next: Option<i64> = connection.query_row(
            "SELECT min(seq) FROM opening WHERE seq > ?1",
            [row::sql(last)],
            |row| row.get(0),
        )?;
        let range = params![row::sql(first), next.unwrap_or(i64::MAX)];
        let missing = connection
            .prepare(
                "SELECT seq, to_seq, wall_ms FROM gap WHERE to_seq >= ?1 AND seq < ?2 ORDER BY seq",
            )?
            .query_map(range, |row| {
                Ok(MissingEntries {
                    from: row::unsigned(row.get(0)?),
                    to: row::unsigned(row.get(1)?),
                    wall: WallTime::from_millis(row.get(2)?),
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let feeds = connection
            .prepare("SELECT seq, place, name, protocol FROM feed ORDER BY seq, place")?
            .query_map([], |row| {
                let (name, protocol): (String, String) = (row.get(2)?, row.get(3)?);
                Ok(FeedAt {
                    seq: row::unsigned(row.get(0)?),
                    place: FeedId(row.get(1)?),
                    name: name.into(),
                    protocol: protocol.into(),
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(Self {
            connection,
            session,
            openings,
            missing,
            feeds,
        }))
    }

    /// Shows every entry of the session in order, until the visitor breaks off.
    ///
    /// # Errors
    /// The record cannot be read to the session's end.
    pub fn visit(
        &self,
        visitor: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), VerifyError> {
        let (first, last) = match (self.openings.first(), self.openings.last()) {
            (Some(first), Some(last)) => (first.seq, last.seq),
            (None, _) | (_, None) => return Ok(()),
        };
        replay::visit(&self.connection, first, &mut |entry| {
            if entry.session == Some(self.session) {
                return visitor(entry);
            }
            // Entries of standby may stand between the numbers of a session that is carried over; after its
            // last opening the first foreign one ends it.
            if entry.seq > last {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }
}

fn openings(connection: &Connection, session: i64) -> rusqlite::Result<Vec<OpenedBy>> {
    connection
        .prepare(
            "SELECT o.seq, o.wall_ms, o.what, o.profile, s.program, s.engine_version \
             FROM opening o LEFT JOIN start s ON s.id = o.start WHERE o.session = ?1 ORDER BY o.seq",
        )?
        .query_map([session], |row| {
            Ok(OpenedBy {
                seq: row::unsigned(row.get(0)?),
                wall: WallTime::from_millis(row.get(1)?),
                what: row.get(2)?,
                profile: row.get(3)?,
                program: row.get(4)?,
                engine_version: row.get(5)?,
            })
        })?
        .collect()
}
