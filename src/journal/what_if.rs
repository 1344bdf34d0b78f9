//! What other limits would have done: the recorded inputs of a session, judged by another profile.
//!
//! Promises: the session is replayed through a fresh engine whose opening carries the other profile, and both
//! sides are counted the same way, up to the same end. What a nurse did because of an alarm is left out
//! (acknowledgements, pauses of the sound, changed limits), and so is a command that was refused then. The
//! course of the session is a fact: a start or an end that another profile would have stopped is made all the
//! same. Never: it does not write, and it does not hide what makes the two sides hard to compare
//! ([`WhatIf::caveats`]).

use super::entry::{Body, Entry};
use super::replay::{self, ReadError};
use super::restore::{Opening, Section};
use super::row;
use super::store;
use super::verify::VerifyError;
use crate::engine::{
    AlarmEvent, AlarmRecord, Command, Engine, Input, Numbered, Override, Record, Setup, Started,
    engine_version,
};
use crate::vocabulary::{Moment, Now, Phase, Priority, Rule};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How one rule did in one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Occurrences that began.
    pub begins: u64,
    /// How many of them were high at some time.
    pub high: u64,
    /// Rises to a higher tier, and returns of a condition whose alarm was still shown.
    pub escalations: u64,
    /// How long its conditions stood, whether acknowledged or not.
    pub active: Duration,
    /// From the beginning of each violation to its alarm, shortest first.
    pub to_alarm: Vec<Duration>,
}

impl Tally {
    /// The middle one of the times to alarm; of two the longer.
    pub fn median_to_alarm(&self) -> Option<Duration> {
        self.to_alarm.get(self.to_alarm.len() / 2).copied()
    }

    /// The longest time to alarm.
    pub fn longest_to_alarm(&self) -> Option<Duration> {
        self.to_alarm.last().copied()
    }
}

/// One rule on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The rule.
    pub rule: Rule,
    /// What the record says.
    pub recorded: Tally,
    /// What the other profile makes of it.
    pub what_if: Tally,
}

/// What makes the two sides hard to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// These entries were dropped: the replay sees less than the engine saw then.
    Gap {
        /// The first number.
        from: u64,
        /// The last number.
        to: u64,
    },
    /// Another version of the engine judged then.
    OtherEngine {
        /// Its version.
        version: u32,
    },
    /// A recorded command that this profile does not allow; it is left out.
    Refused {
        /// The number of the command in the record.
        seq: u64,
        /// Its name.
        command: &'static str,
        /// Why.
        error: String,
    },
    /// The session was still open where the record ends.
    Open,
}

/// One session under the other profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// The session.
    pub session: i64,
    /// How long it lasted, or lasts.
    pub length: Duration,
    /// Every rule that alarmed on one of the sides, in catalogue order.
    pub rules: Vec<Compared>,
    /// What to know before comparing.
    pub caveats: Vec<Caveat>,
}

/// A session and what came of it; `Err` says why it cannot be judged again.
pub type Outcome = (i64, Result<WhatIf, String>);

/// Judges the sessions of the record, or only those that are named, by the profile with this text, which must
/// be sound. The record may be in use.
///
/// # Errors
/// The record cannot be opened, or not be read to its end.
pub fn what_if(
    path: &Path,
    profile: &Arc<str>,
    sessions: &[i64],
) -> Result<Vec<Outcome>, VerifyError> {
    let connection = &store::open_reader(path)?;
    let sections = Section::all(connection).map_err(ReadError::from)?;
    let mut outcomes = Vec::new();
    let mut seen = BTreeSet::new();
    for (place, section) in sections.iter().enumerate() {
        let Some(session) = section.session else {
            continue;
        };
        if !(sessions.is_empty() || sessions.contains(&session)) || !seen.insert(session) {
            continue;
        }
        let outcome = if section.what == Opening::Open {
            // Restarts within the session begin sections of their own; it goes on over them.
            let next = sections
                .iter()
                .skip(place + 1)
                .find(|next| next.session != Some(session));
            let until = next.map_or(u64::MAX, |next| next.seq);
            Ok(judge_again(connection, section, session, until, profile)?)
        } else {
            Err("the record begins inside it".to_owned())
        };
        outcomes.push((session, outcome));
    }
    Ok(outcomes)
}

