//! Names that stand behind small numbers in the journal's columns: parameters, feeds, wave channels.
//!
//! Promises: a name keeps its number for the life of the file; what a device invents cannot fill the memory.

use super::row::{self, BadRow, ReadRow};
use super::waves::Channel;
use crate::engine::{FeedId, FeedSetup};
use crate::vocabulary::{Parameter, ParameterId};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Unknown codes that are remembered; more are looked up in the file each time, so that a device that
/// invents codes cannot fill the memory.
const MOST_REMEMBERED: usize = 1_024;

/// The table `parameter`, both ways.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    numbers: HashMap<ParameterId, i64>,
    names: BTreeMap<i64, ParameterId>,
}

impl Parameters {
    /// Reads the table whole, for reading rows back.
    pub(super) fn read(connection: &Connection) -> Result<Self, ReadRow> {
        let mut statement = connection.prepare("SELECT id, name FROM parameter")?;
        let mut rows = statement.query([])?;
        let mut names = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            let parameter = ParameterId::parse(&name).ok_or(BadRow::Column {
                column: "parameter.name",
                found: name,
            })?;
            names.insert(row.get(0)?, parameter);
        }
        Ok(Self {
            numbers: HashMap::new(),
            names,
        })
    }

    /// The parameter with this number.
    pub(super) fn name(&self, number: i64) -> Option<&ParameterId> {
        self.names.get(&number)
    }

    /// The number of a name, if the table had it when it was read.
    pub(super) fn number(&self, name: &ParameterId) -> Option<i64> {
        self.names
            .iter()
            .find_map(|(number, known)| (known == name).then_some(*number))
    }

    /// The number of a parameter for writing; a new one gets a row.
    pub(super) fn number_for(
        &mut self,
        connection: &Connection,
        parameter: &ParameterId,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.numbers.get(parameter) {
            return Ok(*number);
        }
        let name = parameter.to_string();
        let known: Option<i64> = connection
            .prepare("SELECT id FROM parameter WHERE name = ?1")?
            .query_row([&name], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                let unit = parameter.known().map(|known| known.unit().name());
                connection
                    .prepare("INSERT INTO parameter (name, unit) VALUES (?1, ?2)")?
                    .execute(params![name, unit])?;
                connection.last_insert_rowid()
            }
        };
        if self.numbers.len() < MOST_REMEMBERED + Parameter::ALL.len() {
            self.numbers.insert(parameter.clone(), number);
        }
        Ok(number)
    }
}

/// The table `channel`, for writing.
#[derive(Debug, Default)]
pub(super) struct Channels {
    numbers: HashMap<Channel, i64>,
}

impl Channels {
    /// The number of a channel; a new one gets a row.
    pub(super) fn number_for(
        &mut self,
        connection: &Connection,
        channel: &Channel,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.numbers.get(channel) {
            return Ok(*number);
        }
        let resolution = channel.resolution.to_string();
        let settings = params![
            &*channel.feed,
            &*channel.label,
            channel.rate_hz,
            resolution,
            channel.unit
        ];
        connection
            .prepare(
                "INSERT OR IGNORE INTO channel (feed, label, rate_hz, resolution, unit) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(settings)?;
        let number = connection
            .prepare(
                "SELECT id FROM channel WHERE feed = ?1 AND label = ?2 AND rate_hz = ?3 \
                 AND resolution = ?4 AND unit = ?5",
            )?
            .query_row(settings, |row| row.get(0))?;
        if self.numbers.len() < MOST_REMEMBERED {
            self.numbers.insert(channel.clone(), number);
        }
        Ok(number)
    }
}

/// Names and protocols of the feeds, by their place in the configuration.
pub(super) type FeedNames = Vec<(Arc<str>, Arc<str>)>;

/// The table `feed`, for writing: which name stands at which place, from which number on.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    names: FeedNames,
    /// What the file says.
    noted: FeedNames,
}

impl Feeds {
    /// Reads what the file says; `names` are the feeds if they are known already.
    pub(super) fn read(connection: &Connection, names: FeedNames) -> rusqlite::Result<Self> {
        let noted = connection
            .prepare(
                "SELECT name, protocol FROM feed \
                 WHERE seq = (SELECT max(seq) FROM feed) ORDER BY place",
            )?
            .query_map([], |row| {
                let (name, protocol): (String, String) = (row.get(0)?, row.get(1)?);
                Ok((name.into(), protocol.into()))
            })?
            .collect::<rusqlite::Result<FeedNames>>()?;
        // A start goes on with what the record says until it tells its own.
        let names = if names.is_empty() {
            noted.clone()
        } else {
            names
        };
        Ok(Self { names, noted })
    }

    /// The feeds from now on.
    pub(super) fn set(&mut self, feeds: &[FeedSetup]) {
        self.names = feeds
            .iter()
            .map(|feed| (Arc::clone(&feed.name), Arc::clone(&feed.protocol)))
            .collect();
    }

    /// The feeds from now on, within a session: those that run now, then those of the session that are
    /// configured no longer, as the engine numbers them.
    pub(super) fn go_on(&mut self, feeds: &[FeedSetup]) {
        let known = std::mem::take(&mut self.names);
        self.set(feeds);
        for feed in known {
            if self.names.iter().all(|(name, _)| *name != feed.0) {
                self.names.push(feed);
            }
        }
    }

    /// The name of a feed.
    pub(super) fn name(&self, feed: FeedId) -> Option<&str> {
        let (name, _) = self.names.get(usize::from(feed.0))?;
        Some(name)
    }

    /// What is known, for the file that takes this one's place.
    pub(super) fn into_names(self) -> FeedNames {
        self.names
    }

    /// Notes the feeds where they differ from what the file says.
    pub(super) fn note(&mut self, connection: &Connection, seq: u64) -> rusqlite::Result<()> {
        if self.names == self.noted {
            return Ok(());
        }
        for (place, (name, protocol)) in self.names.iter().enumerate() {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            connection
                .prepare("INSERT INTO feed (seq, place, name, protocol) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![row::sql(seq), place, &**name, &**protocol])?;
        }
        self.noted.clone_from(&self.names);
        Ok(())
    }
}
