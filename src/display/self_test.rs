//! `POST /api/v1/self-test`: one burst for a person to hear, on the real way of the sound.
//!
//! Promises: an alarm that sounds, or a pause, comes first; what is heard of a test never lowers, delays
//! or hides a cue (the mixer sees to that). Whether it was heard is what a person says with the command
//! `self-test`.

use super::answer::Problem;
use super::commands;
use super::guard;
use super::http::Shared;
use crate::engine::{AudioState, HealthItem, Sounding};
use crate::vocabulary::Priority;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    sound: Priority,
}

/// `POST /api/v1/self-test`
pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    guard::check_token(&shared.token, &headers).inspect_err(|_| {
        shared
            .counters
            .requests_refused
            .fetch_add(1, Ordering::Relaxed);
    })?;
    let asked: Asked = serde_json::from_slice(&commands::read(body).await?).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("no test of the sound: {error}"),
            "send {\"sound\":\"high\"}, \"medium\" or \"low\"",
        )
    })?;
    let sources = &shared.sources;
    if sources.published.cue().sounding != Sounding::None {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "an alarm sounds",
            "see to it first; the alarm is a test of the sound, too",
        ));
    }
    if sources.published.board().audio.state == AudioState::Paused {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "the sound is paused",
            "end the pause first",
        ));
    }
    if !sources.status.health(HealthItem::Sound).ok() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "there is no sound: the player does not work",
            "see the alarm about the sound, and docs/operations.md",
        ));
    }
    sources.published.ask_for_test(asked.sound);
    Ok(Json(json!({ "sound": asked.sound })))
}
