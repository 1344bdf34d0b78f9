//! From the engine to the published picture: read-only, made after every step that changed something.
//!
//! Engine time is put on the reader's clock here, so that a reader can take ages and countdowns from
//! its own `now` (after a reboot the two differ).

use super::{
    AlarmStateView, AlarmView, AudioView, Board, Cue, DrugView, EventView, FeedView, LimitsView,
    ScoreView, SelfTestView, SessionView, Stamp, VitalView,
};
use crate::engine::{
    AlarmEvent, AlarmRecord, Command, Engine, Entries, FeedId, FeedState, Held, HeldReading,
    Session, Stamped, State, is_ready, text,
};
use crate::protocol;
use crate::vocabulary::{Decimal, Moment, Now, Parameter, Priority};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

/// Who acknowledged without saying who.
const UNNAMED: &str = "unnamed";

/// The whole picture now. `bed` and `demo` come from the configuration.
pub fn picture(engine: &Engine, now: Now, bed: Arc<str>, demo: Option<u32>) -> Board {
    let view = View { engine, now };
    Board {
        made: Stamp {
            moment: now.moment,
            wall: now.wall,
        },
        bed,
        demo,
        phase: engine.phase(),
        session: engine.open_session().map(|session| view.session(session)),
        vitals: view.vitals(),
        away_until: engine
            .open_session()
            .and_then(|session| session.away)
            .map(|away| view.moment(away.until)),
        held_until: engine.pleth_held_until().map(|until| view.moment(until)),
        alarms: view.alarms(),
        audio: AudioView {
            sounding: engine.audio().last.sounding,
            state: engine.audio().last.state,
            pause_until: engine.audio().pause_until.map(|until| view.moment(until)),
        },
        feeds: view.feeds(),
        next_task: engine
            .planned_task()
            .map(|due| (text::task(due.task).to_owned(), view.moment(due.at))),
        cuff_due: engine.cuff_due().map(|due| view.moment(due)),
        profile: engine.profile_name(),
        self_test: engine.self_test().map(|test| SelfTestView {
            done_at: view.stamp(test.done),
            by: test.by.clone(),
            lamps: test.lamps,
            sounds: test.sounds,
        }),
        recent: engine
            .recent_events()
            .map(|event| EventView {
                seq: event.seq,
                at: view.stamp(event.at),
                text: event.text.clone(),
            })
            .collect(),
        seq: engine.seq(),
    }
}

/// What is to be heard now.
pub fn cue(engine: &Engine) -> Cue {
    let audio = engine.audio();
    Cue {
        sounding: audio.last.sounding,
        rule: audio.last.rule,
        loudness: audio.last.loudness,
        turn: audio.turn,
    }
}

struct View<'a> {
    engine: &'a Engine,
    now: Now,
}

