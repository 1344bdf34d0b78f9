//! The monitor's own alarms: two lists, of physiological and of technical ones (dossier 9).
//!
//! Each list holds everything that is active: an alarm is over when it is no longer there. The texts are
//! in the monitor's language: they are shown and never matched on.

use super::wire::{self, Attributes, Bytes, attribute, list};
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime};
use crate::vocabulary::Priority;
use std::collections::BTreeMap;
use std::sync::Arc;

const TECHNICAL: u16 = 0x0904;
const PHYSIOLOGICAL: u16 = 0x0902;
/// What follows an entry: numbers only, or numbers and the text.
const NUMBERS: u16 = 0x0201;
const NUMBERS_AND_TEXT: u16 = 0x0204;

/// Alarm states in which an alarm is not a patient's.
const TEST: u16 = 0x0400;
const DEMO: u16 = 0x0100;

/// One alarm on the monitor's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    text: Arc<str>,
    priority: Option<Priority>,
}

/// The alarms of one list by key.
type List = BTreeMap<Arc<str>, Shown>;

/// One of the two lists as it was told last, its bytes beside it: the same bytes are not read again.
#[derive(Debug, Default)]
struct Last {
    bytes: Vec<u8>,
    shown: List,
}

/// What the monitor showed last.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    physiological: Last,
    technical: Last,
}

impl Alarms {
    /// Takes an alert monitor object and tells what changed; `None`, and nothing taken, when a list
    /// contradicts itself. A list that is not there has not changed.
    pub(super) fn take(
        &mut self,
        attributes: Attributes<'_>,
        at: Option<DeviceTime>,
        mut tell: impl FnMut(DeviceAlert),
    ) -> Option<()> {
        let new = |id, last: &Last| attributes.get(id).filter(|now| now.0 != last.bytes);
        let physiological = new(PHYSIOLOGICAL, &self.physiological);
        let technical = new(TECHNICAL, &self.technical);
        // Both are read before either is taken.
        let now = [(physiological, "p"), (technical, "t")]
            .map(|(bytes, name)| bytes.map(|bytes| (bytes, read(bytes, name))));
        if now.iter().any(|now| matches!(now, Some((_, None)))) {
            return None;
        }
        for (last, now) in [&mut self.physiological, &mut self.technical]
            .into_iter()
            .zip(now)
        {
            if let Some((bytes, Some(shown))) = now {
                changes(&last.shown, &shown, at, &mut tell);
                last.shown = shown;
                last.bytes.clear();
                last.bytes.extend(bytes.0);
            }
        }
        Some(())
    }
}

fn changes(before: &List, now: &List, at: Option<DeviceTime>, tell: &mut impl FnMut(DeviceAlert)) {
    let alert = |key: &Arc<str>, shown: &Shown, phase| DeviceAlert {
        key: Arc::clone(key),
        priority: shown.priority,
        phase,
        text: Arc::clone(&shown.text),
        at,
    };
    for (key, shown) in before {
        if !now.contains_key(key) {
            tell(alert(key, shown, AlertPhase::End));
        }
    }
    for (key, shown) in now {
        match before.get(key) {
            None => tell(alert(key, shown, AlertPhase::Start)),
            Some(known) if known != shown => tell(alert(key, shown, AlertPhase::Continue)),
            Some(_) => {}
        }
    }
}

/// Reads a list; `None` when it contradicts itself.
fn read(mut value: Bytes<'_>, name: &str) -> Option<List> {
    let (count, mut entries) = value.list()?;
    value.0.is_empty().then_some(())?;
    let mut shown = List::new();
    for _ in 0..count {
        let source = entries.u16()?;
        let code = entries.u16()?;
        let kind = entries.u16()?;
        let state = entries.u16()?;
        let [class, context, handle] = [entries.u16()?, entries.u16()?, entries.u16()?];
        let information = entries.u16()?;
        let details = entries.block()?;
        let text = match information {
            NUMBERS_AND_TEXT => spoken(details)?,
            NUMBERS => {
                let mut details = details;
                let _numbers = details.array::<10>()?;
                None
            }
            _ => None,
        };
        let mut text = text.unwrap_or_else(|| format!("alarm {code}"));
        if state & (TEST | DEMO) != 0 {
            text.push_str(" (not a patient's)");
        }
        let key = format!("{name}{code}:{source}:{class:x}.{context:x}.{handle:x}");
        let alarm = Shown {
            text: text.into(),
            priority: priority(kind),
        };
        shown.insert(key.into(), alarm);
    }
    entries.0.is_empty().then_some(shown)
}

/// The text behind an alarm's numbers.
fn spoken(mut details: Bytes<'_>) -> Option<Option<String>> {
    let _instance_text_priority_and_flags = details.array::<10>()?;
    Some(wire::text(details))
}

const fn priority(kind: u16) -> Option<Priority> {
    if kind & 0x0404 != 0 {
        Some(Priority::High)
    } else if kind & 0x0202 != 0 {
        Some(Priority::Medium)
    } else if kind & 0x0101 != 0 {
        Some(Priority::Low)
    } else {
        None
    }
}

