//! What the display counts about its clients, for `/metrics`.

use std::sync::atomic::AtomicU64;

/// Totals since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Connections accepted.
    pub(super) connections: AtomicU64,
    /// Connections refused because too many were open.
    pub(super) connections_refused: AtomicU64,
    /// Requests refused for their `Host`, `Origin` or token.
    pub(super) requests_refused: AtomicU64,
    /// Commands that the engine took.
    pub(super) commands_done: AtomicU64,
    /// Commands that the engine refused.
    pub(super) commands_refused: AtomicU64,
    /// Commands that were not taken in time, or for which the queue was full.
    pub(super) commands_unanswered: AtomicU64,
    /// Log-ins with the right PIN.
    pub(super) logins: AtomicU64,
    /// Log-ins with a wrong name or PIN.
    pub(super) logins_wrong: AtomicU64,
    /// Log-ins that were not looked at because they came too soon after a wrong one.
    pub(super) logins_delayed: AtomicU64,
    /// WebSockets open now.
    pub(super) streams: AtomicU64,
    /// WebSockets closed by us: flood, oversized or unreadable message, wrong token, slow reader.
    pub(super) streams_closed: AtomicU64,
    /// Wave frames that a slow page did not get.
    pub(super) waves_skipped: AtomicU64,
}
