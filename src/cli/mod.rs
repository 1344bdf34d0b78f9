//! The command line: one thin module per command. Logs to stderr, results to stdout.

mod check_config;
mod decode;
mod demo;
mod judge;
pub mod kiosk;
mod listen_in;
mod pin;
mod protocols;
mod report;
mod run;
mod simulate;
pub mod status;
mod train;
mod verify;
mod what_if;

use crate::profile;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The exit codes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done, or asked to stop.
    Done,
    /// A finding: `verify` differs, `status` shows a technical alarm.
    Finding,
    /// `status` found no daemon.
    NoDaemon,
    /// The command line cannot be understood.
    Usage,
    /// Data that cannot be read.
    BadData,
    /// Our own fault.
    Software,
    /// A file or device cannot be opened.
    CannotOpen,
    /// The configuration has problems.
    BadConfig,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0_u8,
            ExitStatus::Finding => 1,
            ExitStatus::NoDaemon => 3,
            ExitStatus::Usage => 64,
            ExitStatus::BadData => 65,
            ExitStatus::Software => 70,
            ExitStatus::CannotOpen => 74,
            ExitStatus::BadConfig => 78,
        })
    }
}

/// Why a command could not be done; the text says what was attempted, on what, and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub status: ExitStatus,
    /// The message.
    pub message: String,
}

impl Failure {
    /// A failure with this code and message.
    pub fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Version and, where it was built from a repository, the commit.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("INFUSEWATCH_COMMIT"));

/// Supplementary bedside vital-signs monitor for ketamine infusions.
#[derive(clap::Parser, Debug)]
#[command(name = "infusewatch", version = VERSION, about, long_about = None)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// One variant per command; each command is a module with its arguments and a `run`.
#[derive(clap::Subcommand, Debug)]
enum Command {
    /// The daemon, in the foreground.
    Run(run::Run),
    /// Everything on one machine, with a virtual patient.
    Demo(demo::Demo),
    /// The bed's own configuration with a virtual patient, for practice.
    Train(train::Train),
    /// List every problem of a configuration, or show what it means.
    CheckConfig(check_config::CheckConfig),
    /// What can be read: protocols, parameters, line settings, evidence.
    Protocols(protocols::Protocols),
    /// Bytes of a device to JSON lines; opens no device.
    Decode(decode::Decode),
    ListenIn(listen_in::ListenIn),
    Simulate(simulate::Simulate),
    /// Shows the display on the attached screen and watches it.
    Kiosk(kiosk::KioskArguments),
    /// Asks the running daemon how it is.
    Status(status::StatusArguments),
    /// Replays a record: prints the first difference and exits 1, or exits 0.
    Verify(verify::Verify),
    /// What another profile would have done in recorded sessions, beside what happened.
    WhatIf(what_if::WhatIf),
    /// The record of one session as a document: flow sheet, CSV, JSON or FHIR.
    Report(report::Report),
    /// From a PIN on stdin to the hash for the configuration.
    Pin(pin::Pin),
    /// The alarm engine alone in simulated time: JSON lines in, its records out.
    Judge(judge::Judge),
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<ExitStatus, Failure> {
        match self.command {
            Command::Run(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Pin(command) => command.run(),
            Command::CheckConfig(command) => command.run(),
            Command::Protocols(command) => command.run(),
            Command::Decode(command) => command.run(),
            Command::ListenIn(command) => command.run(),
            Command::Simulate(command) => command.run(),
            Command::Kiosk(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::WhatIf(command) => command.run(),
            Command::Report(command) => command.run(),
            Command::Judge(command) => command.run(),
        }
    }
}

/// The text of a profile file, once it is known to be sound.
fn profile_text(path: &Path) -> Result<Arc<str>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            ExitStatus::CannotOpen,
            format!("cannot read the profile {}: {error}", path.display()),
        )
    })?;
    match profile::parse(&text) {
        Ok(_) => Ok(text.into()),
        Err(problems) => {
            let mut message = format!(
                "{}: {} problems, nothing judged",
                path.display(),
                problems.len()
            );
            for problem in &problems {
                message.push_str("\n  ");
                message.push_str(&problem.to_string());
            }
            Err(Failure::new(ExitStatus::BadConfig, message))
        }
    }
}

/// A session was asked for that is not in the record.
fn no_session(journal: &Path, session: i64) -> Failure {
    Failure::new(
        ExitStatus::BadData,
        format!(
            "{0} has no session {session}; `sqlite3 {0} 'select * from v_sessions'` lists them",
            journal.display()
        ),
    )
}

/// What became of the results on stdout: a reader that went away (`| head`) is no failure.
fn printed(result: std::io::Result<()>) -> Result<ExitStatus, Failure> {
    match result {
        Ok(()) => Ok(ExitStatus::Done),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitStatus::Done),
        Err(error) => Err(Failure::new(
            ExitStatus::CannotOpen,
            format!("cannot write the results to stdout: {error}"),
        )),
    }
}
