//! The occurrences: at most one for each rule and subject, each with exactly one beginning and one end.
//!
//! Every change goes through the table in [`super::lifecycle`] and gives exactly the record that the
//! table names. An occurrence's number is the `seq` of its `begin` record, so it is unique in a
//! journal without any counter of its own.

use super::kernel::Engine;
use super::lifecycle::{Happening, State, next};
use super::record::{AlarmEvent, AlarmRecord, Numbered, Record};
use super::renumber::Renumbering;
use super::rules::per_reading;
use super::session::Stamped;
use super::verdict::{Key, NEVER, Verdict};
use crate::profile::{AlarmTiming, Reason};
use crate::vocabulary::{AlarmClass, Moment, Priority};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One alarm from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The number.
    pub id: u64,
    /// Where it stands.
    pub state: State,
    /// What explains it.
    pub verdict: Verdict,
    /// When it began.
    pub began: Stamped,
    /// The `seq` of the record with which it last began, rose or sounded again.
    pub rose: u64,
    /// When it was acknowledged.
    pub acknowledged: Option<Moment>,
    /// By whom.
    pub by: Option<Arc<str>>,
    /// A text that came with it: a device's alert, a health detail.
    pub told: Option<Arc<str>>,
    /// Carried over a restart and not yet confirmed or refuted by anything received since.
    pub carried: bool,
}

/// Every standing or returned alarm.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    map: BTreeMap<Key, Occurrence>,
    /// Something changed since the sound was last decided.
    pub changed: bool,
}

/// How long after an acknowledgement a tier sounds again.
pub const fn re_alarm_after(timing: &AlarmTiming, tier: Priority) -> Option<Duration> {
    match tier {
        Priority::High => Some(timing.re_alarm_high),
        Priority::Medium => Some(timing.re_alarm_medium),
        Priority::Low => None,
    }
}

impl Occurrence {
    /// The record of one line of its life.
    pub fn record(&self, key: Key, event: AlarmEvent) -> AlarmRecord {
        let Verdict {
            parameter,
            value,
            limit,
            source,
            phase,
            since,
            delay,
            feed,
            age,
            cause,
            reason,
            ..
        } = self.verdict;
        AlarmRecord {
            event,
            alarm: self.id,
            rule: key.rule,
            parameter,
            class: key.class(),
            priority: self.state.tier(),
            peak: self.state.peak(),
            value,
            limit,
            limit_source: source,
            phase,
            since,
            delay,
            feed,
            age,
            cause,
            reason: self
                .told
                .as_deref()
                .map(ToOwned::to_owned)
                .or_else(|| reason.map(|reason: Reason| reason.name().to_owned())),
            by: self.by.as_deref().map(ToOwned::to_owned),
        }
    }
}

impl Alarms {
    /// The occurrence of a rule and subject.
    pub fn get(&self, key: Key) -> Option<&Occurrence> {
        self.map.get(&key)
    }

    /// Every occurrence in catalogue order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Occurrence)> {
        self.map.iter().map(|(key, occurrence)| (*key, occurrence))
    }

    /// The highest tier at which a condition stands.
    pub fn standing(&self, key: Key) -> Option<Priority> {
        self.map
            .get(&key)
            .filter(|occurrence| occurrence.state.is_standing())
            .map(|occurrence| occurrence.state.tier())
    }

    /// Puts a carried occurrence in its place.
    pub fn restore(&mut self, key: Key, occurrence: Occurrence) {
        self.map.insert(key, occurrence);
        self.changed = true;
    }

    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        self.map = std::mem::take(&mut self.map)
            .into_iter()
            .map(|(key, mut occurrence)| {
                places.verdict(&mut occurrence.verdict);
                (places.key(key), occurrence)
            })
            .collect();
    }

    /// When the next acknowledged alarm sounds again by time.
    pub fn next_re_alarm(&self, timing: &AlarmTiming) -> Moment {
        self.map
            .iter()
            .filter_map(|(key, occurrence)| due_again(*key, occurrence, timing))
            .min()
            .unwrap_or(NEVER)
    }
}

/// When an acknowledged alarm sounds again by time alone.
fn due_again(key: Key, occurrence: &Occurrence, timing: &AlarmTiming) -> Option<Moment> {
    if key.class() == AlarmClass::Technical || per_reading(key) {
        return None;
    }
    re_alarm_at(occurrence, timing)
}

/// When the re-alarm time of an acknowledged occurrence is over.
fn re_alarm_at(occurrence: &Occurrence, timing: &AlarmTiming) -> Option<Moment> {
    match occurrence.state {
        State::Acknowledged { tier, .. } => Some(
            occurrence
                .acknowledged?
                .after(re_alarm_after(timing, tier)?),
        ),
        State::Active { .. } | State::Returned { .. } => None,
    }
}

