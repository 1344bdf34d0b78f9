//! How our own parts say that they work or do not: the flag on the screen and the input of the engine.

use crate::board::Status;
use crate::clock::Clock;
use crate::engine::HealthItem;
use crate::inbox::{HealthTeller, Inbox};
use crate::journal::Watcher;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Relays how our parts are. Its senders are never on the alarm path; a report that finds the engine's
/// queue full waits here and is offered again by [`HealthRelay::flush`].
///
/// The first report of a part reaches the engine even when all is well: a restored engine may know an alarm
/// about it from before the start, which must find its end, and the next session's engine must be told what is
/// still wrong.
pub(super) struct HealthRelay {
    inbox: Inbox,
    status: Arc<Status>,
    clock: Clock,
    tellers: Mutex<BTreeMap<HealthItem, HealthTeller>>,
}

impl HealthRelay {
    /// A relay into this inbox.
    pub(super) fn new(inbox: Inbox, status: Arc<Status>, clock: Clock) -> Self {
        Self {
            inbox,
            status,
            clock,
            tellers: Mutex::default(),
        }
    }

    /// Reports how a part is. Only changes reach the engine.
    pub(super) fn report(&self, item: HealthItem, ok: bool, detail: &str) {
        self.status.health(item).set(ok);
        let before = {
            let mut tellers = self.tellers();
            let teller = tellers.entry(item).or_insert(HealthTeller::new(item));
            let before = teller.ok();
            if before != Some(ok) {
                teller.say(ok, Some(detail.into()));
            }
            before
        };
        match (before, ok) {
            (Some(false), true) => {
                tracing::info!(part = item.name(), detail, "working again");
            }
            (Some(true) | None, false) => {
                tracing::warn!(part = item.name(), detail, "not working");
            }
            (Some(true) | None, true) | (Some(false), false) => {}
        }
        self.flush();
    }

    /// Offers what the queue had no room for.
    pub(super) fn flush(&self) {
        for teller in self.tellers().values_mut() {
            teller.tell(&self.inbox, self.clock.now());
        }
    }

    fn tellers(&self) -> MutexGuard<'_, BTreeMap<HealthItem, HealthTeller>> {
        self.tellers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the journal's thread says about the record.
pub(super) struct JournalWatch {
    relay: Arc<HealthRelay>,
    status: Arc<Status>,
}

impl JournalWatch {
    /// Tells this relay and these counters.
    pub(super) fn new(relay: Arc<HealthRelay>, status: Arc<Status>) -> Self {
        Self { relay, status }
    }
}

impl Watcher for JournalWatch {
    fn committed(&self, seq: u64) {
        self.status.committed.store(seq, Ordering::Release);
    }

    fn waiting(&self, entries: usize, dropped: u64) {
        self.status.journal_backlog.store(
            i64::try_from(entries).unwrap_or(i64::MAX),
            Ordering::Relaxed,
        );
        self.status
            .journal_dropped
            .store(dropped, Ordering::Relaxed);
    }

    fn health(&self, item: HealthItem, ok: bool, detail: &str) {
        self.relay.report(item, ok, detail);
    }
}
