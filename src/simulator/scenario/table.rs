//! A scenario from a CSV file: a `t_s` column and parameter names as the other headers.
//!
//! A row holds from its `t_s` until the next row, the last one for ever; before the first there is no
//! number. An empty cell is "no number". A zero is a zero: a careless gateway sends it as a number,
//! and so does the simulator. The columns `nibp-sys`, `nibp-dia`, `nibp-mean` and `nibp-pr` are
//! readings: a row whose pressures are filled and differ from the row before is a measurement that
//! finished at that row's time. The optional column `cable` says `in`, `pulled` or `silent`.
//!
//! Nothing is guessed: every problem is listed with its line, up to a bound.

use super::{Cable, FinishedCuff, Scene};
use crate::protocol::CuffState;
use crate::vocabulary::{Cause, Decimal, Parameter, Reading};
use std::collections::BTreeMap;
use std::time::Duration;

/// Problems that are listed before the reader gives up.
const MOST_PROBLEMS: usize = 20;

/// What is wrong in one line of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TableProblem {
    /// The line, from one.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub what: String,
}

impl TableProblem {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Cable,
    Parameter(Parameter),
}

#[derive(Clone, Debug)]
struct Row {
    from: Duration,
    numerics: BTreeMap<Parameter, Reading>,
    /// The last reading finished by this row.
    cuff_reading: Option<FinishedCuff>,
    cable: Cable,
}

/// A table of numbers over time.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Row>,
    cuff: bool,
}

