//! Plays a capture, once: as it was recorded, at a steady rate, or at once.
//!
//! With a timing file every piece is handed on as it was read, connection by connection, so that
//! datagrams stay whole and two senders do not run into each other. At its end the feed is lost and
//! stays so: yesterday's patient does not begin again. Nothing can be sent to a capture; what a
//! protocol sends is dropped.

use crate::clock::Clock;
use crate::configuration::{Pace, timing_file};
use crate::feed::capture::HEADING;
use crate::feed::link::{Accepted, Link, Listener, Opened, Opener, Opening, Received};
use crate::protocol::Medium;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// No piece is longer: one read of a feed.
const LARGEST_PIECE: usize = 64 * 1024;
/// No line of a timing file is longer.
const LONGEST_LINE: u64 = 64;
/// Pieces a second at a steady rate.
const STEADY_PIECES: u32 = 20;
/// A steady rate also ends a piece here, so that it looks like reads of a port.
const STEADY_PIECE: usize = 4_096;

/// Plays one file.
pub(super) struct Playback {
    path: PathBuf,
    pace: Pace,
    clock: Clock,
    is_over: bool,
}

impl Playback {
    /// The capture at `path`, timed by `clock`.
    pub(super) fn new(path: &Path, pace: Pace, clock: Clock) -> Self {
        Self {
            path: path.to_path_buf(),
            pace,
            clock,
            is_over: false,
        }
    }
}

impl Opener for Playback {
    fn open(&mut self) -> Opening<'_> {
        Box::pin(async move {
            if self.is_over {
                return Err(io::Error::other("the capture is at its end"));
            }
            let bytes = open(&self.path).await?;
            let (schedule, medium) = match self.pace {
                Pace::AtOnce => (Schedule::AtOnce, Medium::Stream),
                Pace::BytesPerSecond(rate) => (Schedule::Steady { rate, sent: 0 }, Medium::Stream),
                Pace::Recorded => {
                    let file = timing_file(&self.path);
                    Timing::begin(BufReader::new(open(&file).await?))
                        .await
                        .map(|(timing, medium)| (Schedule::Recorded(timing), medium))
                        .map_err(|error| in_file(&file, &error))?
                }
            };
            self.is_over = true;
            let (links, arriving) = mpsc::channel(1);
            let player = Player {
                bytes: BufReader::new(bytes),
                schedule,
                medium,
                clock: self.clock,
                links,
                connections: BTreeMap::new(),
            };
            tokio::spawn(player.play());
            Ok(Opened::Listener(Box::new(Arriving(arriving))))
        })
    }
}

async fn open(path: &Path) -> io::Result<File> {
    File::open(path)
        .await
        .map_err(|error| in_file(path, &error))
}

fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn bad_timing(line: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("line {line} is no timing of a capture"),
    )
}

/// One piece to hand on.
struct Piece {
    /// Since the beginning.
    after: Duration,
    connection: u32,
    bytes: Vec<u8>,
    /// Whether the connection closes here.
    closes: bool,
}

/// When the next piece is due and how long it is.
enum Schedule {
    AtOnce,
    Steady { rate: NonZeroU32, sent: u64 },
    Recorded(Timing),
}

impl Schedule {
    /// The next piece; `None` at the end.
    async fn next(&mut self, bytes: &mut BufReader<File>) -> io::Result<Option<Piece>> {
        let (after, most) = match self {
            Self::AtOnce => (Duration::ZERO, LARGEST_PIECE),
            Self::Steady { rate, sent } => {
                let after = sent.saturating_mul(1_000_000) / u64::from(rate.get());
                let after = Duration::from_micros(after);
                let piece = usize::try_from(rate.get() / STEADY_PIECES).unwrap_or(STEADY_PIECE);
                (after, piece.clamp(1, STEADY_PIECE))
            }
            Self::Recorded(timing) => return timing.next(bytes).await,
        };
        let mut piece = vec![0; most];
        let count = bytes.read(&mut piece).await?;
        piece.truncate(count);
        if let Self::Steady { sent, .. } = self {
            *sent = sent.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok((count > 0).then_some(Piece {
            after,
            connection: 0,
            bytes: piece,
            closes: false,
        }))
    }
}

/// A timing file being read.
struct Timing {
    lines: BufReader<File>,
    line: u64,
}

impl Timing {
    async fn begin(lines: BufReader<File>) -> io::Result<(Self, Medium)> {
        let mut timing = Self { lines, line: 0 };
        let heading = timing.line().await?.unwrap_or_default();
        let medium = match heading.strip_prefix(HEADING).map(str::trim) {
            Some("stream") => Medium::Stream,
            Some("datagrams") => Medium::Datagram,
            Some(_) | None => return Err(bad_timing(1)),
        };
        Ok((timing, medium))
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.line += 1;
        (&mut self.lines)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await?;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => String::from_utf8(line)
                .map(Some)
                .map_err(|_| bad_timing(self.line)),
            // Cut off while it was written, or no timing file at all.
            Some(_) => Err(bad_timing(self.line)),
        }
    }

