//! A session and a simulated monitor with a clock of their own.

use super::super::association;
use super::super::request::Asked;
use super::*;

/// Whether a message gets through.
type Filter = Box<dyn FnMut(&[u8]) -> bool>;

/// A session and a simulated monitor in one room, with a clock of their own.
pub(super) struct Room {
    pub(super) session: Box<dyn Session>,
    pub(super) device: Box<dyn Device>,
    /// Milliseconds.
    pub(super) now: u64,
    pub(super) next_screen: u64,
    pub(super) screen: Screen,
    /// Everything that the session said.
    pub(super) events: Events,
    /// What it sent, and when.
    pub(super) asked: Vec<(u64, Vec<u8>)>,
    /// Decides which messages reach the session, and which the monitor.
    pub(super) inward: Filter,
    pub(super) outward: Filter,
}

/// A screen with everything on it.
fn screen() -> Screen {
    let reading = |value| Reading::Valid(Decimal::whole(value));
    Screen {
        civil_ms: TAKEN,
        numerics: [
            (Parameter::Hr, reading(72)),
            (Parameter::Spo2, reading(97)),
            (Parameter::Pr, reading(71)),
        ]
        .into(),
        ..Screen::default()
    }
}

impl Room {
    pub(super) fn with(options: &[(&str, &str)]) -> Self {
        Self {
            session: session_over(Medium::Datagram, options),
            device: device(),
            now: 0,
            next_screen: 0,
            screen: screen(),
            events: Events::new(),
            asked: Vec::new(),
            inward: Box::new(|_| true),
            outward: Box::new(|_| true),
        }
    }

    pub(super) fn open() -> Self {
        Self::with(&[]).opened()
    }

    pub(super) fn opened(mut self) -> Self {
        self.act(|session, now, events| session.opened(now, events));
        self
    }

    pub(super) fn act(&mut self, act: impl FnOnce(&mut dyn Session, Now, &mut Events)) {
        let mut said = Events::new();
        act(&mut *self.session, at_ms(self.now), &mut said);
        self.follow(said);
    }

    pub(super) fn hears(&mut self, message: &[u8]) {
        self.act(|session, now, events| session.receive(now, message, events));
    }

    /// Delivers what was said to the monitor, and its answers.
    pub(super) fn follow(&mut self, said: Events) {
        let mut answers = Vec::new();
        for message in sent(&said) {
            self.asked.push((self.now, message.clone()));
            if (self.outward)(&message) {
                self.device.receive(at_ms(self.now), &message, &mut answers);
            }
        }
        self.events.extend(said);
        self.deliver(answers);
    }

    pub(super) fn deliver(&mut self, messages: Vec<Vec<u8>>) {
        for message in messages {
            if (self.inward)(&message) {
                self.hears(&message);
            }
        }
    }

    /// Time goes by.
    pub(super) fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        loop {
            let due = self
                .session
                .deadline()
                .map_or(u64::MAX, |due| due.as_micros().div_ceil(1_000));
            let next = due.min(self.next_screen);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next.max(self.now);
            if due <= self.now {
                self.act(|session, now, events| session.expire(now, events));
                let later = self.session.deadline();
                assert!(
                    later.is_none_or(|later| later > at_ms(self.now).moment),
                    "it goes on"
                );
            } else {
                let mut answers = Vec::new();
                let civil_ms = TAKEN + i64::try_from(self.now).unwrap();
                let screen = Screen {
                    civil_ms,
                    ..self.screen.clone()
                };
                self.device.present(at_ms(self.now), &screen, &mut answers);
                self.next_screen = self.now + 1_024;
                self.deliver(answers);
            }
        }
    }

    /// Times at which a message of this kind was sent.
    pub(super) fn times(&self, kind: u8) -> Vec<u64> {
        let of_kind = self.asked.iter().filter(|(_, message)| message[0] == kind);
        of_kind.map(|(at, _)| *at).collect()
    }

    /// Numbers of SpO2 heard since `from`, an index of `events`.
    pub(super) fn numbers_since(&self, from: usize) -> usize {
        observed(&self.events[from..])
            .iter()
            .filter(|seen| seen.parameter == Parameter::Spo2.into())
            .filter(|seen| seen.reading.value().is_some())
            .count()
    }

    /// Passes time and counts the numbers in it.
    pub(super) fn numbers_in(&mut self, millis: u64) -> usize {
        let from = self.events.len();
        self.pass(millis);
        self.numbers_since(from)
    }
}

/// What a message of ours is, in words; anything else fails.
pub(super) fn named(message: &[u8]) -> String {
    if message == association::release() {
        return "release".to_owned();
    }
    if message == association::released() {
        return "released".to_owned();
    }
    if let Some(terms) = association::asked(message) {
        return format!("request {:08x}", terms.extended);
    }
    match Asked::read(message) {
        Some(Asked::CreateAnswered) => "created".to_owned(),
        Some(Asked::Poll(_, question)) => format!(
            "{} {:04x} {:04x}",
            if question.period.is_some() {
                "extended"
            } else {
                "single"
            },
            question.class,
            question.group
        ),
        Some(Asked::Waves(_, labels)) => format!("waves {labels:08x?}"),
        Some(Asked::Unknown(_)) | None => panic!("{message:02X?}"),
    }
}
