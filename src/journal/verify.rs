//! Proves a record: replayed through the engine it gives the same decisions, byte for byte.

use super::replay::{ReadError, Replayed, Stretch, replay};
use super::restore::{Opening, Section};
use super::store::{self, OpenError};
use crate::engine::Engine;
use std::path::Path;

/// Why a record could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What `verify` found in one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The number of the section's first input.
    pub from: u64,
    /// The session, unless it is standby.
    pub session: Option<i64>,
    /// What the replay came to; `Err` says why there was none.
    pub outcome: Result<Replayed, String>,
}

impl Verdict {
    /// Whether the section is proven from its beginning to its end.
    pub fn is_proven(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|replayed| {
            replayed.difference.is_none() && replayed.not_provable_after.is_none()
        })
    }
}

/// Replays every section of the record, or those of one session, each through a fresh engine. The record may
/// be in use.
///
/// # Errors
/// The record cannot be opened, or not be read to its end.
pub fn verify(path: &Path, session: Option<i64>) -> Result<Vec<Verdict>, VerifyError> {
    let connection = &store::open_reader(path)?;
    let sections = Section::all(connection).map_err(ReadError::from)?;
    let nexts = sections.iter().skip(1).map(Some).chain([None]);
    sections
        .iter()
        .zip(nexts)
        .filter(|(section, _)| session.is_none() || section.session == session)
        .map(|(section, next)| {
            Ok(Verdict {
                from: section.seq,
                session: section.session,
                outcome: match section.obstacle() {
                    Some(obstacle) => Err(obstacle),
                    None => {
                        let stretch = Stretch {
                            from: section.seq,
                            until: next.map(|next| next.seq),
                            may_be_cut: next.is_none_or(|next| next.what != Opening::Open),
                        };
                        let mut engine = Engine::new(section.seq.saturating_sub(1));
                        Ok(replay(connection, stretch, &mut engine)?)
                    }
                },
            })
        })
        .collect()
}
