//! One reading of a session's entries, put together as a [`Record`](super::Record).
//!
//! Everything is followed in one pass; memory grows with minutes, cuff readings and events, not with readings.
//! Whether a command was done is told by the entry after it: a refusal follows at once.

use super::alarms::Alarms;
use super::course::Course;
use super::cuff::Cuffs;
use super::entered::{Entered, Place};
use super::follower::Follower;
use super::limits::Limits;
use super::minutes::Minutes;
use super::model::{
    Baseline, DeviceAlertEntry, Event, Extreme, Gap, Header, PumpEntry, Refusal, Restart,
};
use super::places::Places;
use crate::engine::{
    AlarmEvent, AlarmRecord, BaselineRecord, Command, FeedState, Input, LimitRecord, OpenSession,
    Record as Decision, Setup, Started, text,
};
use crate::journal::{Body, Entry, OpenedBy, SessionEntries};
use crate::vocabulary::{AlarmClass, Now, Parameter, Phase};
use std::collections::BTreeMap;
use std::time::Duration;

/// A command that waits for the entry after it.
type Waiting = (Place, Command);

/// Puts the record of one session together.
pub(super) struct Gather {
    pub(super) session: i64,
    pub(super) openings: Vec<OpenedBy>,
    pub(super) gaps: Vec<Gap>,
    pub(super) places: Places,
    pub(super) header: Header,
    pub(super) first: Option<Now>,
    pub(super) last: Now,
    pub(super) phase: Phase,
    /// The entry that opened the session.
    pub(super) opening: Option<u64>,
    pub(super) follower: Follower,
    pub(super) waiting: Option<Waiting>,
    pub(super) minutes: Option<Minutes>,
    pub(super) cuffs: Cuffs,
    pub(super) alarms: Alarms,
    pub(super) course: Course,
    pub(super) entered: Entered,
    pub(super) limits: Limits,
    pub(super) baseline: Vec<Baseline>,
    pub(super) pump: Vec<PumpEntry>,
    pub(super) device_alerts: Vec<DeviceAlertEntry>,
    pub(super) restarts: Vec<Restart>,
    pub(super) extremes: BTreeMap<Parameter, Extreme>,
    pub(super) events: Vec<Event>,
}