impl View<'_> {
    fn moment(&self, moment: Moment) -> Moment {
        self.engine.on_callers_clock(moment)
    }

    fn stamp(&self, stamped: Stamped) -> Stamp {
        Stamp {
            moment: self.moment(stamped.moment),
            wall: stamped.wall,
        }
    }

    fn session(&self, session: &Session) -> SessionView {
        let checklist = self.engine.checklist();
        SessionView {
            id: session.id,
            about: session.about.clone(),
            opened_at: self.stamp(session.opened),
            infusion_started_at: session.started.map(|stamp| self.stamp(stamp)),
            infusion_ended_at: session.ended.map(|stamp| self.stamp(stamp)),
            infusion_run: session.run_until(self.engine.on_engines_clock(self.now.moment)),
            observe_until: self.engine.observe_until().map(|until| self.moment(until)),
            baseline: session.baseline.iter().collect(),
            ready_to_leave: is_ready(&checklist),
            checklist,
            computed: self.engine.computed_scores(),
            scores: self.scores(&session.entries),
            limits: self.engine.limit_table(),
            drugs: self.drugs(&session.entries),
            drug_totals: session.entries.drug_totals(),
            rate: self.engine.rate().map(|rate| (rate, self.stamp(rate.at))),
        }
    }

    fn scores(&self, entries: &Entries) -> Vec<ScoreView> {
        entries
            .scores()
            .map(|(scale, entry, value)| ScoreView {
                seq: entry.seq,
                scale,
                value,
                at: self.stamp(entry.at),
                by: entry.says.by().map(ToOwned::to_owned),
                corrected: entry.corrected.is_some(),
            })
            .collect()
    }

    fn drugs(&self, entries: &Entries) -> Vec<DrugView> {
        entries
            .iter()
            .filter_map(|entry| {
                let Command::Drug {
                    name,
                    dose,
                    unit,
                    wasted,
                    by,
                    ..
                } = &entry.says
                else {
                    return None;
                };
                Some(DrugView {
                    seq: entry.seq,
                    name: name.clone(),
                    dose: *dose,
                    unit: unit.clone(),
                    at: self.stamp(entry.at),
                    wasted: *wasted,
                    by: by.clone(),
                    corrected: entry.corrected.is_some(),
                    void: entry.void,
                })
            })
            .collect()
    }

    fn feed_name(&self, id: FeedId) -> Arc<str> {
        self.engine.feed_name(id).unwrap_or_else(|| "?".into())
    }

    fn is_display_grade(&self, id: FeedId) -> bool {
        let name = self.engine.feed_protocol(id);
        name.and_then(|name| protocol::find(&name))
            .is_some_and(|protocol| protocol.display_grade)
    }

    fn vitals(&self) -> Vec<VitalView> {
        let at = self.engine.on_engines_clock(self.now.moment);
        self.engine
            .held_readings()
            .map(
                |HeldReading {
                     feed,
                     parameter,
                     held,
                     judged,
                 }| {
                    let Held {
                        reading,
                        received,
                        received_wall,
                        age,
                        measured_at,
                        ..
                    } = *held;
                    VitalView {
                        limits: parameter
                            .known()
                            .map(|known| self.limits(known))
                            .unwrap_or_default(),
                        parameter,
                        reading,
                        measured_at,
                        received_at: Stamp {
                            moment: self.moment(received),
                            wall: received_wall,
                        },
                        age_at_receipt: age,
                        stale: !held.is_fresh(at),
                        feed: self.feed_name(feed),
                        judged,
                        display_grade: self.is_display_grade(feed),
                    }
                },
            )
            .collect()
    }

    fn limits(&self, parameter: Parameter) -> LimitsView {
        let limits = self.engine.limits_now(parameter);
        LimitsView {
            low: limits.low,
            high: limits.high,
            source: limits.source,
            off: limits.off,
        }
    }

    fn alarms(&self) -> Vec<AlarmView> {
        let at = self.engine.on_engines_clock(self.now.moment);
        let mut alarms: Vec<(u8, AlarmView)> = self
            .engine
            .open_alarms()
            .map(|(key, occurrence)| {
                let record = occurrence.record(key, AlarmEvent::Begin);
                let feed = record.feed.map(|feed| self.feed_name(feed));
                let (place, state) = match occurrence.state {
                    State::Active { .. } => (0, AlarmStateView::Active),
                    State::Acknowledged { .. } => (1, AlarmStateView::Acknowledged),
                    State::Returned { .. } => (2, AlarmStateView::Returned),
                };
                let view = AlarmView {
                    id: occurrence.id,
                    rule: key.rule,
                    parameter: record.parameter,
                    class: record.class,
                    priority: record.priority,
                    peak: record.peak,
                    state,
                    since: self.stamp(occurrence.began),
                    acknowledged_by: (state == AlarmStateView::Acknowledged)
                        .then(|| occurrence.by.clone().unwrap_or_else(|| UNNAMED.into())),
                    text: text::line(&record, feed.as_deref(), at),
                    explanation: explanation(&record, feed.as_deref(), self.engine),
                };
                (place, view)
            })
            .collect();
        // Most urgent first: what sounds before what is acknowledged or over, high before low, then
        // the oldest.
        alarms.sort_by_key(|(place, alarm)| (*place, Reverse(alarm.priority), alarm.id));
        alarms.into_iter().map(|(_, alarm)| alarm).collect()
    }

    fn feeds(&self) -> Vec<FeedView> {
        let at = self.engine.on_engines_clock(self.now.moment);
        self.engine
            .known_feeds()
            .map(|feed| FeedView {
                name: Arc::clone(&feed.setup.name),
                state: feed.transport,
                silent: feed.silent_from() <= at
                    || feed.transport == FeedState::Lost && !feed.ever_alive,
                last_data: feed.ever_alive.then(|| self.moment(feed.alive)),
            })
            .collect()
    }
}

/// Everything that explains an alarm, for the page and for programs.
fn explanation(alarm: &AlarmRecord, feed: Option<&str>, engine: &Engine) -> Value {
    let seconds = |span: Duration| {
        Decimal::new(i64::try_from(span.as_millis()).unwrap_or(i64::MAX), 3).normalized()
    };
    let since = engine.wall_of(alarm.since);
    json!({
        "rule": alarm.rule,
        "value": alarm.value,
        "limit": alarm.limit,
        "limit_source": alarm.limit_source,
        "phase": alarm.phase,
        "since": since.rfc3339(),
        "delay_s": seconds(alarm.delay),
        "feed": feed,
        "age_s": alarm.age.map(seconds),
        "cause": alarm.cause,
        "reason": alarm.reason,
        "by": alarm.by,
        "sounds_again": alarm.priority > Priority::Low
            && alarm.class == crate::vocabulary::AlarmClass::Physiological,
    })
}
