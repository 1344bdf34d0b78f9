//! The engine value itself: time, the order of deadlines, and what becomes of each input.
//!
//! Before an input is taken, every deadline due at or before it fires, each at its own time. At one
//! moment the session's own deadlines come first, then the rules in catalogue order, then re-alarms,
//! then the sound, then the tasks. Judging a rule twice at one moment changes nothing, so the records
//! are a function of the inputs alone, however often the engine is woken in between.

use super::alarms::Alarms;
use super::audio::Audio;
use super::command::Command;
use super::cuff::Due;
use super::evidence::SelfTest;
use super::feeds::Feeds;
use super::input::Input;
use super::recent::Recent;
use super::record::{Numbered, Record, RefusedRecord, TaskRecord};
use super::rules::{self, Dirty, Findings, Health, Noticed, RuleSlot};
use super::session::Session;
use super::verdict::NEVER;
use super::{restart, text};
use crate::profile::{self, Profile};
use crate::vocabulary::{Moment, Now, Rule, WallTime};
use std::sync::Arc;
use std::time::Duration;

/// What became of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The input's own sequence number; 0 for [`Input::Tick`], which has none.
    pub seq: u64,
    /// Engine time of the input.
    pub at: Moment,
    /// For a command: why it was refused and what to do instead.
    pub refused: Option<(String, Option<String>)>,
    /// For an acknowledgement: alarms that stay unacknowledged.
    pub left: Vec<u64>,
}

/// Why something was not done, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why not.
    pub error: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal with its next step.
    pub fn new(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            hint: Some(hint.into()),
        }
    }
}

/// When each rule is to be judged again by itself.
#[derive(Clone, Debug)]
pub struct Deadlines([Moment; Rule::ALL.len()]);

impl Deadlines {
    const NONE: Self = Self([NEVER; Rule::ALL.len()]);

    /// Sets the deadline of a rule.
    #[expect(
        clippy::indexing_slicing,
        reason = "a rule's place is below the number of rules"
    )]
    pub const fn set(&mut self, rule: Rule, at: Moment) {
        self.0[rule as usize] = at;
    }

    fn earliest(&self) -> Moment {
        self.0.iter().copied().min().unwrap_or(NEVER)
    }

    /// Marks the rules that are due and forgets their deadlines: judging sets new ones.
    fn fire(&mut self, now: Moment, dirty: &mut Dirty) {
        for (due, rule) in self.0.iter_mut().zip(Rule::ALL) {
            if *due <= now {
                *due = NEVER;
                dirty.rule(*rule);
            }
        }
    }
}

/// The alarm engine.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) seq: u64,
    pub(super) at: Moment,
    /// Engine time and wall clock of the newest input, for the stamps of deadlines after it.
    pub(super) at_input: Moment,
    pub(super) wall: WallTime,
    /// Engine time minus the caller's clock, in microseconds: not zero after a reboot.
    pub(super) shift: i64,
    pub(super) has_begun: bool,
    /// While deadlines fire that fell into a downtime: when they could be fired at last.
    late_from: Option<Moment>,
    pub(super) profile: Arc<Profile>,
    pub(super) feeds: Feeds,
    pub(super) session: Option<Session>,
    pub(super) slots: Vec<RuleSlot>,
    pub(super) findings: Findings,
    pub(super) noticed: Noticed,
    pub(super) health: Health,
    pub(super) alarms: Alarms,
    pub(super) audio: Audio,
    pub(super) recent: Recent,
    /// The newest self-test of lamps and sounds, which no session ends.
    pub(super) self_test: Option<SelfTest>,
    pub(super) dirty: Dirty,
    pub(super) due: Deadlines,
    due_again: Moment,
    due_audio: Moment,
    due_session: Moment,
    pub(super) task: Option<Due>,
    pub(super) tasks_changed: bool,
    /// A new cuff reading was judged and its repeat must be planned.
    pub(super) cuff_read: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(0)
    }
}

#[expect(
    clippy::expect_used,
    reason = "the shipped profile is part of the program and a test parses it"
)]
fn shipped() -> Profile {
    profile::parse(profile::SHIPPED).expect("the shipped profile is sound")
}

impl Engine {
    /// An engine in standby whose next sequence number is `seq + 1`.
    pub fn new(seq: u64) -> Self {
        Self {
            seq,
            at: Moment::ZERO,
            at_input: Moment::ZERO,
            wall: WallTime::default(),
            shift: 0,
            has_begun: false,
            late_from: None,
            profile: Arc::new(shipped()),
            feeds: Feeds::default(),
            session: None,
            slots: Vec::new(),
            findings: Findings::default(),
            noticed: Noticed::default(),
            health: Health::default(),
            alarms: Alarms::default(),
            audio: Audio::default(),
            recent: Recent::default(),
            self_test: None,
            dirty: Dirty::default(),
            due: Deadlines::NONE,
            due_again: NEVER,
            due_audio: NEVER,
            due_session: NEVER,
            task: None,
            tasks_changed: false,
            cuff_read: false,
        }
    }

