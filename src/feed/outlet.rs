//! A feed's end of the engine's queue, and what happens when that is full (engine.md 7).
//!
//! Promises: it never waits; what it hands over arrives in the order in which it was given; a cuff
//! reading, a pump event, an alert, an identity, a state or a sender's request for a commit is never
//! dropped. Of continuous readings the newest per parameter stays; what it replaced is counted and
//! raises `queue-full`. The feed's task owns it.

use crate::board::Status;
use crate::engine::{HealthItem, Input};
use crate::inbox::{CommitReply, Delivery, Inbox};
use crate::observation::Observation;
use crate::vocabulary::{Moment, Now, ParameterId, Site};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long nothing may have been overwritten before `queue-full` is over: long enough to be seen.
const CALM: Duration = Duration::from_secs(10);

/// Continuous readings that wait before the transport is left unread after all: more than a monitor
/// has parameters.
const MOST_NEWEST: usize = 256;

/// How many feeds had to overwrite readings lately; shared by all feeds.
#[derive(Debug, Default)]
pub struct Overload(AtomicU32);

/// What a newer delivery of the same kind replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Slot {
    Reading(ParameterId, Option<Site>),
    Alive,
    QueueHealth,
}

struct Waiting {
    /// `None`: kept whatever comes.
    slot: Option<Slot>,
    delivery: Delivery,
}

/// A feed's end of the queue.
pub(super) struct Outlet {
    inbox: Inbox,
    overload: Arc<Overload>,
    status: Arc<Status>,
    name: Arc<str>,
    waiting: VecDeque<Waiting>,
    /// How many of those that wait are kept whatever comes.
    kept: usize,
    /// When a reading was last overwritten, while `queue-full` is raised by this feed.
    overwrote: Option<Moment>,
}

impl Outlet {
    /// The end of the feed called `name`.
    pub(super) fn new(
        inbox: Inbox,
        overload: Arc<Overload>,
        status: Arc<Status>,
        name: Arc<str>,
    ) -> Self {
        Self {
            inbox,
            overload,
            status,
            name,
            waiting: VecDeque::new(),
            kept: 0,
            overwrote: None,
        }
    }

    /// Hands an input over, or keeps it by the policy of its kind. Gives how many readings it
    /// overwrote.
    pub(super) fn put(&mut self, received: Now, input: Input) -> u64 {
        let slot = slot(&input);
        self.offer(received, slot, Delivery::Input { received, input })
    }

    /// Asks for a commit of everything given before.
    pub(super) fn barrier(&mut self, now: Now, reply: CommitReply) {
        self.offer(now, None, Delivery::Barrier(reply));
    }

    fn offer(&mut self, now: Now, slot: Option<Slot>, delivery: Delivery) -> u64 {
        self.hand_over();
        let refused = if self.waiting.is_empty() {
            self.inbox.offer(delivery)
        } else {
            Err(Box::new(delivery))
        };
        let Err(delivery) = refused else {
            return 0;
        };
        let mut overwritten = 0;
        match &slot {
            None => self.kept += 1,
            Some(same) => {
                // The old one goes and the new one stands last: order in time is kept.
                let before = self.waiting.len();
                self.waiting
                    .retain(|waiting| waiting.slot.as_ref() != Some(same));
                if self.waiting.len() < before && matches!(same, Slot::Reading(..)) {
                    overwritten = 1;
                }
            }
        }
        self.waiting.push_back(Waiting {
            slot,
            delivery: *delivery,
        });
        if overwritten > 0 {
            self.raise(now);
        }
        overwritten
    }

    /// Offers again what waits; ends `queue-full` when it is time.
    pub(super) fn tend(&mut self, now: Now) {
        self.hand_over();
        self.lower(now);
    }

    /// Whether the transport may be read.
    pub(super) fn may_read(&self) -> bool {
        self.kept == 0 && self.waiting.len() <= MOST_NEWEST
    }

    /// Whether something waits for room in the queue.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When [`Outlet::tend`] has something to do even if nothing waits.
    pub(super) fn due(&self) -> Option<Moment> {
        self.overwrote.map(|at| at.after(CALM))
    }

    fn hand_over(&mut self) {
        while let Some(Waiting { slot, delivery }) = self.waiting.pop_front() {
            match self.inbox.offer(delivery) {
                Ok(()) if slot.is_none() => self.kept = self.kept.saturating_sub(1),
                Ok(()) => {}
                Err(delivery) => {
                    self.waiting.push_front(Waiting {
                        slot,
                        delivery: *delivery,
                    });
                    return;
                }
            }
        }
    }

    fn raise(&mut self, now: Now) {
        if self.overwrote.replace(now.moment).is_some() {
            return;
        }
        self.overload.0.fetch_add(1, Ordering::AcqRel);
        self.say(now, false);
    }

