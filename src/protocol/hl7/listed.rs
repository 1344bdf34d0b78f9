//! Alarms of Philips monitors, which every message about a bed lists anew (hl7.md 6.2).
//!
//! Promises: an alarm begins when it is listed first and is over when a later message about the same
//! bed no longer lists it, because this dialect has no word for an end. The number in its text may
//! change; it stays the same alarm. Memory is bounded.

use crate::observation::{AlertPhase, DeviceAlert, DeviceTime, Identity};
use crate::protocol::{Event, Events};
use crate::vocabulary::Priority;
use std::sync::Arc;

/// Alarms of all beds that are remembered; more are not told.
const MOST_LISTED: usize = 1_024;

/// What the codes of `MDIL-ALERT` mean: 1 red, 2 yellow, 3 short yellow, 5 hard and 6 soft INOP.
fn priority(code: &[u8]) -> Option<Priority> {
    match code {
        b"1" => Some(Priority::High),
        b"2" | b"3" => Some(Priority::Medium),
        b"5" | b"6" => Some(Priority::Low),
        _ => None,
    }
}

#[derive(Debug)]
struct Entry {
    bed: Option<Arc<str>>,
    device: Option<Arc<str>>,
    key: Arc<str>,
    text: Arc<str>,
    priority: Option<Priority>,
    /// Listed by the message being read.
    is_here: bool,
}

impl Entry {
    fn is_of(&self, whom: &Identity) -> bool {
        self.bed == whom.bed && (self.bed.is_some() || self.device == whom.device)
    }

    fn alert(&self, phase: AlertPhase, at: Option<DeviceTime>) -> Event {
        Event::DeviceAlert(DeviceAlert {
            key: Arc::clone(&self.key),
            priority: self.priority,
            phase,
            text: Arc::clone(&self.text),
            at,
        })
    }
}

/// The alarms that are listed at present.
#[derive(Debug, Default)]
pub struct Listed(Vec<Entry>);

impl Listed {
    /// Whether any alarm is listed.
    pub const fn has_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// A message about `whom` lists this alarm.
    pub fn list(
        &mut self,
        whom: &Identity,
        code: &[u8],
        text: &str,
        at: Option<DeviceTime>,
        events: &mut Events,
    ) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return;
        }
        let place = whom.bed.as_deref().or(whom.device.as_deref());
        let key = format!(
            "{}:{}:{}",
            place.unwrap_or_default(),
            String::from_utf8_lossy(code),
            name(&text)
        );
        if let Some(known) = self
            .0
            .iter_mut()
            .find(|known| known.is_of(whom) && *known.key == *key)
        {
            known.is_here = true;
            if *known.text != *text {
                known.text = text.into();
                events.push(known.alert(AlertPhase::Continue, at));
            }
            return;
        }
        if self.0.len() >= MOST_LISTED {
            return;
        }
        let entry = Entry {
            bed: whom.bed.clone(),
            device: whom.device.clone(),
            key: key.into(),
            text: text.into(),
            priority: priority(code),
            is_here: true,
        };
        events.push(entry.alert(AlertPhase::Start, at));
        self.0.push(entry);
    }

    /// A message about `whom` is at its end: what it did not list is over.
    pub fn settle(&mut self, whom: &Identity, events: &mut Events) {
        self.0.retain_mut(|entry| {
            if !entry.is_of(whom) {
                return true;
            }
            if !entry.is_here {
                events.push(entry.alert(AlertPhase::End, None));
            }
            std::mem::take(&mut entry.is_here)
        });
    }
}

/// What stays the same of an alarm's text: no stars, no numbers; of a limit only its direction.
fn name(text: &str) -> String {
    let number = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'/' | b'?'))
    };
    let mut name = String::new();
    for word in text.split_whitespace() {
        let word = word.trim_start_matches(['*', '!']);
        let kept = match word.split_at_checked(1) {
            Some((direction @ ("<" | ">"), limit)) if number(limit) => direction,
            _ if number(word) => continue,
            _ => word,
        };
        if !kept.is_empty() {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(kept);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_alarm_holds_no_number_and_keeps_its_direction() {
        for (text, expected) in [
            ("**SpO2   86  <90  ", "SpO2 <"),
            ("**SpO2   84  <90", "SpO2 <"),
            ("** HR 131 >120", "HR >"),
            ("** HR 31 <50", "HR <"),
            ("*** PAP Disconnect", "PAP Disconnect"),
            ("SpO2T  No Pulse", "SpO2T No Pulse"),
            ("!!ECG Leads Off", "ECG Leads Off"),
            ("** NBPs 181 > 160", "NBPs >"),
            ("*** 12", ""),
        ] {
            assert_eq!(name(text), expected, "{text:?}");
        }
    }
}
