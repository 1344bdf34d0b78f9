//! The session: associates, confirms, polls, and begins anew whenever the monitor stops telling
//! (dossier 5, 16).
//!
//! The sign of life is the answer to our association and what the monitor tells in it. A monitor that
//! only announces itself, refuses or ends an association is there, but gives us nothing.

mod reading;

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{Medium, OptionProblem, Session, SessionOptions};
use super::alarm::Alarms;
use super::association::{self, TICKS_PER_SECOND, Terms, extended};
use super::clock::Clock;
use super::frame::{self, Deframer, Piece};
use super::message::{Class, group};
use super::nomenclature::Wave;
use super::numerics::Numerics;
use super::request::{self, Question};
use super::series::Series;
use super::settings;
use super::system::System;
use super::wave::Waves;
use crate::vocabulary::{Moment, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// What we propose. The poll period decides that the monitor drops us after 10 s of our silence, so
/// that a daemon that was started again is not refused for long.
const PROPOSED: Terms = Terms {
    min_poll_period: Duration::from_secs(1),
    longest_message: 1_364,
    extended: extended::REAL_TIME,
};
/// How long the answer to a release is waited for; without an association there is none.
const CLEARING: Duration = Duration::from_millis(250);
/// An unanswered association request is repeated.
const REQUEST_AGAIN: Duration = Duration::from_secs(2);
/// After a second refusal in a row: the longest time-out of an association like ours. The first may be
/// for an association of our own whose response was lost; a release ends that.
const REFUSED: Duration = Duration::from_secs(10);
/// After the monitor ended the association.
const ENDED: Duration = Duration::from_millis(500);
/// The MDS Create event after the response.
const CREATION: Duration = Duration::from_secs(10);
/// How long results are asked for at a time, and when that is renewed.
const ACTIVE_PERIOD: u32 = 60 * TICKS_PER_SECOND;
const RENEWAL: Duration = Duration::from_secs(30);
/// Without a message for so long the monitor is gone.
const GONE: Duration = Duration::from_secs(5);
/// Without numerics for so long they are asked for anew.
const NO_NUMERICS: Duration = Duration::from_secs(3);
/// Between two single polls, for monitors that do not grant extended ones.
const SINGLE_POLL: Duration = Duration::from_secs(1);
/// The longest time in which we send nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// The registry's way to a session.
pub(super) fn open(options: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(IntelliVue {
        deframer: Deframer::default(),
        monitor: Monitor {
            medium: options.medium,
            waves_wanted: settings::read(&options.options)?,
            scrap: Scrap::default(),
            stage: Stage::Closed,
            invoke: 0,
            is_unanswered: false,
            is_refused: false,
            system: System::default(),
            clock: Clock::default(),
            numerics: Numerics::default(),
            waves: Waves::default(),
            alarms: Alarms::default(),
            series: BTreeMap::new(),
        },
        told: Events::new(),
    }))
}

/// One monitor at one end.
struct IntelliVue {
    deframer: Deframer,
    monitor: Monitor,
    /// What one message tells, until it is known to be whole.
    told: Events,
}

impl Session for IntelliVue {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.deframer.reset();
        self.monitor.begin(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let Self {
            deframer,
            monitor,
            told,
        } = self;
        match monitor.medium {
            Medium::Datagram => {
                let raw = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                monitor.take(Piece::Message(bytes, raw), now, told, events);
            }
            Medium::Stream => {
                deframer.receive(bytes, |piece| monitor.take(piece, now, told, events));
            }
        }
    }

    fn deadline(&self) -> Option<Moment> {
        self.monitor.stage.deadline()
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        self.monitor.expire(now, events);
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        if let Some(piece) = self.deframer.close() {
            self.monitor.take(piece, now, &mut self.told, events);
        }
        self.monitor.scrap.flush(events);
        self.monitor.stage = Stage::Closed;
    }
}

/// How far we are with the monitor.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// No link.
    Closed,
    /// A release was sent, in case the monitor still keeps an association of ours.
    Clearing { until: Moment },
    /// A request was sent. The MDS Create event may overtake its response.
    Requesting { again: Moment, is_created: bool },
    /// The monitor wants none of us for a while.
    Waiting { until: Moment },
    /// The response came; the MDS Create event has not.
    Confirming { until: Moment, granted: Terms },
    /// Associated.
    Active(Active),
}

/// An association that works.
#[derive(Clone, Copy, Debug)]
struct Active {
    granted: Terms,
    polling: Polling,
    /// When extended polls are renewed and bed and patient are asked for again.
    renew: Moment,
    /// When numerics are asked for, if none come before.
    ask: Moment,
    /// When numerics were asked for last, and under which number.
    asked: (Moment, u16),
    /// When we must have sent something.
    keep_alive: Moment,
    /// When the monitor is gone, if it says nothing before.
    gone: Moment,
    /// Numerics are missing, and that was told.
    is_overdue: bool,
}

/// How numerics are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polling {
    /// Once a minute; they keep coming.
    Extended,
    /// One by one.
    Single,
}

impl Stage {
    fn deadline(&self) -> Option<Moment> {
        match self {
            Self::Closed => None,
            Self::Clearing { until }
            | Self::Waiting { until }
            | Self::Confirming { until, .. }
            | Self::Requesting { again: until, .. } => Some(*until),
            Self::Active(active) => [active.renew, active.ask, active.keep_alive, active.gone]
                .into_iter()
                .min(),
        }
    }
}

