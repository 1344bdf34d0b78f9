//! Every reachable state of one alarm and of two interacting ones, breadth first through the real
//! engine, to a stated depth (`docs/alarms.md`, "Proofs").
//!
//! A state is known by what can be seen of it: the alarms and where they stand, the sound, the values
//! and for how long they have been there, how long ago acknowledgement and pause were, and when
//! something next happens by itself (times rounded). `INFUSEWATCH_PROOF_DEPTH` digs deeper than CI.

use super::alarm_proof_bed::{Bed, command, reads};
use infusewatch::board;
use infusewatch::engine::{
    AcknowledgeTarget, AlarmEvent, All, AudioState, Command, FeedId, HealthItem, Input, Key,
    Numbered, Override, Record, Sounding, State,
};
use infusewatch::observation::Identity;
use infusewatch::vocabulary::{AlarmClass, Moment, Parameter, Priority, Rule};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// What can happen to a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The monitor says this SpO2 from now on.
    Spo2(i64),
    /// The monitor says this heart rate from now on.
    Rate(i64),
    /// Our sound path works, or not.
    Sound(bool),
    /// The monitor names this patient.
    Patient(&'static str),
    /// A nurse acknowledges the alarm of this rule as it stands.
    Acknowledge(Rule),
    /// A nurse acknowledges everything that is to be seen.
    AcknowledgeAll,
    /// A nurse pauses the sound.
    Pause,
    /// A nurse ends the pause.
    EndPause,
    /// Time passes until something happens by itself.
    Deadline,
    /// One second passes.
    Second,
}

/// A plain limit: violated by a value, an alarm of the priority after so many seconds.
type Limit = (Parameter, fn(i64) -> bool, u64, Priority);

/// The plain limits of the two rules that are driven here.
const LIMITS: [Limit; 6] = [
    (Parameter::Spo2, |v| v < 94, 30, Priority::Low),
    (Parameter::Spo2, |v| v < 92, 15, Priority::Medium),
    (Parameter::Spo2, |v| v < 88, 10, Priority::High),
    (Parameter::Spo2, |v| v < 85, 2, Priority::High),
    (Parameter::Hr, |v| v > 120, 8, Priority::Medium),
    (Parameter::Hr, |v| v > 150, 8, Priority::High),
];

/// A state of the search: the bed, and the truth about the patient that the engine was told.
#[derive(Clone)]
struct Node {
    bed: Bed,
    values: BTreeMap<Parameter, (i64, Moment)>,
    /// Since when each limit is violated without a break.
    violating: [Option<Moment>; LIMITS.len()],
    dips: Vec<Moment>,
    sound_ok: bool,
    patient: &'static str,
    open: BTreeSet<u64>,
}

impl Node {
    /// A bed in the baseline phase with a calm patient. Its readings hold for a day, so that only what
    /// the events say happens.
    fn calm() -> Self {
        let mut node = Self {
            bed: Bed::opened(Duration::from_secs(86_400)),
            values: BTreeMap::new(),
            violating: [None; LIMITS.len()],
            dips: Vec::new(),
            sound_ok: true,
            patient: "A",
            open: BTreeSet::new(),
        };
        node.bed.at = Moment::from_secs(1);
        for event in [Event::Patient("A"), Event::Spo2(97), Event::Rate(70)] {
            node.happen(event);
        }
        node
    }

    fn alarms(&self) -> BTreeMap<Key, (u64, State)> {
        self.bed
            .engine
            .open_alarms()
            .map(|(key, alarm)| (key, (alarm.id, alarm.state)))
            .collect()
    }

    fn sounding(&self) -> Sounding {
        board::cue(&self.bed.engine).sounding
    }

    fn reads(&mut self, parameter: Parameter, value: i64) -> Vec<Numbered> {
        let at = self.bed.at;
        let was_low = self.violating[1].is_some();
        self.values.insert(parameter, (value, at));
        for ((of, violates, ..), since) in LIMITS.iter().zip(&mut self.violating) {
            if *of == parameter {
                *since = violates(value).then(|| since.unwrap_or(at));
            }
        }
        if self.violating[1].is_some() && !was_low {
            self.dips.push(at);
        }
        self.bed.take(&reads(parameter, value))
    }

