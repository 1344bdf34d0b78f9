//! `listen-in`: what an unknown device speaks, found out without sending a byte.

use super::{ExitStatus, Failure, printed};
use crate::configuration::Transport;
use crate::feed::overhear;
use crate::protocol::{
    Candidate, LineSettings, Parity, REGISTRY, SpeaksFirst, StopBits, recognise,
};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Line settings that many devices have, in the order in which they are tried (dossier `serial.md`).
const ORDINARY: [(u32, Parity); 4] = [
    (9_600, Parity::None),
    (19_200, Parity::Even),
    (19_200, Parity::Odd),
    (115_200, Parity::None),
];
/// Bytes that are kept of one attempt.
const MOST: usize = 1 << 20;

/// Finds out what an unknown device speaks, without sending a byte.
///
/// A serial port is listened to at the usual line settings in turn. Prints what was recognised and a
/// feed for the configuration. Exits 1 when nothing was.
#[derive(clap::Args, Debug)]
pub(super) struct ListenIn {
    /// A serial port (`/dev/ttyUSB0`) or a serial server (`192.168.7.30:4001`).
    place: String,
    /// Wait at this address of ours for a sender instead.
    #[arg(long, conflicts_with = "udp")]
    listen: bool,
    /// Wait at this address of ours for datagrams instead.
    #[arg(long)]
    udp: bool,
    /// Seconds to listen: at each line setting (default 3), or in all for a network address (default 10).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Write what was heard to this file, for support; with several line settings one file each.
    #[arg(long)]
    capture: Option<PathBuf>,
}

/// One way of listening, and what came of it.
struct Attempt {
    /// The key of the configuration, and what it says there beside the place.
    key: &'static str,
    line: Option<LineSettings>,
    transport: Transport,
    heard: Vec<u8>,
    candidates: Vec<Candidate>,
}

impl ListenIn {
    /// Listens, and says what was heard.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let mut attempts = self.attempts()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(ExitStatus::Software, format!("cannot listen: {error}"))
            })?;
        let mut out = std::io::stdout().lock();
        for attempt in &mut attempts {
            let usual = if attempt.line.is_some() { 3 } else { 10 };
            let span = Duration::from_secs(self.seconds.unwrap_or(usual));
            attempt.heard = runtime
                .block_on(overhear(&attempt.transport, span, MOST))
                .map_err(|error| {
                    let message = format!("cannot listen to {}: {error}", self.place);
                    Failure::new(ExitStatus::CannotOpen, message)
                })?;
            attempt.candidates = recognise(&attempt.heard);
            printed(writeln!(out, "{}", attempt.account()))?;
            if attempt.recognised().is_some() {
                break;
            }
        }
        self.keep(&attempts)?;
        let found = attempts
            .iter()
            .find_map(|attempt| Some((attempt, attempt.recognised()?)));
        match found {
            Some((attempt, candidate)) => {
                printed(write!(out, "\n{}", attempt.feed(&self.place, candidate)))?;
                Ok(ExitStatus::Done)
            }
            None => {
                let silent = attempts.iter().all(|attempt| attempt.heard.is_empty());
                printed(writeln!(out, "\n{}", advice(silent)))?;
                Ok(ExitStatus::Finding)
            }
        }
    }

    /// The ways in which this place can be listened to.
    fn attempts(&self) -> Result<Vec<Attempt>, Failure> {
        let attempt = |key, line, transport| Attempt {
            key,
            line,
            transport,
            heard: Vec::new(),
            candidates: Vec::new(),
        };
        if self.listen || self.udp {
            let address: SocketAddr = self.place.parse().map_err(|_| {
                let message = format!(
                    "{:?} is not an address of ours with a port, as in 192.168.7.1:2575",
                    self.place
                );
                Failure::new(ExitStatus::Usage, message)
            })?;
            let allow = Vec::new();
            return Ok(vec![if self.udp {
                let transport = Transport::Udp {
                    address,
                    peer: None,
                    allow,
                };
                attempt("udp", None, transport)
            } else {
                let transport = Transport::Listen {
                    address,
                    allow,
                    tls: None,
                };
                attempt("listen", None, transport)
            }]);
        }
        if !self.place.starts_with('/') {
            if !self.place.contains(':') {
                let message = format!(
                    "{:?} is neither a serial port (/dev/…) nor a network address (host:port)",
                    self.place
                );
                return Err(Failure::new(ExitStatus::Usage, message));
            }
            let address = self.place.clone();
            return Ok(vec![attempt(
                "connect",
                None,
                Transport::Connect { address, tls: None },
            )]);
        }
        let settings = lines().into_iter().map(|line| {
            let device = PathBuf::from(&self.place);
            attempt("serial", Some(line), Transport::Serial { device, line })
        });
        Ok(settings.collect())
    }

    /// Writes what was heard, of the attempt that was recognised or of all.
    fn keep(&self, attempts: &[Attempt]) -> Result<(), Failure> {
        let Some(file) = &self.capture else {
            return Ok(());
        };
        let recognised = attempts
            .iter()
            .find(|attempt| attempt.recognised().is_some());
        let named = |attempt: &Attempt| match attempt.line {
            Some(line) if recognised.is_none() => {
                let mut name = file.as_os_str().to_owned();
                name.push(format!(".{}", label(line).replace(' ', "-")));
                PathBuf::from(name)
            }
            Some(_) | None => file.clone(),
        };
        let kept: Vec<_> = match recognised {
            Some(attempt) => vec![attempt],
            None => attempts
                .iter()
                .filter(|attempt| !attempt.heard.is_empty())
                .collect(),
        };
        for attempt in kept {
            let path = named(attempt);
            write(&path, &attempt.heard)?;
            tracing::info!(file = %path.display(), bytes = attempt.heard.len(), "capture written");
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| {
        let message = format!("cannot write the capture {}: {error}", path.display());
        Failure::new(ExitStatus::CannotOpen, message)
    })
}

