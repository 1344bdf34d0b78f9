//! `pulse-lost` and `no-breath`: a source that measured before finds nothing any more.

use crate::engine::kernel::Engine;
use crate::engine::reading::CuffStatus;
use crate::engine::record::{LimitSource, Numbered};
use crate::engine::renumber::Renumbering;
use crate::engine::verdict::{Judged, Key, NEVER, Verdict};
use crate::observation::Finding;
use crate::vocabulary::{Cause, Moment, Parameter, Priority, Rule};
use std::time::Duration;

/// Since when each finding lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    searching_since: Option<Moment>,
    ecg_bad_since: Option<Moment>,
    pulse: Option<Verdict>,
    apnoea_since: Option<Moment>,
    breathing_since: Option<Moment>,
    breath: Option<Verdict>,
}

impl Findings {
    /// Whether `pulse-lost` must be looked at with every reading of pleth or ECG.
    pub const fn watches_pulse(&self) -> bool {
        self.searching_since.is_some() || self.pulse.is_some()
    }

    /// Whether `no-breath` must be looked at with every respiration reading.
    pub const fn watches_breath(&self) -> bool {
        self.apnoea_since.is_some() || self.breath.is_some()
    }

    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        for verdict in [&mut self.pulse, &mut self.breath].into_iter().flatten() {
            places.verdict(verdict);
        }
    }

    /// Takes over what was open before a restart.
    pub const fn carry(&mut self, rule: Rule, verdict: Verdict) {
        if matches!(rule, Rule::PulseLost) {
            self.pulse = Some(verdict);
        } else if matches!(rule, Rule::NoBreath) {
            self.breath = Some(verdict);
        }
    }
}

impl Engine {
    /// Until when alarms of the pleth are held because a cuff on the same arm measures.
    pub(crate) fn held_by_cuff_until(&self) -> Option<Moment> {
        let session = self.session.as_ref().filter(|session| session.same_arm())?;
        let hold = self.profile.pulse_lost.cuff_holds_up_to;
        self.feeds
            .iter()
            .filter_map(|(_, feed)| match feed.cuff.status {
                CuffStatus::Measuring(since) => Some(since.after(hold)),
                CuffStatus::Silent
                | CuffStatus::Failed
                | CuffStatus::Without
                | CuffStatus::Value => None,
            })
            .filter(|until| *until > self.at && session.opened.moment <= self.at)
            .max()
    }

    /// Whether the ECG says that the heart beats. The asystole bit and a rate of zero do not.
    fn ecg_is_normal(&self) -> bool {
        self.feeds
            .usable(Parameter::Hr, self.at)
            .is_some_and(|(_, held)| {
                held.finding != Some(Finding::Asystole)
                    && held
                        .level
                        .is_some_and(|level| level >= self.profile.pulse_lost.ecg_below)
            })
    }

    /// Judges `pulse-lost`.
    pub(super) fn judge_pulse_lost(&mut self, out: &mut Vec<Numbered>) {
        let judged = self.pulse_lost();
        self.due.set(Rule::PulseLost, judged.next);
        self.findings.pulse = judged.verdict;
        let key = Key::whole(Rule::PulseLost);
        if self.feeds.usable(Parameter::Spo2, self.at).is_some() {
            self.refute_carried(key);
        }
        self.condition(key, judged.verdict, None, out);
    }

