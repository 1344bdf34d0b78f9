//! Trends: the readings of one parameter over time, cut into pieces that keep every extreme.
//!
//! The readings of the running session are remembered per parameter, so that a trend that is drawn again reads
//! only what is new; a question about an earlier time reads the rows themselves. What is remembered is bounded.
//!
//! A monitor tells its newest cuff reading again and again until the next one. One inflation is one point, at
//! the time when it was first told.

use super::row;
use crate::vocabulary::{Decimal, ParameterId};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// The most points that a trend is cut into.
pub const MOST_POINTS: usize = 10_000;
/// Parameters that are remembered.
const MOST_REMEMBERED: usize = 16;
/// Readings of one parameter that are remembered: twelve hours at one a second.
const MOST_READINGS: usize = 43_200;

/// One piece of a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryPoint {
    /// When its last reading was received.
    #[serde(rename = "t")]
    pub wall_ms: i64,
    /// Its last number; `None`: none in this piece.
    pub value: Option<Decimal>,
    /// Its lowest number.
    pub min: Option<Decimal>,
    /// Its highest number.
    pub max: Option<Decimal>,
    /// Whether a reading in it had no number.
    pub missing: bool,
    /// Whether a number in it was doubtful.
    pub questionable: bool,
}

/// One reading of a trend.
#[derive(Clone, Copy, Debug)]
struct Point {
    wall_ms: i64,
    value: Option<Decimal>,
    doubtful: bool,
}

/// A parameter whose trend is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// Its number in the record.
    number: i64,
    /// Whether its values come from a cuff.
    cuff: bool,
}

impl Subject {
    /// The parameter of this name, which has this number in the record.
    pub(super) fn new(name: &ParameterId, number: i64) -> Self {
        Self {
            number,
            cuff: name.known().is_some_and(|known| known.is_cuff()),
        }
    }
}

/// The newest value of each feed, by which a cuff reading that is merely told again is known.
#[derive(Debug, Default)]
struct Told(BTreeMap<i64, (Option<i64>, Decimal)>);

impl Told {
    /// Whether this feed told just this value, of the same device time, before. Without a device time a
    /// value told again after a failed measurement is another reading.
    fn again(&mut self, feed: i64, measured_ms: Option<i64>, value: Option<Decimal>) -> bool {
        let Some(value) = value else {
            if measured_ms.is_none() {
                self.0.remove(&feed);
            }
            return false;
        };
        self.0.insert(feed, (measured_ms, value)) == Some((measured_ms, value))
    }
}

/// The readings of one parameter since the newest session began.
#[derive(Debug, Default)]
struct Remembered {
    told: Told,
    /// The newest number that was read.
    upto: u64,
    points: VecDeque<Point>,
    /// Whether older ones had to go.
    cut: bool,
}

const SELECT_POINTS: &str = "SELECT wall_ms, mantissa, scale, cause IS NOT NULL, feed, measured_ms \
     FROM input WHERE seq > ?1 AND seq <= ?2 AND parameter = ?3 ORDER BY seq";

/// Shows every reading of one parameter in a range of numbers, the first excluded; of a cuff's values only
/// those that `told` has not seen.
fn scan(
    connection: &Connection,
    subject: Subject,
    (after, upto): (u64, u64),
    told: &mut Told,
    mut visit: impl FnMut(Point),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(SELECT_POINTS)?;
    let mut rows = statement.query(params![row::sql(after), row::sql(upto), subject.number])?;
    while let Some(row) = rows.next()? {
        let value = match (row.get(1)?, row.get::<_, Option<u8>>(2)?) {
            (Some(mantissa), Some(scale)) => Some(Decimal::new(mantissa, scale)),
            (Some(_) | None, _) => None,
        };
        if subject.cuff
            && told.again(
                row.get::<_, Option<i64>>(4)?.unwrap_or(-1),
                row.get(5)?,
                value,
            )
        {
            continue;
        }
        visit(Point {
            wall_ms: row.get(0)?,
            value,
            doubtful: row.get(3)?,
        });
    }
    Ok(())
}

/// What is remembered of the readings since the newest opening that is no carry-over.
#[derive(Debug, Default)]
pub(super) struct Trends {
    /// That opening's number and time.
    since: Option<(u64, i64)>,
    remembered: BTreeMap<i64, Remembered>,
}