    async fn next(&mut self, bytes: &mut BufReader<File>) -> io::Result<Option<Piece>> {
        let Some(line) = self.line().await? else {
            return Ok(None);
        };
        let mut fields = line.split(' ');
        let mut field = || fields.next().and_then(|field| field.parse::<u64>().ok());
        let (Some(after), Some(connection), Some(length), None) =
            (field(), field(), field(), field())
        else {
            return Err(bad_timing(self.line));
        };
        let connection = u32::try_from(connection).map_err(|_| bad_timing(self.line))?;
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= LARGEST_PIECE)
            .ok_or_else(|| bad_timing(self.line))?;
        let mut piece = vec![0; length];
        bytes.read_exact(&mut piece).await?;
        Ok(Some(Piece {
            after: Duration::from_micros(after),
            connection,
            bytes: piece,
            closes: length == 0,
        }))
    }
}

/// A piece, or why there is none.
type Played = io::Result<Vec<u8>>;

/// The task that reads the file and hands pieces on when they are due. It ends when nobody listens.
struct Player {
    bytes: BufReader<File>,
    schedule: Schedule,
    medium: Medium,
    clock: Clock,
    links: Sender<Recorded>,
    connections: BTreeMap<u32, Sender<Played>>,
}

impl Player {
    async fn play(mut self) {
        let begun = self.clock.now().moment;
        // `Err`: the feed was closed meanwhile.
        let _ = self.play_all(begun).await;
    }

    async fn play_all(&mut self, begun: crate::vocabulary::Moment) -> Result<(), Unheard> {
        loop {
            let piece = match self.schedule.next(&mut self.bytes).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(()),
                Err(error) => {
                    let link = self.link(0).await?;
                    return link.send(Err(error)).await.map_err(|_| Unheard);
                }
            };
            let wait = self.clock.real_wait(begun.after(piece.after));
            if !wait.is_zero() {
                tokio::select! {
                    () = self.links.closed() => return Err(Unheard),
                    () = tokio::time::sleep(wait) => {}
                }
            }
            if piece.closes {
                self.connections.remove(&piece.connection);
                continue;
            }
            let link = self.link(piece.connection).await?;
            // A connection that was ended on our side does not hear the rest; others do. The next
            // piece waits until this one was taken, so that connections keep their order.
            if link.send(Ok(piece.bytes)).await.is_ok() {
                let _ = link.reserve().await;
            }
        }
    }

    async fn link(&mut self, connection: u32) -> Result<Sender<Played>, Unheard> {
        if let Some(known) = self.connections.get(&connection) {
            return Ok(known.clone());
        }
        let (sender, pieces) = mpsc::channel(1);
        let link = Recorded {
            pieces,
            medium: self.medium,
        };
        self.links.send(link).await.map_err(|_| Unheard)?;
        self.connections.insert(connection, sender.clone());
        Ok(sender)
    }
}

/// Nobody listens any more.
struct Unheard;

/// The connections of the capture as they arrive.
struct Arriving(Receiver<Recorded>);

impl Listener for Arriving {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        self.0.poll_recv(context).map(|link| {
            Ok(match link {
                Some(link) => Accepted::Link(Box::new(link)),
                None => Accepted::NoMore,
            })
        })
    }
}

/// One connection of the capture.
struct Recorded {
    pieces: Receiver<Played>,
    medium: Medium,
}

impl Link for Recorded {
    fn medium(&self) -> Medium {
        self.medium
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        self.pieces.poll_recv(context).map(|played| {
            let Some(piece) = played.transpose()? else {
                return Ok(Received::Closed);
            };
            let room = buffer
                .get_mut(..piece.len())
                .ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
            room.copy_from_slice(&piece);
            Ok(Received::Bytes(piece.len()))
        })
    }

    fn poll_send(&mut self, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
}
