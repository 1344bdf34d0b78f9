//! The record as tidy tables: one file per kind, one row per thing, and a dictionary of every column.
//!
//! Promises: numbers are exact and stand bare; times are RFC 3339 in UTC; an empty cell is "not known". A text
//! cannot become a formula in a spreadsheet: where it begins like one an apostrophe is put before it, and
//! before an apostrophe too, so that taking one away gives the text back.

#[macro_use]
mod declare;
mod entered;
mod measured;
mod table;

use super::model::Record;
use table::{Cell, Column, Kind, Table};

/// Every file with its name, the dictionary last.
pub fn files(record: &Record) -> Vec<(String, String)> {
    let mut tables = Vec::new();
    measured::about(record, &mut tables);
    measured::readings(record, &mut tables);
    measured::alarms(record, &mut tables);
    entered::amounts(record, &mut tables);
    entered::entries(record, &mut tables);
    entered::leaving(record, &mut tables);
    let mut dictionary = Vec::new();
    table!(
        dictionary,
        "dictionary",
        [
            ("file", Text, "", "the file"),
            ("column", Text, "", "the column"),
            ("kind", Text, "", "text (one leading apostrophe before = + - @ tab or ' is a guard: take it away), number (exact), time (RFC 3339, UTC), truth; an empty cell is not known"),
            ("unit", Text, "", "the unit"),
            ("meaning", Text, "", "what it says"),
        ],
        tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table.name, column))),
        (file, (column, kind, unit, meaning)) => [file, *column, kind.name(), *unit, *meaning]
    );
    tables.append(&mut dictionary);
    tables
        .into_iter()
        .map(|table| (format!("{}.csv", table.name), table.text))
        .collect()
}
