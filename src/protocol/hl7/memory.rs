//! What a connection remembers from message to message; everything in it is bounded.

use super::listed::Listed;
use super::open_alerts::OpenAlerts;
use super::pumps::Pumps;
use crate::observation::Identity;
use std::collections::BTreeSet;

/// Unknown codes that are remembered, so that each is counted once.
const MOST_REMEMBERED: usize = 512;

/// What a connection remembers from message to message.
#[derive(Debug, Default)]
pub struct Memory {
    /// The identity said last.
    pub identity: Identity,
    /// Alerts that were told with a beginning.
    pub alerts: OpenAlerts,
    /// Alarms that central stations list.
    pub listed: Listed,
    /// Pumps and what they told last.
    pub pumps: Pumps,
    /// Codes already counted as unknown.
    unknown: BTreeSet<Box<[u8]>>,
}

impl Memory {
    /// Whether this code is met for the first time.
    pub fn is_new(&mut self, code: &[u8]) -> bool {
        let code = code.get(..64).unwrap_or(code);
        self.unknown.len() < MOST_REMEMBERED
            && !self.unknown.contains(code)
            && self.unknown.insert(code.into())
    }
}
