//! When a browser counts as lost: a pure judgement over what the daemon says of its display.

use crate::vocabulary::Moment;
use serde_json::Value;
use std::time::Duration;

/// A browser may take this long to start and load the page.
const STARTING: Duration = Duration::from_secs(20);
/// No beat for this long, while the daemon answers, is a lost browser.
const MOST_SILENCE: Duration = Duration::from_secs(10);

/// What the daemon said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whether its engine goes round; a page beats only then.
    engine: bool,
    /// The age of the display's newest beat.
    beat_age: Option<Duration>,
}

impl Seen {
    /// Reads the `display` part of the board; anything unreadable is a daemon that does not work.
    pub(super) fn read(body: &str) -> Self {
        let board: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let display = board.get("display");
        let beat_age = display
            .and_then(|display| display.get("beat_age_s"))
            .and_then(Value::as_f64)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let engine = display
            .and_then(|display| display.get("engine"))
            .and_then(Value::as_bool);
        Self {
            engine: engine == Some(true),
            beat_age,
        }
    }
}

/// One browser's life so far.
#[derive(Debug)]
pub(super) struct Watch {
    started: Moment,
    working_since: Option<Moment>,
}

impl Watch {
    /// A browser that was started now.
    pub(super) fn new(now: Moment) -> Self {
        Self {
            started: now,
            working_since: None,
        }
    }

    /// Whether the browser must be started again. `seen` is `None` while the daemon does not answer:
    /// then the page itself says so and a new browser would help nobody.
    pub(super) fn is_lost(&mut self, now: Moment, seen: Option<&Seen>) -> bool {
        let Some(seen) = seen.filter(|seen| seen.engine) else {
            self.working_since = None;
            return false;
        };
        let working_since = *self.working_since.get_or_insert(now);
        now.since(working_since) > MOST_SILENCE
            && now.since(self.started) > STARTING
            && seen.beat_age.is_none_or(|age| age > MOST_SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(beat_age_s: Option<u64>) -> Option<Seen> {
        Some(Seen {
            engine: true,
            beat_age: beat_age_s.map(Duration::from_secs),
        })
    }

    /// The second at which a browser is given up, when each second brings `answer(second)`.
    fn given_up(answer: impl Fn(u64) -> Option<Seen>) -> Option<u64> {
        let mut watch = Watch::new(Moment::ZERO);
        (0..120).find(|&second| watch.is_lost(Moment::from_secs(second), answer(second).as_ref()))
    }

    #[test]
    fn a_browser_is_given_up_only_when_the_daemon_works_and_sees_no_beat() {
        assert_eq!(given_up(|_| seen(Some(1))), None, "beats");
        assert_eq!(given_up(|_| None), None, "no daemon");
        assert_eq!(given_up(|_| seen(None)), Some(21), "never a beat");
        assert_eq!(
            given_up(|s| seen(Some(s.saturating_sub(40)))),
            Some(51),
            "beat stops"
        );
        assert_eq!(
            given_up(|s| (s >= 60).then(|| seen(None)).flatten()),
            Some(71),
            "the daemon comes late: the page gets its 10 s"
        );
        let standing = Seen {
            engine: false,
            beat_age: None,
        };
        assert_eq!(given_up(|_| Some(standing)), None, "the page cannot beat");
    }

    #[test]
    fn only_a_readable_board_counts() {
        let text = r#"{"display":{"engine":true,"beat_age_s":12.5}}"#;
        assert_eq!(
            Seen::read(text),
            Seen {
                engine: true,
                beat_age: Some(Duration::from_millis(12_500))
            }
        );
        for text in [
            "",
            "{}",
            "<html>",
            r#"{"display":{"engine":"yes","beat_age_s":-1}}"#,
        ] {
            assert_eq!(
                Seen::read(text),
                Seen {
                    engine: false,
                    beat_age: None
                }
            );
        }
    }
}
