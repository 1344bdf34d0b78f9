//! What the records of an open session say, followed row by row.

use super::memory::{Arrival, Memory};
use super::state::{OpenAlarm, Summary};
use crate::engine::command::Command;
use crate::engine::entries::{MOAAS, scale_name};
use crate::engine::input::{CarryOver, FeedId, Input};
use crate::engine::pump;
use crate::engine::reading::admitted;
use crate::engine::record::{AlarmEvent, AlarmRecord, AudioState, Record};
use crate::engine::session::Stamped;
use crate::observation::{Observation, PumpEvent};
use crate::profile::{self, Profile};
use crate::vocabulary::{AlarmClass, Moment, Now, Parameter, Phase, Rule, WallTime};
use std::time::Duration;

/// One row of the journal's sequence, as far as a restart needs it.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// An input that the engine took.
    Input(&'a Input),
    /// A record that it made.
    Record(&'a Record),
}

/// Follows rows of the journal and says at the end what a session needs to go on.
#[derive(Clone, Debug, Default)]
pub struct Summariser {
    state: Summary,
    /// A command and its place, whose refusal, if any, is the next record.
    pending: Option<(u64, Stamped, Command)>,
    /// What stood before an opening, until it is known that it was not refused.
    before_open: Option<Box<Summary>>,
    /// The profile of the session that is followed, where it can be read.
    profile: Option<Profile>,
}

impl Summariser {
    /// Follows one row.
    pub fn follow(&mut self, seq: u64, at: Moment, wall: WallTime, row: Row<'_>) {
        match row {
            Row::Input(input) => {
                self.settle_pending();
                self.time_passes(at);
                self.state.at = at;
                self.state.wall = wall;
                self.input(seq, at, wall, input);
            }
            Row::Record(record) => {
                self.time_passes(at);
                self.state.at = self.state.at.max(at);
                self.record(seq, Stamped { moment: at, wall }, record);
            }
        }
    }

    /// What ends by itself up to `at`.
    fn time_passes(&mut self, at: Moment) {
        let back_after = self
            .profile
            .as_ref()
            .map(|profile| profile.session.back_after);
        self.state.follow_absence(at, back_after);
        self.state.pump.waited(at);
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

    fn sign_of_life(&mut self, feed: FeedId, at: Moment) {
        if let Some(memory) = self.state.feeds.get_mut(usize::from(feed.0))
            && !memory.whose.is_other
        {
            memory.alive = at;
        }
    }

    /// A nurse confirmed whose readings these are.
    fn confirm_patient(&mut self, at: Moment) {
        for (memory, setup) in self.state.feeds.iter_mut().zip(&self.state.setup.feeds) {
            let replaced = memory.whose.replaced_from(setup, memory.alive);
            memory
                .whose
                .confirm(replaced.is_some_and(|from| from <= at));
        }
    }

    /// A reading as the engine takes it.
    fn reading(&mut self, feed: FeedId, observation: &Observation, came: Arrival) {
        self.sign_of_life(feed, came.at);
        let state = &mut self.state;
        let index = usize::from(feed.0);
        let Some(memory) = state
            .feeds
            .get_mut(index)
            .filter(|memory| !memory.whose.is_other)
        else {
            return;
        };
        let session_for = came.at.since(state.opened.moment);
        let (age, reading) = match &self.profile {
            Some(profile) => admitted(
                observation,
                &profile.reading,
                came.silence,
                Some(session_for),
            ),
            None => (Duration::ZERO, observation.reading),
        };
        let Some(parameter) = observation.parameter.known() else {
            return;
        };
        let value = reading.value();
        if value.is_some() {
            state.gave.insert((feed, parameter));
        }
        if parameter == Parameter::Spo2 {
            state.saturation(feed, value.is_some(), came.at, came.silence);
        } else if parameter.is_cuff() {
            match (value, reading.cause()) {
                (Some(value), _) => {
                    let came = Arrival { age, ..came };
                    if memory.cuff_value((parameter, value), observation, came) {
                        state.last_cuff = Some(came.at);
                    }
                }
                (None, Some(cause)) => memory.cuff_refused(cause, observation, came.at),
                (None, None) => {}
            }
        }
    }

    fn pump(&mut self, feed: FeedId, event: &PumpEvent, now: Now) {
        let Some(profile) = &self.profile else {
            return;
        };
        let opened = self.state.opened.moment;
        let moment = pump::happened(event, now.moment, profile.reading.oldest, opened);
        let stamp = Stamped {
            moment,
            wall: now.wall_at(moment),
        };
        let wait_for = profile.pump.transition_wait;
        self.state
            .pump
            .follow(feed, event, now.moment, stamp, wait_for);
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
                    feeds: vec![Memory::new(at); setup.feeds.len()],
                    ..Summary::default()
                };
                self.profile = profile::parse(&setup.profile).ok();
                let mut open = open;
                open.entries.follow(
                    seq,
                    Stamped { moment: at, wall },
                    &Command::OpenSession((**about).clone()),
                );
                self.before_open = Some(Box::new(std::mem::replace(&mut self.state, open)));
            }
            Input::CarryOver(carry) => {
                if let Ok(mut state) = serde_json::from_value::<Summary>(carry.state.clone()) {
                    state.feeds.resize(state.setup.feeds.len(), Memory::new(at));
                    // The engine goes on without any reading that still counts.
                    state.spo2_since = None;
                    for memory in &mut state.feeds {
                        (memory.alive, memory.spo2_until) = (at, None);
                    }
                    self.profile = profile::parse(&state.setup.profile).ok();
                    self.state = state;
                }
            }
            Input::Command(command) => {
                let stamp = Stamped { moment: at, wall };
                self.pending = Some((seq, stamp, (**command).clone()));
            }
            Input::Reading { feed, observation } => {
                let silence = self
                    .state
                    .setup
                    .feeds
                    .get(usize::from(feed.0))
                    .map_or(Duration::ZERO, |feed| feed.silence);
                let came = Arrival {
                    seq,
                    at,
                    wall,
                    age: Duration::ZERO,
                    silence,
                };
                self.reading(*feed, observation, came);
            }
            Input::Pump { feed, event } => {
                self.sign_of_life(*feed, at);
                self.pump(*feed, event, Now { moment: at, wall });
            }
            Input::DeviceAlert { feed, .. } | Input::Alive { feed } => self.sign_of_life(*feed, at),
            Input::Identity { feed, identity } => {
                let ours = self
                    .state
                    .setup
                    .feeds
                    .get(usize::from(feed.0))
                    .map(|feed| feed.ours.clone())
                    .unwrap_or_default();
                if let Some(memory) = self.state.feeds.get_mut(usize::from(feed.0)) {
                    memory.whose.told(identity, &ours, at);
                }
            }
            Input::Started(started) if self.state.session.is_some() => {
                self.state.follow_feeds(&started.setup, at);
            }
            Input::FeedDeclared { setup } => {
                let feeds = &mut self.state.setup.feeds;
                match feeds.iter_mut().find(|feed| feed.name == setup.name) {
                    Some(known) => *known = (**setup).clone(),
                    None => {
                        feeds.push((**setup).clone());
                        self.state.feeds.push(Memory::new(at));
                    }
                }
            }
            Input::Open { .. }
            | Input::Started(_)
            | Input::Feed { .. }
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
                self.state.away_from = at;
            }
            Command::EndAway => self.state.away_until = None,
            Command::AudioPause => self.state.paused_at = Some(at),
            Command::EndAudioPause => self.state.paused_at = None,
            Command::ConfirmPatient => self.confirm_patient(at),
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
            AlarmEvent::Acknowledge => {
                open.acknowledged = Some(at.moment);
                if alarm.rule == Rule::Pump {
                    self.state.pump.gate_seen();
                }
            }
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
