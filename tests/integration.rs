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

#[path = "integration/layering.rs"]
mod layering;

#[path = "integration/alarm_judge.rs"]
mod alarm_judge;
#[path = "integration/alarm_lifecycle.rs"]
mod alarm_lifecycle;
#[path = "integration/alarm_properties.rs"]
mod alarm_properties;
#[path = "integration/alarm_rules.rs"]
mod alarm_rules;
#[path = "integration/alarm_sessions.rs"]
mod alarm_sessions;
#[path = "integration/alarm_story.rs"]
mod alarm_story;
#[path = "integration/alarm_technical.rs"]
mod alarm_technical;