    /// Fires every deadline due at or before `now`, each at its own time, then takes `input`. Records
    /// are appended in order; their numbers before the input's belong to the deadlines.
    pub fn step(&mut self, now: Now, input: &Input, records: &mut Vec<Numbered>) -> Taken {
        let at = self.time_of(now, input);
        self.run_until(at, records);
        self.at = at;
        // Only what is journaled tells the wall clock: a tick has none of its own in a replay.
        if !matches!(input, Input::Tick) {
            self.at_input = at;
            self.wall = now.wall;
        }
        self.late_from = None;
        let mut taken = Taken {
            at,
            ..Taken::default()
        };
        let outcome = if matches!(input, Input::Tick) {
            Ok(Vec::new())
        } else {
            self.take(input, records, &mut taken.seq)
        };
        self.settle(records);
        match outcome {
            Ok(left) => taken.left = left,
            Err((command, refusal)) => {
                self.emit(
                    Record::Refused(RefusedRecord {
                        command: command.to_owned(),
                        error: refusal.error.clone(),
                        hint: refusal.hint.clone(),
                    }),
                    records,
                );
                taken.refused = Some((refusal.error, refusal.hint));
            }
        }
        taken
    }

    /// Engine time of an input: never before the last one. A start moves the engine on by the time
    /// that nothing ran; a carry-over goes on at the time of its last record.
    fn time_of(&mut self, now: Now, input: &Input) -> Moment {
        let clock = now.moment.as_micros();
        let at = match input {
            Input::Started(started) if self.has_begun => {
                let at = self.at.after(started.down_for.unwrap_or_default());
                self.late_from = Some(at);
                self.shift = difference(at.as_micros(), clock);
                at
            }
            Input::CarryOver(carry) => {
                let at = restart::engine_time(carry)
                    .unwrap_or(now.moment)
                    .max(self.at);
                self.shift = difference(at.as_micros(), clock);
                at
            }
            Input::Started(_)
            | Input::Open { .. }
            | Input::Command(_)
            | Input::Reading { .. }
            | Input::DeviceAlert { .. }
            | Input::Pump { .. }
            | Input::Identity { .. }
            | Input::Feed { .. }
            | Input::Alive { .. }
            | Input::Health { .. }
            | Input::FeedDeclared { .. }
            | Input::Tick => self.on_engines_clock(now.moment),
        };
        self.has_begun = true;
        at
    }

    fn take(
        &mut self,
        input: &Input,
        records: &mut Vec<Numbered>,
        seq: &mut u64,
    ) -> Result<Vec<u64>, (&'static str, Refusal)> {
        let ready = if let Input::Open { session, setup, .. } = input {
            let ready = self.prepare_open(*session, setup, records);
            Some(ready.map_err(|refusal| (OPEN, refusal)))
        } else {
            None
        };
        self.seq += 1;
        *seq = self.seq;
        match input {
            Input::Started(started) => self.take_start(started, records),
            Input::CarryOver(carry) => self.take_carry_over(carry, records),
            Input::Open {
                session,
                about,
                setup,
            } => {
                if let Some(ready) = ready {
                    self.open(*session, about, setup, ready?, records);
                    self.keep_entry(*seq, &Command::OpenSession((**about).clone()));
                }
            }
            Input::Command(command) => {
                let done = self.take_command(command, records);
                if done.is_ok() {
                    let stamp = self.stamp();
                    self.recent.command(*seq, stamp, command);
                    self.keep_entry(*seq, command);
                }
                return done.map_err(|refusal| (command.name(), refusal));
            }
            Input::Reading { feed, observation } => self.take_reading(*feed, observation),
            Input::DeviceAlert { feed, alert } => {
                self.sign_of_life(*feed);
                self.take_alert(*feed, alert);
            }
            Input::Pump { feed, event } => {
                self.sign_of_life(*feed);
                self.take_pump(*feed, event, records);
            }
            Input::Identity { feed, identity } => self.take_identity(*feed, identity),
            Input::Feed { feed, state } => {
                if let Some(feed) = self.feeds.get_mut(*feed) {
                    feed.transport = *state;
                }
            }
            Input::Alive { feed } => self.sign_of_life(*feed),
            Input::Health { what, ok, detail } => self.take_health(*what, *ok, detail.as_ref()),
            Input::FeedDeclared { setup } => {
                self.feeds.declare((**setup).clone(), self.at);
                self.dirty.rule(Rule::FeedLost);
                self.dirty.rule(Rule::SlowFeed);
            }
            Input::Tick => {}
        }
        Ok(Vec::new())
    }

