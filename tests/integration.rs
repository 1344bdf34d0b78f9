//! One integration binary; each module proves one promise from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "tests may fail loudly"
)]

#[path = "browser/mod.rs"]
mod browser;
#[path = "integration/display_board.rs"]
mod display_board;
#[path = "integration/display_daemon.rs"]
mod display_daemon;
#[path = "integration/display_http.rs"]
mod display_http;
#[path = "integration/display_status.rs"]
mod display_status;
#[path = "integration/display_stream.rs"]
mod display_stream;
#[path = "integration/layering.rs"]
mod layering;
