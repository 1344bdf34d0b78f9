//! Technical conditions about feeds, sensors, the cuff and scores (engine.md 5, clinical.md 7.1).

use super::alerts::Alert;
use super::differ::Lasting;
use crate::engine::feeds::RATE_SOURCES;
use crate::engine::input::FeedId;
use crate::engine::kernel::Engine;
use crate::engine::reading::PerParameter;
use crate::engine::record::Numbered;
use crate::engine::renumber::Renumbering;
use crate::engine::verdict::{Key, NEVER, Verdict};
use crate::profile::Reason;
use crate::vocabulary::{Cause, Moment, Parameter, Priority, Rule};
use std::time::Duration;

/// Parameters whose sensor is watched once it has measured.
const SENSORS: [Parameter; 4] = [Parameter::Hr, Parameter::Pr, Parameter::Spo2, Parameter::Rr];

/// What was noticed about feeds and sensors, and since when.
#[derive(Clone, Debug)]
pub struct Noticed {
    missing: [Option<Moment>; 2],
    sensor: PerParameter<Option<Moment>>,
    pub(super) rate_differs: Lasting,
    pub(super) spo2_disagrees: Lasting,
    pub(super) rate_disagrees: Lasting,
    pub(super) alerts: Vec<Alert>,
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
    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        for alert in &mut self.alerts {
            alert.renumber(places);
        }
    }

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
            let owed = self.feeds.iter().map(|(_, feed)| feed.owes_from).max();
            started.max(owed.unwrap_or(started))
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
            let found = match (feed.whose.patient_changed, feed.replaced_from()) {
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
}
