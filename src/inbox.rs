//! The one queue that feeds the engine.
//!
//! A bounded crossbeam channel. Senders use [`Inbox::offer`] only, which never waits: when the queue
//! is full the delivery comes back and its sender applies its own policy (engine.md 7). The engine
//! thread owns the other end.

use crate::engine::{Command, HealthItem, Input};
use crate::vocabulary::Now;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::sync::Arc;

/// Called once: whether everything delivered before is in the record.
pub type CommitReply = Box<dyn FnOnce(bool) + Send>;

/// Called once with what became of a command.
pub type CommandReply = Box<dyn FnOnce(CommandAnswer) + Send>;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandAnswer {
    /// The engine took it.
    Done {
        /// Its place in the journal.
        seq: u64,
        /// Alarms that stay unacknowledged because they began or rose after what the sender saw.
        left: Vec<u64>,
    },
    /// The engine refused it, and recorded that.
    Refused {
        /// Its place in the journal.
        seq: u64,
        /// Why.
        error: String,
        /// What to do instead.
        hint: Option<String>,
    },
}

/// What travels to the engine.
pub enum Delivery {
    /// An input of a feed or of our own health.
    Input {
        /// When it was received.
        received: Now,
        /// What.
        input: Input,
    },
    /// A nurse's command.
    Command {
        /// When it was received.
        received: Now,
        /// What.
        command: Box<Command>,
        /// The answer, from the engine thread: must not block.
        reply: CommandReply,
    },
    /// Commit everything delivered before this and say whether it worked. Called from the journal
    /// thread: must not block. Judging never waits for it.
    Barrier(CommitReply),
}

/// The senders' end.
#[derive(Clone)]
pub struct Inbox {
    sender: Sender<Delivery>,
}

/// Deliveries that may wait for the engine.
pub const CAPACITY: usize = 4_096;

impl Inbox {
    /// A queue and the engine's end of it.
    pub fn new(capacity: usize) -> (Self, Receiver<Delivery>) {
        let (sender, receiver) = crossbeam_channel::bounded(capacity);
        (Self { sender }, receiver)
    }

    /// Hands the delivery over, or gives it back when the queue is full or the engine is gone. Never
    /// waits.
    pub fn offer(&self, delivery: Delivery) -> Result<(), Box<Delivery>> {
        self.sender.try_send(delivery).map_err(|error| match error {
            TrySendError::Full(delivery) | TrySendError::Disconnected(delivery) => {
                Box::new(delivery)
            }
        })
    }

    /// How many deliveries wait.
    pub fn waiting(&self) -> usize {
        self.sender.len()
    }
}

/// Tells the engine how one part of ours is: every change, again and again until the queue takes it.
#[derive(Debug)]
pub struct HealthTeller {
    what: HealthItem,
    /// How it is, and why, as was last said.
    said: Option<(bool, Option<Arc<str>>)>,
    /// What the engine has taken.
    told: Option<(bool, Option<Arc<str>>)>,
}

impl HealthTeller {
    /// Nothing is known yet of this part.
    pub const fn new(what: HealthItem) -> Self {
        Self {
            what,
            said: None,
            told: None,
        }
    }

    /// How the part is, as was last said; `None`: nothing was said yet.
    pub fn ok(&self) -> Option<bool> {
        self.said.as_ref().map(|(ok, _)| *ok)
    }

    /// Says how the part is and why; it is told with the next [`HealthTeller::tell`].
    pub fn say(&mut self, ok: bool, detail: Option<Arc<str>>) {
        self.said = Some((ok, detail));
    }

    /// Offers what the engine does not know yet. True when the engine's queue took a change now.
    pub fn tell(&mut self, inbox: &Inbox, received: Now) -> bool {
        let Some((ok, detail)) = self.said.as_ref().filter(|_| self.said != self.told) else {
            return false;
        };
        let delivery = Delivery::Input {
            received,
            input: Input::Health {
                what: self.what,
                ok: *ok,
                detail: detail.clone(),
            },
        };
        let taken = inbox.offer(delivery).is_ok();
        if taken {
            self.told.clone_from(&self.said);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(engine: &Receiver<Delivery>) -> Vec<(bool, Option<Arc<str>>)> {
        engine
            .try_iter()
            .filter_map(|delivery| match delivery {
                Delivery::Input {
                    input: Input::Health { ok, detail, .. },
                    ..
                } => Some((ok, detail)),
                Delivery::Input { .. } | Delivery::Command { .. } | Delivery::Barrier(_) => None,
            })
            .collect()
    }

    #[test]
    fn a_change_of_health_is_told_until_it_is_taken_and_then_once() {
        let (inbox, engine) = Inbox::new(1);
        let now = Now::default();
        let mut teller = HealthTeller::new(HealthItem::Sound);
        assert!(!teller.tell(&inbox, now), "nothing is known");
        inbox
            .offer(Delivery::Barrier(Box::new(|_| ())))
            .unwrap_or_else(|_| panic!("room"));
        teller.say(false, Some("unplugged".into()));
        assert!(!teller.tell(&inbox, now), "the queue is full");
        assert!(told(&engine).is_empty());
        assert!(teller.tell(&inbox, now));
        assert!(!teller.tell(&inbox, now), "known");
        assert_eq!(told(&engine), [(false, Some("unplugged".into()))]);
        teller.say(true, None);
        teller.say(false, Some("unplugged".into()));
        assert!(
            !teller.tell(&inbox, now),
            "what was never told needs no end"
        );
        teller.say(true, None);
        assert!(teller.tell(&inbox, now));
        assert_eq!(told(&engine), [(true, None)]);
    }
}
