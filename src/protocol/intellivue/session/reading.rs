//! What the monitor says, and what follows from it.

use super::super::super::event::{Event, Events, Fault};
use super::super::association::{self, Terms};
use super::super::frame::Piece;
use super::super::message::{self, Class, DATA_EXPORT, Message, Poll};
use super::super::nomenclature::Wave;
use super::super::numerics::{Circumstances, Scope};
use super::super::request;
use super::super::series::What;
use super::{
    CREATION, ENDED, GONE, Monitor, NO_NUMERICS, Polling, REFUSED, REQUEST_AGAIN, SINGLE_POLL,
    Stage,
};
use crate::vocabulary::Now;

/// What a message is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Told in an association: a sign of life.
    Life,
    /// Well formed, and no use to anybody.
    Presence,
}

impl Monitor {
    /// Takes what was found on the wire.
    pub(super) fn take(
        &mut self,
        piece: Piece<'_>,
        now: Now,
        told: &mut Events,
        events: &mut Events,
    ) {
        match piece {
            Piece::Rest(bytes) => self.scrap.skipped(bytes, events),
            Piece::Noise(bytes) => self.scrap.noise(bytes, events),
            Piece::Broken(fault, bytes) => self.scrap.broken(fault, bytes, events),
            Piece::Message(bytes, raw) => {
                told.clear();
                match self.read(bytes, now, told) {
                    Ok(Sign::Life) => {
                        self.scrap.frame(events);
                        if let Stage::Active(active) = &mut self.stage {
                            active.gone = now.moment.after(GONE);
                        }
                    }
                    Ok(Sign::Presence) => {}
                    Err(fault) => {
                        told.clear();
                        self.scrap.broken(fault, raw, events);
                    }
                }
                events.append(told);
            }
        }
    }

    /// Reads a message whole or not at all.
    fn read(&mut self, bytes: &[u8], now: Now, told: &mut Events) -> Result<Sign, Fault> {
        match bytes.first() {
            Some(&DATA_EXPORT) => {
                let message = Message::read(bytes)?;
                self.exported(message, now, told)?;
                Ok(Sign::Life)
            }
            Some(&association::RESPONSE) => {
                let granted = association::granted(bytes)?;
                self.accepted(granted, now, told);
                Ok(Sign::Life)
            }
            Some(&association::REFUSE) => {
                if let Stage::Requesting { .. } = self.stage {
                    let again = std::mem::replace(&mut self.is_refused, true);
                    self.stage = Stage::Waiting {
                        until: now.moment.after(if again { REFUSED } else { ENDED }),
                    };
                }
                Ok(Sign::Presence)
            }
            Some(
                &control @ (association::RELEASE | association::RELEASED | association::ABORT),
            ) => {
                if !association::is_whole(bytes) {
                    return Err(Fault::BadLength);
                }
                self.ended(control, now, told);
                Ok(Sign::Presence)
            }
            // Only a client requests: our own message came back.
            Some(&association::REQUEST) => Err(Fault::BadAnswer),
            Some(_) if message::is_connect_indication(bytes) => Ok(Sign::Presence),
            Some(_) | None => Err(Fault::BadFrame),
        }
    }

    /// The monitor agreed.
    fn accepted(&mut self, granted: Terms, now: Now, told: &mut Events) {
        let Stage::Requesting { is_created, .. } = self.stage else {
            return;
        };
        self.is_unanswered = false;
        self.is_refused = false;
        self.numerics.associated();
        self.waves.associated();
        self.series.clear();
        if is_created {
            self.activate(granted, now, told);
        } else {
            self.stage = Stage::Confirming {
                until: now.moment.after(CREATION),
                granted,
            };
        }
    }

    /// The monitor wants to end the association, has done so, or has cut it off.
    fn ended(&mut self, control: u8, now: Now, told: &mut Events) {
        if control == association::RELEASE {
            self.send(association::released(), told);
        }
        match self.stage {
            Stage::Clearing { .. } if control == association::RELEASED => self.request(now, told),
            Stage::Confirming { .. } | Stage::Active(_) => {
                self.stage = Stage::Waiting {
                    until: now.moment.after(ENDED),
                };
            }
            Stage::Closed
            | Stage::Clearing { .. }
            | Stage::Requesting { .. }
            | Stage::Waiting { .. } => {}
        }
    }

