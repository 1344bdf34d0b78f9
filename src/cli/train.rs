//! `train`: the bed's own configuration with a virtual patient instead of its devices, for practice.
//!
//! Promises: nothing of a training reaches the bed's record, no device of the bed is opened, every board
//! says that it is a training, and it never stands beside a daemon that monitors a patient.

use super::check_config::load;
use super::demo::{announce, devices_runtime};
use super::run::log_to_stderr;
use super::{ExitStatus, Failure};
use crate::configuration::Configuration;
use crate::display::{ADDRESS_FILE, client};
use crate::simulator::demo::{DemoPlan, DemoRequest, Devices};
use crate::supervisor::Daemon;
use std::path::PathBuf;
use tokio::sync::watch;

/// The record of trainings, beside the bed's own.
const TRAINING_JOURNAL: &str = "training.db";

/// `train --config FILE [--port P]`
#[derive(clap::Args, Debug)]
pub(super) struct Train {
    /// The bed's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Another port for the page; 0 picks one.
    #[arg(long, value_name = "P")]
    port: Option<u16>,
}

impl Train {
    /// Starts devices and daemon and stays until it is asked to stop. The trainee is the nurse.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        log_to_stderr();
        let bed = load(&self.config)?;
        refuse_beside_a_daemon(&bed)?;
        let journal = bed.journal.with_file_name(TRAINING_JOURNAL);
        if journal == bed.journal {
            return Err(Failure::new(
                ExitStatus::BadConfig,
                format!(
                    "{} is the bed's own record: give `[journal] path` another name",
                    journal.display()
                ),
            ));
        }
        let plan = DemoPlan::prepare(DemoRequest {
            page_port: 0,
            profile: &bed.profile.text,
            player: "\"none\"",
        })?;
        let virtual_bed = load(&plan.configuration)?;
        let mut configuration = Configuration {
            training: true,
            journal: journal.clone(),
            feeds: virtual_bed.feeds,
            prefer: virtual_bed.prefer,
            ..bed
        };
        if let Some(port) = self.port {
            configuration.display.listen.set_port(port);
        }
        let listen = configuration.display.listen;
        let bedside = devices_runtime()?;
        let devices = bedside.block_on(Devices::prepare(&plan))?;
        let daemon = Daemon::start(configuration, None)?;
        let clock = daemon.clock();
        let (stop, asked) = watch::channel(false);
        bedside.spawn(devices.run(clock, clock.now(), asked));
        announce(&daemon, &journal, listen.port())?;
        daemon.watch_until_stopped()?;
        // The devices may be gone already.
        let _ = stop.send(true);
        bedside.shutdown_timeout(std::time::Duration::from_secs(1));
        // What stands there is made anew for each training.
        let _ = std::fs::remove_dir_all(&plan.directory);
        Ok(ExitStatus::Done)
    }
}

/// A daemon that answers on this runtime directory may be monitoring somebody.
fn refuse_beside_a_daemon(bed: &Configuration) -> Result<(), Failure> {
    let Some(address) = client::address(&bed.display.runtime_dir) else {
        return Ok(());
    };
    match client::get(address, "/healthz") {
        Err(_) => {
            // What the last daemon left is not where this one will be.
            let _ = std::fs::remove_file(bed.display.runtime_dir.join(ADDRESS_FILE));
            Ok(())
        }
        Ok(_) => Err(Failure::new(
            ExitStatus::CannotOpen,
            format!(
                "a daemon runs at {address} (runtime directory {}): no training beside it; stop it first, when no \
                 patient is monitored",
                bed.display.runtime_dir.display()
            ),
        )),
    }
}
