//! The configuration file: read, checked as a whole, and only then used.
//!
//! Promises: every mistake is listed with its line and key, never only the first; unknown keys are
//! refused; nothing is clamped or guessed; no device, port or journal is opened or even touched (the
//! profile, certificates and the file itself are read, and paths are looked up). `check-config` is this code without
//! the start that follows. A [`Configuration`] exists only when there is no problem left.

mod access;
mod check;
mod check_feed;
mod check_strays;
mod check_tls;
mod check_transport;
mod claims;
mod feed;
mod problem;
mod raw;
mod span;
mod tls;
mod tree;

pub use access::{Access, PIN_LENGTH, PinHash, Staff};
pub use feed::{Content, Feed, Monitored, Ours, Pace, Transport, timing_file};
pub use problem::Problem;
pub use span::{parse_span, span_text};
pub use tls::{TlsClient, TlsServer};

use crate::engine::{FeedId, FeedSetup, Setup};
use crate::profile;
use crate::protocol::{Protocol, REGISTRY};
use crate::vocabulary::Parameter;
use problem::Findings;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The bed's name.
    pub bed: Arc<str>,
    /// The journal's database file.
    pub journal: PathBuf,
    /// The page.
    pub display: Display,
    /// Who may log in, and what needs it.
    pub access: Access,
    /// Whether this is a training with a virtual patient: never by the file, only by `train`.
    pub training: bool,
    /// The player's command line; `None`: no sound, which a technical alarm says.
    pub player: Option<Vec<String>>,
    /// The limits.
    pub profile: ProfileFile,
    /// The feeds in the order of the file, those that the engine knows first: the place of a
    /// monitored feed is its [`FeedId`].
    pub feeds: Vec<Feed>,
    /// Feeds by preference, per parameter.
    pub prefer: BTreeMap<Parameter, Vec<FeedId>>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

/// The page's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// Where the page is served: a loopback address; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where token and address are written.
    pub runtime_dir: PathBuf,
    /// Whether a display is attached whose beat is watched.
    pub attached: bool,
}

/// The profile as it was read at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFile {
    /// The file.
    pub file: PathBuf,
    /// Its whole text, which `open-session` carries to the engine.
    pub text: Arc<str>,
    /// The effective limits, a line each, for people.
    pub limits: Vec<String>,
}

impl Configuration {
    /// What the engine must know of profile and feeds.
    pub fn setup(&self) -> Setup {
        Setup {
            profile: Arc::clone(&self.profile.text),
            feeds: self
                .feeds
                .iter()
                .filter_map(|feed| match &feed.content {
                    Content::Monitored(monitored) => Some(FeedSetup {
                        name: Arc::clone(&feed.name),
                        protocol: monitored.protocol.name.into(),
                        silence: monitored.silence,
                        cadence: monitored.protocol.cadence,
                        parameters: monitored.protocol.parameters.to_vec(),
                        ours: monitored.ours.as_identity(),
                    }),
                    Content::Recorded => None,
                })
                .collect(),
            prefer: self.prefer.clone(),
        }
    }
}

/// A mistake in a profile's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileMistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

/// Reads a profile's text: its effective limits, a line each, or every mistake in it.
pub type ReadProfile = fn(&str) -> Result<Vec<String>, Vec<ProfileMistake>>;

/// What the check measures a configuration against.
#[derive(Clone)]
pub struct Catalogue {
    /// The protocols that work.
    pub protocols: &'static [Protocol],
    /// The reader of profiles.
    pub read_profile: ReadProfile,
    /// The runtime directory that the service manager gave, if any.
    pub runtime_dir: Option<PathBuf>,
}

/// The effective limits of a profile's text, a line each, or every mistake in it.
fn read_profile(text: &str) -> Result<Vec<String>, Vec<ProfileMistake>> {
    match profile::parse(text) {
        Ok(profile) => Ok(profile.effective_limits()),
        Err(problems) => Err(problems
            .into_iter()
            .map(|profile::Problem { line, key, what }| ProfileMistake { line, key, what })
            .collect()),
    }
}

/// Reads and checks the file against what this program can do. Every problem is listed. The runtime
/// directory is the first of `$RUNTIME_DIRECTORY`, if that is set.
pub fn load(path: &Path) -> Result<Configuration, Vec<Problem>> {
    let runtime_dir = std::env::var_os("RUNTIME_DIRECTORY")
        .and_then(|list| std::env::split_paths(&list).next())
        .filter(|first| !first.as_os_str().is_empty());
    let catalogue = Catalogue {
        protocols: REGISTRY,
        read_profile,
        runtime_dir,
    };
    load_with(path, &catalogue)
}

/// Larger files are not what they are taken for.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The whole text of a configuration or a profile.
fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// The whole of a file that belongs to the configuration.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)?
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST_FILE) {
        Ok(bytes)
    } else {
        Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "larger than 1 MiB: is this the right file?",
        ))
    }
}

/// [`load`] against another catalogue.
pub fn load_with(path: &Path, catalogue: &Catalogue) -> Result<Configuration, Vec<Problem>> {
    let mut findings = Findings::new(path.to_path_buf());
    let checked = match read_text(path) {
        Ok(text) => check::check(path, &text, catalogue, &mut findings),
        Err(error) => {
            findings.wrong_file(format!("cannot be read: {error}"));
            None
        }
    };
    let (problems, warnings) = findings.into_lists();
    match checked {
        Some(configuration) if problems.is_empty() => Ok(Configuration {
            warnings,
            ..configuration
        }),
        Some(_) | None => Err(problems),
    }
}
