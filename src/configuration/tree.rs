//! The file as a tree that remembers its lines.
//!
//! Deserialising stops at the first type error; this reader goes on, so that every mistake is listed.
//! Each [`Section`] knows which keys were asked for: what is left over is unknown and refused.

use super::problem::Findings;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A value and the line on which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    /// The line, counted from 1.
    pub(super) line: usize,
    /// The value.
    pub(super) value: T,
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// The lines of `text`.
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line, counted from 1, in which this byte stands.
    pub(super) fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|&newline| newline < byte) + 1
    }
}

/// One table of the file.
#[derive(Debug)]
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    lines: &'t Lines,
    name: &'t str,
    line: usize,
    asked: BTreeSet<&'static str>,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub(super) fn root(table: &'t Spanned<DeTable<'t>>, lines: &'t Lines) -> Self {
        Self {
            table: table.get_ref(),
            lines,
            name: "",
            line: 1,
            asked: BTreeSet::new(),
        }
    }

    /// The same section under its full name, for one that stands in another.
    pub(super) fn named(self, name: &'t str) -> Self {
        Self { name, ..self }
    }

    /// The line of the section's heading.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// The key as it is named in messages: with the section.
    pub(super) fn full(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    fn find(&mut self, key: &'static str) -> Option<At<&'t DeValue<'t>>> {
        self.asked.insert(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(At {
            line: self.lines.at(name.span().start),
            value: value.get_ref(),
        })
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
        wanted: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        let found = self.find(key)?;
        let value = read(found.value);
        if value.is_none() {
            let full = self.full(key);
            findings.wrong(
                found.line,
                &full,
                format!("must be {wanted}, not {}", kind(found.value)),
            );
        }
        value.map(|value| At {
            line: found.line,
            value,
        })
    }

    /// A text. Empty texts are refused everywhere: leave the key out instead.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<At<String>> {
        let text = self.typed(key, findings, "a text in quotes", |value| {
            value.as_str().map(str::to_owned)
        })?;
        if text.value.trim().is_empty() {
            let full = self.full(key);
            findings.wrong(text.line, &full, "is empty: give it a text or leave it out");
            return None;
        }
        Some(text)
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self, key: &'static str, findings: &mut Findings) -> Option<At<u32>> {
        self.typed(key, findings, "a whole number, 0 or more", |value| {
            let number = value.as_integer()?;
            u32::from_str_radix(number.as_str(), number.radix()).ok()
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, findings: &mut Findings) -> Option<At<bool>> {
        self.typed(key, findings, "true or false", DeValue::as_bool)
    }

    /// A list of texts, each with its own line.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<At<Vec<At<String>>>> {
        let lines = self.lines;
        self.typed(key, findings, "a list of texts", |value| {
            list(value.as_array()?, lines)
        })
    }

    /// A text, or a list of texts.
    pub(super) fn text_or_texts(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<At<Result<String, Vec<At<String>>>>> {
        let lines = self.lines;
        self.typed(
            key,
            findings,
            "a text or a list of texts",
            |value| match value.as_str() {
                Some(text) => Some(Ok(text.to_owned())),
                None => list(value.as_array()?, lines).map(Err),
            },
        )
    }

    /// A table inside this one.
    pub(super) fn section(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Section<'t>> {
        let lines = self.lines;
        let table = self.typed(key, findings, "a section", DeValue::as_table)?;
        Some(Section {
            table: table.value,
            lines,
            name: key,
            line: table.line,
            asked: BTreeSet::new(),
        })
    }

    /// A list of tables: `[[key]]` once for each.
    pub(super) fn sections(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Vec<Section<'t>> {
        let lines = self.lines;
        let found = self.typed(
            key,
            findings,
            "a list of sections, each under its own heading in double brackets",
            |value| {
                let array = value.as_array()?;
                array
                    .iter()
                    .map(|element| {
                        Some(Section {
                            table: element.get_ref().as_table()?,
                            lines,
                            name: key,
                            line: lines.at(element.span().start),
                            asked: BTreeSet::new(),
                        })
                    })
                    .collect::<Option<Vec<_>>>()
            },
        );
        found.map(|list| list.value).unwrap_or_default()
    }

    /// Every key that is there, with its list of texts (for sections whose keys are data).
    pub(super) fn lists(&self, findings: &mut Findings) -> Vec<(At<String>, Vec<At<String>>)> {
        let mut lists = Vec::new();
        for (key, value) in self.table {
            let line = self.lines.at(key.span().start);
            match value
                .get_ref()
                .as_array()
                .and_then(|array| list(array, self.lines))
            {
                Some(found) => lists.push((
                    At {
                        line,
                        value: key.get_ref().to_string(),
                    },
                    found,
                )),
                None => findings.wrong(
                    line,
                    &self.full(key.get_ref()),
                    format!("must be a list of texts, not {}", kind(value.get_ref())),
                ),
            }
        }
        lists
    }

    /// What was not asked for, as a protocol's own settings: scalars as text, tables flattened with
    /// dots (`[feed.map]` with `x = 1` is `map.x`).
    pub(super) fn settings(&self, findings: &mut Findings) -> Vec<(String, At<String>)> {
        let mut settings = Vec::new();
        for (key, value) in self.table {
            if !self.asked.contains(key.get_ref().as_ref()) {
                self.flatten(
                    key.get_ref(),
                    key.span().start,
                    value.get_ref(),
                    &mut settings,
                    findings,
                );
            }
        }
        settings
    }

    fn flatten(
        &self,
        name: &str,
        start: usize,
        value: &DeValue<'_>,
        settings: &mut Vec<(String, At<String>)>,
        findings: &mut Findings,
    ) {
        let line = self.lines.at(start);
        let mut keep = |value: String| settings.push((name.to_owned(), At { line, value }));
        match value {
            DeValue::String(text) => keep(text.to_string()),
            DeValue::Integer(number) => keep(number.to_string()),
            DeValue::Boolean(flag) => keep(flag.to_string()),
            DeValue::Float(number) if number.as_str().bytes().any(|byte| byte.is_ascii_digit()) => {
                keep(number.as_str().to_owned());
            }
            DeValue::Table(table) => {
                for (key, value) in table {
                    let inner = format!("{name}.{}", key.get_ref());
                    self.flatten(
                        &inner,
                        key.span().start,
                        value.get_ref(),
                        settings,
                        findings,
                    );
                }
            }
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) => findings.wrong(
                line,
                &self.full(name),
                format!(
                    "must be a text, a number or true or false, not {}",
                    kind(value)
                ),
            ),
        }
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(&self, findings: &mut Findings) {
        for (key, _) in self.table {
            if !self.asked.contains(key.get_ref().as_ref()) {
                let known: Vec<_> = self.asked.iter().copied().collect();
                findings.wrong(
                    self.lines.at(key.span().start),
                    &self.full(key.get_ref()),
                    format!("unknown; known here: {}", known.join(", ")),
                );
            }
        }
    }
}

fn list(array: &DeArray<'_>, lines: &Lines) -> Option<Vec<At<String>>> {
    array
        .iter()
        .map(|element| {
            Some(At {
                line: lines.at(element.span().start),
                value: element.get_ref().as_str()?.to_owned(),
            })
        })
        .collect()
}

fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::String(text) => format!("the text {:?}", text.as_ref()),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "this list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}
