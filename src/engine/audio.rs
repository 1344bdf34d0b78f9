//! What is to be heard: the highest priority among active alarms that no pause holds.
//!
//! Promises: a pause is counted down, is broken by every alarm that begins at or rises to high and by
//! every new one of medium, and ends by itself; nothing is silenced for ever. Adding an alarm never
//! lowers what sounds.

use super::alarms::Alarms;
use super::record::{AlarmEvent, AudioRecord, AudioState, Loudness, Sounding};
use super::renumber::Renumbering;
use super::verdict::{Key, NEVER};
use crate::profile::AlarmTiming;
use crate::vocabulary::{Moment, Priority, Rule};

/// The state of the sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audio {
    /// Until when it is paused.
    pub pause_until: Option<Moment>,
    /// Rule and subject of what was alarming when the pause was pressed.
    known: Vec<Key>,
    /// The record that stands.
    pub last: AudioNow,
    /// Since when medium or high sounds without an interruption.
    loud_since: Option<Moment>,
    /// Grows whenever a low alarm asks for its one tone.
    pub turn: u16,
    low_began: bool,
    /// A pause was pressed: recorded even when nothing audible changes.
    pressed: bool,
}

/// What is audible now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioNow {
    /// What is audible.
    pub sounding: Sounding,
    /// Whether it is paused.
    pub state: AudioState,
    /// The rule whose melody is played.
    pub rule: Option<Rule>,
    /// Loudness steps.
    pub loudness: Loudness,
}

const fn sounding(priority: Priority) -> Sounding {
    match priority {
        Priority::Low => Sounding::Low,
        Priority::Medium => Sounding::Medium,
        Priority::High => Sounding::High,
    }
}

impl Audio {
    /// A pause was pressed.
    pub fn pause(&mut self, now: Moment, timing: &AlarmTiming, alarms: &Alarms) {
        self.pause_until = Some(now.after(timing.audio_pause));
        self.known = alarms
            .iter()
            .filter(|(_, occurrence)| occurrence.state.is_standing())
            .map(|(key, _)| key)
            .collect();
        self.pressed = true;
    }

    /// A pause goes on that was pressed before a restart; what began after the press is new to it.
    pub fn resume_pause(&mut self, pressed: Moment, until: Moment, alarms: &Alarms) {
        self.pause_until = Some(until);
        self.known = alarms
            .iter()
            .filter(|(_, occurrence)| {
                occurrence.state.is_standing() && occurrence.began.moment <= pressed
            })
            .map(|(key, _)| key)
            .collect();
    }

    /// The feeds have other places from now on.
    pub fn renumber(&mut self, places: &Renumbering) {
        for key in &mut self.known {
            *key = places.key(*key);
        }
    }

    /// The pause ends.
    pub fn end_pause(&mut self) {
        self.pause_until = None;
        self.known.clear();
    }

    /// An alarm began or rose: does it break through the pause?
    pub fn rises(&mut self, key: Key, event: AlarmEvent, tier: Priority) {
        if tier == Priority::Low && event == AlarmEvent::Begin {
            self.low_began = true;
        }
        let breaks = match tier {
            Priority::High => true,
            Priority::Medium => !self.known.contains(&key),
            Priority::Low => false,
        };
        if breaks && self.pause_until.is_some() {
            self.end_pause();
        }
    }

    /// Decides anew; gives a record if anything audible or the state changed.
    pub fn decide(
        &mut self,
        now: Moment,
        timing: &AlarmTiming,
        alarms: &Alarms,
    ) -> Option<AudioRecord> {
        if self.pause_until.is_some_and(|until| until <= now) {
            self.end_pause();
        }
        let loudest = alarms
            .iter()
            .filter_map(|(key, occurrence)| {
                Some((occurrence.state.sounds()?, key.rule, occurrence.rose))
            })
            // The most urgent; among equals the one that rose first keeps its melody.
            .max_by(|one, other| one.0.cmp(&other.0).then(other.2.cmp(&one.2)));
        let mut decided = AudioNow::default();
        if self.pause_until.is_some() {
            decided.state = AudioState::Paused;
            self.loud_since = None;
        } else if let Some((tier, rule, _)) = loudest {
            decided.sounding = sounding(tier);
            decided.rule = Some(rule);
            if tier == Priority::Low {
                self.loud_since = None;
                if self.low_began || self.last.sounding != Sounding::Low {
                    self.turn = self.turn.wrapping_add(1);
                }
            } else {
                let since = *self.loud_since.get_or_insert(now);
                let steps = timing
                    .louder_after
                    .iter()
                    .filter(|after| since.after(**after) <= now)
                    .count();
                decided.loudness = Loudness::try_from(steps).unwrap_or(Loudness::MAX);
            }
        } else {
            self.loud_since = None;
        }
        self.low_began = false;
        let changed = decided != self.last || self.pressed;
        self.pressed = false;
        self.last = decided;
        changed.then_some(AudioRecord {
            sounding: decided.sounding,
            state: decided.state,
            rule: decided.rule,
            loudness: decided.loudness,
        })
    }

    /// When the sound changes by itself.
    pub fn next(&self, now: Moment, timing: &AlarmTiming) -> Moment {
        let louder = self.loud_since.and_then(|since| {
            timing
                .louder_after
                .iter()
                .map(|after| since.after(*after))
                .find(|due| *due > now)
        });
        self.pause_until
            .unwrap_or(NEVER)
            .min(louder.unwrap_or(NEVER))
    }
}
