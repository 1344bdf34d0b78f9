//! The sessions: groups out of bytes, readings and pleth out of groups; V7 is started and kept alive.

use super::super::event::{Event, Events, Fault};
use super::super::groups::{self, Groups};
use super::super::notices::Notices;
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::five;
use super::numbers::Group;
use super::seven::{self, Packets};
use super::steady::{Steady, Verdict};
use crate::observation::{WaveChunk, WaveLabel};
use crate::vocabulary::{Decimal, Moment, Now};
use std::time::Duration;

/// Samples of the pleth that are told at once: three pieces a second.
const SAMPLES: usize = 20;

/// The stream stops unless it is kept alive every 5 s; sooner, so that a late moment costs nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(4);
/// A stream that has stopped is started again after this.
const SILENCE: Duration = Duration::from_secs(1);
/// A device that does not answer is asked no more often than this.
const LONGEST_PATIENCE: Duration = Duration::from_secs(5);
/// Unanswered starts before it is a fault: an oximeter that is switched on may need some seconds.
const UNANSWERED: u32 = 3;

/// The registry's way to a session of V5.
pub(super) fn open_v5(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Five {
        groups: Groups::new(),
        oximeter: Oximeter::new(five::GROUP),
    }))
}

/// The registry's way to a session of V7.
pub(super) fn open_v7(_: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Seven {
        packets: Packets::new(),
        oximeter: Oximeter::new(seven::PACKET),
        start_due: None,
        keep_alive_due: None,
        unanswered: 0,
    }))
}

/// An oximeter that speaks unasked.
struct Five {
    groups: Groups<{ five::GROUP }>,
    oximeter: Oximeter,
}

impl Session for Five {
    fn opened(&mut self, _: Now, _: &mut Events) {
        self.groups.reset();
        self.oximeter.opened();
    }

    fn receive(&mut self, _: Now, bytes: &[u8], events: &mut Events) {
        let Self { groups, oximeter } = self;
        groups.receive(bytes, |piece| match piece {
            groups::Piece::Group(bytes) => oximeter.take(five::parse(bytes), events),
            groups::Piece::Cut(bytes) => oximeter.broken(Fault::Truncated, bytes, events),
            groups::Piece::Stray => oximeter.stray(events),
        });
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        let bytes = self.groups.reset();
        self.oximeter.closed(bytes, events);
    }
}

/// An oximeter that is silent until it is started, and falls silent again.
struct Seven {
    packets: Packets,
    oximeter: Oximeter,
    start_due: Option<Moment>,
    keep_alive_due: Option<Moment>,
    unanswered: u32,
}

impl Session for Seven {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.packets.reset();
        self.oximeter.opened();
        self.unanswered = 0;
        self.start(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let Self {
            packets, oximeter, ..
        } = self;
        let mut is_alive = false;
        packets.receive(bytes, |piece| match piece {
            seven::Piece::Values(packet) => {
                let group = seven::parse(packet);
                is_alive |= group.is_ok();
                oximeter.take(group, events);
            }
            seven::Piece::Broken(fault, bytes) => oximeter.broken(fault, bytes, events),
            seven::Piece::Stray => oximeter.stray(events),
        });
        if is_alive {
            self.unanswered = 0;
            self.start_due = Some(now.moment.after(SILENCE));
        }
    }

    fn deadline(&self) -> Option<Moment> {
        [self.start_due, self.keep_alive_due]
            .into_iter()
            .flatten()
            .min()
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        if self.start_due.is_some_and(|due| due <= now.moment) {
            if self.unanswered >= UNANSWERED {
                events.push(Event::Fault(Fault::Timeout));
            }
            self.start(now, events);
        } else if self.keep_alive_due.is_some_and(|due| due <= now.moment) {
            events.push(Event::Send(seven::KEEP_ALIVE.to_vec()));
            self.keep_alive_due = Some(now.moment.after(KEEP_ALIVE));
        }
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        let bytes = self.packets.reset();
        self.oximeter.closed(bytes, events);
        self.start_due = None;
        self.keep_alive_due = None;
    }
}

