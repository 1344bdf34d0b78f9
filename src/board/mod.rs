//! The published picture: what the display shows, the sound plays and the supervisor watches.
//!
//! The engine thread swaps in one immutable [`Board`]; readers take the newest and nobody can hold
//! the engine up. Ages and countdowns are computed by the reader from moments, so that a board that
//! is not replaced still grows old visibly.

mod picture;
mod session;

pub use picture::{cue, picture};
pub use session::{DrugView, ScoreView, SelfTestView, SessionView};

use crate::engine::{AudioState, FeedState, HealthItem, LimitSource, Loudness, Sounding};
use crate::observation::DeviceTime;
use crate::vocabulary::{
    AlarmClass, Cause, Decimal, Moment, Now, Parameter, ParameterId, Phase, Priority, Reading,
    Rule, WallTime,
};
use arc_swap::ArcSwap;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// An event's time on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// For durations.
    pub moment: Moment,
    /// For people.
    pub wall: WallTime,
}

/// The limits that judge a parameter now (the outermost alarm limits of any priority).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsView {
    /// Below this alarms.
    pub low: Option<Decimal>,
    /// Above this alarms.
    pub high: Option<Decimal>,
    /// Where they come from.
    pub source: Option<LimitSource>,
    /// Whether a limit can never trip and is shown as OFF.
    pub off: bool,
}

/// One number on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VitalView {
    /// What.
    pub parameter: ParameterId,
    /// The number or why there is none.
    pub reading: Reading,
    /// When it was measured, by the device.
    pub measured_at: Option<DeviceTime>,
    /// When we received it.
    pub received_at: Stamp,
    /// How old it was when we received it.
    pub age_at_receipt: Duration,
    /// Whether the feed's silence time has passed: shown as `--` with LAST VALUE.
    pub stale: bool,
    /// The feed.
    pub feed: Arc<str>,
    /// The limits that judge it now.
    pub limits: LimitsView,
    /// Whether this is the source that the alarms judge (another feed may give it too).
    pub judged: bool,
    /// Whether its feed's protocol is made to be looked at only, and no source for alarms alone.
    pub display_grade: bool,
}

/// The state of an alarm on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmStateView {
    /// Sounding, unless paused.
    Active,
    /// Acknowledged.
    Acknowledged,
    /// Over, but high: waits for an acknowledgement.
    Returned,
}

/// One alarm on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmView {
    /// The occurrence's number.
    pub id: u64,
    /// The rule.
    pub rule: Rule,
    /// The parameter.
    pub parameter: Option<Parameter>,
    /// Physiological or technical.
    pub class: AlarmClass,
    /// The priority now.
    pub priority: Priority,
    /// The highest priority so far.
    pub peak: Priority,
    /// Where it stands.
    pub state: AlarmStateView,
    /// Since when.
    pub since: Stamp,
    /// Who acknowledged it, while it is acknowledged; `unnamed` when nobody said.
    pub acknowledged_by: Option<Arc<str>>,
    /// One line for the nurse.
    pub text: String,
    /// Rule, value, limit and its source, delay, feed, age: everything that explains it.
    pub explanation: Value,
}

/// One feed on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedView {
    /// The name.
    pub name: Arc<str>,
    /// The transport as the engine knows it.
    pub state: FeedState,
    /// Whether its silence time has passed.
    pub silent: bool,
    /// The last sign of life.
    pub last_data: Option<Moment>,
}

/// The sound as decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioView {
    /// What is audible.
    pub sounding: Sounding,
    /// Whether it is paused.
    pub state: AudioState,
    /// Until when it is paused.
    pub pause_until: Option<Moment>,
}

/// A recent event for the list on the page (alarm marks, phases, notes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventView {
    /// Its place in the journal.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// In words.
    pub text: String,
}

