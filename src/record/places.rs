//! Feeds by name, whatever place they have in the configuration of the moment.

use super::model::Feed;
use crate::engine::FeedId;
use crate::journal::FeedAt;
use crate::observation::Identity;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::Arc;
use std::vec::IntoIter;

/// Identities of one kind that are kept per feed.
const MOST_IDENTITIES: usize = 32;

/// The feeds by their places, as of the entry that is read.
pub(super) struct Places {
    next: Peekable<IntoIter<FeedAt>>,
    /// Place in the configuration → place in the record.
    now: BTreeMap<u16, usize>,
    feeds: Vec<Feed>,
}

impl Places {
    /// Feeds as the journal tells them.
    pub(super) fn new(feeds: Vec<FeedAt>) -> Self {
        Self {
            next: feeds.into_iter().peekable(),
            now: BTreeMap::new(),
            feeds: Vec::new(),
        }
    }

    /// The place of a feed in the record.
    pub(super) fn of(&mut self, seq: u64, feed: FeedId) -> usize {
        while let Some(known) = self.next.next_if(|known| known.seq <= seq) {
            let place = self.add(&known.name, &known.protocol);
            self.now.insert(known.place.0, place);
        }
        match self.now.get(&feed.0) {
            Some(place) => *place,
            None => {
                let place = self.add(&format!("feed {}", feed.0).into(), &"".into());
                self.now.insert(feed.0, place);
                place
            }
        }
    }

    fn add(&mut self, name: &Arc<str>, protocol: &Arc<str>) -> usize {
        let known = self
            .feeds
            .iter()
            .position(|feed| feed.name == *name && feed.protocol == *protocol);
        known.unwrap_or_else(|| {
            self.feeds.push(Feed {
                name: Arc::clone(name),
                protocol: Arc::clone(protocol),
                devices: Vec::new(),
                beds: Vec::new(),
                patients: Vec::new(),
            });
            self.feeds.len() - 1
        })
    }

    /// The name of a feed by its place in the record.
    pub(super) fn name(&self, place: usize) -> Arc<str> {
        self.feeds
            .get(place)
            .map_or_else(|| "?".into(), |feed| Arc::clone(&feed.name))
    }

    /// A feed told whom its readings are about; says it in words.
    pub(super) fn told(&mut self, place: usize, identity: &Identity) -> String {
        let mut told = Vec::new();
        if let Some(known) = self.feeds.get_mut(place) {
            for (what, list, text) in [
                ("bed", &mut known.beds, &identity.bed),
                ("device", &mut known.devices, &identity.device),
                ("patient", &mut known.patients, &identity.patient),
            ] {
                if let Some(text) = text {
                    told.push(format!("{what} {text}"));
                    if !list.contains(text) && list.len() < MOST_IDENTITIES {
                        list.push(Arc::clone(text));
                    }
                }
            }
        }
        told.join(", ")
    }

    /// Every feed that told anything.
    pub(super) fn finish(self) -> Vec<Feed> {
        self.feeds
    }
}
