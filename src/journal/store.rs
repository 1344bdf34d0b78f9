//! The file itself: opening, its lock, its schema version, and what is done with a damaged one.
//!
//! Promises: one process writes a journal at a time; a file of a newer version or of another program is
//! refused and left alone; a file that is no database or is damaged is put aside under another name,
//! never deleted. One function opens the writing connection and says why for each setting.

use crate::vocabulary::WallTime;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = 1;
/// `IFWT`: marks the file as ours.
const APPLICATION_ID: i64 = 0x4946_5754;
const SCHEMA: &str = include_str!("schema.sql");
/// How long a write waits for somebody else's transaction (a person with `sqlite3`).
const BUSY: Duration = Duration::from_millis(500);

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes it.
    #[error(
        "cannot write the journal {}: {holder} holds its lock; stop that one, or name another file in [journal] path",
        path.display()
    )]
    Locked {
        /// The journal.
        path: PathBuf,
        /// The other process, as it told.
        holder: String,
    },
    /// A later version of this program wrote it.
    #[error(
        "cannot open the journal {}: its schema version {found} is newer than this program's {SCHEMA_VERSION}; \
         install the version that wrote it, or name another file in [journal] path",
        path.display()
    )]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Its schema version.
        found: i64,
    },
    /// It is a database, but no journal.
    #[error(
        "cannot open the journal {}: it is a database of another program; name another file in [journal] path",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is no database, or a damaged one.
    #[error("cannot read the journal {}: it is damaged ({problem})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// It cannot be opened now; may work later.
    #[error("cannot open the journal {}: {problem}", path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
}

impl OpenError {
    pub(super) fn unavailable(path: &Path, problem: impl ToString) -> Self {
        Self::Unavailable {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// Damage is told apart from everything that may pass.
    pub(super) fn from_sql(path: &Path, error: &rusqlite::Error) -> Self {
        if is_damage(error) {
            Self::Damaged {
                path: path.to_owned(),
                problem: error.to_string(),
            }
        } else {
            Self::unavailable(path, error)
        }
    }
}

/// Whether the error says that the file's contents are wrong, as opposed to a full or missing disk.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    code == Some(ErrorCode::DatabaseCorrupt) || code == Some(ErrorCode::NotADatabase)
}

/// The right to write one journal: an advisory lock on `<journal>.lock`, given back by the system when the
/// process ends in whatever way. The file stays.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(journal: &Path) -> Result<Self, OpenError> {
        let path = beside(journal, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| {
                OpenError::unavailable(journal, format!("{}: {error}", path.display()))
            })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let told = Read::by_ref(&mut file)
                    .take(20)
                    .read_to_string(&mut pid)
                    .is_ok();
                let holder = match pid.trim() {
                    pid if told && !pid.is_empty() => format!("process {pid}"),
                    _ => "another process".to_owned(),
                };
                return Err(OpenError::Locked {
                    path: journal.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => {
                return Err(OpenError::unavailable(
                    journal,
                    format!("cannot lock {}: {error}", path.display()),
                ));
            }
        }
        // For the message above only: on a full disk the lock holds without it.
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Self { _file: file })
    }
}

/// The path with something behind its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    name.into()
}

/// Opens the connection that writes, makes or upgrades the schema. The caller holds the lock.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let sql = |error: rusqlite::Error| OpenError::from_sql(path, &error);
    // SQLite would create the file readable by all; the record of a patient is nobody else's business.
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| OpenError::unavailable(path, error))?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    check_identity(&connection, path)?;
    configure(&connection).map_err(sql)?;
    create(&connection).map_err(sql)?;
    Ok(connection)
}

/// The settings of the writing connection.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Readers never wait for the writer, and a commit is one sequential write.
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit is on the disk before it is called one: the last second matters most.
    connection.pragma_update(None, "synchronous", "full")?;
    // Damage is noticed when a page is read, not when it has spread.
    connection.pragma_update(None, "cell_size_check", true)?;
    // After a burst (catching up, a long reader) the log shrinks again.
    connection.pragma_update(None, "journal_size_limit", 16 * 1_024 * 1_024)?;
    // The file may hold only what we put there; a planted view or trigger must not run functions.
    connection.pragma_update(None, "trusted_schema", false)?;
    // Sorting for a view stays in memory: nothing of a patient lands in /tmp.
    connection.pragma_update(None, "temp_store", "memory")
}

/// Refuses a database of somebody else and one that is newer than we are; an empty one is fine.
fn check_identity(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let number = |pragma: &str| -> Result<i64, OpenError> {
        connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| OpenError::from_sql(path, &error))
    };
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| OpenError::from_sql(path, &error))?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    let found = number("user_version")?;
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    Ok(found)
}

/// Makes the schema in one transaction; upgrades from older versions will stand here, one step each.
fn create(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()
}

/// Opens a connection that only reads: for restoring from a disk that cannot be written, for `verify`,
/// reports and the display.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Err(error) = std::fs::metadata(path) {
        return Err(OpenError::unavailable(path, error));
    }
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| OpenError::from_sql(path, &error))?;
    let first = prepare_reader(connection, path);
    if !matches!(first, Err(OpenError::Unavailable { .. })) || beside(path, "-wal").exists() {
        return first;
    }
    // A journal in WAL mode on a disk that cannot be written: SQLite cannot make its shared memory there.
    // Without a log beside it the file is complete by itself and may be read as one that never changes.
    match Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI) {
        Ok(connection) => prepare_reader(connection, path),
        Err(_) => first,
    }
}

fn prepare_reader(connection: Connection, path: &Path) -> Result<Connection, OpenError> {
    let sql = |error: rusqlite::Error| OpenError::from_sql(path, &error);
    connection.busy_timeout(BUSY).map_err(sql)?;
    connection
        .pragma_update(None, "cell_size_check", true)
        .map_err(sql)?;
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(sql)?;
    match check_identity(&connection, path)? {
        0 => Err(OpenError::Damaged {
            path: path.to_owned(),
            problem: "it is empty".to_owned(),
        }),
        _ => Ok(connection),
    }
}

/// The file as a URI that promises SQLite that nobody changes it.
fn immutable(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Renames a journal and what belongs to it to `<name>.damaged-<time>` and says to what.
pub(super) fn set_aside(path: &Path, now: WallTime) -> io::Result<PathBuf> {
    let stamp: String = now
        .rfc3339()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let aside = (1_u32..)
        .map(|turn| match turn {
            1 => beside(path, &format!(".damaged-{stamp}")),
            turn => beside(path, &format!(".damaged-{stamp}-{turn}")),
        })
        .find(|name| !name.exists())
        .unwrap_or_else(|| beside(path, ".damaged"));
    // The log goes first: if we die in between, a new journal must not find it. With the same ending SQLite
    // finds it again when somebody looks into the damaged file.
    for suffix in ["-wal", "-shm"] {
        match std::fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// What SQLite says in words, without the statement.
pub(super) fn reason(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(ffi::Error { code, .. }) if *code == ErrorCode::DiskFull => {
            "the disk is full".to_owned()
        }
        Some(ffi::Error { code, .. }) if *code == ErrorCode::ReadOnly => {
            "the file cannot be written".to_owned()
        }
        Some(_) | None => error.to_string(),
    }
}
