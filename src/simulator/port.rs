//! The device's end of the wire: a serial port, a pseudo-terminal, a TCP socket or datagrams.
//!
//! A [`Port`] is where; a [`Socket`] is that place made ready (bound, created); a [`Line`] is one open
//! connection. Opening never gives up: a host that is not there yet is tried again.

use super::pty::Pty;
use crate::protocol::{LineSettings, Parity, StopBits};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_serial::{SerialPortBuilderExt, SerialStream};

/// Between two attempts to open.
const RETRY: Duration = Duration::from_millis(500);
/// How long a host may leave bytes untaken before its connection is given up.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// Where a simulated device is plugged in.
#[derive(Clone, Debug)]
pub enum Port {
    /// A serial device, with its line settings.
    Serial {
        /// The device.
        path: PathBuf,
        /// Speed, parity and handshake.
        line: LineSettings,
    },
    /// A pseudo-terminal that is made and linked here.
    Pty(PathBuf),
    /// Waits for the host on this TCP address; a new connection takes the place of the old.
    Listen(String),
    /// Connects to the host at this TCP address.
    Connect(String),
    /// Sends datagrams to the host at this address.
    Udp(String),
    /// Waits at this address for datagrams of a host that asks, and answers whoever asked last.
    UdpAsked(String),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial { path, .. } | Self::Pty(path) => write!(f, "{}", path.display()),
            Self::Listen(address)
            | Self::Connect(address)
            | Self::Udp(address)
            | Self::UdpAsked(address) => f.write_str(address),
        }
    }
}

/// A port that cannot be made ready.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {port}: {error}")]
pub struct PortError {
    /// Which.
    pub port: String,
    /// Why.
    #[source]
    pub error: io::Error,
}

/// A connection that is being opened.
pub(super) type Opening = Pin<Box<dyn Future<Output = Line> + Send>>;

/// A port made ready.
pub struct Socket {
    ready: Ready,
    /// Made while trying whether it can be: the first to be used.
    first: Option<Line>,
}

enum Ready {
    Serial { path: PathBuf, line: LineSettings },
    Pty(PathBuf),
    Listen(Arc<TcpListener>),
    Connect(String),
    Udp(String),
    UdpAsked(SocketAddr),
}

impl Socket {
    /// Binds, creates or opens the port once, so that a place that cannot work is told at the start.
    /// A host that does not answer yet is no error. Needs a tokio runtime.
    pub async fn prepare(port: &Port) -> Result<Self, PortError> {
        Self::attempt(port).await.map_err(|error| PortError {
            port: port.to_string(),
            error,
        })
    }

    async fn attempt(port: &Port) -> io::Result<Self> {
        let (ready, first) = match port {
            Port::Serial { path, line } => (
                Ready::Serial {
                    path: path.clone(),
                    line: *line,
                },
                Some(serial(path, *line)?),
            ),
            Port::Pty(link) => (
                Ready::Pty(link.clone()),
                Some(Line::Pty(Pty::create(link)?)),
            ),
            Port::Listen(address) => (
                Ready::Listen(Arc::new(TcpListener::bind(address).await?)),
                None,
            ),
            Port::Connect(address) => {
                let _resolves = tokio::net::lookup_host(address).await?;
                (Ready::Connect(address.clone()), None)
            }
            Port::Udp(address) => (Ready::Udp(address.clone()), Some(datagrams(address).await?)),
            Port::UdpAsked(address) => {
                let socket = UdpSocket::bind(address).await?;
                let bound = socket.local_addr()?;
                (Ready::UdpAsked(bound), Some(Line::asked(socket)))
            }
        };
        Ok(Self { ready, first })
    }

    /// Where the host finds the device, or where the device looks for the host.
    pub fn address(&self) -> String {
        match &self.ready {
            Ready::Serial { path, .. } | Ready::Pty(path) => path.display().to_string(),
            Ready::Listen(listener) => listener
                .local_addr()
                .map_or_else(|_| "?".to_owned(), |address| address.to_string()),
            Ready::Connect(address) | Ready::Udp(address) => address.clone(),
            Ready::UdpAsked(address) => address.to_string(),
        }
    }

    /// Whether a new connection may come while one is open.
    pub(super) const fn replaces(&self) -> bool {
        match self.ready {
            Ready::Listen(_) => true,
            Ready::Serial { .. }
            | Ready::Pty(_)
            | Ready::Connect(_)
            | Ready::Udp(_)
            | Ready::UdpAsked(_) => false,
        }
    }

    /// Whether the device is reachable before a host has come.
    pub(super) const fn is_ready_alone(&self) -> bool {
        !matches!(self.ready, Ready::Connect(_))
    }

