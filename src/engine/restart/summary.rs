//! What the records of an open session say, followed row by row.

use crate::engine::command::{Command, OpenSession};
use crate::engine::entries::{Entries, MOAAS, scale_name};
use crate::engine::input::{CarryOver, FeedId, Input, Setup};
use crate::engine::reading::{CuffIdentity, CuffTaken};
use crate::engine::record::{AlarmEvent, AlarmRecord, AudioState, Record};
use crate::engine::session::Stamped;
use crate::observation::Observation;
use crate::vocabulary::{AlarmClass, Decimal, Moment, Parameter, Phase, Priority, Rule, WallTime};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One row of the journal's sequence, as far as a restart needs it.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// An input that the engine took.
    Input(&'a Input),
    /// A record that it made.
    Record(&'a Record),
}

/// An alarm that the records show open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenAlarm {
    pub(super) record: AlarmRecord,
    pub(super) began: Stamped,
    pub(super) rose: u64,
    pub(super) acknowledged: Option<Moment>,
}

/// What the records say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) at: Moment,
    pub(super) wall: WallTime,
    pub(super) session: Option<i64>,
    pub(super) about: OpenSession,
    pub(super) setup: Setup,
    pub(super) phase: Phase,
    pub(super) entered: Moment,
    pub(super) opened: Stamped,
    pub(super) started: Option<Stamped>,
    pub(super) ended: Option<Stamped>,
    pub(super) run: Duration,
    pub(super) running_since: Option<Moment>,
    pub(super) baseline: Vec<(Parameter, Decimal, usize)>,
    pub(super) limits: Vec<(Rule, Priority, Decimal)>,
    pub(super) paused_at: Option<Moment>,
    pub(super) away_until: Option<Moment>,
    pub(super) last_cuff: Option<Moment>,
    pub(super) rate_changed: Option<Moment>,
    pub(super) last_score: Option<Moment>,
    /// What people entered, with its corrections.
    pub(super) entries: Entries,
    /// What each feed gave a number of since the opening.
    pub(super) gave: BTreeSet<(FeedId, Parameter)>,
    pub(super) alarms: BTreeMap<u64, OpenAlarm>,
}

/// Follows rows of the journal and says at the end what a session needs to go on.
#[derive(Clone, Debug, Default)]
pub struct Summariser {
    state: Summary,
    /// A command and its place, whose refusal, if any, is the next record.
    pending: Option<(u64, Stamped, Command)>,
    /// What stood before an opening, until it is known that it was not refused.
    before_open: Option<Box<Summary>>,
    cuffs: BTreeMap<FeedId, CuffIdentity>,
}

impl Summariser {
    /// Follows one row.
    pub fn follow(&mut self, seq: u64, at: Moment, wall: WallTime, row: Row<'_>) {
        match row {
            Row::Input(input) => {
                self.settle_pending();
                self.state.at = at;
                self.state.wall = wall;
                self.input(seq, at, wall, input);
            }
            Row::Record(record) => {
                self.state.at = self.state.at.max(at);
                self.record(seq, Stamped { moment: at, wall }, record);
            }
        }
    }

    /// What is open as an input: the session, or in standby the alarms about ourselves. `None` when neither
    /// a session nor an alarm is open.
    pub fn finish(mut self, reason: &str) -> Option<CarryOver> {
        self.settle_pending();
        if self.state.session.is_none() && self.state.alarms.is_empty() {
            return None;
        }
        let state = serde_json::to_value(&self.state).ok()?;
        Some(CarryOver {
            reason: reason.to_owned(),
            state,
        })
    }

