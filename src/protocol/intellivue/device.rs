//! The device side: a monitor that says nothing until a client associates, then tells what is polled.
//!
//! It answers in the form in which it is asked, framed or in datagrams, and drops a silent client as a
//! real monitor does.

use super::super::device::{Device, DeviceOptions, Screen};
use super::alarm;
use super::answer::{self, Told};
use super::association::{self, Terms, extended};
use super::clock::Clock;
use super::exported::{Exported, exported};
use super::frame::{self, Deframer, Piece};
use super::message::{Class, DATA_EXPORT, Link, group};
use super::request::{Asked, Question};
use super::shown::numerics;
use super::system;
use crate::observation::Identity;
use crate::vocabulary::{Moment, Now};
use std::time::Duration;

/// Results come every 1.024 s.
const CADENCE: Duration = Duration::from_millis(1_024);
/// Longest message that a real serial monitor agreed to, and then sent.
const LONGEST_MESSAGE: u32 = 996;
/// Objects of one part of a result. Real parts are about twice as long, with more attributes in them.
const LONGEST_PART: usize = 400;
/// The MDS Create event is repeated until it is answered, and how often.
const CREATE_AGAIN: Duration = Duration::from_millis(3_100);
const CREATE_TIMES: u8 = 3;

/// The registry's way to a device.
pub(super) fn device(options: &DeviceOptions) -> Box<dyn Device> {
    Box::new(Monitor {
        identity: options.identity.clone(),
        ..Monitor::default()
    })
}

/// An association.
#[derive(Debug)]
struct Association {
    terms: Terms,
    /// When the client was heard last.
    heard: Moment,
    creation: Creation,
    numerics: Option<Subscription>,
    alerts: Option<Subscription>,
    waves: Option<Subscription>,
    exported: Vec<Exported>,
}

/// Whether the MDS Create event is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Creation {
    Told { next: Moment, times: u8 },
    Answered,
}

/// An extended poll that is active.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    invoke: u16,
    question: Question,
    until: Moment,
    sequence: u16,
}

#[derive(Default)]
struct Monitor {
    identity: Identity,
    deframer: Deframer,
    /// Whether the client speaks in frames, once it has spoken.
    is_framed: Option<bool>,
    association: Option<Association>,
    screen: Option<Screen>,
    /// The running time at the screen.
    running: u32,
    /// Requests that came before there was a screen.
    early: Vec<Vec<u8>>,
    invoke: u16,
}

/// Requests that wait for the first screen.
const MOST_EARLY: usize = 16;

impl Device for Monitor {
    fn cadence(&self) -> Duration {
        CADENCE
    }

    fn opened(&mut self, _: Now) {
        self.deframer.reset();
        self.is_framed = None;
        self.association = None;
        self.early.clear();
    }

    fn receive(&mut self, now: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>) {
        let begins_bare = matches!(
            bytes.first(),
            Some(
                &(DATA_EXPORT
                    | association::REQUEST
                    | association::RELEASE
                    | association::RELEASED
                    | association::ABORT)
            )
        );
        let mut messages = Vec::new();
        if *self.is_framed.get_or_insert(!begins_bare) {
            self.deframer.receive(bytes, |piece| match piece {
                Piece::Message(message, _) => messages.push(message.to_vec()),
                // A monitor does not answer what it cannot read.
                Piece::Broken(..) | Piece::Noise(_) | Piece::Rest(_) => {}
            });
        } else {
            messages.push(bytes.to_vec());
        }
        for message in messages {
            if self.screen.is_some() {
                self.obey(now, &message, replies);
            } else if self.early.len() < MOST_EARLY {
                self.early.push(message);
            }
        }
    }

    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>) {
        self.running = running(now.moment);
        if let Some(association) = &mut self.association {
            for exported in &mut association.exported {
                exported.add(&screen.waves);
            }
        }
        self.screen = Some(screen.clone());
        for message in std::mem::take(&mut self.early) {
            self.obey(now, &message, sent);
        }
        self.keep_order(now, sent);
        let Some(mut association) = self.association.take() else {
            return;
        };
        for subscription in [&mut association.numerics, &mut association.alerts]
            .into_iter()
            .flatten()
        {
            subscription.sequence = subscription.sequence.wrapping_add(1);
            self.tell(*subscription, self.running, sent);
        }
        self.tell_waves(&mut association, sent);
        for subscription in [
            &mut association.numerics,
            &mut association.alerts,
            &mut association.waves,
        ] {
            if subscription.is_some_and(|subscription| subscription.until <= now.moment) {
                *subscription = None;
            }
        }
        self.association = Some(association);
    }
}