    fn exported(&mut self, message: Message<'_>, now: Now, told: &mut Events) -> Result<(), Fault> {
        match message {
            Message::Created { answer, attributes } => {
                if let Some(answer) = answer {
                    self.send(request::created_answer(answer), told);
                }
                self.clock.told(attributes);
                self.system.told(attributes);
                told.push(Event::Identity(self.system.identity.clone()));
                match self.stage {
                    Stage::Requesting { .. } => {
                        self.stage = Stage::Requesting {
                            again: now.moment.after(REQUEST_AGAIN),
                            is_created: true,
                        };
                    }
                    Stage::Confirming { granted, .. } => self.activate(granted, now, told),
                    Stage::Closed
                    | Stage::Clearing { .. }
                    | Stage::Waiting { .. }
                    | Stage::Active(_) => {}
                }
                Ok(())
            }
            Message::Polled(poll) => self.polled(&poll, now, told),
            Message::WaveList(attributes) => {
                let is_exported =
                    |wave: &Wave| request::labels(attributes).any(|label| label == wave.text_id());
                // What the monitor cannot export it leaves out without a word.
                if !self.waves_wanted.iter().all(is_exported) {
                    told.push(Event::Fault(Fault::BadAnswer));
                }
                Ok(())
            }
            Message::Refused { invoke } => {
                told.push(Event::Fault(Fault::BadAnswer));
                if let Stage::Active(mut active) = self.stage
                    && active.asked.1 == invoke
                    && active.polling == Polling::Extended
                {
                    active.polling = Polling::Single;
                    self.ask_for_numerics(&mut active, now, told);
                    self.stage = Stage::Active(active);
                }
                Ok(())
            }
            Message::Other => Ok(()),
        }
    }

    fn polled(&mut self, poll: &Poll<'_>, now: Now, told: &mut Events) -> Result<(), Fault> {
        let Some(class) = poll.class else {
            return Ok(());
        };
        let key = (class, poll.sequence.is_some());
        let verdict = self.series.entry(key).or_default().judge(poll);
        if verdict.lost {
            told.push(Event::Fault(Fault::Lost));
            if class == Class::Numerics {
                self.numerics.forget_gathered();
            }
        }
        if verdict.what == What::Drop {
            return Ok(());
        }
        let at = self.clock.at(poll.at);
        match class {
            Class::Numerics => {
                let here = Circumstances {
                    at,
                    mode: self.system.mode,
                    scope: if poll.sequence == Some(0) || verdict.what == What::Append {
                        Scope::Opening
                    } else {
                        Scope::Whole
                    },
                };
                if self.numerics.gather(poll.objects, here).is_none() {
                    return Err(Fault::BadFrame);
                }
                if matches!(verdict.what, What::Tell | What::Append) {
                    self.numerics.tell(told, here);
                    self.numerics_came(now);
                }
            }
            Class::Waves => {
                for object in poll.objects.iter() {
                    let tell = |chunk| told.push(Event::Wave(chunk));
                    self.waves
                        .take(&object, self.system.mode, tell)
                        .ok_or(Fault::BadFrame)?;
                }
            }
            Class::Alerts => {
                for object in poll.objects.iter() {
                    let tell = |alert| told.push(Event::DeviceAlert(alert));
                    self.alarms
                        .take(object.attributes, at, tell)
                        .ok_or(Fault::BadFrame)?;
                }
            }
            Class::Patient => {
                if self.system.patient_told(poll.objects) {
                    told.push(Event::Identity(self.system.identity.clone()));
                }
            }
            Class::System => {
                let mut is_changed = false;
                for object in poll.objects.iter() {
                    self.clock.told(object.attributes);
                    is_changed |= self.system.told(object.attributes);
                }
                if is_changed {
                    told.push(Event::Identity(self.system.identity.clone()));
                }
            }
        }
        Ok(())
    }

    fn numerics_came(&mut self, now: Now) {
        if let Stage::Active(active) = &mut self.stage {
            active.is_overdue = false;
            active.ask = match active.polling {
                Polling::Extended => now.moment.after(NO_NUMERICS),
                Polling::Single => active.asked.0.after(SINGLE_POLL).max(now.moment),
            };
        }
    }
}
