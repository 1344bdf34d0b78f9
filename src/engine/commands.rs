//! The nurse's commands: done, or refused with the reason and the next step. Every refusal is recorded.

use super::command::{AcknowledgeTarget, Command, Override};
use super::cuff::Task;
use super::kernel::{Engine, Refusal};
use super::lifecycle::{Happening, State};
use super::record::{BaselineRecord, Numbered, Record};
use super::rules::Sample;
use super::session::Away;
use super::verdict::Key;
use crate::profile::{Side, tier_order, within_rails};
use crate::vocabulary::{Decimal, Parameter, Phase, Priority, Rule};
use std::time::Duration;

/// What a command left undone although it was taken.
pub type Left = Vec<u64>;

type Done = Result<Left, Refusal>;

const NO_SESSION: &str = "no session is open";

impl Engine {
    /// Does a command, or says why not.
    pub(super) fn take_command(&mut self, command: &Command, out: &mut Vec<Numbered>) -> Done {
        match command {
            Command::OpenSession(_) => Err(Refusal::new(
                "a session is opened with its profile and feeds",
                "send it to the daemon, which adds them",
            )),
            Command::StartInfusion { over } => self.start_infusion(over.as_ref(), out),
            Command::PauseInfusion => {
                self.step_phase(command, &[Phase::Infusion], Phase::Paused, out)
            }
            Command::ResumeInfusion => self.resume_infusion(command, out),
            Command::StopInfusion => self.step_phase(
                command,
                &[Phase::Infusion, Phase::Paused],
                Phase::Recovery,
                out,
            ),
            Command::CloseSession { by, over } => self.close_session(by, over.as_ref(), out),
            Command::Away { minutes } => self.away(*minutes),
            Command::EndAway => self.end_away(),
            Command::Acknowledge {
                alarm: AcknowledgeTarget::One(id),
                seen_priority,
                by,
                ..
            } => self.acknowledge(*id, *seen_priority, by.as_deref(), out),
            Command::Acknowledge {
                alarm: AcknowledgeTarget::All(_),
                seen_seq,
                by,
                ..
            } => Ok(self.acknowledge_all(*seen_seq, by.as_deref(), out)),
            Command::AudioPause => {
                self.audio.pause(self.at, &self.profile.alarm, &self.alarms);
                self.alarms.changed = true;
                Ok(Left::new())
            }
            Command::EndAudioPause => {
                self.audio.end_pause();
                self.alarms.changed = true;
                Ok(Left::new())
            }
            Command::SetLimit {
                rule,
                tier,
                value,
                reason,
            } => self.set_limit(*rule, *tier, *value, reason),
            Command::RestoreLimits => self.restore_limits(),
            Command::SetBaseline {
                parameter,
                value,
                reason,
            } => self.set_baseline(*parameter, *value, reason, out),
            Command::RateChange { .. } => self.rate_change(),
            Command::Score { scale, value } => self.score(scale, *value),
            Command::ConfirmPatient => self.confirm_patient(),
            Command::Drug { .. }
            | Command::Note { .. }
            | Command::Correct { .. }
            | Command::Sign { .. } => self.in_session().map(|()| Left::new()),
        }
    }

    fn in_session(&self) -> Result<(), Refusal> {
        match self.session {
            Some(_) => Ok(()),
            None => Err(Refusal::new(NO_SESSION, "open a session first")),
        }
    }

    fn wrong_phase(&self, command: &Command, allowed: &[Phase]) -> Refusal {
        let phase = self.phase();
        if phase == Phase::Standby {
            return Refusal::new(NO_SESSION, "open a session first");
        }
        let names: Vec<&str> = allowed.iter().map(|phase| phase.name()).collect();
        Refusal::new(
            format!("{} is not possible in {}", command.name(), phase.name()),
            format!("possible in {}", names.join(", ")),
        )
    }

    fn step_phase(
        &mut self,
        command: &Command,
        from: &[Phase],
        to: Phase,
        out: &mut Vec<Numbered>,
    ) -> Done {
        if !from.contains(&self.phase()) {
            return Err(self.wrong_phase(command, from));
        }
        self.enter(to, command.name(), self.stamp(), out);
        Ok(Left::new())
    }