impl Table {
    /// Reads the text of a table; all problems up to a bound when it has any.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<TableProblem>> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut lines = text
            .split(|byte| *byte == b'\n')
            .zip(1..)
            .map(|(line, number)| (number, line.trim_ascii()))
            .filter(|(_, line)| !line.is_empty());
        let Some((header_line, header)) = lines.next() else {
            return Err(vec![TableProblem::new(1, "no header: the table is empty")]);
        };
        let columns = columns(header_line, header)?;
        let mut rows: Vec<Row> = Vec::new();
        let mut problems = Vec::new();
        let mut pressures = None;
        for (number, line) in lines {
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
            let cells = match cells(number, line, &columns) {
                Ok(cells) => cells,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            if let Some(last) = rows.last()
                && cells.time <= last.from
            {
                problems.push(TableProblem::new(
                    number,
                    format!("t_s is not later than in the row before ({:?})", last.from),
                ));
                continue;
            }
            let finished = match cuff(number, &cells) {
                Ok(finished) => finished,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let now = finished.map(|reading| (reading.sys, reading.dia, reading.mean));
            let before = rows.last().and_then(|row| row.cuff_reading);
            let cuff_reading = if now.is_some() && now != pressures {
                finished
            } else {
                before
            };
            pressures = now;
            rows.push(cells.into_row(cuff_reading));
        }
        if rows.is_empty() && problems.is_empty() {
            problems.push(TableProblem::new(header_line, "no rows below the header"));
        }
        if problems.is_empty() {
            let cuff = columns.contains(&Column::Parameter(Parameter::NibpSys));
            Ok(Self { rows, cuff })
        } else {
            Err(problems)
        }
    }

    fn row(&self, at: Duration) -> Option<&Row> {
        let next = self.rows.partition_point(|row| row.from <= at);
        self.rows.get(next.checked_sub(1)?)
    }

    /// The cable at `at`.
    pub fn cable(&self, at: Duration) -> Cable {
        self.row(at).map_or(Cable::In, |row| row.cable)
    }

    /// The scene at `at`.
    pub fn at(&self, at: Duration) -> Scene {
        let cuff = self.cuff.then_some(CuffState::Idle);
        match (self.row(at), self.rows.first()) {
            (Some(row), _) => Scene {
                numerics: row.numerics.clone(),
                cuff,
                cuff_reading: row.cuff_reading,
                cable: row.cable,
            },
            (None, first) => Scene {
                numerics: first
                    .into_iter()
                    .flat_map(|row| row.numerics.keys())
                    .map(|parameter| (*parameter, Reading::Invalid(Cause::NotAvailable)))
                    .collect(),
                cuff,
                cuff_reading: None,
                cable: Cable::In,
            },
        }
    }
}

/// The columns of the header line.
fn columns(line: usize, header: &[u8]) -> Result<Vec<Column>, Vec<TableProblem>> {
    let mut columns = Vec::new();
    let mut problems = Vec::new();
    for cell in header.split(|byte| *byte == b',') {
        let name = String::from_utf8_lossy(cell.trim_ascii());
        let column = match &*name {
            "t_s" => Some(Column::Time),
            "cable" => Some(Column::Cable),
            other => Parameter::from_name(other).map(Column::Parameter),
        };
        match column {
            Some(column) if columns.contains(&column) => {
                problems.push(TableProblem::new(line, format!("column {name:?} twice")));
            }
            Some(column) => columns.push(column),
            None => problems.push(TableProblem::new(
                line,
                format!(
                    "unknown column {name:?}; known are t_s, cable, {}",
                    Parameter::ALL
                        .iter()
                        .map(|parameter| parameter.name())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )),
        }
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() && !columns.contains(&Column::Time) {
        problems.push(TableProblem::new(line, "no t_s column"));
    }
    if problems.is_empty() {
        Ok(columns)
    } else {
        Err(problems)
    }
}

/// What stands in one row.
struct Cells {
    time: Duration,
    cable: Cable,
    values: BTreeMap<Parameter, Option<Decimal>>,
}

impl Cells {
    fn value(&self, parameter: Parameter) -> Option<Decimal> {
        self.values.get(&parameter).copied().flatten()
    }

    fn into_row(self, cuff_reading: Option<FinishedCuff>) -> Row {
        Row {
            from: self.time,
            numerics: self
                .values
                .into_iter()
                .filter(|(parameter, _)| !parameter.is_cuff())
                .map(|(parameter, value)| {
                    let reading =
                        value.map_or(Reading::Invalid(Cause::NotAvailable), Reading::Valid);
                    (parameter, reading)
                })
                .collect(),
            cuff_reading,
            cable: self.cable,
        }
    }
}

fn cells(line: usize, text: &[u8], columns: &[Column]) -> Result<Cells, TableProblem> {
    let found = text.split(|byte| *byte == b',').count();
    if found != columns.len() {
        return Err(TableProblem::new(
            line,
            format!("{found} cells under {} headers", columns.len()),
        ));
    }
    let mut time = None;
    let mut cable = Cable::In;
    let mut values = BTreeMap::new();
    for (column, cell) in columns.iter().zip(text.split(|byte| *byte == b',')) {
        let cell = cell.trim_ascii();
        let shown = || String::from_utf8_lossy(cell).into_owned();
        match column {
            Column::Time => {
                time = Some(seconds(cell).ok_or_else(|| {
                    TableProblem::new(
                        line,
                        format!("t_s is {:?}, not seconds from zero up", shown()),
                    )
                })?);
            }
            Column::Cable => {
                cable = match cell {
                    b"" | b"in" => Cable::In,
                    b"pulled" => Cable::Pulled,
                    b"silent" => Cable::Silent,
                    _ => {
                        return Err(TableProblem::new(
                            line,
                            format!("cable is {:?}, not in, pulled or silent", shown()),
                        ));
                    }
                };
            }
            Column::Parameter(parameter) => {
                let value = if cell.is_empty() {
                    None
                } else {
                    Some(Decimal::parse(cell).map_err(|error| {
                        TableProblem::new(
                            line,
                            format!("{} is {:?}: {error}", parameter.name(), shown()),
                        )
                    })?)
                };
                values.insert(*parameter, value);
            }
        }
    }
    Ok(Cells {
        time: time.ok_or_else(|| TableProblem::new(line, "no t_s"))?,
        cable,
        values,
    })
}

fn seconds(cell: &[u8]) -> Option<Duration> {
    let millis = Decimal::parse(cell).ok()?.rounded(3)?;
    u64::try_from(millis).ok().map(Duration::from_millis)
}

/// The cuff reading of a row, if it has one.
fn cuff(line: usize, cells: &Cells) -> Result<Option<FinishedCuff>, TableProblem> {
    let pulse = cells.value(Parameter::NibpPr);
    let mean = cells.value(Parameter::NibpMean);
    match (
        cells.value(Parameter::NibpSys),
        cells.value(Parameter::NibpDia),
    ) {
        (Some(sys), Some(dia)) => Ok(Some(FinishedCuff {
            at: cells.time,
            sys,
            dia,
            mean: mean.unwrap_or_else(|| usual_mean(sys, dia)),
            pulse,
        })),
        (None, None) if mean.is_none() && pulse.is_none() => Ok(None),
        (Some(_) | None, Some(_) | None) => Err(TableProblem::new(
            line,
            "a cuff reading needs nibp-sys and nibp-dia in the same row",
        )),
    }
}

/// Diastolic pressure and a third of the difference, for a table without a mean.
fn usual_mean(sys: Decimal, dia: Decimal) -> Decimal {
    let tenths = |value: Decimal| value.rounded(1).unwrap_or(0);
    let (sys, dia) = (tenths(sys), tenths(dia));
    Decimal::new(dia.saturating_add(sys.saturating_sub(dia) / 3), 1).with_places(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(text: &str) -> Table {
        Table::parse(text.as_bytes()).unwrap()
    }

    fn problems(text: &str) -> Vec<String> {
        Table::parse(text.as_bytes())
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn at(table: &Table, seconds: u64) -> Scene {
        table.at(Duration::from_secs(seconds))
    }

    #[test]
    fn a_row_holds_until_the_next_and_empty_is_no_number() {
        let table = table("t_s,spo2,hr\n10,97,62.8\n20,,63\n30.5,0,\n");
        let missing = Reading::Invalid(Cause::NotAvailable);
        let valid = |text: &str| Reading::Valid(Decimal::parse(text.as_bytes()).unwrap());
        for (second, spo2, hr) in [
            (0, missing, missing),
            (10, valid("97"), valid("62.8")),
            (19, valid("97"), valid("62.8")),
            (20, missing, valid("63")),
            (30, missing, valid("63")),
            (31, valid("0"), missing),
            (90_000, valid("0"), missing),
        ] {
            let scene = at(&table, second);
            assert_eq!(scene.numerics[&Parameter::Spo2], spo2, "at {second}");
            assert_eq!(scene.numerics[&Parameter::Hr], hr, "at {second}");
            assert_eq!(scene.cuff, None);
        }
    }

    #[test]
    fn a_cuff_reading_is_new_when_its_numbers_are() {
        let table = table(
            "t_s,nibp-sys,nibp-dia,nibp-mean,nibp-pr\n\
             0,,,,\n60,120,80,93,70\n61,120,80,93,71\n62,,,,\n120,120,80,93,70\n180,0,0,,\n",
        );
        let reading = |second| at(&table, second).cuff_reading;
        assert_eq!(reading(59), None);
        let first = reading(60).unwrap();
        assert_eq!(first.at, Duration::from_secs(60));
        assert_eq!(first.pulse, Some(Decimal::whole(70)));
        assert_eq!(reading(61), Some(first));
        assert_eq!(reading(119), Some(first));
        assert_eq!(reading(120).unwrap().at, Duration::from_secs(120));
        assert_eq!(reading(180).unwrap().sys, Decimal::ZERO);
        assert!(!at(&table, 60).numerics.contains_key(&Parameter::NibpSys));
    }

    #[test]
    fn a_missing_mean_is_the_usual_one() {
        let table = table("t_s,nibp-sys,nibp-dia\n0,120,80\n");
        assert_eq!(at(&table, 0).cuff_reading.unwrap().mean, Decimal::whole(93));
    }

    #[test]
    fn the_cable_can_be_pulled() {
        let table = table("cable,t_s,spo2\nin,0,97\npulled,60,97\nsilent,90,97\n,120,97\n");
        for (second, cable) in [
            (59, Cable::In),
            (60, Cable::Pulled),
            (90, Cable::Silent),
            (120, Cable::In),
        ] {
            assert_eq!(at(&table, second).cable, cable);
            assert_eq!(table.cable(Duration::from_secs(second)), cable);
        }
    }

    #[test]
    fn files_from_other_systems_are_read() {
        let table = Table::parse(b"\xef\xbb\xbft_s, spo2\r\n\r\n0, 97\r\n1,96").unwrap();
        assert_eq!(
            at(&table, 1).numerics[&Parameter::Spo2],
            Reading::Valid(Decimal::whole(96))
        );
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        assert_eq!(problems(""), ["line 1: no header: the table is empty"]);
        assert_eq!(problems("t_s,spo2\n"), ["line 1: no rows below the header"]);
        assert_eq!(problems("spo2\n97\n"), ["line 1: no t_s column"]);
        assert_eq!(
            problems("t_s,spo2,spo2\n"),
            ["line 1: column \"spo2\" twice"]
        );
        let unknown = problems("t_s,sp02\n0,97\n");
        assert!(unknown[0].starts_with("line 1: unknown column \"sp02\"; known are t_s"));
        assert_eq!(
            problems(
                "t_s,spo2,nibp-sys,nibp-dia,cable\n0,97,,,\n0,97,,,\n-1,97,,,\n2,1e2,,,\n\
                 3,97\n4,97,120,,\n5,97,,,loose\n"
            ),
            [
                "line 3: t_s is not later than in the row before (0ns)",
                "line 4: t_s is \"-1\", not seconds from zero up",
                "line 5: spo2 is \"1e2\": not a plain decimal number of at most 15 digits",
                "line 6: 2 cells under 5 headers",
                "line 7: a cuff reading needs nibp-sys and nibp-dia in the same row",
                "line 8: cable is \"loose\", not in, pulled or silent",
            ]
        );
        let many = format!("t_s,spo2\n{}", "x,97\n".repeat(1_000));
        assert_eq!(problems(&many).len(), MOST_PROBLEMS);
    }

    proptest! {
        #[test]
        fn garbage_is_refused_or_read_but_never_panics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Table::parse(&text);
            let mut with_header = b"t_s,spo2,nibp-sys,nibp-dia,cable\n".to_vec();
            with_header.extend_from_slice(&text);
            if let Ok(table) = Table::parse(&with_header) {
                let _ = table.at(Duration::from_secs(1));
            }
        }

        #[test]
        fn looking_up_agrees_with_walking_the_rows(
            steps in proptest::collection::vec((1_u64..50, proptest::option::of(0_i64..101)), 1..30),
            asked in 0_u64..1_500,
        ) {
            let mut text = String::from("t_s,spo2\n");
            let mut time = 0;
            let mut expected = Reading::Invalid(Cause::NotAvailable);
            for (step, value) in &steps {
                time += step;
                let cell = value.map_or(String::new(), |value| value.to_string());
                text.push_str(&format!("{time},{cell}\n"));
                if time <= asked {
                    expected = value.map_or(Reading::Invalid(Cause::NotAvailable), |value| {
                        Reading::Valid(Decimal::whole(value))
                    });
                }
            }
            prop_assert_eq!(at(&table(&text), asked).numerics[&Parameter::Spo2], expected);
        }
    }
}
