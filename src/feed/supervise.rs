//! The loop that keeps a feed alive: `run` around `run_once`.
//!
//! One task owns all connections of a feed and their sessions, so that what the feed says reaches the
//! engine in order. It lives as long as the daemon: a lost transport is opened again after a short,
//! constant pause, for ever. While it waits for anything, what is left for the engine goes on being
//! offered.

use super::conversation::Conversation;
use super::dispatch::{Answer, Dispatch};
use super::link::{Accepted, Link, Listener, Opened, Opener, Received};
use super::plan::{FeedPlan, Ports, Timings};
use super::transport;
use crate::clock::Clock;
use crate::configuration::{Content, Feed};
use crate::engine::FeedState;
use crate::protocol::{Events, Session, SessionOptions};
use crate::vocabulary::Now;
use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::{oneshot, watch};

/// Connections of one listening feed. When one more comes, the one goes that was silent longest of those
/// that have said nothing good yet; when all have, the one that was silent longest: it is most likely
/// half-open.
const MOST_CONNECTIONS: usize = 64;
/// How soon what waits for room in the engine's queue is offered again.
const OFFER_AGAIN: Duration = Duration::from_millis(2);
/// The shortest wait: a session whose deadline does not move cannot spin the loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// The longest wait, when nothing is due.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// Why a connection was ended from our side.
const UNREAD: &str = "the other end does not read what we send";
/// One read; no datagram is larger.
const READ: usize = 64 * 1024;

/// Runs a feed over the transport that it is configured with, until `stop` turns true or its sender
/// is gone. `tried` fires after the first attempt to open, whatever became of it.
pub async fn run(
    plan: FeedPlan,
    ports: Ports,
    tried: oneshot::Sender<()>,
    stop: watch::Receiver<bool>,
) {
    let opener = transport::opener(&plan.feed.transport, ports.clock);
    run_with(plan, ports, opener, tried, stop).await;
}

/// [`run`] with another opener.
pub async fn run_with(
    plan: FeedPlan,
    ports: Ports,
    mut opener: Box<dyn Opener>,
    tried: oneshot::Sender<()>,
    mut stop: watch::Receiver<bool>,
) {
    let (sender, answers) = mpsc::unbounded_channel();
    let commit_limit = on_clock(ports.clock, plan.timings.commit);
    let mut supervision = Supervision {
        dispatch: Dispatch::new(&plan, &ports, commit_limit, sender),
        feed: plan.feed,
        timings: plan.timings,
        clock: ports.clock,
        answers,
        conversations: Vec::new(),
        listener: None,
        listener_is_over: false,
        opened: 0,
        turn: 0,
        buffer: vec![0; READ],
        events: Events::new(),
    };
    let mut tried = Some(tried);
    while !*stop.borrow() {
        let ended = supervision
            .run_once(opener.as_mut(), &mut tried, &mut stop)
            .await;
        let now = supervision.clock.now();
        supervision.close_all(now);
        match ended {
            Ended::Stopped => break,
            Ended::Lost(why) => supervision.dispatch.transport(now, FeedState::Lost, &why),
        }
        let pause = tokio::time::sleep(supervision.timings.retry);
        if supervision.meanwhile(pause, &mut stop).await.is_none() {
            break;
        }
    }
    supervision.dispatch.tend(supervision.clock.now());
}

/// Why `run_once` came back.
enum Ended {
    Stopped,
    Lost(String),
}

/// What the loop woke up for.
enum Happening {
    Stop,
    Answer(Answer),
    /// Something about the connection at this place.
    Link(usize, io::Result<Received>),
    Listener(io::Result<Accepted>),
    /// Something is due.
    Due,
}

struct Supervision {
    dispatch: Dispatch,
    feed: Feed,
    timings: Timings,
    clock: Clock,
    answers: UnboundedReceiver<Answer>,
    conversations: Vec<Conversation>,
    listener: Option<Box<dyn Listener>>,
    listener_is_over: bool,
    /// Connections so far: the next one's number.
    opened: u32,
    /// Which connection is looked at first, so that a busy one cannot starve the others.
    turn: usize,
    buffer: Vec<u8>,
    events: Events,
}

