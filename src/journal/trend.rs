//! Trends: the readings of one parameter over time, cut into pieces that keep every extreme.
//!
//! The readings of the running session are remembered per parameter, so that a trend that is drawn again reads
//! only what is new; a question about an earlier time reads the rows themselves. What is remembered is bounded.

use super::row;
use crate::vocabulary::Decimal;
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

/// The readings of one parameter since the newest session began.
#[derive(Debug, Default)]
struct Remembered {
    /// The newest number that was read.
    upto: u64,
    points: VecDeque<Point>,
    /// Whether older ones had to go.
    cut: bool,
}

const SELECT_POINTS: &str = "SELECT seq, wall_ms, mantissa, scale, cause IS NOT NULL FROM input \
     WHERE seq > ?1 AND seq <= ?2 AND parameter = ?3 ORDER BY seq";

/// Shows every reading of one parameter in a range of numbers, the first excluded.
fn scan(
    connection: &Connection,
    parameter: i64,
    after: u64,
    upto: u64,
    mut visit: impl FnMut(Point),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(SELECT_POINTS)?;
    let mut rows = statement.query(params![row::sql(after), row::sql(upto), parameter])?;
    while let Some(row) = rows.next()? {
        let value = match (row.get(2)?, row.get::<_, Option<u8>>(3)?) {
            (Some(mantissa), Some(scale)) => Some(Decimal::new(mantissa, scale)),
            (Some(_) | None, _) => None,
        };
        visit(Point {
            wall_ms: row.get(1)?,
            value,
            doubtful: row.get(4)?,
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
        parameter: i64,
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
                && !self.remembered.contains_key(&parameter))
        {
            return fill_from_rows(connection, parameter, pieces);
        }
        let newest: Option<i64> = connection
            .prepare("SELECT max(seq) FROM input")?
            .query_row([], |row| row.get(0))?;
        let newest = newest.map_or(0, row::unsigned);
        let known = self.remembered.entry(parameter).or_default();
        let after = known.upto.max(since_seq.saturating_sub(1));
        scan(connection, parameter, after, newest, |point| {
            if known.points.len() >= MOST_READINGS {
                known.points.pop_front();
                known.cut = true;
            }
            known.points.push_back(point);
        })?;
        known.upto = newest;
        let first = known.points.front().map_or(i64::MAX, |point| point.wall_ms);
        if known.cut && pieces.from < first {
            return fill_from_rows(connection, parameter, pieces);
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
    parameter: i64,
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
    scan(connection, parameter, after, upto, |point| {
        pieces.add(&point)
    })
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
    fn a_range_that_is_none_is_refused() {
        assert!(Pieces::new(5, 5, 10).is_none());
        assert!(Pieces::new(0, 5, 0).is_none());
        assert!(Pieces::new(0, 5, MOST_POINTS + 1).is_none());
        assert!(Pieces::new(i64::MIN, i64::MAX, MOST_POINTS).is_some());
    }
}
