//! How our own parts say that they work or do not: the flag on the screen and the input of the engine.

use crate::board::Status;
use crate::clock::Clock;
use crate::engine::{HealthItem, Input};
use crate::inbox::{Delivery, Inbox};
use crate::journal::Watcher;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Relays changes of health. Its senders are never on the alarm path; a report that finds the engine's
/// queue full waits here and is offered again by [`HealthRelay::flush`].
pub(super) struct HealthRelay {
    inbox: Inbox,
    status: Arc<Status>,
    clock: Clock,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    told: BTreeMap<HealthItem, bool>,
    pending: BTreeMap<HealthItem, (bool, Arc<str>)>,
}

impl HealthRelay {
    /// A relay into this inbox, to an engine that believes `unwell` not to be well.
    pub(super) fn new(
        inbox: Inbox,
        status: Arc<Status>,
        clock: Clock,
        unwell: impl Iterator<Item = HealthItem>,
    ) -> Self {
        Self {
            inbox,
            status,
            clock,
            waiting: Mutex::new(Waiting {
                told: unwell.map(|item| (item, false)).collect(),
                pending: BTreeMap::new(),
            }),
        }
    }

    /// Reports how a part is. Only changes reach the engine.
    pub(super) fn report(&self, item: HealthItem, ok: bool, detail: &str) {
        self.status.health(item).set(ok);
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.told.get(&item).copied().unwrap_or(true) == ok {
                waiting.pending.remove(&item);
                return;
            }
            waiting.pending.insert(item, (ok, detail.into()));
        }
        if ok {
            tracing::info!(part = item.rule().name(), detail, "working again");
        } else {
            tracing::warn!(part = item.rule().name(), detail, "not working");
        }
        self.flush();
    }

    /// Offers what the queue had no room for.
    pub(super) fn flush(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((item, (ok, detail))) = waiting.pending.pop_first() {
            let delivery = Delivery::Input {
                received: self.clock.now(),
                input: Input::Health {
                    what: item,
                    ok,
                    detail: Some(detail.clone()),
                },
            };
            if self.inbox.offer(delivery).is_err() {
                waiting.pending.insert(item, (ok, detail));
                return;
            }
            waiting.told.insert(item, ok);
        }
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