impl Supervision {
    /// Opens the transport and reads it until it is lost.
    async fn run_once(
        &mut self,
        opener: &mut dyn Opener,
        tried: &mut Option<oneshot::Sender<()>>,
        stop: &mut watch::Receiver<bool>,
    ) -> Ended {
        let attempt = tokio::time::timeout(self.timings.open, opener.open());
        let Some(attempt) = self.meanwhile(attempt, stop).await else {
            return Ended::Stopped;
        };
        if let Some(tried) = tried.take() {
            let _ = tried.send(());
        }
        let opened = match attempt {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Ended::Lost(error.to_string()),
            Err(_) => return Ended::Lost("cannot be opened: no answer in time".to_owned()),
        };
        self.dispatch.transport(self.clock.now(), FeedState::Ok, "");
        let single = match opened {
            Opened::Link(link) => {
                if let Err(why) = self.begin(link) {
                    return Ended::Lost(why);
                }
                true
            }
            Opened::Listener(listener) => {
                self.listener = Some(listener);
                false
            }
        };
        loop {
            self.serve_due();
            if self.conversations.is_empty() && (single || self.listener_is_over) {
                return Ended::Lost(if single { UNREAD } else { "at its end" }.to_owned());
            }
            match self.next(stop).await {
                Happening::Stop => return Ended::Stopped,
                Happening::Due => {}
                Happening::Answer(answer) => self.answered(answer),
                Happening::Link(place, Ok(Received::Bytes(count))) => self.heard(place, count),
                Happening::Link(_, Ok(Received::Refused(peer))) => self.refused(peer),
                Happening::Link(place, ended) => {
                    let why = match ended {
                        Ok(_) => "closed by the other end".to_owned(),
                        Err(error) => error.to_string(),
                    };
                    self.close(place, self.clock.now(), &why);
                    if single {
                        return Ended::Lost(why);
                    }
                }
                Happening::Listener(Ok(Accepted::Link(link))) => {
                    self.make_room();
                    if let Err(why) = self.begin(link) {
                        return Ended::Lost(why);
                    }
                }
                Happening::Listener(Ok(Accepted::Refused(peer))) => self.refused(peer),
                Happening::Listener(Ok(Accepted::Unsecured(peer, why))) => {
                    self.dispatch.unsecured(self.clock.now(), peer, &why);
                }
                Happening::Listener(Ok(Accepted::NoMore)) => {
                    self.listener = None;
                    self.listener_is_over = true;
                }
                Happening::Listener(Err(error)) => return Ended::Lost(error.to_string()),
            }
        }
    }

    /// Waits for what happens next.
    async fn next(&mut self, stop: &mut watch::Receiver<bool>) -> Happening {
        let wait = self.wait();
        let may_read = self.dispatch.may_read();
        self.turn = self.turn.wrapping_add(1);
        let Self {
            answers,
            conversations,
            listener,
            buffer,
            turn,
            ..
        } = self;
        let turn = *turn;
        tokio::select! {
            biased;
            () = stopped(stop) => Happening::Stop,
            Some(answer) = answers.recv() => Happening::Answer(answer),
            happening = poll_fn(|context| {
                poll_links(context, conversations, listener.as_deref_mut(), turn, buffer, may_read)
            }) => happening,
            () = tokio::time::sleep(wait) => Happening::Due,
        }
    }

