//! A journal before its writer starts: opened, read, ready for a replay.

use super::disk::{Disk, new_file};
use super::entry::Entry;
use super::intake::{Intake, Watcher};
use super::ledger::{Ledger, Start, TextOf};
use super::replay::{self, ReadError, Replayed, Stretch};
use super::restore::{Plan, Restored, Timeline};
use super::row::ReadRow;
use super::store::{self, Lock, OpenError};
use super::writer::{self, Outlet};
use crate::clock::Clock;
use crate::engine::Engine;
use rusqlite::{Connection, ErrorCode};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

/// What could be opened.
enum File {
    /// It can be written.
    Writable(Box<Ledger>),
    /// It can only be read now.
    Readable(Connection, String),
    /// It cannot even be read.
    Missing(String),
}

/// The journal of this process.
pub struct Journal {
    path: PathBuf,
    start: Start,
    lock: Option<Lock>,
    file: File,
    notice: Option<String>,
    restored: Restored,
    timeline: Timeline,
}

impl Journal {
    /// Opens or makes the journal and notes this start in it, before anything is replayed.
    ///
    /// A damaged file is put aside and a new one begun. A disk that is full, missing or cannot be written is
    /// no error: monitoring starts all the same, the record is tried for ever and [`Journal::trouble`] says
    /// what is wrong.
    ///
    /// # Errors
    /// Another process writes it, its schema is newer, or it belongs to another program (exit 74).
    pub fn open(path: &Path, start: Start) -> Result<Self, OpenError> {
        let mut journal = Self {
            path: path.to_owned(),
            lock: None,
            file: File::Missing(String::new()),
            notice: None,
            restored: Restored::default(),
            timeline: Timeline {
                offset_us: 0,
                down_for: Some(Duration::ZERO),
            },
            start,
        };
        match Lock::take(path) {
            Ok(lock) => journal.lock = Some(lock),
            Err(error @ OpenError::Unavailable { .. }) => {
                journal.read_only(&error);
                return Ok(journal);
            }
            Err(error) => return Err(error),
        }
        match journal.open_file() {
            Err(OpenError::Damaged { problem, .. }) => {
                if let Err(error) = journal.begin_anew(&problem) {
                    journal.file = File::Missing(error.to_string());
                }
                Ok(journal)
            }
            Err(error @ OpenError::Unavailable { .. }) => {
                journal.read_only(&error);
                Ok(journal)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(journal),
        }
    }

    fn open_file(&mut self) -> Result<(), OpenError> {
        let connection = store::open_writer(&self.path)?;
        self.restored = self.read(&connection)?;
        self.settle_time();
        let ledger = Ledger::new(&self.path, connection, &self.start, Vec::new())
            .map_err(|error| OpenError::from_sql(&self.path, &error))?;
        self.file = File::Writable(Box::new(ledger));
        Ok(())
    }

    /// Decides how engine time goes on from what was restored; only once, however often the file is begun
    /// anew.
    fn settle_time(&mut self) {
        if self.restored.previous.is_some() {
            self.timeline = self.restored.timeline(&self.start);
            self.start.offset_us = self.timeline.offset_us;
        }
    }

    fn read(&self, connection: &Connection) -> Result<Restored, OpenError> {
        Restored::read(connection).map_err(|error| match error {
            // Text that is no JSON, a table that is not there: the disk did its part.
            ReadRow::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => {
                OpenError::Damaged {
                    path: self.path.clone(),
                    problem: error.to_string(),
                }
            }
            ReadRow::Sql(error) => OpenError::from_sql(&self.path, &error),
            ReadRow::Bad(problem) => OpenError::Damaged {
                path: self.path.clone(),
                problem: problem.to_string(),
            },
        })
    }

    /// What cannot be written may still be read: an open session is carried over from it.
    fn read_only(&mut self, error: &OpenError) {
        let OpenError::Unavailable { problem, .. } = error else {
            return;
        };
        let readable = store::open_reader(&self.path)
            .and_then(|connection| Ok((self.read(&connection)?, connection)));
        self.file = match readable {
            Ok((restored, connection)) => {
                self.restored = restored;
                self.settle_time();
                File::Readable(connection, problem.clone())
            }
            Err(_) => File::Missing(problem.clone()),
        };
    }

    /// Puts the file aside and begins a new one; also for the caller whose replay met damage.
    ///
    /// # Errors
    /// The file cannot be renamed or no new one made.
    pub fn begin_anew(&mut self, problem: &str) -> Result<(), OpenError> {
        // The connection must be closed before its file gets another name.
        self.file = File::Missing(problem.to_owned());
        let aside = store::set_aside(&self.path, self.start.wall)
            .map_err(|error| OpenError::unavailable(&self.path, error))?;
        self.notice = Some(new_file(problem, &aside));
        let before = std::mem::take(&mut self.restored);
        let opened = self.open_file();
        // Numbers and times go on: the screen may still show the old ones.
        self.restored = Restored {
            last_seq: before.last_seq,
            last_at: before.last_at,
            last_wall: before.last_wall,
            last_session: before.last_session,
            ..Restored::default()
        };
        opened
    }

    /// Where the record stops.
    pub const fn restored(&self) -> &Restored {
        &self.restored
    }

    /// How this start goes on.
    pub fn plan(&self) -> Plan {
        let writable = matches!(self.file, File::Writable(_));
        self.restored.plan(&self.start, writable)
    }

    /// How engine time goes on.
    pub const fn timeline(&self) -> Timeline {
        self.timeline
    }

    /// Why the record cannot be written now.
    pub fn trouble(&self) -> Option<&str> {
        match &self.file {
            File::Writable(_) => None,
            File::Readable(_, problem) | File::Missing(problem) => Some(problem),
        }
    }

    /// What was put aside at this start, for people.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    pub(super) fn connection(&self) -> Option<&Connection> {
        match &self.file {
            File::Writable(ledger) => Some(ledger.connection()),
            File::Readable(connection, _) => Some(connection),
            File::Missing(_) => None,
        }
    }