    fn start_infusion(&mut self, over: Option<&Override>, out: &mut Vec<Numbered>) -> Done {
        const FROM: [Phase; 3] = [Phase::Baseline, Phase::Recovery, Phase::Observation];
        let command = Command::StartInfusion { over: None };
        let phase = self.phase();
        if !FROM.contains(&phase) {
            return Err(self.wrong_phase(&command, &FROM));
        }
        if let Some((rule, tier)) = self.limits_off().next() {
            return Err(Refusal::new(
                format!("limit {} {} is OFF", rule.name(), tier.name()),
                "restore the limits before the infusion starts",
            ));
        }
        if phase == Phase::Baseline {
            self.gate().pass(over)?;
        }
        self.enter(Phase::Infusion, command.name(), self.stamp(), out);
        Ok(Left::new())
    }

    fn resume_infusion(&mut self, command: &Command, out: &mut Vec<Numbered>) -> Done {
        self.step_phase(command, &[Phase::Paused], Phase::Infusion, out)
    }

    fn close_session(
        &mut self,
        by: &str,
        over: Option<&Override>,
        out: &mut Vec<Numbered>,
    ) -> Done {
        const FROM: [Phase; 3] = [Phase::Baseline, Phase::Recovery, Phase::Observation];
        let command = Command::CloseSession {
            by: String::new(),
            over: None,
        };
        let phase = self.phase();
        if !FROM.contains(&phase) {
            let mut refusal = self.wrong_phase(&command, &FROM);
            if matches!(phase, Phase::Infusion | Phase::Paused) {
                refusal.hint = Some("stop the infusion first".to_owned());
            }
            return Err(refusal);
        }
        let said = |text: &str| !text.trim().is_empty();
        if !said(by) {
            return Err(Refusal::new(
                "nobody is named who closes the session",
                "say who discharges the patient in `by`",
            ));
        }
        let overridden = over.is_some_and(|over| said(&over.reason) && said(&over.by));
        let early = self
            .session
            .as_ref()
            .and_then(|session| session.observe_until(&self.profile))
            .filter(|until| *until > self.at);
        if let (Some(until), false) = (early, overridden) {
            let minutes = until.since(self.at).as_secs().div_ceil(60);
            return Err(Refusal::new(
                format!("the minimum observation lasts {minutes} more min"),
                "wait, or close with an override: a reason and who decides",
            ));
        }
        let unseen = self
            .alarms
            .iter()
            .any(|(_, occurrence)| match occurrence.state {
                State::Active { tier, .. } => tier == Priority::High,
                State::Returned { .. } => true,
                State::Acknowledged { .. } => false,
            });
        if unseen && !overridden {
            return Err(Refusal::new(
                "a high alarm is not acknowledged",
                "acknowledge it, or close with an override: a reason and who decides",
            ));
        }
        self.end_session(command.name(), out);
        Ok(Left::new())
    }

    /// Discharged, then standby at the same instant. Alarms of the session end with it; those about
    /// ourselves stand.
    fn end_session(&mut self, why: &str, out: &mut Vec<Numbered>) {
        self.enter(Phase::Discharged, why, self.stamp(), out);
        self.close_alarms(|key| !is_own(key.rule), out);
        self.enter(Phase::Standby, why, self.stamp(), out);
        self.session = None;
        self.slots.clear();
        self.findings = Default::default();
        self.noticed = Default::default();
        self.dirty.all();
    }

    fn away(&mut self, minutes: u32) -> Done {
        const FROM: [Phase; 3] = [Phase::Baseline, Phase::Recovery, Phase::Observation];
        if !FROM.contains(&self.phase()) {
            return Err(self.wrong_phase(&Command::Away { minutes }, &FROM));
        }
        let length = Duration::from_secs(u64::from(minutes) * 60);
        let most = self.profile.session.away_up_to;
        if minutes == 0 || length > most {
            return Err(Refusal::new(
                format!("{minutes} min is no absence"),
                format!("1 to {} min", most.as_secs() / 60),
            ));
        }
        if let Some(session) = self.session.as_mut() {
            session.away = Some(Away {
                until: self.at.after(length),
                back_since: None,
            });
        }
        self.judge_away();
        self.dirty.all_physiological();
        Ok(Left::new())
    }

