//! The open file as the writer sees it: one transaction per batch, and the small tables kept beside it.
//!
//! Promises: a batch is in the record whole or not at all; numbers follow each other without a hole, a jump
//! becomes a gap, and a number that is already taken is refused. After any failure the value is thrown away
//! and the file opened again, so nothing remembered here can differ from the file.

use super::backlog::Slot;
use super::dictionary::{Channels, FeedNames, Feeds, Parameters};
use super::entry::{Body, Entry};
use super::restore::Opening;
use super::row;
use super::store;
use super::waves::WaveSecond;
use crate::engine::{AlarmRecord, Input, Record, Started, engine_version};
use crate::vocabulary::{Moment, Now, WallTime};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One start of the program, as the journal notes it before anything is replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The kernel's boot id.
    pub boot: Arc<str>,
    /// The wall clock at the start.
    pub wall: WallTime,
    /// CLOCK_BOOTTIME at the start.
    pub booted: Moment,
    /// Whether a time service has set the wall clock since the boot.
    pub wall_is_trusted: bool,
    /// The configured profile's text.
    pub profile: Arc<str>,
    /// Engine time minus CLOCK_BOOTTIME, found from the record when it is opened.
    pub(super) offset_us: i64,
}

impl Start {
    /// A start at `now` by the machine's own clocks.
    pub const fn new(boot: Arc<str>, now: Now, wall_is_trusted: bool, profile: Arc<str>) -> Self {
        Self {
            boot,
            wall: now.wall,
            booted: now.moment,
            wall_is_trusted,
            profile,
            offset_us: 0,
        }
    }

    /// Check sum of the configured profile.
    pub(super) fn profile_crc(&self) -> String {
        profile_crc(&self.profile)
    }
}

fn profile_crc(text: &str) -> String {
    const CRC: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
    format!("{:016x}", CRC.checksum(text.as_bytes()))
}

/// What people call a profile: its `name` and `version`, and the check sum of the whole text.
fn profile_label(text: &str) -> String {
    let table: toml::Table = text.parse().unwrap_or_default();
    let inner = table.get("profile").and_then(toml::Value::as_table);
    let told = |key: &str| {
        let value = table
            .get(key)
            .or_else(|| inner.and_then(|inner| inner.get(key)))?;
        Some(match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        })
    };
    ["name", "version"]
        .into_iter()
        .filter_map(told)
        .chain([format!("(crc {})", profile_crc(text))])
        .collect::<Vec<_>>()
        .join(" ")
}

/// What one commit writes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Places of the sequence, in order.
    pub slots: Vec<Slot>,
    /// Seconds of waves.
    pub waves: Vec<WaveSecond>,
    /// Whether this start is good from now on.
    pub good: bool,
}

/// Why a batch is not in the record.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    /// SQLite could not.
    #[error("{}", store::reason(.0))]
    Sql(#[from] rusqlite::Error),
    /// The file under our name is not the one that we opened.
    #[error("the file was moved or deleted")]
    Moved,
    /// The file already has this number: it is another record than the one that was restored.
    #[error("the file already holds entry {seq}, it is not the record that this start continues")]
    Taken {
        /// The number.
        seq: u64,
    },
}

/// Makes one line for people of a record, with the name of the feed that an alarm is about and the engine time
/// of the record; `None` where there is nothing to add to its kind.
pub type TextOf = fn(&Record, Option<&str>, Moment) -> Option<String>;

/// The open file.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    inode: u64,
    connection: Connection,
    /// The newest number; 0 in an empty file.
    last_seq: u64,
    notes: Notes,
}

/// What the small tables beside the sequence hold, as far as the writer must know.
#[derive(Debug)]
struct Notes {
    start: i64,
    parameters: Parameters,
    channels: Channels,
    feeds: Feeds,
    /// The session of the newest opening; the outer `None` in an empty file.
    section: Option<Option<i64>>,
    /// Whether the newest input was a carry-over: the start that follows belongs to it.
    carried: bool,
}

impl Ledger {
    /// Takes over a connection and notes the start, unless this start is already noted in the file. `feeds`
    /// are those of the file that this one may take the place of.
    pub(super) fn new(
        path: &Path,
        connection: Connection,
        start: &Start,
        feeds: FeedNames,
    ) -> rusqlite::Result<Self> {
        let notes = Notes {
            start: note_start(&connection, start)?,
            parameters: Parameters::default(),
            channels: Channels::default(),
            feeds: Feeds::read(&connection, feeds)?,
            section: connection
                .query_row(
                    "SELECT session FROM opening ORDER BY seq DESC LIMIT 1",
                    [],
                    |row| row.get(0),
                )
                .optional()?,
            carried: false,
        };
        Ok(Self {
            inode: std::fs::metadata(path).map_or(0, |found| found.ino()),
            path: path.to_owned(),
            last_seq: last_seq(&connection)?,
            connection,
            notes,
        })
    }

    /// The feeds as known last.
    pub(super) fn into_feeds(self) -> FeedNames {
        self.notes.feeds.into_names()
    }

