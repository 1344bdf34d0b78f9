//! Reads the record back: through an engine, or entry by entry.
//!
//! Promises: inputs reach the engine exactly as they were recorded, in order, with the clocks of then; what it
//! makes of them is compared with what is recorded, text for text. Memory does not grow with the record.

use super::dictionary::Parameters;
use super::entry::{Body, Entry};
use super::ledger::last_seq;
use super::row::{self, BadRow, Head, ReadRow, StoredRecord};
use crate::engine::{Engine, Input, Numbered};
use rusqlite::{Connection, OptionalExtension, Rows, params};
use std::fmt;
use std::ops::ControlFlow;

/// Why the record could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// SQLite could not read it.
    #[error("cannot read the record: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A row makes no sense.
    #[error("cannot read the record near entry {seq}: {problem}")]
    Row {
        /// The last entry that could be read.
        seq: u64,
        /// What is wrong.
        problem: BadRow,
    },
}

impl ReadError {
    fn near(seq: u64, error: ReadRow) -> Self {
        match error {
            ReadRow::Sql(error) => Self::Sql(error),
            ReadRow::Bad(problem) => Self::Row { seq, problem },
        }
    }
}

/// The first place where the engine does not say what the record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The number.
    pub seq: u64,
    /// What the record says there; `None`: nothing.
    pub recorded: Option<String>,
    /// What the engine says now; `None`: nothing.
    pub replayed: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nothing =
            |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "entry {}: recorded {}, replayed {}",
            self.seq,
            or_nothing(&self.recorded),
            or_nothing(&self.replayed)
        )
    }
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Entries of the record that were gone through.
    pub entries: u64,
    /// The first difference; the replay stopped there.
    pub difference: Option<Difference>,
    /// The number after which entries are missing; the replay stopped there.
    pub not_provable_after: Option<u64>,
    /// Records that the engine made and the record does not have yet, because it stopped between an input
    /// and its consequences: the caller has them written.
    pub tail: Vec<Entry>,
}

/// A stretch of the record for one engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Its first number.
    pub from: u64,
    /// The first number after it; `None`: to the end of the record.
    pub until: Option<u64>,
    /// Whether the program may have stopped, at its end, between an input and its consequences.
    pub may_be_cut: bool,
}

/// The record's side of the comparison.
struct Recorded<'statement> {
    rows: Rows<'statement>,
    next: Option<StoredRecord>,
    count: u64,
}

impl<'statement> Recorded<'statement> {
    fn new(rows: Rows<'statement>) -> Result<Self, ReadError> {
        let mut recorded = Self {
            rows,
            next: None,
            count: 0,
        };
        recorded.advance()?;
        Ok(recorded)
    }

    fn advance(&mut self) -> Result<(), ReadError> {
        let near = self.next.as_ref().map_or(0, |record| record.head.seq);
        self.next = match self.rows.next()? {
            Some(row) => {
                self.count += 1;
                Some(StoredRecord::read(row).map_err(|error| ReadError::near(near, error))?)
            }
            None => None,
        };
        Ok(())
    }
}

impl Recorded<'_> {
    /// The next decision, if it was made in time and stands before `seq`.
    fn next_in_time(&self, seq: u64) -> Option<Head> {
        let next = self.next.as_ref()?;
        (next.head.seq < seq && next.late.is_none()).then_some(next.head)
    }
}

struct Comparison<'statement> {
    recorded: Recorded<'statement>,
    /// Decisions after this number may be missing in the record.
    cut_after: u64,
    tail: Vec<Entry>,
    text: Vec<u8>,
}

