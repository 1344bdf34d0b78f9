//! Who is there: whether a page that holds the token still beats, and whether the engine still goes
//! round.
//!
//! The page beats once a second while it draws, so a dead browser, a frozen tab and a dark screen all
//! show as a missing beat; the engine alarms on it. The other way round, the page must say NO DATA
//! when the engine stands, even though this server still answers: so the time since the engine's last
//! turn travels with every board. All times here are the machine's, also in a demo that runs faster.

use super::http::Shared;
use crate::clock::Clock;
use crate::engine::{HealthItem, Input};
use crate::inbox::{Delivery, HealthTeller};
use crate::vocabulary::Moment;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// No beat for this long: the display is lost.
const MOST_BEAT_AGE: Duration = Duration::from_secs(10);
/// A browser may take this long to start.
const GRACE: Duration = Duration::from_secs(60);
/// An engine that has not gone round for this long is asked to.
const IDLE: Duration = Duration::from_millis(400);
/// From this age on the engine counts as standing. With the idle time and one turn of the watch it
/// stays below the 2 s within which the page must say NO DATA.
pub(super) const STANDING: Duration = Duration::from_millis(1_500);
/// How often the watch looks.
const TURN: Duration = Duration::from_millis(100);

/// What is known of page and engine. Written by the streams and by [`watch`], read by everybody.
#[derive(Debug)]
pub(super) struct Attendance {
    real: Clock,
    started: Moment,
    /// Microseconds of the newest beat; 0 before the first.
    beat: AtomicU64,
    /// Whether the socket is open and the runtime files are written.
    open: AtomicBool,
    /// The engine's counter when it last moved, and when that was.
    progress: AtomicU64,
    moved: AtomicU64,
}

impl Attendance {
    /// Nobody has been here yet.
    pub(super) fn new() -> Self {
        let real = Clock::real();
        let started = real.now().moment;
        Self {
            real,
            started,
            beat: AtomicU64::new(0),
            open: AtomicBool::new(false),
            progress: AtomicU64::new(0),
            moved: AtomicU64::new(started.as_micros()),
        }
    }

    /// A page that holds the token is there and draws.
    pub(super) fn beat(&self) {
        self.beat
            .store(self.real.now().moment.as_micros(), Ordering::Release);
    }

    /// The time since the newest beat.
    pub(super) fn beat_age(&self) -> Option<Duration> {
        self.last_beat()
            .map(|last| self.real.now().moment.since(last))
    }

    fn last_beat(&self) -> Option<Moment> {
        match self.beat.load(Ordering::Acquire) {
            0 => None,
            micros => Some(Moment::from_micros(micros)),
        }
    }

    /// Whether the server listens and can be found.
    pub(super) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }

    /// The time since the engine was last seen to have gone round.
    pub(super) fn engine_age(&self) -> Duration {
        let moved = Moment::from_micros(self.moved.load(Ordering::Acquire));
        self.real.now().moment.since(moved)
    }

    /// Whether the engine goes round.
    pub(super) fn engine_goes(&self) -> bool {
        self.engine_age() < STANDING
    }

    fn note_progress(&self, progress: u64) {
        if self.progress.swap(progress, Ordering::AcqRel) != progress {
            self.moved
                .store(self.real.now().moment.as_micros(), Ordering::Release);
        }
    }
}

/// How the display is; `None` while a browser may still be starting, so that a restart neither ends
/// nor begins an alarm before anything is known.
fn judge(
    open: bool,
    attached: bool,
    running: Duration,
    beat_age: Option<Duration>,
) -> Option<Result<(), &'static str>> {
    if !open {
        return Some(Err(
            "the display's address or runtime directory cannot be used",
        ));
    }
    if !attached {
        return Some(Ok(()));
    }
    match beat_age {
        Some(age) if age <= MOST_BEAT_AGE => Some(Ok(())),
        Some(_) => Some(Err("the attached display does not answer")),
        None if running <= GRACE => None,
        None => Some(Err("no attached display has shown itself since the start")),
    }
}

/// Watches until the runtime ends: tells the engine when the display's health changes (again, until
/// the queue takes it), and wakes an idle engine so that a standing one can be told from it.
pub(super) async fn watch(shared: Arc<Shared>) {
    let attendance = &shared.attendance;
    let mut teller = HealthTeller::new(HealthItem::Display);
    let mut turn = tokio::time::interval(TURN);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut asked = Duration::ZERO;
    loop {
        turn.tick().await;
        let sources = &shared.sources;
        attendance.note_progress(sources.published.progress());
        asked = asked.saturating_add(TURN);
        if attendance.engine_age() >= IDLE && asked >= IDLE {
            asked = Duration::ZERO;
            // A full queue means that the engine has work enough to show progress.
            let _ = sources.inbox.offer(Delivery::Input {
                received: sources.clock.now(),
                input: Input::Tick,
            });
        }
        let running = attendance.real.now().moment.since(attendance.started);
        let Some(health) = judge(
            attendance.open.load(Ordering::Acquire),
            shared.attached,
            running,
            attendance.beat_age(),
        ) else {
            continue;
        };
        sources
            .status
            .health(HealthItem::Display)
            .set(health.is_ok());
        teller.say(health.is_ok(), health.err().map(Into::into));
        if teller.tell(&sources.inbox, sources.clock.now()) {
            match health {
                Ok(()) => tracing::info!("display is attended"),
                Err(reason) => tracing::error!(reason, "display lost"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn the_displays_health_is_known_when_it_can_be() {
        let lost = |judged: Option<Result<(), _>>| judged.map(|health| health.is_err());
        // open, attached, running, beat → lost?
        assert_eq!(lost(judge(false, true, S(1), None)), Some(true), "no port");
        assert_eq!(lost(judge(false, false, S(1), None)), Some(true));
        assert_eq!(lost(judge(true, false, S(900), None)), Some(false));
        assert_eq!(lost(judge(true, true, S(60), None)), None, "grace");
        assert_eq!(lost(judge(true, true, S(61), None)), Some(true));
        assert_eq!(lost(judge(true, true, S(5), Some(S(1)))), Some(false));
        assert_eq!(lost(judge(true, true, S(900), Some(S(10)))), Some(false));
        assert_eq!(lost(judge(true, true, S(900), Some(S(11)))), Some(true));
        assert_eq!(
            lost(judge(true, true, S(20), Some(S(11)))),
            Some(true),
            "a display that was there gets no second grace"
        );
    }

    #[test]
    fn progress_counts_only_when_it_moves() {
        let attendance = Attendance::new();
        attendance.note_progress(7);
        let moved = attendance.moved.load(Ordering::Acquire);
        attendance.note_progress(7);
        assert_eq!(attendance.moved.load(Ordering::Acquire), moved);
        assert!(attendance.engine_goes());
        assert_eq!(attendance.beat_age(), None);
        attendance.beat();
        assert!(attendance.beat_age().is_some());
    }
}
