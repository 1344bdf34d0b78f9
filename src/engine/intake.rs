//! What becomes of readings, signs of life and identities.

use super::input::FeedId;
use super::kernel::Engine;
use super::reading::{CuffStatus, CuffTaken, Held, admitted};
use super::rules::Source;
use super::verdict::Key;
use crate::observation::{Identity, Observation};
use crate::vocabulary::{Cause, Moment, Parameter, Phase, Reading, Rule};
use std::time::Duration;

impl Engine {
    /// A frame of this feed passed its checks. Frames about another bed are no sign of life of ours.
    pub(super) fn sign_of_life(&mut self, id: FeedId) {
        let now = self.at;
        let Some(feed) = self.feeds.get_mut(id).filter(|feed| !feed.whose.is_other) else {
            return;
        };
        let was_silent = feed.silent_from() <= now;
        feed.alive = now;
        feed.ever_alive = true;
        if was_silent {
            feed.owes_from = now.after(feed.setup.cadence);
            self.refute_carried(Key::feed(Rule::FeedLost, id));
            self.dirty.availability();
            self.dirty.rule(Rule::Pump);
            self.dirty.rule(Rule::WrongPatient);
        }
    }

    /// From now on the feed speaks about this identity.
    pub(super) fn take_identity(&mut self, id: FeedId, identity: &Identity) {
        let now = self.at;
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        let ours = feed.setup.ours.clone();
        feed.whose.told(identity, &ours, now);
        self.dirty.rule(Rule::WrongPatient);
    }

    /// A reading.
    pub(super) fn take_reading(&mut self, id: FeedId, observation: &Observation) {
        self.sign_of_life(id);
        let now = self.at;
        let wall = self.wall;
        let opened = self.session.as_ref().map(|session| session.opened.moment);
        let Some(feed) = self.feeds.get_mut(id).filter(|feed| !feed.whose.is_other) else {
            return;
        };
        let session_for = opened.map(|opened| now.since(opened));
        let timing = &self.profile.reading;
        let (age, reading) = admitted(observation, timing, feed.setup.silence, session_for);
        let known = observation.parameter.known();
        let is_cuff = known.is_some_and(Parameter::is_cuff);
        let shown_for = if is_cuff {
            self.profile.reading.cuff_shown_for
        } else {
            feed.setup.silence
        };
        let mut held = Held {
            reading,
            level: None,
            received: now,
            received_wall: wall,
            age,
            until: now.after(shown_for),
            measured_at: observation.measured_at,
            finding: observation.finding,
            site: observation.site,
            number: 0,
        };
        let Some(parameter) = known else {
            feed.keep_unknown(&observation.parameter, held);
            return;
        };
        held.level = reading
            .value()
            .and_then(|value| value.rounded(parameter.places()));
        if is_cuff {
            self.take_cuff_value(id, parameter, held, observation);
        } else {
            self.take_continuous(id, parameter, held);
        }
    }

    fn take_continuous(&mut self, id: FeedId, parameter: Parameter, held: Held) {
        let now = self.at;
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        let slot = feed.place_for(parameter, &held, now);
        let same_kind = slot.as_ref().is_some_and(|before| {
            before.is_fresh(now)
                && before.level.is_some() == held.level.is_some()
                && before.reading.cause() == held.reading.cause()
                && before.finding == held.finding
        });
        *slot = Some(held);
        let is_first = feed
            .held
            .get(parameter)
            .is_some_and(|first| first.site == held.site);
        if is_first {
            self.after_reading(id, parameter, &held);
        } else {
            self.after_reading_beside(id, parameter, &held);
        }
        if parameter == Parameter::Spo2 {
            self.follow_saturation();
        }
        self.dirty.value_of(parameter);
        if !same_kind {
            self.dirty.availability();
            return;
        }
        if self.findings.watches_pulse() {
            self.dirty.rule(Rule::PulseLost);
        }
        if self.findings.watches_breath() {
            self.dirty.rule(Rule::NoBreath);
        }
        match parameter {
            Parameter::Spo2 => self.dirty.rule(Rule::FeedsDisagree),
            Parameter::Hr | Parameter::Pr | Parameter::ArtPr => {
                self.dirty.rule(Rule::RateDiffers);
                self.dirty.rule(Rule::FeedsDisagree);
            }
            Parameter::NibpPr
            | Parameter::Pi
            | Parameter::NibpSys
            | Parameter::NibpDia
            | Parameter::NibpMean
            | Parameter::ArtSys
            | Parameter::ArtDia
            | Parameter::ArtMean
            | Parameter::Rr
            | Parameter::Etco2
            | Parameter::Temp => {}
        }
    }

