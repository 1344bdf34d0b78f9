//! Decides what is committed when, without doing it: the part of the writer that never touches a disk.
//!
//! A plain state machine: entries, outcomes and time go in, batches come out. It promises that decisions are
//! committed at once and everything else within a second, that whoever waits for a commit is answered within
//! two seconds, and that a record which is not being written is told to the [`Watcher`] within two seconds.

use super::backlog::{Backlog, Slot, is_urgent};
use super::disk::Outcome;
use super::entry::Job;
use super::ledger::Batch;
use super::waves::Collector;
use crate::engine::HealthItem;
use crate::inbox::CommitReply;
use crate::vocabulary::Moment;
use std::time::Duration;

/// Entries that wait at most: about two hours of fourteen readings a second.
pub(super) const MOST_ENTRIES: usize = 100_000;
/// Seconds of single waves that wait at most: ten minutes of four.
pub(super) const MOST_WAVES: usize = 2_400;
/// Places of the sequence in one commit.
const MOST_ROWS: usize = 8_192;
/// The longest that an ordinary entry waits for its commit to begin.
const WINDOW: Duration = Duration::from_secs(1);
/// How long the newest commit may be the newest while something waits, and how long a sender waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// After this a start is good: it may be replayed.
const GOOD: Duration = Duration::from_secs(30);
/// How long a new file is reported, although it is being written.
const NOTICE: Duration = Duration::from_secs(30);

/// Who is told how the record fares; called from the journal's thread and must not block.
pub trait Watcher: Send {
    /// Everything up to `seq` is on the disk.
    fn committed(&self, seq: u64);
    /// So many entries wait, and so many were dropped since the start.
    fn waiting(&self, entries: usize, dropped: u64);
    /// The health of the record or of its disk has changed; `detail` says why, for people.
    fn health(&self, item: HealthItem, ok: bool, detail: &str);
}

/// What reaches the journal's thread.
pub(super) enum Message {
    /// A job of the engine's thread.
    Job(Job),
    /// Numbers whose entries did not fit into the queue.
    Gap(Slot),
}

struct Waiting {
    upto: u64,
    until: Moment,
    reply: CommitReply,
}

/// The state.
pub(super) struct Intake {
    watcher: Box<dyn Watcher>,
    backlog: Backlog,
    waves: Collector,
    waiting: Vec<Waiting>,
    /// The newest number that was taken.
    taken: u64,
    /// The newest number on the disk.
    committed: u64,
    /// The newest number in the batch that the disk has now.
    in_flight: Option<u64>,
    /// Since when the oldest entry waits for a batch.
    window: Option<Moment>,
    /// Since when something waits and no commit has come.
    standing: Option<Moment>,
    urgent: bool,
    good_at: Option<Moment>,
    failed: Option<String>,
    notice: Option<Moment>,
    healthy: bool,
}

impl Intake {
    pub(super) fn new(watcher: Box<dyn Watcher>, now: Moment) -> Self {
        Self::bounded(watcher, now, MOST_ENTRIES, MOST_WAVES)
    }

    fn bounded(watcher: Box<dyn Watcher>, now: Moment, entries: usize, waves: usize) -> Self {
        Self {
            watcher,
            backlog: Backlog::new(entries, waves),
            waves: Collector::default(),
            waiting: Vec::new(),
            taken: 0,
            committed: 0,
            in_flight: None,
            window: None,
            standing: None,
            urgent: false,
            good_at: Some(now.after(GOOD)),
            failed: None,
            notice: None,
            healthy: true,
        }
    }

    /// What is wrong from the start on.
    pub(super) fn begin(&mut self, now: Moment, unusable: Option<String>, notice: Option<String>) {
        self.failed = unusable;
        if let Some(text) = notice {
            self.put_aside(now, &text);
        }
        self.report(now);
    }

    /// Takes what the engine's thread sent.
    pub(super) fn take(&mut self, now: Moment, message: Message) {
        match message {
            Message::Gap(slot) => self.push(now, slot),
            Message::Job(Job::Entry(entry)) => {
                self.urgent |= is_urgent(&entry.body);
                self.push(now, Slot::Entry(entry));
            }
            Message::Job(Job::Wave { session, wave }) => {
                let mut done = Vec::new();
                self.waves.add(now, session, wave, &mut done);
                self.push_waves(now, done);
            }
            Message::Job(Job::Barrier(reply)) => {
                let nothing_waits = self.backlog.entries() == 0 && self.in_flight.is_none();
                if nothing_waits && self.failed.is_none() {
                    reply(true);
                    return;
                }
                self.urgent = true;
                self.waiting.push(Waiting {
                    upto: self.taken,
                    until: now.after(PATIENCE),
                    reply,
                });
            }
        }
    }

