//! What the display and the reports ask of the record, on a connection that only reads.
//!
//! Promises: a question never waits for the writer, and no answer grows without bound.

use super::codec::{self, DamagedWave};
use super::dictionary::Parameters;
use super::row::{self, ReadRow};
use super::store::{self, OpenError};
use super::trend::{HistoryPoint, MOST_POINTS, Pieces, Subject, Trends};
use crate::vocabulary::{Decimal, ParameterId, WallTime};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most alarms in one answer, the newest.
const MOST_ALARMS: i64 = 1_000;
/// The most events in one answer, the oldest that were asked for.
const MOST_EVENTS: usize = 2_000;
/// The most pieces of one wave in one answer.
const MOST_WAVES: i64 = 3_600;
/// How far the wall clock may have stepped between two waves that are looked for.
const STEP_MS: i64 = 60_000;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The name is neither a parameter nor a code.
    #[error("no parameter is called {0:?}; `infusewatch protocols` lists the names")]
    UnknownParameter(String),
    /// The question asks for nothing, or for too much.
    #[error("points must be between 1 and {MOST_POINTS}, and from before to")]
    BadRange,
    /// A new file was begun under the name, and it cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record cannot be read.
    #[error("cannot read the record: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A row makes no sense.
    #[error("cannot read the record: {0}")]
    Row(#[from] row::BadRow),
    /// A wave cannot be decoded.
    #[error("cannot read the record: {0}")]
    Wave(#[from] DamagedWave),
}

impl From<ReadRow> for QueryError {
    fn from(error: ReadRow) -> Self {
        match error {
            ReadRow::Sql(error) => Self::Sql(error),
            ReadRow::Bad(error) => Self::Row(error),
        }
    }
}

/// One row of `v_alarms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmRow {
    /// The session, if one was open.
    pub session: Option<i64>,
    /// The occurrence.
    pub alarm: u64,
    /// The rule.
    pub rule: String,
    /// `physiological` or `technical`.
    pub class: String,
    /// The highest priority it had.
    pub priority: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// When it ended.
    pub ended: Option<String>,
    /// When it was first acknowledged.
    pub acknowledged: Option<String>,
    /// By whom.
    pub by: Option<String>,
    /// The most extreme value among its events.
    pub peak_value: Option<Decimal>,
    /// The limit that was passed at its peak.
    pub limit_value: Option<Decimal>,
    /// In words.
    pub text: Option<String>,
}

/// Something that was done in a session: a command that was obeyed, or a phase or baseline that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// Its place in the record.
    pub seq: u64,
    /// When, Unix milliseconds.
    #[serde(rename = "t")]
    pub wall_ms: i64,
    /// The command's name, or `phase` or `baseline`.
    pub what: String,
    /// All that the record says about it.
    pub detail: serde_json::Value,
}

/// One row of `v_sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// The session.
    pub session: i64,
    /// When it was opened, RFC 3339.
    pub opened: String,
    /// First start of the infusion.
    pub infusion_started: Option<String>,
    /// Last end of the infusion.
    pub infusion_ended: Option<String>,
    /// When it was closed.
    pub closed: Option<String>,
    /// Name and check sum of the profile.
    pub profile: Option<String>,
    /// Baseline values as a JSON object.
    pub baseline: Option<String>,
}

/// At most one second of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaveSlice {
    /// The feed.
    pub feed: String,
    /// When its first sample was received.
    pub wall_ms: i64,
    /// Samples per second.
    pub rate_hz: u32,
    /// What one count is worth, in `unit`.
    pub resolution: String,
    /// The unit.
    pub unit: String,
    /// The samples in counts; `None`: no sample.
    pub samples: Vec<Option<i32>>,
}

/// Reads the record while another thread, or another process, writes it.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// Which file it is: the writer may have begun a new one under the same name.
    inode: u64,
    trends: Trends,
}

