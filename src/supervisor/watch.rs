//! What the main thread does while the daemon runs: the keep-alive to systemd, the wall clock, the
//! profile file, and the signals.

use super::health::HealthRelay;
use super::systemd::{Keepalive, Notifier};
use crate::board::Published;
use crate::clock::{Clock, StepWatch};
use crate::engine::{HealthItem, Setup};
use crate::profile;
use crate::vocabulary::Moment;
use arc_swap::ArcSwap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often everything here is looked at.
const ROUND: Duration = Duration::from_millis(200);
/// How long a step of the wall clock is shown.
const STEP_SHOWN: Duration = Duration::from_secs(60);

/// SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on. Needs a tokio runtime.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Why the watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A signal.
    Asked,
    /// A thread that must live has ended.
    PartDied,
}

/// The main thread's watch.
pub(super) struct Watch {
    clock: Clock,
    published: Arc<Published>,
    relay: Arc<HealthRelay>,
    setup: Arc<ArcSwap<Setup>>,
    profile: ProfileWatch,
    steps: StepWatch,
    step_shown_until: Option<Moment>,
    keepalive: Option<Keepalive>,
}

impl Watch {
    /// A watch over a daemon that has just started.
    pub(super) fn new(
        clock: Clock,
        published: Arc<Published>,
        relay: Arc<HealthRelay>,
        setup: Arc<ArcSwap<Setup>>,
        profile: PathBuf,
    ) -> Self {
        let keepalive = Notifier
            .patience()
            .map(|patience| Keepalive::new(patience, clock.now().moment, published.progress()));
        Self {
            clock,
            published,
            relay,
            setup,
            profile: ProfileWatch::new(profile),
            steps: StepWatch::default(),
            step_shown_until: None,
            keepalive,
        }
    }

    /// Says READY and watches until a signal comes or `died` says that a thread is gone.
    pub(super) async fn run(&mut self, signals: &mut Signals, died: impl Fn() -> bool) -> Ended {
        Notifier.ready();
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = signals.next() => return Ended::Asked,
                _ = round.tick() => {}
            }
            if died() {
                return Ended::PartDied;
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        if let Some(keepalive) = &mut self.keepalive
            && keepalive.due(now.moment, self.published.progress())
        {
            Notifier.watchdog();
        }
        // A clock that runs faster steps by design.
        if self.clock.speed() == 1 {
            if let Some(step) = self.steps.look(now) {
                self.relay.report(
                    HealthItem::Clock,
                    false,
                    &format!(
                        "the wall clock stepped by {}.{:03} s",
                        step / 1_000,
                        step.unsigned_abs() % 1_000
                    ),
                );
                self.step_shown_until = Some(now.moment.after(STEP_SHOWN));
            }
            if self
                .step_shown_until
                .is_some_and(|until| until <= now.moment)
            {
                self.step_shown_until = None;
                self.relay
                    .report(HealthItem::Clock, true, "the wall clock runs evenly");
            }
        }
        self.relay.flush();
        if let Some(text) = self.profile.changed() {
            let mut setup = Setup::clone(&self.setup.load());
            setup.profile = text;
            self.setup.store(Arc::new(setup));
        }
    }
}

/// Reads the profile again when its file changes; the next session is judged with it.
struct ProfileWatch {
    file: PathBuf,
    seen: Option<SystemTime>,
}

impl ProfileWatch {
    fn new(file: PathBuf) -> Self {
        let seen = modified(&file);
        Self { file, seen }
    }

    /// The new text, when the file changed and is a good profile. A bad one is logged and the last good
    /// one stays in force.
    fn changed(&mut self) -> Option<Arc<str>> {
        let now = modified(&self.file);
        if now == self.seen {
            return None;
        }
        self.seen = now;
        let file = self.file.display();
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(%file, %error, "changed profile cannot be read; the last one stays");
                return None;
            }
        };
        match profile::parse(&text) {
            Ok(_) => {
                tracing::info!(%file, "profile changed; it applies from the next session");
                Some(text.into())
            }
            Err(problems) => {
                for problem in problems {
                    tracing::error!(%file, %problem, "changed profile is wrong; the last one stays");
                }
                None
            }
        }
    }
}

fn modified(file: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(file)
        .and_then(|data| data.modified())
        .ok()
}
