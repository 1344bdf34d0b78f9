//! Occurrences of alarms with their lives, put together from the engine's records.

use super::Stamp;
use super::model::{Alarm, AlarmMoment};
use crate::engine::{AlarmEvent, AlarmRecord, text};
use crate::vocabulary::{Decimal, Moment, Now, Parameter, Rule};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An occurrence as far as it was followed.
#[derive(Debug)]
struct Followed {
    alarm: Alarm,
    /// Since when its condition stands without an interruption.
    since: Option<Moment>,
    stood: u64,
    /// Whether it was over and waits to be seen.
    returned: bool,
}

/// Which way a rule's values are extreme; `None`: no value.
const fn is_upper(rule: Rule) -> Option<bool> {
    match rule {
        Rule::RateHigh | Rule::SbpHigh | Rule::DbpHigh | Rule::RrHigh => Some(true),
        Rule::Spo2Low
        | Rule::RateLow
        | Rule::SbpLow
        | Rule::MapLow
        | Rule::RrLow
        | Rule::Oversedated => Some(false),
        Rule::PulseLost
        | Rule::NoBreath
        | Rule::FeedLost
        | Rule::Missing
        | Rule::Sensor
        | Rule::CuffFailed
        | Rule::CuffOverdue
        | Rule::ScoreOverdue
        | Rule::Implausible
        | Rule::WrongPatient
        | Rule::FeedsDisagree
        | Rule::RateDiffers
        | Rule::SlowFeed
        | Rule::Restarted
        | Rule::SessionOpen
        | Rule::DeviceAlert
        | Rule::Clock
        | Rule::Journal
        | Rule::Disk
        | Rule::Sound
        | Rule::Display
        | Rule::QueueFull
        | Rule::Pump => None,
    }
}

fn more_extreme(rule: Rule, known: Option<Decimal>, value: Decimal) -> Option<Decimal> {
    match (is_upper(rule), known) {
        (None, known) => known,
        (Some(_), None) => Some(value),
        (Some(true), Some(known)) => Some(known.max(value)),
        (Some(false), Some(known)) => Some(known.min(value)),
    }
}

/// Follows the alarms of a session.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// In the order of their numbers, which is that of their beginnings.
    followed: BTreeMap<u64, Followed>,
    /// Those whose condition stands, for the readings that pass.
    standing: Vec<(u64, Parameter, Option<Arc<str>>)>,
}

impl Alarms {
    /// Takes one record of an alarm.
    pub(super) fn take(
        &mut self,
        seq: u64,
        now: Now,
        late_s: Option<u64>,
        feed: Option<&Arc<str>>,
        record: &AlarmRecord,
    ) {
        let at = Stamp(now.wall);
        let words = || text::line(record, feed.map(|name| &**name), now.moment);
        let followed = self
            .followed
            .entry(record.alarm)
            .or_insert_with(|| Followed {
                alarm: Alarm {
                    alarm: record.alarm,
                    rule: record.rule,
                    class: record.class,
                    parameter: record.parameter,
                    priority: record.peak,
                    began_at: (record.event == AlarmEvent::Begin).then_some(at),
                    over_at: None,
                    ended_at: None,
                    seconds: 0,
                    acknowledged_at: None,
                    acknowledged_by: None,
                    value: record.value,
                    limit: record.limit,
                    limit_source: record.limit_source,
                    extreme: None,
                    phase: record.phase,
                    feed: feed.map(Arc::clone),
                    text: words(),
                    late_s,
                    events: Vec::new(),
                },
                since: None,
                stood: 0,
                returned: false,
            });
        let alarm = &mut followed.alarm;
        alarm.events.push(AlarmMoment {
            seq,
            at,
            event: record.event.name(),
            priority: record.priority,
            value: record.value,
            by: record.by.clone(),
        });
        if let Some(value) = record.value {
            alarm.extreme = more_extreme(record.rule, alarm.extreme, value);
        }
        match record.event {
            AlarmEvent::Begin | AlarmEvent::Escalate => {
                if record.priority == record.peak && record.event == AlarmEvent::Escalate {
                    alarm.value = record.value;
                    alarm.limit = record.limit;
                    alarm.limit_source = record.limit_source;
                    alarm.phase = record.phase;
                    alarm.text = words();
                }
                alarm.over_at = None;
                followed.returned = false;
                followed.since.get_or_insert(now.moment);
            }
            AlarmEvent::Acknowledge => {
                if alarm.acknowledged_at.is_none() {
                    alarm.acknowledged_at = Some(at);
                    alarm.acknowledged_by.clone_from(&record.by);
                }
                followed.since.get_or_insert(now.moment);
            }
            AlarmEvent::Deescalate | AlarmEvent::ReAlarm => {
                followed.since.get_or_insert(now.moment);
            }
            AlarmEvent::Return => {
                alarm.over_at = Some(at);
                followed.returned = true;
                followed.stop(now.moment);
            }
            AlarmEvent::End => {
                alarm.ended_at = Some(at);
                // One that waited for its acknowledgement is acknowledged by its end.
                if followed.returned && alarm.acknowledged_at.is_none() {
                    alarm.acknowledged_at = Some(at);
                    alarm.acknowledged_by.clone_from(&record.by);
                }
                alarm.over_at.get_or_insert(at);
                followed.stop(now.moment);
            }
        }
        followed.alarm.priority = followed.alarm.priority.max(record.peak);
        let stands = followed.since.is_some();
        self.standing.retain(|(id, ..)| *id != record.alarm);
        if let (true, Some(parameter), Some(_)) = (stands, record.parameter, is_upper(record.rule))
        {
            self.standing
                .push((record.alarm, parameter, feed.map(Arc::clone)));
        }
    }

    /// A number passes: while an alarm about it stands, the extreme follows.
    pub(super) fn number(&mut self, parameter: Parameter, feed: &Arc<str>, value: Decimal) {
        for (id, about, from) in &self.standing {
            if *about == parameter
                && from.as_ref().is_none_or(|from| from == feed)
                && let Some(followed) = self.followed.get_mut(id)
            {
                let alarm = &mut followed.alarm;
                alarm.extreme = more_extreme(alarm.rule, alarm.extreme, value);
            }
        }
    }

    /// The occurrences; what stands goes on to `end`.
    pub(super) fn finish(self, end: Moment) -> Vec<Alarm> {
        self.followed
            .into_values()
            .map(|mut followed| {
                followed.stop(end);
                followed.alarm.seconds = followed.stood;
                followed.alarm
            })
            .collect()
    }
}

impl Followed {
    fn stop(&mut self, at: Moment) {
        if let Some(since) = self.since.take() {
            self.stood = self.stood.saturating_add(at.since(since).as_secs());
        }
    }
}