    /// Follows the cuff as the engine does, so that a reading told again is not a new one.
    fn cuff(&mut self, feed: FeedId, observation: &Observation, at: Moment, seq: u64) {
        let silence = self
            .state
            .setup
            .feeds
            .get(usize::from(feed.0))
            .map_or(Duration::ZERO, |feed| feed.silence);
        let cuff = self.cuffs.entry(feed).or_default();
        let level = observation.parameter.known().and_then(|parameter| {
            let value = observation.reading.value()?;
            Some((parameter, value.rounded(parameter.places())?))
        });
        match (level, observation.reading.cause()) {
            (Some(value), _) => {
                let taken = cuff.value(value, observation, at, silence, seq);
                if matches!(taken, CuffTaken::New(_)) {
                    self.state.last_cuff = Some(at);
                }
            }
            (None, Some(cause)) => {
                cuff.refused(cause, observation.measured_at, at);
            }
            (None, None) => {}
        }
    }

    fn input(&mut self, seq: u64, at: Moment, wall: WallTime, input: &Input) {
        match input {
            Input::Open {
                session,
                about,
                setup,
            } if self.state.session.is_none() => {
                let open = Summary {
                    at,
                    wall,
                    session: Some(*session),
                    about: (**about).clone(),
                    setup: (**setup).clone(),
                    phase: Phase::Baseline,
                    entered: at,
                    opened: Stamped { moment: at, wall },
                    ..Summary::default()
                };
                let mut open = open;
                open.entries.follow(
                    seq,
                    Stamped { moment: at, wall },
                    &Command::OpenSession((**about).clone()),
                );
                self.before_open = Some(Box::new(std::mem::replace(&mut self.state, open)));
            }
            Input::CarryOver(carry) => {
                if let Ok(state) = serde_json::from_value::<Summary>(carry.state.clone()) {
                    self.state = state;
                }
            }
            Input::Command(command) => {
                let stamp = Stamped { moment: at, wall };
                self.pending = Some((seq, stamp, (**command).clone()));
            }
            Input::Reading { feed, observation } => {
                let known = observation.parameter.known();
                if let Some(parameter) = known.filter(|_| observation.reading.value().is_some()) {
                    self.state.gave.insert((*feed, parameter));
                }
                if known.is_some_and(Parameter::is_cuff) {
                    self.cuff(*feed, observation, at, seq);
                }
            }
            Input::FeedDeclared { setup } => {
                let feeds = &mut self.state.setup.feeds;
                match feeds.iter_mut().find(|feed| feed.name == setup.name) {
                    Some(known) => *known = (**setup).clone(),
                    None => feeds.push((**setup).clone()),
                }
            }
            Input::Open { .. }
            | Input::Started(_)
            | Input::DeviceAlert { .. }
            | Input::Pump { .. }
            | Input::Identity { .. }
            | Input::Feed { .. }
            | Input::Alive { .. }
            | Input::Health { .. }
            | Input::Tick => {}
        }
    }

    /// A command that was not refused is done.
    fn settle_pending(&mut self) {
        self.before_open = None;
        let at = self.state.at;
        let Some((seq, stamp, command)) = self.pending.take() else {
            return;
        };
        if self.state.session.is_some() {
            self.state.entries.follow(seq, stamp, &command);
        }
        match command {
            Command::SetLimit {
                rule, tier, value, ..
            } => self.state.limits.push((rule, tier, value)),
            Command::RestoreLimits { .. } => self.state.limits.clear(),
            Command::RateChange { .. } => self.state.rate_changed = Some(at),
            Command::Away { minutes } => {
                self.state.away_until =
                    Some(at.after(Duration::from_secs(u64::from(minutes) * 60)));
            }
            Command::EndAway => self.state.away_until = None,
            Command::AudioPause => self.state.paused_at = Some(at),
            Command::EndAudioPause => self.state.paused_at = None,
            Command::Score { scale, .. } if scale_name(&scale) == MOAAS => {
                self.state.last_score = Some(at);
            }
            Command::Correct { .. } => {
                if let Some(about) = self.state.entries.opening() {
                    self.state.about = about.clone();
                }
            }
            Command::OpenSession(_)
            | Command::StartInfusion { .. }
            | Command::PauseInfusion
            | Command::ResumeInfusion
            | Command::StopInfusion
            | Command::CloseSession { .. }
            | Command::Acknowledge { .. }
            | Command::SetBaseline { .. }
            | Command::Drug { .. }
            | Command::Score { .. }
            | Command::Note { .. }
            | Command::Check { .. }
            | Command::SelfTest { .. }
            | Command::LogIn { .. }
            | Command::LogOut { .. }
            | Command::ConfirmPatient
            | Command::Sign { .. } => {}
        }
    }

