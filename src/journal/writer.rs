//! The writer's two threads and the engine's way to them.
//!
//! `journal` takes from the queue and decides what is committed when ([`super::intake`]); it never waits for
//! a disk. `journal-disk` owns the connection and waits for nothing else ([`super::disk`]). So a disk that
//! hangs is noticed, told and answered while it hangs.

use super::backlog::{Backlog, Slot};
use super::disk::{Disk, Outcome};
use super::entry::Job;
use super::intake::{Intake, MOST_ENTRIES, MOST_WAVES, Message};
use super::ledger::Batch;
use crate::clock::Clock;
use crate::observation::Wave;
use crate::vocabulary::Moment;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded, select};
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Messages that wait for the journal's thread, which always comes at once.
const CAPACITY: usize = 2_048;
/// Messages taken before the clock is read again.
const TURN: usize = 1_024;
/// How long the end waits for the disk.
const FAREWELL: Duration = Duration::from_secs(5);

/// The engine thread's end. Never blocks: when the queue is full it keeps a bounded list of its own with
/// the same policy.
pub struct Outlet {
    sender: Sender<Message>,
    held: Backlog,
}

impl Outlet {
    fn new(sender: Sender<Message>, most: usize) -> Self {
        Self {
            sender,
            held: Backlog::new(most, MOST_WAVES),
        }
    }

    /// Hands a job over. Entries come in the order of their numbers. Samples that find the queue full are
    /// lost, and a sender that waits for its commit is told that there is none.
    pub fn push(&mut self, job: Job) {
        self.pass_held();
        let refused = if self.held.is_empty() {
            self.offer(Message::Job(job))
        } else {
            Err(Box::new(Message::Job(job)))
        };
        if let Err(message) = refused {
            self.hold(*message);
        }
    }

    /// An end for wave samples. The writer lives as long as any end does.
    pub fn waves(&self) -> WaveOutlet {
        WaveOutlet {
            sender: self.sender.clone(),
        }
    }

    fn offer(&self, message: Message) -> Result<(), Box<Message>> {
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => Box::new(message),
        })
    }

    /// Keeps what did not fit.
    fn hold(&mut self, message: Message) {
        match message {
            Message::Job(Job::Entry(entry)) => {
                self.held.push(Slot::Entry(entry));
            }
            Message::Gap(slot) => {
                self.held.push(slot);
            }
            Message::Job(Job::Barrier(reply)) => reply(false),
            Message::Job(Job::Wave { .. }) => {}
        }
    }

    /// Passes on what was held, as far as there is room.
    fn pass_held(&mut self) {
        while !self.held.is_empty() && !self.sender.is_full() {
            let Some(slot) = self.held.take(1).pop() else {
                return;
            };
            let message = match slot {
                Slot::Entry(entry) => Message::Job(Job::Entry(entry)),
                gap @ Slot::Gap { .. } => Message::Gap(gap),
            };
            if let Err(message) = self.offer(message) {
                self.hold(*message);
                return;
            }
        }
    }
}

/// The feeds' end, for wave samples only: they have no place in the sequence and may be lost.
#[derive(Clone)]
pub struct WaveOutlet {
    sender: Sender<Message>,
}

impl WaveOutlet {
    /// Hands samples over; `false` when the queue is full and they are lost.
    pub fn offer(&self, session: Option<i64>, wave: Wave) -> bool {
        self.sender
            .try_send(Message::Job(Job::Wave { session, wave }))
            .is_ok()
    }
}

