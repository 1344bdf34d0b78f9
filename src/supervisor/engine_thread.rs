//! The one thread that owns the engine.
//!
//! It sleeps on the inbox and on the engine's next deadline, so silence is noticed without input and
//! at the exact time. It never logs, never touches a disk and holds no lock: records go to the journal
//! through a list that cannot block, the sound's cue is one atomic number, the picture one swapped
//! pointer.

use crate::board::{Published, cue, picture};
use crate::clock::Clock;
use crate::engine::{
    Command, Engine, FeedId, FeedState, HealthItem, Input, Numbered, Setup, Taken,
};
use crate::inbox::{CommandAnswer, CommandReply, Delivery};
use crate::journal::{Body, Entry, Job, Outlet};
use crate::vocabulary::Now;
use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The thread goes round at least this often, so that its progress proves that it lives.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);

/// Deliveries taken before the picture is published again.
const BATCH: usize = 256;

/// What the thread is started with.
pub(super) struct EngineThread {
    /// The engine, restored.
    pub(super) engine: Engine,
    /// The queue.
    pub(super) inbox: Receiver<Delivery>,
    /// The journal's near end.
    pub(super) outlet: Outlet,
    /// Where the picture and the cue go.
    pub(super) published: Arc<Published>,
    /// What the next session is judged with.
    pub(super) setup: Arc<ArcSwap<Setup>>,
    /// The number of the next session.
    pub(super) next_session: i64,
    /// The time.
    pub(super) clock: Clock,
    /// The bed's name.
    pub(super) bed: Arc<str>,
    /// The demo's speed.
    pub(super) demo: Option<u32>,
    /// What a fresh engine must be told again when a session opens.
    pub(super) standing: Standing,
    /// Set once everybody who feeds the inbox has ended.
    pub(super) stop: Arc<AtomicBool>,
    /// What the journal gets as soon as everything that waits is judged: passing it on wakes another thread,
    /// which must not come between a frame's readings and their alarm.
    pub(super) decided: Vec<Job>,
}

/// The newest state of every feed and of every part of ours. A session begins with a fresh engine, and its
/// replay with its opening: both must know what was wrong before.
#[derive(Debug, Default)]
pub(super) struct Standing {
    feeds: BTreeMap<FeedId, FeedState>,
    health: BTreeMap<HealthItem, (bool, Option<Arc<str>>)>,
}

impl Standing {
    fn note(&mut self, input: &Input) {
        match input {
            Input::Feed { feed, state } => {
                self.feeds.insert(*feed, *state);
            }
            // The damaged file belongs to the past; the engine knows whether somebody has seen its alarm.
            Input::Health {
                what: HealthItem::Damaged,
                ..
            } => {}
            Input::Health { what, ok, detail } => {
                self.health.insert(*what, (*ok, detail.clone()));
            }
            Input::Started(_)
            | Input::CarryOver(_)
            | Input::Open { .. }
            | Input::Command(_)
            | Input::Reading { .. }
            | Input::DeviceAlert { .. }
            | Input::Pump { .. }
            | Input::Identity { .. }
            | Input::Alive { .. }
            | Input::FeedDeclared { .. }
            | Input::Tick => {}
        }
    }

    fn inputs(&self) -> Vec<Input> {
        let feeds = self.feeds.iter().map(|(feed, state)| Input::Feed {
            feed: *feed,
            state: *state,
        });
        let health = self
            .health
            .iter()
            .map(|(what, (ok, detail))| Input::Health {
                what: *what,
                ok: *ok,
                detail: detail.clone(),
            });
        feeds.chain(health).collect()
    }
}

