//! One line of `judge`'s output for each record of the engine.

use super::input::Feeds;
use crate::engine::{
    AlarmEvent, AlarmRecord, AudioRecord, BaselineRecord, LimitRecord, LimitSource, Numbered,
    PhaseRecord, Record, RefusedRecord, Taken, TaskRecord, text,
};
use crate::vocabulary::{AlarmClass, Cause, Decimal, Moment, Parameter, Phase, Priority, Rule};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

#[derive(Serialize)]
struct Head {
    t: Decimal,
    kind: &'static str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_s: Option<Decimal>,
}

#[derive(Serialize)]
struct Alarm<'a> {
    #[serde(flatten)]
    head: Head,
    event: AlarmEvent,
    alarm: u64,
    rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<Parameter>,
    class: AlarmClass,
    priority: Priority,
    peak: Priority,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_source: Option<LimitSource>,
    phase: Phase,
    since: Decimal,
    delay_s: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    text: String,
}

#[derive(Serialize)]
struct With<'a, T> {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    record: &'a T,
}

#[derive(Serialize)]
struct Task<'a> {
    #[serde(flatten)]
    head: Head,
    text: &'a str,
    due_at: Decimal,
}

#[derive(Serialize)]
struct Left<'a> {
    t: Decimal,
    kind: &'static str,
    seq: u64,
    left: &'a [u64],
}

fn seconds(micros: u64) -> Decimal {
    i64::try_from(micros).map_or(Decimal::whole(i64::MAX / 1_000_000), |micros| {
        Decimal::new(micros, 6).normalized()
    })
}

fn at(moment: Moment) -> Decimal {
    seconds(moment.as_micros())
}

fn span(span: Duration) -> Decimal {
    seconds(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Alarms that an acknowledgement left, because they began or rose after what the sender saw.
pub(super) fn left(out: &mut impl Write, taken: &Taken) -> io::Result<()> {
    line(
        out,
        &Left {
            t: at(taken.at),
            kind: "answer",
            seq: taken.seq,
            left: &taken.left,
        },
    )
}

/// Prints one record.
pub(super) fn record(out: &mut impl Write, numbered: &Numbered, feeds: &Feeds) -> io::Result<()> {
    let head = |kind| Head {
        t: at(numbered.at),
        kind,
        seq: numbered.seq,
        late_s: numbered.late.map(span),
    };
    match &numbered.record {
        Record::Alarm(record) => alarm(out, head("alarm"), record, numbered.at, feeds),
        Record::Audio(record) => with::<AudioRecord>(out, head("audio"), record),
        Record::Phase(record) => with::<PhaseRecord>(out, head("phase"), record),
        Record::Refused(record) => with::<RefusedRecord>(out, head("refused"), record),
        Record::Baseline(record) => with::<BaselineRecord>(out, head("baseline"), record),
        Record::Limit(record) => with::<LimitRecord>(out, head("limit"), record),
        Record::Task(TaskRecord { text, due_at }) => line(
            out,
            &Task {
                head: head("task"),
                text,
                due_at: at(*due_at),
            },
        ),
    }
}

fn with<T: Serialize>(out: &mut impl Write, head: Head, record: &T) -> io::Result<()> {
    line(out, &With { head, record })
}

fn alarm(
    out: &mut impl Write,
    head: Head,
    record: &AlarmRecord,
    now: Moment,
    feeds: &Feeds,
) -> io::Result<()> {
    let feed = record.feed.and_then(|feed| feeds.name(feed));
    line(
        out,
        &Alarm {
            head,
            event: record.event,
            alarm: record.alarm,
            rule: record.rule,
            parameter: record.parameter,
            class: record.class,
            priority: record.priority,
            peak: record.peak,
            value: record.value,
            limit: record.limit,
            limit_source: record.limit_source,
            phase: record.phase,
            since: at(record.since),
            delay_s: span(record.delay),
            feed,
            age_s: record.age.map(span),
            cause: record.cause,
            reason: record.reason.as_deref(),
            by: record.by.as_deref(),
            text: text::line(record, feed, now),
        },
    )
}
