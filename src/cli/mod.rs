//! The command line: one thin module per command. Logs to stderr, results to stdout.

pub mod kiosk;
pub mod status;

use std::fmt;
use std::process::ExitCode;

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

/// Supplementary bedside vital-signs monitor for ketamine infusions.
#[derive(clap::Parser, Debug)]
#[command(name = "infusewatch", version, about, long_about = None)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<ExitStatus, Failure> {
        match self.command {}
    }
}
