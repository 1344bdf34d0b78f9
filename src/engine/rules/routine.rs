//! Technical conditions about what people do: cuff readings, scores, a session left open.

use crate::engine::kernel::Engine;
use crate::engine::record::Numbered;
use crate::engine::verdict::{Key, NEVER, Verdict};
use crate::profile::Reason;
use crate::vocabulary::{Cause, Parameter, Priority, Rule};

impl Engine {
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
}