/// The whole picture at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// When the engine made it.
    pub made: Stamp,
    /// The bed's name.
    pub bed: Arc<str>,
    /// How many times faster than life the demo runs; `None` outside the demo.
    pub demo: Option<u32>,
    /// The phase.
    pub phase: Phase,
    /// The session, if one is open.
    pub session: Option<SessionView>,
    /// The numbers, in catalogue order.
    pub vitals: Vec<VitalView>,
    /// Until when the patient is away.
    pub away_until: Option<Moment>,
    /// Until when alarms of the pleth are held because a cuff on the same arm measures.
    pub held_until: Option<Moment>,
    /// The alarms, most urgent first.
    pub alarms: Vec<AlarmView>,
    /// The sound.
    pub audio: AudioView,
    /// The feeds.
    pub feeds: Vec<FeedView>,
    /// The next task and when it is due.
    pub next_task: Option<(String, Moment)>,
    /// When the next cuff reading is due.
    pub cuff_due: Option<Moment>,
    /// The profile's name, always visible.
    pub profile: Arc<str>,
    /// The newest self-test of lamps and sounds.
    pub self_test: Option<SelfTestView>,
    /// The newest events.
    pub recent: Vec<EventView>,
    /// The newest sequence number.
    pub seq: u64,
}

/// What a sound thread needs to know, packed into one atomic number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cue {
    /// What is audible.
    pub sounding: Sounding,
    /// The melody's family: the rule that sounds.
    pub rule: Option<Rule>,
    /// Loudness steps above the first.
    pub loudness: Loudness,
    /// Grows whenever a low alarm asks for its one tone again.
    pub turn: u16,
}

impl Cue {
    /// The number that stands for this cue.
    pub fn pack(self) -> u64 {
        let sounding = match self.sounding {
            Sounding::None => 0_u64,
            Sounding::Low => 1,
            Sounding::Medium => 2,
            Sounding::High => 3,
        };
        let rule = self
            .rule
            .and_then(|rule| Rule::ALL.iter().position(|&known| known == rule))
            .and_then(|place| u8::try_from(place + 1).ok())
            .unwrap_or(0);
        sounding
            | u64::from(rule) << 8
            | u64::from(self.loudness) << 16
            | u64::from(self.turn) << 24
    }

    /// The cue that the number stands for.
    pub fn unpack(number: u64) -> Self {
        let [sounding, rule, loudness, turn_low, turn_high, ..] = number.to_le_bytes();
        Self {
            sounding: match sounding {
                0 => Sounding::None,
                1 => Sounding::Low,
                2 => Sounding::Medium,
                _ => Sounding::High,
            },
            rule: usize::from(rule)
                .checked_sub(1)
                .and_then(|place| Rule::ALL.get(place).copied()),
            loudness,
            turn: u16::from_le_bytes([turn_low, turn_high]),
        }
    }
}

/// Counters of one feed, kept by its own task.
#[derive(Debug, Default)]
pub struct FeedCounters {
    /// Bytes received.
    pub bytes: AtomicU64,
    /// Good frames.
    pub frames: AtomicU64,
    /// Observations.
    pub observations: AtomicU64,
    /// Faults of every kind.
    pub faults: AtomicU64,
    /// Readings overwritten because the engine's queue was full.
    pub overwritten: AtomicU64,
    /// Connections opened.
    pub opened: AtomicU64,
    /// Messages of other beds or devices, acknowledged and not adopted.
    pub not_ours: AtomicU64,
    /// Bytes that belonged to no good frame.
    pub discarded: AtomicU64,
    /// Connections and datagrams turned away: of senders that are not allowed or do not agree on TLS,
    /// and connections that are too many.
    pub refused: AtomicU64,
    /// Pieces of waves that journal and screen could not take.
    pub waves_dropped: AtomicU64,
}

/// The health of one part, as its own thread knows it.
#[derive(Debug)]
pub struct HealthFlag(AtomicBool);

impl HealthFlag {
    /// Says how it is.
    pub fn set(&self, ok: bool) {
        self.0.store(ok, Ordering::Release);
    }

