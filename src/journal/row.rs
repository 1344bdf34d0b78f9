//! How inputs and records stand in the columns of the journal, and how they come back.
//!
//! Promises: every input comes back equal to what was written. Readings, which are nearly everything,
//! have typed columns and are read without allocation; any other input is one JSON text; a sign of life
//! is a row with neither.

use super::detail::Detail;
use super::dictionary::Parameters;
use super::entry::{Body, Entry};
use crate::engine::{FeedId, Input, Record};
use crate::observation::{DeviceTime, Finding, Observation};
use crate::vocabulary::{Cause, Decimal, Doubt, Moment, Now, Reading, Site, WallTime};
use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement, params};
use std::time::Duration;

/// Inserts one input.
pub(super) const INSERT_INPUT: &str = "INSERT INTO input (seq, at_us, wall_ms, session, feed, parameter, \
     mantissa, scale, cause, measured_ms, message_ms, mdc, measured_offset, message_offset, site, finding, \
     detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";

/// Inserts one record.
pub(super) const INSERT_RECORD: &str = "INSERT INTO record (seq, at_us, wall_ms, session, late_us, kind, \
     alarm, event, text, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Selects inputs of a range of numbers, the last one excluded, in the order that [`input`] reads.
pub(super) const SELECT_INPUTS: &str = "SELECT seq, at_us, wall_ms, session, feed, parameter, mantissa, \
     scale, cause, measured_ms, message_ms, mdc, measured_offset, message_offset, site, finding, detail \
     FROM input WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";

/// Selects records of a range of numbers, the last one excluded, in the order that [`StoredRecord`] reads.
pub(super) const SELECT_RECORDS: &str = "SELECT seq, at_us, wall_ms, session, late_us, detail \
     FROM record WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";

/// What is wrong with a row that SQLite could read and we cannot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// A column holds what it never should.
    #[error("column {column} holds {found}")]
    Column {
        /// Which.
        column: &'static str,
        /// What stands there.
        found: String,
    },
    /// The JSON text of an input or a record cannot be read.
    #[error("its detail cannot be read: {0}")]
    Detail(String),
}

impl BadRow {
    fn column(column: &'static str, found: impl ToString) -> Self {
        Self::Column {
            column,
            found: found.to_string(),
        }
    }
}

/// The number of an entry as SQLite keeps it.
pub(super) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that SQLite kept.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

const fn finding_name(finding: Finding) -> &'static str {
    match finding {
        Finding::Asystole => "asystole",
        Finding::NoBreath => "no-breath",
    }
}

fn finding(name: &str) -> Option<Finding> {
    [Finding::Asystole, Finding::NoBreath]
        .into_iter()
        .find(|&finding| finding_name(finding) == name)
}

fn site(name: &str) -> Option<Site> {
    [
        Site::Impedance,
        Site::Airway,
        Site::Acoustic,
        Site::Core,
        Site::Skin,
    ]
    .into_iter()
    .find(|site| site.name() == name)
}

fn doubt(cause: Cause) -> Option<Doubt> {
    [Doubt::LowPerfusion, Doubt::LowQuality]
        .into_iter()
        .find(|doubt| doubt.cause() == cause)
}

/// The columns that inputs and records share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number.
    pub seq: u64,
    /// Engine time.
    pub at: Moment,
    /// The wall clock.
    pub wall: WallTime,
    /// The session, if one was open.
    pub session: Option<i64>,
}

impl Head {
    /// The clocks as the engine saw them.
    pub(super) const fn now(&self) -> Now {
        Now {
            moment: self.at,
            wall: self.wall,
        }
    }

    /// The entry with this head.
    pub(super) const fn entry(self, body: Body) -> Entry {
        Entry {
            seq: self.seq,
            at: self.at,
            wall: self.wall,
            session: self.session,
            body,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: unsigned(row.get(0)?),
            at: Moment::from_micros(unsigned(row.get(1)?)),
            wall: WallTime::from_millis(row.get(2)?),
            session: row.get(3)?,
        })
    }
}

impl From<&Entry> for Head {
    fn from(entry: &Entry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            wall: entry.wall,
            session: entry.session,
        }
    }
}

/// Writes one input.
pub(super) fn insert_input(
    statement: &mut Statement<'_>,
    head: Head,
    input: &Input,
    parameter: Option<i64>,
) -> rusqlite::Result<()> {
    let (seq, at, wall) = (
        sql(head.seq),
        sql(head.at.as_micros()),
        head.wall.as_millis(),
    );
    if let Input::Reading { feed, observation } = input {
        let value = observation.reading.value();
        let (measured, message) = (observation.measured_at, observation.message_at);
        statement.execute(params![
            seq,
            at,
            wall,
            head.session,
            feed.0,
            parameter,
            value.map(Decimal::mantissa),
            value.map(Decimal::scale),
            observation.reading.cause().map(Cause::name),
            measured.map(|time| time.civil_ms),
            message.map(|time| time.civil_ms),
            observation.mdc,
            measured.and_then(|time| time.offset_min),
            message.and_then(|time| time.offset_min),
            observation.site.map(Site::name),
            observation.finding.map(finding_name),
            None::<&str>,
        ])?;
        return Ok(());
    }
    let feed = if let Input::Alive { feed } = input {
        Some(feed.0)
    } else {
        None
    };
    let detail = Detail::of(input)
        .map(|detail| serde_json::to_string(&detail))
        .transpose()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    statement.execute(params![
        seq,
        at,
        wall,
        head.session,
        feed,
        None::<i64>,
        None::<i64>,
        None::<i64>,
        None::<&str>,
        None::<i64>,
        None::<i64>,
        None::<i64>,
        None::<i64>,
        None::<i64>,
        None::<&str>,
        None::<&str>,
        detail,
    ])?;
    Ok(())
}