impl Comparison<'_> {
    /// Compares what one step made. `Some` is the first difference.
    fn check(
        &mut self,
        session: Option<i64>,
        made: &[Numbered],
    ) -> Result<Option<Difference>, ReadError> {
        for made in made {
            self.text.clear();
            serde_json::to_writer(&mut self.text, &made.record).map_err(|error| {
                ReadError::Row {
                    seq: made.seq,
                    problem: BadRow::Detail(error.to_string()),
                }
            })?;
            match &self.recorded.next {
                Some(stored)
                    if stored.head.seq == made.seq
                        && stored.head.at == made.at
                        && stored.late == made.late
                        && stored.detail.as_bytes() == self.text =>
                {
                    self.recorded.advance()?;
                }
                None if made.seq > self.cut_after => self.tail.push(Entry {
                    seq: made.seq,
                    at: made.at,
                    wall: made.wall,
                    session,
                    body: Body::Record(made.record.clone(), made.late),
                }),
                stored => {
                    let replayed = Some(describe(made.at.as_micros(), made.late, &self.text));
                    let recorded = stored.as_ref().filter(|stored| stored.head.seq <= made.seq);
                    return Ok(Some(match recorded {
                        Some(stored) => Difference {
                            seq: stored.head.seq,
                            recorded: Some(describe_stored(stored)),
                            replayed: replayed.filter(|_| stored.head.seq == made.seq),
                        },
                        None => Difference {
                            seq: made.seq,
                            recorded: None,
                            replayed,
                        },
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Lets the engine decide what the record says was decided in time, before `seq`, without an input.
    fn by_time(&mut self, engine: &mut Engine, seq: u64) -> Result<Option<Difference>, ReadError> {
        let mut made = Vec::new();
        while let Some(head) = self.recorded.next_in_time(seq) {
            made.clear();
            engine.step(head.now(), &Input::Tick, &mut made);
            let difference = self
                .check(head.session, &made)?
                .or_else(|| self.missed(head.seq.saturating_add(1)));
            if difference.is_some() {
                return Ok(difference);
            }
        }
        Ok(None)
    }

    /// A recorded decision with a number before `seq` that the engine did not make.
    fn missed(&self, seq: u64) -> Option<Difference> {
        let stored = self.recorded.next.as_ref()?;
        (stored.head.seq < seq).then(|| Difference {
            seq: stored.head.seq,
            recorded: Some(describe_stored(stored)),
            replayed: None,
        })
    }
}

fn describe(at_us: u64, late: Option<std::time::Duration>, text: &[u8]) -> String {
    let late = late.map_or(String::new(), |late| format!(", late {late:?}"));
    format!("at {at_us} µs{late}: {}", String::from_utf8_lossy(text))
}

fn describe_stored(stored: &StoredRecord) -> String {
    describe(
        stored.head.at.as_micros(),
        stored.late,
        stored.detail.as_bytes(),
    )
}

/// Steps the inputs of the stretch through the engine, and compares.
pub(super) fn replay(
    connection: &Connection,
    stretch: Stretch,
    engine: &mut Engine,
) -> Result<Replayed, ReadError> {
    let Stretch { from, until, .. } = stretch;
    let gap: Option<i64> = connection
        .query_row(
            "SELECT seq FROM gap WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT 1",
            params![row::sql(from), row::sql(until.unwrap_or(u64::MAX))],
            |row| row.get(0),
        )
        .optional()?;
    let gap = gap.map(row::unsigned);
    let end = gap.or(until).unwrap_or(u64::MAX);
    let range = params![row::sql(from), row::sql(end)];
    let cut_after = if gap.is_none() && !stretch.may_be_cut {
        u64::MAX
    } else {
        match gap.or(until) {
            Some(end) => end.saturating_sub(1),
            None => last_seq(connection)?,
        }
    };

    let parameters = Parameters::read(connection).map_err(|error| ReadError::near(from, error))?;
    let mut records = connection.prepare(row::SELECT_RECORDS)?;
    let mut comparison = Comparison {
        recorded: Recorded::new(records.query(range)?)?,
        cut_after,
        tail: Vec::new(),
        text: Vec::new(),
    };
    let mut statement = connection.prepare(row::SELECT_INPUTS)?;
    let mut inputs = statement.query(range)?;
    let mut made = Vec::new();
    let mut entries = 0;
    let mut newest: Option<Head> = None;
    let mut difference = None;
    while let Some(row) = inputs.next()? {
        let near = newest.map_or(from, |head| head.seq);
        let (head, input) =
            row::input(row, &parameters).map_err(|error| ReadError::near(near, error))?;
        if matches!(input, Input::Started(_)) {
            // A start counts on from the last thing that happened before it.
            difference = comparison.by_time(engine, head.seq)?;
            if difference.is_some() {
                break;
            }
        }
        made.clear();
        let taken = engine.step(head.now(), &input, &mut made);
        entries += 1;
        difference = comparison
            .check(head.session, &made)?
            .or_else(|| comparison.missed(taken.seq.min(head.seq)));
        if difference.is_none() && taken.seq != head.seq {
            difference = Some(Difference {
                seq: head.seq,
                recorded: Some("an input".to_owned()),
                replayed: Some(format!("the same input as entry {}", taken.seq)),
            });
        }
        newest = Some(head);
        if difference.is_some() {
            break;
        }
    }
    drop(inputs);
    if let (None, None, Some(until), false) = (&difference, gap, until, stretch.may_be_cut) {
        // The opening of the next session ends what stood in standby, before its own number.
        let mut opening =
            statement.query(params![row::sql(until), row::sql(until.saturating_add(1))])?;
        if let Some(row) = opening.next()? {
            let (head, input) =
                row::input(row, &parameters).map_err(|error| ReadError::near(until, error))?;
            made.clear();
            engine.step(head.now(), &input, &mut made);
            made.retain(|made| made.seq < until);
            difference = comparison.check(head.session, &made)?;
        }
    }
    // Decisions that time alone brought after the last input.
    if difference.is_none() {
        // What is left was decided late, by a start that is not in the record.
        difference = comparison
            .by_time(engine, u64::MAX)?
            .or_else(|| comparison.missed(u64::MAX));
    }
    Ok(Replayed {
        entries: entries + comparison.recorded.count,
        difference,
        not_provable_after: gap.map(|gap| gap.saturating_sub(1)),
        tail: comparison.tail,
    })
}

/// Shows every entry from `from` on, in order, until the visitor breaks off.
pub(super) fn visit(
    connection: &Connection,
    from: u64,
    visitor: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let range = params![row::sql(from), i64::MAX];
    let parameters = Parameters::read(connection).map_err(|error| ReadError::near(from, error))?;
    let mut records = connection.prepare(row::SELECT_RECORDS)?;
    let mut recorded = Recorded::new(records.query(range)?)?;
    let mut statement = connection.prepare(row::SELECT_INPUTS)?;
    let mut inputs = statement.query(range)?;
    let mut near = from;
    loop {
        let input = match inputs.next()? {
            Some(row) => {
                Some(row::input(row, &parameters).map_err(|error| ReadError::near(near, error))?)
            }
            None => None,
        };
        let upto = input.as_ref().map_or(u64::MAX, |(head, _)| head.seq);
        while let Some(stored) = recorded.next.take_if(|stored| stored.head.seq < upto) {
            let record = stored.record().map_err(|problem| ReadError::Row {
                seq: stored.head.seq,
                problem,
            })?;
            let entry = stored.head.entry(Body::Record(record, stored.late));
            if visitor(entry).is_break() {
                return Ok(());
            }
            recorded.advance()?;
        }
        let Some((head, input)) = input else {
            return Ok(());
        };
        near = head.seq;
        if visitor(head.entry(Body::Input(input))).is_break() {
            return Ok(());
        }
    }
}
