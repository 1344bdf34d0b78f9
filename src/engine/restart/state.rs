//! What the records of an open session say in the end: the state that a carry-over hands on.

use super::memory::Memory;
use crate::engine::command::OpenSession;
use crate::engine::entries::Entries;
use crate::engine::input::{FeedId, Setup};
use crate::engine::pump::Pump;
use crate::engine::record::AlarmRecord;
use crate::engine::renumber;
use crate::engine::session::Stamped;
use crate::vocabulary::{Decimal, Moment, Parameter, Phase, Priority, Rule, WallTime};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An alarm that the records show open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenAlarm {
    pub(super) record: AlarmRecord,
    pub(super) began: Stamped,
    pub(super) rose: u64,
    pub(super) acknowledged: Option<Moment>,
}

/// What the records say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) at: Moment,
    pub(super) wall: WallTime,
    pub(super) session: Option<i64>,
    pub(super) about: OpenSession,
    pub(super) setup: Setup,
    pub(super) phase: Phase,
    pub(super) entered: Moment,
    pub(super) opened: Stamped,
    pub(super) started: Option<Stamped>,
    pub(super) ended: Option<Stamped>,
    pub(super) run: Duration,
    pub(super) running_since: Option<Moment>,
    pub(super) baseline: Vec<(Parameter, Decimal, usize)>,
    pub(super) limits: Vec<(Rule, Priority, Decimal)>,
    pub(super) paused_at: Option<Moment>,
    pub(super) away_until: Option<Moment>,
    /// When the absence began.
    pub(super) away_from: Moment,
    /// Since when SpO2 is valid without an interruption.
    pub(super) spo2_since: Option<Moment>,
    pub(super) pump: Pump,
    /// What is kept of each feed, in the order of the setup.
    pub(super) feeds: Vec<Memory>,
    pub(super) last_cuff: Option<Moment>,
    pub(super) rate_changed: Option<Moment>,
    pub(super) last_score: Option<Moment>,
    /// What people entered, with its corrections.
    pub(super) entries: Entries,
    /// What each feed gave a number of since the opening.
    pub(super) gave: BTreeSet<(FeedId, Parameter)>,
    pub(super) alarms: BTreeMap<u64, OpenAlarm>,
}

impl Summary {
    /// Whether SpO2 has been valid for `back_after` since the absence began, or its time is over: then it has
    /// ended. Also follows whether SpO2 is still valid. Asked before what happens at `at`.
    pub(super) fn follow_absence(&mut self, at: Moment, back_after: Option<Duration>) {
        let valid_until = self.feeds.iter().filter_map(|feed| feed.spo2_until).max();
        if let Some(since) = self.spo2_since {
            let back = back_after.map(|after| since.max(self.away_from).after(after));
            if back.zip(valid_until).is_some_and(|(b, v)| b <= at && b < v) {
                self.away_until = None;
            }
            if valid_until.is_none_or(|until| until <= at) {
                self.spo2_since = None;
            }
        }
        self.away_until = self.away_until.filter(|until| *until > at);
    }

    /// An SpO2 reading of a feed.
    pub(super) fn saturation(
        &mut self,
        feed: FeedId,
        is_valid: bool,
        at: Moment,
        silence: Duration,
    ) {
        if let Some(memory) = self.feeds.get_mut(usize::from(feed.0)) {
            memory.spo2_until = is_valid.then(|| at.after(silence));
        }
        let any = self
            .feeds
            .iter()
            .any(|feed| feed.spo2_until.is_some_and(|until| until > at));
        self.spo2_since = if any {
            Some(self.spo2_since.unwrap_or(at))
        } else {
            None
        };
    }

    /// Goes on with the feeds of the running configuration, as the engine does.
    pub(super) fn follow_feeds(&mut self, configured: &Setup, at: Moment) {
        let known = std::mem::take(&mut self.setup.feeds);
        self.setup.prefer.clone_from(&configured.prefer);
        let (list, places) = renumber::follow(&known, &configured.feeds);
        let before = std::mem::take(&mut self.feeds);
        let mut feeds = places.moved(before, || Memory::new(at), list.len());
        let mut gave: BTreeSet<_> = self
            .gave
            .iter()
            .map(|(feed, parameter)| (places.of(*feed), *parameter))
            .collect();
        for (feed, place) in known.iter().zip(0_u16..) {
            let id = places.of(FeedId(place));
            let index = usize::from(id.0);
            let (Some(now), Some(memory)) = (list.get(index), feeds.get_mut(index)) else {
                continue;
            };
            if now.protocol != feed.protocol {
                *memory = Memory::new(at);
                gave.retain(|(giver, _)| *giver != id);
            } else if now.ours != feed.ours {
                memory.whose.patient_changed.get_or_insert(at);
            }
        }
        for open in self.alarms.values_mut() {
            open.record.feed = open.record.feed.map(|feed| places.of(feed));
        }
        self.pump.renumber(&places);
        (self.gave, self.feeds, self.setup.feeds) = (gave, feeds, list);
    }
}
