//! Reading of a TOML tree by hand, so that one look at a file finds every problem in it.
//!
//! The usual deserializer stops at the first wrong type; here a wrong value is written down and
//! reading goes on with a placeholder that is never used, because a file with problems gives no
//! profile.

use super::{PhaseSet, Problem};
use crate::vocabulary::{Decimal, Phase};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text being read and what was found wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

/// A table of the file, which remembers the keys that were asked for.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    path: String,
    at: usize,
    asked: Vec<&'static str>,
}

/// A value with its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// What [`Reader::duration`] does with zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    /// Zero is a problem.
    Refused,
    /// Zero means "at once" or "not used".
    Allowed,
}

impl<'t> Reader<'t> {
    /// A reader of `text`.
    pub(super) const fn new(text: &'t str) -> Self {
        Self {
            text,
            problems: Vec::new(),
        }
    }

    /// What was wrong, in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }

    /// Whether nothing was wrong so far.
    pub(super) fn is_content(&self) -> bool {
        self.problems.is_empty()
    }

    /// Writes a problem down.
    pub(super) fn problem(&mut self, at: usize, key: impl Into<String>, what: impl Into<String>) {
        let line = 1 + self
            .text
            .bytes()
            .take(at)
            .filter(|&byte| byte == b'\n')
            .count();
        self.problems.push(Problem {
            line,
            key: key.into(),
            what: what.into(),
        });
    }

