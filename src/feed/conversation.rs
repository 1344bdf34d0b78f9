//! One connection of a feed: its link, its protocol session, and what stands between them.

use super::link::{Link, Received};
use crate::observation::Identity;
use crate::protocol::{Session, Token};
use crate::vocabulary::Moment;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

/// Bytes that may wait for a peer that does not read.
const MOST_OUTGOING: usize = 1024 * 1024;
/// Acknowledgements that may wait for the record before a connection is left unread.
const MOST_COMMITS: usize = 64;

/// A sender that waits for the record.
#[derive(Debug)]
pub(super) struct Commit {
    /// The session's number for it.
    pub(super) token: Token,
    /// Ours, unique within the connection.
    pub(super) serial: u64,
    /// Until when an answer counts.
    pub(super) deadline: Moment,
    /// The answer, once it came.
    pub(super) durable: Option<bool>,
}

/// Bytes for the device that wait for the link.
#[derive(Debug, Default)]
struct Outgoing {
    /// One element is one write, or one datagram.
    writes: VecDeque<Vec<u8>>,
    /// How much of the first one is written.
    written: usize,
    /// All that wait.
    bytes: usize,
    /// Since when nothing could be written.
    stuck: Option<Moment>,
}

/// One connection.
pub(super) struct Conversation {
    /// Unique within the feed's run.
    pub(super) number: u32,
    /// The protocol.
    pub(super) session: Box<dyn Session>,
    /// Whom or what it spoke about last.
    pub(super) identity: Option<Identity>,
    /// Whether something of the present frame was not ours, so that it is counted once.
    pub(super) frame_refused: bool,
    /// When bytes last came.
    pub(super) heard: Moment,
    /// Whether a good frame ever came.
    pub(super) has_spoken: bool,
    link: Box<dyn Link>,
    commits: VecDeque<Commit>,
    serial: u64,
    outgoing: Outgoing,
}

impl Conversation {
    /// A connection that was just opened.
    pub(super) fn new(
        number: u32,
        link: Box<dyn Link>,
        session: Box<dyn Session>,
        now: Moment,
    ) -> Self {
        Self {
            number,
            session,
            identity: None,
            frame_refused: false,
            heard: now,
            has_spoken: false,
            link,
            commits: VecDeque::new(),
            serial: 0,
            outgoing: Outgoing::default(),
        }
    }

    /// Remembers that the session waits for the record; gives the serial number of the question.
    pub(super) fn await_commit(&mut self, token: Token, deadline: Moment) -> u64 {
        self.serial += 1;
        self.commits.push_back(Commit {
            token,
            serial: self.serial,
            deadline,
            durable: None,
        });
        self.serial
    }

    /// The journal answered. An answer after the deadline finds its question gone.
    pub(super) fn answered(&mut self, serial: u64, durable: bool) {
        if let Some(commit) = self
            .commits
            .iter_mut()
            .find(|commit| commit.serial == serial)
        {
            commit.durable = Some(durable);
        }
    }

    /// The oldest question, if it is decided: answered, or too late.
    pub(super) fn next_decided(&mut self, now: Moment) -> Option<(Token, bool)> {
        let decided = self
            .commits
            .front()
            .is_some_and(|first| first.durable.is_some() || first.deadline <= now);
        if !decided {
            return None;
        }
        let commit = self.commits.pop_front()?;
        Some((commit.token, commit.durable.unwrap_or(false)))
    }

    /// When this connection has something to do by itself.
    pub(super) fn due(&self, write_limit: std::time::Duration) -> Option<Moment> {
        let commit = self.commits.front().map(|first| first.deadline);
        let write = self.outgoing.stuck.map(|since| since.after(write_limit));
        [self.session.deadline(), commit, write]
            .into_iter()
            .flatten()
            .min()
    }

    /// Bytes for the device: one write.
    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.outgoing.bytes = self.outgoing.bytes.saturating_add(bytes.len());
            self.outgoing.writes.push_back(bytes);
        }
    }

    /// Whether the peer has not read for so long, or so much waits for it, that it must be dropped.
    /// Begins to count when something is left over.
    pub(super) fn is_stuck(&mut self, now: Moment, write_limit: std::time::Duration) -> bool {
        if self.outgoing.writes.is_empty() {
            return false;
        }
        let since = *self.outgoing.stuck.get_or_insert(now);
        self.outgoing.bytes > MOST_OUTGOING || since.after(write_limit) <= now
    }

    /// Whether more may be read: a sender that does not wait for its acknowledgements is not read
    /// without bound.
    fn may_read(&self) -> bool {
        self.commits.len() < MOST_COMMITS
    }

    /// Writes what waits, then reads if `read` allows it.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        read: bool,
    ) -> Poll<io::Result<Received>> {
        self.poll_write(context)?;
        if read && self.may_read() {
            self.link.poll_receive(context, buffer)
        } else {
            Poll::Pending
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while let Some(first) = self.outgoing.writes.front() {
            let rest = first.get(self.outgoing.written..).unwrap_or_default();
            match self.link.poll_send(context, rest) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.outgoing.stuck = None;
                    self.outgoing.written = self.outgoing.written.saturating_add(count);
                    if self.outgoing.written >= first.len() {
                        self.outgoing.bytes = self.outgoing.bytes.saturating_sub(first.len());
                        self.outgoing.writes.pop_front();
                        self.outgoing.written = 0;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether bytes come as a stream or as datagrams.
    pub(super) fn medium(&self) -> crate::protocol::Medium {
        self.link.medium()
    }
}