impl Open {
    fn new(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            inode: inode(path),
            connection: store::open_reader(path)?,
            trends: Trends::default(),
        })
    }
}

fn inode(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.ino())
}

impl Reader {
    /// Opens the record for reading.
    ///
    /// # Errors
    /// It does not exist yet, is no journal, is newer, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            path: path.to_owned(),
            open: Mutex::new(Open::new(path)?),
        })
    }

    /// The open file, the one that has the name now.
    fn lock(&self) -> Result<MutexGuard<'_, Open>, OpenError> {
        // A question that panicked half-way leaves at most a memory of readings behind.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.inode != inode(&self.path) {
            *open = Open::new(&self.path)?;
        }
        Ok(open)
    }

    /// The trend of one parameter from `from` up to, without, `to`, in at most `points` pieces of equal
    /// length; pieces without a reading are left out.
    ///
    /// # Errors
    /// An unknown name, an empty range, too many points, or a record that cannot be read.
    pub fn history(
        &self,
        parameter: &str,
        from: WallTime,
        to: WallTime,
        points: usize,
    ) -> Result<Vec<HistoryPoint>, QueryError> {
        let name = ParameterId::parse(parameter)
            .ok_or_else(|| QueryError::UnknownParameter(parameter.to_owned()))?;
        let mut pieces =
            Pieces::new(from.as_millis(), to.as_millis(), points).ok_or(QueryError::BadRange)?;
        let mut open = self.lock()?;
        let Open {
            connection, trends, ..
        } = &mut *open;
        let Some(number) = Parameters::read(connection)?.number(&name) else {
            return Ok(Vec::new());
        };
        trends.fill(connection, Subject::new(&name, number), &mut pieces)?;
        Ok(pieces.finish())
    }

    /// The alarms of one session, or of every time, oldest first; at most the newest thousand.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn alarms(&self, session: Option<i64>) -> Result<Vec<AlarmRow>, QueryError> {
        let open = self.lock()?;
        let mut statement = open.connection.prepare(
            "SELECT session, alarm, rule, class, priority, began, ended, acknowledged, by, peak_value, \
             limit_value, text FROM v_alarms WHERE ?1 IS NULL OR session = ?1 \
             ORDER BY began DESC, alarm DESC LIMIT ?2",
        )?;
        let mut alarms = statement
            .query_map(params![session, MOST_ALARMS], |row| {
                Ok(AlarmRow {
                    session: row.get(0)?,
                    alarm: row::unsigned(row.get(1)?),
                    rule: row.get(2)?,
                    class: row.get(3)?,
                    priority: row.get(4)?,
                    began: row.get(5)?,
                    ended: row.get(6)?,
                    acknowledged: row.get(7)?,
                    by: row.get(8)?,
                    peak_value: decimal(row, 9)?,
                    limit_value: decimal(row, 10)?,
                    text: row.get(11)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        alarms.reverse();
        Ok(alarms)
    }

    /// What was done in one session after the event `after`, oldest first; at most two thousand. What was
    /// refused was not done.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn events(&self, session: i64, after: u64) -> Result<Vec<EventRow>, QueryError> {
        let open = self.lock()?;
        let mut statement = open.connection.prepare(SELECT_EVENTS)?;
        let mut rows = statement.query(params![session, row::sql(after)])?;
        let mut events: Vec<EventRow> = Vec::new();
        while let Some(row) = rows.next()? {
            let (what, detail): (String, String) = (row.get(2)?, row.get(3)?);
            if what == "refused" {
                // A refusal follows its command.
                events.pop_if(|event| detail == event.what);
            } else if events.len() >= MOST_EVENTS {
                break;
            } else {
                events.push(EventRow {
                    seq: row::unsigned(row.get(0)?),
                    wall_ms: row.get(1)?,
                    what,
                    detail: serde_json::from_str(&detail).unwrap_or_default(),
                });
            }
        }
        Ok(events)
    }

    /// Every session, oldest first.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, QueryError> {
        let open = self.lock()?;
        let mut statement = open.connection.prepare(
            "SELECT session, opened, infusion_started, infusion_ended, closed, profile, baseline \
             FROM v_sessions ORDER BY session",
        )?;
        let sessions = statement.query_map([], |row| {
            Ok(SessionRow {
                session: row.get(0)?,
                opened: row.get(1)?,
                infusion_started: row.get(2)?,
                infusion_ended: row.get(3)?,
                closed: row.get(4)?,
                profile: row.get(5)?,
                baseline: row.get(6)?,
            })
        })?;
        Ok(sessions.collect::<rusqlite::Result<_>>()?)
    }

    /// The pieces of one wave that began from `from` up to, without, `to`; at most an hour.
    ///
    /// # Errors
    /// The record cannot be read, or a piece is damaged.
    pub fn waves(
        &self,
        label: &str,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<WaveSlice>, QueryError> {
        let open = self.lock()?;
        let first = first_wave(&open.connection, from.as_millis().saturating_sub(STEP_MS))?;
        let after = first_wave(&open.connection, to.as_millis().saturating_add(STEP_MS))?;
        let mut statement = open.connection.prepare(
            "SELECT c.feed, w.wall_ms, c.rate_hz, c.resolution, c.unit, w.data \
             FROM wave w JOIN channel c ON c.id = w.channel \
             WHERE w.id >= ?1 AND w.id < ?2 AND w.wall_ms >= ?3 AND w.wall_ms < ?4 AND c.label = ?5 \
             ORDER BY w.id LIMIT ?6",
        )?;
        let range = params![
            first,
            after,
            from.as_millis(),
            to.as_millis(),
            label,
            MOST_WAVES
        ];
        let mut rows = statement.query(range)?;
        let mut slices = Vec::new();
        while let Some(row) = rows.next()? {
            let data: Vec<u8> = row.get(5)?;
            slices.push(WaveSlice {
                feed: row.get(0)?,
                wall_ms: row.get(1)?,
                rate_hz: row.get(2)?,
                resolution: row.get(3)?,
                unit: row.get(4)?,
                samples: codec::decode(&data)?,
            });
        }
        Ok(slices)
    }
}

const SELECT_EVENTS: &str = "WITH first AS (
        SELECT max(?2, min(seq) - 1) AS seq FROM opening WHERE session = ?1)
     SELECT seq, wall_ms, detail ->> '$.command.command' AS what, detail -> '$.command' AS detail
     FROM input WHERE seq > (SELECT seq FROM first) AND session = ?1 AND detail IS NOT NULL
         AND detail ->> '$.command.command' IS NOT NULL
     UNION ALL
     SELECT seq, wall_ms, kind,
            CASE kind WHEN 'refused' THEN detail ->> 'command' ELSE detail END
     FROM record WHERE seq > (SELECT seq FROM first) AND session = ?1
         AND kind IN ('phase', 'baseline', 'refused')
     ORDER BY seq";

/// The first row of `wave` that is not before this time, by halving: rows stand in the order of time.
fn first_wave(connection: &Connection, wall_ms: i64) -> rusqlite::Result<i64> {
    let newest: Option<i64> =
        connection.query_row("SELECT max(id) FROM wave", [], |row| row.get(0))?;
    let mut probe = connection.prepare("SELECT wall_ms FROM wave WHERE id = ?1")?;
    let (mut low, mut high) = (1, newest.unwrap_or(0).saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<i64> = probe.query_row([middle], |row| row.get(0)).optional()?;
        if found.is_some_and(|found| found < wall_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// A number that a view printed, exactly.
fn decimal(row: &Row<'_>, place: usize) -> rusqlite::Result<Option<Decimal>> {
    Ok(match row.get_ref(place)? {
        ValueRef::Integer(number) => Some(Decimal::whole(number)),
        ValueRef::Real(number) => Decimal::parse(number.to_string().as_bytes()).ok(),
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    })
}
