//! The flow sheet as a print preview: `/api/v1/report`.
//!
//! The sheet comes from the record through [`Reports`]; it is made on a blocking thread, in the same few places
//! as other questions about the past. It has no script; its own policy allows its own style and nothing else.

use super::answer::Problem;
use super::history;
use super::http::Shared;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// A document with the policy under which a browser may show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// One self-contained HTML file.
    pub html: String,
    /// Its Content-Security-Policy.
    pub policy: &'static str,
}

/// The documents of a session. The call may block on the disk.
pub trait Reports: Send + Sync {
    /// The flow sheet of a session; `None` when the record has none with this number. Fails with the reason in
    /// words.
    fn flow_sheet(&self, session: i64) -> Result<Option<Sheet>, String>;
}

/// `?session=…&format=html`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    session: i64,
    format: String,
}

/// `GET /api/v1/report`
pub(super) async fn report(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| history::unreadable(&rejection))?;
    if query.format != "html" {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("`format` {} is not shown here", query.format),
            "ask for html; `infusewatch report` writes the other formats",
        ));
    }
    let reports = Arc::clone(&shared.sources.reports);
    let sheet = history::ask(&shared, move |_| reports.flow_sheet(query.session)).await?;
    let Some(sheet) = sheet else {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("the record has no session {}", query.session),
            "the board names the session that is open",
        ));
    };
    let mut response = Html(sheet.html).into_response();
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(sheet.policy),
    );
    Ok(response)
}
