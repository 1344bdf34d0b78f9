//! What the sessions of a feed say, sent to where it belongs.
//!
//! Order: readings, alerts and states are offered to the engine first; only then waves, counters, the
//! log and the capture are touched. Between bytes decoded and offer nothing blocks and no lock is taken. Readings of another bed or device go nowhere: they are counted,
//! and their sender gets its acknowledgement all the same.

use super::capture::Capture;
use super::conversation::Conversation;
use super::outlet::Outlet;
use super::plan::{FeedPlan, Ports, WaveSink};
use super::repeats::Repeats;
use crate::board::{FeedCounters, Status};
use crate::configuration::{Content, Ours};
use crate::engine::{FeedId, FeedState, Input};
use crate::observation::{Identity, Wave};
use crate::protocol::{Event, Events, Fault, Medium};
use crate::vocabulary::{Moment, Now};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{debug, info, warn};

/// A sign of life is passed on at most this often.
const ALIVE_PACE: Duration = Duration::from_secs(1);

/// The journal's answer to one connection's question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) connection: u32,
    pub(super) serial: u64,
    pub(super) durable: bool,
}

/// What all connections of a feed share.
pub(super) struct Dispatch {
    name: Arc<str>,
    /// `None` for a feed that is only recorded.
    id: Option<FeedId>,
    ours: Ours,
    outlet: Outlet,
    waves: Arc<dyn WaveSink>,
    status: Arc<Status>,
    place: usize,
    commit_limit: Duration,
    answers: UnboundedSender<Answer>,
    capture: Option<Capture>,
    state: Option<FeedState>,
    /// The identity that the engine was told last.
    announced: Option<Identity>,
    alive: Option<Moment>,
    /// A frame came with what is being sorted: without one nothing said is a sign of life.
    framed: bool,
    faults: Repeats<Fault>,
    refused: Repeats<IpAddr>,
    later: Events,
}

impl Dispatch {
    /// The desk of one feed. `commit_limit` is on the feed's clock.
    pub(super) fn new(
        plan: &FeedPlan,
        ports: &Ports,
        commit_limit: Duration,
        answers: UnboundedSender<Answer>,
    ) -> Self {
        let name = Arc::clone(&plan.feed.name);
        let (id, ours) = match &plan.feed.content {
            Content::Monitored(monitored) => (Some(monitored.id), monitored.ours.clone()),
            Content::Recorded => (None, Ours::default()),
        };
        let capture = plan.feed.capture.clone().and_then(|path| {
            Capture::start(&name, path)
                .inspect_err(|error| warn!(feed = %name, %error, "no thread for the capture"))
                .ok()
        });
        Self {
            id,
            ours,
            outlet: Outlet::new(
                ports.inbox.clone(),
                Arc::clone(&ports.overload),
                Arc::clone(&ports.status),
                Arc::clone(&name),
            ),
            name,
            waves: Arc::clone(&ports.waves),
            status: Arc::clone(&ports.status),
            place: plan.place,
            commit_limit,
            answers,
            capture,
            state: None,
            announced: None,
            alive: None,
            framed: false,
            faults: Repeats::new(),
            refused: Repeats::new(),
            later: Events::new(),
        }
    }

    /// Whether the transport may be read.
    pub(super) fn may_read(&self) -> bool {
        self.outlet.may_read()
    }

    /// Whether something waits for room in the engine's queue.
    pub(super) fn is_waiting(&self) -> bool {
        self.outlet.is_waiting()
    }