    fn push(&mut self, now: Moment, slot: Slot) {
        self.taken = self.taken.max(slot.last_seq());
        let lost = self.backlog.push(slot);
        self.arrived(now);
        if let Some(lost) = lost {
            // Whoever waits for that entry must not believe that it is in the record.
            self.answer(|waiting| (waiting.upto >= lost).then_some(false));
        }
    }

    fn push_waves(&mut self, now: Moment, done: Vec<super::waves::WaveSecond>) {
        for second in done {
            self.backlog.push_wave(second);
            self.arrived(now);
        }
    }

    fn arrived(&mut self, now: Moment) {
        self.window.get_or_insert(now);
        self.standing.get_or_insert(now);
    }

    /// Answers those for whom `verdict` has an answer.
    fn answer(&mut self, verdict: impl Fn(&Waiting) -> Option<bool>) {
        let (done, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| verdict(waiting).is_some());
        self.waiting = waiting;
        for one in done {
            let durable = verdict(&one).unwrap_or(false);
            (one.reply)(durable);
        }
    }

    /// What to commit now, if anything; the caller hands it to the disk at once.
    pub(super) fn batch(&mut self, now: Moment) -> Option<Batch> {
        let good = self.good_at.is_some_and(|at| at <= now);
        let due =
            good || self.urgent || self.window.is_some_and(|since| since.after(WINDOW) <= now);
        if self.in_flight.is_some() || !due {
            return None;
        }
        self.cut(now, good)
    }

    fn cut(&mut self, now: Moment, good: bool) -> Option<Batch> {
        let slots = self.backlog.take(MOST_ROWS);
        let waves = self.backlog.take_waves();
        if self.backlog.is_empty() {
            self.urgent = false;
            self.window = None;
        }
        if slots.is_empty() && waves.is_empty() && !good {
            return None;
        }
        if good {
            self.good_at = None;
        }
        self.standing.get_or_insert(now);
        self.in_flight = Some(slots.last().map_or(0, Slot::last_seq));
        Some(Batch { slots, waves, good })
    }

