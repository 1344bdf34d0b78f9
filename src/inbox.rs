//! The one queue that feeds the engine.
//!
//! A bounded crossbeam channel. Senders use [`Inbox::offer`] only, which never waits: when the queue
//! is full the delivery comes back and its sender applies its own policy (engine.md 7). The engine
//! thread owns the other end.

use crate::engine::{Command, Input};
use crate::vocabulary::Now;
use crossbeam_channel::{Receiver, Sender, TrySendError};

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