    fn end_away(&mut self) -> Done {
        self.in_session()?;
        let Some(session) = self
            .session
            .as_mut()
            .filter(|session| session.away.is_some())
        else {
            return Err(Refusal::new("the patient is not away", "nothing to end"));
        };
        session.away = None;
        self.dirty.all_physiological();
        Ok(Left::new())
    }

    fn acknowledge(
        &mut self,
        id: u64,
        seen: Option<Priority>,
        by: Option<&str>,
        out: &mut Vec<Numbered>,
    ) -> Done {
        let Some((key, occurrence)) = self.find_alarm(id) else {
            return Err(Refusal::new(
                format!("there is no alarm {id}"),
                "it is over; look at the list",
            ));
        };
        if seen.is_some_and(|seen| seen < occurrence.state.tier()) {
            return Ok(vec![id]);
        }
        self.seen(key, by, out);
        Ok(Left::new())
    }

    fn acknowledge_all(
        &mut self,
        seen: Option<u64>,
        by: Option<&str>,
        out: &mut Vec<Numbered>,
    ) -> Left {
        let open: Vec<(Key, u64, u64)> = self
            .alarms
            .iter()
            .filter(|(_, occurrence)| match occurrence.state {
                State::Active { .. } | State::Returned { .. } => true,
                State::Acknowledged { .. } => false,
            })
            .map(|(key, occurrence)| (key, occurrence.id, occurrence.rose))
            .collect();
        let mut left = Left::new();
        for (key, id, rose) in open {
            if seen.is_some_and(|seen| rose > seen) {
                left.push(id);
            } else {
                self.seen(key, by, out);
            }
        }
        left
    }

    fn seen(&mut self, key: Key, by: Option<&str>, out: &mut Vec<Numbered>) {
        self.happen(key, Happening::Acknowledge, by, out);
        self.refute_carried(key);
        self.own_alarm_seen(key.rule);
        if key.rule == Rule::Pump
            && let Some(session) = self.session.as_mut()
        {
            session.pump.gate_seen();
            self.dirty.rule(Rule::Pump);
        }
    }