    /// Closes what was made before it could be used.
    pub(super) fn unplug(&mut self) {
        self.first = None;
    }

    /// Opens the next connection; tries for ever.
    pub(super) fn open(&mut self) -> Opening {
        if let Some(line) = self.first.take() {
            return Box::pin(async { line });
        }
        match &self.ready {
            Ready::Serial { path, line } => {
                let (path, line) = (path.clone(), *line);
                persist(move || {
                    let opened = serial(&path, line);
                    async { opened }
                })
            }
            Ready::Pty(link) => {
                let link = link.clone();
                persist(move || {
                    let made = Pty::create(&link).map(Line::Pty);
                    async { made }
                })
            }
            Ready::Listen(listener) => {
                let listener = Arc::clone(listener);
                persist(move || {
                    let listener = Arc::clone(&listener);
                    async move { listener.accept().await.map(|(stream, _)| Line::Tcp(stream)) }
                })
            }
            Ready::Connect(address) => {
                let address = address.clone();
                persist(move || {
                    let address = address.clone();
                    async move { TcpStream::connect(address).await.map(Line::Tcp) }
                })
            }
            Ready::Udp(address) => {
                let address = address.clone();
                persist(move || {
                    let address = address.clone();
                    async move { datagrams(&address).await }
                })
            }
            Ready::UdpAsked(address) => {
                let address = *address;
                persist(move || async move { UdpSocket::bind(address).await.map(Line::asked) })
            }
        }
    }
}

/// Tries until it works.
fn persist<F, T>(mut attempt: F) -> Opening
where
    F: FnMut() -> T + Send + 'static,
    T: Future<Output = io::Result<Line>> + Send,
{
    Box::pin(async move {
        loop {
            match attempt().await {
                Ok(line) => return line,
                Err(error) => {
                    tracing::debug!(%error, "link not open yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    })
}

fn serial(path: &std::path::Path, line: LineSettings) -> io::Result<Line> {
    let stream = tokio_serial::new(path.to_string_lossy(), line.baud)
        .parity(match line.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(match line.stop_bits {
            StopBits::One => tokio_serial::StopBits::One,
            StopBits::Two => tokio_serial::StopBits::Two,
        })
        .flow_control(if line.rts_cts {
            tokio_serial::FlowControl::Hardware
        } else {
            tokio_serial::FlowControl::None
        })
        .open_native_async()?;
    Ok(Line::Serial(stream))
}

/// A datagram socket of the same family that talks to `address`.
async fn datagrams(address: &str) -> io::Result<Line> {
    let host = tokio::net::lookup_host(address)
        .await?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such address"))?;
    let own = if host.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(host).await?;
    Ok(Line::Udp(socket))
}

/// One open connection.
pub(super) enum Line {
    Pty(Pty),
    Serial(SerialStream),
    Tcp(TcpStream),
    Udp(UdpSocket),
    UdpAsked {
        socket: UdpSocket,
        host: Option<SocketAddr>,
    },
}

impl Line {
    /// A datagram port at which nobody has asked yet.
    const fn asked(socket: UdpSocket) -> Self {
        Self::UdpAsked { socket, host: None }
    }

    /// Waits for bytes from the host; an error when the connection is over.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match self {
            Self::Pty(pty) => pty.receive(buffer).await?,
            Self::Serial(stream) => stream.read(buffer).await?,
            Self::Tcp(stream) => stream.read(buffer).await?,
            Self::Udp(socket) => return unanswered(socket.recv(buffer).await),
            Self::UdpAsked { socket, host } => {
                let (length, sender) = socket.recv_from(buffer).await?;
                *host = Some(sender);
                return Ok(length);
            }
        };
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length)
    }

    /// One write, or one datagram.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let write = async {
            match self {
                Self::Pty(pty) => pty.send(bytes),
                Self::Serial(stream) => stream.write_all(bytes).await,
                Self::Tcp(stream) => stream.write_all(bytes).await,
                Self::Udp(socket) => unanswered(socket.send(bytes).await).map(|_| ()),
                Self::UdpAsked { socket, host } => match host {
                    Some(host) => unanswered(socket.send_to(bytes, *host).await).map(|_| ()),
                    None => Ok(()),
                },
            }
        };
        match tokio::time::timeout(WRITE_TIME, write).await {
            Ok(done) => done,
            Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// A datagram to a host that is not there yet is no reason to stop: nothing was received or sent.
fn unanswered(done: io::Result<usize>) -> io::Result<usize> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(0),
        other => other,
    }
}