    /// What every reading with a place in the catalogue changes beside its own rules.
    fn after_reading(&mut self, id: FeedId, parameter: Parameter, held: &Held) {
        let now = self.at;
        let least = u8::try_from(self.profile.reading.implausible_count).unwrap_or(u8::MAX);
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        let count = feed.implausible.get_mut(parameter);
        let before = *count;
        *count = if held.reading.cause() == Some(Cause::OutOfRange) {
            before.saturating_add(1)
        } else {
            0
        };
        if (before >= least) != (*count >= least) {
            self.dirty.rule(Rule::Implausible);
        }
        let Some(level) = held.level else {
            return;
        };
        let Some(session) = self.session.as_mut() else {
            return;
        };
        session.last_valid = now;
        let gave = feed.gave.get_mut(parameter);
        if !*gave {
            *gave = true;
            self.dirty.availability();
        }
        let phase = session.phase;
        let is_certain = matches!(held.reading, Reading::Valid(_));
        if session.phase == Phase::Baseline && is_certain {
            session.baseline.add(parameter, level, now);
        }
        self.refute_carried(Key::of(Rule::Implausible, parameter));
        if phase == Phase::Observation {
            self.refute_carried(Key::whole(Rule::SessionOpen));
        }
    }

    /// A reading of a second sensor: the values of two sensors make no common baseline.
    fn after_reading_beside(&mut self, id: FeedId, parameter: Parameter, held: &Held) {
        let Some(feed) = self.feeds.get_mut(id).filter(|_| held.level.is_some()) else {
            return;
        };
        let gave = feed.gave.get_mut(parameter);
        if !std::mem::replace(gave, true) {
            self.dirty.availability();
        }
        if let Some(session) = self.session.as_mut() {
            session.last_valid = self.at;
        }
    }

    fn take_cuff_value(
        &mut self,
        id: FeedId,
        parameter: Parameter,
        mut held: Held,
        observation: &Observation,
    ) {
        let now = self.at;
        let number = self.seq;
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        let Some(level) = held.level else {
            let cause = held.reading.cause().unwrap_or(Cause::NotAvailable);
            let failed = feed.cuff.refused(cause, held.measured_at, now);
            let measures = matches!(feed.cuff.status, CuffStatus::Measuring(_));
            let slot = feed.held.get_mut(parameter);
            // While the cuff measures, the last reading stays on the screen with its time.
            if !(measures && slot.is_some()) {
                *slot = Some(held);
            }
            self.after_reading(id, parameter, &held);
            if failed && let Some(session) = self.session.as_mut() {
                session.cuff.failed = session.cuff.failed.saturating_add(1);
                session.cuff.failed_at = now;
            }
            self.dirty.rule(Rule::CuffFailed);
            self.dirty.availability();
            return;
        };
        let was_measuring = matches!(feed.cuff.status, CuffStatus::Measuring(_));
        let silence = feed.setup.silence;
        let taken = feed
            .cuff
            .value((parameter, level), observation, now, silence, number);
        let (number, is_new) = match taken {
            CuffTaken::Older | CuffTaken::Again(_) => {
                if was_measuring {
                    self.dirty.availability();
                }
                return;
            }
            CuffTaken::New(number) => (number, true),
            CuffTaken::Further(number) => (number, false),
        };
        held.number = number;
        *feed.held.get_mut(parameter) = Some(held);
        self.after_reading(id, parameter, &held);
        if is_new {
            self.new_cuff_reading(id, now, held.age);
        }
        self.refuse_crossed_pair(id, number);
        self.note_pressure(id, number);
        for pressure in [Parameter::NibpSys, Parameter::NibpDia, Parameter::NibpMean] {
            self.dirty.value_of(pressure);
        }
        self.dirty.value_of(parameter);
        self.dirty.availability();
        self.note_gate();
        self.cuff_read = true;
        self.tasks_changed = true;
    }

