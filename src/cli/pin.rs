//! `pin`: from a PIN on stdin to the hash for `[[access.staff]]`.
//!
//! The PIN is neither an argument (other users see those) nor echoed nor kept.

use super::{ExitStatus, Failure, printed};
use crate::configuration::PinHash;
use crate::display::random_hex;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::io::{self, BufRead, Read, Write};

/// The longest line that is read, bytes.
const LONGEST: u64 = 1024;

/// `pin`
#[derive(clap::Args, Debug)]
pub(super) struct Pin {}

impl Pin {
    /// Reads a PIN, twice from a terminal, and prints its hash.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let bad = |what: String| Failure::new(ExitStatus::BadData, what);
        let pin = read_pin().map_err(|error| bad(format!("cannot read a PIN: {error}")))?;
        let salt = random_hex::<16>().map_err(|error| {
            Failure::new(
                ExitStatus::Software,
                format!("the kernel gives no randomness: {error}"),
            )
        })?;
        let hash = PinHash::of(&pin, salt.as_bytes()).map_err(bad)?;
        printed(writeln!(io::stdout(), "{}", hash.reveal()))
    }
}

fn read_pin() -> io::Result<String> {
    let stdin = io::stdin();
    if !isatty(&stdin) {
        return read_line();
    }
    let _silence = Silence::of_stdin()?;
    let pin = ask("PIN: ")?;
    if ask("PIN again: ")? == pin {
        Ok(pin)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the two differ; run the command again",
        ))
    }
}

fn ask(prompt: &str) -> io::Result<String> {
    let mut out = io::stderr();
    write!(out, "{prompt}")?;
    out.flush()?;
    let line = read_line();
    writeln!(out)?;
    line
}

/// One line without its end.
fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn of_stdin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing anyway.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