impl Trends {
    /// Fills the pieces with the readings of one parameter.
    pub(super) fn fill(
        &mut self,
        connection: &Connection,
        subject: Subject,
        pieces: &mut Pieces,
    ) -> rusqlite::Result<()> {
        let since = connection
            .prepare(
                "SELECT seq, wall_ms FROM opening WHERE what <> 'carry-over' \
                 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row([], |row| Ok((row::unsigned(row.get(0)?), row.get(1)?)))
            .optional()?;
        if since != self.since {
            self.remembered.clear();
            self.since = since;
        }
        let Some((since_seq, since_ms)) = since else {
            return Ok(());
        };
        if pieces.from < since_ms
            || (self.remembered.len() >= MOST_REMEMBERED
                && !self.remembered.contains_key(&subject.number))
        {
            return fill_from_rows(connection, subject, pieces);
        }
        let newest: Option<i64> = connection
            .prepare("SELECT max(seq) FROM input")?
            .query_row([], |row| row.get(0))?;
        let newest = newest.map_or(0, row::unsigned);
        let known = self.remembered.entry(subject.number).or_default();
        let range = (known.upto.max(since_seq.saturating_sub(1)), newest);
        let Remembered {
            points, cut, told, ..
        } = known;
        scan(connection, subject, range, told, |point| {
            if points.len() >= MOST_READINGS {
                points.pop_front();
                *cut = true;
            }
            points.push_back(point);
        })?;
        known.upto = newest;
        let first = known.points.front().map_or(i64::MAX, |point| point.wall_ms);
        if known.cut && pieces.from < first {
            return fill_from_rows(connection, subject, pieces);
        }
        for point in &known.points {
            pieces.add(point);
        }
        Ok(())
    }
}

/// Reads the rows of the sections that the range touches.
fn fill_from_rows(
    connection: &Connection,
    subject: Subject,
    pieces: &mut Pieces,
) -> rusqlite::Result<()> {
    let first: Option<i64> = connection.query_row(
        "SELECT max(seq) FROM opening WHERE wall_ms <= ?1",
        [pieces.from],
        |row| row.get(0),
    )?;
    let last: Option<i64> = connection.query_row(
        "SELECT min(seq) FROM opening WHERE wall_ms >= ?1 AND seq > ?2",
        params![pieces.to, first.unwrap_or(0)],
        |row| row.get(0),
    )?;
    let after = first.map_or(0, row::unsigned).saturating_sub(1);
    let upto = last.map_or(u64::MAX, row::unsigned);
    scan(
        connection,
        subject,
        (after, upto),
        &mut Told::default(),
        |point| pieces.add(&point),
    )
}

/// A range of time cut into pieces of equal length.
#[derive(Debug)]
pub(super) struct Pieces {
    from: i64,
    to: i64,
    count: i64,
    found: BTreeMap<i64, HistoryPoint>,
}

impl Pieces {
    /// Refuses an empty range, no pieces, and more than [`MOST_POINTS`].
    pub(super) fn new(from: i64, to: i64, points: usize) -> Option<Self> {
        let count = i64::try_from(points).ok()?;
        (from < to && (1..=MOST_POINTS).contains(&points)).then(|| Self {
            from,
            to,
            count,
            found: BTreeMap::new(),
        })
    }

    fn add(&mut self, point: &Point) {
        if !(self.from..self.to).contains(&point.wall_ms) {
            return;
        }
        let since = |moment: i64| i128::from(moment) - i128::from(self.from);
        let part = since(point.wall_ms) * i128::from(self.count) / since(self.to);
        let piece = self
            .found
            .entry(i64::try_from(part).unwrap_or(0))
            .or_insert(HistoryPoint {
                wall_ms: point.wall_ms,
                value: None,
                min: None,
                max: None,
                missing: false,
                questionable: false,
            });
        piece.wall_ms = point.wall_ms;
        match point.value {
            None => piece.missing = true,
            Some(value) => {
                piece.value = Some(value);
                piece.min = Some(piece.min.map_or(value, |min| min.min(value)));
                piece.max = Some(piece.max.map_or(value, |max| max.max(value)));
                piece.questionable |= point.doubtful;
            }
        }
    }

    /// The pieces that have a reading, in order.
    pub(super) fn finish(self) -> Vec<HistoryPoint> {
        self.found.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_keep_every_extreme_and_lie_in_order(
            readings in prop::collection::vec((-50_i64..1_050, prop::option::of(60_i64..100)), 0..200),
            count in 1_usize..40,
        ) {
            let mut pieces = Pieces::new(0, 1_000, count).unwrap();
            for (wall_ms, value) in &readings {
                pieces.add(&Point {
                    wall_ms: *wall_ms,
                    value: value.map(Decimal::whole),
                    doubtful: false,
                });
            }
            let found = pieces.finish();
            prop_assert!(found.len() <= count);
            // The slow way: every piece by itself.
            let mut expected = Vec::new();
            let count = count.cast_signed() as i64;
            for piece in 0..count {
                let inside: Vec<_> = readings
                    .iter()
                    .filter(|(at, _)| (0..1_000).contains(at) && at * count / 1_000 == piece)
                    .collect();
                let values = || inside.iter().filter_map(|(_, value)| value.map(Decimal::whole));
                if let Some((last, _)) = inside.last() {
                    expected.push(HistoryPoint {
                        wall_ms: *last,
                        value: values().next_back(),
                        min: values().min(),
                        max: values().max(),
                        missing: inside.iter().any(|(_, value)| value.is_none()),
                        questionable: false,
                    });
                }
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_cuff_reading_told_again_is_known() {
        let mut told = Told::default();
        let mut again = |feed, measured, value: Option<i64>| {
            told.again(feed, measured, value.map(Decimal::whole))
        };
        assert!(!again(0, Some(5), Some(120)));
        assert!(again(0, Some(5), Some(120)));
        assert!(!again(0, Some(5), None), "a missing number is told");
        assert!(again(0, Some(5), Some(120)), "still the same inflation");
        assert!(!again(1, Some(5), Some(120)), "another feed's word");
        assert!(!again(0, Some(5), Some(118)), "a corrected value");
        assert!(!again(0, Some(9), Some(118)), "another inflation");
        // Without the device's time only the value tells.
        assert!(!again(2, None, Some(120)));
        assert!(again(2, None, Some(120)));
        assert!(!again(2, None, None));
        assert!(!again(2, None, Some(120)));
    }

    #[test]
    fn a_range_that_is_none_is_refused() {
        assert!(Pieces::new(5, 5, 10).is_none());
        assert!(Pieces::new(0, 5, 0).is_none());
        assert!(Pieces::new(0, 5, MOST_POINTS + 1).is_none());
        assert!(Pieces::new(i64::MIN, i64::MAX, MOST_POINTS).is_some());
    }
}
