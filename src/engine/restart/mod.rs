//! Going on without replay: what the records say of an open session or of alarms that are open in standby,
//! and how an engine takes it up.
//!
//! Used when a replay cannot be trusted (an upgrade, a gap, a crash loop). Promises: an alarm that the
//! record shows open is open afterwards, with its number and its acknowledgement; times may become
//! longer, never shorter (engine.md 2).

mod memory;
mod state;
mod summary;

pub use summary::{Row, Summariser, summarise};

use super::alarms::Occurrence;
use super::feeds::Feeds;
use super::input::{CarryOver, FeedId};
use super::kernel::Engine;
use super::lifecycle::State;
use super::record::{AlarmEvent, Numbered};
use super::rules::{self, Recheck};
use super::session::{Away, Session};
use super::verdict::{Key, Subject, Verdict};
use crate::profile::{self, Reason};
use crate::vocabulary::{AlarmClass, Moment, Parameter, Phase, Priority, Rule};
use state::{OpenAlarm, Summary};
use std::sync::Arc;

/// Engine time of the newest row behind a carry-over.
pub(super) fn engine_time(carry: &CarryOver) -> Option<Moment> {
    serde_json::from_value(carry.state.get("at")?.clone()).ok()
}

impl OpenAlarm {
    fn state(&self) -> State {
        let (tier, peak) = (self.record.priority, self.record.peak);
        if self.record.event == AlarmEvent::Return {
            State::Returned { peak }
        } else if self.acknowledged.is_some() {
            State::Acknowledged { tier, peak }
        } else {
            State::Active { tier, peak }
        }
    }

    /// `place` numbers device alerts, whose own keys are not in the records.
    fn key(&self, place: u32) -> Key {
        let record = &self.record;
        let rule = record.rule;
        let by_parameter = || {
            record
                .parameter
                .map_or(Key::whole(rule), |p| Key::of(rule, p))
        };
        let by_feed = || {
            record
                .feed
                .map_or(Key::whole(rule), |feed| Key::feed(rule, feed))
        };
        match rule {
            Rule::Spo2Low => Key::of(rule, Parameter::Spo2),
            Rule::RrLow | Rule::RrHigh => Key::of(rule, Parameter::Rr),
            Rule::Missing => match record.parameter {
                Some(Parameter::Spo2) | None => Key::of(rule, Parameter::Spo2),
                Some(_) => Key::of(rule, Parameter::Hr),
            },
            Rule::SbpHigh
            | Rule::DbpHigh
            | Rule::SbpLow
            | Rule::MapLow
            | Rule::Sensor
            | Rule::Implausible
            | Rule::FeedsDisagree => by_parameter(),
            Rule::FeedLost | Rule::SlowFeed | Rule::WrongPatient => by_feed(),
            Rule::DeviceAlert => Key {
                rule,
                subject: Subject::Alert(u32::MAX - place),
            },
            Rule::RateLow
            | Rule::RateHigh
            | Rule::PulseLost
            | Rule::NoBreath
            | Rule::Oversedated
            | Rule::CuffFailed
            | Rule::CuffOverdue
            | Rule::ScoreOverdue
            | Rule::RateDiffers
            | Rule::Restarted
            | Rule::SessionOpen
            | Rule::Clock
            | Rule::Journal
            | Rule::Disk
            | Rule::Sound
            | Rule::Display
            | Rule::QueueFull
            | Rule::Pump => Key::whole(rule),
        }
    }

    fn occurrence(&self) -> Occurrence {
        let record = &self.record;
        let known = [
            Reason::Fall,
            Reason::Recheck,
            Reason::Repeated,
            Reason::PointSeconds,
            Reason::NeverReceived,
            Reason::Gone,
            Reason::Twice,
            Reason::Conflict,
            Reason::GateNotPassed,
            Reason::Unknown,
            Reason::OtherBed,
        ]
        .into_iter()
        .find(|reason| record.reason.as_deref() == Some(reason.name()));
        Occurrence {
            id: record.alarm,
            state: self.state(),
            verdict: Verdict {
                parameter: record.parameter,
                value: record.value,
                limit: record.limit,
                source: record.limit_source,
                delay: record.delay,
                feed: record.feed,
                age: record.age,
                cause: record.cause,
                reason: known,
                ..Verdict::plain(record.priority, record.phase, record.since)
            },
            began: self.began,
            rose: self.rose,
            acknowledged: self.acknowledged,
            by: record.by.as_deref().map(Into::into),
            told: record
                .reason
                .as_deref()
                .filter(|_| known.is_none())
                .map(Into::into),
            carried: true,
        }
    }
}

