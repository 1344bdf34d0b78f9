//! A table on its way, and cells that cannot be anything but what they are.

use crate::record::Stamp;
use crate::vocabulary::Decimal;
use std::fmt::Write as _;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text, guarded.
    Text,
    /// An exact number.
    Number,
    /// RFC 3339 in UTC.
    Time,
    /// `true` or `false`.
    Truth,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Time => "time",
            Self::Truth => "truth",
        }
    }
}

/// A column: name, kind, unit, meaning.
pub(super) type Column = (&'static str, Kind, &'static str, &'static str);

/// One file on its way.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) text: String,
}

/// One cell.
pub(super) enum Cell<'a> {
    Text(&'a str),
    Number(Option<Decimal>),
    Whole(u64),
    Time(Option<Stamp>),
    Truth(bool),
    Empty,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a, T: AsRef<str>> From<&'a Option<T>> for Cell<'a> {
    fn from(text: &'a Option<T>) -> Self {
        text.as_ref()
            .map_or(Self::Empty, |text| Self::Text(text.as_ref()))
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, Self::Text)
    }
}

impl From<Decimal> for Cell<'_> {
    fn from(number: Decimal) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<Decimal>> for Cell<'_> {
    fn from(number: Option<Decimal>) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Cell<'_> {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<Option<u64>> for Cell<'_> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Empty, Self::Whole)
    }
}

impl From<u32> for Cell<'_> {
    fn from(number: u32) -> Self {
        Self::Whole(u64::from(number))
    }
}

impl From<Stamp> for Cell<'_> {
    fn from(at: Stamp) -> Self {
        Self::Time(Some(at))
    }
}

impl From<Option<Stamp>> for Cell<'_> {
    fn from(at: Option<Stamp>) -> Self {
        Self::Time(at)
    }
}

impl From<bool> for Cell<'_> {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

/// Whether a spreadsheet might take the text for a formula, or a reader might take away its apostrophe.
fn is_guarded(text: &str) -> bool {
    text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\'', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ])
}

fn push_text(out: &mut String, text: &str) {
    let quoted = text.contains([',', '"', '\r', '\n', ';', '\t']) || text.starts_with(' ');
    if quoted {
        out.push('"');
    }
    if is_guarded(text) {
        out.push('\'');
    }
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\"\""),
            '\r' | '\n' | '\t' => out.push(letter),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    if quoted {
        out.push('"');
    }
}

impl Table {
    pub(super) fn new(name: &'static str, columns: &'static [Column]) -> Self {
        let names: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
        Self {
            name,
            columns,
            text: names.join(",") + "\r\n",
        }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            // Writing into a string cannot fail.
            let _ = match cell {
                Cell::Text(text) => {
                    push_text(&mut self.text, text);
                    Ok(())
                }
                Cell::Number(Some(number)) => write!(self.text, "{number}"),
                Cell::Whole(number) => write!(self.text, "{number}"),
                Cell::Time(Some(at)) => write!(self.text, "{}", at.rfc3339()),
                Cell::Truth(truth) => write!(self.text, "{truth}"),
                Cell::Number(None) | Cell::Time(None) | Cell::Empty => Ok(()),
            };
        }
        self.text.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_is_a_formula_and_every_text_comes_back(
            text in "[=+\\-@'\t\r\n,;\" a-z\u{ff1d}]{0,12}",
        ) {
            let mut cell = String::new();
            push_text(&mut cell, &text);
            let inner = match cell.strip_prefix('"') {
                Some(rest) => rest.strip_suffix('"').unwrap().replace("\"\"", "\""),
                None => {
                    prop_assert!(!cell.contains([',', '"', '\n', '\r']));
                    cell.clone()
                }
            };
            let like_a_formula = inner.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}']);
            prop_assert!(!like_a_formula);
            prop_assert_eq!(inner.strip_prefix('\'').unwrap_or(&inner), text);
        }
    }
}
