//! `simulate`: the device side of a protocol, for tests, training and bench work.

use super::{ExitStatus, Failure};
use crate::clock::Clock;
use crate::observation::Identity;
use crate::protocol::{
    self, DeviceOptions, LineSettings, Parity, Protocol, REGISTRY, SpeaksFirst, StopBits,
};
use crate::simulator::{CableScript, Fitted, Link, Monitor, NAMED, Port, Scenario, Socket};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// The largest scenario file that is read.
const LARGEST_FILE: u64 = 64 * 1_024 * 1_024;
/// For a protocol without a serial line of its own that is put on one all the same.
const ORDINARY_LINE: LineSettings = LineSettings {
    baud: 9_600,
    parity: Parity::None,
    stop_bits: StopBits::One,
    rts_cts: false,
};

/// Speaks the device side of a protocol: a virtual patient or a table of numbers.
///
/// Prints `ready ADDRESS` on stdout when the device can be reached, then runs until stopped.
#[derive(clap::Args, Debug)]
pub struct Simulate {
    /// The protocol; `infusewatch protocols` lists them.
    #[arg(long, value_name = "P")]
    protocol: String,
    #[command(flatten)]
    place: Place,
    /// A named scenario, or a CSV file with a t_s column and parameter names as the other headers.
    #[arg(long, value_name = "S", default_value = "stable")]
    scenario: String,
    /// How many times faster than real time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    speed: u32,
    /// A setting of the simulated device; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    device_option: Vec<(String, String)>,
}

/// Where the device is plugged in: exactly one.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Place {
    /// Opens this serial device.
    #[arg(long, value_name = "PATH")]
    serial: Option<PathBuf>,
    /// Makes a pseudo-terminal and links it here.
    #[arg(long, value_name = "LINK")]
    pty: Option<PathBuf>,
    /// Waits for the host on this TCP address.
    #[arg(long, value_name = "A")]
    listen: Option<String>,
    /// Connects to the host at this TCP address.
    #[arg(long, value_name = "A")]
    connect: Option<String>,
    /// Sends datagrams to the host at this address; a device that speaks when asked waits at it.
    #[arg(long, value_name = "A")]
    udp: Option<String>,
}

impl Place {
    fn port(self, protocol: &Protocol) -> Option<Port> {
        let line = protocol.line.unwrap_or(ORDINARY_LINE);
        self.serial
            .map(|path| Port::Serial { path, line })
            .or(self.pty.map(Port::Pty))
            .or(self.listen.map(Port::Listen))
            .or(self.connect.map(Port::Connect))
            .or(self.udp.map(match protocol.speaks_first {
                SpeaksFirst::Host => Port::UdpAsked,
                SpeaksFirst::Device => Port::Udp,
            }))
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected KEY=VALUE".to_owned())
}

impl Simulate {
    /// Runs until SIGTERM or SIGINT.
    pub fn run(self) -> Result<ExitStatus, Failure> {
        let protocol = protocol::find(&self.protocol).ok_or_else(|| {
            let known: Vec<_> = REGISTRY.iter().map(|protocol| protocol.name).collect();
            let message = format!(
                "unknown protocol {:?}; known are: {}",
                self.protocol,
                known.join(", ")
            );
            Failure::new(ExitStatus::Usage, message)
        })?;
        let scenario = Arc::new(scenario(&self.scenario)?);
        let port = self
            .place
            .port(protocol)
            .ok_or_else(|| Failure::new(ExitStatus::Usage, "say where: --serial, --pty, …"))?;
        let options = DeviceOptions {
            options: self.device_option.into_iter().collect(),
            identity: Identity {
                bed: Some("SIM^^CHAIR1".into()),
                device: Some("SIMULATOR".into()),
                patient: Some("SIM-1".into()),
            },
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    ExitStatus::Software,
                    format!("cannot start the simulator: {error}"),
                )
            })?;
        runtime.block_on(async {
            let socket = Socket::prepare(&port)
                .await
                .map_err(|error| Failure::new(ExitStatus::CannotOpen, error.to_string()))?;
            let stop = stop_signals().map_err(|error| {
                Failure::new(
                    ExitStatus::Software,
                    format!("cannot listen for signals: {error}"),
                )
            })?;
            let clock = Clock::sped_up(self.speed);
            let started = clock.now();
            let monitor = Monitor::new(scenario, Fitted::of(protocol), started.wall);
            let device = (protocol.device)(&options);
            let link = Link::new(device, monitor, CableScript::Follow, clock, started);
            link.run(socket, announce, stop).await;
            Ok(ExitStatus::Done)
        })
    }
}

/// Tells whoever started us that the device is there; nobody may be listening.
fn announce(address: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "ready {address}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody reads our standard output");
    }
}

/// Done at the first SIGTERM or SIGINT.
fn stop_signals() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A named scenario, or the one in a file.
fn scenario(name: &str) -> Result<Scenario, Failure> {
    if let Some(scenario) = Scenario::named(name) {
        return Ok(scenario);
    }
    let path = Path::new(name);
    if !path.exists() {
        let known: Vec<_> = NAMED.iter().map(|named| named.name).collect();
        return Err(Failure::new(
            ExitStatus::Usage,
            format!(
                "{name:?} is neither a scenario nor a file; scenarios are: {}",
                known.join(", ")
            ),
        ));
    }
    let text = read(path).map_err(|error| {
        Failure::new(
            ExitStatus::CannotOpen,
            format!("cannot read {name}: {error}"),
        )
    })?;
    Scenario::table(&text).map_err(|problems| {
        let lines: Vec<_> = problems
            .iter()
            .map(|problem| format!("{name}: {problem}"))
            .collect();
        Failure::new(ExitStatus::BadData, lines.join("\n"))
    })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > LARGEST_FILE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {LARGEST_FILE} bytes"),
        ));
    }
    fs::read(path)
}