    /// The first value of a new cuff reading: values told before it in the same message belong to it
    /// too, and the plan goes on from it.
    fn new_cuff_reading(&mut self, id: FeedId, now: Moment, age: Duration) {
        let phase = self.phase();
        if let Some(feed) = self.feeds.get_mut(id) {
            for parameter in [
                Parameter::NibpSys,
                Parameter::NibpDia,
                Parameter::NibpMean,
                Parameter::NibpPr,
            ] {
                let number = feed.cuff.number_of(parameter);
                if let Some(held) = feed.held.get_mut(parameter).as_mut()
                    && held.number != number
                {
                    held.number = number;
                    held.received = now;
                }
            }
        }
        let taken_at = Moment::from_micros(
            now.as_micros()
                .saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX)),
        );
        if let Some(session) = self.session.as_mut() {
            session.cuff.taken(&self.profile.cuff, phase, taken_at);
        }
        self.dirty.rule(Rule::CuffFailed);
        self.dirty.rule(Rule::CuffOverdue);
        self.refute_carried(Key::whole(Rule::CuffOverdue));
    }

    /// What is known of the newest cuff reading, for the checklist.
    fn note_pressure(&mut self, id: FeedId, number: u64) {
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        let of = |held: &Option<Held>| held.filter(|held| held.number == number);
        let sys = of(feed.held.get(Parameter::NibpSys));
        let dia = of(feed.held.get(Parameter::NibpDia)).and_then(|held| held.level);
        let Some(held) = sys else {
            return;
        };
        if let Some(session) = self.session.as_mut() {
            session
                .pressures
                .follow(number, held.received, held.level, dia);
        }
    }

    /// Systolic not above diastolic in one reading: one of the two is not what it claims to be.
    fn refuse_crossed_pair(&mut self, id: FeedId, number: u64) {
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        let level = |held: &Option<Held>| held.filter(|held| held.number == number)?.level;
        let sys = level(feed.held.get(Parameter::NibpSys));
        let dia = level(feed.held.get(Parameter::NibpDia));
        if sys.zip(dia).is_none_or(|(sys, dia)| sys > dia) {
            return;
        }
        for parameter in [Parameter::NibpSys, Parameter::NibpDia] {
            let Some(held) = feed.held.get_mut(parameter).as_mut() else {
                continue;
            };
            if let (Reading::Valid(_), Some(level)) = (held.reading, held.level)
                && let Some(session) = self.session.as_mut()
                && session.phase == Phase::Baseline
            {
                session.baseline.take_back(parameter, level);
            }
            held.level = None;
            held.reading = Reading::Invalid(Cause::OutOfRange);
        }
        // The value that came first was judged when the other one was not known yet.
        for entry in &mut self.slots {
            if matches!(
                entry.source,
                Source::Cuff(Parameter::NibpSys | Parameter::NibpDia)
            ) {
                entry.slot.take_back(number);
            }
        }
    }

    /// A note of the gate asks for a recheck.
    pub(super) fn note_gate(&mut self) {
        if self.phase() != Phase::Baseline {
            return;
        }
        let noted = self.gate().is_noted();
        let at = self.at.after(self.profile.gate.recheck_after);
        if let Some(session) = self.session.as_mut() {
            session.gate_recheck = noted.then_some(at);
        }
    }
}