impl Attempt {
    fn recognised(&self) -> Option<&Candidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.is_convincing())
    }

    /// One line about what was heard.
    fn account(&self) -> String {
        let mut text = self
            .line
            .map_or_else(String::new, |line| format!("{}: ", label(line)));
        if self.heard.is_empty() {
            text.push_str("silence");
            return text;
        }
        let _infallible = write!(text, "{} bytes", self.heard.len());
        for candidate in self.candidates.iter().take(3) {
            let _infallible = write!(
                text,
                "; {}: {} good frames, {} bytes thrown away",
                candidate.protocol.name,
                candidate.summary.frames,
                candidate.summary.discarded_bytes
            );
        }
        if self.candidates.is_empty() {
            text.push_str("; no protocol reads them");
        }
        text
    }

    /// The feed for the configuration.
    fn feed(&self, place: &str, candidate: &Candidate) -> String {
        let protocol = candidate.protocol;
        let mut text = format!(
            "# {}\n[[feed]]\nname = \"device\"\nprotocol = \"{}\"\n{} = \"{place}\"\n",
            protocol.title, protocol.name, self.key
        );
        if let Some(line) = self.line {
            let own = protocol.line;
            if own.is_none_or(|own| own.baud != line.baud) {
                let _infallible = writeln!(text, "baud = {}", line.baud);
            }
            if own.is_none_or(|own| own.parity != line.parity) {
                let _infallible = writeln!(text, "parity = \"{}\"", parity(line.parity));
            }
        }
        text
    }
}

/// The line settings to try: the usual ones, then what else a protocol has. A handshake is never needed for
/// listening.
fn lines() -> Vec<LineSettings> {
    let own = REGISTRY.iter().filter_map(|protocol| protocol.line);
    let mut settings: Vec<(u32, Parity)> = ORDINARY.to_vec();
    for line in own {
        if !settings.contains(&(line.baud, line.parity)) {
            settings.push((line.baud, line.parity));
        }
    }
    let line = |(baud, parity)| LineSettings {
        baud,
        parity,
        stop_bits: StopBits::One,
        rts_cts: false,
    };
    settings.into_iter().map(line).collect()
}

const fn parity(parity: Parity) -> &'static str {
    match parity {
        Parity::None => "none",
        Parity::Even => "even",
        Parity::Odd => "odd",
    }
}

fn label(line: LineSettings) -> String {
    let letter = match line.parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    format!("{} 8{letter}1", line.baud)
}

/// What to do when nothing was recognised.
fn advice(silent: bool) -> String {
    if !silent {
        return "Bytes came and no protocol of ours reads them. Keep a capture (--capture FILE) and send it to us; \
                protocol = \"raw\" records such a device without reading it."
            .to_owned();
    }
    let asked: Vec<_> = REGISTRY
        .iter()
        .filter(|protocol| protocol.speaks_first == SpeaksFirst::Host)
        .map(|protocol| protocol.name)
        .collect();
    format!(
        "Nothing was said. Check cable and the device's serial menu (docs/feeds.md). Devices of these protocols speak \
         only when they are asked: {}. Configure the one that your device is; nothing is tried here.",
        asked.join(", ")
    )
}
