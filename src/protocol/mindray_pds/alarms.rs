//! The monitor's own alarms: each message holds those of its kind that stand, and only changes are told.

use super::super::event::{Event, Events};
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A monitor shows a handful; more are not kept.
const MOST: usize = 64;

/// The alarms of one kind.
#[derive(Debug)]
pub(super) struct Alarms {
    /// What their keys begin with.
    kind: &'static str,
    shown: BTreeMap<u32, Arc<str>>,
    /// Those of the list that is being told.
    listed: BTreeSet<u32>,
}

impl Alarms {
    /// None yet.
    pub(super) const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            shown: BTreeMap::new(),
            listed: BTreeSet::new(),
        }
    }

    /// A row of the list.
    pub(super) fn row(
        &mut self,
        code: u32,
        text: &str,
        at: Option<DeviceTime>,
        events: &mut Events,
    ) {
        if self.listed.len() < MOST {
            self.listed.insert(code);
        }
        let phase = match self.shown.get(&code) {
            Some(known) if **known == *text => return,
            Some(_) => AlertPhase::Continue,
            None if self.shown.len() >= MOST => return,
            None => AlertPhase::Start,
        };
        let text: Arc<str> = text.into();
        self.shown.insert(code, Arc::clone(&text));
        events.push(self.alert(code, text, phase, at));
    }

    /// The list is complete: what it does not hold is over.
    pub(super) fn end(&mut self, events: &mut Events) {
        let listed = std::mem::take(&mut self.listed);
        let gone: Vec<u32> = self
            .shown
            .keys()
            .copied()
            .filter(|code| !listed.contains(code))
            .collect();
        for code in gone {
            if let Some(text) = self.shown.remove(&code) {
                events.push(self.alert(code, text, AlertPhase::End, None));
            }
        }
    }

    fn alert(&self, code: u32, text: Arc<str>, phase: AlertPhase, at: Option<DeviceTime>) -> Event {
        Event::DeviceAlert(DeviceAlert {
            key: format!("{}:{code}", self.kind).into(),
            priority: None,
            phase,
            text,
            at,
        })
    }
}
