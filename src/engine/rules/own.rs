//! Technical conditions about ourselves: journal, disk, sound, display, queues, clock, a restart.

use crate::engine::input::HealthItem;
use crate::engine::kernel::Engine;
use crate::engine::record::Numbered;
use crate::engine::verdict::{Judged, Key, NEVER, Verdict};
use crate::vocabulary::{Moment, Priority, Rule};
use std::sync::Arc;

/// One part of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthEntry {
    /// Not well since then.
    pub bad_since: Option<Moment>,
    /// In words.
    pub detail: Option<Arc<str>>,
    /// The condition is over when a nurse has seen it: nothing else ever ends it.
    pub until_seen: bool,
}

/// Every part of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    journal: HealthEntry,
    damaged: HealthEntry,
    disk: HealthEntry,
    sound: HealthEntry,
    display: HealthEntry,
    queue_full: HealthEntry,
    clock: HealthEntry,
    restarted: HealthEntry,
}

impl Health {
    /// The entry behind a rule, if the rule is about ourselves.
    pub fn of_rule(&mut self, rule: Rule) -> Option<&mut HealthEntry> {
        if rule == Rule::Restarted {
            return Some(&mut self.restarted);
        }
        HealthItem::ALL
            .into_iter()
            .find(|item| item.rule() == rule)
            .map(|item| self.of(item))
    }

    const fn of(&mut self, item: HealthItem) -> &mut HealthEntry {
        match item {
            HealthItem::Journal => &mut self.journal,
            HealthItem::Damaged => &mut self.damaged,
            HealthItem::Disk => &mut self.disk,
            HealthItem::Sound => &mut self.sound,
            HealthItem::Display => &mut self.display,
            HealthItem::QueueFull => &mut self.queue_full,
            HealthItem::Clock => &mut self.clock,
        }
    }
}

impl Engine {
    /// A part of ours changed its health.
    pub(crate) fn take_health(&mut self, item: HealthItem, ok: bool, detail: Option<&Arc<str>>) {
        let now = self.at;
        let entry = self.health.of(item);
        if !ok {
            entry.bad_since.get_or_insert(now);
            entry.detail = detail.cloned();
            entry.until_seen |= item == HealthItem::Damaged;
        } else if !entry.until_seen {
            *entry = HealthEntry::default();
        }
        self.refute_carried(Key::whole(item.rule()));
        self.dirty.rule(item.rule());
    }

    /// Raises a condition that lasts until a nurse has seen it.
    pub(crate) fn raise_until_seen(&mut self, rule: Rule, detail: Option<Arc<str>>) {
        let now = self.at;
        if let Some(entry) = self.health.of_rule(rule) {
            entry.bad_since.get_or_insert(now);
            entry.detail = detail;
            entry.until_seen = true;
            self.dirty.rule(rule);
        }
    }

    /// An alarm about ourselves goes on after a restart, until its part is told to work or, where nothing
    /// tells that, a nurse has seen it. False when the rule is not about ourselves.
    pub(crate) fn carry_health(
        &mut self,
        rule: Rule,
        tier: Priority,
        since: Moment,
        detail: Option<&Arc<str>>,
    ) -> bool {
        // The records do not tell a damaged file from one that waits for its disk: the worse is taken.
        let is_damaged = rule == Rule::Journal && tier == Priority::High;
        let entry = if is_damaged {
            self.health.of(HealthItem::Damaged)
        } else if let Some(entry) = self.health.of_rule(rule) {
            entry
        } else {
            return false;
        };
        *entry = HealthEntry {
            bad_since: Some(since),
            detail: detail.cloned(),
            // What was unknown about the clock stays unknown, however evenly it runs now.
            until_seen: is_damaged || matches!(rule, Rule::Restarted | Rule::Clock),
        };
        true
    }

    /// What is to be said about a damaged record that no nurse has seen yet. A fresh engine must be told.
    pub fn unseen_damage(&self) -> Option<Arc<str>> {
        let damaged = &self.health.damaged;
        damaged.bad_since.and(damaged.detail.clone())
    }

    /// A nurse acknowledged an alarm about ourselves.
    pub(crate) fn own_alarm_seen(&mut self, rule: Rule) {
        let damaged = &mut self.health.damaged;
        if rule == Rule::Journal && damaged.until_seen {
            *damaged = HealthEntry::default();
            self.dirty.rule(rule);
        } else if let Some(entry) = self.health.of_rule(rule)
            && entry.until_seen
        {
            *entry = HealthEntry::default();
            self.dirty.rule(rule);
        }
    }

    /// Judges one condition about ourselves.
    pub(super) fn judge_own(&mut self, rule: Rule, out: &mut Vec<Numbered>) {
        let now = self.at;
        let phase = self.phase();
        let base = self.technical_priority(rule);
        let further = self
            .profile
            .technical(rule)
            .and_then(|technical| technical.high_after(phase));
        let entry = self.health.of_rule(rule).cloned().unwrap_or_default();
        let damaged = self.health.damaged.clone();
        if rule == Rule::Journal && damaged.bad_since.is_some() {
            // A new file was begun: worse than one that waits for its disk, and it cannot get better.
            let verdict = damaged
                .bad_since
                .map(|since| Verdict::plain(Priority::High, phase, since));
            self.due.set(rule, NEVER);
            self.condition(Key::whole(rule), verdict, damaged.detail.as_ref(), out);
            return;
        }
        let mut judged = Judged::NOTHING;
        if let (Some(since), Some(base)) = (entry.bad_since, base) {
            let high_from = further.map_or(NEVER, |further| since.after(further));
            let tier = if high_from <= now {
                Priority::High
            } else {
                base
            };
            if high_from > now {
                judged.next = high_from;
            }
            judged.verdict = Some(Verdict::plain(tier, phase, since));
        }
        self.due.set(rule, judged.next);
        self.condition(Key::whole(rule), judged.verdict, entry.detail.as_ref(), out);
    }
}
