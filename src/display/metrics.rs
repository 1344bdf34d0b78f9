//! `GET /metrics`: counters as Prometheus text (exposition format 0.0.4).

use super::http::Shared;
use crate::board::{AlarmStateView, FeedCounters};
use crate::engine::HealthItem;
use crate::vocabulary::Priority;
use axum::extract::State;
use axum::http::{HeaderName, header};
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One metric family: its head, then its samples.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl<'a> Family<'a> {
    fn new(
        text: &'a mut String,
        name: &'static str,
        kind: &'static str,
        help: &'static str,
    ) -> Self {
        let _ = writeln!(
            text,
            "# HELP infusewatch_{name} {help}\n# TYPE infusewatch_{name} {kind}"
        );
        Self { text, name }
    }

    fn plain(self, value: impl Display) {
        let _ = writeln!(self.text, "infusewatch_{} {value}", self.name);
    }

    fn labelled(&mut self, label: &str, of: &str, value: impl Display) {
        let of = of
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _ = writeln!(
            self.text,
            "infusewatch_{}{{{label}=\"{of}\"}} {value}",
            self.name
        );
    }
}

/// Name, help and value of each counter of a feed.
type OfFeed = (&'static str, &'static str, fn(&FeedCounters) -> &AtomicU64);

const OF_FEEDS: [OfFeed; 7] = [
    ("feed_bytes_total", "Bytes received.", |feed| &feed.bytes),
    ("feed_frames_total", "Good frames.", |feed| &feed.frames),
    ("feed_observations_total", "Observations.", |feed| {
        &feed.observations
    }),
    ("feed_faults_total", "Faults on the wire.", |feed| {
        &feed.faults
    }),
    (
        "feed_overwritten_total",
        "Readings overwritten because the engine's queue was full.",
        |feed| &feed.overwritten,
    ),
    ("feed_opened_total", "Connections opened.", |feed| {
        &feed.opened
    }),
    (
        "feed_not_ours_total",
        "Messages of other beds or devices.",
        |feed| &feed.not_ours,
    ),
];

/// `GET /metrics`
pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
) -> ([(HeaderName, &'static str); 1], String) {
    let text = write(&shared);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
}

fn write(shared: &Shared) -> String {
    let mut text = String::new();
    let sources = &shared.sources;
    let (published, status) = (&sources.published, &sources.status);
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);

    Family::new(&mut text, "build_info", "gauge", "The running version.").labelled(
        "version",
        env!("CARGO_PKG_VERSION"),
        1,
    );
    for (name, help, value) in OF_FEEDS {
        let mut family = Family::new(&mut text, name, "counter", help);
        for (feed, counters) in &status.feeds {
            family.labelled("feed", feed, read(value(counters)));
        }
    }
    let board = published.board();
    let mut family = Family::new(
        &mut text,
        "alarms",
        "gauge",
        "Alarms that are active, by priority now.",
    );
    for priority in Priority::ALL {
        let active = board
            .alarms
            .iter()
            .filter(|alarm| alarm.priority == priority && alarm.state == AlarmStateView::Active);
        family.labelled("priority", priority.name(), active.count());
    }
    let mut family = Family::new(&mut text, "healthy", "gauge", "1 while the part works.");
    for item in HealthItem::ALL {
        family.labelled("part", item.name(), u8::from(status.health(item).ok()));
    }
    let backlog = status.journal_backlog.load(Ordering::Relaxed);
    let counters = &shared.counters;
    for (name, kind, help, value) in [
        (
            "seq",
            "counter",
            "Newest sequence number on the board.",
            board.seq,
        ),
        (
            "journal_committed_seq",
            "counter",
            "Newest sequence number in the record.",
            read(&status.committed),
        ),
        (
            "journal_backlog",
            "gauge",
            "Sequence numbers not yet in the record.",
            u64::try_from(backlog).unwrap_or(0),
        ),
        (
            "journal_dropped_total",
            "counter",
            "Entries dropped because the record could not be written.",
            read(&status.journal_dropped),
        ),
        (
            "engine_progress_total",
            "counter",
            "Turns of the alarm engine.",
            published.progress(),
        ),
        (
            "queue_waiting",
            "gauge",
            "Deliveries waiting for the alarm engine.",
            u64::try_from(sources.inbox.waiting()).unwrap_or(u64::MAX),
        ),
        (
            "display_pages",
            "gauge",
            "Pages with the token.",
            published.displays().load(Ordering::Relaxed).into(),
        ),
        (
            "display_streams",
            "gauge",
            "WebSockets open.",
            read(&counters.streams),
        ),
        (
            "display_streams_closed_total",
            "counter",
            "WebSockets that broke the rules, broke off or did not read.",
            read(&counters.streams_closed),
        ),
        (
            "display_waves_skipped_total",
            "counter",
            "Wave frames not sent to slow pages.",
            read(&counters.waves_skipped),
        ),
        (
            "display_connections_total",
            "counter",
            "Connections accepted.",
            read(&counters.connections),
        ),
        (
            "display_connections_refused_total",
            "counter",
            "Connections refused because too many were open.",
            read(&counters.connections_refused),
        ),
        (
            "display_requests_refused_total",
            "counter",
            "Requests refused for their Host, Origin or token.",
            read(&counters.requests_refused),
        ),
        (
            "commands_done_total",
            "counter",
            "Commands that the engine took.",
            read(&counters.commands_done),
        ),
        (
            "commands_refused_total",
            "counter",
            "Commands that the engine refused.",
            read(&counters.commands_refused),
        ),
        (
            "commands_unanswered_total",
            "counter",
            "Commands not taken, or not answered in time.",
            read(&counters.commands_unanswered),
        ),
        (
            "logins_total",
            "counter",
            "Log-ins with the right PIN.",
            read(&counters.logins),
        ),
        (
            "logins_wrong_total",
            "counter",
            "Log-ins with a wrong name or PIN.",
            read(&counters.logins_wrong),
        ),
        (
            "logins_delayed_total",
            "counter",
            "Log-ins not looked at, too soon after a wrong one.",
            read(&counters.logins_delayed),
        ),
    ] {
        Family::new(&mut text, name, kind, help).plain(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut text = String::new();
        Family::new(&mut text, "x", "gauge", "A thing.").labelled("feed", "a\"b\\c\nd", 1);
        assert!(text.ends_with("infusewatch_x{feed=\"a\\\"b\\\\c\\nd\"} 1\n"));
    }
}
