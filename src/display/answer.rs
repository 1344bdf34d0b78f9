//! Answers that are not the board: problems with their hint, and JSON with its status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::time::Duration;

/// Why a request was not done: `{"error":…,"hint":…}` with a 4xx or 503, `retry_after_s` where it
/// helps to come later.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    /// When it may be tried again.
    retry_after: Option<Duration>,
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
            retry_after: None,
        }
    }

    /// A problem told by the engine, whose hint may be missing.
    pub(super) fn told(status: StatusCode, error: String, hint: Option<String>) -> Self {
        Self {
            status,
            error: error.into(),
            hint: hint.map(Cow::Owned),
            retry_after: None,
        }
    }

    /// The same, with the time after which it may be tried again.
    pub(super) const fn after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Whole seconds to wait, rounded up.
    fn retry_after_s(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    /// The body, for a stored answer.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "error": self.error, "hint": self.hint });
        if let (Value::Object(fields), Some(wait)) = (&mut body, self.retry_after_s()) {
            fields.insert("retry_after_s".into(), wait.into());
        }
        body
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
        if let Some(wait) = self.retry_after_s() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}