    /// When [`Dispatch::tend`] has something to do.
    pub(super) fn due(&self) -> Option<Moment> {
        [self.outlet.due(), self.faults.due(), self.refused.due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Offers what waits, and says once a minute what happened repeatedly.
    pub(super) fn tend(&mut self, now: Now) {
        self.outlet.tend(now);
        for (fault, count) in self.faults.sum_up(now.moment) {
            warn!(feed = %self.name, fault = fault.name(), count, "faults on the wire, last minute");
        }
        for (peer, count) in self.refused.sum_up(now.moment) {
            warn!(feed = %self.name, %peer, count, "sender not in allow, last minute");
        }
    }

    /// The transport opened or closed; the engine hears of changes only.
    pub(super) fn transport(&mut self, now: Now, state: FeedState, why: &str) {
        if self.state.replace(state) == Some(state) {
            debug!(feed = %self.name, why, "feed still lost");
            return;
        }
        if let Some(feed) = self.id {
            self.outlet.put(now, Input::Feed { feed, state });
        }
        match state {
            FeedState::Ok => info!(feed = %self.name, "feed open"),
            FeedState::Lost => warn!(feed = %self.name, error = why, "feed lost"),
        }
    }

    /// A connection was opened.
    pub(super) fn opened(&self) {
        self.add(|counters| &counters.opened, 1);
    }

    /// A connection of a listening feed ended.
    pub(super) fn closed(&self, connection: u32, why: &str) {
        debug!(feed = %self.name, connection, why, "connection closed");
    }

    /// A sender that is not allowed was turned away.
    pub(super) fn refused(&mut self, now: Now, peer: IpAddr) {
        self.add(|counters| &counters.refused, 1);
        if self.refused.note(now.moment, peer) {
            warn!(feed = %self.name, %peer, "sender not in allow, turned away");
        }
    }

    /// Bytes came in: to be called after [`Dispatch::take`] for the same bytes.
    pub(super) fn received(&mut self, now: Now, medium: Medium, connection: u32, bytes: &[u8]) {
        self.add(|counters| &counters.bytes, length(bytes.len()));
        if !bytes.is_empty() {
            self.keep(now, medium, connection, bytes);
        }
    }

    /// Writes a piece to the capture, if there is one; an empty piece is the end of its connection.
    pub(super) fn keep(&mut self, now: Now, medium: Medium, connection: u32, bytes: &[u8]) {
        let kept = self.capture.as_mut().map_or(Ok(()), |capture| {
            capture.keep(now.moment, medium, connection, bytes)
        });
        if let Err(left_out) = kept
            && left_out.is_power_of_two()
        {
            warn!(feed = %self.name, left_out, "capture cannot keep up, pieces left out");
        }
    }

    /// Sorts what a session said. `events` is empty afterwards.
    pub(super) fn take(&mut self, now: Now, conversation: &mut Conversation, events: &mut Events) {
        let (mut frames, mut observations) = (0, 0);
        self.framed = false;
        for event in events.drain(..) {
            match event {
                Event::Frame => {
                    frames += 1;
                    self.framed = true;
                    conversation.frame_refused = false;
                    if !self.ours.is_restricted() {
                        self.sign_of_life(now);
                    }
                }
                Event::Identity(identity) => {
                    conversation.identity = Some(identity);
                    if self.ours.is_restricted() && self.is_ours(conversation, Ours::takes_readings)
                    {
                        self.sign_of_life(now);
                    }
                }
                Event::Observation(observation) => {
                    if let Some(feed) = self.addressed(now, conversation, Ours::takes_readings) {
                        observations += 1;
                        self.put(now, Input::Reading { feed, observation });
                    }
                }
                Event::DeviceAlert(alert) => {
                    if let Some(feed) = self.addressed(now, conversation, Ours::takes_alerts) {
                        self.put(now, Input::DeviceAlert { feed, alert });
                    }
                }
                Event::PumpEvent(event) => {
                    if let Some(feed) = self.addressed(now, conversation, Ours::takes_pump) {
                        self.put(now, Input::Pump { feed, event });
                    }
                }
                Event::AwaitCommit(token) => {
                    let deadline = now.moment.after(self.commit_limit);
                    let serial = conversation.await_commit(token, deadline);
                    let (answers, connection) = (self.answers.clone(), conversation.number);
                    let reply = move |durable| {
                        let _ = answers.send(Answer {
                            connection,
                            serial,
                            durable,
                        });
                    };
                    self.outlet.barrier(now, Box::new(reply));
                }
                Event::Send(bytes) => conversation.send(bytes),
                Event::Wave(_) if !self.is_ours(conversation, Ours::takes_readings) => {
                    self.refuse_frame(conversation);
                }
                Event::Wave(_) | Event::Fault(_) | Event::Discarded(_) => self.later.push(event),
            }
        }
        self.add(|counters| &counters.frames, frames);
        self.add(|counters| &counters.observations, observations);
        self.take_later(now);
    }

    /// What may wait until the engine has its readings.
    fn take_later(&mut self, now: Now) {
        let mut later = std::mem::take(&mut self.later);
        for event in later.drain(..) {
            match event {
                Event::Wave(chunk) => {
                    let feed = Arc::clone(&self.name);
                    let received = now;
                    if !self.waves.offer(Wave {
                        feed,
                        received,
                        chunk,
                    }) {
                        self.add(|counters| &counters.waves_dropped, 1);
                    }
                }
                Event::Fault(fault) => {
                    self.add(|counters| &counters.faults, 1);
                    if self.faults.note(now.moment, fault) {
                        warn!(feed = %self.name, fault = fault.name(), "fault on the wire");
                    }
                }
                Event::Discarded(bytes) => self.add(|counters| &counters.discarded, bytes),
                Event::Frame
                | Event::Identity(_)
                | Event::Observation(_)
                | Event::DeviceAlert(_)
                | Event::PumpEvent(_)
                | Event::AwaitCommit(_)
                | Event::Send(_) => {}
            }
        }
        self.later = later;
    }

    fn is_ours(
        &self,
        conversation: &Conversation,
        takes: fn(&Ours, Option<&Identity>) -> bool,
    ) -> bool {
        takes(&self.ours, conversation.identity.as_ref())
    }

    /// Counts a message that is not ours, once.
    fn refuse_frame(&self, conversation: &mut Conversation) {
        if !std::mem::replace(&mut conversation.frame_refused, true) {
            self.add(|counters| &counters.not_ours, 1);
        }
    }

    /// The feed's number if what comes now is for the engine; then its identity was announced before
    /// it, if that changed.
    fn addressed(
        &mut self,
        now: Now,
        conversation: &mut Conversation,
        takes: fn(&Ours, Option<&Identity>) -> bool,
    ) -> Option<FeedId> {
        let feed = self.id?;
        if !self.is_ours(conversation, takes) {
            self.refuse_frame(conversation);
            return None;
        }
        if self.ours.is_restricted() {
            self.sign_of_life(now);
        }
        if let Some(told) = &conversation.identity {
            // A monitor and its pump, both known by name, take turns on one feed: that is no change.
            let device = if self.ours.device.is_some() && self.ours.pump.is_some() {
                None
            } else {
                told.device.clone()
            };
            let identity = Identity {
                bed: told.bed.clone(),
                device,
                patient: told.patient.clone(),
            };
            if self.announced.as_ref() != Some(&identity) {
                self.announced = Some(identity.clone());
                self.put(now, Input::Identity { feed, identity });
            }
        }
        Some(feed)
    }

    fn sign_of_life(&mut self, now: Now) {
        if !self.framed {
            return;
        }
        let fresh = self
            .alive
            .is_some_and(|last| now.moment.since(last) < ALIVE_PACE);
        if let (Some(feed), false) = (self.id, fresh) {
            self.alive = Some(now.moment);
            self.put(now, Input::Alive { feed });
        }
    }

    fn put(&mut self, now: Now, input: Input) {
        let overwritten = self.outlet.put(now, input);
        self.add(|counters| &counters.overwritten, overwritten);
    }

    fn add(&self, counter: fn(&FeedCounters) -> &AtomicU64, count: u64) {
        if let (true, Some((_, counters))) = (count > 0, self.status.feeds.get(self.place)) {
            counter(counters).fetch_add(count, Ordering::Relaxed);
        }
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
