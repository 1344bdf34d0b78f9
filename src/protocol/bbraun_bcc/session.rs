//! The session: asks who is there, then every two seconds what the station holds; takes or refuses each block.

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::answer::{Answer, STATION};
use super::block::{AGAIN, Block, Deframer, Piece, TAKEN};
use super::pump::Pump;
use super::settings;
use crate::observation::Identity;
use crate::vocabulary::{Moment, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// From a block to the byte that takes or refuses it.
const REPLY: Duration = Duration::from_millis(100);
/// From an answer to the next question: at least half a second by the vendor's rules.
const ROUND: Duration = Duration::from_secs(2);
/// How long a block may take to come.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest pause between two questions that are not answered.
const LONGEST_PAUSE: u32 = 8;
/// A block is asked for again this often.
const MOST_AGAIN: u8 = 3;
/// Questions without an answer after which the station is greeted anew.
const MOST_UNANSWERED: u32 = 3;

/// Asks whether the station is there; any bed will do.
pub(super) const ALIVE: &[u8] = b"ADMIN:ALIVE";
/// Asks what the station holds.
pub(super) const GET: &[u8] = b"MEM:GET";
/// The bed before the station has told its own.
const ANY_BED: &str = "1";

/// The registry's way to a session.
pub(super) fn open(options: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    let stuffing = settings::stuffing(&options.options)?;
    Ok(Box::new(Bcc {
        deframer: Deframer::new(stuffing),
        station: Station {
            stuffing,
            bed: None,
            due: None,
            waits: false,
            reply: None,
            refused: 0,
            unanswered: 0,
            answer: Answer::default(),
            pumps: BTreeMap::new(),
            scrap: Scrap::default(),
        },
    }))
}

/// One station.
struct Bcc {
    deframer: Deframer,
    station: Station,
}

impl Session for Bcc {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.deframer.reset();
        self.station.bed = None;
        self.station.reply = None;
        self.station.unanswered = 0;
        self.station.ask(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let Self { deframer, station } = self;
        deframer.receive(bytes, |piece| station.take(now, piece, events));
    }

    fn deadline(&self) -> Option<Moment> {
        let reply = self.station.reply.map(|(due, _)| due);
        [self.station.due, reply].into_iter().flatten().min()
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        self.station.expire(now, events);
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        self.station.reply = None;
        if let Some(piece) = self.deframer.close() {
            self.station.take(now, piece, events);
        }
        self.station.scrap.flush(events);
        self.station.reply = None;
        self.station.due = None;
    }
}

/// What is known of the station, and what is asked of it when.
struct Station {
    stuffing: bool,
    /// The station's own name, once it has told it.
    bed: Option<String>,
    /// When the open question is given up, or the next one is asked.
    due: Option<Moment>,
    /// A question is open.
    waits: bool,
    /// The byte that takes or refuses the last block, and when it is due.
    reply: Option<(Moment, u8)>,
    /// How often the present block was refused.
    refused: u8,
    /// Questions without an answer, one after the other.
    unanswered: u32,
    answer: Answer,
    pumps: BTreeMap<u32, Pump>,
    scrap: Scrap,
}

impl Station {
    fn ask(&mut self, now: Now, events: &mut Events) {
        self.answer.clear();
        self.refused = 0;
        let question = if self.bed.is_some() { GET } else { ALIVE };
        let block = Block {
            bed: self.bed.clone().unwrap_or_else(|| ANY_BED.to_owned()),
            information: question.to_vec(),
            more: false,
        };
        events.push(Event::Send(block.write(self.stuffing)));
        self.waits = true;
        self.due = Some(now.moment.after(PATIENCE));
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        if let Some((due, byte)) = self.reply
            && due <= now.moment
        {
            self.reply = None;
            events.push(Event::Send(vec![byte]));
        }
        if self.due.is_none_or(|due| due > now.moment) {
            return;
        }
        if std::mem::take(&mut self.waits) {
            events.push(Event::Fault(Fault::Timeout));
            self.give_up(now);
        } else {
            self.ask(now, events);
        }
    }

    /// The open question is not answered: the next one comes later each time.
    fn give_up(&mut self, now: Now) {
        self.waits = false;
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered >= MOST_UNANSWERED {
            self.bed = None;
        }
        let pause = Duration::from_secs(u64::from(self.unanswered.min(LONGEST_PAUSE)));
        self.due = Some(now.moment.after(pause));
    }

    fn take(&mut self, now: Now, piece: Piece, events: &mut Events) {
        match piece {
            Piece::Block(block) if matches!(&*block.information, ALIVE | GET) => {
                // Our own question comes back.
                let bytes = block.information.len() as u64;
                self.scrap.broken(Fault::BadAnswer, bytes, events);
            }
            Piece::Block(block) => self.block(now, block, events),
            Piece::Control(TAKEN) => {}
            Piece::Control(_) => {
                // The station did not understand the question.
                events.push(Event::Fault(Fault::BadAnswer));
                if self.waits {
                    self.give_up(now);
                }
            }
            Piece::Noise(bytes) => self.scrap.noise(bytes, events),
            Piece::Broken(fault, bytes) => {
                self.scrap.broken(fault, bytes, events);
                self.refuse(now);
            }
        }
    }

    /// Asks for a broken block again, a few times.
    fn refuse(&mut self, now: Now) {
        if !self.waits {
            return;
        }
        if self.refused >= MOST_AGAIN {
            self.give_up(now);
            return;
        }
        self.refused += 1;
        self.reply = Some((now.moment.after(REPLY), AGAIN));
        self.due = Some(now.moment.after(PATIENCE));
    }

    fn block(&mut self, now: Now, block: Block, events: &mut Events) {
        self.scrap.frame(events);
        self.refused = 0;
        self.unanswered = 0;
        self.reply = Some((now.moment.after(REPLY), TAKEN));
        if !self.answer.take(&block.information) {
            events.push(Event::Fault(Fault::Oversized));
        }
        if block.more {
            self.waits = true;
            self.due = Some(now.moment.after(PATIENCE));
            return;
        }
        let greeted = self.bed.replace(block.bed).is_none();
        self.read(events);
        self.answer.clear();
        self.waits = false;
        let pause = if greeted { ROUND / 4 } else { ROUND };
        self.due = Some(now.moment.after(pause + REPLY));
    }

    /// The answer is complete: what it says of each pump.
    fn read(&mut self, events: &mut Events) {
        let mut told = BTreeSet::new();
        let mut is_bad = false;
        let mut is_error = false;
        for record in self.answer.records() {
            let Some(record) = record else {
                is_bad = true;
                continue;
            };
            if record.address == STATION {
                let is_zero = record.value.iter().all(|&digit| digit == b'0');
                is_error |= record.name == b"GNERR" && record.is_told() && !is_zero;
                continue;
            }
            told.insert(record.address);
            is_bad |= !self.pumps.entry(record.address).or_default().take(&record);
        }
        if is_bad {
            events.push(Event::Fault(Fault::BadMessage));
        }
        if is_error {
            events.push(Event::Fault(Fault::BadAnswer));
        }
        for address in told {
            events.push(Event::Identity(Identity {
                bed: self.bed.as_deref().map(Into::into),
                device: Some(address.to_string().into()),
                patient: None,
            }));
            let changes = self.pumps.get_mut(&address).map(Pump::events);
            events.extend(changes.into_iter().flatten().map(Event::PumpEvent));
        }
    }
}