    /// Keeps what was entered, as long as its session is open.
    fn keep_entry(&mut self, seq: u64, command: &Command) {
        let stamp = self.stamp();
        if let Some(session) = self.session.as_mut() {
            session.entries.follow(seq, stamp, command);
        }
    }

    /// Fires what is due at or before `until`, each moment in turn.
    fn run_until(&mut self, until: Moment, records: &mut Vec<Numbered>) {
        loop {
            let due = self.next_engine_deadline();
            if due == NEVER || due > until {
                return;
            }
            self.at = self.at.max(due);
            self.due.fire(self.at, &mut self.dirty);
            if self.due_session <= self.at {
                self.fire_session(records);
            }
            self.settle(records);
        }
    }

    fn next_engine_deadline(&self) -> Moment {
        self.due
            .earliest()
            .min(self.due_session)
            .min(self.due_again)
            .min(self.due_audio)
    }

    /// Judges what must be judged until nothing is left, then decides sound and tasks.
    pub(super) fn settle(&mut self, records: &mut Vec<Numbered>) {
        if self.is_away() {
            self.judge_away();
        }
        while let Some(rule) = self.dirty.take() {
            self.judge(rule, records);
        }
        self.plan_after_reading();
        if self.due_again <= self.at {
            self.fire_re_alarms(records);
        }
        let timing = &self.profile.alarm;
        if self.alarms.changed || self.due_audio <= self.at {
            let record = self.audio.decide(self.at, timing, &self.alarms);
            self.due_audio = self.audio.next(self.at, timing);
            self.due_again = self.alarms.next_re_alarm(timing);
            self.alarms.changed = false;
            if let Some(record) = record {
                self.emit(Record::Audio(record), records);
            }
        }
        if self.tasks_changed {
            self.tasks_changed = false;
            self.tell_task(records);
        }
        self.due_session = self.next_session_deadline();
    }

    fn tell_task(&mut self, records: &mut Vec<Numbered>) {
        let next = self.next_task();
        if next == self.task {
            return;
        }
        self.task = next;
        if let Some(due) = next {
            let record = TaskRecord {
                text: text::task(due.task).to_owned(),
                due_at: due.at,
            };
            self.emit(Record::Task(record), records);
        }
    }

    /// Numbers a record and hands it over.
    pub(super) fn emit(&mut self, record: Record, records: &mut Vec<Numbered>) {
        self.seq += 1;
        records.push(Numbered {
            seq: self.seq,
            at: self.at,
            wall: self.stamp().wall,
            late: self
                .late_from
                .map(|from| from.since(self.at))
                .filter(|late| *late > Duration::ZERO),
            record,
        });
    }

    /// When the engine next has something to do by itself, on the caller's clock.
    pub fn next_deadline(&self) -> Option<Moment> {
        let due = self.next_engine_deadline();
        (due != NEVER).then(|| self.on_callers_clock(due))
    }

    /// An engine time on the clock with which the caller steps the engine.
    pub fn on_callers_clock(&self, moment: Moment) -> Moment {
        let back = self.shift.checked_neg().unwrap_or(0);
        Moment::from_micros(moment.as_micros().saturating_add_signed(back))
    }

    /// A moment of the caller's clock on the engine's, which may be ahead of it after a reboot.
    pub(super) fn shifted(&self, moment: Moment) -> Moment {
        Moment::from_micros(moment.as_micros().saturating_add_signed(self.shift))
    }

    /// The newest sequence number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The open session's number.
    pub fn session(&self) -> Option<i64> {
        self.session.as_ref().map(|session| session.id)
    }
}

/// The name under which a refused opening is recorded.
pub(super) const OPEN: &str = "open-session";

/// `one - other`, at the ends of the range when it does not fit.
fn difference(one: u64, other: u64) -> i64 {
    if one >= other {
        i64::try_from(one - other).unwrap_or(i64::MAX)
    } else {
        i64::try_from(other - one).map_or(i64::MIN, |back| -back)
    }
}

impl Engine {
    /// Plans the repeat of a cuff reading that violates a limit.
    fn plan_after_reading(&mut self) {
        if !self.cuff_read {
            return;
        }
        self.cuff_read = false;
        let mut violates = false;
        let mut first_high = false;
        for slot in &self.slots {
            if matches!(slot.source, rules::Source::Cuff(_)) {
                violates |= self.alarms.standing(slot.key).is_some();
                first_high |= slot.slot.waits_for_recheck();
            }
        }
        if violates && let Some(session) = self.session.as_mut() {
            session
                .cuff
                .violated(&self.profile.cuff, first_high, self.at);
        }
        self.tasks_changed = true;
    }
}