    fn pulse_lost(&mut self) -> Judged {
        let now = self.at;
        let phase = self.phase();
        let timing = &self.profile.pulse_lost;
        if !timing.phases.contains(phase) || self.feeds.usable(Parameter::Spo2, now).is_some() {
            self.findings.searching_since = None;
            self.findings.ecg_bad_since = None;
            return Judged::NOTHING;
        }
        let refused = self.feeds.refused(Parameter::Spo2, now);
        let feed = refused.map(|(feed, _)| feed);
        let is_searching = refused.and_then(|(_, held)| held.refused(now))
            == Some(Cause::Searching)
            && self.feeds.ever_gave(Parameter::Spo2);
        let stale = [Parameter::Spo2, Parameter::Hr]
            .into_iter()
            .filter_map(|parameter| self.feeds.stale_from(parameter, now))
            .min()
            .unwrap_or(NEVER);
        if !is_searching {
            self.findings.searching_since = None;
            self.findings.ecg_bad_since = None;
            // It stands until a pulse is found or a technical alarm of its priority takes its place.
            let covered = self
                .alarms
                .standing(Key::of(Rule::Sensor, Parameter::Spo2))
                .max(
                    self.alarms
                        .standing(Key::of(Rule::Missing, Parameter::Spo2)),
                );
            let stays = self
                .findings
                .pulse
                .filter(|verdict| covered < Some(verdict.tier));
            return Judged {
                verdict: stays,
                next: stale,
            };
        }
        let searching = *self.findings.searching_since.get_or_insert(now);
        let has_ecg = self.feeds.ever_gave(Parameter::Hr);
        if has_ecg && self.ecg_is_normal() {
            self.findings.ecg_bad_since = None;
            return Judged {
                verdict: None,
                next: stale,
            };
        }
        let ecg_bad = *self.findings.ecg_bad_since.get_or_insert(now);
        let since = if has_ecg {
            searching.max(ecg_bad)
        } else {
            searching
        };
        let tiers: &[(Priority, Duration)] = &if has_ecg {
            [(Priority::High, timing.with_ecg_high); 2]
        } else {
            [
                (Priority::Medium, timing.medium),
                (Priority::High, timing.high),
            ]
        };
        // What already stands goes on; only a beginning is held back by the cuff.
        let hold = self
            .held_by_cuff_until()
            .filter(|_| self.findings.pulse.is_none());
        let due = |delay: Duration| since.after(delay).max(hold.unwrap_or(Moment::ZERO));
        let reached = tiers.iter().rev().find(|(_, delay)| due(*delay) <= now);
        let next = tiers
            .iter()
            .map(|(_, delay)| due(*delay))
            .find(|due| *due > now)
            .unwrap_or(NEVER);
        Judged {
            verdict: reached.map(|(tier, delay)| Verdict {
                parameter: Some(Parameter::Spo2),
                cause: Some(Cause::Searching),
                source: Some(LimitSource::Device),
                delay: *delay,
                feed,
                ..Verdict::plain(*tier, phase, since)
            }),
            next: next.min(stale),
        }
    }

    /// Judges `no-breath`.
    pub(super) fn judge_no_breath(&mut self, out: &mut Vec<Numbered>) {
        let judged = self.no_breath();
        self.due.set(Rule::NoBreath, judged.next);
        self.findings.breath = judged.verdict;
        let key = Key::whole(Rule::NoBreath);
        if judged.verdict.is_none() && self.feeds.usable(Parameter::Rr, self.at).is_some() {
            self.refute_carried(key);
        }
        self.condition(key, judged.verdict, None, out);
    }

    fn no_breath(&mut self) -> Judged {
        let now = self.at;
        let phase = self.phase();
        let timing = &self.profile.no_breath;
        if !timing.phases.contains(phase) {
            self.findings.apnoea_since = None;
            self.findings.breathing_since = None;
            return Judged::NOTHING;
        }
        let by_bit = self.feeds.iter().find_map(|(id, feed)| {
            feed.told(Parameter::Rr)
                .any(|held| held.is_fresh(now) && held.finding == Some(Finding::NoBreath))
                .then_some(id)
        });
        let stale = self.feeds.stale_from(Parameter::Rr, now).unwrap_or(NEVER);
        let zero = self
            .feeds
            .refused(Parameter::Rr, now)
            .filter(|(_, held)| held.refused(now) == Some(Cause::Zero))
            .filter(|_| self.feeds.ever_gave(Parameter::Rr))
            .map(|(feed, _)| feed);
        if let Some(feed) = by_bit.or(zero) {
            self.findings.breathing_since = None;
            let since = *self.findings.apnoea_since.get_or_insert(now);
            let (delay, source) = if by_bit.is_some() {
                (Duration::ZERO, LimitSource::Device)
            } else {
                (timing.high, LimitSource::Timing)
            };
            let due = since.after(delay);
            let stands = due <= now || self.findings.breath.is_some();
            return Judged {
                verdict: stands.then(|| Verdict {
                    parameter: Some(Parameter::Rr),
                    source: Some(source),
                    delay,
                    feed: Some(feed),
                    ..Verdict::plain(Priority::High, phase, since)
                }),
                next: if stands { stale } else { due.min(stale) },
            };
        }
        self.findings.apnoea_since = None;
        let Some(standing) = self.findings.breath else {
            return Judged::NOTHING;
        };
        if self.feeds.usable(Parameter::Rr, now).is_some() {
            let since = *self.findings.breathing_since.get_or_insert(now);
            let over = since.after(self.profile.persistence.clear_for);
            if over <= now {
                self.findings.breathing_since = None;
                return Judged::NOTHING;
            }
            return Judged {
                verdict: Some(standing),
                next: over.min(stale),
            };
        }
        self.findings.breathing_since = None;
        let covered = standing
            .feed
            .and_then(|feed| self.alarms.standing(Key::feed(Rule::FeedLost, feed)));
        Judged {
            verdict: Some(standing).filter(|verdict| covered < Some(verdict.tier)),
            next: stale,
        }
    }
}
