//! `check-config`: the start without the start. The same code reads and checks the file; nothing is
//! opened.

use super::{ExitStatus, Failure};
use crate::configuration::{self, Configuration, Content, Transport, span_text};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What to check.
#[derive(clap::Args, Debug)]
pub struct CheckConfig {
    /// The configuration file.
    file: PathBuf,
}

impl CheckConfig {
    /// Checks the file: problems and warnings to stderr; without a problem the feeds and the effective
    /// limits to stdout.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let configuration = load(&self.file)?;
        print(&configuration, &mut io::stdout().lock()).map_err(|error| {
            Failure::new(
                ExitStatus::CannotOpen,
                format!("cannot write to stdout: {error}"),
            )
        })?;
        Ok(ExitStatus::Done)
    }
}

/// Reads the configuration and complains on stderr; the start-up path of every command that needs it.
pub(super) fn load(file: &Path) -> Result<Configuration, Failure> {
    let configuration = configuration::load(file).map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        let count = match problems.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        Failure::new(
            ExitStatus::BadConfig,
            format!("{}: {count}, monitoring cannot start", file.display()),
        )
    })?;
    for warning in &configuration.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(configuration)
}

fn print(configuration: &Configuration, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "bed      {}", configuration.bed)?;
    writeln!(out, "journal  {}", configuration.journal.display())?;
    let attached = if configuration.display.attached {
        "attached display watched"
    } else {
        "no attached display"
    };
    writeln!(
        out,
        "page     http://{}/, {attached}",
        configuration.display.listen
    )?;
    let access = &configuration.access;
    if !access.staff.is_empty() {
        let needs = match access.required.as_slice() {
            [] => "nothing needs a log-in".to_owned(),
            required => format!("a log-in for {}", required.join(", ")),
        };
        writeln!(
            out,
            "staff    {} people, {needs}, logged off after {}",
            access.staff.len(),
            span_text(access.auto_log_off)
        )?;
    }
    match &configuration.player {
        Some(words) => writeln!(out, "sound    {}", words.join(" "))?,
        None => writeln!(out, "sound    none: a technical alarm will say so")?,
    }
    writeln!(out, "profile  {}", configuration.profile.file.display())?;
    for feed in &configuration.feeds {
        let from = from(&feed.transport);
        match &feed.content {
            Content::Monitored(monitored) => writeln!(
                out,
                "feed     {}: {} from {from}, silent for at most {}",
                feed.name,
                monitored.protocol.name,
                span_text(monitored.silence),
            )?,
            Content::Recorded => {
                writeln!(out, "feed     {}: recorded only, from {from}", feed.name)?
            }
        }
    }
    writeln!(out)?;
    for line in &configuration.profile.limits {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

fn from(transport: &Transport) -> String {
    match transport {
        Transport::Serial { device, line } => {
            format!("{} at {} baud", device.display(), line.baud)
        }
        Transport::Listen { address, .. } => format!("tcp port {address}"),
        Transport::Connect { address } => format!("tcp peer {address}"),
        Transport::Udp {
            address,
            peer: None,
            ..
        } => format!("udp port {address}"),
        Transport::Udp {
            address,
            peer: Some(peer),
            ..
        } => format!("udp port {address} with {peer}"),
        Transport::File { path, .. } => format!("the capture {}", path.display()),
    }
}
