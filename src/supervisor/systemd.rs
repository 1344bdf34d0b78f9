//! What systemd is told: ready, alive, stopping, and one line of status.
//!
//! Promises: without systemd every call does nothing. The keep-alive proves the engine, not a timer: it is
//! due only when the engine's progress counter moved since the last one, so that an engine that hangs is
//! restarted within `WatchdogSec=`. A stuck journal, screen or sound is an alarm, never a reason to
//! hold it back.

use crate::vocabulary::Moment;
use sd_notify::NotifyState;
use std::time::Duration;

/// The line to the service manager (the socket in `$NOTIFY_SOCKET`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Notifier;

impl Notifier {
    /// The record is restored, the display was tried and every feed was tried once.
    pub fn ready(self) {
        send(NotifyState::Ready);
    }

    /// The engine makes progress; ask a [`Keepalive`] first.
    pub fn watchdog(self) {
        send(NotifyState::Watchdog);
    }

    /// The daemon was asked to stop.
    pub fn stopping(self) {
        send(NotifyState::Stopping);
    }

    /// One line for `systemctl status`. No patient data.
    pub fn status(self, text: &str) {
        send(NotifyState::Status(text));
    }

    /// How long systemd waits for a sign of life before it restarts us; `None` when it does not watch.
    pub fn patience(self) -> Option<Duration> {
        sd_notify::watchdog_enabled()
    }
}

/// A message that cannot be sent is logged: if it was a keep-alive, systemd notices by itself.
fn send(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(&state)) {
        tracing::warn!(%error, message = %state, "cannot notify systemd");
    }
}

/// When a keep-alive may be sent.
#[derive(Clone, Copy, Debug)]
pub struct Keepalive {
    spacing: Duration,
    sent: Moment,
    progress: u64,
}

impl Keepalive {
    /// Three chances within `patience`; `progress` is where the engine's counter stands at `now`.
    pub fn new(patience: Duration, now: Moment, progress: u64) -> Self {
        Self {
            spacing: patience / 3,
            sent: now,
            progress,
        }
    }

    /// Whether to send one now: the engine has gone round since the last one, and it is time.
    pub fn due(&mut self, now: Moment, progress: u64) -> bool {
        if progress == self.progress || now.since(self.sent) < self.spacing {
            return false;
        }
        self.sent = now;
        self.progress = progress;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Moment {
        Moment::from_micros(milliseconds * 1_000)
    }

    #[test]
    fn a_working_engine_is_reported_once_a_second() {
        let mut keepalive = Keepalive::new(Duration::from_secs(3), at(0), 7);
        let sent: Vec<u64> = (1..=40)
            .map(|tick| tick * 100)
            .filter(|&now| keepalive.due(at(now), 7 + now))
            .collect();
        assert_eq!(sent, [1_000, 2_000, 3_000, 4_000]);
    }

    #[test]
    fn an_engine_that_stands_is_never_reported() {
        let mut keepalive = Keepalive::new(Duration::from_secs(3), at(0), 7);
        assert!((1..=100).all(|tick| !keepalive.due(at(tick * 100), 7)));
        // One more step and it is alive again, at once.
        assert!(keepalive.due(at(10_001), 8));
        assert!(!keepalive.due(at(20_000), 8));
    }
}
