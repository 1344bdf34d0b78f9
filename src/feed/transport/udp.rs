//! Datagrams: one session for the port. With a configured peer only its datagrams are taken and everything
//! is sent to it; without one, replies go to the sender that was heard last.

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
    peer: Option<SocketAddr>,
    allow: Vec<IpAddr>,
}

impl Udp {
    /// The port `address`; without a `peer`, an empty `allow` takes everybody.
    pub(super) fn new(address: SocketAddr, peer: Option<SocketAddr>, allow: &[IpAddr]) -> Self {
        Self {
            address,
            peer,
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
                configured: self.peer,
                heard: None,
            })))
        })
    }
}

struct Datagrams {
    socket: UdpSocket,
    allow: Vec<IpAddr>,
    configured: Option<SocketAddr>,
    heard: Option<SocketAddr>,
}

impl Datagrams {
    /// A monitor may answer from another port than the one that was asked, never from another machine.
    fn takes(&self, sender: IpAddr) -> bool {
        self.configured
            .is_none_or(|peer| peer.ip().to_canonical() == sender.to_canonical())
            && is_allowed(&self.allow, sender)
    }
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
        let sender = ready!(self.socket.poll_recv_from(context, &mut read))?;
        if !self.takes(sender.ip()) {
            return Poll::Ready(Ok(Received::Refused(sender.ip())));
        }
        self.heard = Some(sender);
        Poll::Ready(Ok(Received::Bytes(read.filled().len())))
    }

    /// Before anybody was heard there is nobody to send to: the datagram is dropped, as the network
    /// may drop any.
    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.configured.or(self.heard) {
            Some(peer) => self.socket.poll_send_to(context, bytes, peer),
            None => Poll::Ready(Ok(bytes.len())),
        }
    }
}