/// Writes one record with its line of text for people.
pub(super) fn insert_record(
    statement: &mut Statement<'_>,
    head: Head,
    record: &Record,
    late: Option<Duration>,
    text: Option<String>,
) -> rusqlite::Result<()> {
    let (kind, alarm, event) = match record {
        Record::Alarm(alarm) => ("alarm", Some(sql(alarm.alarm)), Some(alarm.event.name())),
        Record::Audio(_) => ("audio", None, None),
        Record::Phase(_) => ("phase", None, None),
        Record::Refused(_) => ("refused", None, None),
        Record::Task(_) => ("task", None, None),
        Record::Baseline(_) => ("baseline", None, None),
        Record::Limit(_) => ("limit", None, None),
    };
    let detail = serde_json::to_string(record)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    statement.execute(params![
        sql(head.seq),
        sql(head.at.as_micros()),
        head.wall.as_millis(),
        head.session,
        late.map(micros),
        kind,
        alarm,
        event,
        text,
        detail,
    ])?;
    Ok(())
}

fn text<'row>(
    row: &'row Row<'_>,
    place: usize,
    column: &'static str,
) -> Result<Option<&'row str>, ReadRow> {
    match row.get_ref(place)? {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(BadRow::column(column, error).into()),
        },
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(BadRow::column(column, "no text").into())
        }
    }
}

/// Why a row could not be read: by SQLite, or by us.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadRow {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Bad(#[from] BadRow),
}

fn word<T>(
    row: &Row<'_>,
    place: usize,
    column: &'static str,
    meaning: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ReadRow> {
    match text(row, place, column)? {
        None => Ok(None),
        Some(name) => match meaning(name) {
            Some(value) => Ok(Some(value)),
            None => Err(BadRow::column(column, name).into()),
        },
    }
}

fn small<T: TryFrom<i64>>(number: Option<i64>, column: &'static str) -> Result<Option<T>, BadRow> {
    match number {
        None => Ok(None),
        Some(number) => match T::try_from(number) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(BadRow::column(column, number)),
        },
    }
}

fn device_time(row: &Row<'_>, civil: usize, offset: usize) -> Result<Option<DeviceTime>, ReadRow> {
    let Some(civil_ms) = row.get(civil)? else {
        return Ok(None);
    };
    Ok(Some(DeviceTime {
        civil_ms,
        offset_min: small(row.get(offset)?, "offset")?,
    }))
}

fn reading(row: &Row<'_>) -> Result<Reading, ReadRow> {
    let cause = word(row, 8, "cause", Cause::from_name)?;
    let value = match row.get(6)? {
        None => None,
        Some(mantissa) => {
            let scale = small(row.get(7)?, "scale")?.unwrap_or(0);
            Some(Decimal::new(mantissa, scale))
        }
    };
    match (value, cause) {
        (Some(value), None) => Ok(Reading::Valid(value)),
        (Some(value), Some(cause)) => match doubt(cause) {
            Some(doubt) => Ok(Reading::Questionable(value, doubt)),
            None => Err(BadRow::column("cause", cause.name()).into()),
        },
        (None, Some(cause)) => Ok(Reading::Invalid(cause)),
        (None, None) => Err(BadRow::column("cause", "neither number nor cause").into()),
    }
}

/// Reads one input of [`SELECT_INPUTS`].
pub(super) fn input(row: &Row<'_>, parameters: &Parameters) -> Result<(Head, Input), ReadRow> {
    let head = Head::read(row)?;
    let Some(parameter) = row.get::<_, Option<i64>>(5)? else {
        let input = match text(row, 16, "detail")? {
            Some(json) => serde_json::from_str::<Detail>(json)
                .map_err(|error| BadRow::Detail(error.to_string()))?
                .into_input(),
            None => Input::Alive { feed: feed(row)? },
        };
        return Ok((head, input));
    };
    let Some(name) = parameters.name(parameter) else {
        return Err(BadRow::column("parameter", parameter).into());
    };
    let observation = Observation {
        parameter: name.clone(),
        reading: reading(row)?,
        measured_at: device_time(row, 9, 12)?,
        message_at: device_time(row, 10, 13)?,
        mdc: small(row.get(11)?, "mdc")?,
        site: word(row, 14, "site", site)?,
        finding: word(row, 15, "finding", finding)?,
    };
    let feed = feed(row)?;
    Ok((head, Input::Reading { feed, observation }))
}

fn feed(row: &Row<'_>) -> Result<FeedId, ReadRow> {
    match small(row.get(4)?, "feed")? {
        Some(place) => Ok(FeedId(place)),
        None => Err(BadRow::column("feed", "nothing").into()),
    }
}

/// One record of [`SELECT_RECORDS`], as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredRecord {
    /// Its place.
    pub head: Head,
    /// How late it was decided.
    pub late: Option<Duration>,
    /// The record's JSON text.
    pub detail: String,
}

impl StoredRecord {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, ReadRow> {
        Ok(Self {
            head: Head::read(row)?,
            late: row
                .get::<_, Option<i64>>(4)?
                .map(|late| Duration::from_micros(unsigned(late))),
            detail: row.get(5)?,
        })
    }

    pub(super) fn record(&self) -> Result<Record, BadRow> {
        serde_json::from_str(&self.detail).map_err(|error| BadRow::Detail(error.to_string()))
    }
}
