//! TLS over TCP: the handshake, bounded in time and number, and the link that follows.
//!
//! A sender that does not get through the handshake never becomes a connection of the feed, so that it
//! cannot push out one that speaks.

use super::tcp::prepare;
use crate::configuration::{TlsClient, TlsServer};
use crate::feed::link::{Link, Received, Stream};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// How long a sender may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Handshakes of one feed at a time.
const MOST_HANDSHAKES: usize = 64;

/// Agrees on TLS with a peer that we connected to. How long it may take belongs to the caller.
pub(super) async fn connect(stream: TcpStream, tls: &TlsClient) -> io::Result<Box<dyn Link>> {
    prepare(&stream)?;
    let connector = TlsConnector::from(tls.settings());
    let stream = connector.connect(tls.name(), stream).await?;
    Ok(Box::new(Secured::new(stream.into())))
}

/// What became of a sender's handshake.
pub(super) enum Shaken {
    /// It may speak.
    Link(Box<dyn Link>),
    /// It may not, for this reason.
    Failed(IpAddr, String),
}

type Agreeing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Link>>> + Send>>;

/// The senders that have not yet agreed on TLS.
pub(super) struct Handshakes {
    acceptor: TlsAcceptor,
    /// In the order in which they came.
    waiting: Vec<(IpAddr, Agreeing)>,
}

impl Handshakes {
    /// None yet.
    pub(super) fn new(tls: &TlsServer) -> Self {
        Self {
            acceptor: TlsAcceptor::from(tls.settings()),
            waiting: Vec::new(),
        }
    }

    /// A sender connected. Gives one that has to go for it, if there are too many: the oldest of the
    /// machine that has most of them, so that one machine does not keep the others out.
    pub(super) fn begin(&mut self, peer: IpAddr, stream: TcpStream) -> Option<IpAddr> {
        let gone = (self.waiting.len() >= MOST_HANDSHAKES)
            .then(|| self.make_room())
            .flatten();
        let accepting = self.acceptor.accept(stream);
        let agreeing = async move {
            let stream = tokio::time::timeout(HANDSHAKE, accepting)
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no handshake in time"))??;
            let link: Box<dyn Link> = Box::new(Secured::new(stream.into()));
            Ok(link)
        };
        self.waiting.push((peer, Box::pin(agreeing)));
        gone
    }

    fn make_room(&mut self) -> Option<IpAddr> {
        let mut counts = BTreeMap::<IpAddr, usize>::new();
        for (peer, _) in &self.waiting {
            *counts.entry(*peer).or_default() += 1;
        }
        let (most, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let oldest = self.waiting.iter().position(|(peer, _)| *peer == most)?;
        drop(self.waiting.remove(oldest));
        Some(most)
    }

    /// One that is decided.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Shaken> {
        let mut decided = None;
        for (place, (peer, agreeing)) in self.waiting.iter_mut().enumerate() {
            if let Poll::Ready(result) = agreeing.as_mut().poll(context) {
                decided = Some((place, *peer, result));
                break;
            }
        }
        let Some((place, peer, result)) = decided else {
            return Poll::Pending;
        };
        drop(self.waiting.remove(place));
        Poll::Ready(match result {
            Ok(link) => Shaken::Link(link),
            Err(error) => Shaken::Failed(peer, error.to_string()),
        })
    }
}

/// A connection under TLS. What was written may still wait inside TLS; it is pushed on whenever the
/// link is looked at.
struct Secured {
    stream: Stream<TlsStream<TcpStream>>,
    waits: bool,
}

impl Secured {
    fn new(stream: TlsStream<TcpStream>) -> Self {
        Self {
            stream: Stream(stream),
            // TLS may have words of its own left from the handshake.
            waits: true,
        }
    }

    fn push(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.waits
            && let Poll::Ready(result) = Pin::new(&mut self.stream.0).poll_flush(context)
        {
            result?;
            self.waits = false;
        }
        Ok(())
    }
}

impl Link for Secured {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        // A peer that is going away may not take what we send; what it said is read all the same.
        let pushed = self.push(context);
        match self.stream.poll_receive(context, buffer) {
            Poll::Pending => {
                pushed.map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                // The end without TLS saying so: only whole frames count anyway.
                Poll::Ready(Ok(Received::Closed))
            }
            ready @ Poll::Ready(_) => ready,
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.stream.poll_send(context, bytes);
        self.waits = true;
        self.push(context)?;
        sent
    }
}

impl Drop for Secured {
    /// Says that this is the end, as far as the network takes it at once.
    fn drop(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.stream.0).poll_shutdown(&mut context);
    }
}