    /// The last feed to calm down says so. A feed that came into trouble meanwhile has said the
    /// opposite, perhaps before this: so look again afterwards and repeat it.
    fn lower(&mut self, now: Now) {
        if !self.waiting.is_empty() || self.due().is_none_or(|due| now.moment < due) {
            return;
        }
        self.overwrote = None;
        if self.overload.0.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.say(now, true);
            if self.overload.0.load(Ordering::Acquire) > 0 {
                self.say(now, false);
            }
        }
    }

    fn say(&mut self, now: Now, ok: bool) {
        self.status.health(HealthItem::QueueFull).set(ok);
        let detail =
            (!ok).then(|| Arc::from(format!("readings of feed {:?} overwritten", self.name)));
        self.put(
            now,
            Input::Health {
                what: HealthItem::QueueFull,
                ok,
                detail,
            },
        );
    }
}

/// What a newer input of the same kind may replace; `None` for what is kept. No `_` arm: a new kind of
/// input must be thought about.
fn slot(input: &Input) -> Option<Slot> {
    match input {
        Input::Reading { observation, .. } => reading_slot(observation),
        Input::Alive { .. } => Some(Slot::Alive),
        Input::Health { .. } => Some(Slot::QueueHealth),
        Input::DeviceAlert { .. }
        | Input::Pump { .. }
        | Input::Identity { .. }
        | Input::Feed { .. }
        | Input::Started(_)
        | Input::CarryOver(_)
        | Input::Open { .. }
        | Input::Command(_)
        | Input::FeedDeclared { .. }
        | Input::Tick => None,
    }
}