    /// Waits for `future` while the desk is tended; `None` when asked to stop.
    async fn meanwhile<T>(
        &mut self,
        future: impl Future<Output = T>,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<T> {
        let mut future = pin!(future);
        loop {
            let wait = self.wait();
            tokio::select! {
                biased;
                () = stopped(stop) => return None,
                result = &mut future => return Some(result),
                () = tokio::time::sleep(wait) => self.dispatch.tend(self.clock.now()),
            }
        }
    }

    /// How long nothing is due.
    fn wait(&self) -> Duration {
        let write = on_clock(self.clock, self.timings.write);
        let due = self
            .conversations
            .iter()
            .filter_map(|conversation| conversation.due(write))
            .chain(self.dispatch.due())
            .min();
        let wait = due.map_or(LONGEST_WAIT, |due| self.clock.real_wait(due));
        let most = if self.dispatch.is_waiting() {
            OFFER_AGAIN
        } else {
            LONGEST_WAIT
        };
        wait.clamp(SHORTEST_WAIT, most)
    }

    /// A connection is open: a fresh session for it.
    fn begin(&mut self, link: Box<dyn Link>) -> Result<(), String> {
        let session = open_session(&self.feed, link.as_ref())?;
        let now = self.clock.now();
        let mut conversation = Conversation::new(self.opened, link, session, now.moment);
        self.opened = self.opened.wrapping_add(1);
        self.dispatch.opened();
        conversation.session.opened(now, &mut self.events);
        self.dispatch.take(now, &mut conversation, &mut self.events);
        self.conversations.push(conversation);
        Ok(())
    }

    fn heard(&mut self, place: usize, count: usize) {
        let now = self.clock.now();
        let (Some(conversation), Some(bytes)) =
            (self.conversations.get_mut(place), self.buffer.get(..count))
        else {
            return;
        };
        conversation.heard = now.moment;
        conversation.session.receive(now, bytes, &mut self.events);
        self.dispatch.take(now, conversation, &mut self.events);
        let (medium, number) = (conversation.medium(), conversation.number);
        self.dispatch.received(now, medium, number, bytes);
    }

    fn answered(&mut self, answer: Answer) {
        let asked = self
            .conversations
            .iter_mut()
            .find(|conversation| conversation.number == answer.connection);
        if let Some(conversation) = asked {
            conversation.answered(answer.serial, answer.durable);
        }
    }

    fn refused(&mut self, peer: IpAddr) {
        self.dispatch.refused(self.clock.now(), peer);
    }

    /// Everything whose time has come: deadlines of sessions, answers to senders, peers that do not
    /// read, readings that wait for the engine.
    fn serve_due(&mut self) {
        let now = self.clock.now();
        for conversation in &mut self.conversations {
            while let Some((token, durable)) = conversation.next_decided(now.moment) {
                conversation
                    .session
                    .committed(now, token, durable, &mut self.events);
                self.dispatch.take(now, conversation, &mut self.events);
            }
            if conversation
                .session
                .deadline()
                .is_some_and(|due| due <= now.moment)
            {
                conversation.session.expire(now, &mut self.events);
                self.dispatch.take(now, conversation, &mut self.events);
            }
        }
        let write = on_clock(self.clock, self.timings.write);
        while let Some(place) = self
            .conversations
            .iter_mut()
            .position(|conversation| conversation.is_stuck(now.moment, write))
        {
            self.close(place, now, UNREAD);
        }
        self.dispatch.tend(now);
    }

    fn close(&mut self, place: usize, now: Now, why: &str) {
        if place >= self.conversations.len() {
            return;
        }
        let mut conversation = self.conversations.swap_remove(place);
        conversation.session.closed(now, &mut self.events);
        self.dispatch.take(now, &mut conversation, &mut self.events);
        self.dispatch
            .keep(now, conversation.medium(), conversation.number, &[]);
        self.dispatch.closed(conversation.number, why);
    }

    fn close_all(&mut self, now: Now) {
        while !self.conversations.is_empty() {
            self.close(0, now, "the feed is closed");
        }
        self.listener = None;
        self.listener_is_over = false;
    }

    /// Ends a connection when there are too many: a crowd that connects and says nothing cannot push out
    /// the monitor that speaks once a minute.
    fn make_room(&mut self) {
        if self.conversations.len() < MOST_CONNECTIONS {
            return;
        }
        let silent = self
            .conversations
            .iter()
            .enumerate()
            .min_by_key(|(_, conversation)| (conversation.has_spoken, conversation.heard))
            .map(|(place, _)| place);
        if let Some(place) = silent {
            self.dispatch.crowded();
            self.close(
                place,
                self.clock.now(),
                "silent longest of too many connections",
            );
        }
    }
}

/// A session for a fresh link; the settings were checked, so that a refusal is a fault of the protocol
/// and said like any other loss.
fn open_session(feed: &Feed, link: &dyn Link) -> Result<Box<dyn Session>, String> {
    match &feed.content {
        Content::Recorded => Ok(Box::new(BytesOnly)),
        Content::Monitored(monitored) => (monitored.protocol.open)(&SessionOptions {
            medium: link.medium(),
            options: monitored.options.clone(),
        })
        .map_err(|problem| problem.to_string()),
    }
}

/// The session of a feed that is only recorded: it says nothing.
struct BytesOnly;

impl Session for BytesOnly {
    fn opened(&mut self, _now: Now, _events: &mut Events) {}

    fn receive(&mut self, _now: Now, _bytes: &[u8], _events: &mut Events) {}
}

fn poll_links(
    context: &mut Context<'_>,
    conversations: &mut [Conversation],
    listener: Option<&mut (dyn Listener + 'static)>,
    turn: usize,
    buffer: &mut [u8],
    may_read: bool,
) -> Poll<Happening> {
    let count = conversations.len();
    let first = turn.checked_rem(count).unwrap_or(0);
    for place in (first..count).chain(0..first) {
        let Some(conversation) = conversations.get_mut(place) else {
            continue;
        };
        if let Poll::Ready(result) = conversation.poll(context, buffer, may_read) {
            return Poll::Ready(Happening::Link(place, result));
        }
    }
    match listener {
        Some(listener) if may_read => listener.poll_accept(context).map(Happening::Listener),
        Some(_) | None => Poll::Pending,
    }
}

/// Returns when `stop` is true or nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A span of the machine's time as a span on the feed's clock.
fn on_clock(clock: Clock, span: Duration) -> Duration {
    span.saturating_mul(clock.speed())
}
