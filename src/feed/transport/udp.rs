//! Datagrams: one session for the port; replies go to the sender that was heard last.

use super::tcp::is_allowed;
use crate::feed::link::{Link, Opened, Opener, Opening, Received};
use crate::protocol::Medium;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// Opens a datagram port.
pub(super) struct Udp {
    address: SocketAddr,
    allow: Vec<IpAddr>,
}

impl Udp {
    /// The port `address`; an empty `allow` takes everybody.
    pub(super) fn new(address: SocketAddr, allow: &[IpAddr]) -> Self {
        Self {
            address,
            allow: allow.to_vec(),
        }
    }
}

impl Opener for Udp {
    fn open(&mut self) -> Opening<'_> {
        Box::pin(async move {
            let socket = UdpSocket::bind(self.address).await.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot listen on {}: {error}", self.address),
                )
            })?;
            Ok(Opened::Link(Box::new(Datagrams {
                socket,
                allow: self.allow.clone(),
                peer: None,
            })))
        })
    }
}

struct Datagrams {
    socket: UdpSocket,
    allow: Vec<IpAddr>,
    peer: Option<SocketAddr>,
}

impl Link for Datagrams {
    fn medium(&self) -> Medium {
        Medium::Datagram
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let mut read = ReadBuf::new(buffer);
        let peer = ready!(self.socket.poll_recv_from(context, &mut read))?;
        if !is_allowed(&self.allow, peer.ip()) {
            return Poll::Ready(Ok(Received::Refused(peer.ip())));
        }
        self.peer = Some(peer);
        Poll::Ready(Ok(Received::Bytes(read.filled().len())))
    }

    /// Before anybody was heard there is nobody to send to: the datagram is dropped, as the network
    /// may drop any.
    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.peer {
            Some(peer) => self.socket.poll_send_to(context, bytes, peer),
            None => Poll::Ready(Ok(bytes.len())),
        }
    }
}
