//! The way of wave samples: to the record and to the pages that watch. They never enter the engine.

use crate::board::Published;
use crate::feed::WaveSink;
use crate::journal::WaveOutlet;
use crate::observation::Wave;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Hands samples on without waiting; what finds a full list is dropped and counted by the feed.
pub(super) struct Waves {
    record: WaveOutlet,
    pages: broadcast::Sender<Arc<Wave>>,
    published: Arc<Published>,
}

impl Waves {
    /// To this record and these pages; the session comes from the board.
    pub(super) fn new(
        record: WaveOutlet,
        pages: broadcast::Sender<Arc<Wave>>,
        published: Arc<Published>,
    ) -> Self {
        Self {
            record,
            pages,
            published,
        }
    }
}

impl WaveSink for Waves {
    fn offer(&self, wave: Wave) -> bool {
        if self.pages.receiver_count() > 0 {
            // Nobody listening any more is no fault.
            let _ = self.pages.send(Arc::new(wave.clone()));
        }
        let session = self
            .published
            .board()
            .session
            .as_ref()
            .map(|session| session.id);
        self.record.offer(session, wave)
    }
}