    fn acknowledge(&mut self, rule: Rule) -> Vec<Numbered> {
        let seen = self.alarms().into_iter().find(|(key, _)| key.rule == rule);
        let Some((_, (id, state))) = seen else {
            return Vec::new();
        };
        self.bed.take(&command(Command::Acknowledge {
            alarm: AcknowledgeTarget::One(id),
            seen_priority: Some(state.tier()),
            seen_seq: None,
            by: None,
        }))
    }

    /// Does an event and checks what it recorded.
    fn happen(&mut self, event: Event) {
        let records = match event {
            Event::Spo2(value) => self.reads(Parameter::Spo2, value),
            Event::Rate(value) => self.reads(Parameter::Hr, value),
            Event::Sound(ok) => {
                self.sound_ok = ok;
                self.bed.take(&Input::Health {
                    what: HealthItem::Sound,
                    ok,
                    detail: None,
                })
            }
            Event::Patient(name) => {
                self.patient = name;
                self.bed.take(&Input::Identity {
                    feed: FeedId(0),
                    identity: Identity {
                        bed: None,
                        device: None,
                        patient: Some(name.into()),
                    },
                })
            }
            Event::Acknowledge(rule) => self.acknowledge(rule),
            Event::AcknowledgeAll => {
                let seen = self.bed.engine.seq();
                self.bed.take(&command(Command::Acknowledge {
                    alarm: AcknowledgeTarget::All(All::All),
                    seen_priority: None,
                    seen_seq: Some(seen),
                    by: None,
                }))
            }
            Event::Pause => self.bed.take(&command(Command::AudioPause)),
            Event::EndPause => self.bed.take(&command(Command::EndAudioPause)),
            Event::Deadline => match self.bed.engine.next_deadline() {
                // Not the end of the readings, a day away.
                Some(due) if due.since(self.bed.at) < Duration::from_secs(3600) => {
                    self.bed.wait_until(due)
                }
                Some(_) | None => Vec::new(),
            },
            Event::Second => self.bed.wait(Duration::from_secs(1)),
        };
        self.account(&records);
    }

    /// Every occurrence begins once, under a number never used before, and ends once.
    fn account(&mut self, records: &[Numbered]) {
        for numbered in records {
            let Record::Alarm(alarm) = &numbered.record else {
                continue;
            };
            match alarm.event {
                AlarmEvent::Begin => {
                    assert_eq!(alarm.alarm, numbered.seq, "a number of its own");
                    assert!(self.open.insert(alarm.alarm), "{alarm:?} began twice");
                }
                AlarmEvent::End => {
                    assert!(
                        self.open.remove(&alarm.alarm),
                        "{alarm:?} ended without a beginning"
                    );
                }
                AlarmEvent::Escalate
                | AlarmEvent::Deescalate
                | AlarmEvent::Acknowledge
                | AlarmEvent::Return
                | AlarmEvent::ReAlarm => {
                    assert!(self.open.contains(&alarm.alarm), "{alarm:?} is not open");
                }
            }
        }
        let open: BTreeSet<u64> = self.alarms().values().map(|(id, _)| *id).collect();
        assert_eq!(open, self.open, "open without a record, or the reverse");
    }

    /// Seconds since `moment` in steps that grow coarser, no longer told apart after a while.
    fn ago(&self, moment: Moment) -> u64 {
        match self.bed.at.since(moment).as_secs() {
            near @ 0..=16 => near,
            far @ 17..=35 => far / 5 * 5,
            further => (further / 20 * 20).min(200),
        }
    }

