//! The nurse's commands: done, or refused with the reason and the next step. Every refusal is recorded.

use super::command::{AcknowledgeTarget, Command, Override};
use super::entries::{MOAAS, score_level};
use super::evidence::SelfTest;
use super::kernel::{Engine, Refusal};
use super::lifecycle::{Happening, State};
use super::record::Numbered;
use super::rules::Sample;
use super::session::Away;
use super::verdict::Key;
use crate::vocabulary::{Decimal, Phase, Priority, Rule};
use serde_json::{Map, Value};
use std::time::Duration;

/// What a command left undone although it was taken.
pub type Left = Vec<u64>;

/// What became of a command.
pub(super) type Done = Result<Left, Refusal>;

/// Why most commands are refused in standby.
pub(super) const NO_SESSION: &str = "no session is open";

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
                by,
            } => self.set_limit((*rule, *tier), *value, reason, by.as_deref(), out),
            Command::RestoreLimits { by } => self.restore_limits(by.as_deref(), out),
            Command::SetBaseline {
                parameter,
                value,
                reason,
                ..
            } => self.set_baseline(*parameter, *value, reason, out),
            Command::RateChange { .. } => self.rate_change(),
            Command::Score { scale, value, .. } => self.score(scale, *value),
            Command::ConfirmPatient => self.confirm_patient(),
            Command::Drug { .. } | Command::Note { .. } => self.entry(command),
            Command::Correct { seq, fields } => self.correct(*seq, fields),
            Command::Check { item, .. } => self.check_item(*item).map(|()| Left::new()),
            Command::Sign { .. } => self.in_session().map(|()| Left::new()),
            Command::SelfTest { lamps, sounds, by } => {
                self.self_test = Some(SelfTest {
                    done: self.stamp(),
                    lamps: *lamps,
                    sounds: *sounds,
                    by: by.clone(),
                });
                Ok(Left::new())
            }
            // The display has judged the PIN; here it is only recorded.
            Command::LogIn { .. } | Command::LogOut { .. } => Ok(Left::new()),
        }
    }

    pub(super) fn in_session(&self) -> Result<(), Refusal> {
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
        if !overridden {
            self.leave_gate()?;
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

    fn entry(&self, command: &Command) -> Done {
        match &self.session {
            Some(session) => session.entries.admit(command).map(|()| Left::new()),
            None => Err(Refusal::new(NO_SESSION, "open a session first")),
        }
    }

    fn score(&mut self, told: &str, value: Decimal) -> Done {
        self.in_session()?;
        let (scale, level) = score_level(told, value)?;
        if scale == MOAAS {
            self.judge_score(level);
            let due = self.at.after(self.profile.score.interval);
            if let Some(session) = self.session.as_mut()
                && session.score_due.is_some()
            {
                session.score_due = Some(due);
            }
            self.tasks_changed = true;
            self.refute_carried(Key::whole(Rule::ScoreOverdue));
            self.dirty.rule(Rule::ScoreOverdue);
        }
        Ok(Left::new())
    }

    /// A sedation score judges from now on, as a reading of its own.
    fn judge_score(&mut self, level: i64) {
        let (now, number) = (self.at, self.seq);
        if let Some(session) = self.session.as_mut() {
            session.score = Some(Sample {
                level,
                parameter: None,
                feed: None,
                received: now,
                age: Duration::ZERO,
                number,
            });
        }
        self.dirty.rule(Rule::Oversedated);
    }

    /// An entry says something else from now on. The newest sedation score is judged anew: a slip of
    /// the finger neither hides an alarm nor keeps one.
    fn correct(&mut self, seq: u64, fields: &Map<String, Value>) -> Done {
        let Some(session) = self.session.as_mut() else {
            return Err(Refusal::new(NO_SESSION, "open a session first"));
        };
        let entry = session.entries.corrected(seq, fields)?;
        let newest = session
            .entries
            .score(MOAAS)
            .is_some_and(|(newest, _)| newest.seq == seq);
        if let Command::OpenSession(about) = &entry.says {
            session.about = about.clone();
            self.dirty.all();
        }
        if let Command::Score { scale, value, .. } = &entry.says
            && newest
        {
            let (_, level) = score_level(scale, *value)?;
            self.judge_score(level);
        }
        Ok(Left::new())
    }

    fn confirm_patient(&mut self) -> Done {
        self.in_session()?;
        let now = self.at;
        for feed in self.feeds.iter_mut() {
            let is_replaced = feed.replaced_from().is_some_and(|from| from <= now);
            feed.whose.confirm(is_replaced);
        }
        let carried: Vec<Key> = self
            .alarms
            .iter()
            .map(|(key, _)| key)
            .filter(|key| key.rule == Rule::WrongPatient)
            .collect();
        for key in carried {
            self.refute_carried(key);
        }
        self.dirty.rule(Rule::WrongPatient);
        Ok(Left::new())
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
