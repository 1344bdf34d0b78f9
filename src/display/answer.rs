//! Answers that are not the board: problems with their hint, and JSON with its status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Why a request was not done: `{"error":…,"hint":…}` with a 4xx or 503.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
}

impl Problem {
    /// A problem with what to do about it.
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            error: error.into(),
            hint: Some(hint.into()),
        }
    }

    /// A problem told by the engine, whose hint may be missing.
    pub(super) fn told(status: StatusCode, error: String, hint: Option<String>) -> Self {
        Self {
            status,
            error: error.into(),
            hint: hint.map(Cow::Owned),
        }
    }

    /// The body, for a stored answer.
    pub(super) fn body(&self) -> Value {
        json!({ "error": self.error, "hint": self.hint })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
