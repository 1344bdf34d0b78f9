//! `run`: the daemon in the foreground.

use super::check_config::load;
use super::{ExitStatus, Failure};
use crate::supervisor::{Daemon, StartError};
use std::io::IsTerminal;
use std::path::PathBuf;

/// `run --config FILE`
#[derive(clap::Args, Debug)]
pub(super) struct Run {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Run {
    /// Starts the daemon and stays until it is asked to stop.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        log_to_stderr();
        let configuration = load(&self.config)?;
        let daemon = Daemon::start(configuration, None)?;
        daemon.watch_until_stopped()?;
        Ok(ExitStatus::Done)
    }
}

/// Log lines go to stderr; `RUST_LOG` chooses, `info` is the default.
pub(super) fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let status = match &error {
            StartError::Journal(_) => ExitStatus::CannotOpen,
            StartError::Machine { .. } => ExitStatus::Software,
        };
        Self::new(status, error.to_string())
    }
}