    /// What can be seen of a state.
    fn view(&self) -> Vec<u64> {
        let engine = &self.bed.engine;
        let mut view = Vec::with_capacity(40);
        for (value, since) in self.values.values() {
            view.extend([value.unsigned_abs(), self.ago(*since).min(35)]);
        }
        let timers = self.violating.iter();
        view.extend(timers.map(|since| since.map_or(99, |since| self.ago(since).min(35))));
        let recent = |dip: &&Moment| self.bed.at.since(**dip) <= Duration::from_secs(60);
        view.push(self.dips.iter().filter(recent).count() as u64);
        view.extend([u64::from(self.sound_ok), u64::from(self.patient == "A")]);
        let mut rose: Vec<u64> = engine.open_alarms().map(|(_, alarm)| alarm.rose).collect();
        rose.sort_unstable();
        for (key, alarm) in engine.open_alarms() {
            let (state, tier) = match alarm.state {
                State::Active { tier, .. } => (0, tier),
                State::Acknowledged { tier, .. } => (1, tier),
                State::Returned { peak } => (2, peak),
            };
            let order = rose.iter().position(|other| *other == alarm.rose).unwrap();
            view.extend([
                key.rule as u64,
                state * 16 + tier as u64 * 4 + alarm.state.peak() as u64,
                order as u64,
                alarm.acknowledged.map_or(99, |at| self.ago(at)),
            ]);
        }
        let audio = engine.audio();
        view.extend([
            audio.last.sounding as u64,
            u64::from(audio.last.loudness),
            audio.last.rule.map_or(99, |rule| rule as u64),
            audio
                .pause_until
                .map_or(99, |until| until.since(self.bed.at).as_secs().div_ceil(10)),
        ]);
        let next = engine.next_deadline();
        view.push(next.map_or(999, |due| due.since(self.bed.at).as_secs().min(200)));
        view
    }

    /// What must hold in every state.
    fn check(&self) {
        self.what_sounds_is_the_most_urgent();
        self.what_violates_long_enough_alarms();
        self.a_technical_alarm_more_lowers_nothing();
        self.acknowledging_a_technical_alarm_leaves_the_patients();
        self.nothing_is_silenced_for_ever();
        self.closing_ends_everything_of_the_session();
    }

    fn highest_active(&self) -> Sounding {
        self.alarms()
            .values()
            .filter_map(|(_, state)| match state {
                State::Active { tier, .. } => Some(heard(*tier)),
                State::Acknowledged { .. } | State::Returned { .. } => None,
            })
            .max()
            .unwrap_or_default()
    }

    fn what_sounds_is_the_most_urgent(&self) {
        let audio = self.bed.engine.audio();
        if audio.last.state == AudioState::Paused {
            let left = audio.pause_until.unwrap().since(self.bed.at);
            assert!(left > Duration::ZERO && left <= Duration::from_secs(120));
            assert_eq!(self.sounding(), Sounding::None);
        } else {
            assert_eq!(audio.pause_until, None);
            assert_eq!(self.sounding(), self.highest_active());
        }
    }

    fn what_violates_long_enough_alarms(&self) {
        for ((parameter, _, after, priority), since) in LIMITS.iter().zip(self.violating) {
            let lasts = since.map_or(Duration::ZERO, |since| self.bed.at.since(since));
            if since.is_none() || lasts < Duration::from_secs(*after) {
                continue;
            }
            let rule = match parameter {
                Parameter::Spo2 => Rule::Spo2Low,
                _ => Rule::RateHigh,
            };
            let standing = self
                .alarms()
                .into_iter()
                .find(|(key, (_, state))| key.rule == rule && state.is_standing());
            let tier = standing.map(|(_, (_, state))| state.tier());
            assert!(
                tier >= Some(*priority),
                "{parameter:?} {:?} for {lasts:?} is {tier:?}",
                self.values
            );
        }
    }

    fn a_technical_alarm_more_lowers_nothing(&self) {
        for what in [HealthItem::Journal, HealthItem::Clock] {
            let mut more = self.clone();
            more.bed.take(&Input::Health {
                what,
                ok: false,
                detail: None,
            });
            assert!(more.sounding() >= self.sounding());
        }
    }

    fn acknowledging_a_technical_alarm_leaves_the_patients(&self) {
        let patients = |node: &Self| {
            let mut alarms = node.alarms();
            alarms.retain(|key, _| key.class() == AlarmClass::Physiological);
            alarms
        };
        for key in self.alarms().into_keys() {
            if key.class() == AlarmClass::Technical {
                let mut after = self.clone();
                after.acknowledge(key.rule);
                assert_eq!(patients(&after), patients(self));
                let loudest = patients(self)
                    .values()
                    .filter_map(|(_, state)| match state {
                        State::Active { tier, .. } => Some(heard(*tier)),
                        State::Acknowledged { .. } | State::Returned { .. } => None,
                    })
                    .max()
                    .unwrap_or_default();
                let paused = after.bed.engine.audio().pause_until.is_some();
                assert!(paused || after.sounding() >= loudest);
            }
        }
    }