impl Engine {
    /// Takes up a session from its records, and says so. In standby there is nothing to say: the alarms
    /// about ourselves go on, and nothing else was known.
    pub(super) fn take_carry_over(&mut self, carry: &CarryOver, _out: &mut Vec<Numbered>) {
        let state = serde_json::from_value::<Summary>(carry.state.clone());
        let mut reason = carry.reason.clone();
        self.tasks_changed = true;
        self.dirty.all();
        match state {
            Ok(state) if state.session.is_none() => {
                self.carry_alarms(&state);
                return;
            }
            Ok(state) => {
                if let Ok(profile) = profile::parse(&state.setup.profile) {
                    self.profile = Arc::new(profile);
                } else {
                    reason
                        .push_str("; the session's profile cannot be read, the present one judges");
                }
                self.take_up(&state);
            }
            Err(error) => {
                reason.push_str("; nothing could be carried over: ");
                reason.push_str(&error.to_string());
            }
        }
        self.raise_until_seen(Rule::Restarted, Some(reason.into()));
    }

    fn take_up(&mut self, state: &Summary) {
        let Some(id) = state.session else {
            return;
        };
        let now = self.at;
        self.feeds = Feeds::new(&state.setup, now);
        self.slots = rules::slots(&self.profile);
        let mut session = Session::new(id, state.about.clone(), state.opened, &self.profile);
        session.phase = state.phase;
        session.entered = state.entered;
        session.started = state.started;
        session.ended = state.ended;
        session.run = state.run;
        session.running_since = state.running_since;
        session.last_valid = now;
        session.entries.clone_from(&state.entries);
        session.away = state
            .away_until
            .filter(|until| *until > now)
            .map(|until| Away {
                until,
                back_since: None,
            });
        for (parameter, value, readings) in &state.baseline {
            if let Some(level) = value.rounded(parameter.places()) {
                session.baseline.set(*parameter, level, *readings);
            }
        }
        for (feed, parameter) in &state.gave {
            if let Some(feed) = self.feeds.get_mut(*feed) {
                *feed.gave.get_mut(*parameter) = true;
            }
        }
        self.carry_plans(&mut session, state);
        session.pump = state.pump.clone();
        self.session = Some(session);
        self.carry_feeds(state);
        for (rule, tier, value) in &state.limits {
            // It was taken before; a limit that is refused now leaves the profile's, which is stricter.
            let _ = self.change_limit(*rule, *tier, *value, "carried over");
        }
        self.carry_alarms(state);
        self.carry_cuff_readings(state);
        if let Some(pressed) = state.paused_at {
            let until = pressed.after(self.profile.alarm.audio_pause);
            if until > now {
                self.audio.resume_pause(pressed, until, &self.alarms);
            }
        }
    }

    /// Whose readings each feed gives, and its cuff: a reading told again after the restart is no new one,
    /// and another patient is noticed.
    fn carry_feeds(&mut self, state: &Summary) {
        let shown_for = self.profile.reading.cuff_shown_for;
        let now = self.at;
        for feed in self.feeds.iter_mut() {
            feed.owes_from = now.after(feed.setup.silence);
        }
        for (feed, memory) in self.feeds.iter_mut().zip(&state.feeds) {
            feed.whose = memory.whose.clone();
            feed.cuff = memory.cuff.clone();
            for parameter in [Parameter::NibpSys, Parameter::NibpDia, Parameter::NibpMean] {
                *feed.held.get_mut(parameter) = memory
                    .newest(parameter)
                    .next()
                    .and_then(|pressure| pressure.held(shown_for));
            }
        }
    }

