//! The thread that owns the writing connection, and the only one that may wait for a disk.
//!
//! Promises: every batch it is given is committed, in order, or tried again until it is told to stop; a
//! damaged file is put aside and a new one begun; each success and each failure is told to the intake.

use super::dictionary::FeedNames;
use super::ledger::{Batch, CommitError, Ledger, Start, TextOf};
use super::store::{self, Lock, OpenError};
use crate::clock::Clock;
use crate::vocabulary::Moment;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two attempts to write the same batch.
const RETRY: Duration = Duration::from_millis(250);
/// Between two looks at how full the disk is.
const LOOK: Duration = Duration::from_secs(10);
/// A file is not put aside more often than this: a disk that damages everything must not be filled with files.
const ASIDE: Duration = Duration::from_secs(60);
/// Used blocks, in per cent, above which the disk is nearly full.
const NEARLY_FULL: u64 = 90;

/// What the disk thread tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The batch is on the disk.
    Committed,
    /// The batch is not in the record; it is tried again.
    Failed(String),
    /// The batch was tried once more at the end, and is lost.
    GaveUp,
    /// The record goes on in a new file.
    NewFile(String),
    /// How full the disk is, when that changed.
    Disk {
        /// Whether there is room.
        ok: bool,
        /// In words.
        detail: String,
    },
}

/// Something done to each connection that is opened.
pub(super) type Prepare = Box<dyn Fn(&Connection) -> rusqlite::Result<()> + Send>;

/// The file and what is needed to open it again.
pub(super) struct Disk {
    /// The journal.
    pub path: PathBuf,
    /// This start of the program.
    pub start: Start,
    /// Makes lines for people.
    pub text: TextOf,
    /// For pauses; the machine's own, whatever the engine's time does.
    pub clock: Clock,
    /// The right to write; taken later when the folder was not there.
    pub lock: Option<Lock>,
    /// The open file.
    pub ledger: Option<Ledger>,
    /// The feeds as the last open file knew them.
    pub feeds: FeedNames,
    /// When a file was put aside last.
    pub aside_at: Option<Moment>,
    /// What else is done to each connection: nothing, except in tests that need a full disk.
    pub prepare: Prepare,
    /// Whether the disk had room when last looked at, if it was.
    pub roomy: Option<bool>,
}

impl Disk {
    /// Runs until there are no more batches. While `leave` is connected a failing batch is tried for ever;
    /// afterwards once more.
    pub(super) fn run(
        mut self,
        batches: &Receiver<Batch>,
        outcomes: &Sender<Outcome>,
        leave: &Receiver<()>,
    ) {
        let mut looked = self.clock.now().moment;
        self.look(outcomes);
        loop {
            match batches.recv_timeout(LOOK) {
                Ok(batch) => self.write(&batch, outcomes, leave),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now().moment;
            if now.since(looked) >= LOOK {
                looked = now;
                self.look(outcomes);
            }
        }
    }

    fn write(&mut self, batch: &Batch, outcomes: &Sender<Outcome>, leave: &Receiver<()>) {
        loop {
            let attempt = self.attempt(batch, outcomes);
            let done = attempt.is_ok();
            // The intake waits for these; when it is gone nobody needs them.
            let _ = outcomes.send(match attempt {
                Ok(()) => Outcome::Committed,
                Err(problem) => Outcome::Failed(problem),
            });
            if done {
                return;
            }
            if leave.recv_timeout(RETRY) == Err(RecvTimeoutError::Disconnected) {
                let _ = outcomes.send(match self.attempt(batch, outcomes) {
                    Ok(()) => Outcome::Committed,
                    Err(_) => Outcome::GaveUp,
                });
                return;
            }
        }
    }

    fn attempt(&mut self, batch: &Batch, outcomes: &Sender<Outcome>) -> Result<(), String> {
        if self.ledger.is_none() {
            self.open(outcomes)?;
        }
        let Some(ledger) = &mut self.ledger else {
            return Err("the journal is not open".to_owned());
        };
        match ledger.commit(batch, self.text) {
            Ok(()) => Ok(()),
            Err(error) => {
                // A file that failed is opened afresh: the disk may have been exchanged under it.
                self.feeds = self.ledger.take().map_or_else(Vec::new, Ledger::into_feeds);
                let aside = match &error {
                    CommitError::Sql(error) => store::is_damage(error),
                    CommitError::Taken { .. } => true,
                    CommitError::Moved => false,
                };
                if aside {
                    self.set_aside(&error.to_string(), outcomes)?;
                } else if matches!(error, CommitError::Moved) {
                    let _ = outcomes.send(Outcome::NewFile(format!(
                        "the record {} was moved or deleted; a new one is begun",
                        self.path.display()
                    )));
                }
                Err(error.to_string())
            }
        }
    }

    fn open(&mut self, outcomes: &Sender<Outcome>) -> Result<(), String> {
        if self.lock.is_none() {
            self.lock = Some(Lock::take(&self.path).map_err(|error| error.to_string())?);
        }
        let connection = match store::open_writer(&self.path) {
            Ok(connection) => connection,
            Err(OpenError::Damaged { problem, .. }) => {
                self.set_aside(&problem, outcomes)?;
                store::open_writer(&self.path).map_err(|error| error.to_string())?
            }
            Err(error) => return Err(error.to_string()),
        };
        let ledger = (self.prepare)(&connection)
            .and_then(|()| {
                let feeds = std::mem::take(&mut self.feeds);
                Ledger::new(&self.path, connection, &self.start, feeds)
            })
            .map_err(|error| store::reason(&error))?;
        self.ledger = Some(ledger);
        Ok(())
    }

    fn set_aside(&mut self, problem: &str, outcomes: &Sender<Outcome>) -> Result<(), String> {
        let now = self.clock.now();
        if self
            .aside_at
            .is_some_and(|last| now.moment.since(last) < ASIDE)
        {
            return Err(format!("{problem}; a file was put aside a moment ago"));
        }
        self.aside_at = Some(now.moment);
        let aside = store::set_aside(&self.path, now.wall)
            .map_err(|error| format!("{problem}; and it cannot be renamed: {error}"))?;
        let _ = outcomes.send(Outcome::NewFile(new_file(problem, &aside)));
        Ok(())
    }

    /// Tells whether the disk is nearly full: at the first look, and when that changes.
    fn look(&mut self, outcomes: &Sender<Outcome>) {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        let Ok(disk) = rustix::fs::statvfs(folder) else {
            // A missing folder is told by the writing.
            return;
        };
        let used = disk.f_blocks.saturating_sub(disk.f_bfree);
        let all = used.saturating_add(disk.f_bavail).max(1);
        let roomy = used.saturating_mul(100) <= all.saturating_mul(NEARLY_FULL);
        if self.roomy != Some(roomy) {
            self.roomy = Some(roomy);
            let per_cent = used.saturating_mul(100) / all;
            let _ = outcomes.send(Outcome::Disk {
                ok: roomy,
                detail: format!("the disk of {} is {per_cent} % full", self.path.display()),
            });
        }
    }
}

/// What the nurse and the clinical engineer must know about a file that was put aside.
pub(super) fn new_file(problem: &str, aside: &Path) -> String {
    format!(
        "the record was unusable ({problem}); it is kept as {} and a new one is begun",
        aside.display()
    )
}
