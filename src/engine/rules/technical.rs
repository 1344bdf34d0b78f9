//! Technical conditions about feeds, sensors, the cuff and scores (engine.md 5, clinical.md 7.1).

use crate::engine::feeds::RATE_SOURCES;
use crate::engine::input::FeedId;
use crate::engine::kernel::Engine;
use crate::engine::reading::PerParameter;
use crate::engine::record::Numbered;
use crate::engine::verdict::{Key, NEVER, Subject, Verdict};
use crate::observation::{AlertPhase, DeviceAlert};
use crate::profile::Reason;
use crate::vocabulary::{Cause, Moment, Parameter, Priority, Rule};
use std::sync::Arc;
use std::time::Duration;

/// Alerts of devices that are kept at the same time; more are in the record only.
const MOST_ALERTS: usize = 64;

/// Parameters whose sensor is watched once it has measured.
const SENSORS: [Parameter; 4] = [Parameter::Hr, Parameter::Pr, Parameter::Spo2, Parameter::Rr];

/// A condition that must last before it counts and must be absent as long as values must be to clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lasting {
    since: Option<Moment>,
    over_since: Option<Moment>,
    stands: bool,
}

impl Lasting {
    /// Follows whether it is so; `None` when nobody can tell, which ends it. Gives the next moment at
    /// which it may change by itself.
    fn follow(
        &mut self,
        is_so: Option<bool>,
        now: Moment,
        after: Duration,
        clear: Duration,
    ) -> Moment {
        match is_so {
            None => {
                *self = Self::default();
                NEVER
            }
            Some(true) => {
                self.over_since = None;
                let due = self.since.get_or_insert(now).after(after);
                self.stands = self.stands || due <= now;
                if self.stands { NEVER } else { due }
            }
            Some(false) if self.stands => {
                let due = self.over_since.get_or_insert(now).after(clear);
                if due <= now {
                    *self = Self::default();
                    NEVER
                } else {
                    due
                }
            }
            Some(false) => {
                *self = Self::default();
                NEVER
            }
        }
    }
}

/// An alarm of a monitor itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    feed: FeedId,
    key: Arc<str>,
    priority: Option<Priority>,
    text: Arc<str>,
    since: Moment,
    /// For an alert without an end of its own: until when it counts unless repeated.
    until: Moment,
    is_on: bool,
}

/// What was noticed about feeds and sensors, and since when.
#[derive(Clone, Debug)]
pub struct Noticed {
    missing: [Option<Moment>; 2],
    sensor: PerParameter<Option<Moment>>,
    rate_differs: Lasting,
    spo2_disagrees: Lasting,
    rate_disagrees: Lasting,
    alerts: Vec<Alert>,
}

impl Default for Noticed {
    fn default() -> Self {
        Self {
            missing: [None; 2],
            sensor: PerParameter::filled(None),
            rate_differs: Lasting::default(),
            spo2_disagrees: Lasting::default(),
            rate_disagrees: Lasting::default(),
            alerts: Vec::new(),
        }
    }
}

impl Noticed {
    /// Whether ECG and pleth rates differ.
    pub const fn rate_differs(&self) -> bool {
        self.rate_differs.stands
    }
}

impl Engine {
    fn escalated(&self, rule: Rule, base: Priority, begun: Moment) -> (Priority, Moment) {
        let further = self
            .profile
            .technical(rule)
            .and_then(|technical| technical.high_after(self.phase()));
        match further {
            Some(_) if base == Priority::High => (base, NEVER),
            Some(further) if begun.after(further) <= self.at => (Priority::High, NEVER),
            Some(further) => (base, begun.after(further)),
            None => (base, NEVER),
        }
    }

    fn technical_after(&self, rule: Rule) -> Duration {
        self.profile
            .technical(rule)
            .map_or(Duration::ZERO, |technical| technical.after)
    }