/// The two attributes for these alarms, as the device side tells them: physiological with a priority,
/// technical without.
pub(super) fn write(alerts: &[DeviceAlert]) -> [Vec<u8>; 2] {
    let lists = [true, false].map(|with_priority| {
        let entries: Vec<Vec<u8>> = alerts
            .iter()
            .filter(|alert| alert.phase != AlertPhase::End)
            .filter(|alert| alert.priority.is_some() == with_priority)
            .map(entry)
            .collect();
        let mut value = Vec::new();
        list(&mut value, &entries);
        value
    });
    let [physiological, technical] = lists;
    [
        attribute(PHYSIOLOGICAL, physiological),
        attribute(TECHNICAL, technical),
    ]
}

fn entry(alert: &DeviceAlert) -> Vec<u8> {
    let kind: u16 = match alert.priority {
        Some(Priority::High) => 0x0400,
        Some(Priority::Medium) => 0x0200,
        Some(Priority::Low) => 0x0100,
        None => 0,
    };
    // Any number will do that is the same for the same alarm; event numbers are even.
    let code = alert.key.bytes().fold(0x1000_u16, |sum, byte| {
        sum.rotate_left(3).wrapping_add(u16::from(byte))
    }) & 0xFFFE;
    let mut entry = Vec::new();
    for word in [0, code, kind, 0, 0x0006, 1, 0, NUMBERS_AND_TEXT] {
        entry.extend(word.to_be_bytes());
    }
    wire::block(&mut entry, |out| {
        out.extend([0; 10]);
        out.extend(wire::to_text(&alert.text));
    });
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(text: &str, priority: Option<Priority>) -> DeviceAlert {
        DeviceAlert {
            key: text.into(),
            priority,
            phase: AlertPhase::Present,
            text: text.into(),
            at: None,
        }
    }

    fn told(alarms: &mut Alarms, attributes: &[Vec<u8>]) -> Option<Vec<String>> {
        let mut bytes = Vec::new();
        list(&mut bytes, attributes);
        let mut told = Vec::new();
        let tell = |alert: DeviceAlert| {
            let priority = alert.priority.map_or("none", Priority::name);
            told.push(format!("{} {} {priority}", alert.phase.name(), alert.text));
        };
        alarms.take(Bytes(&bytes).attributes().unwrap(), None, tell)?;
        Some(told)
    }

    #[test]
    fn only_changes_are_told_and_an_absent_list_is_unchanged() {
        let mut alarms = Alarms::default();
        let high = alert("** SpO2 niedrig \u{e4}", Some(Priority::High));
        let leads = alert("EKG Elektr. ab", None);
        let both = write(&[high.clone(), leads.clone()]);
        let begin = [
            "start ** SpO2 niedrig \u{e4} high",
            "start EKG Elektr. ab none",
        ];
        assert_eq!(told(&mut alarms, &both).unwrap(), begin);
        assert!(told(&mut alarms, &both).unwrap().is_empty());
        assert!(told(&mut alarms, &[]).unwrap().is_empty());
        assert!(told(&mut alarms, &both[..1]).unwrap().is_empty());
        let lower = alert("** SpO2 niedrig \u{e4}", Some(Priority::Medium));
        assert_eq!(
            told(&mut alarms, &write(&[lower, leads])).unwrap(),
            ["continue ** SpO2 niedrig \u{e4} medium"]
        );
        assert_eq!(
            told(&mut alarms, &write(&[])).unwrap(),
            [
                "end ** SpO2 niedrig \u{e4} medium",
                "end EKG Elektr. ab none"
            ]
        );
    }

    #[test]
    fn an_entry_without_text_or_of_an_unknown_kind_has_its_code() {
        let mut plain = Vec::new();
        // A technical alarm of high priority in test mode, numbers only; then one of an unknown kind.
        for word in [1_u16, 308, 4, 0x0400, 6, 0, 7, NUMBERS, 10, 0, 0, 0, 0, 0] {
            plain.extend(word.to_be_bytes());
        }
        let mut strange = Vec::new();
        for word in [1_u16, 22, 2, 0, 6, 0, 7, 0x0999, 2, 5] {
            strange.extend(word.to_be_bytes());
        }
        let mut value = Vec::new();
        list(&mut value, &[plain.clone(), strange]);
        let mut alarms = Alarms::default();
        assert_eq!(
            told(&mut alarms, &[attribute(TECHNICAL, &value)]).unwrap(),
            [
                "start alarm 22 medium",
                "start alarm 308 (not a patient's) high"
            ]
        );
        // A list that is cut is not taken, and ends nothing.
        value.truncate(value.len() - 2);
        assert_eq!(told(&mut alarms, &[attribute(TECHNICAL, &value)]), None);
        assert!(told(&mut alarms, &[]).unwrap().is_empty());
    }
}