    /// The connection, for reading before the writer starts.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Writes the batch and waits until it is on the disk. After an error the ledger must be dropped.
    pub(super) fn commit(&mut self, batch: &Batch, text: TextOf) -> Result<(), CommitError> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.ino() == self.inode => {}
            Ok(_) | Err(_) => return Err(CommitError::Moved),
        }
        let connection = &self.connection;
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        {
            let mut inputs = connection.prepare(row::INSERT_INPUT)?;
            let mut records = connection.prepare(row::INSERT_RECORD)?;
            for slot in &batch.slots {
                let (from, wall) = slot.begins();
                if from <= self.last_seq {
                    return Err(CommitError::Taken { seq: from });
                }
                if self.last_seq > 0 && from > self.last_seq + 1 {
                    insert_gap(connection, self.last_seq + 1, from - 1, wall)?;
                }
                match slot {
                    Slot::Gap { from, to, wall } => insert_gap(connection, *from, *to, *wall)?,
                    Slot::Entry(entry) => {
                        self.notes.section(connection, entry)?;
                        match &entry.body {
                            Body::Input(input) => {
                                let parameter = self.notes.input(connection, entry, input)?;
                                row::insert_input(&mut inputs, entry.into(), input, parameter)?;
                            }
                            Body::Record(record, late) => {
                                let feed = self.notes.feed_of(record);
                                let text = text(record, feed, entry.at);
                                row::insert_record(
                                    &mut records,
                                    entry.into(),
                                    record,
                                    *late,
                                    text,
                                )?;
                            }
                        }
                    }
                }
                self.last_seq = slot.last_seq();
            }
        }
        if !batch.waves.is_empty() {
            self.notes.waves(connection, &batch.waves)?;
        }
        if batch.good {
            connection.execute(
                "UPDATE start SET good = 1 WHERE id = ?1",
                [self.notes.start],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}

impl Notes {
    /// Notes where a replay can begin.
    fn section(&mut self, connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
        let (what, session, profile) = match &entry.body {
            // One that was refused leaves the session as it was.
            Body::Input(Input::Open { session, setup, .. }) if entry.session == Some(*session) => {
                (Opening::Open, Some(*session), Some(&setup.profile))
            }
            Body::Input(Input::CarryOver(_)) => (Opening::CarryOver, entry.session, None),
            Body::Input(Input::Started(started)) if entry.session.is_none() && !self.carried => {
                (Opening::Start, None, Some(&started.setup.profile))
            }
            Body::Input(_) | Body::Record(..) => {
                let known = match (self.section, entry.session) {
                    (None, _) => false,
                    (Some(_), None) => true,
                    (Some(section), session) => section == session,
                };
                if known {
                    return Ok(());
                }
                (Opening::Continued, entry.session, None)
            }
        };
        self.section = Some(session);
        if what == Opening::Continued {
            self.feeds.note(connection, entry.seq)?;
        }
        connection
            .prepare(
                "INSERT INTO opening (seq, wall_ms, session, what, start, profile) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                row::sql(entry.seq),
                entry.wall.as_millis(),
                session,
                what.name(),
                self.start,
                profile.map(|text| profile_label(text)),
            ])?;
        Ok(())
    }

    /// Notes what an input's row refers to; the number of its parameter if it is a reading.
    fn input(
        &mut self,
        connection: &Connection,
        entry: &Entry,
        input: &Input,
    ) -> rusqlite::Result<Option<i64>> {
        self.carried = matches!(input, Input::CarryOver(_));
        if let Input::Started(Started { setup, .. }) | Input::Open { setup, .. } = input {
            if matches!(input, Input::Started(_)) && entry.session.is_some() {
                self.feeds.go_on(&setup.feeds);
            } else {
                self.feeds.set(&setup.feeds);
            }
            self.feeds.note(connection, entry.seq)?;
        }
        if let Input::Reading { observation, .. } = input {
            let parameter = &observation.parameter;
            return self.parameters.number_for(connection, parameter).map(Some);
        }
        Ok(None)
    }

    /// The name of the feed that an alarm is about.
    fn feed_of(&self, record: &Record) -> Option<&str> {
        if let Record::Alarm(AlarmRecord {
            feed: Some(feed), ..
        }) = record
        {
            return self.feeds.name(*feed);
        }
        None
    }

    fn waves(&mut self, connection: &Connection, waves: &[WaveSecond]) -> rusqlite::Result<()> {
        let mut insert = connection.prepare(
            "INSERT INTO wave (channel, session, wall_ms, samples, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for wave in waves {
            insert.execute(params![
                self.channels.number_for(connection, &wave.channel)?,
                wave.session,
                wave.wall.as_millis(),
                i64::try_from(wave.samples).unwrap_or(i64::MAX),
                wave.data,
            ])?;
        }
        Ok(())
    }
}

/// The row of this start; a new one unless the newest row is ours already.
fn note_start(connection: &Connection, start: &Start) -> rusqlite::Result<i64> {
    let newest = connection
        .query_row(
            "SELECT id, boot, wall_ms FROM start ORDER BY id DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)),
        )
        .optional()?;
    if let Some((id, boot, wall_ms)) = newest
        && *boot == *start.boot
        && WallTime::from_millis(wall_ms) == start.wall
    {
        return Ok(id);
    }
    connection.execute(
        "INSERT INTO start (wall_ms, boot, program, engine_version, profile_crc, offset_us) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            start.wall.as_millis(),
            &*start.boot,
            env!("CARGO_PKG_VERSION"),
            engine_version(),
            start.profile_crc(),
            start.offset_us,
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// The newest number in the file; 0 when it is empty.
pub(super) fn last_seq(connection: &Connection) -> rusqlite::Result<u64> {
    let newest: Option<i64> = connection.query_row(
        "SELECT max(newest) FROM (SELECT max(seq) AS newest FROM input \
         UNION ALL SELECT max(seq) FROM record UNION ALL \
         SELECT * FROM (SELECT to_seq FROM gap ORDER BY seq DESC LIMIT 1))",
        [],
        |row| row.get(0),
    )?;
    Ok(newest.map_or(0, row::unsigned))
}

fn insert_gap(connection: &Connection, from: u64, to: u64, wall: WallTime) -> rusqlite::Result<()> {
    connection
        .prepare("INSERT INTO gap (seq, to_seq, wall_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![row::sql(from), row::sql(to), wall.as_millis()])?;
    Ok(())
}