    /// How it is.
    pub fn ok(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Default for HealthFlag {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

/// Health of our own parts for the screen; the alarms about them come from the engine.
#[derive(Debug, Default)]
pub struct Status {
    journal: HealthFlag,
    damaged: HealthFlag,
    disk: HealthFlag,
    sound: HealthFlag,
    display: HealthFlag,
    queue_full: HealthFlag,
    clock: HealthFlag,
    /// The newest committed sequence number.
    pub committed: AtomicU64,
    /// Difference between the newest board's sequence number and the committed one, for `/metrics`.
    pub journal_backlog: AtomicI64,
    /// Entries that were dropped because the journal's list was full.
    pub journal_dropped: AtomicU64,
    /// Counters by feed, in the order of the configuration.
    pub feeds: Vec<(Arc<str>, FeedCounters)>,
}

impl Status {
    /// A status for these feeds.
    pub fn new(feeds: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self {
            feeds: feeds
                .into_iter()
                .map(|name| (name, FeedCounters::default()))
                .collect(),
            ..Self::default()
        }
    }

    /// The flag of one part.
    pub const fn health(&self, item: HealthItem) -> &HealthFlag {
        match item {
            HealthItem::Journal => &self.journal,
            HealthItem::Damaged => &self.damaged,
            HealthItem::Disk => &self.disk,
            HealthItem::Sound => &self.sound,
            HealthItem::Display => &self.display,
            HealthItem::QueueFull => &self.queue_full,
            HealthItem::Clock => &self.clock,
        }
    }
}

/// A test of the sound that a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestSound {
    /// Grows with every test.
    pub turn: u32,
    /// Which burst.
    pub priority: Priority,
}

/// The meeting place of the engine thread and everybody who only looks.
#[derive(Debug)]
pub struct Published {
    board: ArcSwap<Board>,
    cue: AtomicU64,
    /// The newest test of the sound: its turn times four, and its priority. 0 before the first.
    test: AtomicU32,
    progress: AtomicU64,
    connections: AtomicU32,
}

impl Default for Published {
    fn default() -> Self {
        Self {
            board: ArcSwap::from_pointee(Board::default()),
            cue: AtomicU64::new(0),
            test: AtomicU32::new(0),
            progress: AtomicU64::new(0),
            connections: AtomicU32::new(0),
        }
    }
}

impl Published {
    /// The newest board.
    pub fn board(&self) -> Arc<Board> {
        self.board.load_full()
    }

    /// Swaps in a new board (engine thread only).
    pub fn publish(&self, board: Board) {
        self.board.store(Arc::new(board));
    }

    /// What is to be heard.
    pub fn cue(&self) -> Cue {
        Cue::unpack(self.cue.load(Ordering::Acquire))
    }

    /// Says what is to be heard (engine thread only); set before the board is made.
    pub fn set_cue(&self, cue: Cue) {
        self.cue.store(cue.pack(), Ordering::Release);
    }

    /// Asks for one burst of this priority, to be heard by a person. An alarm comes first: the sound
    /// thread plays it only while nothing else sounds.
    pub fn ask_for_test(&self, priority: Priority) {
        let code = match priority {
            Priority::Low => 1,
            Priority::Medium => 2,
            Priority::High => 3,
        };
        let turn = |packed: u32| (packed & !3).wrapping_add(4) | code;
        // Every value is replaced, so this never fails.
        let _ = self
            .test
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |packed| {
                Some(turn(packed))
            });
    }

    /// The newest test that was asked for.
    pub fn test(&self) -> Option<TestSound> {
        let packed = self.test.load(Ordering::Acquire);
        let priority = match packed & 3 {
            0 => return None,
            1 => Priority::Low,
            2 => Priority::Medium,
            _ => Priority::High,
        };
        Some(TestSound {
            turn: packed >> 2,
            priority,
        })
    }

    /// How often the engine thread has gone round.
    pub fn progress(&self) -> u64 {
        self.progress.load(Ordering::Acquire)
    }

    /// The engine thread went round.
    pub fn advance(&self) {
        self.progress.fetch_add(1, Ordering::Release);
    }

    /// How many display pages that hold the token are connected.
    pub fn displays(&self) -> &AtomicU32 {
        &self.connections
    }
}

fn seconds(span: Duration) -> Decimal {
    Decimal::new(i64::try_from(span.as_millis() / 100).unwrap_or(i64::MAX), 1)
}

impl Board {
    /// The board as the contract writes it, at the reader's `now`.
    pub fn to_json(&self, now: Now, status: &Status) -> Value {
        let left = |until: Option<Moment>| until.map(|end| seconds(end.since(now.moment)));
        json!({
            "bed": self.bed,
            "now": now.wall.rfc3339(),
            "demo": self.demo,
            "phase": self.phase,
            "profile": self.profile,
            "self_test": self.self_test.as_ref().map(|test| json!({
                "done_at": test.done_at.wall.rfc3339(),
                "by": test.by,
                "lamps": test.lamps,
                "sounds": test.sounds,
            })),
            "session": self.session.as_ref().map(|session| session.to_json(now)),
            "vitals": self.vitals.iter().map(|vital| vital.to_json(now)).collect::<Vec<_>>(),
            "away_left_s": left(self.away_until),
            "pleth_held_left_s": left(self.held_until),
            "alarms": self.alarms.iter().map(AlarmView::to_json).collect::<Vec<_>>(),
            "audio": {
                "state": self.audio.state,
                "sounding": self.audio.sounding,
                "pause_left_s": left(self.audio.pause_until),
            },
            "feeds": self.feeds.iter().map(|feed| {
                let faults = status.feeds.iter().find(|(name, _)| *name == feed.name)
                    .map_or(0, |(_, counters)| counters.faults.load(Ordering::Relaxed));
                json!({
                    "name": feed.name,
                    "state": if feed.silent { FeedState::Lost } else { feed.state },
                    "last_data_age_s": feed.last_data.map(|at| seconds(now.moment.since(at))),
                    "faults": faults,
                })
            }).collect::<Vec<_>>(),
            "health": {
                "journal": status.health(HealthItem::Journal).ok(),
                "disk": status.health(HealthItem::Disk).ok(),
                "sound": status.health(HealthItem::Sound).ok(),
                "display": status.health(HealthItem::Display).ok(),
            },
            "next_task": self.next_task.as_ref().map(|(text, due)| json!({
                "text": text,
                "due_at": now.wall_at(*due).rfc3339(),
                "due_in_s": seconds(due.since(now.moment)),
                "overdue": *due < now.moment,
            })),
            "cuff_due_in_s": self.cuff_due.map(|due| seconds(due.since(now.moment))),
            "recent": self.recent.iter().map(|event| json!({
                "seq": event.seq, "at": event.at.wall.rfc3339(), "text": event.text,
            })).collect::<Vec<_>>(),
            "seq": self.seq,
        })
    }
}

impl VitalView {
    fn to_json(&self, now: Now) -> Value {
        let (value, validity, cause) = if self.stale {
            (None, "invalid", Some(Cause::Old))
        } else {
            (
                self.reading.value(),
                self.reading.validity().name(),
                self.reading.cause(),
            )
        };
        json!({
            "parameter": self.parameter,
            "value": value,
            "unit": self.parameter.known().map(|parameter| parameter.unit().name()),
            "validity": validity,
            "cause": cause,
            "measured_at": self.measured_at.map(DeviceTime::iso8601),
            "received_at": self.received_at.wall.rfc3339(),
            "age_s": seconds(self.age_at_receipt + now.moment.since(self.received_at.moment)),
            "feed": self.feed,
            "judged": self.judged,
            "display_grade": self.display_grade,
            "limits": {
                "low": self.limits.low,
                "high": self.limits.high,
                "source": self.limits.source,
                "off": self.limits.off,
            },
        })
    }
}

impl AlarmView {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "rule": self.rule,
            "parameter": self.parameter,
            "class": self.class,
            "priority": self.priority,
            "peak": self.peak,
            "state": self.state,
            "since": self.since.wall.rfc3339(),
            "acknowledged_by": self.acknowledged_by,
            "text": self.text,
            "explanation": self.explanation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_survives_packing() {
        for sounding in [
            Sounding::None,
            Sounding::Low,
            Sounding::Medium,
            Sounding::High,
        ] {
            for rule in [None, Some(Rule::Spo2Low), Some(Rule::Pump)] {
                let cue = Cue {
                    sounding,
                    rule,
                    loudness: 2,
                    turn: 513,
                };
                assert_eq!(Cue::unpack(cue.pack()), cue);
            }
        }
    }

    #[test]
    fn a_board_that_is_not_replaced_grows_old_visibly() {
        let board = Board {
            vitals: vec![VitalView {
                parameter: Parameter::Spo2.into(),
                reading: Reading::Valid(Decimal::whole(97)),
                measured_at: None,
                received_at: Stamp::default(),
                age_at_receipt: Duration::from_secs(1),
                stale: false,
                feed: "oximeter".into(),
                limits: LimitsView::default(),
                judged: true,
                display_grade: false,
            }],
            ..Board::default()
        };
        let now = Now {
            moment: Moment::from_secs(4),
            wall: WallTime::default(),
        };
        let json = board.to_json(now, &Status::default());
        assert_eq!(json["vitals"][0]["age_s"].to_string(), "5.0");
    }
}
