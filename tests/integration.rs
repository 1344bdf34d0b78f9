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
    missing_docs,
    reason = "tests may fail loudly"
)]

#[path = "integration/journal_replay.rs"]
mod journal_replay;
#[path = "integration/journal_verify.rs"]
mod journal_verify;
#[path = "integration/journal_views.rs"]
mod journal_views;
#[path = "integration/layering.rs"]
mod layering;