/// Starts both threads. The writer ends, after everything is on the disk or the disk did not answer for a
/// while, when the outlet is dropped.
pub(super) fn start(disk: Disk, mut intake: Intake) -> io::Result<(Outlet, JoinHandle<()>)> {
    let (sender, messages) = bounded(CAPACITY);
    let (batches, to_write) = bounded(1);
    let (outcomes, told) = bounded(64);
    let (stay, leave) = bounded::<()>(0);
    let clock = disk.clock;
    let disk_thread = thread::Builder::new()
        .name("journal-disk".to_owned())
        .spawn(move || disk.run(&to_write, &outcomes, &leave))?;
    let intake_thread = thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || {
            serve(&mut intake, clock, &messages, &batches, &told);
            drop(stay);
            finish(&mut intake, clock, &batches, &told);
            drop(batches);
            // What the disk still has to do is closing the file; a disk that hangs is not waited for.
            let until = clock.now().moment.after(FAREWELL);
            loop {
                match told.recv_timeout(clock.real_wait(until)) {
                    Ok(outcome) => intake.outcome(clock.now().moment, outcome),
                    Err(RecvTimeoutError::Timeout) => return,
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            // Its panic has ended the process already, or a test wants to see it here.
            let _ = disk_thread.join();
        })?;
    Ok((Outlet::new(sender, MOST_ENTRIES), intake_thread))
}

fn serve(
    intake: &mut Intake,
    clock: Clock,
    messages: &Receiver<Message>,
    batches: &Sender<Batch>,
    told: &Receiver<Outcome>,
) {
    loop {
        let now = clock.now().moment;
        intake.expire(now);
        offer(intake, now, batches);
        let wait = match intake.deadline() {
            Some(deadline) => clock.real_wait(deadline),
            None => Duration::from_secs(60),
        };
        select! {
            recv(messages) -> message => match message {
                Ok(message) => {
                    let now = clock.now().moment;
                    intake.take(now, message);
                    for message in messages.try_iter().take(TURN) {
                        intake.take(now, message);
                    }
                }
                Err(_) => return,
            },
            recv(told) -> outcome => match outcome {
                Ok(outcome) => intake.outcome(clock.now().moment, outcome),
                Err(_) => return,
            },
            default(wait) => {}
        }
    }
}

/// Hands what is due to the disk, which has at most one batch at a time.
fn offer(intake: &mut Intake, now: Moment, batches: &Sender<Batch>) {
    if let Some(batch) = intake.batch(now) {
        // There is room: the disk took the last one before it told its outcome. Without a disk thread the
        // process is ending.
        let _ = batches.try_send(batch);
    }
}

/// Writes what is left, as long as the disk takes it.
fn finish(intake: &mut Intake, clock: Clock, batches: &Sender<Batch>, told: &Receiver<Outcome>) {
    let until = clock.now().moment.after(FAREWELL);
    loop {
        if let Some(batch) = intake.last_batch(clock.now().moment) {
            let _ = batches.try_send(batch);
        } else if !intake.is_writing() {
            return;
        }
        match told.recv_timeout(clock.real_wait(until)) {
            Ok(Outcome::GaveUp) | Err(_) => return,
            Ok(outcome) => intake.outcome(clock.now().moment, outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Body;
    use super::super::sample;
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_full_queue_never_blocks_and_loses_only_what_the_policy_says() {
        let (sender, messages) = bounded(2);
        let mut outlet = Outlet::new(sender, 3);
        let push =
            |outlet: &mut Outlet, seq, body| outlet.push(Job::Entry(sample::entry(seq, body)));
        for seq in 1..=6 {
            push(&mut outlet, seq, Body::Input(sample::spo2(98)));
        }
        push(&mut outlet, 7, Body::Record(sample::phase(), None));
        let (answer, answered) = mpsc::channel();
        outlet.push(Job::Barrier(Box::new(move |durable| {
            answer.send(durable).unwrap();
        })));
        assert_eq!(answered.recv(), Ok(false));

        // 1 and 2 are in the queue; of the rest three are held, and a decision is one of them.
        let mut passed = Vec::new();
        for seq in 8..=10 {
            for message in messages.try_iter() {
                passed.push(match message {
                    Message::Job(Job::Entry(entry)) => (entry.seq, entry.seq),
                    Message::Gap(Slot::Gap { from, to, .. }) => (from, to),
                    Message::Gap(Slot::Entry(_))
                    | Message::Job(Job::Wave { .. } | Job::Barrier(_)) => {
                        panic!("nothing else was passed on")
                    }
                });
            }
            push(&mut outlet, seq, Body::Input(sample::spo2(98)));
        }
        assert_eq!(passed, [(1, 1), (2, 2), (3, 4), (5, 5), (6, 6), (7, 7)]);
    }
}