    pub(super) fn set_limit(
        &mut self,
        rule: Rule,
        tier: Priority,
        value: Decimal,
        reason: &str,
    ) -> Done {
        self.in_session()?;
        let phase = self.phase();
        let name = format!("{} {}", rule.name(), tier.name());
        let exact = value.normalized();
        if exact.scale() != 0 || exact.mantissa() < 0 {
            return Err(Refusal::new(
                format!("{value} is no limit for {name}"),
                "give a whole number",
            ));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::new(
                "a limit is changed without a reason",
                "say why in `reason`",
            ));
        }
        let limit = exact.mantissa();
        within_rails(rule, limit, &self.profile.rails)
            .map_err(|what| Refusal::new(what, "choose a limit inside the rails"))?;
        let Some(session) = self.session.as_mut() else {
            return Err(Refusal::new(NO_SESSION, "open a session first"));
        };
        let Some(limits) = session
            .limits
            .iter_mut()
            .find(|limits| limits.rule.rule == rule)
        else {
            return Err(Refusal::new(
                format!("{} has no limit that can be set", rule.name()),
                "its delays belong to the profile",
            ));
        };
        let mut changed = limits.clone();
        // The outermost plain limit of the tier takes the value; inner ones give way where it passes them.
        let side = changed.rule.side();
        let outermost = changed
            .rule
            .tiers
            .iter()
            .filter(|known| known.priority == tier && known.relative.is_none())
            .filter_map(|known| known.absolute.map(|part| part.limit))
            .reduce(|one, other| match side {
                Side::Low => one.max(other),
                Side::High => one.min(other),
            });
        let Some(outermost) = outermost else {
            return Err(Refusal::new(
                format!("{name} has no absolute limit"),
                "it follows the baseline: use set-baseline",
            ));
        };
        for known in &mut changed.rule.tiers {
            if known.priority != tier || known.relative.is_some() {
                continue;
            }
            if let Some(part) = known.absolute.as_mut() {
                let passed = match side {
                    Side::Low => part.limit > limit,
                    Side::High => part.limit < limit,
                };
                if part.limit == outermost || passed {
                    part.limit = limit;
                }
            }
        }
        for phase in Phase::ALL {
            tier_order(&changed.rule.tiers, phase).map_err(|what| {
                Refusal::new(what, "change the other tier first, or choose another limit")
            })?;
        }
        if matches!(phase, Phase::Infusion | Phase::Paused) && can_never_trip(rule, side, limit) {
            return Err(Refusal::new(
                format!("{name} at {limit} can never alarm"),
                "no limit is OFF during an infusion",
            ));
        }
        changed.mark(tier);
        *limits = changed;
        self.dirty.rule(rule);
        Ok(Left::new())
    }

    /// Plain limits that can never trip: shown as OFF, refused in infusion.
    pub fn limits_off(&self) -> impl Iterator<Item = (Rule, Priority)> {
        self.session
            .iter()
            .flat_map(|session| &session.limits)
            .flat_map(|limits| {
                limits.rule.tiers.iter().filter_map(|tier| {
                    let limit = tier.absolute.filter(|_| tier.relative.is_none())?.limit;
                    can_never_trip(limits.rule.rule, tier.side, limit)
                        .then_some((limits.rule.rule, tier.priority))
                })
            })
    }

    fn restore_limits(&mut self) -> Done {
        self.in_session()?;
        if let Some(session) = self.session.as_mut() {
            for limits in &mut session.limits {
                if let Some(rule) = self.profile.limit(limits.rule.rule) {
                    limits.rule = rule.clone();
                    limits.nurse = [false; 3];
                }
            }
        }
        self.dirty.all_physiological();
        Ok(Left::new())
    }

    fn set_baseline(
        &mut self,
        parameter: Parameter,
        value: Decimal,
        reason: &str,
        out: &mut Vec<Numbered>,
    ) -> Done {
        self.in_session()?;
        let level = parameter
            .check(value)
            .ok()
            .and_then(|value| value.rounded(parameter.places()))
            .filter(|_| super::baseline::JUDGED.contains(&parameter));
        let Some(level) = level else {
            return Err(Refusal::new(
                format!("{value} is no baseline for {}", parameter.name()),
                "give a value that can be measured, of a parameter with limits",
            ));
        };
        if reason.trim().is_empty() {
            return Err(Refusal::new(
                "a baseline is replaced without a reason",
                "say why in `reason`",
            ));
        }
        if let Some(session) = self.session.as_mut() {
            session.baseline.set(parameter, level, 0);
        }
        self.emit(
            Record::Baseline(BaselineRecord {
                parameter,
                value: Some(Decimal::whole(level)),
                readings: Vec::new(),
                reason: Some(reason.to_owned()),
            }),
            out,
        );
        self.dirty.all_physiological();
        Ok(Left::new())
    }

    fn rate_change(&mut self) -> Done {
        self.in_session()?;
        let (now, phase) = (self.at, self.phase());
        if let Some(session) = self.session.as_mut() {
            session.cuff.rate_changed(&self.profile.cuff, phase, now);
        }
        self.tasks_changed = true;
        self.dirty.rule(Rule::CuffOverdue);
        Ok(Left::new())
    }

    fn score(&mut self, scale: &str, value: Decimal) -> Done {
        /// Scales and their range (clinical.md 5 and 6).
        const SCALES: [(&str, i64, i64); 7] = [
            ("moaas", 0, 5),
            ("rass", -5, 4),
            ("pain", 0, 10),
            ("dissociation", 0, 4),
            ("nausea", 0, 10),
            ("aldrete", 0, 10),
            ("padss", 0, 10),
        ];
        self.in_session()?;
        let Some((_, low, high)) = SCALES.iter().find(|(name, ..)| *name == scale) else {
            let names: Vec<&str> = SCALES.iter().map(|(name, ..)| *name).collect();
            return Err(Refusal::new(
                format!("{scale:?} is no scale"),
                format!("one of {}", names.join(", ")),
            ));
        };
        let level = Some(value.normalized())
            .filter(|value| value.scale() == 0)
            .map(Decimal::mantissa)
            .filter(|level| (*low..=*high).contains(level));
        let Some(level) = level else {
            return Err(Refusal::new(
                format!("{value} is no score of {scale}"),
                format!("a whole number from {low} to {high}"),
            ));
        };
        if scale == "moaas" {
            let now = self.at;
            let number = self.seq;
            let interval = self.profile.score.interval;
            if let Some(session) = self.session.as_mut() {
                session.score = Some(Sample {
                    level,
                    parameter: None,
                    feed: None,
                    received: now,
                    age: Duration::ZERO,
                    number,
                });
                if session.score_due.is_some() {
                    session.score_due = Some(now.after(interval));
                }
            }
            self.tasks_changed = true;
            self.dirty.rule(Rule::Oversedated);
            self.dirty.rule(Rule::ScoreOverdue);
        }
        Ok(Left::new())
    }

    fn confirm_patient(&mut self) -> Done {
        self.in_session()?;
        for feed in self.feeds.iter_mut() {
            feed.whose.confirm();
        }
        self.dirty.rule(Rule::WrongPatient);
        Ok(Left::new())
    }

    /// The next thing for the nurse to do.
    pub(super) fn next_task(&self) -> Option<super::cuff::Due> {
        let session = self.session.as_ref()?;
        let due = |at, task| super::cuff::Due { at, task };
        let score = session.score_due.map(|at| due(at, Task::Score));
        let recheck = session
            .gate_recheck
            .filter(|_| session.phase == Phase::Baseline)
            .map(|at| due(at, Task::GateRecheck));
        let wanted = u32::try_from(self.profile.baseline.readings).unwrap_or(u32::MAX);
        let lacks_baseline = session.phase == Phase::Baseline
            && session.baseline.collected(Parameter::NibpSys) < wanted;
        let baseline = lacks_baseline.then(|| {
            // Readings of a baseline are taken as far apart as the recheck of a high one.
            let after = self.profile.gate.recheck_after;
            let last = self
                .feeds
                .usable(Parameter::NibpSys, self.at)
                .map_or(session.opened.moment, |(_, held)| {
                    held.received.after(after)
                });
            due(last, Task::BaselineCuff)
        });
        [session.cuff.next_task(), score, recheck, baseline]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Whether a rule is about ourselves: its alarms outlive a session.
pub(super) fn is_own(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Clock
            | Rule::Journal
            | Rule::Disk
            | Rule::Sound
            | Rule::Display
            | Rule::QueueFull
            | Rule::Restarted
    )
}

/// Whether no measurable value can violate the limit.
fn can_never_trip(rule: Rule, side: Side, limit: i64) -> bool {
    let (lowest, highest) = match rule_parameter(rule) {
        Some(parameter) => parameter.range(),
        None => (0, 5),
    };
    match side {
        Side::Low => limit <= lowest,
        Side::High => limit >= highest,
    }
}

/// The parameter whose range bounds a rule's limits; the sedation score has none.
pub(super) fn rule_parameter(rule: Rule) -> Option<Parameter> {
    match rule {
        Rule::Spo2Low => Some(Parameter::Spo2),
        Rule::RateLow | Rule::RateHigh => Some(Parameter::Hr),
        Rule::SbpHigh | Rule::SbpLow => Some(Parameter::NibpSys),
        Rule::DbpHigh => Some(Parameter::NibpDia),
        Rule::MapLow => Some(Parameter::NibpMean),
        Rule::RrLow | Rule::RrHigh | Rule::NoBreath => Some(Parameter::Rr),
        Rule::PulseLost
        | Rule::Oversedated
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
