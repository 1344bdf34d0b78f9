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

#[path = "integration/bedside.rs"]
mod bedside;
#[path = "browser/mod.rs"]
mod browser;
#[path = "integration/check_config.rs"]
mod check_config;
#[path = "integration/contract_command_line.rs"]
mod contract_command_line;
#[path = "integration/contract_judge.rs"]
mod contract_judge;
#[path = "integration/crash.rs"]
mod crash;
#[path = "integration/daemon_feeds.rs"]
mod daemon_feeds;
#[path = "integration/daemon_health.rs"]
mod daemon_health;
#[path = "integration/daemon_start.rs"]
mod daemon_start;
#[path = "integration/decode.rs"]
mod decode;
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
#[path = "integration/feed_delivery.rs"]
mod feed_delivery;
#[path = "integration/feed_stand.rs"]
mod feed_stand;
#[path = "integration/feed_tls.rs"]
mod feed_tls;
#[path = "integration/feed_transports.rs"]
mod feed_transports;
#[path = "integration/hl7_acknowledgements.rs"]
mod hl7_acknowledgements;
#[path = "integration/hl7_alerts.rs"]
mod hl7_alerts;
#[path = "integration/hl7_dialects.rs"]
mod hl7_dialects;
#[path = "integration/hl7_infusion.rs"]
mod hl7_infusion;
#[path = "integration/hl7_pump.rs"]
mod hl7_pump;
#[path = "integration/hl7_readings.rs"]
mod hl7_readings;
#[path = "integration/hl7_rig.rs"]
mod hl7_rig;
#[path = "integration/hl7_round_trip.rs"]
mod hl7_round_trip;
#[path = "integration/hl7_stream.rs"]
mod hl7_stream;
#[path = "integration/hl7_waves.rs"]
mod hl7_waves;
#[path = "integration/hl7_whom.rs"]
mod hl7_whom;
#[path = "integration/journal_replay.rs"]
mod journal_replay;
#[path = "integration/journal_verify.rs"]
mod journal_verify;
#[path = "integration/journal_views.rs"]
mod journal_views;
#[path = "integration/layering.rs"]
mod layering;
#[path = "integration/listen_in.rs"]
mod listen_in;
#[path = "integration/live_intellivue.rs"]
mod live_intellivue;
#[path = "integration/live_links.rs"]
mod live_links;
#[path = "integration/live_oximeters.rs"]
mod live_oximeters;
#[path = "integration/live_protocols.rs"]
mod live_protocols;
#[path = "integration/protocols.rs"]
mod protocols;
#[path = "integration/record_command_line.rs"]
mod record_command_line;
#[path = "integration/record_documents.rs"]
mod record_documents;
#[path = "integration/record_preview.rs"]
mod record_preview;
#[path = "integration/record_stage.rs"]
mod record_stage;
#[path = "integration/simulate.rs"]
mod simulate;
#[path = "integration/sound.rs"]
mod sound;
#[path = "integration/staff_access.rs"]
mod staff_access;
#[path = "integration/staff_session.rs"]
mod staff_session;
#[path = "integration/staff_train.rs"]
mod staff_train;
#[path = "integration/systemd.rs"]
mod systemd;

#[path = "integration/what_if.rs"]
mod what_if;

#[path = "integration/alarm_judge.rs"]
mod alarm_judge;
#[path = "integration/alarm_lifecycle.rs"]
mod alarm_lifecycle;
#[path = "integration/alarm_proof_bed.rs"]
mod alarm_proof_bed;
#[path = "integration/alarm_proof_cuff.rs"]
mod alarm_proof_cuff;
#[path = "integration/alarm_proof_exhaustive.rs"]
mod alarm_proof_exhaustive;
#[path = "integration/alarm_proof_oracle.rs"]
mod alarm_proof_oracle;
#[path = "integration/alarm_proof_recordings.rs"]
mod alarm_proof_recordings;
#[path = "integration/alarm_proof_restart.rs"]
mod alarm_proof_restart;
#[path = "integration/alarm_proof_stories.rs"]
mod alarm_proof_stories;
#[path = "integration/alarm_proof_version.rs"]
mod alarm_proof_version;
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
