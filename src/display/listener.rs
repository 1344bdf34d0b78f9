//! The listening socket with its bounds: a fixed number of connections, and none that says nothing
//! for long. Nobody on this machine can exhaust the daemon's memory or file descriptors through it.

use super::counters::Counters;
use axum::serve::Listener;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// Connections at once; one page needs at most seven.
const MOST_CONNECTIONS: usize = 64;

/// How long a peer may send nothing. A page beats each second and other WebSocket clients answer
/// our pings, so only an abandoned or hostile connection reaches it.
const MOST_SILENCE: Duration = Duration::from_secs(30);

/// Pause after a failed accept (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The bounded listener.
pub(super) struct BoundedListener {
    socket: TcpListener,
    places: Arc<Semaphore>,
    counters: Arc<Counters>,
}

impl BoundedListener {
    /// Puts bounds on a bound socket.
    pub(super) fn new(socket: TcpListener, counters: Arc<Counters>) -> Self {
        Self {
            socket,
            places: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            counters,
        }
    }
}

impl Listener for BoundedListener {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BoundedStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                        self.counters
                            .connections_refused
                            .fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    self.counters.connections.fetch_add(1, Ordering::Relaxed);
                    // Boards are small and wanted at once.
                    let _ = stream.set_nodelay(true);
                    return (BoundedStream::new(stream, place), peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "display cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection that ends when its peer says nothing for [`MOST_SILENCE`].
pub(super) struct BoundedStream {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl BoundedStream {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            silence: Box::pin(tokio::time::sleep(MOST_SILENCE)),
            _place: place,
        }
    }

    /// The peer spoke: the allowed silence begins again.
    fn heard(&mut self) {
        // A timer that is never polled costs nothing; it only computes now + the silence.
        let deadline = tokio::time::sleep(MOST_SILENCE).deadline();
        self.silence.as_mut().reset(deadline);
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                this.heard();
                Poll::Ready(result)
            }
            Poll::Pending => match this.silence.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }
}
