//! TCP: senders that connect to us, and devices or serial servers that we connect to, with TLS where it
//! is configured.
//!
//! Keepalive finds a dead peer within about a minute, so that its connection is freed; that a monitor
//! is silent is found earlier, by the age of its data.

use super::tls::{self, Handshakes, Shaken};
use crate::configuration::{TlsClient, TlsServer};
use crate::feed::link::{Accepted, Listener, Opened, Opener, Opening, Stream};
use rustix::net::sockopt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Silence after which a peer is asked whether it is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// Pause between two questions.
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(10);
/// Questions without an answer after which the connection is closed.
const KEEPALIVE_QUESTIONS: u32 = 3;

/// Small acknowledgements go out at once; a dead peer is noticed.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = stream.as_fd();
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, KEEPALIVE_AFTER)?;
    sockopt::set_tcp_keepintvl(socket, KEEPALIVE_PAUSE)?;
    sockopt::set_tcp_keepcnt(socket, KEEPALIVE_QUESTIONS)?;
    Ok(())
}

/// Whether a sender may speak to us. An IPv4 address that arrives through an IPv6 socket is the same.
pub(super) fn is_allowed(allow: &[IpAddr], peer: IpAddr) -> bool {
    allow.is_empty()
        || allow
            .iter()
            .any(|allowed| allowed.to_canonical() == peer.to_canonical())
}

/// Opens a listening port.
pub(super) struct Listen {
    address: SocketAddr,
    allow: Vec<IpAddr>,
    tls: Option<TlsServer>,
}

impl Listen {
    /// The port `address`; an empty `allow` takes everybody.
    pub(super) fn new(address: SocketAddr, allow: &[IpAddr], tls: Option<TlsServer>) -> Self {
        Self {
            address,
            allow: allow.to_vec(),
            tls,
        }
    }
}

impl Opener for Listen {
    fn open(&mut self) -> Opening<'_> {
        Box::pin(async move {
            let listener = TcpListener::bind(self.address).await.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot listen on {}: {error}", self.address),
                )
            })?;
            Ok(Opened::Listener(Box::new(Door {
                listener,
                allow: self.allow.clone(),
                handshakes: self.tls.as_ref().map(Handshakes::new),
            })))
        })
    }
}

struct Door {
    listener: TcpListener,
    allow: Vec<IpAddr>,
    /// With TLS: who is not yet through.
    handshakes: Option<Handshakes>,
}

impl Listener for Door {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        loop {
            if let Some(handshakes) = &mut self.handshakes
                && let Poll::Ready(shaken) = handshakes.poll(context)
            {
                return Poll::Ready(Ok(match shaken {
                    Shaken::Link(link) => Accepted::Link(link),
                    Shaken::Failed(peer, why) => Accepted::Unsecured(peer, why),
                }));
            }
            let (stream, peer) = match ready!(self.listener.poll_accept(context)) {
                Ok(accepted) => accepted,
                // The sender changed its mind before we looked: no fault of the port.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Poll::Ready(Err(error)),
            };
            if !is_allowed(&self.allow, peer.ip()) {
                return Poll::Ready(Ok(Accepted::Refused(peer.ip())));
            }
            // A connection that died before it could be prepared is not there.
            if prepare(&stream).is_err() {
                continue;
            }
            let Some(handshakes) = &mut self.handshakes else {
                return Poll::Ready(Ok(Accepted::Link(Box::new(Stream(stream)))));
            };
            if let Some(gone) = handshakes.begin(peer.ip(), stream) {
                let why = "too many handshakes at a time".to_owned();
                return Poll::Ready(Ok(Accepted::Unsecured(gone, why)));
            }
        }
    }
}

/// Connects to a device or a serial server.
pub(super) struct Connect {
    address: String,
    tls: Option<TlsClient>,
}

impl Connect {
    /// The peer `host:port`.
    pub(super) fn new(address: &str, tls: Option<TlsClient>) -> Self {
        Self {
            address: address.to_owned(),
            tls,
        }
    }
}

impl Opener for Connect {
    fn open(&mut self) -> Opening<'_> {
        Box::pin(async move {
            let stream = TcpStream::connect(&self.address).await.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot connect to {}: {error}", self.address),
                )
            })?;
            let Some(tls) = &self.tls else {
                prepare(&stream)?;
                return Ok(Opened::Link(Box::new(Stream(stream))));
            };
            let link = tls::connect(stream, tls).await.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("no TLS with {}: {error}", self.address),
                )
            })?;
            Ok(Opened::Link(link))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_the_same_through_either_kind_of_socket() {
        let allow = ["192.168.7.20".parse().unwrap()];
        for (peer, allowed) in [
            ("192.168.7.20", true),
            ("::ffff:192.168.7.20", true),
            ("192.168.7.21", false),
            ("::1", false),
        ] {
            assert_eq!(is_allowed(&allow, peer.parse().unwrap()), allowed, "{peer}");
        }
        assert!(is_allowed(&[], "10.0.0.1".parse().unwrap()));
    }
}
