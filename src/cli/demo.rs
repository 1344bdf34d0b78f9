//! `demo`: everything on one machine, with a virtual patient who speaks real protocols.

use super::check_config::load;
use super::run::log_to_stderr;
use super::{ExitStatus, Failure};
use crate::profile;
use crate::simulator::Nurse;
use crate::simulator::demo::{DemoError, DemoPlan, DemoRequest, Devices, follow_script};
use crate::supervisor::Daemon;
use std::io::Write;
use std::path::Path;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// `demo [--speed N] [--port P]`
#[derive(clap::Args, Debug)]
pub(super) struct Demo {
    /// How many times faster than life the patient and the daemon's clock run.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
    /// The port of the page; 0 picks one.
    #[arg(long, value_name = "P", default_value_t = 8300)]
    port: u16,
    /// The player as TOML: `"none"` or a list of words. Default: `aplay`.
    #[arg(long, value_name = "TOML")]
    player: Option<String>,
}

/// The shipped player (contract, "Configuration").
const PLAYER: &str = r#"["aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", "48000", "-c", "1", "--buffer-time=100000", "-"]"#;

impl Demo {
    /// Starts devices and daemon, prints where they are, and stays until it is asked to stop.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        log_to_stderr();
        let plan = DemoPlan::prepare(DemoRequest {
            page_port: self.port,
            profile: profile::SHIPPED,
            player: self.player.as_deref().unwrap_or(PLAYER),
        })?;
        let bedside = devices_runtime()?;
        let devices = bedside.block_on(Devices::prepare(&plan))?;
        let configuration = load(&plan.configuration)?;
        let daemon = Daemon::start(configuration, Some(self.speed))?;
        let clock = daemon.clock();
        let started = clock.now();
        let (stop, asked) = watch::channel(false);
        bedside.spawn(devices.run(clock, started, asked.clone()));
        let address = announce(&daemon, &plan.journal, self.port)?;
        let token = daemon.token().reveal().to_owned();
        bedside.spawn(async move {
            follow_script(&Nurse::new(address, token), clock, started, asked).await;
        });
        daemon.watch_until_stopped()?;
        // The devices may be gone already.
        let _ = stop.send(true);
        bedside.shutdown_timeout(std::time::Duration::from_secs(1));
        Ok(ExitStatus::Done)
    }
}

/// The threads on which virtual devices live.
pub(super) fn devices_runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("bedside")
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                ExitStatus::Software,
                format!("cannot start the devices: {error}"),
            )
        })
}

/// Prints where the page and the record are, and says where the page is.
pub(super) fn announce(daemon: &Daemon, journal: &Path, port: u16) -> Result<String, Failure> {
    let address = daemon.wait_for_address().ok_or_else(|| {
        Failure::new(
            ExitStatus::CannotOpen,
            format!("cannot serve the page on port {port}; choose another with --port"),
        )
    })?;
    let token = daemon.token().reveal();
    let lines = format!(
        "page http://{address}/#token={token}\ntoken {token}\njournal {}\n",
        journal.display()
    );
    std::io::stdout()
        .write_all(lines.as_bytes())
        .and_then(|()| std::io::stdout().flush())
        .map_err(|error| {
            Failure::new(
                ExitStatus::Software,
                format!("cannot write to stdout: {error}"),
            )
        })?;
    Ok(address)
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::new(ExitStatus::CannotOpen, error.to_string())
    }
}