fn judge_again(
    connection: &Connection,
    section: &Section,
    session: i64,
    until: u64,
    profile: &Arc<str>,
) -> Result<WhatIf, ReadError> {
    let mut recorded = Count::default();
    let mut replay = Replay::new(section.seq, profile);
    replay::visit(connection, section.seq, &mut |entry| {
        if entry.seq >= until {
            return ControlFlow::Break(());
        }
        if entry.session == Some(session) {
            if let Body::Record(record, late) = &entry.body {
                recorded.follow(entry.at, *late, record);
            }
            replay.follow(entry);
        }
        ControlFlow::Continue(())
    })?;
    let (begun, end) = (replay.begun.unwrap_or_default(), replay.now.moment);
    let mut caveats = gaps(connection, section.seq, until)?;
    if let Some(version) = section.engine_version
        && version != engine_version()
    {
        caveats.push(Caveat::OtherEngine { version });
    }
    if !recorded.closed {
        caveats.push(Caveat::Open);
    }
    let (counted, refused) = replay.finish();
    caveats.extend(refused);
    let mut recorded = recorded.finish(end);
    let mut what_if = counted.finish(end);
    let rules = Rule::ALL
        .iter()
        // Restarts are ours, no profile's.
        .filter(|rule| **rule != Rule::Restarted)
        .filter_map(|rule| match (recorded.remove(rule), what_if.remove(rule)) {
            (None, None) => None,
            (recorded, what_if) => Some(Compared {
                rule: *rule,
                recorded: recorded.unwrap_or_default(),
                what_if: what_if.unwrap_or_default(),
            }),
        })
        .collect();
    Ok(WhatIf {
        session,
        length: end.since(begun),
        rules,
        caveats,
    })
}