    /// Judges `feed-lost` on every feed.
    pub(super) fn judge_feed_lost(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::FeedLost);
        let all_given = self.feeds.usable(Parameter::Spo2, now).is_some()
            && self.feeds.usable_rate(now).is_some();
        let mut next = NEVER;
        for place in 0_u16.. {
            let id = FeedId(place);
            let Some(feed) = self.feeds.get(id) else {
                break;
            };
            let (lost_from, since, silence) = (feed.silent_from(), feed.alive, feed.setup.silence);
            let key = Key::feed(Rule::FeedLost, id);
            if lost_from > now {
                next = next.min(lost_from);
                self.condition(key, None, None, out);
                continue;
            }
            let verdict = base.map(|base| {
                let (tier, later) = if all_given {
                    (Priority::Low, NEVER)
                } else {
                    self.escalated(Rule::FeedLost, base, lost_from)
                };
                next = next.min(later);
                Verdict {
                    feed: Some(id),
                    delay: silence,
                    ..Verdict::plain(tier, phase, since)
                }
            });
            self.condition(key, verdict, None, out);
        }
        // What another feed gives may become stale and make a loss more urgent.
        for parameter in [Parameter::Spo2].into_iter().chain(RATE_SOURCES) {
            next = next.min(self.feeds.stale_from(parameter, now).unwrap_or(NEVER));
        }
        self.due.set(Rule::FeedLost, next);
    }

    /// Judges `missing` for SpO2 and for the rate.
    pub(super) fn judge_missing(&mut self, out: &mut Vec<Numbered>) {
        let mut next = NEVER;
        for (place, parameters) in [&[Parameter::Spo2] as &[Parameter], &RATE_SOURCES]
            .into_iter()
            .enumerate()
        {
            let (verdict, later) = self.missing(place, parameters);
            next = next.min(later);
            let key = Key::of(
                Rule::Missing,
                *parameters.first().unwrap_or(&Parameter::Spo2),
            );
            if parameters
                .iter()
                .any(|parameter| self.feeds.usable(*parameter, self.at).is_some())
            {
                self.refute_carried(key);
            }
            self.condition(key, verdict, None, out);
        }
        self.due.set(Rule::Missing, next);
    }

    fn missing(&mut self, place: usize, parameters: &[Parameter]) -> (Option<Verdict>, Moment) {
        let now = self.at;
        let phase = self.phase();
        let (Some(base), Some(session)) = (
            self.technical_priority(Rule::Missing),
            self.session.as_ref(),
        ) else {
            return (None, NEVER);
        };
        let opened = session.opened.moment;
        let ever = parameters
            .iter()
            .copied()
            .find(|parameter| self.feeds.ever_gave(*parameter));
        let stale = parameters
            .iter()
            .filter_map(|parameter| self.feeds.stale_from(*parameter, now))
            .min()
            .unwrap_or(NEVER);
        let has = |parameter: &Parameter| self.feeds.usable(*parameter, now).is_some();
        let refused = |parameter: &Parameter| self.feeds.refused(*parameter, now).is_some();
        let gone = if ever.is_some() {
            // A sensor that measured before and now says why it does not is `sensor`.
            !parameters.iter().any(|p| has(p) || refused(p))
        } else {
            true
        };
        let Some(since) = self.noticed.missing.get_mut(place) else {
            return (None, NEVER);
        };
        if !gone {
            *since = None;
            return (None, stale);
        }
        let started = if ever.is_some() {
            *since.get_or_insert(now)
        } else {
            opened
        };
        if self.feeds.all_givers_silent(parameters, now) {
            return (None, stale);
        }
        let (reason, delay) = match ever {
            Some(_) => (Reason::Gone, Duration::ZERO),
            None => (Reason::NeverReceived, self.technical_after(Rule::Missing)),
        };
        // Never received waits in the first phase only: from the infusion's start on it counts at once.
        let due = if reason == Reason::NeverReceived && base == Priority::Low && !self.has_started()
        {
            started.after(delay)
        } else {
            started
        };
        // The silence of other givers may end the replacement by `feed-lost`.
        let silence = self
            .feeds
            .iter()
            .map(|(_, feed)| feed.silent_from())
            .filter(|from| *from > now)
            .min()
            .unwrap_or(NEVER);
        if due > now {
            return (None, due.min(stale).min(silence));
        }
        let (tier, later) = if ever.is_some() {
            self.escalated(Rule::Missing, base, started)
        } else {
            (base, NEVER)
        };
        let parameter = ever.or_else(|| parameters.first().copied());
        let verdict = Verdict {
            parameter,
            reason: Some(reason),
            delay,
            ..Verdict::plain(tier, phase, started)
        };
        (Some(verdict), later.min(stale).min(silence))
    }

    fn has_started(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.started.is_some())
    }

    /// Judges `sensor` on every sensor that has measured in this session.
    pub(super) fn judge_sensor(&mut self, out: &mut Vec<Numbered>) {
        let mut next = NEVER;
        for parameter in SENSORS {
            let (verdict, later) = self.sensor(parameter);
            next = next.min(later);
            let key = Key::of(Rule::Sensor, parameter);
            if self.feeds.usable(parameter, self.at).is_some() {
                self.refute_carried(key);
            }
            self.condition(key, verdict, None, out);
        }
        self.due.set(Rule::Sensor, next);
    }

    fn sensor(&mut self, parameter: Parameter) -> (Option<Verdict>, Moment) {
        let now = self.at;
        let phase = self.phase();
        let stale = self.feeds.stale_from(parameter, now).unwrap_or(NEVER);
        let base = self
            .technical_priority(Rule::Sensor)
            .filter(|_| self.feeds.ever_gave(parameter))
            .filter(|_| self.feeds.usable(parameter, now).is_none());
        let refused = self
            .feeds
            .refused(parameter, now)
            .and_then(|(feed, held)| Some((feed, held.refused(now)?)))
            // No breath is a finding, not a fault of the sensor.
            .filter(|(_, cause)| parameter != Parameter::Rr || *cause != Cause::Zero)
            // The pleth's own alarm speaks for its rate too.
            .filter(|_| {
                parameter != Parameter::Pr || self.feeds.usable(Parameter::Spo2, now).is_some()
            });
        let (Some(base), Some((feed, cause))) = (base, refused) else {
            *self.noticed.sensor.get_mut(parameter) = None;
            return (None, stale);
        };
        let since = *self.noticed.sensor.get_mut(parameter).get_or_insert(now);
        let delay = self.technical_after(Rule::Sensor);
        let hold = self.held_by_cuff_until().filter(|_| {
            matches!(parameter, Parameter::Spo2 | Parameter::Pr)
                && self.alarms.get(Key::of(Rule::Sensor, parameter)).is_none()
        });
        let due = since.after(delay).max(hold.unwrap_or(Moment::ZERO));
        if due > now {
            return (None, due.min(stale));
        }
        // A rate that another source still gives, and a respiration sensor, are worth a notice.
        let is_notice = match parameter {
            Parameter::Rr => true,
            Parameter::Hr | Parameter::Pr => self.feeds.usable_rate(now).is_some(),
            Parameter::Spo2
            | Parameter::NibpPr
            | Parameter::ArtPr
            | Parameter::Pi
            | Parameter::NibpSys
            | Parameter::NibpDia
            | Parameter::NibpMean
            | Parameter::ArtSys
            | Parameter::ArtDia
            | Parameter::ArtMean
            | Parameter::Etco2
            | Parameter::Temp => false,
        };
        let tier = if is_notice { Priority::Low } else { base };
        let verdict = Verdict {
            parameter: Some(parameter),
            cause: Some(cause),
            feed: Some(feed),
            delay,
            ..Verdict::plain(tier, phase, since)
        };
        // Another source of the rate may become stale and make the loss more urgent.
        let others = RATE_SOURCES
            .into_iter()
            .filter_map(|source| self.feeds.stale_from(source, now))
            .min()
            .unwrap_or(NEVER);
        (Some(verdict), stale.min(others))
    }

    /// Judges `rate-differs`: ECG against pleth.
    pub(super) fn judge_rate_differs(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::RateDiffers);
        let level = |parameter| {
            self.feeds
                .usable(parameter, now)
                .and_then(|(_, held)| held.level)
        };
        let both = level(Parameter::Hr).zip(level(Parameter::Pr));
        let timing = &self.profile.feeds;
        let differs = both
            .filter(|_| base.is_some())
            .map(|(ecg, pleth)| (ecg - pleth).abs() > timing.rate_differs_above);
        let before = self.noticed.rate_differs.stands;
        let mut next = self.noticed.rate_differs.follow(
            differs,
            now,
            timing.ecg_pleth_for,
            self.profile.persistence.clear_for,
        );
        for parameter in [Parameter::Hr, Parameter::Pr] {
            next = next.min(self.feeds.stale_from(parameter, now).unwrap_or(NEVER));
        }
        let delay = timing.ecg_pleth_for;
        let noticed = self.noticed.rate_differs;
        if noticed.stands != before {
            self.dirty.value_of(Parameter::Hr);
        }
        let verdict = base
            .zip(noticed.since.filter(|_| noticed.stands))
            .map(|(tier, since)| Verdict {
                parameter: Some(Parameter::Hr),
                delay,
                ..Verdict::plain(tier, phase, since)
            });
        self.due.set(Rule::RateDiffers, next);
        self.condition(Key::whole(Rule::RateDiffers), verdict, None, out);
    }

    /// Judges `feeds-disagree`: SpO2 and rate between feeds.
    pub(super) fn judge_feeds_disagree(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::FeedsDisagree);
        let mut next = NEVER;
        for parameter in [Parameter::Spo2, Parameter::Hr] {
            let mut range: Option<(i64, i64, usize)> = None;
            for (_, feed) in self.feeds.iter() {
                let sources: &[Parameter] = if parameter == Parameter::Spo2 {
                    &[Parameter::Spo2]
                } else {
                    &RATE_SOURCES
                };
                let level = sources
                    .iter()
                    .find_map(|source| feed.held.get(*source).as_ref()?.usable(now));
                if let Some(level) = level {
                    range = Some(match range {
                        Some((low, high, count)) => (low.min(level), high.max(level), count + 1),
                        None => (level, level, 1),
                    });
                }
                for source in sources {
                    if let Some(held) = feed.held.get(*source).filter(|held| held.is_fresh(now)) {
                        next = next.min(held.until);
                    }
                }
            }
            let timing = &self.profile.feeds;
            let differs = range
                .filter(|(_, _, count)| *count > 1 && base.is_some())
                .map(|(low, high, _)| {
                    if parameter == Parameter::Spo2 {
                        high - low >= timing.spo2_differs_by
                    } else {
                        high - low > timing.rate_differs_above
                    }
                });
            let lasting = if parameter == Parameter::Spo2 {
                &mut self.noticed.spo2_disagrees
            } else {
                &mut self.noticed.rate_disagrees
            };
            let clear = self.profile.persistence.clear_for;
            next = next.min(lasting.follow(differs, now, timing.differs_for, clear));
            let delay = timing.differs_for;
            let lasting = *lasting;
            let verdict =
                base.zip(lasting.since.filter(|_| lasting.stands))
                    .map(|(tier, since)| Verdict {
                        parameter: Some(parameter),
                        delay,
                        ..Verdict::plain(tier, phase, since)
                    });
            self.condition(Key::of(Rule::FeedsDisagree, parameter), verdict, None, out);
        }
        self.due.set(Rule::FeedsDisagree, next);
    }

    /// Judges `slow-feed` on every feed.
    pub(super) fn judge_slow_feed(&mut self, out: &mut Vec<Numbered>) {
        let phase = self.phase();
        let base = self.technical_priority(Rule::SlowFeed);
        for place in 0_u16.. {
            let id = FeedId(place);
            let Some(feed) = self.feeds.get(id) else {
                break;
            };
            let cadence = feed.setup.cadence;
            let verdict = base
                .filter(|_| cadence > self.profile.feeds.slow_above)
                .zip(self.session.as_ref())
                .map(|(tier, session)| Verdict {
                    feed: Some(id),
                    delay: cadence,
                    ..Verdict::plain(tier, phase, session.opened.moment)
                });
            self.condition(Key::feed(Rule::SlowFeed, id), verdict, None, out);
        }
    }

    /// Judges `wrong-patient` on every feed.
    pub(super) fn judge_wrong_patient(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::WrongPatient);
        let mut next = NEVER;
        for place in 0_u16.. {
            let id = FeedId(place);
            let Some(feed) = self.feeds.get(id) else {
                break;
            };
            let configured = feed.setup.ours.bed.is_some() || feed.setup.ours.device.is_some();
            // On a shared connection other beds come and go beside ours; only when ours has fallen
            // silent has the identity changed.
            let replaced = (feed.whose.is_other && !configured).then(|| feed.silent_from());
            let found = match (feed.whose.patient_changed, replaced) {
                (Some(since), _) => Some((since, None)),
                (None, Some(from)) if from <= now => Some((from, Some(Reason::OtherBed))),
                (None, Some(from)) => {
                    next = next.min(from);
                    None
                }
                (None, None) => None,
            };
            let verdict = base.zip(found).map(|(tier, (since, reason))| Verdict {
                feed: Some(id),
                reason,
                ..Verdict::plain(tier, phase, since)
            });
            self.condition(Key::feed(Rule::WrongPatient, id), verdict, None, out);
        }
        self.due.set(Rule::WrongPatient, next);
    }

    /// Judges `implausible` on every parameter.
    pub(super) fn judge_implausible(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::Implausible);
        let least = self.profile.reading.implausible_count;
        for &parameter in Parameter::ALL {
            let found = self
                .feeds
                .iter()
                .find(|(_, feed)| i64::from(*feed.implausible.get(parameter)) >= least)
                .map(|(id, _)| id);
            let key = Key::of(Rule::Implausible, parameter);
            let since = self
                .alarms
                .get(key)
                .map_or(now, |occurrence| occurrence.verdict.since);
            let verdict = base.zip(found).map(|(tier, feed)| Verdict {
                parameter: Some(parameter),
                cause: Some(Cause::OutOfRange),
                feed: Some(feed),
                ..Verdict::plain(tier, phase, since)
            });
            self.condition(key, verdict, None, out);
        }
    }

    /// Judges `cuff-failed`: once low, twice medium, until a measurement succeeds.
    pub(super) fn judge_cuff_failed(&mut self, out: &mut Vec<Numbered>) {
        let phase = self.phase();
        let base = self.technical_priority(Rule::CuffFailed);
        let verdict = self.session.as_ref().zip(base).and_then(|(session, base)| {
            let (tier, reason) = match session.cuff.failed {
                0 => return None,
                1 => (base, None),
                _ => (base.max(Priority::Medium), Some(Reason::Twice)),
            };
            Some(Verdict {
                parameter: Some(Parameter::NibpSys),
                cause: Some(Cause::CuffFault),
                reason,
                ..Verdict::plain(tier, phase, session.cuff.failed_at)
            })
        });
        self.condition(Key::whole(Rule::CuffFailed), verdict, None, out);
    }

    /// Judges `cuff-overdue`.
    pub(super) fn judge_cuff_overdue(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::CuffOverdue);
        let plan = self.session.as_ref().and_then(|session| {
            session
                .cuff
                .overdue(&self.profile.cuff)
                .zip(session.cuff.regular())
        });
        let mut next = NEVER;
        let verdict = plan
            .zip(base)
            .and_then(|(((low, medium), (since, due)), base)| {
                for moment in [low, medium] {
                    if moment > now {
                        next = next.min(moment);
                    }
                }
                let tier = if medium <= now {
                    base.max(Priority::Medium)
                } else if low <= now {
                    base
                } else {
                    return None;
                };
                Some(Verdict {
                    parameter: Some(Parameter::NibpSys),
                    delay: due.since(since),
                    ..Verdict::plain(tier, phase, since)
                })
            });
        self.due.set(Rule::CuffOverdue, next);
        self.condition(Key::whole(Rule::CuffOverdue), verdict, None, out);
    }

    /// Judges `score-overdue`.
    pub(super) fn judge_score_overdue(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let after = self.profile.score.overdue_after;
        let base = self.technical_priority(Rule::ScoreOverdue);
        let due = self.session.as_ref().and_then(|session| session.score_due);
        let mut next = NEVER;
        let verdict = due.zip(base).and_then(|(due, tier)| {
            let overdue = due.after(after);
            if overdue > now {
                next = overdue;
                return None;
            }
            Some(Verdict {
                delay: after,
                ..Verdict::plain(tier, phase, due)
            })
        });
        self.due.set(Rule::ScoreOverdue, next);
        self.condition(Key::whole(Rule::ScoreOverdue), verdict, None, out);
    }

    /// Judges `session-open`: nothing valid for long in observation.
    pub(super) fn judge_session_open(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let after = self.profile.session.still_open_after;
        let mut next = NEVER;
        let verdict = self
            .session
            .as_ref()
            .zip(self.technical_priority(Rule::SessionOpen))
            .and_then(|(session, tier)| {
                let since = session.last_valid.max(session.entered);
                if since.after(after) > now {
                    next = since.after(after);
                    return None;
                }
                Some(Verdict {
                    delay: after,
                    ..Verdict::plain(tier, phase, since)
                })
            });
        self.due.set(Rule::SessionOpen, next);
        self.condition(Key::whole(Rule::SessionOpen), verdict, None, out);
    }

    /// Takes an alarm of a monitor.
    pub(crate) fn take_alert(&mut self, feed: FeedId, alert: &DeviceAlert) {
        let now = self.at;
        let silence = self
            .feeds
            .get(feed)
            .map_or(Duration::ZERO, |feed| feed.setup.silence);
        let until = match alert.phase {
            AlertPhase::Present => now.after(silence),
            AlertPhase::Start | AlertPhase::Continue | AlertPhase::End => NEVER,
        };
        let is_on = alert.phase != AlertPhase::End;
        self.dirty.rule(Rule::DeviceAlert);
        let alerts = &mut self.noticed.alerts;
        let told = |since| Alert {
            feed,
            key: alert.key.clone(),
            priority: alert.priority,
            text: alert.text.clone(),
            since,
            until,
            is_on,
        };
        if let Some(known) = alerts
            .iter_mut()
            .find(|known| known.feed == feed && known.key == alert.key && known.is_on)
        {
            *known = told(known.since);
        } else if !is_on {
            // The end of something that we were never told or had no room for.
        } else if let Some(free) = alerts.iter_mut().find(|known| !known.is_on) {
            *free = told(now);
        } else if alerts.len() < MOST_ALERTS {
            alerts.push(told(now));
        }
    }

    /// Judges `device-alert` on every alert: at the device's own priority.
    pub(super) fn judge_device_alerts(&mut self, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(Rule::DeviceAlert);
        let mut next = NEVER;
        for place in 0_u32.. {
            let index = usize::try_from(place).unwrap_or(usize::MAX);
            let Some(alert) = self.noticed.alerts.get_mut(index) else {
                break;
            };
            if alert.until <= now {
                alert.is_on = false;
            }
            let mut verdict = None;
            if alert.is_on {
                next = next.min(alert.until);
                verdict = base.map(|base| Verdict {
                    feed: Some(alert.feed),
                    ..Verdict::plain(alert.priority.unwrap_or(base), phase, alert.since)
                });
            }
            let text = alert.text.clone();
            let key = Key {
                rule: Rule::DeviceAlert,
                subject: Subject::Alert(place),
            };
            self.condition(key, verdict, Some(&text), out);
        }
        self.due.set(Rule::DeviceAlert, next);
    }
}
