//! What the record says at a start: where the last one stopped, and whether it may be replayed.
//!
//! Promises: a session that is open in the record is continued, by replay where that can be trusted and from
//! its records where it cannot (engine.md 2); an open alarm is never passed over.

use super::ledger::{Start, last_seq};
use super::row::{self, ReadRow};
use crate::engine::engine_version;
use crate::vocabulary::{Moment, WallTime};
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;
use std::time::Duration;

/// Where the record stops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The newest sequence number; 0 in an empty record.
    pub last_seq: u64,
    /// Engine time of the newest entry.
    pub last_at: Moment,
    /// The wall clock of the newest entry.
    pub last_wall: WallTime,
    /// The session that is open.
    pub session: Option<i64>,
    /// The highest session number that was ever used.
    pub last_session: i64,
    /// Alarms that began and have not ended.
    pub open_alarms: u64,
    /// The kernel's boot id at the last start.
    pub boot: Option<Arc<str>>,
    /// The last start.
    pub(super) previous: Option<PreviousStart>,
    /// The newest opening.
    pub(super) section: Option<Section>,
    /// Whether entries of the newest section were dropped.
    pub(super) has_gap: bool,
}

/// The start before this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PreviousStart {
    pub(super) boot: String,
    pub(super) engine_version: u32,
    pub(super) profile_crc: String,
    pub(super) good: bool,
    pub(super) offset_us: i64,
}

/// How engine time goes on at this start (engine.md 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Engine time minus CLOCK_BOOTTIME, microseconds.
    pub offset_us: i64,
    /// How long nothing ran; `None` when it cannot be known.
    pub down_for: Option<Duration>,
}

/// What begins a section; the words of the table `opening`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A start in standby.
    Start,
    /// A session is opened.
    Open,
    /// A session, or alarms of standby, go on from their records.
    CarryOver,
    /// The file begins inside a session: what came before is not in it.
    Continued,
}

impl Opening {
    /// The word in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Open => "open",
            Self::CarryOver => "carry-over",
            Self::Continued => "continued",
        }
    }

    fn from_name(name: &str) -> Self {
        [Self::Start, Self::Open, Self::CarryOver]
            .into_iter()
            .find(|opening| opening.name() == name)
            .unwrap_or(Self::Continued)
    }
}

/// A stretch of the record that a fresh engine began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) seq: u64,
    pub(super) session: Option<i64>,
    pub(super) what: Opening,
    /// The engine that wrote it.
    pub(super) engine_version: Option<u32>,
}

impl Section {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row::unsigned(row.get(0)?),
            session: row.get(1)?,
            what: Opening::from_name(row.get_ref(2)?.as_str()?),
            engine_version: row.get(3)?,
        })
    }

    /// Why an engine of this program cannot replay it.
    pub(super) fn obstacle(&self) -> Option<String> {
        if self.what == Opening::Continued {
            return Some("the record begins inside it".to_owned());
        }
        match self.engine_version {
            Some(version) if version != engine_version() => Some(format!(
                "engine version {version} decided it, this program has version {}",
                engine_version()
            )),
            Some(_) | None => None,
        }
    }

    /// Every section, oldest first.
    pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
        connection
            .prepare(
                "SELECT o.seq, o.session, o.what, s.engine_version \
                 FROM opening o LEFT JOIN start s ON s.id = o.start ORDER BY o.seq",
            )?
            .query_map([], Self::read)?
            .collect()
    }
}

/// How a start goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing is open: a fresh engine.
    Fresh,
    /// The open session is replayed from this number on.
    Replay {
        /// The number of the opening or carry-over.
        from: u64,
    },
    /// The open session, or the open alarms of standby, go on from their records, which are read from this
    /// number on.
    CarryOver {
        /// The number of the opening or carry-over; 1 when the record begins inside the session.
        from: u64,
        /// Why replay cannot be trusted.
        reason: String,
    },
}