    /// At the end: everything that is left, piece by piece, while the disk is idle.
    pub(super) fn last_batch(&mut self, now: Moment) -> Option<Batch> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut done = Vec::new();
        self.waves.finish(&mut done);
        self.push_waves(now, done);
        // A stop in order is no crash: the next start may replay.
        let good = self.good_at.is_some();
        self.cut(now, good)
    }

    /// Whether the disk still has a batch.
    pub(super) const fn is_writing(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Takes what the disk told.
    pub(super) fn outcome(&mut self, now: Moment, outcome: Outcome) {
        match outcome {
            Outcome::Committed => {
                let seq = self.in_flight.take().unwrap_or(0);
                self.failed = None;
                self.standing = (!self.backlog.is_empty()).then_some(now);
                if seq > self.committed {
                    self.committed = seq;
                    self.watcher.committed(seq);
                }
                let committed = self.committed;
                self.answer(|waiting| (waiting.upto <= committed).then_some(true));
            }
            Outcome::Failed(problem) => self.failed = Some(problem),
            Outcome::GaveUp => {}
            Outcome::NewFile(text) => self.put_aside(now, &text),
            Outcome::Disk { ok, detail } => self.watcher.health(HealthItem::Disk, ok, &detail),
        }
        self.report(now);
    }

    /// Does what is due by time alone.
    pub(super) fn expire(&mut self, now: Moment) {
        self.answer(|waiting| (waiting.until <= now).then_some(false));
        let mut done = Vec::new();
        self.waves.pause(now, &mut done);
        self.push_waves(now, done);
        self.report(now);
    }

    /// A file was put aside and a new one begun: told at once, and shown for a while.
    fn put_aside(&mut self, now: Moment, text: &str) {
        self.notice = Some(now.after(NOTICE));
        self.watcher.health(HealthItem::Damaged, false, text);
    }

    fn report(&mut self, now: Moment) {
        self.watcher
            .waiting(self.backlog.entries(), self.backlog.dropped());
        if self.notice.is_some_and(|until| until <= now) {
            self.notice = None;
            let detail = "a new record was begun";
            self.watcher.health(HealthItem::Damaged, true, detail);
        }
        let stands = self
            .standing
            .is_some_and(|since| since.after(PATIENCE) < now);
        let trouble = match &self.failed {
            Some(problem) => Some(format!("the record is not being written: {problem}")),
            None if stands => {
                Some("the record is not being written: the disk does not answer".to_owned())
            }
            None => None,
        };
        if trouble.is_none() == self.healthy {
            return;
        }
        self.healthy = trouble.is_none();
        let detail = trouble.unwrap_or_else(|| "the record is being written".to_owned());
        self.watcher
            .health(HealthItem::Journal, self.healthy, &detail);
    }

    /// When something is due by time alone.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let idle = self.in_flight.is_none();
        [
            self.window
                .filter(|_| idle)
                .map(|since| since.after(WINDOW)),
            self.good_at.filter(|_| idle),
            self.waiting.iter().map(|waiting| waiting.until).min(),
            self.waves.deadline(),
            self.standing
                .filter(|_| self.healthy)
                .map(|since| since.after(PATIENCE + Duration::from_millis(1))),
            self.notice,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Body;
    use super::super::sample;
    use super::*;
    use crate::engine::Input;
    use std::sync::mpsc::{self, Receiver};

    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Told {
        Committed(u64),
        Health(HealthItem, bool, String),
    }

    struct Ear(mpsc::Sender<Told>);

    impl Watcher for Ear {
        fn committed(&self, seq: u64) {
            self.0.send(Told::Committed(seq)).unwrap();
        }
        fn waiting(&self, _: usize, _: u64) {}
        fn health(&self, item: HealthItem, ok: bool, detail: &str) {
            self.0
                .send(Told::Health(item, ok, detail.to_owned()))
                .unwrap();
        }
    }

    fn at(millis: u64) -> Moment {
        Moment::from_micros(millis * 1_000)
    }

    fn bounded(entries: usize) -> (Intake, Receiver<Told>) {
        let (ear, told) = mpsc::channel();
        (Intake::bounded(Box::new(Ear(ear)), at(0), entries, 4), told)
    }

    fn entry(seq: u64, input: Input) -> Message {
        Message::Job(Job::Entry(sample::entry(seq, Body::Input(input))))
    }

    fn barrier() -> (Message, Receiver<bool>) {
        let (answer, answered) = mpsc::channel();
        let reply = Box::new(move |durable| answer.send(durable).unwrap());
        (Message::Job(Job::Barrier(reply)), answered)
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.slots.iter().map(Slot::last_seq).collect()
    }

    #[test]
    fn readings_wait_for_their_window_and_not_longer() {
        let (mut intake, told) = bounded(100);
        intake.take(at(100), entry(1, sample::spo2(98)));
        intake.take(at(600), entry(2, sample::spo2(97)));
        assert!(intake.batch(at(1_099)).is_none());
        assert_eq!(intake.deadline(), Some(at(1_100)));
        let batch = intake.batch(at(1_100)).unwrap();
        assert_eq!(numbers(&batch), [1, 2]);
        intake.outcome(at(1_105), Outcome::Committed);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [Told::Committed(2)]);
    }

    #[test]
    fn a_decision_takes_everything_before_it_along_at_once() {
        let (mut intake, _told) = bounded(100);
        intake.take(at(100), entry(1, sample::spo2(98)));
        intake.take(
            at(101),
            Message::Job(Job::Entry(sample::entry(
                2,
                Body::Record(sample::phase(), None),
            ))),
        );
        assert_eq!(numbers(&intake.batch(at(101)).unwrap()), [1, 2]);
        // The disk has one batch at a time; the next decision goes with the next.
        intake.take(at(102), entry(3, sample::open(1)));
        assert!(intake.batch(at(102)).is_none());
        intake.outcome(at(110), Outcome::Committed);
        assert_eq!(numbers(&intake.batch(at(110)).unwrap()), [3]);
    }

    #[test]
    fn who_waits_for_a_commit_hears_of_it() {
        let (mut intake, _told) = bounded(100);
        let (message, answered) = barrier();
        intake.take(at(0), message);
        assert_eq!(answered.try_recv(), Ok(true), "nothing was waiting");

        intake.take(at(10), entry(1, sample::spo2(98)));
        let (message, answered) = barrier();
        intake.take(at(11), message);
        assert!(intake.batch(at(11)).is_some());
        assert!(answered.try_recv().is_err());
        intake.outcome(at(15), Outcome::Committed);
        assert_eq!(answered.try_recv(), Ok(true));
    }

    #[test]
    fn who_waits_two_seconds_hears_that_it_is_not_recorded() {
        let (mut intake, told) = bounded(100);
        intake.take(at(0), entry(1, sample::spo2(98)));
        let (message, answered) = barrier();
        intake.take(at(0), message);
        assert!(intake.batch(at(0)).is_some());
        intake.expire(at(1_999));
        assert!(answered.try_recv().is_err());
        intake.expire(at(2_000));
        assert_eq!(answered.try_recv(), Ok(false));
        intake.expire(at(2_001));
        let Ok(Told::Health(HealthItem::Journal, false, text)) = told.try_recv() else {
            panic!("a standing record is told");
        };
        assert!(text.contains("does not answer"), "{text}");
        intake.outcome(at(9_000), Outcome::Committed);
        assert_eq!(
            told.try_iter().collect::<Vec<_>>(),
            [
                Told::Committed(1),
                Told::Health(
                    HealthItem::Journal,
                    true,
                    "the record is being written".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_failure_is_told_at_once_and_only_once() {
        let (mut intake, told) = bounded(100);
        intake.take(at(0), entry(1, sample::open(1)));
        assert!(intake.batch(at(0)).is_some());
        for turn in 1..5 {
            intake.outcome(
                at(turn * 250),
                Outcome::Failed("the disk is full".to_owned()),
            );
        }
        assert_eq!(
            told.try_iter().collect::<Vec<_>>(),
            [Told::Health(
                HealthItem::Journal,
                false,
                "the record is not being written: the disk is full".to_owned()
            )]
        );
        // Trouble from before the start counts too: nobody is told "recorded".
        let (message, answered) = barrier();
        intake.take(at(1_500), message);
        assert!(answered.try_recv().is_err());
    }

    #[test]
    fn a_file_put_aside_is_reported_for_a_while_although_the_new_one_works() {
        let (mut intake, told) = bounded(100);
        intake.begin(at(0), None, Some("the record was unusable".to_owned()));
        assert_eq!(
            told.try_recv(),
            Ok(Told::Health(
                HealthItem::Damaged,
                false,
                "the record was unusable".to_owned()
            ))
        );
        intake.expire(at(29_999));
        assert!(told.try_recv().is_err());
        assert_eq!(intake.deadline(), Some(at(30_000)));
        intake.expire(at(30_000));
        assert!(matches!(
            told.try_recv(),
            Ok(Told::Health(HealthItem::Damaged, true, _))
        ));
    }

    #[test]
    fn a_start_is_good_after_thirty_seconds_or_an_orderly_end() {
        let (mut intake, _told) = bounded(100);
        assert!(intake.batch(at(29_999)).is_none());
        assert!(intake.batch(at(30_000)).unwrap().good);
        intake.outcome(at(30_001), Outcome::Committed);
        assert!(intake.last_batch(at(40_000)).is_none());

        let (mut short, _told) = bounded(100);
        assert!(short.last_batch(at(1_000)).unwrap().good);
    }

    #[test]
    fn whoever_waits_for_a_dropped_entry_is_not_told_that_it_is_recorded() {
        let (mut intake, _told) = bounded(3);
        intake.take(at(0), entry(1, sample::open(1)));
        assert!(intake.batch(at(0)).is_some());
        intake.take(at(1), entry(2, sample::spo2(98)));
        let (message, answered) = barrier();
        intake.take(at(1), message);
        for seq in 3..=5 {
            intake.take(at(2), entry(seq, sample::spo2(98)));
        }
        assert_eq!(answered.try_recv(), Ok(false));
        intake.outcome(at(3), Outcome::Committed);
        let batch = intake.batch(at(3)).unwrap();
        assert!(matches!(
            batch.slots.first(),
            Some(Slot::Gap { from: 2, to: 2, .. })
        ));
        assert_eq!(numbers(&batch), [2, 3, 4, 5]);
    }

    #[test]
    fn a_long_list_is_written_in_pieces_without_pause() {
        let (mut intake, _told) = bounded(100_000);
        for seq in 1..=20_000 {
            intake.take(at(0), entry(seq, sample::spo2(98)));
        }
        let mut sizes = Vec::new();
        let mut now = 1_000;
        while let Some(batch) = intake.batch(at(now)) {
            sizes.push(batch.slots.len());
            now += 5;
            intake.outcome(at(now), Outcome::Committed);
        }
        assert_eq!(sizes, [8_192, 8_192, 3_616]);
    }
}
