//! Another list of feeds at a start within a session: a feed is its name, not its place.
//!
//! Inputs name a feed by its place in the configuration of the running process. When that list is not
//! the one of the session any more (reordered, a feed added, removed or renamed), every place that the
//! engine remembers moves with its name, so that no reading and no alarm ever gets another feed's name.
//! A feed that is configured no longer stays known at the end of the list: its silence is an alarm.

use super::feeds::{Feed, Feeds};
use super::input::{FeedId, FeedSetup, Setup};
use super::kernel::Engine;
use super::verdict::{Key, Subject, Verdict};
use crate::vocabulary::Moment;

/// Where each feed of a list stands in the list that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbering(Vec<FeedId>);

impl Renumbering {
    /// The place of a feed from now on.
    pub fn of(&self, feed: FeedId) -> FeedId {
        self.0.get(usize::from(feed.0)).copied().unwrap_or(feed)
    }

    /// The key of an alarm from now on.
    pub fn key(&self, key: Key) -> Key {
        match key.subject {
            Subject::Feed(feed) => Key::feed(key.rule, self.of(feed)),
            Subject::Whole | Subject::Parameter(_) | Subject::Alert(_) => key,
        }
    }

    /// Moves the feed of a verdict.
    pub fn verdict(&self, verdict: &mut Verdict) {
        verdict.feed = verdict.feed.map(|feed| self.of(feed));
    }

    /// Puts what stands at the old places to the new ones; `fresh` for a feed that was not known.
    pub fn moved<T>(&self, old: Vec<T>, mut fresh: impl FnMut() -> T, length: usize) -> Vec<T> {
        let mut old: Vec<Option<T>> = old.into_iter().map(Some).collect();
        (0..length)
            .map(|place| {
                self.0
                    .iter()
                    .position(|new| usize::from(new.0) == place)
                    .and_then(|before| old.get_mut(before)?.take())
                    .unwrap_or_else(&mut fresh)
            })
            .collect()
    }
}

/// The list that follows `known` when `configured` is what runs now: the configured feeds in their
/// order, then the known ones that are configured no longer.
pub fn follow(known: &[FeedSetup], configured: &[FeedSetup]) -> (Vec<FeedSetup>, Renumbering) {
    let mut list = configured.to_vec();
    let places = known
        .iter()
        .map(|feed| {
            let place = list
                .iter()
                .position(|other| other.name == feed.name)
                .unwrap_or_else(|| {
                    list.push(feed.clone());
                    list.len() - 1
                });
            FeedId(u16::try_from(place).unwrap_or(u16::MAX))
        })
        .collect();
    (list, Renumbering(places))
}

impl Feeds {
    /// Goes on with the feeds of the running configuration; `None` when they are the same. The settings
    /// are those of what runs now. Behind another protocol stands another device, of which nothing is
    /// known yet; another identity under the old name must be confirmed by a nurse.
    fn follow(&mut self, setup: &Setup, now: Moment) -> Option<Renumbering> {
        let known: Vec<FeedSetup> = self.iter().map(|(_, feed)| feed.setup.clone()).collect();
        if known == setup.feeds && *self.preferences() == setup.prefer {
            return None;
        }
        let (list, places) = follow(&known, &setup.feeds);
        let length = list.len();
        let old = self.take_list().into_iter().map(Some).collect();
        let feeds = places.moved(old, || None, length);
        let feeds = feeds.into_iter().zip(list).map(|(feed, setup)| match feed {
            Some(feed) if feed.setup.protocol == setup.protocol => feed.with_setup(setup, now),
            Some(_) | None => Feed::new(setup, now),
        });
        self.replace(feeds.collect(), setup.prefer.clone());
        Some(places)
    }
}

impl Feed {
    fn with_setup(mut self, setup: FeedSetup, now: Moment) -> Self {
        if self.setup.ours != setup.ours {
            self.whose.patient_changed.get_or_insert(now);
        }
        self.setup = setup;
        self
    }
}

impl Engine {
    /// Within a session: from now on feeds are named by their places in `setup`.
    pub(super) fn follow_feeds(&mut self, setup: &Setup) {
        let Some(places) = self.feeds.follow(setup, self.at) else {
            return;
        };
        self.alarms.renumber(&places);
        self.audio.renumber(&places);
        self.findings.renumber(&places);
        self.noticed.renumber(&places);
        for entry in &mut self.slots {
            entry.slot.renumber(&places);
        }
        if let Some(session) = self.session.as_mut() {
            session.pump.renumber(&places);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Identity;
    use std::time::Duration;

    fn feeds(names: &[&str]) -> Vec<FeedSetup> {
        names
            .iter()
            .map(|name| FeedSetup {
                name: (*name).into(),
                protocol: "test".into(),
                silence: Duration::from_secs(10),
                cadence: Duration::from_secs(1),
                parameters: Vec::new(),
                ours: Identity::default(),
            })
            .collect()
    }

    #[test]
    fn a_feed_is_found_by_its_name() {
        for (known, configured, expected, places) in [
            (vec!["a", "b"], vec!["b", "a"], vec!["b", "a"], vec![1, 0]),
            (vec!["a"], vec!["n", "a"], vec!["n", "a"], vec![1]),
            (vec!["a", "b"], vec!["b"], vec!["b", "a"], vec![1, 0]),
            (
                vec!["a", "b"],
                vec!["c", "b"],
                vec!["c", "b", "a"],
                vec![2, 1],
            ),
        ] {
            let (list, renumbering) = follow(&feeds(&known), &feeds(&configured));
            assert_eq!(list, feeds(&expected));
            let found: Vec<u16> = renumbering.0.iter().map(|id| id.0).collect();
            assert_eq!(found, places);
            for (place, name) in (0..).zip(&known) {
                let new = renumbering.of(FeedId(place));
                assert_eq!(&*list[usize::from(new.0)].name, *name);
            }
            let moved = renumbering.moved(known.clone(), || "new", list.len());
            for (name, setup) in moved.iter().zip(&list) {
                assert!(*name == "new" || *name == &*setup.name);
            }
        }
    }

    #[test]
    fn what_is_no_feed_stays_where_it_is() {
        let (_, renumbering) = follow(&feeds(&["a"]), &feeds(&["b", "a"]));
        assert_eq!(renumbering.of(FeedId(u16::MAX)), FeedId(u16::MAX));
    }
}
