//! `infusewatch what-if`: what another profile would have done in recorded sessions, beside what happened.

use super::{ExitStatus, Failure, printed};
use crate::journal::{self, Caveat, Compared, Outcome, Tally, VerifyError, WhatIf as Session};
use crate::vocabulary::AlarmClass;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to judge again, and by what.
#[derive(clap::Args, Debug)]
pub struct WhatIf {
    /// The journal; it may be in use.
    journal: PathBuf,
    /// The profile that judges instead.
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Only this session; may be given several times.
    #[arg(long, value_name = "ID")]
    session: Vec<i64>,
    /// One JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

impl WhatIf {
    /// Judges again and prints both sides.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let profile = super::profile_text(&self.profile)?;
        let outcomes = journal::what_if(&self.journal, &profile, &self.session).map_err(
            |error| match error {
                VerifyError::Open(error) => Failure::new(ExitStatus::CannotOpen, error.to_string()),
                VerifyError::Read(error) => Failure::new(
                    ExitStatus::CannotOpen,
                    format!(
                        "cannot judge the sessions of {} again: {error}",
                        self.journal.display()
                    ),
                ),
            },
        )?;
        let unknown = self
            .session
            .iter()
            .find(|wanted| !outcomes.iter().any(|(session, _)| session == *wanted));
        if let Some(session) = unknown {
            return Err(super::no_session(&self.journal, *session));
        }
        let text = if self.json {
            serde_json::to_string_pretty(&json(&self, &outcomes)).map_err(|error| {
                Failure::new(
                    ExitStatus::Software,
                    format!("cannot write the comparison as JSON: {error}"),
                )
            })? + "\n"
        } else {
            tables(&self, &outcomes)
        };
        let mut out = io::stdout().lock();
        printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }
}

/// What to know before comparing, in words.
fn caveat(caveat: &Caveat) -> String {
    match caveat {
        Caveat::Gap { from, to } => format!(
            "entries {from} to {to} are missing in the record: this profile saw less than was seen then"
        ),
        Caveat::OtherEngine { version } => format!(
            "version {version} of the alarm engine judged then, this program has version {}",
            crate::engine::engine_version()
        ),
        Caveat::Refused {
            seq,
            command,
            error,
        } => format!("entry {seq}, {command}, is not possible under this profile: {error}"),
        Caveat::Open => "the session was still open where the record ends".to_owned(),
    }
}

fn tables(command: &WhatIf, outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "recorded | under {}, without acknowledgements, pauses and changed limits",
        command.profile.display()
    );
    if outcomes.is_empty() {
        text.push_str("no session in the record\n");
    }
    for (session, outcome) in outcomes {
        match outcome {
            Ok(found) => table(&mut text, found),
            Err(obstacle) => {
                let _ = writeln!(
                    text,
                    "\nsession {session}: cannot be judged again: {obstacle}"
                );
            }
        }
    }
    text
}

fn table(text: &mut String, found: &Session) {
    let _ = writeln!(
        text,
        "\nsession {}, {} min",
        found.session,
        found.length.as_secs() / 60
    );
    for known in &found.caveats {
        let _ = writeln!(text, "  note: {}", caveat(known));
    }
    if found.rules.is_empty() {
        text.push_str("  no alarm on either side\n");
        return;
    }
    let _ = writeln!(
        text,
        "  {:<15} {:>11}  {:>11}  {:>11}  {:>17}  {:>17}",
        "", "begins", "high", "escalations", "active s", "median to alarm s"
    );
    for Compared {
        rule,
        recorded,
        what_if,
    } in &found.rules
    {
        let beside = |one: u64, other: u64| format!("{one} | {other}");
        let times = |one: Option<Duration>, other: Option<Duration>| {
            let told = |time: Option<Duration>| time.map_or_else(|| "–".to_owned(), tenths);
            format!("{} | {}", told(one), told(other))
        };
        let _ = writeln!(
            text,
            "  {:<15} {:>11}  {:>11}  {:>11}  {:>17}  {:>17}",
            rule.name(),
            beside(recorded.begins, what_if.begins),
            beside(recorded.high, what_if.high),
            beside(recorded.escalations, what_if.escalations),
            times(Some(recorded.active), Some(what_if.active)),
            times(recorded.median_to_alarm(), what_if.median_to_alarm()),
        );
    }
}

/// Seconds with one decimal, cut.
fn tenths(time: Duration) -> String {
    format!("{}.{}", time.as_secs(), time.subsec_millis() / 100)
}

/// The whole document: `docs/operations.md` explains its keys.
#[derive(Serialize)]
struct Document<'a> {
    journal: &'a Path,
    profile: &'a Path,
    sessions: Vec<SessionDocument>,
}

#[derive(Serialize)]
struct SessionDocument {
    session: i64,
    /// Why the session cannot be judged again; the rest is then empty.
    obstacle: Option<String>,
    length_s: Option<f64>,
    notes: Vec<String>,
    rules: Vec<RuleDocument>,
}

#[derive(Serialize)]
struct RuleDocument {
    rule: &'static str,
    class: AlarmClass,
    recorded: TallyDocument,
    what_if: TallyDocument,
}

#[derive(Serialize)]
struct TallyDocument {
    begins: u64,
    high: u64,
    escalations: u64,
    active_s: f64,
    time_to_alarm_s: Option<TimeToAlarm>,
}

#[derive(Serialize)]
struct TimeToAlarm {
    median: f64,
    longest: f64,
}

impl From<&Tally> for TallyDocument {
    fn from(tally: &Tally) -> Self {
        Self {
            begins: tally.begins,
            high: tally.high,
            escalations: tally.escalations,
            active_s: tally.active.as_secs_f64(),
            time_to_alarm_s: tally.median_to_alarm().zip(tally.longest_to_alarm()).map(
                |(median, longest)| TimeToAlarm {
                    median: median.as_secs_f64(),
                    longest: longest.as_secs_f64(),
                },
            ),
        }
    }
}

fn json<'a>(command: &'a WhatIf, outcomes: &[Outcome]) -> Document<'a> {
    let rule = |compared: &Compared| RuleDocument {
        rule: compared.rule.name(),
        class: compared.rule.class(),
        recorded: (&compared.recorded).into(),
        what_if: (&compared.what_if).into(),
    };
    Document {
        journal: &command.journal,
        profile: &command.profile,
        sessions: outcomes
            .iter()
            .map(|(session, outcome)| match outcome {
                Ok(found) => SessionDocument {
                    session: *session,
                    obstacle: None,
                    length_s: Some(found.length.as_secs_f64()),
                    notes: found.caveats.iter().map(caveat).collect(),
                    rules: found.rules.iter().map(rule).collect(),
                },
                Err(obstacle) => SessionDocument {
                    session: *session,
                    obstacle: Some(obstacle.clone()),
                    length_s: None,
                    notes: Vec::new(),
                    rules: Vec::new(),
                },
            })
            .collect(),
    }
}