fn gaps(connection: &Connection, from: u64, until: u64) -> Result<Vec<Caveat>, ReadError> {
    let mut statement = connection
        .prepare("SELECT seq, to_seq FROM gap WHERE to_seq >= ?1 AND seq < ?2 ORDER BY seq")?;
    let gaps = statement
        .query_map(params![row::sql(from), row::sql(until)], |found| {
            Ok(Caveat::Gap {
                from: row::unsigned(found.get(0)?),
                to: row::unsigned(found.get(1)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(gaps)
}

/// An occurrence as far as it was followed.
struct Standing {
    rule: Rule,
    /// Since when its condition stands without an interruption.
    since: Option<Moment>,
}

/// Counts alarm records, from the engine or from the record alike.
#[derive(Default)]
struct Count {
    rules: BTreeMap<Rule, Tally>,
    standing: BTreeMap<u64, Standing>,
    /// Occurrences that were high.
    high: BTreeSet<u64>,
    closed: bool,
}

impl Count {
    fn follow(&mut self, at: Moment, late: Option<Duration>, record: &Record) {
        match record {
            Record::Alarm(alarm) if !self.closed => self.alarm(at, late, alarm),
            Record::Phase(change) => {
                self.closed |= change.phase == Phase::Standby;
            }
            Record::Alarm(_)
            | Record::Audio(_)
            | Record::Refused(_)
            | Record::Task(_)
            | Record::Baseline(_)
            | Record::Limit(_) => {}
        }
    }

    fn alarm(&mut self, at: Moment, late: Option<Duration>, alarm: &AlarmRecord) {
        let tally = self.rules.entry(alarm.rule).or_default();
        match alarm.event {
            AlarmEvent::Begin => {
                tally.begins += 1;
                // What fell into a downtime could not be known before its end.
                let told = at.after(late.unwrap_or_default());
                tally.to_alarm.push(told.since(alarm.since));
            }
            AlarmEvent::Escalate => tally.escalations += 1,
            AlarmEvent::Deescalate
            | AlarmEvent::Acknowledge
            | AlarmEvent::Return
            | AlarmEvent::End
            | AlarmEvent::ReAlarm => {}
        }
        if alarm.peak == Priority::High && self.high.insert(alarm.alarm) {
            tally.high += 1;
        }
        let standing = self.standing.entry(alarm.alarm).or_insert(Standing {
            rule: alarm.rule,
            since: None,
        });
        match alarm.event {
            AlarmEvent::Begin | AlarmEvent::Escalate | AlarmEvent::ReAlarm => {
                standing.since.get_or_insert(at);
            }
            AlarmEvent::Return | AlarmEvent::End => {
                if let Some(since) = standing.since.take() {
                    tally.active += at.since(since);
                }
            }
            AlarmEvent::Deescalate | AlarmEvent::Acknowledge => {}
        }
    }

    /// The tallies with what still stood at `end`.
    fn finish(mut self, end: Moment) -> BTreeMap<Rule, Tally> {
        for standing in self.standing.into_values() {
            if let (Some(since), Some(tally)) = (standing.since, self.rules.get_mut(&standing.rule))
            {
                tally.active += end.since(since);
            }
        }
        for tally in self.rules.values_mut() {
            tally.to_alarm.sort_unstable();
        }
        self.rules
    }
}

/// The engine that judges again, one entry behind the record: whether a command was refused is told by the
/// records after it.
struct Replay<'a> {
    engine: Engine,
    profile: &'a Arc<str>,
    made: Vec<Numbered>,
    waiting: Option<(u64, Now, Input)>,
    count: Count,
    refused: Vec<Caveat>,
    begun: Option<Moment>,
    /// The clocks of the newest entry.
    now: Now,
    /// Engine time of the newest step.
    stepped: Moment,
}

impl<'a> Replay<'a> {
    fn new(from: u64, profile: &'a Arc<str>) -> Self {
        Self {
            engine: Engine::new(from.saturating_sub(1)),
            profile,
            made: Vec::new(),
            waiting: None,
            count: Count::default(),
            refused: Vec::new(),
            begun: None,
            now: Now::default(),
            stepped: Moment::ZERO,
        }
    }

    fn follow(&mut self, entry: Entry) {
        let now = Now {
            moment: entry.at,
            wall: entry.wall,
        };
        self.begun.get_or_insert(entry.at);
        self.now = now;
        match entry.body {
            Body::Input(input) => {
                self.settle();
                self.waiting = Some((entry.seq, now, input));
            }
            Body::Record(Record::Refused(_), _) => self.waiting = None,
            Body::Record(..) => {}
        }
    }

    /// Gives the engine what waits.
    fn settle(&mut self) {
        let Some((seq, now, input)) = self.waiting.take() else {
            return;
        };
        let command = if let Input::Command(command) = &input {
            command.name()
        } else {
            "open-session"
        };
        let Some(input) = self.input(now.moment, input) else {
            return;
        };
        if let Some((error, _)) = self.step(now, &input) {
            self.refused.push(Caveat::Refused {
                seq,
                command,
                error,
            });
        }
    }

    fn step(&mut self, now: Now, input: &Input) -> Option<(String, Option<String>)> {
        self.made.clear();
        let taken = self.engine.step(now, input, &mut self.made);
        self.stepped = taken.at;
        for made in &self.made {
            self.count.follow(made.at, made.late, &made.record);
        }
        taken.refused
    }

    /// The input as the other profile's engine gets it; `None` is left out.
    fn input(&mut self, at: Moment, input: Input) -> Option<Input> {
        match input {
            Input::Open {
                session,
                about,
                setup,
            } => Some(Input::Open {
                session,
                about,
                setup: Arc::new(Setup {
                    profile: Arc::clone(self.profile),
                    ..Setup::clone(&setup)
                }),
            }),
            // This engine has no restart to get over, only the time that went by.
            Input::CarryOver(_) => None,
            Input::Started(started) => Some(Input::Started(Started {
                down_for: started.down_for.map(|_| at.since(self.stepped)),
                ..started
            })),
            Input::Command(command) => command_again(*command).map(|c| Input::Command(Box::new(c))),
            Input::Reading { .. }
            | Input::DeviceAlert { .. }
            | Input::Pump { .. }
            | Input::Identity { .. }
            | Input::Feed { .. }
            | Input::Alive { .. }
            | Input::Health { .. }
            | Input::FeedDeclared { .. }
            | Input::Tick => Some(input),
        }
    }

    /// Takes what is left, and lets time pass to the end of the session.
    fn finish(mut self) -> (Count, Vec<Caveat>) {
        self.settle();
        self.step(self.now, &Input::Tick);
        (self.count, self.refused)
    }
}

/// The command as it is given again; `None` for what a nurse did because of an alarm.
fn command_again(command: Command) -> Option<Command> {
    let decided = || {
        Some(Override {
            reason: "as recorded".to_owned(),
            by: "the record".to_owned(),
            second_by: Some("what-if".to_owned()),
        })
    };
    match command {
        Command::Acknowledge { .. }
        | Command::AudioPause
        | Command::EndAudioPause
        | Command::SetLimit { .. }
        | Command::RestoreLimits { .. }
        // It names its entry by a number of the record, which no other run has.
        | Command::Correct { .. } => None,
        Command::StartInfusion { .. } => Some(Command::StartInfusion { over: decided() }),
        Command::CloseSession { by, .. } => Some(Command::CloseSession {
            by,
            over: decided(),
        }),
        Command::OpenSession(_)
        | Command::PauseInfusion
        | Command::ResumeInfusion
        | Command::StopInfusion
        | Command::Away { .. }
        | Command::EndAway
        | Command::SetBaseline { .. }
        | Command::RateChange { .. }
        | Command::Drug { .. }
        | Command::Score { .. }
        | Command::Note { .. }
        | Command::ConfirmPatient
        | Command::Check { .. }
        | Command::SelfTest { .. }
        | Command::LogIn { .. }
        | Command::LogOut { .. }
        | Command::Sign { .. } => Some(command),
    }
}
