//! What is wrong with a configuration, with its place.

use std::fmt;
use std::path::PathBuf;

/// One mistake, or one warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file: the configuration or the profile that it names.
    pub file: PathBuf,
    /// The line, counted from 1; `None` when the mistake is that something is not there at all.
    pub line: Option<usize>,
    /// The key with its section (`feed.silence`); empty for a mistake of the whole file.
    pub key: String,
    /// What is wrong and what is allowed.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        if !self.key.is_empty() {
            write!(f, "  {}", self.key)?;
        }
        write!(f, "  {}", self.what)
    }
}

/// Collects what is found in one file, so that three mistakes cost one restart and not three.
#[derive(Debug)]
pub(super) struct Findings {
    file: PathBuf,
    unreadable_lines: Vec<usize>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Findings {
    /// Nothing found yet in `file`.
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            unreadable_lines: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn entry(&self, line: Option<usize>, key: &str, what: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            line,
            key: key.to_owned(),
            what: what.into(),
        }
    }

    /// A line that is not TOML. What else would be said about it is only a consequence.
    pub(super) fn unreadable(&mut self, line: usize, what: &str) {
        let entry = self.entry(Some(line), "", what);
        self.unreadable_lines.push(line);
        self.problems.push(entry);
    }

    /// A mistake at a line.
    pub(super) fn wrong(&mut self, line: usize, key: &str, what: impl Into<String>) {
        if !self.unreadable_lines.contains(&line) {
            let entry = self.entry(Some(line), key, what);
            self.problems.push(entry);
        }
    }

    /// Something that must be there and is not, in the section that begins at `line`. Not said when
    /// lines could not be read: it may stand in one of them.
    pub(super) fn missing(&mut self, line: Option<usize>, key: &str, what: impl Into<String>) {
        if self.unreadable_lines.is_empty() {
            let entry = self.entry(line, key, what);
            self.problems.push(entry);
        }
    }

    /// A mistake of the file as a whole.
    pub(super) fn wrong_file(&mut self, what: impl Into<String>) {
        let entry = self.entry(None, "", what);
        self.problems.push(entry);
    }

    /// A mistake in another file.
    pub(super) fn elsewhere(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Allowed, but probably not meant.
    pub(super) fn warn(&mut self, line: Option<usize>, key: &str, what: impl Into<String>) {
        let entry = self.entry(line, key, what);
        self.warnings.push(entry);
    }

    /// Problems and warnings in the order of the lines; those of other files come last.
    pub(super) fn into_lists(mut self) -> (Vec<Problem>, Vec<Problem>) {
        let file = self.file;
        for list in [&mut self.problems, &mut self.warnings] {
            list.sort_by_key(|entry| (entry.file != file, entry.line));
        }
        (self.problems, self.warnings)
    }
}