    /// The table under `key`.
    pub(super) fn section(
        &mut self,
        parent: &mut Section<'t>,
        key: &'static str,
    ) -> Option<Section<'t>> {
        let value = self.required(parent, key)?;
        self.table(value, parent.key(key))
    }

    /// The table that `value` is.
    pub(super) fn table(&mut self, value: &'t Value<'t>, path: String) -> Option<Section<'t>> {
        match value.get_ref().as_table() {
            Some(table) => Some(Section {
                table,
                path,
                at: value.span().start,
                asked: Vec::new(),
            }),
            None => {
                self.problem(value.span().start, path, "must be a table");
                None
            }
        }
    }

    /// The value under `key`, missed if it is not there.
    fn required(&mut self, section: &mut Section<'t>, key: &'static str) -> Option<&'t Value<'t>> {
        let value = section.optional(key);
        if value.is_none() {
            self.problem(section.at, section.key(key), "is missing");
        }
        value
    }

    /// Text.
    pub(super) fn text(&mut self, section: &mut Section<'t>, key: &'static str) -> &'t str {
        let Some(value) = self.required(section, key) else {
            return "";
        };
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => text,
            Some(_) | None => {
                self.problem(value.span().start, section.key(key), "must be a text");
                ""
            }
        }
    }

    /// A whole number.
    pub(super) fn whole(&mut self, section: &mut Section<'t>, key: &'static str) -> i64 {
        match self.required(section, key) {
            Some(value) => self.whole_value(value, &section.key(key)),
            None => 0,
        }
    }

    /// A whole number, if the key is there.
    pub(super) fn optional_whole(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Option<i64> {
        section
            .optional(key)
            .map(|value| self.whole_value(value, &section.key(key)))
    }

    fn whole_value(&mut self, value: &Value<'t>, key: &str) -> i64 {
        let exact = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => {
                Decimal::parse(number.as_str().as_bytes()).ok()
            }
            DeValue::Float(number) => Decimal::parse(number.as_str().as_bytes()).ok(),
            DeValue::Integer(_)
            | DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let whole = exact.map(Decimal::normalized).filter(|n| n.scale() == 0);
        match whole {
            Some(number) if (0..=100_000).contains(&number.mantissa()) => number.mantissa(),
            Some(_) => {
                self.problem(value.span().start, key, "is out of range");
                0
            }
            None => {
                self.problem(value.span().start, key, "must be a whole number");
                0
            }
        }
    }

    /// Yes or no; no if the key is not there.
    pub(super) fn flag(&mut self, section: &mut Section<'t>, key: &'static str) -> bool {
        let Some(value) = section.optional(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.problem(
                value.span().start,
                section.key(key),
                "must be true or false",
            );
            false
        })
    }

    /// A duration with its unit.
    pub(super) fn duration(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
        zero: Zero,
    ) -> Duration {
        match self.required(section, key) {
            Some(value) => self.duration_value(value, &section.key(key), zero),
            None => Duration::ZERO,
        }
    }

    /// A duration, if the key is there.
    pub(super) fn optional_duration(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Option<Duration> {
        section
            .optional(key)
            .map(|value| self.duration_value(value, &section.key(key), Zero::Refused))
    }

    fn duration_value(&mut self, value: &Value<'t>, key: &str, zero: Zero) -> Duration {
        let Some(found) = value.get_ref().as_str().and_then(parse_duration) else {
            self.problem(
                value.span().start,
                key,
                "must be a duration such as \"500ms\", \"30s\", \"5min\" or \"1h\"",
            );
            return Duration::ZERO;
        };
        if found.is_zero() && zero == Zero::Refused {
            self.problem(value.span().start, key, "must be above zero");
        }
        found
    }

    /// A list of durations, each longer than the one before.
    pub(super) fn rising_durations(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Vec<Duration> {
        let mut found: Vec<Duration> = Vec::new();
        for (value, path) in self.items(section, key) {
            let next = self.duration_value(value, &path, Zero::Refused);
            if found.last().is_some_and(|last| *last >= next) {
                self.problem(
                    value.span().start,
                    path,
                    "must be longer than the one before",
                );
            }
            found.push(next);
        }
        found
    }

    /// The members of an array with their paths; the key must be there.
    pub(super) fn items(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Vec<(&'t Value<'t>, String)> {
        let Some(value) = self.required(section, key) else {
            return Vec::new();
        };
        let path = section.key(key);
        match value.get_ref().as_array() {
            Some(array) => array
                .iter()
                .enumerate()
                .map(|(place, item)| (item, format!("{path}[{place}]")))
                .collect(),
            None => {
                self.problem(value.span().start, path, "must be a list");
                Vec::new()
            }
        }
    }

    /// A set of phases, if the key is there.
    pub(super) fn optional_phases(
        &mut self,
        section: &mut Section<'t>,
        key: &'static str,
    ) -> Option<PhaseSet> {
        section.optional(key)?;
        let mut phases = PhaseSet::default();
        for (value, path) in self.items(section, key) {
            let known = value
                .get_ref()
                .as_str()
                .and_then(|name| Phase::ALL.into_iter().find(|phase| phase.name() == name));
            match known {
                Some(Phase::Discharged) | None => {
                    self.problem(value.span().start, path, "is not a phase with alarms");
                }
                Some(phase) => phases = phases.with(phase),
            }
        }
        Some(phases)
    }

    /// A set of phases with at least one member.
    pub(super) fn phases(&mut self, section: &mut Section<'t>, key: &'static str) -> PhaseSet {
        let found = self.optional_phases(section, key).unwrap_or_default();
        if found.is_empty() {
            self.problem(section.at, section.key(key), "must name at least one phase");
        }
        found
    }

    /// Reports the keys of a section that nobody asked for.
    pub(super) fn finish(&mut self, section: &Section<'t>) {
        for key in section.table.keys() {
            if !section.asked.contains(&key.get_ref().as_ref()) {
                let path = section.key(key.get_ref());
                self.problem(key.span().start, path, "is an unknown key");
            }
        }
    }
}

impl<'t> Section<'t> {
    /// The whole file.
    pub(super) const fn root(table: &'t DeTable<'t>) -> Self {
        Self {
            table,
            path: String::new(),
            at: 0,
            asked: Vec::new(),
        }
    }

    /// Where the section begins in the text.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The path of a key in this section; the section's own for an empty key.
    pub(super) fn key(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    /// The value under `key`, which counts as asked for.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<&'t Value<'t>> {
        self.asked.push(key);
        self.table.get(key)
    }
}

/// Digits and one of `ms`, `s`, `min`, `h`.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u32 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    // A day is more than any time in a profile.
    Some(Duration::from_millis(u64::from(number) * millis))
        .filter(|found| *found <= Duration::from_secs(7 * 86_400))
}