impl Gather {
    /// For the entries of this session.
    pub(super) fn new(session: i64, entries: &SessionEntries) -> Self {
        let gaps = entries
            .missing
            .iter()
            .map(|gap| Gap {
                from_seq: gap.from,
                to_seq: gap.to,
                at: gap.wall.into(),
            })
            .collect();
        Self {
            session,
            openings: entries.openings.clone(),
            gaps,
            places: Places::new(entries.feeds.clone()),
            header: Header::default(),
            first: None,
            last: Now::default(),
            phase: Phase::Baseline,
            opening: None,
            follower: Follower::new(entries),
            waiting: None,
            minutes: None,
            cuffs: Cuffs::default(),
            alarms: Alarms::default(),
            course: Course::default(),
            entered: Entered::default(),
            limits: Limits::default(),
            baseline: Vec::new(),
            pump: Vec::new(),
            device_alerts: Vec::new(),
            restarts: Vec::new(),
            extremes: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self, entry: Entry) {
        let now = Now {
            moment: entry.at,
            wall: entry.wall,
        };
        if self.first.is_none() {
            self.first = Some(now);
            self.header.opened_at = now.wall.into();
        }
        self.last = now;
        self.header.upto_seq = entry.seq;
        let phase = self.phase;
        let minute = self
            .minutes
            .get_or_insert_with(|| Minutes::new(now))
            .go_on(now, phase);
        let place = Place {
            seq: entry.seq,
            now,
            minute,
        };
        match entry.body {
            // Nothing else stands between a command and its refusal.
            Body::Record(Decision::Refused(refused), _) => {
                self.waiting = None;
                let text = format!("Refused: {}: {}", refused.command, refused.error);
                self.entered.refusals.push(Refusal {
                    seq: place.seq,
                    at: place.at(),
                    command: refused.command,
                    error: refused.error,
                });
                self.tell(place, "refused", text, false);
            }
            Body::Record(decision, late) => {
                self.settle();
                self.decision(place, decision, late);
            }
            Body::Input(input) => {
                self.settle();
                self.input(place, input);
            }
        }
    }

    pub(super) fn tell(&mut self, place: Place, kind: &'static str, text: String, manual: bool) {
        self.events.push(place.event(kind, text, manual));
    }

    /// The command that waited was done.
    pub(super) fn settle(&mut self) {
        let Some((place, command)) = self.waiting.take() else {
            return;
        };
        if let Command::Correct { seq, fields } = &command
            && Some(*seq) == self.opening
        {
            self.header.correct(fields);
        }
        let event = self.entered.take(place, command);
        self.events.extend(event);
    }

    fn input(&mut self, place: Place, input: Input) {
        self.follower.follow(place.seq, place.now, &input);
        match input {
            Input::Reading { feed, observation } => self.reading(place, feed, &observation),
            Input::Alive { .. } | Input::FeedDeclared { .. } | Input::Tick => {}
            Input::Open { about, setup, .. } => self.open(place, &about, &setup),
            Input::Command(command) => self.waiting = Some((place, *command)),
            Input::Started(started) => self.started(place, &started),
            Input::CarryOver(carried) => {
                self.restarts.push(Restart {
                    seq: place.seq,
                    at: place.at(),
                    down_s: None,
                    carried_over: Some(carried.reason.clone()),
                });
                let text = format!("Session carried over without replay: {}", carried.reason);
                self.tell(place, "restart", text, false);
            }
            Input::DeviceAlert { feed, alert } => self.device_alert(place, feed, alert),
            Input::Pump { feed, event } => self.pump(place, feed, &event),
            Input::Identity { feed, identity } => self.identity(place, feed, &identity),
            Input::Feed { feed, state } => {
                let found = self.places.of(place.seq, feed);
                let name = self.places.name(found);
                let text = match state {
                    FeedState::Ok => format!("Feed {name}: connected"),
                    FeedState::Lost => format!("Feed {name}: connection lost"),
                };
                self.tell(place, "feed", text, false);
            }
            Input::Health { what, ok, detail } => {
                let state = if ok { "works" } else { "does not work" };
                let text = match detail {
                    Some(detail) => format!("{} {state}: {detail}", what.name()),
                    None => format!("{} {state}", what.name()),
                };
                self.tell(place, "health", text, false);
            }
        }
    }

    fn open(&mut self, place: Place, about: &OpenSession, setup: &Setup) {
        self.header.about(about);
        self.opening = Some(place.seq);
        self.header.complete_from_opening = true;
        self.limits.open(place.at(), &setup.profile);
        let text = format!("Session {} opened", self.session);
        self.tell(place, "command", text, true);
    }

    fn started(&mut self, place: Place, started: &Started) {
        let down_s = started.down_for.map(|down| down.as_secs());
        let text = match down_s {
            Some(seconds) => format!("Program started again after {seconds} s"),
            None => "Program started again after an unknown time".to_owned(),
        };
        self.tell(place, "restart", text, false);
        match self.restarts.last_mut() {
            // The carry-over of the same start stands just before.
            Some(last) if last.down_s.is_none() && last.at == place.at() => last.down_s = down_s,
            Some(_) | None => self.restarts.push(Restart {
                seq: place.seq,
                at: place.at(),
                down_s,
                carried_over: None,
            }),
        }
    }

    fn decision(&mut self, place: Place, decision: Decision, late: Option<Duration>) {
        match decision {
            Decision::Alarm(alarm) => self.alarm(place, &alarm, late),
            Decision::Phase(change) => {
                if let Some(first) = self.first {
                    self.course
                        .begins_in(place.seq, first, change.from, "before this record");
                }
                self.course
                    .enter(place.seq, place.now, change.phase, &change.why);
                if change.phase != Phase::Standby {
                    self.phase = change.phase;
                    self.limits.phase(place.at(), change.phase);
                    let text = format!("{} ({})", change.phase.name(), change.why);
                    let manual = !matches!(change.why.as_str(), "pump" | "deadline");
                    self.tell(place, "phase", text, manual);
                }
            }
            Decision::Baseline(baseline) => self.fix(place, baseline),
            Decision::Limit(limit) => self.limit(place, limit),
            // Refusals are taken before; sounds and tasks are not part of the document.
            Decision::Refused(_) | Decision::Audio(_) | Decision::Task(_) => {}
        }
    }

    fn fix(&mut self, place: Place, baseline: BaselineRecord) {
        self.limits
            .baseline(place.at(), baseline.parameter, baseline.value);
        let name = text::parameter_name(baseline.parameter);
        let value = baseline
            .value
            .map_or_else(|| "none".to_owned(), |value| value.to_string());
        let manual = baseline.reason.is_some();
        let text = match &baseline.reason {
            Some(reason) => format!("Baseline {name} set to {value}: {reason}"),
            None => format!(
                "Baseline {name} {value}, from {} readings",
                baseline.readings.len()
            ),
        };
        self.baseline.push(Baseline {
            seq: place.seq,
            at: place.at(),
            parameter: baseline.parameter,
            value: baseline.value,
            readings: baseline.readings,
            manual,
            reason: baseline.reason,
        });
        self.tell(place, "baseline", text, manual);
    }

    fn limit(&mut self, place: Place, limit: LimitRecord) {
        let mut text = format!(
            "Limit {} {} from {} to {}",
            limit.rule.name(),
            limit.tier.name(),
            limit.from,
            limit.to
        );
        if let Some(reason) = &limit.reason {
            text.push_str(": ");
            text.push_str(reason);
        }
        self.limits.changed(place.seq, place.at(), limit);
        self.tell(place, "limit", text, true);
    }

    fn alarm(&mut self, place: Place, alarm: &AlarmRecord, late: Option<Duration>) {
        let feed = alarm.feed.map(|feed| {
            let found = self.places.of(place.seq, feed);
            self.places.name(found)
        });
        let late_s = late.map(|late| late.as_secs());
        self.alarms
            .take(place.seq, place.now, late_s, feed.as_ref(), alarm);
        if alarm.class == AlarmClass::Physiological
            && let Some(minutes) = &mut self.minutes
        {
            match alarm.event {
                AlarmEvent::Begin | AlarmEvent::Escalate | AlarmEvent::Return | AlarmEvent::End => {
                    minutes.mark(place.minute)
                }
                AlarmEvent::Deescalate | AlarmEvent::Acknowledge | AlarmEvent::ReAlarm => {}
            }
        }
        let words = text::line(alarm, feed.as_deref(), place.now.moment);
        let stars = match alarm.priority.name() {
            "high" => "***",
            "medium" => "**",
            _ => "*",
        };
        let by = alarm
            .by
            .as_ref()
            .map(|by| format!(", by {by}"))
            .unwrap_or_default();
        let text = format!("{stars} {}: {words}{by}", alarm.event.name());
        self.tell(place, "alarm", text, alarm.event == AlarmEvent::Acknowledge);
    }
}