impl Seven {
    fn start(&mut self, now: Now, events: &mut Events) {
        events.push(Event::Send(seven::START.to_vec()));
        self.unanswered = self.unanswered.saturating_add(1);
        let patience = SILENCE
            .saturating_mul(self.unanswered)
            .min(LONGEST_PATIENCE);
        self.start_due = Some(now.moment.after(patience));
        self.keep_alive_due = Some(now.moment.after(KEEP_ALIVE));
    }
}

/// What is known of the oximeter at the other end.
struct Oximeter {
    /// Bytes of a group.
    group: usize,
    scrap: Scrap,
    /// Bytes that may still be the rest of a group that was cut when the link was opened.
    rest: usize,
    /// Whether anything good came since the last damage.
    is_good: bool,
    steady: Steady,
    notices: Notices,
    pleth: WaveLabel,
    samples: Vec<Option<i32>>,
}

impl Oximeter {
    fn new(group: usize) -> Self {
        Self {
            group,
            scrap: Scrap::default(),
            rest: group - 1,
            is_good: true,
            steady: Steady::default(),
            notices: Notices::new("contec", super::NOTICES),
            pleth: "pleth".into(),
            samples: Vec::with_capacity(SAMPLES),
        }
    }

    fn opened(&mut self) {
        self.rest = self.group - 1;
        self.is_good = true;
        self.steady = Steady::default();
        self.samples.clear();
    }

    fn closed(&mut self, cut: u64, events: &mut Events) {
        if cut > 0 {
            self.broken(Fault::Truncated, cut, events);
        }
        self.scrap.flush(events);
    }

    fn stray(&mut self, events: &mut Events) {
        if self.rest > 0 {
            self.rest -= 1;
            self.scrap.skipped(1, events);
            return;
        }
        let waited = self.steady.damaged();
        self.is_good = false;
        self.scrap.noise(1 + self.bytes(waited), events);
    }

    /// What follows damage is noise until a group is believed again: one fault for the whole of it.
    fn broken(&mut self, fault: Fault, bytes: u64, events: &mut Events) {
        let waited = self.steady.damaged();
        let bytes = bytes + self.bytes(waited);
        if std::mem::replace(&mut self.is_good, false) {
            self.scrap.broken(fault, bytes, events);
        } else {
            self.scrap.noise(bytes, events);
        }
    }

    const fn bytes(&self, groups: u64) -> u64 {
        groups.saturating_mul(self.group as u64)
    }

    fn take(&mut self, group: Result<Group, Fault>, events: &mut Events) {
        self.rest = 0;
        let group = match group {
            Ok(group) => group,
            Err(fault) => return self.broken(fault, self.group as u64, events),
        };
        let (verdict, abandoned) = self.steady.hear(group.numbers);
        if abandoned > 0 {
            let bytes = self.bytes(abandoned);
            if self.is_good {
                self.scrap.broken(Fault::BadFrame, bytes, events);
            } else {
                self.scrap.noise(bytes, events);
            }
        }
        match verdict {
            Verdict::Wait => return,
            Verdict::Known => self.scrap.frame(events),
            Verdict::Tell => {
                self.scrap.frame(events);
                group.numbers.tell(events);
                let falling = if group.numbers.is_falling {
                    super::FALLING
                } else {
                    0
                };
                self.notices.tell(falling, None, events);
            }
        }
        self.is_good = true;
        self.draw(group.pleth, events);
    }

    fn draw(&mut self, sample: Option<i32>, events: &mut Events) {
        self.samples.push(sample);
        if self.samples.len() >= SAMPLES {
            events.push(Event::Wave(WaveChunk {
                label: self.pleth.clone(),
                rate_hz: super::RATE_HZ,
                resolution: Decimal::whole(1),
                unit: "",
                samples: std::mem::replace(&mut self.samples, Vec::with_capacity(SAMPLES)),
            }));
        }
    }
}