    /// If nobody does anything, every standing patient alarm of medium or high sounds again within the
    /// re-alarm time, and every technical one that nobody acknowledged after the pause.
    fn nothing_is_silenced_for_ever(&self) {
        let mut later = self.clone();
        later.bed.wait(Duration::from_secs(181));
        let mut loudest = Sounding::None;
        for (key, (_, state)) in later.alarms() {
            let sounds = match (key.class(), state) {
                (AlarmClass::Physiological, State::Acknowledged { tier, .. }) => {
                    assert_eq!(tier, Priority::Low, "{key:?} is silenced for ever");
                    continue;
                }
                (_, State::Active { tier, .. }) => heard(tier),
                (_, State::Acknowledged { .. } | State::Returned { .. }) => continue,
            };
            loudest = loudest.max(sounds);
        }
        assert_eq!(later.sounding(), loudest);
    }

    fn closing_ends_everything_of_the_session(&self) {
        let mut closed = self.clone();
        let records = closed.bed.take(&command(Command::CloseSession {
            by: "RN 1".into(),
            over: Some(Override {
                reason: "proof".into(),
                by: "RN 1".into(),
                second_by: None,
            }),
        }));
        closed.account(&records);
        assert!(closed.alarms().keys().all(|key| key.rule == Rule::Sound));
    }
}

fn heard(tier: Priority) -> Sounding {
    match tier {
        Priority::Low => Sounding::Low,
        Priority::Medium => Sounding::Medium,
        Priority::High => Sounding::High,
    }
}

/// Visits every state within `depth` events of the calm bed; gives how many there are and how many
/// steps led to them.
fn explore(name: &str, events: &[Event], depth: usize) -> (usize, usize) {
    let depth = std::env::var("INFUSEWATCH_PROOF_DEPTH")
        .ok()
        .and_then(|deeper| deeper.parse().ok())
        .unwrap_or(depth);
    let calm = Node::calm();
    calm.check();
    let mut known = HashSet::from([calm.view()]);
    let mut front = vec![calm];
    let mut steps = 0;
    for _ in 0..depth {
        let mut next = Vec::new();
        for node in &front {
            for event in events {
                let mut then = node.clone();
                then.happen(*event);
                steps += 1;
                if known.insert(then.view()) {
                    then.check();
                    next.push(then);
                }
            }
        }
        front = next;
    }
    println!(
        "{name}: depth {depth}, {} states, {steps} steps",
        known.len()
    );
    (known.len(), steps)
}

#[test]
fn alm_one_alarm_in_every_state_keeps_its_promises() {
    let events = [
        Event::Spo2(97),
        Event::Spo2(93),
        Event::Spo2(90),
        Event::Spo2(87),
        Event::Spo2(80),
        Event::Acknowledge(Rule::Spo2Low),
        Event::Pause,
        Event::EndPause,
        Event::Deadline,
        Event::Second,
    ];
    let (states, _) = explore("one alarm", &events, 6);
    assert!(states > 1_000, "the search has shrunk to {states} states");
}

#[test]
fn alm_two_patient_alarms_in_every_state_keep_their_promises() {
    let events = [
        Event::Spo2(97),
        Event::Spo2(90),
        Event::Spo2(80),
        Event::Rate(70),
        Event::Rate(130),
        Event::Rate(160),
        Event::Acknowledge(Rule::Spo2Low),
        Event::Acknowledge(Rule::RateHigh),
        Event::AcknowledgeAll,
        Event::Pause,
        Event::Deadline,
    ];
    let (states, _) = explore("two patient alarms", &events, 5);
    assert!(states > 1_000, "the search has shrunk to {states} states");
}

#[test]
fn alm_a_patient_and_technical_alarms_in_every_state_keep_their_promises() {
    let events = [
        Event::Spo2(97),
        Event::Spo2(90),
        Event::Spo2(80),
        Event::Sound(false),
        Event::Sound(true),
        Event::Patient("B"),
        Event::Patient("A"),
        Event::Acknowledge(Rule::Spo2Low),
        Event::Acknowledge(Rule::Sound),
        Event::Acknowledge(Rule::WrongPatient),
        Event::Pause,
        Event::Deadline,
    ];
    let (states, _) = explore("a patient and technical alarms", &events, 5);
    assert!(states > 1_000, "the search has shrunk to {states} states");
}