impl EngineThread {
    /// Runs until it is asked to stop and the inbox is drained.
    pub(super) fn run(mut self) {
        let mut records = Vec::new();
        loop {
            let sleep = self.engine.next_deadline().map_or(LONGEST_SLEEP, |due| {
                self.clock.real_wait(due).min(LONGEST_SLEEP)
            });
            match self.inbox.recv_timeout(sleep) {
                Ok(delivery) => {
                    self.take(delivery, &mut records);
                    for _ in 1..BATCH {
                        match self.inbox.try_recv() {
                            Ok(delivery) => self.take(delivery, &mut records),
                            Err(_) => break,
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Acquire) => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.clock.now();
            self.step(now, Input::Tick, &mut records);
            for job in self.decided.drain(..) {
                self.outlet.push(job);
            }
            self.show(now);
            self.published.advance();
        }
    }

    /// Publishes how everything stands. Also before the thread runs: an alarm that was restored sounds and is
    /// seen at once, not when something next happens to it.
    pub(super) fn show(&self, now: Now) {
        self.published.set_cue(cue(&self.engine));
        self.published
            .publish(picture(&self.engine, now, self.bed.clone(), self.demo));
    }

    fn take(&mut self, delivery: Delivery, records: &mut Vec<Numbered>) {
        match delivery {
            Delivery::Input { received, input } => {
                self.step(received, input, records);
            }
            Delivery::Command {
                received,
                command,
                reply,
            } => {
                self.command(received, *command, reply, records);
            }
            Delivery::Barrier(reply) => self.decided.push(Job::Barrier(reply)),
        }
    }

    fn command(
        &mut self,
        received: Now,
        command: Command,
        reply: CommandReply,
        records: &mut Vec<Numbered>,
    ) {
        let (opening, input) = if let Command::OpenSession(about) = command {
            let open = Input::Open {
                session: self.next_session,
                about: Box::new(about),
                setup: self.setup.load_full(),
            };
            (true, open)
        } else {
            (false, Input::Command(Box::new(command)))
        };
        let damage = self.engine.unseen_damage();
        let taken = self.step(received, input, records);
        if opening && taken.refused.is_none() {
            self.next_session += 1;
            let damage = damage.map(|detail| Input::Health {
                what: HealthItem::Damaged,
                ok: false,
                detail: Some(detail),
            });
            for input in self.standing.inputs().into_iter().chain(damage) {
                self.step(received, input, records);
            }
        }
        reply(match taken.refused {
            None => CommandAnswer::Done {
                seq: taken.seq,
                left: taken.left,
            },
            Some((error, hint)) => CommandAnswer::Refused {
                seq: taken.seq,
                error,
                hint,
            },
        });
    }

    /// Steps the engine, says at once what is to be heard, and keeps input and records for the journal in
    /// the order of their numbers.
    fn step(&mut self, now: Now, input: Input, records: &mut Vec<Numbered>) -> Taken {
        let before = self.engine.session();
        self.standing.note(&input);
        let taken = self.engine.step(now, &input, records);
        if !records.is_empty() {
            self.published.set_cue(cue(&self.engine));
        }
        let sessions = (before, self.engine.session());
        journaled(now, sessions, &taken, input, records, |entry| {
            self.decided.push(Job::Entry(entry));
        });
        taken
    }
}

/// Passes one step to the journal: records of deadlines, the input, its records, by their numbers. What
/// comes before the input belongs to the session before it; the rest to the one it opens, or still to
/// the one it closes.
pub(super) fn journaled(
    now: Now,
    (before, after): (Option<i64>, Option<i64>),
    taken: &Taken,
    input: Input,
    records: &mut Vec<Numbered>,
    mut pass: impl FnMut(Entry),
) {
    let session = before.or(after);
    let own = Entry {
        seq: taken.seq,
        at: taken.at,
        wall: now.wall,
        session,
        body: Body::Input(input),
    };
    // A tick has no number and is not journaled.
    let mut own = (taken.seq != 0).then_some(own);
    for numbered in records.drain(..) {
        if numbered.seq > taken.seq
            && let Some(own) = own.take()
        {
            pass(own);
        }
        pass(Entry {
            seq: numbered.seq,
            at: numbered.at,
            wall: numbered.wall,
            session: if numbered.seq < taken.seq {
                before
            } else {
                session
            },
            body: Body::Record(numbered.record, numbered.late),
        });
    }
    if let Some(own) = own {
        pass(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        AudioRecord, FeedSetup, Loudness, OpenSession, Record, Setup, Sounding, Started,
    };
    use crate::journal::{Journal, Start, Watcher};
    use crate::observation::{Identity, Observation};
    use crate::profile::SHIPPED;
    use crate::vocabulary::{Decimal, Moment, Parameter, Reading, WallTime};

    struct Quiet;

    impl Watcher for Quiet {
        fn committed(&self, _: u64) {}
        fn waiting(&self, _: usize, _: u64) {}
        fn health(&self, _: HealthItem, _: bool, _: &str) {}
    }

    /// An infusion in which a cuff reading of 190 mmHg has begun a high alarm.
    fn in_alarm(now: Now) -> Engine {
        let setup = Arc::new(Setup {
            profile: SHIPPED.into(),
            feeds: vec![FeedSetup {
                name: "monitor".into(),
                protocol: "hl7-mllp".into(),
                silence: Duration::from_secs(10),
                cadence: Duration::from_secs(1),
                parameters: Vec::new(),
                ours: Identity::default(),
            }],
            ..Setup::default()
        });
        let value = Reading::Valid(Decimal::whole(190));
        let story = [
            Input::Started(Started {
                boot: "boot".into(),
                wall: now.wall,
                down_for: None,
                setup: Arc::clone(&setup),
            }),
            Input::Open {
                session: 1,
                about: Box::new(OpenSession::default()),
                setup,
            },
            Input::Command(Box::new(Command::StartInfusion { over: None })),
            Input::Reading {
                feed: FeedId(0),
                observation: Observation::new(Parameter::NibpSys, value),
            },
        ];
        let mut engine = Engine::new(0);
        for input in &story {
            engine.step(now, input, &mut Vec::new());
        }
        engine
    }

    #[test]
    fn a_restored_alarm_sounds_and_is_seen_before_anything_happens() {
        let clock = Clock::real();
        let now = clock.now();
        let folder = tempfile::tempdir().unwrap();
        let start = Start::new("boot".into(), now, true, SHIPPED.into());
        let journal = Journal::open(&folder.path().join("journal.db"), start).unwrap();
        let (outlet, writer) = journal.start(Box::new(Quiet), |_, _, _| None).unwrap();
        let (_, inbox) = crossbeam_channel::bounded(1);
        let thread = EngineThread {
            engine: in_alarm(now),
            inbox,
            outlet,
            published: Arc::default(),
            setup: Arc::default(),
            next_session: 2,
            clock,
            bed: "Chair 3".into(),
            demo: None,
            standing: Standing::default(),
            stop: Arc::default(),
            decided: Vec::new(),
        };
        let published = Arc::clone(&thread.published);
        assert_eq!(published.cue().sounding, Sounding::None);
        thread.show(now);
        assert_eq!(published.cue().sounding, Sounding::High);
        assert_eq!(published.board().audio.sounding, Sounding::High);
        let board = published.board();
        assert!(
            board
                .alarms
                .iter()
                .any(|alarm| alarm.rule.name() == "sbp-high")
        );
        drop(thread);
        writer.join().unwrap();
    }

    #[test]
    fn what_an_opening_ends_belongs_to_standby() {
        let now = Now {
            moment: Moment::from_secs(5),
            wall: WallTime::from_millis(5_000),
        };
        let taken = Taken {
            seq: 8,
            at: now.moment,
            ..Taken::default()
        };
        let audio = |seq| Numbered {
            seq,
            at: now.moment,
            wall: now.wall,
            late: None,
            record: Record::Audio(AudioRecord {
                sounding: Default::default(),
                state: Default::default(),
                rule: None,
                loudness: Loudness::default(),
            }),
        };
        let input = Input::Open {
            session: 1,
            about: Box::new(OpenSession::default()),
            setup: Arc::new(Setup::default()),
        };
        let mut passed = Vec::new();
        let mut records = vec![audio(7), audio(9)];
        journaled(now, (None, Some(1)), &taken, input, &mut records, |entry| {
            passed.push((entry.seq, entry.session));
        });
        assert_eq!(passed, [(7, None), (8, Some(1)), (9, Some(1))]);
    }
}
