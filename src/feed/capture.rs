//! Keeps the raw bytes of a feed in a file, for the maker of a decoder and for playing them again.
//!
//! Two files: the bytes, unchanged, and beside them a timing file (`.pace` behind the name) with a
//! first line `infusewatch-pace 1 stream` or `… datagrams`, then one line per piece: microseconds since
//! the beginning, connection, bytes; 0 bytes says that the connection closed.
//!
//! Promises: a thread of its own writes, so that a slow disk holds nobody up; pieces that it cannot
//! take are counted and left out of both files. A start of the daemon begins a new pair; so does a file
//! of 64 MiB. One pair before the newest is kept (`.1`), so a feed uses at most 128 MiB and its timing.

use crate::configuration::timing_file;
use crate::protocol::Medium;
use crate::vocabulary::Moment;
use crossbeam_channel::{Receiver, Sender};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use tracing::warn;

/// The size at which a new pair of files is begun.
const LARGEST: u64 = 64 * 1024 * 1024;
/// Pieces that may wait for the disk.
const WAITING: usize = 256;
/// The first word of a timing file, with its version.
pub(super) const HEADING: &str = "infusewatch-pace 1";

struct Piece {
    at: Moment,
    medium: Medium,
    connection: u32,
    bytes: Vec<u8>,
}

/// The feed's end of its capture.
pub(super) struct Capture {
    pieces: Option<Sender<Piece>>,
    thread: Option<thread::JoinHandle<()>>,
    left_out: u64,
}

impl Capture {
    /// Begins a capture; the file is opened by its own thread.
    pub(super) fn start(feed: &str, path: PathBuf) -> io::Result<Self> {
        let (pieces, queue) = crossbeam_channel::bounded(WAITING);
        let thread = thread::Builder::new()
            .name(format!("capture {feed}"))
            .spawn(move || write_all(&path, &queue))?;
        Ok(Self {
            pieces: Some(pieces),
            thread: Some(thread),
            left_out: 0,
        })
    }

    /// Keeps a piece as it was read. Never waits; gives how many pieces were left out so far when this
    /// was one of them.
    pub(super) fn keep(
        &mut self,
        at: Moment,
        medium: Medium,
        connection: u32,
        bytes: &[u8],
    ) -> Result<(), u64> {
        let piece = Piece {
            at,
            medium,
            connection,
            bytes: bytes.to_vec(),
        };
        match self.pieces.as_ref().map(|pieces| pieces.try_send(piece)) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => {
                self.left_out = self.left_out.saturating_add(1);
                Err(self.left_out)
            }
        }
    }
}

impl Drop for Capture {
    /// What was read before a stop is in the file.
    fn drop(&mut self) {
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(path: &Path, queue: &Receiver<Piece>) {
    let mut pair: Option<Pair> = None;
    let mut failing = false;
    while let Ok(piece) = queue.recv() {
        let result = write_piece(path, &mut pair, &piece, queue.is_empty());
        if let Err(error) = &result {
            pair = None;
            if !failing {
                warn!(path = %path.display(), %error, "capture cannot be written");
            }
        }
        failing = result.is_err();
    }
}

fn write_piece(path: &Path, pair: &mut Option<Pair>, piece: &Piece, flush: bool) -> io::Result<()> {
    if pair.as_ref().is_some_and(|pair| pair.size >= LARGEST) {
        *pair = None;
    }
    let open = match pair {
        Some(open) => open,
        None => pair.insert(Pair::begin(path, piece)?),
    };
    open.write(piece)?;
    if flush {
        open.bytes.flush()?;
        open.timing.flush()?;
    }
    Ok(())
}

struct Pair {
    bytes: BufWriter<File>,
    timing: BufWriter<File>,
    begun: Moment,
    size: u64,
}

impl Pair {
    fn begin(path: &Path, first: &Piece) -> io::Result<Self> {
        for file in [path.to_path_buf(), timing_file(path)] {
            let mut before = file.clone().into_os_string();
            before.push(".1");
            match std::fs::rename(&file, before) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        // Patient data: for the daemon's own user only.
        let create = |file: &Path| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(file)
                .map(BufWriter::new)
        };
        let mut pair = Self {
            bytes: create(path)?,
            timing: create(&timing_file(path))?,
            begun: first.at,
            size: 0,
        };
        let medium = match first.medium {
            Medium::Stream => "stream",
            Medium::Datagram => "datagrams",
        };
        writeln!(pair.timing, "{HEADING} {medium}")?;
        Ok(pair)
    }

    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        self.bytes.write_all(&piece.bytes)?;
        let length = u64::try_from(piece.bytes.len()).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(length);
        writeln!(
            self.timing,
            "{} {} {length}",
            piece.at.since(self.begun).as_micros(),
            piece.connection,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_as_they_were_and_their_timing_stands_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.raw");
        for text in ["first", "second"] {
            let mut capture = Capture::start("monitor", path.clone()).unwrap();
            capture
                .keep(Moment::from_secs(5), Medium::Stream, 0, text.as_bytes())
                .unwrap();
            capture
                .keep(Moment::from_secs(7), Medium::Stream, 0, b"\x00\xff")
                .unwrap();
            capture
                .keep(Moment::from_secs(8), Medium::Stream, 0, b"")
                .unwrap();
        }
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("monitor.raw"), b"second\x00\xff");
        assert_eq!(
            read("monitor.raw.1"),
            b"first\x00\xff",
            "a new start begins a new file"
        );
        assert_eq!(
            String::from_utf8(read("monitor.raw.pace")).unwrap(),
            "infusewatch-pace 1 stream\n0 0 6\n2000000 0 2\n3000000 0 0\n"
        );
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_place_that_cannot_be_written_stops_nothing() {
        let mut capture = Capture::start("monitor", "/nonexistent/place/x.raw".into()).unwrap();
        for _ in 0..3 {
            let _ = capture.keep(Moment::ZERO, Medium::Stream, 0, b"x");
        }
    }
}