/// The running time of the monitor: 1/8 ms, which wraps.
fn running(moment: Moment) -> u32 {
    u32::try_from(moment.as_micros() / 125 % (1 << 32)).unwrap_or(0)
}

impl Monitor {
    fn send(&self, message: Vec<u8>, sent: &mut Vec<Vec<u8>>) {
        sent.push(if self.is_framed == Some(true) {
            frame::encode(&message)
        } else {
            message
        });
    }

    /// Repeats the MDS Create event, and drops a client that is silent or does not answer it.
    fn keep_order(&mut self, now: Now, sent: &mut Vec<Vec<u8>>) {
        let Some(association) = &mut self.association else {
            return;
        };
        let mut is_over = now.moment.since(association.heard) >= association.terms.time_out();
        let mut again = false;
        if let Creation::Told { next, times } = &mut association.creation
            && *next <= now.moment
        {
            is_over |= *times == CREATE_TIMES;
            again = !is_over;
            *times = times.saturating_add(1);
            *next = now.moment.after(CREATE_AGAIN);
        }
        if is_over {
            self.association = None;
            self.send(association::abort(), sent);
        } else if again {
            self.create(sent);
        }
    }

    fn create(&mut self, sent: &mut Vec<Vec<u8>>) {
        self.invoke = self.invoke.wrapping_add(1);
        let attributes = self.system_attributes();
        self.send(
            answer::created(self.invoke, self.running, &attributes),
            sent,
        );
    }

    fn system_attributes(&self) -> Vec<Vec<u8>> {
        let civil_ms = self.screen.as_ref().map_or(0, |screen| screen.civil_ms);
        let mut attributes = system::attributes(&self.identity);
        attributes.extend(Clock::pair(self.running, civil_ms));
        attributes
    }

    fn obey(&mut self, now: Now, message: &[u8], sent: &mut Vec<Vec<u8>>) {
        match message.first() {
            Some(&association::REQUEST) => match association::asked(message) {
                Some(_) if self.association.is_some() => self.send(association::refuse(), sent),
                Some(asked) => {
                    let terms = Terms {
                        longest_message: asked.longest_message.min(LONGEST_MESSAGE),
                        extended: asked.extended & (extended::REAL_TIME | extended::WAVES),
                        ..asked
                    };
                    self.association = Some(Association {
                        terms,
                        heard: now.moment,
                        creation: Creation::Told {
                            next: now.moment.after(CREATE_AGAIN),
                            times: 1,
                        },
                        numerics: None,
                        alerts: None,
                        waves: None,
                        exported: Vec::new(),
                    });
                    self.send(association::response(&terms), sent);
                    self.create(sent);
                }
                None => {}
            },
            Some(&association::RELEASE) => {
                // Without an association the monitor stays silent.
                if self.association.take().is_some() {
                    self.send(association::released(), sent);
                }
            }
            Some(&(association::RELEASED | association::ABORT)) => self.association = None,
            Some(&DATA_EXPORT) => {
                let Some(association) = &mut self.association else {
                    return;
                };
                association.heard = now.moment;
                match Asked::read(message) {
                    Some(Asked::CreateAnswered) => association.creation = Creation::Answered,
                    Some(Asked::Poll(invoke, question)) => {
                        self.polled(now, invoke, question, sent);
                    }
                    Some(Asked::Waves(invoke, labels)) => {
                        association.exported = exported(&labels);
                        let effective: Vec<u32> = association
                            .exported
                            .iter()
                            .map(|exported| exported.wave.text_id())
                            .collect();
                        self.send(answer::chosen_waves(invoke, &effective), sent);
                    }
                    Some(Asked::Unknown(invoke)) => self.send(answer::refused(invoke), sent),
                    None => {}
                }
            }
            Some(_) | None => {}
        }
    }