/// What is known of the monitor.
struct Monitor {
    medium: Medium,
    waves_wanted: Vec<Wave>,
    scrap: Scrap,
    stage: Stage,
    /// Number of the last request.
    invoke: u16,
    /// Our requests for an association are not answered, and that was told.
    is_unanswered: bool,
    /// The last request was refused.
    is_refused: bool,
    system: System,
    clock: Clock,
    numerics: Numerics,
    waves: Waves,
    alarms: Alarms,
    /// The results that are followed: of each class, those that keep coming and those asked for singly.
    series: BTreeMap<(Class, bool), Series>,
}

impl Monitor {
    fn send(&self, message: Vec<u8>, events: &mut Events) {
        events.push(Event::Send(match self.medium {
            Medium::Datagram => message,
            Medium::Stream => frame::encode(&message),
        }));
    }

    /// Everything from the beginning.
    fn begin(&mut self, now: Now, events: &mut Events) {
        self.send(association::release(), events);
        self.stage = Stage::Clearing {
            until: now.moment.after(CLEARING),
        };
    }

    fn request(&mut self, now: Now, events: &mut Events) {
        let mut terms = PROPOSED;
        if !self.waves_wanted.is_empty() {
            terms.extended |= extended::WAVES;
        }
        self.send(association::request(&terms), events);
        self.stage = Stage::Requesting {
            again: now.moment.after(REQUEST_AGAIN),
            is_created: false,
        };
    }

    fn poll(&mut self, class: Class, group: u16, period: Option<u32>, events: &mut Events) -> u16 {
        self.invoke = self.invoke.wrapping_add(1);
        let question = Question {
            class: class.code(),
            group,
            period,
        };
        self.send(request::poll(self.invoke, question), events);
        self.invoke
    }

    /// Both the response and the MDS Create event have come.
    fn activate(&mut self, granted: Terms, now: Now, events: &mut Events) {
        let polling = if granted.extended & extended::REAL_TIME != 0 {
            Polling::Extended
        } else {
            // Extended polls would give averages, or nothing.
            events.push(Event::Fault(Fault::BadAnswer));
            Polling::Single
        };
        let mut active = Active {
            granted,
            polling,
            renew: now.moment,
            ask: now.moment,
            asked: (now.moment, 0),
            keep_alive: now.moment,
            gone: now.moment.after(GONE),
            is_overdue: false,
        };
        if granted.extended & extended::WAVES != 0 && !self.waves_wanted.is_empty() {
            self.invoke = self.invoke.wrapping_add(1);
            let labels: Vec<u32> = self
                .waves_wanted
                .iter()
                .map(|wave| wave.text_id())
                .collect();
            self.send(request::choose_waves(self.invoke, &labels), events);
        }
        self.ask_for_numerics(&mut active, now, events);
        self.renew(&mut active, now, events);
        self.stage = Stage::Active(active);
    }

    fn sent(active: &mut Active, now: Now) {
        let interval = KEEP_ALIVE.min(active.granted.time_out() / 3);
        active.keep_alive = now.moment.after(interval);
    }

    fn ask_for_numerics(&mut self, active: &mut Active, now: Now, events: &mut Events) {
        let period = match active.polling {
            Polling::Extended => Some(ACTIVE_PERIOD),
            Polling::Single => None,
        };
        let invoke = self.poll(Class::Numerics, group::ALL, period, events);
        if active.polling == Polling::Single {
            self.poll(Class::Alerts, group::ALERTS, None, events);
        }
        active.asked = (now.moment, invoke);
        active.ask = now.moment.after(NO_NUMERICS);
        Self::sent(active, now);
    }

    /// Renews the extended polls, and asks again for bed, clock, mode and patient.
    fn renew(&mut self, active: &mut Active, now: Now, events: &mut Events) {
        let period = Some(ACTIVE_PERIOD);
        if active.polling == Polling::Extended {
            if active.asked.0 < now.moment {
                self.ask_for_numerics(active, now, events);
            }
            self.poll(Class::Alerts, group::ALERTS, period, events);
        }
        if active.granted.extended & extended::WAVES != 0 && !self.waves_wanted.is_empty() {
            self.poll(Class::Waves, group::ALL, period, events);
        }
        self.poll(Class::System, group::ALL, None, events);
        self.poll(Class::Patient, group::PATIENT, None, events);
        active.renew = now.moment.after(RENEWAL);
        Self::sent(active, now);
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        if self.stage.deadline().is_none_or(|due| due > now.moment) {
            return;
        }
        match self.stage {
            Stage::Closed => {}
            Stage::Clearing { .. } => self.request(now, events),
            Stage::Waiting { .. } => self.begin(now, events),
            Stage::Requesting { is_created, .. } => {
                if !std::mem::replace(&mut self.is_unanswered, true) {
                    events.push(Event::Fault(Fault::Timeout));
                }
                if is_created {
                    // The response was lost, and with it what is granted.
                    self.begin(now, events);
                } else {
                    self.request(now, events);
                }
            }
            Stage::Confirming { .. } => {
                events.push(Event::Fault(Fault::BadAnswer));
                self.begin(now, events);
            }
            Stage::Active(active) if active.gone <= now.moment => {
                events.push(Event::Fault(Fault::Timeout));
                self.begin(now, events);
            }
            Stage::Active(mut active) => {
                if active.renew <= now.moment {
                    self.renew(&mut active, now, events);
                }
                if active.ask <= now.moment {
                    let waited = now.moment.since(active.asked.0) >= NO_NUMERICS;
                    if waited && !std::mem::replace(&mut active.is_overdue, true) {
                        events.push(Event::Fault(Fault::Timeout));
                    }
                    self.ask_for_numerics(&mut active, now, events);
                }
                if active.keep_alive <= now.moment {
                    self.poll(Class::Alerts, group::STATIC, None, events);
                    Self::sent(&mut active, now);
                }
                self.stage = Stage::Active(active);
            }
        }
    }
}
