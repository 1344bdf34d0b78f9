//! The course of the session: its phases, when the drug ran, restarts and absences.

use super::Stamp;
use super::amounts::Run;
use super::model::{Lengths, PhaseSpan};
use crate::observation::{PumpEvent, PumpEventKind};
use crate::profile::Profile;
use crate::vocabulary::{Moment, Now, Phase};
use std::time::Duration;

/// What a phase record says.
const BY_PUMP: &str = "pump";

/// A phase with both clocks.
#[derive(Debug)]
struct Span {
    from: Now,
    span: PhaseSpan,
}

/// Follows the phases of a session.
#[derive(Debug, Default)]
pub(super) struct Course {
    spans: Vec<Span>,
    /// When the newest thing of the pump that can change a phase really happened.
    pump: Option<Now>,
    closed: Option<Now>,
}

/// How late an event was told, by the pump's own clock, and at most as old as a reading may be.
fn lateness(event: &PumpEvent, most: Option<Duration>) -> Duration {
    match (event.at, event.message_at) {
        (Some(at), Some(sent)) => {
            let late = Duration::from_millis(u64::try_from(sent.millis_since(at)).unwrap_or(0));
            most.map_or(late, |most| late.min(most))
        }
        (Some(_) | None, None) | (None, Some(_)) => Duration::ZERO,
    }
}

impl Course {
    /// A pump event: one that can change a phase stands at its own time (engine.md 5).
    pub(super) fn pump(&mut self, now: Now, event: &PumpEvent, profile: Option<&Profile>) {
        match event.event {
            PumpEventKind::DeliveryStart
            | PumpEventKind::DeliveryStop
            | PumpEventKind::DeliveryComplete
            | PumpEventKind::Kvo
            | PumpEventKind::Transitioning => {
                let late = lateness(event, profile.map(|profile| profile.reading.oldest));
                let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
                let happened = Moment::from_micros(now.moment.as_micros().saturating_sub(late));
                let opened = self
                    .spans
                    .first()
                    .map_or(happened, |first| first.from.moment);
                let moment = happened.max(opened);
                self.pump = Some(Now {
                    moment,
                    wall: now.wall_at(moment),
                });
            }
            PumpEventKind::RateChange | PumpEventKind::Alarm | PumpEventKind::CommLost => {}
        }
    }

    /// The record begins in this phase.
    pub(super) fn begins_in(&mut self, seq: u64, first: Now, phase: Phase, why: &str) {
        if self.spans.is_empty() && phase != Phase::Standby {
            self.push(seq, first, phase, why);
        }
    }

    /// The phase changes.
    pub(super) fn enter(&mut self, seq: u64, now: Now, phase: Phase, why: &str) {
        let happened = self.pump.filter(|_| why == BY_PUMP).unwrap_or(now);
        match phase {
            Phase::Standby => {}
            Phase::Discharged => {
                self.closed = Some(now);
                self.end(now);
            }
            Phase::Baseline
            | Phase::Infusion
            | Phase::Paused
            | Phase::Recovery
            | Phase::Observation => {
                self.end(happened);
                self.push(seq, happened, phase, why);
            }
        }
    }

    fn push(&mut self, seq: u64, from: Now, phase: Phase, why: &str) {
        self.spans.push(Span {
            from,
            span: PhaseSpan {
                seq,
                phase,
                from: from.wall.into(),
                to: None,
                seconds: 0,
                why: why.to_owned(),
            },
        });
    }

    fn end(&mut self, at: Now) {
        if let Some(last) = self.spans.last_mut().filter(|last| last.span.to.is_none()) {
            last.span.to = Some(at.wall.into());
            last.span.seconds = at.moment.since(last.from.moment).as_secs();
        }
    }

    /// Puts the course together; what lasts goes on to `end`.
    pub(super) fn finish(self, opened: Now, end: Now, profile: Option<&Profile>) -> Told {
        let until = self.closed.unwrap_or(end);
        let started = self.first(Phase::Infusion);
        let ended = self.ended();
        let runs = self
            .spans
            .iter()
            .zip(self.spans.iter().skip(1).map(Some).chain([None]))
            .filter(|(span, _)| span.span.phase == Phase::Infusion)
            .map(|(span, next)| Run {
                from: span.from.moment,
                to: next.map_or(until.moment, |next| next.from.moment),
            })
            .collect();
        let since = |from: Now| until.moment.since(from.moment).as_secs();
        let lengths = Lengths {
            session_s: since(opened),
            observation_s: ended.map(since),
            since_first_dose_s: started.map(since),
            minimum_after_end_s: profile.map(|p| p.session.minimum_after_end.as_secs()),
            minimum_after_start_s: profile.map(|p| p.session.minimum_after_start.as_secs()),
        };
        let stamp = |now: Now| Stamp(now.wall);
        Told {
            started: started.map(|now| (now, stamp(now))),
            ended: ended.map(stamp),
            closed: self.closed.map(stamp),
            until,
            runs,
            lengths,
            phases: self
                .spans
                .into_iter()
                .map(|mut span| {
                    if span.span.to.is_none() {
                        span.span.seconds = until.moment.since(span.from.moment).as_secs();
                    }
                    span.span
                })
                .collect(),
        }
    }

    fn first(&self, phase: Phase) -> Option<Now> {
        self.spans
            .iter()
            .find(|span| span.span.phase == phase)
            .map(|span| span.from)
    }

    /// The last end of the infusion, unless it was started again after it.
    fn ended(&self) -> Option<Now> {
        let newest = |phase| self.spans.iter().rposition(|span| span.span.phase == phase);
        let recovery = newest(Phase::Recovery)?;
        let again = [Phase::Infusion, Phase::Paused]
            .into_iter()
            .filter_map(newest)
            .any(|place| place > recovery);
        self.spans
            .get(recovery)
            .filter(|_| !again)
            .map(|span| span.from)
    }
}

/// The course, put together.
#[derive(Debug)]
pub(super) struct Told {
    /// First start of the infusion.
    pub started: Option<(Now, Stamp)>,
    /// Last end of the infusion.
    pub ended: Option<Stamp>,
    /// The closing.
    pub closed: Option<Stamp>,
    /// The closing, or the end of the document.
    pub until: Now,
    /// When the drug ran.
    pub runs: Vec<Run>,
    /// Lengths.
    pub lengths: Lengths,
    /// Phases.
    pub phases: Vec<PhaseSpan>,
}
