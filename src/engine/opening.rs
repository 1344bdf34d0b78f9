//! Opening a session, and starting again: what is fresh, what stands.

use super::feeds::Feeds;
use super::input::{Setup, Started};
use super::kernel::{Engine, OPEN, Refusal};
use super::record::{Numbered, PhaseRecord, Record};
use super::rules;
use super::session::Session;
use crate::profile::{self, Profile};
use crate::vocabulary::{Phase, Rule};
use std::sync::Arc;

impl Engine {
    /// Checks an opening and ends what stood before it. Those ends come before the opening's own
    /// number, so that a replay that begins with the opening gives the same records.
    pub(super) fn prepare_open(
        &mut self,
        session: i64,
        setup: &Setup,
        records: &mut Vec<Numbered>,
    ) -> Result<Profile, Refusal> {
        if let Some(open) = &self.session {
            return Err(Refusal::new(
                format!("session {} is still open", open.id),
                format!("close it before session {session} is opened"),
            ));
        }
        let profile = profile::parse(&setup.profile).map_err(|problems| {
            let first = problems.first().map(ToString::to_string);
            Refusal::new(
                format!(
                    "the profile has {} problems, first: {}",
                    problems.len(),
                    first.unwrap_or_default()
                ),
                "run `infusewatch check-config`",
            )
        })?;
        self.close_alarms(|_| true, records);
        self.settle(records);
        Ok(profile)
    }

    /// A session is opened: everything that judges is fresh. The sender repeats after it what of our
    /// own health is not well.
    pub(super) fn open(
        &mut self,
        session: i64,
        about: &super::OpenSession,
        setup: &Arc<Setup>,
        profile: Profile,
        records: &mut Vec<Numbered>,
    ) {
        let mut fresh = Self::new(self.seq);
        fresh.at = self.at;
        fresh.at_input = self.at_input;
        fresh.wall = self.wall;
        fresh.shift = self.shift;
        fresh.has_begun = true;
        fresh.feeds = Feeds::new(setup, self.at);
        fresh.slots = rules::slots(&profile);
        fresh.session = Some(Session::new(session, about.clone(), self.stamp(), &profile));
        fresh.profile = Arc::new(profile);
        fresh.self_test = self.self_test.take();
        *self = fresh;
        self.emit(
            Record::Phase(PhaseRecord {
                phase: self.phase(),
                from: Phase::Standby,
                why: OPEN.to_owned(),
            }),
            records,
        );
        self.recent.phase(self.seq, self.stamp(), self.phase());
        self.tasks_changed = true;
        self.dirty.all();
    }

    /// The daemon started again, or for the first time.
    pub(super) fn take_start(&mut self, started: &Started, _records: &mut Vec<Numbered>) {
        if self.session.is_some() {
            // Inputs name feeds by their places in the configuration that runs from here on.
            self.follow_feeds(&started.setup);
            if started.down_for.is_none() {
                self.lengthen_times();
            }
        } else {
            if let Ok(profile) = profile::parse(&started.setup.profile) {
                self.profile = Arc::new(profile);
            }
            self.feeds = Feeds::new(&started.setup, self.at);
        }
        self.tasks_changed = true;
        self.dirty.all();
    }

    /// Nobody knows how long nothing ran: times are lengthened, never shortened.
    fn lengthen_times(&mut self) {
        let now = self.at;
        if let Some(session) = self.session.as_mut() {
            session.cuff.due_now(now);
            if session.score_due.is_some() {
                session.score_due = Some(now);
            }
        }
        self.raise_until_seen(Rule::Clock, Some("restart: time since unknown".into()));
    }
}