    /// The newest cuff reading judges on, once, and a first high one goes on waiting for its second.
    fn carry_cuff_readings(&mut self, state: &Summary) {
        let (now, phase) = (self.at, self.phase());
        let shown_for = self.profile.reading.cuff_shown_for;
        let started = state.started.map_or(Moment::ZERO, |stamp| stamp.moment);
        let Some(session) = self.session.as_ref() else {
            return;
        };
        for entry in &mut self.slots {
            let rules::Source::Cuff(parameter) = entry.source else {
                continue;
            };
            // What counts now, else what was judged last.
            let held = self.feeds.usable(parameter, now);
            let told = held.map(|(feed, held)| (feed, *held)).or_else(|| {
                (0_u16..)
                    .map(FeedId)
                    .zip(&state.feeds)
                    .filter_map(|(feed, memory)| Some((feed, memory.newest(parameter).next()?)))
                    .max_by_key(|(_, pressure)| pressure.number)
                    .map(|(feed, pressure)| (feed, pressure.told(shown_for)))
            });
            let Some((feed, sample)) =
                told.and_then(|(feed, held)| Some((feed, rules::sample(parameter, feed, &held)?)))
            else {
                continue;
            };
            let reaches = |level: i64| {
                session.limits.iter().any(|limits| {
                    limits.rule.rule == entry.key.rule
                        && limits.rule.tiers.iter().any(|tier| {
                            tier.confirm
                                && tier.phases.contains(phase)
                                && tier.violated(level, session.baseline.get(parameter))
                        })
                })
            };
            let before = state
                .feeds
                .get(usize::from(feed.0))
                .and_then(|memory| memory.newest(parameter).nth(1));
            // A reading before the start is judged by the infusion's limits from the start on, as one.
            let confirms = before.filter(|_| sample.received > started);
            let recheck = reaches(sample.level).then(|| Recheck {
                number: sample.number,
                at: sample.received.max(started),
                confirmed: confirms.is_some_and(|before| reaches(before.level)),
            });
            let since = self
                .alarms
                .get(entry.key)
                .filter(|occurrence| occurrence.state.is_standing())
                .map(|occurrence| occurrence.verdict.since);
            entry.slot.carry_reading(sample, recheck, since);
        }
        self.cuff_read = true;
        self.note_gate();
    }

    fn carry_plans(&self, session: &mut Session, state: &Summary) {
        let timing = &self.profile.cuff;
        session
            .cuff
            .phase_begins(timing, state.phase, state.entered);
        if let Some(started) = state.started {
            session.cuff.infusion_started(timing, started.moment);
        }
        if let Some(changed) = state.rate_changed {
            session.cuff.rate_changed(timing, state.phase, changed);
        }
        if let Some(last) = state.last_cuff {
            session.cuff.taken(timing, state.phase, last);
        }
        let scored = matches!(
            state.phase,
            Phase::Infusion | Phase::Paused | Phase::Recovery
        );
        if scored {
            session.score_due = Some(match (state.last_score, state.started) {
                (Some(last), _) => last.after(self.profile.score.interval),
                (None, Some(started)) => started.moment,
                (None, None) => state.entered,
            });
        }
    }

    fn carry_alarms(&mut self, state: &Summary) {
        for (open, place) in state.alarms.values().zip(0_u32..) {
            self.carry_alarm(open, open.key(place));
        }
    }

    fn carry_alarm(&mut self, open: &OpenAlarm, key: Key) {
        let occurrence = open.occurrence();
        let phase = self.phase();
        let (tier, since) = (open.record.priority, open.record.since);
        let standing = occurrence.state.is_standing();
        if standing && key.class() == AlarmClass::Physiological {
            if let Some(entry) = self.slots.iter_mut().find(|entry| entry.key == key)
                && let Some(limits) = self.profile.limit(key.rule)
            {
                entry.slot.carry(limits, tier, since, phase);
            }
            self.findings.carry(key.rule, occurrence.verdict);
        }
        if standing
            && key.rule == Rule::CuffFailed
            && let Some(session) = self.session.as_mut()
        {
            session.cuff.failed = if tier > Priority::Low { 2 } else { 1 };
            session.cuff.failed_at = since;
        }
        // Silent since then: its next sign of life ends the alarm.
        if standing
            && key.rule == Rule::FeedLost
            && let Subject::Feed(feed) = key.subject
            && let Some(feed) = self.feeds.get_mut(feed)
        {
            feed.alive = since;
        }
        if standing
            && key.rule == Rule::Pump
            && let Some(session) = self.session.as_mut()
        {
            session.pump.carry(occurrence.verdict.reason, since);
        }
        let is_own = self.carry_health(key.rule, tier, since, occurrence.told.as_ref());
        // These follow what was carried beside them: the count of failures, the feed's cadence, our health.
        let follows = is_own || matches!(key.rule, Rule::CuffFailed | Rule::SlowFeed);
        self.alarms.restore(
            key,
            Occurrence {
                carried: standing && !follows,
                ..occurrence
            },
        );
    }
}
