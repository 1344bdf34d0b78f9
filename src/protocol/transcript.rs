//! What a session said, sorted by kind: for the tests of every protocol.

use super::event::{Event, Events, Fault};
use super::json::Summary;
use crate::observation::{DeviceAlert, Identity, Observation, WaveChunk};

fn pick<'a, T>(events: &'a [Event], pick: impl Fn(&'a Event) -> Option<T>) -> Vec<T> {
    events.iter().filter_map(pick).collect()
}

/// The readings.
pub(super) fn observed(events: &[Event]) -> Vec<&Observation> {
    pick(events, |event| {
        if let Event::Observation(observation) = event {
            Some(observation)
        } else {
            None
        }
    })
}

/// The faults.
pub(super) fn faults(events: &[Event]) -> Vec<Fault> {
    pick(events, |event| {
        if let Event::Fault(fault) = event {
            Some(*fault)
        } else {
            None
        }
    })
}

/// The device's alerts.
pub(super) fn alerts(events: &[Event]) -> Vec<&DeviceAlert> {
    pick(events, |event| {
        if let Event::DeviceAlert(alert) = event {
            Some(alert)
        } else {
            None
        }
    })
}

/// The identities.
pub(super) fn identities(events: &[Event]) -> Vec<&Identity> {
    pick(events, |event| {
        if let Event::Identity(identity) = event {
            Some(identity)
        } else {
            None
        }
    })
}

/// The waves.
pub(super) fn waves(events: &[Event]) -> Vec<&WaveChunk> {
    pick(events, |event| {
        if let Event::Wave(chunk) = event {
            Some(chunk)
        } else {
            None
        }
    })
}

/// What was sent.
pub(super) fn sent(events: &[Event]) -> Vec<Vec<u8>> {
    pick(events, |event| {
        if let Event::Send(bytes) = event {
            Some(bytes.clone())
        } else {
            None
        }
    })
}

/// The sums.
pub(super) fn summary(events: &Events) -> Summary {
    let mut summary = Summary::default();
    events.iter().for_each(|event| summary.count(event));
    summary
}