fn reading_slot(observation: &Observation) -> Option<Slot> {
    let is_cuff = observation
        .parameter
        .known()
        .is_some_and(|parameter| parameter.is_cuff());
    (!is_cuff).then(|| Slot::Reading(observation.parameter.clone(), observation.site))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{FeedId, FeedState};
    use crate::observation::Identity;
    use crate::vocabulary::{Decimal, Parameter, Reading};
    use crossbeam_channel::Receiver;
    use proptest::prelude::*;

    const FEED: FeedId = FeedId(0);

    fn at(seconds: u64) -> Now {
        Now {
            moment: Moment::from_secs(seconds),
            ..Now::default()
        }
    }

    fn reading(parameter: Parameter, value: i64) -> Input {
        Input::Reading {
            feed: FEED,
            observation: Observation::new(parameter, Reading::Valid(Decimal::whole(value))),
        }
    }

    fn outlet(capacity: usize, overload: &Arc<Overload>) -> (Outlet, Receiver<Delivery>) {
        let (inbox, engine) = Inbox::new(capacity);
        let outlet = Outlet::new(
            inbox,
            Arc::clone(overload),
            Arc::default(),
            "monitor".into(),
        );
        (outlet, engine)
    }

    fn taken(engine: &Receiver<Delivery>) -> Vec<Input> {
        engine
            .try_iter()
            .filter_map(|delivery| match delivery {
                Delivery::Input { input, .. } => Some(input),
                Delivery::Command { .. } | Delivery::Barrier(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_newest_of_a_continuous_parameter_stays_and_the_loss_is_said() {
        let (mut outlet, engine) = outlet(1, &Arc::default());
        assert_eq!(outlet.put(at(0), reading(Parameter::Hr, 60)), 0);
        assert_eq!(outlet.put(at(1), reading(Parameter::Spo2, 97)), 0);
        assert_eq!(outlet.put(at(2), reading(Parameter::Spo2, 96)), 1);
        assert_eq!(outlet.put(at(3), reading(Parameter::Spo2, 95)), 1);
        assert!(
            outlet.may_read(),
            "continuous readings never stop the transport"
        );
        assert!(!outlet.status.health(HealthItem::QueueFull).ok());
        let mut seen = Vec::new();
        while outlet.is_waiting() {
            seen.extend(taken(&engine));
            outlet.tend(at(4));
        }
        seen.extend(taken(&engine));
        assert_eq!(seen[0], reading(Parameter::Hr, 60));
        assert!(matches!(seen[1], Input::Health { ok: false, .. }));
        assert_eq!(seen[2..], [reading(Parameter::Spo2, 95)]);
        outlet.tend(at(12));
        assert!(taken(&engine).is_empty(), "calm for ten seconds first");
        outlet.tend(at(13));
        assert!(matches!(
            taken(&engine)[..],
            [Input::Health { ok: true, .. }]
        ));
        assert!(outlet.status.health(HealthItem::QueueFull).ok());
    }

    #[test]
    fn a_cuff_reading_is_kept_and_stops_the_transport_until_there_is_room() {
        let (mut outlet, engine) = outlet(1, &Arc::default());
        outlet.put(at(0), reading(Parameter::Hr, 60));
        outlet.put(at(1), reading(Parameter::NibpSys, 180));
        outlet.put(at(1), reading(Parameter::NibpSys, 181));
        assert!(!outlet.may_read());
        let mut seen = taken(&engine);
        outlet.tend(at(2));
        assert!(!outlet.may_read(), "one of two still waits");
        seen.extend(taken(&engine));
        outlet.tend(at(2));
        assert!(outlet.may_read());
        seen.extend(taken(&engine));
        assert_eq!(
            seen[1..],
            [
                reading(Parameter::NibpSys, 180),
                reading(Parameter::NibpSys, 181)
            ]
        );
        assert!(
            outlet.status.health(HealthItem::QueueFull).ok(),
            "nothing was lost"
        );
    }

    #[test]
    fn a_reading_never_slips_before_the_identity_that_it_followed() {
        let (mut outlet, engine) = outlet(1, &Arc::default());
        let identity = Input::Identity {
            feed: FEED,
            identity: Identity::default(),
        };
        outlet.put(at(0), reading(Parameter::Hr, 60));
        outlet.put(at(0), reading(Parameter::Spo2, 97));
        outlet.put(at(0), identity.clone());
        outlet.put(at(0), reading(Parameter::Spo2, 84));
        let mut seen = Vec::new();
        while outlet.is_waiting() {
            seen.extend(taken(&engine));
            outlet.tend(at(0));
        }
        seen.extend(taken(&engine));
        let place = |wanted: &Input| seen.iter().position(|input| input == wanted).unwrap();
        assert!(place(&identity) < place(&reading(Parameter::Spo2, 84)));
        assert!(!seen.contains(&reading(Parameter::Spo2, 97)));
    }

    #[test]
    fn queue_full_is_over_when_the_last_feed_is_calm() {
        let overload = Arc::default();
        let (mut one, engine_one) = outlet(1, &overload);
        let (mut two, engine_two) = outlet(1, &overload);
        for (outlet, when) in [(&mut one, 0), (&mut two, 5)] {
            for value in 90..93 {
                outlet.put(at(when), reading(Parameter::Spo2, value));
            }
        }
        let drain = |outlet: &mut Outlet, engine: &Receiver<Delivery>, when| {
            let mut seen = taken(engine);
            while outlet.is_waiting() {
                outlet.tend(at(when));
                seen.extend(taken(engine));
            }
            outlet.tend(at(when));
            seen.extend(taken(engine));
            seen
        };
        let over = |seen: &[Input]| {
            seen.iter()
                .any(|input| matches!(input, Input::Health { ok: true, .. }))
        };
        assert!(
            !over(&drain(&mut one, &engine_one, 11)),
            "the other one is not calm yet"
        );
        assert!(over(&drain(&mut two, &engine_two, 16)));
    }

    proptest! {
        /// The oracle: whatever the engine's pace, it sees every kept input in order, the last reading
        /// of every parameter, and nothing out of order in time.
        #[test]
        fn nothing_kept_is_lost_and_nothing_overtakes(
            steps in proptest::collection::vec((0_u8..5, 0_usize..4), 1..200),
            capacity in 1_usize..4,
        ) {
            let (mut outlet, engine) = outlet(capacity, &Arc::default());
            let mut seen = Vec::new();
            let (mut kept, mut last) = (Vec::new(), std::collections::BTreeMap::new());
            let mut overwritten = 0;
            for (number, (what, take)) in steps.iter().enumerate() {
                let now = Now { moment: Moment::from_micros(u64::try_from(number).unwrap()), ..Now::default() };
                let value = i64::try_from(number % 100 + 20).unwrap();
                let input = match what {
                    0 => reading(Parameter::Spo2, value),
                    1 => reading(Parameter::Hr, value),
                    2 => reading(Parameter::NibpSys, value),
                    3 => Input::Feed { feed: FEED, state: FeedState::Lost },
                    _ => Input::Alive { feed: FEED },
                };
                if slot(&input).is_none() {
                    kept.push((now, input.clone()));
                } else if let Input::Reading { observation, .. } = &input {
                    last.insert(observation.parameter.clone(), (now, input.clone()));
                }
                overwritten += outlet.put(now, input);
                seen.extend(engine.try_iter().take(*take));
            }
            while outlet.is_waiting() {
                seen.extend(engine.try_iter());
                outlet.tend(at(1));
            }
            seen.extend(engine.try_iter());
            let seen: Vec<_> = seen.into_iter().filter_map(|delivery| match delivery {
                Delivery::Input { received, input } => Some((received, input)),
                Delivery::Command { .. } | Delivery::Barrier(_) => None,
            }).collect();
            prop_assert!(seen.is_sorted_by_key(|(received, _)| received.moment));
            let seen_kept: Vec<_> = seen.iter().filter(|(_, input)| slot(input).is_none()).cloned().collect();
            prop_assert_eq!(seen_kept, kept);
            for newest in last.values() {
                prop_assert!(seen.contains(newest));
            }
            let given = steps.iter().filter(|(what, _)| *what < 2).count();
            let arrived = seen.iter().filter(|(_, input)| matches!(slot(input), Some(Slot::Reading(..)))).count();
            prop_assert_eq!(u64::try_from(given - arrived).unwrap(), overwritten);
        }
    }
}
