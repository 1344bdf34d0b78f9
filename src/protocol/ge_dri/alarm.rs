//! The monitor's own alarms: up to five texts with a colour, and whether their sound is silenced.
//!
//! The texts are in the monitor's language: they are shown and never matched on.

use super::record::Fields;
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime};
use crate::vocabulary::Priority;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of an alarm answer; a request, which has the same type, has 12.
pub(super) const ANSWER: usize = 510;
/// Texts in one answer.
const TEXTS: usize = 5;
/// Characters of one text.
const TEXT: usize = 80;

/// Key of the alert for silenced sound, which no alarm text can have.
const SILENCED: &str = "silenced";

/// One alarm on the monitor's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: Arc<str>,
    pub(super) priority: Option<Priority>,
}

/// What an alarm answer holds: the alarms by key.
pub(super) type Screen = BTreeMap<Arc<str>, Shown>;

/// Reads an alarm answer; `None` when it is cut.
pub(super) fn read(subrecord: &[u8]) -> Option<Screen> {
    let mut fields = Fields(subrecord.get(..ANSWER)?);
    let mut screen = Screen::new();
    let _reserved_sound_and_two_more = fields.take::<8>()?;
    if let Some(how) = silence(fields.i16()?) {
        let text = format!("alarm sound silenced: {how}").into();
        screen.insert(
            SILENCED.into(),
            Shown {
                text,
                priority: None,
            },
        );
    }
    for _ in 0..TEXTS {
        let text = text(&fields.take::<TEXT>()?);
        let _changed = fields.u16()?;
        let colour = fields.i16()?;
        let _colour_changed_and_reserved = fields.take::<14>()?;
        if !text.is_empty() {
            let shown = Shown {
                text: text.as_str().into(),
                priority: priority(colour),
            };
            screen.insert(format!("alarm:{text}").into(), shown);
        }
    }
    Some(screen)
}

/// An alarm answer with these alarms, highest priority first.
pub(super) fn write(alarms: &[(&str, Option<Priority>)]) -> Vec<u8> {
    let mut answer = vec![0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    for slot in 0..TEXTS {
        let (text, priority) = alarms.get(slot).copied().unwrap_or(("", None));
        // Latin-1; what it cannot carry becomes a question mark.
        let mut bytes: Vec<u8> = text
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
            .take(TEXT - 1)
            .collect();
        bytes.resize(TEXT, 0);
        answer.extend(bytes);
        answer.extend([0; 2]);
        answer.extend(colour(priority).to_le_bytes());
        answer.extend([0; 14]);
    }
    answer.extend([0; 10]);
    answer
}

/// What changed from one answer to the next.
pub(super) fn changes(before: &Screen, now: &Screen, at: DeviceTime) -> Vec<DeviceAlert> {
    let alert = |key: &Arc<str>, shown: &Shown, phase| DeviceAlert {
        key: Arc::clone(key),
        priority: shown.priority,
        phase,
        text: Arc::clone(&shown.text),
        at: Some(at),
    };
    let gone = before
        .iter()
        .filter(|(key, _)| !now.contains_key(*key))
        .map(|(key, shown)| alert(key, shown, AlertPhase::End));
    let here = now.iter().filter_map(|(key, shown)| match before.get(key) {
        None => Some(alert(key, shown, AlertPhase::Start)),
        Some(known) if known != shown => Some(alert(key, shown, AlertPhase::Continue)),
        Some(_) => None,
    });
    gone.chain(here).collect()
}

/// Latin-1 up to the first NUL, without blanks around it and control characters in it.
fn text(bytes: &[u8]) -> String {
    let letters = bytes
        .iter()
        .take_while(|byte| **byte != 0)
        .map(|byte| char::from(*byte))
        .filter(|letter| !letter.is_control());
    letters.collect::<String>().trim().to_owned()
}

const fn priority(colour: i16) -> Option<Priority> {
    match colour {
        1 => Some(Priority::Low),
        2 => Some(Priority::Medium),
        3 => Some(Priority::High),
        _ => None,
    }
}

const fn colour(priority: Option<Priority>) -> i16 {
    match priority {
        None => 0,
        Some(Priority::Low) => 1,
        Some(Priority::Medium) => 2,
        Some(Priority::High) => 3,
    }
}

const fn silence(code: i16) -> Option<&'static str> {
    match code {
        0 => None,
        1 => Some("apnoea"),
        2 => Some("asystole"),
        3 => Some("apnoea and asystole"),
        4 => Some("all"),
        5 => Some("two minutes"),
        6 => Some("five minutes"),
        7 => Some("twenty seconds"),
        _ => Some("in a way unknown to this program"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reads_back_and_only_changes_are_told() {
        let at = DeviceTime::civil(1_000);
        let answer = write(&[
            ("SpO2 niedrig \u{e4}", Some(Priority::High)),
            ("T1 aus", None),
        ]);
        assert_eq!(answer.len(), ANSWER);
        let first = read(&answer).unwrap();
        let said = |before: &Screen, now: &Screen| -> Vec<(String, AlertPhase)> {
            changes(before, now, at)
                .into_iter()
                .map(|alert| (alert.text.to_string(), alert.phase))
                .collect()
        };
        let both = [
            ("SpO2 niedrig \u{e4}".to_owned(), AlertPhase::Start),
            ("T1 aus".to_owned(), AlertPhase::Start),
        ];
        assert_eq!(said(&Screen::new(), &first), both);
        assert_eq!(said(&first, &first), []);

        let mut silenced = write(&[("T1 aus", Some(Priority::Low))]);
        silenced[8] = 5;
        let second = read(&silenced).unwrap();
        assert_eq!(
            said(&first, &second),
            [
                ("SpO2 niedrig \u{e4}".to_owned(), AlertPhase::End),
                ("T1 aus".to_owned(), AlertPhase::Continue),
                (
                    "alarm sound silenced: two minutes".to_owned(),
                    AlertPhase::Start
                ),
            ]
        );
        assert_eq!(read(&answer[..509]), None);
    }
}
