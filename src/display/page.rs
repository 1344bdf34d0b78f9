//! The page's files, part of the binary: what is shown belongs to the version that runs.

use super::answer::Problem;
use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// Name, type and content of every file under `/page/`.
const FILES: &[(&str, &str, &str)] = &[
    ("style.css", CSS, include_str!("page/style.css")),
    ("forms.css", CSS, include_str!("page/forms.css")),
    (
        "audio-paused.svg",
        PICTURE,
        include_str!("page/audio-paused.svg"),
    ),
    ("main.js", SCRIPT, include_str!("page/main.js")),
    ("link.js", SCRIPT, include_str!("page/link.js")),
    ("commands.js", SCRIPT, include_str!("page/commands.js")),
    ("alarms.js", SCRIPT, include_str!("page/alarms.js")),
    ("vitals.js", SCRIPT, include_str!("page/vitals.js")),
    ("session.js", SCRIPT, include_str!("page/session.js")),
    ("forms.js", SCRIPT, include_str!("page/forms.js")),
    ("panel.js", SCRIPT, include_str!("page/panel.js")),
    ("fields.js", SCRIPT, include_str!("page/fields.js")),
    (
        "forms-entries.js",
        SCRIPT,
        include_str!("page/forms-entries.js"),
    ),
    (
        "forms-scores.js",
        SCRIPT,
        include_str!("page/forms-scores.js"),
    ),
    (
        "forms-limits.js",
        SCRIPT,
        include_str!("page/forms-limits.js"),
    ),
    (
        "forms-leave.js",
        SCRIPT,
        include_str!("page/forms-leave.js"),
    ),
    (
        "forms-correct.js",
        SCRIPT,
        include_str!("page/forms-correct.js"),
    ),
    (
        "forms-staff.js",
        SCRIPT,
        include_str!("page/forms-staff.js"),
    ),
    ("staff.js", SCRIPT, include_str!("page/staff.js")),
    ("keyboard.js", SCRIPT, include_str!("page/keyboard.js")),
    ("health.js", SCRIPT, include_str!("page/health.js")),
    ("trend.js", SCRIPT, include_str!("page/trend.js")),
    ("plot.js", SCRIPT, include_str!("page/plot.js")),
    ("record.js", SCRIPT, include_str!("page/record.js")),
    ("history.js", SCRIPT, include_str!("page/history.js")),
    ("table.js", SCRIPT, include_str!("page/table.js")),
    ("review.js", SCRIPT, include_str!("page/review.js")),
    ("clocks.js", SCRIPT, include_str!("page/clocks.js")),
    ("waves.js", SCRIPT, include_str!("page/waves.js")),
    ("beep.js", SCRIPT, include_str!("page/beep.js")),
    ("element.js", SCRIPT, include_str!("page/element.js")),
    ("words.js", SCRIPT, include_str!("page/words.js")),
    ("words-en.js", SCRIPT, include_str!("page/words-en.js")),
    ("words-es.js", SCRIPT, include_str!("page/words-es.js")),
];

/// `GET /`
pub(super) async fn index() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, HTML)],
        include_str!("page/index.html"),
    )
}

/// `GET /page/{file}`
pub(super) async fn file(
    Path(name): Path<String>,
) -> Result<([(HeaderName, &'static str); 1], &'static str), Problem> {
    FILES
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|&(_, kind, content)| ([(header::CONTENT_TYPE, kind)], content))
        .ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "the page has no such file",
                "reload the page; it belongs to another version of the program",
            )
        })
}