impl Engine {
    /// A rule was judged: brings its occurrence in line with the verdict.
    pub(super) fn condition(
        &mut self,
        key: Key,
        verdict: Option<Verdict>,
        told: Option<&Arc<str>>,
        out: &mut Vec<Numbered>,
    ) {
        let away = key.class() == AlarmClass::Physiological && self.is_away();
        let verdict = verdict.filter(|_| !away);
        let Some(occurrence) = self.alarms.map.get_mut(&key) else {
            if let Some(verdict) = verdict {
                self.begin(key, verdict, told.cloned(), out);
            }
            return;
        };
        match verdict {
            None if occurrence.carried && !away => {}
            None if occurrence.state.is_standing() => {
                self.happen(key, Happening::Over, None, out);
            }
            None => {}
            Some(verdict) => {
                // What was carried keeps its explanation until something received confirms it.
                if occurrence.carried
                    && (verdict.tier < occurrence.state.tier()
                        || verdict.reason == Some(Reason::Carried))
                {
                    return;
                }
                occurrence.carried = false;
                let is_next_reading = verdict.reading != occurrence.verdict.reading;
                occurrence.verdict = verdict;
                if !occurrence.state.is_standing() || occurrence.state.tier() != verdict.tier {
                    self.happen(key, Happening::Tier(verdict.tier), None, out);
                }
                // A reading that steps down but still violates is the next violating one too.
                let again = is_next_reading
                    && per_reading(key)
                    && self
                        .alarms
                        .get(key)
                        .and_then(|occurrence| re_alarm_at(occurrence, &self.profile.alarm))
                        .is_some_and(|due| due <= self.at);
                if again {
                    self.happen(key, Happening::ReAlarm, None, out);
                }
            }
        }
    }

    fn begin(
        &mut self,
        key: Key,
        verdict: Verdict,
        told: Option<Arc<str>>,
        out: &mut Vec<Numbered>,
    ) {
        let (Some(state), Some(event)) = next(None, key.class(), Happening::Tier(verdict.tier))
        else {
            return;
        };
        let id = self.seq + 1;
        let occurrence = Occurrence {
            id,
            state,
            verdict,
            began: self.stamp(),
            rose: id,
            acknowledged: None,
            by: None,
            told,
            carried: false,
        };
        let record = occurrence.record(key, event);
        self.emit(Record::Alarm(record), out);
        self.alarms.map.insert(key, occurrence);
        self.changed_alarm(key, event, verdict.tier);
    }

    /// Something happened to an occurrence.
    pub(super) fn happen(
        &mut self,
        key: Key,
        happening: Happening,
        by: Option<&str>,
        out: &mut Vec<Numbered>,
    ) {
        let seq = self.seq + 1;
        let at = self.at;
        let Some(occurrence) = self.alarms.map.get_mut(&key) else {
            return;
        };
        let before = occurrence.state;
        let (state, event) = next(Some(before), key.class(), happening);
        let Some(event) = event else {
            return;
        };
        let tier = state.map_or_else(|| before.tier(), State::tier);
        match event {
            AlarmEvent::Acknowledge => {
                occurrence.acknowledged = Some(at);
                occurrence.by = by.map(Into::into);
            }
            AlarmEvent::Begin | AlarmEvent::Escalate | AlarmEvent::ReAlarm => {
                occurrence.rose = seq;
                occurrence.acknowledged = None;
                occurrence.by = None;
            }
            AlarmEvent::End if by.is_some() => occurrence.by = by.map(Into::into),
            AlarmEvent::Deescalate | AlarmEvent::Return | AlarmEvent::End => {}
        }
        if let Some(state) = state {
            occurrence.state = state;
        }
        let record = occurrence.record(key, event);
        if state.is_none()
            && let Some(ended) = self.alarms.map.remove(&key)
        {
            let stamp = self.stamp();
            self.recent.alarm_ended(seq, stamp, key, &ended);
        }
        self.emit(Record::Alarm(record), out);
        self.changed_alarm(key, event, tier);
    }

    /// What else must be looked at after an alarm changed.
    fn changed_alarm(&mut self, key: Key, event: AlarmEvent, tier: Priority) {
        self.alarms.changed = true;
        match event {
            AlarmEvent::Begin | AlarmEvent::Escalate => self.audio.rises(key, event, tier),
            AlarmEvent::Deescalate
            | AlarmEvent::Acknowledge
            | AlarmEvent::Return
            | AlarmEvent::End
            | AlarmEvent::ReAlarm => {}
        }
        // A patient alarm whose value is gone ends when a technical one takes its place.
        if key.class() == AlarmClass::Technical
            && matches!(event, AlarmEvent::Begin | AlarmEvent::Escalate)
        {
            self.dirty.all_physiological();
        }
    }

    /// Acknowledged alarms whose time is over sound again.
    pub(super) fn fire_re_alarms(&mut self, out: &mut Vec<Numbered>) {
        while let Some(key) = self
            .alarms
            .map
            .iter()
            .find(|(key, occurrence)| {
                due_again(**key, occurrence, &self.profile.alarm).is_some_and(|due| due <= self.at)
            })
            .map(|(key, _)| *key)
        {
            self.happen(key, Happening::ReAlarm, None, out);
        }
    }

    /// Ends every occurrence that `which` names, because the session is over.
    pub(super) fn close_alarms(&mut self, which: impl Fn(Key) -> bool, out: &mut Vec<Numbered>) {
        let keys: Vec<Key> = self
            .alarms
            .map
            .keys()
            .copied()
            .filter(|key| which(*key))
            .collect();
        for key in keys {
            self.happen(key, Happening::Closed, None, out);
        }
    }

    /// Something received contradicts what a carried occurrence says: it follows its rule again.
    pub(super) fn refute_carried(&mut self, key: Key) {
        if let Some(occurrence) = self.alarms.map.get_mut(&key)
            && occurrence.carried
        {
            occurrence.carried = false;
            self.dirty.rule(key.rule);
        }
    }

    /// The occurrence with this number.
    pub(super) fn find_alarm(&self, id: u64) -> Option<(Key, &Occurrence)> {
        self.alarms
            .iter()
            .find(|(_, occurrence)| occurrence.id == id)
    }
}
