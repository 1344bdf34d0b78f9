//! What a feed is run with.

use super::outlet::Overload;
use crate::board::Status;
use crate::clock::Clock;
use crate::configuration::{Configuration, Feed};
use crate::inbox::Inbox;
use crate::observation::Wave;
use std::sync::Arc;
use std::time::Duration;

/// How long the feed's loop waits for things outside, in the machine's time (a faster demo clock does
/// not shorten them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// Pause before a lost transport is opened again. Short and constant: a bedside link is wanted
    /// back at once, and there is only one of it.
    pub retry: Duration,
    /// How long one attempt to open may take.
    pub open: Duration,
    /// How long a peer may leave our bytes unread.
    pub write: Duration,
    /// How long a sender waits for the record before it is told that there is none (engine.md 7).
    pub commit: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(1),
            open: Duration::from_secs(5),
            write: Duration::from_secs(5),
            commit: Duration::from_secs(2),
        }
    }
}

/// One feed to run.
#[derive(Clone, Debug)]
pub struct FeedPlan {
    /// What and how, checked.
    pub feed: Feed,
    /// Its place in [`Status::feeds`].
    pub place: usize,
    /// Its waits.
    pub timings: Timings,
}

impl FeedPlan {
    /// The plans of every feed, in the order of the configuration.
    pub fn all(configuration: &Configuration) -> Vec<Self> {
        configuration
            .feeds
            .iter()
            .enumerate()
            .map(|(place, feed)| Self {
                feed: feed.clone(),
                place,
                timings: Timings::default(),
            })
            .collect()
    }
}

/// Where waves go. They never enter the engine.
pub trait WaveSink: Send + Sync {
    /// Takes the samples or drops them; never waits. `false`: dropped.
    fn offer(&self, wave: Wave) -> bool;
}

/// What every feed is connected to.
#[derive(Clone)]
pub struct Ports {
    /// The engine's queue.
    pub inbox: Inbox,
    /// Where waves go.
    pub waves: Arc<dyn WaveSink>,
    /// Counters and health for the screen.
    pub status: Arc<Status>,
    /// Which feeds had to overwrite readings; one for all feeds.
    pub overload: Arc<Overload>,
    /// The clock.
    pub clock: Clock,
}