    /// Replays the record from `from` (of [`Plan::Replay`]) through a fresh engine made with
    /// `Engine::new(from - 1)`. A difference means that the engine's value must not be trusted: carry over.
    ///
    /// # Errors
    /// The record cannot be read to its end.
    pub fn replay(&self, from: u64, engine: &mut Engine) -> Result<Replayed, ReadError> {
        let stretch = Stretch {
            from,
            until: None,
            may_be_cut: true,
        };
        match self.connection() {
            Some(connection) => replay::replay(connection, stretch, engine),
            None => Ok(Replayed::default()),
        }
    }

    /// Shows every entry from `from` on, in order, until the visitor breaks off: what a carry-over is made of.
    ///
    /// # Errors
    /// The record cannot be read to its end.
    pub fn visit(
        &self,
        from: u64,
        visitor: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        match self.connection() {
            Some(connection) => replay::visit(connection, from, visitor),
            None => Ok(()),
        }
    }

    /// Starts the writer: the engine's end, and a handle that ends some time after that end is dropped.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(
        self,
        watcher: Box<dyn Watcher>,
        text: TextOf,
    ) -> io::Result<(Outlet, JoinHandle<()>)> {
        self.start_with(watcher, text, Box::new(|_| Ok(())))
    }

    pub(super) fn start_with(
        self,
        watcher: Box<dyn Watcher>,
        text: TextOf,
        prepare: super::disk::Prepare,
    ) -> io::Result<(Outlet, JoinHandle<()>)> {
        let clock = Clock::real();
        let now = clock.now().moment;
        let trouble = self.trouble().map(str::to_owned);
        let mut intake = Intake::new(watcher, now);
        intake.begin(now, trouble, self.notice);
        let disk = Disk {
            path: self.path,
            start: self.start,
            text,
            clock,
            lock: self.lock,
            ledger: match self.file {
                File::Writable(ledger) => Some(*ledger),
                File::Readable(..) | File::Missing(_) => None,
            },
            feeds: Vec::new(),
            aside_at: None,
            prepare,
            roomy: None,
        };
        writer::start(disk, intake)
    }
}