impl Restored {
    /// Reads the record's end. Everything here is found by row number or in small tables.
    pub(super) fn read(connection: &Connection) -> Result<Self, ReadRow> {
        let section = connection
            .query_row(
                "SELECT o.seq, o.session, o.what, s.engine_version \
                 FROM opening o LEFT JOIN start s ON s.id = o.start ORDER BY o.seq DESC LIMIT 1",
                [],
                Section::read,
            )
            .optional()?;
        let previous = connection
            .query_row(
                "SELECT boot, engine_version, profile_crc, good, offset_us FROM start ORDER BY id DESC LIMIT 1",
                [],
                |row| {
                    Ok(PreviousStart {
                        boot: row.get(0)?,
                        engine_version: row.get(1)?,
                        profile_crc: row.get(2)?,
                        good: row.get(3)?,
                        offset_us: row.get(4)?,
                    })
                },
            )
            .optional()?;
        let newest: Option<(i64, i64)> = connection
            .query_row(
                "SELECT at_us, wall_ms FROM ( \
                     SELECT * FROM (SELECT seq, at_us, wall_ms FROM input ORDER BY seq DESC LIMIT 1) \
                     UNION ALL \
                     SELECT * FROM (SELECT seq, at_us, wall_ms FROM record ORDER BY seq DESC LIMIT 1)) \
                 ORDER BY seq DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (at, wall) = newest.unwrap_or_default();
        let from = section.as_ref().map_or(0, |section| row::sql(section.seq));
        let closed: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM record WHERE seq > ?1 AND kind = 'phase' \
             AND detail ->> 'phase' IN ('discharged', 'standby'))",
            [from],
            |row| row.get(0),
        )?;
        // Alarms live on over carry-overs: they are counted from where an engine knew none.
        let open_alarms: i64 = connection.query_row(
            "SELECT count(*) FROM (SELECT alarm FROM record WHERE kind = 'alarm' AND seq >= \
               (SELECT coalesce(max(seq), 0) FROM opening WHERE what IN ('start', 'open')) \
             GROUP BY alarm HAVING sum(event = 'end') = 0)",
            [],
            |row| row.get(0),
        )?;
        Ok(Self {
            last_seq: last_seq(connection)?,
            last_at: Moment::from_micros(row::unsigned(at)),
            last_wall: WallTime::from_millis(wall),
            session: section
                .as_ref()
                .and_then(|section| section.session)
                .filter(|_| !closed),
            last_session: connection.query_row(
                "SELECT coalesce(max(session), 0) FROM opening",
                [],
                |row| row.get(0),
            )?,
            open_alarms: row::unsigned(open_alarms),
            boot: previous.as_ref().map(|start| start.boot.as_str().into()),
            previous,
            has_gap: connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM gap WHERE to_seq >= ?1)",
                [from],
                |row| row.get(0),
            )?,
            section,
        })
    }

    /// How engine time goes on. Within one boot it follows CLOCK_BOOTTIME. Over a reboot it advances by the
    /// wall clock's difference if that clock is set and not behind the record, otherwise by nothing: minimum
    /// times get longer, never shorter.
    pub(super) fn timeline(&self, start: &Start) -> Timeline {
        let Some(previous) = &self.previous else {
            return Timeline {
                offset_us: 0,
                down_for: Some(Duration::ZERO),
            };
        };
        if previous.boot == *start.boot {
            let now = start.booted.offset(previous.offset_us);
            return Timeline {
                offset_us: previous.offset_us,
                down_for: Some(now.since(self.last_at)),
            };
        }
        let passed_ms = start
            .wall
            .as_millis()
            .saturating_sub(self.last_wall.as_millis());
        let down_for = u64::try_from(passed_ms)
            .ok()
            .filter(|_| start.wall_is_trusted)
            .map(Duration::from_millis);
        let now = self.last_at.after(down_for.unwrap_or_default());
        Timeline {
            offset_us: now.micros_from(start.booted),
            down_for,
        }
    }

    /// How this start goes on. `writable`: whether the start itself is in the record; without that a crash
    /// during the replay could not be noticed by the next start.
    pub(super) fn plan(&self, start: &Start, writable: bool) -> Plan {
        if self.session.is_none() && self.open_alarms == 0 {
            return Plan::Fresh;
        }
        let (Some(section), Some(previous)) = (&self.section, &self.previous) else {
            return Plan::CarryOver {
                from: 1,
                reason: "the record has no beginning".to_owned(),
            };
        };
        let obstacles = [
            (self.session.is_none(), "alarms were open and no session"),
            (
                section.what == Opening::Continued,
                "the record begins inside the session",
            ),
            (!writable, "the record cannot be written"),
            (!previous.good, "the last start did not last 30 s"),
            (
                previous.engine_version != engine_version(),
                "another version of the alarm engine wrote the record",
            ),
            (
                previous.profile_crc != start.profile_crc(),
                "the configured profile has changed",
            ),
            (self.has_gap, "entries are missing in the record"),
        ];
        match obstacles.into_iter().find(|(stands, _)| *stands) {
            Some((_, reason)) => Plan::CarryOver {
                from: section.seq,
                reason: reason.to_owned(),
            },
            None => Plan::Replay { from: section.seq },
        }
    }
}
