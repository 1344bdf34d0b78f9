//! The ready-to-leave checklist as it stood, told by the engine itself: the recorded inputs are stepped through a
//! fresh one, as a restart does, so that the document cannot say anything else than the display said.
//!
//! Where a replay cannot be trusted (entries are missing, another version of the engine decided, the record
//! begins inside the session) there is no checklist, and the document says why.

use super::model::ChecklistItem;
use crate::engine::{Command, Engine, Input, Numbered, engine_version};
use crate::journal::SessionEntries;
use crate::vocabulary::Now;

/// An engine that follows the recorded inputs.
pub(super) struct Follower {
    engine: Option<Engine>,
    obstacle: Option<String>,
    made: Vec<Numbered>,
    /// As it stood when the session was last asked to close.
    at_closing: Vec<ChecklistItem>,
}

impl Follower {
    /// Follows where it can be trusted.
    pub(super) fn new(entries: &SessionEntries) -> Self {
        let version = engine_version();
        let other = entries
            .openings
            .iter()
            .filter_map(|opening| opening.engine_version)
            .find(|known| *known != version);
        let obstacle = if entries
            .openings
            .iter()
            .any(|opening| opening.what == "continued")
        {
            Some("the record begins inside the session".to_owned())
        } else if !entries.missing.is_empty() {
            Some("entries are missing in the record".to_owned())
        } else {
            other.map(|other| {
                format!("engine version {other} decided, this program has version {version}")
            })
        };
        Self {
            engine: None,
            obstacle,
            made: Vec::new(),
            at_closing: Vec::new(),
        }
    }

    /// Takes a recorded input.
    pub(super) fn follow(&mut self, seq: u64, now: Now, input: &Input) {
        if self.obstacle.is_some() {
            return;
        }
        match input {
            // Each of them begins with a fresh engine.
            Input::Open { .. } | Input::CarryOver(_) => {
                self.engine = Some(Engine::new(seq.saturating_sub(1)));
            }
            Input::Command(command) if matches!(**command, Command::CloseSession { .. }) => {
                self.step(now, &Input::Tick);
                self.at_closing = self.list();
            }
            Input::Started(_)
            | Input::Command(_)
            | Input::Reading { .. }
            | Input::DeviceAlert { .. }
            | Input::Pump { .. }
            | Input::Identity { .. }
            | Input::Feed { .. }
            | Input::Alive { .. }
            | Input::Health { .. }
            | Input::FeedDeclared { .. }
            | Input::Tick => {}
        }
        self.step(now, input);
    }

    fn step(&mut self, now: Now, input: &Input) {
        if let Some(engine) = &mut self.engine {
            self.made.clear();
            engine.step(now, input, &mut self.made);
        }
    }

    fn list(&self) -> Vec<ChecklistItem> {
        let list = self.engine.as_ref().map(Engine::checklist);
        list.unwrap_or_default()
            .into_iter()
            .map(|item| ChecklistItem {
                item: item.item.name(),
                text: item.text,
                state: item.state,
                detail: item.detail,
            })
            .collect()
    }

    /// The checklist at the closing, or at the end of the document; or why there is none.
    pub(super) fn finish(
        mut self,
        end: Now,
        is_closed: bool,
    ) -> (Vec<ChecklistItem>, Option<String>) {
        if self.obstacle.is_some() {
            return (Vec::new(), self.obstacle);
        }
        if is_closed {
            return (self.at_closing, None);
        }
        self.step(end, &Input::Tick);
        (self.list(), None)
    }
}
