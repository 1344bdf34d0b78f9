//! What a transport looks like to the loop that reads it: something to open, something to poll.
//!
//! The traits exist so that tests hand in bytes, a pseudo-terminal or a failure, and so that one task
//! can own every connection of a feed.

use crate::protocol::Medium;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a poll for bytes gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many bytes at the beginning of the buffer; for datagrams one whole datagram.
    Bytes(usize),
    /// A datagram of a sender that is not allowed, thrown away.
    Refused(IpAddr),
    /// The other end is gone.
    Closed,
}

/// One open link.
pub trait Link: Send {
    /// Whether bytes come as a stream or as datagrams.
    fn medium(&self) -> Medium {
        Medium::Stream
    }

    /// Reads what is there.
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>>;

    /// Writes what fits, with one call; gives the number of bytes written. A link that cannot be
    /// written to takes everything and says so in its own description.
    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
}

/// What a listener has to say.
pub enum Accepted {
    /// A new link.
    Link(Box<dyn Link>),
    /// A sender that is not allowed was turned away.
    Refused(IpAddr),
    /// A sender with which TLS was not agreed upon was turned away, for this reason.
    Unsecured(IpAddr, String),
    /// No further link will come; those that are open go on.
    NoMore,
}

/// A place where several links may arrive.
pub trait Listener: Send {
    /// The next link.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>>;
}

/// What opening gave.
pub enum Opened {
    /// One link: when it closes, the feed is lost.
    Link(Box<dyn Link>),
    /// A listener: links come and go, the feed is lost when the listener is.
    Listener(Box<dyn Listener>),
}

/// An attempt to open.
pub type Opening<'a> = Pin<Box<dyn Future<Output = io::Result<Opened>> + Send + 'a>>;

/// Opens a feed's transport, again and again. It never waits between attempts: the pace belongs to
/// the supervision loop.
pub trait Opener: Send {
    /// One attempt.
    fn open(&mut self) -> Opening<'_>;
}

/// Any byte stream as a link. A read of nothing means closed: that is all a vanished USB serial port
/// ever says.
pub struct Stream<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Link for Stream<S> {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let mut read = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut read))?;
        Poll::Ready(Ok(match read.filled().len() {
            0 => Received::Closed,
            count => Received::Bytes(count),
        }))
    }

    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }
}
