//! InfuseWatch: a supplementary bedside vital-signs monitor for ketamine infusions.
//!
//! The modules stand in the order in which data flows; imports run one way only (see
//! `docs/architecture.md` and `tests/layering.rs`).

pub mod clock;
pub mod engine;
pub mod observation;
pub mod protocol;
pub mod vocabulary;