    fn record(&mut self, seq: u64, at: Stamped, record: &Record) {
        match record {
            Record::Alarm(alarm) => {
                self.end_absence(alarm);
                self.alarm(seq, at, alarm);
            }
            Record::Audio(audio) => {
                if audio.state == AudioState::On {
                    self.state.paused_at = None;
                }
            }
            Record::Phase(change) => self.phase(at, change.phase),
            Record::Refused(_) => {
                self.pending = None;
                if let Some(before) = self.before_open.take() {
                    self.state = *before;
                }
            }
            Record::Baseline(baseline) => {
                if let Some(value) = baseline.value {
                    self.state
                        .baseline
                        .retain(|(parameter, ..)| *parameter != baseline.parameter);
                    self.state
                        .baseline
                        .push((baseline.parameter, value, baseline.readings.len()));
                }
            }
            // The commands say it.
            Record::Limit(_) | Record::Task(_) => {}
        }
    }

    /// No patient alarm begins or rises while the patient is away: the absence has ended, by its time or
    /// because SpO2 came back, and must not hide the alarm after a restart.
    fn end_absence(&mut self, alarm: &AlarmRecord) {
        let rises = matches!(alarm.event, AlarmEvent::Begin | AlarmEvent::Escalate);
        if rises && alarm.class == AlarmClass::Physiological {
            self.state.away_until = None;
            self.pending
                .take_if(|(_, _, command)| matches!(command, Command::Away { .. }));
        }
    }

    fn phase(&mut self, at: Stamped, phase: Phase) {
        let state = &mut self.state;
        state.phase = phase;
        state.entered = at.moment;
        state.away_until = None;
        if let Some(since) = state.running_since.take() {
            state.run += at.moment.since(since);
        }
        match phase {
            Phase::Infusion => {
                state.running_since = Some(at.moment);
                state.started.get_or_insert(at);
                state.ended = None;
                state.rate_changed = Some(at.moment);
                state.entries.infusion_begins();
            }
            Phase::Recovery => state.ended = Some(at),
            // Alarms about ourselves outlive a session.
            Phase::Standby => {
                *state = Summary {
                    at: state.at,
                    wall: state.wall,
                    alarms: std::mem::take(&mut state.alarms),
                    ..Summary::default()
                }
            }
            Phase::Baseline | Phase::Paused | Phase::Observation | Phase::Discharged => {}
        }
    }

    fn alarm(&mut self, seq: u64, at: Stamped, alarm: &AlarmRecord) {
        if alarm.event == AlarmEvent::End {
            self.state.alarms.remove(&alarm.alarm);
            return;
        }
        let open = self
            .state
            .alarms
            .entry(alarm.alarm)
            .or_insert_with(|| OpenAlarm {
                record: alarm.clone(),
                began: at,
                rose: seq,
                acknowledged: None,
            });
        match alarm.event {
            AlarmEvent::Begin | AlarmEvent::Escalate | AlarmEvent::ReAlarm => {
                open.rose = seq;
                open.acknowledged = None;
            }
            AlarmEvent::Acknowledge => open.acknowledged = Some(at.moment),
            AlarmEvent::Return => open.acknowledged = None,
            AlarmEvent::Deescalate | AlarmEvent::End => {}
        }
        open.record = alarm.clone();
    }
}

/// What the rows say of the open session or of the alarms of standby, as an input; `None` when nothing is
/// open at their end.
pub fn summarise<'a>(
    rows: impl IntoIterator<Item = (u64, Moment, WallTime, Row<'a>)>,
    reason: &str,
) -> Option<CarryOver> {
    let mut summariser = Summariser::default();
    for (seq, at, wall, row) in rows {
        summariser.follow(seq, at, wall, row);
    }
    summariser.finish(reason)
}
