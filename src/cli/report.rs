//! `infusewatch report`: the record of one session as a document.

use super::{ExitStatus, Failure, printed};
use crate::journal::{Reader, VerifyError};
use crate::record::{self, Record};
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Sessions that are named when another one was asked for, the newest.
const MOST_NAMED: usize = 20;

/// What to write, and where.
#[derive(clap::Args, Debug)]
pub struct Report {
    /// The journal; it may be in use.
    journal: PathBuf,
    /// The session.
    #[arg(long, value_name = "ID")]
    session: i64,
    /// What to make of it.
    #[arg(long)]
    format: Format,
    /// The file to write, for csv the folder; without it the document goes to stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The zone in which the flow sheet tells times, like America/New_York; default: the machine's.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<TimeZone>,
}

/// The documents.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// The flow sheet, one file to print.
    Html,
    /// One file per kind in a folder, with a data dictionary.
    Csv,
    /// Everything, for programs.
    Json,
    /// A FHIR R4 bundle.
    Fhir,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|error| error.to_string())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        ExitStatus::CannotOpen,
        format!(
            "cannot write {}: {error}; nothing else was changed, name another place with -o",
            path.display()
        ),
    )
}

impl Report {
    /// Reads the session and writes the document.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        if self.format == Format::Csv && self.output.is_none() {
            return Err(Failure::new(
                ExitStatus::Usage,
                "csv is one file per kind: name a folder for them with -o FOLDER",
            ));
        }
        let record = self.read()?;
        let ours = |what: &str, error: serde_json::Error| {
            Failure::new(
                ExitStatus::Software,
                format!("cannot write the record as {what}: {error}"),
            )
        };
        let document = match self.format {
            Format::Html => {
                let zone = self.zone.clone().unwrap_or_else(TimeZone::system);
                record::html::flow_sheet(&record, &zone)
            }
            Format::Json => record::json(&record).map_err(|error| ours("JSON", error))?,
            Format::Fhir => record::fhir::bundle(&record).map_err(|error| ours("FHIR", error))?,
            Format::Csv => return self.folder(&record),
        };
        match &self.output {
            Some(path) => {
                replace(path, document.as_bytes()).map_err(|error| cannot_write(path, &error))?;
                Ok(ExitStatus::Done)
            }
            None => {
                let mut out = io::stdout().lock();
                printed(
                    out.write_all(document.as_bytes())
                        .and_then(|()| out.flush()),
                )
            }
        }
    }

    fn read(&self) -> Result<Record, Failure> {
        let found = record::read(&self.journal, self.session).map_err(|error| match error {
            VerifyError::Open(error) => Failure::new(ExitStatus::CannotOpen, error.to_string()),
            VerifyError::Read(error) => Failure::new(
                ExitStatus::BadData,
                format!(
                    "cannot read session {} of {}: {error}; `sqlite3 {} 'pragma integrity_check'` tells more",
                    self.session,
                    self.journal.display(),
                    self.journal.display()
                ),
            ),
        })?;
        found.ok_or_else(|| self.no_session())
    }

    fn no_session(&self) -> Failure {
        let known = Reader::open(&self.journal)
            .ok()
            .and_then(|reader| reader.sessions().ok())
            .unwrap_or_default();
        let newest: Vec<String> = known
            .iter()
            .rev()
            .take(MOST_NAMED)
            .map(|row| format!("{} (opened {})", row.session, row.opened))
            .collect();
        let there = if newest.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has, newest first: {}", newest.join(", "))
        };
        Failure::new(
            ExitStatus::BadData,
            format!(
                "{} has no session {}; {there}",
                self.journal.display(),
                self.session
            ),
        )
    }

    fn folder(&self, record: &Record) -> Result<ExitStatus, Failure> {
        let Some(folder) = &self.output else {
            return Ok(ExitStatus::Usage);
        };
        std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        for (name, text) in record::csv::files(record) {
            let path = folder.join(name);
            replace(&path, text.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
        }
        Ok(ExitStatus::Done)
    }
}

/// Writes a file whole or not at all: a document that was cut looks like one that is complete. What a
/// patient's record says is for its owner: mode 0600.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // A device or a pipe is written as it is.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return std::fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(bytes);
    }
    let mut beside = OsString::from(path.as_os_str());
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The part is of no use to anybody; the first error is the one to tell.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