    /// Answers a poll at once; an extended one goes on.
    fn polled(&mut self, now: Now, invoke: u16, question: Question, sent: &mut Vec<Vec<u8>>) {
        let period = question.period.unwrap_or(0);
        let subscription = Subscription {
            invoke,
            question,
            until: now
                .moment
                .after(Duration::from_micros(u64::from(period) * 125)),
            sequence: 0,
        };
        self.tell(subscription, running(now.moment), sent);
        if question.period.is_none() {
            return;
        }
        let Some(association) = &mut self.association else {
            return;
        };
        let slot = if question.class == Class::Numerics.code() {
            &mut association.numerics
        } else if question.class == Class::Alerts.code() {
            &mut association.alerts
        } else if question.class == Class::Waves.code() {
            &mut association.waves
        } else {
            return;
        };
        *slot = Some(subscription);
    }

    /// One result, in as many parts as it needs.
    fn tell(&self, subscription: Subscription, at: u32, sent: &mut Vec<Vec<u8>>) {
        let objects = self.objects(subscription.question);
        let told = |link| Told {
            invoke: subscription.invoke,
            question: subscription.question,
            sequence: subscription.sequence,
            at,
            link,
        };
        let total: usize = objects.iter().map(Vec::len).sum();
        if total <= LONGEST_PART {
            self.send(answer::polled(told(Link::End), &objects), sent);
            return;
        }
        let mut parts: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut room = 0;
        for object in objects {
            match parts.last_mut() {
                Some(part) if object.len() <= room => {
                    room -= object.len();
                    part.push(object);
                }
                Some(_) | None => {
                    room = LONGEST_PART.saturating_sub(object.len());
                    parts.push(vec![object]);
                }
            }
        }
        let last = parts.len();
        for (number, part) in (1..).zip(&parts) {
            let link = Link::Part {
                number: u8::try_from(number).unwrap_or(u8::MAX),
                is_last: number == last,
            };
            self.send(answer::polled(told(link), part), sent);
        }
        self.send(answer::polled(told(Link::End), &[]), sent);
    }

    fn objects(&self, question: Question) -> Vec<Vec<u8>> {
        let Some(screen) = &self.screen else {
            return Vec::new();
        };
        let is = |class: Class| question.class == class.code();
        if is(Class::Numerics) {
            numerics(screen, question.group == group::ALL)
        } else if is(Class::Alerts) && question.group == group::ALERTS {
            vec![answer::object(0, &alarm::write(&screen.alerts))]
        } else if is(Class::Alerts) {
            vec![answer::object(0, &[])]
        } else if is(Class::Patient) {
            vec![answer::object(0x50, &system::patient(&self.identity))]
        } else if is(Class::System) {
            vec![answer::object(0, &self.system_attributes())]
        } else {
            Vec::new()
        }
    }

    /// The waves that are complete, in blocks of 256 ms.
    fn tell_waves(&self, association: &mut Association, sent: &mut Vec<Vec<u8>>) {
        let Some(subscription) = &mut association.waves else {
            return;
        };
        loop {
            let objects: Vec<Vec<u8>> = (0x9000..)
                .zip(&mut association.exported)
                .filter_map(|(handle, exported)| exported.block(handle))
                .collect();
            if objects.is_empty() {
                return;
            }
            subscription.sequence = subscription.sequence.wrapping_add(1);
            let told = Told {
                invoke: subscription.invoke,
                question: subscription.question,
                sequence: subscription.sequence,
                at: self.running,
                link: Link::End,
            };
            self.send(answer::polled(told, &objects), sent);
        }
    }
}
