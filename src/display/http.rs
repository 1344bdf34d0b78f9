//! The addresses of the interface, what every answer carries, and what all of them share.

use super::Sources;
use super::answer::Problem;
use super::attendance::Attendance;
use super::commands::{self, Answers};
use super::counters::Counters;
use super::guard::{self, Hosts};
use super::history;
use super::metrics;
use super::page;
use super::report;
use super::self_test;
use super::staff::Desk;
use super::stream;
use super::token::Token;
use crate::board::Board;
use crate::engine::HealthItem;
use crate::vocabulary::Decimal;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// What every request can reach. Lives as long as the daemon; the listening socket may come and go.
pub(super) struct Shared {
    pub(super) sources: Sources,
    pub(super) token: Token,
    pub(super) attached: bool,
    pub(super) training: bool,
    pub(super) desk: Desk,
    /// Differs at each start, so that a page notices that it talks to a new daemon.
    pub(super) instance: String,
    pub(super) attendance: Attendance,
    pub(super) answers: Answers,
    pub(super) counters: Arc<Counters>,
    pub(super) questions: Arc<Semaphore>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Nothing from elsewhere, nothing inline, no framing; the page's own files and its own stream only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Every address, behind the guard.
pub(super) fn router(shared: Arc<Shared>, hosts: Hosts) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .route("/api/v1/now", get(now))
        .route("/api/v1/history", get(history::history))
        .route("/api/v1/alarms", get(history::alarms))
        .route("/api/v1/events", get(history::events))
        .route("/api/v1/report", get(report::report))
        .route("/api/v1/stream", get(stream::open))
        .route("/api/v1/commands", post(commands::post))
        .route("/api/v1/self-test", post(self_test::post))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics::metrics))
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(
            (Arc::clone(&shared), Arc::new(hosts)),
            pass,
        ))
        .with_state(shared)
}

/// The guard before, the headers after.
async fn pass(
    State((shared, hosts)): State<(Arc<Shared>, Arc<Hosts>)>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match guard::check_source(&hosts, request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            shared
                .counters
                .requests_refused
                .fetch_add(1, Ordering::Relaxed);
            problem.into_response()
        }
    };
    for (name, value) in HEADERS {
        // A document of its own kind brings its own policy.
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn nothing_here() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is nothing at this address",
        "the page is at /",
    )
}

fn seconds(span: Duration) -> Decimal {
    Decimal::new(i64::try_from(span.as_millis() / 100).unwrap_or(i64::MAX), 1)
}

/// The board of the contract, who may log in, whether this is a training, and under `display` what only
/// this server knows.
pub(super) fn picture(board: &Board, shared: &Shared) -> Value {
    let sources = &shared.sources;
    let mut picture = board.to_json(sources.clock.now(), &sources.status);
    if let Value::Object(fields) = &mut picture {
        fields.insert("access".into(), shared.desk.to_json());
        fields.insert("training".into(), shared.training.into());
        fields.insert(
            "display".into(),
            json!({
                "version": env!("CARGO_PKG_VERSION"),
                "instance": shared.instance,
                "attached": shared.attached,
                "pages": sources.published.displays().load(Ordering::Relaxed),
                "beat_age_s": shared.attendance.beat_age().map(seconds),
                "engine": shared.attendance.engine_goes(),
            }),
        );
    }
    picture
}

/// `GET /api/v1/now`
async fn now(State(shared): State<Arc<Shared>>) -> axum::Json<Value> {
    axum::Json(picture(&shared.sources.published.board(), &shared))
}

/// `GET /healthz`: 200 while the engine goes round and all our own parts work, else 503 and which.
async fn healthz(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let mut wrong: Vec<&str> = HealthItem::ALL
        .into_iter()
        .filter(|&item| !shared.sources.status.health(item).ok())
        .map(|item| item.name())
        .collect();
    if !shared.attendance.engine_goes() {
        wrong.push("engine");
    }
    if wrong.is_empty() {
        (StatusCode::OK, "healthy\n".into())
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not healthy: {}\n", wrong.join(" ")),
        )
    }
}
