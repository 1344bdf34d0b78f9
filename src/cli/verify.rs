//! `infusewatch verify`: replays a record and says whether it proves itself.

use super::{ExitStatus, Failure};
use crate::journal::{self, Verdict, VerifyError};
use std::io::{self, Write};
use std::path::PathBuf;

/// What to check.
#[derive(clap::Args, Debug)]
pub struct Verify {
    /// The journal; it may be in use.
    journal: PathBuf,
    /// Only this session.
    #[arg(long)]
    session: Option<i64>,
}

impl Verify {
    /// Replays and reports: one line per section, ending with the first difference.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let verdicts =
            journal::verify(&self.journal, self.session).map_err(|error| match error {
                VerifyError::Open(error) => Failure::new(ExitStatus::CannotOpen, error.to_string()),
                VerifyError::Read(error) => Failure::new(
                    ExitStatus::CannotOpen,
                    format!("cannot check {}: {error}", self.journal.display()),
                ),
            })?;
        if let (Some(session), []) = (self.session, verdicts.as_slice()) {
            return Err(super::no_session(&self.journal, session));
        }
        print(&verdicts).map_err(|error| {
            Failure::new(
                ExitStatus::CannotOpen,
                format!("cannot print the result: {error}"),
            )
        })
    }
}

fn print(verdicts: &[Verdict]) -> io::Result<ExitStatus> {
    let mut out = io::stdout().lock();
    let mut status = ExitStatus::Done;
    for verdict in verdicts {
        if !verdict.is_proven() {
            status = ExitStatus::Finding;
        }
        writeln!(out, "{}", line(verdict))?;
        if verdict
            .outcome
            .as_ref()
            .is_ok_and(|replayed| replayed.difference.is_some())
        {
            break;
        }
    }
    Ok(status)
}

fn line(verdict: &Verdict) -> String {
    let place = match verdict.session {
        Some(session) => format!("session {session}, from entry {}", verdict.from),
        None => format!("standby, from entry {}", verdict.from),
    };
    let finding = match &verdict.outcome {
        Err(obstacle) => format!("not provable: {obstacle}"),
        Ok(replayed) => match (&replayed.difference, replayed.not_provable_after) {
            (Some(difference), _) => format!("DIFFERS at {difference}"),
            (None, Some(seq)) => format!(
                "not provable after entry {seq}: entries were dropped there; {} entries before agree",
                replayed.entries
            ),
            (None, None) => format!("{} entries agree", replayed.entries),
        },
    };
    format!("{place}: {finding}")
}
