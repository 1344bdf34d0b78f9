//! Questions about the past: `/api/v1/history`, `/api/v1/alarms` and `/api/v1/events`.
//!
//! The answers come from the record through [`History`], which the journal's reader implements; they
//! run on blocking threads, a few at a time, so that reading the disk never delays the board.

use super::answer::Problem;
use super::http::Shared;
use crate::vocabulary::{ParameterId, WallTime};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The record, as far as the page asks about it. The calls may block on the disk.
pub trait History: Send + Sync {
    /// Readings of one parameter between two times, thinned to about `points` so that lowest and
    /// highest values survive: a JSON array, oldest first, of
    /// `{"t":<Unix ms>,"value":<number|null>,"min":…,"max":…}`; `null` is a time without a number.
    /// Fails with the reason in words.
    fn history(
        &self,
        parameter: &str,
        from: WallTime,
        to: WallTime,
        points: usize,
    ) -> Result<Value, String>;

    /// Alarms of a session, or of the newest one: a JSON array with the columns of `v_alarms`.
    /// Fails with the reason in words.
    fn alarms(&self, session: Option<i64>) -> Result<Value, String>;

    /// What was done in a session after the event `after`: a JSON array, oldest first, of
    /// `{"seq":…,"t":<Unix ms>,"what":…,"detail":{…}}`; `what` is a command's name, `phase` or
    /// `baseline`. Fails with the reason in words.
    fn events(&self, session: i64, after: u64) -> Result<Value, String>;
}

/// Questions answered at once.
pub(super) const MOST_AT_ONCE: usize = 2;
/// How long a question may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// Points when none are asked for, and the most that can be.
const POINTS: usize = 300;
const MOST_POINTS: usize = 5_000;
/// Without `from`: the last hour.
const SPAN_MS: i64 = 3_600_000;

/// `?parameter=…&from=…&to=…&points=N`; times are RFC 3339.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    parameter: String,
    from: Option<String>,
    to: Option<String>,
    points: Option<usize>,
}

/// `?session=…`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmsQuery {
    session: Option<i64>,
}

/// `?session=…&after=SEQ`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    session: i64,
    #[serde(default)]
    after: u64,
}

/// A query that cannot be read.
pub(super) fn unreadable(rejection: &QueryRejection) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        rejection.body_text(),
        "see the interface's description of this address",
    )
}

fn time(name: &'static str, text: Option<&str>) -> Result<Option<WallTime>, Problem> {
    text.map(|text| {
        text.parse::<jiff::Timestamp>()
            .map(|stamp| WallTime::from_millis(stamp.as_millisecond()))
            .map_err(|_| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    format!("`{name}` is not an RFC 3339 time with a zone"),
                    "write it like 2026-03-01T09:30:00Z",
                )
            })
    })
    .transpose()
}

/// Runs one question on a blocking thread, when there is room.
pub(super) async fn ask<T, F>(shared: &Arc<Shared>, question: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce(&dyn History) -> Result<T, String> + Send + 'static,
{
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(&shared.questions).acquire_owned()).await;
    let Ok(Ok(place)) = turn else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the record is busy with other questions",
            "ask again in a moment",
        ));
    };
    let history = Arc::clone(&shared.sources.history);
    let answer = tokio::task::spawn_blocking(move || {
        let answer = question(history.as_ref());
        drop(place);
        answer
    })
    .await;
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(reason)) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the record cannot be read: {reason}"),
            "monitoring goes on; see the `journal` alarm",
        )),
        Err(error) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the record cannot be read: {error}"),
            "monitoring goes on; see the log",
        )),
    }
}

/// `GET /api/v1/history`
pub(super) async fn history(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|rejection| unreadable(&rejection))?;
    if ParameterId::parse(&query.parameter).is_none() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("unknown parameter `{}`", query.parameter),
            "use a name that the board shows, like `spo2`",
        ));
    }
    let to = time("to", query.to.as_deref())?.unwrap_or(shared.sources.clock.now().wall);
    let from = time("from", query.from.as_deref())?.unwrap_or(WallTime::from_millis(
        to.as_millis().saturating_sub(SPAN_MS),
    ));
    let points = query.points.unwrap_or(POINTS);
    if from > to || points == 0 || points > MOST_POINTS {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("`from` must not be after `to`, and `points` must be 1 to {MOST_POINTS}"),
            "ask for less or for an earlier start",
        ));
    }
    let parameter = query.parameter.clone();
    let answer = ask(&shared, move |record| {
        record.history(&parameter, from, to, points)
    })
    .await?;
    Ok(Json(json!({
        "parameter": query.parameter,
        "from": from.rfc3339(),
        "to": to.rfc3339(),
        "points": answer,
    })))
}

/// `GET /api/v1/alarms`
pub(super) async fn alarms(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<AlarmsQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|rejection| unreadable(&rejection))?;
    let answer = ask(&shared, move |record| record.alarms(query.session)).await?;
    Ok(Json(json!({ "session": query.session, "alarms": answer })))
}

/// `GET /api/v1/events`
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(EventsQuery { session, after }) =
        query.map_err(|rejection| unreadable(&rejection))?;
    let answer = ask(&shared, move |record| record.events(session, after)).await?;
    Ok(Json(json!({ "session": session, "events": answer })))
}
